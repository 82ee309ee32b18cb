/* SPDX-License-Identifier: Apache-2.0 */
/* hours: spans of the week in Japan Standard Time. */
#pragma once

#include <time.h>

#include "proxy/base/bytes.h"

struct hours {
	uint8_t days;  /* bit 0: Sunday */
	bool holidays; /* public holidays, whatever their day of the week */
	bool workdays; /* when municipal offices are open */
	uint16_t from; /* minutes of the day */
	uint16_t to;   /* not included; at or before from: past midnight */
};

/* "mon-fri 08:30-17:15", "sat 00:00-24:00", "sun,wed 22:00-02:00",
 * "workday 08:30-17:15", "sat,sun,holiday 00:00-24:00". 0 or -1. */
int hours_parse(struct hours *h, struct bytes text) MUST_CHECK;
bool hours_contain(const struct hours *h, time_t now);
