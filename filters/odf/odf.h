/* SPDX-License-Identifier: Apache-2.0 */
/*
 * odf: documents of OpenDocument (ISO/IEC 26300, OASIS 1.0 to 1.3): texts,
 * spreadsheets, presentations, drawings, charts, formulas and their templates.
 * Kept are the documents' own parts, walked by namespace and name, what they
 * embed of the same kind, and pictures that could be rebuilt. Macros, scripts,
 * OLE objects, references to the outside, data sources, signatures and
 * thumbnails are left out; the manifest says what was kept.
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format odf_format;
/* The same in one XML file: fodt, fods, fodp, fodg. */
extern const struct detox_format odf_flat_format;
