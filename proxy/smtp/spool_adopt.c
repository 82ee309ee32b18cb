/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/smtp/spool_state.h"

/* One file that is being read. */
struct adoption {
	struct spool *spool;
	struct segment *segment;
	struct index index; /* of it alone */
	struct list mails;
	uint64_t damage, damage_n; /* where the first is; bytes of all */
};

int
spool_names(struct spool *s, void (*each)(struct spool *s, const char *name),
    struct err *e)
{
	int fd = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (folder == NULL) {
		err_set(e, "spool: the folder cannot be read: %m");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((entry = readdir(folder)) != NULL)
		each(s, entry->d_name);
	closedir(folder);
	return 0;
}

static void
take_add(struct adoption *a, const struct record *r, uint64_t at,
    struct bytes about, struct bytes note)
{
	struct mail *m = calloc(1, sizeof(*m));

	must(m != NULL);
	memcpy(m->mail.id, r->id, SPOOL_ID_MAX);
	m->mail.size = r->content_n;
	spool_keep(&m->mail.about, about);
	spool_keep(&m->mail.note, note);
	m->mail.committed = true;
	m->moved = r->moved;
	m->content_at = at + record_front(r);
	spool_seat(m, a->segment, at, r->content_sum);
	index_add(&a->index, m);
	list_append(&a->mails, &m->order);
}

static void
forget(struct adoption *a, struct mail *m)
{
	index_remove(&a->index, m);
	list_remove(&m->order);
	spool_unseat(m);
	spool_free_mail(m);
}

static void
take_record(void *owner, const struct record *r, uint64_t at,
    struct bytes about, struct bytes note)
{
	struct adoption *a = owner;
	struct mail *m = index_find(&a->index, bytes_of(r->id));

	switch (r->type) {
	case RECORD_NONE:
		break;
	case RECORD_ADD:
		if (m == NULL)
			take_add(a, r, at, about, note);
		break;
	case RECORD_NOTE:
		if (m != NULL)
			spool_keep(&m->mail.note, note);
		break;
	case RECORD_END:
		if (m != NULL)
			forget(a, m);
		break;
	}
}

static void
take_damage(void *owner, uint64_t at, uint64_t n)
{
	struct adoption *a = owner;

	if (a->damage_n == 0)
		a->damage = at;
	a->damage_n += n;
}

static void
tell_damage(const struct adoption *a)
{
	struct segment *g = a->segment;

	if (a->damage_n == 0)
		return;
	g->damaged = a->damage < g->durable;
	log_say(EVENT_FAILURE,
	    "spool: %s: %" PRIu64 " bytes, from %" PRIu64
	    " on, are no records: %s",
	    g->name, a->damage_n, a->damage,
	    g->damaged ? "the disk damaged them"
		       : "they were being written when their process ended");
}

/* What no later record vouches for is read whole. */
static void
drop_torn(struct adoption *a)
{
	struct segment *g = a->segment;
	struct list *before;

	for (struct list *l = a->mails.prev; l != &a->mails; l = before) {
		struct mail *m = CONTAINER(l, struct mail, order);
		const struct segment_content c = spool_content(m);

		before = l->prev;
		if (c.at + c.n <= g->durable)
			return;
		if (segment_holds(g, &c))
			continue;
		log_say(EVENT_FAILURE,
		    "spool: %s: mail %s is cut: it was being written when its"
		    " process ended, or is damaged",
		    g->name, m->mail.id);
		/* Its end must be durable before the file's durable end goes
		 * beyond it: the mails move to another. */
		g->distrusted = true;
		spool_bury_copy(a->spool, g, m->mail.id);
		forget(a, m);
	}
}

static void
give_up_copy(struct spool *s, struct mail *m)
{
	spool_bury_copy(s, m->segment, m->mail.id);
	spool_unseat(m);
	spool_free_mail(m);
}

/* The spool has a mail of that id: it stands in two files. */
static bool
is_better(struct spool *s, const struct mail *m)
{
	struct mail *other = index_find(&s->index, bytes_of(m->mail.id));

	if (other == NULL)
		return true;
	if (other->commit.next == NULL || other->moved >= m->moved)
		return false; /* the user has it already, or it is newer */
	index_remove(&s->index, other);
	list_remove(&other->commit);
	s->bytes -= other->mail.size;
	give_up_copy(s, other);
	return true;
}

static void
merge(struct adoption *a)
{
	struct spool *s = a->spool;

	while (!list_is_empty(&a->mails)) {
		struct mail *m = CONTAINER(a->mails.next, struct mail, order);

		list_remove(&m->order);
		if (!is_better(s, m)) {
			give_up_copy(s, m);
			continue;
		}
		index_add(&s->index, m);
		s->bytes += m->mail.size;
		list_append(&s->finding, &m->commit);
	}
}

static void
adopt(struct spool *s, struct segment *g)
{
	static const struct segment_events events = { take_record,
		take_damage };
	struct adoption a = { .spool = s, .segment = g };
	struct err e;

	list_init(&a.mails);
	segment_scan(g, &events, &a);
	tell_damage(&a);
	drop_torn(&a);
	/* What its process wrote last may be in memory only. */
	if (segment_sync(g, &e) < 0)
		spool_tell(s, &e);
	segment_trim(g);
	spool_add_segment(s, g);
	s->folder_dirty = true;
	merge(&a);
	index_release(&a.index);
	spool_schedule(s);
}

static bool
is_own(const struct spool *s, const char *name)
{
	for (const struct segment *g = s->segments; g != NULL; g = g->next)
		if (strcmp(g->name, name) == 0)
			return true;
	return false;
}

struct names {
	char (*all)[SEGMENT_NAME_MAX];
	size_t n, size;
};
static struct names names; /* of the folder that is being looked through */

static void
take_name(struct spool *s, const char *name)
{
	if (segment_name_is_new(name))
		segment_sweep(s->folder, name);
	if (!segment_name_is(name) || is_own(s, name))
		return;
	if (names.n == names.size) {
		names.size = names.size == 0 ? 64 : 2 * names.size;
		names.all =
		    reallocarray(names.all, names.size, sizeof(*names.all));
		must(names.all != NULL);
	}
	snprintf(names.all[names.n++], SEGMENT_NAME_MAX, "%.*s",
	    SEGMENT_NAME_MAX - 1, name);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
compare_mails(const void *a, const void *b)
{
	const struct mail *const *x = a, *const *y = b;

	return strcmp((*x)->mail.id, (*y)->mail.id);
}

/* Whatever file they stand in now, they are told in the order in which they
 * were added. */
static void
announce(struct spool *s)
{
	struct mail **all;
	size_t n = 0;

	for (struct list *l = s->finding.next; l != &s->finding; l = l->next)
		n++;
	all = calloc(n + 1, sizeof(struct mail *));
	must(all != NULL);
	for (size_t i = 0; i < n; i++) {
		all[i] = CONTAINER(s->finding.next, struct mail, commit);
		list_remove(&all[i]->commit);
	}
	qsort(all, n, sizeof(struct mail *), compare_mails);
	for (size_t i = 0; i < n; i++) {
		list_append(&s->mails, &all[i]->order);
		list_append(&s->finding, &all[i]->commit);
	}
	free(all);
	while (!list_is_empty(&s->finding)) {
		struct mail *m =
		    CONTAINER(s->finding.next, struct mail, commit);

		list_remove(&m->commit);
		s->events.found(s->owner, &m->mail);
	}
}

void
spool_adopt(struct spool *s)
{
	struct segment *g;
	struct err e;

	names.n = 0;
	if (spool_names(s, take_name, &e) < 0)
		spool_tell(s, &e);
	if (names.n > 0)
		qsort(names.all, names.n, sizeof(*names.all), compare_names);
	for (size_t i = 0; i < names.n; i++) {
		g = segment_take(s->folder, names.all[i], &e);
		if (g != NULL)
			adopt(s, g);
		else if (e.text[0] != '\0')
			spool_tell(s, &e);
	}
	announce(s);
}
