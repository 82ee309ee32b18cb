/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tripwire: the process that reads what the kernel's rules logged of My Number
 * segments (NFLOG) and tells the parent. It stands beside the generations and
 * knows no settings but its user: whose address that is, the parent looks up.
 * The socket is the parent's, so that what comes while no such process runs
 * waits in it.
 */
#pragma once

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"

struct kernel_log;

/* Of that group of NFLOG; as root. NULL and *e: the kernel has none, or another
 * program reads it. */
struct kernel_log *kernel_log_open(uint16_t group, size_t bytes, struct err *e)
    MUST_CHECK;
/* NULL does nothing. */
void kernel_log_free(struct kernel_log *l);
int kernel_log_fd(const struct kernel_log *l);
/*
 * Reads what is there, a message at most, without waiting; packet() gets each
 * of its packets from the first header on. 1: there may be more, 0: there is
 * none, -1: some were lost, as nobody read them in time.
 */
int kernel_log_read(struct kernel_log *l,
    void (*packet)(void *owner, struct bytes b), void *owner);
