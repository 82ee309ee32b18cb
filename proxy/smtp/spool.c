/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/spool.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/smtp/spool_state.h"

#define LOOK_US 100000
#define TELL_US 60000000
#define SEGMENT_MIN 65536
#define SEGMENTS_MIN 8 /* that bytes_max should hold */
#define CLOSE_TRIES 8

void
spool_tell(struct spool *s, const struct err *e)
{
	uint64_t now = clock_us();

	if (strcmp(s->told, e->text) == 0 && now - s->told_us < TELL_US)
		return;
	snprintf(s->told, sizeof(s->told), "%s", e->text);
	s->told_us = now;
	log_say(EVENT_FAILURE, "%s", e->text);
}

static void
commit_due(void *owner)
{
	struct spool *s = owner;

	s->scheduled = false;
	if (s->closed)
		free(s);
	else
		spool_commit(s);
}

/* As long as the last commit took, in which as many may come again as were
 * kept waiting by it. Who sends one after the other never waits. */
static uint64_t
gather_ms(const struct spool *s)
{
	if (s->together < 2)
		return 0;
	return s->took_ms < s->limits.gather_ms ? s->took_ms
						: s->limits.gather_ms;
}

void
spool_schedule(struct spool *s)
{
	if (s->busy)
		return;
	s->unsettled = true;
	if (s->scheduled || s->gathering)
		return;
	if (gather_ms(s) > 0) {
		s->gathering = true;
		timer_start(s->gather, gather_ms(s));
		return;
	}
	s->scheduled = true;
	loop_defer(s->loop, commit_due, s);
}

void
spool_schedule_end(struct spool *s)
{
	if (s->limits.end_ms == 0) {
		spool_schedule(s);
		return;
	}
	if (s->busy)
		return;
	s->unsettled = true;
	if (s->scheduled || s->gathering || s->settling)
		return;
	s->settling = true;
	timer_start(s->settle, s->limits.end_ms);
}

/* Of gather or settle. */
static void
wait_over(void *owner)
{
	spool_commit(owner);
}

static void
retry_due(void *owner)
{
	spool_schedule(owner);
}

/*
 * 55 bits of microseconds that never stand still or go back in a process, then
 * 40 random ones of the process: base 32 without 0, O, 1 and I, in the order
 * of ASCII.
 */
void
spool_new_id(struct spool *s, char out[SPOOL_ID_MAX])
{
	static const char digits[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	struct timespec now;
	uint64_t us;
	size_t n = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	s->id_us = us > s->id_us ? us : s->id_us + 1;
	for (int shift = 50; shift >= 0; shift -= 5)
		out[n++] = digits[s->id_us >> shift & 31];
	for (int shift = 35; shift >= 0; shift -= 5)
		out[n++] = digits[s->id_tag >> shift & 31];
	out[n] = '\0';
}

void
spool_add_segment(struct spool *s, struct segment *g)
{
	g->next = s->segments;
	s->segments = g;
	s->file_bytes += g->end;
}

void
spool_drop_segment(struct spool *s, struct segment *g, enum segment_fate fate)
{
	struct segment **at = &s->segments;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	if (s->current == g)
		s->current = NULL;
	s->file_bytes -= g->end;
	segment_free(g, s->folder, fate);
}

int
spool_append(struct spool *s, struct segment *g, struct record *r,
    const struct record_text *text, uint64_t *at_out, struct err *e)
{
	uint64_t before = g->end;

	if (segment_append(g, r, text, at_out, e) < 0)
		return -1;
	s->file_bytes += g->end - before;
	return 0;
}

static uint64_t
mail_bytes(const struct mail *m)
{
	return RECORD_HEAD + m->mail.about.n + m->mail.size;
}

void
spool_seat(struct mail *m, struct segment *g, uint64_t at, uint64_t sum)
{
	m->segment = g;
	m->at = at;
	m->content_sum = sum;
	list_append(&g->mails, &m->beside);
	g->live += mail_bytes(m);
}

void
spool_unseat(struct mail *m)
{
	list_remove(&m->beside);
	m->segment->live -= mail_bytes(m);
}

struct segment_content
spool_content(const struct mail *m)
{
	return (struct segment_content){ .record_at = m->at,
		.at = m->content_at,
		.n = m->mail.size,
		.sum = m->content_sum };
}

/* What is kept in memory and outlives the caller's. */
static struct bytes
copy(struct bytes b)
{
	uint8_t *p;

	if (b.n == 0)
		return BYTES("");
	p = malloc(b.n);
	must(p != NULL);
	memcpy(p, b.p, b.n);
	return (struct bytes){ p, b.n };
}

static void
release(struct bytes *b)
{
	union {
		const uint8_t *in;
		void *out;
	} p = { .in = b->p };

	if (b->n > 0)
		free(p.out);
	*b = BYTES("");
}

void
spool_keep(struct bytes *kept, struct bytes b)
{
	struct bytes fresh = copy(b);

	release(kept);
	*kept = fresh;
}

void
spool_free_mail(struct mail *m)
{
	release(&m->mail.about);
	release(&m->mail.note);
	free(m);
}

void
spool_bury_copy(struct spool *s, struct segment *g, const char *id)
{
	struct mail *m = calloc(1, sizeof(*m));

	must(m != NULL);
	memcpy(m->mail.id, id, SPOOL_ID_MAX);
	m->segment = g;
	g->ending++;
	list_append(&s->ends, &m->order);
	spool_schedule(s);
}

void
spool_bury(struct spool *s, struct mail *m)
{
	index_remove(&s->index, m);
	list_remove(&m->order);
	list_remove(&m->commit);
	list_remove(&m->noted);
	s->bytes -= m->mail.size;
	spool_unseat(m);
	m->segment->ending++;
	list_append(&s->ends, &m->order);
	release(&m->mail.about);
	release(&m->mail.note);
	spool_schedule_end(s);
}

/* A record about a mail, behind it in its file. */
static int
write_about(struct spool *s, struct mail *m, enum record_type type,
    struct bytes note, struct err *e)
{
	struct record r = { .type = type };
	const struct record_text text = { .note = note };
	uint64_t at;

	memcpy(r.id, m->mail.id, SPOOL_ID_MAX);
	return spool_append(s, m->segment, &r, &text, &at, e);
}

int
spool_write_note(struct spool *s, struct mail *m, struct err *e)
{
	if (write_about(s, m, RECORD_NOTE, m->mail.note, e) < 0)
		return -1;
	spool_schedule(s);
	m->note_state = NOTE_WRITTEN;
	return 0;
}

int
spool_write_end(struct spool *s, struct mail *m, struct err *e)
{
	if (write_about(s, m, RECORD_END, (struct bytes){ 0 }, e) < 0)
		return -1;
	spool_schedule_end(s);
	m->end_written = true;
	return 0;
}

/* Files that other processes hold count as a whole, with the room they keep. */
static void
look_at_file(struct spool *s, const char *name)
{
	struct stat st;

	if (segment_name_is(name) &&
	    fstatat(s->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		s->others_bytes += (uint64_t)st.st_size;
}

static void
look(struct spool *s)
{
	uint64_t now = clock_us();
	uint64_t own = 0;
	struct statvfs disk;
	struct err e;

	if (s->looked_us != 0 && now - s->looked_us < LOOK_US)
		return;
	s->looked_us = now;
	s->free_bytes = fstatvfs(s->folder, &disk) < 0
	    ? 0
	    : (uint64_t)disk.f_bavail * disk.f_frsize;
	s->others_bytes = 0;
	if (spool_names(s, look_at_file, &e) < 0)
		spool_tell(s, &e);
	for (const struct segment *g = s->segments; g != NULL; g = g->next)
		own += g->size;
	s->others_bytes = s->others_bytes < own ? 0 : s->others_bytes - own;
}

static bool
fits(const struct segment *g, uint64_t n)
{
	return g != NULL && !g->distrusted && segment_next(g) <= g->size &&
	    n <= g->size - segment_next(g);
}

/* Room of the disk is only asked for where none is reserved. */
static int
room(struct spool *s, uint64_t n, struct err *e)
{
	bool reserved = fits(s->current, n);
	uint64_t grows =
	    reserved ? segment_next(s->current) - s->current->end + n : n;
	uint64_t used;

	look(s);
	used = s->file_bytes + s->others_bytes;
	if (used > s->limits.bytes_max || grows > s->limits.bytes_max - used)
		return err_set(e,
		    "spool: full: %" PRIu64 " of %" PRIu64 " bytes are used",
		    used, s->limits.bytes_max);
	if (s->free_bytes < s->limits.free_min ||
	    (!reserved && s->free_bytes - s->limits.free_min < n))
		return err_set(e,
		    "spool: the disk has %" PRIu64
		    " bytes left, of which %" PRIu64 " stay free",
		    s->free_bytes, s->limits.free_min);
	return 0;
}

struct segment *
spool_place(struct spool *s, uint64_t n, struct err *e)
{
	uint64_t size = s->limits.segment > n ? s->limits.segment : n;
	struct segment *g = s->current;

	if (fits(g, n))
		return g;
	look(s);
	if (g != NULL) {
		g->full = true;
		segment_trim(g);
		s->current = NULL;
		spool_schedule(s);
	}
	/* A disk that is nearly full takes a small file yet. */
	if (s->free_bytes < s->limits.free_min + size)
		size = n;
	g = segment_new(s->folder, size, e);
	if (g == NULL)
		return NULL;
	s->free_bytes -= s->free_bytes < size ? s->free_bytes : size;
	s->folder_dirty = true;
	s->current = g;
	spool_add_segment(s, g);
	return g;
}

bool
spool_has_room(struct spool *s, uint64_t size)
{
	struct err e;

	return size <= RECORD_CONTENT_MAX &&
	    room(s, RECORD_HEAD + size, &e) == 0;
}

/* A mail that stands at the end of the order. */
static struct mail *
new_mail(struct spool *s, const struct record *r, struct bytes about)
{
	struct mail *m = calloc(1, sizeof(*m));

	must(m != NULL);
	memcpy(m->mail.id, r->id, SPOOL_ID_MAX);
	m->mail.size = r->content_n;
	m->mail.about = copy(about);
	m->mail.note = BYTES("");
	index_add(&s->index, m);
	list_append(&s->mails, &m->order);
	list_append(&s->adding, &m->commit);
	s->bytes += m->mail.size;
	return m;
}

struct spool_mail *
spool_add(struct spool *s, struct bytes about, const struct bytes *pieces,
    size_t pieces_n, struct err *e)
{
	const struct record_text text = {
		.about = about, .pieces = pieces, .pieces_n = pieces_n
	};
	struct record r = { .type = RECORD_ADD };
	struct segment *g;
	struct mail *m;
	uint64_t at;

	for (size_t i = 0; i < pieces_n; i++)
		r.content_n += pieces[i].n;
	r.about_n = (uint32_t)about.n;
	if (about.n > SPOOL_TEXT_MAX || r.content_n > RECORD_CONTENT_MAX) {
		err_set(e, "spool: a mail is too large");
		return NULL;
	}
	if (room(s, record_size(&r), e) < 0)
		return NULL;
	g = spool_place(s, record_size(&r), e);
	if (g == NULL)
		return NULL;
	spool_new_id(s, r.id);
	if (spool_append(s, g, &r, &text, &at, e) < 0)
		return NULL;
	spool_schedule(s);
	m = new_mail(s, &r, about);
	m->content_at = at + record_front(&r);
	spool_seat(m, g, at, r.content_sum);
	return &m->mail;
}

int
spool_note(
    struct spool *s, struct spool_mail *mail, struct bytes note, struct err *e)
{
	struct mail *m = mail_of(mail);

	if (note.n > SPOOL_TEXT_MAX)
		return err_set(
		    e, "spool: a note of %zu bytes is too long", note.n);
	spool_keep(&mail->note, note);
	if (m->noted.next == NULL)
		list_append(&s->notes, &m->noted);
	m->note_state = NOTE_UNWRITTEN;
	spool_schedule(s);
	return spool_write_note(s, m, e);
}

void
spool_end(struct spool *s, struct spool_mail *mail)
{
	struct mail *m = mail_of(mail);
	struct err e;

	spool_bury(s, m);
	if (spool_write_end(s, m, &e) < 0)
		spool_tell(s, &e);
}

int
spool_map(struct spool *s, const struct spool_mail *mail, struct bytes *out,
    struct err *e)
{
	struct mail *m = index_find(&s->index, bytes_of(mail->id));
	struct segment_content c;

	must(m != NULL);
	c = spool_content(m);
	return segment_map(m->segment, &c, out, e);
}

void
spool_unmap(struct spool *s, struct bytes content)
{
	(void)s;
	segment_unmap(content);
}

struct spool_mail *
spool_find(struct spool *s, struct bytes id)
{
	struct mail *m = index_find(&s->index, id);

	return m == NULL ? NULL : &m->mail;
}

void
spool_each(struct spool *s, void (*each)(void *owner, struct spool_mail *m),
    void *owner)
{
	struct list *next;

	for (struct list *l = s->mails.next; l != &s->mails; l = next) {
		next = l->next;
		each(owner, &CONTAINER(l, struct mail, order)->mail);
	}
}

void
spool_counts(const struct spool *s, struct spool_counts *out)
{
	*out = (struct spool_counts){ .mails = s->index.n,
		.bytes = s->bytes,
		.file_bytes = s->file_bytes,
		.commits = s->commits };
}

/* Before the first mail: whether files can be made there at all. */
static int
try_folder(int folder, struct err *e)
{
	struct segment *g = segment_new(folder, 0, e);

	if (g == NULL)
		return -1;
	segment_free(g, folder, SEGMENT_GOES);
	return 0;
}

struct spool *
spool_open(int folder, const struct spool_limits *limits, struct loop *l,
    const struct spool_events *events, void *owner, struct err *e)
{
	struct spool *s;

	if (try_folder(folder, e) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	must(s != NULL);
	s->folder = folder;
	s->limits = *limits;
	/* What is ended goes with its file: one file must not be most of what
	 * there may be. */
	if (s->limits.segment > s->limits.bytes_max / SEGMENTS_MIN)
		s->limits.segment = s->limits.bytes_max / SEGMENTS_MIN;
	if (s->limits.segment < SEGMENT_MIN)
		s->limits.segment = SEGMENT_MIN;
	s->loop = l;
	s->retry = timer_new(l, retry_due, s);
	s->gather = timer_new(l, wait_over, s);
	s->settle = timer_new(l, wait_over, s);
	s->events = *events;
	s->owner = owner;
	must(getrandom(&s->id_tag, sizeof(s->id_tag), 0) == sizeof(s->id_tag));
	list_init(&s->mails);
	list_init(&s->adding);
	list_init(&s->telling);
	list_init(&s->finding);
	list_init(&s->notes);
	list_init(&s->ends);
	spool_adopt(s);
	return s;
}

static void
free_mails(struct list *head)
{
	while (!list_is_empty(head)) {
		struct mail *m = CONTAINER(head->next, struct mail, order);

		list_remove(&m->order);
		spool_free_mail(m);
	}
}

void
spool_close(struct spool *s)
{
	struct segment *next;

	if (s == NULL)
		return;
	for (int i = 0; i < CLOSE_TRIES && s->unsettled; i++)
		spool_commit(s);
	for (struct segment *g = s->segments; g != NULL; g = next) {
		next = g->next;
		if (!g->full)
			segment_trim(g);
		spool_drop_segment(s, g,
		    list_is_empty(&g->mails) && g->ending == 0 ? SEGMENT_GOES
							       : SEGMENT_STAYS);
	}
	free_mails(&s->mails);
	free_mails(&s->ends);
	index_release(&s->index);
	timer_free(s->retry);
	timer_free(s->gather);
	timer_free(s->settle);
	close(s->folder);
	s->closed = true;
	if (!s->scheduled)
		free(s);
}
