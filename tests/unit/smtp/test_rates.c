/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/rates.h"

#include <check.h>

Suite *rates_suite(void);

static struct rates r;

static const struct {
	const char *name, *one, *other;
	bool same;
} cases[] = {
	{ "an address", "192.0.2.1", "192.0.2.1", true },
	{ "two of v4", "192.0.2.1", "192.0.2.2", false },
	{ "two of a network of v6", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2",
	    true },
	{ "two networks of v6", "2001:db8:0:1::1", "2001:db8:0:2::1", false },
};

static bool
take(const char *text, uint32_t max, uint64_t now_ms)
{
	struct address a;

	ck_assert_int_eq(address_parse(&a, bytes_of(text)), 0);
	return rates_take(&r, rates_key(&a), max, now_ms);
}

START_TEST(rates_count_a_client)
{
	const char *name = cases[_i].name;

	r = (struct rates){ .secret = 42 };
	ck_assert_msg(take(cases[_i].one, 2, 60000), "%s", name);
	ck_assert_msg(take(cases[_i].one, 2, 60000), "%s", name);
	ck_assert_msg(!take(cases[_i].one, 2, 119999), "%s", name);
	ck_assert_msg(
	    take(cases[_i].other, 2, 119999) != cases[_i].same, "%s", name);
	ck_assert_msg(take(cases[_i].one, 2, 120000), "%s", name);
}
END_TEST

/* Rows are used evenly, whatever the secret is. */
START_TEST(rates_spread)
{
	size_t used = 0;
	char text[32];

	r = (struct rates){ .secret = (uint64_t)_i * UINT64_C(0x123456789) };
	for (unsigned i = 0; i < RATES_ROWS; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		ck_assert(take(text, 100, 60000));
	}
	for (size_t i = 0; i < RATES_ROWS; i++)
		used += r.rows[i].n > 0;
	/* 63 % of them when keys fall by chance */
	ck_assert_uint_gt(used, RATES_ROWS / 2);
}
END_TEST

Suite *
rates_suite(void)
{
	Suite *s = suite_create("rates");
	TCase *t = tcase_create("rates");

	tcase_add_loop_test(t, rates_count_a_client, 0, COUNT(cases));
	tcase_add_loop_test(t, rates_spread, 0, 4);
	suite_add_tcase(s, t);
	return s;
}
