/* SPDX-License-Identifier: Apache-2.0 */
/* cfb_write: header, large streams, mini stream, its table, directory, FAT,
 * DIFAT, in that order; all that is not used is zero. */
#include "filters/ole/cfb.h"
#include "filters/ole/le.h"

#define SECTOR 512
#define WORDS (SECTOR / 4)
#define ENTRY_SIZE 128
#define ENTRIES_A_SECTOR (SECTOR / ENTRY_SIZE)
#define MINI_SECTOR 64
#define MINI_CUTOFF 4096
#define HEADER_DIFAT 109
#define NONE 0xffffffffu
#define END_OF_CHAIN 0xfffffffeu
#define FAT_SECTOR 0xfffffffdu
#define DIFAT_SECTOR 0xfffffffcu

/* Where a run of sectors stands. */
struct run {
	uint32_t start, n;
};

struct layout {
	const struct cfb_part *parts;
	size_t parts_n;
	struct run streams[CFB_PARTS_MAX]; /* of sectors, or of mini sectors */
	struct run mini, minifat, directory, fat, difat;
	uint32_t mini_sectors;
	/* The order of the directory, and who is left and right of whom. */
	size_t order[CFB_PARTS_MAX];
	uint32_t left[CFB_PARTS_MAX], right[CFB_PARTS_MAX];
	bool red[CFB_PARTS_MAX];
	uint32_t top;
};

static uint32_t
count_of(size_t n, size_t each)
{
	return (uint32_t)((n + each - 1) / each);
}

static bool
is_mini(const struct cfb_part *p)
{
	return p->content.n < MINI_CUTOFF;
}

static struct run
run_of(uint32_t *next, uint32_t n)
{
	struct run r = { *next, n };

	*next += n;
	return r;
}

static void
lay_out(struct layout *l)
{
	uint32_t next = 0, mini = 0, fat = 0, difat = 0;

	for (size_t i = 0; i < l->parts_n; i++)
		if (is_mini(&l->parts[i]))
			l->streams[i] = run_of(&mini,
			    count_of(l->parts[i].content.n, MINI_SECTOR));
		else
			l->streams[i] = run_of(
			    &next, count_of(l->parts[i].content.n, SECTOR));
	l->mini_sectors = mini;
	l->mini = run_of(&next, count_of((size_t)mini * MINI_SECTOR, SECTOR));
	l->minifat = run_of(&next, count_of((size_t)mini * 4, SECTOR));
	l->directory =
	    run_of(&next, count_of(l->parts_n + 1, ENTRIES_A_SECTOR));
	/* The FAT also has words for itself and for the DIFAT. */
	for (uint32_t again = NONE; again != fat + difat;) {
		again = fat + difat;
		fat = count_of((size_t)next + again, WORDS);
		difat = fat <= HEADER_DIFAT
		    ? 0
		    : count_of(fat - HEADER_DIFAT, WORDS - 1);
	}
	l->fat = run_of(&next, fat);
	l->difat = run_of(&next, difat);
}

/* [MS-CFB] 2.6.4: the shorter name first, then by upper case. */
static bool
stands_before(const char *a, const char *b)
{
	size_t a_n = strlen(a), b_n = strlen(b);

	if (a_n != b_n)
		return a_n < b_n;
	for (size_t i = 0; i < a_n; i++) {
		int x = a[i] >= 'a' && a[i] <= 'z' ? a[i] - 0x20 : a[i];
		int y = b[i] >= 'a' && b[i] <= 'z' ? b[i] - 0x20 : b[i];

		if (x != y)
			return x < y;
	}
	return false;
}

static void
sort_names(struct layout *l)
{
	for (size_t i = 0; i < l->parts_n; i++) {
		size_t at = i;

		for (; at > 0 &&
		     stands_before(
			 l->parts[i].name, l->parts[l->order[at - 1]].name);
		     at--)
			l->order[at] = l->order[at - 1];
		l->order[at] = i;
	}
}

/* A tree of order[from..to), its lowest level red: levels above are full. The
 * number of an entry is its place in order, + 1. */
static uint32_t
plant(struct layout *l, size_t from, size_t to, size_t depth)
{
	size_t middle = from + (to - from) / 2;

	if (from >= to)
		return NONE;
	l->left[middle] = plant(l, from, middle, depth + 1);
	l->right[middle] = plant(l, middle + 1, to, depth + 1);
	l->red[middle] = ((size_t)2 << depth) - 1 > l->parts_n && depth > 0;
	return (uint32_t)middle + 1;
}

static void
put_chain(uint8_t *table, struct run r)
{
	for (uint32_t i = 0; i < r.n; i++)
		put_le32(table + ((size_t)r.start + i) * 4,
		    i + 1 < r.n ? r.start + i + 1 : END_OF_CHAIN);
}

static void
put_kind(uint8_t *table, struct run r, uint32_t kind)
{
	for (uint32_t i = 0; i < r.n; i++)
		put_le32(table + ((size_t)r.start + i) * 4, kind);
}

static uint8_t *
sector_at(uint8_t *file, uint32_t s)
{
	return file + ((size_t)s + 1) * SECTOR;
}

static uint32_t
start_of(struct run r)
{
	return r.n > 0 ? r.start : END_OF_CHAIN;
}

static void
put_header(uint8_t *file, const struct layout *l)
{
	static const uint8_t magic[] = { 0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1,
		0x1a, 0xe1 };

	memcpy(file, magic, sizeof(magic));
	put_le16(file + 0x18, 0x3e);
	put_le16(file + 0x1a, 3);
	put_le16(file + 0x1c, 0xfffe);
	put_le16(file + 0x1e, 9);
	put_le16(file + 0x20, 6);
	put_le32(file + 0x2c, l->fat.n);
	put_le32(file + 0x30, l->directory.start);
	put_le32(file + 0x38, MINI_CUTOFF);
	put_le32(file + 0x3c, start_of(l->minifat));
	put_le32(file + 0x40, l->minifat.n);
	put_le32(file + 0x44, start_of(l->difat));
	put_le32(file + 0x48, l->difat.n);
	for (uint32_t i = 0; i < HEADER_DIFAT; i++)
		put_le32(file + 0x4c + (size_t)i * 4,
		    i < l->fat.n ? l->fat.start + i : NONE);
}

static void
put_difat(uint8_t *file, const struct layout *l)
{
	uint32_t next = HEADER_DIFAT;

	for (uint32_t s = 0; s < l->difat.n; s++) {
		uint8_t *p = sector_at(file, l->difat.start + s);

		for (uint32_t i = 0; i < WORDS - 1; i++, next++)
			put_le32(p + (size_t)i * 4,
			    next < l->fat.n ? l->fat.start + next : NONE);
		put_le32(p + SECTOR - 4,
		    s + 1 < l->difat.n ? l->difat.start + s + 1 : END_OF_CHAIN);
	}
}

static void
put_fat(uint8_t *file, const struct layout *l)
{
	uint8_t *fat = sector_at(file, l->fat.start);

	memset(fat, 0xff, (size_t)l->fat.n * SECTOR);
	for (size_t i = 0; i < l->parts_n; i++)
		if (!is_mini(&l->parts[i]))
			put_chain(fat, l->streams[i]);
	put_chain(fat, l->mini);
	put_chain(fat, l->minifat);
	put_chain(fat, l->directory);
	put_kind(fat, l->fat, FAT_SECTOR);
	put_kind(fat, l->difat, DIFAT_SECTOR);
}

static void
put_contents(uint8_t *file, const struct layout *l)
{
	uint8_t *mini = sector_at(file, l->mini.start);
	uint8_t *minifat = sector_at(file, l->minifat.start);

	memset(minifat, 0xff, (size_t)l->minifat.n * SECTOR);
	for (size_t i = 0; i < l->parts_n; i++) {
		const struct cfb_part *p = &l->parts[i];
		size_t start = l->streams[i].start;

		if (p->content.n == 0)
			continue;
		if (is_mini(p)) {
			memcpy(mini + start * MINI_SECTOR, p->content.p,
			    p->content.n);
			put_chain(minifat, l->streams[i]);
		} else {
			memcpy(sector_at(file, (uint32_t)start), p->content.p,
			    p->content.n);
		}
	}
}

static void
put_name(uint8_t *p, const char *name)
{
	size_t n = strlen(name);

	must(n <= CFB_NAME_MAX);
	for (size_t i = 0; i < n; i++)
		put_le16(p + i * 2, (uint8_t)name[i]);
	put_le16(p + 64, (uint32_t)(n + 1) * 2);
}

static void
put_tree(uint8_t *p, uint32_t left, uint32_t right, uint32_t child)
{
	put_le32(p + 68, left);
	put_le32(p + 72, right);
	put_le32(p + 76, child);
}

static void
put_directory(uint8_t *file, const struct layout *l, const uint8_t *clsid)
{
	uint8_t *p = sector_at(file, l->directory.start);

	put_name(p, "Root Entry");
	p[66] = CFB_ROOT;
	p[67] = 1;
	put_tree(p, NONE, NONE, l->top);
	memcpy(p + 80, clsid, CFB_CLSID_SIZE);
	put_le32(p + 116, start_of(l->mini));
	put_le32(p + 120, l->mini_sectors * MINI_SECTOR);
	for (size_t i = 1; i < (size_t)l->directory.n * ENTRIES_A_SECTOR; i++) {
		size_t part;

		p += ENTRY_SIZE;
		put_tree(p, NONE, NONE, NONE);
		if (i > l->parts_n)
			continue;
		part = l->order[i - 1];
		put_name(p, l->parts[part].name);
		p[66] = CFB_STREAM;
		p[67] = !l->red[i - 1];
		put_tree(p, l->left[i - 1], l->right[i - 1], NONE);
		put_le32(p + 116, start_of(l->streams[part]));
		put_le32(p + 120, (uint32_t)l->parts[part].content.n);
	}
}

enum detox_result
cfb_write(struct detox *d, const uint8_t clsid[CFB_CLSID_SIZE],
    const struct cfb_part *parts, size_t n, struct detox_output *out)
{
	struct layout l = { .parts = parts, .parts_n = n };
	size_t size, total = 0;

	must(n <= CFB_PARTS_MAX);
	for (size_t i = 0; i < n; i++)
		total = size_add(total, parts[i].content.n);
	/* Beyond 2 GB the format has a hole that others lock. */
	if (total > INT32_MAX / 2)
		return detox_refuse(
		    d, REFUSED_SIZE, "a compound file of %zu bytes", total);
	sort_names(&l);
	lay_out(&l);
	l.top = plant(&l, 0, n, 0);
	size = ((size_t)1 + l.difat.start + l.difat.n) * SECTOR;
	if (buf_reserve(&out->content, size) < 0)
		return detox_refuse(d, REFUSED_SIZE,
		    "more than %zu bytes come out", out->content.max);
	memset(out->content.p + out->content.n, 0, size);
	put_header(out->content.p + out->content.n, &l);
	put_contents(out->content.p + out->content.n, &l);
	put_directory(out->content.p + out->content.n, &l, clsid);
	put_fat(out->content.p + out->content.n, &l);
	put_difat(out->content.p + out->content.n, &l);
	out->content.n += size;
	return DETOX_REBUILT;
}
