/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body: takes text out of what it travels in and gives it to a scan, with the
 * names of fields as labels and the borders of cells, fields and records. It
 * reads generously, as a server might, so that nothing is lost by an oddity;
 * that there was one is told, for a policy that wants bodies of one meaning.
 */
#pragma once

#include "filters/dlp/dlp.h"
#include "filters/text/reader.h"

enum dlp_container {
	DLP_PLAIN = 0, /* also what nothing is known of */
	DLP_FORM,      /* urlencoded: a query, a form */
	DLP_MULTIPART, /* multipart/form-data */
	DLP_JSON,
	DLP_CSV, /* also separated by tabs or semicolons */
	DLP_HTML,
	DLP_CONTAINERS,
};

/* By a Content-Type's media type (parameters are ignored). */
enum dlp_container dlp_container_of(struct bytes type);
/* The boundary parameter of a Content-Type: 1 to 70 bytes that live in it;
 * none: not given or not usable. */
struct bytes dlp_boundary_of(struct bytes type);

struct dlp_body;
/* So much text a body holds, before and within its containers, that has not
 * come to the scan. */
#define DLP_BODY_HELD_MAX (CONVERT_OUT_MAX(READER_HEAD_MAX) + 2048)
/* Of a scan that outlives it. boundary is copied; without one a multipart body
 * is read as plain text, and that is told. */
struct dlp_body *dlp_body_new(
    struct dlp *scan, enum dlp_container c, struct bytes boundary);
void dlp_body_push(struct dlp_body *b, struct bytes in);
/* The end of the body, not of the scan: another may follow. NULL, or what was
 * odd first (a static string). */
const char *dlp_body_end(struct dlp_body *b);
/* Parts (of multipart) that are files of other kinds than text: nobody looked
 * into them. */
uint32_t dlp_body_unread(const struct dlp_body *b);
/* Wipes what it held. */
void dlp_body_free(struct dlp_body *b);
