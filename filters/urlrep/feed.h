/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed: lists as others write them, each kind read by a file of its own
 * (feed_KIND.c). Rows are taken as they are meant and never widened: a row with
 * a path is a URL, one that names more than a host or URL can say (a pattern,
 * an exception, a condition) is passed over. A bad row is left out and reported
 * by file and line; a file with many, or one that is cut short, is refused.
 */
#pragma once

#include "filters/urlrep/build.h"
#include "filters/urlrep/protect.h"
#include "proxy/base/buf.h"

#define FEED_SIZE_MAX ((size_t)1 << 30)
#define FEED_JSON_MAX ((size_t)128 << 20) /* its tree is ten times that */
#define FEED_LINE_MAX 8192
/* More bad rows than both are a broken file. */
#define FEED_BAD_MIN 3
#define FEED_BAD_PERCENT 5
#define FEED_TOLD_MAX 20 /* rows that are told of, of each sort and file */

enum feed_kind {
	FEED_NONE = 0,
	FEED_DOMAINS,
	FEED_URLS,
	FEED_HOSTS,
	FEED_ADBLOCK,
	FEED_RPZ,
	FEED_JPCERT,
	FEED_STIX,
	FEED_MISP,
};

/* How entries of a feed are taken; every entry leads back to them. */
struct feed_terms {
	const char *category;
	unsigned confidence;
	time_t lifetime; /* seconds since a row's own date, or the file's; 0: no
			    end */
	time_t now;
};

struct feed_counts {
	uint64_t taken, bad, passed, vetoed;
};

struct feed {
	/* Given. */
	struct feed_terms terms;
	struct build *build;
	const struct protect *protect; /* NULL: nothing is protected */
	struct buf *report;            /* what is told, line by line */
	/* Of the file that is being read. */
	const char *path;
	struct detail detail;
	struct feed_counts counts;
	bool full;
};

enum feed_kind feed_kind_of(struct bytes name); /* FEED_NONE: unknown */
const char *feed_kind_name(enum feed_kind k);

/*
 * Reads a file into the build's newest source; its rows without a date begin
 * their life at `date`. 0, or -1 and *e: refused; what was taken from it is
 * then for build_undo.
 */
int feed_read(struct feed *f, enum feed_kind kind, const char *path,
    struct err *e) MUST_CHECK;
int feed_read_text(struct feed *f, enum feed_kind kind, const char *path,
    struct bytes text, time_t date, struct err *e) MUST_CHECK;

/* For the readers. */

/* A host with its scope; d NULL: as the file's. */
void feed_host(struct feed *f, unsigned line, struct bytes host, unsigned scope,
    const struct detail *d);
/* A URL; with_subdomains: SCOPE_URL_SUBDOMAINS or 0. */
void feed_url(struct feed *f, unsigned line, struct bytes url,
    unsigned with_subdomains, const struct detail *d);
/* A row that is wrong; a row that is well but says what is not taken. */
void feed_bad(struct feed *f, unsigned line, const char *why);
void feed_pass(struct feed *f, unsigned line, const char *why);
/* The file's detail with an end that many seconds behind `date`. */
struct detail feed_dated(const struct feed *f, time_t date);
/* Each line of a text without its end; *e is filled when a line is no text. */
int feed_lines(struct feed *f, struct bytes text,
    void (*line)(struct feed *f, unsigned number, struct bytes line),
    struct err *e) MUST_CHECK;
/* The next word between blanks, which leaves *line; empty at the end. */
struct bytes feed_word(struct bytes *line);
/* Without what a "#" at its beginning or behind a blank begins. */
struct bytes feed_without_comment(struct bytes line);
/* "2026-11-24T09:00:00.123Z" or with an offset. 0 or -1. */
int feed_time(const char *text, time_t *out) MUST_CHECK;

int feed_domains(struct feed *f, struct bytes text, struct err *e) MUST_CHECK;
int feed_urls(struct feed *f, struct bytes text, struct err *e) MUST_CHECK;
int feed_hosts(struct feed *f, struct bytes text, struct err *e) MUST_CHECK;
int feed_adblock(struct feed *f, struct bytes text, struct err *e) MUST_CHECK;
int feed_rpz(struct feed *f, struct bytes text, struct err *e) MUST_CHECK;
int feed_jpcert(struct feed *f, struct bytes text, struct err *e) MUST_CHECK;
int feed_stix(struct feed *f, struct bytes text, struct err *e) MUST_CHECK;
int feed_misp(struct feed *f, struct bytes text, struct err *e) MUST_CHECK;
