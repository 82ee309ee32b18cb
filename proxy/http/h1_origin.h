/* SPDX-License-Identifier: Apache-2.0 */
/* h1_origin: the side of an exchange that asks an origin in HTTP/1.1. */
#pragma once

#include "proxy/http/exchange.h"

/* Takes over the connection; lives in the exchange's arena until done. */
struct side *h1_origin_new(struct exchange *x, struct origin *o);
