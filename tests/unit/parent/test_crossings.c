/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/chain.h"
#include "proxy/parent/state.h"

/* The last second of 2026 in Japan. */
#define OLD_YEAR ((time_t)1798729199)

static char folder[] = "/tmp/test_crossings.XXXXXX";
static struct arena arena;
static struct isolation_model model;
static struct settings settings;
static struct err err;

static const char *
path(const char *name)
{
	return arena_printf(&arena, "%s/records/%s", folder, name);
}

static void
setup(void)
{
	ck_assert(mkdtemp(folder) != NULL);
	model.settings.crossings = path("log.v1.jsonl");
	settings.isolation = &model;
}

static void
teardown(void)
{
	char command[64] = "rm";
	char *const argv[] = { command, (char[]){ "-rf" }, folder, NULL };

	arena_release(&arena);
	if (fork() == 0)
		execvp(argv[0], argv);
}

static int
open_at(time_t now)
{
	return crossings_open(&settings, now, &err);
}

static void
append_at(time_t now, char head[CHAIN_HEX_N])
{
	int fd = open_at(now);
	struct chain *c;

	ck_assert_msg(fd >= 0, "%s", err.text);
	c = chain_open(fd, "records", NULL, &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	ck_assert(
	    chain_append(c, BYTES("\"event\":\"opened\""), head, &err) == 0);
	chain_free(c);
}

static struct chain_report
look(const char *name, const char *head)
{
	struct chain_report r;
	FILE *f = fopen(path(name), "re");

	ck_assert_msg(f != NULL, "%s: %m", name);
	ck_assert(chain_verify(fileno(f), head, &r, &err) == 0);
	fclose(f);
	return r;
}

START_TEST(crossings_of_a_new_year_go_on_from_the_last)
{
	char last[CHAIN_HEX_N], head[CHAIN_HEX_N];
	struct stat st;

	append_at(OLD_YEAR, last);
	append_at(OLD_YEAR, last);
	ck_assert_uint_eq(look("log.v1-2026.jsonl", NULL).lines, 2);
	ck_assert(stat(path("log.v1-2026.jsonl"), &st) == 0 &&
	    (st.st_mode & 07777 & ~0640u) == 0);
	append_at(OLD_YEAR + 1, head);
	ck_assert_str_eq(look("log.v1-2027.jsonl", head).first, last);
	ck_assert_uint_eq(look("log.v1-2027.jsonl", head).lines, 2);
	/* Begun once alone; a year in between may have had none. */
	append_at(OLD_YEAR + 2, head);
	ck_assert_uint_eq(look("log.v1-2027.jsonl", head).lines, 3);
	append_at(OLD_YEAR + (time_t)2 * 366 * 86400, last);
	ck_assert_str_eq(look("log.v1-2029.jsonl", last).first, head);
}
END_TEST

static void
check_refused(time_t now, const char *words)
{
	ck_assert_int_lt(open_at(now), 0);
	ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
}

/* Who else writes there must not choose what root writes to. */
START_TEST(crossings_are_nobody_elses_file)
{
	const char *mine = path("log.v1-2026.jsonl");
	const char *other = path("other");

	close(open_at(OLD_YEAR));
	ck_assert(rename(mine, other) == 0 && symlink(other, mine) == 0);
	check_refused(OLD_YEAR, "cannot be opened");
	ck_assert(unlink(mine) == 0 && link(other, mine) == 0);
	check_refused(OLD_YEAR, "a file of one name");
	ck_assert(unlink(mine) == 0 && mkfifo(mine, 0600) == 0);
	check_refused(OLD_YEAR, "a file of one name");
	ck_assert(unlink(mine) == 0 && rename(other, mine) == 0 &&
	    chmod(mine, 0660) == 0);
	check_refused(OLD_YEAR, "a file of one name");
	ck_assert(chmod(mine, 0640) == 0);
	close(open_at(OLD_YEAR));
	model.settings.crossings = path("no/folder/log");
	check_refused(OLD_YEAR, "cannot be made");
}
END_TEST

Suite *crossings_suite(void);

Suite *
crossings_suite(void)
{
	Suite *s = suite_create("crossings");
	TCase *t = tcase_create("crossings");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, crossings_of_a_new_year_go_on_from_the_last);
	tcase_add_test(t, crossings_are_nobody_elses_file);
	suite_add_tcase(s, t);
	return s;
}
