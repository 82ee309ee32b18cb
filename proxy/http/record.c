/* SPDX-License-Identifier: Apache-2.0 */
/* record: an exchange's line in the journal (docs/JOURNAL.md). */
#include "proxy/base/stage.h"
#include "proxy/http/exchange.h"

static void
record_who(struct log_line *l, const struct exchange *x)
{
	char text[ADDRESS_TEXT_MAX];

	if (x->segment != NULL) {
		log_string(l, "body", x->segment->body->code);
		log_string(l, "zone", x->segment->zone->name);
	}
	log_string(l, "client", address_text(&x->address, text));
	if (x->client->dialled.port != 0)
		log_string(
		    l, "dialled", address_text_port(&x->client->dialled, text));
}

static void
record_request(struct log_line *l, const struct exchange *x)
{
	log_text(l, "method", x->request.method);
	if (x->url.scheme == SCHEME_NONE)
		return;
	log_string(l, "scheme", scheme_name(x->url.scheme));
	log_text(l, "host", x->url.host);
	log_number(l, "port", x->url.port);
	if (x->url.path.n > 0)
		log_text(l, "path", x->url.path);
	if (x->request.upgrade)
		log_string(l, "upgrade", "websocket");
}

static void
record_times(struct log_line *l, const struct exchange *x)
{
	log_number(l, "us_resolve", x->resolve_us);
	log_number(l, "us_connect", x->connect_us);
	log_number(l, "us_tls", x->tls_us);
	if (x->answered_us != 0)
		log_number(l, "us_answer", x->answered_us - x->started_us);
	log_number(l, "us_total", clock_us() - x->started_us);
}

static void
record_decision(struct log_line *l, const struct exchange *x)
{
	if (x->decision.rule == NULL)
		return;
	log_string(l, "verdict", verdict_name(x->decision.verdict));
	log_string(l, "rule", x->decision.rule->name);
	if (x->decision.category != NULL)
		log_string(l, "category", x->decision.category);
}

void
exchange_record(struct exchange *x)
{
	char excused[VERIFY_NAMES_MAX];
	struct log_line l;

	/* A connection that was closed before it asked anything. */
	if (x->request.method.n == 0)
		return;
	if (x->raw)
		counter_sub(COUNTER_TUNNELS, 1);
	counter_add(COUNTER_BYTES_UP, x->bytes_up);
	counter_add(COUNTER_BYTES_DOWN, x->bytes_down);
	log_begin(&l, x->raw ? EVENT_TUNNEL : EVENT_EXCHANGE,
	    x->id[0] == '\0' ? NULL : x->id);
	log_string(&l, "stage",
	    x->path[x->stage < x->path_n ? x->stage : x->path_n - 1].name);
	record_who(&l, x);
	record_request(&l, x);
	if (x->response_begun)
		log_number(&l, "status", x->response.status);
	log_number(&l, "bytes_up", x->bytes_up);
	log_number(&l, "bytes_down", x->bytes_down);
	record_times(&l, x);
	record_decision(&l, x);
	log_string(&l, "http_client", x->from->type->version);
	if (x->to != NULL)
		log_string(&l, "http_origin", x->to->type->version);
	if (x->client->tls_version != NULL)
		log_string(&l, "tls_client", x->client->tls_version);
	if (x->tls_origin != NULL)
		log_string(&l, "tls_origin", x->tls_origin);
	if (x->excused != 0)
		log_string(&l, "excused", verify_names(x->excused, excused));
	if (x->why != NULL)
		log_string(&l, "why", x->why);
	log_end(&l);
}
