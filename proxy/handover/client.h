/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: an edge's end of what it says with the keeper. What was asked
 * outlives a keeper that dies or is started anew with other settings: it is
 * asked again of the next one, which knows by the slip's key what it has.
 */
#pragma once

#include "proxy/base/ipc.h"
#include "proxy/handover/slip.h"

struct handover_client;
struct handover_asked;

/* Never NULL; there is no keeper yet. judge(): the keeper wants a file of a
 * drop folder judged; it answers with handover_client_judged, or not at all.
 * Owns m->fd. */
struct handover_client *handover_client_new(struct loop *l,
    void (*judge)(void *owner, const struct ipc_message *m), void *owner);
/* Takes over fd, the end of a pair whose other is the keeper's. */
void handover_client_connect(struct handover_client *c, int fd);

/* What is answered; fd is done's to close, or -1. */
struct handover_answer {
	enum handover_message type; /* KEPT, NOT_KEPT, SEEN, … */
	enum handover_state state;
	struct bytes words; /* a number, or why not; until done returns */
	int fd;
};
/* files: a sealed memfd, of which a copy is kept. done() is called once, never
 * from here; a keeper that does not answer is told as NOT_KEPT. Never NULL. */
struct handover_asked *handover_client_keep(struct handover_client *c,
    const struct slip *s, int files,
    void (*done)(void *owner, const struct handover_answer *a), void *owner);
/* type: HANDOVER_LOOK, TAKE, LIST, APPROVE or DECLINE. */
struct handover_asked *handover_client_ask(struct handover_client *c,
    enum handover_message type, const struct slip_ask *what,
    void (*done)(void *owner, const struct handover_answer *a), void *owner);
/* done is not called any more. NULL does nothing. */
void handover_asked_cancel(struct handover_asked *a);
void handover_client_judged(struct handover_client *c, uint32_t job,
    enum handover_judged how, struct bytes words);
