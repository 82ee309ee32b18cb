/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unlock: the page of the proxy itself where the recipient of a mail types the
 * password of what is in it, below UNLOCK_PATH. GET shows which mail it is,
 * POST brings the password; the mail processes answer, by way of the parent.
 */
#pragma once

#include "proxy/http/exchange.h"

bool unlock_is_asked_for(struct bytes path);
enum stage_answer unlock_page(struct exchange *x, struct bytes path);
/* The form's body has ended, of an exchange that has x->unlock. */
void unlock_form_end(struct exchange *x);
/* From the parent. */
void unlock_message(struct edge *e, const struct ipc_message *m);
/* The exchange ends. */
void unlock_end(struct exchange *x);
