/* SPDX-License-Identifier: Apache-2.0 */
/* base64 (RFC 4648, 4), as documents hold it: blanks in it do not count. */
#pragma once

#include "proxy/base/buf.h"

/* Each appends; -1: it is none, or out's limit. out has room for as many bytes
 * as text has, and 4. */
int base64_decode(struct bytes text, struct buf *out) MUST_CHECK;
int base64_encode(struct bytes b, struct buf *out) MUST_CHECK;
