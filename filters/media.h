/* SPDX-License-Identifier: Apache-2.0 */
/* media: the parts of a Content-Type (RFC 9110 section 8.3). */
#pragma once

#include "proxy/base/bytes.h"

/* "text/html" of "text/html; charset=x". */
struct bytes media_name(struct bytes type);
/* Whether a name begins so: "video/" has all of them. Case does not count. */
bool media_is_below(struct bytes name, struct bytes top);
/* The value of a parameter, without its quotes; empty: there is none. */
struct bytes media_parameter(struct bytes type, struct bytes name);
