/* SPDX-License-Identifier: Apache-2.0 */
/* detox: `sekishoctl detox`: one file through the sandbox, without a daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct detox_command {
	char **words; /* IN and OUT */
	size_t words_n;
	const char *profile; /* NULL: standard */
	const char
	    *profiles; /* file of profiles; NULL: those that are built in */
	const char *declared;  /* media type; NULL: none */
	const char *passwords; /* file, one in each line; NULL: none */
	bool json;
};

/* The exit status: 0 and OUT is written, 1 a failure, 2 refused, no OUT. */
int detox_command(const struct detox_command *c);
void detox_usage(FILE *out);
/* What is taken out and why something is refused, as Markdown; language "ja" or
 * "en". */
void detox_manual(FILE *out, const char *language);
