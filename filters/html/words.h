/* SPDX-License-Identifier: Apache-2.0 */
/* words: lists of small words, with a blank on either side of each. */
#pragma once

#include "proxy/base/bytes.h"

#define WORDS_MAX ((size_t)64) /* bytes; longer ones are in no list */

/* Whether the word, in any case, is one of them. */
bool words_have(const char *list, struct bytes word);
