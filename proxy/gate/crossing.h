/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crossing: one connection of a registered system, from accept to its end:
 *
 *	greeting    TLS with the system; its certificate is judged in it
 *	reaching    the register and the hours are asked; connects
 *	proving     TLS with the endpoint; its certificate is judged in it
 *	recording   the record of it is made durable
 *	open        bytes pass, both ways; looked at every GATE_LOOK_MS
 *
 * Whatever is not as it must be ends it, both sides at once.
 */
#pragma once

#include "proxy/base/log.h"
#include "proxy/base/stream.h"
#include "proxy/gate/caller.h"
#include "proxy/gate/gate.h"
#include "proxy/gate/relay.h"

enum crossing_state {
	CROSSING_GREETING = 0,
	CROSSING_REACHING,
	CROSSING_PROVING,
	CROSSING_RECORDING,
	CROSSING_OPEN,
	CROSSING_PROBING, /* no crossing: a probe's result */
	CROSSING_PARTING, /* its answer is on its way */
};

enum way {
	WAY_UP = 0, /* from the system */
	WAY_DOWN,
	WAYS,
};

struct crossing {
	struct gate *gate;
	struct crossing *next, **before;
	enum crossing_state state;
	char id[LOG_ID_MAX];
	const struct system *system;
	struct address client, server;
	const struct endpoint *endpoint;
	enum caller caller;  /* what the certificate was judged as */
	bool showed;         /* it showed one */
	const char *far_why; /* the endpoint's certificate was refused */
	X509 *certificate;   /* the system's */
	struct stream *near, *far;
	struct race *race;
	struct relay ways[WAYS];
	uint64_t begun_ms;      /* when it was opened, by the loop's clock */
	uint64_t deadline_ms;   /* of what it waits for; open: none */
	uint64_t moved_ms;      /* when bytes moved last */
	bool recorded;          /* the line of its beginning is in the file */
	char head[CHAIN_HEX_N]; /* the hash of its last line there */
	struct buf probe;       /* what has come of one */
	uint8_t nonce[32];
};

/* Takes over fd. A system's address, or it is refused at once. */
void crossing_new(struct gate *g, int fd, const struct address *peer);
/* The register, the hours, the time without bytes and deadlines. */
void crossing_look(struct crossing *x);
/* Its record is durable; NULL: it is, else why not. */
void crossing_recorded(struct crossing *x, const char *why_not);
/* Both sides are gone after it; why in words. */
void crossing_end(struct crossing *x, const char *why);

/* probing.c */
void probing_begin(struct crossing *x);
void probing_read(struct crossing *x);
