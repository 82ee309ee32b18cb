/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/tlsa.h"

#include <arpa/nameser.h>
#include <string.h>

#define NS_T_TLSA 52
#define FIXED_N 3 /* usage, selector, matching type */

enum {
	USAGE_TA = 2,
	USAGE_EE = 3
};

static const uint8_t digest_sizes[] = { [1] = 32, [2] = 64 };

static bool
is_usable(struct bytes data)
{
	return data.n > FIXED_N &&
	    (data.p[0] == USAGE_TA || data.p[0] == USAGE_EE) &&
	    data.p[1] <= 1 && (data.p[2] == 1 || data.p[2] == 2) &&
	    data.n == FIXED_N + (size_t)digest_sizes[data.p[2]];
}

static void
add(struct tlsa *t, struct bytes data)
{
	struct tlsa_record *r;

	t->found = true;
	if (!is_usable(data) || t->n == TLSA_RECORDS_MAX)
		return;
	r = &t->records[t->n++];
	r->usage = data.p[0];
	r->selector = data.p[1];
	r->matching = data.p[2];
	r->data_n = (uint8_t)(data.n - FIXED_N);
	memcpy(r->data, data.p + FIXED_N, r->data_n);
}

int
tlsa_parse(struct tlsa *out, struct bytes message)
{
	ns_msg m;
	ns_rr rr;

	*out = (struct tlsa){ 0 };
	if (message.n > UINT16_MAX ||
	    ns_initparse(message.p, (int)message.n, &m) < 0)
		return -1;
	for (int i = 0; i < ns_msg_count(m, ns_s_an); i++) {
		if (ns_parserr(&m, ns_s_an, i, &rr) < 0)
			return -1;
		if (ns_rr_type(rr) == NS_T_TLSA && ns_rr_class(rr) == ns_c_in)
			add(out,
			    (struct bytes){ ns_rr_rdata(rr), ns_rr_rdlen(rr) });
	}
	return 0;
}

void
tlsa_use(const struct tlsa *t, SSL *ssl, const char *host, const char *domain)
{
	must(t->n > 0 && SSL_dane_enable(ssl, host) > 0);
	/* RFC 7672 section 3.1.1: nothing but the key counts with DANE-EE. */
	SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	if (domain[0] != '\0')
		must(SSL_add1_host(ssl, domain) == 1);
	for (size_t i = 0; i < t->n; i++) {
		const struct tlsa_record *r = &t->records[i];

		/* One that OpenSSL does not know verifies nothing. */
		(void)SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching,
		    r->data, r->data_n);
	}
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
}

bool
tlsa_equal(const struct tlsa *a, const struct tlsa *b)
{
	if (a->found != b->found || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct tlsa_record *x = &a->records[i];
		const struct tlsa_record *y = &b->records[i];

		if (x->usage != y->usage || x->selector != y->selector ||
		    x->matching != y->matching || x->data_n != y->data_n ||
		    memcmp(x->data, y->data, x->data_n) != 0)
			return false;
	}
	return true;
}
