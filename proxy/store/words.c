/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/words.h"

#include <stdio.h>
#include <time.h>

const char *
words_date(uint64_t seconds, char out[WORDS_DATE_MAX])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, WORDS_DATE_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

int
words_plain(struct buf *out, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		uint8_t c = b.p[i];
		bool c1 = c == 0xc2 && i + 1 < b.n && b.p[i + 1] >= 0x80 &&
		    b.p[i + 1] < 0xa0;
		bool bad = (c < ' ' && c != '\n' && c != '\t') || c == 0x7f;

		if (c == '\r' && i + 1 < b.n && b.p[i + 1] == '\n')
			continue;
		if (buf_append(out,
			bad || c1 ? BYTES("?") : (struct bytes){ &c, 1 }) < 0)
			return -1;
		i += c1;
	}
	return 0;
}
