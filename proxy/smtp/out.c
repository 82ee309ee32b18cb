/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/out.h"

#include <arpa/nameser.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/smtp/data.h"
#include "proxy/smtp/link.h"
#include "proxy/smtp/sts.h"
#include "proxy/upstream/mx.h"

#define SMTP_PORT 25
#define NS_T_TLSA 52 /* RFC 6698 */
/* How long others are tried before a next hop that could not be reached, so
 * that not every mail waits for it. */
#define DOWN_MS 30000
#define DOWN_MAX 64

/* A next hop that could not be reached. */
struct down {
	uint64_t until_ms;
	uint16_t port;
	char host[HOST_MAX + 1];
};

struct out {
	const struct mail_settings *settings;
	struct loop *loop;
	struct resolver *resolver;
	struct mx *mx;
	struct sts *sts;
	struct links *links;
	struct shipment *waiting, **waiting_end; /* for a connection */
	uint16_t mx_port;
	uint32_t turn;              /* whose it is among hops of one rank */
	struct down down[DOWN_MAX]; /* direct-mapped */
};

/* A next hop, and whether it is of no use any more. */
struct candidate {
	struct next_hop hop;
	uint64_t rank; /* its priority, behind all others when it is down */
	bool failed;
	bool unasked; /* its TLSA records are to be asked for first */
	struct tlsa tlsa;
};

struct shipment {
	struct out *out;
	struct shipment_order order;
	struct dialog_mail mail;
	struct arena arena;
	struct candidate *candidates;
	size_t candidates_n;
	struct candidate *now; /* that is tried */
	enum link_choice choice;
	struct addresses left; /* of it */
	struct mx_wait *asking;
	struct sts_wait *asking_policy;
	struct resolve_query *asking_tlsa;
	struct link *link;
	struct shipment *next; /* of those that wait, while it does */
	bool waits;
	struct timer *timer;       /* its end is due */
	struct smtp_reply failure; /* the last one, for who has no answer */
	bool lasting;              /* none of the failures may pass */
	struct shipment_result result;
	struct link_report report; /* what result points to */
	uint64_t began_us;
	void (*done)(void *owner, const struct shipment_result *r);
	void *owner;
};

static void try_next(struct shipment *s);

/* Which next hops are down. */

static struct down *
down_of(struct out *o, const struct next_hop *hop)
{
	uint32_t h = 2166136261u ^ hop->port;

	for (const char *c = hop->host; *c != '\0'; c++)
		h = (h ^ (uint8_t)*c) * 16777619u;
	return &o->down[h % DOWN_MAX];
}

static bool
is_down(struct out *o, const struct next_hop *hop)
{
	const struct down *d = down_of(o, hop);

	return d->until_ms > loop_now_ms(o->loop) && d->port == hop->port &&
	    strcmp(d->host, hop->host) == 0;
}

static void
note_down(struct out *o, const struct next_hop *hop)
{
	struct down *d = down_of(o, hop);

	d->until_ms = loop_now_ms(o->loop) + DOWN_MS;
	d->port = hop->port;
	snprintf(d->host, sizeof(d->host), "%s", hop->host);
}

static struct candidate
candidate_of(struct out *o, const struct next_hop *hop)
{
	return (struct candidate){
		.hop = *hop,
		.rank = (uint64_t)is_down(o, hop) << 32 | hop->priority,
	};
}

/* Who waits. */

static void
wait_turn(struct shipment *s)
{
	s->waits = true;
	s->next = NULL;
	*s->out->waiting_end = s;
	s->out->waiting_end = &s->next;
}

static void
stop_waiting(struct shipment *s)
{
	struct out *o = s->out;
	struct shipment **at = &o->waiting;

	if (!s->waits)
		return;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (s->next == NULL)
		o->waiting_end = at;
	s->waits = false;
}

static void
shipment_free(struct shipment *s)
{
	stop_waiting(s);
	mx_cancel(s->asking);
	sts_cancel(s->asking_policy);
	resolver_query_cancel(s->asking_tlsa);
	link_cancel(s->link);
	timer_free(s->timer);
	arena_release(&s->arena);
	free(s);
}

void
shipment_cancel(struct shipment *s)
{
	if (s != NULL)
		shipment_free(s);
}

/* Its end. */

static void
finish(struct shipment *s)
{
	struct shipment_result *r = &s->result;

	for (size_t i = 0; i < s->mail.recipients_n; i++)
		if (s->mail.replies[i].code == 0)
			s->mail.replies[i] = s->failure;
	r->replies = s->mail.replies;
	r->peer = s->report.peer;
	r->tls = s->report.tls == NULL ? "" : s->report.tls;
	r->tls_verified = s->report.tls_verified;
	r->reused = s->report.reused;
	r->dsn = s->report.dsn;
	r->doubtful = s->report.doubtful;
	r->us = clock_us() - s->began_us;
	s->done(s->owner, r);
	shipment_free(s);
}

static void
end_due(void *owner)
{
	finish(owner);
}

/* Never under the call that began it, so from the loop. */
static void
end_with(struct shipment *s, enum shipment_end end)
{
	s->result.end = end;
	timer_start(s->timer, 0);
}

static void
refuse(
    struct shipment *s, unsigned code, const char *enhanced, const char *words)
{
	reply_set(&s->failure, code, enhanced, "%.*s: %s",
	    BYTES_PRINTF(s->order.domain), words);
	end_with(s, code >= 500 ? SHIPMENT_ANSWERED : SHIPMENT_FAILED);
}

static void
note_failure(struct shipment *s, const struct link_report *r)
{
	bool named = r->peer[0] != '\0';

	s->lasting = s->lasting && r->lasting;
	reply_set(&s->failure, s->lasting ? 550 : 451,
	    s->lasting       ? r->enhanced
		: r->lasting ? "4.4.4"
			     : r->enhanced,
	    "%s%s%s", r->peer, named ? ": " : "", r->words);
}

/* What a connection came to. */

/* The peer said nothing about the mail: it may be asked again in another way,
 * or another one is. */
static void
try_again(struct shipment *s, const struct link_report *r)
{
	const struct next_hop *hop = &s->now->hop;

	if (r->reused) {
		s->choice = LINK_FRESH;
	} else if (r->unshaken && hop->tls == HOP_TLS_OPPORTUNISTIC &&
	    !hop->implicit && s->choice != LINK_FRESH_PLAIN) {
		s->choice = LINK_FRESH_PLAIN;
	} else {
		note_failure(s, r);
		s->choice = LINK_FRESH;
		s->left = r->left;
		if (r->left.n == 0) {
			note_down(s->out, hop);
			s->now->failed = true;
			s->now = NULL;
		}
	}
	try_next(s);
}

static void
link_done(void *owner, const struct link_report *r)
{
	struct shipment *s = owner;

	s->link = NULL;
	s->report = *r;
	switch (r->end) {
	case LINK_UNHEARD:
		try_again(s, r);
		break;
	case LINK_BROKE:
		s->lasting = false;
		note_failure(s, r);
		s->result.end = SHIPMENT_FAILED;
		finish(s);
		break;
	case LINK_OVER:
		s->result.end = SHIPMENT_ANSWERED;
		finish(s);
		break;
	}
}

/* What DNS says of a host's certificate. */

static void
fail_candidate(struct shipment *s, struct candidate *c, const char *words)
{
	s->lasting = false;
	reply_set(&s->failure, 451, "4.7.5", "%s: %s", c->hop.host, words);
	c->failed = true;
	s->now = NULL;
}

/* The records could not be had. Where the host's address is validated, or that
 * it has none of IPv4, somebody may be hiding them (RFC 7672 section 2.1.2). */
static void
address_known(void *owner, enum resolve_status status, struct bytes message)
{
	struct shipment *s = owner;

	s->asking_tlsa = NULL;
	if (status == RESOLVE_SILENT ||
	    (status != RESOLVE_NO_NAME && resolve_is_validated(message)))
		fail_candidate(s, s->now, "its TLSA records cannot be had");
	try_next(s);
}

/* What is found asks for more than nothing did; records that nobody may use ask
 * for less than a policy. */
static void
take_tlsa(struct candidate *c)
{
	if (c->tlsa.n > 0 || (c->tlsa.found && c->hop.tls != HOP_TLS_VERIFIED))
		c->hop.tls = HOP_TLS_DANE;
}

static void
tlsa_known(void *owner, enum resolve_status status, struct bytes message)
{
	struct shipment *s = owner;
	struct candidate *c = s->now;

	s->asking_tlsa = NULL;
	if (status == RESOLVE_SILENT) {
		s->asking_tlsa = resolver_query(s->out->resolver,
		    bytes_of(c->hop.host), ns_t_a, address_known, s);
		return;
	}
	if (status == RESOLVE_ANSWERED && resolve_is_validated(message)) {
		if (tlsa_parse(&c->tlsa, message) < 0)
			fail_candidate(s, c, "its TLSA records are broken");
		else
			take_tlsa(c);
	}
	try_next(s);
}

static void
ask_tlsa(struct shipment *s, struct candidate *c)
{
	const char *name =
	    arena_printf(&s->arena, "_%u._tcp.%s", c->hop.port, c->hop.host);

	c->unasked = false;
	s->now = c;
	if (strlen(name) > HOST_MAX) {
		try_next(s);
		return;
	}
	s->asking_tlsa = resolver_query(
	    s->out->resolver, bytes_of(name), NS_T_TLSA, tlsa_known, s);
}

/* Which next hop. */

/* Whether it is under way: a connection, or what must be known before. */
static bool
take_link(struct shipment *s, struct candidate *c)
{
	const struct link_order order = {
		.hop = c->hop,
		.reach = s->order.route->hops_n > 0 ? LINK_REACH_ANY
						    : LINK_REACH_JUDGED,
		.zone = s->order.zone,
		.choice = s->choice,
		.tlsa = c->tlsa,
		.domain = arena_string(&s->arena, s->order.domain),
		.only = s->left,
		.mail = &s->mail,
	};

	if (c->unasked) {
		ask_tlsa(s, c);
		return true;
	}
	s->link = links_take(s->out->links, &order, link_done, s);
	if (s->link == NULL)
		return false;
	s->now = c;
	return true;
}

/* The best rank of those that have not failed; false: all have. */
static bool
best_rank(const struct shipment *s, uint64_t *out)
{
	bool any = false;

	for (size_t i = 0; i < s->candidates_n; i++) {
		const struct candidate *c = &s->candidates[i];

		if (c->failed || (any && c->rank >= *out))
			continue;
		any = true;
		*out = c->rank;
	}
	return any;
}

/* Any of that rank that has room. */
static bool
take_any(struct shipment *s, uint64_t rank)
{
	uint32_t turn = s->out->turn++;

	s->choice = LINK_ANY;
	s->left.n = 0;
	for (size_t i = 0; i < s->candidates_n; i++) {
		struct candidate *c =
		    &s->candidates[(turn + i) % s->candidates_n];

		if (!c->failed && c->rank == rank && take_link(s, c))
			return true;
	}
	return false;
}

/* A connection, or the end, or a place among those that wait. */
static void
try_next(struct shipment *s)
{
	uint64_t rank = 0;
	bool taken;

	if (s->now == NULL && !best_rank(s, &rank)) {
		stop_waiting(s);
		end_with(s, s->lasting ? SHIPMENT_ANSWERED : SHIPMENT_FAILED);
		return;
	}
	taken = s->now != NULL ? take_link(s, s->now) : take_any(s, rank);
	if (taken)
		stop_waiting(s);
	else if (!s->waits)
		wait_turn(s);
}

/* In the order in which they came. */
static void
room(void *owner)
{
	struct out *o = owner;
	const struct mail_route *full = NULL;
	struct shipment *next;

	for (struct shipment *s = o->waiting; s != NULL; s = next) {
		next = s->next;
		if (full != NULL && s->order.route == full && full->hops_n > 0)
			continue;
		try_next(s);
		if (s->waits)
			full = s->order.route;
	}
}

/* Next hops by MX. */

static struct candidate
mx_candidate(struct shipment *s, struct bytes host, uint32_t priority)
{
	const char *name = arena_string(&s->arena, host);
	const struct next_hop hop = {
		.host = name,
		.port = s->out->mx_port,
		.priority = priority,
		.tls = s->order.route->mx_tls,
		.name = name,
	};

	return candidate_of(s->out, &hop);
}

/* RFC 5321 section 5.1: from ourselves on, the list leads back to us. */
static size_t
before_ourselves(const struct shipment *s, const struct mx_hosts *h)
{
	struct bytes name = bytes_of(s->out->settings->name);
	size_t n = 0;

	while (
	    n < h->n && !bytes_equal_nocase(bytes_of(h->hosts[n].name), name))
		n++;
	while (n < h->n && n > 0 &&
	    h->hosts[n - 1].preference == h->hosts[n].preference)
		n--;
	return n;
}

/* What the domain asks of those hosts. TLSA records, which hold for a host,
 * come before it where there are both (RFC 8461 section 2). */
static void
policy_known(void *owner, const struct sts_policy *p)
{
	struct shipment *s = owner;

	s->asking_policy = NULL;
	for (size_t i = 0; i < s->candidates_n; i++) {
		struct candidate *c = &s->candidates[i];

		if (p->mode != STS_ENFORCE)
			break;
		if (sts_covers(p, bytes_of(c->hop.host)))
			c->hop.tls = HOP_TLS_VERIFIED;
		else
			fail_candidate(
			    s, c, "not a host of the domain's MTA-STS policy");
	}
	try_next(s);
}

static void
ask_policy(struct shipment *s)
{
	struct sts_policy p = { 0 };

	if (s->out->settings->mta_sts &&
	    s->order.route->mx_tls == HOP_TLS_OPPORTUNISTIC)
		s->asking_policy =
		    sts_get(s->out->sts, s->order.domain, &p, policy_known, s);
	if (s->asking_policy == NULL)
		policy_known(s, &p);
}

static void
take_hosts(struct shipment *s, const struct mx_hosts *h)
{
	size_t n = before_ourselves(s, h);
	bool dane = s->out->settings->dane && h->validated &&
	    s->order.route->mx_tls == HOP_TLS_OPPORTUNISTIC;

	if (n == 0) {
		if (h->n == 0)
			refuse(s, 451, "4.4.4", "its MX are no names of hosts");
		else
			refuse(s, 554, "5.4.6", "its mail comes back to us");
		return;
	}
	s->candidates = ARENA_ARRAY(&s->arena, struct candidate, n);
	s->candidates_n = n;
	for (size_t i = 0; i < n; i++) {
		s->candidates[i] = mx_candidate(
		    s, bytes_of(h->hosts[i].name), h->hosts[i].preference);
		s->candidates[i].unasked = dane;
	}
	ask_policy(s);
}

static void
hosts_known(struct shipment *s, const struct mx_hosts *h)
{
	switch (h->answer) {
	case MX_SILENT:
		refuse(s, 451, "4.4.3", "no answer from the name server");
		break;
	case MX_NO_DOMAIN:
		refuse(s, 550, "5.1.2", "the domain does not exist");
		break;
	case MX_NULL:
		refuse(s, 556, "5.1.10", "the domain takes no mail (null MX)");
		break;
	case MX_HOSTS:
		take_hosts(s, h);
		break;
	}
}

static void
mx_found(void *owner, const struct mx_hosts *h)
{
	struct shipment *s = owner;

	s->asking = NULL;
	hosts_known(s, h);
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3). */
static void
take_literal(struct shipment *s, struct bytes literal)
{
	struct address a;

	bytes_take(&literal, 1);
	if (literal.n > 0)
		literal.n--;
	if (literal.n > 5 &&
	    bytes_equal_nocase((struct bytes){ literal.p, 5 }, BYTES("IPv6:")))
		bytes_take(&literal, 5);
	if (address_parse(&a, literal) < 0) {
		refuse(s, 550, "5.1.2", "no address");
		return;
	}
	s->candidates = ARENA_NEW(&s->arena, struct candidate);
	s->candidates_n = 1;
	s->candidates[0] = mx_candidate(s, literal, 0);
	try_next(s);
}

static void
ask_mx(struct shipment *s)
{
	struct bytes domain = s->order.domain;
	struct mx_hosts hosts;

	if (domain.n > 0 && domain.p[0] == '[') {
		take_literal(s, domain);
		return;
	}
	if (domain.n == 0 || domain.n > HOST_MAX) {
		refuse(s, 550, "5.1.2", "no domain that takes mail");
		return;
	}
	s->asking = mx_get(s->out->mx, domain, &hosts, mx_found, s);
	if (s->asking == NULL)
		hosts_known(s, &hosts);
}

static void
take_route(struct shipment *s)
{
	const struct mail_route *route = s->order.route;

	s->candidates = ARENA_ARRAY(&s->arena, struct candidate, route->hops_n);
	s->candidates_n = route->hops_n;
	for (size_t i = 0; i < route->hops_n; i++)
		s->candidates[i] = candidate_of(s->out, &route->hops[i]);
	try_next(s);
}

static struct shipment *
begin(struct out *o, const struct shipment_order *order, enum dialog_kind kind,
    void (*done)(void *owner, const struct shipment_result *r), void *owner)
{
	struct shipment *s = calloc(1, sizeof(*s));

	must(s != NULL && order->recipients_n > 0);
	s->out = o;
	s->order = *order;
	s->lasting = true;
	s->done = done;
	s->owner = owner;
	s->began_us = clock_us();
	s->timer = timer_new(o->loop, end_due, s);
	s->mail = (struct dialog_mail){
		.kind = kind,
		.envelope = order->envelope,
		.recipients = order->recipients,
		.recipients_n = order->recipients_n,
		.head = order->head,
		.body = order->body,
		.eight_bit = order->eight_bit,
		.replies = ARENA_ARRAY(
		    &s->arena, struct smtp_reply, order->recipients_n),
	};
	if (order->route->hops_n > 0)
		take_route(s);
	else
		ask_mx(s);
	return s;
}

struct shipment *
shipment_new(struct out *o, const struct shipment_order *order,
    void (*done)(void *owner, const struct shipment_result *r), void *owner)
{
	return begin(o, order, DIALOG_SHIP, done, owner);
}

/* Inquiries. */

struct inquiry {
	struct shipment *shipment;
	struct envelope envelope; /* MAIL FROM:<> */
	const struct mail_recipient *recipient;
	void (*done)(void *owner, const struct smtp_reply *reply);
	void *owner;
};

static void
asked(void *owner, const struct shipment_result *r)
{
	static const struct smtp_reply none;
	struct inquiry *i = owner;

	i->done(i->owner, r->end == SHIPMENT_ANSWERED ? &r->replies[0] : &none);
	free(i);
}

struct inquiry *
inquiry_new(struct out *o, const struct mail_route *route,
    const struct mail_recipient *recipient,
    void (*done)(void *owner, const struct smtp_reply *reply), void *owner)
{
	struct inquiry *i = calloc(1, sizeof(*i));
	struct shipment_order order;

	must(i != NULL);
	i->recipient = recipient;
	i->envelope.utf8 = data_is_eight_bit(recipient->address.text);
	i->done = done;
	i->owner = owner;
	order = (struct shipment_order){
		.route = route,
		.domain = recipient->address.domain,
		.envelope = &i->envelope,
		.recipients = &i->recipient,
		.recipients_n = 1,
	};
	i->shipment = begin(o, &order, DIALOG_ASK, asked, i);
	return i;
}

void
inquiry_cancel(struct inquiry *i)
{
	if (i == NULL)
		return;
	shipment_cancel(i->shipment);
	free(i);
}

/* All of it. */

void
out_set_mx_port(struct out *o, uint16_t port)
{
	o->mx_port = port;
}

void
out_set_sts_port(struct out *o, uint16_t port, const struct zone *permitted)
{
	sts_set_port(o->sts, port, permitted);
}

void
out_drain(struct out *o)
{
	links_drain(o->links);
}

struct out *
out_new(const struct mail_settings *s, const struct upstream_settings *u,
    struct trust *trust, struct common *common, struct loop *l, struct err *e)
{
	struct out *o = calloc(1, sizeof(*o));

	must(o != NULL);
	o->settings = s;
	o->loop = l;
	o->waiting_end = &o->waiting;
	o->mx_port = SMTP_PORT;
	o->resolver = resolver_new(u, l, e);
	if (o->resolver == NULL)
		goto free_out;
	o->links = links_new(s, u, o->resolver, trust, l, room, o, e);
	if (o->links == NULL)
		goto free_resolver;
	o->sts = sts_new(u, o->resolver, trust, common, l, e);
	if (o->sts == NULL)
		goto free_links;
	o->mx = mx_new(u, o->resolver, l);
	return o;

free_links:
	links_free(o->links);
free_resolver:
	resolver_free(o->resolver);
free_out:
	free(o);
	return NULL;
}

void
out_free(struct out *o)
{
	if (o == NULL)
		return;
	must(o->waiting == NULL);
	links_free(o->links);
	sts_free(o->sts);
	mx_free(o->mx);
	resolver_free(o->resolver);
	free(o);
}
