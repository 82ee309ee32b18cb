/* SPDX-License-Identifier: Apache-2.0 */
/* forge: where the keysmith answers edges, with the CA at hand. */
#pragma once

#include "proxy/base/loop.h"
#include "proxy/keysmith/ca.h"

struct forge;

/* ca outlives it. Never NULL. */
struct forge *forge_new(
    struct loop *l, const struct ca *ca, uint64_t lifetime_s);
/* Closes every channel. NULL does nothing. */
void forge_free(struct forge *f);
/* Serves the edge behind fd (taken over), until it goes or sends what is no
 * message of enum keysmith_message. */
void forge_serve(struct forge *f, int fd);
/*
 * Signs one leaf for a throw-away key. What OpenSSL and libc read from files
 * at their first use is read then, so call it before the sandbox. 0, or -1
 * and *e.
 */
int forge_try(const struct forge *f, struct err *e) MUST_CHECK;
