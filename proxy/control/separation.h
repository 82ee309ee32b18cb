/* SPDX-License-Identifier: Apache-2.0 */
/*
 * separation: the subcommands of `sekishoctl separation`: `sign` makes an
 * auditor's statement, far from any daemon; the others are orders to one.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct separation_command {
	char **words; /* the subcommand and what follows it */
	int words_n;
	const char *config; /* the settings' file */
	bool json;
	const char *key, *name, *verified_by, *how, *from, *until;
	const char *statement, *reason; /* or NULL, all of them */
	const char *told;               /* who became root, or "-" */
	/* Sends a line to the daemon and prints its answer. */
	int (*ask)(const void *owner, const char *line);
	const void *owner;
};

/* The exit status. */
int separation_command(const struct separation_command *c);
void separation_usage(FILE *out);
