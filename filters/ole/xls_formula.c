/* SPDX-License-Identifier: Apache-2.0 */
/* xls_formula: the tokens of formulas, [MS-XLS] 2.5.198. What is of no known
 * token is broken, and does not stay. */
#include "filters/ole/le.h"
#include "filters/ole/link.h"
#include "filters/ole/xls.h"

#define TOKEN_STRING 0x17
#define TOKEN_LABEL 0x18
#define TOKEN_ATTRIBUTE 0x19
#define TOKEN_ERROR 0x1c
#define TOKEN_PAREN 0x15
#define TOKEN_MISSING 0x16
#define TOKEN_FUNCTION 0x21
#define TOKEN_FUNCTION_VARIABLE 0x22
#define TOKEN_NAME 0x23
#define TOKEN_NAME_OUTSIDE 0x39
#define ERROR_REFERENCE 0x17
#define FUNCTION_HYPERLINK 359
#define FUNCTION_PIVOT 358 /* GETPIVOTDATA; no pivot table stays */
#define FUNCTION_RTD 379
#define FUNCTIONS_MAX 485
#define NOT_KNOWN 255

/* Bytes behind each token, in BIFF8 and in BIFF5. Above 0x3f a token is one of
 * 0x20 to 0x3f of another class. */
static const uint8_t sizes[2][0x40] = {
	{
	    [0x00] = NOT_KNOWN,
	    [0x01] = 4,
	    [0x02] = 4,
	    [0x18] = 5,
	    [0x1a] = NOT_KNOWN,
	    [0x1b] = NOT_KNOWN,
	    [0x1c] = 1,
	    [0x1d] = 1,
	    [0x1e] = 2,
	    [0x1f] = 8,
	    [0x20] = 7,
	    [0x21] = 2,
	    [0x22] = 3,
	    [0x23] = 4,
	    [0x24] = 4,
	    [0x25] = 8,
	    [0x26] = 6,
	    [0x27] = 6,
	    [0x28] = 6,
	    [0x29] = 2,
	    [0x2a] = 4,
	    [0x2b] = 8,
	    [0x2c] = 4,
	    [0x2d] = 8,
	    [0x2e] = 2,
	    [0x2f] = 2,
	    [0x30] = NOT_KNOWN,
	    [0x31] = NOT_KNOWN,
	    [0x32] = NOT_KNOWN,
	    [0x33] = NOT_KNOWN,
	    [0x34] = NOT_KNOWN,
	    [0x35] = NOT_KNOWN,
	    [0x36] = NOT_KNOWN,
	    [0x37] = NOT_KNOWN,
	    [0x38] = NOT_KNOWN,
	    [0x39] = 6,
	    [0x3a] = 6,
	    [0x3b] = 10,
	    [0x3c] = 6,
	    [0x3d] = 10,
	    [0x3e] = NOT_KNOWN,
	    [0x3f] = NOT_KNOWN,
	},
	{
	    [0x00] = NOT_KNOWN,
	    [0x01] = 4,
	    [0x02] = 4,
	    [0x18] = NOT_KNOWN,
	    [0x1a] = NOT_KNOWN,
	    [0x1b] = NOT_KNOWN,
	    [0x1c] = 1,
	    [0x1d] = 1,
	    [0x1e] = 2,
	    [0x1f] = 8,
	    [0x20] = 7,
	    [0x21] = 2,
	    [0x22] = 3,
	    [0x23] = 14,
	    [0x24] = 3,
	    [0x25] = 6,
	    [0x26] = 6,
	    [0x27] = 6,
	    [0x28] = 6,
	    [0x29] = 2,
	    [0x2a] = 3,
	    [0x2b] = 6,
	    [0x2c] = 3,
	    [0x2d] = 6,
	    [0x2e] = 2,
	    [0x2f] = 2,
	    [0x30] = NOT_KNOWN,
	    [0x31] = NOT_KNOWN,
	    [0x32] = NOT_KNOWN,
	    [0x33] = NOT_KNOWN,
	    [0x34] = NOT_KNOWN,
	    [0x35] = NOT_KNOWN,
	    [0x36] = NOT_KNOWN,
	    [0x37] = NOT_KNOWN,
	    [0x38] = NOT_KNOWN,
	    [0x39] = 24,
	    [0x3a] = 17,
	    [0x3b] = 20,
	    [0x3c] = 17,
	    [0x3d] = 20,
	    [0x3e] = NOT_KNOWN,
	    [0x3f] = NOT_KNOWN,
	},
};

/* Functions of macro sheets (Ftab, [MS-XLS] 2.5.198.17): ranges, both ends
 * included. No sheet has a need of them. */
static const uint16_t of_macros[][2] = {
	{ 53, 55 },
	{ 79, 81 },
	{ 84, 85 },
	{ 87, 96 },
	{ 103, 104 },
	{ 106, 108 },
	{ 110, 110 },
	{ 122, 123 },
	{ 132, 139 },
	/* 148 is INDIRECT: its text may name another file */
	{ 145, 161 },
	{ 166, 166 },
	{ 170, 182 },
	{ 185, 188 },
	{ 191, 192 },
	{ 200, 203 },
	{ 223, 226 },
	{ 236, 243 },
	{ 245, 246 },
	{ 248, 251 },
	{ 253, 254 },
	{ 256, 260 },
	{ 262, 268 },
	{ 334, 335 },
	{ 338, 341 },
	{ 348, 349 },
	{ 355, 357 },
	{ FUNCTION_RTD, FUNCTION_RTD },
};

/* One with the highest bit is a command. */
static enum xls_formula
judge_function(unsigned f)
{
	if (f == FUNCTION_PIVOT)
		return XLS_FORMULA_OUTSIDE;
	for (size_t i = 0; i < COUNT(of_macros); i++)
		if (f >= of_macros[i][0] && f <= of_macros[i][1])
			return XLS_FORMULA_RUNS;
	return f < FUNCTIONS_MAX ? XLS_FORMULA_STAYS : XLS_FORMULA_RUNS;
}

bool
xls_function_runs(struct bytes name)
{
	static const char *const all[] = { "WEBSERVICE", "FILTERXML", "RTD",
		"CALL", "REGISTER", "REGISTER.ID", "EXEC", "SQL.REQUEST",
		"SQLREQUEST", "SQL.OPEN", "SQL.EXEC.QUERY", "IMAGE", "PY",
		"INDIRECT" };

	if (name.n > 6 &&
	    bytes_equal_nocase((struct bytes){ name.p, 6 }, BYTES("_xlfn.")))
		bytes_take(&name, 6);
	for (size_t i = 0; i < COUNT(all); i++)
		if (bytes_equal_nocase(name, bytes_of(all[i])))
			return true;
	return false;
}

bool
xls_name_runs(const uint8_t *p, size_t n, size_t count)
{
	uint8_t name[UINT8_MAX];
	size_t step = n > 0 ? 1 + (size_t)(p[0] & XLS_IS_WIDE) : 1;

	if (count > sizeof(name) || n < 1 + count * step)
		return false;
	for (size_t i = 0; i < count; i++)
		name[i] =
		    step == 2 && p[2 + i * 2] != 0 ? '?' : p[1 + i * step];
	return xls_function_runs((struct bytes){ name, count });
}

/* A kind of an attribute by itself, or spaces of one that is volatile. */
static bool
is_attribute(uint8_t kind)
{
	return (kind & (kind - 1)) == 0 || kind == 0x21 || kind == 0x41;
}

/* A label, of six bytes; the two that some readers take for longer are none. */
static bool
is_label(uint8_t kind)
{
	return kind != 0 && kind < 0x11 && kind != 0x0a && kind != 0x0b;
}

/* Bytes of the token at p, without its first; false: not known, or cut. */
static bool
measure(const struct xls *x, const uint8_t *p, size_t n, unsigned token,
    size_t *out)
{
	size_t size = sizes[x->old][token];

	if (size == NOT_KNOWN)
		return false;
	if (token == TOKEN_STRING) {
		if (n < 3 || (!x->old && p[2] > XLS_IS_WIDE))
			return false;
		size = x->old ? 1 + (size_t)p[1]
			      : 2 + ((size_t)p[1] << (p[2] & 1));
	} else if (token == TOKEN_ATTRIBUTE) {
		if (n < 4 || !is_attribute(p[1]))
			return false;
		size = 3;
		if ((p[1] & 0x04) != 0)
			size += ((size_t)le16(p + 2) + 1) * 2;
	}
	if (token == TOKEN_LABEL && (n < 2 || !is_label(p[1])))
		return false;
	*out = size;
	return size < n;
}

static enum xls_formula
judge_book(const struct xls *x, unsigned sheet)
{
	enum xls_book b;

	if (sheet >= x->book_of_n || x->book_of[sheet] >= x->books_n)
		return XLS_FORMULA_OUTSIDE;
	b = (enum xls_book)x->books[x->book_of[sheet]];
	return b == XLS_BOOK_OUTSIDE ? XLS_FORMULA_OUTSIDE : XLS_FORMULA_STAYS;
}

static enum xls_formula
judge_name(const struct xls *x, unsigned name)
{
	/* They count from 1. */
	if (name >= 1 && name <= x->names_n && x->bad_names[name - 1] != 0)
		return XLS_FORMULA_RUNS;
	return XLS_FORMULA_STAYS;
}

static enum xls_formula
judge_token(const struct xls *x, unsigned token, const uint8_t *p)
{
	switch (token) {
	case TOKEN_FUNCTION:
		return judge_function(le16(p));
	case TOKEN_FUNCTION_VARIABLE:
		return judge_function(le16(p + 1));
	case TOKEN_NAME:
		return judge_name(x, le16(p));
	case TOKEN_NAME_OUTSIDE:
	case 0x3a:
	case 0x3b:
	case 0x3c:
	case 0x3d:
		/* BIFF5: below zero is a sheet of the same book. */
		if (x->old)
			return (le16(p) & 0x8000) != 0 ? XLS_FORMULA_STAYS
						       : XLS_FORMULA_OUTSIDE;
		return judge_book(x, le16(p));
	default:
		return XLS_FORMULA_STAYS;
	}
}

/* A text within a formula with HYPERLINK that is an address which may not
 * stay; what has no scheme and names no server is a place, or words. */
static bool
is_bad_address(const struct xls *x, const uint8_t *p)
{
	bool wide = !x->old && (p[2] & 1) != 0;
	uint8_t text[255];
	size_t n = p[1];
	struct bytes b = { text, n };

	p += x->old ? 2 : 3;
	for (size_t i = 0; i < n; i++)
		text[i] = wide ? (p[i * 2 + 1] != 0 ? '?' : p[i * 2]) : p[i];
	if (bytes_index(b, ':') < 0 && !bytes_start_with(b, BYTES("\\\\")) &&
	    !bytes_start_with(b, BYTES("//")))
		return false;
	return !detox_link_stays(x->d, b);
}

/* A value that stands there by itself. */
static bool
is_operand(unsigned token)
{
	return token == TOKEN_STRING ||
	    (token >= TOKEN_ERROR && token <= 0x20) || token == TOKEN_MISSING ||
	    (token >= TOKEN_NAME && token <= 0x25) ||
	    (token >= TOKEN_NAME_OUTSIDE && token <= 0x3d);
}

/* Whether HYPERLINK at p, behind these tokens (the last one first), has its
 * address as a text: one that is computed is not known. */
static bool
has_address(unsigned token, const uint8_t *p, const unsigned last[2])
{
	unsigned arguments = p[1] & 0x7f;

	return token == TOKEN_FUNCTION_VARIABLE &&
	    ((arguments == 1 && last[0] == TOKEN_STRING) ||
		(arguments == 2 && last[1] == TOKEN_STRING &&
		    is_operand(last[0])));
}

static bool
is_hyperlink(unsigned token, const uint8_t *p)
{
	return (token == TOKEN_FUNCTION_VARIABLE &&
		   le16(p + 2) == FUNCTION_HYPERLINK) ||
	    (token == TOKEN_FUNCTION && le16(p + 1) == FUNCTION_HYPERLINK);
}

enum xls_formula
xls_judge_formula(const struct xls *x, const uint8_t *p, size_t n)
{
	enum xls_formula result = XLS_FORMULA_STAYS, one;
	bool links = false, bad_address = false;
	unsigned last[2] = { 0 };
	size_t size;

	for (size_t at = 0; at < n; at += 1 + size) {
		unsigned token = p[at] & 0x7f;

		if (token >= 0x40)
			token = (token & 0x1f) | 0x20;
		if (!measure(x, p + at, n - at, token, &size))
			return XLS_FORMULA_BROKEN;
		one = judge_token(x, token, p + at + 1);
		if (one < result)
			result = one;
		if (is_hyperlink(token, p + at)) {
			links = true;
			bad_address |= !has_address(token, p + at, last);
		}
		if (token == TOKEN_STRING && is_bad_address(x, p + at))
			bad_address = true;
		if (token == TOKEN_ATTRIBUTE)
			continue;
		last[1] = last[0];
		last[0] = token;
	}
	return links && bad_address ? XLS_FORMULA_RUNS : result;
}

void
xls_blank_formula(uint8_t *p, size_t n)
{
	if (n == 1)
		p[0] = TOKEN_MISSING;
	if (n < 2)
		return;
	p[0] = TOKEN_ERROR;
	p[1] = ERROR_REFERENCE;
	memset(p + 2, TOKEN_PAREN, n - 2);
}

bool
xls_clean_formula(struct xls *x, uint8_t *p, size_t n, const char *where)
{
	enum xls_formula f = xls_judge_formula(x, p, n);

	if (f == XLS_FORMULA_STAYS)
		return false;
	detox_removed(x->d,
	    f == XLS_FORMULA_OUTSIDE ? REMOVED_EXTERNAL : REMOVED_FORMULA,
	    where, (struct bytes){ p, n });
	xls_blank_formula(p, n);
	return true;
}
