/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool: mails that were acknowledged and are not delivered yet, in append-only
 * files of one folder. What was committed outlives kill -9 and power cuts at
 * any byte: nothing is lost, nothing is cut, nothing comes back that was ended.
 *
 * Each process writes files of its own, under a lock; those of a process that
 * has ended are taken over by whoever finds them unlocked, at its start and
 * from time to time. All that is added in one tick of the loop is made durable
 * by one fdatasync at its end; when several mails come at a time, that waits a
 * little for more of them.
 */
#pragma once

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"
#include "proxy/base/loop.h"

#define SPOOL_ID_MAX 20                  /* with its NUL */
#define SPOOL_TEXT_MAX ((size_t)1 << 20) /* of about, and of a note */

struct spool;

struct spool_limits {
	uint64_t bytes_max; /* of all files of the folder: ours up to their
			     * ends, other processes' with the room they keep */
	uint64_t free_min;  /* bytes that the disk must keep free */
	uint64_t segment;   /* bytes of one file; at most an eighth of
			     * bytes_max, at least 64 KiB */
	/* 0 for each: at the end of the tick. */
	uint64_t gather_ms; /* the most that a commit waits for more mails,
			     * when the last one had several */
	uint64_t end_ms;    /* that an end waits for a commit, when nothing
			     * else needs one */
};

/* A mail in the spool. The spool's own; what it says lives until it is ended
 * or a new note replaces it. */
struct spool_mail {
	char id[SPOOL_ID_MAX]; /* of letters and digits; unique in the folder
				* for ever */
	uint64_t size;         /* of the content */
	struct bytes about;    /* what was given when it was added: who sends
				* it to whom, and when */
	struct bytes note;     /* the last one; empty: none yet */
	bool committed;
	void *owner; /* the user's */
};

struct spool_events {
	/* It is durable: acknowledge it. Called after the tick in which it was
	 * added, or after gather_ms; never from spool_add. */
	void (*committed)(void *owner, struct spool_mail *m);
	/* It could not be made durable: it is gone, do not acknowledge. m is
	 * freed behind this, and not to be ended. */
	void (*failed)(void *owner, struct spool_mail *m, const char *why);
	/* One was found at the start, or taken over from a process that ended.
	 * It is committed. */
	void (*found)(void *owner, struct spool_mail *m);
};

/* folder: an open directory, that the spool keeps. found() is called before it
 * returns, for each mail. NULL and *e: the folder cannot be used. */
struct spool *spool_open(int folder, const struct spool_limits *limits,
    struct loop *l, const struct spool_events *events, void *owner,
    struct err *e) MUST_CHECK;
/* Commits what is not yet, closes and unlocks the files, and the folder. Not
 * from a callback of the spool. NULL does nothing. */
void spool_close(struct spool *s);
/* Looks for files that nobody holds; called at the start by spool_open, later
 * by the owner's timer. */
void spool_adopt(struct spool *s);

/* Whether a mail of that size has room now (bytes_max, the disk); spool_add
 * asks again, with what is said about it. */
bool spool_has_room(struct spool *s, uint64_t size);
/* The content is pieces, one after the other. NULL and *e: no room, or a write
 * failed; nothing was added. */
struct spool_mail *spool_add(struct spool *s, struct bytes about,
    const struct bytes *pieces, size_t pieces_n, struct err *e) MUST_CHECK;
/* Replaces m's note, durable with the next commit. -1 and *e: the disk does not
 * take it; the note in memory is the new one, and it is tried again by the
 * spool with the next commit, each second. Or it is over SPOOL_TEXT_MAX, and
 * nothing was done. */
int spool_note(
    struct spool *s, struct spool_mail *m, struct bytes note, struct err *e);
/* It was delivered, or a person dropped it. m is freed; the end is durable with
 * the next commit, or after end_ms (a power cut before that delivers it again,
 * as RFC 5321 allows). */
void spool_end(struct spool *s, struct spool_mail *m);
/* The content, mapped for reading; spool_unmap gives it back. -1 and *e: it
 * cannot be read or its checksum does not hold. */
int spool_map(struct spool *s, const struct spool_mail *m,
    struct bytes *content_out, struct err *e) MUST_CHECK;
void spool_unmap(struct spool *s, struct bytes content);

struct spool_mail *spool_find(struct spool *s, struct bytes id);
/* Each of them, in the order in which they were added; what was taken over is
 * behind what was there. each() may end the one it is given. */
void spool_each(struct spool *s,
    void (*each)(void *owner, struct spool_mail *m), void *owner);
struct spool_counts {
	uint64_t mails, bytes; /* of mails that are not ended */
	uint64_t file_bytes;   /* of our files */
	uint64_t commits;      /* fdatasync calls since the start */
};
void spool_counts(const struct spool *s, struct spool_counts *out);
