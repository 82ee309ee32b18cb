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
/* The category comes from the list file, of entries with that confidence at
 * least. */
void lists_take_from_file(
    struct lists *l, unsigned category, unsigned confidence);
/* The set of the category when an entry of that confidence makes it; all that
 * come from the file. */
uint64_t lists_from_file(
    const struct lists *l, struct bytes category, unsigned confidence);
uint64_t lists_from_file_all(const struct lists *l);
/* Call once after the last read: the table is built. */
void lists_seal(struct lists *l);
/* The set of categories of the destination, bit by bit. */
uint64_t lists_lookup(const struct lists *l, const struct url *u);
/* The set of categories that some path on that host has. */
uint64_t lists_url_categories(const struct lists *l, const struct url *u);
