/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/image/inside.h"
#include "filters/image/tiff.h"

/* Within an entry, in bytes: classic, and BigTIFF. */
#define ENTRY_SIZE 12
#define BIG_ENTRY_SIZE 20
#define ENTRIES_MAX 4096

enum kind {
	KIND_U16,
	KIND_U32,
	KIND_FLOAT,
	KIND_TWO_U16,
	KIND_FLOATS,
};

static const struct {
	uint32_t tag;
	enum kind kind;
} copied[] = {
	{ TIFFTAG_SUBFILETYPE, KIND_U32 },
	{ TIFFTAG_ORIENTATION, KIND_U16 },
	{ TIFFTAG_XRESOLUTION, KIND_FLOAT },
	{ TIFFTAG_YRESOLUTION, KIND_FLOAT },
	{ TIFFTAG_RESOLUTIONUNIT, KIND_U16 },
	{ TIFFTAG_PAGENUMBER, KIND_TWO_U16 },
	{ TIFFTAG_INKSET, KIND_U16 },
	{ TIFFTAG_WHITEPOINT, KIND_FLOATS },
	{ TIFFTAG_PRIMARYCHROMATICITIES, KIND_FLOATS },
};

/* How the picture is coded: read by libtiff and written anew. 512 to 521 are
 * those of JPEG as it was once put into TIFF. */
static const uint16_t structure[] = { 254, 255, 256, 257, 258, 259, 262, 263,
	264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 288,
	289, 290, 291, 292, 293, 296, 297, 301, 317, 318, 319, 320, 322, 323,
	324, 325, 332, 338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520,
	521, 529, 530, 531, 532, 34675 };

static const struct {
	uint16_t tag;
	enum detox_removal what;
	const char *where;
} known[] = {
	{ 269, REMOVED_METADATA, "DocumentName" },
	{ 270, REMOVED_METADATA, "ImageDescription" },
	{ 271, REMOVED_METADATA, "Make" },
	{ 272, REMOVED_METADATA, "Model" },
	{ 285, REMOVED_METADATA, "PageName" },
	{ 305, REMOVED_METADATA, "Software" },
	{ 306, REMOVED_METADATA, "DateTime" },
	{ 315, REMOVED_METADATA, "Artist" },
	{ 316, REMOVED_METADATA, "HostComputer" },
	{ 330, REMOVED_PREVIEW, "SubIFDs" },
	{ 700, REMOVED_METADATA, "XMP" },
	{ 33432, REMOVED_METADATA, "Copyright" },
	{ 33723, REMOVED_METADATA, "IPTC" },
	{ 34377, REMOVED_METADATA, "Photoshop" },
	{ 34665, REMOVED_METADATA, "EXIF" },
	{ 34853, REMOVED_METADATA, "GPS" },
	{ 37724, REMOVED_METADATA, "ImageSourceData" },
};

static void
copy_tag(TIFF *from, TIFF *to, uint32_t tag, enum kind kind)
{
	uint16_t a, b;
	uint32_t n;
	float f, *all;

	switch (kind) {
	case KIND_U16:
		if (TIFFGetField(from, tag, &a) == 1)
			TIFFSetField(to, tag, a);
		break;
	case KIND_U32:
		if (TIFFGetField(from, tag, &n) == 1)
			TIFFSetField(to, tag, n);
		break;
	case KIND_FLOAT:
		if (TIFFGetField(from, tag, &f) == 1)
			TIFFSetField(to, tag, (double)f);
		break;
	case KIND_TWO_U16:
		if (TIFFGetField(from, tag, &a, &b) == 1)
			TIFFSetField(to, tag, a, b);
		break;
	case KIND_FLOATS:
		if (TIFFGetField(from, tag, &all) == 1)
			TIFFSetField(to, tag, all);
		break;
	}
}

/* As the picture that comes out, which may be of another kind than before. */
static const char *
space_of(TIFF *to)
{
	uint16_t photometric = PHOTOMETRIC_MINISBLACK;

	TIFFGetField(to, TIFFTAG_PHOTOMETRIC, &photometric);
	switch (photometric) {
	case PHOTOMETRIC_MINISBLACK:
	case PHOTOMETRIC_MINISWHITE:
		return "GRAY";
	case PHOTOMETRIC_SEPARATED:
		return "CMYK";
	case PHOTOMETRIC_CIELAB:
	case PHOTOMETRIC_ICCLAB:
		return "Lab ";
	}
	return "RGB ";
}

static void
copy_icc(struct detox *d, TIFF *from, TIFF *to)
{
	struct buf icc;
	uint32_t n;
	void *p;

	if (TIFFGetField(from, TIFFTAG_ICCPROFILE, &n, &p) != 1)
		return;
	buf_init(&icc, IMAGE_ICC_MAX);
	if (image_icc(d, (struct bytes){ p, n }, space_of(to), &icc))
		TIFFSetField(to, TIFFTAG_ICCPROFILE, (uint32_t)icc.n, icc.p);
	buf_release(&icc);
}

void
tiff_copy_tags(struct detox *d, TIFF *from, TIFF *to)
{
	for (size_t i = 0; i < COUNT(copied); i++)
		copy_tag(from, to, copied[i].tag, copied[i].kind);
	copy_icc(d, from, to);
}

static void
report_tag(struct detox *d, uint64_t tag)
{
	char where[16];

	for (size_t i = 0; i < COUNT(structure); i++)
		if (structure[i] == tag)
			return;
	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].tag == tag) {
			detox_removed(
			    d, known[i].what, known[i].where, BYTES(""));
			return;
		}
	snprintf(where, sizeof(where), "tag %u", (unsigned)tag);
	detox_removed(d, REMOVED_UNKNOWN, where, BYTES(""));
}

void
tiff_report_tags(struct detox *d, struct bytes file, uint64_t directory)
{
	uint64_t (*number)(struct bytes, size_t, size_t) =
	    file.p[0] == 'M' ? image_big : image_little;
	bool big = number(file, 2, 2) == 43;
	size_t entry = big ? BIG_ENTRY_SIZE : ENTRY_SIZE;
	size_t at = directory;
	uint64_t n = number(file, at, big ? 8 : 2);

	at += big ? 8 : 2;
	for (size_t i = 0; i < n && i < ENTRIES_MAX && at < file.n; i++) {
		report_tag(d, number(file, at, 2));
		at += entry;
	}
}
