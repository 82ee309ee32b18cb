/* SPDX-License-Identifier: Apache-2.0 */

#include "filters/package/package.h"

#include <libdeflate.h>
#include <sys/stat.h>

#include "filters/package/zip.h"
#include "filters/password/password.h"

#define EXTRA_UNICODE_PATH 0x7075

static enum detox_result
check_kind(struct detox *d, const struct zip_entry *e)
{
	uint32_t kind = e->attributes >> 16 & S_IFMT;

	if (kind != 0 && kind != S_IFREG && kind != S_IFDIR &&
	    (S_ISLNK(kind) || S_ISCHR(kind) || S_ISBLK(kind) ||
		S_ISFIFO(kind) || S_ISSOCK(kind)))
		return detox_refuse(
		    d, REFUSED_PATH, "an entry is a link or a device");
	if (e->method != ZIP_STORED && e->method != ZIP_DEFLATED)
		return detox_refuse(d, REFUSED_TYPE,
		    "an entry is packed in a way that is not read");
	if (e->method == ZIP_STORED &&
	    e->entry.size != e->entry.packed - zip_secret_size(e))
		return detox_refuse(
		    d, REFUSED_BROKEN, "a stored entry has two sizes");
	return DETOX_REBUILT;
}

/* One header of the directory, which leaves *rest. */
static enum detox_result
read_header(
    struct detox *d, struct bytes *rest, uint64_t base, struct zip_entry *e)
{
	const uint8_t *p = bytes_take(rest, ZIP_CENTRAL_SIZE).p;
	struct bytes extra;
	uint64_t *const fields[] = { &e->entry.size, &e->entry.packed,
		&e->local };

	e->flags = zip_16(p + 8);
	e->said_method = e->method = zip_16(p + 10);
	e->time = zip_16(p + 12);
	e->crc = zip_32(p + 16);
	e->entry.packed = zip_32(p + 20);
	e->entry.size = zip_32(p + 24);
	e->attributes = zip_32(p + 38);
	e->local = zip_32(p + 42);
	if ((size_t)zip_16(p + 28) + zip_16(p + 30) + zip_16(p + 32) > rest->n)
		return detox_refuse(d, REFUSED_BROKEN, "its directory is cut");
	if (zip_16(p + 34) != 0 && zip_16(p + 34) != UINT16_MAX)
		return detox_refuse(
		    d, REFUSED_SPLIT, "an entry is on another volume");
	e->raw_name = bytes_take(rest, zip_16(p + 28));
	extra = bytes_take(rest, zip_16(p + 30));
	bytes_take(rest, zip_16(p + 32));
	if (!zip_extra64(extra, fields, COUNT(fields)) ||
	    __builtin_add_overflow(e->local, base, &e->local))
		return detox_refuse(
		    d, REFUSED_BROKEN, "an entry's place is not given");
	e->entry.name =
	    zip_name(d, e->raw_name, (e->flags & ZIP_FLAG_UTF8) != 0,
		zip_extra(extra, EXTRA_UNICODE_PATH));
	if (e->entry.name == NULL)
		return DETOX_REFUSED;
	e->entry.folder = bytes_end_with(bytes_of(e->entry.name), BYTES("/"));
	return zip_secret_check(d, e, extra) == DETOX_REFUSED
	    ? DETOX_REFUSED
	    : check_kind(d, e);
}

static enum detox_result
read_headers(
    struct detox *d, struct package *p, const struct zip_directory *dir)
{
	struct bytes rest = dir->headers;

	if (dir->count > rest.n / ZIP_CENTRAL_SIZE)
		return detox_refuse(
		    d, REFUSED_BROKEN, "its directory has too few entries");
	for (uint64_t i = 0; i < dir->count; i++)
		if (detox_entry(d) == DETOX_REFUSED)
			return DETOX_REFUSED;
	p->list = ARENA_ARRAY(&d->arena, struct zip_entry, dir->count + 1);
	for (; p->n < dir->count; p->n++) {
		if (rest.n < ZIP_CENTRAL_SIZE || zip_32(rest.p) != ZIP_CENTRAL)
			return detox_refuse(d, REFUSED_BROKEN,
			    "its directory has too few entries");
		if (read_header(d, &rest, dir->base, &p->list[p->n]) ==
		    DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	if (rest.n >= 4 && zip_32(rest.p) == ZIP_CENTRAL)
		return detox_refuse(d, REFUSED_BROKEN,
		    "its directory has more entries than it says");
	return DETOX_REBUILT;
}

static int
compare_names(const void *a, const void *b)
{
	const struct zip_entry *const *x = a;
	const struct zip_entry *const *y = b;
	const uint8_t *s = (const uint8_t *)(*x)->entry.name;
	const uint8_t *t = (const uint8_t *)(*y)->entry.name;

	for (; *s != '\0' || *t != '\0'; s++, t++) {
		int c = *s >= 'A' && *s <= 'Z' ? *s | 0x20 : *s;
		int e = *t >= 'A' && *t <= 'Z' ? *t | 0x20 : *t;

		if (c != e)
			return c - e;
	}
	return 0;
}

/* Folders may be said twice: they hold nothing of their own. */
static enum detox_result
check_duplicates(struct detox *d, struct package *p)
{
	p->by_name = ARENA_ARRAY(&d->arena, struct zip_entry *, p->n + 1);
	for (size_t i = 0; i < p->n; i++)
		p->by_name[i] = &p->list[i];
	qsort(p->by_name, p->n, sizeof(struct zip_entry *), compare_names);
	for (size_t i = 1; i < p->n; i++)
		if (compare_names(&p->by_name[i - 1], &p->by_name[i]) == 0 &&
		    !p->by_name[i]->entry.folder)
			return detox_refuse(d, REFUSED_DUPLICATE,
			    "two entries have the same name");
	return DETOX_REBUILT;
}

struct package *
package_open(struct detox *d, struct bytes zip)
{
	struct package *p = ARENA_NEW(&d->arena, struct package);
	struct zip_directory dir = { 0 };

	p->zip = zip;
	if (zip_find_directory(d, zip, &dir) == DETOX_REFUSED ||
	    read_headers(d, p, &dir) == DETOX_REFUSED ||
	    check_duplicates(d, p) == DETOX_REFUSED ||
	    zip_check_locals(d, p, &dir) == DETOX_REFUSED)
		return NULL;
	return p;
}

/* All of it is in the job's arena. */
void
package_close(struct package *p)
{
	(void)p;
}

size_t
package_entries(const struct package *p)
{
	return p->n;
}

const struct package_entry *
package_entry(const struct package *p, size_t i)
{
	must(i < p->n);
	return &p->list[i].entry;
}

ssize_t
package_find(const struct package *p, const char *name)
{
	struct zip_entry wanted = { .entry = { .name = name } };
	struct zip_entry *key = &wanted;
	struct zip_entry **found = bsearch(
	    &key, p->by_name, p->n, sizeof(struct zip_entry *), compare_names);

	if (found == NULL || strcmp((*found)->entry.name, name) != 0)
		return -1;
	return *found - p->list;
}

/* True: in is one deflated stream of exactly out->max bytes. *left_out: what
 * of in stands behind it. */
static bool
inflate_all(struct bytes in, struct buf *out, struct bytes *left_out)
{
	struct libdeflate_decompressor *z = libdeflate_alloc_decompressor();
	size_t taken = 0;
	uint8_t none;
	enum libdeflate_result result;

	must(z != NULL);
	result = libdeflate_deflate_decompress_ex(z, in.p, in.n,
	    out->max > 0 ? out->p : &none, out->max, &taken, NULL);
	libdeflate_free_decompressor(z);
	if (result != LIBDEFLATE_SUCCESS)
		return false;
	out->n = out->max;
	bytes_take(&in, taken);
	*left_out = in;
	return true;
}

bool
package_inflate(struct bytes in, struct buf *out)
{
	struct bytes left;

	return inflate_all(in, out, &left);
}

static bool
unpack(struct detox *d, const struct zip_entry *e, struct bytes in,
    struct buf *out)
{
	struct bytes left = { 0 };

	if (e->method == ZIP_STORED)
		must(buf_append(out, in) == 0);
	else if (!inflate_all(in, out, &left))
		return false;
	if (!e->unsummed && libdeflate_crc32(0, out->p, out->n) != e->crc)
		return false;
	if (left.n > 0)
		detox_removed(d, REMOVED_TRAILING, e->entry.name, left);
	return true;
}

/* With the passwords of the job, the one that opened the last entry first. */
static bool
open_with_any(struct detox *d, struct package *p, const struct zip_entry *e,
    struct bytes in, struct buf *plain, struct buf *out)
{
	size_t ways = password_ways(d);
	uint8_t room[DETOX_PASSWORD_MAX];
	struct bytes password;
	bool good = false;

	for (size_t k = 0; k < ways && !good; k++) {
		size_t way = (p->good + k) % ways;

		if (!password_way(d, way, room, &password) ||
		    !zip_secret_open(e, in, password, plain))
			continue;
		out->n = 0;
		good = unpack(d, e, buf_bytes(plain), out);
		if (good)
			p->good = way;
	}
	explicit_bzero(room, sizeof(room));
	return good;
}

static enum detox_result
read_secret(struct detox *d, struct package *p, const struct zip_entry *e,
    struct bytes in, struct buf *out)
{
	struct buf plain;
	bool good;

	buf_init(&plain, in.n);
	must(buf_reserve(&plain, in.n) == 0);
	good = open_with_any(d, p, e, in, &plain, out);
	buf_release(&plain);
	if (!good) {
		buf_release(out);
		return detox_locked(d, "an archive");
	}
	/* Once for all of its entries. */
	d->opened += !p->opened;
	p->opened = true;
	return DETOX_REBUILT;
}

enum detox_result
package_read(struct detox *d, struct package *p, size_t i, struct buf *out)
{
	const struct zip_entry *e = &p->list[i];
	struct bytes in = { p->zip.p + e->data, (size_t)e->entry.packed };

	must(i < p->n);
	buf_init(out, 0);
	if (detox_unpacked(d, e->entry.size, e->entry.packed) == DETOX_REFUSED)
		return DETOX_REFUSED;
	out->max = (size_t)e->entry.size;
	/* Its pages become memory only as they are written. */
	must(buf_reserve(out, out->max) == 0);
	if ((e->flags & ZIP_FLAG_ENCRYPTED) != 0)
		return read_secret(d, p, e, in, out);
	if (unpack(d, e, in, out))
		return DETOX_REBUILT;
	buf_release(out);
	detox_removed(d, REMOVED_DAMAGED, e->entry.name, in);
	return DETOX_REFUSED;
}
