/* SPDX-License-Identifier: Apache-2.0 */
/* write: the lists that hold a package together, from what was kept. */
#include "filters/ooxml/inside.h"
#include "filters/xml/xml.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define STRICT "http://purl.oclc.org/ooxml/officeDocument/relationships/"
#define OFFICE \
	"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"

/* An attribute's value. */
static int
put_escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		size_t n = strcspn(s, "&<>\"\t\r\n");

		if (buf_append(out, (struct bytes){ (const uint8_t *)s, n }) <
		    0)
			return -1;
		s += n;
		if (*s == '\0')
			return 0;
		if (buf_printf(out, "&#%d;", *s) < 0)
			return -1;
	}
	return 0;
}

/* A strict type is the other with another beginning. */
static int
put_type(struct buf *out, const struct rel *r)
{
	const char *family = r->kind->family;

	if (r->strict && strncmp(family, OFFICE, strlen(OFFICE)) == 0)
		return buf_printf(out, "%s%s%s", STRICT,
		    family + strlen(OFFICE), r->kind->type);
	return buf_printf(out, "%s%s", family, r->kind->type);
}

static int
put_rel(struct buf *out, const struct rel *r)
{
	if (buf_append_string(out, "<Relationship Id=\"") < 0 ||
	    put_escaped(out, r->id) < 0 ||
	    buf_append_string(out, "\" Type=\"") < 0 || put_type(out, r) < 0 ||
	    buf_append_string(out, "\" Target=\"") < 0)
		return -1;
	if (r->part != NULL) {
		if (buf_append_string(out, "/") < 0 ||
		    put_escaped(out, r->part->out_name) < 0)
			return -1;
	} else if (put_escaped(out, r->target) < 0) {
		return -1;
	}
	if (r->external &&
	    buf_append_string(out, "\" TargetMode=\"External") < 0)
		return -1;
	return buf_append_string(out, "\"/>");
}

enum detox_result
write_rels(struct ooxml *x, const char *name, const struct rel *rels, size_t n)
{
	struct buf out;
	enum detox_result result = DETOX_REFUSED;
	int status;
	bool any = false;

	buf_init(&out, x->d->profile->out_max);
	status = buf_append_string(&out,
	    HEAD "<Relationships xmlns=\"http://schemas.openxmlformats.org/"
		 "package/2006/relationships\">");
	for (size_t i = 0; status == 0 && i < n; i++)
		if (rels[i].kept) {
			status = put_rel(&out, &rels[i]);
			any = true;
		}
	if (status == 0)
		status = buf_append_string(&out, "</Relationships>");
	if (status < 0)
		detox_refuse(x->d, REFUSED_SIZE, "more than %zu bytes come out",
		    out.max);
	else if (!any)
		result = DETOX_REBUILT;
	else
		result = package_add(
		    x->d, x->writer, name, buf_bytes(&out), PACKAGE_DEFLATED);
	buf_release(&out);
	return result;
}

enum detox_result
write_types(struct ooxml *x)
{
	struct buf out;
	enum detox_result result = DETOX_REFUSED;
	int status;

	buf_init(&out, x->d->profile->out_max);
	status = buf_append_string(&out,
	    HEAD "<Types xmlns=\"http://schemas.openxmlformats.org/package/"
		 "2006/content-types\"><Default Extension=\"rels\" "
		 "ContentType=\"application/vnd.openxmlformats-package."
		 "relationships+xml\"/><Default Extension=\"xml\" "
		 "ContentType=\"application/xml\"/>");
	for (struct part *p = x->first; status == 0 && p != NULL; p = p->next)
		if (p->state == PART_KEPT)
			status = buf_printf(&out,
			    "<Override PartName=\"/%s\" ContentType=\"%s\"/>",
			    p->out_name, p->content_type);
	if (status == 0)
		status = buf_append_string(&out, "</Types>");
	if (status < 0)
		detox_refuse(x->d, REFUSED_SIZE, "more than %zu bytes come out",
		    out.max);
	else
		result = package_add(x->d, x->writer, "[Content_Types].xml",
		    buf_bytes(&out), PACKAGE_DEFLATED);
	buf_release(&out);
	return result;
}

/* Of the core properties (ECMA-376 part 2, section 11), as text alone. */
static bool
is_title(const xmlNode *n)
{
	static const char *const names[] = { "title", "subject", "creator",
		"keywords", "description", "lastModifiedBy", "revision",
		"created", "modified", "category", "contentStatus",
		"language" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (xml_is(n, NULL, names[i]))
			return true;
	return false;
}

static void
keep_text(xmlNode *n)
{
	xmlChar *text = xmlNodeGetContent(n);
	xmlChar *escaped =
	    text == NULL ? NULL : xmlEncodeSpecialChars(n->doc, text);

	xmlNodeSetContent(n, escaped);
	xmlFree(escaped);
	xmlFree(text);
}

enum detox_result
write_title(struct ooxml *x, struct part *p)
{
	struct buf content = { 0 }, out = { 0 };
	xmlDoc *doc = NULL;
	enum detox_result result = DETOX_REFUSED;

	if (package_read(x->d, x->package, p->entry, &content) == DETOX_REBUILT)
		doc = xml_read(x->d, buf_bytes(&content), p->name);
	if (doc == NULL)
		goto end;
	for (xmlNode *n = xmlDocGetRootElement(doc)->children; n != NULL;)
		if (is_title(n)) {
			keep_text(n);
			n = n->next;
		} else {
			n = xml_drop(n);
		}
	if (xml_write(x->d, doc, &out) == DETOX_REBUILT)
		result = package_add(x->d, x->writer, p->out_name,
		    buf_bytes(&out), PACKAGE_DEFLATED);
end:
	xmlFreeDoc(doc);
	buf_release(&out);
	buf_release(&content);
	return result;
}

/* Others compute a workbook anew, to other results, unless such a program is
 * said to have stored its values. */
static const char *
program_of(struct bytes content)
{
	static const char *const names[] = { "Microsoft Excel",
		"Microsoft Macintosh Excel", "Microsoft Office Word",
		"Microsoft Word", "Microsoft Macintosh Word",
		"Microsoft Office PowerPoint", "Microsoft PowerPoint",
		"Microsoft Macintosh PowerPoint", "LibreOffice" };
	const uint8_t *at = memmem(content.p, content.n, "<Application>", 13);

	if (at == NULL)
		return NULL;
	bytes_take(&content, (size_t)(at - content.p) + 13);
	for (size_t i = 0; i < COUNT(names); i++)
		if (bytes_start_with(content, bytes_of(names[i])))
			return names[i];
	return NULL;
}

enum detox_result
write_program(struct ooxml *x, struct part *p)
{
	struct buf content = { 0 }, out;
	enum detox_result result = DETOX_REFUSED;
	const char *program;

	buf_init(&out, x->d->profile->out_max);
	if (package_read(x->d, x->package, p->entry, &content) == DETOX_REFUSED)
		goto end;
	detox_removed(x->d, REMOVED_METADATA, p->name, buf_bytes(&content));
	program = program_of(buf_bytes(&content));
	if (buf_printf(&out,
		HEAD "<Properties xmlns=\"http://schemas.openxmlformats.org/"
		     "officeDocument/2006/extended-properties\">"
		     "<Application>%s</Application></Properties>",
		program == NULL ? "" : program) < 0)
		detox_refuse(x->d, REFUSED_SIZE, "more than %zu bytes come out",
		    out.max);
	else
		result = package_add(x->d, x->writer, p->out_name,
		    buf_bytes(&out), PACKAGE_DEFLATED);
end:
	buf_release(&out);
	buf_release(&content);
	return result;
}
