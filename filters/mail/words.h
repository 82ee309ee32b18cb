/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words: text in headers. Encoded words (RFC 2047) and bytes that are not
 * ASCII become UTF-8; what is hidden in it goes. Written anew it is ASCII.
 */
#pragma once

#include "filters/detox.h"
#include "filters/text/charset.h"

/* The charset of a text that is said to be in that one (UNKNOWN: in none): what
 * it cannot be in, and is in another that is common in Japan, it is in that. */
enum charset mail_charset_of(struct bytes text, enum charset said);
/* A text that is said to be in that charset, as UTF-8; of the job's arena. */
struct bytes mail_utf8(struct detox *d, enum charset said, struct bytes text);
/* The same by who believes what is said. */
struct bytes mail_utf8_as(struct detox *d, enum charset c, struct bytes text);
/* Of a field as it stands there: ISO-2022-JP or Shift_JIS, of whose characters
 * some byte may look like a quote, a comma or a backslash; else UNKNOWN. */
enum charset mail_field_charset(struct bytes text);
/* A field as UTF-8 when it is in one of these. Of the arena. */
struct bytes mail_field_utf8(struct detox *d, struct bytes text);
/* The charset of that label; UNKNOWN too when it says no more than ASCII,
 * which much that is not says. */
enum charset mail_charset(struct bytes label);
/* text: in one line. Words of one charset that stand side by side are one, as
 * a character may be cut between them. Of the job's arena. */
struct bytes mail_words_decode(struct detox *d, struct bytes text);
/* The same by who believes each word's charset. */
struct bytes mail_words_decode_as(struct detox *d, struct bytes text);
/* UTF-8 without controls, marks and what turns text around; blanks become one;
 * of the arena. */
struct bytes mail_clean_line(struct detox *d, struct bytes text);
/* Whether it may stand in a header as it is. */
bool mail_is_plain(struct bytes text);
/*
 * Appends UTF-8 to a header in which *column bytes of a line stand: as it is,
 * or as encoded words, folded. -1: over out's limit.
 */
int mail_put_words(struct buf *out, struct bytes text, size_t *column)
    MUST_CHECK;
