/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay: what a journal's decisions would be by another policy, before it is
 * in force.
 */
#pragma once

#include <stdio.h>

#include "proxy/policy/policy.h"

struct replay_result {
	size_t decisions; /* lines with a verdict */
	size_t changed;
	size_t unread; /* lines that are none, or name nobody we know */
};

/*
 * Reads the journal's lines (JSON) and prints the decisions that differ by p,
 * those that change alike together, the most frequent first, each with its
 * first line. Paths are there, queries are not. 0, or -1 and *e when the
 * journal cannot be read.
 */
int replay_run(const struct policy *p, const struct zones *z, const char *path,
    FILE *out, struct replay_result *result_out, struct err *e) MUST_CHECK;
