/* SPDX-License-Identifier: Apache-2.0 */
/*
 * css: style sheets rebuilt by allowlist, token by token
 * (https://www.w3.org/TR/css-syntax-3/). What comes out has no '<' and no '&',
 * so that it is the same to a reader of HTML and of XML; it loads nothing, and
 * rebuilding it again changes nothing.
 */
#pragma once

#include "filters/detox.h"
#include "filters/html/address.h"

/* Each appends to out; DETOX_REFUSED at its limit. What was left out is
 * reported at a->where. */

/* What a <style> or a file of CSS holds. */
enum detox_result css_sheet(
    const struct address *a, struct bytes in, struct buf *out) MUST_CHECK;
/* Declarations: what an attribute `style` holds. Nothing comes out when none
 * stays. */
enum detox_result css_style(
    const struct address *a, struct bytes in, struct buf *out) MUST_CHECK;
/* The value of one property, as attributes of SVG have it; nothing when it does
 * not stay. */
enum detox_result css_value(
    const struct address *a, struct bytes in, struct buf *out) MUST_CHECK;
