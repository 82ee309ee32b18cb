/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake: files that somebody hands over, in an edge: made harmless one after
 * the other, looked into where the way says so, and given to the keeper
 * together; all of them or none.
 */
#pragma once

#include "proxy/detox/treat.h"
#include "proxy/handover/client.h"

struct edge;
struct intake;

#define INTAKE_GIVER_MAX 120
#define INTAKE_NOTE_MAX 500
#define INTAKE_WORDS_MAX 512

/* One file; names are as they came. */
struct intake_file {
	struct bytes name, declared, content;
};

struct intake_order {
	const struct handover_way *way;
	const struct body *body;
	struct bytes client, giver, note, key;
	const struct intake_file *files;
	size_t files_n;
};

enum intake_end {
	INTAKE_FAILED = 0, /* not now; why */
	INTAKE_REFUSED,
	INTAKE_KEPT,
};

/* What became of one file. */
struct intake_result {
	bool refused;
	enum detox_refusal refusal; /* REFUSED_NOT: by dlp */
	char why[INTAKE_WORDS_MAX]; /* in technical words */
};

struct intake_outcome {
	enum intake_end end;
	const char *why;
	const struct slip *slip;             /* of what was kept */
	const char *number;                  /* the same */
	const char *token;                   /* in hex */
	const struct intake_result *results; /* for each file */
};

/*
 * What the order points to has to outlive it. done() is called once, never from
 * here; the outcome is its until it returns, and the intake is freed then.
 */
struct intake *intake_new(struct edge *e, const struct intake_order *o,
    void (*done)(void *owner, const struct intake_outcome *outcome),
    void *owner);
/* done is not called any more. */
void intake_cancel(struct intake *i);

/* For edges: a file of a drop folder, as the keeper sent it (its judge()). */
void intake_judge(void *edge, const struct ipc_message *m);
