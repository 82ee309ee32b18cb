/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree: HTML read into gumbo's tree, within bounds. gumbo bounds nothing itself
 * and takes time with the square of how deep elements are nested and of how
 * many attributes one has; so its memory comes from here, and each allocation
 * is where its work is judged.
 */
#pragma once

#include <gumbo.h>

#include "filters/detox.h"

#define TREE_DEPTH_MAX 512 /* as browsers, who flatten more */
#define TREE_ATTRIBUTES_MAX 256
#define TREE_NAME_MAX 256 /* bytes of an attribute's name */

struct tree {
	GumboOutput *output; /* NULL: not read */
	struct tree_chunk *chunks;
	struct tree_block *unused[64]; /* by size */
	uint8_t *next;
	size_t left;
	size_t size, size_max;
	GumboNode *newest; /* or what has a node's size */
	unsigned attributes;
	size_t before[2]; /* sizes of the allocations before this */
	void *end;        /* where to go when a bound is passed */
	enum detox_refusal refusal;
};

/* html: UTF-8, which outlives the tree. The caller releases the tree in any
 * case. */
enum detox_result tree_read(struct detox *d, struct tree *t, struct bytes html)
    MUST_CHECK;
void tree_release(struct tree *t);
