/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/disposition.h"

#include <check.h>
#include <sys/resource.h>

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
	{ "attachment; filename=\"open\\", "" },
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

static long
memory_kib(void)
{
	struct rusage r;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &r), 0);
	return r.ru_maxrss;
}

/* It takes as much as the field is long, not its square. */
START_TEST(disposition_of_many_parameters_is_small)
{
	static char value[32768];
	struct arena a = { 0 };
	long before = memory_kib();
	size_t n = (size_t)snprintf(value, sizeof(value), "attachment");

	while (n + 8 < sizeof(value))
		n += (size_t)snprintf(
		    value + n, sizeof(value) - n, ";a=\"\\\"\"");
	ck_assert_uint_eq(disposition_file_name(bytes_of(value), &a).n, 0);
	ck_assert_int_lt(memory_kib() - before, 16384);
	arena_release(&a);
}
END_TEST

Suite *
disposition_suite(void)
{
	Suite *s = suite_create("disposition");
	TCase *t = tcase_create("disposition");

	tcase_add_loop_test(t, disposition_has_a_name, 0, COUNT(rows));
	tcase_add_test(t, disposition_of_many_parameters_is_small);
	suite_add_tcase(s, t);
	return s;
}
