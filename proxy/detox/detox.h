/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detox: the sandbox in which objects are rebuilt. A zygote, warmed and locked
 * in, forks one child for each job. A job is a sealed memfd that goes in, one
 * that comes out, and a report. The child sees these and nothing else, and
 * exits. What it says is checked by size and type and never trusted otherwise.
 *
 *	zygote.c	the process that forks, watches and ends them
 *	job.c		the child
 *	report.c	what it says, and how that is read
 *	client.c	who asks: gives an object, gets an outcome
 *	unlock.c	what is said of passwords between processes
 */
#pragma once

#include "filters/detox.h"
#include "proxy/base/ipc.h"
#include "proxy/base/setting.h"

/* Group `detox`: limits of every job, beside those of its profile. */
struct detox_settings {
	const char *profiles; /* a file; "": those that are built in */
	uint32_t jobs_max;    /* at once, of the whole machine */
	uint32_t spare_cores; /* that no job runs on, where there are more */
	uint32_t waiting_max; /* behind them; one more is refused as busy */
	uint64_t memory_max;  /* bytes of address space of a child */
	uint64_t time_ms;     /* from fork to end */
	uint64_t progress_ms; /* until a browser gets a page that tells it */
};

extern const struct setting detox_table[];
extern const size_t detox_table_n;

#define DETOX_NAME_MAX 1024
#define DETOX_REPORT_MAX ((size_t)256 << 10)

/* Of what is kept until a browser fetches it (parcels.h). */
enum parcel_state {
	PARCEL_UNKNOWN = 0, /* there is none, or not any more */
	PARCEL_PENDING,
	PARCEL_READY,
};

#define PARCEL_KEY_N 32
#define PARCEL_WORDS_MAX 12288

/* Messages between who asks and the zygote. */
enum detox_message {
	DETOX_JOB = 1, /* client: job; fd: the object, sealed; body: struct
			* detox_order, packed */
	DETOX_REPORT,  /* zygote: job; fd: a memfd with the report */
	DETOX_KEEP,    /* client: body: a parcel's key, its state in a byte, its
			* words; fd: it, or -1 */
	DETOX_FETCH,   /* client: job; body: the key */
	DETOX_PARCEL,  /* zygote: job; body: its state, its words; fd */
	DETOX_END,     /* zygote: job; fd: a memfd with what came out, or -1;
			* body: one byte of enum detox_end, one more */
};

enum detox_end {
	DETOX_END_EXITED = 1, /* the byte: its exit status */
	DETOX_END_KILLED,     /* its signal */
	DETOX_END_DEADLINE,
	DETOX_END_BUSY,
	DETOX_END_REFUSED, /* the order is malformed, or the object not sealed
			    */
	DETOX_ENDS,
};

struct detox_order {
	uint32_t profile; /* the index in the settings of the zygote */
	struct bytes name;
	struct bytes declared;
	struct detox_passwords passwords; /* secret: never logged */
};

/* 0 or -1: a name is longer than DETOX_NAME_MAX. Who has an order with
 * passwords as bytes wipes them. */
int detox_order_pack(const struct detox_order *o, struct buf *out) MUST_CHECK;
/* Strict; the names point into body. 0, or -1. */
int detox_order_unpack(struct detox_order *o, struct bytes body) MUST_CHECK;

/* Of what goes from one to another: it neither shrinks nor grows nor changes.
 * Who wrote it seals it, at once: the system waits for the processors that
 * still hold pages of it, which one that only gets it would have to do (8 ms).
 */
#define DETOX_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
/* A memfd with all of b, sealed; or -1 and *e. The caller closes it. */
int detox_seal(struct bytes b, struct err *e) MUST_CHECK;
/* The same of one that is there. 0, or -1 and *e. */
int detox_seal_fd(int fd, struct err *e) MUST_CHECK;
/* Whether it can neither shrink nor change. */
bool detox_is_sealed(int fd);
