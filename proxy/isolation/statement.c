/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/statement.h"

#include <string.h>

#include "filters/text/utf8.h"
#include "proxy/base/when.h"

static const char first_line[] = "sekisho separation statement 1";

enum line {
	LINE_SYSTEM = 0,
	LINE_DIGEST,
	LINE_BODY,
	LINE_VERIFIED_BY,
	LINE_HOW,
	LINE_FROM,
	LINE_UNTIL,
	LINE_SIGNED,
	LINE_SERIAL,
	LINE_SIGNATURE,
	LINES,
};

static const char *const keys[LINES] = {
	[LINE_SYSTEM] = "system",
	[LINE_DIGEST] = "digest",
	[LINE_BODY] = "body",
	[LINE_VERIFIED_BY] = "verified-by",
	[LINE_HOW] = "how",
	[LINE_FROM] = "from",
	[LINE_UNTIL] = "until",
	[LINE_SIGNED] = "signed",
	[LINE_SERIAL] = "serial",
	[LINE_SIGNATURE] = "signature",
};

char *
statement_time(time_t t, char out[STATEMENT_TIME_N])
{
	struct tm tm;

	t += WHEN_JAPAN_S;
	gmtime_r(&t, &tm);
	strftime(out, STATEMENT_TIME_N, "%Y-%m-%dT%H:%M:%S+0900", &tm);
	return out;
}

/* Reading. */

/* Printable: a terminal shows what was signed and nothing else. */
static bool
is_text(struct bytes b, size_t max)
{
	if (b.n == 0 || b.n > max || !utf8_is_valid(b))
		return false;
	while (b.n > 0) {
		uint32_t c = utf8_take(&b);

		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
		    (c >= 0x200b && c <= 0x200f) ||
		    (c >= 0x2028 && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff)
			return false;
	}
	return true;
}

/* Lower case alone: a statement has one form. */
static int
read_hex(struct bytes hex, uint8_t *out, size_t n)
{
	if (hex.n != 2 * n)
		return -1;
	for (size_t i = 0; i < hex.n; i++) {
		int digit = byte_hex(hex.p[i]);

		if (digit < 0 || (hex.p[i] >= 'A' && hex.p[i] <= 'F'))
			return -1;
		out[i / 2] =
		    (uint8_t)((i % 2 == 0 ? 0 : out[i / 2] << 4) | digit);
	}
	return 0;
}

/* A time as statement_time writes it. */
static int
read_time(struct bytes text, time_t *out)
{
	char again[STATEMENT_TIME_N];

	return when_instant(text, out) == 0 &&
		bytes_equal(text, bytes_of(statement_time(*out, again)))
	    ? 0
	    : -1;
}

static int
read_text(struct bytes value, size_t max, const char **out, struct arena *a)
{
	if (!is_text(value, max))
		return -1;
	*out = arena_string(a, value);
	return 0;
}

static int
read_value(
    struct statement *s, enum line line, struct bytes value, struct arena *a)
{
	switch (line) {
	case LINE_SYSTEM:
		return read_text(value, STATEMENT_NAME_MAX, &s->system_name, a);
	case LINE_DIGEST:
		return read_hex(value, s->digest, sizeof(s->digest));
	case LINE_BODY:
		return read_text(value, BODY_CODE_N, &s->body, a);
	case LINE_VERIFIED_BY:
		return read_text(value, STATEMENT_WHO_MAX, &s->verified_by, a);
	case LINE_HOW:
		return read_text(value, STATEMENT_HOW_MAX, &s->how, a);
	case LINE_FROM:
		return read_time(value, &s->from);
	case LINE_UNTIL:
		return read_time(value, &s->until);
	case LINE_SIGNED:
		return read_time(value, &s->signed_at);
	case LINE_SERIAL:
		return read_hex(value, s->serial, sizeof(s->serial));
	case LINE_SIGNATURE:
		return read_hex(value, s->signature, sizeof(s->signature));
	case LINES:
		break;
	}
	return -1;
}

/* Up to the line's end, which must be there; -1: it is not. */
static int
take_line(struct bytes *text, struct bytes *out)
{
	if (bytes_index(*text, '\n') < 0)
		return -1;
	*out = bytes_take_until(text, '\n');
	return 0;
}

/* "KEY: VALUE" of that key. */
static int
take_value(struct bytes *line, const char *key)
{
	const struct bytes k = bytes_of(key);

	if (!bytes_start_with(*line, k))
		return -1;
	bytes_take(line, k.n);
	if (!bytes_start_with(*line, BYTES(": ")))
		return -1;
	bytes_take(line, 2);
	return 0;
}

int
statement_check(const struct statement *s, struct err *e)
{
	const struct {
		const char *what, *text;
		size_t max;
	} texts[] = {
		{ "the system's name", s->system_name, STATEMENT_NAME_MAX },
		{ "body", s->body, BODY_CODE_N },
		{ "verified-by", s->verified_by, STATEMENT_WHO_MAX },
		{ "how", s->how, STATEMENT_HOW_MAX },
	};

	for (size_t i = 0; i < COUNT(texts); i++)
		if (!is_text(bytes_of(texts[i].text), texts[i].max))
			return err_set(e,
			    "%s: expected 1 to %zu bytes of printable UTF-8",
			    texts[i].what, texts[i].max);
	if (s->signed_at <= 0 || s->from <= 0)
		return err_set(e, "a time before 1970");
	if (s->until <= s->from)
		return err_set(e, "until is not behind from");
	if (s->until - s->from > (time_t)STATEMENT_DAYS_MAX * WHEN_DAY_S)
		return err_set(
		    e, "it is for more than %d days", STATEMENT_DAYS_MAX);
	if (s->signed_at >= s->until)
		return err_set(e, "it was over when it was signed");
	return 0;
}

int
statement_parse(
    struct statement *s, struct bytes text, struct arena *a, struct err *e)
{
	struct bytes rest = text;
	struct bytes line;

	*s = (struct statement){ 0 };
	if (text.n > STATEMENT_SIZE_MAX)
		return err_set(e, "more than %zu bytes", STATEMENT_SIZE_MAX);
	if (take_line(&rest, &line) < 0 ||
	    !bytes_equal(line, bytes_of(first_line)))
		return err_set(e, "line 1: expected \"%s\"", first_line);
	for (unsigned i = 0; i < LINES; i++) {
		if (i == LINE_SIGNATURE)
			s->signed_n = text.n - rest.n;
		if (take_line(&rest, &line) < 0 ||
		    take_value(&line, keys[i]) < 0)
			return err_set(
			    e, "line %u: expected \"%s: …\"", i + 2, keys[i]);
		if (read_value(s, (enum line)i, line, a) < 0)
			return err_set(
			    e, "line %u: %s cannot be so", i + 2, keys[i]);
	}
	if (rest.n > 0)
		return err_set(e, "line %d: expected nothing", LINES + 2);
	return statement_check(s, e);
}

/* Writing. */

static int
put_hex(struct buf *out, const char *key, const uint8_t *p, size_t n)
{
	if (buf_printf(out, "%s: ", key) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (buf_printf(out, "%02x", p[i]) < 0)
			return -1;
	return buf_append(out, BYTES("\n"));
}

int
statement_write(const struct statement *s, struct buf *out)
{
	char from[STATEMENT_TIME_N], until[STATEMENT_TIME_N];
	char signed_at[STATEMENT_TIME_N];

	if (buf_printf(out, "%s\n%s: %s\n", first_line, keys[LINE_SYSTEM],
		s->system_name) < 0 ||
	    put_hex(out, keys[LINE_DIGEST], s->digest, sizeof(s->digest)) < 0)
		return -1;
	if (buf_printf(out, "%s: %s\n%s: %s\n%s: %s\n", keys[LINE_BODY],
		s->body, keys[LINE_VERIFIED_BY], s->verified_by, keys[LINE_HOW],
		s->how) < 0 ||
	    buf_printf(out, "%s: %s\n%s: %s\n%s: %s\n", keys[LINE_FROM],
		statement_time(s->from, from), keys[LINE_UNTIL],
		statement_time(s->until, until), keys[LINE_SIGNED],
		statement_time(s->signed_at, signed_at)) < 0)
		return -1;
	return put_hex(out, keys[LINE_SERIAL], s->serial, sizeof(s->serial));
}

int
statement_write_signature(const struct statement *s, struct buf *out)
{
	return put_hex(
	    out, keys[LINE_SIGNATURE], s->signature, sizeof(s->signature));
}

/* Judging. */

bool
statement_holds(const struct statement *s, struct bytes text,
    EVP_PKEY *const *auditors, size_t auditors_n)
{
	const struct bytes signature = { s->signature, sizeof(s->signature) };
	const struct bytes lines = { text.p, s->signed_n };

	for (size_t i = 0; i < auditors_n; i++)
		if (signature_holds(auditors[i], lines, signature))
			return true;
	return false;
}

enum statement_use
statement_use_of(const struct statement *s, const struct system *system,
    time_t suspended, time_t now)
{
	if (memcmp(s->digest, system->digest, sizeof(s->digest)) != 0 ||
	    strcmp(s->system_name, system->name) != 0 ||
	    strcmp(s->body, system->body->code) != 0)
		return STATEMENT_OTHER;
	if (s->signed_at <= suspended)
		return STATEMENT_OLD;
	return s->signed_at > now ? STATEMENT_FUTURE : STATEMENT_COUNTS;
}

bool
statement_is_newer(const struct statement *s, const struct statement *t)
{
	return s->signed_at != t->signed_at ? s->signed_at > t->signed_at
					    : s->until < t->until;
}
