/* SPDX-License-Identifier: Apache-2.0 */
/* utf8: a page's characters, in UTF-8, for gumbo. */
#pragma once

#include "filters/detox.h"
#include "filters/text/charset.h"

/* Finds its charset: the mark, what was declared, what it says itself, what is
 * likely. Controls are left out (and reported), and of XHTML empty elements
 * are closed as HTML needs it. *out is made here; the caller releases it. */
enum detox_result html_utf8(
    struct detox *d, const struct detox_object *o, struct buf *out) MUST_CHECK;
