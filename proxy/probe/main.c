/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-probe: shows that a system of a My Number network is closed. It runs
 * on that system: tries what must not be reached (attempts.c), looks at ways
 * out (facts.c), signs what it found and tells the gate (send.c).
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/language.h"
#include "proxy/probe/attempts.h"
#include "proxy/probe/facts.h"
#include "proxy/probe/key.h"
#include "proxy/probe/send.h"
#include "proxy/probe/trial.h"

#define DEFAULT_CONFIG "/etc/sekisho-probe/probe.conf"
#define DEFAULT_KEY "/etc/sekisho-probe/probe.key"
#define GOOD 0
#define FAILED 1
#define FOUND 2
#define USAGE 64 /* EX_USAGE */

struct options {
	const char *config;
	bool dry_run;
	char **words;
	int words_n;
};

static const char *
say(const char *english, const char *japanese)
{
	return language_is_japanese() ? japanese : english;
}

/* What was found, for people. */

static const char *
outcome_text(const struct probe_item *i)
{
	switch (i->outcome) {
	case PROBE_FOUND:
		return say("FOUND", "要対処");
	case PROBE_UNTRIED:
		return probe_item_is_finding(i) ? say("FAILED", "確認不能")
						: say("untried", "未確認");
	case PROBE_CLOSED:
		return say("closed", "閉");
	case PROBE_TOLD:
		return say("fact", "参考");
	case PROBE_OUTCOMES:
		break;
	}
	return "";
}

static const char *
kind_text(enum probe_kind k)
{
	static const char *const ja[PROBE_KINDS] = {
		[PROBE_TCP] = "TCP",
		[PROBE_UDP] = "UDP",
		[PROBE_ICMP] = "ICMP",
		[PROBE_NAME] = "名前",
		[PROBE_ROUTE] = "既定経路",
		[PROBE_ADDRESS] = "アドレス",
		[PROBE_RESOLVER] = "ネームサーバー",
	};

	return say(probe_kind_name(k), ja[k]);
}

static void
print_item(const struct probe_item *i)
{
	char detail[PROBE_DETAIL_TEXT_MAX];

	printf("%s\t%s\t%s\t%s\n", outcome_text(i), kind_text(i->kind),
	    i->target,
	    probe_detail_text(i->detail, language_is_japanese(), detail));
}

static void
print_verdict(const struct probe *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->items_n; i++)
		n += probe_item_is_finding(&p->items[i]);
	if (probe_is_good(p))
		printf("%s: %s\n", p->system,
		    say("closed: nothing answered",
			"閉じています。どこからも応答はありませんでした。"));
	else
		printf("%s: %s%zu\n", p->system,
		    say("NOT CLOSED: findings: ",
			"閉じていません。要対処の件数: "),
		    n);
}

enum told {
	FINDINGS,
	EVERYTHING,
};

static void
print(const struct probe *p, enum told what)
{
	for (size_t i = 0; i < p->items_n; i++)
		if (what == EVERYTHING || probe_item_is_finding(&p->items[i]))
			print_item(&p->items[i]);
	print_verdict(p);
	fflush(stdout);
}

/* The command. */

static int
fail(const struct err *e)
{
	fprintf(stderr, "sekisho-probe: %s\n", e->text);
	return FAILED;
}

static int
load(const struct options *o, struct trial *trial)
{
	static struct err_list all;
	struct err e = { .list = &all };

	if (trial_load(trial, o->config, &e) == 0)
		return 0;
	err_print(&e, stderr);
	return -1;
}

static void
look(const struct trial *trial, struct probe *p)
{
	snprintf(p->system, sizeof(p->system), "%s", trial->system);
	if (gethostname(p->host, sizeof(p->host) - 1) < 0 || p->host[0] == '\0')
		snprintf(p->host, sizeof(p->host), "?");
	attempts_run(trial, p);
	facts_list(trial, p);
	p->time = time(NULL);
}

static int
probe(const struct options *o)
{
	static struct probe_item items[PROBE_ITEMS_MAX];
	static struct trial trial;
	struct probe p = { .items = items };
	struct err e = { 0 };
	EVP_PKEY *key = NULL;
	int sent = 0;

	if (load(o, &trial) < 0)
		return FAILED;
	if (!o->dry_run && (key = key_load(trial.probe_key, &e)) == NULL)
		return fail(&e);
	look(&trial, &p);
	print(&p, o->dry_run ? EVERYTHING : FINDINGS);
	if (!o->dry_run)
		sent = send_probe(&trial, &p, key, &e);
	EVP_PKEY_free(key);
	if (sent < 0)
		return fail(&e);
	return probe_is_good(&p) ? GOOD : FOUND;
}

static int
keygen(const struct options *o)
{
	const char *path = o->words_n > 0 ? o->words[0] : DEFAULT_KEY;
	struct err e = { 0 };

	return key_make(path, stdout, &e) < 0 ? fail(&e) : GOOD;
}

static int
usage(FILE *out, int status)
{
	fputs(
	    say("usage: sekisho-probe [-c FILE]            try, and tell the"
		" gate\n"
		"       sekisho-probe [-c FILE] --dry-run  try, and print it"
		" all\n"
		"       sekisho-probe keygen [FILE]        make the key; print"
		" its public half\n"
		"       sekisho-probe --version | --help\n"
		"0: closed and accepted; 1: failed; 2: not closed\n",
		"使い方: sekisho-probe [-c ファイル]            確かめて"
		"関門に知らせる\n"
		"        sekisho-probe [-c ファイル] --dry-run  確かめて"
		"すべて表示する（知らせない）\n"
		"        sekisho-probe keygen [ファイル]        鍵を作り、"
		"公開鍵を表示する\n"
		"        sekisho-probe --version | --help\n"
		"0: 閉じていて受理された、1: 失敗、2: 閉じていない\n"),
	    out);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options o = { .config = DEFAULT_CONFIG };
	int c;

	while ((c = getopt_long(argc, argv, "c:nVh", options, NULL)) != -1)
		switch (c) {
		case 'c':
			o.config = optarg;
			break;
		case 'n':
			o.dry_run = true;
			break;
		case 'V':
			printf("sekisho-probe %s\n", SEKISHO_VERSION);
			return GOOD;
		case 'h':
			return usage(stdout, GOOD);
		default:
			return usage(stderr, USAGE);
		}
	o.words = argv + optind;
	o.words_n = argc - optind;
	if (o.words_n == 0)
		return probe(&o);
	if (strcmp(o.words[0], "keygen") != 0 || o.words_n > 2 || o.dry_run)
		return usage(stderr, USAGE);
	o.words++;
	o.words_n--;
	return keygen(&o);
}
