/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/floods.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/unit/steps.h"

Suite *floods_suite(void);

#define HOUR (60 * 60 * (uint64_t)1000)
#define SENDER BYTES("taro@city.test")

static const char *bulk[] = { "news@city.test" };

static const struct mail_settings settings = {
	.sender_recipients_per_hour = 300,
	.sender_distinct_per_hour = 200,
	.sender_failed_per_hour = 10,
	.sender_usual_times = 3,
	.bulk_senders = { .p = bulk, .n = 1 },
};

static struct floods *floods;
static struct flood_counts counts;

static void
setup(void)
{
	floods = calloc(1, sizeof(*floods));
	ck_assert_ptr_nonnull(floods);
}

static void
teardown(void)
{
	free(floods);
}

/* To so many, each another or all one. */
static enum flood
sends(struct bytes sender, int n, bool distinct, uint64_t now)
{
	char to[32];

	for (int i = 0; i < n; i++) {
		snprintf(to, sizeof(to), "r%d@x.test", distinct ? i : 0);
		floods_recipient(floods, sender, bytes_of(to), now);
	}
	return floods_judge(floods, &settings, sender, now, &counts);
}

START_TEST(floods_hold_many_recipients)
{
	ck_assert_int_eq(sends(SENDER, 300, false, 0), FLOOD_GO);
	ck_assert_int_eq(sends(SENDER, 1, false, HOUR - 1), FLOOD_HOLD);
	ck_assert_str_eq(counts.limit, "sender_recipients_per_hour");
	ck_assert(counts.first);
	ck_assert_uint_eq(counts.recipients, 301);
	ck_assert_int_eq(
	    sends(BYTES("TARO@City.test"), 1, false, HOUR - 1), FLOOD_HOLD);
	ck_assert(!counts.first);
	ck_assert_int_eq(
	    sends(BYTES("jiro@city.test"), 1, false, HOUR - 1), FLOOD_GO);
	ck_assert_int_eq(sends(SENDER, 1, false, HOUR), FLOOD_GO);
}
END_TEST

START_TEST(floods_hold_many_different_recipients)
{
	ck_assert_int_eq(sends(SENDER, 190, true, 5), FLOOD_GO);
	ck_assert_int_eq(sends(SENDER, 100, true, 5), FLOOD_GO);
	ck_assert_uint_gt(counts.distinct, 170);
	ck_assert_uint_le(counts.distinct, 190);
	ck_assert_int_eq(sends(BYTES("b@c.test"), 290, true, 5), FLOOD_HOLD);
	ck_assert_str_eq(counts.limit, "sender_distinct_per_hour");
}
END_TEST

START_TEST(floods_hold_many_that_fail)
{
	for (int i = 0; i < 10; i++)
		floods_failed(floods, SENDER, 5);
	ck_assert_int_eq(sends(SENDER, 1, false, 5), FLOOD_GO);
	floods_failed(floods, SENDER, 5);
	ck_assert_int_eq(sends(SENDER, 1, false, 5), FLOOD_HOLD);
	ck_assert_str_eq(counts.limit, "sender_failed_per_hour");
	ck_assert_uint_eq(counts.failed, 11);
}
END_TEST

START_TEST(floods_know_what_is_usual)
{
	uint64_t now = 0;

	/* Hours without mail say nothing. */
	for (int i = 0; i < FLOODS_KNOWN_HOURS; i++, now += 5 * HOUR) {
		ck_assert_int_eq(sends(SENDER, 50, false, now), FLOOD_GO);
		ck_assert_uint_eq(counts.usual, 0);
	}
	ck_assert_int_eq(sends(SENDER, 150, false, now), FLOOD_GO);
	ck_assert_uint_eq(counts.usual, 50);
	ck_assert_int_eq(sends(SENDER, 1, false, now), FLOOD_HOLD);
	ck_assert_str_eq(counts.limit, "sender_usual_times");
	/* Who sends little may send some. */
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(
		    sends(SENDER, 1, false, now += HOUR), FLOOD_GO);
	now += HOUR;
	ck_assert_int_eq(sends(SENDER, FLOODS_USUAL_MIN, false, now), FLOOD_GO);
	ck_assert_int_eq(sends(SENDER, 1, false, now), FLOOD_HOLD);
}
END_TEST

/* Another process's turn began a little earlier. */
START_TEST(floods_stay_in_the_later_hour)
{
	ck_assert_int_eq(sends(SENDER, 200, false, HOUR), FLOOD_GO);
	ck_assert_int_eq(sends(SENDER, 100, false, HOUR - 1), FLOOD_GO);
	ck_assert_int_eq(sends(SENDER, 1, false, HOUR + 1), FLOOD_HOLD);
	ck_assert_uint_eq(counts.recipients, 301);
}
END_TEST

START_TEST(floods_let_news_letters_go)
{
	ck_assert_int_eq(
	    sends(BYTES("News@city.test"), 5000, true, 0), FLOOD_GO);
	ck_assert_ptr_null(counts.limit);
}
END_TEST

/* Of more addresses than there are rows the newest are known. */
START_TEST(floods_keep_the_newest)
{
	char from[32];

	for (int i = 0; i < 40000; i++) {
		snprintf(from, sizeof(from), "s%d@city.test", i);
		ck_assert_int_eq(
		    sends(bytes_of(from), 1, false, (uint64_t)i), FLOOD_GO);
	}
	ck_assert_int_eq(sends(bytes_of(from), 300, false, 40000), FLOOD_HOLD);
	ck_assert_uint_eq(counts.recipients, 301);
}
END_TEST

/* Whose names were made for a row meet it where the secret is what was taken
 * for it. */
START_TEST(floods_let_nobody_choose_a_row)
{
	char names[FLOODS_WAYS][32];
	uint64_t set = bytes_hash_secret(SENDER, 0) % FLOODS_SETS;
	size_t n = 0;

	for (unsigned i = 0; n < FLOODS_WAYS; i++) {
		snprintf(names[n], sizeof(names[n]), "s%u@b.test", i);
		n += bytes_hash_secret(bytes_of(names[n]), 0) % FLOODS_SETS ==
		    set;
	}
	for (uint64_t secret = 0; secret < 2; secret++) {
		memset(floods, 0, sizeof(*floods));
		floods->secret = secret;
		ck_assert_int_eq(sends(SENDER, 300, false, 1), FLOOD_GO);
		for (size_t i = 0; i < n; i++)
			floods_failed(floods, bytes_of(names[i]), 2);
		ck_assert_int_eq(sends(SENDER, 1, false, 3),
		    secret == 0 ? FLOOD_GO : FLOOD_HOLD);
	}
}
END_TEST

/* Who is killed while he writes leaves to nobody, and to no hour, what another
 * has sent. */

static struct floods *shared;
static struct floods_row *written;
static uint64_t its_key, its_hour;

static void
write_row(void)
{
	floods_recipient(
	    shared, SENDER, BYTES("b@x.test"), its_hour * HOUR + 1);
}

static void
look(void)
{
	if (written->key == its_key && written->hour == its_hour) {
		ck_assert_uint_le(written->recipients, 1);
		ck_assert_uint_le(written->distinct, 1);
		ck_assert_uint_eq(written->failed, 0);
		ck_assert(!written->told);
	}
}

/* Everybody has sent much in hour 5; SENDER's row is the one in use. */
static void
find_row(void)
{
	its_hour = 5;
	write_row();
	for (size_t i = 0; i < FLOODS_SETS; i++)
		if (shared->rows[i][0].key != 0)
			written = &shared->rows[i][0];
	its_key = written->key;
	for (size_t i = 0; i < FLOODS_WAYS; i++)
		written[i] = (struct floods_row){
			.key = its_key + i + 1,
			.used_ms = i + 1,
			.hour = 5,
			.recipients = 1000,
			.distinct = 1000,
			.failed = 1000,
			.told = true,
		};
}

START_TEST(floods_have_no_half_of_a_row)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(shared != MAP_FAILED);
	find_row();
	steps_try(write_row, look);
	ck_assert_uint_eq(written->key, its_key);
	ck_assert_uint_eq(written->recipients, 1);
	written->recipients = written->distinct = written->failed = 1000;
	written->told = true;
	its_hour = 6;
	steps_try(write_row, look);
	ck_assert_uint_eq(written->recipients, 1);
	ck_assert_uint_eq(written->usual, 1000);
	munmap(shared, sizeof(*shared));
}
END_TEST

Suite *
floods_suite(void)
{
	Suite *s = suite_create("floods");
	TCase *t = tcase_create("floods");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, floods_hold_many_recipients);
	tcase_add_test(t, floods_hold_many_different_recipients);
	tcase_add_test(t, floods_hold_many_that_fail);
	tcase_add_test(t, floods_know_what_is_usual);
	tcase_add_test(t, floods_stay_in_the_later_hour);
	tcase_add_test(t, floods_let_news_letters_go);
	tcase_add_test(t, floods_keep_the_newest);
	tcase_add_test(t, floods_let_nobody_choose_a_row);
	tcase_add_test(t, floods_have_no_half_of_a_row);
	suite_add_tcase(s, t);
	return s;
}
