/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain: texts, tables (CSV, TSV) and calendars (iCalendar, vCard), each in
 * the charset that it came in; a clean one comes out as it was, byte for byte.
 *
 * Of all: control characters but TAB, LF, FF and CR, terminals' escape
 * sequences, controls that turn the direction of text (U+202A-E, U+2066-9) and
 * byte order marks that are not at the beginning go; so do bytes that are no
 * character of the charset. ISO 2022-JP's escapes stay.
 *
 * Of tables: a cell that a spreadsheet would take for a formula gets a ' before
 * it, and so does "ID;" at the beginning of the file (SYLK). A formula begins
 * with =, @, + or -, of half or full width, behind any quotes and blanks; TAB
 * or CR at the beginning of a cell count too. Behind + and - no formula is
 *  - what is made of digits, blanks, . , : / ( ) % # ~ + - and exponents:
 *    numbers, dates, telephone numbers, or nothing at all;
 *  - the same with characters beyond ASCII that are not letters or operators
 *    of full width: "-（ハイフン）", "- 東京都".
 * Because a reader of another charset or separator may see other cells, what
 * follows any comma, semicolon, TAB, line end or quote gets a ' as well when it
 * begins so and calls a function or a program: has ( or | in it.
 *
 * What is not known is taken too, when its name is that of a text and it has
 * few control characters. Refused is text by the name of what a program obeys:
 * of a page, a mail, a query (html, eml, iqy); formats of their own stand
 * before this one and take those that they know.
 *
 * Of calendars: components and properties by allowlist (calendar.c). Pictures
 * in vCards are rebuilt; a calendar in UTF-16 becomes UTF-8.
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format plain_format;
