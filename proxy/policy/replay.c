/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/replay.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/file.h"
#include "proxy/base/when.h"

/* Decisions that change alike. */
struct group {
	struct group *next;
	const char *words; /* "allow lab -> block no-lab" */
	const char *first; /* "journal:17: https://www.test/" */
	size_t n;
};

struct replay {
	const struct policy *policy;
	const struct zones *zones;
	const char *path;
	struct arena arena; /* of the groups */
	struct group *groups;
	size_t groups_n;
	struct replay_result *result;
};

/* One line's decision, as it was. */
struct event {
	struct address client;
	struct url url;
	struct bytes method;
	bool upgrade;
	time_t at;
	const char *verdict, *rule;
};

static const char *
text(const json_t *line, const char *key)
{
	const char *value = json_string_value(json_object_get(line, key));

	return value == NULL ? "" : value;
}

/* "2026-11-24T12:00:00.123456Z" */
static int
read_time(const char *value, time_t *out)
{
	struct arena a = { 0 };
	struct bytes whole = bytes_of(value);
	int result;

	if (whole.n < 20)
		return -1;
	result =
	    when_instant(bytes_of(arena_printf(&a, "%.19s+00:00", value)), out);
	arena_release(&a);
	return result;
}

static int
read_url(const json_t *line, struct url *u, struct arena *a)
{
	const char *path = text(line, "path");
	const char *host = text(line, "host");
	const char *why;
	/* Hosts of the journal have no brackets. */
	bool v6 = strchr(host, ':') != NULL;

	return url_parse_absolute(u,
	    bytes_of(arena_printf(a, "%s://%s%s%s:%d%s", text(line, "scheme"),
		v6 ? "[" : "", host, v6 ? "]" : "",
		(int)json_integer_value(json_object_get(line, "port")),
		path[0] == '/' ? path : "/")),
	    a, &why);
}

/* 1: a decision; 0: a line about something else; -1: neither. */
static int
read_event(const json_t *line, struct event *v, struct arena *a)
{
	const char *what = text(line, "event");

	if (!json_is_object(line))
		return -1;
	v->verdict = text(line, "verdict");
	v->rule = text(line, "rule");
	if ((strcmp(what, "exchange") != 0 && strcmp(what, "tunnel") != 0) ||
	    v->verdict[0] == '\0' ||
	    strncmp(text(line, "path"), POLICY_OWN_PATH,
		sizeof(POLICY_OWN_PATH) - 1) == 0)
		return 0;
	v->upgrade = text(line, "upgrade")[0] != '\0';
	v->method = bytes_of(text(line, "method"));
	if (read_time(text(line, "time"), &v->at) < 0 ||
	    address_parse(&v->client, bytes_of(text(line, "client"))) < 0 ||
	    read_url(line, &v->url, a) < 0)
		return -1;
	return 1;
}

/* A rule that asks why let it pass: its user had said so. */
static bool
had_gone_on(const void *owner, const struct rule *r)
{
	const struct event *v = owner;

	return strcmp(v->verdict, "allow") == 0 &&
	    strcmp(v->rule, r->name) == 0;
}

static struct decision
judge(const struct replay *r, const struct event *v)
{
	const struct query q = {
		.segment = zones_lookup(r->zones, &v->client),
		.url = &v->url,
		.method = v->method,
		.upgrade = v->upgrade,
		.now = v->at,
		.went_on = had_gone_on,
		.owner = v,
	};
	struct decision steps[POLICY_STEPS_MAX] = { 0 };
	size_t n = policy_judge_steps(r->policy, &q, steps);

	return steps[n - 1];
}

static void
count(
    struct replay *r, const char *words, const struct event *v, unsigned number)
{
	struct group *g = r->groups;
	struct arena *a = &r->arena;

	while (g != NULL && strcmp(g->words, words) != 0)
		g = g->next;
	if (g == NULL) {
		g = ARENA_NEW(a, struct group);
		g->words = arena_string(a, bytes_of(words));
		g->first = arena_printf(a, "%s:%u: %.*s %s://%.*s%.*s", r->path,
		    number, BYTES_PRINTF(v->method), scheme_name(v->url.scheme),
		    BYTES_PRINTF(url_authority(&v->url, a)),
		    BYTES_PRINTF(v->url.path));
		g->next = r->groups;
		r->groups = g;
		r->groups_n++;
	}
	g->n++;
	r->result->changed++;
}

static void
take_line(struct replay *r, struct bytes line, unsigned number)
{
	struct arena a = { 0 };
	json_t *json = json_loadb((const char *)line.p, line.n, 0, NULL);
	struct event v = { 0 };
	int read = read_event(json, &v, &a);
	struct decision d;

	r->result->unread += read < 0;
	if (read == 1) {
		r->result->decisions++;
		d = judge(r, &v);
		if (strcmp(verdict_name(d.verdict), v.verdict) != 0 ||
		    strcmp(d.rule->name, v.rule) != 0)
			count(r,
			    arena_printf(&a, "%s %s -> %s %s", v.verdict,
				v.rule, verdict_name(d.verdict), d.rule->name),
			    &v, number);
	}
	json_decref(json);
	arena_release(&a);
}

static int
by_count(const void *a, const void *b)
{
	const struct group *const *left = a;
	const struct group *const *right = b;

	return ((*left)->n < (*right)->n) - ((*left)->n > (*right)->n);
}

static void
print(struct replay *r, FILE *out)
{
	struct group **sorted =
	    ARENA_ARRAY(&r->arena, struct group *, r->groups_n);
	size_t n = 0;

	for (struct group *g = r->groups; g != NULL; g = g->next)
		sorted[n++] = g;
	qsort(sorted, n, sizeof(*sorted), by_count);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%8zu  %s\n          %s\n", sorted[i]->n,
		    sorted[i]->words, sorted[i]->first);
}

int
replay_run(const struct policy *p, const struct zones *z, const char *path,
    FILE *out, struct replay_result *result_out, struct err *e)
{
	struct replay r = {
		.policy = p, .zones = z, .path = path, .result = result_out
	};
	int fd = file_open(path, SIZE_MAX, e);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	unsigned number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	*result_out = (struct replay_result){ 0 };
	if (file == NULL)
		return -1;
	while ((n = getline(&line, &size, file)) > 0)
		take_line(
		    &r, (struct bytes){ (uint8_t *)line, (size_t)n }, ++number);
	print(&r, out);
	free(line);
	fclose(file);
	arena_release(&r.arena);
	return 0;
}
