/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/build.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "filters/urlrep/format.h"
#include "filters/urlrep/fuse.h"
#include "filters/urlrep/hash.h"
#include "proxy/base/arena.h"

#define KEYS_PER_BUCKET 2
#define NO_DETAIL UINT32_MAX
#define SOURCES_MAX 4096
#define RADIX_BITS 16
#define RADIX ((size_t)1 << RADIX_BITS)

struct row {
	uint64_t hash;
	uint32_t key_at;
	uint32_t row; /* ENTRY_ROW_MAX + 1: no entry, the flags alone */
	uint32_t detail;
	uint16_t key_n;
	uint8_t scope;
	uint8_t flags; /* RECORD_URLS, RECORD_URLS_BELOW, shifted by 8 */
};

#define ROW_FLAG (ENTRY_ROW_MAX + 1)

/* A growing array on the heap. */
struct array {
	uint8_t *p;
	size_t n, size, width;
};

struct build {
	uint64_t seed;
	struct array rows, keys, sources, files, details, strings;
	uint32_t *detail_table; /* 1 + index, by content */
	size_t detail_table_size;
	uint32_t first_row; /* of the newest file */
	size_t selected;    /* the file that entries are added to */
	/* What build_undo goes back to. */
	size_t undo_rows, undo_keys, undo_files;
	uint32_t undo_first;
	uint64_t entries;
};

static void *
more(struct array *a, size_t n)
{
	size_t need = size_add(a->n, n);
	uint8_t *p;

	if (need > a->size) {
		a->size = need > a->size * 2 ? need + 64 : a->size * 2;
		a->p = realloc(a->p, size_mul(a->size, a->width));
		must(a->p != NULL);
	}
	p = a->p + a->n * a->width;
	a->n = need;
	return p;
}

static void *
at(const struct array *a, size_t i)
{
	return a->p + i * a->width;
}

struct build *
build_new(uint64_t seed)
{
	struct build *b = calloc(1, sizeof(*b));

	must(b != NULL);
	b->seed = seed | 1;
	b->rows.width = sizeof(struct row);
	b->keys.width = 1;
	b->sources.width = sizeof(struct db_source);
	b->files.width = sizeof(struct db_file);
	b->details.width = sizeof(struct db_detail);
	b->strings.width = 1;
	*(uint8_t *)more(&b->strings, 1) = 0;
	return b;
}

void
build_free(struct build *b)
{
	if (b == NULL)
		return;
	free(b->rows.p);
	free(b->keys.p);
	free(b->sources.p);
	free(b->files.p);
	free(b->details.p);
	free(b->strings.p);
	free(b->detail_table);
	free(b);
}

uint32_t
build_string(struct build *b, const char *string)
{
	const char *all = (const char *)b->strings.p;
	size_t n = strlen(string) + 1;

	for (size_t i = 0; i < b->strings.n; i += strlen(all + i) + 1)
		if (strcmp(all + i, string) == 0)
			return (uint32_t)i;
	memcpy(more(&b->strings, n), string, n);
	return (uint32_t)(b->strings.n - n);
}

unsigned
build_source(struct build *b, const struct build_source *s)
{
	struct db_source row = {
		.name = build_string(b, s->name),
		.kind = build_string(b, s->kind),
		.category = build_string(b, s->category),
		.confidence = s->confidence,
		.read = (uint64_t)s->read,
	};

	must(b->sources.n < SOURCES_MAX);
	*(struct db_source *)more(&b->sources, 1) = row;
	b->undo_rows = b->rows.n;
	b->undo_keys = b->keys.n;
	b->undo_files = b->files.n;
	b->undo_first = b->first_row;
	b->entries = 0;
	return (unsigned)b->sources.n - 1;
}

/* Details, each once. */

static uint32_t
clamp_time(time_t t)
{
	return t < 0 ? 1 : t > UINT32_MAX ? 0 : (uint32_t)t;
}

static void
grow_detail_table(struct build *b)
{
	size_t size =
	    b->detail_table_size == 0 ? 1024 : b->detail_table_size * 2;

	free(b->detail_table);
	b->detail_table = calloc(size, sizeof(uint32_t));
	must(b->detail_table != NULL);
	b->detail_table_size = size;
	for (size_t i = 0; i < b->details.n; i++) {
		uint64_t h = hash_bytes(b->seed,
		    (struct bytes){
			at(&b->details, i), sizeof(struct db_detail) });

		while (b->detail_table[h & (size - 1)] != 0)
			h++;
		b->detail_table[h & (size - 1)] = (uint32_t)i + 1;
	}
}

static uint32_t
detail_number(struct build *b, const struct detail *d)
{
	struct db_detail row = {
		.category = d->category,
		.from = clamp_time(d->from),
		.until = clamp_time(d->until),
		.confidence = d->confidence,
		.tlp = (uint8_t)d->tlp,
	};
	struct bytes key = { (const uint8_t *)&row, sizeof(row) };
	uint64_t h = hash_bytes(b->seed, key);
	uint32_t *slot;

	if (b->details.n * 2 >= b->detail_table_size)
		grow_detail_table(b);
	for (;; h++) {
		slot = &b->detail_table[h & (b->detail_table_size - 1)];
		if (*slot == 0)
			break;
		if (memcmp(at(&b->details, *slot - 1), &row, sizeof(row)) == 0)
			return *slot - 1;
	}
	*(struct db_detail *)more(&b->details, 1) = row;
	*slot = (uint32_t)b->details.n;
	return *slot - 1;
}

unsigned
build_file(
    struct build *b, const char *path, const struct detail *d, bool is_object)
{
	struct db_file *newest;

	must(b->sources.n > 0);
	if (b->files.n > 0) {
		newest = at(&b->files, b->files.n - 1);
		b->first_row = newest->first + newest->rows;
	}
	newest = more(&b->files, 1);
	*newest = (struct db_file){
		.path = build_string(b, path),
		.source = (uint32_t)b->sources.n - 1,
		.first = b->first_row,
		.detail = detail_number(b, d),
		.objects = is_object,
	};
	b->selected = b->files.n - 1;
	return (unsigned)b->selected;
}

void
build_rows(struct build *b, unsigned rows)
{
	struct db_file *newest = at(&b->files, b->files.n - 1);

	must(b->files.n > 0 && rows <= ENTRY_ROW_MAX - b->first_row);
	newest->rows = rows;
}

void
build_select(struct build *b, unsigned file)
{
	must(file < b->files.n);
	b->selected = file;
}

/* Entries. */

static void
add_row(struct build *b, size_t key_at, size_t key_n, struct row row)
{
	row.key_at = (uint32_t)key_at;
	row.key_n = (uint16_t)key_n;
	row.hash =
	    hash_bytes(b->seed, (struct bytes){ b->keys.p + key_at, key_n });
	*(struct row *)more(&b->rows, 1) = row;
}

/* The host of a URL's key: up to the path, without the port. */
static size_t
host_length(struct bytes key)
{
	size_t n = (size_t)bytes_index(key, '/');
	struct bytes host = { key.p, n };

	if (n > 0 && key.p[0] == '[')
		return (size_t)bytes_index(key, ']') + 1;
	return bytes_index(host, ':') >= 0 ? (size_t)bytes_index(host, ':') : n;
}

enum build_added
build_add_key(struct build *b, struct bytes key, unsigned scope, unsigned line,
    const struct detail *d)
{
	struct db_file *f = at(&b->files, b->selected);
	size_t key_at = b->keys.n;
	struct row row = { .scope = (uint8_t)scope };

	must(b->files.n > 0 && line > 0);
	if (key.n == 0 || key.n > BUILD_KEY_MAX ||
	    (bytes_index(key, '/') >= 0 && host_length(key) == 0))
		return BUILD_TOO_LONG;
	if ((uint64_t)f->first + line > ENTRY_ROW_MAX ||
	    b->rows.n + 2 > ENTRY_ROW_MAX || key_at + key.n > UINT32_MAX)
		return BUILD_FULL;
	if (f->rows < line)
		f->rows = line;
	memcpy(more(&b->keys, key.n), key.p, key.n);
	row.row = f->first + line - 1;
	row.detail = d == NULL ? NO_DETAIL : detail_number(b, d);
	if (row.detail == f->detail)
		row.detail = NO_DETAIL;
	add_row(b, key_at, key.n, row);
	b->entries++;
	if (bytes_index(key, '/') < 0)
		return BUILD_ADDED;
	row.row = ROW_FLAG;
	row.flags = (scope & SCOPE_URL_SUBDOMAINS) != 0 ? RECORD_URLS_BELOW >> 8
							: RECORD_URLS >> 8;
	add_row(b, key_at, host_length(key), row);
	return BUILD_ADDED;
}

enum build_added
build_add(struct build *b, const struct canon *c, unsigned scope, unsigned line,
    const struct detail *d)
{
	uint8_t key[BUILD_KEY_MAX];
	struct bytes parts[] = { c->host, { NULL, 0 }, c->path, c->query };
	uint8_t port[1 + BYTES_DECIMAL_MAX] = { ':' };
	size_t n = 0;

	if (c->path.n > 0 && !c->port_usual) {
		parts[1].n = 1 + bytes_decimal(port + 1, c->port, 1);
		parts[1].p = port;
	}
	for (size_t i = 0; i < COUNT(parts); i++) {
		if (parts[i].n > sizeof(key) - n)
			return BUILD_TOO_LONG;
		if (parts[i].n > 0)
			memcpy(key + n, parts[i].p, parts[i].n);
		n += parts[i].n;
	}
	return build_add_key(b, (struct bytes){ key, n }, scope, line, d);
}

uint64_t
build_entries(const struct build *b)
{
	return b->entries;
}

void
build_undo(struct build *b)
{
	b->rows.n = b->undo_rows;
	b->keys.n = b->undo_keys;
	b->files.n = b->undo_files;
	b->first_row = b->undo_first;
	b->entries = 0;
}

void
build_source_read(struct build *b, time_t read)
{
	struct db_source *s = at(&b->sources, b->sources.n - 1);

	must(b->sources.n > 0);
	s->read = (uint64_t)read;
}

/* Writing. */

static int
compare_rows(const void *a, const void *b)
{
	const struct row *one = a;
	const struct row *other = b;

	if (one->hash != other->hash)
		return one->hash < other->hash ? -1 : 1;
	return one->row < other->row ? -1 : one->row > other->row;
}

/* By hash, without a comparison: the 32 bits that choose the bucket and those
 * below them, sixteen at a time. */
static void
sort_many_rows(struct array *rows)
{
	struct row *from = (struct row *)(void *)rows->p;
	struct row *to = calloc(rows->n + 1, sizeof(*to));
	uint32_t *counts = malloc(RADIX * sizeof(*counts));

	must(to != NULL && counts != NULL);
	for (unsigned shift = 0; shift < 64; shift += RADIX_BITS) {
		struct row *other = from;
		uint32_t sum = 0;

		memset(counts, 0, RADIX * sizeof(*counts));
		for (size_t i = 0; i < rows->n; i++)
			counts[from[i].hash >> shift & (RADIX - 1)]++;
		for (size_t i = 0; i < RADIX; i++) {
			uint32_t count = counts[i];

			counts[i] = sum;
			sum += count;
		}
		for (size_t i = 0; i < rows->n; i++)
			to[counts[from[i].hash >> shift & (RADIX - 1)]++] =
			    from[i];
		from = to;
		to = other;
	}
	/* After four turns the rows are where they began. */
	free(to);
	free(counts);
	rows->p = (uint8_t *)from;
	rows->size = rows->n + 1;
}

static void
sort_rows(struct array *rows)
{
	if (rows->n >= RADIX)
		sort_many_rows(rows);
	else if (rows->n > 0)
		qsort(rows->p, rows->n, rows->width, compare_rows);
}

struct writer {
	struct build *b;
	struct build_counts counts;
	struct db_head head;
	uint64_t *hashes; /* of the keys */
	uint8_t *base;    /* of the file */
	uint32_t *index;  /* in it */
	uint8_t *pool;    /* in it; has room for all */
	size_t pool_n;
	uint32_t next_bucket;
};

static struct bytes
key_of(const struct build *b, const struct row *r)
{
	return (struct bytes){ b->keys.p + r->key_at, r->key_n };
}

static const struct db_file *
file_of(const struct build *b, uint32_t row)
{
	size_t from = 0;
	size_t to = b->files.n;

	while (to - from > 1) {
		size_t middle = (from + to) / 2;
		const struct db_file *f = at(&b->files, middle);

		if (row < f->first)
			to = middle;
		else
			from = middle;
	}
	return at(&b->files, from);
}

static const struct db_detail *
detail_of(const struct build *b, const struct row *r)
{
	uint32_t number =
	    r->detail == NO_DETAIL ? file_of(b, r->row)->detail : r->detail;

	return at(&b->details, number);
}

static bool
says_the_same(
    const struct build *b, const struct row *one, const struct row *other)
{
	const struct db_detail *d = detail_of(b, one);
	const struct db_detail *o = detail_of(b, other);

	return one->scope == other->scope &&
	    file_of(b, one->row)->source == file_of(b, other->row)->source &&
	    d->category == o->category && d->confidence == o->confidence &&
	    d->tlp == o->tlp && d->from == o->from;
}

static bool
is_valid_longer(
    const struct build *b, const struct row *one, const struct row *other)
{
	uint32_t until = detail_of(b, one)->until;
	uint32_t than = detail_of(b, other)->until;

	return than != 0 && (until == 0 || until > than);
}

/* Keeps r among the n kept, or not; how many are kept. */
static size_t
keep(struct writer *w, const struct row **kept, size_t n, const struct row *r)
{
	for (size_t i = 0; i < n; i++) {
		if (!says_the_same(w->b, kept[i], r))
			continue;
		if (is_valid_longer(w->b, r, kept[i]))
			kept[i] = r;
		w->counts.repeated++;
		return n;
	}
	if (n == BUILD_SAME_MAX) {
		w->counts.dropped++;
		return n;
	}
	kept[n] = r;
	return n + 1;
}

static void
put(struct writer *w, const void *p, size_t n)
{
	memcpy(w->pool + w->pool_n, p, n);
	w->pool_n += n;
}

static void
write_record(struct writer *w, struct bytes key, unsigned flags,
    const struct row **kept, size_t n)
{
	uint16_t head =
	    (uint16_t)(key.n | flags | (n > 0 ? RECORD_ENTRIES : 0));

	put(w, &head, sizeof(head));
	put(w, key.p, key.n);
	for (size_t i = 0; i < n; i++) {
		bool detail = kept[i]->detail != NO_DETAIL;
		uint32_t word = kept[i]->row |
		    (uint32_t)kept[i]->scope << ENTRY_SCOPE_SHIFT |
		    (detail ? ENTRY_DETAIL : 0) | (i + 1 < n ? ENTRY_MORE : 0);

		put(w, &word, sizeof(word));
		if (detail)
			put(w, &kept[i]->detail, sizeof(kept[i]->detail));
	}
	w->counts.entries += n;
}

static void
count_labels(struct writer *w, struct bytes host)
{
	uint8_t last = host.p[host.n - 1];
	uint32_t labels = 1;

	/* A name's last label is no number; an address is never cut. */
	if (last == ']' ||
	    (last >= '0' && last <= '9' && bytes_index(host, '.') >= 0)) {
		size_t i = host.n;

		while (i > 0 && host.p[i - 1] >= '0' && host.p[i - 1] <= '9')
			i--;
		if (last == ']' || (i > 0 && host.p[i - 1] == '.'))
			return;
	}
	for (size_t i = 0; i < host.n; i++)
		labels += host.p[i] == '.';
	if (labels < w->head.labels_min)
		w->head.labels_min = labels;
	if (labels > w->head.labels_max)
		w->head.labels_max = labels;
}

static void
count_cuts(struct writer *w, struct bytes key)
{
	struct bytes path = key;
	uint32_t cuts = 0;
	ssize_t query;

	bytes_take(&path, (size_t)bytes_index(key, '/'));
	query = bytes_index(path, '?');
	if (query >= 0)
		return; /* it is sought as a whole */
	for (size_t i = 1; i <= path.n; i++)
		cuts += i == path.n || path.p[i] == '/' || path.p[i - 1] == '/';
	if (cuts > w->head.cuts_max)
		w->head.cuts_max =
		    cuts > URLREP_CUTS_MAX ? URLREP_CUTS_MAX : cuts;
}

/* All rows of one key, which are beside each other but for the rare case of
 * two keys with one hash. */
static void
write_key(struct writer *w, const struct row *rows, size_t n, uint8_t *done)
{
	const struct row *kept[BUILD_SAME_MAX];
	struct bytes key = key_of(w->b, rows);
	unsigned flags = 0;
	size_t kept_n = 0;

	for (size_t i = 0; i < n; i++) {
		if (done[i] || !bytes_equal(key_of(w->b, &rows[i]), key))
			continue;
		done[i] = 1;
		flags |= (unsigned)rows[i].flags << 8;
		if (rows[i].row != ROW_FLAG)
			kept_n = keep(w, kept, kept_n, &rows[i]);
	}
	if (bytes_index(key, '/') < 0)
		count_labels(w, key);
	else
		count_cuts(w, key);
	write_record(w, key, flags, kept, kept_n);
	w->counts.keys++;
}

static void
begin_bucket(struct writer *w, uint64_t hash)
{
	uint32_t bucket = (uint32_t)(((hash >> 32) * w->head.buckets_n) >> 32);

	while (w->next_bucket <= bucket)
		w->index[w->next_bucket++] = (uint32_t)w->pool_n;
}

static void
write_same_hash(struct writer *w, const struct row *rows, size_t n)
{
	uint8_t one = 0;
	uint8_t *done;

	if (n == 1) {
		write_key(w, rows, n, &one);
		return;
	}
	done = calloc(n, 1);
	must(done != NULL);
	for (size_t i = 0; i < n; i++)
		if (!done[i])
			write_key(w, rows + i, n - i, done + i);
	free(done);
}

static size_t
distinct_hashes(const struct build *b)
{
	const struct row *rows = (const void *)b->rows.p;
	size_t n = 0;

	for (size_t i = 0; i < b->rows.n; i++)
		n += i == 0 || rows[i].hash != rows[i - 1].hash;
	return n;
}

#define AHEAD 16 /* rows whose keys are fetched before they are needed */

static void
write_pool(struct writer *w)
{
	const struct row *rows = (const void *)w->b->rows.p;
	size_t n = w->b->rows.n;
	size_t end;
	size_t hashes = 0;

	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && rows[end].hash == rows[i].hash;)
			end++;
		if (i + AHEAD < n)
			__builtin_prefetch(
			    w->b->keys.p + rows[i + AHEAD].key_at);
		begin_bucket(w, rows[i].hash);
		w->hashes[hashes++] = rows[i].hash;
		write_same_hash(w, rows + i, end - i);
	}
	while (w->next_bucket <= w->head.buckets_n)
		w->index[w->next_bucket++] = (uint32_t)w->pool_n;
}

static void
count_sources(struct writer *w)
{
	const struct row *rows = (const void *)w->b->rows.p;

	for (size_t i = 0; i < w->b->rows.n; i++)
		if (rows[i].row != ROW_FLAG) {
			const struct db_file *f = file_of(w->b, rows[i].row);
			struct db_source *s = at(&w->b->sources, f->source);

			s->entries++;
		}
}

/* Where each section lies; the pool, whose length is not known yet, is last. */
static size_t
lay_out(struct writer *w, size_t filter_n)
{
	const struct build *b = w->b;
	const size_t sizes[DB_POOL] = {
		[DB_SOURCES] = b->sources.n * sizeof(struct db_source),
		[DB_FILES] = b->files.n * sizeof(struct db_file),
		[DB_DETAILS] = b->details.n * sizeof(struct db_detail),
		[DB_STRINGS] = b->strings.n,
		[DB_FILTER] = filter_n,
		[DB_INDEX] = ((size_t)w->head.buckets_n + 1) * sizeof(uint32_t),
	};
	size_t next = sizeof(w->head);

	for (unsigned i = 0; i < DB_POOL; i++) {
		w->head.sections[i] = (struct db_span){ next, sizes[i] };
		next = (next + sizes[i] + 7) / 8 * 8;
	}
	w->head.sections[DB_POOL].at = next;
	return next;
}

static void *
section(const struct writer *w, enum db_section s)
{
	return w->base + w->head.sections[s].at;
}

static void
copy_section(struct writer *w, enum db_section s, const struct array *from)
{
	if (from->n > 0)
		memcpy(section(w, s), from->p, from->n * from->width);
}

static void
finish_head(struct writer *w)
{
	const size_t behind = offsetof(struct db_head, made);
	size_t n = w->head.sections[DB_POOL].at + w->pool_n;

	w->head.sections[DB_POOL].n = w->pool_n;
	w->head.file_size = n;
	w->head.keys_n = w->counts.keys;
	w->head.entries_n = w->counts.entries;
	memcpy(w->base, &w->head, sizeof(w->head));
	SHA256(w->base + behind, n - behind, w->head.digest);
	memcpy(w->base, &w->head, sizeof(w->head));
}

/* The most that the pool may take: each row with its own key and detail. */
static size_t
pool_most(const struct build *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->rows.n; i++) {
		const struct row *r = at(&b->rows, i);

		n += r->key_n + sizeof(uint16_t) + 2 * sizeof(uint32_t);
	}
	return n;
}

static int
write_all(struct writer *w, size_t keys, struct buf *out, struct err *e)
{
	struct fuse fuse = { .seed = w->b->seed };
	size_t filter_n = fuse_size(&fuse, keys);
	size_t fixed = lay_out(w, filter_n);
	size_t most = size_add(fixed, pool_most(w->b));

	if (most - fixed > UINT32_MAX || buf_reserve(out, most) < 0)
		return err_set(e, "the lists are too large for one file");
	w->base = out->p + out->n;
	memset(w->base, 0, fixed);
	w->index = section(w, DB_INDEX);
	w->pool = section(w, DB_POOL);
	write_pool(w);
	count_sources(w);
	must(fuse_build(&fuse, section(w, DB_FILTER), w->hashes, keys) == 0);
	w->head.fuse_seed = fuse.seed;
	w->head.fuse_segment = fuse.segment;
	w->head.fuse_segments = fuse.segments;
	copy_section(w, DB_SOURCES, &w->b->sources);
	copy_section(w, DB_FILES, &w->b->files);
	copy_section(w, DB_DETAILS, &w->b->details);
	copy_section(w, DB_STRINGS, &w->b->strings);
	finish_head(w);
	out->n += w->head.file_size;
	return 0;
}

int
build_write(struct build *b, time_t now, struct buf *out,
    struct build_counts *counts_out, struct err *e)
{
	struct writer w = {
		.b = b,
		.head = { .magic = DB_MAGIC,
		    .version = DB_VERSION,
		    .head_size = sizeof(struct db_head),
		    .made = (uint64_t)now,
		    .seed = b->seed,
		    .labels_min = UINT32_MAX },
	};
	size_t keys;
	int result;

	sort_rows(&b->rows);
	keys = distinct_hashes(b);
	w.head.buckets_n = (uint32_t)(keys / KEYS_PER_BUCKET + 1);
	w.hashes = malloc(size_mul(keys + 1, sizeof(*w.hashes)));
	must(w.hashes != NULL);
	result = write_all(&w, keys, out, e);
	*counts_out = w.counts;
	free(w.hashes);
	return result;
}
