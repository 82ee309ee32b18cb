/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: the words of one failure. Filled once, where the failure is found, for
 * an operator to read; callers pass it up; the job's owner logs it.
 */
#pragma once

#include "proxy/base/macros.h"

#define ERR_TEXT_MAX 512

struct err {
	char text[ERR_TEXT_MAX]; /* always a string; empty: no failure */
};

/* Writes the words (cut at ERR_TEXT_MAX). Always returns -1. */
int err_set(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);
