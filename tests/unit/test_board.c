/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/board.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct board *board;

static void
setup(void)
{
	struct err e;

	board = board_new(&e);
	ck_assert_msg(board != NULL, "%s", e.text);
}

static void
teardown(void)
{
	board_own(NULL);
	board_free(board);
}

/* What follows is counted in that row. */
static void
become(size_t slot)
{
	atomic_store(&board->rows[slot].pid, 1000 + (pid_t)slot);
	board_own(&board->rows[slot]);
}

static struct address
client(unsigned n)
{
	struct address a;

	ck_assert(address_parse(&a, BYTES("2001:db8::")) == 0);
	memcpy(a.octets + 12, &n, sizeof(n));
	return a;
}

START_TEST(board_begins_empty_with_a_key)
{
	struct err e;
	struct board *other = board_new(&e);

	for (unsigned c = 0; c < COUNTER_COUNT; c++)
		ck_assert_uint_eq(counter_sum(board, c), 0);
	ck_assert(board->key != 0 && board->key != other->key);
	board_free(other);
	board_free(NULL);
}
END_TEST

START_TEST(board_counts_without_a_row_nothing)
{
	struct address a = client(1);

	counter_add(COUNTER_EXCHANGES, 1);
	counter_sub(COUNTER_EXCHANGES, 1);
	board_connected(board, &a, 0);
	board_disconnected(board, &a, 0);
	ck_assert_uint_eq(counter_sum(board, COUNTER_EXCHANGES), 0);
	ck_assert_uint_eq(board_client_connections(board, &a), 0);
}
END_TEST

START_TEST(board_adds_up_rows_in_use)
{
	become(0);
	counter_add(COUNTER_EXCHANGES, 5);
	become(BOARD_SLOTS - 1);
	counter_add(COUNTER_EXCHANGES, 7);
	counter_sub(COUNTER_EXCHANGES, 2);
	counter_add(COUNTER_BLOCKED, 1);
	ck_assert_uint_eq(counter_sum(board, COUNTER_EXCHANGES), 10);
	ck_assert_uint_eq(counter_sum(board, COUNTER_BLOCKED), 1);
	atomic_store(&board->rows[0].pid, 0);
	ck_assert_uint_eq(counter_sum(board, COUNTER_EXCHANGES), 5);
}
END_TEST

START_TEST(board_counts_connections_over_all_rows)
{
	struct address a = client(1);
	struct address b = client(2);

	become(1);
	board_connected(board, &a, 3);
	board_connected(board, &a, 3);
	become(2);
	board_connected(board, &a, 3);
	board_connected(board, &b, BODIES_MAX - 1);
	ck_assert_uint_eq(board_client_connections(board, &a), 3);
	ck_assert_uint_eq(board_client_connections(board, &b), 1);
	ck_assert_uint_eq(board_body_connections(board, 3), 3);
	ck_assert_uint_eq(board_body_connections(board, BODIES_MAX - 1), 1);
	ck_assert_uint_eq(board_body_connections(board, 0), 0);
	board_disconnected(board, &a, 3);
	ck_assert_uint_eq(board_client_connections(board, &a), 2);
	ck_assert_uint_eq(board_body_connections(board, 3), 2);
}
END_TEST

START_TEST(board_client_is_its_address_and_not_its_port)
{
	struct address a = client(1);
	struct address b = client(1);

	b.port = 40000;
	become(0);
	board_connected(board, &a, 0);
	ck_assert_uint_eq(board_client_connections(board, &b), 1);
}
END_TEST

/* What a process that died held open is nobody's any more. */
START_TEST(board_row_clear_leaves_nothing)
{
	static const struct board_row nothing;
	struct address a = client(1);

	become(4);
	memcpy(board->rows[4].process, "edge.4", 7);
	counter_add(COUNTER_CONNECTIONS, 9);
	board_connected(board, &a, 5);
	atomic_store(&board->rows[4].generation, 2);
	atomic_store(&board->rows[4].draining, 1);
	atomic_store(&board->rows[4].started, 12345);
	board_row_clear(&board->rows[4]);
	ck_assert(memcmp(&board->rows[4], &nothing, sizeof(nothing)) == 0);
	ck_assert_uint_eq(board_client_connections(board, &a), 0);
}
END_TEST

START_TEST(board_spreads_clients_over_its_buckets)
{
	unsigned shared = 0;

	become(0);
	for (unsigned i = 0; i < 2000; i++) {
		struct address a = client(i);

		shared += board_client_connections(board, &a) > 0;
		board_connected(board, &a, 0);
	}
	/* 2000 * 2000 / 2 / 65536 is 30 */
	ck_assert_uint_lt(shared, 100);
	ck_assert_uint_eq(board_body_connections(board, 0), 2000);
}
END_TEST

START_TEST(board_is_shared_with_forks)
{
	pid_t pid = fork();
	int status;

	ck_assert(pid >= 0);
	if (pid == 0) {
		become(9);
		counter_add(COUNTER_EXCHANGES, 42);
		_exit(0);
	}
	ck_assert(waitpid(pid, &status, 0) == pid);
	ck_assert_uint_eq(counter_sum(board, COUNTER_EXCHANGES), 42);
}
END_TEST

START_TEST(board_counters_have_names)
{
	char *words = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&words, &n);

	ck_assert(out != NULL);
	board_manual(out, "ja");
	board_manual(out, "en");
	fclose(out);
	for (unsigned c = 0; c < COUNTER_COUNT; c++)
		ck_assert(strstr(words, counter_name(c)) != NULL);
	free(words);
}
END_TEST

Suite *board_suite(void);

Suite *
board_suite(void)
{
	Suite *s = suite_create("board");
	TCase *t = tcase_create("board");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, board_begins_empty_with_a_key);
	tcase_add_test(t, board_counts_without_a_row_nothing);
	tcase_add_test(t, board_adds_up_rows_in_use);
	tcase_add_test(t, board_counts_connections_over_all_rows);
	tcase_add_test(t, board_client_is_its_address_and_not_its_port);
	tcase_add_test(t, board_row_clear_leaves_nothing);
	tcase_add_test(t, board_spreads_clients_over_its_buckets);
	tcase_add_test(t, board_is_shared_with_forks);
	tcase_add_test(t, board_counters_have_names);
	suite_add_tcase(s, t);
	return s;
}
