/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlswatch: looks at the TLS that passes a tunnel without taking part in it.
 * Records must be records (RFC 8446 section 5.1), the server name must be the
 * tunnel's, and the certificate, which TLS 1.2 shows, must hold. Bytes of a
 * handshake stay here until they are judged.
 */
#pragma once

#include <openssl/x509.h>

#include "proxy/base/buf.h"
#include "proxy/policy/url.h"

#define TLSWATCH_CERTIFICATE_MAX 65536 /* bytes of a server's message */

enum tlswatch_side {
	TLSWATCH_CLIENT = 0,
	TLSWATCH_SERVER,
	TLSWATCH_SIDES,
};

enum tlswatch_strictness {
	TLSWATCH_TLS_ONLY = 0,
	TLSWATCH_ANYTHING, /* what does not begin as TLS is not looked at */
};

struct tlswatch;

/*
 * For a tunnel to destination, which must outlive it. judge says what is wrong
 * with a server's chain (the leaf is its first), or NULL when it holds; the
 * words live as long as the watch.
 */
struct tlswatch *tlswatch_new(const struct url *destination,
    enum tlswatch_strictness strictness,
    const char *(*judge)(void *owner, STACK_OF(X509) * chain), void *owner);
void tlswatch_free(struct tlswatch *w);

/*
 * Takes all of *b from that side; *b becomes what may travel on, valid until
 * the next call for the side. false: the tunnel must end, *why_out says why.
 */
bool tlswatch_pass(struct tlswatch *w, enum tlswatch_side side, struct bytes *b,
    const char **why_out) MUST_CHECK;
