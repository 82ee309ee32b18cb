/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: `sekishoctl log verify FILE…`: whether chained logs are as they were
 * written, in the order in which they go on from each other.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct log_order {
	char **words; /* the subcommand and what follows it */
	int words_n;
	const char *head; /* a hash that must be in it; NULL: none */
	bool json;
};

/* The exit status: 0; 1: it cannot be read, or does not hold. */
int log_command(const struct log_order *o);
void log_usage(FILE *out);
