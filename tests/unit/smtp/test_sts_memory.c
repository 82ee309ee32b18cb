/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/sts_memory.h"

#include <check.h>
#include <stdio.h>
#include <sys/mman.h>

#include "tests/unit/steps.h"

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

/* Who is killed while he writes leaves no row of two policies: that of another
 * domain, or an id whose policy is not the one that is there. */

static struct sts_memory *shared;
static struct sts_known before, after, other;

static struct sts_known
policy(const char *domain, const char *id, uint64_t expires, char letter)
{
	struct sts_known k = {
		.expires_ms = expires,
		.policy = { .mode = STS_ENFORCE, .hosts_n = STS_HOSTS_MAX },
	};

	snprintf(k.domain, sizeof(k.domain), "%s", domain);
	snprintf(k.id, sizeof(k.id), "%s", id);
	for (size_t i = 0; i < STS_HOSTS_MAX; i++)
		memset(k.policy.hosts[i], letter, HOST_MAX);
	return k;
}

static void
write_after(void)
{
	sts_memory_keep(shared, &after, 1);
}

static void
look(void)
{
	const struct sts_known *k =
	    sts_memory_find(shared, bytes_of(after.domain));
	const struct sts_known *o =
	    sts_memory_find(shared, bytes_of(other.domain));

	ck_assert(k == NULL || memcmp(k, &before, sizeof(before)) == 0 ||
	    memcmp(k, &after, sizeof(after)) == 0);
	ck_assert(o == NULL || memcmp(o, &other, sizeof(other)) == 0);
}

/* Where a domain goes; it is gone behind it. */
static ptrdiff_t
set_of(struct sts_memory *m, const char *domain)
{
	struct sts_known k = policy(domain, "0", LATER, 's');
	ptrdiff_t at;

	sts_memory_keep(m, &k, 1);
	at = sts_memory_find(m, bytes_of(domain)) - m->rows[0];
	m->rows[at / STS_MEMORY_WAYS][at % STS_MEMORY_WAYS] =
	    (struct sts_known){ 0 };
	return at / STS_MEMORY_WAYS;
}

/* A domain whose place the others of its set take. */
static void
fill_set(void)
{
	ptrdiff_t set = set_of(shared, after.domain);
	size_t found = 0;
	char name[32];

	for (unsigned i = 0; found < STS_MEMORY_WAYS; i++) {
		struct sts_known k;

		snprintf(name, sizeof(name), "s%u.test", i);
		if (set_of(shared, name) != set)
			continue;
		k = policy(name, "9", LATER + found, 'o');
		if (found++ == 0)
			other = k;
		sts_memory_keep(shared, &k, 1);
	}
}

START_TEST(sts_memory_has_no_half_of_a_policy)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(shared != MAP_FAILED);
	before = policy("a.test", "1", 2 * LATER, 'b');
	after = policy("a.test", "2", 3 * LATER, 'a');
	/* For the first time, in the place of another, and anew. */
	steps_try(write_after, look);
	memset(shared, 0, sizeof(*shared));
	fill_set();
	steps_try(write_after, look);
	ck_assert_ptr_null(sts_memory_find(shared, bytes_of(other.domain)));
	memset(shared, 0, sizeof(*shared));
	sts_memory_keep(shared, &before, 1);
	steps_try(write_after, look);
	ck_assert_str_eq(
	    sts_memory_find(shared, bytes_of(after.domain))->id, "2");
	munmap(shared, sizeof(*shared));
}
END_TEST

/* Nor by those with one whose names somebody made for it: they meet it where
 * the secret is what he took it for. */
START_TEST(sts_memory_is_not_flooded_by_chosen_domains)
{
	char names[STS_MEMORY_WAYS][32];
	ptrdiff_t set = set_of(&memory, "bank.test");
	size_t n = 0;

	for (unsigned i = 0; n < STS_MEMORY_WAYS; i++) {
		snprintf(names[n], sizeof(names[n]), "s%u.test", i);
		n += set_of(&memory, names[n]) == set;
	}
	for (uint64_t secret = 0; secret < 2; secret++) {
		memset(&memory, 0, sizeof(memory));
		memory.secret = secret;
		keep("bank.test", 1, LATER, 0);
		for (size_t i = 0; i < n; i++)
			keep(names[i], 1, 2 * LATER, 0);
		ck_assert((find("bank.test") != NULL) == (secret != 0));
	}
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
	tcase_add_test(t, sts_memory_is_not_flooded_by_chosen_domains);
	tcase_add_test(t, sts_memory_has_no_half_of_a_policy);
	suite_add_tcase(s, t);
	return s;
}
