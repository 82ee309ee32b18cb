/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trip: what processes tell the parent of separated systems: that an address
 * tried something but the gate (PARENT_TRIPPED), and what a system's probe
 * found (PARENT_PROBED). Plain values, as they stand in a message's body; the
 * parent believes neither a size nor a string in them.
 */
#pragma once

#include <stdint.h>

#include "proxy/base/address.h"
#include "proxy/isolation/model.h"

#define TRIP_TEXT_MAX 128 /* with its NUL */
#define TRIP_NAME_MAX 72  /* the same, of a canary */

enum trip_how {
	TRIP_NONE = 0,
	TRIP_PACKET, /* the kernel saw it go elsewhere */
	TRIP_WEB,    /* it spoke with a web proxy */
	TRIP_MAIL,   /* with a mail process */
	TRIP_GATE,   /* with the gate, which may not have it */
	TRIP_CANARY, /* what must never be seen was seen */
	TRIP_HOWS,
};

enum trip_level {
	TRIP_ALERT = 0,
	TRIP_HIGHEST, /* data may have left already */
	TRIP_LEVELS,
};

struct trip {
	uint8_t how;      /* enum trip_how */
	uint8_t protocol; /* IANA's */
	uint8_t level;    /* enum trip_level */
	uint8_t reserved;
	uint32_t count; /* how often, since its last message; 0 is one */
	struct address from, to;
	/* What was tried: method and host, path without query, …; never a
	 * number, never content. */
	char text[TRIP_TEXT_MAX];
	char canary[TRIP_NAME_MAX]; /* TRIP_CANARY: its name */
};

enum probe_result {
	PROBE_FAILED = 0, /* it reached what it must not, or says nonsense */
	PROBE_GOOD,       /* it reached nothing but the gate */
	PROBE_RESULTS,
};

struct probed {
	uint8_t system[MODEL_DIGEST_N]; /* its digest: indexes change */
	uint8_t result;                 /* enum probe_result */
	uint8_t reserved[7];
	char text[TRIP_TEXT_MAX]; /* what it reached */
};
