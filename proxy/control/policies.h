/* SPDX-License-Identifier: Apache-2.0 */
/* policies: the subcommands of `sekishoctl policy`. */
#pragma once

#include <stdio.h>

struct policies_order {
	char **words; /* the subcommand and what follows it */
	int words_n;
	const char *config; /* the settings' file */
	const char *log;    /* of replay; or NULL */
	const char *from;   /* of tenants; or NULL */
};

/* The exit status: 0; 1 on a failure, or when something differs. */
int policies_command(const struct policies_order *o);
