/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page: HTML that loads nothing and runs nothing. Text from outside is escaped
 * here; what is not UTF-8, or controls the terminal or the direction of
 * writing, becomes U+FFFD.
 */
#pragma once

#include "proxy/base/buf.h"

#define PAGE_TEXT_MAX 1024 /* bytes of one text; more is cut */

enum page_tone {
	PAGE_REFUSED = 0, /* somebody decided so */
	PAGE_TROUBLE,     /* something did not work */
	PAGE_PLAIN,
};

/* All return 0, or -1 at out's limit. */
int page_begin(struct buf *out, const char *language, enum page_tone tone,
    const char *title, struct bytes owner) MUST_CHECK;
int page_end(struct buf *out, struct bytes footer) MUST_CHECK;
int page_text(struct buf *out, struct bytes text) MUST_CHECK;
int page_paragraph(struct buf *out, struct bytes text) MUST_CHECK;
/* The rows of a table of names and values, between a begin and an end. */
/* A paragraph that is a link; to a path of the same host. */
int page_link(struct buf *out, struct bytes to, const char *words) MUST_CHECK;
int page_rows_begin(struct buf *out) MUST_CHECK;
int page_row(struct buf *out, const char *name, struct bytes value) MUST_CHECK;
int page_rows_end(struct buf *out) MUST_CHECK;
/* A form that is posted to a path of the same host, between a begin and an end:
 * a text that must be given, values that nobody sees. */
int page_form_begin(struct buf *out, const char *action) MUST_CHECK;
int page_form_text(struct buf *out, const char *name, const char *label)
    MUST_CHECK;
/* A password, which is not shown and not remembered. */
int page_form_secret(struct buf *out, const char *name, const char *label)
    MUST_CHECK;
int page_form_hidden(struct buf *out, const char *name, struct bytes value)
    MUST_CHECK;
int page_form_end(struct buf *out, const char *button) MUST_CHECK;
