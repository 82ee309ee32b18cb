/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/ring.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE ((size_t)32768)
#define PAGE ((size_t)4096)

/* Two mappings of one ring, as two processes have them. */
static struct ring *writer, *reader;
static int fd, wake_fd;
static uint8_t record[RING_RECORD_MAX];

static struct ring *
map(void)
{
	struct err e = { 0 };
	struct ring *r = ring_map(fd, wake_fd, &e);

	ck_assert_msg(r != NULL, "%s", e.text);
	return r;
}

static void
setup(void)
{
	struct err e = { 0 };

	fd = ring_create(SIZE, &e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	writer = map();
	reader = map();
}

static void
teardown(void)
{
	ring_unmap(writer);
	ring_unmap(reader);
	close(fd);
	close(wake_fd);
}

static const uint8_t letters[RING_RECORD_MAX + 1] = { [0 ... RING_RECORD_MAX] =
							  'a' };

static int
put_n(size_t n)
{
	return ring_put(writer, (struct bytes){ letters, n });
}

static void
check_next(struct ring *r, struct bytes want)
{
	size_t n = 0;

	ck_assert_int_eq(ring_peek(r, record, &n), RING_TAKEN);
	ck_assert(bytes_equal((struct bytes){ record, n }, want));
}

static void
check_empty(struct ring *r)
{
	size_t n = 0;

	ck_assert_int_eq(ring_peek(r, record, &n), RING_EMPTY);
}

START_TEST(ring_gives_records_in_their_order)
{
	check_empty(reader);
	ck_assert(ring_put(writer, BYTES("one")) == 0);
	ck_assert(ring_put(writer, BYTES("")) == 0);
	ck_assert(ring_put(writer, BYTES("three")) == 0);
	check_next(reader, BYTES("one"));
	check_next(reader, BYTES(""));
	check_next(reader, BYTES("three"));
	check_empty(reader);
	ring_taken(reader);
	check_empty(reader);
	ck_assert_uint_eq(ring_dropped(reader), 0);
}
END_TEST

static const struct {
	size_t n;
	int want;
} sizes[] = {
	{ 0, 0 },
	{ 1, 0 },
	{ RING_RECORD_MAX, 0 },
	{ RING_RECORD_MAX + 1, -1 },
};

START_TEST(ring_records_have_a_limit)
{
	ck_assert_int_eq(put_n(sizes[_i].n), sizes[_i].want);
	if (sizes[_i].want == 0)
		check_next(reader, (struct bytes){ letters, sizes[_i].n });
	else
		check_empty(reader);
	ck_assert_uint_eq(ring_dropped(reader), sizes[_i].want == 0 ? 0 : 1);
}
END_TEST

/* 4 bytes of length, rounded up to 8: 1020 make 1024. */
START_TEST(ring_overflow_is_dropped_and_counted)
{
	for (size_t i = 0; i < SIZE / 1024; i++)
		ck_assert(put_n(1020) == 0);
	ck_assert(put_n(0) == -1);
	ck_assert(put_n(1020) == -1);
	ck_assert_uint_eq(ring_dropped(reader), 2);
	ck_assert_uint_eq(ring_dropped(reader), 0);
	/* what was there is there yet */
	for (size_t i = 0; i < SIZE / 1024; i++)
		check_next(reader, (struct bytes){ letters, 1020 });
	check_empty(reader);
	/* room comes when it is taken, not when it is seen */
	ck_assert(put_n(0) == -1);
	ring_taken(reader);
	ck_assert(put_n(0) == 0);
	ck_assert_uint_eq(ring_dropped(reader), 1);
}
END_TEST

/* Records of every length pass the end of the memory whole. */
START_TEST(ring_wraps_around)
{
	for (size_t i = 0; i < 4 * SIZE / 100; i++) {
		uint8_t text[300];
		size_t n = i % sizeof(text);

		memset(text, (int)i, sizeof(text));
		ck_assert(ring_put(writer, (struct bytes){ text, n }) == 0);
		check_next(reader, (struct bytes){ text, n });
		ring_taken(reader);
	}
}
END_TEST

START_TEST(ring_survives_its_reader)
{
	ck_assert(ring_put(writer, BYTES("one")) == 0);
	ck_assert(ring_put(writer, BYTES("two")) == 0);
	ck_assert(ring_put(writer, BYTES("three")) == 0);
	check_next(reader, BYTES("one"));
	ring_taken(reader);
	check_next(reader, BYTES("two"));
	ring_unmap(reader);
	reader = map();
	check_next(reader, BYTES("two"));
	check_next(reader, BYTES("three"));
	check_empty(reader);
}
END_TEST

/* Line i of the writer that will be killed: its number and as many letters
 * as make it pass the end of the memory at ever other places. */
static struct bytes
line(uint8_t out[2048], unsigned i)
{
	size_t n = 8 + i * 37 % 2000;
	char number[9];

	snprintf(number, sizeof(number), "%08u", i);
	memcpy(out, number, 8);
	memset(out + 8, 'a' + (int)(i % 26), n - 8);
	return (struct bytes){ out, n };
}

static void
write_until_killed(void)
{
	struct err e;
	struct ring *own = ring_map(fd, wake_fd, &e);
	uint8_t text[2048];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (own == NULL)
		_exit(1);
	for (unsigned i = 0;;)
		if (ring_put(own, line(text, i)) == 0)
			i++;
}

/* Lines of the writer, up to a number: each whole and in its turn. */
static void
check_lines(unsigned *next, unsigned end)
{
	size_t n = 0;

	while (*next < end) {
		uint8_t text[2048];
		enum ring_answer got = ring_peek(reader, record, &n);

		ck_assert_int_ne(got, RING_BROKEN);
		if (got == RING_EMPTY)
			return;
		ck_assert(bytes_equal(
		    (struct bytes){ record, n }, line(text, *next)));
		++*next;
		ring_taken(reader);
	}
}

START_TEST(ring_of_a_killed_writer_holds_whole_lines)
{
	unsigned next = 0;
	unsigned end = 100 + (unsigned)_i * 37;
	pid_t pid = fork();
	int status;

	ck_assert(pid >= 0);
	if (pid == 0)
		write_until_killed();
	while (next < end)
		check_lines(&next, end);
	ck_assert(kill(pid, SIGKILL) == 0);
	ck_assert(waitpid(pid, &status, 0) == pid);
	ck_assert(WIFSIGNALED(status));
	check_lines(&next, UINT32_MAX);
	/* the next process of that slot goes on */
	ring_unmap(writer);
	writer = map();
	ck_assert(ring_put(writer, BYTES("next")) == 0);
	check_next(reader, BYTES("next"));
	check_empty(reader);
}
END_TEST

/* The memory behind the ring, as a hostile writer has it. */
static uint8_t *
shared(void)
{
	uint8_t *p =
	    mmap(NULL, PAGE + SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert(p != MAP_FAILED);
	return p;
}

/* A record whose bytes are there but which was not published. */
START_TEST(ring_shows_nothing_half_written)
{
	uint8_t *p = shared();
	uint32_t n = 100;

	ck_assert(ring_put(writer, BYTES("one")) == 0);
	memcpy(p + PAGE + 8, &n, sizeof(n));
	memset(p + PAGE + 12, 'x', 50);
	check_next(reader, BYTES("one"));
	check_empty(reader);
	ring_unmap(writer);
	writer = map();
	ck_assert(ring_put(writer, BYTES("two")) == 0);
	check_next(reader, BYTES("two"));
	check_empty(reader);
	munmap(p, PAGE + SIZE);
}
END_TEST

static const struct {
	const char *name;
	uint64_t written; /* the first word of the page */
	uint32_t length;  /* of the first record */
} hostile[] = {
	{ "a record longer than what was written", 16, 100 },
	{ "a record over the limit", SIZE, RING_RECORD_MAX + 1 },
	{ "a record of the greatest length", SIZE, UINT32_MAX },
	{ "a length that is cut", 3, 0 },
	{ "more than the ring holds", SIZE + 8, 4 },
	{ "the end of the count", UINT64_MAX, 4 },
};

START_TEST(ring_of_a_hostile_writer_is_emptied)
{
	uint8_t *p = shared();
	size_t n = 0;

	memcpy(p, &hostile[_i].written, 8);
	memcpy(p + PAGE, &hostile[_i].length, 4);
	ck_assert_msg(ring_peek(reader, record, &n) == RING_BROKEN, "%s",
	    hostile[_i].name);
	check_empty(reader);
	ring_taken(reader);
	/* and an honest one goes on there */
	ck_assert(ring_put(writer, BYTES("next")) == 0);
	check_next(reader, BYTES("next"));
	munmap(p, PAGE + SIZE);
}
END_TEST

static bool
is_awake(void)
{
	struct pollfd p = { .fd = wake_fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

START_TEST(ring_wakes_a_sleeper_once)
{
	uint64_t count;

	ck_assert(put_n(1) == 0);
	ck_assert(!is_awake());
	/* something came meanwhile */
	ck_assert(!ring_sleep(reader));
	check_next(reader, BYTES("a"));
	ring_taken(reader);
	ck_assert(ring_sleep(reader));
	ck_assert(put_n(1) == 0);
	ck_assert(put_n(1) == 0);
	ck_assert(is_awake());
	ck_assert(read(wake_fd, &count, sizeof(count)) == sizeof(count));
	ck_assert_uint_eq(count, 1);
}
END_TEST

/* A reader that takes its time between two looks is told before it is late. */
START_TEST(ring_wakes_once_when_half_full)
{
	uint64_t count;

	for (size_t i = 1; i < SIZE / 2 / 1024; i++)
		ck_assert(put_n(1020) == 0);
	ck_assert(!is_awake());
	ck_assert(put_n(1020) == 0);
	ck_assert(put_n(1020) == 0);
	ck_assert(is_awake());
	ck_assert(read(wake_fd, &count, sizeof(count)) == sizeof(count));
	ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(ring_behind_a_wrong_descriptor_is_refused)
{
	struct err e = { 0 };
	int small = memfd_create("small", MFD_CLOEXEC);
	int empty = ring_create(0, &e);

	ck_assert(ftruncate(small, (off_t)(2 * PAGE - 1)) == 0);
	ck_assert(ring_map(small, -1, &e) == NULL);
	ck_assert_str_eq(e.text, "ring: descriptor is no ring");
	ck_assert(ring_map(empty, -1, &e) == NULL);
	ck_assert(ring_map(-1, -1, &e) == NULL);
	ring_unmap(NULL);
	close(small);
	close(empty);
}
END_TEST

Suite *ring_suite(void);

Suite *
ring_suite(void)
{
	Suite *s = suite_create("ring");
	TCase *t = tcase_create("ring");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, ring_gives_records_in_their_order);
	tcase_add_loop_test(t, ring_records_have_a_limit, 0, COUNT(sizes));
	tcase_add_test(t, ring_overflow_is_dropped_and_counted);
	tcase_add_test(t, ring_wraps_around);
	tcase_add_test(t, ring_survives_its_reader);
	tcase_add_loop_test(
	    t, ring_of_a_killed_writer_holds_whole_lines, 0, 10);
	tcase_add_test(t, ring_shows_nothing_half_written);
	tcase_add_loop_test(
	    t, ring_of_a_hostile_writer_is_emptied, 0, COUNT(hostile));
	tcase_add_test(t, ring_wakes_a_sleeper_once);
	tcase_add_test(t, ring_wakes_once_when_half_full);
	tcase_add_test(t, ring_behind_a_wrong_descriptor_is_refused);
	suite_add_tcase(s, t);
	return s;
}
