/* SPDX-License-Identifier: Apache-2.0 */
/* instruction: what a field of Word does, by its first word. A word that is not
 * here may be a macro's, or that of a later Word: its result stays alone. */
#include <ctype.h>

#include "filters/ooxml/inside.h"
#include "filters/ooxml/ooxml.h"

enum word {
	WORD_BAD,
	WORD_GOOD,
	WORD_LINK,  /* goes to an address */
	WORD_SHOWS, /* runs what its second word names, and shows the rest */
	WORD_FLAT,
	WORD_TITLE, /* shows metadata */
};

static const struct {
	const char *name;
	enum word word;
} words[] = {
	{ "DDE", WORD_BAD },
	{ "DDEAUTO", WORD_BAD },
	{ "LINK", WORD_BAD },
	{ "INCLUDE", WORD_BAD },
	{ "INCLUDETEXT", WORD_BAD },
	{ "INCLUDEPICTURE", WORD_BAD },
	{ "IMPORT", WORD_BAD },
	{ "DATABASE", WORD_BAD },
	{ "MACRO", WORD_BAD },
	{ "PRINT", WORD_BAD },
	{ "RD", WORD_BAD },
	{ "HTMLCONTROL", WORD_BAD },
	{ "HTMLACTIVEX", WORD_BAD },
	{ "CONTROL", WORD_BAD },
	{ "MACROBUTTON", WORD_SHOWS },
	{ "GOTOBUTTON", WORD_SHOWS },
	{ "HYPERLINK", WORD_LINK },
	{ "TITLE", WORD_TITLE },
	{ "SUBJECT", WORD_TITLE },
	{ "AUTHOR", WORD_TITLE },
	{ "KEYWORDS", WORD_TITLE },
	{ "COMMENTS", WORD_TITLE },
	{ "LASTSAVEDBY", WORD_TITLE },
	{ "REVNUM", WORD_TITLE },
	{ "CREATEDATE", WORD_TITLE },
	{ "SAVEDATE", WORD_TITLE },
	{ "PAGE", WORD_GOOD },
	{ "NUMPAGES", WORD_GOOD },
	{ "SECTION", WORD_GOOD },
	{ "SECTIONPAGES", WORD_GOOD },
	{ "DATE", WORD_GOOD },
	{ "TIME", WORD_GOOD },
	{ "REF", WORD_GOOD },
	{ "PAGEREF", WORD_GOOD },
	{ "NOTEREF", WORD_GOOD },
	{ "FTNREF", WORD_GOOD },
	{ "STYLEREF", WORD_GOOD },
	{ "SEQ", WORD_GOOD },
	{ "TOC", WORD_GOOD },
	{ "TOA", WORD_GOOD },
	{ "TC", WORD_GOOD },
	{ "TA", WORD_GOOD },
	{ "XE", WORD_GOOD },
	{ "INDEX", WORD_GOOD },
	{ "EQ", WORD_GOOD },
	{ "ADVANCE", WORD_GOOD },
	{ "SYMBOL", WORD_GOOD },
	{ "LISTNUM", WORD_GOOD },
	{ "FILENAME", WORD_GOOD },
	{ "AUTONUM", WORD_GOOD },
	{ "AUTONUMLGL", WORD_GOOD },
	{ "AUTONUMOUT", WORD_GOOD },
	{ "FORMTEXT", WORD_GOOD },
	{ "FORMCHECKBOX", WORD_GOOD },
	{ "FORMDROPDOWN", WORD_GOOD },
	{ "MERGEFIELD", WORD_GOOD },
	{ "MERGEREC", WORD_GOOD },
	{ "MERGESEQ", WORD_GOOD },
	{ "ADDRESSBLOCK", WORD_GOOD },
	{ "GREETINGLINE", WORD_GOOD },
	{ "NEXT", WORD_GOOD },
	{ "NEXTIF", WORD_GOOD },
	{ "SKIPIF", WORD_GOOD },
	{ "IF", WORD_GOOD },
	{ "COMPARE", WORD_GOOD },
	{ "SET", WORD_GOOD },
	{ "CITATION", WORD_GOOD },
	{ "BIBLIOGRAPHY", WORD_FLAT },
	{ "SHAPE", WORD_GOOD },
	{ "BIDIOUTLINE", WORD_GOOD },
	{ "DISPLAYBARCODE", WORD_GOOD },
};

static void
skip_blanks(struct bytes *b)
{
	while (b->n > 0 && b->p[0] <= ' ')
		bytes_take(b, 1);
}

static struct bytes
take_word(struct bytes *b)
{
	size_t n = 0;

	skip_blanks(b);
	while (n < b->n && b->p[n] > ' ' && b->p[n] != '"' && b->p[n] != '\\')
		n++;
	return bytes_take(b, n);
}

/* An argument: a word, or one in quotes. Within, a backslash stands before a
 * character that would mean something else. */
static struct bytes
take_argument(struct bytes *b)
{
	struct bytes all;
	size_t n = 0;

	skip_blanks(b);
	if (b->n == 0 || b->p[0] != '"') {
		while (n < b->n && b->p[n] > ' ')
			n++;
		return bytes_take(b, n);
	}
	bytes_take(b, 1);
	all = *b;
	while (n < all.n && all.p[n] != '"')
		n += all.p[n] == '\\' && n + 1 < all.n ? 2 : 1;
	bytes_take(b, n < all.n ? n + 1 : all.n);
	all.n = n;
	return all;
}

/* HYPERLINK [address] [\l place] [\o tip] [\t frame] [\n] [\m] */
static enum field
judge_link(const struct ooxml *x, struct bytes rest)
{
	struct bytes a;

	for (skip_blanks(&rest); rest.n > 0; skip_blanks(&rest)) {
		if (rest.p[0] != '\\' || (rest.n > 1 && rest.p[1] == '\\')) {
			a = take_argument(&rest);
			if (!detox_link_stays(x->d, a))
				return FIELD_BAD;
			continue;
		}
		a = take_word(&rest);
		if (a.n == 0)
			a = bytes_take(&rest, 2);
		if (a.n > 1 && strchr("lot", a.p[1] | 0x20) != NULL)
			take_argument(&rest);
	}
	return FIELD_GOOD;
}

static enum word
find(struct bytes word)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (bytes_equal_nocase(bytes_of(words[i].name), word))
			return words[i].word;
	return WORD_FLAT;
}

/* What runs may not stand behind what does not: a reader that leaves something
 * of the instruction out, as it was deleted, begins there. */
static bool
has_bad_word(struct bytes rest)
{
	static const char *const bad[] = { "DDE", "DDEAUTO", "INCLUDETEXT",
		"INCLUDEPICTURE", "MACROBUTTON" };
	struct bytes word;

	for (skip_blanks(&rest); rest.n > 0; skip_blanks(&rest)) {
		word = take_word(&rest);
		if (word.n == 0)
			bytes_take(&rest, 1);
		for (size_t i = 0; i < COUNT(bad); i++)
			if (bytes_equal_nocase(bytes_of(bad[i]), word))
				return true;
	}
	return false;
}

enum field
field_judge(const struct ooxml *x, struct bytes instruction, bool dynamic)
{
	struct bytes rest = instruction;
	struct bytes word = take_word(&rest);

	if (word.n > 0 && word.p[0] == '=')
		return FIELD_GOOD;
	switch (find(word)) {
	case WORD_BAD:
	case WORD_SHOWS:
		return FIELD_BAD;
	case WORD_LINK:
		/* An address that is put together is not known. */
		return dynamic ? FIELD_BAD : judge_link(x, rest);
	case WORD_TITLE:
		return x->d->profile->keep_metadata ? FIELD_GOOD : FIELD_FLAT;
	case WORD_FLAT:
		return FIELD_FLAT;
	case WORD_GOOD:
		break;
	}
	return has_bad_word(rest) ? FIELD_BAD : FIELD_GOOD;
}

struct bytes
field_shows(struct bytes instruction)
{
	if (find(take_word(&instruction)) != WORD_SHOWS)
		return (struct bytes){ 0 };
	take_argument(&instruction);
	skip_blanks(&instruction);
	while (instruction.n > 0 && instruction.p[instruction.n - 1] <= ' ')
		instruction.n--;
	return instruction;
}

bool
ooxml_instruction_stays(struct detox *d, struct bytes instruction)
{
	const struct ooxml x = { .d = d };

	return field_judge(&x, instruction, false) != FIELD_BAD;
}
