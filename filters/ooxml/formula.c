/* SPDX-License-Identifier: Apache-2.0 */
/* formula: what a formula of Excel would do when it is computed (ECMA-376 part
 * 1, section 18.17). */
#include <ctype.h>

#include "filters/ooxml/inside.h"
#include "filters/ooxml/ooxml.h"
#include "filters/text/utf8.h"

/* They fetch, load or run; "*": all that begin so. CUBE and the like have no
 * connection left. */
static const char *const bad_functions[] = { "WEBSERVICE", "FILTERXML", "RTD",
	"CALL", "REGISTER*", "EXEC*", "IMAGE", "DDE*", "SQL.*", "EVALUATE",
	"RUN", "FOPEN", "FWRITE*", "FREAD*", "FILES", "FILE.*", "DIRECTORY",
	"GET.*", "SET.NAME", "FORMULA*", "OPEN*", "SAVE*", "SEND.*", "VBA.*",
	"INITIATE", "POKE", "REQUEST", "TERMINATE", "UNREGISTER", "PY",
	"STOCKHISTORY", "TRANSLATE", "DETECTLANGUAGE", "CUBE*", "ERROR", "HALT",
	"ON.*", "APP.*", "CREATE.*", "COPILOT", "INFO",
	/* its text may name another file, and come from any cell */
	"INDIRECT" };

/* Those that may be handed on by their names alone: MAP(A1,WEBSERVICE). Other
 * names of that list are words that people use. */
static const char *const bad_values[] = { "WEBSERVICE", "FILTERXML", "RTD",
	"CALL", "REGISTER*", "EXEC*", "IMAGE", "DDE*", "INDIRECT", "COPILOT" };

/* What a workbook's name ends with. */
static const char *const books[] = { ".xls", ".xlsx", ".xlsm", ".xlsb", ".xla",
	".xlam", ".ods", ".xltx", ".xltm" };

struct scan {
	const struct ooxml *x;
	struct bytes rest;
	uint8_t last; /* what was taken before, but blanks */
	enum formula worst;
};

static void
worsen(struct scan *s, enum formula f)
{
	if (f < s->worst)
		s->worst = f;
}

static bool
is_word(uint8_t c)
{
	return isalnum(c) || c >= 0x80 || c == '_' || c == '.' || c == '\\' ||
	    c == '?';
}

/* Up to the closing quote; a doubled one is a character. The rest begins behind
 * it. */
static struct bytes
take_quoted(struct bytes *b, uint8_t quote)
{
	struct bytes all = *b;
	size_t i = 1;

	for (; i < all.n; i++)
		if (all.p[i] == quote) {
			if (i + 1 >= all.n || all.p[i + 1] != quote)
				break;
			i++;
		}
	bytes_take(b, i < all.n ? i + 1 : all.n);
	return (struct bytes){ all.p + 1, i - 1 };
}

static void
skip_blanks(struct bytes *b)
{
	while (b->n > 0 && isspace(b->p[0]))
		bytes_take(b, 1);
}

static bool
is_gone(const struct ooxml *x, struct bytes name)
{
	xmlChar key[256];

	if (!x->has_gone || name.n >= sizeof(key))
		return false;
	for (size_t i = 0; i < name.n; i++)
		key[i] = (xmlChar)tolower(name.p[i]);
	key[name.n] = '\0';
	return xmlHashLookup(x->gone_names, key) != NULL;
}

static bool
is_listed(const char *const *names, size_t n, struct bytes name)
{
	for (size_t i = 0; i < n; i++) {
		struct bytes bad = bytes_of(names[i]);
		bool begins = bad.p[bad.n - 1] == '*';

		bad.n -= begins;
		if (name.n >= bad.n && (begins || name.n == bad.n) &&
		    bytes_equal_nocase((struct bytes){ name.p, bad.n }, bad))
			return true;
	}
	return false;
}

/* Excel marks functions that came later. */
static struct bytes
without_marks(struct bytes name)
{
	static const char *const marks[] = { "_xlfn.", "_xlws.", "_xll.",
		"_xludf.", "_xlpm.", "_xlnm.", "_xleta." };

	for (size_t i = 0; i < COUNT(marks); i++) {
		size_t n = strlen(marks[i]);

		if (name.n > n &&
		    strncasecmp((const char *)name.p, marks[i], n) == 0) {
			bytes_take(&name, n);
			i = (size_t)-1;
		}
	}
	return name;
}

/* HYPERLINK: a good address has to stand there; one that is computed is not
 * known, but how it begins is. */
static bool
is_good_link(const struct ooxml *x, struct bytes rest)
{
	skip_blanks(&rest);
	if (rest.n == 0 || rest.p[0] != '"')
		return false;
	rest = take_quoted(&rest, '"');
	return rest.n > 0 && detox_link_stays(x->d, rest);
}

/* LibreOffice writes ORG.LIBREOFFICE.WEBSERVICE. */
static struct bytes
last_part(struct bytes name)
{
	struct bytes extension = detox_extension(name);

	return extension.n > 0 ? extension : name;
}

static void
judge_function(struct scan *s, struct bytes name)
{
	struct bytes arguments = s->rest;

	bytes_take(&arguments, 1);
	name = without_marks(name);
	if (is_listed(bad_functions, COUNT(bad_functions), name) ||
	    is_listed(bad_values, COUNT(bad_values), last_part(name)) ||
	    (bytes_equal_nocase(name, BYTES("HYPERLINK")) &&
		!is_good_link(s->x, arguments)))
		worsen(s, FORMULA_BAD);
}

/* Of a sheet or a workbook, in front of an exclamation mark: no sheet may have
 * such characters in its name. */
static bool
is_outside(struct bytes name)
{
	if (bytes_index(name, '\\') >= 0 || bytes_index(name, '/') >= 0)
		return true;
	for (size_t i = 0; i < COUNT(books); i++) {
		struct bytes tail = name;
		size_t n = strlen(books[i]);

		bytes_take(&tail, name.n < n ? name.n : name.n - n);
		if (bytes_equal_nocase(tail, bytes_of(books[i])))
			return true;
	}
	return false;
}

static void
judge_word(struct scan *s, struct bytes word)
{
	if (s->rest.n > 0 && s->rest.p[0] == '!') {
		if (is_outside(word))
			worsen(s, FORMULA_OUTSIDE);
	} else if (is_listed(
		       bad_values, COUNT(bad_values), without_marks(word))) {
		worsen(s, FORMULA_BAD);
	}
	if (is_gone(s->x, word))
		worsen(s, FORMULA_GONE);
}

static void
take_word(struct scan *s)
{
	struct bytes word = s->rest;
	size_t n = 0;

	while (n < word.n && is_word(word.p[n]))
		n++;
	word = utf8_trim(bytes_take(&s->rest, n));
	s->last = 'a';
	skip_blanks(&s->rest);
	if (s->rest.n > 0 && s->rest.p[0] == '(')
		judge_function(s, word);
	else
		judge_word(s, word);
}

/* A sheet, with the workbook that it is in: '[1]A sheet'!B2. */
static void
take_sheet(struct scan *s)
{
	struct bytes name = take_quoted(&s->rest, '\'');

	s->last = 'a';
	if (bytes_index(name, '|') >= 0)
		worsen(s, FORMULA_BAD);
	if ((bytes_index(name, '[') >= 0 &&
		!bytes_start_with(name, BYTES("[0]"))) ||
	    is_outside(name))
		worsen(s, FORMULA_OUTSIDE);
	if (is_gone(s->x, name))
		worsen(s, FORMULA_GONE);
}

/* A workbook, [1]A!B2, or a column of a table, T[[#This Row],[1]]. */
static void
take_bracket(struct scan *s)
{
	struct bytes all = s->rest;
	bool column = s->last == 'a' || s->last == ']';
	size_t depth = 0, i = 0;

	for (; i < all.n; i++) {
		if (all.p[i] == '\'')
			i++;
		else if (all.p[i] == '[')
			depth++;
		else if (all.p[i] == ']' && --depth == 0)
			break;
	}
	/* One without its end would hide all that follows. */
	if (i >= all.n)
		worsen(s, FORMULA_BAD);
	bytes_take(&s->rest, i < all.n ? i + 1 : all.n);
	s->last = ']';
	if (column || bytes_start_with(all, BYTES("[0]")))
		return;
	/* LibreOffice writes ['file:///a.xlsx']$A.B2 */
	if (bytes_start_with(all, BYTES("['")) ||
	    (s->rest.n > 0 &&
		(is_word(s->rest.p[0]) || strchr("!$'", s->rest.p[0]) != NULL)))
		worsen(s, FORMULA_OUTSIDE);
}

static void
step(struct scan *s)
{
	uint8_t c = s->rest.p[0];

	if (c == '"') {
		take_quoted(&s->rest, '"');
		s->last = '"';
	} else if (c == '\'') {
		take_sheet(s);
	} else if (c == '[') {
		take_bracket(s);
	} else if (is_word(c)) {
		take_word(s);
	} else {
		/* A server of DDE: app|topic!item; an address of the web */
		if (c == '|' || bytes_start_with(s->rest, BYTES("://")))
			worsen(s, FORMULA_BAD);
		if (!isspace(c))
			s->last = c;
		bytes_take(&s->rest, 1);
	}
}

enum formula
formula_judge(const struct ooxml *x, struct bytes text)
{
	struct scan s = { .x = x, .rest = text, .worst = FORMULA_GOOD };

	while (s.rest.n > 0 && s.worst != FORMULA_BAD)
		step(&s);
	return s.worst;
}

bool
ooxml_formula_stays(struct detox *d, struct bytes formula)
{
	const struct ooxml x = { .d = d };

	return formula_judge(&x, formula) == FORMULA_GOOD;
}
