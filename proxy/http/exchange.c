/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/exchange.h"

#include <string.h>

#include "proxy/base/stage.h"
#include "proxy/http/h1_origin.h"
#include "proxy/http/h2_origin.h"
#include "proxy/http/inside.h"
#include "proxy/http/own.h"
#include "proxy/http/tunnel.h"
#include "proxy/http/websocket.h"
#include "proxy/listener/forwarded.h"

static enum stage_answer exchange_zone(void *job);
static enum stage_answer exchange_target(void *job);
static enum stage_answer exchange_policy(void *job);
static enum stage_answer exchange_upstream(void *job);
static enum stage_answer exchange_relay(void *job);
static enum stage_answer connect_target(void *job);
static enum stage_answer connect_policy(void *job);
static enum stage_answer connect_open(void *job);

static const struct stage http_path[] = {
	{ "zone", exchange_zone },
	{ "target", exchange_target },
	{ "policy", exchange_policy },
	{ "upstream", exchange_upstream },
	{ "relay", exchange_relay },
};

static const struct stage connect_path[] = {
	{ "zone", exchange_zone },
	{ "target", connect_target },
	{ "policy", connect_policy },
	{ "upstream", exchange_upstream },
	{ "tunnel", connect_open },
};

struct exchange *
exchange_new(struct edge *e, struct client *c, struct side *from)
{
	struct arena a = { 0 };
	struct exchange *x = ARENA_NEW(&a, struct exchange);

	x->arena = a;
	x->edge = e;
	x->client = c;
	x->from = from;
	x->segment = c->segment;
	x->address = c->address;
	x->started_us = clock_us();
	x->path = http_path;
	x->path_n = COUNT(http_path);
	from->exchange = x;
	return x;
}

static const struct limit_settings *
limits_of(const struct exchange *x)
{
	return &x->edge->settings->limits;
}

static void
deadline(struct exchange *x, uint64_t ms)
{
	x->from->type->deadline(x->from, ms);
}

static void
walk(struct exchange *x)
{
	stages_run(x->path, x->path_n, &x->stage, x);
}

static bool
is_method(const struct exchange *x, struct bytes method)
{
	return bytes_equal(x->request.method, method);
}

static void
release(void *owner)
{
	struct exchange *x = owner;
	struct arena a = x->arena;

	arena_release(&a);
}

/* Both ends go at once, the memory when our callers have returned. */
static void
finish(struct exchange *x, enum side_outcome from, enum side_outcome to)
{
	if (x->finished)
		return;
	x->finished = true;
	upstream_cancel(x->wait);
	x->wait = NULL;
	if (!x->untold)
		exchange_record(x);
	tunnel_free(x->tunnel);
	meaning_release(&x->meaning);
	if (x->to != NULL) {
		x->to->exchange = NULL;
		x->to->type->done(x->to, to);
	}
	x->from->exchange = NULL;
	x->from->type->done(x->from, from);
	loop_defer(x->edge->loop, release, x);
}

/* An answer that has ended ends the exchange, whatever of the request is
 * still to come. */
static void
finish_if_complete(struct exchange *x)
{
	bool both = x->up == BODY_ENDED && x->down == BODY_ENDED;

	if (x->raw ? !both : x->down != BODY_ENDED)
		return;
	finish(x, both ? SIDE_COMPLETE : SIDE_ANSWERED,
	    both ? SIDE_COMPLETE : SIDE_CUT);
}

static void
add_field(struct message *m, struct field *room, enum field_id id,
    const char *name, struct bytes value)
{
	room[m->fields_n++] =
	    (struct field){ .id = id, .name = bytes_of(name), .value = value };
}

void
exchange_answer(struct exchange *x, unsigned status, const char *type,
    const char *language, struct bytes body)
{
	struct field *room = ARENA_ARRAY(&x->arena, struct field, 6);
	struct message *m = &x->response;
	bool head = is_method(x, BYTES("HEAD"));

	x->own = true;
	x->answered_us = clock_us();
	*m = (struct message){
		.status = status,
		.fields = room,
		.framing = head ? FRAMING_NONE : FRAMING_LENGTH,
		.content_length = body.n,
		.has_content_length = true,
		.keep_alive = x->up == BODY_ENDED,
	};
	add_field(m, room, FIELD_CONTENT_TYPE, "Content-Type", bytes_of(type));
	if (language != NULL)
		add_field(m, room, FIELD_OTHER, "Content-Language",
		    bytes_of(language));
	add_field(m, room, FIELD_OTHER, "Cache-Control", BYTES("no-store"));
	add_field(m, room, FIELD_OTHER, "Content-Security-Policy",
	    BYTES("default-src 'none'; style-src 'unsafe-inline'"));
	add_field(
	    m, room, FIELD_OTHER, "X-Content-Type-Options", BYTES("nosniff"));
	x->response_begun = true;
	x->down = BODY_RUNS;
	x->from->type->head(x->from, m);
	if (!head)
		x->from->type->body(x->from, body);
	x->bytes_down += body.n;
	x->from->type->end(x->from, NULL, 0);
	x->down = BODY_ENDED;
	x->from->type->flush(x->from);
	finish(
	    x, x->up == BODY_ENDED ? SIDE_COMPLETE : SIDE_ANSWERED, SIDE_CUT);
}

static struct bytes
accept_language(const struct exchange *x)
{
	const struct field *f =
	    message_field(&x->request, FIELD_ACCEPT_LANGUAGE);

	return f == NULL ? (struct bytes){ 0 } : f->value;
}

/* Where to, in the words of a page: never with a query. */
static struct bytes
destination(struct exchange *x)
{
	if (x->url.scheme == SCHEME_NONE)
		return x->request.target;
	return bytes_of(arena_printf(&x->arena, "%s://%.*s:%u%.*s",
	    scheme_name(x->url.scheme), BYTES_PRINTF(x->url.host), x->url.port,
	    BYTES_PRINTF(x->url.path)));
}

/* What the failed check means, in the words of a page. */
static void
explain_check(unsigned check, struct answer *a)
{
	static const struct {
		unsigned check;
		const char *ja, *en;
	} checks[] = {
		{ VERIFY_REVOKED, "証明書が失効しています。",
		    "The certificate was revoked." },
		{ VERIFY_TIME, "証明書の有効期間外です。",
		    "The certificate is not valid at this time." },
		{ VERIFY_NAME, "証明書の名前が宛先と一致しません。",
		    "The certificate is for another name." },
		{ VERIFY_USAGE, "証明書の用途がサーバー用ではありません。",
		    "The certificate is not for a server." },
		{ VERIFY_STRENGTH, "証明書の鍵または署名が弱すぎます。",
		    "The certificate's key or signature is too weak." },
		{ VERIFY_CHAIN, "証明書の発行元を信頼できません。",
		    "The certificate's issuer is not trusted." },
		{ VERIFY_PROTOCOL, "安全な暗号方式で接続できません。",
		    "No secure protocol is common to both." },
	};

	for (size_t i = 0; i < COUNT(checks); i++) {
		if ((check & checks[i].check) == 0)
			continue;
		a->reason_ja = checks[i].ja;
		a->reason_en = checks[i].en;
		return;
	}
}

static void
send_page(struct exchange *x, unsigned status)
{
	const struct segment *segment = x->segment;
	const struct rule *rule = x->decision.rule;
	struct answer a = {
		.kind = x->answer,
		.status = status,
		.id = x->id,
		.rule = rule == NULL || rule->verdict != VERDICT_BLOCK
		    ? NULL
		    : rule->name,
		.category = x->decision.category,
		.detail = x->why,
		.destination = destination(x),
		.prefecture = &x->edge->settings->prefecture,
		.body = segment == NULL ? NULL : segment->body,
		.accept_language = accept_language(x),
	};
	struct buf page;
	const char *language;

	if (x->answer == ANSWER_BLOCKED && rule != NULL) {
		a.reason_ja = rule->reason_ja;
		a.reason_en = rule->reason_en;
		a.detail = NULL;
	}
	if (x->answer == ANSWER_UNVERIFIED)
		explain_check(x->check, &a);
	buf_init(&page, ANSWER_PAGE_MAX);
	must(answer_page(&a, &page, &language) == 0);
	exchange_answer(x, answer_status(&a), "text/html; charset=utf-8",
	    language, arena_copy(&x->arena, buf_bytes(&page)));
	buf_release(&page);
}

/* With a page while the client has no answer yet; else the answer is cut
 * short so that the client can tell. */
static void
fail(
    struct exchange *x, enum answer_kind kind, unsigned status, const char *why)
{
	x->answer = kind;
	x->why = why;
	if (x->id[0] == '\0')
		log_id(x->id);
	if (x->response_begun) {
		finish(x, SIDE_CUT, SIDE_CUT);
		return;
	}
	if (x->to != NULL) {
		x->to->exchange = NULL;
		x->to->type->done(x->to, SIDE_CUT);
		x->to = NULL;
	}
	send_page(x, status);
}

enum stage_answer
exchange_refuse(struct exchange *x, enum answer_kind kind, const char *why)
{
	fail(x, kind, 0, why);
	return STAGE_REFUSE;
}

/* The path. */

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

	if (is_method(x, BYTES("CONNECT"))) {
		if (url_parse_authority(&x->url, target, 0, &x->arena, &why) ==
		    0)
			x->url.scheme = SCHEME_HTTPS;
	} else if (url_parse_absolute(&x->url, target, &x->arena, &why) < 0 &&
	    (!is_transparent(x) || name_by_host(x, &why) < 0)) {
		x->url = (struct url){ 0 };
	}
}

static struct query
query_of(const struct exchange *x)
{
	return (struct query){
		.segment = x->segment,
		.url = &x->url,
		.method = x->request.method,
		.now = time(NULL),
	};
}

/* Who is in no zone, or in the one that reaches nothing, ends here. */
static enum stage_answer
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
	q = query_of(x);
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

static enum stage_answer
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

static enum stage_answer
exchange_policy(void *job)
{
	struct exchange *x = job;
	struct query q = query_of(x);

	x->decision = policy_judge(x->edge->settings->policy, &q);
	if (x->decision.verdict != VERDICT_BLOCK)
		return STAGE_NEXT;
	counter_add(COUNTER_BLOCKED, 1);
	return exchange_refuse(x, ANSWER_BLOCKED, NULL);
}

enum answer_kind
exchange_answer_of(enum upstream_failure f)
{
	switch (f) {
	case UPSTREAM_NO_ADDRESS:
		return ANSWER_NO_ADDRESS;
	case UPSTREAM_ELSEWHERE:
		return ANSWER_MISDIRECTED;
	case UPSTREAM_FORBIDDEN:
		return ANSWER_FORBIDDEN_ADDRESS;
	case UPSTREAM_TIMEOUT:
		return ANSWER_TIMEOUT;
	case UPSTREAM_UNVERIFIED:
		return ANSWER_UNVERIFIED;
	case UPSTREAM_FAILED:
	case UPSTREAM_OK:
		return ANSWER_UNREACHABLE;
	}
	return ANSWER_UNREACHABLE;
}

static void
use_origin(struct exchange *x, struct origin *o)
{
	x->tls_origin = o->tls_version;
	x->excused = o->excused;
	x->coalesced = !bytes_equal(origin_host(o), x->url.host);
	if (!o->h2) {
		x->to = h1_origin_new(x, o);
		return;
	}
	if (o->sharing == NULL)
		h2_origin_begin(x->edge, o);
	x->to = h2_origin_side(x, o);
}

static enum stage_answer
take_origin(struct exchange *x, const struct upstream_result *r)
{
	x->resolve_us += r->resolve_us;
	x->connect_us += r->connect_us;
	x->tls_us += r->tls_us;
	if (r->failure != UPSTREAM_OK) {
		x->check = r->check;
		return exchange_refuse(x, exchange_answer_of(r->failure),
		    r->words == NULL
			? NULL
			: arena_string(&x->arena, bytes_of(r->words)));
	}
	use_origin(x, r->origin);
	return STAGE_NEXT;
}

static void
upstream_done(void *owner, const struct upstream_result *r)
{
	struct exchange *x = owner;

	x->wait = NULL;
	if (take_origin(x, r) == STAGE_NEXT) {
		x->stage++;
		walk(x);
	}
}

static bool
names_scheme(struct bytes value, struct bytes scheme)
{
	struct bytes first = bytes_take_until(&value, ' ');

	return bytes_equal_nocase(first, scheme);
}

/* Negotiate and NTLM authenticate the connection, not the request: it must
 * serve nobody else (RFC 4559 section 6). */
static bool
binds_connection(const struct message *m)
{
	for (size_t i = 0; i < m->fields_n; i++) {
		const struct field *f = &m->fields[i];

		if ((f->id == FIELD_AUTHORIZATION ||
			f->id == FIELD_WWW_AUTHENTICATE) &&
		    (names_scheme(f->value, BYTES("Negotiate")) ||
			names_scheme(f->value, BYTES("NTLM"))))
			return true;
	}
	return false;
}

/* Authentication of the connection is of HTTP/1.1. */
static enum upstream_transport
transport_of(const struct exchange *x)
{
	if (x->client->intercept == NULL)
		return UPSTREAM_PLAIN;
	if (!limits_of(x)->h2 || binds_connection(&x->request))
		return UPSTREAM_TLS_H1;
	return x->request.upgrade ? UPSTREAM_TLS_UPGRADE : UPSTREAM_TLS;
}

/* The client comes back with a connection that can be bound. */
static enum stage_answer
ask_for_one_at_a_time(struct exchange *x)
{
	x->why = "the origin authenticates connections";
	finish(x, SIDE_CUT_ONE_AT_A_TIME, SIDE_CUT);
	return STAGE_REFUSE;
}

static enum stage_answer
exchange_upstream(void *job)
{
	struct exchange *x = job;
	bool fresh = x->path == connect_path || x->fresh;
	struct upstream_result r = { 0 };
	struct origin *bound = fresh
	    ? NULL
	    : client_take_bound(x->client, &x->address, &x->url, x->segment);

	if (x->from->type->shared && binds_connection(&x->request))
		return ask_for_one_at_a_time(x);
	if (bound != NULL) {
		x->bound = true;
		use_origin(x, bound);
		return STAGE_NEXT;
	}
	/* upstream has timers of its own for each of its waits */
	deadline(x, UINT32_MAX);
	x->wait = upstream_get(x->edge->upstream, &x->url, x->segment,
	    transport_of(x), fresh ? UPSTREAM_FRESH : UPSTREAM_ANY, &r,
	    upstream_done, x);
	return x->wait != NULL ? STAGE_WAIT : take_origin(x, &r);
}

/* Before the others, as Host should stand. */
static void
insert_field(struct exchange *x, struct field f)
{
	struct message *m = &x->request;
	struct field *more =
	    ARENA_ARRAY(&x->arena, struct field, m->fields_n + 1);

	more[0] = f;
	if (m->fields_n > 0)
		memcpy(more + 1, m->fields, m->fields_n * sizeof(*more));
	m->fields = more;
	m->fields_n++;
}

static void
set_field(
    struct exchange *x, enum field_id id, struct bytes name, struct bytes value)
{
	for (size_t i = 0; i < x->request.fields_n; i++)
		if (x->request.fields[i].id == id) {
			x->request.fields[i].value = value;
			return;
		}
	insert_field(
	    x, (struct field){ .id = id, .name = name, .value = value });
}

/* What our clients say of themselves to us is not for origins. */
static void
drop_fields(struct message *m)
{
	for (size_t i = 0; i < m->fields_n; i++) {
		struct field *f = &m->fields[i];

		if (f->id == FIELD_X_FORWARDED_FOR ||
		    f->id == FIELD_FORWARDED || f->id == FIELD_ALT_SVC ||
		    f->id == FIELD_PROXY_AUTHENTICATE)
			f->hop = true;
	}
}

/* A request that came through this checkpoint before runs in a circle. */
static bool
came_before(const struct exchange *x)
{
	for (size_t i = 0; i < x->request.fields_n; i++) {
		struct bytes members = x->request.fields[i].value;

		while (x->request.fields[i].id == FIELD_VIA && members.n > 0)
			if (bytes_equal(
				bytes_trim(bytes_take_until(&members, ',')),
				bytes_of(x->edge->via)))
				return true;
	}
	return false;
}

static enum stage_answer
exchange_relay(void *job)
{
	struct exchange *x = job;

	if (came_before(x))
		return exchange_refuse(x, ANSWER_BAD_REQUEST,
		    "the request came through this proxy before");
	/* HTTP/1.0 needs none; what we send is HTTP/1.1. */
	set_field(
	    x, FIELD_HOST, BYTES("Host"), url_authority(&x->url, &x->arena));
	message_mark_hops(&x->request);
	drop_fields(&x->request);
	meaning_ask(&x->arena, &x->request);
	x->bound |= binds_connection(&x->request);
	x->request.target = x->url.target;
	x->to->type->head(x->to, &x->request);
	/* An upgrade may go on for long yet. */
	if (x->up == BODY_ENDED && !x->request.upgrade)
		x->to->type->end(x->to, NULL, 0);
	x->to->type->flush(x->to);
	x->to->type->flow(x->to, FLOW_GO);
	if (x->up == BODY_ENDED) {
		deadline(x, limits_of(x)->answer_timeout_ms);
		return STAGE_WAIT;
	}
	x->up = BODY_RUNS;
	deadline(x, limits_of(x)->body_timeout_ms);
	/* What came with the head is read now, and may end the exchange. */
	x->from->type->flow(x->from, FLOW_GO);
	return STAGE_WAIT;
}

/* CONNECT. */

static enum stage_answer
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

/* From here on bytes pass as they are. Reading may end the exchange. */
static void
pass_raw(struct exchange *x)
{
	x->raw = true;
	x->response_begun = true;
	x->up = BODY_RUNS;
	x->down = BODY_RUNS;
	x->to->type->raw(x->to);
	x->from->type->raw(x->from);
	deadline(x, limits_of(x)->tunnel_timeout_ms);
	x->to->type->flow(x->to, FLOW_GO);
	if (!x->finished)
		x->from->type->flow(x->from, FLOW_GO);
}

static struct intercept *
intercept_new(const struct exchange *x)
{
	struct intercept *i = calloc(1, sizeof(*i));

	must(i != NULL);
	intercept_name(i, &x->url);
	i->decision = x->decision;
	return i;
}

static void
tell_established(struct exchange *x)
{
	struct message *m = &x->response;

	*m = (struct message){ .status = 200,
		.reason = BYTES("Connection established"),
		.keep_alive = true };
	x->answered_us = clock_us();
	x->response_begun = true;
	x->from->type->head(x->from, m);
	x->from->type->flush(x->from);
}

/* TLS with us begins on the connection, which is no longer the exchange's. */
static enum stage_answer
intercept_here(struct exchange *x, struct intercept *i)
{
	struct client *c = x->client;

	if (h1_client_pending(c) > 0) {
		intercept_free(i);
		return exchange_refuse(x, ANSWER_BAD_REQUEST,
		    "bytes came before the tunnel was open");
	}
	tell_established(x);
	x->finished = true;
	x->from->exchange = NULL;
	x->from->type->raw(x->from);
	loop_defer(x->edge->loop, release, x);
	c->segment = x->segment;
	c->address = x->address;
	intercept_begin(c, i);
	return STAGE_WAIT;
}

/* It begins inside the TLS that is there, and others may be beside it. */
static enum stage_answer
intercept_inside(struct exchange *x, struct intercept *i)
{
	x->to = inside_new(x, i);
	if (x->to == NULL)
		return exchange_refuse(
		    x, ANSWER_UNREACHABLE, "no more connections can be opened");
	x->untold = true;
	tell_established(x);
	pass_raw(x);
	return STAGE_WAIT;
}

/* The client is told that the tunnel is open; its requests will have lines of
 * their own. */
static enum stage_answer
connect_intercept(struct exchange *x, struct intercept *i)
{
	x->own = true;
	return stream_ssl(x->client->stream) == NULL ? intercept_here(x, i)
						     : intercept_inside(x, i);
}

static enum stage_answer
connect_policy(void *job)
{
	struct exchange *x = job;
	struct query q = query_of(x);
	struct intercept *i;

	x->decision = policy_judge_connect(x->edge->settings->policy, &q);
	if (x->decision.verdict == VERDICT_TUNNEL)
		return STAGE_NEXT;
	if (x->decision.verdict == VERDICT_ALLOW)
		return connect_intercept(x, intercept_new(x));
	counter_add(COUNTER_BLOCKED, 1);
	/* A browser shows no page that answers CONNECT: it gets one inside
	 * TLS, without the destination being asked anything. */
	i = intercept_new(x);
	i->refused = true;
	i->answer = ANSWER_BLOCKED;
	return connect_intercept(x, i);
}

static enum stage_answer
connect_open(void *job)
{
	struct exchange *x = job;

	x->tunnel = tunnel_new(x);
	counter_add(COUNTER_TUNNELS, 1);
	tell_established(x);
	pass_raw(x);
	return STAGE_WAIT;
}

/* What the client's side read. */

void
exchange_request(struct exchange *x)
{
	if (is_method(x, BYTES("CONNECT"))) {
		x->path = connect_path;
		x->path_n = COUNT(connect_path);
	}
	x->up = x->request.framing == FRAMING_NONE ? BODY_ENDED : BODY_NONE;
	counter_add(COUNTER_EXCHANGES, 1);
	walk(x);
}

void
exchange_request_bad(struct exchange *x, unsigned status, const char *why)
{
	x->request.method =
	    x->request.method.n == 0 ? BYTES("-") : x->request.method;
	x->up = BODY_NONE;
	fail(x, ANSWER_BAD_REQUEST, status, why);
}

static uint64_t
flow_timeout_ms(const struct exchange *x)
{
	return x->raw ? limits_of(x)->tunnel_timeout_ms
		      : limits_of(x)->body_timeout_ms;
}

void
exchange_request_body(struct exchange *x, struct bytes b)
{
	if (x->tunnel != NULL &&
	    !tunnel_judge(x->tunnel, TUNNEL_UP, &b, &x->why)) {
		finish(x, SIDE_CUT, SIDE_CUT);
		return;
	}
	x->bytes_up += b.n;
	x->to->type->body(x->to, b);
	deadline(x, flow_timeout_ms(x));
	if (x->to->type->full(x->to)) {
		x->to->type->flush(x->to);
		x->from->type->flow(x->from, FLOW_PAUSE);
	}
}

void
exchange_request_end(struct exchange *x, const struct field *trailers, size_t n)
{
	x->up = BODY_ENDED;
	if (x->to == NULL)
		return;
	x->to->type->end(x->to, trailers, n);
	x->to->type->flush(x->to);
	if (!x->raw && !x->response_begun)
		deadline(x, limits_of(x)->answer_timeout_ms);
	finish_if_complete(x);
}

/* It may come a thousand times while the origin is being reached. */
static void
keep_priority(struct exchange *x, struct bytes value)
{
	must(value.n <= sizeof(x->priority));
	if (value.n > 0)
		memcpy(x->priority, value.p, value.n);
	set_field(x, FIELD_PRIORITY, BYTES("Priority"),
	    (struct bytes){ x->priority, value.n });
}

void
exchange_priority(struct exchange *x, struct bytes value)
{
	if (x->to == NULL)
		keep_priority(x, value);
	else if (x->to->type->priority != NULL)
		x->to->type->priority(x->to, value);
}

void
exchange_client_gone(struct exchange *x, const char *why)
{
	if (x->why == NULL)
		x->why = why;
	finish(x, SIDE_CUT, SIDE_CUT);
}

void
exchange_client_drained(struct exchange *x)
{
	deadline(x, flow_timeout_ms(x));
	if (x->to != NULL && x->down == BODY_RUNS)
		x->to->type->flow(x->to, FLOW_GO);
}

/* What the origin's side read. */

/* Only who understood the request can answer its key: what calls itself 101
 * and is none would let the client say anything to the origin. */
static bool
has_accepted(struct exchange *x)
{
	const struct field *key =
	    message_field(&x->request, FIELD_SEC_WEBSOCKET_KEY);
	const struct field *accept =
	    message_field(&x->response, FIELD_SEC_WEBSOCKET_ACCEPT);

	return key != NULL && accept != NULL &&
	    bytes_equal(websocket_accept(&x->arena, key->value), accept->value);
}

static void
switch_protocol(struct exchange *x)
{
	if (!x->request.upgrade || !x->response.upgrade) {
		exchange_origin_failed(
		    x, ANSWER_BAD_ANSWER, "101 without having been asked");
		return;
	}
	if (!has_accepted(x)) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER,
		    "Sec-WebSocket-Accept unlike the key");
		return;
	}
	x->from->type->head(x->from, &x->response);
	x->from->type->flush(x->from);
	counter_add(COUNTER_TUNNELS, 1);
	pass_raw(x);
}

static void
interim(struct exchange *x)
{
	if (++x->interim > limits_of(x)->interim_max) {
		exchange_origin_failed(
		    x, ANSWER_BAD_ANSWER, "too many interim answers");
		return;
	}
	/* A client of HTTP/1.0 knows none (RFC 9110 section 15.2). */
	if (x->request.version_minor == 0)
		return;
	x->from->type->head(x->from, &x->response);
	x->from->type->flush(x->from);
}

static bool
is_idempotent(const struct exchange *x)
{
	static const struct bytes methods[] = {
		BYTES_ROW("GET"),
		BYTES_ROW("HEAD"),
		BYTES_ROW("OPTIONS"),
		BYTES_ROW("PUT"),
		BYTES_ROW("DELETE"),
		BYTES_ROW("TRACE"),
	};

	for (size_t i = 0; i < COUNT(methods); i++)
		if (is_method(x, methods[i]))
			return true;
	return false;
}

/* Once, before any answer, and with nothing of a body lost. */
static bool
may_retry(const struct exchange *x)
{
	if (x->retried || x->raw || x->interim > 0 || x->answered_us != 0 ||
	    x->bytes_up > 0 || x->bound)
		return false;
	switch (x->to->type->retry(x->to)) {
	case RETRY_NEVER:
		return false;
	case RETRY_IDEMPOTENT:
		return is_idempotent(x);
	case RETRY_ANY:
		return true;
	}
	return false;
}

/* On another connection: a new one, unless the origin itself sends us away
 * from the one that it will not use. */
static void
retry(struct exchange *x)
{
	x->retried = true;
	x->fresh = x->to->type->retry(x->to) != RETRY_ANY;
	x->to->exchange = NULL;
	x->to->type->done(x->to, SIDE_CUT);
	x->to = NULL;
	for (x->stage = 0; x->path[x->stage].run != exchange_upstream;)
		x->stage++;
	if (x->up == BODY_RUNS)
		x->from->type->flow(x->from, FLOW_PAUSE);
	walk(x);
}

/* An upgrade was not granted, but answered as the GET that it is, too. Where
 * every 2xx grants it (RFC 8441 section 5), the client would not understand. */
static bool
end_upgrade(struct exchange *x)
{
	if (x->from->type->shared && x->response.status / 100 == 2) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER,
		    "the upgrade was not granted, but answered");
		return false;
	}
	x->to->type->end(x->to, NULL, 0);
	return true;
}

static const char *
settle_meaning(struct exchange *x)
{
	const struct meaning_limits limits = {
		.check_codings = limits_of(x)->check_codings,
		.decoded_ratio = limits_of(x)->decoded_ratio,
	};

	return meaning_settle(&x->meaning, &x->request, &x->response, &limits);
}

static void
final(struct exchange *x)
{
	struct message *m = &x->response;
	const char *why;

	x->bound |= binds_connection(m);
	if (x->bound && x->from->type->shared) {
		ask_for_one_at_a_time(x);
		return;
	}
	why = settle_meaning(x);
	if (why != NULL) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER, why);
		return;
	}
	if (x->request.upgrade && !end_upgrade(x))
		return;
	if (m->framing == FRAMING_CLOSE)
		m->framing = FRAMING_CHUNKED;
	m->keep_alive = true;
	m->upgrade = false;
	x->response_begun = true;
	x->down = BODY_RUNS;
	x->from->type->head(x->from, m);
	deadline(x, limits_of(x)->body_timeout_ms);
}

void
exchange_response(struct exchange *x)
{
	struct message *m = &x->response;

	/* The last word of an idle connection, which our request met on its
	 * way (RFC 9110 section 15.5.9). */
	if (m->status == 408 && may_retry(x)) {
		exchange_origin_failed(
		    x, ANSWER_BAD_ANSWER, "the origin closed the connection");
		return;
	}
	/* RFC 9110 section 15.5.20: asked under another name's connection. */
	if (m->status == 421 && x->coalesced && !x->retried &&
	    x->bytes_up == 0) {
		retry(x);
		return;
	}
	message_mark_hops(m);
	drop_fields(m);
	if (x->answered_us == 0)
		x->answered_us = clock_us();
	if (m->status == 101) {
		switch_protocol(x);
		return;
	}
	if (m->status < 200)
		interim(x);
	else
		final(x);
}

void
exchange_response_body(struct exchange *x, struct bytes b)
{
	const char *why;

	if (x->tunnel != NULL &&
	    !tunnel_judge(x->tunnel, TUNNEL_DOWN, &b, &x->why)) {
		finish(x, SIDE_CUT, SIDE_CUT);
		return;
	}
	why = meaning_body(&x->meaning, b);
	if (why != NULL) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER, why);
		return;
	}
	x->bytes_down += b.n;
	x->from->type->body(x->from, b);
	deadline(x, flow_timeout_ms(x));
	/* Only what leaves can drain, and nothing more may come that would
	 * have it flushed. */
	if (x->from->type->full(x->from)) {
		x->from->type->flush(x->from);
		x->to->type->flow(x->to, FLOW_PAUSE);
	}
}

void
exchange_response_end(
    struct exchange *x, const struct field *trailers, size_t n)
{
	const char *why = meaning_end(&x->meaning);

	if (why != NULL) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER, why);
		return;
	}
	x->down = BODY_ENDED;
	x->from->type->end(x->from, trailers, n);
	x->from->type->flush(x->from);
	finish_if_complete(x);
}

void
exchange_origin_failed(
    struct exchange *x, enum answer_kind kind, const char *why)
{
	if (x->response_begun || !may_retry(x)) {
		counter_add(COUNTER_UPSTREAM_FAILURES, 1);
		fail(x, kind, 0, why);
		return;
	}
	retry(x);
}

void
exchange_origin_drained(struct exchange *x)
{
	deadline(x, flow_timeout_ms(x));
	if (x->up == BODY_RUNS)
		x->from->type->flow(x->from, FLOW_GO);
}

void
exchange_timeout(struct exchange *x, const char *why)
{
	if (x->response_begun || x->up == BODY_ENDED) {
		fail(x, ANSWER_TIMEOUT, 0, why);
		return;
	}
	fail(x, ANSWER_BAD_REQUEST, 408, why);
}
