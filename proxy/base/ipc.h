/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc: how the processes speak. A channel is one end of a SOCK_SEQPACKET
 * pair; each message has a type, a job number, a bounded body and at most one
 * descriptor. A malformed message ends the channel, not the receiver.
 */
#pragma once

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"
#include "proxy/base/loop.h"

#define IPC_BODY_MAX 16384

struct channel;

struct ipc_message {
	uint32_t type; /* of the protocol that the two ends speak */
	uint32_t job;
	struct bytes body; /* until the callback returns */
	int fd;            /* the callee's to close, or -1 */
};

/* 0 and both ends (non-blocking, close-on-exec), or -1 and *e. */
int ipc_pair(int ends_out[2], struct err *e) MUST_CHECK;

/*
 * Takes over fd. message() is called for each message, gone() once when the
 * other end closed, died or sent nonsense; the owner frees the channel then.
 */
struct channel *channel_new(struct loop *l, int fd,
    void (*message)(void *owner, const struct ipc_message *m),
    void (*gone)(void *owner), void *owner);
/* Takes what has come by now: the last words of a process that ended. */
void channel_read(struct channel *c);
/* Closes it. NULL does nothing. */
void channel_free(struct channel *c);
/*
 * Sends, or queues while the other end is slow. fd is -1 or a descriptor of
 * which a copy is sent. 0, or -1: the other end is gone or 4096 messages
 * behind, or the body is over IPC_BODY_MAX.
 */
int channel_send(
    struct channel *c, uint32_t type, uint32_t job, struct bytes body, int fd);
