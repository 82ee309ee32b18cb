/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: documents of Office with a password ([MS-OFFCRYPTO] 2.3): a compound
 * file with two streams, of which one tells how the other is encrypted. Two
 * ways are read: "agile" (Office 2010 and later) and "standard" (2007). How
 * often a password is hashed is bounded, as the file says it.
 */
#pragma once

#include "filters/detox.h"

#define SECRET_SPINS_MAX 1000000
/* Excel opens what has this password without asking for it. */
#define SECRET_NOBODYS "VelvetSweatshop"

/* What is in the package, decrypted, into *out (made here; the caller releases
 * it). DETOX_REFUSED: *d says why. */
enum detox_result secret_open(struct detox *d, struct bytes info,
    struct bytes package, struct buf *out) MUST_CHECK;
