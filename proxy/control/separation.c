/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/separation.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "proxy/base/language.h"
#include "proxy/base/when.h"
#include "proxy/isolation/statement.h"
#include "proxy/settings.h"

#define FAILED 1
#define LINE_MAX_N 4096 /* of a request */

static int
fail(const char *words)
{
	fprintf(stderr, "sekishoctl: separation: %s\n", words);
	return FAILED;
}

/* Signing. */

/* A day in Japan, or an instant. until: the day's last moment. */
static int
read_time(const char *text, bool until, time_t *out)
{
	if (when_day(bytes_of(text), out) == 0) {
		*out += until ? WHEN_DAY_S : 0;
		return 0;
	}
	return when_instant(bytes_of(text), out);
}

static int
fill(struct statement *s, const struct separation_command *c,
    const struct settings *settings)
{
	const struct system *system =
	    isolation_system(settings->isolation, bytes_of(c->name));
	struct err e = { 0 };

	if (system == NULL)
		return fail("sign: the settings have no such system");
	*s = (struct statement){
		.system_name = system->name,
		.body = system->body->code,
		.verified_by = c->verified_by,
		.how = c->how,
		.signed_at = time(NULL),
	};
	memcpy(s->digest, system->digest, sizeof(s->digest));
	if (read_time(c->from, false, &s->from) < 0 ||
	    read_time(c->until, true, &s->until) < 0)
		return fail("sign: --from and --until: expected a day such as"
			    " 2027-03-31");
	if (getrandom(s->serial, sizeof(s->serial), 0) !=
	    (ssize_t)sizeof(s->serial))
		return fail("sign: no random bytes");
	if (statement_check(s, &e) < 0)
		return fail(e.text);
	return 0;
}

/* The lines, and the signature of them; what was made is read as it will be. */
static int
make(struct statement *s, EVP_PKEY *key, struct buf *out)
{
	struct arena a = { 0 };
	struct err e = { 0 };
	struct statement again;
	int result = -1;

	if (statement_write(s, out) == 0 &&
	    signature_make(key, buf_bytes(out), s->signature) == 0 &&
	    statement_write_signature(s, out) == 0 &&
	    statement_parse(&again, buf_bytes(out), &a, &e) == 0 &&
	    statement_holds(&again, buf_bytes(out), &key, 1))
		result = 0;
	arena_release(&a);
	return result;
}

static int
sign(const struct separation_command *c)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct settings *settings;
	struct statement s;
	struct buf out;
	EVP_PKEY *key = NULL;
	int result = FAILED;

	if (c->words_n != 1 || c->key == NULL || c->name == NULL ||
	    c->verified_by == NULL || c->how == NULL || c->from == NULL ||
	    c->until == NULL)
		return fail("sign: expected --key KEY --system NAME"
			    " --verified-by WHO --how TEXT --from DAY --until"
			    " DAY");
	settings = settings_load(c->config, &e);
	if (settings == NULL) {
		err_print(&e, stderr);
		return FAILED;
	}
	buf_init(&out, STATEMENT_SIZE_MAX);
	if (fill(&s, c, settings) != 0)
		goto release;
	key = signature_private_key(c->key, &e);
	if (key == NULL)
		fail(e.text);
	else if (make(&s, key, &out) < 0)
		fail("sign: cannot be signed");
	else if (fwrite(out.p, 1, out.n, stdout) == out.n &&
	    fflush(stdout) == 0)
		result = 0;
release:
	EVP_PKEY_free(key);
	buf_release(&out);
	settings_free(settings);
	return result;
}

/* Orders. */

/* Behind tabs, which therefore stand in none of them. */
static int
order(const struct separation_command *c, const char *verb,
    const char *const *words, size_t n)
{
	char line[LINE_MAX_N];
	struct buf out;
	int result = 0;

	buf_init(&out, sizeof(line) - 2);
	result = buf_printf(&out, "separation %.64s %s", c->told, verb);
	for (size_t i = 0; i < n && result == 0; i++)
		result = strpbrk(words[i], "\t\n") != NULL
		    ? -1
		    : buf_printf(&out, "\t%s", words[i]);
	snprintf(line, sizeof(line), "%.*s\n", BYTES_PRINTF(buf_bytes(&out)));
	buf_release(&out);
	return result < 0 ? fail("a word is too long, or has a tab or a line's"
				 " end in it")
			  : c->ask(c->owner, line);
}

static int
list(const struct separation_command *c)
{
	const char *how = c->json    ? "json"
	    : language_is_japanese() ? "ja"
				     : "en";

	return c->words_n != 1 ? fail("list: expected nothing more")
			       : order(c, "list", &how, 1);
}

static int
suspend(const struct separation_command *c)
{
	const char *words[] = { NULL, c->reason };

	if (c->words_n != 2 || c->reason == NULL)
		return fail("suspend: expected NAME --reason TEXT");
	words[0] = c->words[1];
	return order(c, "suspend", words, COUNT(words));
}

/* The file lies in the daemon's folder; of a path its name counts. */
static int
restore(const struct separation_command *c)
{
	const char *words[] = { NULL, c->statement, c->reason };
	const char *slash;

	if (c->words_n != 2 || c->statement == NULL || c->reason == NULL)
		return fail("restore: expected NAME --statement FILE --reason"
			    " TEXT");
	words[0] = c->words[1];
	slash = strrchr(c->statement, '/');
	if (slash != NULL)
		words[1] = slash + 1;
	return order(c, "restore", words, COUNT(words));
}

static int
set_clock(const struct separation_command *c)
{
	return c->words_n != 1 || c->reason == NULL
	    ? fail("clock: expected --reason TEXT")
	    : order(c, "clock", &c->reason, 1);
}

static const struct {
	const char *name;
	int (*run)(const struct separation_command *c);
	const char *arguments, *words_en, *words_ja;
} commands[] = {
	{ "list", list, "[--json]", "the standing of every system",
	    "全システムの分離の状態" },
	{ "suspend", suspend, "NAME --reason TEXT", "no crossing any more",
	    "以後の通過を止める" },
	{ "restore", restore, "NAME --statement FILE --reason TEXT",
	    "on a new one", "新しい確認書で復帰" },
	{ "clock", set_clock, "--reason TEXT",
	    "the machine's is right, not the latest known",
	    "計算機の時計を正しいものとする" },
	{ "sign", sign,
	    "--key KEY --system NAME --verified-by WHO --how TEXT\n"
	    "      --from DAY --until DAY > FILE.statement",
	    "an auditor's statement", "監査者の分離確認書を作る" },
};

void
separation_usage(FILE *out)
{
	bool ja = language_is_japanese();

	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(out, "  separation %s %s   %s\n", commands[i].name,
		    commands[i].arguments,
		    ja ? commands[i].words_ja : commands[i].words_en);
}

int
separation_command(const struct separation_command *c)
{
	const char *word = c->words_n < 1 ? "" : c->words[0];

	for (size_t i = 0; i < COUNT(commands); i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(c);
	separation_usage(stderr);
	return FAILED;
}
