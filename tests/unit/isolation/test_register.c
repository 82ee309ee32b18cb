/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/register.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW_S 1795489200
#define NOW_MS ((uint64_t)NOW_S * 1000)
#define MANY 2000

static int fd;
static struct standings *parent, *reader;

static void
setup(void)
{
	struct err e = { 0 };

	fd = standings_create(&e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	parent = standings_map(fd, STANDINGS_WRITE, &e);
	ck_assert_msg(parent != NULL, "%s", e.text);
	reader = standings_map(fd, STANDINGS_READ, &e);
	ck_assert_msg(reader != NULL, "%s", e.text);
}

static void
teardown(void)
{
	standings_unmap(parent);
	standings_unmap(reader);
	close(fd);
}

static struct standings_row
row(unsigned n)
{
	struct standings_row r = {
		.state = STATE_STATED,
		.from = NOW_S - 10,
		.until = NOW_S + 10,
		.probed_until_ms = PROBE_NONE,
	};

	memset(r.digest, 0xa5, sizeof(r.digest));
	memcpy(r.digest + 8, &n, sizeof(n));
	return r;
}

static enum standing
look(const struct standings_row *r)
{
	return standings_at(reader, r->digest, NOW_MS);
}

START_TEST(register_refuses_by_default)
{
	struct standings_row r = row(1), other = row(2);

	ck_assert_int_eq(look(&r), STANDING_UNKNOWN);
	standings_publish(parent, &r, 1);
	ck_assert_int_eq(look(&r), STANDING_CLOSED);
	standings_open(parent);
	ck_assert_int_eq(look(&r), STANDING_SEPARATED);
	ck_assert_int_eq(look(&other), STANDING_UNKNOWN);
	standings_close(parent);
	ck_assert_int_eq(look(&r), STANDING_CLOSED);
	standings_open(parent);
	standings_publish(parent, NULL, 0);
	ck_assert_int_eq(look(&r), STANDING_UNKNOWN);
}
END_TEST

static const struct {
	const char *name;
	enum standings_state state;
	int64_t from_s, until_s; /* from now */
	uint64_t probed_until_ms;
	enum standing want;
} cases[] = {
	{ "no statement", STATE_UNSTATED, -1, 1, PROBE_NONE,
	    STANDING_UNSTATED },
	{ "suspended", STATE_SUSPENDED, -1, 1, PROBE_NONE, STANDING_SUSPENDED },
	{ "begins in a second", STATE_STATED, 1, 9, PROBE_NONE,
	    STANDING_EARLY },
	{ "begins now", STATE_STATED, 0, 9, PROBE_NONE, STANDING_SEPARATED },
	{ "ends now", STATE_STATED, -9, 0, PROBE_NONE, STANDING_EXPIRED },
	{ "ends in a second", STATE_STATED, -9, 1, PROBE_NONE,
	    STANDING_SEPARATED },
	{ "ends before it begins", STATE_STATED, 1, -1, PROBE_NONE,
	    STANDING_EARLY },
	{ "never probed", STATE_STATED, -1, 1, PROBE_NEVER, STANDING_UNPROBED },
	{ "probe is stale now", STATE_STATED, -1, 1, NOW_MS,
	    STANDING_UNPROBED },
	{ "probe is fresh", STATE_STATED, -1, 1, NOW_MS + 1,
	    STANDING_SEPARATED },
};

START_TEST(register_judges_by_row_and_time)
{
	struct standings_row r = row(1);

	r.state = cases[_i].state;
	r.from = (uint64_t)(NOW_S + cases[_i].from_s);
	r.until = (uint64_t)(NOW_S + cases[_i].until_s);
	r.probed_until_ms = cases[_i].probed_until_ms;
	standings_open(parent);
	standings_publish(parent, &r, 1);
	ck_assert_msg(look(&r) == cases[_i].want, "%s: %s", cases[_i].name,
	    standing_name(look(&r)));
}
END_TEST

START_TEST(register_suspends_and_probes_in_place)
{
	struct standings_row r[2] = { row(1), row(2) }, other = row(3);

	r[1].probed_until_ms = PROBE_NEVER;
	standings_open(parent);
	standings_publish(parent, r, 2);
	standings_probed(parent, r[1].digest, NOW_MS + 1);
	ck_assert_int_eq(look(&r[1]), STANDING_SEPARATED);
	standings_probed(parent, r[1].digest, PROBE_NEVER);
	ck_assert_int_eq(look(&r[1]), STANDING_UNPROBED);
	standings_suspend(parent, r[0].digest);
	ck_assert_int_eq(look(&r[0]), STANDING_SUSPENDED);
	standings_suspend(parent, other.digest);
	ck_assert_int_eq(look(&other), STANDING_UNKNOWN);
}
END_TEST

/* All of them begin their search at one slot. */
START_TEST(register_holds_what_collides_and_what_comes_twice)
{
	struct standings_row *rows = calloc(MANY, sizeof(*rows));

	ck_assert_ptr_nonnull(rows);
	standings_open(parent);
	for (unsigned turn = 0; turn < 5; turn++) {
		for (unsigned i = 0; i < MANY; i++)
			rows[i] = row(turn * 7 + i);
		rows[MANY - 1] = rows[0];
		standings_publish(parent, rows, MANY);
		for (unsigned i = 0; i < MANY; i++)
			ck_assert_int_eq(look(&rows[i]), STANDING_SEPARATED);
	}
	rows[0] = row(0);
	ck_assert_int_eq(look(&rows[0]), STANDING_UNKNOWN);
	free(rows);
}
END_TEST

START_TEST(register_holds_its_most)
{
	struct standings_row *rows = calloc(STANDINGS_MAX, sizeof(*rows));

	ck_assert_ptr_nonnull(rows);
	standings_open(parent);
	for (unsigned i = 0; i < STANDINGS_MAX; i++) {
		rows[i] = row(i);
		memcpy(rows[i].digest, &i, sizeof(i));
	}
	for (int turn = 0; turn < 3; turn++)
		standings_publish(parent, rows, STANDINGS_MAX);
	for (unsigned i = 0; i < STANDINGS_MAX; i++)
		ck_assert_int_eq(look(&rows[i]), STANDING_SEPARATED);
	free(rows);
}
END_TEST

START_TEST(register_ends_at_its_most)
{
	standings_publish(parent, NULL, STANDINGS_MAX + 1);
}
END_TEST

START_TEST(register_is_written_by_one_alone)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct err e = { 0 };
	struct standings *own;
	struct standings_row r = row(1);
	void *p;

	ck_assert_ptr_null(standings_map(fd, STANDINGS_WRITE, &e));
	ck_assert_ptr_eq(
	    mmap(NULL, page, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_lt(mprotect(p, page, PROT_READ | PROT_WRITE), 0);
	munmap(p, page);
	ck_assert_int_lt(pwrite(fd, "x", 1, 0), 0);
	ck_assert_int_lt(ftruncate(fd, 0), 0);
	ck_assert_int_lt(
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096),
	    0);
	own = standings_map(fd, STANDINGS_READ, &e);
	ck_assert_ptr_nonnull(own);
	standings_publish(parent, &r, 1);
	ck_assert_int_eq(standings_at(own, r.digest, NOW_MS), STANDING_CLOSED);
	standings_unmap(own);
}
END_TEST

/* A fork has no mapping where the parent's was. */
START_TEST(register_is_not_inherited)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		standings_open(parent);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
	standings_publish(parent, NULL, 0);
}
END_TEST

START_TEST(register_clock_never_goes_back)
{
	struct clocks c = { .wall_ms = (int64_t)NOW_MS, .boot_ms = 5000 };

	ck_assert_uint_eq(standings_tick(parent, c), 0);
	ck_assert_uint_eq(standings_time(reader, c), NOW_MS);
	/* an hour back, and a second has passed */
	c.wall_ms -= 3600000;
	c.boot_ms += 1000;
	ck_assert_uint_eq(standings_time(reader, c), NOW_MS + 1000);
	ck_assert_uint_eq(standings_tick(parent, c), 3601000);
	ck_assert_uint_eq(standings_time(reader, c), NOW_MS + 1000);
	/* forward again, beyond */
	c.wall_ms = (int64_t)NOW_MS + 60000;
	ck_assert_uint_eq(standings_time(reader, c), NOW_MS + 60000);
	ck_assert_uint_eq(standings_tick(parent, c), 0);
	c.wall_ms = -5;
	ck_assert_uint_eq(standings_time(reader, c), NOW_MS + 60000);
}
END_TEST

START_TEST(register_clock_goes_on_from_what_was_known)
{
	struct clocks c = { .wall_ms = (int64_t)NOW_MS, .boot_ms = 0 };

	standings_not_before(parent, NOW_MS + 500, c);
	ck_assert_uint_eq(standings_time(reader, c), NOW_MS + 500);
	ck_assert_uint_eq(standings_tick(parent, c), 500);
	c.boot_ms += 10;
	ck_assert_uint_eq(standings_time(reader, c), NOW_MS + 510);
	/* what is behind it changes nothing */
	standings_not_before(parent, NOW_MS, c);
	ck_assert_uint_eq(standings_time(reader, c), NOW_MS + 510);
}
END_TEST

START_TEST(register_clock_goes_back_when_a_person_says_so)
{
	struct clocks c = { .wall_ms = (int64_t)NOW_MS, .boot_ms = 0 };

	standings_not_before(parent, NOW_MS + 500, c);
	standings_set_clock(parent, c);
	ck_assert_uint_eq(standings_time(reader, c), NOW_MS);
	ck_assert_uint_eq(standings_tick(parent, c), 0);
}
END_TEST

/*
 * While the parent changes between two statements of which neither holds now,
 * no mixture of them does; what does not change is never unknown.
 */
START_TEST(register_is_never_read_torn)
{
	struct standings_row a[3] = { row(1), row(2), row(3) };
	struct standings_row b[3] = { row(3), row(1), row(2) };
	cpu_set_t one, all;
	int status;
	pid_t pid;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	a[0].until = NOW_S - 5;      /* over */
	b[1].from = NOW_S + 5;       /* not begun */
	a[1].state = STATE_UNSTATED; /* none; and one that is stale */
	b[2].probed_until_ms = NOW_MS;
	standings_open(parent);
	standings_publish(parent, a, 3);
	/* On one processor, so that a look is interrupted. */
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	pid = fork();
	if (pid == 0) {
		for (unsigned n = 0; n < 1500000; n++) {
			enum standing first = look(&a[0]);
			enum standing second = look(&a[1]);

			if ((first != STANDING_EXPIRED &&
				first != STANDING_EARLY) ||
			    (second != STANDING_UNSTATED &&
				second != STANDING_UNPROBED) ||
			    look(&a[2]) != STANDING_SEPARATED)
				_exit(1);
		}
		_exit(0);
	}
	for (unsigned n = 0; waitpid(pid, &status, WNOHANG) == 0; n++)
		/* by twos: each half is now this, now that */
		standings_publish(parent, n % 4 < 2 ? b : a, 3);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(register_names_its_standings)
{
	for (int s = 0; s < STANDINGS; s++)
		ck_assert_ptr_nonnull(standing_name((enum standing)s));
}
END_TEST

Suite *register_suite(void);

Suite *
register_suite(void)
{
	Suite *s = suite_create("register");
	TCase *t = tcase_create("page");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, register_refuses_by_default);
	tcase_add_loop_test(
	    t, register_judges_by_row_and_time, 0, (int)COUNT(cases));
	tcase_add_test(t, register_suspends_and_probes_in_place);
	tcase_add_test(t, register_holds_what_collides_and_what_comes_twice);
	tcase_add_test(t, register_holds_its_most);
	tcase_add_test_raise_signal(t, register_ends_at_its_most, SIGABRT);
	tcase_add_test(t, register_is_written_by_one_alone);
	tcase_add_test(t, register_is_not_inherited);
	tcase_add_test(t, register_clock_never_goes_back);
	tcase_add_test(t, register_clock_goes_on_from_what_was_known);
	tcase_add_test(t, register_clock_goes_back_when_a_person_says_so);
	tcase_add_test(t, register_is_never_read_torn);
	tcase_add_test(t, register_names_its_standings);
	suite_add_tcase(s, t);
	return s;
}
