/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/passes.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1795489200

static struct passes *passes;
static struct address one, two;

static void
setup(void)
{
	passes = calloc(1, sizeof(*passes));
	ck_assert(passes != NULL && passes_init(passes) == 0);
	ck_assert(address_parse(&one, BYTES("192.0.2.1")) == 0 &&
	    address_parse(&two, BYTES("2001:db8::2")) == 0);
}

static void
teardown(void)
{
	free(passes);
}

START_TEST(passes_are_for_one_client_one_rule_and_a_time)
{
	ck_assert(!passes_hold(passes, &one, "r", NOW));
	passes_give(passes, &one, "r", NOW + 60);
	ck_assert(passes_hold(passes, &one, "r", NOW));
	ck_assert(passes_hold(passes, &one, "r", NOW + 59));
	ck_assert(!passes_hold(passes, &one, "r", NOW + 60));
	ck_assert(!passes_hold(passes, &two, "r", NOW));
	ck_assert(!passes_hold(passes, &one, "s", NOW));
	passes_give(passes, &one, "r", NOW + 600);
	ck_assert(passes_hold(passes, &one, "r", NOW + 599));
}
END_TEST

START_TEST(passes_tickets_are_forged_by_nobody)
{
	char ticket[PASSES_TICKET_N];
	char other[PASSES_TICKET_N];

	passes_ticket(passes, &one, "r", NOW, ticket);
	ck_assert(passes_accept(passes, &one, "r", NOW, bytes_of(ticket)));
	ck_assert(
	    passes_accept(passes, &one, "r", NOW + 3600, bytes_of(ticket)));
	ck_assert(
	    !passes_accept(passes, &one, "r", NOW + 7200, bytes_of(ticket)));
	ck_assert(!passes_accept(passes, &two, "r", NOW, bytes_of(ticket)));
	ck_assert(!passes_accept(passes, &one, "s", NOW, bytes_of(ticket)));
	ck_assert(!passes_accept(passes, &one, "r", NOW, BYTES("")));
	ck_assert(!passes_accept(passes, &one, "r", NOW,
	    (struct bytes){ (uint8_t *)ticket, PASSES_TICKET_N - 2 }));
	ticket[7] ^= 1;
	ck_assert(!passes_accept(passes, &one, "r", NOW, bytes_of(ticket)));
	/* no pass can be read off a ticket */
	ck_assert(!passes_hold(passes, &one, "r", NOW));
	ck_assert(passes_init(passes) == 0);
	passes_ticket(passes, &one, "r", NOW, other);
	ticket[7] ^= 1;
	ck_assert_str_ne(ticket, other);
}
END_TEST

/* The longest name that a rule may have. */
START_TEST(passes_know_long_names)
{
	char name[65] = { 0 };

	memset(name, 'n', 64);
	passes_give(passes, &one, name, NOW + 1);
	ck_assert(passes_hold(passes, &one, name, NOW));
	name[63] = 'm';
	ck_assert(!passes_hold(passes, &one, name, NOW));
}
END_TEST

/* Far more than there is room for: the newest stand, and none is wrong. */
START_TEST(passes_give_way_to_those_that_last_longer)
{
	struct address a = one;
	unsigned held = 0;

	for (unsigned i = 0; i < 4 * PASSES; i++) {
		memcpy(a.octets + 12, &i, sizeof(i));
		passes_give(passes, &a, "r", NOW + 1 + i);
		ck_assert(passes_hold(passes, &a, "r", NOW));
	}
	for (unsigned i = 0; i < 4 * PASSES; i++) {
		memcpy(a.octets + 12, &i, sizeof(i));
		held += passes_hold(passes, &a, "r", NOW);
	}
	ck_assert_uint_le(held, PASSES);
	ck_assert_uint_gt(held, PASSES / 2);
}
END_TEST

Suite *passes_suite(void);

Suite *
passes_suite(void)
{
	Suite *s = suite_create("passes");
	TCase *t = tcase_create("passes");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, passes_are_for_one_client_one_rule_and_a_time);
	tcase_add_test(t, passes_tickets_are_forged_by_nobody);
	tcase_add_test(t, passes_know_long_names);
	tcase_add_test(t, passes_give_way_to_those_that_last_longer);
	suite_add_tcase(s, t);
	return s;
}
