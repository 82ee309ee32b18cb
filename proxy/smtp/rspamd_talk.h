/* SPDX-License-Identifier: Apache-2.0 */
/* rspamd_talk: what is said to rspamd and what it answers, without I/O. */
#pragma once

#include <llhttp.h>

#include "proxy/smtp/rspamd.h"

#define RSPAMD_HEAD_MAX ((size_t)65536)    /* rspamd takes 80 KiB */
#define RSPAMD_ANSWER_MAX ((size_t)524288) /* of an answer's body */
#define RSPAMD_FIELDS_MAX ((size_t)16384)  /* of its head */

/* The head of the question, for a content of that many bytes, which follows.
 * Recipients behind the first 100 are left out. */
void rspamd_head(
    struct buf *out, const struct rspamd_question *q, size_t content_n);

struct rspamd_talk {
	llhttp_t parser;
	struct buf body;
	size_t fields_n; /* bytes of the answer's head */
	bool whole;
	const char *why; /* BROKEN: a static string */
};

enum rspamd_progress {
	RSPAMD_BROKEN = 0,
	RSPAMD_MORE,
	RSPAMD_WHOLE, /* body is the JSON of an answer of 200 */
};

void rspamd_talk_init(struct rspamd_talk *t);
void rspamd_talk_release(struct rspamd_talk *t);
/* Nothing in it: the peer ended. */
enum rspamd_progress rspamd_talk_hear(struct rspamd_talk *t, struct bytes in);
