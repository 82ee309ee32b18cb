/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox: how a process gives up, for good, what its work does not need. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proxy/base/err.h"

/* What seccomp leaves beside memory, time, the loop and open descriptors. */
enum sandbox_need {
	SANDBOX_SOCKETS = 1,  /* accept and connect over IP */
	SANDBOX_FILES = 2,    /* open, truncate and sync files below the root */
	SANDBOX_ACCEPT = 4,   /* accept on a UNIX socket */
	SANDBOX_OBJECTS = 16, /* make files that are memory, without a name */
	SANDBOX_FOLDER = 32,  /* make, rename, remove and look through files of
			       * the folders named, and no others */
	SANDBOX_DATABASE = 64, /* what SQLite asks of a folder's files beside */
	SANDBOX_APPEND = 128,  /* add to an open file, under a lock, durably */
	SANDBOX_FORK =
	    8, /* fork, watch and end children, with limits and
		* a filter of their own, and share memory with them */
};

struct sandbox {
	const char *user;   /* a name, or "uid:gid" in numbers; NULL: as it is,
			     * for a command of somebody who is not root */
	const char *root;   /* the folder that becomes "/"; NULL: none can */
	unsigned needs;     /* of enum sandbox_need */
	int folder;         /* of SANDBOX_FOLDER, open */
	const int *folders; /* more of them */
	size_t folders_n;
	uint64_t files_max;     /* RLIMIT_NOFILE */
	uint64_t processes_max; /* RLIMIT_NPROC, of all that are this user's */
};

/*
 * The first act of main, for a process that will hold what must not stay
 * behind: starts the program anew with every symbol of its libraries bound. One
 * that is bound at its first call leaves on the stack what the registers held,
 * the last bytes that memcpy moved among it.
 */
void sandbox_bind(char **argv);
/*
 * In this order, once, before anything from outside is read: chroot, drop to
 * the user, no_new_privs, rlimits, Landlock (who has no files, where the kernel
 * has it), seccomp (a forbidden call kills the process). There is no way back.
 * 0, or -1 and *e: the process must end.
 */
int sandbox_enter(const struct sandbox *s, struct err *e) MUST_CHECK;
/* Network and System V objects of its own, which are nobody else's, where that
 * can be had; before sandbox_enter, whose seccomp filter is enough without.
 * Whether it could; then chroot can be too, by whoever it is. */
bool sandbox_apart(void);
/*
 * For who forks children that may do even less: memory, time, and the
 * descriptors they have, to read and write. The filter is made once and loaded
 * in each.
 */
struct sandbox_filter;
struct sandbox_filter *sandbox_filter_new(struct err *e) MUST_CHECK;
void sandbox_filter_free(struct sandbox_filter *f);
/* In the child; there is no way back. 0, or -1. */
int sandbox_filter_load(const struct sandbox_filter *f) MUST_CHECK;
/* Whether the user exists or is "uid:gid"; for checks of settings. */
int sandbox_user(const char *user, unsigned *uid_out, unsigned *gid_out,
    struct err *e) MUST_CHECK;
