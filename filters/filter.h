/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter: the one streaming interface of what judges and rebuilds bodies. A
 * body goes through its filters in the order of their phases. None of them
 * knows where the bytes come from, or keeps more than its settings permit.
 */
#pragma once

#include "proxy/base/buf.h"

enum filter_phase {
	FILTER_DECODE,  /* takes codings off */
	FILTER_JUDGE,   /* looks, and passes nothing on */
	FILTER_REBUILD, /* makes other bytes of it */
};

enum filter_verdict {
	/* f->why says why; it takes nothing more. Of who judges: it was found.
	 */
	FILTER_REFUSE = 0,
	FILTER_GO,
	FILTER_MORE, /* out is full, and more is to come: push nothing again */
};

struct filter {
	const struct filter_type *type;
	const void *settings; /* of the type; borrowed, outlives the filter */
	const char *why;      /* a static string, or of the settings */
};

struct filter_type {
	const char *name;
	enum filter_phase phase;
	size_t state_size; /* of the struct that begins with struct filter */
	void (*begin)(struct filter *f); /* may be NULL: zeroes do */
	void (*end)(struct filter *f);   /* may be NULL: nothing to free */
	/*
	 * Takes all of in, appends to out what may travel on, may hold bytes
	 * back; last is true at the end of the body. FILTER_REFUSE drops this
	 * call's out; what earlier calls gave has left, so who must see the
	 * whole body holds it all. out is never filled past its limit: a
	 * filter that makes more of a piece keeps the rest of that piece and
	 * answers FILTER_MORE. Then it is pushed no bytes (and the same last)
	 * until it answers otherwise. Who judges has no out (NULL): who drives
	 * the body keeps it back until it is judged, and passes it on.
	 */
	enum filter_verdict (*push)(
	    struct filter *f, struct bytes in, bool last, struct buf *out);
};

/* The caller frees. Settings of the wrong type are a bug of the caller. */
struct filter *filter_new(const struct filter_type *type, const void *settings);
void filter_free(struct filter *f);
enum filter_verdict filter_push(
    struct filter *f, struct bytes in, bool last, struct buf *out) MUST_CHECK;
/* Keeps why; always FILTER_REFUSE. */
enum filter_verdict filter_refuse(struct filter *f, const char *why);
