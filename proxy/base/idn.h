/* SPDX-License-Identifier: Apache-2.0 */
/* idn: international names in ASCII (UTS 46, non-transitional), as browsers
 * read them. */
#pragma once

#include "proxy/base/arena.h"

/* *name becomes its labels in ASCII, in small letters, of a. 0, or -1: it is no
 * such name. */
int idn_to_ascii(struct bytes *name, struct arena *a) MUST_CHECK;
