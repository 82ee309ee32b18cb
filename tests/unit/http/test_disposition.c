/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/disposition.h"

#include <check.h>

Suite *disposition_suite(void);

static const struct {
	const char *value, *name;
} rows[] = {
	{ "", "" },
	{ "inline", "" },
	{ "attachment; filename=a.txt", "a.txt" },
	{ "attachment;filename = a.txt ; x=y", "a.txt" },
	{ "attachment; FILENAME=\"a b.txt\"", "a b.txt" },
	{ "attachment; filename=\"a\\\"b.txt\"", "a\"b.txt" },
	{ "attachment; filename=\"a;b.txt\"; filename=\"c\"", "a;b.txt" },
	{ "attachment; filename=\"..\\\\..\\\\a.exe\"", "a.exe" },
	{ "attachment; filename=\"/tmp/a.exe\"", "a.exe" },
	{ "attachment; filename=\"folder/\"", "" },
	{ "attachment; filename=old.txt; filename*=UTF-8''%e5%90%8d.exe",
	    "名.exe" },
	{ "attachment; filename*=UTF-8'ja'a%2Fb%zz%2", "b%zz%2" },
	{ "attachment; filename*=; filename=x", "x" },
	{ "attachment; filename=\"open", "open" },
	{ "filename=no-disposition", "" },
	{ "attachment; filename=\"\x93\xfa\x96\x7b.xls\"",
	    "\x93\xfa\x96\x7b.xls" },
};

START_TEST(disposition_has_a_name)
{
	struct arena a = { 0 };
	struct bytes name = disposition_file_name(bytes_of(rows[_i].value), &a);

	ck_assert_msg(bytes_equal(name, bytes_of(rows[_i].name)), "%s: %.*s",
	    rows[_i].value, BYTES_PRINTF(name));
	arena_release(&a);
}
END_TEST

Suite *
disposition_suite(void)
{
	Suite *s = suite_create("disposition");
	TCase *t = tcase_create("disposition");

	tcase_add_loop_test(t, disposition_has_a_name, 0, COUNT(rows));
	suite_add_tcase(s, t);
	return s;
}
