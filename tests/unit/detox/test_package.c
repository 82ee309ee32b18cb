/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/package/package.h"

#include <check.h>

#include "proxy/base/file.h"
#include "tests/unit/detox/drive.h"

Suite *package_suite(void);

struct job {
	struct drive_detox t;
	struct package_writer *w;
	struct buf zip;
};

static void
begin(struct job *j)
{
	drive_detox_init(&j->t);
	j->w = package_writer_new();
	buf_init(&j->zip, 1 << 20);
}

static void
end(struct job *j)
{
	package_writer_free(j->w);
	buf_release(&j->zip);
	drive_detox_release(&j->t);
}

static void
add(struct job *j, const char *name, struct bytes content,
    enum package_method m)
{
	ck_assert(
	    package_add(&j->t.d, j->w, name, content, m) == DETOX_REBUILT);
}

/* What was added, as bytes of exactly its size. */
static void
finish(struct job *j)
{
	struct detox_output out = { 0 };

	buf_init(&out.content, 1 << 20);
	ck_assert(package_finish(&j->t.d, j->w, &out) == DETOX_REBUILT);
	j->zip.max = out.content.n;
	ck_assert(buf_append(&j->zip, buf_bytes(&out.content)) == 0);
	buf_release(&out.content);
}

/*
 * Two stored entries of five bytes, a.txt and b.txt: local headers at 0 and
 * 40, central ones at 80 and 131, the end at 182.
 */
#define LOCAL_B 40
#define CENTRAL_A 80
#define CENTRAL_B 131
#define END 182
#define TWO_SIZE 204

static void
make_two(struct job *j)
{
	begin(j);
	add(j, "a.txt", BYTES("hello"), PACKAGE_STORED);
	add(j, "b.txt", BYTES("world"), PACKAGE_STORED);
	finish(j);
	ck_assert_uint_eq(j->zip.n, TWO_SIZE);
}

static void
check_entry(
    struct job *j, struct package *p, const char *name, struct bytes content)
{
	ssize_t i = package_find(p, name);
	struct buf out;

	ck_assert_msg(i >= 0, "%s", name);
	ck_assert(package_read(&j->t.d, p, (size_t)i, &out) == DETOX_REBUILT);
	ck_assert(bytes_equal(buf_bytes(&out), content));
	buf_release(&out);
}

START_TEST(package_reads_what_it_writes)
{
	static uint8_t many[100000];
	struct job j;
	struct package *p;

	begin(&j);
	add(&j, "mimetype", BYTES("text"), PACKAGE_STORED);
	add(&j, "dir/", BYTES(""), PACKAGE_STORED);
	add(&j, "dir/\xe5\x90\x8d", (struct bytes){ many, sizeof(many) },
	    PACKAGE_DEFLATED);
	add(&j, "empty", BYTES(""), PACKAGE_DEFLATED);
	finish(&j);
	ck_assert_uint_lt(j.zip.n, 1000);
	p = package_open(&j.t.d, buf_bytes(&j.zip));
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(package_entries(p), 4);
	ck_assert(package_entry(p, 1)->folder);
	ck_assert(!package_entry(p, 2)->folder);
	check_entry(&j, p, "mimetype", BYTES("text"));
	check_entry(&j, p, "empty", BYTES(""));
	check_entry(
	    &j, p, "dir/\xe5\x90\x8d", (struct bytes){ many, sizeof(many) });
	ck_assert_int_eq(package_find(p, "Mimetype"), -1);
	ck_assert_int_eq(package_find(p, "none"), -1);
	ck_assert_uint_eq(j.t.d.rows_n, 0);
	ck_assert_uint_eq(j.t.d.entries, 4);
	package_close(p);
	end(&j);
}
END_TEST

START_TEST(package_takes_what_fits_alone)
{
	struct job j;

	begin(&j);
	j.t.profile.out_max = 46 + 5; /* its central header */
	ck_assert(package_add(&j.t.d, j.w, "a.txt", BYTES("hello"),
		      PACKAGE_STORED) == DETOX_REBUILT);
	ck_assert(package_add(&j.t.d, j.w, "b.txt", BYTES("hello"),
		      PACKAGE_STORED) == DETOX_REFUSED);
	ck_assert_int_eq(j.t.d.refusal, REFUSED_SIZE);
	end(&j);
}
END_TEST

static const struct {
	const char *name;
	struct {
		size_t at;
		struct bytes bytes;
	} changes[4];
	enum detox_refusal refusal;
} damages[] = {
	{ "nothing", { { 0 } }, REFUSED_NOT },
	{ "no end", { { END, BYTES_ROW("XX") } }, REFUSED_BROKEN },
	{ "another volume", { { END + 4, BYTES_ROW("\1") } }, REFUSED_SPLIT },
	{ "directory elsewhere", { { END + 6, BYTES_ROW("\1") } },
	    REFUSED_SPLIT },
	{ "entry on another volume", { { CENTRAL_A + 34, BYTES_ROW("\1") } },
	    REFUSED_SPLIT },
	{ "fewer entries here", { { END + 8, BYTES_ROW("\1") } },
	    REFUSED_SPLIT },
	{ "one entry not counted", { { END + 8, BYTES_ROW("\1\0\1") } },
	    REFUSED_BROKEN },
	{ "one entry too many", { { END + 8, BYTES_ROW("\3\0\3") } },
	    REFUSED_BROKEN },
	{ "directory too large", { { END + 12, BYTES_ROW("\xff\xff") } },
	    REFUSED_BROKEN },
	{ "directory behind the file", { { END + 16, BYTES_ROW("\xff\xff") } },
	    REFUSED_BROKEN },
	{ "encrypted", { { CENTRAL_A + 8, BYTES_ROW("\1") } },
	    REFUSED_ENCRYPTED },
	{ "encrypted in one header", { { 6, BYTES_ROW("\1") } },
	    REFUSED_BROKEN },
	{ "headers masked", { { CENTRAL_A + 9, BYTES_ROW("\x20") } },
	    REFUSED_ENCRYPTED },
	{ "packed by LZMA", { { CENTRAL_A + 10, BYTES_ROW("\xe") } },
	    REFUSED_TYPE },
	{ "two methods", { { 8, BYTES_ROW("\x8") } }, REFUSED_BROKEN },
	{ "two checksums", { { 14, BYTES_ROW("\1") } }, REFUSED_BROKEN },
	{ "two sizes", { { 22, BYTES_ROW("\6") } }, REFUSED_BROKEN },
	{ "two names", { { 30, BYTES_ROW("c") } }, REFUSED_BROKEN },
	{ "stored with two sizes", { { CENTRAL_A + 24, BYTES_ROW("\6") } },
	    REFUSED_BROKEN },
	{ "link", { { CENTRAL_A + 40, BYTES_ROW("\xff\xa1") } }, REFUSED_PATH },
	{ "device", { { CENTRAL_A + 40, BYTES_ROW("\xff\x21") } },
	    REFUSED_PATH },
	{ "a file by its mode", { { CENTRAL_A + 40, BYTES_ROW("\xff\x81") } },
	    REFUSED_NOT },
	{ "no local header", { { CENTRAL_A + 42, BYTES_ROW("\1") } },
	    REFUSED_BROKEN },
	{ "local header behind the file",
	    { { CENTRAL_A + 42, BYTES_ROW("\xff\xff\xff\xfe") } },
	    REFUSED_BROKEN },
	{ "two entries in one place",
	    { { 18, BYTES_ROW("\x2d\0\0\0\x2d") },
		{ CENTRAL_A + 20, BYTES_ROW("\x2d\0\0\0\x2d") } },
	    REFUSED_BOMB },
	{ "same name", { { 30, BYTES_ROW("b") }, { 126, BYTES_ROW("b") } },
	    REFUSED_DUPLICATE },
	{ "same name in another case",
	    { { 30, BYTES_ROW("B") }, { 126, BYTES_ROW("B") } },
	    REFUSED_DUPLICATE },
	{ "leads out",
	    { { 30, BYTES_ROW("../ab") }, { 126, BYTES_ROW("../ab") } },
	    REFUSED_PATH },
	{ "leads out by a backslash",
	    { { 30, BYTES_ROW("a\\..\\") }, { 126, BYTES_ROW("a\\..\\") } },
	    REFUSED_PATH },
	{ "absolute",
	    { { 30, BYTES_ROW("/abcd") }, { 126, BYTES_ROW("/abcd") } },
	    REFUSED_PATH },
	{ "on a drive",
	    { { 30, BYTES_ROW("C:abc") }, { 126, BYTES_ROW("C:abc") } },
	    REFUSED_PATH },
	{ "a control in its name",
	    { { 31, BYTES_ROW("\0") }, { 127, BYTES_ROW("\0") } },
	    REFUSED_PATH },
	{ "no name at all",
	    { { 30, BYTES_ROW("././.") }, { 126, BYTES_ROW("././.") } },
	    REFUSED_PATH },
	{ "dots within a name",
	    { { 30, BYTES_ROW("a..xx") }, { 126, BYTES_ROW("a..xx") } },
	    REFUSED_NOT },
};

START_TEST(package_refuses_two_readings)
{
	struct job j;
	struct package *p;

	make_two(&j);
	for (size_t i = 0; i < COUNT(damages[_i].changes); i++)
		if (damages[_i].changes[i].bytes.n > 0)
			memcpy(j.zip.p + damages[_i].changes[i].at,
			    damages[_i].changes[i].bytes.p,
			    damages[_i].changes[i].bytes.n);
	p = package_open(&j.t.d, buf_bytes(&j.zip));
	ck_assert_msg(j.t.d.refusal == damages[_i].refusal, "%s: %s",
	    damages[_i].name, j.t.d.why);
	ck_assert((p == NULL) == detox_is_over(&j.t.d));
	end(&j);
}
END_TEST

START_TEST(package_refuses_what_is_cut)
{
	struct job j;
	struct bytes b;
	uint8_t *copy;

	make_two(&j);
	for (size_t n = 0; n < TWO_SIZE; n++) {
		detox_init(&j.t.d, &j.t.profile);
		copy = malloc(n + 1);
		memcpy(copy, j.zip.p, n);
		b = (struct bytes){ copy, n };
		ck_assert_ptr_null(package_open(&j.t.d, b));
		ck_assert_int_eq(j.t.d.refusal, REFUSED_BROKEN);
		free(copy);
		detox_release(&j.t.d);
	}
	end(&j);
}
END_TEST

START_TEST(package_reports_what_stands_around)
{
	struct buf around;
	struct job j;
	struct package *p;

	make_two(&j);
	buf_init(&around, 1000);
	ck_assert(buf_append(&around, BYTES("#!/bin/sh\n")) == 0 &&
	    buf_append(&around, buf_bytes(&j.zip)) == 0 &&
	    buf_append(&around, BYTES("more")) == 0);
	p = package_open(&j.t.d, buf_bytes(&around));
	ck_assert_ptr_nonnull(p);
	check_entry(&j, p, "a.txt", BYTES("hello"));
	ck_assert_uint_eq(
	    drive_detox_removed(&j.t, REMOVED_TRAILING, "before its entries"),
	    1);
	ck_assert_uint_eq(
	    drive_detox_removed(&j.t, REMOVED_TRAILING, "behind its end"), 1);
	ck_assert_uint_eq(j.t.d.rows_n, 2);
	buf_release(&around);
	end(&j);
}
END_TEST

START_TEST(package_reports_a_comment)
{
	struct job j;

	make_two(&j);
	j.zip.max += 4;
	j.zip.p[END + 20] = 4;
	ck_assert(buf_append(&j.zip, BYTES("abcd")) == 0);
	ck_assert_ptr_nonnull(package_open(&j.t.d, buf_bytes(&j.zip)));
	ck_assert_uint_eq(
	    drive_detox_removed(&j.t, REMOVED_METADATA, "comment"), 1);
	ck_assert_uint_eq(j.t.d.rows_n, 1);
	end(&j);
}
END_TEST

START_TEST(package_reports_a_damaged_entry)
{
	struct job j;
	struct package *p;
	struct buf out;

	make_two(&j);
	j.zip.p[35] = 'j';
	p = package_open(&j.t.d, buf_bytes(&j.zip));
	ck_assert_ptr_nonnull(p);
	ck_assert(package_read(&j.t.d, p, 0, &out) == DETOX_REFUSED);
	ck_assert(!detox_is_over(&j.t.d));
	ck_assert_uint_eq(
	    drive_detox_removed(&j.t, REMOVED_DAMAGED, "a.txt"), 1);
	check_entry(&j, p, "b.txt", BYTES("world"));
	end(&j);
}
END_TEST

START_TEST(package_normalises_names)
{
	struct job j;
	struct package *p;

	begin(&j);
	add(&j, ".\\a//b\\c", BYTES("1"), PACKAGE_STORED);
	add(&j, "dir\\", BYTES(""), PACKAGE_STORED);
	finish(&j);
	p = package_open(&j.t.d, buf_bytes(&j.zip));
	ck_assert_ptr_nonnull(p);
	check_entry(&j, p, "a/b/c", BYTES("1"));
	ck_assert(package_entry(p, 1)->folder);
	end(&j);
}
END_TEST

START_TEST(package_keeps_its_budget)
{
	static uint8_t many[(4 << 20) + 1];
	struct job j;
	struct package *p;
	struct buf out;

	begin(&j);
	add(&j, "bomb", (struct bytes){ many, sizeof(many) }, PACKAGE_DEFLATED);
	add(&j, "other", BYTES("1"), PACKAGE_STORED);
	finish(&j);
	p = package_open(&j.t.d, buf_bytes(&j.zip));
	ck_assert_ptr_nonnull(p);
	ck_assert(package_read(&j.t.d, p, 0, &out) == DETOX_REFUSED);
	ck_assert_int_eq(j.t.d.refusal, REFUSED_BOMB);
	buf_release(&out);
	detox_release(&j.t.d);
	detox_init(&j.t.d, &j.t.profile);
	j.t.profile.entries_max = 2;
	ck_assert_ptr_nonnull(package_open(&j.t.d, buf_bytes(&j.zip)));
	ck_assert_ptr_null(package_open(&j.t.d, buf_bytes(&j.zip)));
	ck_assert_int_eq(j.t.d.refusal, REFUSED_ENTRIES);
	end(&j);
}
END_TEST

static const struct {
	const char *file;
	const char *entry;
	struct bytes content;
} files[] = {
	{ "streamed.zip", "dir/b.txt", BYTES_ROW("world") },
	{ "cp932.zip", "表示名.txt", BYTES_ROW("text") },
	{ "utf8.zip", "名前.txt", BYTES_ROW("text") },
	{ "zip64.zip", "a.txt",
	    BYTES_ROW("hello hello hello hello hello hello hello hello hello "
		      "hello hello hello hello hello hello hello hello hello "
		      "hello hello ") },
};

START_TEST(package_reads_other_writers)
{
	char path[256];
	struct err e;
	struct job j;
	struct package *p;

	begin(&j);
	snprintf(
	    path, sizeof(path), "tests/data/detox_package/%s", files[_i].file);
	ck_assert(file_read(path, &j.zip, &e) == 0);
	p = package_open(&j.t.d, buf_bytes(&j.zip));
	ck_assert_msg(p != NULL, "%s: %s", path, j.t.d.why);
	check_entry(&j, p, files[_i].entry, files[_i].content);
	ck_assert_uint_eq(j.t.d.rows_n, 0);
	end(&j);
}
END_TEST

Suite *
package_suite(void)
{
	Suite *s = suite_create("package");
	TCase *t = tcase_create("all");

	tcase_add_test(t, package_reads_what_it_writes);
	tcase_add_test(t, package_takes_what_fits_alone);
	tcase_add_loop_test(t, package_refuses_two_readings, 0, COUNT(damages));
	tcase_add_test(t, package_refuses_what_is_cut);
	tcase_add_test(t, package_reports_what_stands_around);
	tcase_add_test(t, package_reports_a_comment);
	tcase_add_test(t, package_reports_a_damaged_entry);
	tcase_add_test(t, package_normalises_names);
	tcase_add_test(t, package_keeps_its_budget);
	tcase_add_loop_test(t, package_reads_other_writers, 0, COUNT(files));
	suite_add_tcase(s, t);
	return s;
}
