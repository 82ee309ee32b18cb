/* SPDX-License-Identifier: Apache-2.0 */
/* words: of what is kept, for administrators. */
#pragma once

#include "proxy/base/buf.h"

#define WORDS_DATE_MAX 32
const char *words_date(uint64_t seconds, char out[WORDS_DATE_MAX]);
/* What a terminal may be made to do by is left out: controls of ASCII, and
 * those of Latin-1 in UTF-8. 0, or -1: out's limit. */
int words_plain(struct buf *out, struct bytes b) MUST_CHECK;
