/* SPDX-License-Identifier: Apache-2.0 */
/* utf8: characters written and checked as RFC 3629 says. */
#pragma once

#include "proxy/base/bytes.h"

#define UTF8_MAX 4
#define UTF8_BAD 0xfffdu /* stands for what is no character */

bool utf8_is_valid(struct bytes b);
/* A scalar value; how many bytes were written. */
size_t utf8_write(uint8_t out[UTF8_MAX], uint32_t c);
/* The first character of what is valid UTF-8 and not empty, which leaves *b. */
uint32_t utf8_take(struct bytes *b);
/* One of the characters that the tables of Japanese charsets disagree about,
 * for all; others as they are. */
uint32_t utf8_fold(uint32_t c);
/* Valid UTF-8, each character folded, in place: it does not grow. */
void utf8_fold_text(char *text);
/* Without blanks beyond ASCII at both ends, which spreadsheets take for blanks
 * around a name. */
struct bytes utf8_trim(struct bytes b);
