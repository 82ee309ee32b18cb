/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/mx.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <stdlib.h>

#define PLACES 256
/* c-ares does not give the life of an MX record. Few are shorter than this. */
#define LIFE_MS 60000

struct known {
	uint64_t expires_ms;
	char domain[HOST_MAX + 1];
	struct mx_hosts hosts;
};

struct mx {
	const struct upstream_settings *settings;
	struct resolver *resolver;
	struct loop *loop;
	struct known known[PLACES]; /* direct-mapped */
};

struct mx_wait {
	struct mx *mx;
	struct resolve_query *query;
	void (*done)(void *owner, const struct mx_hosts *h);
	void *owner;
	size_t domain_n;
	uint8_t domain[HOST_MAX];
};

struct mx *
mx_new(const struct upstream_settings *s, struct resolver *r, struct loop *l)
{
	struct mx *m = calloc(1, sizeof(*m));

	must(m != NULL);
	m->settings = s;
	m->resolver = r;
	m->loop = l;
	return m;
}

void
mx_free(struct mx *m)
{
	free(m);
}

static struct known *
place_of(struct mx *m, struct bytes domain)
{
	return &m->known[bytes_hash(domain) % PLACES];
}

static void
remember(struct mx *m, struct bytes domain, const struct mx_hosts *h)
{
	struct known *k = place_of(m, domain);
	uint64_t life_ms = h->answer == MX_HOSTS
	    ? m->settings->dns_ttl_max_ms
	    : m->settings->dns_negative_ttl_ms;

	if (life_ms > LIFE_MS)
		life_ms = LIFE_MS;
	if (h->answer == MX_SILENT || life_ms == 0)
		return;
	*k = (struct known){
		.expires_ms = loop_now_ms(m->loop) + life_ms,
		.hosts = *h,
	};
	memcpy(k->domain, domain.p, domain.n);
}

static bool
recall(struct mx *m, struct bytes domain, struct mx_hosts *out)
{
	const struct known *k = place_of(m, domain);

	if (k->expires_ms <= loop_now_ms(m->loop) ||
	    !bytes_equal(bytes_of(k->domain), domain))
		return false;
	*out = k->hosts;
	return true;
}

/* Without a last dot and in lower case; -1: no name of a host. */
static int
canonical(char out[HOST_MAX + 1], struct bytes name)
{
	if (bytes_end_with(name, BYTES(".")))
		name.n--;
	if (name.n == 0 || name.n > HOST_MAX)
		return -1;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_' && c != '.')
			return -1;
		out[i] = (char)c;
	}
	out[name.n] = '\0';
	return 0;
}

/* In its place by preference; the last one gives way. */
static void
insert(struct mx_hosts *h, const struct mx_host *host)
{
	size_t at;

	if (h->n == MX_HOSTS_MAX &&
	    h->hosts[h->n - 1].preference <= host->preference)
		return;
	at = h->n < MX_HOSTS_MAX ? h->n++ : h->n - 1;
	for (; at > 0 && h->hosts[at - 1].preference > host->preference; at--)
		h->hosts[at] = h->hosts[at - 1];
	h->hosts[at] = *host;
}

/* message: that there is no MX; empty: none was asked for. */
static void
be_own_host(struct mx_hosts *h, struct bytes domain, struct bytes message)
{
	*h = (struct mx_hosts){
		.answer = MX_HOSTS,
		.validated = resolve_is_validated(message),
	};
	if (canonical(h->hosts[0].name, domain) == 0)
		h->n = 1;
}

void
mx_parse(struct mx_hosts *out, struct bytes domain, struct bytes message)
{
	struct ares_mx_reply *all = NULL;
	struct mx_host host;
	int status = ares_parse_mx_reply(message.p, (int)message.n, &all);
	const char *first = all == NULL ? "" : all->host;

	*out = (struct mx_hosts){ .answer = MX_SILENT };
	if (status == ARES_ENODATA) {
		be_own_host(out, domain, message);
	} else if (status == ARES_SUCCESS && all != NULL && all->next == NULL &&
	    (first[0] == '\0' || strcmp(first, ".") == 0)) {
		out->answer = MX_NULL;
	} else if (status == ARES_SUCCESS) {
		out->answer = MX_HOSTS;
		out->validated = resolve_is_validated(message);
		for (const struct ares_mx_reply *x = all; x != NULL;
		     x = x->next) {
			host = (struct mx_host){ .preference = x->priority };
			if (canonical(host.name, bytes_of(x->host)) == 0)
				insert(out, &host);
		}
	}
	ares_free_data(all);
}

static void
answered(void *owner, enum resolve_status status, struct bytes message)
{
	struct mx_wait *w = owner;
	struct bytes domain = { w->domain, w->domain_n };
	struct mx_hosts h = { .answer = MX_SILENT };

	switch (status) {
	case RESOLVE_SILENT:
		break;
	case RESOLVE_NO_NAME:
		h.answer = MX_NO_DOMAIN;
		break;
	case RESOLVE_NO_DATA:
		be_own_host(&h, domain, message);
		break;
	case RESOLVE_ANSWERED:
		mx_parse(&h, domain, message);
		break;
	}
	remember(w->mx, domain, &h);
	w->done(w->owner, &h);
	free(w);
}

static bool
has_address_of_ours(const struct mx *m, struct bytes domain)
{
	for (size_t i = 0; i < m->settings->hosts_n; i++)
		if (bytes_equal(bytes_of(m->settings->hosts[i].name), domain))
			return true;
	return false;
}

struct mx_wait *
mx_get(struct mx *m, struct bytes domain, struct mx_hosts *out,
    void (*done)(void *owner, const struct mx_hosts *h), void *owner)
{
	struct mx_wait *w;

	must(domain.n <= HOST_MAX);
	*out = (struct mx_hosts){ 0 };
	if (recall(m, domain, out))
		return NULL;
	if (has_address_of_ours(m, domain)) {
		be_own_host(out, domain, (struct bytes){ 0 });
		return NULL;
	}
	w = calloc(1, sizeof(*w));
	must(w != NULL);
	w->mx = m;
	w->done = done;
	w->owner = owner;
	w->domain_n = domain.n;
	memcpy(w->domain, domain.p, domain.n);
	w->query = resolver_query(m->resolver, domain, ns_t_mx, answered, w);
	return w;
}

void
mx_cancel(struct mx_wait *w)
{
	if (w == NULL)
		return;
	resolver_query_cancel(w->query);
	free(w);
}
