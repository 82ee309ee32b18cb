/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/incidents.h"

#include <stdlib.h>
#include <string.h>

static const char others[] = "others";

static struct incident *
find(const struct incidents *all, const char *where)
{
	struct incident *i = all->open;

	while (i != NULL && strcmp(i->where, where) != 0)
		i = i->next;
	return i;
}

static struct incident *
add(struct incidents *all, const char *where, uint64_t number,
    uint64_t opened_ms, uint64_t now_ms)
{
	struct incident *i = calloc(1, sizeof(*i));

	must(i != NULL);
	snprintf(i->where, sizeof(i->where), "%s", where);
	i->number = number;
	i->opened_ms = opened_ms;
	i->last_ms = i->told_ms = now_ms;
	i->next = all->open;
	all->open = i;
	all->open_n++;
	if (number > all->last_number)
		all->last_number = number;
	return i;
}

enum incident_news
incidents_take(struct incidents *all, const char *where, const struct trip *t,
    uint64_t now_ms, struct incident **out)
{
	char cut[INCIDENT_WHERE_MAX];
	struct incident *i;
	enum incident_news news = INCIDENT_COUNTED;

	snprintf(cut, sizeof(cut), "%s", where);
	i = find(all, cut);
	/* One place is kept for them. */
	if (i == NULL && all->open_n >= INCIDENTS_MAX - 1) {
		snprintf(cut, sizeof(cut), "%s", others);
		i = find(all, others);
	}
	if (i == NULL) {
		i = add(all, cut, all->last_number + 1, now_ms, now_ms);
		news = INCIDENT_OPENED;
	}
	/* One that was resumed has lost its evidence. */
	if (i->first.how == TRIP_NONE)
		i->first = *t;
	if (t->level > i->first.level)
		i->first.level = t->level;
	i->last_ms = now_ms;
	i->count += t->count == 0 ? 1 : t->count;
	if (news == INCIDENT_OPENED)
		i->count_told = i->count;
	*out = i;
	return news;
}

void
incidents_resume(struct incidents *all, uint64_t number, const char *where,
    uint64_t opened_ms, uint64_t now_ms)
{
	if (incidents_find(all, number) == NULL && all->open_n < INCIDENTS_MAX)
		add(all, where, number, opened_ms, now_ms);
}

static void
clamp(uint64_t *ms, uint64_t now_ms)
{
	if (*ms > now_ms)
		*ms = now_ms;
}

void
incidents_set_clock(struct incidents *all, uint64_t now_ms)
{
	for (struct incident *i = all->open; i != NULL; i = i->next) {
		clamp(&i->opened_ms, now_ms);
		clamp(&i->last_ms, now_ms);
		clamp(&i->told_ms, now_ms);
	}
}

void
incidents_tick(struct incidents *all, uint64_t now_ms,
    void (*tell)(
	void *owner, const struct incident *i, enum incident_news news),
    void *owner)
{
	struct incident *next;

	for (struct incident *i = all->open; i != NULL; i = next) {
		next = i->next;
		if (i->count > i->count_told &&
		    now_ms >= i->told_ms + INCIDENT_TOLD_MS) {
			tell(owner, i, INCIDENT_MORE);
			i->told_ms = now_ms;
			i->count_told = i->count;
		}
		if (now_ms >= i->last_ms + INCIDENT_QUIET_MS) {
			tell(owner, i, INCIDENT_QUIET);
			incidents_close(all, i);
		}
	}
}

struct incident *
incidents_find(const struct incidents *all, uint64_t number)
{
	struct incident *i = all->open;

	while (i != NULL && i->number != number)
		i = i->next;
	return i;
}

void
incidents_close(struct incidents *all, struct incident *i)
{
	struct incident **at = &all->open;

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	all->open_n--;
	free(i);
}

void
incidents_release(struct incidents *all)
{
	while (all->open != NULL)
		incidents_close(all, all->open);
}
