/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/unlock.h"

#include "filters/text/utf8.h"
#include "proxy/answer/unlock.h"
#include "proxy/http/form.h"
#include "proxy/http/stages.h"
#include "proxy/http/warn.h"

#define PAGE_MAX ((size_t)65536)
#define ORDER_MAX ((size_t)1024)
#define WAITS_MAX 256 /* of an edge; one more is told to come again */
#define LOOK_MS 5000
#define TRY_MS 120000 /* more than detox may take */

struct unlock_wait {
	struct unlock_wait *prev, *next; /* of the edge, while it waits */
	struct exchange *exchange;
	uint32_t job; /* 0: nobody was asked */
	unsigned expected, answered;
	bool sent; /* expected is known */
	uint8_t token[UNLOCK_TOKEN_N];
};

bool
unlock_is_asked_for(struct bytes path)
{
	return bytes_start_with(path, BYTES(UNLOCK_PATH));
}

static void
forget(struct unlock_wait *w)
{
	struct edge *e = w->exchange->edge;

	if (w->job == 0)
		return;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		e->unlocks = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	w->job = 0;
}

void
unlock_end(struct exchange *x)
{
	if (x->unlock != NULL)
		forget(x->unlock);
}

/* The page, whatever came of it. */
static enum stage_answer
show(struct exchange *x, const struct unlock_answer *a)
{
	const struct field *f =
	    message_field(&x->request, FIELD_ACCEPT_LANGUAGE);
	struct bytes accepted = f == NULL ? (struct bytes){ 0 } : f->value;
	char token[UNLOCK_TOKEN_HEX + 1];
	struct buf out;
	struct bytes page;

	forget(x->unlock);
	unlock_token_text(x->unlock->token, token);
	buf_init(&out, PAGE_MAX);
	must(answer_unlock_page(&x->edge->settings->prefecture,
		 x->segment->body, accepted, token, a, &out) == 0);
	page = arena_copy(&x->arena, buf_bytes(&out));
	buf_release(&out);
	exchange_answer(x, answer_unlock_status(a), "text/html; charset=utf-8",
	    answer_language(accepted), page);
	return STAGE_REFUSE;
}

static enum stage_answer
show_state(struct exchange *x, enum unlock_state state)
{
	const struct unlock_answer a = { .state = state, .seconds = 5 };

	return show(x, &a);
}

static bool
has_room(const struct edge *e)
{
	unsigned n = 0;

	for (const struct unlock_wait *w = e->unlocks; w != NULL; w = w->next)
		n++;
	return n < WAITS_MAX;
}

static void
wait_for(struct exchange *x, uint32_t job)
{
	struct unlock_wait *w = x->unlock;
	struct edge *e = x->edge;

	w->job = job;
	w->prev = NULL;
	w->next = e->unlocks;
	if (w->next != NULL)
		w->next->prev = w;
	e->unlocks = w;
}

static enum stage_answer
ask(struct exchange *x, struct bytes password)
{
	struct edge *e = x->edge;
	char address[ADDRESS_TEXT_MAX];
	struct unlock_order o = {
		.body = bytes_of(x->segment->body->code),
		.client = bytes_of(address_text(&x->address, address)),
		.password = password,
	};
	struct buf out;
	uint32_t job;
	int sent;

	if (!has_room(e))
		return show_state(x, UNLOCK_SOON);
	job = ++e->unlock_jobs & ((UINT32_C(1) << UNLOCK_JOB_BITS) - 1);
	memcpy(o.token, x->unlock->token, sizeof(o.token));
	buf_init(&out, ORDER_MAX);
	must(unlock_order_pack(&o, &out) == 0);
	sent = job == 0 ? -1
			: channel_send(e->child->parent, PARENT_UNLOCK, job,
			      buf_bytes(&out), -1);
	explicit_bzero(out.p, out.size);
	buf_release(&out);
	if (sent < 0)
		return show_state(x, UNLOCK_SOON);
	wait_for(x, job);
	exchange_deadline(x, password.n > 0 ? TRY_MS : LOOK_MS);
	return STAGE_WAIT;
}

enum stage_answer
unlock_page(struct exchange *x, struct bytes path)
{
	bool post = exchange_is_method(x, BYTES("POST"));

	x->unlock = ARENA_NEW(&x->arena, struct unlock_wait);
	x->unlock->exchange = x;
	/* The token is a secret: the journal does not get it. */
	x->url.path = x->url.target = BYTES(UNLOCK_PATH);
	bytes_take(&path, sizeof(UNLOCK_PATH) - 1);
	if (unlock_token_parse(x->unlock->token, path) < 0)
		return show_state(x, UNLOCK_UNKNOWN);
	if (!post && !exchange_is_method(x, BYTES("GET")) &&
	    !exchange_is_method(x, BYTES("HEAD")))
		return exchange_refuse(x, ANSWER_BAD_REQUEST,
		    "only GET and POST are for this page");
	return post ? warn_read_form(x) : ask(x, (struct bytes){ 0 });
}

void
unlock_form_end(struct exchange *x)
{
	struct bytes password =
	    form_value(buf_bytes(x->form), BYTES("password"), &x->arena);

	if (password.n > DETOX_PASSWORD_MAX || !utf8_is_valid(password) ||
	    bytes_index(password, '\0') >= 0)
		password.n = 0;
	(void)ask(x, password);
	if (password.p != NULL)
		explicit_bzero((void *)(uintptr_t)password.p, password.n);
}

static void
take_answer(struct unlock_wait *w, struct bytes body)
{
	struct unlock_answer a;

	w->answered++;
	if (unlock_answer_unpack(&a, body) == 0 && a.state != UNLOCK_UNKNOWN)
		(void)show(w->exchange, &a);
	else if (w->sent && w->answered >= w->expected)
		(void)show_state(w->exchange, UNLOCK_UNKNOWN);
}

void
unlock_message(struct edge *e, const struct ipc_message *m)
{
	struct unlock_wait *w = e->unlocks;

	while (w != NULL && w->job != m->job)
		w = w->next;
	if (w == NULL)
		return;
	if (m->type == PARENT_UNLOCK_ANSWER) {
		take_answer(w, m->body);
		return;
	}
	w->sent = true;
	w->expected = m->body.n == 1 ? m->body.p[0] : 0;
	if (w->answered >= w->expected)
		(void)show_state(w->exchange, UNLOCK_UNKNOWN);
}
