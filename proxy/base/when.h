/* SPDX-License-Identifier: Apache-2.0 */
/* when: days and instants as people write them in settings and commands. */
#pragma once

#include <time.h>

#include "proxy/base/bytes.h"

#define WHEN_DAY_S (24 * 3600)
#define WHEN_JAPAN_S (9 * 3600) /* east of UTC; Japan has no summer time */

/* "2027-03-31" -> its first second in Japan. 0, or -1: no such day. */
int when_day(struct bytes text, time_t *out) MUST_CHECK;
/* "2026-11-24T12:00:00+09:00" (or +0900). 0, or -1: no such instant. */
int when_instant(struct bytes text, time_t *out) MUST_CHECK;
