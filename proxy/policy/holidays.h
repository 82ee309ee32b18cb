/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holidays: Japan's public holidays by the law as it is
 * (国民の祝日に関する法律, Act No. 178 of 1948, since its change of 2018), from
 * 2020 to 2099, but for the years 2020 and 2021, when some were moved once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* days since 1970-01-01, in Japan; 0: Sunday */
static inline int
holidays_weekday(int64_t day)
{
	return (int)((day % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
}

/* A holiday, one that stands for it, or a day between two. */
bool holidays_contain(int64_t day);
/* When municipal offices are closed (地方自治法 第4条の2): Saturdays, Sundays,
 * holidays, and 29 December to 3 January. */
bool holidays_close_offices(int64_t day);
