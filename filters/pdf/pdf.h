/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pdf: rebuilds a PDF (ISO 32000-2). libqpdf reads it, repairs it and undoes
 * its disguises (object streams, escaped names, old revisions, encryption
 * without a password); from the catalog on, what a table knows of each kind of
 * object is written into a new file, with new numbers. Nothing else reaches it:
 * no script, no action but to go to a place or to a link that may stay, no file
 * within, no sound or video, no XFA, no signature, no reference to another
 * file. The streams of pages, pictures and fonts are kept as they are packed.
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format pdf_format;
