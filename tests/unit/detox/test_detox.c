/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/detox.h"

#include <check.h>

#include "tests/unit/detox/drive.h"

Suite *detox_suite(void);

static const struct {
	const char *name;
	bool runs;
} names[] = {
	{ "a.exe", true },
	{ "a.EXE", true },
	{ "a.txt.js", true },
	{ "a.exe. .", true },
	{ "dir.exe/a.txt", false },
	{ "dir/a.lnk", true },
	{ "a.library-ms", true },
	{ "a.inetloc", true },
	{ "a.wax", true },
	{ "a.txt.{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}", true },
	{ "a.cab", false },
	{ "a", false },
	{ "", false },
	{ "a.", false },
	{ "exe", false },
};

START_TEST(detox_knows_names_that_run)
{
	ck_assert_msg(
	    detox_name_runs(bytes_of(names[_i].name)) == names[_i].runs, "%s",
	    names[_i].name);
}
END_TEST

static const struct {
	const char *address;
	bool stays;
} links[] = {
	{ "https://www.city.test/", true },
	{ "HTTP://www.city.test/", true },
	{ "mailto:a@city.test", true },
	{ "mailto:a@city.test?Attach=//evil.test/a", false },
	{ "mailto:a@city.test?%61tt%41ch=//evil.test/a", false },
	{ "mailto:a@city.test?%2561tt\nach=//evil.test/a", false },
	{ "mailto:a@city.test?subject=%61t%20tachi", true },
	{ "#part", true },
	{ "", true },
	{ "javascript:alert(1)", false },
	{ " java\nscript:alert(1)", false },
	{ " https://www.city.test/", true },
	{ "file:///c:/a", false },
	{ "\\\\server\\share", false },
	{ "//server/share", false },
	{ "ms-word:ofe|u|https://www.city.test/", false },
	{ "httpsx:", false },
	{ "https", false },
	{ "other.docx", false },
};

START_TEST(detox_keeps_links_of_the_web)
{
	struct detox_profile p = { .links = DETOX_LINKS_WEB };
	struct detox d;

	detox_init(&d, &p);
	ck_assert_msg(detox_link_stays(&d, bytes_of(links[_i].address)) ==
		links[_i].stays,
	    "%s", links[_i].address);
	p.links = DETOX_LINKS_NONE;
	ck_assert(detox_link_stays(&d, bytes_of(links[_i].address)) ==
	    (links[_i].address[0] == '\0' || links[_i].address[0] == '#'));
	detox_release(&d);
}
END_TEST

/* Characters that readers leave out, and the name of a file behind them. */
START_TEST(detox_reads_a_long_address_in_time)
{
	const size_t n = 1 << 20;
	struct detox_profile p;
	struct detox d;
	uint8_t *address = malloc(n);

	ck_assert_ptr_nonnull(address);
	memset(address, 1, n);
	memcpy(address, "mailto:", 7);
	detox_profile_init(&p);
	detox_init(&d, &p);
	ck_assert(detox_link_stays(&d, (struct bytes){ address, n }));
	memcpy(address + n - 10, "%61tt\1ach=", 10);
	ck_assert(!detox_link_stays(&d, (struct bytes){ address, n }));
	detox_release(&d);
	free(address);
}
END_TEST

START_TEST(detox_refuses_programs_whatever_their_name)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, BYTES("\x7f\x45LF\2\1\1"), "a.txt");
	ck_assert_int_eq(t.d.refusal, REFUSED_PROGRAM);
	drive_detox_run(&t, BYTES("hello"), "a.vbs");
	ck_assert_int_eq(t.d.refusal, REFUSED_PROGRAM);
	drive_detox_release(&t);
}
END_TEST

START_TEST(detox_refuses_what_it_does_not_know)
{
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.treatment[MAGIC_UNKNOWN] = DETOX_REFUSE;
	drive_detox_run(&t, BYTES("\1\2\3\4"), "a.xdw");
	ck_assert_int_eq(t.d.refusal, REFUSED_POLICY);
	t.profile.treatment[MAGIC_UNKNOWN] = DETOX_REBUILD;
	drive_detox_run(&t, BYTES("\1\2\3\4"), "a.xdw");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	t.profile.treatment[MAGIC_UNKNOWN] = DETOX_HOLD;
	drive_detox_run(&t, BYTES("\1\2\3\4"), "a.xdw");
	ck_assert_int_eq(t.d.refusal, REFUSED_HELD);
	t.profile.treatment[MAGIC_UNKNOWN] = DETOX_PASS;
	drive_detox_run(&t, BYTES("\1\2\3\4"), "a.xdw");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(bytes_equal(buf_bytes(&t.out.content), BYTES("\1\2\3\4")));
	drive_detox_release(&t);
}
END_TEST

START_TEST(detox_passes_what_is_empty)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, BYTES(""), "a.docx");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert_uint_eq(t.out.content.n, 0);
	drive_detox_run(&t, BYTES(""), "a.exe");
	ck_assert_int_eq(t.d.refusal, REFUSED_PROGRAM);
	drive_detox_release(&t);
}
END_TEST

START_TEST(detox_refuses_at_each_limit)
{
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.treatment[MAGIC_UNKNOWN] = DETOX_PASS;
	t.profile.in_max = 4;
	drive_detox_run(&t, BYTES("\1\2\3\4"), "a.xdw");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	drive_detox_run(&t, BYTES("\1\2\3\4\5"), "a.xdw");
	ck_assert_int_eq(t.d.refusal, REFUSED_SIZE);
	t.profile.in_max = 100;
	t.profile.out_max = 4;
	drive_detox_run(&t, BYTES("\1\2\3\4"), "a.xdw");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	drive_detox_run(&t, BYTES("\1\2\3\4\5"), "a.xdw");
	ck_assert_int_eq(t.d.refusal, REFUSED_SIZE);
	drive_detox_release(&t);
}
END_TEST

START_TEST(detox_counts_one_budget)
{
	struct detox_profile p = { .tree_max = 10,
		.ratio_max = 2,
		.entries_max = 2,
		.pixels_max = 100,
		.frames_max = 2 };
	struct detox d;

	detox_init(&d, &p);
	ck_assert(detox_unpacked(&d, 6, 1) == DETOX_REBUILT);
	ck_assert(detox_unpacked(&d, 4, 1) == DETOX_REBUILT);
	ck_assert(detox_unpacked(&d, 1, 1) == DETOX_REFUSED);
	ck_assert_int_eq(d.refusal, REFUSED_BOMB);
	detox_init(&d, &p);
	p.tree_max = UINT64_MAX;
	ck_assert(detox_unpacked(&d, 4 << 20, 1) == DETOX_REBUILT);
	ck_assert(detox_unpacked(&d, 8 << 20, 4 << 20) == DETOX_REBUILT);
	ck_assert(detox_unpacked(&d, 12 << 20, 4 << 20) == DETOX_REFUSED);
	ck_assert_int_eq(d.refusal, REFUSED_BOMB);
	detox_init(&d, &p);
	ck_assert(detox_unpacked(&d, (4 << 20) + 1, 1) == DETOX_REFUSED);
	detox_init(&d, &p);
	ck_assert(detox_entry(&d) == DETOX_REBUILT);
	ck_assert(detox_entry(&d) == DETOX_REBUILT);
	ck_assert(detox_entry(&d) == DETOX_REFUSED);
	detox_init(&d, &p);
	ck_assert(detox_pixels(&d, 10, 10, 1) == DETOX_REBUILT);
	ck_assert(detox_pixels(&d, 10, 5, 2) == DETOX_REBUILT);
	ck_assert(detox_pixels(&d, 10, 11, 1) == DETOX_REFUSED);
	detox_init(&d, &p);
	ck_assert(detox_pixels(&d, UINT64_MAX, UINT64_MAX, 1) == DETOX_REFUSED);
	detox_init(&d, &p);
	ck_assert(detox_pixels(&d, 1, 1, 3) == DETOX_REFUSED);
}
END_TEST

START_TEST(detox_counts_what_it_left_out)
{
	struct detox_profile p = { 0 };
	struct drive_detox t = { 0 };
	struct err e;

	ck_assert(detox_prepare(&e) == 0);
	detox_init(&t.d, &p);
	detox_removed(&t.d, REMOVED_ACTION, "page 1", BYTES(""));
	detox_removed(&t.d, REMOVED_ACTION, "page 1", BYTES(""));
	detox_removed(&t.d, REMOVED_ACTION, "page 2", BYTES(""));
	detox_removed(&t.d, REMOVED_FILE, "page 2", BYTES("abc"));
	detox_removed(&t.d, REMOVED_FILE, "page 2", BYTES("abc"));
	ck_assert_uint_eq(t.d.rows_n, 4);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_ACTION, "page 1"), 2);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_FILE, NULL), 2);
	ck_assert(t.d.rows[2].has_digest && t.d.rows[2].digest[0] == 0xba);
	for (size_t i = 0; i < DETOX_ROWS_MAX; i++)
		detox_removed(&t.d, REMOVED_FILE, "x", BYTES("abc"));
	ck_assert_uint_eq(t.d.rows_n, DETOX_ROWS_MAX);
	ck_assert_uint_eq(t.d.rows_left_out, 4);
	detox_release(&t.d);
}
END_TEST

Suite *
detox_suite(void)
{
	Suite *s = suite_create("detox");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, detox_knows_names_that_run, 0, COUNT(names));
	tcase_add_loop_test(t, detox_keeps_links_of_the_web, 0, COUNT(links));
	tcase_add_test(t, detox_reads_a_long_address_in_time);
	tcase_add_test(t, detox_refuses_programs_whatever_their_name);
	tcase_add_test(t, detox_refuses_what_it_does_not_know);
	tcase_add_test(t, detox_passes_what_is_empty);
	tcase_add_test(t, detox_refuses_at_each_limit);
	tcase_add_test(t, detox_counts_one_budget);
	tcase_add_test(t, detox_counts_what_it_left_out);
	suite_add_tcase(s, t);
	return s;
}
