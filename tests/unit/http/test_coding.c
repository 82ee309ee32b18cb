/* SPDX-License-Identifier: Apache-2.0 */
/* Names of codings, and bodies read at every cut of their bytes. */
#include "proxy/http/coding.h"

#include <check.h>
#include <string.h>
#include <zlib.h>

Suite *coding_suite(void);

/* Lines of one field each become a message. */
static void
fill(struct message *m, struct field *room, enum field_id id, const char *lines)
{
	struct bytes rest = bytes_of(lines);

	*m = (struct message){ .fields = room };
	while (rest.n > 0)
		room[m->fields_n++] = (struct field){
			.id = id,
			.value = bytes_trim(bytes_take_until(&rest, '\n')),
		};
}

/* What of them would be sent on, again in lines. */
static struct bytes
sent(const struct message *m, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < m->fields_n; i++)
		if (!m->fields[i].hop)
			text = arena_printf(a, "%s%.*s\n", text,
			    BYTES_PRINTF(m->fields[i].value));
	return bytes_of(text);
}

#define UNKNOWN "a content coding that is not known"
#define SEVERAL "more than one content coding"

static const struct {
	const char *lines, *sent, *why;
	enum coding coding;
} names[] = {
	{ "", "", NULL, CODING_NONE },
	{ "gzip", "gzip\n", NULL, CODING_GZIP },
	{ "x-GZIP", "gzip\n", NULL, CODING_GZIP },
	{ "deflate", "deflate\n", NULL, CODING_DEFLATE },
	{ "Br", "br\n", NULL, CODING_BROTLI },
	{ "zstd", "zstd\n", NULL, CODING_ZSTD },
	{ "identity", "", NULL, CODING_NONE },
	{ ",, gzip ,", "gzip\n", NULL, CODING_GZIP },
	{ "Shift_JIS", "", NULL, CODING_NONE },
	{ "aws-chunked, gzip", "gzip\n", NULL, CODING_GZIP },
	{ "none\ngzip\nidentity", "gzip\n", NULL, CODING_GZIP },
	{ "gzip, gzip", NULL, SEVERAL, CODING_REFUSED },
	{ "gzip\nx-gzip", NULL, SEVERAL, CODING_REFUSED },
	{ "br, zstd", NULL, SEVERAL, CODING_REFUSED },
	{ "gzip;", NULL, UNKNOWN, CODING_REFUSED },
	{ "gzip gzip", NULL, UNKNOWN, CODING_REFUSED },
	{ "gzi", NULL, UNKNOWN, CODING_REFUSED },
	{ "gzipp", NULL, UNKNOWN, CODING_REFUSED },
	{ "identity\ncompress", NULL, UNKNOWN, CODING_REFUSED },
};

START_TEST(coding_has_one_name)
{
	struct arena a = { 0 };
	struct field room[8];
	struct message m;
	const char *why = NULL;

	fill(&m, room, FIELD_CONTENT_ENCODING, names[_i].lines);
	ck_assert_msg(
	    coding_settle(&m, &why) == names[_i].coding, "%s", names[_i].lines);
	ck_assert_pstr_eq(why, names[_i].why);
	if (why == NULL)
		ck_assert_msg(
		    bytes_equal(sent(&m, &a), bytes_of(names[_i].sent)), "%s",
		    names[_i].lines);
	arena_release(&a);
}
END_TEST

static const struct {
	enum coding_wish wish;
	const char *lines, *sent;
} wishes[] = {
	{ CODING_WISH_KNOWN, "", "" },
	{ CODING_WISH_NONE, "", "" },
	{ CODING_WISH_KNOWN, "gzip, deflate, br, zstd", "gzip, br, zstd\n" },
	{ CODING_WISH_KNOWN, "gzip;q=0.1,dcb,br ; q=1",
	    "gzip;q=0.1, br ; q=1\n" },
	{ CODING_WISH_KNOWN, "gzip\nbr\ndcz", "gzip, br\n" },
	{ CODING_WISH_KNOWN, "compress", "identity\n" },
	{ CODING_WISH_KNOWN, "*", "identity\n" },
	{ CODING_WISH_KNOWN, "gzip2, identity;q=0", "identity;q=0\n" },
	{ CODING_WISH_NONE, "gzip\nbr", "identity\n" },
};

/* Twice, as when a request is sent again. */
START_TEST(coding_asks_for_what_can_be_read)
{
	struct arena a = { 0 };
	struct field room[8];
	struct message m;

	fill(&m, room, FIELD_ACCEPT_ENCODING, wishes[_i].lines);
	for (int again = 0; again < 2; again++) {
		coding_ask(&a, &m, wishes[_i].wish);
		ck_assert_msg(
		    bytes_equal(sent(&m, &a), bytes_of(wishes[_i].sent)), "%s",
		    wishes[_i].lines);
	}
	arena_release(&a);
}
END_TEST

/* 256 bytes of wishes are taken, and no more. */
START_TEST(coding_asks_within_a_limit)
{
	struct arena a = { 0 };
	struct field room[2];
	struct message m;
	char text[300] = "br, gzip;";
	size_t room_n = 256 - strlen(text);

	for (size_t past = 0; past < 2; past++) {
		memset(text + 9, 'q', room_n + past);
		text[9 + room_n + past] = '\0';
		fill(&m, room, FIELD_ACCEPT_ENCODING, text);
		coding_ask(&a, &m, CODING_WISH_KNOWN);
		ck_assert_uint_eq(
		    m.fields[0].value.n, past == 0 ? 256 : strlen("br"));
	}
	arena_release(&a);
}
END_TEST

/* Bodies. */

static struct bytes
encode(struct arena *a, struct bytes plain, enum coding coding)
{
	uint8_t *p = arena_alloc(a, plain.n + 256);
	z_stream z = { 0 };

	ck_assert_int_eq(
	    deflateInit2(&z, 9, Z_DEFLATED, coding == CODING_GZIP ? 31 : 15, 9,
		Z_DEFAULT_STRATEGY),
	    Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)plain.p;
	z.avail_in = (uInt)plain.n;
	z.next_out = p;
	z.avail_out = (uInt)(plain.n + 256);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return (struct bytes){ p, plain.n + 256 - z.avail_out };
}

/* Why the body is refused, read in two pieces. */
static const char *
read_cut(enum coding coding, struct bytes body, size_t cut)
{
	struct decode *d = decoding_new(coding, 200);
	struct bytes first = bytes_take(&body, cut);
	const char *why = decoding_take(d, first);

	if (why == NULL)
		why = decoding_take(d, body);
	if (why == NULL)
		why = decode_end(d);
	decode_free(d);
	return why;
}

static void
assert_at_every_cut(enum coding coding, struct bytes body, const char *want)
{
	for (size_t cut = 0; cut <= body.n; cut++)
		ck_assert_pstr_eq(read_cut(coding, body, cut), want);
}

static const enum coding read_codings[] = { CODING_GZIP, CODING_DEFLATE };

START_TEST(coding_body_is_one_whole_stream)
{
	enum coding coding = read_codings[_i];
	struct arena a = { 0 };
	struct bytes good = encode(&a, BYTES("what is what is what"), coding);
	uint8_t *more = arena_alloc(&a, 2 * good.n);
	struct bytes bad = { more, good.n };

	assert_at_every_cut(coding, good, NULL);
	assert_at_every_cut(coding, (struct bytes){ 0 }, NULL);
	for (size_t n = 1; n < good.n; n++)
		assert_at_every_cut(coding, (struct bytes){ good.p, n },
		    "the coded body is cut short");
	memcpy(more, good.p, good.n);
	memcpy(more + good.n, good.p, good.n);
	for (bad.n = good.n + 1; bad.n <= 2 * good.n; bad.n++)
		assert_at_every_cut(
		    coding, bad, "bytes behind the end of the coded body");
	bad.n = good.n;
	for (size_t i = 1; i <= (coding == CODING_GZIP ? 8 : 4); i++) {
		more[good.n - i] ^= 1;
		assert_at_every_cut(coding, bad, "the coded body is damaged");
		more[good.n - i] ^= 1;
	}
	arena_release(&a);
}
END_TEST

/* 1 MiB may come of however little; then the ratio counts, which is looked at
 * with each 128 KiB. */
START_TEST(coding_body_grows_within_its_ratio)
{
	static const struct {
		size_t n;
		bool good;
	} sizes[] = { { 1 << 20, true }, { (1 << 20) + 131072, true },
		{ (1 << 20) + 131073, false }, { 8 << 20, false } };
	struct arena a = { 0 };
	struct bytes plain = { arena_alloc(&a, 8 << 20), 0 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct bytes body;

		plain.n = sizes[i].n;
		body = encode(&a, plain, CODING_GZIP);
		for (size_t cut = 0; cut <= body.n; cut += 97)
			ck_assert_pstr_eq(read_cut(CODING_GZIP, body, cut),
			    sizes[i].good
				? NULL
				: "the coded body grows beyond its limit");
	}
	arena_release(&a);
}
END_TEST

/* "what is what is what", as brotli's and zstd's own tools write it. */
static const struct {
	enum coding coding;
	struct bytes body;
} others[] = {
	{ CODING_BROTLI,
	    BYTES_ROW(
		"\x1b\x13\x00\xf8\x25\x00\xaa\x90\x60\xca\x81\x76\x54\x07") },
	{ CODING_ZSTD,
	    BYTES_ROW("\x28\xb5\x2f\xfd\x04\x68\x75\x00\x00\x40\x77\x68\x61\x74"
		      "\x20\x69\x73\x20\x01\x00\xb9\xcb\x05\xc4\x24\xad\xb6") },
};

START_TEST(coding_of_others_is_read_too)
{
	struct bytes good = others[_i].body;

	assert_at_every_cut(others[_i].coding, good, NULL);
	good.n--;
	assert_at_every_cut(
	    others[_i].coding, good, "the coded body is cut short");
}
END_TEST

START_TEST(coding_of_none_is_not_read)
{
	ck_assert_ptr_null(decoding_new(CODING_NONE, 200));
	decode_free(NULL);
}
END_TEST

Suite *
coding_suite(void)
{
	Suite *s = suite_create("coding");
	TCase *t = tcase_create("coding");

	tcase_add_loop_test(t, coding_has_one_name, 0, COUNT(names));
	tcase_add_loop_test(
	    t, coding_asks_for_what_can_be_read, 0, COUNT(wishes));
	tcase_add_test(t, coding_asks_within_a_limit);
	tcase_add_loop_test(
	    t, coding_body_is_one_whole_stream, 0, COUNT(read_codings));
	tcase_add_test(t, coding_body_grows_within_its_ratio);
	tcase_add_loop_test(t, coding_of_others_is_read_too, 0, COUNT(others));
	tcase_add_test(t, coding_of_none_is_not_read);
	suite_add_tcase(s, t);
	return s;
}
