/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/incidents.h"

#include <check.h>
#include <stdlib.h>

#include "proxy/isolation/trips.h"

#define NOW UINT64_C(1795489200000)
#define MINUTE UINT64_C(60000)

static struct incidents all;
static struct {
	unsigned more, quiet;
	uint64_t count;
} told;

static void
setup(void)
{
	all = (struct incidents){ .last_number = 41 };
	memset(&told, 0, sizeof(told));
}

static void
teardown(void)
{
	incidents_release(&all);
}

static void
tell(void *owner, const struct incident *i, enum incident_news news)
{
	(void)owner;
	told.more += news == INCIDENT_MORE;
	told.quiet += news == INCIDENT_QUIET;
	told.count = i->count;
}

static enum incident_news
trip(const char *where, uint32_t count, uint64_t now, struct incident **out)
{
	const struct trip t = { .how = TRIP_WEB, .count = count };

	return incidents_take(&all, where, &t, now, out);
}

START_TEST(incidents_are_one_for_a_flood)
{
	struct incident *first, *i;
	uint64_t now = NOW;

	ck_assert_int_eq(trip("juki", 1, now, &first), INCIDENT_OPENED);
	ck_assert_uint_eq(first->number, 42);
	for (unsigned n = 1; n < 10000; n++) {
		now += 60; /* ten minutes of them */
		ck_assert_int_eq(trip("juki", 1, now, &i), INCIDENT_COUNTED);
		ck_assert_ptr_eq(i, first);
		incidents_tick(&all, now, tell, NULL);
	}
	ck_assert_uint_eq(first->count, 10000);
	ck_assert_uint_ge(told.more, 9);
	ck_assert_uint_le(told.more, 10);
	ck_assert_uint_eq(told.quiet, 0);
	ck_assert_uint_eq(all.open_n, 1);
}
END_TEST

START_TEST(incidents_end_by_quiet)
{
	struct incident *i;

	trip("juki", 3, NOW, &i);
	incidents_tick(&all, NOW + INCIDENT_QUIET_MS - 1, tell, NULL);
	ck_assert_uint_eq(all.open_n, 1);
	trip("juki", 0, NOW + INCIDENT_QUIET_MS - 1, &i);
	incidents_tick(&all, NOW + 2 * INCIDENT_QUIET_MS - 2, tell, NULL);
	ck_assert_uint_eq(all.open_n, 1);
	ck_assert_uint_eq(told.more, 1);
	incidents_tick(&all, NOW + 2 * INCIDENT_QUIET_MS - 1, tell, NULL);
	ck_assert_uint_eq(all.open_n, 0);
	ck_assert_uint_eq(told.quiet, 1);
	ck_assert_uint_eq(told.count, 4);
	ck_assert_int_eq(
	    trip("juki", 1, NOW + 3 * INCIDENT_QUIET_MS, &i), INCIDENT_OPENED);
	ck_assert_uint_eq(i->number, 43);
}
END_TEST

START_TEST(incidents_tell_nothing_twice)
{
	struct incident *i;

	trip("juki", 1, NOW, &i);
	incidents_tick(&all, NOW + MINUTE, tell, NULL);
	ck_assert_uint_eq(told.more, 0); /* its first is told by its opening */
	trip("juki", 5, NOW + MINUTE, &i);
	incidents_tick(&all, NOW + MINUTE, tell, NULL);
	ck_assert_uint_eq(told.more, 1);
	incidents_tick(&all, NOW + 3 * MINUTE, tell, NULL);
	ck_assert_uint_eq(told.more, 1);
}
END_TEST

START_TEST(incidents_are_apart_by_where)
{
	struct incident *one, *two;

	trip("juki", 1, NOW, &one);
	ck_assert_int_eq(trip("zei", 1, NOW, &two), INCIDENT_OPENED);
	ck_assert_uint_ne(one->number, two->number);
	ck_assert_ptr_eq(incidents_find(&all, two->number), two);
	incidents_close(&all, one);
	ck_assert_ptr_null(incidents_find(&all, 42));
	ck_assert_uint_eq(all.open_n, 1);
}
END_TEST

START_TEST(incidents_have_a_most)
{
	struct incident *i;
	char where[32];

	for (unsigned n = 0; n < INCIDENTS_MAX + 500; n++) {
		snprintf(where, sizeof(where), "address %u", n);
		trip(where, 1, NOW, &i);
	}
	ck_assert_uint_eq(all.open_n, INCIDENTS_MAX);
	ck_assert_str_eq(i->where, "others");
	ck_assert_uint_eq(i->count, 501);
}
END_TEST

START_TEST(incidents_go_on_over_a_start)
{
	struct incident *i;

	incidents_resume(&all, 50, "juki", NOW - MINUTE, NOW);
	ck_assert_int_eq(trip("juki", 1, NOW, &i), INCIDENT_COUNTED);
	ck_assert_uint_eq(i->number, 50);
	ck_assert_int_eq(i->first.how, TRIP_WEB);
	ck_assert_int_eq(trip("zei", 1, NOW, &i), INCIDENT_OPENED);
	ck_assert_uint_eq(i->number, 51);
}
END_TEST

START_TEST(incidents_keep_the_first_evidence_and_the_highest_level)
{
	struct trip t = { .how = TRIP_WEB, .text = "GET one.test" };
	struct incident *i;

	incidents_take(&all, "juki", &t, NOW, &i);
	snprintf(t.text, sizeof(t.text), "GET two.test");
	t.level = TRIP_HIGHEST;
	incidents_take(&all, "juki", &t, NOW, &i);
	ck_assert_str_eq(i->first.text, "GET one.test");
	ck_assert_int_eq(i->first.level, TRIP_HIGHEST);
}
END_TEST

/* What a process tells: trips.h. */

static struct loop *loop;
static struct trip sent[128];
static size_t sent_n;
static uint64_t sent_ms[128];
static struct timer *ends;

static void
take(void *owner, const struct trip *t)
{
	(void)owner;
	ck_assert_uint_lt(sent_n, COUNT(sent));
	sent_ms[sent_n] = loop_now_ms(loop);
	sent[sent_n++] = *t;
}

static void
stop(void *owner)
{
	(void)owner;
	loop_stop(loop);
}

static void
run_for(uint64_t ms)
{
	timer_start(ends, ms);
	loop_run(loop);
}

static void
trips_setup(void)
{
	loop = loop_new();
	ends = timer_new(loop, stop, NULL);
	sent_n = 0;
}

static void
trips_teardown(void)
{
	timer_free(ends);
	loop_free(loop);
}

static struct address
address(unsigned n)
{
	struct address a = { .octets = { 0x20, 0x01, 0x0d, 0xb8 } };

	memcpy(a.octets + 12, &n, sizeof(n));
	return a;
}

START_TEST(trips_tell_once_and_then_by_the_second)
{
	struct trips *t = trips_new(loop, TRIP_WEB, take, NULL);
	struct address from = address(1), to = address(2);

	for (unsigned i = 0; i < 1000; i++) {
		trips_connected(t, &from, &to);
		trips_tried(t, &from, &to, BYTES("GET one.test:80"));
	}
	ck_assert_uint_eq(sent_n, 1); /* at once */
	ck_assert_int_eq(sent[0].how, TRIP_WEB);
	ck_assert_str_eq(sent[0].text, "GET one.test:80");
	ck_assert_uint_eq(sent[0].count, 1);
	ck_assert(address_equal(&sent[0].from, &from) &&
	    address_equal(&sent[0].to, &to));
	run_for(1600);
	ck_assert_uint_eq(sent_n, 2);
	ck_assert_uint_eq(sent[1].count, 999);
	ck_assert_uint_ge(sent_ms[1] - sent_ms[0], TRIPS_EVERY_MS);
	run_for(1500);
	ck_assert_uint_eq(sent_n, 2);
	trips_tried(t, &from, &to, BYTES("again"));
	ck_assert_uint_eq(sent_n, 3);
	trips_free(t);
	ck_assert_uint_eq(sent_n, 3);
}
END_TEST

/* Two canaries of one source are told of at once, each by its name. */
START_TEST(trips_tell_each_canary)
{
	struct trips *t = trips_new(loop, TRIP_CANARY, take, NULL);
	struct address from = address(1), to = address(2);

	for (unsigned i = 0; i < 100; i++) {
		trips_seen(t, "one", &from, &to, BYTES("one, web"));
		trips_seen(t, "two", &from, &to, BYTES("two, web"));
	}
	ck_assert_uint_eq(sent_n, 2);
	ck_assert_str_eq(sent[0].canary, "one");
	ck_assert_str_eq(sent[1].canary, "two");
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(sent[i].how, TRIP_CANARY);
		ck_assert_int_eq(sent[i].level, TRIP_HIGHEST);
		ck_assert_uint_eq(sent[i].count, 1);
	}
	run_for(1600);
	ck_assert_uint_eq(sent_n, 4);
	ck_assert_uint_eq(sent[2].count + sent[3].count, 198);
	trips_free(t);
}
END_TEST

/* Who connects and says nothing has tried it, too. */
START_TEST(trips_tell_of_silent_connections)
{
	struct trips *t = trips_new(loop, TRIP_WEB, take, NULL);
	struct address from = address(1), to = address(2);

	trips_connected(t, &from, &to);
	ck_assert_uint_eq(sent_n, 0);
	run_for(500);
	ck_assert_uint_eq(sent_n, 1);
	ck_assert_str_eq(sent[0].text, "connection");
	trips_connected(t, &from, &to);
	trips_free(t);
	ck_assert_uint_eq(sent_n, 2);
}
END_TEST

START_TEST(trips_forget_no_source_for_another)
{
	struct trips *t = trips_new(loop, TRIP_WEB, take, NULL);
	struct address to = address(2);

	for (unsigned i = 0; i < TRIPS_SOURCES_MAX + 9; i++) {
		struct address from = address(100 + i);

		trips_connected(t, &from, &to);
	}
	ck_assert_uint_eq(sent_n, 9);
	trips_free(t);
	ck_assert_uint_eq(sent_n, TRIPS_SOURCES_MAX + 9);
}
END_TEST

START_TEST(trips_cut_words)
{
	struct trips *t = trips_new(loop, TRIP_WEB, take, NULL);
	struct address from = address(1);
	char words[2 * TRIP_TEXT_MAX];

	memset(words, 'x', sizeof(words));
	trips_tried(
	    t, &from, &from, (struct bytes){ (uint8_t *)words, sizeof(words) });
	ck_assert_uint_eq(strlen(sent[0].text), TRIP_TEXT_MAX - 1);
	trips_free(t);
}
END_TEST

Suite *incidents_suite(void);

Suite *
incidents_suite(void)
{
	Suite *s = suite_create("incidents");
	TCase *t = tcase_create("grouping");
	TCase *told_by = tcase_create("telling");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, incidents_are_one_for_a_flood);
	tcase_add_test(t, incidents_end_by_quiet);
	tcase_add_test(t, incidents_tell_nothing_twice);
	tcase_add_test(t, incidents_are_apart_by_where);
	tcase_add_test(t, incidents_have_a_most);
	tcase_add_test(t, incidents_go_on_over_a_start);
	tcase_add_test(
	    t, incidents_keep_the_first_evidence_and_the_highest_level);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(told_by, trips_setup, trips_teardown);
	tcase_add_test(told_by, trips_tell_once_and_then_by_the_second);
	tcase_add_test(told_by, trips_tell_each_canary);
	tcase_add_test(told_by, trips_tell_of_silent_connections);
	tcase_add_test(told_by, trips_forget_no_source_for_another);
	tcase_add_test(told_by, trips_cut_words);
	suite_add_tcase(s, told_by);
	return s;
}
