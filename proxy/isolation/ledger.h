/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger: what must outlive the parent: suspensions, restorations, incidents.
 * A file that only grows, a line each, on the disk before ledger_append
 * returns. A line begins with the SHA-256 of the one before and its own words,
 * so that what was changed or taken out is seen:
 *
 *	CHAIN {"kind":"suspended","at_ms":…,"digest":"…","system":"…",…}
 *
 * The latest time of the page's clock and the last good probes stand in files
 * of their own beside it. With the time stands the last line's CHAIN: that
 *lines are missing at the file's end, or all of it is, is seen by it.
 */
#pragma once

#include "proxy/base/err.h"
#include "proxy/isolation/model.h"

#define LEDGER_LINE_MAX 4096
#define LEDGER_HEAD_N 65 /* hexadecimal digits, with its NUL */

enum ledger_kind {
	LEDGER_NONE = 0,
	LEDGER_SUSPENDED, /* digest, system, incident or by, why */
	LEDGER_RESTORED,  /* digest, system, by, why, statement */
	LEDGER_INCIDENT,  /* one begins: incident, system: where */
	LEDGER_QUIET,     /* it is over */
	LEDGER_DAMAGED,   /* the file before was; no statement signed until
			   * then counts */
	LEDGER_CLOCK,     /* what was later than this was a wrong clock's:
			   * by, why */
	LEDGER_KINDS,
};

struct ledger_record {
	enum ledger_kind kind;
	uint64_t at_ms; /* of the page's clock */
	uint64_t incident;
	uint8_t digest[MODEL_DIGEST_N];
	const char *system, *by, *why, *statement; /* NULL is as "" */
};

struct ledger;

enum ledger_state {
	LEDGER_BROKEN = 0, /* cannot be opened or is another's; *e */
	LEDGER_WRONG, /* a line is not what was written; *e. What was read up
		       * to there says too little */
	LEDGER_CUT,   /* the last write did not end: nobody was told of it */
	LEDGER_WHOLE,
};

/* Reads all of it, gives each() every record, and locks it; *out is for the
 * two last. head: a line's CHAIN that must be there; "": none. */
enum ledger_state ledger_open(const char *path, const char *head,
    void (*each)(void *owner, const struct ledger_record *r), void *owner,
    struct ledger **out, struct err *e) MUST_CHECK;
/* NULL does nothing. */
void ledger_close(struct ledger *l);
/* The last line's CHAIN; zeros: there is no line. */
const char *ledger_head(const struct ledger *l);
/* On the disk, or -1 and *e: it is as it was. */
int ledger_append(struct ledger *l, const struct ledger_record *r, size_t n,
    struct err *e) MUST_CHECK;
/* Puts a file that is LEDGER_WRONG aside, under a name that is said. 0, or -1
 * and *e. */
int ledger_put_aside(const char *path, char *aside_out, size_t n, struct err *e)
    MUST_CHECK;

/* The last good probe of each system, in PATH.probes, as they are now. What is
 * not understood there, and all behind it, are none. */
struct ledger_probe {
	uint8_t digest[MODEL_DIGEST_N];
	uint64_t at_ms;
};

void ledger_probes_read(const char *path,
    void (*each)(void *owner, const struct ledger_probe *p), void *owner);
int ledger_probes_write(const char *path, const struct ledger_probe *p,
    size_t n, struct err *e) MUST_CHECK;

/* The clock's file, PATH.clock. 0: there is none, or it cannot be read. The
 * head that was written with the time, or "". */
uint64_t ledger_clock_read(const char *path, char head_out[LEDGER_HEAD_N]);
int ledger_clock_write(const char *path, uint64_t now_ms, const char *head,
    struct err *e) MUST_CHECK;
