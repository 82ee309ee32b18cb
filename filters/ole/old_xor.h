/* SPDX-License-Identifier: Apache-2.0 */
/*
 * old_xor: documents that are only obfuscated ([MS-OFFCRYPTO] 2.3.7): Excel 5
 * and 95, and later ones, and Word's, that were told to. The formats say where
 * the mask begins, and how a byte is hidden by it.
 */
#pragma once

#include "filters/detox.h"

#define OLD_XOR_MASK 16

/* With the job's passwords, and first with the one that opens without asking
 * (nobodys, NULL: there is none). key, verifier: as the file has them; what: "a
 * workbook". DETOX_REFUSED: *d says why. */
enum detox_result old_xor_open(struct detox *d, unsigned key, unsigned verifier,
    const char *what, const char *nobodys, uint8_t mask[OLD_XOR_MASK])
    MUST_CHECK;
