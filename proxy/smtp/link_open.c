/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a dialog: a name, its addresses, a socket, TLS. */
#include "proxy/smtp/link_state.h"

#include <openssl/x509v3.h>
#include <stdio.h>

#include "proxy/upstream/race.h"
#include "proxy/upstream/reach.h"

/* More of a name would hold a mail up for long when all are silent. */
#define ADDRESSES_TRIED_MAX 6
#define HOST_FLAGS                              \
	(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | \
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

/* TLS. */

static bool
verifies_by_tlsa(const struct link *l)
{
	return l->order.hop.tls == HOP_TLS_DANE && l->order.tlsa.n > 0;
}

static SSL *
new_ssl(struct link *l)
{
	SSL *ssl = SSL_new(l->links->ctx);
	X509_VERIFY_PARAM *p;
	struct address literal;

	must(ssl != NULL);
	p = SSL_get0_param(ssl);
	X509_VERIFY_PARAM_set_hostflags(p, HOST_FLAGS);
	if (address_parse(&literal, bytes_of(l->name)) == 0) {
		must(X509_VERIFY_PARAM_set1_ip_asc(p, l->name) == 1);
	} else {
		must(X509_VERIFY_PARAM_set1_host(p, l->name, 0) == 1);
		must(SSL_set_tlsext_host_name(ssl, l->name) == 1);
	}
	if (verifies_by_tlsa(l)) {
		tlsa_use(&l->order.tlsa, ssl, l->name, l->domain);
	} else if (l->order.hop.tls != HOP_TLS_VERIFIED) {
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		SSL_set_security_level(ssl, 1);
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

static void
begin_dialog(struct link *l, enum dialog_tls tls)
{
	dialog_init(&l->dialog, l->links->settings->name, tls);
	l->in_dialog = true;
	l->state = LINK_TALKING;
	timer_start(l->timer, l->links->settings->reply_timeout_ms);
	stream_want_read(l->stream, true);
}

static void
fail_handshake(struct link *l)
{
	long result = SSL_get_verify_result(stream_ssl(l->stream));
	bool unverified = result != X509_V_OK &&
	    (l->order.hop.tls == HOP_TLS_VERIFIED || verifies_by_tlsa(l));

	l->report.unshaken = true;
	link_fail(l, "4.7.5", "TLS: %s",
	    unverified ? X509_verify_cert_error_string(result)
		       : stream_why(l->stream));
}

static void
shaken(struct link *l)
{
	SSL *ssl = stream_ssl(l->stream);

	l->report.tls = SSL_get_version(ssl);
	l->report.tls_verified = SSL_get0_peer_certificate(ssl) != NULL &&
	    SSL_get_verify_result(ssl) == X509_V_OK;
	if (!l->in_dialog) {
		begin_dialog(l, DIALOG_TLS_NEVER);
		return;
	}
	l->state = LINK_TALKING;
	timer_start(l->timer, l->links->settings->reply_timeout_ms);
	stream_want_read(l->stream, true);
	dialog_secured(&l->dialog);
	link_say(l);
}

void
link_shake(struct link *l)
{
	switch (stream_handshake(l->stream)) {
	case HANDSHAKE_WAIT:
	case HANDSHAKE_SUSPENDED:
		break;
	case HANDSHAKE_DONE:
		shaken(l);
		break;
	case HANDSHAKE_FAILED:
		fail_handshake(l);
		break;
	}
}

void
link_begin_tls(struct link *l)
{
	l->state = LINK_SHAKING;
	timer_start(l->timer, l->links->settings->reply_timeout_ms);
	stream_tls(l->stream, new_ssl(l));
	link_shake(l);
}

/* Connecting. */

static void
note_peer(struct link *l, const struct address *a)
{
	char text[ADDRESS_TEXT_MAX];
	struct addresses *left = &l->report.left;

	snprintf(l->report.peer, sizeof(l->report.peer), "%s[%s]:%u", l->host,
	    address_text(a, text), a->port);
	for (size_t i = 0; i < left->n; i++)
		if (address_equal(&left->a[i], a)) {
			left->a[i] = left->a[--left->n];
			break;
		}
}

static enum dialog_tls
wanted_tls(const struct link *l)
{
	if (l->order.choice == LINK_FRESH_PLAIN)
		return DIALOG_TLS_NEVER;
	switch (l->order.hop.tls) {
	case HOP_TLS_VERIFIED:
	case HOP_TLS_DANE:
		return DIALOG_TLS_REQUIRED;
	case HOP_TLS_OPPORTUNISTIC:
		return DIALOG_TLS_OFFERED;
	case HOP_TLS_NONE:
		return DIALOG_TLS_NEVER;
	}
	return DIALOG_TLS_REQUIRED;
}

static void
connected(void *owner, int fd, const struct address *a, const char *words)
{
	struct link *l = owner;

	if (fd < 0) {
		l->report.left.n = 0;
		link_fail(l, "4.4.1", "%s", words);
		return;
	}
	note_peer(l, a);
	race_free(l->race);
	l->race = NULL;
	l->stream = stream_new(l->links->loop, fd, &link_events, l);
	if (l->order.hop.implicit)
		link_begin_tls(l);
	else
		begin_dialog(l, wanted_tls(l));
}

/* With the hop's port; what may not be reached is left out. Why so, when
 * nothing is left. */
static const char *
judge(struct link *l, const struct addresses *all)
{
	static const struct zone nowhere = { 0 };
	const struct zone *z = l->order.zone == NULL ? &nowhere : l->order.zone;
	const struct upstream_settings *u = l->links->upstream;
	struct addresses *out = &l->report.left;
	const char *refused = NULL;
	const char *why = NULL;

	*out = (struct addresses){ 0 };
	for (size_t i = 0; i < all->n && out->n < ADDRESSES_TRIED_MAX; i++) {
		refused = l->order.reach == LINK_REACH_JUDGED
		    ? reach_judge(&all->a[i], z, &u->reach)
		    : reach_separated(&all->a[i], &u->reach);
		if (refused != NULL) {
			why = refused;
			continue;
		}
		out->a[out->n] = all->a[i];
		out->a[out->n++].port = l->order.hop.port;
	}
	return out->n > 0 ? NULL : why;
}

static void
begin_race(struct link *l, const struct addresses *all)
{
	const char *why;

	if (all->n == 0) {
		l->report.lasting =
		    !all->silent && l->order.reach == LINK_REACH_JUDGED;
		link_fail(l, l->report.lasting ? "5.4.4" : "4.4.3", "%s: %s",
		    l->host,
		    all->words == NULL ? "the name has no address"
				       : all->words);
		return;
	}
	why = judge(l, all);
	if (why != NULL) {
		l->report.lasting = true;
		link_fail(l, "5.4.4", "%s leads to a %s", l->host, why);
		return;
	}
	l->state = LINK_CONNECTING;
	l->race = race_new(l->links->loop, l->report.left.a, l->report.left.n,
	    l->links->upstream->race_delay_ms, connected, l);
}

static void
resolved(void *owner, const struct addresses *all)
{
	struct link *l = owner;

	l->resolving = NULL;
	begin_race(l, all);
}

void
link_open(struct link *l)
{
	struct addresses all = l->order.only;
	struct address literal;

	timer_start(l->timer, l->links->settings->connect_timeout_ms);
	if (all.n == 0 && address_parse(&literal, bytes_of(l->host)) == 0) {
		all.n = 1;
		all.a[0] = literal;
	}
	if (all.n == 0)
		l->resolving = resolver_get(
		    l->links->resolver, bytes_of(l->host), &all, resolved, l);
	if (l->resolving == NULL)
		begin_race(l, &all);
}
