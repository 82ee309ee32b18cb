/* SPDX-License-Identifier: Apache-2.0 */
/*
 * register: which systems are separated now. One page of memory that the
 * parent alone writes and all others map read-only; a suspension is seen by
 * every process at its next look, without a message. The refusing state is 0.
 *
 * The page has two halves, each a table of rows by the systems' digests. What
 * changes more than one number of a row is written into the half that nobody
 * reads, which then becomes the one that is read. Only a suspension and the
 * time of a good probe are written where readers are: a number each, and the
 * first only takes away. A reader that sees the halves change looks again, and
 * what it cannot see whole is UNKNOWN.
 */
#pragma once

#include "proxy/isolation/model.h"

enum standing {
	STANDING_UNKNOWN = 0, /* not registered (any more) */
	STANDING_UNSTATED,    /* no valid statement */
	STANDING_SUSPENDED,   /* by a tripwire or a person, until restored */
	STANDING_EARLY,       /* its statement begins later */
	STANDING_EXPIRED,     /* its statement is over */
	STANDING_UNPROBED,    /* its probe failed, is stale or never came */
	STANDING_CLOSED,      /* the kernel does not hold the rule set */
	STANDING_SEPARATED,
	STANDINGS,
};

#define STANDINGS_MAX (2 * SYSTEMS_MAX) /* of two generations */

struct standings; /* the page */

/* A sealed-size memfd for the page, or -1 and *e; the parent's. */
int standings_create(struct err *e) MUST_CHECK;
/* Readable for everyone, writable with `write` (the parent, once: nobody can
 * map it so afterwards, and forks do not inherit it). NULL and *e. */
enum standings_access {
	STANDINGS_READ,
	STANDINGS_WRITE
};
struct standings *standings_map(
    int fd, enum standings_access access, struct err *e) MUST_CHECK;
/* NULL does nothing. */
void standings_unmap(struct standings *s);
/*
 * The standing of a registered system at this moment. The clock is the page's:
 * it never goes back, whatever is done to the machine's.
 */
enum standing standings_of(
    const struct standings *s, const struct system *system);
/* The same of a digest, at that time. */
enum standing standings_at(const struct standings *s,
    const uint8_t digest[MODEL_DIGEST_N], uint64_t now_ms);
const char *standing_name(enum standing s); /* "separated" */
/* By which statement: its serial, for records. Zeroes: none is known. */
#define STANDINGS_SERIAL_N 16
void standings_serial(const struct standings *s,
    const uint8_t digest[MODEL_DIGEST_N], uint8_t out[STANDINGS_SERIAL_N]);

/*
 * The page's clock, in milliseconds since 1970: the machine's, or where that is
 * behind, the latest time known and what CLOCK_BOOTTIME says has passed since.
 */
struct clocks {
	int64_t wall_ms, boot_ms;
};

struct clocks clocks_read(void);
uint64_t standings_time(const struct standings *s, struct clocks c);

/* The parent's. */

enum standings_state {
	STATE_UNSTATED = 0,
	STATE_SUSPENDED,
	STATE_STATED, /* by a statement that counts */
};

#define PROBE_NEVER 0           /* no good one is known */
#define PROBE_NONE (UINT64_MAX) /* none is registered */

struct standings_row {
	uint8_t digest[MODEL_DIGEST_N];
	enum standings_state state;
	uint64_t from, until; /* seconds: the first, and the one behind it */
	uint8_t serial[STANDINGS_SERIAL_N]; /* of the statement */
	uint64_t probed_until_ms; /* when the last good probe is stale */
};

/* These rows are all there are; n is at most STANDINGS_MAX. */
void standings_publish(
    struct standings *s, const struct standings_row *rows, size_t n);
/* At once, where readers are. What is not in the page does nothing. */
void standings_suspend(
    struct standings *s, const uint8_t digest[MODEL_DIGEST_N]);
void standings_probed(struct standings *s, const uint8_t digest[MODEL_DIGEST_N],
    uint64_t until_ms);
/* Closed, as at first: no system is separated, whatever its row says. */
void standings_open(struct standings *s);
void standings_close(struct standings *s);
/* Keeps the latest time; how many milliseconds the machine's clock is behind
 * it, 0: not. */
uint64_t standings_tick(struct standings *s, struct clocks c);
/* The machine's is right, although it is behind: a person says so. */
void standings_set_clock(struct standings *s, struct clocks c);
/* It was that late already: a clock set back over a restart is seen. */
void standings_not_before(struct standings *s, uint64_t ms, struct clocks c);
