/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: files that an administrator names. Only regular ones of a bounded size
 * are read, so that a folder, a pipe or a device in their place is an error and
 * nobody waits for it.
 */
#pragma once

#include "proxy/base/buf.h"
#include "proxy/base/err.h"

/* A descriptor for reading, or -1 and *e: it cannot be opened, is no regular
 * file, or has more than max bytes. */
int file_open(const char *path, size_t max, struct err *e) MUST_CHECK;
/* All of it, behind what is in out, whose limit holds. 0, or -1 and *e: not
 * opened, larger than the limit, or changed while it was read. */
int file_read(const char *path, struct buf *out, struct err *e) MUST_CHECK;
/* All of b, however many calls it takes. 0, or -1 and errno. */
int file_write(int fd, struct bytes b) MUST_CHECK;
