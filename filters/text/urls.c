/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/urls.h"

#include "filters/text/set_inside.h"
#include "proxy/base/arena.h"

/* Of one text. */
struct trial {
	struct set *set;
	struct bytes text;
	bool (*found)(void *context, size_t pattern);
	void *context;
	enum urls_answer answer;
	bool enough; /* no more need be tried */
};

/* One scan at a time, and nobody else's: see the mark of what was tried. */
static void
try(struct trial *t, uint32_t i)
{
	uint64_t bit = (uint64_t)1 << i % 64;
	uint64_t *tried = &t->set->tried[i / 64];

	if (t->enough || (*tried & bit) != 0)
		return;
	*tried |= bit;
	switch (set_confirm(t->set, i, t->text, 0, t->text.n)) {
	case SET_YES:
		t->answer = URLS_YES;
		t->enough = t->found == NULL || !t->found(t->context, i);
		break;
	case SET_NO:
		break;
	case SET_TOO_MUCH:
		t->answer = URLS_TOO_MUCH;
		t->enough = true;
		break;
	}
}

static int
take_literal(unsigned id, unsigned long long from, unsigned long long to,
    unsigned flags, void *context)
{
	struct trial *t = context;
	const struct set_literal *l = &t->set->literals[id];

	(void)from;
	(void)to;
	(void)flags;
	for (uint32_t i = 0; i < l->count; i++)
		try(t, t->set->wanted[l->first + i]);
	return t->enough;
}

static int
take_candidate(unsigned id, unsigned long long from, unsigned long long to,
    unsigned flags, void *context)
{
	struct trial *t = context;

	(void)from;
	(void)to;
	(void)flags;
	try(t, id);
	return t->enough;
}

static void
scan(struct trial *t, const hs_database_t *db, match_event_handler take)
{
	hs_error_t error;

	if (db == NULL || t->enough)
		return;
	error = hs_scan(db, (const char *)t->text.p, (unsigned)t->text.n, 0,
	    t->set->scratch, take, t);
	must(error == HS_SUCCESS || error == HS_SCAN_TERMINATED);
}

enum urls_answer
urls_match(struct set *s, struct bytes text,
    bool (*found)(void *context, size_t pattern), void *context)
{
	struct trial t = {
		.set = s,
		.text = text,
		.found = found,
		.context = context,
		.answer = URLS_NO,
	};

	if (text.n > URLS_TEXT_MAX)
		return URLS_TOO_MUCH;
	memset(s->tried, 0, (s->records_n / 64 + 1) * sizeof(*s->tried));
	scan(&t, s->literals_db, take_literal);
	scan(&t, s->db, take_candidate);
	for (size_t i = 0; i < s->always_n; i++)
		try(&t, s->always[i]);
	return t.answer;
}
