/* SPDX-License-Identifier: Apache-2.0 */
/* container: what body.c and the readers of containers share. */
#pragma once

#include "filters/dlp/body.h"

#define SINK_MAX 512

/* Text on its way to the scan, in pieces that are worth a call. */
struct sink {
	struct dlp *scan;
	const char *why; /* what was odd first, or NULL */
	uint32_t unread;
	size_t n;
	uint8_t p[SINK_MAX];
};

void sink_flush(struct sink *s);
void sink_bytes(struct sink *s, struct bytes b);
/* As UTF-8; what is no sign becomes U+FFFD. */
void sink_sign(struct sink *s, uint32_t code);
void sink_odd(struct sink *s, const char *why);

static inline void
sink_byte(struct sink *s, uint8_t c)
{
	if (s->n == SINK_MAX)
		sink_flush(s);
	s->p[s->n++] = c;
}

/* So much text a container that is not made of parts holds at most. */
#define CONTAINER_HELD_MAX 1024

/* A reader: its state begins as zeroes and is wiped by who owns it. */
struct container_type {
	size_t state_size;
	void (*push)(void *state, struct sink *s, struct bytes in);
	void (*end)(void *state, struct sink *s);
	void (*release)(void *state); /* or NULL */
};

extern const struct container_type form_container, multipart_container,
    json_container, csv_container, html_container;

#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */
/* Before the first push. */
void multipart_set_boundary(void *state, struct bytes boundary);
