/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write: a PDF's objects, as they come, into the output; then the table of
 * where they are. Objects that are no streams may be packed together (object
 * streams, ISO 32000-2, 7.5.7), for readers of PDF 1.5.
 */
#pragma once

#include "filters/detox.h"

struct pdf_writer {
	struct detox *d;
	struct detox_output *out;
	bool packs;
	struct buf rows;   /* struct row, by number */
	uint32_t last;     /* the highest number given away */
	struct buf heads;  /* of the objects that wait to be packed */
	struct buf bodies; /* and they */
	unsigned waiting;
	uint32_t pack; /* the number of their stream */
};

/* version: "1.7". Writes the first line. */
enum detox_result pdf_writer_begin(struct pdf_writer *w, struct detox *d,
    struct detox_output *out, const char *version, bool packs) MUST_CHECK;
void pdf_writer_release(struct pdf_writer *w);
/* A number for an object that will be written, from 1 on; 0: no more. */
uint32_t pdf_writer_number(struct pdf_writer *w) MUST_CHECK;
enum detox_result pdf_writer_object(
    struct pdf_writer *w, uint32_t number, struct bytes value) MUST_CHECK;
/* dictionary: without Length and without its end (">>"). */
enum detox_result pdf_writer_stream(struct pdf_writer *w, uint32_t number,
    struct bytes dictionary, struct bytes data) MUST_CHECK;
/* The table, and the end. info 0: none. */
enum detox_result pdf_writer_end(
    struct pdf_writer *w, uint32_t root, uint32_t info) MUST_CHECK;
/* Appends data packed with Flate; false: no room. */
bool pdf_deflate(struct bytes data, struct buf *out);
