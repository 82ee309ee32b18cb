/* SPDX-License-Identifier: Apache-2.0 */
/* formats: all that detox can rebuild. The first row that takes an object has
 * it. */
#include "filters/archive/archive.h"
#include "filters/detox.h"
#include "filters/html/html.h"
#include "filters/image/image.h"
#include "filters/mail/mail.h"
#include "filters/mail/tnef.h"
#include "filters/metafile/metafile.h"
#include "filters/odf/odf.h"
#include "filters/ole/biff.h"
#include "filters/ole/ole.h"
#include "filters/ooxml/ooxml.h"
#include "filters/pdf/pdf.h"
#include "filters/plain/plain.h"
#include "filters/rtf/rtf.h"
#include "filters/xmlfile/xmlfile.h"

const struct detox_format *const detox_formats[] = {
	&pdf_format,
	&ooxml_format,
	&archives_format,
	&odf_format,
	&odf_flat_format,
	&ole_format,
	&biff_format,
	&mail_format,
	&tnef_format,
	&jpeg_format,
	&png_format,
	&gif_format,
	&webp_format,
	&bmp_format,
	&tiff_format,
	&icon_format,
	&metafile_format,
	&svg_format,
	&html_format,
	&xml_format,
	&rtf_format,
	&plain_format,
	NULL,
};
