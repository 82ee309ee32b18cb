/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statements: the auditor's folder, and which of its files counts for each
 * system: of those that are signed, of what the system is now, and signed
 * behind its last suspension, the one signed last, whether or not its time is
 * now. Nothing in the folder can do more than make a system separated that its
 * auditor says is.
 */
#pragma once

#include "proxy/isolation/statement.h"

#define STATEMENTS_MAX (4 * SYSTEMS_MAX) /* files; more are an error */

/* Of one system. */
struct held {
	const struct statement *statement; /* NULL: none counts */
	const char *file;                  /* its name in the folder */
	/* One that does not count, and why; for people. */
	enum statement_use other_use;
	const char *other_file; /* NULL: there is none */
};

struct statements {
	struct arena arena;
	struct held *held; /* by the systems' index */
	size_t held_n;
};

struct statements_question {
	const struct isolation_model *model;
	EVP_PKEY *const *auditors;
	size_t auditors_n;
	time_t now;
	/* When the system was last suspended; 0: never. */
	time_t (*suspended)(void *owner, const struct system *system);
	/* A file that is no statement or that nobody signed. */
	void (*refused)(void *owner, const char *file, const char *why);
	void *owner;
};

/* The folder "" or one that is not there has none. 0, or -1 and *e; released
 * by the caller in either case. */
int statements_load(struct statements *s, const char *folder,
    const struct statements_question *q, struct err *e) MUST_CHECK;
void statements_release(struct statements *s);
/* Whether one file would count, for who names it: 0, or -1 and *e with why
 * not. */
int statements_judge(const char *folder, const char *file,
    const struct system *system, const struct statements_question *q,
    struct err *e) MUST_CHECK;
/* The auditors' keys; freed one by one by auditors_free. NULL and *e. */
EVP_PKEY **auditors_load(const char *const *paths, size_t n, struct err *e)
    MUST_CHECK;
void auditors_free(EVP_PKEY **keys, size_t n);
