/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/file.h"

#define LINE_MAX_BYTES 4096
#define TEXT_MAX (UINT32_MAX / 2) /* of all lists */
#define KEY_MAX (HOST_MAX + 8 + LINE_MAX_BYTES)

/* A key is "host" for a domain, "host/path" or "host:port/path" for a URL;
 * "/host" says that the host has URL entries: few have, so most look-ups end
 * there. */
struct entry {
	uint32_t at; /* in the blob */
	uint32_t n;
	uint64_t categories;
	uint32_t hash;
	uint32_t next; /* 1 + index, of the same bucket; 0: none */
};

struct lists {
	struct arena *arena;
	const char *names[CATEGORIES_MAX];
	/* of those that no list here makes */
	unsigned at_least[LIST_KINDS][CATEGORIES_MAX];
	uint64_t looked_up[LIST_KINDS];
	size_t names_n;
	struct entry *entries;
	size_t entries_n, entries_size;
	uint8_t *blob;
	size_t blob_n, blob_size;
	uint32_t *buckets;
	uint32_t mask;
	bool has_urls;
};

/* While the files are read the arrays grow on the heap; lists_seal copies
 * them into the arena, whose life they share. */
struct lists *
lists_new(struct arena *a)
{
	struct lists *l = ARENA_NEW(a, struct lists);

	l->arena = a;
	return l;
}

int
lists_find_category(const struct lists *l, struct bytes name)
{
	for (size_t i = 0; i < l->names_n; i++)
		if (bytes_equal(bytes_of(l->names[i]), name))
			return (int)i;
	return -1;
}

int
lists_category(struct lists *l, const char *name)
{
	int known = lists_find_category(l, bytes_of(name));

	if (known >= 0)
		return known;
	if (l->names_n == CATEGORIES_MAX)
		return -1;
	l->names[l->names_n] = arena_string(l->arena, bytes_of(name));
	return (int)l->names_n++;
}

const char *
lists_category_name(const struct lists *l, unsigned category)
{
	return category < l->names_n ? l->names[category] : NULL;
}

/* FNV-1a: keys are compared whole, so that a collision costs a look only. */
static uint32_t
hash_more(uint32_t h, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		h = (h ^ b.p[i]) * 16777619u;
	return h;
}

#define HASH_START 2166136261u

static void *
grown(void *p, size_t *size, size_t need, size_t width)
{
	if (need <= *size)
		return p;
	while (*size < need)
		*size = *size == 0 ? 1024 : *size * 2;
	p = realloc(p, size_mul(*size, width));
	must(p != NULL);
	return p;
}

static void
add(struct lists *l, struct bytes key, unsigned category)
{
	l->entries = grown(l->entries, &l->entries_size, l->entries_n + 1,
	    sizeof(*l->entries));
	l->blob = grown(l->blob, &l->blob_size, l->blob_n + key.n, 1);
	memcpy(l->blob + l->blob_n, key.p, key.n);
	l->entries[l->entries_n++] = (struct entry){
		.at = (uint32_t)l->blob_n,
		.n = (uint32_t)key.n,
		.categories = (uint64_t)1 << category,
		.hash = hash_more(HASH_START, key),
	};
	l->blob_n += key.n;
}

static int
add_domain(
    struct lists *l, struct bytes line, unsigned category, const char **why_out)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	int result = url_parse_host(&u, line, &a, why_out);

	if (result == 0)
		add(l, u.host, category);
	arena_release(&a);
	return result;
}

/* "scheme://" */
static bool
begins_with_scheme(struct bytes line)
{
	ssize_t slash = bytes_index(line, '/');

	return slash > 0 && (size_t)slash + 1 < line.n &&
	    line.p[slash - 1] == ':' && line.p[slash + 1] == '/';
}

/* With or without its scheme, which does not matter. */
static int
add_url(
    struct lists *l, struct bytes line, unsigned category, const char **why_out)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	const char *text = arena_printf(&a, "%s%.*s",
	    begins_with_scheme(line) ? "" : "http://", BYTES_PRINTF(line));
	int result = url_parse_absolute(&u, bytes_of(text), &a, why_out);
	bool odd_port = u.port != 80 && u.port != 443;
	struct bytes query = u.target;
	const char *key;

	bytes_take(&query, u.path.n);
	/* A canonical path may be longer than the line was; lookup_paths looks
	 * no further than this. */
	if (result == 0 && u.path_canonical.n + query.n > LINE_MAX_BYTES) {
		*why_out = "URL whose canonical form has more than 4096 bytes";
		result = -1;
	}
	if (result == 0) {
		key = odd_port
		    ? arena_printf(&a, "%.*s:%u%.*s%.*s", BYTES_PRINTF(u.host),
			  u.port, BYTES_PRINTF(u.path_canonical),
			  BYTES_PRINTF(query))
		    : arena_printf(&a, "%.*s%.*s%.*s", BYTES_PRINTF(u.host),
			  BYTES_PRINTF(u.path_canonical), BYTES_PRINTF(query));
		add(l, bytes_of(key), category);
		key = arena_printf(&a, "/%.*s", BYTES_PRINTF(u.host));
		add(l, bytes_of(key), category);
		l->has_urls = true;
	}
	arena_release(&a);
	return result;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static int
read_line(struct lists *l, struct bytes line, enum list_kind kind,
    unsigned category, const char **why_out)
{
	ssize_t comment = bytes_index(line, '#');

	if (line.n > LINE_MAX_BYTES) {
		*why_out = "line of more than 4096 bytes";
		return -1;
	}
	if (bytes_index(line, 0) >= 0) {
		*why_out = "NUL in the line";
		return -1;
	}
	if (comment == 0 || (comment > 0 && is_blank(line.p[comment - 1])))
		line.n = (size_t)comment;
	line = bytes_trim(line);
	if (line.n == 0)
		return 0;
	return kind == LIST_DOMAINS ? add_domain(l, line, category, why_out)
				    : add_url(l, line, category, why_out);
}

int
lists_read_text(struct lists *l, const char *name, struct bytes text,
    enum list_kind kind, unsigned category, struct err *e)
{
	const char *expected = kind == LIST_DOMAINS
	    ? "a domain such as example.test"
	    : "a URL such as example.test/path";
	unsigned number = 0;

	if (text.n > 0 && text.p[text.n - 1] != '\n') {
		for (size_t i = 0; i < text.n; i++)
			number += text.p[i] == '\n';
		return err_set(e,
		    "%s:%u: the last line is not complete,"
		    " expected a line end (is the file half written?)",
		    name, number + 1);
	}
	if (text.n > TEXT_MAX - l->blob_n)
		return err_set(e, "%s: the lists are too large", name);
	while (text.n > 0) {
		struct bytes line = bytes_take_until(&text, '\n');
		const char *why = "";

		number++;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (read_line(l, line, kind, category, &why) < 0)
			return err_set(e, "%s:%u: %s, expected %s", name,
			    number, why, expected);
	}
	return 0;
}

int
lists_read(struct lists *l, const char *path, enum list_kind kind,
    unsigned category, struct err *e)
{
	struct buf text;
	int result;

	buf_init(&text, TEXT_MAX);
	result = file_read(path, &text, e);
	if (result == 0)
		result = lists_read_text(
		    l, path, buf_bytes(&text), kind, category, e);
	buf_release(&text);
	return result;
}

static struct bytes
key_of(const struct lists *l, const struct entry *e)
{
	return (struct bytes){ l->blob + e->at, e->n };
}

static struct entry *
find(const struct lists *l, struct bytes key, uint32_t hash)
{
	uint32_t i = l->buckets[hash & l->mask];

	for (; i != 0; i = l->entries[i - 1].next) {
		struct entry *e = &l->entries[i - 1];

		if (e->hash == hash && bytes_equal(key_of(l, e), key))
			return e;
	}
	return NULL;
}

void
lists_seal(struct lists *l)
{
	struct entry *read = l->entries;
	uint8_t *blob = l->blob;
	size_t n = l->entries_n;
	uint32_t size = 16;

	while (size < n * 2)
		size *= 2;
	l->mask = size - 1;
	l->buckets = ARENA_ARRAY(l->arena, uint32_t, size);
	l->entries = ARENA_ARRAY(l->arena, struct entry, n + 1);
	l->blob = arena_alloc(l->arena, l->blob_n + 1);
	if (l->blob_n > 0)
		memcpy(l->blob, blob, l->blob_n);
	l->entries_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct entry *known =
		    find(l, key_of(l, &read[i]), read[i].hash);
		uint32_t *bucket = &l->buckets[read[i].hash & l->mask];

		if (known != NULL) {
			known->categories |= read[i].categories;
			continue;
		}
		l->entries[l->entries_n] = read[i];
		l->entries[l->entries_n].next = *bucket;
		*bucket = (uint32_t)++l->entries_n;
	}
	free(read);
	free(blob);
}

static uint64_t
probe_hashed(const struct lists *l, struct bytes key, uint32_t hash)
{
	const struct entry *e = find(l, key, hash);

	return e == NULL ? 0 : e->categories;
}

static uint64_t
probe(const struct lists *l, struct bytes key)
{
	return probe_hashed(l, key, hash_more(HASH_START, key));
}

/* Every path that the URL lies at or below, and the whole with its query. The
 * hash grows with the key: a path of slashes alone costs one pass. */
static uint64_t
lookup_paths(
    const struct lists *l, uint8_t *key, size_t host_n, const struct url *u)
{
	struct bytes path = u->path_canonical;
	struct bytes query = u->target;
	uint32_t hash = hash_more(HASH_START, (struct bytes){ key, host_n });
	uint64_t found = 0;

	if (path.n > LINE_MAX_BYTES)
		path.n = LINE_MAX_BYTES;
	memcpy(key + host_n, path.p, path.n);
	for (size_t i = 1; i <= path.n; i++) {
		bool here =
		    i == path.n || path.p[i] == '/' || path.p[i - 1] == '/';

		hash = hash_more(hash, (struct bytes){ &path.p[i - 1], 1 });
		if (here)
			found |= probe_hashed(
			    l, (struct bytes){ key, host_n + i }, hash);
	}
	bytes_take(&query, u->path.n);
	if (query.n > 0 && path.n + query.n <= LINE_MAX_BYTES) {
		memcpy(key + host_n + path.n, query.p, query.n);
		found |=
		    probe(l, (struct bytes){ key, host_n + path.n + query.n });
	}
	return found;
}

static uint64_t
lookup_url(const struct lists *l, const struct url *u)
{
	uint8_t key[KEY_MAX];
	char port[8];
	size_t n = u->host.n;
	int port_n = snprintf(port, sizeof(port), ":%u", u->port);
	uint64_t found;

	memcpy(key, u->host.p, n);
	found = lookup_paths(l, key, n, u);
	memcpy(key + n, port, (size_t)port_n);
	return found | lookup_paths(l, key, n + (size_t)port_n, u);
}

uint64_t
lists_url_categories(const struct lists *l, const struct url *u)
{
	uint8_t key[HOST_MAX + 1] = { '/' };

	if (!l->has_urls)
		return 0;
	memcpy(key + 1, u->host.p, u->host.n);
	return probe(l, (struct bytes){ key, u->host.n + 1 });
}

uint64_t
lists_lookup(const struct lists *l, const struct url *u)
{
	struct bytes suffix = u->host;
	uint64_t found = 0;

	if (l->entries_n == 0)
		return 0;
	while (suffix.n > 0) {
		found |= probe(l, suffix);
		if (u->is_address)
			break;
		bytes_take_until(&suffix, '.');
	}
	if (u->path_canonical.n > 0 && lists_url_categories(l, u) != 0)
		found |= lookup_url(l, u);
	return found;
}

void
lists_look_up(
    struct lists *l, enum list_kind kind, unsigned category, unsigned at_least)
{
	uint64_t bit = (uint64_t)1 << category;

	/* of several, the one that takes most: a layer adds to a category of
	 * the layers above and cannot take from it */
	if ((l->looked_up[kind] & bit) == 0 ||
	    at_least < l->at_least[kind][category])
		l->at_least[kind][category] = at_least;
	l->looked_up[kind] |= bit;
}

uint64_t
lists_with_confidence(
    const struct lists *l, struct bytes category, unsigned confidence)
{
	int n = lists_find_category(l, category);

	if (n < 0 || confidence < l->at_least[LIST_REPUTATION][n])
		return 0;
	return l->looked_up[LIST_REPUTATION] & (uint64_t)1 << n;
}

uint64_t
lists_with_score(const struct lists *l, unsigned points)
{
	uint64_t found = 0;

	for (size_t i = 0; i < l->names_n; i++)
		if (points >= l->at_least[LIST_SCORE][i])
			found |= (uint64_t)1 << i;
	return found & l->looked_up[LIST_SCORE];
}

uint64_t
lists_looked_up(const struct lists *l, enum list_kind kind)
{
	return l->looked_up[kind];
}
