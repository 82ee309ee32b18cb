/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: the words of one failure. Filled once, where the failure is found, for
 * an operator to read; callers pass it up; the job's owner logs it.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "proxy/base/macros.h"

#define ERR_TEXT_MAX 512

/* All failures of a work, for who wants to mend them at once. */
#define ERRS_MAX 100
struct err_list {
	size_t n;
	char texts[ERRS_MAX][ERR_TEXT_MAX];
};

struct err {
	char text[ERR_TEXT_MAX]; /* always a string; empty: no failure */
	struct err_list *list;   /* NULL: the first failure ends the work */
};

/* Writes the words (cut at ERR_TEXT_MAX). Always returns -1. */
int err_set(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);
/* Behind a failure: 0 when the work goes on, to find more, with this one in the
 * list; -1 when it ends here. What failed must not be used in either case. */
int err_go_on(struct err *e);
/* A line each, the kept ones first. */
void err_print(const struct err *e, FILE *out);

/* One step of several: its failure is kept in *all. 0: go on with the next. */
static inline int
err_take(int *all, int step, struct err *e)
{
	if (step == 0)
		return 0;
	*all = -1;
	return err_go_on(e);
}
