/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/when.h"

#include <check.h>

static const struct {
	const char *text;
	time_t want; /* -1: refused */
} days[] = {
	{ "2027-03-31", 1806418800 },
	{ "2028-02-29", 1835362800 },
	{ "2027-02-29", -1 },
	{ "2027-02-30", -1 },
	{ "2027-13-01", -1 },
	{ "2027-00-01", -1 },
	{ "2027-03-31 ", -1 },
	{ "2027-03-31T00", -1 },
	{ "tomorrow", -1 },
	{ "", -1 },
};

START_TEST(when_day_begins_in_japan)
{
	time_t got;
	int result = when_day(bytes_of(days[_i].text), &got);

	if (days[_i].want == -1)
		ck_assert_msg(result < 0, "%s", days[_i].text);
	else
		ck_assert_msg(result == 0 && got == days[_i].want, "%s: %ld",
		    days[_i].text, (long)got);
}
END_TEST

static const struct {
	const char *text;
	time_t want;
} instants[] = {
	{ "2026-11-24T12:00:00+09:00", 1795489200 },
	{ "2026-11-24T12:00:00+0900", 1795489200 },
	{ "2026-11-24T03:00:00Z", 1795489200 },
	{ "2026-11-23T22:00:00-05:00", 1795489200 },
	{ "2026-11-24T12:00:00", -1 },
	{ "2026-11-24T12:00:60Z", -1 },
	{ "2026-11-31T12:00:00Z", -1 },
	{ "2026-11-24 12:00:00Z", -1 },
	{ "2026-11-24T12:00:00+09:00 and so on, far too long", -1 },
};

START_TEST(when_instant_needs_its_offset)
{
	time_t got;
	int result = when_instant(bytes_of(instants[_i].text), &got);

	if (instants[_i].want == -1)
		ck_assert_msg(result < 0, "%s", instants[_i].text);
	else
		ck_assert_msg(result == 0 && got == instants[_i].want,
		    "%s: %ld", instants[_i].text, (long)got);
}
END_TEST

Suite *when_suite(void);

Suite *
when_suite(void)
{
	Suite *s = suite_create("when");
	TCase *t = tcase_create("when");

	tcase_add_loop_test(t, when_day_begins_in_japan, 0, COUNT(days));
	tcase_add_loop_test(
	    t, when_instant_needs_its_offset, 0, COUNT(instants));
	suite_add_tcase(s, t);
	return s;
}
