/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/inspect.h"

#include "proxy/http/detoxed.h"
#include "proxy/http/disposition.h"
#include "proxy/http/stages.h"
#include "proxy/http/warn.h"
#include "proxy/isolation/trips.h"

/* What the rules ask for. */

static bool
went_on(const struct exchange *x, const struct inspection *i)
{
	return passes_hold(
	    &x->edge->board->passes, &x->address, i->warn.name, time(NULL));
}

static void
list_inspections(struct exchange *x)
{
	const struct policy *p = x->edge->settings->policy;
	uint64_t left = x->decision.inspections;

	x->inspections = ARENA_ARRAY(&x->arena, const struct inspection *,
	    (size_t)__builtin_popcountll(left));
	for (x->inspections_n = 0; left != 0; left &= left - 1) {
		const struct inspection *i =
		    policy_inspection(p, (unsigned)__builtin_ctzll(left));

		x->let_pass |= (uint64_t)went_on(x, i) << x->inspections_n;
		x->inspections[x->inspections_n++] = i;
	}
}

bool
inspect_asks_for(const struct exchange *x, enum inspection_kind kind)
{
	for (size_t i = 0; i < x->inspections_n; i++)
		if (x->inspections[i]->kind == kind)
			return true;
	return false;
}

bool
inspect_stops(const struct exchange *x)
{
	for (size_t i = 0; i < x->inspections_n; i++)
		if (inspection_stops(x->inspections[i]))
			return true;
	return false;
}

static bool
looks_at(const struct inspection *i, bool leaves)
{
	switch (i->kind) {
	case INSPECTION_DLP:
		return leaves;
	case INSPECTION_PHRASES:
	case INSPECTION_TYPES:
		return !leaves;
	case INSPECTION_DETOX:
	case INSPECTION_CANARY:
		return leaves ? i->uploads : i->downloads;
	}
	return true;
}

/* Those of what leaves, or of what comes. */
static void
choose(struct exchange *x, bool leaves, struct content_order *o)
{
	const struct inspection **chosen =
	    ARENA_ARRAY(&x->arena, const struct inspection *, x->inspections_n);

	o->inspections = chosen;
	for (size_t i = 0; i < x->inspections_n; i++) {
		if (!looks_at(x->inspections[i], leaves))
			continue;
		o->excused |= (x->let_pass >> i & 1) << o->inspections_n;
		chosen[o->inspections_n++] = x->inspections[i];
	}
}

struct content_order
inspect_order(struct exchange *x, const struct message *m, bool leaves)
{
	const struct field *type = message_field(m, FIELD_CONTENT_TYPE);
	struct content_order o = {
		.ratio_max = exchange_limits(x)->decoded_ratio,
		.media_type = type == NULL ? (struct bytes){ 0 } : type->value,
		.share = budget_share(&x->edge->budget, &x->address),
	};

	choose(x, leaves, &o);
	return o;
}

static bool
begins_with(struct bytes media_type, struct bytes what)
{
	return media_type.n >= what.n &&
	    bytes_equal_nocase((struct bytes){ media_type.p, what.n }, what);
}

/* Both sides talk at once: who waits for all of one would wait for ever. */
static bool
is_call(struct bytes media_type)
{
	return begins_with(media_type, BYTES("application/grpc"));
}

/* Or one of them, without an end. */
static bool
is_conversation(struct bytes media_type)
{
	return is_call(media_type) ||
	    begins_with(media_type, BYTES("text/event-stream")) ||
	    begins_with(media_type, BYTES("multipart/x-mixed-replace"));
}

size_t
inspect_hold_max(const struct exchange *x)
{
	size_t most = 0;

	for (size_t i = 0; i < x->inspections_n; i++)
		if (inspection_stops(x->inspections[i]) &&
		    x->inspections[i]->hold_max > most)
			most = x->inspections[i]->hold_max;
	return most;
}

/* What was found. */

static void
record_kind(struct log_line *l, const struct dlp_report *r, enum dlp_kind k)
{
	char hashes[DLP_FINDINGS_MAX * (2 * DLP_HASH_BYTES + 1) + 1];
	const struct dlp_count *count = &r->kinds[k];
	const char *context = NULL;
	size_t n = 0;

	hashes[0] = '\0';
	for (size_t i = 0; i < r->findings_n; i++) {
		const struct dlp_finding *f = &r->findings[i];

		if (f->kind != k)
			continue;
		if (context == NULL)
			context = f->context;
		for (size_t b = 0; k != DLP_KEYWORD && b < DLP_HASH_BYTES; b++)
			n += (size_t)snprintf(hashes + n, sizeof(hashes) - n,
			    b == 0 && n > 0 ? " %02x" : "%02x", f->hash[b]);
	}
	log_string(l, "kind", dlp_kind_name(k));
	log_number(l, "distinct", count->distinct);
	log_number(l, "places", count->hits);
	log_number(l, "possible", count->possible);
	log_number(l, "confidence", count->confidence);
	if (n > 0)
		log_string(l, "hashes", hashes);
	if (context != NULL && context[0] != '\0')
		log_string(l, "context", context);
}

/* NULL: there are no canaries. */
static struct content *
look_at_name(struct exchange *x)
{
	const struct inspection *one =
	    policy_canaries(x->edge->settings->policy, true);
	const struct content_order o = {
		.inspections = &one,
		.inspections_n = 1,
		.media_type = BYTES("application/octet-stream"),
		.share = budget_share(&x->edge->budget, &x->address),
		.streams = true,
	};
	const char *why;
	struct content *c;

	if (one == NULL)
		return NULL;
	c = content_new(&o);
	/* Nothing of it is kept. */
	(void)!content_push(c, x->url.host, true, &why);
	return c;
}

/* The host, but for one that a canary stands in. */
static struct bytes
told_host(struct exchange *x)
{
	struct content *c = look_at_name(x);
	struct content_found f;
	bool found = c != NULL && content_found(c, &f);

	content_free(c);
	return found ? BYTES("-") : x->url.host;
}

static void
begin_event(struct exchange *x, struct log_line *l, enum log_event event,
    const char *way, struct bytes host)
{
	char text[ADDRESS_TEXT_MAX];

	if (x->id[0] == '\0')
		log_id(x->id);
	log_begin(l, event, x->id);
	log_string(l, "body", x->segment->body->code);
	log_string(l, "zone", x->segment->zone->name);
	log_string(l, "client", address_text(&x->address, text));
	log_text(l, "host", host);
	log_string(l, "way", way);
}

static void
begin_line(struct exchange *x, struct log_line *l, const char *way,
    const struct content_found *f, const char *verdict)
{
	begin_event(x, l, EVENT_FOUND, way, x->url.host);
	log_string(l, "rule", f->inspection->block.name);
	log_string(l, "verdict", verdict);
	if (f->why != NULL)
		log_string(l, "why", f->why);
	if (f->unread > 0)
		log_number(l, "unread", f->unread);
}

/* The host alone: a path may hold what it is known by. */
static void
tell_canary(
    struct exchange *x, const char *way, struct bytes host, const char *name)
{
	const struct client *c = x->client;
	struct address to = c->dialled.port != 0 ? c->dialled : c->listener->at;
	char words[TRIP_TEXT_MAX];

	snprintf(words, sizeof(words), "%s, web, %s, %.*s", name, way,
	    (int)(host.n > 40 ? 40 : host.n), (const char *)host.p);
	trips_seen(x->edge->leaks, name, &x->address, &to, bytes_of(words));
}

static void
record_canaries(struct exchange *x, const char *way, const struct dlp_report *r)
{
	struct bytes host = told_host(x);

	for (size_t i = 0; i < r->findings_n; i++) {
		const struct dlp_finding *f = &r->findings[i];
		struct log_line l;

		if (f->kind != DLP_CANARY)
			continue;
		begin_event(x, &l, EVENT_CANARY_SEEN, way, host);
		log_string(&l, "canary", f->context);
		log_number(&l, "places", f->hits);
		log_end(&l);
		tell_canary(x, way, host, f->context);
	}
}

/* Of dlp one for each kind that counts. */
static void
record_found(struct exchange *x, const char *way, const struct content_found *f)
{
	struct log_line l;

	if (f->inspection->kind == INSPECTION_CANARY) {
		record_canaries(x, way, f->report);
		return;
	}
	if (f->report == NULL) {
		begin_line(x, &l, way, f, finding_name(f->finding));
		log_end(&l);
		return;
	}
	for (int k = 0; k < DLP_POLICY_KINDS; k++) {
		enum dlp_verdict v = f->report->kinds[k].verdict;

		if (v == DLP_PASS)
			continue;
		begin_line(x, &l, way, f, dlp_verdict_name(v));
		record_kind(&l, f->report, (enum dlp_kind)k);
		log_end(&l);
	}
}

void
inspect_record(struct exchange *x, const char *way, struct content *c)
{
	struct content_found f;

	for (size_t n = 0; content_each(c, n, &f); n++) {
		counter_add(COUNTER_FOUND, 1);
		record_found(x, way, &f);
	}
}

void
inspect_blame(struct exchange *x, struct content *c)
{
	struct content_found f;

	must(content_found(c, &f));
	x->decision.category = NULL;
	x->decision.rule = &f.inspection->block;
	x->decision.verdict = VERDICT_BLOCK;
	x->why = f.why;
	counter_add(COUNTER_BLOCKED, 1);
}

/* By the inspection, as by a rule. */
static void
refuse_found(struct exchange *x, struct content *c)
{
	struct content_found f;

	must(content_found(c, &f));
	/* Of a longer body some has left. */
	x->sending = inspection_stops(f.inspection) && x->bytes_up == 0;
	if (f.finding == FINDING_WARN && !x->response_begun) {
		x->decision.category = NULL;
		x->decision.rule = &f.inspection->warn;
		x->decision.verdict = VERDICT_WARN;
		warn_judge(x);
		return;
	}
	inspect_blame(x, c);
	exchange_refuse(x, ANSWER_BLOCKED, f.why);
}

/* The request. */

/* A client that waits for a word is given it: the body is read here first
 * (RFC 9110 section 10.1.1). */
void
exchange_ask_for_body(struct exchange *x)
{
	const struct message go_on = { .status = 100,
		.reason = BYTES("Continue") };
	bool expects = false;

	for (size_t i = 0; i < x->request.fields_n; i++)
		if (x->request.fields[i].id == FIELD_EXPECT) {
			x->request.fields[i].hop = true;
			expects = true;
		}
	if (expects && x->request.version_minor > 0) {
		x->from->type->head(x->from, &go_on);
		x->from->type->flush(x->from);
	}
	x->up = BODY_RUNS;
	exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	x->from->type->flow(x->from, FLOW_GO);
}

/* Kinds of inspections, a bit for each. */
#define KIND(k) (1U << (k))

/* Of these kinds alone. */
static void
leave_others_out(struct content_order *o, unsigned kinds, struct arena *a)
{
	const struct inspection **left =
	    ARENA_ARRAY(a, const struct inspection *, o->inspections_n);
	uint64_t excused = 0;
	size_t n = 0;

	for (size_t i = 0; i < o->inspections_n; i++) {
		if ((kinds & KIND(o->inspections[i]->kind)) == 0)
			continue;
		excused |= (o->excused >> i & 1) << n;
		left[n++] = o->inspections[i];
	}
	o->inspections = left;
	o->inspections_n = n;
	o->excused = excused;
}

/* A text that is there as a whole. Whether it may leave. */
static bool
inspect_text(struct exchange *x, const char *way, struct bytes text,
    struct bytes media_type, unsigned kinds)
{
	struct content_order o = inspect_order(x, &x->request, true);
	const char *why = NULL;
	struct content *c;
	enum content_verdict v;

	leave_others_out(&o, kinds, &x->arena);
	if (text.n == 0 || o.inspections_n == 0)
		return true;
	o.media_type = media_type;
	o.streams = true;
	c = content_new(&o);
	v = content_push(c, text, true, &why);
	inspect_record(x, way, c);
	if (v == CONTENT_FOUND)
		refuse_found(x, c);
	content_free(c);
	if (v != CONTENT_GO && v != CONTENT_FOUND)
		exchange_refuse(x, ANSWER_BUSY, why);
	return v == CONTENT_GO;
}

bool
inspect_file(struct exchange *x, struct bytes texts, struct bytes media_type)
{
	return inspect_text(x, "file", texts, media_type,
	    KIND(INSPECTION_DLP) | KIND(INSPECTION_CANARY));
}

/* What there is behind escapes, too: a plus is one in a path, and a blank in a
 * form. */
static void
put_unescaped(struct buf *b, struct bytes text)
{
	while (text.n > 0) {
		uint8_t c = *bytes_take(&text, 1).p;
		int high = text.n < 2 ? -1 : byte_hex(text.p[0]);
		int low = text.n < 2 ? -1 : byte_hex(text.p[1]);

		if (c == '%' && high >= 0 && low >= 0) {
			c = (uint8_t)((unsigned)high << 4 | (unsigned)low);
			bytes_take(&text, 2);
		} else if (c == '+') {
			c = ' ';
		}
		must(buf_append(b, (struct bytes){ &c, 1 }) == 0);
	}
}

static void
put_fields(struct buf *b, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		must(buf_append(b, BYTES("\n")) == 0 &&
		    buf_append(b, fields[i].name) == 0 &&
		    buf_append(b, BYTES(": ")) == 0 &&
		    buf_append(b, fields[i].value) == 0);
}

/* All that a program may hide something in: as it is, and without escapes. */
static struct bytes
head_text(struct exchange *x, struct bytes host, struct bytes target,
    const struct field *fields, size_t n)
{
	struct buf b;
	struct bytes text;
	size_t most = host.n + target.n + 2;

	for (size_t i = 0; i < n; i++)
		most += fields[i].name.n + fields[i].value.n + 3;
	buf_init(&b, 2 * most);
	must(buf_append(&b, host) == 0 && buf_append(&b, BYTES("\n")) == 0 &&
	    buf_append(&b, target) == 0);
	put_fields(&b, fields, n);
	text = arena_copy(&x->arena, buf_bytes(&b));
	if (bytes_index(text, '%') >= 0 || bytes_index(text, '+') >= 0) {
		must(buf_append(&b, BYTES("\n")) == 0);
		put_unescaped(&b, text);
		text = arena_copy(&x->arena, buf_bytes(&b));
	}
	buf_release(&b);
	return text;
}

/* Whether it may leave with the head, or behind the body. */
static bool
inspect_fields(struct exchange *x, struct bytes host, struct bytes target,
    const struct field *fields, size_t n)
{
	return !inspect_asks_for(x, INSPECTION_CANARY) ||
	    inspect_text(x, "head", head_text(x, host, target, fields, n),
		BYTES("application/octet-stream"), KIND(INSPECTION_CANARY));
}

/* Whether the head may leave. */
static bool
inspect_head(struct exchange *x)
{
	static const struct bytes form =
	    BYTES_ROW("application/x-www-form-urlencoded");
	struct bytes query = x->url.target;

	bytes_take_until(&query, '?');
	return inspect_text(x, "query", query, form, KIND(INSPECTION_DLP)) &&
	    inspect_fields(x, x->url.host, x->url.target, x->request.fields,
		x->request.fields_n);
}

bool
inspect_name(struct exchange *x)
{
	struct content *c = look_at_name(x);
	struct content_found f;
	bool found = c != NULL && content_found(c, &f);

	if (found) {
		inspect_record(x, "head", c);
		inspect_blame(x, c);
	}
	content_free(c);
	return !found;
}

/* Servers differ in which of two they read the body by. */
static bool
has_two_types(const struct message *m)
{
	const struct field *first = message_field(m, FIELD_CONTENT_TYPE);

	for (size_t i = 0; first != NULL && i < m->fields_n; i++)
		if (m->fields[i].id == FIELD_CONTENT_TYPE &&
		    !bytes_equal(m->fields[i].value, first->value))
			return true;
	return false;
}

static enum stage_answer
inspect_request(struct exchange *x)
{
	struct content_order o = inspect_order(x, &x->request, true);
	const char *why = NULL;
	enum coding coding = coding_read(&x->request, &why);

	if (coding == CODING_REFUSED) {
		exchange_request_bad(x, 415, why);
		return STAGE_REFUSE;
	}
	if (has_two_types(&x->request)) {
		exchange_request_bad(
		    x, 400, "Content-Type twice, and different");
		return STAGE_REFUSE;
	}
	o.coding = coding_decoder(coding);
	o.streams = is_call(o.media_type);
	o.name = inspect_file_name(x, &o.guessed);
	o.whole = detoxed_is_form(o.media_type);
	x->content_up = content_new(&o);
	if (x->content_up == NULL || o.streams)
		return STAGE_NEXT;
	x->kept_back = true;
	exchange_ask_for_body(x);
	return STAGE_WAIT;
}

/* Whether anything is to be done with what leaves. */
static bool
looks_up(const struct exchange *x)
{
	for (size_t i = 0; i < x->inspections_n; i++)
		if (looks_at(x->inspections[i], true))
			return true;
	return false;
}

enum stage_answer
exchange_inspect(void *job)
{
	struct exchange *x = job;

	if (x->decision.inspections == 0)
		return STAGE_NEXT;
	list_inspections(x);
	if (!looks_up(x))
		return STAGE_NEXT;
	if (!inspect_head(x))
		return STAGE_REFUSE;
	return x->up == BODY_ENDED ? STAGE_NEXT : inspect_request(x);
}

/* Whether the exchange goes on with what follows of a body; bad tells that it
 * cannot be read. */
static bool
judge(struct exchange *x, struct content *c, struct bytes b, bool last,
    void (*bad)(struct exchange *x, const char *why))
{
	const char *why = NULL;

	switch (content_push(c, b, last, &why)) {
	case CONTENT_GO:
		return true;
	case CONTENT_FOUND:
		refuse_found(x, c);
		return false;
	case CONTENT_BUSY:
		exchange_refuse(x, ANSWER_BUSY, why);
		return false;
	case CONTENT_LARGE:
		detoxed_refuse_large(x, c);
		return false;
	case CONTENT_OBJECT:
		return detoxed_begin(x, c);
	case CONTENT_BAD:
		break;
	}
	bad(x, why);
	return false;
}

static void
bad_request(struct exchange *x, const char *why)
{
	exchange_request_bad(x, 400, why);
}

static bool
judge_up(struct exchange *x, struct bytes b, bool last)
{
	return judge(x, x->content_up, b, last, bad_request);
}

static void
walk_on(struct exchange *x)
{
	x->kept_back = false;
	x->from->type->flow(x->from, FLOW_PAUSE);
	x->stage++;
	exchange_walk(x);
}

void
inspect_send_up(struct exchange *x)
{
	const struct field *trailers = x->trailers_up;
	struct bytes b;

	while (content_take(x->content_up, &b)) {
		x->bytes_up += b.n;
		x->to->type->body(x->to, b);
		if (x->to->type->full(x->to)) {
			x->to->type->flush(x->to);
			x->from->type->flow(x->from, FLOW_PAUSE);
			return;
		}
	}
	if (x->up == BODY_ENDED && !x->sent_up) {
		x->sent_up = true;
		x->to->type->end(x->to, trailers,
		    exchange_sift_trailers(x, &trailers, x->trailers_up_n));
		exchange_deadline(x, exchange_limits(x)->answer_timeout_ms);
	}
	x->to->type->flush(x->to);
}

void
inspect_request_body(struct exchange *x, struct bytes b)
{
	if (!judge_up(x, b, false))
		return;
	if (x->detoxing == NULL)
		exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	if (x->to != NULL)
		inspect_send_up(x);
	else if (!content_waits(x->content_up))
		walk_on(x);
}

static const struct field *
keep_trailers(struct exchange *x, const struct field *trailers, size_t n)
{
	struct field *kept = ARENA_ARRAY(&x->arena, struct field, n);

	for (size_t i = 0; i < n; i++) {
		kept[i] = trailers[i];
		kept[i].name = arena_copy(&x->arena, trailers[i].name);
		kept[i].value = arena_copy(&x->arena, trailers[i].value);
	}
	return kept;
}

void
inspect_request_end(struct exchange *x, const struct field *trailers, size_t n)
{
	const struct bytes none = { 0 };

	x->trailers_up = keep_trailers(x, trailers, n);
	x->trailers_up_n = n;
	if (n > 0 && !inspect_fields(x, none, none, x->trailers_up, n))
		return;
	if (!judge_up(x, (struct bytes){ 0 }, true))
		return;
	if (x->to != NULL)
		inspect_send_up(x);
	else if (x->kept_back && x->detoxing == NULL)
		walk_on(x);
}

void
inspect_replaced_up(struct exchange *x)
{
	walk_on(x);
}

/* The answer. */

void
inspect_leave_out(struct message *m, enum field_id id)
{
	for (size_t i = 0; i < m->fields_n; i++)
		if (m->fields[i].id == id)
			m->fields[i].hop = true;
}

void
inspect_leave_out_named(struct message *m, struct bytes name)
{
	for (size_t i = 0; i < m->fields_n; i++)
		if (bytes_equal_nocase(m->fields[i].name, name))
			m->fields[i].hop = true;
}

void
inspect_ask(struct exchange *x)
{
	/* A part of a file or a text cannot be judged. */
	if (inspect_asks_for(x, INSPECTION_PHRASES) ||
	    inspect_asks_for(x, INSPECTION_TYPES) ||
	    inspect_asks_for(x, INSPECTION_DETOX)) {
		inspect_leave_out(&x->request, FIELD_RANGE);
		inspect_leave_out(&x->request, FIELD_IF_RANGE);
	}
	if (inspect_asks_for(x, INSPECTION_DETOX))
		detoxed_ask(x);
	/* What is packed cannot be read (RFC 7692). */
	if (x->request.upgrade && inspect_stops(x))
		inspect_leave_out_named(
		    &x->request, BYTES("sec-websocket-extensions"));
}

/* Not one that was replaced. */
static const struct field *
sent_disposition(const struct message *m)
{
	for (size_t i = 0; i < m->fields_n; i++)
		if (m->fields[i].id == FIELD_CONTENT_DISPOSITION &&
		    !m->fields[i].hop)
			return &m->fields[i];
	return NULL;
}

struct bytes
inspect_file_name(struct exchange *x, bool *guessed_out)
{
	const struct field *f = sent_disposition(&x->response);
	struct bytes name = f == NULL
	    ? (struct bytes){ 0 }
	    : disposition_file_name(f->value, &x->arena);
	struct bytes path = x->url.path;

	*guessed_out = name.n == 0;
	if (name.n > 0)
		return name;
	while (path.n > 0)
		name = bytes_take_until(&path, '/');
	return name;
}

/* What describes the coded form, and is of no use to who gets another. */
bool
inspect_describes_coding(const struct field *f)
{
	static const struct bytes names[] = {
		BYTES_ROW("content-md5"),
		BYTES_ROW("digest"),
		BYTES_ROW("content-digest"),
		BYTES_ROW("repr-digest"),
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (bytes_equal_nocase(f->name, names[i]))
			return true;
	return false;
}

/* A strong ETag says that bytes are the same (RFC 9110 section 8.8.3). */
static void
weaken(struct exchange *x, struct field *f)
{
	if (bytes_equal_nocase(f->name, BYTES("etag")) && f->value.n > 0 &&
	    f->value.p[0] == '"')
		f->value = bytes_of(
		    arena_printf(&x->arena, "W/%.*s", BYTES_PRINTF(f->value)));
}

/* The head of a coded body that travels on in another form. */
static void
rewrite_coding(struct exchange *x, enum content_output output)
{
	struct message *m = &x->response;

	for (size_t i = 0; i < m->fields_n; i++) {
		struct field *f = &m->fields[i];

		if (f->id == FIELD_CONTENT_ENCODING) {
			f->hop |= output == CONTENT_IDENTITY;
			f->value = BYTES("gzip");
		}
		f->hop |= inspect_describes_coding(f);
		weaken(x, f);
	}
	inspect_leave_out(m, FIELD_CONTENT_LENGTH);
	m->has_content_length = false;
	if (m->framing == FRAMING_LENGTH)
		m->framing = FRAMING_CHUNKED;
}

static void
bad_answer(struct exchange *x, const char *why)
{
	exchange_origin_failed(x, ANSWER_BAD_ANSWER, why);
}

static bool
judge_down(struct exchange *x, struct bytes b, bool last)
{
	return judge(x, x->content_down, b, last, bad_answer);
}

bool
inspect_answer(struct exchange *x)
{
	const struct content_settings *s = &x->edge->settings->content;
	bool coded = x->meaning.coding != CODING_NONE;
	bool body = x->response.framing != FRAMING_NONE;
	struct content_order o;

	if (inspect_asks_for(x, INSPECTION_DETOX))
		detoxed_answer(x);
	if (coded && s->output_as != CONTENT_AS_IT_CAME)
		rewrite_coding(x, s->output_as);
	if (!body || (!coded && x->inspections_n == 0) ||
	    (x->inspections_n == 0 && !exchange_limits(x)->check_codings &&
		s->output_as == CONTENT_AS_IT_CAME))
		return true;
	o = inspect_order(x, &x->response, false);
	o.coding = coding_decoder(x->meaning.coding);
	o.output = s->output_as;
	o.name = inspect_file_name(x, &o.guessed);
	/* What answers a PUT is not what the path names. */
	if (o.guessed && !exchange_is_method(x, BYTES("GET")))
		o.name = (struct bytes){ 0 };
	if (x->response.framing == FRAMING_LENGTH)
		o.length = x->response.content_length;
	/* Who has it saved as a file means a file. */
	o.streams = is_conversation(o.media_type) &&
	    (message_field(&x->response, FIELD_CONTENT_DISPOSITION) == NULL ||
		!inspect_asks_for(x, INSPECTION_DETOX));
	x->content_down = content_new(&o);
	if (x->content_down == NULL)
		return true;
	/* What is declared may be enough. */
	return judge_down(x, (struct bytes){ 0 }, false) &&
	    !content_waits(x->content_down);
}

void
inspect_send_down(struct exchange *x)
{
	struct bytes b;

	if (content_waits(x->content_down))
		return;
	if (!x->response_begun)
		exchange_begin_answer(x);
	while (content_take(x->content_down, &b)) {
		x->bytes_down += b.n;
		x->from->type->body(x->from, b);
		/* Only what leaves can drain, and nothing more may come that
		 * would have it flushed. */
		if (x->from->type->full(x->from)) {
			x->from->type->flush(x->from);
			if (x->to != NULL)
				x->to->type->flow(x->to, FLOW_PAUSE);
			return;
		}
	}
	if (x->read_down)
		exchange_end_answer(x, x->trailers_down, x->trailers_down_n);
}

void
inspect_answer_body(struct exchange *x, struct bytes b)
{
	if (!judge_down(x, b, meaning_complete(&x->meaning)))
		return;
	if (x->detoxing == NULL)
		exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	inspect_send_down(x);
}

void
inspect_answer_end(struct exchange *x, const struct field *trailers, size_t n)
{
	if (!judge_down(x, (struct bytes){ 0 }, true))
		return;
	x->trailers_down = keep_trailers(x, trailers, n);
	x->trailers_down_n = n;
	x->read_down = true;
	inspect_send_down(x);
}

void
inspect_end(struct exchange *x)
{
	if (x->content_up != NULL)
		inspect_record(x, "up", x->content_up);
	if (x->content_down != NULL)
		inspect_record(x, "down", x->content_down);
	content_free(x->content_up);
	content_free(x->content_down);
	x->content_up = x->content_down = NULL;
}
