/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that have one meaning, or none. */
#include "proxy/http/meaning.h"

#include <check.h>

Suite *meaning_suite(void);

struct answer {
	struct field fields[8];
	struct message message;
	struct meaning meaning;
	const char *why;
};

/* text: lines "name=value". */
static void
settle(struct answer *a, unsigned status, const char *text,
    enum framing framing, uint64_t length)
{
	struct message request = { .method = BYTES("GET") };
	struct bytes rest = bytes_of(text);

	*a = (struct answer){ .message = { .status = status,
				  .fields = a->fields,
				  .framing = framing,
				  .content_length = length } };
	while (rest.n > 0) {
		struct bytes value = bytes_take_until(&rest, '\n');
		struct bytes name = bytes_take_until(&value, '=');

		a->fields[a->message.fields_n++] = (struct field){
			.id = field_id(name), .name = name, .value = value
		};
	}
	a->why = meaning_settle(&a->meaning, &request, &a->message);
}

/* The only field that is sent on, or nothing when there is none. */
static struct bytes
only_field(const struct answer *a)
{
	struct bytes value = { 0 };

	for (size_t i = 0; i < a->message.fields_n; i++) {
		if (a->fields[i].hop)
			continue;
		ck_assert_ptr_null(value.p);
		value = a->fields[i].value;
	}
	return value;
}

#define TYPES "Content-Type twice, and different"
#define PARTS "several ranges in one answer"

static const struct {
	const char *text, *field, *why;
} heads[] = {
	{ "", "", NULL },
	{ "content-type=text/html", "text/html", NULL },
	{ "content-type=text/html\ncontent-type=text/html", "text/html", NULL },
	{ "content-type=text/html\ncontent-type=TEXT/HTML;charset=a",
	    "TEXT/HTML;charset=a", NULL },
	{ "content-type=text/html;charset=a\ncontent-type=text/html",
	    "text/html;charset=a", NULL },
	{ "content-type=text/html;charset=a, text/html;charset=b",
	    "text/html;charset=b", NULL },
	{ "content-type=x, text/html,", "text/html", NULL },
	{ "content-type=a/b;c=\"x, y/z\"", "a/b;c=\"x, y/z\"", NULL },
	{ "content-type=a/b;c=\"x\\\", y/z\"", "a/b;c=\"x\\\", y/z\"", NULL },
	{ "content-type=a/b;c=\"x\", y/z", NULL, TYPES },
	{ "content-type=nonsense", "nonsense", NULL },
	{ "content-type=text/html\ncontent-type=text/plain", NULL, TYPES },
	{ "content-type=text/html,text/plain", NULL, TYPES },
	{ "content-type=Multipart/ByteRanges;boundary=a", NULL, PARTS },
	{ "content-type=multipart/x-byteranges", NULL, PARTS },
	{ "content-type=multipart/byteranges2", "multipart/byteranges2", NULL },
	{ "location=/a\nlocation=/a", "/a", NULL },
	{ "location=/a\nlocation=/b", NULL, "Location twice, and different" },
	{ "location=/a\nlocation=/A", NULL, "Location twice, and different" },
	{ "content-disposition=a\ncontent-disposition=a", "a", NULL },
	{ "content-disposition=a\ncontent-disposition=b", NULL,
	    "Content-Disposition twice, and different" },
	{ "content-encoding=identity", "", NULL },
	{ "content-encoding=x-gzip", "gzip", NULL },
	{ "content-encoding=gzip,br", NULL, "more than one content coding" },
	{ "content-range=bytes 0-1/2", "", NULL },
};

START_TEST(meaning_of_a_head_is_one)
{
	struct answer a;

	settle(&a, 200, heads[_i].text, FRAMING_CHUNKED, 0);
	ck_assert_pstr_eq(a.why, heads[_i].why);
	if (a.why == NULL)
		ck_assert_msg(
		    bytes_equal(only_field(&a), bytes_of(heads[_i].field)),
		    "%s", heads[_i].text);
}
END_TEST

/* Who counts bytes must not get the last of them: it is known when they come.
 */
START_TEST(meaning_of_a_body_is_complete_with_its_last_byte)
{
	struct answer a;

	settle(&a, 200, "content-encoding=gzip", FRAMING_LENGTH, 3);
	ck_assert_int_eq(a.meaning.coding, CODING_GZIP);
	ck_assert_ptr_null(meaning_body(&a.meaning, BYTES("ab")));
	ck_assert(!meaning_complete(&a.meaning));
	ck_assert_pstr_eq(
	    meaning_end(&a.meaning), "the body is shorter than its head says");
	ck_assert_ptr_null(meaning_body(&a.meaning, BYTES("c")));
	ck_assert(meaning_complete(&a.meaning));
	ck_assert_ptr_null(meaning_end(&a.meaning));
	ck_assert_pstr_eq(meaning_body(&a.meaning, BYTES("d")),
	    "the body is longer than its head says");
}
END_TEST

START_TEST(meaning_without_a_length_is_never_complete)
{
	struct answer a;

	settle(&a, 200, "", FRAMING_CLOSE, 0);
	ck_assert_ptr_null(meaning_body(&a.meaning, BYTES("ab")));
	ck_assert(!meaning_complete(&a.meaning));
	ck_assert_ptr_null(meaning_end(&a.meaning));
}
END_TEST

START_TEST(meaning_has_no_body_in_205)
{
	struct answer a;

	settle(&a, 205, "", FRAMING_LENGTH, 0);
	ck_assert_ptr_null(a.why);
	settle(&a, 205, "", FRAMING_LENGTH, 1);
	ck_assert_pstr_eq(a.why, "a body where none may be");
	settle(&a, 205, "", FRAMING_CHUNKED, 0);
	ck_assert_ptr_null(a.why);
	ck_assert_int_eq(a.message.framing, FRAMING_LENGTH);
	ck_assert_ptr_null(meaning_end(&a.meaning));
	ck_assert_pstr_eq(meaning_body(&a.meaning, BYTES("x")),
	    "the body is longer than its head says");
}
END_TEST

/* HEAD, 304: a coding and a length, and nothing comes. */
START_TEST(meaning_of_no_body_needs_none)
{
	struct answer a;

	settle(&a, 200, "content-encoding=gzip", FRAMING_NONE, 77);
	ck_assert_ptr_null(a.why);
	ck_assert_ptr_null(meaning_end(&a.meaning));
}
END_TEST

START_TEST(meaning_of_a_tunnel_is_not_asked)
{
	struct meaning m = { 0 };

	ck_assert_ptr_null(meaning_body(&m, BYTES("anything")));
	ck_assert_ptr_null(meaning_end(&m));
}
END_TEST

Suite *
meaning_suite(void)
{
	Suite *s = suite_create("meaning");
	TCase *t = tcase_create("meaning");

	tcase_add_loop_test(t, meaning_of_a_head_is_one, 0, COUNT(heads));
	tcase_add_test(t, meaning_of_a_body_is_complete_with_its_last_byte);
	tcase_add_test(t, meaning_without_a_length_is_never_complete);
	tcase_add_test(t, meaning_has_no_body_in_205);
	tcase_add_test(t, meaning_of_no_body_needs_none);
	tcase_add_test(t, meaning_of_a_tunnel_is_not_asked);
	suite_add_tcase(s, t);
	return s;
}
