/* SPDX-License-Identifier: Apache-2.0 */
/* address: lists of mailboxes (RFC 5322, 3.4), read and written anew. */
#pragma once

#include "filters/detox.h"

/* Reads text (of mail_unfold) and appends up to max of its mailboxes to a
 * header in which *column bytes of a line stand. *n_out: how many; *bad_out:
 * how many were left out, for they are no addresses, or too many. -1: over
 * out's limit. */
int mail_put_addresses(struct detox *d, struct bytes text, size_t max,
    struct buf *out, size_t *column, size_t *n_out, size_t *bad_out) MUST_CHECK;
/* A name before an address: words, or one quoted string. -1 as above. */
int mail_put_display(struct bytes name, struct buf *out, size_t *column)
    MUST_CHECK;
