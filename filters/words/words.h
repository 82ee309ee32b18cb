/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words: the text of a document of Office or OpenDocument, and nothing else of
 * it: a line for each paragraph, cells of a sheet's row parted by TAB.
 */
#pragma once

#include "filters/detox.h"

/* In place of the package that was rebuilt, its text, as UTF-8 with the
 * extension "txt". DETOX_REFUSED: it has no part that is known to hold text. */
enum detox_result words_of_package(struct detox *d, struct detox_output *out)
    MUST_CHECK;
