/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: what one decision costs with 100, 1,000 and 10,000 rules, a fifth of
 * them in `must`: by names, URLs, zones, bodies, methods, ports, categories.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proxy/policy/policy.h"

#define QUERIES 4096
#define ROUNDS 64

static const char settings[] =
    "prefecture = { code = \"990001\"; };"
    "zones = ( { name = \"internet\"; kind = \"internet\"; },"
    " { name = \"lgwan\"; kind = \"lgwan\"; } );"
    "bodies = ( { code = \"990019\"; name_ja = \"a\"; segments = ("
    " { prefix = \"192.0.2.0/25\"; zone = \"internet\"; },"
    " { prefix = \"192.0.2.128/25\"; zone = \"lgwan\"; } ); },"
    " { code = \"990027\"; name_ja = \"b\"; segments = ("
    " { prefix = \"198.51.100.0/24\"; zone = \"internet\"; } ); } );";

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
write_rule(FILE *f, unsigned i, bool must)
{
	static const char *const verdicts[] = { "allow", "block", "read-only",
		"allow" };
	static const char *const more[] = { "", "methods = [\"POST\"];",
		"bodies = [\"990027\"];", "ports = [443];", "",
		"zones = [\"internet\"];", "hours = [\"mon-fri 08:30-17:15\"];",
		"categories = [\"evil\"];" };

	fprintf(f,
	    "%s{ name = \"%c%u\"; verdict = \"%s\"; reason_ja = \"a\"; %s",
	    i == 0 ? "" : ",\n", must ? 'm' : 'd', i, verdicts[i % 4],
	    more[i % 8]);
	if (i % 5 == 0)
		fprintf(f, " urls = [\"https://h%u.test/a/\"]; }", i);
	else
		fprintf(f,
		    " destinations = [\"h%u.test\", \"g%u.example.test\"]; }",
		    i, i);
}

static void
write_rules(FILE *f, const char *key, unsigned n, bool must)
{
	fprintf(f, "%s = (\n", key);
	for (unsigned i = 0; i < n; i++)
		write_rule(f, i, must);
	fputs(");\n", f);
}

static struct policy *
load(const char *folder, unsigned n, const struct zones *z, struct arena *a)
{
	struct policy_file file = { "p.conf", LAYER_PREFECTURE, NULL, NULL };
	const struct policy_files files = { &file, 1 };
	const char *path = arena_printf(a, "%s/p.conf", folder);
	const char *list = arena_printf(a, "%s/evil.domains", folder);
	FILE *f = fopen(list, "w");
	struct err e = { 0 };
	struct policy *p;

	fputs("evil.test\n", f);
	fclose(f);
	f = fopen(path, "w");
	fputs(
	    "lists = ( { category = \"evil\"; file = \"evil.domains\"; } );\n",
	    f);
	write_rules(f, "must", n / 5, true);
	write_rules(f, "default", n - n / 5, false);
	fclose(f);
	p = policy_load(&files, folder, z, a, &e);
	if (p == NULL)
		fprintf(stderr, "%s\n", e.text);
	unlink(path);
	unlink(list);
	return p;
}

/* Half of them in some rule, half in none. */
static void
make_queries(struct query *q, struct url *u, unsigned n, const struct zones *z,
    struct arena *a)
{
	static const char *const from[] = { "192.0.2.1", "192.0.2.129",
		"198.51.100.1" };
	static const char *const forms[] = { "https://www.h%u.test/a/b?c=d",
		"https://h%u.test/", "https://unlisted%u.example.test/x/y" };

	for (unsigned i = 0; i < QUERIES; i++) {
		struct address client;
		const char *why;
		struct bytes text = bytes_of(
		    arena_printf(a, forms[i % 3], (unsigned)random() % n));

		if (address_parse(&client, bytes_of(from[i % 3])) < 0 ||
		    url_parse_absolute(&u[i], text, a, &why) < 0)
			abort();
		q[i] = (struct query){
			.segment = zones_lookup(z, &client),
			.url = &u[i],
			.method = i % 4 == 0 ? BYTES("POST") : BYTES("GET"),
			.now = 1795489200,
		};
	}
}

static void
measure(const char *folder, unsigned n, const struct zones *z)
{
	static struct query queries[QUERIES];
	static struct url urls[QUERIES];
	struct arena a = { 0 };
	double began = now();
	struct policy *p = load(folder, n, z, &a);
	double loaded = now();
	double least[2] = { 1e18, 1e18 };
	unsigned blocked = 0;

	if (p == NULL)
		exit(1);
	make_queries(queries, urls, n, z, &a);
	for (int round = 0; round < ROUNDS; round++) {
		double t[3];

		t[0] = now();
		for (unsigned i = 0; i < QUERIES; i++)
			blocked += policy_judge(p, &queries[i]).verdict ==
			    VERDICT_BLOCK;
		t[1] = now();
		for (unsigned i = 0; i < QUERIES; i++)
			blocked +=
			    policy_judge_connect(p, &queries[i]).verdict ==
			    VERDICT_BLOCK;
		t[2] = now();
		for (int k = 0; k < 2; k++)
			if (t[k + 1] - t[k] < least[k])
				least[k] = t[k + 1] - t[k];
	}
	printf("%8u rules: a request %6.0f ns, a CONNECT %6.0f ns; loaded in"
	       " %.0f ms (%.0f%% blocked)\n",
	    n, least[0] / QUERIES, least[1] / QUERIES, (loaded - began) / 1e6,
	    100.0 * blocked / ROUNDS / QUERIES / 2);
	arena_release(&a);
}

int
main(void)
{
	char folder[] = "/tmp/sekisho-bench-XXXXXX";
	struct arena a = { 0 };
	struct err e = { 0 };
	config_t config;
	struct zones *z;

	config_init(&config);
	if (mkdtemp(folder) == NULL ||
	    config_read_string(&config, settings) != CONFIG_TRUE)
		return 1;
	z = zones_load(config_root_setting(&config), &a, &e);
	if (z == NULL)
		return 1;
	measure(folder, 100, z);
	measure(folder, 1000, z);
	measure(folder, 10000, z);
	rmdir(folder);
	return 0;
}
