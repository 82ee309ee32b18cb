/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/image/inside.h"

#define TAG_ORIENTATION 0x0112
#define ENTRY_SIZE 12

struct image_exif
image_exif_read(struct bytes tiff)
{
	struct image_exif e = { .orientation = 1 };
	uint64_t (*number)(struct bytes, size_t, size_t) =
	    bytes_start_with(tiff, BYTES("MM")) ? image_big : image_little;
	size_t at = number(tiff, 4, 4);
	size_t entries = number(tiff, at, 2);
	size_t value;

	if (number(tiff, 2, 2) != 42 || at < 8)
		return e;
	for (at += 2; entries > 0 && at < tiff.n; entries--, at += ENTRY_SIZE) {
		value = number(tiff, at + 8, 2);
		if (number(tiff, at, 2) == TAG_ORIENTATION && value >= 1 &&
		    value <= 8)
			e.orientation = (unsigned)value;
	}
	e.preview = entries == 0 && number(tiff, at, 4) != 0;
	return e;
}

void
image_exif_write(uint8_t out[IMAGE_EXIF_SIZE], unsigned orientation)
{
	static const uint8_t form[IMAGE_EXIF_SIZE] = { 'M', 'M', 0, 42, 0, 0, 0,
		8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1 };

	memcpy(out, form, sizeof(form));
	out[19] = (uint8_t)orientation;
}

unsigned
image_exif_remove(struct detox *d, struct bytes tiff)
{
	struct image_exif e = image_exif_read(tiff);
	uint8_t ours[IMAGE_EXIF_SIZE];

	image_exif_write(ours, e.orientation);
	if (bytes_equal(tiff, (struct bytes){ ours, sizeof(ours) }))
		return e.orientation;
	detox_removed(d, REMOVED_METADATA, "EXIF", tiff);
	if (e.preview)
		detox_removed(d, REMOVED_PREVIEW, "EXIF", BYTES(""));
	return e.orientation;
}
