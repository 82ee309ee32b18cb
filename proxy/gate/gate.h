/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: the process that alone may open the provision network. A registered
 * system connects to it with TLS and its certificate; while the register says
 * that it is separated, and within its hours, its bytes are carried to the
 * endpoint that the settings name for it, over a second TLS of the gate's.
 *
 *	gate.c      the process: listener, looks at what is open, drain
 *	crossing.c  one connection of a system and the way it goes
 *	probing.c   one that brings a probe's result instead
 *	caller.c    certificates: who is at the other end
 *	tls.c       both sides' TLS
 *	relay.c     bytes
 *	record.c    what is written down of a crossing, before and after it
 */
#pragma once

#include <openssl/ssl.h>

#include "proxy/base/chain.h"
#include "proxy/base/loop.h"
#include "proxy/isolation/register.h"

#define GATE_BUFFER_SIZE 65536 /* of one read */
/* Between two looks at what is open: how long a crossing outlives its
 * system's separation. */
#define GATE_LOOK_MS 100
#define GATE_GREET_MS 10000 /* for the TLS of a system */
#define GATE_REACH_MS 15000 /* for all addresses of an endpoint and its TLS */
#define GATE_NEXT_MS 3000   /* for one, before the next is tried too */
#define GATE_PROBE_MS 180000
#define GATE_QUIET_MS 1000    /* at a stop; who still moves bytes goes on */
#define GATE_PART_MS 5000     /* for a system to take the last words */
#define GATE_KEEP_MS 1000     /* until a crossing's end is on the disk */
#define GATE_REFUSALS_MAX 100 /* told in a second; the rest are counted */

struct contractors;
struct child;
struct crossing;
struct trips;

struct gate {
	struct child *child;
	const struct isolation_model *model;
	struct loop *loop;
	struct standings *standings;
	struct chain *chain;
	struct contractors *contractors;
	SSL_CTX *near; /* TLS with systems */
	SSL_CTX *far;  /* TLS with endpoints */
	struct trips *trips;
	struct acceptor *acceptor;
	struct timer *look; /* runs while anything is open */
	struct crossing *crossings;
	size_t crossings_n, crossings_max;
	uint32_t *of_system; /* how many, by struct system's index */
	bool committing;     /* lines wait to be made durable in this tick */
	bool ends_wait;      /* lines of ends do, until `keep` is due */
	struct timer *keep;
	enum gate_drain {
		GATE_SERVES = 0,
		GATE_DRAINS, /* a reload: what is open goes on */
		GATE_ENDS,   /* a stop: until nothing moves */
	} drain;
	struct refusals {
		uint64_t since_ms;
		unsigned n;
		uint64_t untold;
	} refusals;
	uint8_t buffer[GATE_BUFFER_SIZE]; /* what one read brings */
};

/* By the register's clock, in milliseconds since 1970. */
uint64_t gate_now_ms(const struct gate *g);
/* NULL: that system's bytes may cross now; else why not. */
const char *gate_why_closed(const struct gate *g, const struct system *s);
/* A crossing is gone; ends the process when it drains and this was the last. */
void gate_crossing_gone(struct gate *g);
/* What a probe found is for the parent; text: in words, of what failed. */
enum gate_probe {
	GATE_PROBE_BAD = 0,
	GATE_PROBE_GOOD,
};
void gate_probed(struct gate *g, const struct system *s, enum gate_probe result,
    const char *text);

/* tls.c: both contexts, from the gate's certificate and its key, which is read
 * from key_fd. 0, or -1 and *e. */
int gate_tls_open(struct gate *g, int key_fd, struct err *e) MUST_CHECK;
/* For one connection; the SSL's app data is the crossing. Never NULL. */
SSL *gate_tls_near(struct gate *g, struct crossing *x);
SSL *gate_tls_far(struct gate *g, struct crossing *x);
bool gate_tls_is_probe(const SSL *near);
