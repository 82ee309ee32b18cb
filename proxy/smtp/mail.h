/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail: one mail that we hold, from its content's last byte until every
 * recipient has it, or a person decides.
 *
 * A mail walks the path of mail.c: verdicts, legs. It has a leg for each
 * destination: the recipients that one next hop takes. A leg walks the path of
 * leg.c: detox, delivery. As long as the client waits and the spool does not
 * have the mail, what the verdict or the legs end with is its answer
 * (cut-through). When they take longer than cut_through_max, or there are
 * several legs, the spool takes the mail and the client is answered from there;
 * the path goes on.
 *
 *	mail.c		life of a mail: its path, legs, answer, spool
 *	others.c	what others say of it
 *	leg.c		one leg: detox, delivery
 *	original.c	the original of what was changed, to the store
 *	released.c	one that comes back from there
 *	queue.c		what waits: destinations, retries, the spool's events
 *	queue_orders.c	what administrators order about it
 *	about.c		a mail as bytes in the spool
 *	notice.c	delivery status notifications
 *	locked.c	recipients whose mail waits for a password
 *	trail.c		lines in the journal
 */
#pragma once

#include "proxy/base/log.h"
#include "proxy/base/stage.h"
#include "proxy/detox/treat.h"
#include "proxy/mailer.h"
#include "proxy/smtp/rspamd.h"
#include "proxy/smtp/suspect.h"

/* Who brought it. */
struct mail_origin {
	struct address client;
	const struct segment *segment; /* NULL: from outside */
	const char *helo;
	const char *protocol; /* "ESMTPS", of RFC 3848 */
	const char *tls;      /* "TLSv1.3", or "" */
	uint64_t arrived;     /* seconds since 1970 */
};

enum recipient_state {
	RECIPIENT_PENDING = 0,
	RECIPIENT_DELIVERED,
	RECIPIENT_FAILED, /* for good; its sender was told, or a person is */
	RECIPIENT_HELD,   /* a person decides */
	RECIPIENT_LOCKED, /* it waits for a password */
	RECIPIENT_STATES,
};

struct recipient_status {
	enum recipient_state state;
	bool told;      /* its sender, or there is nothing to tell */
	bool passed_on; /* to a next hop that tells the sender itself */
	struct smtp_reply reply; /* the last */
	struct lock *lock;       /* NULL: it never waited for a password */
};

enum leg_state {
	LEG_WAITING = 0, /* for its time */
	LEG_QUEUED,      /* behind others to the same destination */
	LEG_RUNNING,
	LEG_ENDED, /* none of its recipients is pending */
};

struct destination;

struct leg {
	struct mail *mail;
	enum leg_state state;
	unsigned attempts;
	const struct mail_route *route;
	struct bytes domain;
	size_t *which; /* recipients: indices into the envelope's */
	size_t which_n;
	struct leg_secret *secret;
	uint64_t unlocked; /* when it got that, in seconds since 1970 */
	uint64_t next_ms;  /* of the loop's clock */
	struct destination *destination;
	struct leg *next; /* in line there */
	size_t heap_at;   /* in the queue of those that wait; SIZE_MAX: not */
	/* while it runs */
	size_t stage_at;
	int object;                   /* what detox and the store are given */
	int rebuilt;                  /* what detox made of it */
	size_t object_skip;           /* bytes of it before the content */
	struct detox_ask *inspecting; /* its texts are taken out */
	struct treat *treat;
	uint8_t *map;
	size_t map_n;
	struct bytes body;     /* what is delivered */
	struct buf head;       /* what we write before it */
	struct buf own_head;   /* of its own header, when body is without it */
	const char *signed_by; /* the domain of its signature; NULL: none */
	struct suspicion suspicion;      /* of mail from outside */
	struct store_ask *contact;       /* whether its sender is known */
	char banners[SUSPECT_WORDS_MAX]; /* that the mail is to show */
	const char *result; /* of detox: "sanitised"; NULL: not asked */
	struct buf hidden;  /* the mail's header without To and Cc; or empty */
	char removed[256];
	struct smtp_reply refused; /* by detox; code 0: it was not */
	struct store_ask *keeping;
	struct shipment *shipment;
	const struct mail_recipient **shipped; /* those asked this time */
	size_t *shipped_which;
	size_t shipped_n;
	bool alone;  /* of one recipient, who has a lock */
	bool judged; /* its sender, once */
	bool missed; /* a reader may miss what was left out */
	bool kept;   /* the store has the original */
};

struct mail {
	struct mailer *mailer;
	struct mail *next, *prev; /* of the queue: all that are in memory */
	char id[LOG_ID_MAX];
	struct arena arena;
	struct mail_origin origin;
	struct envelope envelope;
	struct recipient_status *status; /* of each recipient */
	struct leg *legs;
	size_t legs_n;
	/* its path */
	size_t stage_at; /* 0: it is not judged yet, and no leg may start */
	struct rspamd_ask *asking;
	struct timer *ask_again; /* in the spool, when no verdict was had */
	unsigned asked;          /* how often in vain */
	struct rspamd_verdict *verdict;  /* NULL: none, or none yet */
	struct rspamd_verdict *unjudged; /* the last that decides nothing */
	/* the content */
	struct bytes content;
	struct buf held; /* when it is in memory */
	struct share share;
	bool eight_bit;
	uint64_t longest;       /* line */
	const char *message_id; /* "" */
	/* who waits for the answer; NULL: nobody */
	void (*answer)(void *owner, const struct smtp_reply *r);
	void *owner;
	struct timer *cut_through; /* until the spool takes it */
	struct spool_mail *spooled;
	bool mapped; /* content is the spool's */
	bool found;  /* in the spool, with nobody to go to: it is settled */
	bool noted_delay;
	bool let_go;          /* a person has let go what was held */
	bool own;             /* a notice of ours: it is not rebuilt */
	const char *released; /* an original that persons let go as it came:
			       * what we write of that; else "" */
	bool left;            /* the client did not wait for its answer */
	/* As detox read them, when it waits for a password; "". */
	const char *subject, *locked_files; /* a line for each */
};

/* Of what a client sent; content is taken over. The journal's id is made here.
 */
struct mail *mail_new(struct mailer *m, const struct mail_origin *origin,
    const struct envelope *e, struct buf *content, struct share share);
/* Starts its legs; answer() is called once, perhaps from here. */
void mail_go(struct mail *mail,
    void (*answer)(void *owner, const struct smtp_reply *r), void *owner);
/* The same, but the spool takes it at once. */
void mail_keep(struct mail *mail,
    void (*answer)(void *owner, const struct smtp_reply *r), void *owner);
/* The client is gone: what neither the spool nor a next hop is being given is
 * none of ours. */
void mail_leave(struct mail *mail);
/* We have it, and the client may not have heard so: it will come again. */
/* Its digest, by which it can be forgotten when he has; false: it could not be
 * read. */
bool mail_remember(struct mail *mail, uint8_t digest[REPEATS_DIGEST]);
void mail_forget(struct mailer *m, const uint8_t digest[REPEATS_DIGEST]);
/* Walks its path on from where it stands. It may be gone behind it, unless the
 * spool has it. */
void mail_go_on(struct mail *mail);
/* The stage of verdicts has its answer. It may be gone behind it. */
void mail_judged(struct mail *mail, enum stage_answer answer);
/* A leg ended its attempt, or the spool's note must be written. */
void mail_settle(struct mail *mail);
void mail_free(struct mail *mail);
/* 0 where the clock has been set back behind that second since: no mail is so
 * old for that. */
uint64_t mail_ms_since(uint64_t then);
/* Whether its sender is known to be who he says: bodies' own. */
bool mail_sender_is_known(const struct mail *mail);
/* The content in memory or mapped from the spool. 0, or -1 and *e. */
int mail_load_content(struct mail *mail, struct err *e) MUST_CHECK;
void mail_unload_content(struct mail *mail);
/* Gives the content back when the spool has it and no leg needs it now. */
void mail_rest(struct mail *mail);
/* Its legs, by the routes of now; who has none any more is held. */
void mail_make_legs(struct mail *mail);
/* A leg of that recipient alone, which has ended. */
struct leg *mail_leg_alone(struct mail *mail, size_t which,
    const struct mail_route *route, struct bytes domain);
/* Writes the spool's note anew. */
void mail_write_note(struct mail *mail);

/* Whether it is asked about, or a leg of it runs. */
bool mail_runs(const struct mail *mail);
/* Whether it goes on as it came, whatever the route says. */
bool mail_is_passed(const struct mail *mail);

/* others.c */
enum stage_answer mail_verdicts(void *job);
void mail_stop_asking(struct mail *mail);
/* Whether its sender was found not to be who he says. */
bool verdict_denies_sender(const struct mail *mail);
/* What Sekisho-Spam says: "yes", "no"; NULL: no such field. */
const char *verdict_mark(const struct mail *mail);

/* leg.c */
void leg_start(struct leg *leg);
/* For a stage that waited: it is done, or the leg is tried again later. */
void leg_next(struct leg *leg);
void leg_defer(struct leg *leg, const struct smtp_reply *r);
void leg_stop(struct leg *leg);
/* Those that are pending; how many. */
size_t leg_pending(const struct leg *leg);

/* original.c: a stage. */
enum stage_answer leg_original(void *job);

/* about.c: what the spool keeps beside the content. */
int about_pack(const struct mail *mail, struct buf *out) MUST_CHECK;
int about_unpack(struct mail *mail, struct bytes in) MUST_CHECK;
/* Nothing, as long as nothing happened that a restart must know. */
int note_pack(const struct mail *mail, struct buf *out) MUST_CHECK;
int note_unpack(struct mail *mail, struct bytes in) MUST_CHECK;

/* notice.c: tells the sender what became of recipients; through the spool, as a
 * mail of its own. */
enum notice {
	NOTICE_FAILED,
	NOTICE_DELAYED,
	NOTICE_RELAYED,
};
void notice_send(struct mail *mail, enum notice what, const bool *whom);

/* trail.c */
void trail_message(const struct mail *mail, const char *result,
    const struct smtp_reply *reply);
/* One that came when its sender was answered already. */
void trail_verdict(const struct mail *mail, const char *result,
    const struct rspamd_verdict *v);
void trail_recipient(const struct leg *leg, size_t which, const char *result,
    const struct shipment_result *r);
void trail_refused(const struct mail_origin *origin, const char *stage,
    struct bytes sender, struct bytes recipient, const struct mail_reason *why,
    const struct smtp_reply *reply);
void trail_lost(const char *mail, const char *route, const char *why);
struct inspection;
struct inspect_result;
void trail_found(const struct leg *leg, const struct inspection *i,
    const struct inspect_result *found);
/* And the parent is. */
void trail_canaries(const struct leg *leg, const struct inspect_result *found);
struct flood_counts;
void trail_flood(const struct mail *mail, const struct flood_counts *n);
void trail_detoxed(const struct leg *leg, const struct detox_outcome *o);
