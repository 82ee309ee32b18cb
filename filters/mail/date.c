/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/date.h"

#include <ctype.h>
#include <stdio.h>

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct date {
	unsigned day, month, year, hour, minute, second;
	char zone[6];
};

/* The next run of letters, digits and signs. */
static struct bytes
take_word(struct bytes *b)
{
	struct bytes word;

	while (
	    b->n > 0 && !isalnum(b->p[0]) && b->p[0] != '+' && b->p[0] != '-')
		bytes_take(b, 1);
	word = (struct bytes){ b->p, b->n > 0 };
	while (word.n > 0 && word.n < b->n && isalnum(b->p[word.n]))
		word.n++;
	return bytes_take(b, word.n);
}

static int
take_number(struct bytes *b, uint64_t max, unsigned *out)
{
	uint64_t n;

	if (bytes_number(take_word(b), max, &n) < 0)
		return -1;
	*out = (unsigned)n;
	return 0;
}

static int
take_month(struct bytes *b, unsigned *out)
{
	struct bytes word = take_word(b);

	if (word.n < 3)
		return -1;
	word.n = 3;
	for (unsigned i = 0; i < 12; i++)
		if (bytes_equal_nocase(word,
			(struct bytes){
			    (const uint8_t *)months + (size_t)3 * i, 3 })) {
			*out = i + 1;
			return 0;
		}
	return -1;
}

/* "+0900", "JST"; what is not known is UTC of which nothing is known. */
static void
take_zone(struct bytes *b, char out[6])
{
	static const struct {
		struct bytes name;
		const char *zone;
	} zones[] = {
		{ BYTES_ROW("UT"), "+0000" },
		{ BYTES_ROW("GMT"), "+0000" },
		{ BYTES_ROW("UTC"), "+0000" },
		{ BYTES_ROW("Z"), "+0000" },
		{ BYTES_ROW("JST"), "+0900" },
		{ BYTES_ROW("EST"), "-0500" },
		{ BYTES_ROW("EDT"), "-0400" },
		{ BYTES_ROW("CST"), "-0600" },
		{ BYTES_ROW("CDT"), "-0500" },
		{ BYTES_ROW("MST"), "-0700" },
		{ BYTES_ROW("MDT"), "-0600" },
		{ BYTES_ROW("PST"), "-0800" },
		{ BYTES_ROW("PDT"), "-0700" },
	};
	struct bytes word = take_word(b);
	struct bytes digits = word;
	uint64_t number;

	snprintf(out, 6, "-0000");
	if (word.n == 5 && !isalnum(word.p[0])) {
		bytes_take(&digits, 1);
		if (bytes_number(digits, 1459, &number) == 0)
			snprintf(out, 6, "%.5s", (const char *)word.p);
		return;
	}
	for (size_t i = 0; i < COUNT(zones); i++)
		if (bytes_equal_nocase(word, zones[i].name))
			snprintf(out, 6, "%s", zones[i].zone);
}

/* "Feb 13 17:50:54 2006" behind a day of the week, as C writes a time; what
 * says nothing else is UTC of which nothing is known. */
static int
read_date_of_c(struct bytes text, struct date *d)
{
	if (take_month(&text, &d->month) < 0 ||
	    take_number(&text, 31, &d->day) < 0 ||
	    take_number(&text, 23, &d->hour) < 0 ||
	    take_number(&text, 59, &d->minute) < 0 ||
	    take_number(&text, 60, &d->second) < 0)
		return -1;
	if (text.n > 1 && isalpha(text.p[1]))
		take_zone(&text, d->zone);
	else
		snprintf(d->zone, sizeof(d->zone), "-0000");
	return take_number(&text, 9999, &d->year) < 0 || d->day == 0 ||
		d->year < 1900
	    ? -1
	    : 0;
}

static int
read_date(struct bytes text, struct date *d)
{
	struct bytes day = text;
	struct bytes first;

	/* Its day of the week is counted anew. */
	first = take_word(&day);
	if (first.n > 0 && !isdigit(first.p[0]))
		text = day;
	if (first.n > 0 && read_date_of_c(text, d) == 0)
		return 0;
	if (take_number(&text, 31, &d->day) < 0 ||
	    take_month(&text, &d->month) < 0 ||
	    take_number(&text, 9999, &d->year) < 0 ||
	    take_number(&text, 23, &d->hour) < 0 ||
	    take_number(&text, 59, &d->minute) < 0)
		return -1;
	if (text.n > 0 && text.p[0] == ':' &&
	    take_number(&text, 60, &d->second) < 0)
		return -1;
	if (d->year < 50)
		d->year += 2000;
	else if (d->year < 1000)
		d->year += 1900;
	take_zone(&text, d->zone);
	return d->day > 0 && d->year >= 1900 ? 0 : -1;
}

static unsigned
day_of_week(const struct date *d)
{
	static const unsigned shift[] = { 0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4 };
	unsigned year = d->year - (d->month < 3);

	return (year + year / 4 - year / 100 + year / 400 +
		   shift[d->month - 1] + d->day) %
	    7;
}

int
mail_date_write(struct bytes text, char out[MAIL_DATE_MAX])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	struct date d = { 0 };

	if (text.n == 0 || read_date(text, &d) < 0)
		return -1;
	snprintf(out, MAIL_DATE_MAX, "%.3s, %u %.3s %04u %02u:%02u:%02u %s",
	    days + (size_t)3 * day_of_week(&d), d.day,
	    months + (size_t)3 * (d.month - 1), d.year, d.hour, d.minute,
	    d.second, d.zone);
	return 0;
}
