/* SPDX-License-Identifier: Apache-2.0 */
/* host: the host of a URL as browsers read it (WHATWG URL, section 3.5). */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"

#define HOST_ROOM 254

/*
 * Writes the canonical host, which is at most HOST_ROOM - 1 bytes. 0, or -1 and
 * *why_out: no host, a forbidden byte, no name of DNS, no address.
 */
int host_canonical(struct bytes given, uint8_t out[HOST_ROOM], size_t *n_out,
    bool *is_address_out, const char **why_out) MUST_CHECK;
/* Whether it is made of what real names have: letters, digits, '-', '_', '.' */
bool host_is_plain_name(struct bytes host);
