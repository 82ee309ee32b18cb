/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resident: people in bulk. A record that has a date, an address and a name is
 * one person; dates of birth are known by their label, or by lying far apart.
 * It looks where a date is, at the record around it alone.
 */
#pragma once

#include "filters/dlp/chain.h"
#include "filters/dlp/context.h"
#include "filters/dlp/table.h"

#define RESIDENT_REACH 768 /* bytes of a record on either side of its date */

struct resident {
	uint64_t judged; /* records up to here */
	uint32_t labelled, bare;
	uint32_t year_min, year_max; /* of the bare; 0: none yet */
};

/* What the scan knows where the date is. */
struct resident_view {
	struct bytes text;
	uint64_t base;
	const struct context *context;
	const struct table *table; /* walked up to the date */
};

void resident_look(
    struct resident *r, const struct chain *c, const struct resident_view *v);
/* How many people. */
uint32_t resident_count(const struct resident *r);
