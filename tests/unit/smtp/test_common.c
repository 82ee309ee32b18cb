/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/common.h"

#include <check.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/apart.h"

Suite *common_suite(void);

#define CODE BYTES("990019")

static struct common *ours, *theirs;
static int fd;

static void
setup(void)
{
	struct err e;

	fd = common_create(&e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	ours = common_map(fd, &e);
	theirs = common_map(fd, &e);
	ck_assert(ours != NULL && theirs != NULL && ours != theirs);
}

static void
teardown(void)
{
	common_unmap(ours);
	common_unmap(theirs);
	close(fd);
}

static bool
take(struct common *c, uint64_t now_ms)
{
	bool good;

	common_lock(c);
	good = rates_take(&c->bodies, CODE, 3, now_ms);
	common_unlock(c);
	return good;
}

START_TEST(common_is_of_all)
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

START_TEST(common_outlives_who_is_killed_while_it_writes)
{
	int status;
	pid_t pid = fork_apart();

	if (pid == 0) {
		common_lock(theirs);
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

/* Nobody can tell from outside who shares a row with whom. */
START_TEST(common_has_a_secret)
{
	struct err e;
	int other_fd = common_create(&e);
	struct common *other = common_map(other_fd, &e);

	ck_assert_ptr_nonnull(other);
	ck_assert_uint_eq(ours->policies.secret, theirs->policies.secret);
	ck_assert_uint_ne(ours->clients.secret, other->clients.secret);
	ck_assert_uint_ne(ours->bodies.secret, other->bodies.secret);
	ck_assert_uint_ne(ours->floods.secret, other->floods.secret);
	ck_assert_uint_ne(ours->policies.secret, other->policies.secret);
	common_unmap(other);
	close(other_fd);
}
END_TEST

/* Else who writes would be killed by one of the others. */
START_TEST(common_keeps_its_room)
{
	ck_assert_int_ne(ftruncate(fd, 0), 0);
	ck_assert(take(ours, 60000));
}
END_TEST

Suite *
common_suite(void)
{
	Suite *s = suite_create("common");
	TCase *t = tcase_create("common");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, common_is_of_all);
	tcase_add_test(t, common_outlives_who_is_killed_while_it_writes);
	tcase_add_test(t, common_has_a_secret);
	tcase_add_test(t, common_keeps_its_room);
	suite_add_tcase(s, t);
	return s;
}
