/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "proxy/smtp/spool_state.h"

#define RETRY_MS 1000
#define LIVE_SHARE 4 /* a full file of which less than that part is mails */

/* A mail on its way to another file. */
struct move {
	struct move *next;
	struct mail *mail;
	struct segment *to;
	struct record record;
	uint64_t at;
};

static void
write_note_again(struct spool *s, struct mail *m)
{
	struct err e;

	if (m->note_state != NOTE_UNWRITTEN || m->segment->refuses ||
	    spool_write_note(s, m, &e) == 0)
		return;
	m->segment->refuses = true;
	spool_tell(s, &e);
}

static void
write_end_again(struct spool *s, struct mail *m)
{
	struct err e;

	if (m->end_written || m->segment->refuses ||
	    spool_write_end(s, m, &e) == 0)
		return;
	m->segment->refuses = true;
	spool_tell(s, &e);
}

/* What could not be written when it was asked for. False: still not. */
static bool
write_again(struct spool *s)
{
	bool all = true;

	for (struct segment *g = s->segments; g != NULL; g = g->next)
		g->refuses = false;
	for (struct list *l = s->notes.next; l != &s->notes; l = l->next)
		write_note_again(s, CONTAINER(l, struct mail, noted));
	for (struct list *l = s->ends.next; l != &s->ends; l = l->next)
		write_end_again(s, CONTAINER(l, struct mail, order));
	for (struct segment *g = s->segments; g != NULL; g = g->next)
		all &= !g->refuses;
	return all;
}

static bool
has_uncommitted(struct segment *g)
{
	for (struct list *l = g->mails.next; l != &g->mails; l = l->next)
		if (!CONTAINER(l, struct mail, beside)->mail.committed)
			return true;
	return false;
}

static struct segment *
choose_victim(struct spool *s)
{
	for (struct segment *g = s->segments; g != NULL; g = g->next)
		if (g != s->current && !g->stuck && !list_is_empty(&g->mails) &&
		    (g->distrusted || g->live < g->end / LIVE_SHARE) &&
		    !has_uncommitted(g))
			return g;
	return NULL;
}

static int
copy_mail(struct spool *s, struct move *v, struct err *e)
{
	const struct mail *m = v->mail;
	const struct segment_content c = spool_content(m);
	struct bytes content;
	struct record_text text = { .about = m->mail.about,
		.note = m->mail.note,
		.pieces = &content,
		.pieces_n = 1 };
	int result = -1;

	/* A damaged one stays where it is. */
	if (segment_map(m->segment, &c, &content, e) < 0) {
		m->segment->stuck = true;
		spool_tell(s, e);
		return 0;
	}
	v->record = (struct record){ .type = RECORD_ADD,
		.moved = m->moved + 1,
		.about_n = (uint32_t)m->mail.about.n,
		.note_n = (uint32_t)m->mail.note.n,
		.content_n = m->mail.size };
	memcpy(v->record.id, m->mail.id, SPOOL_ID_MAX);
	v->to = spool_place(s, record_size(&v->record), e);
	if (v->to != NULL)
		result = spool_append(s, v->to, &v->record, &text, &v->at, e);
	segment_unmap(content);
	return result;
}

/* The victim's mails written anew; those that were. */
static struct move *
move_begin(struct spool *s, struct segment *victim)
{
	struct move *moves = NULL;
	struct err e;

	for (struct list *l = victim->mails.next; l != &victim->mails;
	     l = l->next) {
		struct move *v = calloc(1, sizeof(*v));

		must(v != NULL);
		v->mail = CONTAINER(l, struct mail, beside);
		if (copy_mail(s, v, &e) < 0) {
			free(v);
			spool_tell(s, &e);
			break;
		}
		if (v->to == NULL) {
			free(v);
			continue;
		}
		v->next = moves;
		moves = v;
	}
	return moves;
}

/* The copy is durable: the mail is there, and ended where it was. Or it is
 * not, and the copy is ended. */
static void
move_end(struct spool *s, struct move *v)
{
	struct mail *m = v->mail;

	if (v->to->lost) {
		spool_bury_copy(s, v->to, m->mail.id);
		return;
	}
	spool_bury_copy(s, m->segment, m->mail.id);
	spool_unseat(m);
	m->moved++;
	m->content_at = v->at + record_front(&v->record);
	spool_seat(m, v->to, v->at, v->record.content_sum);
	list_remove(&m->noted);
	m->note_state = NOTE_KEPT;
}

static void
move_all_end(struct spool *s, struct move *moves)
{
	struct move *next;

	for (struct move *v = moves; v != NULL; v = next) {
		next = v->next;
		move_end(s, v);
		free(v);
	}
}

/* A file's name is as little durable as its content. */
static bool
sync_folder(struct spool *s, struct err *e)
{
	if (!s->folder_dirty)
		return true;
	if (fsync(s->folder) < 0) {
		err_set(
		    e, "spool: the folder cannot be forced to the disk: %m");
		return false;
	}
	s->folder_dirty = false;
	for (struct segment *g = s->segments; g != NULL; g = g->next)
		g->named = true;
	return true;
}

/* False: at least one file was lost, and *e says why. */
static bool
sync_all(struct spool *s, struct err *e)
{
	bool all = true;
	bool folder = sync_folder(s, e);

	for (struct segment *g = s->segments; g != NULL; g = g->next) {
		g->lost = false;
		if (!g->dirty)
			continue;
		s->commits++;
		g->lost = segment_sync(g, e) < 0 || (!folder && !g->named);
		all &= !g->lost;
	}
	return all;
}

static void
settle_notes(struct spool *s)
{
	struct list *next;

	for (struct list *l = s->notes.next; l != &s->notes; l = next) {
		struct mail *m = CONTAINER(l, struct mail, noted);

		next = l->next;
		if (m->note_state == NOTE_WRITTEN && !m->segment->lost) {
			m->note_state = NOTE_KEPT;
			list_remove(l);
		} else
			m->note_state = NOTE_UNWRITTEN;
	}
}

static void
settle_ends(struct spool *s)
{
	struct list *next;

	for (struct list *l = s->ends.next; l != &s->ends; l = next) {
		struct mail *m = CONTAINER(l, struct mail, order);

		next = l->next;
		if (m->end_written && !m->segment->lost) {
			m->segment->ending--;
			list_remove(l);
			spool_free_mail(m);
		} else
			m->end_written = false;
	}
}

static void
announce_one(struct spool *s, struct mail *m, const char *why)
{
	if (!m->segment->lost) {
		m->mail.committed = true;
		s->events.committed(s->owner, &m->mail);
		return;
	}
	s->events.failed(s->owner, &m->mail, why);
	spool_bury(s, m);
}

/* Those of this commit alone: what the user adds meanwhile waits its turn. */
static void
announce(struct spool *s, uint64_t took_ms, const char *why)
{
	uint64_t together = 0;

	while (!list_is_empty(&s->adding)) {
		struct list *l = s->adding.next;

		list_remove(l);
		list_append(&s->telling, l);
		together++;
	}
	if (together > 0) {
		s->together = together;
		s->took_ms = took_ms;
	}
	while (!list_is_empty(&s->telling)) {
		struct mail *m =
		    CONTAINER(s->telling.next, struct mail, commit);

		list_remove(&m->commit);
		announce_one(s, m, why);
	}
}

/* Ends that cannot be written in a file that goes are not needed, once it is
 * gone durably. */
static void
forget_ends(struct spool *s, const struct segment *g)
{
	struct list *next;

	for (struct list *l = s->ends.next; l != &s->ends; l = next) {
		struct mail *m = CONTAINER(l, struct mail, order);

		next = l->next;
		if (m->segment != g)
			continue;
		list_remove(l);
		spool_free_mail(m);
	}
	s->folder_dirty = true;
	spool_schedule(s);
}

static bool
is_done(const struct spool *s, const struct segment *g)
{
	if (!list_is_empty(&g->mails) || g->dirty)
		return false;
	if (g->ending > 0)
		return g->lost || g->refuses;
	/* The current one is worth its price until a part of it is used. */
	return g != s->current || g->distrusted ||
	    g->end >= g->size / LIVE_SHARE;
}

/* All in them has ended, durably: should the name come back after a power cut,
 * as the folder is not forced to the disk for this, nothing comes with it. */
static void
reap(struct spool *s)
{
	struct segment *next;

	for (struct segment *g = s->segments; g != NULL; g = next) {
		next = g->next;
		if (!is_done(s, g))
			continue;
		if (g->ending > 0)
			forget_ends(s, g);
		spool_drop_segment(s, g, SEGMENT_GOES);
	}
}

/* What was added, noted and ended, and in full files moved, by one fdatasync
 * for each file. */
static bool
make_durable(struct spool *s, struct err *e)
{
	bool whole = write_again(s);
	struct segment *victim = choose_victim(s);
	struct move *moves = victim == NULL ? NULL : move_begin(s, victim);

	if (!sync_all(s, e)) {
		whole = false;
		spool_tell(s, e);
	}
	settle_notes(s);
	settle_ends(s);
	move_all_end(s, moves);
	return whole;
}

void
spool_commit(struct spool *s)
{
	struct err e = { 0 };
	uint64_t began_us = clock_us();
	bool whole;

	timer_stop(s->gather);
	timer_stop(s->settle);
	s->gathering = s->settling = false;
	s->unsettled = false;
	s->busy = true;
	whole = make_durable(s, &e);
	s->busy = false;
	if (!whole)
		timer_start(s->retry, RETRY_MS);
	else if (!list_is_empty(&s->ends))
		spool_schedule(s); /* of those that moved */
	announce(s, (clock_us() - began_us) / 1000, e.text);
	reap(s);
}
