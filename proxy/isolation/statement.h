/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement: the auditor's word, signed, that a system is separated: who
 * verified it, how, and for which time. A file of a few lines in this order and
 * no other form:
 *
 *	sekisho separation statement 1
 *	system: NAME
 *	digest: of all that is registered of it
 *	body: 990001
 *	verified-by: …
 *	how: …
 *	from: 2026-11-27T00:00:00+0900
 *	until: 2027-11-27T00:00:00+0900		its first second that is over
 *	signed: 2026-11-26T17:05:31+0900
 *	serial: 32 hexadecimal digits
 *	signature: Ed25519 of all lines above
 */
#pragma once

#include <time.h>

#include "proxy/base/buf.h"
#include "proxy/base/signature.h"
#include "proxy/isolation/model.h"

#define STATEMENT_SIZE_MAX ((size_t)4096)
#define STATEMENT_NAME_MAX 128 /* bytes of a system's name */
#define STATEMENT_WHO_MAX 256
#define STATEMENT_HOW_MAX 1024
#define STATEMENT_SERIAL_N 16
#define STATEMENT_DAYS_MAX (366 + 31) /* a year, and time to renew it */
#define STATEMENT_SUFFIX ".statement" /* of the files in the folder */

struct statement {
	const char *system_name;
	uint8_t digest[MODEL_DIGEST_N];
	const char *body; /* its code */
	const char *verified_by, *how;
	time_t from, until; /* the first second, and the one behind it */
	time_t signed_at;
	uint8_t serial[STATEMENT_SERIAL_N];
	uint8_t signature[SIGNATURE_N];
	size_t signed_n; /* bytes of the text that the signature is of */
};

/*
 * Whatever is not written as statement_write does is an error. Strings are
 * copied into a. 0, or -1 and *e with the line; the signature is not judged.
 */
int statement_parse(struct statement *s, struct bytes text, struct arena *a,
    struct err *e) MUST_CHECK;
/* Times and lengths that a statement may have: of who makes one, and of
 * statement_parse. 0, or -1 and *e. */
int statement_check(const struct statement *s, struct err *e) MUST_CHECK;
/* The lines that are signed; and the last one. 0, or -1: no room. */
int statement_write(const struct statement *s, struct buf *out) MUST_CHECK;
int statement_write_signature(const struct statement *s, struct buf *out)
    MUST_CHECK;

/* Whether one of the keys signed it. */
bool statement_holds(const struct statement *s, struct bytes text,
    EVP_PKEY *const *keys, size_t keys_n);

enum statement_use {
	STATEMENT_OTHER = 0, /* of another system, or of what it was before */
	STATEMENT_OLD,       /* not signed behind the last suspension */
	STATEMENT_FUTURE,    /* signed at a time that is not yet */
	STATEMENT_COUNTS,    /* whether or not its time is now */
};

/* suspended: when the system last was, in seconds; 0: never. */
enum statement_use statement_use_of(const struct statement *s,
    const struct system *system, time_t suspended, time_t now);
/* Of two that count, whether s does rather than t: the one signed last; of one
 * second the one that ends first. */
bool statement_is_newer(const struct statement *s, const struct statement *t);
/* "2026-11-27T00:00:00+0900" */
#define STATEMENT_TIME_N 32
char *statement_time(time_t t, char out[STATEMENT_TIME_N]);
