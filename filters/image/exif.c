/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/image/inside.h"

#define ENTRY_SIZE 12

enum tag {
	TAG_ORIENTATION = 0x0112,
	TAG_X = 0x011a,
	TAG_Y = 0x011b,
	TAG_UNIT = 0x0128,
};

typedef uint64_t (*number_reader)(struct bytes, size_t, size_t);

/* A fraction, rounded; 0: none that can be used. */
static uint16_t
read_dots(struct bytes tiff, size_t entry, number_reader number)
{
	size_t at = number(tiff, entry + 8, 4);
	uint64_t above = number(tiff, at, 4);
	uint64_t below = number(tiff, at + 4, 4);

	above = below == 0 ? 0 : (above + below / 2) / below;
	return (uint16_t)(above > UINT16_MAX ? 0 : above);
}

static void
read_entry(
    struct image_exif *e, struct bytes tiff, size_t entry, number_reader number)
{
	uint64_t value = number(tiff, entry + 8, 2);

	switch (number(tiff, entry, 2)) {
	case TAG_ORIENTATION:
		if (value >= 1 && value <= 8)
			e->orientation = (unsigned)value;
		break;
	case TAG_X:
		e->x = read_dots(tiff, entry, number);
		break;
	case TAG_Y:
		e->y = read_dots(tiff, entry, number);
		break;
	case TAG_UNIT:
		e->unit = value == 2 ? IMAGE_INCH
		    : value == 3     ? IMAGE_CM
				     : IMAGE_NO_UNIT;
		break;
	}
}

struct image_exif
image_exif_read(struct bytes tiff)
{
	struct image_exif e = { .orientation = 1 };
	number_reader number =
	    bytes_start_with(tiff, BYTES("MM")) ? image_big : image_little;
	size_t at = number(tiff, 4, 4);
	size_t entries = number(tiff, at, 2);

	if (number(tiff, 2, 2) != 42 || at < 8)
		return e;
	for (at += 2; entries > 0 && at < tiff.n; entries--, at += ENTRY_SIZE)
		read_entry(&e, tiff, at, number);
	if (e.x == 0 || e.y == 0)
		e.unit = IMAGE_NO_UNIT;
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

struct image_exif
image_exif_remove(struct detox *d, struct bytes tiff)
{
	struct image_exif e = image_exif_read(tiff);
	uint8_t ours[IMAGE_EXIF_SIZE];

	image_exif_write(ours, e.orientation);
	if (bytes_equal(tiff, (struct bytes){ ours, sizeof(ours) }))
		return e;
	detox_removed(d, REMOVED_METADATA, "EXIF", tiff);
	if (e.preview)
		detox_removed(d, REMOVED_PREVIEW, "EXIF", BYTES(""));
	return e;
}
