/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists: files of domains and URLs, each of which makes a category. Entries
 * are compared exactly: a domain covers itself and its subdomains, a URL what
 * lies below its path on its own host; nothing is widened.
 */
#pragma once

#include "proxy/base/err.h"
#include "proxy/policy/url.h"

#define CATEGORIES_MAX 64

struct lists;

enum list_kind {
	LIST_DOMAINS,
	LIST_URLS,
	LIST_REPUTATION, /* in the file of URL lists */
	LIST_SCORE,      /* by what the name looks like */
	LIST_PATTERNS,   /* a compiled set, urlset.h */
	LIST_KINDS,
};

struct lists *lists_new(struct arena *a);
/* The number of a category, new or known; -1: more than CATEGORIES_MAX. */
int lists_category(struct lists *l, const char *name);
/* The number of a known one, or -1. */
int lists_find_category(const struct lists *l, struct bytes name);
const char *lists_category_name(const struct lists *l, unsigned category);
/* Reads a file into a category. 0, or -1 and *e ("file:line: …"). */
int lists_read(struct lists *l, const char *path, enum list_kind kind,
    unsigned category, struct err *e) MUST_CHECK;
/* The same from memory; name is for messages. */
int lists_read_text(struct lists *l, const char *name, struct bytes text,
    enum list_kind kind, unsigned category, struct err *e) MUST_CHECK;
/* The category is one that is looked up elsewhere, of LIST_REPUTATION with that
 * confidence at least, of LIST_SCORE with as many points. */
void lists_look_up(
    struct lists *l, enum list_kind kind, unsigned category, unsigned at_least);
/* The set of the category when an entry of that confidence makes it; the
 * categories that so many points make; all of a kind. */
uint64_t lists_with_confidence(
    const struct lists *l, struct bytes category, unsigned confidence);
uint64_t lists_with_score(const struct lists *l, unsigned points);
uint64_t lists_looked_up(const struct lists *l, enum list_kind kind);
/* Call once after the last read: the table is built. */
void lists_seal(struct lists *l);
/* The set of categories of the destination, bit by bit. */
uint64_t lists_lookup(const struct lists *l, const struct url *u);
/* The set of categories that some path on that host has. */
uint64_t lists_url_categories(const struct lists *l, const struct url *u);
