/* SPDX-License-Identifier: Apache-2.0 */
/* report: what a child says of its job, as bytes, and how they are read. */
#pragma once

#include "proxy/detox/detox.h"

#define DETOX_EXTENSION_MAX 8

/* As it was read: bounded, its texts without control characters, its numbers
 * in range, else not believed. */
struct detox_report {
	enum detox_refusal refusal;        /* REFUSED_NOT: something came out */
	enum magic_type type;              /* of the object, by its content */
	const struct detox_format *format; /* NULL: none */
	char extension[DETOX_EXTENSION_MAX + 1]; /* "": the object's own */
	char disagrees[DETOX_WHERE_MAX]; /* "": name and content do not */
	char why[DETOX_WHERE_MAX];       /* of the refusal */
	char subject[DETOX_WHERE_MAX];   /* of a mail */
	struct detox_hints hints;
	uint64_t text_in, text_out;
	uint64_t unpacked;
	uint32_t entries;
	uint32_t locked; /* objects that need a password that was not given */
	uint32_t opened; /* that were opened with one */
	struct detox_row rows[DETOX_ROWS_MAX];
	size_t rows_n;
	uint32_t rows_left_out;
};

/* 0, or -1: the buf's limit. extension NULL: the object's own. */
int detox_report_pack(
    const struct detox *d, const char *extension, struct buf *out) MUST_CHECK;
/* Strict. 0, or -1: forged or cut. */
int detox_report_unpack(struct detox_report *r, struct bytes b) MUST_CHECK;
