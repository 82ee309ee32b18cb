/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signers: the keys of the file of mail routes, and which of them signs a mail:
 * those of the body that sent it, whose domain is that of its only From or
 * above it, the longest such. A mail without one goes as it is.
 */
#pragma once

#include "proxy/smtp/routes.h"

struct signers;

/* Reads the keys, before the process may open nothing any more. NULL and *e
 * with file:line. */
struct signers *signers_new(const struct routes *r, struct err *e) MUST_CHECK;
/* NULL does nothing. */
void signers_free(struct signers *s);

/* Most bytes that a mail's signatures have. */
#define SIGNERS_FIELDS_MAX ((size_t)16 << 10)

/* Appends the signatures of a mail that is sent with that header (with its
 * empty line) and body. The domain, or NULL: it is not signed; when a signer
 * failed, e says how, else e->text is empty. */
const char *signers_sign(const struct signers *s, const struct body *from,
    struct bytes head, struct bytes body, uint64_t now, struct buf *out,
    struct err *e);
