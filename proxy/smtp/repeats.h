/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repeats: mails that we have and whose sender may not have heard so, as his
 * connection ended before our answer could be taken. He will send them again;
 * their digests are remembered for a while, so that nobody gets them twice.
 */
#pragma once

#include "proxy/base/log.h"
#include "proxy/smtp/envelope.h"

#define REPEATS_MAX 1024 /* the newest; a power of two */
#define REPEATS_KEEP_MS (60 * 60 * (uint64_t)1000)
#define REPEATS_DIGEST 32 /* SHA-256 */

struct repeats {
	size_t first, n; /* a ring, in the order of time */
	struct {
		uint8_t digest[REPEATS_DIGEST];
		uint64_t until_ms;
		char id[LOG_ID_MAX];
	} rows[REPEATS_MAX];
};

/* Sender, recipients and content are remembered as what has this id. */
void repeats_note(struct repeats *r, const struct envelope *e,
    struct bytes content, const char *id, uint64_t now_ms);
/* The id under which the same is remembered, until the next note; NULL: it is
 * not. Without anything remembered nothing is read. */
const char *repeats_find(struct repeats *r, const struct envelope *e,
    struct bytes content, uint64_t now_ms);
