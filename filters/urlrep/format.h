/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format: what a list file looks like (little-endian, version 1).
 *
 *   head     struct db_head
 *   sources  struct db_source each
 *   files    struct db_file each, by first row
 *   details  struct db_detail each
 *   strings  NUL-terminated; referred to by offset; the first is ""
 *   filter   binary fuse filter over the hashes of all keys (fuse.h)
 *   index    a uint32_t per bucket and one more: where in the pool it begins
 *   pool     records, ordered by bucket
 *
 * The bucket of a key is its hash scaled to buckets_n. A record is a uint16_t
 * (length of the key, RECORD_ flags), the key, and with RECORD_ENTRIES entries:
 * a uint32_t (row, ENTRY_ flags), behind it with ENTRY_DETAIL a uint32_t, the
 * detail that differs from its file's.
 *
 * A key is a host, or "host[:port]/path[?query]". A row is a line of all files,
 * counted through; a file's first row is its line 1.
 */
#pragma once

#include <stdint.h>

#define DB_MAGIC "SEKIURL"
#define DB_VERSION 1

#define RECORD_KEY_MAX 0x1fffu
#define RECORD_ENTRIES 0x2000u
#define RECORD_URLS 0x4000u       /* there are URLs on this very host */
#define RECORD_URLS_BELOW 0x8000u /* some of them mean its subdomains too */

#define ENTRY_ROW_MAX 0x0fffffffu
#define ENTRY_MORE 0x80000000u /* another entry follows */
#define ENTRY_DETAIL 0x40000000u
#define ENTRY_SCOPE_SHIFT 28

struct db_span {
	uint64_t at; /* from the beginning of the file */
	uint64_t n;  /* bytes */
};

enum db_section {
	DB_SOURCES,
	DB_FILES,
	DB_DETAILS,
	DB_STRINGS,
	DB_FILTER,
	DB_INDEX,
	DB_POOL,
	DB_SECTIONS,
};

struct db_head {
	char magic[8];
	uint32_t version;
	uint32_t head_size;
	uint64_t file_size;
	uint8_t digest[32]; /* SHA-256 of what follows it */
	uint64_t made;      /* seconds since 1970 */
	uint64_t seed;
	uint64_t fuse_seed;
	uint32_t fuse_segment, fuse_segments;
	uint32_t labels_min, labels_max; /* of names that are keys */
	uint32_t cuts_max; /* of a path: places where an entry may end */
	uint32_t buckets_n;
	uint64_t keys_n, entries_n;
	struct db_span sections[DB_SECTIONS];
};

struct db_source {
	uint32_t name, kind, category; /* strings */
	uint32_t confidence;
	uint64_t read; /* when its present entries were taken in */
	uint64_t entries;
};

struct db_file {
	uint32_t path; /* string */
	uint32_t source;
	uint32_t first, rows;
	uint32_t detail;
	uint32_t objects; /* 1: its rows are objects of JSON, not lines */
};

struct db_detail {
	uint32_t category;    /* string */
	uint32_t from, until; /* seconds since 1970; 0: no such bound */
	uint8_t confidence, tlp;
	uint8_t zero[2];
};
