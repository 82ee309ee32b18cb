/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "filters/image/jpeg.h"

enum marker {
	MARKER_RST0 = 0xd0,
	MARKER_SOI = 0xd8,
	MARKER_EOI = 0xd9,
	MARKER_APP0 = 0xe0,
	MARKER_APP15 = 0xef,
	MARKER_COM = 0xfe,
	MARKER_TEM = 0x01,
};

#define JFIF_SIZE 14 /* without the small picture */

/* What a segment is, by its first bytes. */
static const struct {
	uint8_t marker;
	enum detox_removal what;
	struct bytes head;
	const char *where;
} known[] = {
	{ MARKER_APP0, REMOVED_PREVIEW, BYTES_ROW("JFXX\0"), "JFXX" },
	{ MARKER_APP0 + 1, REMOVED_METADATA, BYTES_ROW("http://ns.adobe.com/"),
	    "XMP" },
	{ MARKER_APP0 + 2, REMOVED_CUSTOM, BYTES_ROW("MPF\0"), "MPF" },
	{ MARKER_APP0 + 2, REMOVED_CUSTOM, BYTES_ROW("FPXR\0"), "FlashPix" },
	{ MARKER_APP0 + 12, REMOVED_METADATA, BYTES_ROW("Ducky"), "Ducky" },
	{ MARKER_APP0 + 13, REMOVED_METADATA, BYTES_ROW("Photoshop 3.0\0"),
	    "Photoshop" },
	{ MARKER_COM, REMOVED_METADATA, BYTES_ROW(""), "comment" },
};

static void
report_other(struct detox *d, uint8_t marker, struct bytes s)
{
	char where[8];

	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].marker == marker &&
		    bytes_start_with(s, known[i].head)) {
			detox_removed(d, known[i].what, known[i].where, s);
			return;
		}
	snprintf(where, sizeof(where), "APP%d", marker - MARKER_APP0);
	detox_removed(d, REMOVED_UNKNOWN, where, s);
}

/* "ICC_PROFILE", number, count: ICC.1, B.4. */
static void
take_icc(struct jpeg_markers *m, struct bytes s)
{
	size_t number, count;

	if (s.n < 14) {
		m->icc_bad = true;
		return;
	}
	number = s.p[12];
	count = s.p[13];
	if (m->icc_count == 0)
		m->icc_count = count;
	if (number == 0 || number > count || count != m->icc_count ||
	    m->icc_parts[number].p != NULL) {
		m->icc_bad = true;
		return;
	}
	bytes_take(&s, 14);
	m->icc_parts[number] = s;
}

static void
make_icc(struct detox *d, struct jpeg_markers *m, const char *space)
{
	struct buf whole;

	buf_init(&whole, IMAGE_ICC_MAX);
	for (size_t i = 1; i <= m->icc_count; i++)
		if (m->icc_parts[i].p == NULL ||
		    buf_append(&whole, m->icc_parts[i]) < 0)
			m->icc_bad = true;
	if (m->icc_bad)
		detox_removed(
		    d, REMOVED_DAMAGED, "ICC profile", buf_bytes(&whole));
	else if (m->icc_count > 0)
		(void)image_icc(d, buf_bytes(&whole), space, &m->icc);
	buf_release(&whole);
}

static void
take_segment(
    struct detox *d, struct jpeg_markers *m, uint8_t marker, struct bytes s)
{
	if (marker == MARKER_APP0 && bytes_start_with(s, BYTES("JFIF\0"))) {
		if (s.n > JFIF_SIZE)
			detox_removed(d, REMOVED_PREVIEW, "JFIF", s);
	} else if (marker == MARKER_APP0 + 1 &&
	    bytes_start_with(s, BYTES("Exif\0"))) {
		bytes_take(&s, 6);
		m->exif = image_exif_remove(d, s);
	} else if (marker == MARKER_APP0 + 2 &&
	    bytes_start_with(s, BYTES("ICC_PROFILE\0"))) {
		take_icc(m, s);
	} else if (marker == MARKER_APP0 + 14 &&
	    bytes_start_with(s, BYTES("Adobe")) && s.n == 12) {
		return;
	} else if ((marker >= MARKER_APP0 && marker <= MARKER_APP15) ||
	    marker == MARKER_COM) {
		report_other(d, marker, s);
	}
}

/* The next marker, which leaves *b with all before it; 0: there is none. In the
 * data of a scan 0xff is followed by 0. */
static uint8_t
next_marker(struct bytes *b)
{
	ssize_t at;
	uint8_t marker;

	while ((at = bytes_index(*b, 0xff)) >= 0) {
		bytes_take(b, (size_t)at);
		while (b->n > 0 && b->p[0] == 0xff)
			bytes_take(b, 1);
		if (b->n == 0)
			return 0;
		marker = bytes_take(b, 1).p[0];
		if (marker != 0 && marker != MARKER_TEM &&
		    (marker < MARKER_RST0 || marker > MARKER_SOI))
			return marker;
	}
	return 0;
}

void
jpeg_markers_read(struct detox *d, struct jpeg_markers *m, struct bytes content,
    const char *space)
{
	struct bytes b = content;
	uint8_t marker;
	unsigned parts = 0;
	size_t n;

	m->exif = (struct image_exif){ .orientation = 1 };
	buf_init(&m->icc, IMAGE_ICC_MAX);
	while ((marker = next_marker(&b)) != 0 && marker != MARKER_EOI) {
		if (image_part(d, &parts) == DETOX_REFUSED)
			return;
		n = image_big(b, 0, 2);
		if (n < 2 || n > b.n)
			continue;
		bytes_take(&b, 2);
		take_segment(d, m, marker, bytes_take(&b, n - 2));
	}
	if (marker == MARKER_EOI && b.n > 0)
		detox_removed(d, REMOVED_TRAILING, NULL, b);
	make_icc(d, m, space);
}

void
jpeg_markers_release(struct jpeg_markers *m)
{
	buf_release(&m->icc);
}
