/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the process that keeps the originals of mails, encrypted, until a
 * person wants one or its time is over. There is one for the whole daemon: it
 * outlives generations, so that a reload loses no order and no answer.
 *
 *	store.c		the process: who asks, group commit, expiry
 *	orders.c	what administrators order: list, show, release, …
 *	shelf.c		the database
 *	vault.c		encryption
 *	original.c	what is known of an original, as bytes
 *	client.c	the other end: who gives originals
 *
 * This header is its settings (group `store`) and what it and the mail
 * processes say to each other.
 */
#pragma once

#include "proxy/base/setting.h"

/* Of which mails the original is kept. */
enum store_keep {
	STORE_CHANGED = 0, /* something was left out, or all was refused */
	STORE_ALL,         /* of all that are rebuilt */
	STORE_NONE,
};

enum store_approval {
	STORE_SECOND_PERSON = 0,
	STORE_NO_APPROVAL,
};

struct store_settings {
	const char *folder;   /* a path, once the proxy's settings have it */
	const char *key_file; /* the same; 32 bytes */
	const char *keep;     /* "changed", "all", "none" */
	const char *approval; /* "second person", "none" */
	uint32_t keep_days;
	size_t bytes_max; /* of all originals */
	bool required;    /* a mail waits for its original to be kept */
	/* parsed */
	enum store_keep keeps;
	enum store_approval approves;
};

extern const struct setting store_table[];
extern const size_t store_table_n;

/* "changed", "all", "none"; -1: another word. */
int store_keep_parse(const char *word, enum store_keep *out) MUST_CHECK;
/* The group `store` of the root. 0, or -1 and *e. */
int store_settings_load(const config_setting_t *root, struct arena *a,
    struct store_settings *out, struct err *e) MUST_CHECK;

/* The database, in the folder. */
#define STORE_FILE "originals.db"
#define STORE_ABOUT_MAX ((size_t)1 << 20)

/* Messages on the channel between a mail process and the store. */
enum store_message {
	STORE_ABOUT = 1, /* mail: job; body: a piece of what is known of an
			  * original (original.h); more comes */
	STORE_KEEP,      /* mail: job; body: the last piece; fd: sealed, with
			  * the content */
	STORE_KEPT,      /* store: job; body: its id */
	STORE_NOT_KEPT,  /* store: job; body: the words */
	STORE_CONTACT,   /* mail: job; body: a sender and whom he writes to */
	STORE_CONTACT_LAST, /* store: job; body: struct store_contact */
};

#define STORE_CONTACT_MAX 400

/* When that sender wrote there the last time before now. */
struct store_contact {
	uint64_t last; /* seconds since 1970; 0: never */
};

/* What the parent tells the store when a reload changed it (PARENT_LIMITS). */
struct store_limits {
	uint64_t keep_s;
	uint64_t bytes_max;
	enum store_approval approves;
};

struct store_limits store_limits_of(const struct store_settings *s);
