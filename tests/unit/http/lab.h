/* SPDX-License-Identifier: Apache-2.0 */
/* lab: hellos, made by hand. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A client's hello with that name (NULL: with none), its message padded to n
 * bytes, in records of at most 16384; the count of all its bytes in out.
 */
size_t lab_hello(uint8_t *out, const char *name, size_t n);
