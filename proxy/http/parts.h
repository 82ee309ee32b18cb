/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts: a form with files (multipart/form-data, RFC 7578), whole. It is read
 * strictly, so that no server can see other parts in it: what is not exactly
 * such a form is refused.
 */
#pragma once

#include "proxy/base/arena.h"
#include "proxy/base/buf.h"

#define PARTS_MAX 1024
#define PART_HEAD_MAX 8192

struct part {
	struct bytes head; /* its lines, the last one's end included */
	struct bytes content;
	struct bytes name;     /* of the file; or empty */
	struct bytes field;    /* of the form; or empty */
	struct bytes declared; /* Content-Type; or empty */
	/* To send instead. */
	const char *extension; /* NULL: as it was */
	const char *media;     /* the same */
};

struct parts {
	struct bytes boundary;
	struct part *p;
	size_t n;
};

/* Of a form's Content-Type; -1: not all servers would read it so. */
int parts_boundary(struct bytes type, struct bytes *out, const char **why_out)
    MUST_CHECK;
/* Texts point into body or the arena. 0, or -1 and *why_out, a static string.
 */
int parts_split(struct parts *out, struct bytes body, struct bytes boundary,
    struct arena *a, const char **why_out) MUST_CHECK;
/* What stands before a part's content; at parts.n what stands behind the last.
 * 0, or -1: out's limit. */
int parts_before(const struct parts *p, size_t n, struct buf *out) MUST_CHECK;
