/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slip: what is known of files that are handed over together: from where to
 * where, by whom, and of each what was done to it. Packed as lines "key value",
 * in one order; what is not of this form is refused.
 */
#pragma once

#include "proxy/handover/handover.h"

struct slip_file {
	struct bytes name, media;
	struct bytes in_sha256, sha256; /* in hex */
	struct bytes removed;           /* "macro:1 link:2"; or empty */
	uint64_t in_bytes, bytes;
};

struct slip {
	struct bytes way, body;     /* name and code */
	struct bytes from, to;      /* zones */
	struct bytes giver;         /* whom they say they are; or "uid:1001" */
	struct bytes client;        /* address; "drop" */
	struct bytes note;          /* in one line */
	struct bytes token;         /* SHA-256 of it, in hex */
	struct bytes key;           /* tells what is given twice; or empty */
	struct bytes communication; /* by which; or empty */
	struct bytes profile;
	uint64_t given, until; /* seconds since 1970 */
	uint64_t approval;     /* 1: a second person must approve */
	struct slip_file *files;
	size_t files_n;
};

/* -1: over the limit, or a value that no line can hold. */
int slip_pack(const struct slip *s, struct buf *out) MUST_CHECK;
/* Strict; values point into in, the list lives in a. -1: not ours. */
int slip_unpack(struct slip *s, struct bytes in, struct arena *a) MUST_CHECK;
/* Bytes before the nth file in what they are one behind the other. */
uint64_t slip_offset(const struct slip *s, size_t nth);

/* A name that every system takes: valid UTF-8 without folders, controls, marks
 * that hide or turn what is read, and names of devices. In the arena; never
 * empty. */
#define SLIP_NAME_MAX 200
struct bytes slip_name(struct bytes name, struct arena *a);
/* In one line of UTF-8, cut at max bytes. */
struct bytes slip_text(struct bytes text, size_t max, struct arena *a);

/* What an edge asks the keeper for. */
enum slip_by {
	SLIP_BY_NUMBER,
	SLIP_BY_TOKEN,
};
struct slip_ask {
	struct bytes body, zone, client; /* code, name, address of who asks */
	enum slip_by by;
	struct bytes value; /* the number, or the token in hex */
	uint64_t nth;       /* file; of HANDOVER_TAKE */
	struct bytes name;  /* who approves or declines, by their own words */
};
int slip_ask_pack(const struct slip_ask *a, struct buf *out) MUST_CHECK;
int slip_ask_unpack(struct slip_ask *a, struct bytes in) MUST_CHECK;
/* "1234567890", "12345-67890", also full-width: the number as it is kept. 0 or
 * -1. */
int slip_number(struct bytes text, char out[HANDOVER_NUMBER_N + 1]) MUST_CHECK;
/* SHA-256 in hex. */
void slip_digest(struct bytes b, char out[65]);
