/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/cfb.h"

#include "filters/ole/le.h"

#define HEADER_SIZE 512
#define HEADER_DIFAT 109 /* FAT sectors that the header itself names */
#define ENTRY_SIZE 128
#define MINI_SECTOR 64
#define MINI_CUTOFF 4096 /* smaller streams live in the mini stream */
#define SECTOR_MAX 0xfffffffau
#define NO_SIZE UINT64_MAX

static enum detox_result
broken(struct cfb *c, const char *why)
{
	return detox_refuse(c->d, REFUSED_BROKEN, "a compound file %s", why);
}

static int
init_used(struct buf *b, size_t n)
{
	buf_init(b, n);
	if (n == 0)
		return 0;
	if (buf_reserve(b, n) < 0)
		return -1;
	memset(b->p, 0, n);
	b->n = n;
	return 0;
}

/* A sector's bytes become someone's. 0, or -1: not there, or someone else's.
 * The last one may be cut. */
static int
take_sector(struct cfb *c, uint32_t s, struct buf *out)
{
	static const uint8_t zeros[4096];
	size_t at = ((size_t)s + 1) * c->sector;
	struct bytes b = { c->file.p + at, c->sector };

	if (s >= c->sectors || c->used.p[s] != 0)
		return -1;
	c->used.p[s] = 1;
	if (b.n > c->file.n - at)
		b.n = c->file.n - at;
	if (buf_append(out, b) < 0)
		return -1;
	return buf_append(out, (struct bytes){ zeros, c->sector - b.n });
}

static uint32_t
next_of(const struct buf *table, uint32_t s)
{
	if ((size_t)s * 4 + 4 > table->n)
		return SECTOR_MAX;
	return le32(table->p + (size_t)s * 4);
}

/* The chain from s; it ends by itself (NO_SIZE) or when it has that many
 * bytes. */
static int
take_chain(struct cfb *c, uint32_t s, uint64_t size, struct buf *out)
{
	while (out->n < size && s < SECTOR_MAX) {
		if (take_sector(c, s, out) < 0)
			return -1;
		s = next_of(&c->fat, s);
	}
	return size == NO_SIZE || out->n >= size ? 0 : -1;
}

static int
take_mini_chain(struct cfb *c, uint32_t s, uint64_t size, struct buf *out)
{
	while (out->n < size && s < SECTOR_MAX) {
		if (s >= c->mini_used.n || c->mini_used.p[s] != 0)
			return -1;
		c->mini_used.p[s] = 1;
		if (buf_append(out,
			(struct bytes){ c->mini.p + (size_t)s * MINI_SECTOR,
			    MINI_SECTOR }) < 0)
			return -1;
		s = next_of(&c->minifat, s);
	}
	return out->n >= size ? 0 : -1;
}

/* Sectors of the FAT that these words name; how many words were used up, so
 * that the table covers all sectors. */
static int
take_fat_sectors(struct cfb *c, const uint8_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t s = le32(words + i * 4);

		if (c->fat.n / 4 >= c->sectors)
			return 0;
		if (s < SECTOR_MAX && take_sector(c, s, &c->fat) < 0)
			return -1;
	}
	return 0;
}

static int
read_fat(struct cfb *c)
{
	uint32_t s = le32(c->file.p + 0x44);
	size_t words = c->sector / 4 - 1;
	struct buf difat;
	int result;

	if (take_fat_sectors(c, c->file.p + 0x4c, HEADER_DIFAT) < 0)
		return -1;
	while (s < SECTOR_MAX && c->fat.n / 4 < c->sectors) {
		buf_init(&difat, c->sector);
		result = take_sector(c, s, &difat);
		if (result == 0)
			result = take_fat_sectors(c, difat.p, words);
		s = result == 0 ? le32(difat.p + words * 4) : 0;
		buf_release(&difat);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* [MS-CFB] 2.6.1: no name has one of these. */
static bool
is_permitted(uint16_t unit)
{
	return unit != 0 && unit != '/' && unit != '\\' && unit != ':' &&
	    unit != '!';
}

static void
parse_name(struct cfb_entry *e, const uint8_t *p)
{
	size_t n = le16(p + 64);

	if (n < 4 || n % 2 != 0 || n > 64 || le16(p + n - 2) != 0)
		return;
	n = n / 2 - 1;
	for (size_t i = 0; i < n; i++) {
		e->name[i] = le16(p + i * 2);
		if (!is_permitted(e->name[i]))
			return;
	}
	e->name_n = n;
}

static void
parse_entry(const struct cfb *c, struct cfb_entry *e, const uint8_t *p)
{
	switch (p[66]) {
	case CFB_STORAGE:
	case CFB_STREAM:
	case CFB_ROOT:
		e->kind = (enum cfb_kind)p[66];
		break;
	default:
		return;
	}
	parse_name(e, p);
	e->left = le32(p + 68);
	e->right = le32(p + 72);
	e->child = le32(p + 76);
	e->clsid = p + 80;
	e->start = le32(p + 116);
	e->size = le32(p + 120);
	/* Version 3 leaves anything in the upper half. */
	if (c->sector > HEADER_SIZE)
		e->size |= (uint64_t)le32(p + 124) << 32;
	e->parent = CFB_NO_ENTRY;
	e->first = e->next = CFB_NO_ENTRY;
}

/* Puts an entry that the tree names on the stack. 0; -1: named twice, or not
 * there. */
static int
reach(struct cfb *c, uint32_t i, uint32_t parent, uint32_t *stack, size_t *n)
{
	struct cfb_entry *e;

	if (i == CFB_NO_ENTRY)
		return 0;
	if (i == 0 || i >= c->entries_n || c->entries[i].reached)
		return -1;
	e = &c->entries[i];
	if (e->kind != CFB_STORAGE && e->kind != CFB_STREAM)
		return -1;
	e->reached = true;
	e->parent = parent;
	e->top = parent == 0 ? i : c->entries[parent].top;
	stack[(*n)++] = i;
	if (e->kind == CFB_STORAGE && detox_entry(c->d) == DETOX_REFUSED)
		return -1;
	return 0;
}

/* The tree's order is that of names, in which a damaged file is not. */
static void
link_children(struct cfb *c)
{
	for (uint32_t i = c->entries_n; i-- > 1;) {
		struct cfb_entry *e = &c->entries[i];

		if (!e->reached)
			continue;
		e->next = c->entries[e->parent].first;
		c->entries[e->parent].first = i;
	}
}

static int
walk_tree(struct cfb *c)
{
	uint32_t *stack = ARENA_ARRAY(&c->d->arena, uint32_t, c->entries_n);
	size_t n = 0;

	c->entries[0].reached = true;
	if (reach(c, c->entries[0].child, 0, stack, &n) < 0)
		return -1;
	while (n > 0) {
		uint32_t i = stack[--n];
		const struct cfb_entry *e = &c->entries[i];

		if (reach(c, e->left, e->parent, stack, &n) < 0 ||
		    reach(c, e->right, e->parent, stack, &n) < 0)
			return -1;
		if (e->kind == CFB_STORAGE &&
		    reach(c, e->child, i, stack, &n) < 0)
			return -1;
	}
	return 0;
}

static enum detox_result
read_directory(struct cfb *c)
{
	if (take_chain(c, le32(c->file.p + 0x30), NO_SIZE, &c->directory) < 0 ||
	    c->directory.n < ENTRY_SIZE)
		return broken(c, "has no directory");
	c->entries_n = (uint32_t)(c->directory.n / ENTRY_SIZE);
	c->entries = ARENA_ARRAY(&c->d->arena, struct cfb_entry, c->entries_n);
	for (uint32_t i = 0; i < c->entries_n; i++)
		parse_entry(
		    c, &c->entries[i], c->directory.p + (size_t)i * ENTRY_SIZE);
	if (c->entries[0].kind != CFB_ROOT)
		return broken(c, "has no root");
	if (walk_tree(c) < 0)
		return broken(c, "has a directory that is no tree");
	link_children(c);
	return DETOX_REBUILT;
}

/* A file without small streams may say anything here; those who are in it then
 * cannot be read. */
static void
read_mini(struct cfb *c)
{
	const struct cfb_entry *root = &c->entries[0];

	if (take_chain(c, le32(c->file.p + 0x3c), NO_SIZE, &c->minifat) < 0)
		c->minifat.n = 0;
	if (root->size == 0 ||
	    take_chain(c, root->start, root->size, &c->mini) < 0)
		c->mini.n = c->mini.n / MINI_SECTOR * MINI_SECTOR;
	if (init_used(&c->mini_used, c->mini.n / MINI_SECTOR) < 0)
		c->mini_used.n = 0;
}

static enum detox_result
read_header(struct cfb *c)
{
	const uint8_t *p = c->file.p;
	unsigned version, shift;

	if (c->file.n < HEADER_SIZE ||
	    !bytes_start_with(
		c->file, BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")))
		return broken(c, "has no header");
	version = le16(p + 0x1a);
	shift = le16(p + 0x1e);
	if (le16(p + 0x1c) != 0xfffe || le16(p + 0x20) != 6 ||
	    !((version == 3 && shift == 9) || (version == 4 && shift == 12)))
		return broken(c, "is of no known version");
	c->sector = (size_t)1 << shift;
	if (c->file.n <= c->sector)
		return broken(c, "has no sectors");
	if (c->file.n / c->sector > SECTOR_MAX / 2)
		return broken(c, "has too many sectors");
	c->sectors =
	    (uint32_t)((c->file.n - c->sector + c->sector - 1) / c->sector);
	return DETOX_REBUILT;
}

enum detox_result
cfb_open(struct cfb *c, struct detox *d, struct bytes file)
{
	/* Nothing gets longer than the file, but for the end of its last
	 * sector. */
	size_t max = file.n + 4096;

	memset(c, 0, sizeof(*c));
	c->d = d;
	c->file = file;
	buf_init(&c->fat, max);
	buf_init(&c->minifat, max);
	buf_init(&c->mini, max);
	buf_init(&c->directory, max);
	if (read_header(c) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (init_used(&c->used, c->sectors) < 0)
		return detox_refuse(
		    d, REFUSED_MEMORY, "no memory for a compound file");
	if (read_fat(c) < 0)
		return broken(c, "has a broken table of sectors");
	if (read_directory(c) == DETOX_REFUSED)
		return DETOX_REFUSED;
	read_mini(c);
	return DETOX_REBUILT;
}

void
cfb_close(struct cfb *c)
{
	buf_release(&c->fat);
	buf_release(&c->minifat);
	buf_release(&c->mini);
	buf_release(&c->directory);
	buf_release(&c->used);
	buf_release(&c->mini_used);
}

static uint16_t
lower(uint16_t unit)
{
	return unit >= 'A' && unit <= 'Z' ? (uint16_t)(unit | 0x20) : unit;
}

bool
cfb_is_named(const struct cfb_entry *e, const char *name)
{
	size_t n = strlen(name);

	if (e->name_n != n || n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(e->name[i]) != lower((uint8_t)name[i]))
			return false;
	return true;
}

/* From i on, among those that are held with it. */
static uint32_t
find_from(const struct cfb *c, uint32_t i, const char *name)
{
	while (i != CFB_NO_ENTRY && !cfb_is_named(&c->entries[i], name))
		i = c->entries[i].next;
	return i;
}

uint32_t
cfb_find(const struct cfb *c, uint32_t parent, const char *name)
{
	return find_from(c, c->entries[parent].first, name);
}

bool
cfb_is_double(const struct cfb *c, uint32_t parent, const char *name)
{
	uint32_t i = cfb_find(c, parent, name);

	return i != CFB_NO_ENTRY &&
	    find_from(c, c->entries[i].next, name) != CFB_NO_ENTRY;
}

int
cfb_read(struct cfb *c, uint32_t entry, struct buf *out)
{
	const struct cfb_entry *e = &c->entries[entry];
	int result;

	buf_init(out, c->file.n + 4096);
	if (e->kind != CFB_STREAM || e->size > c->file.n)
		return -1;
	if (e->size == 0)
		return 0;
	if (e->size < MINI_CUTOFF)
		result = take_mini_chain(c, e->start, e->size, out);
	else
		result = take_chain(c, e->start, e->size, out);
	if (result == 0)
		out->n = (size_t)e->size;
	return result;
}

const char *
cfb_label(const struct cfb *c, uint32_t entry)
{
	const struct cfb_entry *e = &c->entries[entry];
	char name[CFB_NAME_MAX + 1];
	size_t n = 0;
	const char *path = "";

	/* Storages within storages: deeper than this no report can show. */
	if (e->parent != CFB_NO_ENTRY && e->parent != 0 &&
	    c->entries[e->parent].parent == 0)
		path =
		    arena_printf(&c->d->arena, "%s/", cfb_label(c, e->parent));
	else if (e->parent != CFB_NO_ENTRY && e->parent != 0)
		path = ".../";
	for (size_t i = 0; i < e->name_n; i++)
		if (e->name[i] >= 0x20)
			name[n++] = e->name[i] < 0x7f ? (char)e->name[i] : '?';
	name[n] = '\0';
	return arena_printf(&c->d->arena, "%s%s", path, name);
}
