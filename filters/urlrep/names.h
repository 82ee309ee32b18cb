/* SPDX-License-Identifier: Apache-2.0 */
/* names: a set of strings with a small mark each. */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"

struct names *names_new(void);
void names_free(struct names *s);
/* Adds the mark's bits to the name's. */
void names_add(struct names *s, struct bytes name, unsigned mark);
/* The bits of a name; 0 when it is not in the set. */
unsigned names_mark(const struct names *s, struct bytes name);
size_t names_count(const struct names *s);
