/* SPDX-License-Identifier: Apache-2.0 */
/* formats: all that detox can rebuild. The first row that takes an object has
 * it. */
#include "filters/detox.h"
#include "filters/image/image.h"

#include "filters/archive/archive.h"

const struct detox_format *const detox_formats[] = {
	&jpeg_format,
	&png_format,
	&gif_format,
	&webp_format,
	&bmp_format,
	&tiff_format,
#include "filters/pdf/pdf.h"

const struct detox_format *const detox_formats[] = {
	&pdf_format,
#include "filters/html/html.h"
#include "filters/xmlfile/xmlfile.h"

const struct detox_format *const detox_formats[] = {
	&svg_format,
	&html_format,
	&xml_format,
	&archives_format,
#include "filters/plain/plain.h"

const struct detox_format *const detox_formats[] = {
	&plain_format,
	NULL,
};
