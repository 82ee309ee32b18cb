/* SPDX-License-Identifier: Apache-2.0 */
/* unlock: the page on which the password of a mail's attachment is typed, and
 * what it says of how that went. */
#pragma once

#include "proxy/answer/answer.h"
#include "proxy/detox/unlock.h"

unsigned answer_unlock_status(const struct unlock_answer *a);
/* token: in letters, of the page's address. 0, or -1 at out's limit. */
int answer_unlock_page(const struct prefecture_settings *p,
    const struct body *body, struct bytes accept_language, const char *token,
    const struct unlock_answer *a, struct buf *out) MUST_CHECK;
