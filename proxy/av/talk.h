/* SPDX-License-Identifier: Apache-2.0 */
/* talk: what is said to a scanner and what it answers, without I/O. */
#pragma once

#include "proxy/av/av.h"

#define TALK_HEAD_MAX ((size_t)16384) /* of a head, or of clamd's line */
#define TALK_CHUNK ((size_t)65536)

enum talk_next {
	TALK_OVER = 0, /* t->answer is what it said */
	TALK_GO_ON,
};

struct talk {
	const struct av_scanner *scanner;
	struct bytes content; /* what is left to send */
	struct bytes back;    /* ICAP: what has still to come back unchanged */
	struct bytes whole;
	const char *name;
	int state; /* of the protocol */
	size_t preview;
	uint64_t skip;   /* ICAP: of the HTTP head that comes back */
	uint64_t chunk;  /* and of the chunk that is being read */
	struct buf in;   /* what came and is not understood yet */
	struct buf out;  /* the caller sends it and empties it */
	bool body_begun; /* ICAP: the rest behind the preview is wanted */
	bool sent;       /* ICAP: and was sent to its end */
	bool ended;      /* the peer closed its side */
	struct av_answer answer;
};

void talk_init(struct talk *t, const struct av_scanner *s, struct bytes content,
    const char *name);
void talk_release(struct talk *t);
/* When out is empty: puts what is to be sent next there, if there is any. */
void talk_speak(struct talk *t);
/* After more came in `in`, or the peer ended. */
enum talk_next talk_listen(struct talk *t);

/* Of the protocols: the answer, with words made printable. Gives TALK_OVER. */
enum talk_next talk_answer(
    struct talk *t, enum av_verdict v, struct bytes words);
void clamd_speak(struct talk *t);
enum talk_next clamd_listen(struct talk *t);
void icap_speak(struct talk *t);
enum talk_next icap_listen(struct talk *t);
/* icap://HOST[:PORT]/SERVICE; 0, or -1. */
int icap_service(struct bytes service, struct bytes *host_out,
    struct bytes *path_out) MUST_CHECK;
