/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local: the headers before each entry's data. Readers that stream go by them,
 * others by the directory; where the two differ, one checks what the other
 * never sees.
 */
#include "filters/package/zip.h"

/* Of a header and its entry in the directory. */
static bool
same_name(struct bytes a, struct bytes b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] != b.p[i] &&
		    !((a.p[i] == '/' && b.p[i] == '\\') ||
			(a.p[i] == '\\' && b.p[i] == '/')))
			return false;
	return true;
}

static bool
is_ascii(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] >= 0x80)
			return false;
	return true;
}

/* Sizes may stand behind the data instead; some writers put them at both
 * places, some nought, some the greatest value. */
static bool
same_sizes(const uint8_t *p, struct bytes extra, const struct zip_entry *e)
{
	bool later = (zip_16(p + 6) & ZIP_FLAG_DESCRIPTOR) != 0;
	uint64_t packed = zip_32(p + 18);
	uint64_t size = zip_32(p + 22);
	uint64_t *const fields[] = { &size, &packed };
	uint32_t crc = zip_32(p + 14);

	if (!zip_extra64(extra, fields, COUNT(fields)))
		return false;
	if (later)
		return (crc == 0 || crc == e->crc) &&
		    (packed == 0 || packed == UINT32_MAX ||
			packed == e->entry.packed) &&
		    (size == 0 || size == UINT32_MAX || size == e->entry.size);
	return crc == e->crc && packed == e->entry.packed &&
	    size == e->entry.size;
}

/* Of the record behind the data: with or without its signature, with sizes of
 * 4 or 8 bytes (4.3.9). 0: none is there. */
static size_t
descriptor_size(struct bytes b, const struct zip_entry *e)
{
	size_t head = b.n >= 4 && zip_32(b.p) == ZIP_DESCRIPTOR ? 4 : 0;

	for (;; head = 0) {
		const uint8_t *p = b.p + head;

		if (b.n >= head + 20 && zip_32(p) == e->crc &&
		    zip_64(p + 4) == e->entry.packed &&
		    zip_64(p + 12) == e->entry.size)
			return head + 20;
		if (b.n >= head + 12 && zip_32(p) == e->crc &&
		    zip_32(p + 4) == e->entry.packed &&
		    zip_32(p + 8) == e->entry.size)
			return head + 12;
		if (head == 0)
			return 0;
	}
}

static enum detox_result
check(struct detox *d, struct bytes zip, uint64_t limit, struct zip_entry *e)
{
	struct bytes name, extra, rest;
	const uint8_t *p;
	unsigned flags;

	if (e->local > limit || limit - e->local < ZIP_LOCAL_SIZE ||
	    zip_32(zip.p + e->local) != ZIP_LOCAL)
		return detox_refuse(
		    d, REFUSED_BROKEN, "an entry is not where it should be");
	p = zip.p + e->local;
	rest = (struct bytes){ p + ZIP_LOCAL_SIZE,
		(size_t)(limit - e->local - ZIP_LOCAL_SIZE) };
	name = bytes_take(&rest, zip_16(p + 26));
	extra = bytes_take(&rest, zip_16(p + 28));
	flags = zip_16(p + 6);
	if (!same_name(name, e->raw_name) || zip_16(p + 8) != e->said_method ||
	    !bytes_equal(zip_extra(extra, ZIP_EXTRA_AES), e->aes_extra) ||
	    ((flags ^ e->flags) & ZIP_FLAG_ENCRYPTED) != 0 ||
	    (((flags ^ e->flags) & ZIP_FLAG_UTF8) != 0 && !is_ascii(name)))
		return detox_refuse(d, REFUSED_BROKEN,
		    "an entry's two headers disagree on what it is");
	if (!same_sizes(p, extra, e))
		return detox_refuse(d, REFUSED_BROKEN,
		    "an entry's two headers disagree on its size");
	e->data = (uint64_t)(rest.p - zip.p);
	if (e->entry.packed > rest.n)
		return detox_refuse(d, REFUSED_BROKEN, "an entry is cut off");
	bytes_take(&rest, (size_t)e->entry.packed);
	e->end = e->data + e->entry.packed;
	if ((flags & ZIP_FLAG_DESCRIPTOR) != 0)
		e->end += descriptor_size(rest, e);
	return DETOX_REBUILT;
}

static int
compare_places(const void *a, const void *b)
{
	const struct zip_entry *const *x = a;
	const struct zip_entry *const *y = b;

	return ((*x)->local > (*y)->local) - ((*x)->local < (*y)->local);
}

enum detox_result
zip_check_locals(
    struct detox *d, struct package *p, const struct zip_directory *dir)
{
	struct zip_entry **order =
	    ARENA_ARRAY(&d->arena, struct zip_entry *, p->n + 1);
	uint64_t at = 0;

	for (size_t i = 0; i < p->n; i++) {
		order[i] = &p->list[i];
		if (check(d, p->zip, dir->begin, order[i]) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	qsort(order, p->n, sizeof(*order), compare_places);
	for (size_t i = 0; i <= p->n; i++) {
		uint64_t next = i < p->n ? order[i]->local : dir->begin;

		/* Bombs let many entries have the same data. */
		if (next < at)
			return detox_refuse(
			    d, REFUSED_BOMB, "its entries overlap");
		if (next > at)
			detox_removed(d, REMOVED_TRAILING,
			    at == 0 ? "before its entries"
				    : "between its entries",
			    (struct bytes){ p->zip.p + at, next - at });
		at = i < p->n ? order[i]->end : next;
	}
	return DETOX_REBUILT;
}
