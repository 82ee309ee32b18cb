/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool_record: one record of the spool's files, as bytes; no I/O.
 *
 *	head (RECORD_HEAD) | about | note | content | zeros up to 8 bytes
 *
 * Each file has a key of its own, random, which is in its name and nowhere in
 * what a peer sends. A record begins with the key, and its sums (SipHash-1-3)
 * are made with the key and with where it stands. So what a mail says is never
 * taken for a record when one before it is damaged, nor is a record that was
 * left on the disk by an older file or at another place.
 */
#pragma once

#include "proxy/smtp/spool.h"

#define RECORD_HEAD 80
#define RECORD_CONTENT_MAX ((uint64_t)1 << 40)

enum record_type {
	RECORD_NONE = 0,
	RECORD_ADD,  /* a mail; with the note it has when it is moved */
	RECORD_NOTE, /* its new note */
	RECORD_END,  /* it is ended, in this file */
};

struct record {
	enum record_type type;
	char id[SPOOL_ID_MAX];
	uint32_t moved;   /* how many files the mail was in before */
	uint32_t about_n; /* at most SPOOL_TEXT_MAX, as note_n */
	uint32_t note_n;
	uint64_t content_n;
	uint64_t content_sum;
	/* All of the file before this byte was on the disk when this record
	 * was written: spool_file.h says what follows from it. */
	uint64_t durable;
};

/* Where a record stands: in which file, at which byte. */
struct record_place {
	uint64_t key; /* never 0 */
	uint64_t at;  /* a multiple of 8 */
};

/* A sum over pieces; the state is a plain value. */
struct sum {
	uint64_t v[4];
	uint64_t n; /* bytes so far */
	uint64_t rest;
};
void sum_init(struct sum *s, uint64_t key, uint64_t tweak);
void sum_add(struct sum *s, struct bytes b);
uint64_t sum_end(struct sum *s);

/* For the content of the record at that place. */
void record_content_sum(struct sum *s, struct record_place p);
/* Bytes of the whole record, and of what comes before its content. */
uint64_t record_size(const struct record *r);
size_t record_front(const struct record *r);
/* about and note have the counts that r says. */
void record_encode(uint8_t out[RECORD_HEAD], const struct record *r,
    struct record_place p, struct bytes about, struct bytes note);
/* Whether a record may begin with these. */
bool record_begins(const uint8_t word[8], struct record_place p) MUST_CHECK;
/* Whether the bytes could be a record's head: *out is to be believed once
 * record_holds says so, but its counts are within their limits. */
bool record_decode(struct record *out, const uint8_t head[RECORD_HEAD],
    struct record_place p) MUST_CHECK;
/* front: all before the content. Whether it is whole, as it was written. */
bool record_holds(struct bytes front, struct record_place p) MUST_CHECK;
