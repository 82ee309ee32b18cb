/* SPDX-License-Identifier: Apache-2.0 */
/* The Cabinet Office's lists of holidays (内閣府「国民の祝日について」) of some
 * years, day by day. */
#include "proxy/policy/holidays.h"

#include <check.h>
#include <string.h>

#include "proxy/base/when.h"

static const struct {
	int year;
	const char *days; /* MM-DD, in order */
} years[] = {
	{ 2022,
	    "01-01 01-10 02-11 02-23 03-21 04-29 05-03 05-04 05-05 07-18"
	    " 08-11 09-19 09-23 10-10 11-03 11-23" },
	{ 2023,
	    "01-01 01-02 01-09 02-11 02-23 03-21 04-29 05-03 05-04 05-05"
	    " 07-17 08-11 09-18 09-23 10-09 11-03 11-23" },
	{ 2024,
	    "01-01 01-08 02-11 02-12 02-23 03-20 04-29 05-03 05-04 05-05"
	    " 05-06 07-15 08-11 08-12 09-16 09-22 09-23 10-14 11-03 11-04"
	    " 11-23" },
	{ 2025,
	    "01-01 01-13 02-11 02-23 02-24 03-20 04-29 05-03 05-04 05-05"
	    " 05-06 07-21 08-11 09-15 09-23 10-13 11-03 11-23 11-24" },
	/* 22 September lies between two */
	{ 2026,
	    "01-01 01-12 02-11 02-23 03-20 04-29 05-03 05-04 05-05 05-06"
	    " 07-20 08-11 09-21 09-22 09-23 10-12 11-03 11-23" },
	{ 2027,
	    "01-01 01-11 02-11 02-23 03-21 03-22 04-29 05-03 05-04 05-05"
	    " 07-19 08-11 09-20 09-23 10-11 11-03 11-23" },
};

static int64_t
day_of(int year, const char *day)
{
	char text[16];
	time_t at;

	snprintf(text, sizeof(text), "%d-%.5s", year, day);
	ck_assert(when_day(bytes_of(text), &at) == 0);
	return ((int64_t)at + WHEN_JAPAN_S) / 86400;
}

START_TEST(holidays_are_those_of_the_year)
{
	int64_t first = day_of(years[_i].year, "01-01");
	int64_t last = day_of(years[_i].year, "12-31");
	const char *next = years[_i].days;

	for (int64_t day = first; day <= last; day++) {
		bool listed =
		    *next != '\0' && day == day_of(years[_i].year, next);

		ck_assert_msg(holidays_contain(day) == listed, "%d, day %d",
		    years[_i].year, (int)(day - first + 1));
		if (listed)
			next += strlen(next) > 5 ? 6 : 5;
	}
	ck_assert_str_eq(next, "");
}
END_TEST

START_TEST(holidays_close_offices_at_the_turn_of_the_year)
{
	ck_assert(!holidays_close_offices(day_of(2026, "12-28")));
	ck_assert(holidays_close_offices(day_of(2026, "12-29")));
	ck_assert(holidays_close_offices(day_of(2026, "12-31")));
	ck_assert(holidays_close_offices(day_of(2028, "01-03")));
	ck_assert(!holidays_close_offices(day_of(2028, "01-04")));
	ck_assert(holidays_close_offices(day_of(2026, "11-28")));
	ck_assert(holidays_close_offices(day_of(2026, "11-23")));
	ck_assert(!holidays_close_offices(day_of(2026, "11-24")));
}
END_TEST

Suite *holidays_suite(void);

Suite *
holidays_suite(void)
{
	Suite *s = suite_create("holidays");
	TCase *t = tcase_create("holidays");

	tcase_add_loop_test(t, holidays_are_those_of_the_year, 0, COUNT(years));
	tcase_add_test(t, holidays_close_offices_at_the_turn_of_the_year);
	suite_add_tcase(s, t);
	return s;
}
