/* SPDX-License-Identifier: Apache-2.0 */
/* Names of codings. */
#include "proxy/http/coding.h"

#include <check.h>
#include <string.h>

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

START_TEST(coding_of_none_has_no_decoder)
{
	ck_assert_int_eq(coding_decoder(CODING_NONE), DECODE_REFUSED);
	ck_assert_int_eq(coding_decoder(CODING_REFUSED), DECODE_REFUSED);
	ck_assert_int_eq(coding_decoder(CODING_ZSTD), DECODE_ZSTD);
}
END_TEST

/* Of a request nothing is changed. */
START_TEST(coding_of_a_request_is_read_as_it_stands)
{
	struct field room[4];
	struct message m;
	const char *why = NULL;

	fill(&m, room, FIELD_CONTENT_ENCODING, "aws-chunked\nx-gzip");
	ck_assert_int_eq(coding_read(&m, &why), CODING_GZIP);
	ck_assert(bytes_equal(room[0].value, BYTES("aws-chunked")));
	ck_assert(bytes_equal(room[1].value, BYTES("x-gzip")));
	ck_assert(!room[0].hop && !room[1].hop);
	fill(&m, room, FIELD_CONTENT_ENCODING, "gzip\nbr");
	ck_assert_int_eq(coding_read(&m, &why), CODING_REFUSED);
	ck_assert_str_eq(why, "more than one content coding");
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
	tcase_add_test(t, coding_of_none_has_no_decoder);
	tcase_add_test(t, coding_of_a_request_is_read_as_it_stands);
	suite_add_tcase(s, t);
	return s;
}
