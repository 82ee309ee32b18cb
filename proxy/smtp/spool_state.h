/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool_state: what the files of the spool share.
 *
 *	spool.c		mails: added, noted, ended, found; limits
 *	spool_commit.c	one tick made durable, and what follows from it
 *	spool_adopt.c	files that nobody holds
 *	spool_index.c	mails by id
 *	spool_file.c	one file; spool_scan.c: read again
 *	spool_record.c	one record
 *
 * Notes and ends stand in the file of the mail that they are of, whoever made
 * it: so each file tells all about its mails, can be taken over by any process
 * without the others, and goes when its last mail has ended. New mails are only
 * added to files that this process made.
 *
 * A full file of which less than a quarter is mails, and one that is not
 * trusted any more, is emptied: its mails are written anew, then ended in it. A
 * mail that stands in two files, as the power was cut in between, is that with
 * more moves. Two processes that each take over one of these files just then
 * deliver it twice, which RFC 5321 allows after a crash.
 */
#pragma once

#include "proxy/smtp/spool_file.h"

enum note_state {
	NOTE_KEPT = 0,  /* durable, or none */
	NOTE_WRITTEN,   /* since the last commit */
	NOTE_UNWRITTEN, /* to be tried again */
};

struct mail {
	struct spool_mail mail;
	struct mail *hashed; /* behind it in the index */
	struct list order;   /* in spool.mails; in spool.ends when ended */
	struct list commit;  /* in spool.adding, .telling or .finding */
	struct list noted;   /* in spool.notes */
	struct list beside;  /* in its segment */
	struct segment *segment;
	uint64_t at; /* of its record */
	uint64_t content_at;
	uint64_t content_sum;
	uint32_t moved;
	enum note_state note_state;
	bool end_written; /* of one that is ended: since the last commit */
};

struct index {
	struct mail **buckets;
	size_t buckets_n; /* a power of 2 */
	size_t n;
};
struct mail *index_find(const struct index *x, struct bytes id);
void index_add(struct index *x, struct mail *m);
void index_remove(struct index *x, struct mail *m);
/* The mails are not its own. */
void index_release(struct index *x);

struct spool {
	int folder;
	struct spool_limits limits;
	struct loop *loop;
	struct timer *retry;
	struct timer *gather; /* a commit that waits for more mails */
	struct timer *settle; /* one that is for ends alone */
	struct spool_events events;
	void *owner;
	bool scheduled; /* a commit, at the end of the tick */
	bool gathering; /* the timer runs */
	bool settling;  /* the timer runs */
	bool unsettled; /* something waits for a commit */
	bool busy;      /* what is written now is for the commit under way */
	bool closed;    /* freed by what is scheduled */

	struct segment *segments;
	struct segment *current; /* that takes new mails; NULL: none */
	bool folder_dirty;       /* a file was made in it */

	struct index index;
	struct list mails;   /* all that are not ended, in order */
	struct list adding;  /* not committed yet */
	struct list telling; /* committed just now, not told yet */
	struct list finding; /* taken over, not told yet */
	struct list notes;   /* of which the note is not durable */
	struct list ends;    /* ended, and not durably so */

	uint64_t bytes;      /* of contents */
	uint64_t file_bytes; /* of our segments, up to their ends */
	uint64_t commits;
	uint64_t together;      /* mails of the last commit that had any */
	uint64_t took_ms;       /* that commit */
	uint64_t id_us, id_tag; /* of the last id */

	/* As they were when last looked at. */
	uint64_t looked_us;
	uint64_t free_bytes;   /* of the disk */
	uint64_t others_bytes; /* of other processes' files */

	char told[ERR_TEXT_MAX]; /* the last failure, and when */
	uint64_t told_us;
};

static inline struct mail *
mail_of(struct spool_mail *m)
{
	return CONTAINER(m, struct mail, mail);
}

/* spool.c */
/* Each failure once a minute. */
void spool_tell(struct spool *s, const struct err *e);
/* Commits at the end of this tick, or when more mails were waited for. */
void spool_schedule(struct spool *s);
/* Commits with the next that is due, or after end_ms. */
void spool_schedule_end(struct spool *s);
/* A segment that takes n bytes more, made when need be. NULL and *e. */
struct segment *spool_place(struct spool *s, uint64_t n, struct err *e)
    MUST_CHECK;
int spool_append(struct spool *s, struct segment *g, struct record *r,
    const struct record_text *text, uint64_t *at_out, struct err *e) MUST_CHECK;
/* The mail stands there; and does no longer. */
void spool_seat(struct mail *m, struct segment *g, uint64_t at, uint64_t sum);
void spool_unseat(struct mail *m);
/* It is none of the spool's mails any more, and its end is to be written where
 * it stands. Freed by the commit that makes that durable. */
void spool_bury(struct spool *s, struct mail *m);
/* The end of a record in a file, of a mail that lives elsewhere or not. */
void spool_bury_copy(struct spool *s, struct segment *g, const char *id);
int spool_write_note(struct spool *s, struct mail *m, struct err *e) MUST_CHECK;
int spool_write_end(struct spool *s, struct mail *m, struct err *e) MUST_CHECK;
struct segment_content spool_content(const struct mail *m);
/* A copy of b in the place of what was kept. */
void spool_keep(struct bytes *kept, struct bytes b);
void spool_free_mail(struct mail *m);
void spool_add_segment(struct spool *s, struct segment *g);
void spool_drop_segment(
    struct spool *s, struct segment *g, enum segment_fate fate);
/* Ids sort as their mails were added. */
void spool_new_id(struct spool *s, char out[SPOOL_ID_MAX]);

/* spool_commit.c */
void spool_commit(struct spool *s);

/* spool_adopt.c */
/* Every name in the folder; -1 and *e. */
int spool_names(struct spool *s,
    void (*each)(struct spool *s, const char *name), struct err *e) MUST_CHECK;
