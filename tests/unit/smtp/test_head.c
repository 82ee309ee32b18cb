/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/head.h"

#include <check.h>

Suite *head_suite(void);

#define END "\r\n"

static const struct {
	const char *name, *head;
	const char *left; /* NULL: all of it */
} cases[] = {
	{ "nothing", "", NULL },
	{ "no header", END, NULL },
	{ "others' fields",
	    "From: a\r\nAuthentication-Results: b; none\r\n" END, NULL },
	{ "our results",
	    "From: a\r\nAuthentication-Results: mx.test; spf=pass\r\nTo: "
	    "b\r\n" END,
	    "From: a\r\nTo: b\r\n" END },
	{ "in capitals, with a blank",
	    "AUTHENTICATION-RESULTS : MX.TEST; spf=pass\r\nTo: b\r\n" END,
	    "To: b\r\n" END },
	{ "folded before the name",
	    "Authentication-Results:\r\n\tmx.test;\r\n spf=pass\r\nTo: "
	    "b\r\n" END,
	    "To: b\r\n" END },
	{ "behind a comment",
	    "Authentication-Results: (;) mx.test; spf=pass\r\n" END, END },
	{ "quoted", "Authentication-Results: \"mx.test\"; a\r\n" END, END },
	{ "behind a backslash",
	    "Authentication-Results: \"m\\x.test\"; spf=pass\r\n" END, END },
	{ "the last bytes are our name", "Authentication-Results: mx.test",
	    "" },
	{ "our marks",
	    "Sekisho-Spam: no\r\nsekisho-detox: x\r\n y\r\nTo: b\r\n" END,
	    "To: b\r\n" END },
	{ "names that begin like them",
	    "XSekisho-Spam: a\r\nXAuthentication-Results: mx.test\r\n" END,
	    NULL },
	{ "a line that goes on from nothing", " mx.test\r\nTo: b\r\n" END,
	    NULL },
};

START_TEST(head_goes_without_what_only_we_write)
{
	struct bytes head = bytes_of(cases[_i].head);
	const char *left =
	    cases[_i].left == NULL ? cases[_i].head : cases[_i].left;
	struct buf out;

	ck_assert_msg(
	    head_has_ours(head, "mx.test") == (cases[_i].left != NULL), "%s",
	    cases[_i].name);
	for (size_t max = 0; max <= strlen(left); max++) {
		buf_init(&out, max);
		ck_assert_int_eq(head_without_ours(head, "mx.test", &out),
		    max < strlen(left) ? -1 : 0);
		if (max == strlen(left))
			ck_assert(bytes_equal(buf_bytes(&out), bytes_of(left)));
		buf_release(&out);
	}
}
END_TEST

Suite *
head_suite(void)
{
	Suite *s = suite_create("head");
	TCase *t = tcase_create("head");

	tcase_add_loop_test(
	    t, head_goes_without_what_only_we_write, 0, COUNT(cases));
	suite_add_tcase(s, t);
	return s;
}
