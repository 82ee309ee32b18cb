/* SPDX-License-Identifier: Apache-2.0 */
/* target: who asks for what, the names that must agree, and the verdict. */
#include "proxy/http/own.h"
#include "proxy/http/parcel.h"
#include "proxy/http/stages.h"
#include "proxy/http/warn.h"
#include "proxy/isolation/trips.h"
#include "proxy/listener/forwarded.h"

/* Who a trusted proxy says that it asks for. 0, or -1: it says nonsense. */
static int
believe_forwarded(struct exchange *x)
{
	const struct listener_settings *l = x->client->listener;
	const struct field *f =
	    message_field(&x->request, FIELD_X_FORWARDED_FOR);

	/* Inside TLS it is the browser that speaks, not the proxy before us:
	 * who asks was told with the CONNECT. */
	if (x->client->intercept != NULL || l->forwarded_n == 0 || f == NULL ||
	    !prefixes_contain(l->forwarded, l->forwarded_n, &x->client->peer))
		return 0;
	if (forwarded_client(
		l->forwarded, l->forwarded_n, &x->request, &x->address) < 0)
		return -1;
	x->segment = zones_lookup(x->edge->settings->zones, &x->address);
	return 0;
}

static bool
is_transparent(const struct exchange *x)
{
	return x->client->listener->kind != LISTENER_PROXY;
}

/* Host is the name, or in HTTP/1.0 perhaps nothing but the address. 0, or -1:
 * what it says is no name. */
static int
name_by_host(struct exchange *x, const char **why_out)
{
	const struct field *host = message_field(&x->request, FIELD_HOST);
	char text[ADDRESS_TEXT_MAX];
	struct bytes authority = host != NULL
	    ? host->value
	    : bytes_of(address_text_port(&x->client->dialled, text));

	x->url.scheme = SCHEME_HTTP;
	if (url_parse_authority(&x->url, authority, 80, &x->arena, why_out) < 0)
		return -1;
	return url_parse_target(&x->url, x->request.target, &x->arena, why_out);
}

/* What they wanted, for the journal; it is refused in either case. */
static void
name_destination(struct exchange *x)
{
	struct bytes target = x->request.target;
	const char *why;

	if (exchange_is_method(x, BYTES("CONNECT"))) {
		if (url_parse_authority(&x->url, target, 0, &x->arena, &why) ==
		    0)
			x->url.scheme = SCHEME_HTTPS;
	} else if (url_parse_absolute(&x->url, target, &x->arena, &why) < 0 &&
	    (!is_transparent(x) || name_by_host(x, &why) < 0)) {
		x->url = (struct url){ 0 };
	}
}

static bool
went_on(const void *owner, const struct rule *r)
{
	const struct exchange *x = owner;

	return passes_hold(
	    &x->edge->board->passes, &x->address, r->name, time(NULL));
}

static struct bytes
field_of(const void *owner, struct bytes name, size_t nth)
{
	const struct message *m = &((const struct exchange *)owner)->request;

	for (size_t i = 0; i < m->fields_n; i++)
		if (bytes_equal_nocase(m->fields[i].name, name) && nth-- == 0)
			return m->fields[i].value.p == NULL
			    ? BYTES("")
			    : m->fields[i].value;
	return (struct bytes){ 0 };
}

struct query
exchange_query(const struct exchange *x)
{
	return (struct query){
		.segment = x->segment,
		.url = &x->url,
		.method = x->request.method,
		.upgrade = x->request.upgrade,
		.now = time(NULL),
		.upload = x->request.framing != FRAMING_NONE &&
		    !(x->request.has_content_length &&
			x->request.content_length == 0),
		.length = x->request.has_content_length
		    ? x->request.content_length
		    : UINT64_MAX,
		.field = field_of,
		.reputation = x->edge->reputation.current,
		.went_on = went_on,
		.owner = x,
	};
}

/* It may have the gate and nothing else. A path may say too much. */
static void
trip(struct exchange *x)
{
	char words[TRIP_TEXT_MAX];
	const struct client *c = x->client;
	struct address to = c->dialled.port != 0 ? c->dialled : c->listener->at;

	snprintf(words, sizeof(words), "%.*s %.*s:%u",
	    (int)(x->request.method.n > 16 ? 16 : x->request.method.n),
	    (const char *)x->request.method.p,
	    (int)(x->url.host.n > 80 ? 80 : x->url.host.n),
	    (const char *)x->url.host.p, x->url.port);
	trips_tried(x->edge->trips, &x->address, &to, bytes_of(words));
}

/* Who is in no zone, or in the one that reaches nothing, ends here. */
enum stage_answer
exchange_zone(void *job)
{
	struct exchange *x = job;
	struct query q;

	if (believe_forwarded(x) < 0)
		return exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "X-Forwarded-For holds no address");
	if (x->segment != NULL && x->segment->zone->kind != ZONE_MYNUMBER)
		return STAGE_NEXT;
	name_destination(x);
	if (x->segment != NULL)
		trip(x);
	q = exchange_query(x);
	x->decision = policy_judge(x->edge->settings->policy, &q);
	must(x->decision.verdict == VERDICT_BLOCK);
	counter_add(COUNTER_BLOCKED, 1);
	return exchange_refuse(x,
	    x->segment == NULL ? ANSWER_UNKNOWN_SOURCE : ANSWER_BLOCKED, NULL);
}

/* The Host field must be the destination's own name (RFC 9112 section 3.2);
 * what differs is domain fronting or smuggling. */
static bool
host_agrees(struct exchange *x, uint16_t default_port)
{
	struct field *host = NULL;
	struct url named = { 0 };
	const char *why;

	for (size_t i = 0; i < x->request.fields_n; i++)
		if (x->request.fields[i].id == FIELD_HOST)
			host = &x->request.fields[i];
	if (host == NULL)
		return x->request.version_minor == 0;
	if (url_parse_authority(
		&named, host->value, default_port, &x->arena, &why) < 0)
		return false;
	return url_same_origin(&named, &x->url);
}

static enum stage_answer
intercepted_target(struct exchange *x)
{
	struct intercept *i = x->client->intercept;
	struct bytes target = x->request.target;
	const char *why;

	/* What the connection waited for is told with its first request. */
	x->resolve_us = i->resolve_us;
	x->connect_us = i->connect_us;
	x->tls_us = i->tls_us;
	i->resolve_us = i->connect_us = i->tls_us = 0;
	if (i->refused) {
		x->url = i->url;
		if (url_parse_target(&x->url, target, &x->arena, &why) < 0)
			x->url = i->url; /* told without its path */
		x->decision = i->decision;
		x->check = i->check;
		return exchange_refuse(x, i->answer, i->why);
	}
	if (target.n > 0 && target.p[0] != '/' &&
	    !bytes_equal(target, BYTES("*"))) {
		if (url_parse_absolute(&x->url, target, &x->arena, &why) < 0)
			return exchange_refuse(x, ANSWER_BAD_REQUEST, why);
		if (!url_same_origin(&x->url, &i->url) ||
		    x->url.scheme != SCHEME_HTTPS)
			return exchange_refuse(x, ANSWER_MISDIRECTED,
			    "target unlike the CONNECT name");
		x->url.dialled = i->url.dialled;
	} else {
		x->url = i->url;
		if (url_parse_target(&x->url, target, &x->arena, &why) < 0)
			return exchange_refuse(x, ANSWER_BAD_REQUEST, why);
	}
	if (!host_agrees(x, 443))
		return exchange_refuse(
		    x, ANSWER_MISDIRECTED, "Host unlike the CONNECT name");
	return STAGE_NEXT;
}

/* Whether the destination is this proxy itself, as browsers know it. */
static bool
names_us(const struct exchange *x)
{
	return url_same_origin(&x->url, &x->edge->settings->own) ||
	    url_same_origin(&x->url, &x->edge->settings->own_tls) ||
	    (x->url.is_address &&
		address_equal(&x->url.address, &x->client->listener->at));
}

/* A client that knows of no proxy speaks to us as to the origin. */
static enum stage_answer
transparent_target(struct exchange *x)
{
	struct bytes target = x->request.target;
	const char *why;

	if (target.n > 0 && target.p[0] != '/' &&
	    !bytes_equal(target, BYTES("*"))) {
		if (url_parse_absolute(&x->url, target, &x->arena, &why) < 0)
			return exchange_refuse(x, ANSWER_BAD_REQUEST, why);
		if (x->url.scheme != SCHEME_HTTP || !host_agrees(x, 80))
			return exchange_refuse(
			    x, ANSWER_MISDIRECTED, "Host unlike the target");
	} else if (name_by_host(x, &why) < 0) {
		return exchange_refuse(x, ANSWER_BAD_REQUEST, why);
	}
	x->url.dialled = x->client->dialled;
	return x->url.port == x->url.dialled.port
	    ? STAGE_NEXT
	    : exchange_refuse(x, ANSWER_MISDIRECTED,
		  "Host unlike the original destination's port");
}

enum stage_answer
exchange_target(void *job)
{
	struct exchange *x = job;
	struct bytes target = x->request.target;
	const char *why;

	if (x->client->intercept != NULL)
		return intercepted_target(x);
	if (is_transparent(x))
		return transparent_target(x);
	if (target.n > 0 && target.p[0] == '/')
		return own_answer(x, target);
	if (url_parse_absolute(&x->url, target, &x->arena, &why) < 0)
		return exchange_refuse(x, ANSWER_BAD_REQUEST, why);
	if (!host_agrees(x, x->url.scheme == SCHEME_HTTPS ? 443 : 80))
		return exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "Host unlike the target");
	if (names_us(x))
		return own_answer(x, x->url.target);
	if (x->url.scheme != SCHEME_HTTP)
		return exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "https needs CONNECT");
	return STAGE_NEXT;
}

enum stage_answer
connect_target(void *job)
{
	struct exchange *x = job;
	const char *why;

	if (x->client->intercept != NULL)
		return exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "CONNECT inside CONNECT");
	if (is_transparent(x) && !x->implied)
		return exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "CONNECT to who is no proxy");
	if (url_parse_authority(
		&x->url, x->request.target, 0, &x->arena, &why) < 0)
		return exchange_refuse(x, ANSWER_BAD_REQUEST, why);
	x->url.scheme = SCHEME_HTTPS;
	if (!host_agrees(x, x->url.port))
		return exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "Host unlike the CONNECT name");
	x->url.dialled = x->client->dialled;
	return STAGE_NEXT;
}

enum stage_answer
exchange_policy(void *job)
{
	struct exchange *x = job;
	struct query q = exchange_query(x);

	if (parcel_is_asked_for(x))
		return parcel_answer(x);
	if (warn_comes_back(x))
		return warn_read_form(x);
	x->decision = policy_judge(x->edge->settings->policy, &q);
	x->url.connect_to = decision_connect_to(&x->decision);
	if (x->decision.verdict == VERDICT_ALLOW)
		return STAGE_NEXT;
	if (rule_asks_why(x->decision.rule))
		return warn_judge(x);
	counter_add(COUNTER_BLOCKED, 1);
	return exchange_refuse(x, ANSWER_BLOCKED, NULL);
}
