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

struct zygote;

/*
 * Warms what children need and locks the process in: from here on it can do
 * nothing else. The settings have to outlive it. NULL and *e: the process must
 * end.
 */
struct zygote *zygote_new(
    const struct zygote_settings *s, struct loop *l, struct err *e) MUST_CHECK;
/* Takes over fd, a channel's end; what its other end asks for ends with it. */
void zygote_serve(struct zygote *z, int fd);
void zygote_free(struct zygote *z);
/* All of that for one who asks, until they are gone. The exit status of the
 * process. */
int zygote_run(const struct zygote_settings *s, int fd);
