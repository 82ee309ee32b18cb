/* SPDX-License-Identifier: Apache-2.0 */
/*
 * documents: municipal text by the thousand, with numbers of persons and
 * without. Everything comes from a seed. Individual numbers are made when they
 * are needed, by the check digit, and all begin with 99; none is kept anywhere.
 */
#pragma once

#include "filters/dlp/body.h"
#include "proxy/base/buf.h"

struct documents {
	uint64_t state; /* never 0 */
};

struct document {
	const char *sort; /* which template: for the table of results */
	enum dlp_container container;
	struct bytes boundary;
	enum dlp_kind kind; /* what is in it … */
	uint32_t distinct;  /* … so often; 0: nothing */
	struct buf text;
};

uint64_t documents_random(struct documents *d, uint64_t below);
/* A valid individual number in twelve ASCII digits and a NUL. */
void documents_individual(struct documents *d, char out[13]);

/* The caller releases text. The sorts take turns. */
void documents_positive(struct documents *d, uint32_t nth, struct document *o);
void documents_negative(struct documents *d, uint32_t nth, struct document *o);
/* What no context can tell apart: a run of twelve digits of something else,
 * without a label, in a text about individual numbers. */
void documents_hard(struct documents *d, struct document *o);
extern const uint32_t documents_positive_sorts, documents_negative_sorts;
