/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: what the parent knows of its processes. There is one parent; its
 * files share this.
 *
 *	worker.c	one process: start, watch, start again
 *	generation.c	what one load of the settings started
 *	crossings.c	the files of the gate's records
 *	separation.c	which systems are separated; see separation.h
 *	enforcement.c	the kernel's rules; see enforcement.h
 *	parent.c	signals, sockets, the whole
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "proxy/parent/sockets.h"
#include "proxy/process.h"

enum worker_state {
	WORKER_FREE = 0,
	WORKER_STARTING,
	WORKER_READY,
	WORKER_WAITING, /* dead; the timer starts it again */
};

/* A process, in the same slot over its restarts. */
struct worker {
	enum worker_state state;
	enum process_kind kind;
	unsigned slot;
	unsigned nth;
	char name[32];
	struct generation *generation; /* NULL: who stands beside them */
	pid_t pid;
	struct channel *channel;
	struct timer *restart;
	uint64_t started_ms;
	unsigned crashes; /* in a row, each soon after its start */
	int ring_fd;
	bool ring_announced; /* to the journal that runs */
	bool renewed;        /* it ends, to start with the newest settings */
	struct err failure;  /* what it said before it ended */
};

enum generation_state {
	GENERATION_STARTING,
	GENERATION_CURRENT,
	GENERATION_DRAINING,
};

struct generation {
	enum generation_state state;
	uint32_t number;
	struct settings *settings;
	size_t edges, mails, gates;
	struct timer *deadline; /* starting: ready by; draining: gone by */
	struct generation *next;
};

struct parent {
	const char *settings_file;
	struct loop *loop;
	struct watch *signals;
	int signal_fd;
	int wake_fd;
	int tickets_fd;
	int common_fd;     /* of mail */
	int reputation_fd; /* the sealed list file; -1: none */
	int control_fd;
	struct kernel_log *kernel_log; /* of tripwires; NULL: none is read */
	struct timer *ticket_timer;
	struct timer *year_timer;
	struct board *board;
	struct ring *ring;
	struct sockets sockets;
	struct worker workers[BOARD_SLOTS];
	struct generation *generations;
	struct generation *current;
	struct generation *coming;
	uint32_t numbers;
	uint32_t reload_job; /* of control, to be answered; 0: none */
	bool stopping;
	bool generations_gone; /* those that outlive them follow */
	bool failed;
	const char *journal_file; /* both cannot change by a reload */
	const char *control_socket;
	const char *control_path;             /* that one, from the root */
	const char *store_folder, *store_key; /* nor these, once it runs */
	const char *handover_folder, *handover_key;
	struct arena names;
};

extern struct parent parent;

/* worker.c */
struct worker *worker_new(enum process_kind kind, unsigned nth,
    struct generation *g, struct err *e) MUST_CHECK;
void worker_start(struct worker *w);
/* Frees the slot; the ring stays for the next one in it. */
void worker_release(struct worker *w);
struct worker *worker_find(enum process_kind kind, const struct generation *g);
/* Whether it carries traffic: it comes last of its generation. */
bool worker_carries(const struct worker *w);
/* Whether those ask it: it comes before them and goes after them. */
bool worker_helps(const struct worker *w);
/* w and its channel may be NULL. */
void worker_send(struct worker *w, enum parent_message type, uint32_t job,
    const char *text, int fd);
/* Takes in what SIGCHLD announced. */
void workers_reap(void);
/* Tells the journal of rings that it does not hold yet. */
void workers_announce_rings(void);
void worker_fill_row(const struct worker *w);

/* orders.c */
void orders_pass(const struct ipc_message *order);
void orders_answered(const struct ipc_message *answer);
/* The store's, to a mail process, and its answer back. */
void orders_release(const struct ipc_message *m);
void orders_released(const struct ipc_message *m);

/* originals.c: the store's folder and key, made when they are not there; only
 * for settings with mail. 0, or -1 and *e. */
int originals_prepare(const struct settings *s, struct err *e) MUST_CHECK;
/* It runs when there is mail, with the limits of those settings. */
void originals_serve(const struct settings *s);

/* handover.c: the same for the keeper of files that are handed over. */
int handover_prepare(const struct settings *s, struct err *e) MUST_CHECK;
/* Runs, with those settings, when there are ways. */
void handover_serve(const struct settings *s);

/* vaults.c: a folder and a key of something that is kept encrypted. */
struct vault_place {
	const char *group; /* of the settings, for messages */
	const char *what;  /* is kept: "originals" */
	const char *folder, *key_file, *user;
	const char *database; /* its file in the folder */
};
/* Both are there, or made. 0, or -1 and *e. */
int vault_place_prepare(const struct vault_place *p, struct err *e) MUST_CHECK;

void orders_unlock(const struct worker *edge, const struct ipc_message *m);
void orders_hint(const struct ipc_message *m);
void orders_unlocked(const struct ipc_message *m);

/* crossings.c: the file of this year's records for a gate or keeper that is
 * about to begin, and again for those that run when another year has begun. A
 * descriptor of its own (the lock is that one's), or -1 and *e. */
int crossings_open(const struct settings *s, time_t now, struct err *e)
    MUST_CHECK;
void crossings_watch(void);

/* reputation.c: the file that the settings name. 0, or -1 and *e. */
int reputation_open(const struct settings *s, struct err *e) MUST_CHECK;

/* generation.c */
/* Loads the settings and starts what they ask for. 0, or -1 and *e: nothing
 * has changed. */
int generation_begin(struct err *e) MUST_CHECK;
/* A process of it became ready or ended: what follows? */
void generation_check(struct generation *g);
/* The generation that is coming will not come. */
void generation_refuse(const char *text);
/* job as in PARENT_DRAIN. */
void generation_drain(struct generation *g, uint32_t job);
void generation_end(struct generation *g);

/* parent.c */
void parent_reload(uint32_t job);
void parent_answer_reload(const char *text);
void parent_rotate(void);
/* Every generation is gone: control and journal follow. */
void parent_finish_stop(void);
