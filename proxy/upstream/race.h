/* SPDX-License-Identifier: Apache-2.0 */
/* race: the first of several addresses that answers (RFC 8305). */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/loop.h"

struct race;

/*
 * Connects to the addresses (copied; with ports), the families in turn with
 * IPv6 first, the next delay_ms after the one before or as soon as that one
 * fails. done is called once, never under this call: with the connected
 * descriptor (the callee's) and its address, or -1 and the words of the last
 * failure. race_free from done is allowed; before it, it gives up.
 */
struct race *race_new(struct loop *l, const struct address *addresses, size_t n,
    uint64_t delay_ms,
    void (*done)(
	void *owner, int fd, const struct address *a, const char *words),
    void *owner);
/* NULL does nothing. */
void race_free(struct race *r);
