/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cfb: compound files ([MS-CFB], also "OLE2") read strictly, and written anew.
 *
 * It is our own, and not libgsf's: that one reads lazily through GLib, follows
 * what a damaged file says without asking whether two streams share a sector,
 * and its writer gives no control of dates, class ids and the unused ends of
 * sectors, where the old file would shine through.
 *
 * Each sector belongs to one stream: what reads a second time fails, so that
 * all streams together are no longer than the file.
 */
#pragma once

#include "filters/detox.h"

#define CFB_NAME_MAX 31 /* UTF-16 units */
#define CFB_CLSID_SIZE 16
#define CFB_NO_ENTRY UINT32_MAX

enum cfb_kind {
	CFB_UNUSED = 0,
	CFB_STORAGE = 1,
	CFB_STREAM = 2,
	CFB_ROOT = 5,
};

struct cfb_entry {
	enum cfb_kind kind;
	uint16_t name[CFB_NAME_MAX + 1];
	size_t name_n; /* 0: a name that is not permitted */
	uint32_t parent;
	uint32_t top;         /* its ancestor, or itself, that the root holds */
	uint32_t first, next; /* what it holds, in the directory's order */
	uint32_t left, right, child; /* as they are in the file */
	uint32_t start;
	uint64_t size;
	const uint8_t *clsid; /* CFB_CLSID_SIZE bytes */
	bool reached;         /* from the root */
	bool taken;           /* for cfb_label's callers: looked at already */
};

struct cfb {
	struct detox *d;
	struct bytes file;
	size_t sector; /* bytes */
	uint32_t sectors;
	struct buf fat, minifat, mini; /* as they are in the file */
	struct buf directory;
	struct buf used, mini_used; /* a byte a sector */
	struct cfb_entry *entries;  /* [0] is the root; of the job's arena */
	uint32_t entries_n;
};

/* DETOX_REFUSED: *d says why. cfb_close is due in any case; file has to outlive
 * it. Each storage is an entry of the job's; of streams there are as many as
 * the file has room for. */
enum detox_result cfb_open(struct cfb *c, struct detox *d, struct bytes file)
    MUST_CHECK;
void cfb_close(struct cfb *c);
/* The child of that name, any case; CFB_NO_ENTRY: none. */
uint32_t cfb_find(const struct cfb *c, uint32_t parent, const char *name);
/* Whether several children have it. */
bool cfb_is_double(const struct cfb *c, uint32_t parent, const char *name);
/* A stream's bytes into *out (made here; the caller releases it). 0, or -1:
 * its chain is broken, or shares a sector with what was read before. */
int cfb_read(struct cfb *c, uint32_t entry, struct buf *out) MUST_CHECK;
/* The path, for a report: letters of ASCII, others as '?'. Of the arena. */
const char *cfb_label(const struct cfb *c, uint32_t entry);
/* Whether the name is this one of ASCII, in any case. */
bool cfb_is_named(const struct cfb_entry *e, const char *name);

struct cfb_part {
	const char *name; /* ASCII, CFB_NAME_MAX at most */
	struct bytes content;
};

#define CFB_PARTS_MAX 16

/* A file of these streams, all in the root; version 3, no dates. Names are of
 * ours and differ. */
enum detox_result cfb_write(struct detox *d,
    const uint8_t clsid[CFB_CLSID_SIZE], const struct cfb_part *parts, size_t n,
    struct detox_output *out) MUST_CHECK;
