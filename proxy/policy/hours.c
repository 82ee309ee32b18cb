/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/hours.h"

#include "proxy/base/when.h"
#include "proxy/policy/holidays.h"

#define DAY_MIN (24 * 60)

static int
parse_day(struct bytes text)
{
	static const char *const names[] = { "sun", "mon", "tue", "wed", "thu",
		"fri", "sat" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (bytes_equal_nocase(text, bytes_of(names[i])))
			return (int)i;
	return -1;
}

/* "mon" or "mon-fri", which may run over the week's end. */
static int
parse_weekdays(uint8_t *days, struct bytes text)
{
	bool open = bytes_end_with(text, BYTES("-"));
	struct bytes first = bytes_take_until(&text, '-');
	int from = parse_day(first);
	int to = text.n == 0 ? from : parse_day(text);

	if (open || from < 0 || to < 0)
		return -1;
	for (int day = from;; day = (day + 1) % 7) {
		*days = (uint8_t)(*days | 1u << day);
		if (day == to)
			return 0;
	}
}

static int
parse_days(struct hours *h, struct bytes text)
{
	bool holiday = bytes_equal_nocase(text, BYTES("holiday"));
	bool workday = bytes_equal_nocase(text, BYTES("workday"));

	h->holidays |= holiday;
	h->workdays |= workday;
	return holiday || workday ? 0 : parse_weekdays(&h->days, text);
}

/* "08:30"; "24:00" ends a day. */
static int
parse_minute(struct bytes text, uint16_t *out)
{
	uint64_t hour;
	uint64_t minute;

	if (text.n != 5 || text.p[2] != ':' ||
	    bytes_number(bytes_take(&text, 2), 24, &hour) < 0)
		return -1;
	bytes_take(&text, 1);
	if (bytes_number(text, 59, &minute) < 0 || hour * 60 + minute > DAY_MIN)
		return -1;
	*out = (uint16_t)(hour * 60 + minute);
	return 0;
}

int
hours_parse(struct hours *h, struct bytes text)
{
	struct bytes days = bytes_take_until(&text, ' ');
	struct bytes from = bytes_take_until(&text, '-');

	*h = (struct hours){ 0 };
	if (bytes_end_with(days, BYTES(",")))
		return -1;
	do {
		if (parse_days(h, bytes_take_until(&days, ',')) < 0)
			return -1;
	} while (days.n > 0);
	if (parse_minute(from, &h->from) < 0 || parse_minute(text, &h->to) < 0)
		return -1;
	return h->from == h->to ? -1 : 0;
}

static bool
is_among(const struct hours *h, int64_t day)
{
	return (h->days >> holidays_weekday(day) & 1) != 0 ||
	    (h->holidays && holidays_contain(day)) ||
	    (h->workdays && !holidays_close_offices(day));
}

bool
hours_contain(const struct hours *h, time_t now)
{
	int64_t local = (int64_t)now + WHEN_JAPAN_S;
	int64_t day = local / 86400;
	int minute = (int)(local % 86400 / 60);

	if (h->from < h->to)
		return minute >= h->from && minute < h->to && is_among(h, day);
	return (minute >= h->from && is_among(h, day)) ||
	    (minute < h->to && is_among(h, day - 1));
}
