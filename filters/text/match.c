/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/match.h"

#include <stdlib.h>

#include "filters/text/set_inside.h"
#include "proxy/base/arena.h"

/*
 * Vectorscan says where each match of a pattern may end (a candidate: it finds
 * all ends of a pattern that is the same or wider). PCRE2 is asked whether a
 * match begins at most a span before. It sees a span more on either side, so
 * that what assertions look at is there, and nothing that it says yes to
 * depends on where the window ends: the answer is that of the whole text.
 * Candidates of one pattern that stand close are asked for together, so that
 * in the worst case a pattern reads the text once, as it would without all
 * this.
 */

/* At most so much is scanned before candidates are looked at. */
#define BLOCK ((size_t)16384)
/* Beyond the span: a character before \b, a line's end behind $. */
#define MARGIN 8

/* Ends of candidates, not yet confirmed: [first, last] in the text; last 0:
 * there is none (no pattern matches nothing). */
struct pending {
	uint64_t first;
	uint64_t last;
};

struct match {
	struct set *set;
	hs_stream_t *stream;
	int64_t threshold;
	int64_t sum;
	int64_t below; /* negative weights not yet found */
	const char *why;
	struct buf text; /* the end of what came */
	uint64_t from;   /* of text, in the whole */
	size_t keep;
	bool ended;
	uint64_t *found; /* a bit for each pattern */
	struct pending *pending;
	uint32_t *waiting; /* patterns with something pending */
	size_t waiting_n;
};

struct match *
match_new(struct set *s, int64_t threshold)
{
	struct match *m = calloc(1, sizeof(*m));
	size_t n = s->records_n;

	must(m != NULL && threshold > 0 && s->db != NULL);
	m->set = s;
	m->threshold = threshold;
	m->keep = 3 * (size_t)s->span_max + 4 * MARGIN;
	buf_init(&m->text, m->keep + 2 * BLOCK);
	m->found = calloc(n / 64 + 1, sizeof(*m->found));
	m->pending = calloc(n, sizeof(*m->pending));
	m->waiting = calloc(n, sizeof(*m->waiting));
	must(m->found != NULL && m->pending != NULL && m->waiting != NULL);
	for (size_t i = 0; i < n; i++)
		if (s->records[i].weight < 0)
			m->below += s->records[i].weight;
	must(hs_open_stream(s->db, 0, &m->stream) == HS_SUCCESS);
	return m;
}

void
match_free(struct match *m)
{
	if (m == NULL)
		return;
	hs_close_stream(m->stream, NULL, NULL, NULL);
	buf_release(&m->text);
	free(m->found);
	free(m->pending);
	free(m->waiting);
	free(m);
}

static uint64_t
text_end(const struct match *m)
{
	return m->from + m->text.n;
}

/* A place in the text as one in the buffer, moved back to where a character
 * begins. */
static size_t
place(const struct match *m, uint64_t at)
{
	size_t i = at < m->from ? 0 : (size_t)(at - m->from);

	if (i > m->text.n)
		i = m->text.n;
	while (i > 0 && i < m->text.n && (m->text.p[i] & 0xc0) == 0x80)
		i--;
	return i;
}

static uint64_t
minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static void
count(struct match *m, size_t i)
{
	int32_t weight = m->set->records[i].weight;

	m->found[i / 64] |= (uint64_t)1 << i % 64;
	m->sum += weight;
	if (weight < 0)
		m->below -= weight;
	if (m->sum + m->below >= m->threshold)
		m->why = "what was found weighs more than is allowed";
}

/* Whether pattern i has a match that ends at one of [first, last]. */
static void
confirm(struct match *m, size_t i, uint64_t first, uint64_t last)
{
	uint64_t span = m->set->records[i].span;
	size_t begin = place(m, minus(first, 2 * span + MARGIN));
	size_t end = place(m, last + span + MARGIN);
	struct bytes window = { m->text.p + begin, end - begin };

	switch (set_confirm(m->set, i, window,
	    place(m, minus(first, span)) - begin, place(m, last) - begin)) {
	case SET_YES:
		count(m, i);
		break;
	case SET_NO:
		break;
	case SET_TOO_MUCH:
		m->why = "a pattern takes too many steps on this text";
		break;
	}
}

static int
take_candidate(unsigned id, unsigned long long from, unsigned long long to,
    unsigned flags, void *context)
{
	struct match *m = context;
	struct pending *p = &m->pending[id];

	(void)from;
	(void)flags;
	if (match_found(m, id))
		return 0;
	if (p->last == 0) {
		m->waiting[m->waiting_n++] = id;
	} else if (to <= p->last + m->set->records[id].span + MARGIN) {
		p->last = to > p->last ? to : p->last;
		return 0;
	} else {
		confirm(m, id, p->first, p->last);
	}
	p->first = to;
	p->last = to;
	return m->why != NULL;
}

/* Confirms what has all its surroundings; true when something still waits. */
static bool
settle(struct match *m, size_t i)
{
	struct pending *p = &m->pending[i];
	uint64_t need = m->set->records[i].span + MARGIN;
	uint64_t ready = m->ended ? UINT64_MAX : minus(text_end(m), need);

	if (match_found(m, i)) {
		p->last = 0;
	} else if (p->last <= ready) {
		confirm(m, i, p->first, p->last);
		p->last = 0;
	} else if (p->first <= ready) {
		confirm(m, i, p->first, ready);
		p->first = ready + 1;
	}
	return p->last != 0 && !match_found(m, i);
}

static void
settle_all(struct match *m)
{
	size_t left = 0;

	for (size_t k = 0; k < m->waiting_n && m->why == NULL; k++) {
		uint32_t i = m->waiting[k];

		if (settle(m, i))
			m->waiting[left++] = i;
		else
			m->pending[i].last = 0;
	}
	m->waiting_n = left;
}

/* What no window can want any more goes, but not each time. */
static void
forget(struct match *m)
{
	size_t drop;

	if (m->text.n <= m->keep + BLOCK)
		return;
	drop = m->text.n - m->keep;
	buf_consume(&m->text, drop);
	m->from += drop;
}

static void
push_block(struct match *m, struct bytes block)
{
	hs_error_t error;

	forget(m);
	must(buf_append(&m->text, block) == 0);
	error = hs_scan_stream(m->stream, (const char *)block.p,
	    (unsigned)block.n, 0, m->set->scratch, take_candidate, m);
	must(error == HS_SUCCESS || error == HS_SCAN_TERMINATED);
	if (m->why == NULL)
		settle_all(m);
}

static enum match_verdict
verdict(const struct match *m)
{
	return m->why != NULL ? MATCH_REFUSED : MATCH_OPEN;
}

enum match_verdict
match_push(struct match *m, struct bytes text)
{
	must(!m->ended);
	while (text.n > 0 && m->why == NULL)
		push_block(
		    m, bytes_take(&text, text.n < BLOCK ? text.n : BLOCK));
	return verdict(m);
}

enum match_verdict
match_end(struct match *m)
{
	hs_error_t error;

	if (m->ended || m->why != NULL)
		return verdict(m);
	m->ended = true;
	/* What may stand at the end alone is said now. */
	error =
	    hs_reset_stream(m->stream, 0, m->set->scratch, take_candidate, m);
	must(error == HS_SUCCESS || error == HS_SCAN_TERMINATED);
	if (m->why == NULL)
		settle_all(m);
	if (m->why == NULL && m->sum >= m->threshold)
		m->why = "what was found weighs more than is allowed";
	return verdict(m);
}

const char *
match_why(const struct match *m)
{
	return m->why;
}

int64_t
match_sum(const struct match *m)
{
	return m->sum;
}

bool
match_found(const struct match *m, size_t i)
{
	return (m->found[i / 64] >> i % 64 & 1) != 0;
}
