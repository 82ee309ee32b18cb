/* SPDX-License-Identifier: Apache-2.0 */
/* lists: the subcommands of `sekishoctl lists`. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define LISTS_ACCEPTED_MAX 64

/* Exit statuses beside 0 and 1, which is a failure. */
#define LISTS_FOUND 2 /* lookup: something is listed */
#define LISTS_HELD 3  /* compile: made, but a feed was held back */

struct lists_order {
	char **words; /* the subcommand and what follows it */
	size_t words_n;
	const char *output;
	const char *sources;
	const char *accepted[LISTS_ACCEPTED_MAX];
	size_t accepted_n;
	time_t now;
	bool json;
};

/* The exit status. */
int lists_command(const struct lists_order *o);
void lists_usage(FILE *out);
