/* SPDX-License-Identifier: Apache-2.0 */
/* refusal: answers of our own, and the page that says why there is no other. */
#include "proxy/http/stages.h"
#include "proxy/http/warn.h"

static void
add_field(struct message *m, struct field *room, enum field_id id,
    const char *name, struct bytes value)
{
	room[m->fields_n++] =
	    (struct field){ .id = id, .name = bytes_of(name), .value = value };
}

#define FIELDS_MAX 7
#define TARGET_MAX 4096
#define PAGE_CSP \
	"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"

static struct field *
begin_answer(struct exchange *x, unsigned status, size_t length)
{
	struct message *m = &x->response;

	x->own = true;
	x->answered_us = clock_us();
	*m = (struct message){
		.status = status,
		.fields = ARENA_ARRAY(&x->arena, struct field, FIELDS_MAX),
		.framing = exchange_is_method(x, BYTES("HEAD"))
		    ? FRAMING_NONE
		    : FRAMING_LENGTH,
		.content_length = length,
		.has_content_length = true,
		.keep_alive = x->up == BODY_ENDED,
	};
	add_field(
	    m, m->fields, FIELD_OTHER, "Cache-Control", BYTES("no-store"));
	return m->fields;
}

static void
send_answer(struct exchange *x, struct bytes body)
{
	const struct message *m = &x->response;
	bool head = m->framing == FRAMING_NONE;

	x->response_begun = true;
	x->down = BODY_RUNS;
	x->from->type->head(x->from, m);
	if (!head)
		x->from->type->body(x->from, body);
	x->bytes_down += body.n;
	x->from->type->end(x->from, NULL, 0);
	x->down = BODY_ENDED;
	x->from->type->flush(x->from);
	exchange_finish(
	    x, x->up == BODY_ENDED ? SIDE_COMPLETE : SIDE_ANSWERED, SIDE_CUT);
}

static void
make_head(struct exchange *x, unsigned status, const char *type,
    const char *language, struct bytes body)
{
	struct field *room = begin_answer(x, status, body.n);
	struct message *m = &x->response;

	add_field(m, room, FIELD_CONTENT_TYPE, "Content-Type", bytes_of(type));
	if (language != NULL)
		add_field(m, room, FIELD_OTHER, "Content-Language",
		    bytes_of(language));
	/* A page with a form in a frame could be clicked on unseen. */
	add_field(m, room, FIELD_OTHER, "Content-Security-Policy",
	    x->ticket[0] == '\0' && x->unlock == NULL && x->handover == NULL
		? BYTES(PAGE_CSP)
		: BYTES(PAGE_CSP "; frame-ancestors 'none'"));
	/* By a page and not by 303: browsers hold what a form's answer leads to
	 * against form-action, to the end of all redirections. */
	if (x->back.n > 0)
		add_field(m, room, FIELD_OTHER, "Refresh",
		    bytes_of(arena_printf(&x->arena, "%u; url=%.*s", x->back_s,
			BYTES_PRINTF(x->back))));
	add_field(
	    m, room, FIELD_OTHER, "X-Content-Type-Options", BYTES("nosniff"));
}

void
exchange_answer(struct exchange *x, unsigned status, const char *type,
    const char *language, struct bytes body)
{
	make_head(x, status, type, language, body);
	send_answer(x, body);
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
	struct bytes path = x->url.path;
	struct bytes back = x->back;

	if (x->url.scheme == SCHEME_NONE)
		return x->request.target;
	if (bytes_start_with(path, BYTES(POLICY_OWN_PATH)))
		path = BYTES("/");
	if (x->answer == ANSWER_GOES_ON && x->back.n > 0)
		path = bytes_take_until(&back, '?');
	return bytes_of(arena_printf(&x->arena, "%s://%.*s:%u%.*s",
	    scheme_name(x->url.scheme), BYTES_PRINTF(x->url.host), x->url.port,
	    BYTES_PRINTF(path)));
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

/* Where a user who goes on is led: not to what would fill the page. */
static struct bytes
way_back(const struct exchange *x)
{
	return x->url.target.n > TARGET_MAX ? BYTES("/") : x->url.target;
}

static struct bytes
make_page(struct exchange *x, unsigned *status, const char **language_out)
{
	const struct segment *segment = x->segment;
	const struct rule *rule = x->decision.rule;
	struct answer a = {
		.kind = x->answer,
		.status = *status,
		.id = x->id,
		.rule = x->answer == ANSWER_BLOCKED ||
			x->answer == ANSWER_WARNED ||
			x->answer == ANSWER_UNKNOWN_SOURCE ||
			(x->answer == ANSWER_HARMFUL && rule != NULL)
		    ? rule->name
		    : NULL,
		.category = x->decision.category,
		.detail = x->why,
		.destination = destination(x),
		.prefecture = &x->edge->settings->prefecture,
		.body = segment == NULL ? NULL : segment->body,
		.accept_language = accept_language(x),
		.refused = x->refused,
		.file = x->file,
		.sending = x->sending,
	};
	const struct answer_form form = {
		.action = POLICY_FORM_PATH,
		.ticket = x->ticket,
		.rule = rule == NULL ? "" : rule->name,
		.to = way_back(x),
		.approval = rule != NULL && rule->approval,
	};
	struct buf page;
	struct bytes all;

	if (x->ticket[0] != '\0')
		a.form = &form;
	if ((x->answer == ANSWER_BLOCKED || x->answer == ANSWER_WARNED ||
		x->answer == ANSWER_HARMFUL) &&
	    rule != NULL) {
		a.reason_ja = rule->reason_ja;
		a.reason_en = rule->reason_en;
		a.detail = NULL;
	}
	if (x->answer == ANSWER_UNVERIFIED)
		explain_check(x->check, &a);
	buf_init(&page, ANSWER_PAGE_MAX);
	must(answer_page(&a, &page, language_out) == 0);
	all = arena_copy(&x->arena, buf_bytes(&page));
	buf_release(&page);
	*status = answer_status(&a);
	return all;
}

#define PAGE_TYPE "text/html; charset=utf-8"

void
exchange_page(struct exchange *x, unsigned status)
{
	const char *language;
	struct bytes page = make_page(x, &status, &language);

	exchange_answer(x, status, PAGE_TYPE, language, page);
}

/* The exchange has an answer of its own yet to come. */
void
exchange_interlude(struct exchange *x, enum answer_kind kind)
{
	const struct message kept = x->response;
	const struct side_type *to = x->from->type;
	uint64_t answered_us = x->answered_us;
	unsigned status = 0;
	const char *language;
	struct bytes page;

	if (x->id[0] == '\0')
		log_id(x->id);
	x->answer = kind;
	page = make_page(x, &status, &language);
	make_head(x, status, PAGE_TYPE, language, page);
	to->head(x->from, &x->response);
	to->body(x->from, page);
	to->end(x->from, NULL, 0);
	to->flush(x->from);
	x->response = kept;
	x->answered_us = answered_us;
	x->own = false;
}
