/* SPDX-License-Identifier: Apache-2.0 */
/* loaded: the program and its libraries in memory, made cheap to fork. */
#pragma once

#include "proxy/base/err.h"

/*
 * What the loader and they themselves have written so far moves into memory of
 * files. Else each fork links and copies it library by library, and each end
 * takes it apart again; from a file a child only takes the pages that it uses.
 * What is read-only since it was relocated (PT_GNU_RELRO) is shared by all and
 * cannot be made writable any more, by whoever it is; of the rest a child that
 * writes gets a page of its own, as before. Once, with one thread. 0, or -1 and
 * *e: the process must end.
 */
int loaded_share(struct err *e) MUST_CHECK;
