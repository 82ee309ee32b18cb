/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/tunnel.h"

#include "proxy/http/tlswatch.h"

struct tunnel {
	struct exchange *exchange;
	struct tlswatch *watch;
};

static const char *
judge_chain(void *owner, STACK_OF(X509) * chain)
{
	struct tunnel *t = owner;
	struct exchange *x = t->exchange;
	const char *words;

	x->check = verifier_judge_chain(
	    x->edge->verifier, sk_X509_value(chain, 0), chain, &x->url, &words);
	if (x->check == 0)
		return NULL;
	return arena_string(&x->arena,
	    bytes_of(words == NULL ? "the certificate does not hold" : words));
}

struct tunnel *
tunnel_new(struct exchange *x)
{
	struct tunnel *t = ARENA_NEW(&x->arena, struct tunnel);

	t->exchange = x;
	t->watch = tlswatch_new(&x->url,
	    x->decision.rule->tls_only ? TLSWATCH_TLS_ONLY : TLSWATCH_ANYTHING,
	    judge_chain, t);
	return t;
}

void
tunnel_free(struct tunnel *t)
{
	if (t != NULL)
		tlswatch_free(t->watch);
}

bool
tunnel_judge(struct tunnel *t, enum tunnel_way way, struct bytes *b,
    const char **why_out)
{
	return tlswatch_pass(t->watch,
	    way == TUNNEL_UP ? TLSWATCH_CLIENT : TLSWATCH_SERVER, b, why_out);
}
