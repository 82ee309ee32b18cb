/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/urlrep.h"

#include "filters/urlrep/hash.h"
#include "filters/urlrep/reader.h"

#define KEY_ROOM (CANON_HOST_MAX + 8 + 2 * CANON_MAX)

const char *
tlp_name(enum tlp t)
{
	switch (t) {
	case TLP_NONE:
		return "";
	case TLP_CLEAR:
		return "TLP:CLEAR";
	case TLP_GREEN:
		return "TLP:GREEN";
	case TLP_AMBER:
		return "TLP:AMBER";
	case TLP_AMBER_STRICT:
		return "TLP:AMBER+STRICT";
	case TLP_RED:
		return "TLP:RED";
	}
	return "";
}

enum probe {
	PROBE_DAMAGED = 0,
	PROBE_NOTHING,
	PROBE_FOUND,
};

static enum probe
probe_exactly(
    const struct urlrep *r, struct bytes key, uint64_t hash, struct record *out)
{
	struct bytes bucket;
	const uint8_t *p;
	const uint8_t *end;

	if (!bucket_bytes(r, bucket_of(r, hash), &bucket))
		return PROBE_DAMAGED;
	p = bucket.p;
	end = bucket.p + bucket.n;
	__builtin_prefetch(p);
	__builtin_prefetch(p + 64); /* keys seldom end in the first line */
	while (p < end) {
		if (!take_record(&p, end, out))
			return PROBE_DAMAGED;
		if (bytes_equal(out->key, key))
			return PROBE_FOUND;
		if (out->entries != NULL && !skip_entries(&p, end))
			return PROBE_DAMAGED;
	}
	return PROBE_NOTHING;
}

static inline enum probe
probe_hashed(
    const struct urlrep *r, struct bytes key, uint64_t hash, struct record *out)
{
	if (!fuse_has(&r->fuse, r->filter, hash))
		return PROBE_NOTHING;
	return probe_exactly(r, key, hash, out);
}

static inline enum probe
probe(const struct urlrep *r, struct bytes key, struct record *out)
{
	return probe_hashed(r, key, hash_bytes(r->head->seed, key), out);
}

/* Entries, told to who asks. */

struct teller {
	const struct urlrep *r;
	void (*found)(const struct urlrep_match *m, void *context);
	void *context;
	time_t now;
	bool all;
	unsigned without; /* entries with one of these scopes were told */
	bool damaged;
	int n;
};

static const char *
string_at(const struct urlrep *r, uint32_t at)
{
	return at < r->strings_n ? r->strings + at : "";
}

static enum urlrep_state
state_at(const struct db_detail *d, time_t now)
{
	if (d->from != 0 && now < (time_t)d->from)
		return URLREP_NOT_YET;
	if (d->until != 0 && now >= (time_t)d->until)
		return URLREP_EXPIRED;
	return URLREP_VALID;
}

static bool
tell(struct teller *t, const struct record *record, const struct entry *entry,
    bool loose)
{
	const struct urlrep *r = t->r;
	const struct db_file *f = file_of(r, entry->row);
	const struct db_source *s;
	const struct db_detail *d;
	uint32_t detail;
	struct urlrep_match m;

	if (f == NULL || f->source >= r->sources_n)
		return false;
	detail = entry->has_detail ? entry->detail : f->detail;
	if (detail >= r->details_n)
		return false;
	s = &r->sources[f->source];
	d = &r->details[detail];
	m = (struct urlrep_match){
		.key = record->key,
		.category = string_at(r, d->category),
		.source = string_at(r, s->name),
		.kind = string_at(r, s->kind),
		.file = string_at(r, f->path),
		.file_n = (size_t)(f - r->files),
		.line = entry->row - f->first + 1,
		.is_object = f->objects != 0,
		.is_url = bytes_index(record->key, '/') >= 0,
		.loose = loose,
		.scope = entry->scope,
		.confidence = d->confidence,
		.tlp = d->tlp <= TLP_RED ? (enum tlp)d->tlp : TLP_RED,
		.from = d->from,
		.until = d->until,
		.state = state_at(d, t->now),
	};
	if (m.state == URLREP_VALID || t->all) {
		t->found(&m, t->context);
		t->n++;
	}
	return true;
}

/* Those of the entries that have one of the wanted scopes; wanted 0: all. */
static void
tell_entries(
    struct teller *t, const struct record *record, unsigned wanted, bool loose)
{
	const uint8_t *p = record->entries;
	struct entry e = { .more = p != NULL };

	while (e.more && !t->damaged) {
		if (!take_entry(&p, record->end, &e)) {
			t->damaged = true;
			return;
		}
		if ((e.scope & wanted) != wanted || (e.scope & t->without) != 0)
			continue;
		if (!tell(t, record, &e, loose))
			t->damaged = true;
	}
}

/* Looking up. */

/* A place in the path at which an entry may end: behind a slash, before one,
 * and the end. */
static bool
is_cut(struct bytes path, size_t i)
{
	return i == path.n || path.p[i] == '/' || path.p[i - 1] == '/';
}

static void
find_key(struct teller *t, struct bytes key, unsigned wanted, bool loose)
{
	struct record record;

	switch (probe(t->r, key, &record)) {
	case PROBE_DAMAGED:
		t->damaged = true;
		break;
	case PROBE_NOTHING:
		break;
	case PROBE_FOUND:
		tell_entries(t, &record, wanted, loose);
		break;
	}
}

/* How much of both is the same. */
static size_t
common(struct bytes a, struct bytes b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	return n;
}

/* key holds the host; what was told of `path` is not told of `other` again. */
static void
find_paths(struct teller *t, uint8_t *key, size_t host_n, struct bytes path,
    struct bytes query, unsigned wanted, const struct bytes *told)
{
	unsigned cuts = 0;
	size_t same = told == NULL ? 0 : common(path, *told);
	bool loose = told != NULL;

	memcpy(key + host_n, path.p, path.n);
	for (size_t i = 1; i < path.n && cuts < t->r->head->cuts_max; i++) {
		if (!is_cut(path, i))
			continue;
		cuts++;
		if (i > same || !is_cut(*told, i))
			find_key(t, (struct bytes){ key, host_n + i },
			    wanted | SCOPE_BELOW, loose);
	}
	/* What lies below was told when the other path went through here. */
	if (loose && path.n <= same && is_cut(*told, path.n))
		t->without = SCOPE_BELOW;
	find_key(t, (struct bytes){ key, host_n + path.n }, wanted, loose);
	t->without = 0;
	if (query.n == 0)
		return;
	memcpy(key + host_n + path.n, query.p, query.n);
	find_key(
	    t, (struct bytes){ key, host_n + path.n + query.n }, wanted, loose);
}

static size_t
write_port(uint8_t *out, uint16_t port)
{
	uint8_t digits[BYTES_DECIMAL_MAX];
	size_t n = bytes_decimal(digits, port, 1);

	out[0] = ':';
	memcpy(out + 1, digits, n);
	return n + 1;
}

static void
find_urls(
    struct teller *t, const struct canon *url, struct bytes host, bool is_self)
{
	uint8_t key[KEY_ROOM];
	unsigned wanted = is_self ? 0 : SCOPE_URL_SUBDOMAINS;
	bool twice = !bytes_equal(url->path, url->loose);
	size_t n = host.n;

	memcpy(key, host.p, n);
	for (unsigned with_port = 0; with_port < 2; with_port++) {
		if (with_port == 1) {
			if (url->port_usual)
				break;
			n += write_port(key + n, url->port);
		}
		find_paths(t, key, n, url->path, url->query, wanted, NULL);
		if (twice)
			find_paths(t, key, n, url->loose, url->query, wanted,
			    &url->path);
	}
}

/* One suffix of the host. */
static void
find_suffix(struct teller *t, const struct canon *url, struct bytes suffix,
    uint64_t hash)
{
	bool is_self = suffix.n == url->host.n;
	unsigned urls =
	    is_self ? RECORD_URLS | RECORD_URLS_BELOW : RECORD_URLS_BELOW;
	struct record record;

	switch (probe_hashed(t->r, suffix, hash, &record)) {
	case PROBE_DAMAGED:
		t->damaged = true;
		return;
	case PROBE_NOTHING:
		return;
	case PROBE_FOUND:
		break;
	}
	tell_entries(t, &record, is_self ? SCOPE_SELF : SCOPE_BELOW, false);
	if ((record.flags & urls) != 0 && url->path.n > 0)
		find_urls(t, url, suffix, is_self);
}

/* Suffixes whose places in filter and index are fetched before the first is
 * looked at: the waits for memory run side by side. */
#define AHEAD 8

int
urlrep_find(const struct urlrep *r, const struct urlrep_query *q,
    void (*found)(const struct urlrep_match *m, void *context), void *context)
{
	const struct db_head *h = r->head;
	struct teller t = {
		.r = r,
		.found = found,
		.context = context,
		.now = q->now,
		.all = q->all,
	};
	struct bytes suffixes[AHEAD];
	uint64_t hashes[AHEAD];
	struct bytes rest = q->url->host;
	unsigned labels = q->url->labels;

	if (q->url->is_address) {
		find_suffix(&t, q->url, rest, hash_bytes(h->seed, rest));
		return t.damaged ? -1 : t.n;
	}
	for (; labels > h->labels_max; labels--)
		bytes_take_until(&rest, '.');
	while (labels >= h->labels_min && rest.n > 0) {
		unsigned n = 0;

		for (; n < AHEAD && labels >= h->labels_min && rest.n > 0;
		     labels--) {
			suffixes[n] = rest;
			hashes[n] = hash_bytes(h->seed, rest);
			fuse_fetch(&r->fuse, r->filter, hashes[n]);
			__builtin_prefetch(
			    r->index + (size_t)bucket_of(r, hashes[n++]) * 4);
			bytes_take_until(&rest, '.');
		}
		for (unsigned i = 0; i < n; i++)
			find_suffix(&t, q->url, suffixes[i], hashes[i]);
	}
	return t.damaged ? -1 : t.n;
}

bool
urlrep_has_urls(const struct urlrep *r, const struct canon *url)
{
	struct bytes suffix = url->host;
	struct record record;
	bool is_self = true;

	while (suffix.n > 0) {
		unsigned wanted =
		    RECORD_URLS_BELOW | (is_self ? RECORD_URLS : 0);

		if (probe(r, suffix, &record) == PROBE_FOUND &&
		    (record.flags & wanted) != 0)
			return true;
		if (url->is_address)
			break;
		is_self = false;
		bytes_take_until(&suffix, '.');
	}
	return false;
}

void
urlrep_about(const struct urlrep *r, struct urlrep_about *out)
{
	*out = (struct urlrep_about){
		.made = (time_t)r->head->made,
		.keys = r->head->keys_n,
		.entries = r->head->entries_n,
		.size = r->size,
		.sources = r->sources_n,
		.files = r->files_n,
	};
	memcpy(out->digest, r->head->digest, sizeof(out->digest));
}

void
urlrep_source(const struct urlrep *r, size_t i, struct urlrep_source *out)
{
	const struct db_source *s = &r->sources[i];

	must(i < r->sources_n);
	*out = (struct urlrep_source){
		.name = string_at(r, s->name),
		.kind = string_at(r, s->kind),
		.category = string_at(r, s->category),
		.confidence = s->confidence,
		.read = (time_t)s->read,
		.entries = s->entries,
	};
}

void
urlrep_file(const struct urlrep *r, size_t i, struct urlrep_file *out)
{
	must(i < r->files_n);
	*out = (struct urlrep_file){
		.path = string_at(r, r->files[i].path),
		.source = r->files[i].source,
		.rows = r->files[i].rows,
		.is_object = r->files[i].objects != 0,
	};
}

int
urlrep_each(const struct urlrep *r,
    void (*found)(const struct urlrep_match *m, void *context), void *context)
{
	struct teller t = {
		.r = r, .found = found, .context = context, .all = true
	};

	for (uint32_t i = 0; i < r->head->buckets_n && !t.damaged; i++) {
		struct bytes bucket;
		struct record record;
		const uint8_t *p;
		const uint8_t *end;

		if (!bucket_bytes(r, i, &bucket))
			return -1;
		p = bucket.p;
		end = p + bucket.n;
		while (p < end) {
			if (!take_record(&p, end, &record))
				return -1;
			tell_entries(&t, &record, 0, false);
			if (record.entries != NULL && !skip_entries(&p, end))
				return -1;
		}
	}
	return t.damaged ? -1 : 0;
}
