/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader: a mapped list file from within, for urlrep.c, which looks up, and
 * seal.c, which opens and checks. Each take_ judges every length that it reads.
 */
#pragma once

#include "filters/urlrep/format.h"
#include "filters/urlrep/fuse.h"
#include "filters/urlrep/urlrep.h"

struct urlrep {
	const uint8_t *base;
	size_t size;
	unsigned references;
	size_t warmed; /* bytes of the front that are there */
	size_t cooled; /* bytes of the front that were given back */
	const struct db_head *head;
	const struct db_source *sources;
	const struct db_file *files;
	const struct db_detail *details;
	const char *strings;
	struct fuse fuse;
	const uint8_t *filter;
	const uint8_t *index; /* uint32_t each */
	const uint8_t *pool;
	size_t sources_n, files_n, details_n, strings_n, pool_n;
};

static inline uint32_t
read_u32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

struct record {
	struct bytes key;
	const uint8_t *entries; /* NULL: none */
	const uint8_t *end;     /* of the bucket */
	unsigned flags;
};

/* The record at *p, which moves behind its key (or to the next record, when it
 * has no entries). False: damaged. */
static inline bool
take_record(const uint8_t **p, const uint8_t *end, struct record *out)
{
	uint16_t head;

	if (end - *p < 2)
		return false;
	memcpy(&head, *p, sizeof(head));
	out->key = (struct bytes){ *p + 2, head & RECORD_KEY_MAX };
	if (out->key.n == 0 || (size_t)(end - *p - 2) < out->key.n)
		return false;
	out->flags = head;
	out->end = end;
	*p += 2 + out->key.n;
	out->entries = (head & RECORD_ENTRIES) != 0 ? *p : NULL;
	return true;
}

struct entry {
	uint32_t row, scope, detail;
	bool has_detail, more;
};

static inline bool
take_entry(const uint8_t **p, const uint8_t *end, struct entry *out)
{
	uint32_t word;

	if (end - *p < 4)
		return false;
	word = read_u32(*p);
	*p += 4;
	out->row = word & ENTRY_ROW_MAX;
	out->scope = word >> ENTRY_SCOPE_SHIFT & 3;
	out->more = (word & ENTRY_MORE) != 0;
	out->has_detail = (word & ENTRY_DETAIL) != 0;
	if (!out->has_detail)
		return true;
	if (end - *p < 4)
		return false;
	out->detail = read_u32(*p);
	*p += 4;
	return true;
}

/* Past the entries of the record before. False: damaged. */
static inline bool
skip_entries(const uint8_t **p, const uint8_t *end)
{
	struct entry e;

	do {
		if (!take_entry(p, end, &e))
			return false;
	} while (e.more);
	return true;
}

static inline uint32_t
bucket_of(const struct urlrep *r, uint64_t hash)
{
	return (uint32_t)(((hash >> 32) * r->head->buckets_n) >> 32);
}

static inline bool
bucket_bytes(const struct urlrep *r, uint32_t bucket, struct bytes *out)
{
	uint32_t from = read_u32(r->index + (size_t)bucket * 4);
	uint32_t to = read_u32(r->index + (size_t)bucket * 4 + 4);

	if (from > to || to > r->pool_n)
		return false;
	*out = (struct bytes){ r->pool + from, to - from };
	return true;
}

/* The file whose rows that one is among. */
static inline const struct db_file *
file_of(const struct urlrep *r, uint32_t row)
{
	size_t from = 0;
	size_t to = r->files_n;

	while (from < to) {
		size_t middle = (from + to) / 2;
		const struct db_file *f = &r->files[middle];

		if (row < f->first)
			to = middle;
		else if (row - f->first >= f->rows)
			from = middle + 1;
		else
			return f;
	}
	return NULL;
}
