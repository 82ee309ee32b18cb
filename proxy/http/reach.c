/* SPDX-License-Identifier: Apache-2.0 */
/* reach: a connection to the origin, and the request on it. */
#include <string.h>

#include "proxy/http/h1_origin.h"
#include "proxy/http/h2_origin.h"
#include "proxy/http/inspect.h"
#include "proxy/http/stages.h"

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
		exchange_walk(x);
	}
}

static bool
names_scheme(struct bytes value, struct bytes scheme)
{
	struct bytes first = bytes_take_until(&value, ' ');

	return bytes_equal_nocase(first, scheme);
}

bool
exchange_binds_connection(const struct message *m)
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
	if (!exchange_limits(x)->h2 || exchange_binds_connection(&x->request))
		return UPSTREAM_TLS_H1;
	return x->request.upgrade ? UPSTREAM_TLS_UPGRADE : UPSTREAM_TLS;
}

enum stage_answer
exchange_ask_for_one_at_a_time(struct exchange *x)
{
	x->why = "the origin authenticates connections";
	exchange_finish(x, SIDE_CUT_ONE_AT_A_TIME, SIDE_CUT);
	return STAGE_REFUSE;
}

enum stage_answer
exchange_upstream(void *job)
{
	struct exchange *x = job;
	bool fresh = exchange_is_method(x, BYTES("CONNECT")) || x->fresh;
	struct upstream_result r = { 0 };
	struct origin *bound = fresh
	    ? NULL
	    : client_take_bound(x->client, &x->address, &x->url, x->segment);

	if (x->from->type->shared && exchange_binds_connection(&x->request))
		return exchange_ask_for_one_at_a_time(x);
	if (bound != NULL) {
		x->bound = true;
		use_origin(x, bound);
		return STAGE_NEXT;
	}
	/* upstream has timers of its own for each of its waits */
	exchange_deadline(x, UINT32_MAX);
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

void
exchange_set_field(
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

void
exchange_drop_fields(struct message *m)
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

/* Whatever the client says under that name is left out. */
static void
replace_field(struct exchange *x, const struct field_effect *f)
{
	struct message *m = &x->request;
	struct field *more =
	    ARENA_ARRAY(&x->arena, struct field, m->fields_n + 1);

	for (size_t i = 0; i < m->fields_n; i++) {
		more[i] = m->fields[i];
		more[i].hop |= bytes_equal_nocase(more[i].name, f->name);
	}
	m->fields = more;
	if (f->value.p != NULL)
		more[m->fields_n++] = (struct field){ .id = field_id(f->name),
			.name = f->name,
			.value = f->value };
}

/* Unless a rule above decides it, which the one below cannot undo. */
static void
apply(struct exchange *x, const struct field_effect *f)
{
	if (decision_field(&x->decision, f->name) == f)
		replace_field(x, f);
}

/* What the rules say of the request's fields (tenant restriction, for one). */
static void
apply_effects(struct exchange *x)
{
	const struct decision *d = &x->decision;

	for (size_t i = 0; i < d->effects_n; i++)
		for (size_t k = 0; k < d->effects[i]->fields_n; k++)
			apply(x, &d->effects[i]->fields[k]);
}

size_t
exchange_sift_trailers(
    struct exchange *x, const struct field **trailers, size_t n)
{
	const struct decision *d = &x->decision;
	struct field *kept;
	size_t kept_n = 0;

	if (d->effects_n == 0 || n == 0)
		return n;
	kept = ARENA_ARRAY(&x->arena, struct field, n);
	for (size_t i = 0; i < n; i++)
		if (decision_field(d, (*trailers)[i].name) == NULL)
			kept[kept_n++] = (*trailers)[i];
	*trailers = kept;
	return kept_n;
}

enum stage_answer
exchange_relay(void *job)
{
	struct exchange *x = job;

	if (came_before(x))
		return exchange_refuse(x, ANSWER_BAD_REQUEST,
		    "the request came through this proxy before");
	/* HTTP/1.0 needs none; what we send is HTTP/1.1. */
	exchange_set_field(
	    x, FIELD_HOST, BYTES("Host"), url_authority(&x->url, &x->arena));
	message_mark_hops(&x->request);
	exchange_drop_fields(&x->request);
	apply_effects(x);
	inspect_ask(x);
	meaning_ask(&x->arena, &x->request);
	x->bound |= exchange_binds_connection(&x->request);
	x->request.target = x->url.target;
	x->to->type->head(x->to, &x->request);
	/* An upgrade may go on for long yet. */
	if (x->content_up != NULL)
		inspect_send_up(x);
	else if (x->up == BODY_ENDED && !x->request.upgrade)
		x->to->type->end(x->to, NULL, 0);
	x->to->type->flush(x->to);
	x->to->type->flow(x->to, FLOW_GO);
	if (x->up == BODY_ENDED) {
		exchange_deadline(x, exchange_limits(x)->answer_timeout_ms);
		return STAGE_WAIT;
	}
	x->up = BODY_RUNS;
	exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	if (x->content_up != NULL && content_ready(x->content_up))
		return STAGE_WAIT;
	/* What came with the head is read now, and may end the exchange. */
	x->from->type->flow(x->from, FLOW_GO);
	return STAGE_WAIT;
}
