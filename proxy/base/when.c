/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/when.h"

#include <string.h>

/* strptime takes the 30th of February, and a second of 60. */
static int
read_exactly(struct bytes text, const char *format, time_t *out)
{
	char string[32] = { 0 };
	struct tm tm = { 0 };
	struct tm said;
	const char *end;

	if (text.n >= sizeof(string))
		return -1;
	memcpy(string, text.p, text.n);
	end = strptime(string, format, &tm);
	if (end != string + text.n)
		return -1;
	said = tm;
	*out = timegm(&tm);
	if (tm.tm_mday != said.tm_mday || tm.tm_mon != said.tm_mon ||
	    tm.tm_sec != said.tm_sec)
		return -1;
	*out -= said.tm_gmtoff;
	return 0;
}

int
when_day(struct bytes text, time_t *out)
{
	if (read_exactly(text, "%Y-%m-%d", out) < 0)
		return -1;
	*out -= WHEN_JAPAN_S;
	return 0;
}

int
when_instant(struct bytes text, time_t *out)
{
	return read_exactly(text, "%Y-%m-%dT%H:%M:%S%z", out);
}
