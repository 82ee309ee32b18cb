/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: what a child of the parent is given, and the list that each kind's
 * start function reads: open, take settings, chroot, drop ids, seccomp, loop.
 */
#pragma once

#include "proxy/base/ipc.h"
#include "proxy/base/ring.h"
#include "proxy/base/sandbox.h"
#include "proxy/board.h"
#include "proxy/isolation/trip.h"
#include "proxy/settings.h"

enum process_kind {
	PROCESS_JOURNAL,
	PROCESS_CONTROL,
	PROCESS_STORE,
	PROCESS_TRIPWIRE,
	PROCESS_HANDOVER,
	PROCESS_KEYSMITH,
	PROCESS_DETOX,
	PROCESS_GATE,
	PROCESS_EDGE,
	PROCESS_MAIL,
	PROCESS_KINDS,
};

/* In an order's first byte, in the place of a kind. */
#define ORDER_FOR_PARENT PROCESS_KINDS

struct kernel_log;

/* Types of the messages between parent and children. */
enum parent_message {
	PARENT_READY = 1, /* child: I serve */
	PARENT_FAILED,    /* child: I cannot start; body: the words */
	PARENT_DRAIN,     /* parent: take no new work, end when done; job 0: in
			   * your time, 1: close at once what is idle */
	PARENT_STOP,      /* parent: end now */
	PARENT_CHANNEL, /* parent: fd of a channel to a new peer; job: its enum
			 * process_kind */
	PARENT_RING, /* parent to journal: fd; job: slot; body: the name of the
		      * process in it. A slot keeps its ring; the name may
		      * change */
	PARENT_ROTATE,       /* parent to journal: open the file anew */
	PARENT_LISTS,        /* parent to edge: fd: a sealed list file */
	PARENT_RELOAD,       /* control: job asks for a reload */
	PARENT_ROTATE_ASKED, /* control: job asks for a rotation */
	PARENT_ORDER,        /* control, and parent to who carries it out: job;
			      * body: an administrator's order; from control
			      * with its enum process_kind before it */
	PARENT_ORDER_SENT,   /* parent to control: job; body: in a byte, how
			      * many answers will come */
	PARENT_ORDER_ANSWER, /* from there, and parent to control: job; body: in
			      * a byte, enum order_answer; fd: its words */
	PARENT_LIMITS,       /* parent to store: body: struct store_limits */
	PARENT_RELEASE,      /* store, and parent to a mail process: job; fd: an
			      * original to be delivered as it came; body: what
			      * it is (smtp/released.h) */
	PARENT_RELEASED,     /* mail, and parent to store: job; body: the number
			      * of the mail in the spool; empty: not now */
	PARENT_UNLOCK,       /* edge, and parent to all mail processes: job;
			      * body: detox/unlock.h's order; secret */
	PARENT_HINT,         /* mail, and parent to all mail processes: body:
			      * detox/unlock.h's hint; secret */
	PARENT_UNLOCK_SENT,  /* parent to edge: job; body: in a byte, how many
			      * answers will come */
	PARENT_UNLOCK_ANSWER, /* mail, and parent to edge: job; body: its
			       * answer */
	PARENT_ANSWER,        /* parent to control: job's outcome; body: words,
			       * empty when done */
	PARENT_TRIPPED,       /* edge, mail, gate, tripwire: an address of a My
			       * Number segment tried something but the gate;
			       * body: struct trip */
	PARENT_PROBED,        /* gate: what a system's probe found; job: index
			       * of the system in the gate's settings; body:
			       * struct probed */
	PARENT_CROSSINGS,     /* parent to gate: fd: the file of crossings of a
			       * new year */
};

/* Of several answers to one order the highest counts. */
enum order_answer {
	ORDER_UNKNOWN = 0, /* what it names is not here */
	ORDER_DONE,        /* its words are what was asked for */
	ORDER_REFUSED,     /* its words say why */
	ORDER_MALFORMED,
};

struct child {
	enum process_kind kind;
	char name[32]; /* "edge.0" */
	unsigned slot; /* its row on the board */
	unsigned nth;  /* among its kind */
	const struct settings *settings;
	struct loop *loop;
	struct channel *parent; /* made by process_begin */
	struct board *board;
	int parent_fd;
	int keysmith_fd; /* edge: channels of these; -1: none */
	int detox_fd;
	int store_fd;   /* mail: a channel to the store; -1: none */
	int *listeners; /* edge, mail, gate: listening sockets */
	const struct listener_settings **listener_settings; /* edge: of each */
	const struct mail_listener_settings **mail_listeners; /* mail: same */
	size_t listeners_n;
	int key_fd;          /* keysmith, store, gate, handover: the key file */
	int control_fd;      /* control: its listening UNIX socket */
	int journal_fd;      /* journal: the file's folder, open */
	int spool_fd;        /* mail: the spool's folder, open */
	int handover_fd;     /* edge: a channel to the keeper; -1: none */
	int store_folder_fd; /* store, handover: its folder, open */
	int wake_fd;         /* eventfd of the journal */
	int ring_fd;         /* this process's own ring */
	int tickets_fd;      /* edge: shared TLS ticket keys, or -1 */
	int common_fd;     /* mail: what they count together (smtp/common.h) */
	int reputation_fd; /* edge: the sealed list file, or -1 */
	int standings_fd;  /* gate, edge, mail: the register, to read */
	int crossings_fd;  /* gate, handover: the file of its records, to
			    * append */
	int kernel_log_fd; /* tripwire: what the kernel logs, or -1 */
	struct kernel_log *kernel_log; /* tripwire: whose that is */
	int *drop_fds; /* handover: drop and out folders, in the order of
			* the ways */
	size_t drop_fds_n;
};

/*
 * The first act of each start function: makes c->loop and c->parent, closes
 * what is not the child's, maps its ring and opens the log. message gets what
 * the parent says (PARENT_STOP is handled here: the loop stops, as when the
 * parent is gone).
 */
void process_begin(struct child *c,
    void (*message)(void *owner, const struct ipc_message *m), void *owner);

/* The start functions: each returns when the process should exit; 0 or 1. */
int edge_start(struct child *c);
int mailer_start(struct child *c);
int keysmith_start(struct child *c);
int detox_start(struct child *c);
int gate_start(struct child *c);
int journal_start(struct child *c);
int control_start(struct child *c);
int store_start(struct child *c);
int tripwire_start(struct child *c);
int handover_start(struct child *c);

/* Tells the parent and the log that this process serves. */
void process_ready(struct child *c);
/* Tells it that something was tried which only the gate may have: for
 * trips_new, whose owner is the child. */
void process_tripped(void *child, const struct trip *t);
/* Tells the parent why it cannot start; gives 1. */
int process_failed(struct child *c, const struct err *e);
