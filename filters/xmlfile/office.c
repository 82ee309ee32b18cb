/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xmlfile/office.h"

#include <ctype.h>

#include "filters/html/base64.h"
#include "filters/html/words.h"
#include "filters/ooxml/ooxml.h"
#include "filters/xml/xml.h"

/* Fields that only say something. */
static const char fields[] =
    " page numpages sectionpages section pageref ref noteref toc tc toa ta"
    " hyperlink date time createdate savedate printdate edittime seq styleref"
    " title subject author keywords comments filename filesize numchars"
    " numwords revnum symbol eq advance formtext formcheckbox formdropdown"
    " index xe rd quote listnum autonum autonumlgl autonumout bibliography"
    " citation addressblock greetingline username userinitials useraddress"
    " = if compare mergefield mergerec mergeseq ask fillin set docproperty"
    " docvariable info lastsavedby template shape embed ";

static const char *
space_of(const xmlNs *ns)
{
	return ns == NULL || ns->href == NULL ? "" : (const char *)ns->href;
}

static bool
is_word(const xmlNode *n)
{
	return strncmp(space_of(n->ns), OFFICE_WORD, strlen(OFFICE_WORD)) == 0;
}

static bool
contains(struct bytes b, const char *small)
{
	size_t n = strlen(small);

	for (; b.n >= n; bytes_take(&b, 1))
		if (bytes_equal_nocase(
			(struct bytes){ b.p, n }, bytes_of(small)))
			return true;
	return false;
}

/* Each piece by itself, for a name may be cut in pieces: what begins like a
 * switch, a text or a number is behind a name; all else has to be one. */
static bool
field_stays(struct bytes text)
{
	struct bytes name;

	while (text.n > 0 && isspace(text.p[0]))
		bytes_take(&text, 1);
	if (text.n == 0 || strchr("\\\"0123456789", text.p[0]) != NULL)
		return true;
	name = text;
	for (name.n = 0; name.n < text.n && !isspace(text.p[name.n]);)
		name.n++;
	return words_have(fields, name) && !contains(text, "script:") &&
	    !contains(text, "file:") && !contains(text, "\\\\\\\\");
}

/* Of VML: what is loaded, what a click goes to, and where the original of a
 * picture is. */
static enum detox_removal
judge_vml(struct detox *d, const xmlAttr *a, struct bytes value)
{
	struct bytes name = bytes_of((const char *)a->name);

	if (words_have(" althref ", name) ||
	    (words_have(" href ", name) &&
		words_have(" imagedata fill stroke image ",
		    bytes_of((const char *)a->parent->name))))
		return REMOVED_EXTERNAL;
	if (words_have(" href ", name) && !detox_link_stays(d, value))
		return REMOVED_LINK;
	/* A picture that the document holds itself. */
	if (words_have(" src ", name) && value.n > 0 && value.p[0] != '#' &&
	    !bytes_start_with(value, BYTES("wordml://")))
		return REMOVED_EXTERNAL;
	return DETOX_REMOVAL_KINDS;
}

bool
office_attribute_goes(struct detox *d, const xmlAttr *a, struct bytes value)
{
	static const char spreadsheet[] =
	    "urn:schemas-microsoft-com:office:spreadsheet";
	struct bytes name = bytes_of((const char *)a->name);
	enum detox_removal what = DETOX_REMOVAL_KINDS;

	if (is_word(a->parent)) {
		if (words_have(
			" macrospresent embeddedobjpresent ocxpresent ", name))
			return true;
		if (words_have(" instr ", name) &&
		    !(field_stays(value) && ooxml_instruction_stays(d, value)))
			what = REMOVED_FIELD;
		if (words_have(" dest ", name) && !detox_link_stays(d, value))
			what = REMOVED_LINK;
	} else if (strcmp(space_of(a->parent->ns), spreadsheet) == 0) {
		if (words_have(" formula arrayrange refersto ", name) &&
		    !ooxml_formula_stays(d, value))
			what = REMOVED_FORMULA;
		if (words_have(" href ", name) && !detox_link_stays(d, value))
			what = REMOVED_LINK;
	} else if (strcmp(space_of(a->parent->ns),
		       "urn:schemas-microsoft-com:vml") == 0) {
		what = judge_vml(d, a, value);
	} else if (words_have(" src ", name) && !detox_link_stays(d, value)) {
		if (!bytes_start_with(value, BYTES("wordml://")))
			what = REMOVED_EXTERNAL;
	}
	if (what == DETOX_REMOVAL_KINDS)
		return false;
	detox_removed(
	    d, what, (const char *)a->parent->name, (struct bytes){ 0 });
	return true;
}

static void
set_text(xmlNode *n, struct bytes text)
{
	xmlNode *child =
	    xmlNewDocTextLen(n->doc, (const xmlChar *)text.p, (int)text.n);

	must(child != NULL);
	while (n->children != NULL) {
		xmlNode *old = n->children;

		xmlUnlinkNode(old);
		xmlFreeNode(old);
	}
	xmlAddChild(n, child);
}

/* Pictures alone stay of what is not text. */
static bool
data_stays(struct detox *d, xmlNode *n)
{
	xmlChar *text = xmlNodeGetContent(n);
	struct buf content, coded;
	struct detox_output inner = { 0 };
	struct detox_object o;
	bool stays = false;

	buf_init(&content, text == NULL ? 0 : strlen((char *)text) + 4);
	buf_init(&coded, INT32_MAX / 2);
	if (text != NULL &&
	    base64_decode(bytes_of((const char *)text), &content) == 0 &&
	    detox_entry(d) == DETOX_REBUILT) {
		o = (struct detox_object){ .content = buf_bytes(&content) };
		stays = detox_inside(d, (const char *)n->name, &o, &inner) ==
			DETOX_REBUILT &&
		    base64_encode(buf_bytes(&inner.content), &coded) == 0;
		buf_release(&inner.content);
	}
	if (stays)
		set_text(n, buf_bytes(&coded));
	buf_release(&coded);
	buf_release(&content);
	xmlFree(text);
	return stays;
}

static bool
words_stay(xmlNode *n)
{
	xmlChar *text = xmlNodeGetContent(n);
	bool stays = text != NULL && field_stays(bytes_of((char *)text));

	xmlFree(text);
	return stays;
}

/* Whether a formula below stands in the way. As deep as XML_DEPTH_MAX. */
static bool
formulas_stay(struct detox *d, const xmlNode *parent)
{
	static const char names[] =
	    " value value1 value2 min max formula expression ";
	bool stay = true;

	for (const xmlNode *n = parent->children; n != NULL && stay;
	     n = n->next) {
		xmlChar *text;

		if (n->type != XML_ELEMENT_NODE)
			continue;
		stay = formulas_stay(d, n);
		if (!words_have(names, bytes_of((const char *)n->name)))
			continue;
		text = xmlNodeGetContent(n);
		stay = stay && text != NULL &&
		    ooxml_formula_stays(d, bytes_of((const char *)text));
		xmlFree(text);
	}
	return stay;
}

static bool
names_other_file(const xmlNode *n)
{
	xmlChar *text = xmlNodeGetContent(n);
	bool names =
	    text == NULL || strpbrk((const char *)text, "\\/:") != NULL;

	xmlFree(text);
	return names;
}

/* Of a sheet's options. */
static bool
sheet_goes(struct detox *d, const xmlNode *n, enum detox_removal *what_out)
{
	static const char excel[] = "urn:schemas-microsoft-com:office:excel";
	struct bytes name = bytes_of((const char *)n->name);

	if (strncmp(space_of(n->ns), excel, strlen(excel)) != 0)
		return false;
	*what_out = REMOVED_FORMULA;
	if (words_have(" datavalidation conditionalformatting ", name))
		return !formulas_stay(d, n);
	*what_out = REMOVED_CONNECTION;
	return words_have(" cachefile ", name) ||
	    (words_have(" filename ", name) && names_other_file(n));
}

bool
office_goes(struct detox *d, xmlNode *n, enum detox_removal *what_out)
{
	struct bytes name = bytes_of((const char *)n->name);

	*what_out = DETOX_REMOVAL_KINDS;
	if (words_have(" bindata binary-data ", name))
		return !data_stays(d, n);
	if (sheet_goes(d, n, what_out))
		return true;
	*what_out = REMOVED_FIELD;
	return is_word(n) && words_have(" instrtext ", name) && !words_stay(n);
}

enum detox_result
office_clean(struct detox *d, xmlNode *root)
{
	if (!is_word(root) || !xml_is(root, NULL, "wordDocument"))
		return DETOX_REBUILT;
	return ooxml_clean_fields(d, root);
}
