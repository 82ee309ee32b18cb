/* SPDX-License-Identifier: Apache-2.0 */
/* drive: one text through a container's reader into a scan. */
#pragma once

#include "filters/dlp/body.h"

/* In pieces of `step` bytes, the first of `first`; step 0: the rest at once.
 * What was odd, or NULL. */
const char *drive_dlp(const struct dlp_rules *r, enum dlp_container c,
    struct bytes text, size_t first, size_t step, struct dlp_report *out);
/* The defaults with a key. */
struct dlp_rules *drive_rules(void);
