/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert: a text in any charset, as it streams, to UTF-8 without a mark. What
 * is no character becomes U+FFFD, as browsers have it. Characters that the
 * Japanese charsets' tables disagree about become one: U+FF5E and U+301C,
 * U+FF0D and U+2212, U+2225 and U+2016, U+2015 and U+2014, and ¢ £ ¬; unless
 * the text is to be written again, and `exact` is set.
 */
#pragma once

#include "filters/text/charset.h"
#include "proxy/base/buf.h"

/* What n bytes can become, with what was held back. */
#define CONVERT_OUT_MAX(n) (((n) + 4) * 3 + 4)

enum jis_set {
	JIS_ASCII,
	JIS_ROMAN,
	JIS_KANA,
	JIS_0208,
	JIS_0212,
};

/* Plain, so that it can be embedded; read by convert.c alone. */
struct convert {
	enum charset charset;
	bool exact; /* no character becomes another; set behind convert_init */
	bool begun; /* a mark can be no more */
	bool high;  /* UTF-16: half a pair is held */
	enum jis_set jis;
	uint8_t held[4];
	size_t held_n;
	uint32_t surrogate;
	struct buf *out;
};

void convert_init(struct convert *v, enum charset c);
/* Appends to out, which must have CONVERT_OUT_MAX(b.n) left. last: what is held
 * back counts as it is. */
void convert_push(
    struct convert *v, struct bytes b, bool last, struct buf *out);
