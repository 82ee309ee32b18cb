/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metafile: drawings of Windows ([MS-EMF], [MS-EMFPLUS], and [MS-WMF]), written
 * anew from the records that draw; one of [MS-WMF] gets the header that says
 * its size, which other programs than its writer may need.
 * Escapes to the printer's driver, comments but those of EMF+, colour profiles
 * named by file, the description and all behind the last record are left out.
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format metafile_format;
