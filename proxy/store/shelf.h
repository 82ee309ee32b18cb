/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf: the originals in their database. Whatever is changed is durable with
 * shelf_commit, all or nothing: after kill -9 or a power cut what was
 * committed is there whole, and nothing of the rest.
 */
#pragma once

#include "proxy/base/arena.h"
#include "proxy/base/person.h"
#include "proxy/store/vault.h"

#define SHELF_ID_MAX 24             /* with its NUL */
#define SHELF_PERSON_MAX PERSON_MAX /* the same */

struct shelf;

enum shelf_state {
	SHELF_KEPT = 0,
	SHELF_ASKED,    /* somebody wants it released */
	SHELF_APPROVED, /* it is being handed to a mail process */
	SHELF_RELEASED,
	SHELF_STATES,
};

struct shelf_row {
	char id[SHELF_ID_MAX];
	uint64_t kept; /* seconds since 1970 */
	uint64_t bytes;
	enum shelf_state state;
	char asked_by[SHELF_PERSON_MAX], approved_by[SHELF_PERSON_MAX]; /* "" */
	uint64_t asked, approved;
	char released_as[SHELF_ID_MAX]; /* the number of the mail */
	struct bytes about; /* the arena's; NULL arena: until the next call */
	/* the shelf's own */
	int64_t number;
	struct vault_lock lock;
};

/* file: in a folder that nobody else writes. The vault has to outlive it. NULL
 * and *e: it cannot be used, or another key's originals are in it. */
struct shelf *shelf_open(const char *file, const struct vault *v, struct err *e)
    MUST_CHECK;
/* What is not committed is undone. NULL does nothing. */
void shelf_close(struct shelf *s);

/*
 * Encrypts content and adds it, to be committed. mail, leg: the mail's number,
 * and what tells the legs of it apart: what is there already gives its id
 * again. 0; or -1 and *e: nothing of it is there.
 */
struct shelf_object {
	struct bytes mail, leg, about, content;
	uint64_t now;
};
int shelf_keep(struct shelf *s, const struct shelf_object *o,
    char id_out[SHELF_ID_MAX], struct err *e) MUST_CHECK;
/* 0, or -1 and *e: nothing since the last one has happened. */
int shelf_commit(struct shelf *s, struct err *e) MUST_CHECK;

/* What is not committed is undone. */
void shelf_undo(struct shelf *s);

/* 1: found; 0: there is none; -1 and *e. */
enum shelf_found {
	SHELF_FAILED = -1,
	SHELF_NONE = 0,
	SHELF_FOUND = 1,
};
enum shelf_found shelf_find(struct shelf *s, struct bytes id,
    struct shelf_row *out, struct arena *a, struct err *e);
/* The id of what was kept with that leg. */
enum shelf_found shelf_find_leg(struct shelf *s, struct bytes leg,
    char id_out[SHELF_ID_MAX], struct err *e);
/* Each of them in the order in which they came, until each() gives false. It
 * must not change the shelf. -1 and *e. */
int shelf_each(struct shelf *s,
    bool (*each)(void *owner, const struct shelf_row *r), void *owner,
    struct err *e) MUST_CHECK;
/* The first that has that state, or was kept before that time. */
enum shelf_found shelf_find_state(struct shelf *s, enum shelf_state state,
    struct shelf_row *out, struct arena *a, struct err *e);
enum shelf_found shelf_find_before(struct shelf *s, uint64_t kept,
    struct shelf_row *out, struct arena *a, struct err *e);

/* Decrypted, piece by piece; what take() got is good only when 0 is given. -1
 * and *e: it was changed, or take() gave -1 (with *e). */
int shelf_read(struct shelf *s, const struct shelf_row *r,
    int (*take)(void *owner, struct bytes piece, struct err *e), void *owner,
    struct err *e) MUST_CHECK;
/* State, persons, times and released_as of the row, to be committed. */
int shelf_change(struct shelf *s, const struct shelf_row *r, struct err *e)
    MUST_CHECK;
/* The key goes with it; to be committed. */
int shelf_delete(struct shelf *s, const struct shelf_row *r, struct err *e)
    MUST_CHECK;

/* Behind the commit of deletions: what was deleted leaves the log of changes
 * too. */
void shelf_scrub(struct shelf *s);

/*
 * When that sender wrote there before (0: never), and that he does now. A time
 * is written anew once a day at most, to be committed. What is kept is a hash,
 * by our key. 0, or -1 and *e.
 */
int shelf_contact(struct shelf *s, struct bytes who, uint64_t now,
    uint64_t *last_out, struct err *e) MUST_CHECK;
/* Who did not write since then is not known any more; to be committed. */
int shelf_forget_contacts(struct shelf *s, uint64_t before, struct err *e)
    MUST_CHECK;

struct shelf_counts {
	uint64_t originals, bytes;
};
void shelf_counts(const struct shelf *s, struct shelf_counts *out);
