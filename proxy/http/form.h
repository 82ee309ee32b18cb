/* SPDX-License-Identifier: Apache-2.0 */
/* form: the values of a small form, application/x-www-form-urlencoded. */
#pragma once

#include "proxy/base/arena.h"

#define FORM_MAX ((size_t)65536) /* bytes of the body */

/* The value of the first field of that name, decoded into the arena; empty when
 * there is none, or a bad escape in it. */
struct bytes form_value(struct bytes body, struct bytes name, struct arena *a);
