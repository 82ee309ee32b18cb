/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: makes a list file (format.h) out of entries in any order. Entries that
 * overlap or repeat are welcome: of those that say the same of the same key
 * from the same source the one that is valid longest stays.
 */
#pragma once

#include "filters/urlrep/urlrep.h"
#include "proxy/base/buf.h"

#define BUILD_KEY_MAX 4096
/* Of one key: no look-up tells more. */
#define BUILD_SAME_MAX 64

/* What is known of an entry beyond its key and line. */
struct detail {
	uint32_t category; /* build_string */
	uint8_t confidence;
	enum tlp tlp;
	time_t from, until; /* 0: no bound; outside 1970 to 2106: cut to it */
};

struct build_source {
	const char *name, *kind, *category;
	unsigned confidence;
	time_t read;
};

enum build_added {
	BUILD_FULL = 0, /* rows or bytes are over what a file can hold */
	BUILD_TOO_LONG, /* the key is, or it has no host */
	BUILD_ADDED,
};

struct build *build_new(uint64_t seed);
void build_free(struct build *b);

/* A string's number: equal ones have the same. */
uint32_t build_string(struct build *b, const char *string);
unsigned build_source(struct build *b, const struct build_source *s);
/*
 * Begins a file of the newest source, whose entries have that detail if they
 * bring none; returns its number. Its rows are counted from 1 by build_add;
 * is_object says that they are no lines.
 */
unsigned build_file(
    struct build *b, const char *path, const struct detail *d, bool is_object);
/* A file whose rows are known: entries may be added to it after other files
 * were begun, once build_select has chosen it. */
void build_rows(struct build *b, unsigned rows);
void build_select(struct build *b, unsigned file);

/* The URL or, when its path is empty, its host; scope as in urlrep.h. */
enum build_added build_add(struct build *b, const struct canon *c,
    unsigned scope, unsigned line, const struct detail *d) MUST_CHECK;
/* The same of a key that another list file had. */
enum build_added build_add_key(struct build *b, struct bytes key,
    unsigned scope, unsigned line, const struct detail *d) MUST_CHECK;

/* How many entries the newest source has by now. */
uint64_t build_entries(const struct build *b);
/* Takes the newest source's entries back, and its files: it is filled anew. */
void build_undo(struct build *b);

/* When the newest source's entries were taken in, if that was before. */
void build_source_read(struct build *b, time_t read);

struct build_counts {
	uint64_t keys, entries;
	uint64_t repeated; /* not kept: said already */
	uint64_t dropped;  /* not kept: over BUILD_SAME_MAX */
};

/* Appends the file to `out`. 0, or -1 and *e: over the limit of `out`. */
int build_write(struct build *b, time_t now, struct buf *out,
    struct build_counts *counts_out, struct err *e) MUST_CHECK;
