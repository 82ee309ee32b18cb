/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover: files that go from one separated zone of a body to another, by ways
 * that the settings name and by no others. Nothing goes from the internet's
 * zone to LGWAN's but what was made harmless; nothing into the My Number zone
 * without a second person; nothing out of it but where a specific communication
 * leads, and what dlp lets pass.
 *
 *	settings.c	the ways, and what each must have
 *	slip.c		what is known of the files that go together, as bytes
 *	client.c	an edge: gives them to the keeper, asks for them
 *	keeper.c	the process that keeps them encrypted until they are
 *			fetched, and writes the record of each crossing
 *	orders.c	what administrators order of it: list, approve, …
 *	drop.c		folders that files are put in and delivered to
 *
 * In an edge http/intake.c makes them harmless and looks into them, and
 * http/handover.c has the pages.
 *
 * This header is its settings (group `handover`) and what the keeper and edges
 * say to each other. The keeper has no network and parses no file.
 */
#pragma once

#include "proxy/detox/profiles.h"
#include "proxy/isolation/model.h"
#include "proxy/policy/inspection.h"

#define HANDOVER_WAYS_MAX 256
#define HANDOVER_NAME_MAX 32 /* of a way */
#define HANDOVER_FILES_MAX 64
#define HANDOVER_APPROVER_MAX 36 /* bytes of a name */
#define HANDOVER_PROFILE_NONE "none"
#define HANDOVER_PATH "/handover/" /* of the proxy's own pages */

enum handover_approval {
	HANDOVER_OTHER = 0, /* a second person must approve */
	HANDOVER_UNASKED,
};

struct handover_way {
	unsigned index;
	const char *name;
	const char *title_ja, *title_en; /* for who hands over; or "" */
	const char *from_name, *to_name; /* zones */
	struct texts body_codes;         /* none: all bodies */
	const char *profile;             /* of detox, or "none" */
	const char *approval;            /* "other", "none" */
	size_t size_max;                 /* of all files that go together */
	uint32_t files_max;
	uint32_t keep_days;
	struct texts dlp; /* names of the policies' inspections */
	const char *communication_name;
	const char *drop, *out; /* folders; "": none */
	struct texts approver_texts;
	/* parsed */
	const struct zone *from, *to;
	const struct body **bodies;
	size_t bodies_n;
	bool has_profile;
	uint32_t profile_at; /* in detox.profiles */
	uint32_t text_at;    /* the profile that takes texts out, for dlp */
	enum handover_approval approves;
	struct prefix *approvers; /* whose clients approve by a page */
	size_t approvers_n;
	const struct inspection **inspections;
	const struct communication *communication; /* or NULL */
	struct model_source source;
};

struct handover_settings {
	const char *folder;   /* a path, once the proxy's settings have it */
	const char *key_file; /* the same; 32 bytes */
	size_t bytes_max;     /* of all that is kept */
	/* parsed */
	struct handover_way *ways;
	size_t ways_n;
};

extern const struct setting handover_table[], handover_way_table[];
extern const size_t handover_table_n, handover_way_table_n;

/* What the ways name. */
struct handover_world {
	const struct zones *zones;
	const struct detox_profiles *profiles;
	const struct policy *policy;
	const struct isolation_model *isolation;
	const char *folder; /* where relative names start */
};
/* The group `handover` of the root. 0, or -1 and *e with file:line: a way that
 * is none of those which may be. */
int handover_settings_load(const config_setting_t *root,
    const struct handover_world *w, struct arena *a,
    struct handover_settings *out, struct err *e) MUST_CHECK;
/* NULL: there is none. */
const struct handover_way *handover_way(
    const struct handover_settings *s, struct bytes name);
/* Whether that body has it. */
bool handover_way_is_of(const struct handover_way *w, const struct body *body);
/* Whether its communication, where it needs one, holds now. */
bool handover_way_is_open(const struct handover_way *w, time_t now);
/* Whether a client of that address approves what goes by it. */
bool handover_way_has_approver(
    const struct handover_way *w, const struct address *client);
/* Whether it can be used by a page: by no client of the My Number zone. */
bool handover_way_has_page(const struct handover_way *w);

/* The database, in the folder. */
#define HANDOVER_FILE "handover.db"
#define HANDOVER_SLIP_MAX ((size_t)1 << 18)
#define HANDOVER_NUMBER_N 11 /* "12345-67890" */
#define HANDOVER_TOKEN_N 16  /* bytes: who has it may fetch without a number */
#define HANDOVER_TOKEN_HEX (2 * HANDOVER_TOKEN_N)

/* Messages on the channel between an edge and the keeper. */
enum handover_message {
	HANDOVER_SLIP = 1, /* edge: job; body: a piece of a slip; more comes */
	HANDOVER_KEEP,     /* edge: job; body: the last piece; fd: sealed, the
			    * files one behind the other */
	HANDOVER_KEPT,     /* keeper: job; body: its number */
	HANDOVER_NOT_KEPT, /* keeper: job; body: the words */
	HANDOVER_LOOK,     /* edge: job; body: who asks for what (ask.h) */
	HANDOVER_SEEN,     /* keeper: job; body: an enum handover_state in a
			    * byte, a number; fd: sealed, the slip; or -1 */
	HANDOVER_TAKE,     /* edge: job; body: the same, of one file */
	HANDOVER_TAKEN,    /* keeper: job; body: as of SEEN; fd: the file */
	HANDOVER_LIST,     /* edge: job; body: who asks for what waits for its
			    * approval */
	HANDOVER_LISTED,   /* keeper: job; body: as of SEEN; fd: sealed, of
			    * each its number and the slip's length, a line
			    * each, and the slip */
	HANDOVER_APPROVE,  /* edge: job; body: who approves what */
	HANDOVER_DECLINE,  /* the same */
	HANDOVER_DECIDED,  /* keeper: job; body: as of SEEN */
	HANDOVER_JUDGE,    /* keeper: job; body: way, body, name, giver, key,
			    * a line each; fd: sealed, a file of a drop folder */
	HANDOVER_JUDGED,   /* edge: job; body: in a byte, enum handover_judged;
			    * the words in both languages */
};

enum handover_judged {
	HANDOVER_JUDGED_NOT = 0, /* not now: again later */
	HANDOVER_JUDGED_REFUSED,
	HANDOVER_JUDGED_KEPT,
};

/* How it stands with what somebody asks for; the refusing one is 0. */
enum handover_state {
	HANDOVER_UNKNOWN = 0, /* there is none, or not for who asks */
	HANDOVER_WAITS,       /* for a second person */
	HANDOVER_READY,
	HANDOVER_DONE, /* it was fetched or delivered; it may be again, by a
			* page, until its time is over */
	HANDOVER_BUSY, /* too many wrong numbers: not now */
	HANDOVER_STATES,
};
