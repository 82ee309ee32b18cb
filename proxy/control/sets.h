/* SPDX-License-Identifier: Apache-2.0 */
/* sets: the subcommands of `sekishoctl sets`. */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct sets_order {
	char **words; /* the subcommand and what follows it */
	size_t words_n;
	const char *output;
};

/* The exit status: 0, 1 a failure, 2 something was found by test. */
int sets_command(const struct sets_order *o);
void sets_usage(FILE *out);
