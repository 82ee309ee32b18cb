/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/holidays.h"

#include <math.h>
#include <time.h>

#include "proxy/base/macros.h"

#define MONDAY 1

struct date {
	int year, month, day; /* month 1 to 12 */
};

static struct date
date_of(int64_t day)
{
	time_t at = (time_t)(day * 86400);
	struct tm tm;

	must(gmtime_r(&at, &tm) != NULL);
	return (struct date){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday };
}

/* The day of March or September, as the Astronomical Observatory will say it:
 * the usual formula, good from 1980 to 2099. */
static int
equinox(int year, double of_1980)
{
	int years = year - 1980;

	return (int)floor(of_1980 + 0.242194 * years - floor(years / 4.0));
}

/* A row: a day of the month, or its nth Monday. */
static const struct {
	int month, day, monday;
} fixed[] = {
	{ 1, 1, 0 },   /* 元日 */
	{ 1, 0, 2 },   /* 成人の日 */
	{ 2, 11, 0 },  /* 建国記念の日 */
	{ 2, 23, 0 },  /* 天皇誕生日 */
	{ 4, 29, 0 },  /* 昭和の日 */
	{ 5, 3, 0 },   /* 憲法記念日 */
	{ 5, 4, 0 },   /* みどりの日 */
	{ 5, 5, 0 },   /* こどもの日 */
	{ 7, 0, 3 },   /* 海の日 */
	{ 8, 11, 0 },  /* 山の日 */
	{ 9, 0, 3 },   /* 敬老の日 */
	{ 10, 0, 2 },  /* スポーツの日 */
	{ 11, 3, 0 },  /* 文化の日 */
	{ 11, 23, 0 }, /* 勤労感謝の日 */
};

static bool
is_named(int64_t day)
{
	struct date d = date_of(day);
	bool monday = holidays_weekday(day) == MONDAY;

	for (size_t i = 0; i < COUNT(fixed); i++)
		if (fixed[i].month == d.month &&
		    (fixed[i].day == d.day ||
			(monday && fixed[i].monday == (d.day + 6) / 7)))
			return true;
	return (d.month == 3 && d.day == equinox(d.year, 20.8431)) || /* 春分 */
	    (d.month == 9 && d.day == equinox(d.year, 23.2488)); /* 秋分 */
}

/* One of those before it, without a gap, fell on a Sunday (振替休日). */
static bool
stands_for_sunday(int64_t day)
{
	while (is_named(--day))
		if (holidays_weekday(day) == 0)
			return true;
	return false;
}

bool
holidays_contain(int64_t day)
{
	return is_named(day) || stands_for_sunday(day) ||
	    (is_named(day - 1) && is_named(day + 1));
}

bool
holidays_close_offices(int64_t day)
{
	struct date d = date_of(day);
	int weekday = holidays_weekday(day);

	return weekday == 0 || weekday == 6 || holidays_contain(day) ||
	    (d.month == 12 && d.day >= 29) || (d.month == 1 && d.day <= 3);
}
