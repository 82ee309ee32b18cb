/* SPDX-License-Identifier: Apache-2.0 */
/* set_inside: what the files of a set and those that run it share. */
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8

#include <hs/hs.h>
#include <pcre2.h>

#include "filters/text/set.h"

/* As it stands in the file. Offsets are from the file's beginning. */
struct set_record {
	int32_t weight;
	uint32_t flags;
	uint32_t span; /* bytes that a match and its assertions can cover */
	uint32_t name_at;
	uint32_t text_at;
	uint32_t text_n;
};

/* A literal, without which one of count patterns cannot match. */
struct set_literal {
	uint32_t first; /* in set.wanted */
	uint32_t count;
};

struct set {
	struct bytes file;
	bool mapped;
	const struct set_record *records;
	size_t records_n;
	pcre2_code **codes; /* of each record */
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	hs_database_t
	    *db; /* texts: the patterns; URLs: those without literal */
	hs_scratch_t *scratch; /* for all databases; one scan at a time */
	uint32_t span_max;
	/* URLs alone: */
	hs_database_t *literals_db;
	const struct set_literal *literals;
	const uint32_t *wanted; /* patterns, by literal */
	const uint32_t *always; /* patterns that nothing finds */
	size_t literals_n, wanted_n, always_n;
	uint64_t *tried; /* patterns, a bit each, of one URL */
};

/* The meaning of a pattern; NULL and *e. */
pcre2_code *set_pcre2(enum set_kind kind, struct bytes text, unsigned flags,
    enum set_code code, struct err *e);

enum set_answer {
	SET_TOO_MUCH = 0, /* the pattern takes too many steps on it */
	SET_YES,
	SET_NO,
};

/* Whether record i matches in text at a start of [first, last]. */
enum set_answer set_confirm(
    struct set *s, size_t i, struct bytes text, size_t first, size_t last);
