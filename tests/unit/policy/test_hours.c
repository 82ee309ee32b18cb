/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/hours.h"

#include <check.h>

#define MIDNIGHT 1795359600 /* Monday 2026-11-23 00:00 in Japan */
#define AT(day, hour, minute) \
	(MIDNIGHT + ((day)*24 + (hour)) * 3600 + (minute)*60)

static const struct {
	const char *text;
	int want;
} texts[] = {
	{ "mon-fri 08:30-17:15", 0 },
	{ "sat 00:00-24:00", 0 },
	{ "sun,wed 22:00-02:00", 0 },
	{ "Mon,TUE-Thu 08:30-17:15", 0 },
	{ "fri-mon 08:30-17:15", 0 },
	{ "workday 08:30-17:15", 0 },
	{ "sat,sun,Holiday 00:00-24:00", 0 },
	{ "holidays 00:00-24:00", -1 },
	{ "mon-holiday 00:00-24:00", -1 },
	{ "", -1 },
	{ "mon", -1 },
	{ "08:30-17:15", -1 },
	{ "mon 08:30", -1 },
	{ "mon 08:30-", -1 },
	{ "mon -17:15", -1 },
	{ "mon 8:30-17:15", -1 },
	{ "mon 08:30-17:5", -1 },
	{ "mon 08.30-17.15", -1 },
	{ "mon 08:30-17:15 ", -1 },
	{ "mon  08:30-17:15", -1 },
	{ " mon 08:30-17:15", -1 },
	{ "mon 08:30-17:15-18:00", -1 },
	{ "mon 00:00-00:00", -1 },
	{ "mon 08:30-08:30", -1 },
	{ "mon 00:00-23:59", 0 },
	{ "mon 00:00-24:01", -1 },
	{ "mon 00:00-25:00", -1 },
	{ "mon 08:60-17:15", -1 },
	{ "mon 08:30-+7:15", -1 },
	{ "mun 08:30-17:15", -1 },
	{ "monday 08:30-17:15", -1 },
	{ "mon,,tue 08:30-17:15", -1 },
	{ ",mon 08:30-17:15", -1 },
	{ "mon, 08:30-17:15", -1 },
	{ "mon- 08:30-17:15", -1 },
	{ "-mon 08:30-17:15", -1 },
	{ "mon-tue-wed 08:30-17:15", -1 },
};

START_TEST(hours_are_read_strictly)
{
	struct hours h;

	ck_assert_msg(
	    hours_parse(&h, bytes_of(texts[_i].text)) == texts[_i].want, "%s",
	    texts[_i].text);
}
END_TEST

/* Days count from Monday. */
static const struct {
	const char *text;
	time_t now;
	bool want;
} times[] = {
	{ "mon 08:30-17:15", AT(0, 8, 30) - 1, false },
	{ "mon 08:30-17:15", AT(0, 8, 30), true },
	{ "mon 08:30-17:15", AT(0, 17, 15) - 1, true },
	{ "mon 08:30-17:15", AT(0, 17, 15), false },
	{ "mon 08:30-17:15", AT(1, 12, 0), false },
	{ "mon 08:30-17:15", AT(7, 12, 0), true },
	{ "mon 00:00-24:00", AT(0, 0, 0) - 1, false },
	{ "mon 00:00-24:00", AT(0, 0, 0), true },
	{ "mon 00:00-24:00", AT(1, 0, 0) - 1, true },
	{ "mon 00:00-24:00", AT(1, 0, 0), false },
	{ "mon 22:00-02:00", AT(0, 1, 0), false },
	{ "mon 22:00-02:00", AT(0, 22, 0) - 1, false },
	{ "mon 22:00-02:00", AT(0, 22, 0), true },
	{ "mon 22:00-02:00", AT(1, 2, 0) - 1, true },
	{ "mon 22:00-02:00", AT(1, 2, 0), false },
	{ "sun 22:00-02:00", AT(0, 1, 0), true },
	{ "sat 22:00-02:00", AT(6, 1, 0), true },
	{ "mon-fri 08:30-17:15", AT(4, 12, 0), true },
	{ "mon-fri 08:30-17:15", AT(5, 12, 0), false },
	{ "fri-mon 08:30-17:15", AT(6, 12, 0), true },
	{ "fri-mon 08:30-17:15", AT(0, 12, 0), true },
	{ "fri-mon 08:30-17:15", AT(1, 12, 0), false },
	{ "sun,wed 08:30-17:15", AT(2, 12, 0), true },
	{ "sun,wed 08:30-17:15", AT(3, 12, 0), false },
	/* that Monday is 勤労感謝の日 */
	{ "holiday 08:30-17:15", AT(0, 12, 0), true },
	{ "holiday 08:30-17:15", AT(1, 12, 0), false },
	{ "holiday 22:00-02:00", AT(1, 1, 0), true },
	{ "holiday 22:00-02:00", AT(0, 1, 0), false },
	{ "workday 08:30-17:15", AT(0, 12, 0), false },
	{ "workday 08:30-17:15", AT(1, 12, 0), true },
	{ "workday 08:30-17:15", AT(5, 12, 0), false },
	{ "sat,holiday 08:30-17:15", AT(5, 12, 0), true },
	{ "mon 08:30-17:15", AT(0, 12, 0), true },
	/* the epoch: Thursday, nine in the morning of Japan */
	{ "thu 09:00-10:00", 0, true },
	{ "thu 08:00-09:00", 0, false },
};

START_TEST(hours_are_those_of_japan)
{
	struct hours h;

	ck_assert(hours_parse(&h, bytes_of(times[_i].text)) == 0);
	ck_assert_msg(hours_contain(&h, times[_i].now) == times[_i].want,
	    "%s at %lld", times[_i].text,
	    (long long)(times[_i].now - MIDNIGHT));
}
END_TEST

Suite *hours_suite(void);

Suite *
hours_suite(void)
{
	Suite *s = suite_create("hours");
	TCase *t = tcase_create("hours");

	tcase_add_loop_test(t, hours_are_read_strictly, 0, COUNT(texts));
	tcase_add_loop_test(t, hours_are_those_of_japan, 0, COUNT(times));
	suite_add_tcase(s, t);
	return s;
}
