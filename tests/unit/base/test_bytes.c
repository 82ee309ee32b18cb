/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/bytes.h"

#include <check.h>

static const struct {
	const char *name;
	struct bytes text;
	uint64_t max;
	int want;
	uint64_t number;
} numbers[] = {
	{ "nothing is no number", BYTES(""), 100, -1, 0 },
	{ "a digit", BYTES("7"), 100, 0, 7 },
	{ "at the limit", BYTES("100"), 100, 0, 100 },
	{ "one past the limit", BYTES("101"), 100, -1, 0 },
	{ "a sign is no digit", BYTES("+1"), 100, -1, 0 },
	{ "a blank is no digit", BYTES("1 "), 100, -1, 0 },
	{ "largest of 64 bits", BYTES("18446744073709551615"), UINT64_MAX, 0,
	    UINT64_MAX },
	{ "overflow of 64 bits", BYTES("18446744073709551616"), UINT64_MAX, -1,
	    0 },
};

START_TEST(bytes_number_is_digits_within_bounds)
{
	uint64_t number = 0;
	int got = bytes_number(numbers[_i].text, numbers[_i].max, &number);

	ck_assert_msg(got == numbers[_i].want, "%s", numbers[_i].name);
	if (got == 0)
		ck_assert_uint_eq(number, numbers[_i].number);
}
END_TEST

START_TEST(bytes_take_until_splits_at_the_first)
{
	struct bytes b = BYTES("a=b=c");

	ck_assert(bytes_equal(bytes_take_until(&b, '='), BYTES("a")));
	ck_assert(bytes_equal(b, BYTES("b=c")));
	ck_assert(bytes_equal(bytes_take_until(&b, ';'), BYTES("b=c")));
	ck_assert_uint_eq(b.n, 0);
}
END_TEST

Suite *bytes_suite(void);

/* Of "", "a" and "foobar" FNV's authors give cbf29ce484222325,
 * af63dc4c8601ec8c and 85944171f73967e8. */
START_TEST(bytes_hash_is_fnv)
{
	ck_assert_uint_eq(bytes_hash(BYTES("")), 0xcbf29ce4 ^ 0x84222325);
	ck_assert_uint_eq(bytes_hash(BYTES("a")), 0xaf63dc4c ^ 0x8601ec8c);
	ck_assert_uint_eq(bytes_hash(BYTES("foobar")), 0x85944171 ^ 0xf73967e8);
}
END_TEST

Suite *
bytes_suite(void)
{
	Suite *s = suite_create("bytes");
	TCase *t = tcase_create("bytes");

	tcase_add_loop_test(
	    t, bytes_number_is_digits_within_bounds, 0, COUNT(numbers));
	tcase_add_test(t, bytes_take_until_splits_at_the_first);
	tcase_add_test(t, bytes_hash_is_fnv);
	suite_add_tcase(s, t);
	return s;
}
