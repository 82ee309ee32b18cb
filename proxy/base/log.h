/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: one event, one line of JSON, to the journal process. Values from
 * outside are escaped and cut here, never by the caller. A line begins with
 * time, id, process, level and event; id is the number that pages show.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "proxy/base/bytes.h"
#include "proxy/base/events.h"
#include "proxy/base/ring.h"

#define LOG_LINE_MAX 8192
#define LOG_VALUE_MAX 1024 /* bytes of one value as it came; more is cut */
#define LOG_ID_MAX 16      /* "XXXX-XXXX-XXXX" with its NUL */

struct log_line {
	size_t n;
	bool cut; /* a value did not fit */
	char text[LOG_LINE_MAX];
};

/*
 * Where this process's lines go: the ring, or stderr when it is NULL. process
 * is kept ("edge.0"); slot tells processes of one start apart in ids.
 */
void log_open(const char *process, unsigned slot, struct ring *ring);
/* A new event number, unique among processes and restarts. */
void log_id(char out[LOG_ID_MAX]);

/* A line from begin to end; id NULL takes a new one. */
void log_begin(struct log_line *l, enum log_event event, const char *id);
void log_value(struct log_line *l, struct bytes key, struct bytes value);
void log_digits(struct log_line *l, struct bytes key, uint64_t value);
void log_flag(struct log_line *l, const char *key, bool value);

/* Here, so that the compiler counts the keys' letters. */
static inline void
log_text(struct log_line *l, const char *key, struct bytes value)
{
	log_value(l, bytes_of(key), value);
}

static inline void
log_string(struct log_line *l, const char *key, const char *value)
{
	log_value(l, bytes_of(key), bytes_of(value));
}

static inline void
log_number(struct log_line *l, const char *key, uint64_t value)
{
	log_digits(l, bytes_of(key), value);
}

/* 0, or -1: dropped (and counted by the ring). */
int log_end(struct log_line *l);
/* A whole line with one member "text". */
void log_say(enum log_event event, const char *format, ...) PRINTF_LIKE(2, 3);

/* Appends value as a JSON string's inside; for other writers of JSON. At most
 * n bytes are written to out; the count, or -1 when it does not fit. */
ssize_t log_escape(char *out, size_t n, struct bytes value);
/* Prints the table of events as Markdown; language "ja" or "en". */
void log_manual(FILE *out, const char *language);
