/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image: pictures, for detox. Each is decoded and written anew, or, where that
 * would lose something (JPEG, lossy WebP), is decoded to prove that it can be
 * and has its coefficients or bitstream put into a new file. What comes out is
 * the picture: its size, pixels, palette, frames, resolution, how it is to be
 * turned and what its colours mean. Text, EXIF, XMP, thumbnails, makers' data
 * and all that stands behind the picture stay out, also when the profile keeps
 * metadata: nothing of it is known to be harmless.
 *
 * A picture of which a part cannot be decoded is kept as far as it goes, and
 * reported as damaged; one of which nothing can be decoded is refused. The
 * profile's pixels and frames are counted before anything is decoded.
 */
#pragma once

#include "filters/detox.h"

/* ITU-T T.81, JFIF 1.02; baseline, progressive, arithmetic; 8 bits. No loss.
 * The second picture of an MPO is data behind the first. */
extern const struct detox_format jpeg_format;
/* PNG 1.2 and animated PNG; all colour types. */
extern const struct detox_format png_format;
/* GIF89a, with its animation. */
extern const struct detox_format gif_format;
/* RFC 9649. The bitstreams stay, so nothing is lost. */
extern const struct detox_format webp_format;
/* BMP of Windows and OS/2, 1 to 32 bits; what was RLE comes out plain. */
extern const struct detox_format bmp_format;
/* TIFF 6.0 and BigTIFF, all pages; what is JPEG within is coded anew. */
extern const struct detox_format tiff_format;
/* ICO and CUR; what is a PNG within is rebuilt as one. */
extern const struct detox_format icon_format;
