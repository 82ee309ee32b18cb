/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold: full-width ASCII (U+FF01-FF5E) in UTF-8 becomes ASCII, and "\u500b"
 * the character, as programs write it in JSON, which travels in anything.
 * Nothing else changes; output is never longer than input.
 */
#pragma once

#include "proxy/base/bytes.h"

#define FOLD_KEPT_MAX 5

/* A stream's: the first bytes of a sign that was cut. */
struct fold {
	uint8_t kept[FOLD_KEPT_MAX + 1];
	size_t kept_n;
};

/* Writes at most in.n bytes; how many. What is cut at the end stays as it is.
 */
size_t fold_width(struct bytes in, uint8_t *out);
/* The same over pieces: writes at most in.n + FOLD_KEPT_MAX bytes. */
size_t fold_push(struct fold *f, struct bytes in, uint8_t *out);
/* What was kept: at most FOLD_KEPT_MAX bytes. */
size_t fold_end(struct fold *f, uint8_t *out);
