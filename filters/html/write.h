/* SPDX-License-Identifier: Apache-2.0 */
/* write: a tree of HTML as a page, or as plain text. */
#pragma once

#include <gumbo.h>

#include "filters/detox.h"

struct html_writer {
	struct detox *d;
	struct buf *out;
	bool again;                 /* it was written here and is read again */
	bool mail;                  /* it is shown by a mail */
	bool text;                  /* it becomes plain text */
	bool refused;               /* *d says why */
	bool opened;                /* <pre> or <textarea>, just now */
	uint64_t text_in, text_out; /* characters */
};

/* Its document, with all declarations. */
enum detox_result html_write(struct html_writer *w, const GumboOutput *tree)
    MUST_CHECK;
/* What is to be read of it, lines for blocks. */
enum detox_result html_write_text(
    struct html_writer *w, const GumboOutput *tree) MUST_CHECK;

/* For foreign.c. */

void html_put(struct html_writer *w, struct bytes b);
/* Text, or (quoted) the value of an attribute, so that it is one everywhere. */
void html_put_text(struct html_writer *w, struct bytes text);
void html_put_value(struct html_writer *w, struct bytes value);
/* All text within the node that is to be read, and no element. */
void html_put_words(struct html_writer *w, const GumboNode *n);
void html_removed(
    struct html_writer *w, enum detox_removal what, struct bytes element);
/* The element's name as it was written, in small letters for HTML; room is of
 * HTML_NAME_MAX. */
#define HTML_NAME_MAX ((size_t)32)
struct bytes html_name(const GumboNode *n, uint8_t room[HTML_NAME_MAX]);
static inline bool
html_is_element(const GumboNode *n)
{
	return n->type == GUMBO_NODE_ELEMENT || n->type == GUMBO_NODE_TEMPLATE;
}
/* host.c: behind an <a> whose words name another host than its address, that
 * host. */
void html_put_host(struct html_writer *w, const GumboNode *a);
/* SVG or MathML within HTML. */
void html_put_foreign(struct html_writer *w, const GumboNode *n);
