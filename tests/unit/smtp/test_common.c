/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/counts.h"

#include <check.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/apart.h"

Suite *counts_suite(void);

#define CODE BYTES("990019")

static struct counts *ours, *theirs;
static int fd;

static void
setup(void)
{
	struct err e;

	fd = counts_create(&e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	ours = counts_map(fd, &e);
	theirs = counts_map(fd, &e);
	ck_assert(ours != NULL && theirs != NULL && ours != theirs);
}

static void
teardown(void)
{
	counts_unmap(ours);
	counts_unmap(theirs);
	close(fd);
}

static bool
take(struct counts *c, uint64_t now_ms)
{
	bool good;

	counts_lock(c);
	good = rates_take(&c->bodies, CODE, 3, now_ms);
	counts_unlock(c);
	return good;
}

START_TEST(counts_are_of_all)
{
	ck_assert(take(ours, 60000));
	ck_assert(take(theirs, 60000));
	ck_assert(take(ours, 60000));
	ck_assert(!take(theirs, 60000));
	/* Whose turn began a little earlier is in the same minute. */
	ck_assert(take(ours, 120000));
	ck_assert(take(theirs, 119999));
	ck_assert(take(ours, 120001));
	ck_assert(!take(theirs, 119999));
}
END_TEST

START_TEST(counts_outlive_who_is_killed_while_it_counts)
{
	int status;
	pid_t pid = fork_apart();

	if (pid == 0) {
		counts_lock(theirs);
		if (rates_take(&theirs->bodies, CODE, 3, 60000))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert(take(ours, 60000));
	ck_assert(take(theirs, 60000));
	ck_assert(!take(ours, 60000));
}
END_TEST

/* Else who counts would be killed by one of the others. */
START_TEST(counts_keep_their_room)
{
	ck_assert_int_ne(ftruncate(fd, 0), 0);
	ck_assert(take(ours, 60000));
}
END_TEST

Suite *
counts_suite(void)
{
	Suite *s = suite_create("counts");
	TCase *t = tcase_create("counts");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, counts_are_of_all);
	tcase_add_test(t, counts_outlive_who_is_killed_while_it_counts);
	tcase_add_test(t, counts_keep_their_room);
	suite_add_tcase(s, t);
	return s;
}
