/* SPDX-License-Identifier: Apache-2.0 */
/* wmf: [MS-WMF], records of 16 bits. */
#include "filters/metafile/inside.h"
#include "filters/metafile/metafile.h"

#define PLACEABLE 22
#define HEADER 18
#define RECORD 6
#define FUNCTION_EOF 0x0000
#define FUNCTION_ORIGIN 0x020b /* of the window: y, x */
#define FUNCTION_EXTENT 0x020c
#define UNITS_PER_INCH 1440
#define FUNCTION_ESCAPE 0x0626

/* Section 2.1.1.1, all but META_ESCAPE. */
static const uint16_t functions[] = { 0x001e, 0x0035, 0x0037, 0x00f7, 0x00f8,
	0x00fc, 0x00fd, 0x0102, 0x0103, 0x0104, 0x0105, 0x0106, 0x0107, 0x0108,
	0x0127, 0x012a, 0x012b, 0x012c, 0x012d, 0x012e, 0x0139, 0x0142, 0x0149,
	0x01f0, 0x01f9, 0x0201, 0x0209, 0x020a, 0x020b, 0x020c, 0x020d, 0x020e,
	0x020f, 0x0211, 0x0213, 0x0214, 0x0220, 0x0228, 0x0229, 0x0231, 0x0234,
	0x02fa, 0x02fb, 0x02fc, 0x0324, 0x0325, 0x0410, 0x0412, 0x0415, 0x0416,
	0x0418, 0x0419, 0x041b, 0x041f, 0x0429, 0x0436, 0x0521, 0x0538, 0x0548,
	0x061c, 0x061d, 0x06ff, 0x0817, 0x081a, 0x0830, 0x0922, 0x0940, 0x0a32,
	0x0b23, 0x0b41, 0x0d33, 0x0f43 };

static bool
draws(uint16_t function)
{
	for (size_t i = 0; i < COUNT(functions); i++)
		if (functions[i] == function)
			return true;
	return false;
}

/* One record at the head of in; n 0: there is none. */
static struct bytes
record_of(struct bytes in)
{
	uint64_t n;

	if (in.n < RECORD)
		return (struct bytes){ 0 };
	n = (uint64_t)read_32(in.p) * 2;
	if (n < RECORD || n > in.n)
		return (struct bytes){ 0 };
	return (struct bytes){ in.p, (size_t)n };
}

static enum detox_result
copy_records(struct detox *d, struct bytes in, struct detox_output *out,
    uint32_t *longest_out)
{
	struct bytes r;
	uint16_t function = FUNCTION_ESCAPE;

	for (r = record_of(in); r.n > 0; r = record_of(in)) {
		bytes_take(&in, r.n);
		function = read_16(r.p + 4);
		if (function == FUNCTION_EOF)
			break;
		if (!draws(function)) {
			detox_removed(d,
			    function == FUNCTION_ESCAPE ? REMOVED_ACTION
							: REMOVED_UNKNOWN,
			    NULL, (struct bytes){ 0 });
			continue;
		}
		if (r.n / 2 > *longest_out)
			*longest_out = (uint32_t)(r.n / 2);
		if (detox_put(d, out, r) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	if (function == FUNCTION_EOF && in.n > 2)
		detox_removed(d, REMOVED_TRAILING, NULL, in);
	return detox_put(d, out, BYTES("\3\0\0\0\0\0"));
}

bool
wmf_is_bare(struct bytes b)
{
	return b.n >= HEADER && (b.p[0] == 1 || b.p[0] == 2) && b.p[1] == 0 &&
	    read_16(b.p + 2) == HEADER / 2 &&
	    (read_16(b.p + 4) == 0x0300 || read_16(b.p + 4) == 0x0100);
}

/* The window's corner and size: the first of each. */
static void
find_window(struct bytes in, uint16_t window[4])
{
	struct bytes r;
	uint16_t function;
	size_t at;

	bytes_take(&in, HEADER);
	for (r = record_of(in); r.n >= RECORD; r = record_of(in)) {
		bytes_take(&in, r.n);
		function = read_16(r.p + 4);
		at = function == FUNCTION_EXTENT ? 2 : 0;
		if (function == FUNCTION_EOF)
			break;
		if ((function != FUNCTION_ORIGIN && at == 0) || r.n < 10 ||
		    window[at] != 0 || window[at + 1] != 0)
			continue;
		window[at] = read_16(r.p + 8);
		window[at + 1] = read_16(r.p + 6);
	}
}

/* Section 2.3.2.3; the checksum is over the ten words before it. */
static void
make_frame(struct bytes bare, uint8_t frame[PLACEABLE])
{
	uint16_t window[4] = { 0 };
	uint16_t words[11] = { 0xcdd7, 0x9ac6 };

	find_window(bare, window);
	words[3] = window[0];
	words[4] = window[1];
	words[5] = (uint16_t)(window[0] + window[2]);
	words[6] = (uint16_t)(window[1] + window[3]);
	words[7] = UNITS_PER_INCH;
	for (int i = 0; i < 10; i++)
		words[10] ^= words[i];
	for (int i = 0; i < 11; i++) {
		frame[2 * i] = (uint8_t)words[i];
		frame[2 * i + 1] = (uint8_t)(words[i] >> 8);
	}
}

enum detox_result
wmf_rebuild(struct detox *d, struct bytes in, struct detox_output *out)
{
	uint8_t frame[PLACEABLE];
	struct bytes placeable = { frame, sizeof(frame) };
	struct bytes header;
	uint32_t longest = 3;
	uint8_t *p;

	if (wmf_is_bare(in))
		make_frame(in, frame);
	else
		placeable = bytes_take(&in, PLACEABLE);
	header = bytes_take(&in, HEADER);
	if (header.n < HEADER || read_16(header.p + 2) != HEADER / 2)
		return detox_refuse(d, REFUSED_BROKEN, "no header of a WMF");
	if (detox_put(d, out, placeable) == DETOX_REFUSED ||
	    detox_put(d, out, header) == DETOX_REFUSED ||
	    copy_records(d, in, out, &longest) == DETOX_REFUSED)
		return DETOX_REFUSED;
	p = out->content.p + PLACEABLE;
	write_32(p + 6, (uint32_t)((out->content.n - PLACEABLE) / 2));
	write_32(p + 12, longest);
	return DETOX_REBUILT;
}
