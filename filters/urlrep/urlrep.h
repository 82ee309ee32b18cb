/* SPDX-License-Identifier: Apache-2.0 */
/*
 * urlrep: what the lists know of a host or URL. One read-only file (format.h)
 * that build.h makes and all processes map. Keys are compared whole, over every
 * suffix of the host and every directory of the path; each entry leads to the
 * line that it came from.
 *
 * Who checks a file does it once: urlrep_seal copies it into sealed memory,
 * checks all of it and gives a descriptor that may be handed on; who gets it
 * maps memory that nobody can cut short or change any more. Look-ups still
 * judge every length that they read.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "filters/urlrep/canon.h"
#include "proxy/base/err.h"

#define URLREP_SIZE_MAX ((size_t)4 << 30)
/* Places in a path where an entry may end: no look-up tries more. */
#define URLREP_CUTS_MAX 128

/* TLP 2.0: who may be told of an entry. */
enum tlp {
	TLP_NONE = 0, /* nothing was said */
	TLP_CLEAR,
	TLP_GREEN,
	TLP_AMBER,
	TLP_AMBER_STRICT,
	TLP_RED,
};

/* What an entry covers; of a host and of a URL. */
enum {
	SCOPE_SELF = 1,  /* the host itself */
	SCOPE_BELOW = 2, /* its subdomains; what lies below the path */
	SCOPE_DOMAIN = SCOPE_SELF | SCOPE_BELOW,
	/* Of a URL: on subdomains of its host too. */
	SCOPE_URL_SUBDOMAINS = 1,
};

enum urlrep_state {
	URLREP_EXPIRED = 0,
	URLREP_NOT_YET,
	URLREP_VALID,
};

struct urlrep_match {
	struct bytes key; /* as it is listed, in canonical form */
	const char *category, *source, *kind, *file;
	size_t file_n; /* its number: urlrep_file */
	unsigned line; /* or the number of the object */
	bool is_object;
	bool is_url;
	bool loose; /* found in the generous reading of the path */
	unsigned scope;
	unsigned confidence; /* 0 to 100 */
	enum tlp tlp;
	time_t from, until; /* 0: no bound */
	enum urlrep_state state;
};

struct urlrep_query {
	const struct canon *url;
	time_t now;
	bool all; /* what has expired or is not valid yet, too */
};

struct urlrep_source {
	const char *name, *kind, *category;
	unsigned confidence;
	time_t read;
	uint64_t entries;
};

struct urlrep_file {
	const char *path;
	size_t source;
	unsigned rows;
	bool is_object;
};

struct urlrep_about {
	time_t made;
	uint64_t keys, entries;
	size_t size, sources, files;
	uint8_t digest[32];
};

const char *tlp_name(enum tlp t); /* "" for TLP_NONE */

/*
 * A sealed copy of the file, all of it checked: a descriptor that the caller
 * closes, or -1 and *e (the file is broken, truncated or of another version).
 */
int urlrep_seal(const char *path, struct err *e) MUST_CHECK;
int urlrep_seal_bytes(struct bytes file, const char *name, struct err *e)
    MUST_CHECK;

/* Maps what urlrep_seal gave; the descriptor may be closed. NULL and *e: it is
 * not sealed, or no list file. Holds one reference. */
struct urlrep *urlrep_map(int fd, struct err *e) MUST_CHECK;
struct urlrep *urlrep_hold(struct urlrep *r);
/* Whether another reference than one is held. */
bool urlrep_is_shared(const struct urlrep *r);
/* Gives a reference back; with the last one the memory goes. NULL is fine. */
void urlrep_drop(struct urlrep *r);

/*
 * The pages of a fresh map come with the first look-ups, and a large one is
 * not given back at once: both would stall who serves. These do it bit by bit,
 * at most `bytes` at a time. True: there is nothing left to do.
 */
bool urlrep_warm(struct urlrep *r, size_t bytes) MUST_CHECK;
/* For the last reference, whose memory it gives back; then urlrep_drop. */
bool urlrep_cool(struct urlrep *r, size_t bytes) MUST_CHECK;

/*
 * Calls `found` for each entry that covers the URL. Returns how many, or -1:
 * the file is damaged, and who judges refuses.
 */
int urlrep_find(const struct urlrep *r, const struct urlrep_query *q,
    void (*found)(const struct urlrep_match *m, void *context), void *context)
    MUST_CHECK;
/* Whether entries of some path of that host are there. */
bool urlrep_has_urls(const struct urlrep *r, const struct canon *url);

void urlrep_about(const struct urlrep *r, struct urlrep_about *out);
void urlrep_source(const struct urlrep *r, size_t i, struct urlrep_source *out);
void urlrep_file(const struct urlrep *r, size_t i, struct urlrep_file *out);
/* Every entry; 0, or -1 when the file is damaged. */
int urlrep_each(const struct urlrep *r,
    void (*found)(const struct urlrep_match *m, void *context), void *context)
    MUST_CHECK;
