/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/reputation.h"

#include <string.h>

#include "filters/urlrep/hash.h"
#include "filters/urlrep/score.h"
#include "proxy/policy/compiled.h"

const struct setting reputation_table[] = {
	SETTING_TEXT_ROW(reputation_settings, file, "", 0, 4096,
	    "The file of URL lists that `sekishoctl lists compile` makes; "
	    "empty:"
	    " none. A new one is taken within a second.",
	    "`sekishoctl lists compile` が作る URL リストのファイル。空なら"
	    "使わない。新しいものは 1 秒以内に使い始める。"),
};
const size_t reputation_table_n = COUNT(reputation_table);

/* 0, or -1: it is no URL that lists could know, though it was parsed. */
static int
canonical(const struct url *u, struct canon *c)
{
	const char *why;
	char text[HOST_MAX + 3];
	bool v6 = u->is_address && !address_is_v4(&u->address);
	int n = snprintf(text, sizeof(text), "%s%.*s%s", v6 ? "[" : "",
	    BYTES_PRINTF(u->host), v6 ? "]" : "");

	if (canon_parse_host(c,
		(struct bytes){ (const uint8_t *)text, (size_t)n }, &why) < 0)
		return -1;
	canon_port(c, u->port);
	return u->path.n == 0 ? 0 : canon_parse_target(c, u->target, &why);
}

static void
found(const struct urlrep_match *m, void *context)
{
	struct judging *j = context;
	uint64_t of = lists_with_confidence(
	    j->lists, bytes_of(m->category), m->confidence);

	j->possible |= of;
	if (!m->loose)
		j->certain |= of;
}

static int
look_into_file(struct judging *j, const struct policy *p, const struct canon *c)
{
	const struct query *q = j->query;
	const struct urlrep *r =
	    q->reputation != NULL ? q->reputation : p->reputation;
	struct urlrep_query query = { .url = c, .now = q->now };

	if (r == NULL || urlrep_find(r, &query, found, j) < 0)
		return -1;
	if (j->connecting && urlrep_has_urls(r, c))
		j->later |= lists_looked_up(j->lists, LIST_REPUTATION);
	return 0;
}

/* To compare a name with fifty others takes 200 us: those that were asked for
 * of late are remembered, for the process. A name that falls on another's place
 * takes it. */
#define REMEMBERED 1024

static struct remembered {
	uint16_t host_n; /* 0: none */
	uint16_t port;
	uint8_t points;
	uint8_t host[HOST_MAX];
} remembered[REMEMBERED];

void
reputation_forget(void)
{
	memset(remembered, 0, sizeof(remembered));
}

static unsigned
points_of(const struct score_settings *s, const struct canon *c)
{
	struct remembered *m =
	    &remembered[hash_bytes(c->port, c->host) % REMEMBERED];
	struct score score;

	if (m->host_n == c->host.n && m->port == c->port &&
	    memcmp(m->host, c->host.p, c->host.n) == 0)
		return m->points;
	score_url(s, c, &score);
	if (c->host.n > sizeof(m->host))
		return score.points;
	memcpy(m->host, c->host.p, c->host.n);
	m->host_n = (uint16_t)c->host.n;
	m->port = c->port;
	m->points = (uint8_t)score.points;
	return score.points;
}

/* Of the name alone: a CONNECT and its requests are scored alike. */
static int
add_score(struct judging *j, const struct policy *p, const struct canon *c)
{
	uint64_t of;

	if (p->score == NULL)
		return -1;
	of = lists_with_score(j->lists, points_of(p->score, c));
	j->possible |= of;
	j->certain |= of;
	return 0;
}

/* What cannot be looked up may be in any category: who tightens sees it so. */
void
reputation_look_up(struct judging *j, const struct policy *p)
{
	uint64_t filed = lists_looked_up(j->lists, LIST_REPUTATION);
	uint64_t scored = lists_looked_up(j->lists, LIST_SCORE);
	struct canon c;

	if ((filed | scored) == 0)
		return;
	if (canonical(j->query->url, &c) < 0) {
		j->possible |= filed | scored;
		return;
	}
	if (filed != 0 && look_into_file(j, p, &c) < 0)
		j->possible |= filed;
	if (scored != 0 && add_score(j, p, &c) < 0)
		j->possible |= scored;
}
