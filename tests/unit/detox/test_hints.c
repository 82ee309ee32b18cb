/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/hints.h"

#include <check.h>
#include <stdlib.h>

#include "tests/unit/detox/drive.h"

Suite *hints_suite(void);

static const struct {
	const char *text;
	const char *found; /* NULL: nothing */
} cases[] = {
	{ "お世話になっております。\nabcd1234\n", NULL },
	{ "パスワード：abcd1234\r\n", "abcd1234" },
	/* The foremost of the names, wherever it stands. */
	{ "pw: 11112222、パスワード: abcd1234\n", "abcd1234" },
	{ "パスワード: abcd1234 pw: 11112222\n", "abcd1234" },
	{ "解凍パスワードは「abcd1234」です。\n", "abcd1234" },
	{ "Password: abcd1234", "abcd1234" },
	{ "the password is abcd1234\n", "abcd1234" },
	{ "PW=abcd1234", "abcd1234" },
	{ "ＰＷ　abcd1234", "abcd1234" },
	{ "先ほどのパスワードをお送りします。\n\n  abcd1234  \n\n以上",
	    "abcd1234" },
	{ "パスワード\n【abcd1234】\n", "abcd1234" },
	{ "パスワード: 秘密の言葉\n", "秘密の言葉" },
	{ "パスワード: -abc(1)!\n", "-abc(1)!" },
	{ "パスワード: abc\n", NULL },
	{ "パスワード:\n\n\n\nい\nろ\nは\nabcd1234\n", NULL },
};

START_TEST(hints_are_what_is_called_a_password)
{
	static struct detox_profile profile;
	static struct detox d;
	struct bytes text = bytes_of(cases[_i].text);
	uint8_t *copy = malloc(text.n);
	bool found = false;

	detox_init(&d, &profile);
	memcpy(copy, text.p, text.n);
	mail_find_hints(&d, (struct bytes){ copy, text.n });
	free(copy);
	for (size_t i = 0; i < d.hints.n; i++)
		found |= cases[_i].found != NULL &&
		    strcmp(d.hints.text[i], cases[_i].found) == 0;
	ck_assert_msg(found == (cases[_i].found != NULL), "%s: %zu, %s",
	    cases[_i].text, d.hints.n, d.hints.text[0]);
	ck_assert(found || d.hints.n == 0);
	detox_release(&d);
}
END_TEST

START_TEST(hints_are_few)
{
	static struct detox_profile profile;
	static struct detox d;
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(
		    buf_printf(&b, "パスワード: secret-%d\n", i), 0);
	detox_init(&d, &profile);
	mail_find_hints(&d, buf_bytes(&b));
	ck_assert_uint_eq(d.hints.n, DETOX_HINTS_MAX);
	detox_release(&d);
	buf_release(&b);
}
END_TEST

Suite *
hints_suite(void)
{
	Suite *s = suite_create("hints");
	TCase *c = tcase_create("hints");

	tcase_add_loop_test(
	    c, hints_are_what_is_called_a_password, 0, COUNT(cases));
	tcase_add_test(c, hints_are_few);
	suite_add_tcase(s, c);
	return s;
}
