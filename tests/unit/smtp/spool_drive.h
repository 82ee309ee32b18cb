/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool_drive: a spool in a folder of its own, in memory where that can be,
 * with mails that are numbers: number n has always the same content, so that
 * whoever finds one can say whether it is whole.
 */
#pragma once

#include <check.h>

#include "proxy/smtp/spool.h"

struct drive {
	char path[64];
	struct loop *loop;
	struct spool *spool;
	struct spool_limits limits;
	size_t committed, failed, found;
	/* What else is done with each; NULL: nothing. */
	void (*told)(struct drive *d, uint32_t number, struct spool_mail *m);
	void *owner;
};

/* A new folder; nothing open. */
void drive_init(struct drive *d);
void drive_open(struct drive *d);
void drive_close(struct drive *d);
/* Closes what is open, removes all. */
void drive_release(struct drive *d);
/* What the loop does at the end of a tick. */
void drive_tick(struct drive *d);

size_t drive_size(uint32_t number);
struct spool_mail *drive_add(struct drive *d, uint32_t number);
struct spool_mail *drive_try_add(
    struct drive *d, uint32_t number, struct err *e);
/* Which one it is; it must be whole. */
uint32_t drive_number(struct drive *d, const struct spool_mail *m);
/* Numbers of all that are there, each whole, once, sorted. */
size_t drive_all(struct drive *d, uint32_t *out, size_t max);
/* Files whose name ends so; the last one's path. */
size_t drive_files(struct drive *d, const char *suffix, char path_out[512]);

/* The disk that the spool sees. */
struct drive_disk {
	int sync_error, write_error; /* errno; 0: it works */
	size_t syncs;                /* fdatasync calls */
	/* NULL, or told of what was done. */
	void (*wrote)(int fd, uint64_t at, struct bytes b);
	void (*synced)(int fd);
	void (*removed)(const char *name);
};
extern struct drive_disk drive_disk;
