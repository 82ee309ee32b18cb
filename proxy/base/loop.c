/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

struct deferred {
	struct deferred *next;
	void (*done)(void *owner);
	void *owner;
};

struct loop {
	uv_loop_t uv;
	uv_prepare_t before_wait;
	struct deferred *first;
	struct deferred **last;
};

struct watch {
	uv_poll_t uv;
	unsigned wanted;
	void (*ready)(void *owner, unsigned events);
	void *owner;
};

struct timer {
	uv_timer_t uv;
	uint64_t due_ms; /* 0: stopped */
	void (*due)(void *owner);
	void *owner;
};

static void *
zeroed(size_t n)
{
	void *p = calloc(1, n);

	must(p != NULL);
	return p;
}

static void
run_deferred(uv_prepare_t *before_wait)
{
	struct loop *l = before_wait->data;
	struct deferred *d;

	while ((d = l->first) != NULL) {
		l->first = d->next;
		if (l->first == NULL)
			l->last = &l->first;
		d->done(d->owner);
		free(d);
	}
}

struct loop *
loop_new(void)
{
	struct loop *l = zeroed(sizeof(*l));

	must(uv_loop_init(&l->uv) == 0);
	l->last = &l->first;
	must(uv_prepare_init(&l->uv, &l->before_wait) == 0);
	l->before_wait.data = l;
	must(uv_prepare_start(&l->before_wait, run_deferred) == 0);
	uv_unref((uv_handle_t *)&l->before_wait);
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	run_deferred(&l->before_wait);
	uv_close((uv_handle_t *)&l->before_wait, NULL);
	/* A stop that came after the last run ends the next one at once. */
	while (uv_run(&l->uv, UV_RUN_NOWAIT) != 0)
		;
	must(uv_loop_close(&l->uv) == 0);
	free(l);
}

void
loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
	run_deferred(&l->before_wait);
}

void
loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

uint64_t
loop_now_ms(const struct loop *l)
{
	return uv_now(&l->uv);
}

uint64_t
clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void
loop_defer(struct loop *l, void (*done)(void *owner), void *owner)
{
	struct deferred *d = zeroed(sizeof(*d));

	d->done = done;
	d->owner = owner;
	*l->last = d;
	l->last = &d->next;
}

static void
poll_ready(uv_poll_t *uv, int status, int events)
{
	struct watch *w = uv->data;
	unsigned ready = 0;

	if ((events & UV_READABLE) != 0)
		ready |= WATCH_READ;
	if ((events & UV_WRITABLE) != 0)
		ready |= WATCH_WRITE;
	if (status < 0) {
		/* libuv stopped the handle; the owner finds the error when
		 * it reads or writes. */
		ready = w->wanted;
		w->wanted = 0;
	}
	if (ready != 0)
		w->ready(w->owner, ready);
}

struct watch *
watch_new(struct loop *l, int fd, void (*ready)(void *owner, unsigned events),
    void *owner)
{
	struct watch *w = zeroed(sizeof(*w));

	if (uv_poll_init(&l->uv, &w->uv, fd) < 0) {
		free(w);
		return NULL;
	}
	w->uv.data = w;
	w->ready = ready;
	w->owner = owner;
	return w;
}

static void
free_handle(uv_handle_t *handle)
{
	free(handle->data);
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	uv_poll_stop(&w->uv);
	uv_close((uv_handle_t *)&w->uv, free_handle);
}

void
watch_want(struct watch *w, unsigned events)
{
	int uv_events = 0;

	if (events == w->wanted)
		return;
	w->wanted = events;
	if (events == 0) {
		uv_poll_stop(&w->uv);
		return;
	}
	if ((events & WATCH_READ) != 0)
		uv_events |= UV_READABLE;
	if ((events & WATCH_WRITE) != 0)
		uv_events |= UV_WRITABLE;
	must(uv_poll_start(&w->uv, uv_events, poll_ready) == 0);
}

unsigned
watch_wanted(const struct watch *w)
{
	return w->wanted;
}

struct timer *
timer_new(struct loop *l, void (*due)(void *owner), void *owner)
{
	struct timer *t = zeroed(sizeof(*t));

	must(uv_timer_init(&l->uv, &t->uv) == 0);
	t->uv.data = t;
	t->due = due;
	t->owner = owner;
	return t;
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	uv_timer_stop(&t->uv);
	uv_close((uv_handle_t *)&t->uv, free_handle);
}

static void
timer_fired(uv_timer_t *uv)
{
	struct timer *t = uv->data;
	uint64_t now = uv_now(uv->loop);

	if (t->due_ms == 0)
		return;
	if (t->due_ms > now) {
		must(uv_timer_start(uv, timer_fired, t->due_ms - now, 0) == 0);
		return;
	}
	t->due_ms = 0;
	t->due(t->owner);
}

void
timer_start(struct timer *t, uint64_t after_ms)
{
	uint64_t due_ms = uv_now(t->uv.loop) + (after_ms == 0 ? 1 : after_ms);
	bool waits = uv_is_active((uv_handle_t *)&t->uv) != 0 &&
	    uv_now(t->uv.loop) + uv_timer_get_due_in(&t->uv) <= due_ms;

	t->due_ms = due_ms;
	if (!waits)
		must(uv_timer_start(&t->uv, timer_fired, after_ms, 0) == 0);
}

void
timer_stop(struct timer *t)
{
	t->due_ms = 0;
}
