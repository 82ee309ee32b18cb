/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover: the pages of the proxy itself where files are handed over to
 * another zone, and fetched there; below HANDOVER_PATH. Which zone and body a
 * client is of, its address says.
 *
 *	HANDOVER_PATH			the forms; POST hands over
 *	HANDOVER_PATH find?number=N	by its number
 *	HANDOVER_PATH n/NUMBER/I	the file I of it
 *	HANDOVER_PATH approve		POST: by who may
 *	HANDOVER_PATH a/TOKEN		by the address that who gave it was told
 *	HANDOVER_PATH a/TOKEN/I		the file I of it
 */
#pragma once

#include "proxy/base/stage.h"
#include "proxy/http/exchange.h"

/* Whether the settings have ways, and the path is below it. */
bool handover_is_asked_for(const struct exchange *x, struct bytes path);
/* query: behind the path; or empty. */
enum stage_answer handover_page(
    struct exchange *x, struct bytes path, struct bytes query);
/* The request's body, of an exchange that has x->handover. */
void handover_body(struct exchange *x, struct bytes b);
void handover_body_end(struct exchange *x);
/* A form in x->form has ended; the same. */
void handover_form_end(struct exchange *x);
/* The exchange ends. */
void handover_end(struct exchange *x);
