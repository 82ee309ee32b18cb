/* SPDX-License-Identifier: Apache-2.0 */
/* What may be asked for in parts, and what may come of it. */
#include "proxy/http/range.h"

#include <check.h>

Suite *range_suite(void);

#define UNASKED "206 without having been asked"
#define MALFORMED "Content-Range is malformed"
#define UNLIKE "Content-Range unlike the Range asked for"

static struct message
request_of(struct field fields[3], const char *method, const char *range,
    const char *second)
{
	struct message m = { .method = bytes_of(method), .fields = fields };

	fields[m.fields_n++] = (struct field){ .id = FIELD_IF_RANGE };
	if (range != NULL)
		fields[m.fields_n++] = (struct field){ .id = FIELD_RANGE,
			.value = bytes_of(range) };
	if (second != NULL)
		fields[m.fields_n++] = (struct field){ .id = FIELD_RANGE,
			.value = bytes_of(second) };
	return m;
}

static const struct {
	const char *method, *range, *second;
	bool asked, sent;
} wishes[] = {
	{ "GET", NULL, NULL, false, true },
	{ "GET", "bytes=0-0", NULL, true, true },
	{ "HEAD", "Bytes=5-", NULL, true, true },
	{ "GET", "bytes=-1", NULL, true, true },
	{ "GET", "bytes=0-9223372036854775807", NULL, true, true },
	{ "GET", "bytes=0-9223372036854775808", NULL, false, false },
	{ "POST", "bytes=0-0", NULL, false, false },
	{ "GET", "bytes=0-0,2-3", NULL, false, false },
	{ "GET", "bytes=0-0,", NULL, false, false },
	{ "GET", "bytes=0-0", "bytes=0-0", false, false },
	{ "GET", "items=0-0", "bytes=0-0", false, false },
	{ "GET", "bytes=1-0", NULL, false, false },
	{ "GET", "bytes=", NULL, false, false },
	{ "GET", "bytes=-", NULL, false, false },
	{ "GET", "bytes= 0-0", NULL, false, false },
	{ "GET", "bytes=0", NULL, false, false },
	{ "GET", "bytes=--1", NULL, false, false },
	{ "GET", "bytes=0--1", NULL, false, false },
	{ "GET", "bytes 0-0", NULL, false, false },
	{ "GET", "items=0-1,2-3", NULL, false, true },
	{ "POST", "0-14", NULL, false, true },
};

START_TEST(range_is_one_or_left_out)
{
	struct field fields[3];
	struct message m = request_of(
	    fields, wishes[_i].method, wishes[_i].range, wishes[_i].second);

	for (int again = 0; again < 2; again++)
		ck_assert_msg(
		    range_ask(&m) == wishes[_i].asked, "%s", wishes[_i].range);
	for (size_t i = 0; i < m.fields_n; i++)
		ck_assert_msg(
		    fields[i].hop != wishes[_i].sent, "%s", wishes[_i].range);
}
END_TEST

static const struct {
	const char *asked, *range, *why;
	enum range_part part;
	uint64_t length;
} parts[] = {
	{ "bytes=2-5", "bytes 2-5/10", NULL, RANGE_PART, 4 },
	{ "bytes=2-5", "BYTES 2-5/*", NULL, RANGE_PART, 4 },
	{ "bytes=2-5", "bytes 2-4/10", NULL, RANGE_PART, 3 },
	{ "bytes=2-", "bytes 2-9/10", NULL, RANGE_PART, 8 },
	{ "bytes=-3", "bytes 7-9/10", NULL, RANGE_PART, 3 },
	{ "bytes=-3", "bytes 0-1/2", NULL, RANGE_PART, 2 },
	{ "bytes=0-", "bytes 0-9223372036854775806/9223372036854775807", NULL,
	    RANGE_PART, 9223372036854775807 },
	{ "bytes=0-", "bytes 0-9223372036854775807/9223372036854775808",
	    MALFORMED, RANGE_REFUSED, 0 },
	{ "bytes=2-5", "bytes 1-5/10", UNLIKE, RANGE_REFUSED, 0 },
	{ "bytes=2-5", "bytes 3-5/10", UNLIKE, RANGE_REFUSED, 0 },
	{ "bytes=2-5", "bytes 2-6/10", UNLIKE, RANGE_REFUSED, 0 },
	{ "bytes=-3", "bytes 6-9/10", UNLIKE, RANGE_REFUSED, 0 },
	{ "bytes=-3", "bytes 6-8/10", UNLIKE, RANGE_REFUSED, 0 },
	{ "bytes=2-5", "bytes 2-5/5", MALFORMED, RANGE_REFUSED, 0 },
	{ "bytes=2-5", "bytes 2-5/6", NULL, RANGE_PART, 4 },
	{ "bytes=2-5", "bytes 5-2/10", MALFORMED, RANGE_REFUSED, 0 },
	{ "bytes=2-5", "bytes=2-5/10", MALFORMED, RANGE_REFUSED, 0 },
	{ "bytes=2-5", "bytes  2-5/10", MALFORMED, RANGE_REFUSED, 0 },
	{ "bytes=2-5", "bytes 2-5", MALFORMED, RANGE_REFUSED, 0 },
	{ "bytes=2-5", "items 2-5/10", MALFORMED, RANGE_REFUSED, 0 },
	{ "bytes=2-5", NULL, "206 without Content-Range", RANGE_REFUSED, 0 },
	{ NULL, "bytes 2-5/10", UNASKED, RANGE_REFUSED, 0 },
	{ NULL, "bytes", UNASKED, RANGE_REFUSED, 0 },
	{ NULL, NULL, UNASKED, RANGE_REFUSED, 0 },
	{ "items=2-5", "bytes 2-5/10", UNASKED, RANGE_REFUSED, 0 },
	{ NULL, "0-24/*", NULL, RANGE_WHOLE, 0 },
	{ "items=2-5", "items 2-5/10", NULL, RANGE_WHOLE, 0 },
	/* left out of the request */
	{ "bytes=2-5,7-8", "bytes 2-5/10", UNASKED, RANGE_REFUSED, 0 },
};

START_TEST(range_that_comes_is_one_that_was_asked_for)
{
	struct field asked[3];
	struct field range = {
		.id = FIELD_CONTENT_RANGE,
		.value = bytes_of(parts[_i].range),
	};
	struct message request =
	    request_of(asked, "GET", parts[_i].asked, NULL);
	struct message answer = {
		.status = 206,
		.fields = &range,
		.fields_n = parts[_i].range != NULL,
	};
	uint64_t length = 0;
	const char *why = NULL;

	range_ask(&request);
	ck_assert_msg(
	    range_settle(&request, &answer, &length, &why) == parts[_i].part,
	    "%s", parts[_i].range);
	if (parts[_i].part == RANGE_REFUSED)
		ck_assert_pstr_eq(why, parts[_i].why);
	if (parts[_i].part == RANGE_PART)
		ck_assert_uint_eq(length, parts[_i].length);
	ck_assert(!range.hop);
}
END_TEST

/* Of two, or of another method, none was sent. */
START_TEST(range_that_was_left_out_was_not_asked_for)
{
	static const char *const whom[][2] = { { "POST", NULL },
		{ "GET", "bytes=2-5" } };
	struct field asked[3];
	struct field range = {
		.id = FIELD_CONTENT_RANGE,
		.value = BYTES("bytes 2-5/10"),
	};
	struct message request =
	    request_of(asked, whom[_i][0], "bytes=2-5", whom[_i][1]);
	struct message answer = {
		.status = 206,
		.fields = &range,
		.fields_n = 1,
	};
	uint64_t length = 0;
	const char *why = NULL;

	ck_assert(!range_ask(&request));
	ck_assert_int_eq(
	    range_settle(&request, &answer, &length, &why), RANGE_REFUSED);
	ck_assert_str_eq(why, UNASKED);
}
END_TEST

START_TEST(range_agrees_with_the_length)
{
	struct field asked[3];
	struct field range = {
		.id = FIELD_CONTENT_RANGE,
		.value = BYTES("bytes 2-5/10"),
	};
	struct message request = request_of(asked, "GET", "bytes=2-5", NULL);
	struct message answer = {
		.status = 206,
		.fields = &range,
		.fields_n = 1,
		.framing = FRAMING_LENGTH,
	};
	uint64_t length = 0;
	const char *why = NULL;

	for (answer.content_length = 3; answer.content_length < 6;
	     answer.content_length++) {
		bool good = answer.content_length == 4;

		ck_assert_int_eq(range_settle(&request, &answer, &length, &why),
		    good ? RANGE_PART : RANGE_REFUSED);
		if (!good)
			ck_assert_str_eq(
			    why, "Content-Length unlike Content-Range");
	}
}
END_TEST

START_TEST(range_means_nothing_elsewhere)
{
	static const struct {
		unsigned status;
		const char *range;
		bool sent;
	} others[] = {
		{ 200, "bytes 0-1/2", false },
		{ 404, "BYTES=0-1/2", false },
		{ 200, "items 0-1/2", true },
		{ 416, "bytes */2", true },
	};

	for (size_t i = 0; i < COUNT(others); i++) {
		struct field range = {
			.id = FIELD_CONTENT_RANGE,
			.value = bytes_of(others[i].range),
		};
		struct message request = { 0 };
		struct message answer = {
			.status = others[i].status,
			.fields = &range,
			.fields_n = 1,
		};
		uint64_t length;
		const char *why;

		ck_assert_int_eq(range_settle(&request, &answer, &length, &why),
		    RANGE_WHOLE);
		ck_assert_int_eq(range.hop, !others[i].sent);
	}
}
END_TEST

Suite *
range_suite(void)
{
	Suite *s = suite_create("range");
	TCase *t = tcase_create("range");

	tcase_add_loop_test(t, range_is_one_or_left_out, 0, COUNT(wishes));
	tcase_add_loop_test(
	    t, range_that_comes_is_one_that_was_asked_for, 0, COUNT(parts));
	tcase_add_loop_test(t, range_that_was_left_out_was_not_asked_for, 0, 2);
	tcase_add_test(t, range_agrees_with_the_length);
	tcase_add_test(t, range_means_nothing_elsewhere);
	suite_add_tcase(s, t);
	return s;
}
