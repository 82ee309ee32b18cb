/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool_file: one file of the spool: made, locked, appended to, forced to the
 * disk, read again. It knows records, not mails.
 *
 * What is believed of a file that is found, when the disk may have written the
 * sectors since the last fdatasync in any order, or some of them, or none:
 *
 *  - A mail is acknowledged after the fdatasync that came after its record. So
 *    of what was acknowledged every sector is there.
 *  - Each record says up to which byte an fdatasync had succeeded before it was
 *    written (durable). A record that holds is proof that this was so: whatever
 *    else happened to its neighbours, all before that byte is on the disk. The
 *    greatest such byte of a file is its durable end. After a failed fdatasync
 *    it never grows again, as the kernel may have dropped the pages.
 *  - What stands behind the durable end may be anything: heads are checked by
 *    their sum as everywhere, and contents too, before they are believed. It is
 *    as much as one tick wrote; contents before it are checked when mapped.
 *  - Whoever takes a file over forces it to the disk first, and ends those that
 *    were torn by records of their own; then its durable end is the file's.
 *
 * The first record after an fdatasync begins a page of its own: a disk that
 * writes 4 KiB at once and loses power meanwhile cannot take with it what was
 * acknowledged. All room is reserved when a file is made, so that the tail of
 * zeros is the end, and a full disk is found before a mail is taken.
 */
#pragma once

#include "proxy/smtp/spool_list.h"
#include "proxy/smtp/spool_record.h"

#define SEGMENT_NAME_MAX 64
#define SEGMENT_PAGE ((uint64_t)4096)

/* A plain value, but made and freed here. */
struct segment {
	struct segment *next;
	char name[SEGMENT_NAME_MAX];
	int fd; /* holds the lock */
	uint64_t key;
	uint64_t end;     /* of the last record */
	uint64_t size;    /* of the file: with the room that is kept */
	uint64_t durable; /* see above */
	bool dirty;       /* written to since the last fdatasync */
	bool distrusted;  /* it failed: no mail is added, durable stays */
	bool full;        /* no mail is added */
	bool damaged;     /* before its durable end */

	/* The spool's. */
	struct list mails; /* in it, not ended */
	uint64_t live;     /* bytes of their records */
	size_t ending;     /* ends that are not durable */
	bool named;        /* its name is on the disk */
	bool lost;         /* this commit's fdatasync failed */
	bool refuses;      /* this commit could not write to it */
	bool stuck;        /* a mail in it cannot be moved */
};

/* Whether it is the name of a file of ours; and whether of one being made. */
bool segment_name_is(const char *name);
bool segment_name_is_new(const char *name);
/* A new file, locked, with that much room. NULL and *e. The folder must be
 * forced to the disk before anything in it is. */
struct segment *segment_new(int folder, uint64_t size, struct err *e)
    MUST_CHECK;
/* One that is there. NULL: *e says why, or nothing when another process has it
 * or it is gone. */
struct segment *segment_take(int folder, const char *name, struct err *e)
    MUST_CHECK;
/* Removes what a process left that ended while it made a file. */
void segment_sweep(int folder, const char *name);
enum segment_fate {
	SEGMENT_STAYS,
	SEGMENT_GOES, /* or, when it is damaged, is put aside for a person */
};
void segment_free(struct segment *g, int folder, enum segment_fate fate);

/* Where a record would be appended now. */
uint64_t segment_next(const struct segment *g);
/* Appends: counts, sum and durable of *r are filled in, *at_out is where it
 * stands. -1 and *e: nothing was. */
struct record_text {
	struct bytes about, note;
	const struct bytes *pieces; /* of the content */
	size_t pieces_n;
};
int segment_append(struct segment *g, struct record *r,
    const struct record_text *text, uint64_t *at_out, struct err *e) MUST_CHECK;
/* fdatasync. -1 and *e: the file is distrusted from now on. */
int segment_sync(struct segment *g, struct err *e) MUST_CHECK;
/* Gives back the room behind the end. */
void segment_trim(struct segment *g);

struct segment_events {
	void (*record)(void *owner, const struct record *r, uint64_t at,
	    struct bytes about, struct bytes note);
	/* Bytes that are no record and no zeros. */
	void (*damage)(void *owner, uint64_t at, uint64_t n);
};
/* Reads all heads; sets end and durable. */
void segment_scan(
    struct segment *g, const struct segment_events *events, void *owner);
/* A content by its sum: reads it, whatever the sum of its record's front. */
struct segment_content {
	uint64_t record_at, at, n, sum;
};
bool segment_holds(struct segment *g, const struct segment_content *c);
/* Checked, then mapped. -1 and *e. */
int segment_map(struct segment *g, const struct segment_content *c,
    struct bytes *out, struct err *e) MUST_CHECK;
void segment_unmap(struct bytes content);
