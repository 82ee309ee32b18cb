/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/file.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_file.XXXXXX";
static char path[64];
static struct err err;

static void
setup(void)
{
	ck_assert(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/file", folder);
	err.text[0] = '\0';
}

static void
teardown(void)
{
	unlink(path);
	rmdir(folder);
}

static void
write_file(const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert(f != NULL && fputs(text, f) >= 0);
	fclose(f);
}

static void
check_refused(const char *words)
{
	struct buf b;

	buf_init(&b, 16);
	ck_assert(file_read(path, &b, &err) < 0);
	ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
	ck_assert(strncmp(err.text, path, strlen(path)) == 0);
	ck_assert_uint_eq(b.n, 0);
	ck_assert(file_open(path, 16, &err) < 0);
	buf_release(&b);
}

START_TEST(file_is_read_up_to_its_limit)
{
	struct buf b;

	write_file("sixteen bytes...");
	buf_init(&b, 16);
	ck_assert_msg(file_read(path, &b, &err) == 0, "%s", err.text);
	ck_assert(bytes_equal(buf_bytes(&b), BYTES("sixteen bytes...")));
	buf_release(&b);
	write_file("seventeen bytes..");
	check_refused("has 17 bytes, expected at most 16");
}
END_TEST

START_TEST(file_goes_behind_what_is_there)
{
	struct buf b;

	write_file("more");
	buf_init(&b, 8);
	ck_assert(buf_append(&b, BYTES("some")) == 0);
	ck_assert(file_read(path, &b, &err) == 0);
	ck_assert(bytes_equal(buf_bytes(&b), BYTES("somemore")));
	ck_assert(file_read(path, &b, &err) < 0);
	buf_release(&b);
}
END_TEST

START_TEST(file_may_be_empty)
{
	struct buf b;

	write_file("");
	buf_init(&b, 0);
	ck_assert(file_read(path, &b, &err) == 0);
	ck_assert_uint_eq(b.n, 0);
	buf_release(&b);
}
END_TEST

START_TEST(file_that_is_none_is_refused)
{
	check_refused("No such file");
	ck_assert(mkdir(path, 0700) == 0);
	check_refused("is no regular file");
	rmdir(path);
	ck_assert(mkfifo(path, 0600) == 0);
	check_refused("is no regular file");
	unlink(path);
	ck_assert(symlink("/dev/zero", path) == 0);
	check_refused("is no regular file");
}
END_TEST

Suite *file_suite(void);

Suite *
file_suite(void)
{
	Suite *s = suite_create("file");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, file_is_read_up_to_its_limit);
	tcase_add_test(t, file_goes_behind_what_is_there);
	tcase_add_test(t, file_may_be_empty);
	tcase_add_test(t, file_that_is_none_is_refused);
	suite_add_tcase(s, t);
	return s;
}
