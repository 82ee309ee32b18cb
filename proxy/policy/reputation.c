/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/reputation.h"

#include <string.h>

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
	uint64_t of =
	    lists_from_file(j->lists, bytes_of(m->category), m->confidence);

	j->possible |= of;
	if (!m->loose)
		j->certain |= of;
}

/* What cannot be looked up may be in any category: who tightens sees it so. */
void
reputation_look_up(struct judging *j, const struct urlrep *r)
{
	uint64_t all = lists_from_file_all(j->lists);
	struct canon c;
	struct urlrep_query q = { .url = &c, .now = j->query->now };

	if (all == 0)
		return;
	if (canonical(j->query->url, &c) < 0 ||
	    urlrep_find(r, &q, found, j) < 0) {
		j->possible |= all;
		return;
	}
	if (j->connecting && urlrep_has_urls(r, &c))
		j->later |= all;
}
