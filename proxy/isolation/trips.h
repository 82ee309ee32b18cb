/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trips: what a process that serves many tells of sources that must not speak
 * with it: at once, and then once a second with a count, so that a flood of
 * them is no flood of messages.
 */
#pragma once

#include "proxy/base/loop.h"
#include "proxy/isolation/trip.h"

#define TRIPS_SOURCES_MAX 64 /* at a time; who waited longest makes room */
#define TRIPS_EVERY_MS 1000  /* between two messages of a source */
#define TRIPS_WORDS_MS 200   /* what a connection says is waited for */

struct trips;

/* send() is called for each message. Never NULL. */
struct trips *trips_new(struct loop *l, enum trip_how how,
    void (*send)(void *owner, const struct trip *t), void *owner);
/* What is not told yet is told. NULL does nothing. */
void trips_free(struct trips *t);
/* A connection came; what it wants may be known in a moment. */
void trips_connected(
    struct trips *t, const struct address *from, const struct address *to);
/* It asked for what words say; cut at TRIP_TEXT_MAX. */
void trips_tried(struct trips *t, const struct address *from,
    const struct address *to, struct bytes words);
/* A canary was seen: the highest level. Each of a source is told of by itself.
 */
void trips_seen(struct trips *t, const char *canary, const struct address *from,
    const struct address *to, struct bytes words);
