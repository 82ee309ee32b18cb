/* SPDX-License-Identifier: Apache-2.0 */
/* urlset: lists of kind "patterns": compiled sets of URL patterns, each of
 * which makes a category. Inside the policy alone. */
#pragma once

#include "proxy/policy/rule.h"

struct urlset;

/* Puts one before *list. 0, or -1 and *e. */
int urlset_open(struct urlset **list, const char *path, unsigned category,
    struct arena *a, struct err *e) MUST_CHECK;
void urlsets_release(struct urlset *list);
/* The set of categories that they make. */
uint64_t urlsets_categories(const struct urlset *list);
/* Adds the categories of the query's URL, as far as they are among `asked`. */
void urlsets_look_up(struct urlset *list, uint64_t asked, struct judging *j);
