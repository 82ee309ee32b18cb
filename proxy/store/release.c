/* SPDX-License-Identifier: Apache-2.0 */
/*
 * release: hands an original that is approved to a mail process, by the
 * parent, until one has it in the spool. One after the other. Whoever dies in
 * between, it is handed over again: it may be delivered twice, and is not lost.
 */
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/detox/detox.h"
#include "proxy/store/store_state.h"

#define ANSWER_MS 30000 /* longest wait for the mail process */
#define AGAIN_MS 5000   /* behind one that could not take it */

static void
again(void *owner)
{
	struct store *st = owner;

	st->release.job = 0;
	release_next(st);
}

void
release_begin(struct store *st)
{
	st->release.timer = timer_new(st->child->loop, again, st);
}

void
release_end(struct store *st)
{
	timer_free(st->release.timer);
}

static int
write_piece(void *owner, struct bytes piece, struct err *e)
{
	const int *fd = owner;

	return file_write(*fd, piece) < 0 ? err_set(e, "memfd: %m") : 0;
}

/* What is known of it, and the content behind that; sealed. */
static int
make_object(struct store *st, const struct shelf_row *r, struct err *e)
{
	int fd = memfd_create("original", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_set(e, "memfd: %m");
	if (write_piece(&fd, r->about, e) == 0 &&
	    shelf_read(st->shelf, r, write_piece, &fd, e) == 0 &&
	    detox_seal_fd(fd, e) == 0)
		return fd;
	close(fd);
	return -1;
}

static void PRINTF_LIKE(2, 3)
    answer_order(struct store *st, const char *format, ...)
{
	char words[ERR_TEXT_MAX + 128];
	va_list args;

	if (st->release.order_job == 0)
		return;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	store_answer(st, st->release.order_job, ORDER_DONE, bytes_of(words));
	st->release.order_job = 0;
}

static int
commit_change(struct store *st, const struct shelf_row *r)
{
	struct err e = { 0 };

	if (shelf_change(st->shelf, r, &e) == 0 &&
	    shelf_commit(st->shelf, &e) == 0)
		return 0;
	log_say(EVENT_FAILURE, "%s", e.text);
	return -1;
}

/* It cannot be opened: nobody waits for it any more. */
static void
give_up(struct store *st, struct shelf_row *r, const struct err *e)
{
	log_say(EVENT_FAILURE, "%s", e->text);
	r->state = SHELF_KEPT;
	commit_change(st, r);
	answer_order(
	    st, "%s cannot be released: %s\n", st->release.id, e->text);
	st->release.job = 0;
}

static void
hand_over(struct store *st, const struct shelf_row *r, int fd)
{
	char body[64 + 3 * SHELF_PERSON_MAX];
	int n = snprintf(body, sizeof(body), "%zu\n%s by %s%s%s", r->about.n,
	    r->id, r->asked_by,
	    r->approved_by[0] == '\0' ? "" : " approved by ", r->approved_by);

	must(n > 0 && (size_t)n < sizeof(body));
	channel_send(st->child->parent, PARENT_RELEASE, st->release.job,
	    bytes_of(body), fd);
	timer_start(st->release.timer, ANSWER_MS);
}

void
release_next(struct store *st)
{
	struct arena a = { 0 };
	struct shelf_row r;
	struct err e = { 0 };
	int fd;

	while (st->release.job == 0 &&
	    shelf_find_state(st->shelf, SHELF_APPROVED, &r, &a, &e) ==
		SHELF_FOUND) {
		if (++st->jobs == 0)
			st->jobs = 1;
		st->release.job = st->jobs;
		if (strcmp(st->release.id, r.id) != 0)
			st->release.order_job = 0;
		snprintf(st->release.id, SHELF_ID_MAX, "%s", r.id);
		fd = make_object(st, &r, &e);
		if (fd < 0) {
			give_up(st, &r, &e);
			continue;
		}
		hand_over(st, &r, fd);
		close(fd);
	}
	arena_release(&a);
}

void
release_wait(struct store *st, const char *id, uint32_t order_job)
{
	if (st->release.job == 0) {
		st->release.order_job = order_job;
		snprintf(st->release.id, SHELF_ID_MAX, "%s", id);
		release_next(st);
	}
	if (strcmp(st->release.id, id) == 0)
		return;
	/* Others come first. */
	store_answer(
	    st, order_job, ORDER_DONE, BYTES("it is released behind others\n"));
}

static void
released(struct store *st, struct shelf_row *r, struct bytes mail)
{
	r->state = SHELF_RELEASED;
	snprintf(
	    r->released_as, sizeof(r->released_as), "%.*s", BYTES_PRINTF(mail));
	if (commit_change(st, r) < 0)
		return;
	store_record(EVENT_ORIGINAL_RELEASED, r, r->asked_by, r->approved_by);
	answer_order(st, "%s is released as %s\n", r->id, r->released_as);
}

void
release_answered(struct store *st, const struct ipc_message *m)
{
	struct arena a = { 0 };
	struct shelf_row r;
	struct err e = { 0 };

	if (m->job != st->release.job || m->job == 0)
		return;
	store_settle(st);
	if (m->body.n == 0) {
		answer_order(st,
		    "%s is approved; it is released as soon as a mail process"
		    " takes it\n",
		    st->release.id);
		timer_start(st->release.timer, AGAIN_MS);
		return;
	}
	timer_stop(st->release.timer);
	if (shelf_find(st->shelf, bytes_of(st->release.id), &r, &a, &e) ==
	    SHELF_FOUND)
		released(st, &r, m->body);
	arena_release(&a);
	st->release.job = 0;
	release_next(st);
}
