/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded: the client that a trusted proxy names in X-Forwarded-For. */
#pragma once

#include "proxy/base/address.h"
#include "proxy/http/message.h"

/*
 * The rightmost address that is not a trusted proxy's own; the leftmost when
 * all are. The fields of that name are read as one list. 0, or -1: a member
 * is no address, or there is none.
 */
int forwarded_client(const struct prefix *trusted, size_t n,
    const struct message *m, struct address *out) MUST_CHECK;
