/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/link.h"

#include "filters/ole/le.h"
#include "filters/text/utf8.h"

#define ADDRESS_MAX 2083 /* units; what is longer no browser opens */
#define CLSID_SIZE 16

/* Flags of a hyperlink object. */
#define HAS_MONIKER 0x01
#define HAS_PLACE 0x08
#define HAS_NAME 0x10
#define HAS_NAME_BOTH 0x14
#define HAS_FRAME 0x80
#define IS_STRING 0x100

/* Class ids as they stand in files. */
static const uint8_t url_moniker[CLSID_SIZE] = { 0xe0, 0xc9, 0xea, 0x79, 0xf9,
	0xba, 0xce, 0x11, 0x8c, 0x82, 0x00, 0xaa, 0x00, 0x4b, 0xa9, 0x0b };
static const uint8_t std_hlink[CLSID_SIZE] = { 0xd0, 0xc9, 0xea, 0x79, 0xf9,
	0xba, 0xce, 0x11, 0x8c, 0x82, 0x00, 0xaa, 0x00, 0x4b, 0xa9, 0x0b };
static const uint8_t file_moniker[CLSID_SIZE] = { 0x03, 0x03, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46 };

bool
link_stays(const struct detox *d, const uint8_t *utf16, size_t units)
{
	uint8_t text[64];
	size_t n = 0;

	if (units > ADDRESS_MAX)
		return false;
	/* Only how it begins decides, and all of that is ASCII. Blanks and
	 * controls do not hide it. */
	for (size_t i = 0; i < units && n < sizeof(text); i++) {
		uint16_t c = le16(utf16 + i * 2);

		if (c == 0)
			break;
		if (c > 0x20)
			text[n++] = c < 0x80 ? (uint8_t)c : '?';
	}
	return detox_link_stays(d, (struct bytes){ text, n });
}

static void
report(struct detox *d, const char *where, const uint8_t *p, size_t n)
{
	detox_removed(d, REMOVED_LINK, where, (struct bytes){ p, n });
}

/* Behind an URL moniker's class id. */
static size_t
clean_url(struct detox *d, uint8_t *p, size_t n, const char *where)
{
	size_t size;

	if (n < 4)
		return 0;
	size = le32(p);
	if (size > n - 4)
		size = n - 4;
	if (size < 2 || link_stays(d, p + 4, size / 2))
		return 0;
	report(d, where, p + 4, size);
	memset(p + 4, 0, size);
	return 1;
}

/* Behind a file moniker's class id: [MS-OSHARED] 2.3.7.8. Places on a disk or
 * a server never stay. */
static size_t
clean_file(struct detox *d, uint8_t *p, size_t n, const char *where)
{
	size_t ansi, unicode, at;

	if (n < 6)
		return 0;
	ansi = le32(p + 2);
	if (ansi > n - 6)
		return 0;
	report(d, where, p, 6 + ansi);
	memset(p + 6, 0, ansi);
	at = 6 + ansi + 2 + 2 + 20;
	if (n < at + 10)
		return 1;
	unicode = le32(p + at);
	if (unicode > n - at - 4)
		unicode = n - at - 4;
	if (unicode > 6)
		memset(p + at + 10, 0, unicode - 6);
	return 1;
}

/* A string with its count of units before it; past its end, or 0: it does not
 * fit. */
static size_t
pass_string(const uint8_t *p, size_t n, size_t at)
{
	if (at + 4 > n || le32(p + at) > (n - at - 4) / 2)
		return 0;
	return at + 4 + (size_t)le32(p + at) * 2;
}

/* Behind a hyperlink object's class id: its address may be a string instead of
 * a moniker. */
static size_t
clean_hlink(struct detox *d, uint8_t *p, size_t n, const char *where)
{
	size_t at = 8, end;
	uint32_t flags;

	if (n < 8 || le32(p) != 2)
		return 0;
	flags = le32(p + 4);
	if ((flags & 0x101) != 0x101)
		return 0;
	if ((flags & 0x10) != 0 && (at = pass_string(p, n, at)) == 0)
		return 0;
	if ((flags & 0x80) != 0 && (at = pass_string(p, n, at)) == 0)
		return 0;
	end = pass_string(p, n, at);
	if (end == 0 || link_stays(d, p + at + 4, (end - at - 4) / 2))
		return 0;
	report(d, where, p + at + 4, end - at - 4);
	memset(p + at + 4, 0, end - at - 4);
	return 1;
}

/* The moniker at `at`, of a hyperlink object with these flags; past its end, or
 * 0: it may not stay. */
static size_t
pass_moniker(const struct detox *d, const uint8_t *p, size_t n, size_t at,
    uint32_t flags)
{
	size_t size;

	if ((flags & IS_STRING) != 0) {
		size = pass_string(p, n, at);
		return size != 0 &&
			link_stays(d, p + at + 4, (size - at - 4) / 2)
		    ? size
		    : 0;
	}
	if (n - at < CLSID_SIZE + 4 ||
	    memcmp(p + at, url_moniker, CLSID_SIZE) != 0)
		return 0;
	at += CLSID_SIZE + 4;
	size = le32(p + at - 4);
	return size <= n - at && link_stays(d, p + at, size / 2) ? at + size
								 : 0;
}

bool
link_is_plain(const struct detox *d, const uint8_t *p, size_t n)
{
	size_t at = CLSID_SIZE + 8;
	uint32_t flags;

	if (n < at || memcmp(p, std_hlink, CLSID_SIZE) != 0 ||
	    le32(p + CLSID_SIZE) != 2)
		return false;
	flags = le32(p + CLSID_SIZE + 4);
	/* There are readers that heed each of a pair alone. */
	if ((flags & HAS_NAME_BOTH) == HAS_NAME ||
	    (flags & (HAS_MONIKER | IS_STRING)) == IS_STRING)
		return false;
	if ((flags & HAS_NAME) != 0 && (at = pass_string(p, n, at)) == 0)
		return false;
	if ((flags & HAS_FRAME) != 0 && (at = pass_string(p, n, at)) == 0)
		return false;
	if ((flags & HAS_MONIKER) != 0 &&
	    (at = pass_moniker(d, p, n, at, flags)) == 0)
		return false;
	return (flags & HAS_PLACE) == 0 || pass_string(p, n, at) != 0;
}

size_t
link_clean(struct detox *d, uint8_t *p, size_t n, const char *where)
{
	static const struct {
		const uint8_t *clsid;
		size_t (*clean)(
		    struct detox *, uint8_t *, size_t, const char *);
	} kinds[] = {
		{ url_moniker, clean_url },
		{ file_moniker, clean_file },
		{ std_hlink, clean_hlink },
	};
	size_t found = 0;

	for (size_t i = 0; i + CLSID_SIZE <= n; i++)
		for (size_t k = 0; k < COUNT(kinds); k++)
			if (p[i] == kinds[k].clsid[0] &&
			    memcmp(p + i, kinds[k].clsid, CLSID_SIZE) == 0)
				found += kinds[k].clean(d, p + i + CLSID_SIZE,
				    n - i - CLSID_SIZE, where);
	return found;
}

#define PROPERTY_SIZE 6
#define PIB_NAME 0x0105
#define PIB_FLAGS 0x0106
#define FILL_BLIP_NAME 0x0187
#define FILL_BLIP_FLAGS 0x0188
#define LINE_FILL_BLIP_NAME 0x01c7
#define LINE_FILL_BLIP_FLAGS 0x01c8
#define IS_COMPLEX 0x8000
#define LOADS_FROM_OUTSIDE 0x0c /* msoblipflagDoNotSave, LinkToFile */

static bool
is_flags(unsigned id)
{
	return id == PIB_FLAGS || id == FILL_BLIP_FLAGS ||
	    id == LINE_FILL_BLIP_FLAGS;
}

static bool
is_blip_name(unsigned id)
{
	return id == PIB_NAME || id == FILL_BLIP_NAME ||
	    id == LINE_FILL_BLIP_NAME;
}

void
link_clean_properties(
    struct detox *d, uint8_t *p, size_t n, unsigned count, const char *where)
{
	size_t at;
	bool outside = false;

	/* Of those that are cut readers take what is there. */
	if (count > n / PROPERTY_SIZE)
		count = (unsigned)(n / PROPERTY_SIZE);
	at = (size_t)count * PROPERTY_SIZE;
	for (unsigned i = 0; i < count; i++) {
		uint8_t *q = p + (size_t)i * PROPERTY_SIZE;

		if (!is_flags(le16(q) & 0x3fff) ||
		    (le32(q + 2) & LOADS_FROM_OUTSIDE) == 0)
			continue;
		outside = true;
		put_le32(q + 2, 0);
	}
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *q = p + (size_t)i * PROPERTY_SIZE;
		size_t size = le32(q + 2);

		if ((le16(q) & IS_COMPLEX) == 0)
			continue;
		if (size > n - at)
			return;
		/* A name is a path of who made it, or of where to load. */
		if (outside && is_blip_name(le16(q) & 0x3fff)) {
			detox_removed(d, REMOVED_EXTERNAL, where,
			    (struct bytes){ p + at, size });
			memset(p + at, 0, size);
		}
		at += size;
	}
}

static bool
is_properties(unsigned type)
{
	return type == 0xf00b || type == 0xf121 || type == 0xf122;
}

#define ART_HEAD 8
#define ART_PROPERTIES 3 /* the version of records of properties */
#define ART_SIZE_MAX 0xffffff

/* Readers do not agree where a record ends that is longer than what it is in,
 * so that properties are looked for wherever they may be. */
void
link_clean_art(struct detox *d, uint8_t *p, size_t n, const char *where)
{
	for (size_t i = 0; i + ART_HEAD + PROPERTY_SIZE <= n; i++) {
		size_t size = le32(p + i + 4), rest = n - i - ART_HEAD;

		if ((p[i] & 0xf) == ART_PROPERTIES &&
		    is_properties(le16(p + i + 2)) && size <= ART_SIZE_MAX)
			link_clean_properties(d, p + i + ART_HEAD,
			    size < rest ? size : rest, le16(p + i) >> 4, where);
	}
}
