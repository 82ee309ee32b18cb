/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warn: a page that warns, or blocks what can be released, and the user who
 * goes on all the same. The page has a form for the reason; it comes back as a
 * POST to POLICY_FORM_PATH of the same host, which no origin ever sees. Then
 * the client may go on for the rule's time.
 */
#pragma once

#include "proxy/http/exchange.h"

/* For a request that such a rule decides. */
enum stage_answer warn_judge(struct exchange *x);
/* The form, which no rule decides: the one that asked may mean other paths or
 * methods. */
bool warn_comes_back(const struct exchange *x);
enum stage_answer warn_read_form(struct exchange *x);
/* The form's body, of an exchange that has x->form. */
void warn_form_body(struct exchange *x, struct bytes b);
void warn_form_end(struct exchange *x);
