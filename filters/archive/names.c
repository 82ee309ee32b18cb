/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/archive/names.h"

#include "filters/text/utf8.h"

#define SIZE_FIRST 256

struct names_node {
	struct names_node *next;
	uint64_t hash;
	struct bytes folded; /* of the whole path, or of its first folders */
	const char *path;    /* as it was given; NULL: of a folder */
	bool ours;
	unsigned counter; /* the last one that was given for it */
};

/* FNV-1a; who makes many the same makes their own job slow. */
static uint64_t
hash_byte(uint64_t hash, uint8_t byte)
{
	return (hash ^ byte) * 0x100000001b3u;
}
#define HASH_FIRST 0xcbf29ce484222325u

static size_t
place(const struct names *s, uint64_t hash)
{
	return (size_t)((hash ^ hash >> 32) & (s->size - 1));
}

/* Capital letters that have a small one at a fixed distance. */
static uint32_t
fold_wide(uint32_t c)
{
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || /* Latin */
	    (c >= 0x391 && c <= 0x3a9) ||            /* Greek */
	    (c >= 0x410 && c <= 0x42f) ||            /* Cyrillic */
	    (c >= 0xff21 && c <= 0xff3a))            /* full width */
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + c % 2;
	return c;
}

/* In place: no fold makes a character of another length. */
static void
fold(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t c;

		if (p[i] >= 'A' && p[i] <= 'Z') {
			p[i] |= 0x20;
		} else if (p[i] >= 0xc3 && p[i] <= 0xd1 && i + 1 < n) {
			c = (uint32_t)(p[i] & 0x1f) << 6 | (p[i + 1] & 0x3f);
			utf8_write(p + i, fold_wide(c));
			i++;
		} else if (p[i] == 0xef && i + 2 < n) {
			c = 0xf000u | (uint32_t)(p[i + 1] & 0x3f) << 6 |
			    (p[i + 2] & 0x3f);
			utf8_write(p + i, fold_wide(c));
			i += 2;
		}
	}
}

static struct names_node *
find(const struct names *s, struct bytes folded, uint64_t hash)
{
	struct names_node *at = s->size == 0 ? NULL : s->table[place(s, hash)];

	while (at != NULL &&
	    (at->hash != hash || !bytes_equal(at->folded, folded)))
		at = at->next;
	return at;
}

static void
grow(struct detox *d, struct names *s)
{
	struct names_node **old = s->table;
	size_t old_size = s->size;

	s->size = old_size == 0 ? SIZE_FIRST : old_size * 2;
	s->table = ARENA_ARRAY(&d->arena, struct names_node *, s->size);
	for (size_t i = 0; i < old_size; i++)
		while (old[i] != NULL) {
			struct names_node *node = old[i];
			size_t at = place(s, node->hash);

			old[i] = node->next;
			node->next = s->table[at];
			s->table[at] = node;
		}
}

static struct names_node *
add(struct detox *d, struct names *s, struct bytes folded, uint64_t hash)
{
	struct names_node *node = ARENA_NEW(&d->arena, struct names_node);
	size_t at;

	if (s->n == s->size)
		grow(d, s);
	at = place(s, hash);
	node->hash = hash;
	node->folded = folded;
	node->next = s->table[at];
	s->table[at] = node;
	s->n++;
	return node;
}

/* The folders above it, so that no file is one of them. *hash_out: of the
 * whole. */
static enum detox_result
add_folders(
    struct detox *d, struct names *s, struct bytes folded, uint64_t *hash_out)
{
	struct bytes head = { folded.p, 0 };
	uint64_t hash = HASH_FIRST;

	for (; head.n < folded.n; head.n++) {
		const struct names_node *node;

		if (head.n > 0 && folded.p[head.n] == '/') {
			node = find(s, head, hash);
			if (node == NULL)
				add(d, s, head, hash);
			else if (node->path != NULL)
				return detox_refuse(d, REFUSED_DUPLICATE,
				    "an entry is a file and a folder");
		}
		hash = hash_byte(hash, folded.p[head.n]);
	}
	*hash_out = hash;
	return DETOX_REBUILT;
}

enum taken {
	TAKEN_REFUSED = 0,
	TAKEN,
	TAKEN_FOLDER_AGAIN,
	TAKEN_BY_OTHER,
};

static enum taken
try(struct detox *d, struct names *s, const struct name *n, const char *path,
    struct names_node **old_out)
{
	struct bytes folded = arena_copy(&d->arena, bytes_of(path));
	struct names_node *old;
	uint64_t hash = 0;

	/* Its owner is the arena, and nobody else has it yet. */
	fold((uint8_t *)(uintptr_t)folded.p, folded.n);
	if (add_folders(d, s, folded, &hash) == DETOX_REFUSED)
		return TAKEN_REFUSED;
	old = *old_out = find(s, folded, hash);
	if (old == NULL) {
		old = add(d, s, folded, hash);
		old->path = n->folder ? NULL : path;
		old->ours = n->ours;
		return TAKEN;
	}
	if (n->folder && old->path == NULL)
		return TAKEN_FOLDER_AGAIN;
	if (n->folder || old->path == NULL ||
	    (!n->ours && !old->ours && strcmp(old->path, path) == 0)) {
		detox_refuse(d, REFUSED_DUPLICATE, "two entries have one name");
		return TAKEN_REFUSED;
	}
	return TAKEN_BY_OTHER;
}

static const char *
with_counter(struct detox *d, const char *path, unsigned counter)
{
	struct bytes all = bytes_of(path);
	size_t tail = detox_extension(all).n;

	if (tail > 0)
		tail++;
	return arena_printf(&d->arena, "%.*s (%u)%s", (int)(all.n - tail), path,
	    counter, path + all.n - tail);
}

const char *
names_take(
    struct detox *d, struct names *s, const struct name *n, bool *fresh_out)
{
	const char *path = n->path;
	struct names_node *first = NULL;
	struct names_node *old;
	enum taken t;

	while ((t = try(d, s, n, path, &old)) == TAKEN_BY_OTHER) {
		if (first == NULL)
			first = old;
		path = with_counter(d, n->path, ++first->counter + 1);
	}
	*fresh_out = t == TAKEN;
	return t == TAKEN_REFUSED ? NULL : path;
}
