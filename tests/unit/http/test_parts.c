/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/parts.h"

#include <check.h>

#define DISPOSED "Content-Disposition: form-data; name=\"f\""
#define ONE "--x\r\n" DISPOSED "\r\n\r\nbody"

static const struct {
	const char *body;
	int n; /* parts; -1: refused */
} forms[] = {
	{ ONE "\r\n--x--", 1 },
	{ ONE "\r\n--x--\r\n", 1 },
	{ ONE "\r\n" ONE "\r\n--x--", 2 },
	{ "--x--", 0 },
	{ "--x\r\n" DISPOSED "\r\n\r\n\r\n--x--", 1 },
	{ "", -1 },
	{ "\r\n" ONE "\r\n--x--", -1 },
	{ "before\r\n" ONE "\r\n--x--", -1 },
	{ ONE "\r\n--x--behind", -1 },
	{ ONE "\r\n--x--\r\n\r\n", -1 },
	{ ONE "\r\n--x", -1 },
	{ ONE "\r\n--x-", -1 },
	{ ONE "\r\n--x \r\n", -1 },
	{ ONE "\r\n--xy\r\n--x--", -1 },
	{ ONE, -1 },
	{ "--x\n" DISPOSED "\n\nbody\n--x--", -1 },
	{ "--x\r\n" DISPOSED "\n\r\n\r\nbody\r\n--x--", -1 },
	{ "--x\r\n\r\nbody\r\n--x--", -1 },
	{ "--x\r\nContent-Type: text/plain\r\n\r\nbody\r\n--x--", -1 },
	{ "--x\r\n" DISPOSED "\r\n" DISPOSED "\r\n\r\nbody\r\n--x--", -1 },
	{ "--x\r\n" DISPOSED "\r\n folded\r\n\r\nbody\r\n--x--", -1 },
	{ "--x\r\n" DISPOSED "\r\nno colon\r\n\r\nbody\r\n--x--", -1 },
	{ "--x\r\n" DISPOSED "\r\nA : b\r\n\r\nbody\r\n--x--", -1 },
	{ "--x\r\n" DISPOSED
	  "\r\nContent-Transfer-Encoding: base64\r\n\r\nbody\r\n--x--",
	    -1 },
	{ "--x\r\n" DISPOSED
	  "\r\nContent-Transfer-Encoding: Binary\r\n\r\nbody\r\n--x--",
	    1 },
	{ "--x\r\n" DISPOSED "\r\nContent-Encoding: gzip\r\n\r\nbody\r\n--x--",
	    -1 },
	{ "--x\r\n" DISPOSED "\r\nContent-Type: multipart/mixed; boundary=y"
	  "\r\n\r\nbody\r\n--x--",
	    -1 },
};

START_TEST(parts_are_read_strictly)
{
	struct arena a = { 0 };
	const char *why = NULL;
	struct parts p;
	int result =
	    parts_split(&p, bytes_of(forms[_i].body), BYTES("x"), &a, &why);

	ck_assert_msg((result < 0 ? -1 : (int)p.n) == forms[_i].n,
	    "%s: %d %zu %s", forms[_i].body, result, p.n,
	    why == NULL ? "" : why);
	ck_assert(result == 0 || why != NULL);
	arena_release(&a);
}
END_TEST

START_TEST(parts_have_limits)
{
	struct arena a = { 0 };
	const char *why;
	struct parts p;
	struct buf form;

	buf_init(&form, 1 << 20);
	for (int i = 0; i < PARTS_MAX; i++)
		ck_assert(buf_append_string(&form, ONE "\r\n") == 0);
	ck_assert(buf_append_string(&form, "--x--") == 0);
	ck_assert(parts_split(&p, buf_bytes(&form), BYTES("x"), &a, &why) == 0);
	ck_assert_uint_eq(p.n, PARTS_MAX);
	form.n -= 5;
	ck_assert(buf_append_string(&form, ONE "\r\n--x--") == 0);
	ck_assert(parts_split(&p, buf_bytes(&form), BYTES("x"), &a, &why) < 0);
	ck_assert_str_eq(why, "a form of too many parts");
	buf_release(&form);
	arena_release(&a);
}
END_TEST

static const struct {
	const char *disposition, *extension, *want;
} names[] = {
	{ "filename=\"plan.docm\"", "docx", "filename=\"plan.docx\"" },
	{ "filename=\"plan.DOCM\"", "docx", "filename=\"plan.docx\"" },
	{ "filename=plan.docm", "docx", "filename=plan.docx" },
	{ "filename=\"a.docm.docm\"", "docx", "filename=\"a.docm.docx\"" },
	{ "filename*=UTF-8''%E8%A8%88.docm", "docx",
	    "filename*=UTF-8''%E8%A8%88.docx" },
	{ "filename=\"a.docm\"; filename*=UTF-8''a.docm", "docx",
	    "filename=\"a.docx\"; filename*=UTF-8''a.docx" },
	{ "filename=\"plan.docm\"", NULL, "filename=\"plan.docm\"" },
	{ "filename=\"plan\"", "docx", "filename=\"plan\"" },
};

/* And nothing else of it changes. */
START_TEST(parts_are_called_by_what_they_became)
{
	struct arena a = { 0 };
	const char *body = arena_printf(&a,
	    "--x\r\n" DISPOSED "; %s\r\nX-A: b\r\n\r\n1\r\n--x--",
	    names[_i].disposition);
	const char *want = arena_printf(
	    &a, "--x\r\n" DISPOSED "; %s\r\nX-A: b\r\n\r\n", names[_i].want);
	const char *why;
	struct parts p;
	struct buf out;

	ck_assert(parts_split(&p, bytes_of(body), BYTES("x"), &a, &why) == 0);
	p.p[0].extension = names[_i].extension;
	buf_init(&out, 4096);
	ck_assert(parts_before(&p, 0, &out) == 0);
	ck_assert_msg(bytes_equal(buf_bytes(&out), bytes_of(want)), "%.*s",
	    BYTES_PRINTF(buf_bytes(&out)));
	buf_release(&out);
	arena_release(&a);
}
END_TEST

Suite *parts_suite(void);

Suite *
parts_suite(void)
{
	Suite *s = suite_create("parts");
	TCase *t = tcase_create("parts");

	tcase_add_loop_test(t, parts_are_read_strictly, 0, COUNT(forms));
	tcase_add_test(t, parts_have_limits);
	tcase_add_loop_test(
	    t, parts_are_called_by_what_they_became, 0, COUNT(names));
	suite_add_tcase(s, t);
	return s;
}
