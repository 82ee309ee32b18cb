/* SPDX-License-Identifier: Apache-2.0 */
/*
 * released: an original that persons let go. It becomes a mail of its own in
 * the spool, to the recipients that the first one had, and goes by their routes
 * as it came, marked.
 */
#pragma once

#include "proxy/mailer.h"

/*
 * Of PARENT_RELEASE: body: "N\n" and the value of Sekisho-Released; fd, which
 * stays the caller's: N bytes of what is known (store/original.h), then the
 * content; sealed. PARENT_RELEASED follows, perhaps from here.
 */
void released_take(struct mailer *m, const struct ipc_message *message);
