/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generation: a list file is never written in place. The new one is complete
 * and on disk before it gets the name; those before it stay as NAME.1 (the
 * newest) to NAME.n.
 */
#pragma once

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"

#define GENERATIONS_MAX 9

/* keep: how many are kept behind the new one. 0, or -1 and *e: what was there
 * is as it was. */
int generation_write(const char *path, struct bytes file, unsigned keep,
    struct err *e) MUST_CHECK;
/*
 * The newest kept one, when it is whole, becomes the file again; what was
 * the file is kept as NAME.bad. 0, or -1 and *e.
 */
int generation_rollback(const char *path, struct err *e) MUST_CHECK;
