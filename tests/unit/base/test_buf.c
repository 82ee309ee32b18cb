/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/buf.h"

#include <check.h>
#include <string.h>

static const uint8_t letters[5001] = { [0 ... 4999] = 'a' };

static const struct {
	const char *name;
	size_t max, first, second;
	int want; /* of the second */
} appends[] = {
	{ "nothing into nothing", 0, 0, 0, 0 },
	{ "a byte into nothing", 0, 0, 1, -1 },
	{ "at the limit", 10, 4, 6, 0 },
	{ "one past the limit", 10, 4, 7, -1 },
	{ "nothing at the limit", 10, 10, 0, 0 },
	{ "a byte at the limit", 10, 10, 1, -1 },
	{ "over the first size", 5000, 200, 57, 0 },
	{ "at a limit over the first size", 3000, 300, 2700, 0 },
	{ "one past a limit over the first size", 3000, 300, 2701, -1 },
	{ "without a limit", SIZE_MAX, 300, 4700, 0 },
};

START_TEST(buf_append_keeps_its_limit)
{
	struct buf b;
	size_t want = appends[_i].first;

	buf_init(&b, appends[_i].max);
	ck_assert(
	    buf_append(&b, (struct bytes){ letters, appends[_i].first }) == 0);
	ck_assert_msg(
	    buf_append(&b, (struct bytes){ letters, appends[_i].second }) ==
		appends[_i].want,
	    "%s", appends[_i].name);
	if (appends[_i].want == 0)
		want += appends[_i].second;
	ck_assert_uint_eq(b.n, want);
	ck_assert(b.size <= b.max);
	ck_assert(bytes_equal(buf_bytes(&b), (struct bytes){ letters, want }));
	buf_release(&b);
}
END_TEST

START_TEST(buf_reserve_of_too_much_is_refused)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	ck_assert(buf_append(&b, BYTES("a")) == 0);
	ck_assert(buf_reserve(&b, SIZE_MAX) == -1);
	buf_release(&b);
	buf_init(&b, 10);
	ck_assert(buf_reserve(&b, 10) == 0);
	ck_assert(buf_reserve(&b, 11) == -1);
	ck_assert(buf_reserve(&b, SIZE_MAX) == -1);
	ck_assert_uint_eq(b.n, 0);
	buf_release(&b);
}
END_TEST

START_TEST(buf_reserve_gives_room_behind)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert(buf_append(&b, BYTES("ab")) == 0);
	ck_assert(buf_reserve(&b, 998) == 0);
	memset(b.p + b.n, 'x', 998);
	b.n += 998;
	ck_assert(buf_append(&b, BYTES("y")) == -1);
	ck_assert(bytes_start_with(buf_bytes(&b), BYTES("abx")));
	buf_release(&b);
}
END_TEST

START_TEST(buf_consume_drops_the_head)
{
	for (size_t n = 0; n <= 6; n++) {
		struct buf b;
		struct bytes want = BYTES("abcdef");

		buf_init(&b, 6);
		ck_assert(buf_append_string(&b, "abcdef") == 0);
		buf_consume(&b, n);
		bytes_take(&want, n);
		ck_assert(bytes_equal(buf_bytes(&b), want));
		/* the room is free again */
		ck_assert(buf_append(&b, (struct bytes){ letters, n }) == 0);
		ck_assert(buf_append(&b, BYTES("a")) == -1);
		buf_release(&b);
	}
}
END_TEST

/* Around the room in which it prints first, and around the limit. */
START_TEST(buf_printf_is_whole_or_nothing)
{
	for (int n = 500; n < 520; n++) {
		struct buf b;

		buf_init(&b, (size_t)n);
		ck_assert(buf_printf(&b, "%.*s", n, letters) == 0);
		ck_assert_uint_eq(b.n, (size_t)n);
		ck_assert_mem_eq(b.p, letters, (size_t)n);
		buf_release(&b);
		buf_init(&b, (size_t)n - 1);
		ck_assert(buf_printf(&b, "%.*s", n, letters) == -1);
		ck_assert_uint_eq(b.n, 0);
		buf_release(&b);
	}
}
END_TEST

START_TEST(buf_release_keeps_the_limit)
{
	struct buf b;

	buf_init(&b, 3);
	ck_assert(buf_append(&b, BYTES("abc")) == 0);
	buf_release(&b);
	ck_assert_uint_eq(b.n, 0);
	ck_assert(buf_append(&b, BYTES("abcd")) == -1);
	ck_assert(buf_append(&b, BYTES("abc")) == 0);
	buf_release(&b);
	buf_release(&b);
}
END_TEST

Suite *buf_suite(void);

Suite *
buf_suite(void)
{
	Suite *s = suite_create("buf");
	TCase *t = tcase_create("buf");

	tcase_add_loop_test(t, buf_append_keeps_its_limit, 0, COUNT(appends));
	tcase_add_test(t, buf_reserve_of_too_much_is_refused);
	tcase_add_test(t, buf_reserve_gives_room_behind);
	tcase_add_test(t, buf_consume_drops_the_head);
	tcase_add_test(t, buf_printf_is_whole_or_nothing);
	tcase_add_test(t, buf_release_keeps_the_limit);
	suite_add_tcase(s, t);
	return s;
}
