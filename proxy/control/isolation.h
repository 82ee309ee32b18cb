/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolation: the subcommands of `sekishoctl isolation`, a table: what the
 * settings register of separated networks, looked at without a daemon.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct isolation_order {
	char **words; /* the subcommand and what follows it */
	int words_n;
	const char *config; /* the settings' file */
	bool json;
	bool verify; /* of prove: by a second method, too */
};

/* The exit status: 0; 1 on a failure, or when something does not hold. */
int isolation_command(const struct isolation_order *o);
void isolation_usage(FILE *out);
