/* SPDX-License-Identifier: Apache-2.0 */
/*
 * common: what all mail processes count and remember together, those of old
 * settings too: the mails of each client and of each body in a minute, what
 * each address of the bodies sends in an hour, mails that may come again, to
 * whichever process, and policies of domains. In memory that they share, which
 * ends with the daemon. Whatever is in a row is one: who is killed while it
 * writes leaves nothing that another could not read.
 */
#pragma once

#include <pthread.h>

#include "proxy/base/err.h"
#include "proxy/smtp/floods.h"
#include "proxy/smtp/rates.h"
#include "proxy/smtp/repeats.h"
#include "proxy/smtp/sts_memory.h"

struct common {
	pthread_mutex_t mutex; /* common.c's own */
	struct rates clients, bodies;
	struct floods floods;
	struct repeats repeats;
	struct sts_memory policies;
};

/* The parent's: a file in memory that nobody can make smaller, with nothing
 * counted. -1 and *e on failure. */
int common_create(struct err *e) MUST_CHECK;
/* Of that file, which stays the caller's. NULL and *e on failure. */
struct common *common_map(int fd, struct err *e) MUST_CHECK;
void common_unmap(struct common *c);

/* In between nobody else reads or writes. */
void common_lock(struct common *c);
void common_unlock(struct common *c);
