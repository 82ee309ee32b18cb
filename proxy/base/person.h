/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person: who orders something. The kernel says which user asked at the control
 * socket; of root, who is nobody in particular, sekishoctl says who became it
 * (SUDO_USER). That is a word of root's, and marked so.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"

#define PERSON_MAX 80 /* of a name, with its NUL */

struct person {
	char name[PERSON_MAX];
	bool known; /* it is one person, and not whoever is root */
};

/* "UID TOLD ", which leave *in. 0, or -1: there is no such thing. */
int person_take(struct bytes *in, struct person *out) MUST_CHECK;
