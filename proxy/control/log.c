/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/log.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/base/chain.h"
#include "proxy/base/file.h"
#include "proxy/base/language.h"

#define FAILED 1

static const char zeros[] = "00000000000000000000000000000000"
			    "00000000000000000000000000000000";

static const char *
say(const char *en, const char *ja)
{
	return language_is_japanese() ? ja : en;
}

void
log_usage(FILE *out)
{
	fprintf(out, "  log verify [--head HASH] [--json] FILE...   %s\n",
	    say("look whether a chained log was changed",
		"連鎖ログが書き換えられていないかを調べる"));
}

static const char *
verdict_name(enum chain_verdict v)
{
	static const char *const names[] = {
		[CHAIN_BROKEN] = "broken",
		[CHAIN_MALFORMED] = "malformed",
		[CHAIN_TORN] = "torn",
		[CHAIN_HEADLESS] = "headless",
		[CHAIN_HOLDS] = "holds",
	};

	return names[v];
}

static void
print_fault(const char *file, const struct chain_report *r)
{
	unsigned long long line = r->line;

	switch (r->verdict) {
	case CHAIN_HOLDS:
		return;
	case CHAIN_BROKEN:
		printf(language_is_japanese()
			? "%s: %llu 行目が %llu 行目に続いていません（%llu "
			  "バイト目）。どちらかが書き換えられたか、間の行が"
			  "取り除かれています\n"
			: "%s: line %llu does not follow line %llu (byte"
			  " %llu): one of the two was changed, or what stood"
			  " between them was taken out\n",
		    file, line, line - 1, (unsigned long long)r->offset);
		return;
	case CHAIN_MALFORMED:
		printf(language_is_japanese()
			? "%s: %llu 行目（%llu バイト目）は連鎖ログの行では"
			  "ありません\n"
			: "%s: line %llu (byte %llu) is no line of a chained"
			  " log\n",
		    file, line, (unsigned long long)r->offset);
		return;
	case CHAIN_TORN:
		printf(language_is_japanese()
			? "%s: 最後の %llu 行目（%llu バイト目）が途中で切れて"
			  "います。関門が次の起動時に印を付けます\n"
			: "%s: the last line, %llu (byte %llu), has no end; the"
			  " gate marks it when it starts next\n",
		    file, line, (unsigned long long)r->offset);
		return;
	case CHAIN_HEADLESS:
		printf("%s: %s\n", file,
		    say("no line has the head that was given: it was cut at its"
			" end, or written anew",
			"指定された head の行がありません。末尾が切り取られた"
			"か、書き直されています"));
		return;
	}
}

static void
print_text(const char *file, const struct chain_report *r)
{
	if (r->verdict != CHAIN_HOLDS) {
		print_fault(file, r);
		return;
	}
	printf(language_is_japanese()
		? "%s: 変更はありません。%llu 行、head %s\n"
		: "%s: holds, %llu lines, head %s\n",
	    file, (unsigned long long)r->lines, r->lines == 0 ? "-" : r->head);
	if (r->torn > 0)
		printf(language_is_japanese()
			? "%s: 異常停止で途切れた行が %llu 行あり、印が付いて"
			  "います\n"
			: "%s: %llu lines were torn by a crash, and are"
			  " marked\n",
		    file, (unsigned long long)r->torn);
	if (r->head_line > 0)
		printf(language_is_japanese()
			? "%s: 指定された head は %llu 行目で、後に %llu 行が"
			  "続きます\n"
			: "%s: the head given is line %llu, %llu lines"
			  " follow\n",
		    file, (unsigned long long)r->head_line,
		    (unsigned long long)(r->lines - r->head_line));
}

static json_t *
as_json(const char *file, const struct chain_report *r)
{
	json_t *j = json_object();

	json_object_set_new(j, "file", json_string(file));
	json_object_set_new(
	    j, "verdict", json_string(verdict_name(r->verdict)));
	json_object_set_new(j, "lines", json_integer((json_int_t)r->lines));
	json_object_set_new(j, "torn", json_integer((json_int_t)r->torn));
	if (r->line > 0) {
		json_object_set_new(
		    j, "line", json_integer((json_int_t)r->line));
		json_object_set_new(
		    j, "offset", json_integer((json_int_t)r->offset));
	}
	if (r->first[0] != '\0')
		json_object_set_new(j, "first", json_string(r->first));
	if (r->lines > 0)
		json_object_set_new(j, "head", json_string(r->head));
	if (r->head_line > 0)
		json_object_set_new(
		    j, "head_line", json_integer((json_int_t)r->head_line));
	return j;
}

/* What the file's first line goes on from is in the file before it. 0, or -1:
 * it is not, or that cannot be known. */
static int
check_joint(const char *before, const char *file, const char *first)
{
	struct chain_report r;
	struct err e = { 0 };
	int fd;

	if (first[0] == '\0')
		return 0;
	if (before == NULL) {
		if (strcmp(first, zeros) != 0)
			fprintf(stderr,
			    language_is_japanese()
				? "%s: "
				  "指定されていないファイルの続きです。それ以"
				  "前は確かめていません\n"
				: "%s: goes on from a file that was not given;"
				  " what comes before it is not shown\n",
			    file);
		return 0;
	}
	fd = file_open(before, SIZE_MAX, &e);
	if (fd < 0 || chain_verify(fd, first, &r, &e) < 0)
		r.head_line = 0;
	if (fd >= 0)
		close(fd);
	if (r.head_line > 0)
		return 0;
	fprintf(stderr,
	    language_is_japanese() ? "%s: %s の続きではありません\n"
				   : "%s: does not go on from %s\n",
	    file, before);
	return -1;
}

static int
look_at(const char *file, const char *head, struct chain_report *r)
{
	struct err e = { 0 };
	int fd = file_open(file, SIZE_MAX, &e);
	int result;

	if (fd < 0) {
		fprintf(stderr, "sekishoctl: %s\n", e.text);
		return -1;
	}
	result = chain_verify(fd, head, r, &e);
	close(fd);
	if (result < 0)
		fprintf(stderr, "sekishoctl: %s: %s\n", file, e.text);
	return result;
}

/* The head may be in any of them. */
static int
verify(const struct log_order *o)
{
	json_t *all = json_array();
	int files = o->words_n - 1;
	bool holds = true;
	bool has_head = o->head == NULL;

	for (int i = 0; i < files; i++) {
		const char *file = o->words[1 + i];
		struct chain_report r;

		if (look_at(file, o->head, &r) < 0) {
			holds = false;
			continue;
		}
		has_head |= r.head_line > 0;
		if (r.verdict == CHAIN_HEADLESS && (has_head || i + 1 < files))
			r.verdict = CHAIN_HOLDS;
		if (o->json)
			json_array_append_new(all, as_json(file, &r));
		else
			print_text(file, &r);
		if (r.verdict != CHAIN_HOLDS ||
		    check_joint(i == 0 ? NULL : o->words[i], file, r.first) < 0)
			holds = false;
	}
	if (o->json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		fputc('\n', stdout);
	}
	json_decref(all);
	return holds && has_head ? 0 : FAILED;
}

static bool
is_hash(const char *text)
{
	return strlen(text) == CHAIN_HEX_N - 1 &&
	    strspn(text, "0123456789abcdef") == CHAIN_HEX_N - 1;
}

int
log_command(const struct log_order *o)
{
	if (o->words_n < 2 || strcmp(o->words[0], "verify") != 0) {
		fputs("sekishoctl: log: expected verify and files\n", stderr);
		return FAILED;
	}
	if (o->head != NULL && !is_hash(o->head)) {
		fputs("sekishoctl: log: --head: expected 64 hexadecimal digits"
		      " in lower case\n",
		    stderr);
		return FAILED;
	}
	return verify(o);
}
