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

/* Of sender, recipients and content. */
void repeats_digest(const struct envelope *e, struct bytes content,
    uint8_t out[REPEATS_DIGEST]);
/* What has this digest is remembered as `id`, if it is not already. */
void repeats_note(struct repeats *r, const uint8_t digest[REPEATS_DIGEST],
    const char *id, uint64_t now_ms);
/* Its sender has heard. */
void repeats_forget(struct repeats *r, const uint8_t digest[REPEATS_DIGEST]);
/* Whether anything is remembered, and a digest is of use. */
bool repeats_any(struct repeats *r, uint64_t now_ms) MUST_CHECK;
/* Whether this is, and as what. */
bool repeats_find(const struct repeats *r, const uint8_t digest[REPEATS_DIGEST],
    char id_out[LOG_ID_MAX]) MUST_CHECK;
