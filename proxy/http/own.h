/* SPDX-License-Identifier: Apache-2.0 */
/* own: what the proxy itself serves: /proxy.pac, /ca.crt and the page /. */
#pragma once

#include "proxy/base/stage.h"
#include "proxy/http/exchange.h"

/* Answers a request for the proxy itself; target is in origin form. */
enum stage_answer own_answer(struct exchange *x, struct bytes target);
