/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read: entries by libarchive. Nothing that it says of sizes is believed: what
 * comes is counted as it comes.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "filters/archive/inside.h"

/* Bytes below which what was read so far is no bomb: the beginning of a file
 * may be a long run of zeros. */
#define RATIO_SO_FAR_FROM ((uint64_t)32 << 20)
#define EMPTY_BLOCKS_MAX 1000

/* Which of libarchive's readers, and below them which unpacking, is what a
 * type needs. */
static const struct {
	enum magic_type type;
	int filter;
	int (*formats[2])(struct archive *a);
} readers[] = {
	{ MAGIC_7Z, ARCHIVE_FILTER_NONE, { archive_read_support_format_7zip } },
	{ MAGIC_RAR, ARCHIVE_FILTER_NONE,
	    { archive_read_support_format_rar,
		archive_read_support_format_rar5 } },
	{ MAGIC_LZH, ARCHIVE_FILTER_NONE, { archive_read_support_format_lha } },
	{ MAGIC_CAB, ARCHIVE_FILTER_NONE, { archive_read_support_format_cab } },
	{ MAGIC_TAR, ARCHIVE_FILTER_NONE, { archive_read_support_format_tar } },
	{ MAGIC_ISO, ARCHIVE_FILTER_NONE,
	    { archive_read_support_format_iso9660 } },
	{ MAGIC_GZIP, ARCHIVE_FILTER_GZIP, { NULL } },
	{ MAGIC_BZIP2, ARCHIVE_FILTER_BZIP2, { NULL } },
	{ MAGIC_XZ, ARCHIVE_FILTER_XZ, { NULL } },
	{ MAGIC_ZSTD, ARCHIVE_FILTER_ZSTD, { NULL } },
};

/* What a packed stream is taken for. A file that begins with zeros looks like
 * a tar without entries, so that one of these is read once more. */
enum packed {
	PACKED_TAR_OR_FILE,
	PACKED_FILE,
};

/* What a packed file's name says that is in it. */
static const struct {
	const char *extension;
	const char *becomes;
} packed_extensions[] = {
	{ "tgz", ".tar" },
	{ "tbz", ".tar" },
	{ "tbz2", ".tar" },
	{ "txz", ".tar" },
	{ "tzst", ".tar" },
	{ "svgz", ".svg" },
	{ "emz", ".emf" },
	{ "wmz", ".wmf" },
};

static const char *const words_link[2] = { "リンクです", "it is a link" };
static const char *const words_large[2] = { "大きすぎます", "it is too large" };
static const char *const words_damaged[2] = { "壊れています", "it is broken" };

struct reading {
	struct detox *d;
	const struct detox_object *o;
	struct pack *pack;
	struct archive *a;
	enum name_charset charset;
	uint64_t unpacked; /* bytes that came, of all entries */
	unsigned entries;
	bool open;
};

enum content {
	CONTENT_REFUSED = 0, /* with all else */
	CONTENT_WHOLE,
	CONTENT_DAMAGED,
	CONTENT_TOO_LARGE,
};

static enum detox_result
refuse_archive(struct reading *r)
{
	/* libarchive follows a pointer to nowhere when it knew no format. */
	if (r->open && archive_read_has_encrypted_entries(r->a) > 0)
		return detox_refuse(
		    r->d, REFUSED_ENCRYPTED, "an entry is encrypted");
	if (archive_errno(r->a) == ENOMEM)
		return detox_refuse(
		    r->d, REFUSED_MEMORY, "it needs more memory than there is");
	return detox_refuse(
	    r->d, REFUSED_BROKEN, "it cannot be read to its end");
}

/* Content. */

static bool
is_bomb(const struct reading *r)
{
	uint64_t ratio = r->d->profile->ratio_max;
	la_int64_t so_far = archive_filter_bytes(r->a, -1);

	return (r->unpacked > DETOX_ANY_RATIO_MAX &&
		   r->unpacked > r->o->content.n * ratio) ||
	    (r->unpacked > RATIO_SO_FAR_FROM && so_far > 0 &&
		r->unpacked > (uint64_t)so_far * ratio);
}

/* Before n bytes more are taken; what they are packed in is the archive. */
static enum detox_result
count(struct reading *r, uint64_t n)
{
	if (detox_unpacked(r->d, n, 0) == DETOX_REFUSED)
		return DETOX_REFUSED;
	r->unpacked += n;
	if (is_bomb(r))
		return detox_refuse(r->d, REFUSED_BOMB,
		    "it unpacks to more than %u times its size",
		    r->d->profile->ratio_max);
	return DETOX_REBUILT;
}

/* What comes next, behind a hole of zeros; false: it is more than may be. */
static bool
append(struct buf *out, uint64_t hole, struct bytes b)
{
	if (hole > out->max - out->n || b.n > out->max - out->n - hole)
		return false;
	if (hole > 0) {
		must(buf_reserve(out, (size_t)hole) == 0);
		memset(out->p + out->n, 0, (size_t)hole);
		out->n += (size_t)hole;
	}
	must(buf_append(out, b) == 0);
	return true;
}

/* Nothing follows that would be kept. */
static bool
is_single_file(const struct reading *r)
{
	return archive_format(r->a) == ARCHIVE_FORMAT_RAW;
}

/* A block is counted, also when it is not kept. */
static enum content
take_block(struct reading *r, struct buf *out, uint64_t hole, struct bytes b,
    enum content so_far)
{
	if (count(r, hole) == DETOX_REFUSED || count(r, b.n) == DETOX_REFUSED)
		return CONTENT_REFUSED;
	if (so_far != CONTENT_WHOLE || append(out, hole, b))
		return so_far;
	buf_release(out);
	return CONTENT_TOO_LARGE;
}

static enum content
read_content(struct reading *r, struct buf *out)
{
	enum content result = CONTENT_WHOLE;
	unsigned empty = 0;
	uint64_t at = 0;

	while (result != CONTENT_REFUSED &&
	    !(result == CONTENT_TOO_LARGE && is_single_file(r))) {
		const void *p = NULL;
		struct bytes b = { 0 };
		la_int64_t offset = 0;
		int status = archive_read_data_block(r->a, &p, &b.n, &offset);

		if (status == ARCHIVE_EOF)
			break;
		if (status == ARCHIVE_FAILED ||
		    (b.n == 0 && ++empty > EMPTY_BLOCKS_MAX))
			return CONTENT_DAMAGED;
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
			(void)refuse_archive(r);
			return CONTENT_REFUSED;
		}
		if (status == ARCHIVE_WARN || offset < (la_int64_t)at)
			result = CONTENT_DAMAGED;
		if (result == CONTENT_DAMAGED)
			offset = (la_int64_t)at;
		b.p = p;
		result = take_block(r, out, (uint64_t)offset - at, b, result);
		at = (uint64_t)offset + b.n;
	}
	return result;
}

static enum detox_result
read_file(struct reading *r, const struct name *n)
{
	enum detox_result result = DETOX_REFUSED;
	struct buf content;

	buf_init(&content, r->d->profile->in_max);
	switch (read_content(r, &content)) {
	case CONTENT_REFUSED:
		break;
	case CONTENT_WHOLE:
		result = pack_file(r->d, r->pack, n, buf_bytes(&content));
		break;
	case CONTENT_DAMAGED:
		detox_removed(
		    r->d, REMOVED_DAMAGED, n->path, buf_bytes(&content));
		pack_left_out(r->pack, n, words_damaged);
		result = DETOX_REBUILT;
		break;
	case CONTENT_TOO_LARGE:
		if (is_single_file(r)) {
			detox_refuse(r->d, REFUSED_SIZE,
			    "it unpacks to more than %zu bytes", content.max);
			break;
		}
		detox_removed(
		    r->d, REMOVED_REFUSED, n->path, (struct bytes){ 0 });
		pack_left_out(r->pack, n, words_large);
		result = DETOX_REBUILT;
		break;
	}
	buf_release(&content);
	return result;
}

/* Entries. */

/* What stays inside is left out: a copy by another name is not worth what a
 * reader that follows it may do. */
static enum detox_result
leave_link(struct reading *r, const struct name *n, const char *target,
    enum name_link kind)
{
	if (name_link_leaves(bytes_of(n->path), bytes_of(target), kind))
		return detox_refuse(
		    r->d, REFUSED_PATH, "a link leads out of it");
	detox_removed(r->d, REMOVED_LINK, n->path, (struct bytes){ 0 });
	pack_left_out(r->pack, n, words_link);
	return DETOX_REBUILT;
}

/* A packed file has its name from the object, as "a.txt.gz" has "a.txt". */
static struct bytes
name_of_packed(struct reading *r)
{
	struct bytes name = r->o->name;
	struct bytes extension = detox_extension(name);
	const char *becomes = "";

	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\') {
			bytes_take(&name, i);
			break;
		}
	for (size_t i = 0; i < COUNT(packed_extensions); i++)
		if (bytes_equal_nocase(
			extension, bytes_of(packed_extensions[i].extension)))
			becomes = packed_extensions[i].becomes;
	if (extension.n > 0)
		name.n -= extension.n + 1;
	if (name.n == 0)
		return BYTES("data");
	return bytes_of(
	    arena_printf(&r->d->arena, "%.*s%s", BYTES_PRINTF(name), becomes));
}

static struct bytes
raw_name(struct reading *r, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);

	if (is_single_file(r))
		return name_of_packed(r);
	return bytes_of(name != NULL ? name : archive_entry_pathname_utf8(e));
}

static enum detox_result
read_entry(struct reading *r, struct archive_entry *e)
{
	struct name n;
	const char *link;

	r->entries++;
	if (detox_entry(r->d) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (archive_entry_is_encrypted(e))
		return detox_refuse(
		    r->d, REFUSED_ENCRYPTED, "an entry is encrypted");
	if (name_clean(r->d, raw_name(r, e), r->charset, &n) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if ((link = archive_entry_hardlink(e)) != NULL)
		return leave_link(r, &n, link, NAME_LINK_HARD);
	if ((link = archive_entry_symlink(e)) != NULL)
		return leave_link(r, &n, link, NAME_LINK_SYMBOLIC);
	switch (archive_entry_filetype(e)) {
	case AE_IFDIR:
		n.folder = true;
		return pack_folder(r->d, r->pack, &n);
	case AE_IFREG:
	case 0:
		if (n.path[0] == '\0')
			return detox_refuse(
			    r->d, REFUSED_PATH, "an entry has no name");
		n.folder = false;
		return read_file(r, &n);
	}
	return detox_refuse(
	    r->d, REFUSED_PATH, "an entry is a link or a device");
}

static enum detox_result
read_entries(struct reading *r)
{
	struct archive_entry *e;
	int status;

	for (;;) {
		status = archive_read_next_header(r->a, &e);
		if (status == ARCHIVE_EOF)
			break;
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return refuse_archive(r);
		if (read_entry(r, e) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	if (archive_read_has_encrypted_entries(r->a) > 0)
		return refuse_archive(r);
	return DETOX_REBUILT;
}

static int
support_packed(struct archive *a, enum packed packed)
{
	if (packed == PACKED_TAR_OR_FILE &&
	    archive_read_support_format_tar(a) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	if (archive_read_support_format_empty(a) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	return archive_read_support_format_raw(a);
}

static int
support(struct archive *a, enum magic_type t, enum packed packed)
{
	size_t i = 0;

	while (i < COUNT(readers) && readers[i].type != t)
		i++;
	if (i == COUNT(readers))
		return ARCHIVE_FATAL;
	for (size_t k = 0; k < COUNT(readers[i].formats); k++)
		if (readers[i].formats[k] != NULL &&
		    readers[i].formats[k](a) != ARCHIVE_OK)
			return ARCHIVE_FATAL;
	if (readers[i].filter != ARCHIVE_FILTER_NONE &&
	    support_packed(a, packed) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	/* That one, once: not what lies below it. */
	return archive_read_append_filter(a, readers[i].filter);
}

static enum detox_result
read_archive(struct reading *r, enum magic_type t, enum packed packed)
{
	enum detox_result result;

	r->a = archive_read_new();
	must(r->a != NULL);
	r->open = support(r->a, t, packed) == ARCHIVE_OK &&
	    archive_read_open_memory(r->a, r->o->content.p, r->o->content.n) ==
		ARCHIVE_OK;
	result = r->open ? read_entries(r) : refuse_archive(r);
	archive_read_free(r->a);
	r->a = NULL;
	return result;
}

/* Of an empty file, packed, without the name that gzip may have (RFC 1952). */
#define EMPTY_MAX 40
#define GZIP_NAME_AT 10
#define GZIP_HAS_NAME 0x08

static bool
may_be_empty(struct bytes b, enum magic_type t)
{
	if (t == MAGIC_GZIP && b.n > GZIP_NAME_AT &&
	    (b.p[3] & GZIP_HAS_NAME) != 0) {
		bytes_take(&b, GZIP_NAME_AT);
		bytes_take_until(&b, '\0');
	}
	return b.n <= EMPTY_MAX;
}

/* Nothing was in a packed stream, not even a file. libarchive says the same of
 * one that cannot be unpacked from its beginning on. */
static enum detox_result
pack_empty(struct reading *r, enum magic_type t)
{
	struct name n;

	if (!may_be_empty(r->o->content, t))
		return detox_refuse(
		    r->d, REFUSED_BROKEN, "it cannot be unpacked");

	if (name_clean(r->d, name_of_packed(r), r->charset, &n) ==
	    DETOX_REFUSED)
		return DETOX_REFUSED;
	return pack_file(r->d, r->pack, &n, (struct bytes){ 0 });
}

enum detox_result
archives_read_other(struct detox *d, enum magic_type t,
    const struct detox_object *o, struct pack *p)
{
	locale_t old = archives_locale();
	bool packed = t == MAGIC_GZIP || t == MAGIC_BZIP2 || t == MAGIC_XZ ||
	    t == MAGIC_ZSTD;
	struct reading r = { .d = d,
		.o = o,
		.pack = p,
		.charset = packed || t == MAGIC_TAR ? NAME_GUESS : NAME_CP932 };
	enum detox_result result = read_archive(&r, t, PACKED_TAR_OR_FILE);

	if (packed && result == DETOX_REBUILT && r.entries == 0)
		result = read_archive(&r, t, PACKED_FILE);
	if (packed && result == DETOX_REBUILT && r.entries == 0)
		result = pack_empty(&r, t);
	/* None is made so, but libarchive reads a mark alone. */
	if (t == MAGIC_RAR && result == DETOX_REBUILT && r.entries == 0)
		result = detox_refuse(d, REFUSED_BROKEN, "it has no entries");
	uselocale(old);
	return result;
}
