/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/arena.h"

#include <check.h>
#include <signal.h>
#include <stdalign.h>
#include <string.h>

static bool
is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

START_TEST(arena_memory_is_aligned_and_zero)
{
	struct arena a = { 0 };

	/* twice, so that the second finds what the first has left */
	for (int round = 0; round < 2; round++) {
		for (size_t n = 1; n < 9000; n += 97) {
			uint8_t *p = arena_alloc(&a, n);

			ck_assert_uint_eq(
			    (uintptr_t)p % alignof(max_align_t), 0);
			ck_assert(is_zero(p, n));
			memset(p, 0xff, n);
		}
		arena_release(&a);
	}
}
END_TEST

START_TEST(arena_pieces_do_not_touch)
{
	struct arena a = { 0 };
	uint8_t *pieces[200];

	for (size_t i = 0; i < COUNT(pieces); i++) {
		pieces[i] = arena_alloc(&a, 1 + i);
		memset(pieces[i], (int)i, 1 + i);
	}
	for (size_t i = 0; i < COUNT(pieces); i++)
		for (size_t k = 0; k <= i; k++)
			ck_assert_uint_eq(pieces[i][k], (uint8_t)i);
	arena_release(&a);
}
END_TEST

START_TEST(arena_gives_nothing_an_address)
{
	struct arena a = { 0 };
	void *p = arena_alloc(&a, 0);

	ck_assert(p != NULL);
	ck_assert(ARENA_ARRAY(&a, uint16_t, 0) != NULL);
	arena_release(&a);
}
END_TEST

START_TEST(arena_copies_end_with_nul)
{
	struct arena a = { 0 };
	struct bytes copy = arena_copy(&a, BYTES("a\0b"));

	ck_assert(bytes_equal(copy, BYTES("a\0b")));
	ck_assert_uint_eq(copy.p[copy.n], 0);
	copy = arena_copy(&a, (struct bytes){ 0 });
	ck_assert_uint_eq(copy.n, 0);
	ck_assert_uint_eq(copy.p[0], 0);
	ck_assert_str_eq(arena_string(&a, BYTES("abc")), "abc");
	ck_assert_str_eq(arena_string(&a, (struct bytes){ 0 }), "");
	arena_release(&a);
}
END_TEST

START_TEST(arena_prints_what_is_longer_than_a_chunk)
{
	struct arena a = { 0 };
	char *s = arena_printf(&a, "%05000d", 7);

	ck_assert_uint_eq(strlen(s), 5000);
	ck_assert_str_eq(s + 4998, "07");
	ck_assert_str_eq(arena_printf(&a, "%s", ""), "");
	arena_release(&a);
}
END_TEST

START_TEST(arena_is_empty_after_release)
{
	struct arena a = { 0 };

	arena_release(&a);
	arena_alloc(&a, 5000);
	arena_release(&a);
	ck_assert(a.chunks == NULL && a.left == 0);
	arena_release(&a);
}
END_TEST

START_TEST(size_arithmetic_reaches_its_end)
{
	ck_assert_uint_eq(size_add(SIZE_MAX - 1, 1), SIZE_MAX);
	ck_assert_uint_eq(size_mul(SIZE_MAX / 2, 2), SIZE_MAX - 1);
	ck_assert_uint_eq(size_mul(SIZE_MAX, 0), 0);
}
END_TEST

/* Overflow is a bug of ours: the process aborts. */
START_TEST(size_add_aborts_past_its_end)
{
	ck_assert_uint_eq(size_add(SIZE_MAX, 1), 0);
}
END_TEST

START_TEST(size_mul_aborts_past_its_end)
{
	ck_assert_uint_eq(size_mul(SIZE_MAX / 2 + 1, 2), 0);
}
END_TEST

START_TEST(arena_aborts_on_a_size_past_its_end)
{
	struct arena a = { 0 };

	ck_assert(arena_alloc(&a, SIZE_MAX) == NULL);
}
END_TEST

Suite *arena_suite(void);

Suite *
arena_suite(void)
{
	Suite *s = suite_create("arena");
	TCase *t = tcase_create("arena");

	tcase_add_test(t, arena_memory_is_aligned_and_zero);
	tcase_add_test(t, arena_pieces_do_not_touch);
	tcase_add_test(t, arena_gives_nothing_an_address);
	tcase_add_test(t, arena_copies_end_with_nul);
	tcase_add_test(t, arena_prints_what_is_longer_than_a_chunk);
	tcase_add_test(t, arena_is_empty_after_release);
	tcase_add_test(t, size_arithmetic_reaches_its_end);
	tcase_add_test_raise_signal(t, size_add_aborts_past_its_end, SIGABRT);
	tcase_add_test_raise_signal(t, size_mul_aborts_past_its_end, SIGABRT);
	tcase_add_test_raise_signal(
	    t, arena_aborts_on_a_size_past_its_end, SIGABRT);
	suite_add_tcase(s, t);
	return s;
}
