/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detoxed: files that are made harmless on their way. A body that content.h
 * kept back whole is given to the scanners and the sandbox, once for each
 * profile that the rules ask for; what comes out of the last travels on, with
 * a head that is true of it. Inside HTTP alone.
 */
#pragma once

#include "proxy/http/exchange.h"

/* Beside the fields of the request: tags of what was made before are turned
 * into those of what it was made from. */
void detoxed_ask(struct exchange *x);
/* A form with files: each of its parts is looked at when all are there. */
bool detoxed_is_form(struct bytes media_type);
/* A final head, before anybody looks at the body: a tag that goes with
 * detoxed_ask, and for HEAD and 304 what would be said of the body. */
void detoxed_answer(struct exchange *x);
/* The object of x->content_up or content_down is complete. Whether the
 * exchange goes on: it waits, or was refused. */
bool detoxed_begin(struct exchange *x, struct content *c);
void detoxed_refuse_large(struct exchange *x, struct content *c);
/* What is being done is not needed any more. */
void detoxed_end(struct exchange *x);
