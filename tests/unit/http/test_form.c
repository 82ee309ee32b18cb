/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/form.h"

#include <check.h>

static const struct {
	const char *body, *name, *value;
} forms[] = {
	{ "reason=work", "reason", "work" },
	{ "a=b&reason=a+b%20c%2B&z=", "reason", "a b c+" },
	{ "reason=%E7%90%86%e7%94%b1", "reason", "理由" },
	{ "reason=first&reason=second", "reason", "first" },
	{ "reason", "reason", "" },
	{ "reason=", "reason", "" },
	{ "reason=%", "reason", "" },
	{ "reason=a%2", "reason", "" },
	{ "reason=%zz", "reason", "" },
	{ "reason=%4g", "reason", "" },
	{ "reason=a=b", "reason", "a=b" },
	{ "xreason=a", "reason", "" },
	{ "Reason=a", "reason", "" },
	{ "&&&", "reason", "" },
	{ "", "reason", "" },
};

START_TEST(form_values_are_decoded)
{
	struct arena a = { 0 };
	struct bytes got =
	    form_value(bytes_of(forms[_i].body), bytes_of(forms[_i].name), &a);

	ck_assert_msg(bytes_equal(got, bytes_of(forms[_i].value)),
	    "%s: \"%.*s\"", forms[_i].body, BYTES_PRINTF(got));
	arena_release(&a);
}
END_TEST

Suite *form_suite(void);

Suite *
form_suite(void)
{
	Suite *s = suite_create("form");
	TCase *t = tcase_create("form");

	tcase_add_loop_test(t, form_values_are_decoded, 0, COUNT(forms));
	suite_add_tcase(s, t);
	return s;
}
