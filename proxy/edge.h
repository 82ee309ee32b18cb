/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge: the process that carries the web traffic: what all its connections
 * share, for as long as the process lives.
 */
#pragma once

#include <openssl/ssl.h>

#include "filters/urlrep/swap.h"
#include "proxy/body/budget.h"
#include "proxy/detox/client.h"
#include "proxy/handover/client.h"
#include "proxy/keysmith/leaf.h"
#include "proxy/process.h"
#include "proxy/upstream/upstream.h"

#define EDGE_SCRATCH_SIZE 65536

struct acceptor;
struct trips;
struct client;

struct edge {
	struct child *child;
	const struct settings *settings;
	struct loop *loop;
	struct board *board;
	struct verifier *verifier;
	struct upstream *upstream;
	struct leaves *leaves;
	struct detox_client *detox;
	struct handover_client *handover;
	unsigned intakes; /* of files that are handed over, at once */
	unsigned parcels; /* that are being made, for clients that wait */
	struct unlock_wait *unlocks; /* who waits for mail processes */
	uint32_t unlock_jobs;        /* so far */
	struct trips *trips;         /* of My Number segments */
	struct trips *leaks;         /* of canaries */
	SSL_CTX *client_tls;         /* the server side towards clients */
	struct tickets *tickets;
	struct swap reputation;      /* the list file */
	struct budget budget;        /* of bytes that bodies keep back */
	struct timer *swap_timer;    /* runs while it is exchanged */
	struct acceptor **accepting; /* one per listening socket */
	size_t accepting_n;
	struct client *clients; /* all that are open */
	enum drain {
		DRAIN_NOT = 0,
		DRAIN_PATIENT, /* a reload: idle clients may ask once more */
		DRAIN_NOW,     /* a stop: idle clients are closed */
	} drain;
	X509 *ca;       /* for /ca.crt */
	char via[32];   /* "1.1 sekisho-990001": our name in Via */
	struct buf out; /* what a callback writes at once; empty between */
	uint8_t scratch[EDGE_SCRATCH_SIZE]; /* what one read brings */
};

/* A client or a parcel is gone; ends the process when it drains and this was
 * the last. */
void edge_client_gone(struct edge *e);
