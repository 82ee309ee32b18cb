/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof: what may reach what is a table in code (the claim); everything that
 * the settings let through is cut into cells; each cell, in each pair of places
 * that it touches, must be what a row of the claim permits. No setting changes
 * the table.
 *
 *	reachable.c  reach_judge as ranges
 *	grants.c     the settings as boxes
 *	places.c     where addresses stand
 *	claim.c      the table, and which rows a grant may rely on
 *	proof.c      the walk over all cells
 *	verify.c     the same by another, slower method
 *	certificate.c  digests and the paper for the auditor
 */
#pragma once

#include "proxy/isolation/cells.h"
#include "proxy/policy/policy.h"
#include "proxy/proof/grants.h"
#include "proxy/proof/places.h"

/* A packet that passes and must not. */
struct violation {
	const struct cell *cell;
	const struct grant *grant; /* of the cell's, which no row permits */
	enum place from_place, to_place;
	struct address from, to; /* to with the port */
	const char *why_en, *why_ja;
};

#define VIOLATIONS_MAX 100 /* that are kept; all are counted */

struct proof {
	struct arena arena;
	struct grant_settings settings;
	struct grants grants;
	struct cells *cells;
	struct places places, reached; /* of sources, of destinations */
	/* How many cells have a part there. */
	size_t matrix[CARRIERS][PLACES][PLACES];
	struct violation violations[VIOLATIONS_MAX];
	size_t violations_n, violations_all;
};

/*
 * Whether the claim holds is violations_n == 0. 0, or -1 and *e: it cannot be
 * told, as there are too many cells. What the settings point to must outlive
 * it; proof_release in either case.
 */
int proof_make(const struct grant_settings *s, struct proof *out, struct err *e)
    MUST_CHECK;
void proof_release(struct proof *p);
/* "FILE:LINE: … lets … reach … : why not", and what else lets it. */
#define VIOLATION_TEXT_MAX 480
char *violation_text(
    const struct violation *v, bool japanese, char out[VIOLATION_TEXT_MAX]);

/*
 * The policy's judge is asked for each My Number segment, and for a source that
 * nobody knows, about requests of every kind: all must be blocked. 0, or -1 and
 * *e. NULL: no policy.
 */
int proof_ask_policy(
    const struct policy *p, const struct zones *z, struct err *e) MUST_CHECK;

/* claim.c */

/* Whether a grant of these settings may carry what stands in these places.
 * NULL: it may; else why not. */
const char *claim_refuses(const struct grant_settings *s, const struct grant *g,
    enum place from, enum place to, const char **why_ja_out);
/* The rows, for people; NULL behind the last. */
const char *claim_words(size_t row, bool japanese);

/*
 * verify.c: each corner of each grant, and the places beside it, must be in one
 * cell with just the grants that a scan over all of them finds, or in none; and
 * each cell's corners the same, judged by the claim again. *points_out: how
 * many were looked at. 0, or -1 and *e: cells and grants disagree.
 */
int proof_verify(const struct proof *p, size_t *points_out, struct err *e)
    MUST_CHECK;
