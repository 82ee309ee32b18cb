/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head: what the mail path itself looks at in a mail's header, and what it
 * writes before it. Everything else of MIME is read in the sandbox alone.
 */
#pragma once

#include "proxy/base/arena.h"
#include "proxy/base/buf.h"

struct mail;
struct leg;

/* The header with the empty line behind it; all when there is none. */
struct bytes head_bytes(struct bytes content);
/* The first Message-ID's value, cut and without controls; "" for none. */
const char *head_message_id(struct bytes content, struct arena *a);
/* How many Received fields there are: a loop has many (RFC 5321 section
 * 6.3). */
#define HEAD_HOPS_MAX 100
unsigned head_hops(struct bytes content);
/* Trace fields (RFC 5321 section 4.4), what others said of the sender and of
 * the mail, and what detox did. */
int head_write(const struct leg *leg, struct buf *out) MUST_CHECK;
/*
 * A header that goes on as it came, without fields that only we write:
 * Authentication-Results in our name (RFC 8601 section 5), Sekisho-Spam and
 * such. Whether there is any is head_has_ours.
 */
bool head_has_ours(struct bytes head, const char *name);
int head_without_ours(struct bytes head, const char *name, struct buf *out)
    MUST_CHECK;
/* RFC 5322 section 3.3, in UTC. */
#define HEAD_DATE_MAX 40
const char *head_date(uint64_t seconds, char out[HEAD_DATE_MAX]);
