/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parcel: a browser that waits for a file that is being made harmless gets a
 * page that says so, and the exchange goes on without it: its answer becomes a
 * parcel. The page asks for it again and again, without any script, at a path
 * of the same host that no origin ever sees, and at last leads to it. Any edge
 * can answer: the zygote keeps parcels. Only the client that asked can have
 * one, under the host that it asked. Inside HTTP alone.
 *
 *	PARCEL_PATH TICKET /w		the page
 *	PARCEL_PATH TICKET /f/ NAME	the file
 */
#pragma once

#include "proxy/base/stage.h"
#include "proxy/http/exchange.h"

#define PARCEL_PATH POLICY_OWN_PATH "file/"

/* An answer is kept back: its browser may have to be told. */
void parcel_expect(struct exchange *x);
bool parcel_is_asked_for(const struct exchange *x);
enum stage_answer parcel_answer(struct exchange *x);
void parcel_end(struct exchange *x);
