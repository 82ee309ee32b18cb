/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formula: expressions of OpenFormula, of OpenOffice.org before it, and of
 * Excel, which may be in a document too. All have strings between ", names in
 * front of (, and put what is behind the name of another file between '.
 */
#include "filters/odf/inside.h"
#include "filters/text/utf8.h"

/* Functions that reach out of the document; of a longer name the last part
 * counts: COM.MICROSOFT.WEBSERVICE. */
static const char *const functions[] = { "CALL", "DDE", "EXEC", "EXECUTE",
	"FOPEN", "INITIATE", "POKE", "REGISTER", "REGISTER.ID", "RTD",
	"SQL.REQUEST", "WEBSERVICE", "GETPIVOTDATA.EXTERNAL", "IMAGE",
	"IMPORTDATA", "IMPORTXML", "URLDOWNLOAD",
	/* its text may name another file, and come from any cell */
	"INDIRECT" };

static bool
is_name(uint8_t c)
{
	return (c >= '0' && c <= '9') ||
	    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' || c == '_' ||
	    c >= 0x80;
}

static bool
reaches_out(struct bytes name)
{
	for (size_t i = 0; i < COUNT(functions); i++) {
		size_t n = strlen(functions[i]);
		struct bytes tail = name;

		if (name.n < n)
			continue;
		bytes_take(&tail, name.n - n);
		if (bytes_equal_nocase(tail, bytes_of(functions[i])) &&
		    (name.n == n || name.p[name.n - n - 1] == '.' ||
			name.p[name.n - n - 1] == '_'))
			return true;
	}
	return false;
}

/* A string in quotes, with its quotes; it leaves *b. Two quotes are one. */
static struct bytes
take_quoted(struct bytes *b)
{
	uint8_t quote = b->p[0];
	size_t n = 1;

	while (n < b->n) {
		if (b->p[n] != quote)
			n++;
		else if (n + 1 < b->n && b->p[n + 1] == quote)
			n += 2;
		else
			return bytes_take(b, n + 1);
	}
	return bytes_take(b, b->n);
}

static void
skip_blanks(struct bytes *b)
{
	while (b->n > 0 && b->p[0] <= ' ')
		bytes_take(b, 1);
}

/* HYPERLINK's address has to be there to be read. rest: from its ( on. */
static bool
address_stays(const struct detox *d, struct bytes rest)
{
	struct bytes address;

	bytes_take(&rest, 1);
	skip_blanks(&rest);
	if (rest.n == 0 || rest.p[0] != '"')
		return false;
	address = take_quoted(&rest);
	skip_blanks(&rest);
	/* Nothing may be joined to it: "java"&"script:". */
	if (address.n < 2 || rest.n == 0 ||
	    (rest.p[0] != ')' && rest.p[0] != ';' && rest.p[0] != ','))
		return false;
	bytes_take(&address, 1);
	address.n--;
	return detox_link_stays(d, address);
}

/* A name, which leaves *b, and whether it is one of a function that stays. */
static bool
name_stays(const struct detox *d, struct bytes *b)
{
	struct bytes name = *b;
	struct bytes rest;

	while (b->n > 0 && is_name(b->p[0]))
		bytes_take(b, 1);
	name.n -= b->n;
	name = utf8_trim(name);
	rest = *b;
	skip_blanks(&rest);
	if (rest.n == 0 || rest.p[0] != '(')
		return true;
	if (bytes_equal_nocase(name, BYTES("HYPERLINK")))
		return address_stays(d, rest);
	return !reaches_out(name);
}

/* 'file:///C:/other.ods'#$Sheet1.A1, DDE's 'app'|'topic'!'item', and Excel's
 * 'C:\[other.xlsx]Sheet1'!A1; it leaves *b. */
static bool
quoted_stays(struct bytes *b)
{
	struct bytes name = take_quoted(b);

	if (b->n == 0)
		return true;
	if (b->p[0] == '#' || b->p[0] == '|')
		return false;
	return b->p[0] != '!' ||
	    (bytes_index(name, '[') < 0 && bytes_index(name, '\\') < 0 &&
		bytes_index(name, '/') < 0);
}

/* Behind brackets nothing is named but by Excel, [other.xlsx]Sheet1!A1 and
 * [1]!name; what is between them is read as all else. */
static bool
bracket_stays(struct bytes *b)
{
	bytes_take(b, 1);
	if (b->n > 1 && b->p[0] == '!')
		return !is_name(b->p[1]) && b->p[1] != '\'';
	return b->n == 0 || !is_name(b->p[0]);
}

bool
odf_formula_stays(const struct detox *d, struct bytes b)
{
	size_t braces = 0;

	while (b.n > 0) {
		uint8_t c = b.p[0];

		if (c == '"') {
			take_quoted(&b);
		} else if (c == '\'') {
			if (!quoted_stays(&b))
				return false;
		} else if (c == ']') {
			if (!bracket_stays(&b))
				return false;
		} else if (is_name(c)) {
			if (!name_stays(d, &b))
				return false;
		} else {
			/* A | between braces parts rows. */
			braces += c == '{';
			braces -= c == '}' && braces > 0;
			if ((c == '|' && braces == 0) ||
			    bytes_start_with(b, BYTES("://")) ||
			    bytes_start_with(b, BYTES(":\\\\")))
				return false;
			bytes_take(&b, 1);
		}
	}
	return true;
}
