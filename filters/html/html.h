/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html: a page, in any charset, read by gumbo (or, XHTML, after its empty
 * elements were closed) and written anew by allowlist, as HTML in UTF-8 that
 * XML's readers take too. It runs nothing, loads nothing from outside and sends
 * nothing. It is written, read and written until it stays the same, so that
 * what a browser makes of it is what was judged.
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format html_format;

/*
 * A page that a mail shows: as html_format does, but nothing stands beside it,
 * so that relative addresses go too; and behind a link whose words name
 * another host than it leads to, that one is written. Appends to out. The page
 * ends with "</body></html>"; '<' stands in tags alone.
 */
enum html_as {
	HTML_AS_TEXT,
	HTML_AS_PAGE,
};
enum detox_result html_of_mail(struct detox *d, const struct detox_object *o,
    enum html_as as, struct buf *out) MUST_CHECK;
