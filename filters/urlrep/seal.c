/* SPDX-License-Identifier: Apache-2.0 */
/* The opening of list files: copied, sealed, checked, mapped. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filters/urlrep/hash.h"
#include "filters/urlrep/reader.h"
#include "proxy/base/file.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define COPY_SIZE ((size_t)1 << 20)

_Static_assert(
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "list files are little-endian");

/* Opening. */

static const size_t widths[DB_SECTIONS] = {
	[DB_SOURCES] = sizeof(struct db_source),
	[DB_FILES] = sizeof(struct db_file),
	[DB_DETAILS] = sizeof(struct db_detail),
	[DB_STRINGS] = 1,
	[DB_FILTER] = 1,
	[DB_INDEX] = sizeof(uint32_t),
	[DB_POOL] = 1,
};

/* Whether all sections lie in the file, aligned, and have whole rows. */
static bool
sections_fit(const struct db_head *h, size_t size)
{
	for (size_t i = 0; i < DB_SECTIONS; i++) {
		const struct db_span *s = &h->sections[i];

		if (s->at % 8 != 0 || s->at < sizeof(*h) || s->at > size ||
		    s->n > size - s->at || s->n % widths[i] != 0)
			return false;
	}
	return true;
}

static const char *
judge_head(const struct db_head *h, size_t size)
{
	if (size < sizeof(*h) || memcmp(h->magic, DB_MAGIC, 8) != 0)
		return "is no list file";
	if (h->version != DB_VERSION || h->head_size != sizeof(*h))
		return "is a list file of another version: compile it anew";
	if (h->file_size != size)
		return "is truncated";
	if (!sections_fit(h, size) || h->buckets_n == 0 ||
	    h->sections[DB_INDEX].n !=
		((uint64_t)h->buckets_n + 1) * sizeof(uint32_t) ||
	    h->cuts_max > URLREP_CUTS_MAX)
		return "is damaged";
	/* Each segment is a power of two, so that no place is out of it. */
	if (h->fuse_segment == 0 ||
	    (h->fuse_segment & (h->fuse_segment - 1)) != 0 ||
	    h->fuse_segments == 0 ||
	    ((uint64_t)h->fuse_segments + 2) * h->fuse_segment !=
		h->sections[DB_FILTER].n)
		return "is damaged";
	if (h->sections[DB_STRINGS].n == 0)
		return "is damaged";
	return NULL;
}

static const void *
section(const struct urlrep *r, enum db_section s)
{
	return r->base + r->head->sections[s].at;
}

static size_t
section_n(const struct urlrep *r, enum db_section s)
{
	return (size_t)r->head->sections[s].n / widths[s];
}

/* Fills *r from bytes, which live on. NULL, or what is wrong. */
static const char *
use(struct urlrep *r, const void *base, size_t size)
{
	const struct db_head *h = base;
	const char *why = judge_head(h, size);

	if (why != NULL)
		return why;
	r->base = base;
	r->size = size;
	r->head = h;
	r->sources = section(r, DB_SOURCES);
	r->files = section(r, DB_FILES);
	r->details = section(r, DB_DETAILS);
	r->strings = section(r, DB_STRINGS);
	r->filter = section(r, DB_FILTER);
	r->index = section(r, DB_INDEX);
	r->pool = section(r, DB_POOL);
	r->sources_n = section_n(r, DB_SOURCES);
	r->files_n = section_n(r, DB_FILES);
	r->details_n = section_n(r, DB_DETAILS);
	r->strings_n = section_n(r, DB_STRINGS);
	r->pool_n = section_n(r, DB_POOL);
	r->fuse =
	    (struct fuse){ h->fuse_seed, h->fuse_segment, h->fuse_segments };
	return r->strings[r->strings_n - 1] == '\0' ? NULL : "is damaged";
}

struct urlrep *
urlrep_map(int fd, struct err *e)
{
	struct urlrep *r;
	struct stat st;
	const char *why;
	void *base;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS) {
		err_set(e, "the list file is not sealed");
		return NULL;
	}
	if (fstat(fd, &st) < 0 || st.st_size <= 0) {
		err_set(e, "the list file is empty");
		return NULL;
	}
	base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED) {
		err_set(e, "the list file cannot be mapped: %m");
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	must(r != NULL);
	why = use(r, base, (size_t)st.st_size);
	if (why != NULL) {
		err_set(e, "the list file %s", why);
		munmap(base, (size_t)st.st_size);
		free(r);
		return NULL;
	}
	r->references = 1;
	return r;
}

struct urlrep *
urlrep_hold(struct urlrep *r)
{
	must(r->cooled == 0);
	r->references++;
	return r;
}

bool
urlrep_is_shared(const struct urlrep *r)
{
	return r->references > 1;
}

static void *
address_of(const uint8_t *p)
{
	return (void *)(uintptr_t)p;
}

void
urlrep_drop(struct urlrep *r)
{
	if (r == NULL || --r->references > 0)
		return;
	if (r->cooled < r->size)
		munmap(address_of(r->base + r->cooled), r->size - r->cooled);
	free(r);
}

bool
urlrep_warm(struct urlrep *r, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t n = r->size - r->warmed;

	if (n > bytes)
		n = bytes < page ? page : bytes - bytes % page;
	if (n == 0)
		return true;
#ifdef MADV_POPULATE_READ
	if (madvise(address_of(r->base + r->warmed), n, MADV_POPULATE_READ) < 0)
#endif
		for (size_t at = 0; at < n; at += page)
			(void)*(
			    const volatile uint8_t *)(r->base + r->warmed + at);
	r->warmed += n;
	return r->warmed == r->size;
}

bool
urlrep_cool(struct urlrep *r, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t n = r->size - r->cooled;

	must(r->references == 1);
	if (n > bytes)
		n = bytes < page ? page : bytes - bytes % page;
	if (n > 0 && munmap(address_of(r->base + r->cooled), n) == 0)
		r->cooled += n;
	return r->cooled == r->size;
}

/* Checking a whole file. */

static bool
files_in_order(const struct urlrep *r)
{
	uint64_t next = 0;

	for (size_t i = 0; i < r->files_n; i++) {
		if (r->files[i].first < next ||
		    r->files[i].source >= r->sources_n ||
		    r->files[i].detail >= r->details_n)
			return false;
		next = (uint64_t)r->files[i].first + r->files[i].rows;
	}
	return true;
}

static bool
entries_lead_somewhere(const struct urlrep *r, const struct record *record,
    const uint8_t **p, uint64_t *entries)
{
	const struct db_file *f = NULL;
	struct entry e = { .more = record->entries != NULL };

	while (e.more) {
		if (!take_entry(p, record->end, &e))
			return false;
		if (f == NULL || e.row < f->first ||
		    e.row - f->first >= f->rows)
			f = file_of(r, e.row);
		if (f == NULL || (e.has_detail && e.detail >= r->details_n))
			return false;
		(*entries)++;
	}
	return true;
}

static bool
key_is_where_it_is_sought(
    const struct urlrep *r, struct bytes key, uint32_t bucket)
{
	uint64_t hash = hash_bytes(r->head->seed, key);

	return bucket_of(r, hash) == bucket &&
	    fuse_has(&r->fuse, r->filter, hash);
}

static bool
all_found_again(const struct urlrep *r)
{
	uint64_t keys = 0;
	uint64_t entries = 0;
	struct record record;
	struct bytes bucket;

	for (uint32_t i = 0; i < r->head->buckets_n; i++) {
		const uint8_t *p;

		if (!bucket_bytes(r, i, &bucket))
			return false;
		for (p = bucket.p; p < bucket.p + bucket.n; keys++)
			if (!take_record(&p, bucket.p + bucket.n, &record) ||
			    !key_is_where_it_is_sought(r, record.key, i) ||
			    !entries_lead_somewhere(r, &record, &p, &entries))
				return false;
	}
	return keys == r->head->keys_n && entries == r->head->entries_n;
}

/* NULL, or what is wrong. */
static const char *
judge(const void *base, size_t size)
{
	const size_t behind = offsetof(struct db_head, made);
	struct urlrep r = { 0 };
	uint8_t digest[SHA256_DIGEST_LENGTH];
	const char *why = use(&r, base, size);

	if (why != NULL)
		return why;
	SHA256(r.base + behind, size - behind, digest);
	if (memcmp(digest, r.head->digest, sizeof(digest)) != 0)
		return "is damaged: its checksum differs";
	return files_in_order(&r) && all_found_again(&r) ? NULL : "is damaged";
}

/* What is in it can change no more; now it is judged. */
static int
seal(int fd, const char *name, struct err *e)
{
	struct stat st;
	const char *why;
	void *base;

	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0 ||
	    fstat(fd, &st) < 0)
		return err_set(e, "%s: cannot be sealed: %m", name);
	if (st.st_size == 0)
		return err_set(e, "%s: is no list file", name);
	base = mmap(NULL, (size_t)st.st_size, PROT_READ,
	    MAP_SHARED | MAP_POPULATE, fd, 0);
	if (base == MAP_FAILED)
		return err_set(e, "%s: cannot be mapped: %m", name);
	why = judge(base, (size_t)st.st_size);
	munmap(base, (size_t)st.st_size);
	return why == NULL ? 0 : err_set(e, "%s: %s", name, why);
}

static int
new_memory(const char *name, struct err *e)
{
	int fd = memfd_create("sekisho-lists", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		err_set(e, "%s: no memory for a copy: %m", name);
	return fd;
}

int
urlrep_seal_bytes(struct bytes file, const char *name, struct err *e)
{
	int fd = new_memory(name, e);

	if (fd < 0)
		return -1;
	if (file_write(fd, file) == 0) {
		if (seal(fd, name, e) == 0)
			return fd;
	} else {
		err_set(e, "%s: cannot be copied: %m", name);
	}
	close(fd);
	return -1;
}

static int
copy(int from, int to, const char *path, struct err *e)
{
	ssize_t n;

	do {
		n = sendfile(to, from, NULL, COPY_SIZE);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 ? 0 : err_set(e, "%s: cannot be copied: %m", path);
}

int
urlrep_seal(const char *path, struct err *e)
{
	int from = file_open(path, URLREP_SIZE_MAX, e);
	int to;

	if (from < 0)
		return -1;
	to = new_memory(path, e);
	if (to >= 0 && (copy(from, to, path, e) < 0 || seal(to, path, e) < 0)) {
		close(to);
		to = -1;
	}
	close(from);
	return to;
}
