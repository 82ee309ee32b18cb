/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/trips.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS 100

struct source {
	bool used;
	bool told; /* of, not long ago */
	struct trip trip;
	uint32_t asked, connected; /* not told; of which nothing was asked */
	uint64_t due_ms;           /* when what is not told will be */
	uint64_t last_ms;          /* that it was seen */
};

struct trips {
	struct loop *loop;
	struct timer *timer;
	bool ticking;
	enum trip_how how;
	void (*send)(void *owner, const struct trip *t);
	void *owner;
	struct source sources[TRIPS_SOURCES_MAX];
};

static void
tell(struct trips *t, struct source *s, uint64_t now)
{
	s->trip.count = s->asked + s->connected;
	if (s->trip.count > 0)
		t->send(t->owner, &s->trip);
	s->asked = s->connected = 0;
	s->told = true;
	s->due_ms = now + TRIPS_EVERY_MS;
}

static void
tick(void *owner)
{
	struct trips *t = owner;
	uint64_t now = loop_now_ms(t->loop);

	t->ticking = false;
	for (size_t i = 0; i < TRIPS_SOURCES_MAX; i++) {
		struct source *s = &t->sources[i];

		if (!s->used)
			continue;
		if (now >= s->due_ms) {
			s->used = s->asked + s->connected > 0;
			tell(t, s, now);
		}
		t->ticking |= s->used;
	}
	if (t->ticking)
		timer_start(t->timer, TICK_MS);
}

struct trips *
trips_new(struct loop *l, enum trip_how how,
    void (*send)(void *owner, const struct trip *t), void *owner)
{
	struct trips *t = calloc(1, sizeof(*t));

	must(t != NULL);
	t->loop = l;
	t->how = how;
	t->send = send;
	t->owner = owner;
	t->timer = timer_new(l, tick, t);
	return t;
}

void
trips_free(struct trips *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < TRIPS_SOURCES_MAX; i++)
		if (t->sources[i].used)
			tell(t, &t->sources[i], 0);
	timer_free(t->timer);
	free(t);
}

static bool
is_of(const struct source *s, const struct address *from, const char *canary)
{
	return memcmp(s->trip.from.octets, from->octets,
		   sizeof(from->octets)) == 0 &&
	    strcmp(s->trip.canary, canary) == 0;
}

static struct source *
source_of(struct trips *t, const struct address *from, const char *canary,
    uint64_t now)
{
	struct source *free_one = NULL;
	struct source *oldest = &t->sources[0];

	for (size_t i = 0; i < TRIPS_SOURCES_MAX; i++) {
		struct source *s = &t->sources[i];

		if (s->used && is_of(s, from, canary))
			return s;
		if (!s->used)
			free_one = s;
		else if (s->last_ms < oldest->last_ms)
			oldest = s;
	}
	if (free_one == NULL) {
		tell(t, oldest, now);
		free_one = oldest;
	}
	*free_one = (struct source){ .used = true };
	return free_one;
}

static struct source *
take(struct trips *t, const char *canary, const struct address *from,
    const struct address *to)
{
	uint64_t now = loop_now_ms(t->loop);
	struct source *s = source_of(t, from, canary, now);

	s->last_ms = now;
	s->trip.how = (uint8_t)t->how;
	s->trip.protocol = PROTOCOL_TCP;
	s->trip.from = *from;
	s->trip.to = *to;
	snprintf(s->trip.canary, sizeof(s->trip.canary), "%s", canary);
	if (!t->ticking)
		timer_start(t->timer, TICK_MS);
	t->ticking = true;
	return s;
}

void
trips_connected(
    struct trips *t, const struct address *from, const struct address *to)
{
	struct source *s = take(t, "", from, to);

	if (s->asked + s->connected++ > 0)
		return;
	snprintf(s->trip.text, sizeof(s->trip.text), "connection");
	if (!s->told)
		s->due_ms = loop_now_ms(t->loop) + TRIPS_WORDS_MS;
}

static void
tried(struct trips *t, struct source *s, struct bytes words)
{
	s->asked++;
	if (s->connected > 0)
		s->connected--;
	snprintf(s->trip.text, sizeof(s->trip.text), "%.*s",
	    (int)(words.n < TRIP_TEXT_MAX ? words.n : TRIP_TEXT_MAX - 1),
	    (const char *)words.p);
	if (!s->told)
		tell(t, s, loop_now_ms(t->loop));
}

void
trips_tried(struct trips *t, const struct address *from,
    const struct address *to, struct bytes words)
{
	tried(t, take(t, "", from, to), words);
}

void
trips_seen(struct trips *t, const char *canary, const struct address *from,
    const struct address *to, struct bytes words)
{
	struct source *s = take(t, canary, from, to);

	s->trip.level = TRIP_HIGHEST;
	tried(t, s, words);
}
