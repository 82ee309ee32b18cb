/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/isolation.h"

#include <string.h>

#include "proxy/base/language.h"
#include "proxy/base/macros.h"

#define FAILED 1

/* A row for each subcommand; the last has no name. */
static const struct {
	const char *name;
	int (*run)(const struct isolation_order *o);
	const char *arguments, *words_en, *words_ja;
} commands[] = {
	{ NULL, NULL, NULL, NULL, NULL },
};

void
isolation_usage(FILE *out)
{
	bool ja = language_is_japanese();

	for (size_t i = 0; commands[i].name != NULL; i++)
		fprintf(out, "  isolation %s %s   %s\n", commands[i].name,
		    commands[i].arguments,
		    ja ? commands[i].words_ja : commands[i].words_en);
}

int
isolation_command(const struct isolation_order *o)
{
	const char *word = o->words_n < 1 ? "" : o->words[0];

	for (size_t i = 0; commands[i].name != NULL; i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(o);
	fputs("sekishoctl: isolation: expected one of:\n", stderr);
	isolation_usage(stderr);
	return FAILED;
}
