/* SPDX-License-Identifier: Apache-2.0 */
/* job: the child that rebuilds one object. */
#pragma once

#include "proxy/base/sandbox.h"
#include "proxy/detox/detox.h"

struct job_order {
	const struct detox_settings *settings;
	const struct detox_profile *profile;
	const struct sandbox_filter *filter;
	struct bytes name;
	struct bytes declared;
	struct detox_passwords passwords;
	/* What it does once it is locked in: job_work, but for tests. */
	int (*work)(const struct job_order *o);
	int in, out, report; /* memfds */
	int null;            /* where its last words go, or -1: not there */
	bool idle;           /* it gives way to all others */
};

/* Where a child finds them, once it is locked in. */
enum job_fd {
	JOB_IN = 0,
	JOB_OUT = 1,
	JOB_REPORT = 3,
};

/* Locks itself in, works, and ends. */
_Noreturn void job_run(const struct job_order *o);
/* The exit status: 0, whether or not something came out. */
int job_work(const struct job_order *o);
