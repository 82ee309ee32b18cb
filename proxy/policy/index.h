/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index: which rules of many can match a request at all. Each value of an
 * attribute (zone, body, section, port, method, name, category) selects a set
 * of rules, one bit each; the rules that can match are what all sets have in
 * common, so that a request costs rules / 64 steps and not rules.
 */
#pragma once

#include "proxy/policy/rule.h"

struct index;

/* Of rules[0 … n), whose order the bits have. In the arena. */
struct index *index_new(const struct conditions *rules, size_t n,
    const struct zones *zones, struct arena *a);

#define INDEX_WORDS (RULES_MAX / 64)
/* The candidates into out, word by word; the rest of their conditions is for
 * rule_match. Gives how many words are filled. */
size_t index_candidates(
    const struct index *x, const struct judging *j, uint64_t out[INDEX_WORDS]);
