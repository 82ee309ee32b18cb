/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox: how a process gives up, for good, what its work does not need. */
#pragma once

#include <stdint.h>

#include "proxy/base/err.h"

/* What seccomp leaves beside memory, time, the loop and open descriptors. */
enum sandbox_need {
	SANDBOX_SOCKETS = 1, /* accept and connect over IP */
	SANDBOX_FILES = 2,   /* open, truncate and sync files below the root */
	SANDBOX_ACCEPT = 4,  /* accept on a UNIX socket */
};

struct sandbox {
	const char *user;   /* a name, or "uid:gid" in numbers */
	const char *root;   /* the folder that becomes "/" */
	unsigned needs;     /* of enum sandbox_need */
	uint64_t files_max; /* RLIMIT_NOFILE */
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
 * the user, no_new_privs, rlimits, seccomp (a forbidden call kills the
 * process). There is no way back. 0, or -1 and *e: the process must end.
 */
int sandbox_enter(const struct sandbox *s, struct err *e) MUST_CHECK;
/* Whether the user exists or is "uid:gid"; for checks of settings. */
int sandbox_user(const char *user, unsigned *uid_out, unsigned *gid_out,
    struct err *e) MUST_CHECK;
