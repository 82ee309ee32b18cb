/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metafile: drawings of Windows ([MS-EMF], [MS-EMFPLUS], and [MS-WMF] with the
 * header that says their size), written anew from the records that draw.
 * Escapes to the printer's driver, comments but those of EMF+, colour profiles
 * named by file, the description and all behind the last record are left out.
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format metafile_format;

/* Whether it is a WMF without that header, as documents have it inside. */
bool metafile_is_bare(struct bytes b);
/* Appends it with that header, of the size that its records say. 0, or -1 at
 * the limit. */
int metafile_place(struct bytes b, struct buf *out) MUST_CHECK;
