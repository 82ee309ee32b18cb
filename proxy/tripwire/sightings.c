/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tripwire/sightings.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS (2 * SIGHTINGS_MAX)

struct source {
	struct trip trip;     /* the last one; its count is not told yet */
	uint64_t told_ms;     /* the last time; 0: never */
	struct source *next;  /* of its bucket, or of those free */
	struct source *after; /* of all that are here */
};

struct sightings {
	void (*tell)(void *owner, const struct trip *t);
	void *owner;
	struct source sources[SIGHTINGS_MAX];
	struct source *buckets[BUCKETS];
	struct source *spare;
	struct source *first, **last; /* in the order of their turn */
	uint64_t lost;
	uint64_t second_ms; /* which began then, and who was told in it */
	unsigned told;
};

struct sightings *
sightings_new(void (*tell)(void *owner, const struct trip *t), void *owner)
{
	struct sightings *s = calloc(1, sizeof(*s));

	must(s != NULL);
	s->tell = tell;
	s->owner = owner;
	s->last = &s->first;
	for (size_t i = SIGHTINGS_MAX; i-- > 0;) {
		s->sources[i].next = s->spare;
		s->spare = &s->sources[i];
	}
	return s;
}

void
sightings_free(struct sightings *s)
{
	free(s);
}

/* FNV-1a; who chooses addresses to meet in a bucket slows himself down, within
 * SIGHTINGS_MAX steps. */
static struct source **
bucket_of(struct sightings *s, const struct address *from)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < sizeof(from->octets); i++)
		hash = (hash ^ from->octets[i]) * 16777619U;
	return &s->buckets[hash % BUCKETS];
}

static bool
may_tell(struct sightings *s, uint64_t now_ms)
{
	if (now_ms - s->second_ms >= 1000) {
		s->second_ms = now_ms;
		s->told = 0;
	}
	return s->told < SIGHTINGS_TOLD_MAX;
}

/* Whether it was its turn. */
static bool
tell(struct sightings *s, struct source *source, uint64_t now_ms)
{
	if (source->trip.count == 0 ||
	    (source->told_ms != 0 &&
		now_ms - source->told_ms < SIGHTINGS_EVERY_MS) ||
	    !may_tell(s, now_ms))
		return false;
	s->told++;
	source->told_ms = now_ms;
	s->tell(s->owner, &source->trip);
	source->trip.count = 0;
	return true;
}

void
sightings_take(struct sightings *s, const struct trip *t, uint64_t now_ms)
{
	struct source **bucket = bucket_of(s, &t->from);
	struct source *source = *bucket;
	uint32_t count;

	while (source != NULL &&
	    memcmp(source->trip.from.octets, t->from.octets,
		sizeof(t->from.octets)) != 0)
		source = source->next;
	if (source == NULL) {
		source = s->spare;
		if (source == NULL) {
			s->lost++;
			return;
		}
		s->spare = source->next;
		*source = (struct source){ .next = *bucket };
		*bucket = source;
		*s->last = source;
		s->last = &source->after;
	}
	count = source->trip.count;
	source->trip = *t;
	source->trip.count = count == UINT32_MAX ? count : count + 1;
	tell(s, source, now_ms);
}

static void
forget(struct sightings *s, struct source *source)
{
	struct source **at = bucket_of(s, &source->trip.from);

	while (*at != source)
		at = &(*at)->next;
	*at = source->next;
	source->next = s->spare;
	s->spare = source;
}

/* Each once; who was told goes behind the others. */
void
sightings_tick(struct sightings *s, uint64_t now_ms)
{
	struct source *source = s->first;
	struct source *told = NULL;
	struct source **told_last = &told;

	s->first = NULL;
	s->last = &s->first;
	while (source != NULL) {
		struct source *after = source->after;

		source->after = NULL;
		if (tell(s, source, now_ms)) {
			*told_last = source;
			told_last = &source->after;
		} else if (source->trip.count == 0 &&
		    now_ms - source->told_ms >= SIGHTINGS_EVERY_MS) {
			forget(s, source);
		} else {
			*s->last = source;
			s->last = &source->after;
		}
		source = after;
	}
	if (told != NULL) {
		*s->last = told;
		s->last = told_last;
	}
}

bool
sightings_busy(const struct sightings *s)
{
	return s->first != NULL;
}

uint64_t
sightings_lost(struct sightings *s)
{
	uint64_t lost = s->lost;

	s->lost = 0;
	return lost;
}
