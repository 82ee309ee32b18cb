/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counts: what all mail processes count and remember together, those of old
 * settings too: the mails of each client and of each body in a minute, what
 * each address of the bodies sends in an hour, and mails that may come again,
 * to whichever process. In memory that they share, which ends with the daemon.
 * One that is killed while it counts leaves a count undone at most.
 */
#pragma once

#include <pthread.h>

#include "proxy/base/err.h"
#include "proxy/smtp/floods.h"
#include "proxy/smtp/rates.h"
#include "proxy/smtp/repeats.h"

struct counts {
	pthread_mutex_t mutex; /* counts.c's own */
	struct rates clients, bodies;
	struct floods floods;
	struct repeats repeats;
};

/* The parent's: a file in memory that nobody can make smaller, with nothing
 * counted. -1 and *e on failure. */
int counts_create(struct err *e) MUST_CHECK;
/* Of that file, which stays the caller's. NULL and *e on failure. */
struct counts *counts_map(int fd, struct err *e) MUST_CHECK;
void counts_unmap(struct counts *c);

/* In between no other process counts. */
void counts_lock(struct counts *c);
void counts_unlock(struct counts *c);
