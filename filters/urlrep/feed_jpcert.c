/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The phishing URLs of JPCERT/CC: "date,URL,description" with a date such as
 * 2024/01/04 10:12:00 (in Japan), from which a row's life counts.
 */
#include <stdio.h>
#include <time.h>

#include "filters/urlrep/feed.h"

#define JAPAN (9 * 3600)

/* The next field, without its quotes (a doubled quote in it stays doubled: no
 * URL has one). False: a quote that is not closed. */
static bool
take_field(struct bytes *line, struct bytes *out)
{
	size_t n;

	if (line->n == 0 || line->p[0] != '"') {
		*out = bytes_trim(bytes_take_until(line, ','));
		return true;
	}
	bytes_take(line, 1);
	for (n = 0; n < line->n; n++)
		if (line->p[n] == '"') {
			if (n + 1 == line->n || line->p[n + 1] == ',')
				break;
			if (line->p[n + 1] == '"')
				n++;
		}
	if (n >= line->n)
		return false;
	*out = bytes_trim(bytes_take(line, n));
	bytes_take(line, 2);
	return true;
}

static int
read_date(struct bytes text, time_t *out)
{
	char copy[32];
	struct tm tm = { 0 };
	const char *rest;

	snprintf(copy, sizeof(copy), "%.*s", BYTES_PRINTF(text));
	rest = strptime(copy, "%Y/%m/%d", &tm);
	if (rest == NULL || tm.tm_year < 100)
		return -1;
	if (*rest != '\0')
		rest = strptime(rest, " %H:%M:%S", &tm);
	if (rest == NULL || *rest != '\0')
		return -1;
	*out = timegm(&tm) - JAPAN;
	return 0;
}

static void
take_line(struct feed *f, unsigned number, struct bytes line)
{
	struct bytes date;
	struct bytes url;
	struct detail d;
	time_t when;

	if (line.n == 0 || bytes_start_with(line, BYTES("date,URL")))
		return;
	if (!take_field(&line, &date) || !take_field(&line, &url)) {
		feed_bad(f, number, "a quote that is not closed");
		return;
	}
	if (read_date(date, &when) < 0) {
		feed_bad(f, number, "no date such as 2024/01/04 10:12:00");
		return;
	}
	if (url.n == 0) {
		feed_bad(f, number, "no URL behind the date");
		return;
	}
	d = feed_dated(f, when);
	feed_url(f, number, url, 0, &d);
}

int
feed_jpcert(struct feed *f, struct bytes text, struct err *e)
{
	return feed_lines(f, text, take_line, e);
}
