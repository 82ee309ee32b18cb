/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policy/town.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOON 1795489200 /* Tuesday 2026-11-24 12:00 in Japan */

static const char settings[] =
    "prefecture = { code = \"990001\"; };"
    "zones = ("
    " { name = \"internet\"; kind = \"internet\"; },"
    " { name = \"wide\"; kind = \"internet\"; ports = [443, 8443]; },"
    " { name = \"lgwan\"; kind = \"lgwan\"; },"
    " { name = \"mynumber\"; kind = \"mynumber\"; } );"
    "bodies = ("
    " { code = \"990019\"; name_ja = \"関所市\"; name_en = \"Sekisho City\";"
    "   segments = ("
    "    { prefix = \"192.0.2.0/25\"; zone = \"internet\"; },"
    "    { prefix = \"192.0.2.64/26\"; zone = \"internet\";"
    "      section = \"school\"; },"
    "    { prefix = \"192.0.2.128/26\"; zone = \"lgwan\"; },"
    "    { prefix = \"192.0.2.192/26\"; zone = \"mynumber\"; } ); },"
    " { code = \"990027\"; name_ja = \"試験町\"; name_en = \"Test Town\";"
    "   segments = ("
    "    { prefix = \"198.51.100.0/24\"; zone = \"wide\"; } ); } );";

void
town_open(struct town *t)
{
	config_t config;

	*t = (struct town){ .folder = "/tmp/sekisho-town-XXXXXX" };
	ck_assert(mkdtemp(t->folder) != NULL);
	config_init(&config);
	ck_assert(config_read_string(&config, settings) == CONFIG_TRUE);
	t->zones = zones_load(config_root_setting(&config), &t->arena, &t->err);
	ck_assert_msg(t->zones != NULL, "%s", t->err.text);
	config_destroy(&config);
}

void
town_close(struct town *t)
{
	DIR *d = opendir(t->folder);
	struct dirent *entry;

	ck_assert(d != NULL);
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(t->folder);
	policy_release(t->policy);
	arena_release(&t->arena);
}

const char *
town_path(struct town *t, const char *name)
{
	return arena_printf(&t->arena, "%s/%s", t->folder, name);
}

void
town_write(struct town *t, const char *name, struct bytes text)
{
	int fd = open(
	    town_path(t, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert(fd >= 0);
	ck_assert(write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
}

int
town_load(struct town *t, const char *text)
{
	const char *name = "p.conf";
	struct policy_file file = { .path = name, .layer = LAYER_NATIONAL };
	const struct policy_files files = { &file, 1 };

	town_write(t, name, bytes_of(text));
	t->err.text[0] = '\0';
	policy_release(t->policy);
	t->policy =
	    policy_load(&files, t->folder, t->zones, &t->arena, &t->err);
	return t->policy == NULL ? -1 : 0;
}

static struct query
query_from(struct town *t, const char *from, struct url *u)
{
	struct address client;

	ck_assert(address_parse(&client, bytes_of(from)) == 0);
	return (struct query){
		.segment = zones_lookup(t->zones, &client),
		.url = u,
		.now = NOON,
	};
}

struct decision
town_judge(
    struct town *t, const char *from, const char *method, const char *url)
{
	struct url u = { 0 };
	struct query q = query_from(t, from, &u);
	const char *why = "";

	q.method = bytes_of(method);
	ck_assert_msg(
	    url_parse_absolute(&u, bytes_of(url), &t->arena, &why) == 0,
	    "%s: %s", url, why);
	return policy_judge(t->policy, &q);
}

struct decision
town_judge_connect(struct town *t, const char *from, const char *authority)
{
	struct url u = { .scheme = SCHEME_HTTPS };
	struct query q = query_from(t, from, &u);
	const char *why = "";

	q.method = BYTES("CONNECT");
	ck_assert_msg(url_parse_authority(
			  &u, bytes_of(authority), 0, &t->arena, &why) == 0,
	    "%s: %s", authority, why);
	return policy_judge_connect(t->policy, &q);
}
