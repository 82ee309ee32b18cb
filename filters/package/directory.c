/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory: where a ZIP file's central directory is. Readers look for its end
 * record from the file's end, so the last one is meant; what a second would
 * say of the file is not read, and does not come out.
 */
#include "filters/package/zip.h"

#define COMMENT_MAX 65535

/* Where the last end record is whose comment fits; -1: nowhere. More than a
 * comment behind it is not looked through: trailing data of any size could
 * hold anything. */
static ssize_t
find_end(struct bytes zip)
{
	size_t least = 0;
	size_t at;

	if (zip.n < ZIP_END_SIZE)
		return -1;
	at = zip.n - ZIP_END_SIZE;
	if (at > COMMENT_MAX)
		least = at - COMMENT_MAX;
	for (;; at--) {
		if (zip.p[at] == 'P' && zip_32(zip.p + at) == ZIP_END &&
		    zip_16(zip.p + at + 20) <= zip.n - at - ZIP_END_SIZE)
			return (ssize_t)at;
		if (at == least)
			return -1;
	}
}

/* A field of the old record, whose greatest value sends to the new one. */
static bool
agrees(uint64_t old, uint64_t new, uint64_t greatest)
{
	return old == greatest || old == new;
}

struct end {
	uint64_t at; /* where the first of the end records begins */
	uint64_t disk, directory_disk, here, count, size, offset;
};

/* ZIP64's record, when its locator stands before the old one (4.3.14). */
static enum detox_result
read_end64(struct detox *d, struct bytes zip, struct end *e)
{
	const uint8_t *old = zip.p + e->at;
	uint64_t at = e->at - ZIP_LOCATOR64_SIZE;
	const uint8_t *p;

	/* What stands before the file moves it, so it is not sought where the
	 * locator says but where it always is. */
	if (zip_32(old - 4) > 1)
		return detox_refuse(
		    d, REFUSED_SPLIT, "its directory spans volumes");
	if (at < ZIP_END64_SIZE)
		return detox_refuse(d, REFUSED_BROKEN, "no ZIP64 record");
	at -= ZIP_END64_SIZE;
	p = zip.p + at;
	if (zip_32(p) != ZIP_END64 || zip_64(p + 4) != ZIP_END64_SIZE - 12)
		return detox_refuse(d, REFUSED_BROKEN, "no ZIP64 record");
	if (!agrees(e->here, zip_64(p + 24), UINT16_MAX) ||
	    !agrees(e->count, zip_64(p + 32), UINT16_MAX) ||
	    !agrees(e->size, zip_64(p + 40), UINT32_MAX) ||
	    !agrees(e->offset, zip_64(p + 48), UINT32_MAX))
		return detox_refuse(
		    d, REFUSED_BROKEN, "its two end records disagree");
	*e = (struct end){ .at = at,
		.disk = zip_32(p + 16),
		.directory_disk = zip_32(p + 20),
		.here = zip_64(p + 24),
		.count = zip_64(p + 32),
		.size = zip_64(p + 40),
		.offset = zip_64(p + 48) };
	return DETOX_REBUILT;
}

static enum detox_result
read_end(struct detox *d, struct bytes zip, size_t at, struct end *e)
{
	const uint8_t *p = zip.p + at;

	*e = (struct end){ .at = at,
		.disk = zip_16(p + 4),
		.directory_disk = zip_16(p + 6),
		.here = zip_16(p + 8),
		.count = zip_16(p + 10),
		.size = zip_32(p + 12),
		.offset = zip_32(p + 16) };
	if (at >= ZIP_LOCATOR64_SIZE &&
	    zip_32(p - ZIP_LOCATOR64_SIZE) == ZIP_LOCATOR64)
		return read_end64(d, zip, e);
	return DETOX_REBUILT;
}

/* Whether a directory of that size begins there. */
static bool
begins_at(struct bytes zip, const struct end *e, uint64_t at)
{
	if (at > e->at || e->size > e->at - at)
		return false;
	if (e->count == 0)
		return e->size == 0;
	return e->size >= ZIP_CENTRAL_SIZE && zip_32(zip.p + at) == ZIP_CENTRAL;
}

/* Offsets count from the file's first byte, or from where it would begin if
 * the directory stood right before its end. */
static enum detox_result
place(struct detox *d, struct bytes zip, const struct end *e,
    struct zip_directory *out)
{
	uint64_t at = e->offset;

	if (e->size <= e->at && e->size + at <= e->at &&
	    begins_at(zip, e, e->at - e->size))
		at = e->at - e->size;
	else if (!begins_at(zip, e, at))
		return detox_refuse(d, REFUSED_BROKEN,
		    "its directory is not where its end says");
	out->base = at - e->offset;
	out->begin = at;
	out->count = e->count;
	out->headers = (struct bytes){ zip.p + at, (size_t)e->size };
	if (at + e->size < e->at)
		detox_removed(d, REMOVED_TRAILING, "behind its directory",
		    (struct bytes){
			zip.p + at + e->size, (size_t)(e->at - at - e->size) });
	return DETOX_REBUILT;
}

enum detox_result
zip_find_directory(struct detox *d, struct bytes zip, struct zip_directory *out)
{
	ssize_t at = find_end(zip);
	struct bytes rest = zip;
	struct end e;

	if (at < 0)
		return detox_refuse(
		    d, REFUSED_BROKEN, "a ZIP file without its end");
	if (read_end(d, zip, (size_t)at, &e) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (e.disk != 0 || e.directory_disk != 0 || e.here != e.count)
		return detox_refuse(
		    d, REFUSED_SPLIT, "its directory spans volumes");
	bytes_take(&rest, (size_t)at + ZIP_END_SIZE);
	if (zip_16(zip.p + at + 20) > 0)
		detox_removed(d, REMOVED_METADATA, "comment",
		    bytes_take(&rest, zip_16(zip.p + at + 20)));
	if (rest.n > 0)
		detox_removed(d, REMOVED_TRAILING, "behind its end", rest);
	return place(d, zip, &e, out);
}

struct bytes
zip_extra(struct bytes extra, unsigned id)
{
	/* A field that is cut ends the list: some writers pad with zeros. */
	while (extra.n >= 4) {
		unsigned is = zip_16(extra.p);
		unsigned n = zip_16(extra.p + 2);

		bytes_take(&extra, 4);
		if (n > extra.n)
			break;
		if (is == id)
			return bytes_take(&extra, n);
		bytes_take(&extra, n);
	}
	return (struct bytes){ 0 };
}

bool
zip_extra64(struct bytes extra, uint64_t *const fields[], size_t n)
{
	struct bytes f = zip_extra(extra, 1);

	for (size_t i = 0; i < n; i++) {
		if (*fields[i] != UINT32_MAX)
			continue;
		/* Without the field the value means itself. */
		if (f.p == NULL)
			continue;
		if (f.n < 8)
			return false;
		*fields[i] = zip_64(bytes_take(&f, 8).p);
	}
	return true;
}
