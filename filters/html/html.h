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
