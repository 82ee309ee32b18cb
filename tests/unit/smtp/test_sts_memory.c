/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/sts_memory.h"

#include <check.h>
#include <stdio.h>

Suite *sts_memory_suite(void);

#define LATER 1000000

static struct sts_memory memory;

static void
keep(const char *domain, uint64_t recheck, uint64_t expires, uint64_t now)
{
	struct sts_known k = { .recheck_ms = recheck, .expires_ms = expires };

	snprintf(k.domain, sizeof(k.domain), "%s", domain);
	sts_memory_keep(&memory, &k, now);
}

static const struct sts_known *
find(const char *domain)
{
	return sts_memory_find(&memory, bytes_of(domain));
}

/* More domains than there is room for, each without a policy. */
static void
fill(uint64_t now)
{
	char domain[32];

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(domain, sizeof(domain), "d%u.test", i);
		keep(domain, now + i, 0, now);
	}
}

START_TEST(sts_memory_keeps_what_was_found)
{
	ck_assert_ptr_null(find("a.test"));
	keep("a.test", 1, LATER, 0);
	keep("b.test", 2, 0, 0);
	ck_assert_uint_eq(find("a.test")->expires_ms, LATER);
	ck_assert_uint_eq(find("b.test")->expires_ms, 0);
	keep("a.test", 3, 7, 0);
	ck_assert_uint_eq(find("a.test")->recheck_ms, 3);
	ck_assert_uint_eq(find("a.test")->expires_ms, 7);
}
END_TEST

START_TEST(sts_memory_is_not_flooded_by_domains_without_a_policy)
{
	keep("bank.test", 1, LATER, 0);
	fill(10);
	ck_assert_ptr_nonnull(find("bank.test"));
	ck_assert_ptr_nonnull(find("d19999.test"));
	ck_assert_ptr_null(find("d0.test"));
	/* Behind its end it is one of them. */
	fill(LATER);
	ck_assert_ptr_null(find("bank.test"));
}
END_TEST

/* Where all have one, the one that ends first gives way; to one that has one.
 */
START_TEST(sts_memory_keeps_the_longest)
{
	char domain[32];

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(domain, sizeof(domain), "p%u.test", i);
		keep(domain, 1, LATER + i, 0);
	}
	ck_assert_ptr_null(find("p0.test"));
	ck_assert_ptr_nonnull(find("p19999.test"));
	fill(0);
	ck_assert_ptr_null(find("d19999.test"));
	ck_assert_ptr_nonnull(find("p19999.test"));
}
END_TEST

Suite *
sts_memory_suite(void)
{
	Suite *s = suite_create("sts_memory");
	TCase *t = tcase_create("all");

	tcase_add_test(t, sts_memory_keeps_what_was_found);
	tcase_add_test(
	    t, sts_memory_is_not_flooded_by_domains_without_a_policy);
	tcase_add_test(t, sts_memory_keeps_the_longest);
	suite_add_tcase(s, t);
	return s;
}
