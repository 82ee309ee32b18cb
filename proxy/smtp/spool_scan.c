/* SPDX-License-Identifier: Apache-2.0 */
/* segment_scan: the records of a file that somebody else wrote, or nobody
 * finished. */
#include <errno.h>
#include <unistd.h>

#include "proxy/base/buf.h"
#include "proxy/smtp/spool_file.h"

#define WINDOW ((size_t)16384)
#define WINDOW_MAX (RECORD_HEAD + 2 * SPOOL_TEXT_MAX)

struct scan {
	struct segment *g;
	const struct segment_events *events;
	void *owner;
	struct buf window; /* of the file, from there */
	uint64_t from;
	uint64_t damage, damage_end; /* not told yet */
};

/* n bytes of the file; fewer at its end, or where the disk does not give
 * them. */
static struct bytes
look(struct scan *c, uint64_t at, size_t n)
{
	size_t want = n < WINDOW ? WINDOW : n;
	ssize_t got;

	if (at < c->from || at + n > c->from + c->window.n) {
		c->window.n = 0;
		c->from = at;
		must(buf_reserve(&c->window, want) == 0);
		do
			got = pread(c->g->fd, c->window.p, want, (off_t)at);
		while (got < 0 && errno == EINTR);
		c->window.n = got < 0 ? 0 : (size_t)got;
	}
	at -= c->from;
	return (struct bytes){ c->window.p + at,
		c->window.n - at < n ? (size_t)(c->window.n - at) : n };
}

static void
tell_damage(struct scan *c)
{
	if (c->damage < c->damage_end)
		c->events->damage(
		    c->owner, c->damage, c->damage_end - c->damage);
	if (c->g->end < c->damage_end)
		c->g->end = (c->damage_end + 7) & ~(uint64_t)7;
	c->damage = c->damage_end = 0;
}

static void
note_damage(struct scan *c, uint64_t at, uint64_t n)
{
	if (c->damage == c->damage_end)
		c->damage = at;
	c->damage_end = at + n;
}

static bool
take_record(struct scan *c, uint64_t *at)
{
	struct record_place place = { c->g->key, *at };
	struct bytes b = look(c, *at, RECORD_HEAD);
	struct record r;

	if (b.n < RECORD_HEAD || !record_decode(&r, b.p, place))
		return false;
	b = look(c, *at, record_front(&r));
	if (b.n < record_front(&r) || !record_holds(b, place))
		return false;
	tell_damage(c);
	bytes_take(&b, RECORD_HEAD);
	if (c->g->durable < r.durable)
		c->g->durable = r.durable;
	*at += record_size(&r);
	c->g->end = *at;
	c->events->record(c->owner, &r, place.at, bytes_take(&b, r.about_n), b);
	return true;
}

/* Zeros that were never written cost no reading: asked at each window. */
static bool
skip_hole(struct scan *c, uint64_t *at)
{
	off_t data = lseek(c->g->fd, (off_t)*at, SEEK_DATA);
	uint64_t to = data < 0 ? c->g->size : (uint64_t)data & ~(uint64_t)7;

	if ((data < 0 && errno != ENXIO) || to <= *at)
		return false;
	*at = to;
	return true;
}

/* The next place behind at where a record may begin; what lies between is
 * damage when it is no zeros. */
static uint64_t
seek_record(struct scan *c, uint64_t at)
{
	static const uint8_t zeros[8];
	bool first = true;

	while (at < c->g->size) {
		struct bytes b = look(c, at, 8);
		uint8_t word[8] = { 0 };
		struct record_place place = { c->g->key, at };

		if (b.n == 0) {
			note_damage(c, at, SEGMENT_PAGE - at % SEGMENT_PAGE);
			at += SEGMENT_PAGE - at % SEGMENT_PAGE;
			continue;
		}
		memcpy(word, b.p, b.n);
		if (!first && record_begins(word, place))
			return at;
		first = false;
		if (memcmp(word, zeros, sizeof(word)) != 0)
			note_damage(c, at, b.n);
		else if (at == c->from && skip_hole(c, &at))
			continue;
		at += 8;
	}
	return at;
}

void
segment_scan(
    struct segment *g, const struct segment_events *events, void *owner)
{
	struct scan c = { .g = g, .events = events, .owner = owner };
	uint64_t at = 0;

	buf_init(&c.window, WINDOW_MAX);
	while (at < g->size)
		if (!take_record(&c, &at))
			at = seek_record(&c, at);
	tell_damage(&c);
	buf_release(&c.window);
}
