/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair: a new end for a file whose tables libqpdf cannot find. It repairs
 * much by itself, but neither a lost trailer nor a lost place of a packed table
 * (7.5.8); readers do.
 */
#pragma once

#include "proxy/base/buf.h"

enum pdf_repair {
	PDF_REPAIR_TABLE = 0, /* say where the last packed table is */
	PDF_REPAIR_TRAILER,   /* say where the catalog is, in no old trailer */
	PDF_REPAIRS,
};

/* Appends the file and its new end; false: there is nothing to say. */
bool pdf_repair(enum pdf_repair how, struct bytes file, struct buf *out);
