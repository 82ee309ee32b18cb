/* SPDX-License-Identifier: Apache-2.0 */
/* zygote: the process that forks, watches and ends the children. */
#pragma once

#include "proxy/detox/detox.h"
#include "proxy/detox/job.h"

struct zygote_settings {
	const struct detox_settings *settings;
	const struct detox_profile *profiles;
	size_t profiles_n;
	struct sandbox sandbox; /* the zygote's own; its needs are set here */
	int (*work)(const struct job_order *o); /* NULL: job_work */
};

/*
 * Warms what children need, locks itself in, and serves who is at the other end
 * of fd until they are gone. The exit status of the process.
 */
int zygote_run(const struct zygote_settings *s, int fd);
