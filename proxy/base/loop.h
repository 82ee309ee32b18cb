/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: one event loop per process (libuv underneath), which watches our own
 * descriptors and runs timers. Objects are the module's; freeing one from any
 * callback, its own included, is allowed and no callback of it comes after.
 */
#pragma once

#include <stdint.h>

#include "proxy/base/macros.h"

struct loop;
struct watch;
struct timer;

enum watch_event {
	WATCH_READ = 1,
	WATCH_WRITE = 2,
};

/* Never NULL. */
struct loop *loop_new(void);
/* Every watch and timer of it must have been freed. */
void loop_free(struct loop *l);
void loop_run(struct loop *l);
/* Makes loop_run return after the callbacks of this tick. */
void loop_stop(struct loop *l);
/* Milliseconds of the monotonic clock, read once a tick. */
uint64_t loop_now_ms(const struct loop *l);
/* Microseconds of the monotonic clock, read now. */
uint64_t clock_us(void);
/* Calls done(owner) after the callbacks of this tick, before the loop waits:
 * for what must not be freed, or is better flushed, under its caller. */
void loop_defer(struct loop *l, void (*done)(void *owner), void *owner);

/*
 * Watches fd, which stays the caller's and is closed by it after watch_free.
 * Nothing is wanted until watch_want. `events` is a set of enum watch_event;
 * an error or hang-up shows as every event wanted. NULL: fd cannot be watched.
 */
struct watch *watch_new(struct loop *l, int fd,
    void (*ready)(void *owner, unsigned events), void *owner);
/* NULL does nothing. */
void watch_free(struct watch *w);
/* What to wait for; 0 for nothing. Asking for what is already so is free. */
void watch_want(struct watch *w, unsigned events);
unsigned watch_wanted(const struct watch *w);

/* Never NULL; not started. */
struct timer *timer_new(struct loop *l, void (*due)(void *owner), void *owner);
/* NULL does nothing. */
void timer_free(struct timer *t);
/*
 * Due once, after_ms from now; a later call replaces the earlier. Pushing a
 * deadline away costs a store: a started timer that fires early waits again.
 */
void timer_start(struct timer *t, uint64_t after_ms);
void timer_stop(struct timer *t);
