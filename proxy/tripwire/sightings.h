/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sightings: what the kernel logged, told on at a bounded rate. Of a source
 * that is new the first packet is told at once; then once a second, with a
 * count. However many sources there are, no more than SIGHTINGS_TOLD_MAX are
 * told in a second; the others wait for their turn, and none is forgotten but
 * those that came when SIGHTINGS_MAX were waiting: they are counted.
 */
#pragma once

#include "proxy/isolation/trip.h"

#define SIGHTINGS_MAX 8192
#define SIGHTINGS_TOLD_MAX 1000
#define SIGHTINGS_EVERY_MS 1000 /* of one source */
#define SIGHTINGS_TICK_MS 50

struct sightings;

struct sightings *sightings_new(
    void (*tell)(void *owner, const struct trip *t), void *owner);
/* NULL does nothing. */
void sightings_free(struct sightings *s);
void sightings_take(struct sightings *s, const struct trip *t, uint64_t now_ms);
/* To be called each SIGHTINGS_TICK_MS while sightings_busy. */
void sightings_tick(struct sightings *s, uint64_t now_ms);
bool sightings_busy(const struct sightings *s);
/* How many were not taken in since the last call. */
uint64_t sightings_lost(struct sightings *s);
