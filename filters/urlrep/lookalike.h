/* SPDX-License-Identifier: Apache-2.0 */
/* lookalike: how a name looks to who reads it in a hurry. */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"

#define SKELETON_MAX 512

enum script {
	SCRIPT_LATIN = 1,
	SCRIPT_GREEK = 2,
	SCRIPT_CYRILLIC = 4,
	SCRIPT_JAPANESE = 8, /* kana and Chinese characters */
	SCRIPT_OTHER = 16,
};

/*
 * Writes what a host looks like: A-labels decoded, letters that look like small
 * Latin ones replaced by them, "rn" by "m", "vv" by "w", 0 by o, 1 and i by l.
 * Two names with one skeleton look alike. Returns its length; scripts_out: of
 * the one label that has most of them (may be NULL).
 */
size_t lookalike_skeleton(
    struct bytes host, char out[SKELETON_MAX], unsigned *scripts_out);
/* Whether a label in one foreign script is made of letters that look Latin. */
bool lookalike_is_disguised(struct bytes host);
/* Whether one byte inserted, left out, changed, or two exchanged make a b. */
bool lookalike_one_edit(struct bytes a, struct bytes b);
