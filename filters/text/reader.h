/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader: the text of a body that streams, in whatever charset: that is found,
 * and the text becomes UTF-8. What comes out does not depend on the pieces in
 * which the body came.
 */
#pragma once

#include "filters/text/convert.h"

#define READER_HEAD_MAX 4096 /* looked at to guess a charset */

/* Plain, so that it can be embedded; read by reader.c alone. */
struct reader {
	struct bytes declared;
	bool html, secret;
	enum charset charset; /* UNKNOWN: of what is held in head */
	struct convert convert;
	bool begun; /* something was read */
	size_t head_n;
	uint8_t head[READER_HEAD_MAX]; /* not read yet: of which charset? */
};

/*
 * declared: a charset's name, which must outlive it; empty: not declared. html:
 * tags may name one. text_prepare must have been called. secret: what was read
 * is wiped from the room that all readers of a process share.
 */
void reader_init(
    struct reader *r, struct bytes declared, bool html, bool secret);
/* Gives text to take, in UTF-8 and in pieces; last: none follows. */
void reader_push(struct reader *r, struct bytes in, bool last,
    void (*take)(void *owner, struct bytes text), void *owner);
