/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/isolation.h"

#include <string.h>

#include "proxy/base/language.h"
#include "proxy/control/conformity.h"
#include "proxy/control/kernel.h"
#include "proxy/control/prove.h"
#include "proxy/settings.h"

#define FAILED 1

static struct settings *
load(const char *file)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct settings *s = settings_load_to_ask(file, &e);

	if (s == NULL)
		err_print(&e, stderr);
	return s;
}

static int
conformity(const struct isolation_order *o)
{
	enum conformity_form form = o->json ? CONFORMITY_JSON
	    : language_is_japanese()        ? CONFORMITY_JAPANESE
					    : CONFORMITY_ENGLISH;
	struct settings *s = load(o->config);
	size_t unfit;

	if (s == NULL)
		return FAILED;
	unfit = conformity_report(s, form, stdout);
	settings_free(s);
	return unfit == 0 ? 0 : FAILED;
}

/* A row for each subcommand; the last has no name. */
static const struct {
	const char *name;
	int (*run)(const struct isolation_order *o);
	const char *arguments, *words_en, *words_ja;
} commands[] = {
	{ "prove", prove_command, "[--verify] [--json]",
	    "what can reach what, and that nothing else can",
	    "通信の可否と、それ以外が通らないことの証明" },
	{ "conformity", conformity, "[--json]",
	    "whether bodies are as their models (alpha, beta, …) ask",
	    "構成団体が申告したモデル（α、β など）に合っているか" },
	{ "nft", kernel_print, "", "the rules that the kernel is to enforce",
	    "カーネルに強制させる規則を表示する" },
	{ "apply", kernel_load, "", "load them", "それを読み込ませる" },
	{ "boot", kernel_boot, "", "load them where settings say so, at boot",
	    "起動時に、設定があれば読み込ませる" },
	{ "verify", kernel_check, "", "compare what the kernel holds",
	    "カーネルの持つ規則と照合する" },
	{ "remove", kernel_unload, "", "take them out of the kernel",
	    "カーネルから取り除く" },
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
