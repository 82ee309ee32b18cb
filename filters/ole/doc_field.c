/* SPDX-License-Identifier: Apache-2.0 */
/* doc_field: which instructions of fields stay, by their first word ([MS-DOC]
 * 2.9.90, [ECMA-376] 17.16.5). */
#include "filters/ole/doc.h"

static const char kept[] =
    " = ADDRESSBLOCK ADVANCE ASK AUTHOR AUTONUM AUTONUMLGL AUTONUMOUT AUTOTEXT"
    " AUTOTEXTLIST BARCODE BIBLIOGRAPHY BIDIOUTLINE CITATION COMMENTS COMPARE"
    " CREATEDATE DATE DISPLAYBARCODE DOCPROPERTY DOCVARIABLE EDITTIME EQ"
    " FILENAME FILESIZE FILLIN FORMCHECKBOX FORMDROPDOWN FORMTEXT FTNREF"
    " GLOSSARY GOTOBUTTON GREETINGLINE HYPERLINK IF INDEX INFO KEYWORDS"
    " LASTSAVEDBY LISTNUM MERGEBARCODE MERGEFIELD MERGEREC MERGESEQ NEXT NEXTIF"
    " NOTEREF NUMCHARS NUMPAGES NUMWORDS PAGE PAGEREF PRINTDATE QUOTE REF "
    "REVNUM"
    " SAVEDATE SECTION SECTIONPAGES SEQ SET SHAPE SKIPIF STYLEREF SUBJECT "
    "SYMBOL"
    " TA TC TEMPLATE TIME TITLE TOA TOC USERADDRESS USERINITIALS USERNAME XE ";

/* Those of them whose result a reader takes anew from the metadata. */
static const char of_metadata[] =
    " AUTHOR COMMENTS CREATEDATE DOCPROPERTY DOCVARIABLE EDITTIME INFO KEYWORDS"
    " LASTSAVEDBY PRINTDATE REVNUM SAVEDATE SUBJECT TEMPLATE TITLE ";

static const struct {
	const char *word;
	enum detox_removal what;
} known[] = {
	{ "DDE", REMOVED_FIELD },
	{ "DDEAUTO", REMOVED_FIELD },
	{ "DATABASE", REMOVED_CONNECTION },
	{ "DATA", REMOVED_CONNECTION },
	{ "LINK", REMOVED_EXTERNAL },
	{ "INCLUDE", REMOVED_EXTERNAL },
	{ "INCLUDETEXT", REMOVED_EXTERNAL },
	{ "INCLUDEPICTURE", REMOVED_EXTERNAL },
	{ "IMPORT", REMOVED_EXTERNAL },
	{ "RD", REMOVED_EXTERNAL },
	{ "SUBSCRIBER", REMOVED_EXTERNAL },
	{ "MACRO", REMOVED_FIELD },
	{ "PRINT", REMOVED_FIELD },
	{ "ADDIN", REMOVED_CUSTOM },
	{ "EMBED", REMOVED_OBJECT },
	{ "CONTROL", REMOVED_ACTIVEX },
	{ "HTMLCONTROL", REMOVED_ACTIVEX },
};

bool
doc_field_runs(struct bytes word)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].what != REMOVED_CUSTOM &&
		    known[i].what != REMOVED_OBJECT &&
		    bytes_equal_nocase(word, bytes_of(known[i].word)))
			return true;
	return bytes_equal_nocase(word, BYTES("MACROBUTTON"));
}

static bool
is_listed(const char *words, struct bytes word)
{
	struct bytes all = bytes_of(words);

	while (all.n > 0)
		if (bytes_equal_nocase(bytes_take_until(&all, ' '), word))
			return true;
	return false;
}

/* A word, or what is between quotes. */
static struct bytes
take_argument(struct bytes *b)
{
	*b = bytes_trim(*b);
	if (b->n > 0 && b->p[0] == '"') {
		bytes_take(b, 1);
		return bytes_take_until(b, '"');
	}
	return bytes_take_until(b, ' ');
}

/* HYPERLINK [address] [\l place] [\m] [\n] [\o tip] [\t frame] */
static bool
address_stays(const struct detox *d, struct bytes rest)
{
	struct bytes argument;

	while (bytes_trim(rest).n > 0) {
		argument = take_argument(&rest);
		if (argument.n == 2 && argument.p[0] == '\\' &&
		    argument.p[1] != '\\') {
			if (strchr("lLoOtT", argument.p[1]) != NULL)
				take_argument(&rest);
			continue;
		}
		if (!detox_link_stays(d, argument))
			return false;
	}
	return true;
}

bool
doc_field_is_link(struct bytes words)
{
	words = bytes_trim(words);
	return bytes_equal_nocase(take_argument(&words), BYTES("HYPERLINK"));
}

/* INCLUDE, DATA, DDE, DDEAUTO, PRINT, MACROBUTTON, IMPORT, LINK, EMBED,
 * INCLUDEPICTURE, INCLUDETEXT, MACRO, PRIVATE, DATABASE, ADDIN, SUBSCRIBER,
 * CONTROL, HTMLCONTROL: none of them has a word that stays. */
bool
doc_kind_runs(uint8_t kind)
{
	static const uint8_t kinds[] = { 0x24, 0x28, 0x2d, 0x2e, 0x30, 0x33,
		0x37, 0x38, 0x3a, 0x43, 0x44, 0x4c, 0x4d, 0x4e, 0x51, 0x52,
		0x57, 0x5b };

	return memchr(kinds, kind, sizeof(kinds)) != NULL;
}

enum doc_field
doc_judge_field(
    const struct detox *d, struct bytes words, enum detox_removal *what)
{
	struct bytes word;

	words = bytes_trim(words);
	*what = REMOVED_FIELD;
	/* Formulas need no blank behind their sign. */
	if (words.n == 0 || words.p[0] == '=')
		return DOC_FIELD_STAYS;
	word = take_argument(&words);
	if (bytes_equal_nocase(word, BYTES("MACROBUTTON")))
		return DOC_FIELD_BUTTON;
	if (bytes_equal_nocase(word, BYTES("HYPERLINK"))) {
		*what = REMOVED_LINK;
		return address_stays(d, words) ? DOC_FIELD_STAYS
					       : DOC_FIELD_BAD;
	}
	for (size_t i = 0; i < COUNT(known); i++)
		if (bytes_equal_nocase(word, bytes_of(known[i].word)))
			*what = known[i].what;
	if (!is_listed(kept, word))
		return DOC_FIELD_BAD;
	return !d->profile->keep_metadata && is_listed(of_metadata, word)
	    ? DOC_FIELD_FROZEN
	    : DOC_FIELD_STAYS;
}
