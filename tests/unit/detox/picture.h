/* SPDX-License-Identifier: Apache-2.0 */
/* picture: the small pictures in tests/data, and ones with something in them
 * that has to go. */
#pragma once

#include "tests/unit/detox/drive.h"

/* tests/data/detox_NAME, "jpeg/exif". The caller releases it. */
void picture_load(struct buf *b, const char *name);
void picture_insert(struct buf *b, size_t at, struct bytes more);
bool picture_has(struct bytes b, const char *words);
/* How often they stand there. */
size_t picture_count(struct bytes b, struct bytes words);
/* That it was rebuilt; else its reason is printed. */
void picture_was_rebuilt(const struct drive_detox *t, const char *name);
/* That b is rebuilt to the same bytes as the picture of that name. */
void picture_comes_out_as(
    struct drive_detox *t, struct bytes b, const char *name);
