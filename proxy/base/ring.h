/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring: records from one writer process to one reader process through shared
 * memory. What was put survives the death of either side; a writer never
 * waits: when the ring is full the record is dropped and counted. The reader
 * trusts nothing that the writer can reach.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"

#define RING_RECORD_MAX 16384

struct ring;

/* A new empty ring of about size bytes: a descriptor of the caller, or -1. */
int ring_create(size_t size, struct err *e) MUST_CHECK;
/*
 * Maps the ring behind fd, which stays the caller's; not inherited by forks.
 * wake_fd is an eventfd that the writer signals when the reader sleeps and
 * when the ring becomes half full; it must outlive the mapping. NULL and *e on
 * failure.
 */
struct ring *ring_map(int fd, int wake_fd, struct err *e) MUST_CHECK;
/* NULL does nothing. */
void ring_unmap(struct ring *r);

/* Writer: 0, or -1 when full or over RING_RECORD_MAX (counted as dropped). */
int ring_put(struct ring *r, struct bytes record);

/*
 * Writer: a number that this ring never gave before, whoever wrote to it, nor
 * did one that was made earlier: it began as the time in 2^-20 s, and grows by
 * one, which is slower than the time does.
 */
uint64_t ring_number(struct ring *r);

enum ring_answer {
	RING_BROKEN = 0, /* the writer wrote nonsense; the ring is emptied */
	RING_EMPTY,
	RING_TAKEN,
};

/*
 * Reader: copies the oldest record out and sets *n_out; it stays in the ring
 * until ring_taken is called, so that a reader that dies has lost nothing.
 * ring_peek sees the next one after those peeked but not yet taken.
 */
enum ring_answer ring_peek(
    struct ring *r, uint8_t out[RING_RECORD_MAX], size_t *n_out);
/* Everything peeked so far is done with. */
void ring_taken(struct ring *r);
/* Records dropped since the last call. */
uint64_t ring_dropped(struct ring *r);
/*
 * Announces that the reader will wait on the eventfd. False: something came
 * meanwhile; read again instead.
 */
bool ring_sleep(struct ring *r);
