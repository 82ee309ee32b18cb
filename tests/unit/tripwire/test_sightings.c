/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tripwire/sightings.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOW 5000

static struct {
	unsigned messages;
	uint64_t packets;
	struct trip last;
} told;

static struct sightings *all;

static void
tell(void *owner, const struct trip *t)
{
	(void)owner;
	told.messages++;
	told.packets += t->count;
	told.last = *t;
}

static void
setup(void)
{
	memset(&told, 0, sizeof(told));
	all = sightings_new(tell, NULL);
}

static void
teardown(void)
{
	sightings_free(all);
}

static void
see(unsigned source, uint64_t now)
{
	struct trip t = { .how = TRIP_PACKET };

	t.from.octets[10] = t.from.octets[11] = 0xff;
	t.from.octets[13] = (uint8_t)(source >> 16);
	t.from.octets[14] = (uint8_t)(source >> 8);
	t.from.octets[15] = (uint8_t)source;
	sightings_take(all, &t, now);
}

START_TEST(sightings_tell_the_first_at_once_and_then_counts)
{
	see(1, NOW);
	ck_assert_uint_eq(told.messages, 1);
	ck_assert_uint_eq(told.last.count, 1);
	for (unsigned i = 0; i < 100000; i++)
		see(1, NOW + i / 100);
	ck_assert_uint_eq(told.messages, 1);
	see(2, NOW + 999);
	ck_assert_uint_eq(told.messages, 2); /* another waits for nobody */
	sightings_tick(all, NOW + 1000);
	ck_assert_uint_eq(told.messages, 3);
	ck_assert_uint_eq(told.last.count, 100000);
	sightings_tick(all, NOW + 1001);
	ck_assert_uint_eq(told.messages, 3);
	ck_assert(sightings_busy(all));
	sightings_tick(all, NOW + 2000);
	ck_assert(!sightings_busy(all)); /* both were quiet for a second */
	ck_assert_uint_eq(sightings_lost(all), 0);
}
END_TEST

START_TEST(sightings_of_many_sources_are_told_in_turn)
{
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < SIGHTINGS_MAX; i++)
			see(i, NOW);
	ck_assert_uint_eq(told.messages, SIGHTINGS_TOLD_MAX);
	ck_assert_uint_eq(sightings_lost(all), 0);
	see(SIGHTINGS_MAX, NOW); /* one more than there is room for */
	ck_assert_uint_eq(sightings_lost(all), 1);
	ck_assert_uint_eq(sightings_lost(all), 0);
	for (unsigned ms = 0; ms <= 20000; ms += SIGHTINGS_TICK_MS) {
		unsigned before = told.messages;

		sightings_tick(all, NOW + ms);
		ck_assert_uint_le(told.messages - before, SIGHTINGS_TOLD_MAX);
	}
	ck_assert_uint_eq(told.packets, 2 * SIGHTINGS_MAX);
	ck_assert(!sightings_busy(all));
	see(SIGHTINGS_MAX, NOW + 30000);
	ck_assert_uint_eq(sightings_lost(all), 0);
}
END_TEST

Suite *sightings_suite(void);

Suite *
sightings_suite(void)
{
	Suite *s = suite_create("sightings");
	TCase *c = tcase_create("rate");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, sightings_tell_the_first_at_once_and_then_counts);
	tcase_add_test(c, sightings_of_many_sources_are_told_in_turn);
	suite_add_tcase(s, c);
	return s;
}
