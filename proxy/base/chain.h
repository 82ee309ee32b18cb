/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: a file of lines that only grows, each of which names the one before.
 * A line is a JSON object that begins with "prev", the SHA-256 of the whole
 * line before it with its LF, in hexadecimal digits; of the first line zeros,
 * or what its writer gave. So a line cannot be changed, taken out or moved
 * without showing; that lines at the end are missing shows to who kept the hash
 * of a later one (the head).
 *
 * Several processes may write one file, each by a descriptor from an open() of
 * its own (the lock belongs to that), opened to read and to append. Nothing is
 * ever taken out: what a power cut tore at the end gets an end of line, and a
 * line behind it that says so and names the line before it,
 * {"prev":…,"event":"torn","bytes":N,"sha256":…}, both of the piece without its
 * end of line.
 */
#pragma once

#include <stdint.h>

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"

#define CHAIN_LINE_MAX ((size_t)65536) /* with its LF */
#define CHAIN_HEX_N 65                 /* of a hash, with its NUL */
#define CHAIN_LOCK_MS 1000             /* another writer is waited for */

struct chain;

/*
 * Takes over fd; name is kept for messages; first is what the first line of a
 * file that is empty names, NULL: zeros. What is torn at the end is marked,
 * durably. NULL and *e: locked too long, cannot be read, or its end is no
 * chain's.
 */
struct chain *chain_open(
    int fd, const char *name, const char *first, struct err *e) MUST_CHECK;
/* NULL does nothing. */
void chain_free(struct chain *c);
/*
 * members: what stands behind "prev", without braces. 0 and the hash of the new
 * line; it is durable after chain_sync. -1 and *e: no room, too long, locked
 * too long, or the file is shorter than it was; then nothing is written.
 */
int chain_append(struct chain *c, struct bytes members,
    char head_out[CHAIN_HEX_N], struct err *e) MUST_CHECK;
/* What was appended is on the disk. 0, or -1 and *e: it may not be. */
int chain_sync(struct chain *c, struct err *e) MUST_CHECK;
/* The hash of the last line that this writer knows of. */
const char *chain_head(const struct chain *c);

/* What a look at a whole file found; what is not well is 0 first. */
enum chain_verdict {
	CHAIN_BROKEN = 0, /* a line does not name the one before it */
	CHAIN_MALFORMED,  /* a line is none of a chain's, or too long */
	CHAIN_TORN,       /* what is at the end is no line, and not marked */
	CHAIN_HEADLESS,   /* no line has the hash that was asked for */
	CHAIN_HOLDS,
};

struct chain_report {
	enum chain_verdict verdict;
	uint64_t lines;          /* that were looked at */
	uint64_t line, offset;   /* the first that is not well, from 1; 0 */
	uint64_t torn;           /* lines that are marked as torn */
	char first[CHAIN_HEX_N]; /* what the first line names; "": none */
	char head[CHAIN_HEX_N];  /* the last line's hash */
	uint64_t head_line;      /* which has the hash asked for; 0: none */
};

/* head: a hash that some line must have; NULL: none. Looks at what is there
 * when it begins, while others go on writing. 0, or -1 and *e: it cannot be
 * read. */
int chain_verify(int fd, const char *head, struct chain_report *out,
    struct err *e) MUST_CHECK;
