/* SPDX-License-Identifier: Apache-2.0 */
/* name: an entry's name, from the bytes that writers of many systems put. */
#include <zlib.h>

#include "filters/package/zip.h"
#include "filters/text/convert.h"
#include "filters/text/utf8.h"

#define NAME_MAX_BYTES 1024

/* IBM's code page 437 from 0x80, which a name without flag is in (D.1). */
static const uint16_t cp437[128] = { 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4,
	0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec,
	0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb,
	0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
	0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf,
	0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592,
	0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
	0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c,
	0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560,
	0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552,
	0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590,
	0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
	0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261,
	0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219,
	0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0 };

static void
put(struct buf *out, uint32_t c)
{
	uint8_t bytes[UTF8_MAX];
	size_t n = utf8_write(bytes, c);

	must(buf_append(out, (struct bytes){ bytes, n }) == 0);
}

static void
decode_cp437(struct bytes raw, struct buf *out)
{
	for (size_t i = 0; i < raw.n; i++)
		put(out, raw.p[i] < 0x80 ? raw.p[i] : cp437[raw.p[i] - 0x80]);
}

/* Whether all of it is characters of CP932. */
static bool
decode_cp932(struct bytes raw, struct buf *out)
{
	static const uint8_t bad[] = { 0xef, 0xbf, 0xbd };
	struct convert v;

	convert_init(&v, CHARSET_SHIFT_JIS);
	v.exact = true;
	convert_push(&v, raw, true, out);
	return memmem(out->p, out->n, bad, sizeof(bad)) == NULL;
}

/* Info-ZIP's field: version, the CRC of the name that it stands for, and the
 * name in UTF-8 (4.6.9). */
static struct bytes
unicode_name(struct bytes raw, struct bytes field)
{
	if (field.n <= 5 || field.p[0] != 1 ||
	    zip_32(field.p + 1) != crc32(0, raw.p, (uInt)raw.n))
		return (struct bytes){ 0 };
	return (struct bytes){ field.p + 5, field.n - 5 };
}

/* To UTF-8. Writers put UTF-8 without saying so, and Windows of this country
 * CP932 with no word at all; no text is likely to be both. */
static void
decode(struct bytes raw, bool utf8, struct bytes field, struct buf *out)
{
	struct bytes other = unicode_name(raw, field);

	if (!utf8 && other.n > 0 && utf8_is_valid(other))
		raw = other;
	if (utf8_is_valid(raw)) {
		must(buf_append(out, raw) == 0);
		return;
	}
	if (decode_cp932(raw, out))
		return;
	out->n = 0;
	decode_cp437(raw, out);
}

static bool
has_controls(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return true;
	return false;
}

/* The parts of a path, without "." and empty ones. False: one is "..". */
static bool
join(struct bytes path, struct buf *out)
{
	struct bytes part;

	while (path.n > 0) {
		bool folder = bytes_index(path, '/') >= 0;

		part = bytes_take_until(&path, '/');
		if (bytes_equal(part, BYTES("..")))
			return false;
		if (part.n == 0 || bytes_equal(part, BYTES(".")))
			continue;
		must(buf_append(out, part) == 0);
		if (folder)
			must(buf_append(out, BYTES("/")) == 0);
	}
	return true;
}

static bool
is_absolute(struct bytes name)
{
	return name.p[0] == '/' || (name.n > 1 && name.p[1] == ':');
}

/* Of the decoded name, with '/' alone; NULL: it is dangerous. */
static const char *
make_safe(struct detox *d, struct buf *name)
{
	struct buf out;
	const char *result = NULL;

	/* Writers on Windows part folders so; only behind CP932, of whose
	 * characters it may be the second byte. */
	for (size_t i = 0; i < name->n; i++)
		if (name->p[i] == '\\')
			name->p[i] = '/';
	if (name->n == 0 || has_controls(buf_bytes(name)) ||
	    is_absolute(buf_bytes(name)))
		return NULL;
	buf_init(&out, name->n + 1);
	if (join(buf_bytes(name), &out) && out.n > 0)
		result = arena_string(&d->arena, buf_bytes(&out));
	buf_release(&out);
	return result;
}

const char *
zip_name(struct detox *d, struct bytes raw, bool utf8, struct bytes field)
{
	const char *result = NULL;
	struct buf name;

	if (raw.n <= NAME_MAX_BYTES && field.n <= NAME_MAX_BYTES) {
		buf_init(&name, CONVERT_OUT_MAX(NAME_MAX_BYTES));
		decode(raw, utf8, field, &name);
		result = make_safe(d, &name);
		buf_release(&name);
	}
	if (result == NULL)
		detox_refuse(d, REFUSED_PATH,
		    "an entry's name is absolute, leads out, is empty, too "
		    "long or has controls");
	return result;
}
