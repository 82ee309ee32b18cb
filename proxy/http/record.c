/* SPDX-License-Identifier: Apache-2.0 */
/* record: an exchange's line in the journal (docs/JOURNAL.md). */
#include <string.h>

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

#define DIGITS_MAX 6 /* of a run that says nothing of a person */

/* The length of what begins at text and is one of those; 0: none does. */
static size_t
token_n(struct bytes text, const char *const *tokens, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct bytes token = bytes_of(tokens[i]);

		if (text.n >= token.n &&
		    bytes_equal_nocase(
			(struct bytes){ text.p, token.n }, token))
			return token.n;
	}
	return 0;
}

/* A digit, plain, escaped, or of full width. */
static size_t
digit_n(struct bytes text)
{
	static const char *const heads[] = { "", "%3", "%ef%bc%9" };

	for (size_t i = COUNT(heads); i-- > 0;) {
		size_t n = strlen(heads[i]);

		if (text.n > n && text.p[n] >= '0' && text.p[n] <= '9' &&
		    (n == 0 || token_n(text, &heads[i], 1) > 0))
			return n + 1;
	}
	return 0;
}

/* What people write within numbers. */
static size_t
joint_n(struct bytes text)
{
	static const char *const joints[] = { "-", "+", " ", ".", "%20", "%2d",
		"%e3%80%80", "%ef%bc%8d", "%e2%80%90" };

	return token_n(text, joints, COUNT(joints));
}

/* With every digit of longer runs masked. */
static struct bytes
mask_digits(struct bytes text, struct arena *a)
{
	uint8_t *p = arena_alloc(a, text.n + 1);
	size_t out = 0;

	while (text.n > 0) {
		struct bytes run = text;
		size_t digits = 0;
		bool masked;
		size_t n;

		while ((n = digit_n(run)) > 0 || (n = joint_n(run)) > 0) {
			digits += digit_n(run) > 0;
			bytes_take(&run, n);
		}
		masked = digits > DIGITS_MAX;
		if (run.n == text.n)
			bytes_take(&run, 1);
		while (text.n > run.n) {
			n = masked ? digit_n(text) : 0;
			p[out] = *bytes_take(&text, n > 0 ? n : 1).p;
			if (n > 0)
				p[out] = '*';
			out++;
		}
	}
	return (struct bytes){ p, out };
}

static struct bytes
field_value(const struct message *m, const char *name)
{
	for (size_t i = 0; i < m->fields_n; i++)
		if (bytes_equal_nocase(m->fields[i].name, bytes_of(name)))
			return m->fields[i].value;
	return (struct bytes){ 0 };
}

/* What a rule with log_detail asks for. */
static void
record_detail(struct log_line *l, struct exchange *x)
{
	struct bytes query = x->url.target;
	struct bytes referer = field_value(&x->request, "referer");

	bytes_take_until(&query, '?');
	if (query.n > 0)
		log_text(l, "query", mask_digits(query, &x->arena));
	if (referer.n > 0)
		log_text(l, "referer", mask_digits(referer, &x->arena));
	log_text(l, "user_agent", field_value(&x->request, "user-agent"));
	log_text(l, "type_up", field_value(&x->request, "content-type"));
	if (!x->own)
		log_text(
		    l, "type_down", field_value(&x->response, "content-type"));
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
	if (x->decision.detail)
		record_detail(&l, x);
	log_end(&l);
}
