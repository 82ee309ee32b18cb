/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/tlswatch.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *
judge(void *owner, STACK_OF(X509) * chain)
{
	return sk_X509_num(chain) > 0 ? owner : "empty";
}

/* A first byte that says whose turn it is, a length, the bytes; and again. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes in = { p, n };
	struct url u = { .host = BYTES("www.test") };
	struct tlswatch *w = tlswatch_new(&u, TLSWATCH_TLS_ONLY, judge, NULL);
	const char *why;

	while (in.n > 2) {
		enum tlswatch_side side = in.p[0] & 1;
		size_t most = (size_t)(in.p[0] >> 1) << 8 | in.p[1];
		struct bytes b = (bytes_take(&in, 2), bytes_take(&in, most));

		if (!tlswatch_pass(w, side, &b, &why))
			break;
	}
	tlswatch_free(w);
	return 0;
}
