/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/handover.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/answer/handover.h"
#include "proxy/body/object.h"
#include "proxy/http/disposition.h"
#include "proxy/http/form.h"
#include "proxy/http/inspect.h"
#include "proxy/http/intake.h"
#include "proxy/http/parts.h"
#include "proxy/http/stages.h"
#include "proxy/http/warn.h"

#define FORM_ROOM ((size_t)1 << 20) /* of a form, beside its files */
#define FILE_MS 120000              /* more than detox of one may take */
#define ASK_MS 35000
#define TICKET_NAME "handover"
#define LOTS_MAX 64 /* that wait, on one page */

/* What an exchange waits for; of one kind or the other. */
struct handover_wait {
	bool uploads;
	struct object upload;
	size_t upload_max;
	void *map;
	size_t map_n;
	struct intake *intake;
	struct intake_file files[HANDOVER_FILES_MAX];
	size_t files_n;
	struct handover_asked *asked;
	struct slip_ask ask;
	bool declines;
	bool fetches; /* a file, once it was seen */
	const char *base;
	struct slip slip;
	char client[ADDRESS_TEXT_MAX];
};

bool
handover_is_asked_for(const struct exchange *x, struct bytes path)
{
	return x->edge->settings->handover.ways_n > 0 &&
	    (bytes_equal(path, BYTES("/handover")) ||
		bytes_start_with(path, BYTES(HANDOVER_PATH)));
}

/* Pages. */

static enum stage_answer
show(struct exchange *x, struct answer_handover *a)
{
	const struct field *f =
	    message_field(&x->request, FIELD_ACCEPT_LANGUAGE);
	char *ticket = arena_alloc(&x->arena, PASSES_TICKET_N);
	struct buf out;
	struct bytes page;

	passes_ticket(&x->edge->board->passes, &x->address, TICKET_NAME,
	    time(NULL), ticket);
	a->prefecture = &x->edge->settings->prefecture;
	a->body = x->segment->body;
	a->zone = x->segment->zone;
	a->settings = &x->edge->settings->handover;
	a->ticket = ticket;
	if (f != NULL)
		a->accept_language = f->value;
	buf_init(&out, ANSWER_HANDOVER_MAX);
	must(answer_handover_page(a, &out) == 0);
	page = arena_copy(&x->arena, buf_bytes(&out));
	buf_release(&out);
	exchange_answer(x, answer_handover_status(a),
	    "text/html; charset=utf-8", answer_language(a->accept_language),
	    page);
	return STAGE_REFUSE;
}

static bool
approves(const struct exchange *x)
{
	const struct handover_settings *s = &x->edge->settings->handover;

	for (size_t i = 0; i < s->ways_n; i++)
		if (handover_way_has_approver(&s->ways[i], &x->address) &&
		    handover_way_is_of(&s->ways[i], x->segment->body))
			return true;
	return false;
}

static enum stage_answer
show_kind(struct exchange *x, enum answer_handover_kind kind)
{
	struct answer_handover a = { .kind = kind };

	return show(x, &a);
}

static enum stage_answer
show_wrong(struct exchange *x, enum answer_handover_wrong wrong)
{
	struct answer_handover a = { .kind = PAGE_HANDOVER_WRONG,
		.wrong = wrong };

	return show(x, &a);
}

/* Handing over. */

static void
show_refused(struct exchange *x, const struct intake_outcome *o)
{
	struct handover_wait *w = x->handover;
	struct answer_handover_refused *all =
	    ARENA_ARRAY(&x->arena, struct answer_handover_refused, w->files_n);
	struct answer_handover a = { .kind = PAGE_HANDOVER_REFUSED,
		.refused = all };

	for (size_t i = 0; i < w->files_n; i++)
		if (o->results[i].refused)
			all[a.refused_n++] =
			    (struct answer_handover_refused){ w->files[i].name,
				    o->results[i].refusal };
	(void)show(x, &a);
}

static void
on_taken_in(void *owner, const struct intake_outcome *o)
{
	struct exchange *x = owner;
	struct answer_handover a = { .kind = PAGE_HANDOVER_GIVEN,
		.slip = o->slip,
		.number = o->number,
		.token = o->token,
		.base = "",
		.state =
		    o->slip->approval != 0 ? HANDOVER_WAITS : HANDOVER_READY };

	x->handover->intake = NULL;
	switch (o->end) {
	case INTAKE_KEPT:
		(void)show(x, &a);
		return;
	case INTAKE_REFUSED:
		show_refused(x, o);
		return;
	case INTAKE_FAILED:
		x->why = arena_string(&x->arena, bytes_of(o->why));
		(void)show_kind(x, PAGE_HANDOVER_FAILED);
		return;
	}
}

/* The value of the first part of that name that is no file. */
static struct bytes
value_of(const struct parts *form, struct bytes field)
{
	for (size_t i = 0; i < form->n; i++)
		if (bytes_equal(form->p[i].field, field) &&
		    form->p[i].name.n == 0)
			return form->p[i].content;
	return (struct bytes){ 0 };
}

static size_t
list_files(struct handover_wait *w, const struct parts *form, uint64_t *bytes)
{
	size_t n = 0;

	*bytes = 0;
	for (size_t i = 0; i < form->n; i++) {
		const struct part *p = &form->p[i];

		if (!bytes_equal(p->field, BYTES("files")) ||
		    (p->name.n == 0 && p->content.n == 0))
			continue;
		if (n < HANDOVER_FILES_MAX)
			w->files[n] = (struct intake_file){ p->name,
				p->declared, p->content };
		*bytes += p->content.n;
		n++;
	}
	w->files_n = n < HANDOVER_FILES_MAX ? n : HANDOVER_FILES_MAX;
	return n;
}

static const struct handover_way *
chosen_way(const struct exchange *x, struct bytes name)
{
	const struct handover_way *w =
	    handover_way(&x->edge->settings->handover, name);

	return w != NULL && handover_way_has_page(w) &&
		w->from == x->segment->zone &&
		handover_way_is_of(w, x->segment->body) &&
		handover_way_is_open(w, time(NULL))
	    ? w
	    : NULL;
}

static void
take_in(struct exchange *x, const struct parts *form)
{
	struct handover_wait *w = x->handover;
	struct intake_order o = {
		.way = chosen_way(x, value_of(form, BYTES("way"))),
		.body = x->segment->body,
		.client = bytes_of(w->client),
		.giver = value_of(form, BYTES("giver")),
		.note = value_of(form, BYTES("note")),
		.files = w->files,
	};
	uint64_t bytes;
	size_t n = list_files(w, form, &bytes);

	o.files_n = n;
	if (!passes_accept(&x->edge->board->passes, &x->address, TICKET_NAME,
		time(NULL), value_of(form, BYTES("ticket"))))
		(void)show_wrong(x, HANDOVER_WRONG_TICKET);
	else if (o.way == NULL)
		(void)show_wrong(x, HANDOVER_WRONG_WAY);
	else if (slip_text(o.giver, INTAKE_GIVER_MAX, &x->arena).n == 0)
		(void)show_wrong(x, HANDOVER_WRONG_GIVER);
	else if (n == 0)
		(void)show_wrong(x, HANDOVER_WRONG_FILES);
	else if (n > o.way->files_max)
		(void)show_wrong(x, HANDOVER_WRONG_COUNT);
	else if (bytes > o.way->size_max)
		(void)show_wrong(x, HANDOVER_WRONG_SIZE);
	else {
		exchange_deadline(x, FILE_MS * n);
		w->intake = intake_new(x->edge, &o, on_taken_in, x);
	}
}

void
handover_body_end(struct exchange *x)
{
	struct handover_wait *w = x->handover;
	const struct field *type =
	    message_field(&x->request, FIELD_CONTENT_TYPE);
	struct parts *form = ARENA_NEW(&x->arena, struct parts);
	struct bytes boundary;
	const char *why;

	w->uploads = false;
	w->map_n = w->upload.n;
	if (w->map_n > 0)
		w->map = mmap(
		    NULL, w->map_n, PROT_READ, MAP_PRIVATE, w->upload.fd, 0);
	if (w->map == MAP_FAILED) {
		w->map = NULL;
		(void)show_kind(x, PAGE_HANDOVER_FAILED);
	} else if (type == NULL ||
	    parts_boundary(type->value, &boundary, &why) < 0 ||
	    parts_split(form, (struct bytes){ w->map, w->map_n }, boundary,
		&x->arena, &why) < 0) {
		(void)show_wrong(x, HANDOVER_WRONG_FORM);
	} else {
		take_in(x, form);
	}
}

void
handover_body(struct exchange *x, struct bytes b)
{
	struct handover_wait *w = x->handover;

	if (!w->uploads)
		return;
	x->bytes_up += b.n;
	if (b.n > w->upload_max - w->upload.n) {
		w->uploads = false;
		(void)show_wrong(x, HANDOVER_WRONG_SIZE);
	} else if (object_put(&w->upload, b) != OBJECT_KEPT) {
		w->uploads = false;
		(void)show_kind(x, PAGE_HANDOVER_FAILED);
	} else {
		exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	}
}

/* The most that any way takes. */
static size_t
upload_max(const struct exchange *x)
{
	const struct handover_settings *s = &x->edge->settings->handover;
	size_t max = 0;

	for (size_t i = 0; i < s->ways_n; i++)
		if (s->ways[i].from == x->segment->zone &&
		    s->ways[i].size_max > max)
			max = s->ways[i].size_max;
	return max + FORM_ROOM;
}

static enum stage_answer
read_upload(struct exchange *x)
{
	struct handover_wait *w = x->handover;

	w->upload_max = upload_max(x);
	if (x->up == BODY_ENDED)
		return show_wrong(x, HANDOVER_WRONG_FORM);
	if (x->request.has_content_length &&
	    x->request.content_length > w->upload_max)
		return show_wrong(x, HANDOVER_WRONG_SIZE);
	if (object_begin(&w->upload) < 0)
		return show_kind(x, PAGE_HANDOVER_FAILED);
	w->uploads = true;
	exchange_ask_for_body(x);
	return STAGE_WAIT;
}

/* Fetching. */

/* Takes over fd. */
static void
serve(struct exchange *x, const struct slip_file *f, int fd)
{
	struct message *m = &x->response;

	x->own = true;
	x->answered_us = clock_us();
	*m = (struct message){
		.status = 200,
		.framing = FRAMING_LENGTH,
		.content_length = f->bytes,
		.has_content_length = true,
		.keep_alive = true,
		.fields = ARENA_ARRAY(&x->arena, struct field, 5),
	};
	m->fields[m->fields_n++] = (struct field){ .id = FIELD_CONTENT_TYPE,
		.name = BYTES("Content-Type"),
		.value = f->media };
	m->fields[m->fields_n++] =
	    (struct field){ .id = FIELD_CONTENT_DISPOSITION,
		    .name = BYTES("Content-Disposition"),
		    .value = bytes_of(
			disposition_text(&x->arena, "attachment", f->name)) };
	m->fields[m->fields_n++] =
	    (struct field){ .name = BYTES("Cache-Control"),
		    .value = BYTES("no-store") };
	m->fields[m->fields_n++] =
	    (struct field){ .name = BYTES("X-Content-Type-Options"),
		    .value = BYTES("nosniff") };
	m->fields[m->fields_n++] =
	    (struct field){ .name = BYTES("Content-Security-Policy"),
		    .value = BYTES("sandbox") };
	x->down = BODY_RUNS;
	x->content_down = content_of(
	    fd, f->bytes, budget_share(&x->edge->budget, &x->address));
	if (x->content_down == NULL) {
		exchange_refuse(x, ANSWER_BUSY, "no room for the file");
		return;
	}
	x->read_down = true;
	exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	inspect_send_down(x);
}

static void
on_taken(void *owner, const struct handover_answer *answer)
{
	struct exchange *x = owner;
	struct handover_wait *w = x->handover;

	w->asked = NULL;
	if (answer->type == HANDOVER_TAKEN && answer->fd >= 0) {
		serve(x, &w->slip.files[w->ask.nth], answer->fd);
		return;
	}
	(void)show_kind(x,
	    answer->type == HANDOVER_TAKEN ? PAGE_HANDOVER_NONE
					   : PAGE_HANDOVER_FAILED);
}

static struct bytes
map_copy(struct exchange *x, int fd)
{
	struct bytes copy = { 0 };
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return copy;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return copy;
	copy = arena_copy(&x->arena, (struct bytes){ map, (size_t)st.st_size });
	munmap(map, (size_t)st.st_size);
	return copy;
}

static bool
read_slip(struct exchange *x, int fd)
{
	struct bytes copy = map_copy(x, fd);

	return copy.n > 0 && copy.n <= HANDOVER_SLIP_MAX &&
	    slip_unpack(&x->handover->slip, copy, &x->arena) == 0;
}

static void
show_lot(struct exchange *x, const struct handover_answer *answer)
{
	struct handover_wait *w = x->handover;
	struct answer_handover a = {
		.kind = PAGE_HANDOVER_LOT,
		.slip = &w->slip,
		.number = arena_string(&x->arena, answer->words),
		.state = answer->state,
		.takes =
		    bytes_equal(w->slip.to, bytes_of(x->segment->zone->name)),
		.base = w->base,
	};

	(void)show(x, &a);
}

static void
on_seen(void *owner, const struct handover_answer *answer)
{
	struct exchange *x = owner;
	struct handover_wait *w = x->handover;
	bool read = read_slip(x, answer->fd);

	w->asked = NULL;
	if (answer->fd >= 0)
		close(answer->fd);
	if (answer->type != HANDOVER_SEEN) {
		(void)show_kind(x, PAGE_HANDOVER_FAILED);
	} else if (answer->state == HANDOVER_BUSY) {
		(void)show_kind(x, PAGE_HANDOVER_BUSY);
	} else if (answer->state == HANDOVER_UNKNOWN || !read ||
	    (w->fetches && w->ask.nth >= w->slip.files_n)) {
		(void)show_kind(x, PAGE_HANDOVER_NONE);
	} else if (w->fetches && answer->state != HANDOVER_WAITS) {
		w->asked = handover_client_ask(
		    x->edge->handover, HANDOVER_TAKE, &w->ask, on_taken, x);
	} else {
		show_lot(x, answer);
	}
}

static struct slip_ask
ask_of(const struct exchange *x)
{
	return (struct slip_ask){
		.body = bytes_of(x->segment->body->code),
		.zone = bytes_of(x->segment->zone->name),
		.client = bytes_of(x->handover->client),
	};
}

static enum stage_answer
look(struct exchange *x, enum slip_by by, struct bytes value, struct bytes nth)
{
	struct handover_wait *w = x->handover;
	uint64_t n = 0;

	/* What is not asked with GET is not fetched. */
	w->fetches = nth.n > 0 && exchange_is_method(x, BYTES("GET"));
	if (nth.n > 0 && bytes_number(nth, HANDOVER_FILES_MAX - 1, &n) < 0)
		return show_kind(x, PAGE_HANDOVER_NONE);
	w->ask = ask_of(x);
	w->ask.by = by;
	w->ask.value = value;
	w->ask.nth = n;
	w->base = arena_printf(&x->arena, HANDOVER_PATH "%s/%.*s/",
	    by == SLIP_BY_TOKEN ? "a" : "n", BYTES_PRINTF(value));
	exchange_deadline(x, ASK_MS);
	w->asked = handover_client_ask(
	    x->edge->handover, HANDOVER_LOOK, &w->ask, on_seen, x);
	return STAGE_WAIT;
}

/* Approving. */

static void
on_listed(void *owner, const struct handover_answer *answer)
{
	struct exchange *x = owner;
	struct bytes rest = map_copy(x, answer->fd);
	struct answer_handover a = { .kind = PAGE_HANDOVER_HOME,
		.approves = true };
	struct answer_handover_lot *lots =
	    ARENA_ARRAY(&x->arena, struct answer_handover_lot, LOTS_MAX);

	x->handover->asked = NULL;
	if (answer->fd >= 0)
		close(answer->fd);
	while (rest.n > 0 && a.lots_n < LOTS_MAX) {
		struct answer_handover_lot *lot = &lots[a.lots_n];
		uint64_t n;

		lot->number =
		    arena_string(&x->arena, bytes_take_until(&rest, '\n'));
		if (bytes_number(bytes_take_until(&rest, '\n'),
			HANDOVER_SLIP_MAX, &n) < 0 ||
		    slip_unpack(&lot->slip, bytes_take(&rest, n), &x->arena) <
			0)
			break;
		a.lots_n++;
	}
	a.lots = lots;
	(void)show(x, &a);
}

static enum stage_answer
home(struct exchange *x)
{
	struct handover_wait *w = x->handover;

	if (!approves(x))
		return show_kind(x, PAGE_HANDOVER_HOME);
	w->ask = ask_of(x);
	exchange_deadline(x, ASK_MS);
	w->asked = handover_client_ask(
	    x->edge->handover, HANDOVER_LIST, &w->ask, on_listed, x);
	return STAGE_WAIT;
}

static void
on_decided(void *owner, const struct handover_answer *answer)
{
	struct exchange *x = owner;
	struct handover_wait *w = x->handover;

	w->asked = NULL;
	if (answer->fd >= 0)
		close(answer->fd);
	if (answer->type != HANDOVER_DECIDED)
		(void)show_kind(x, PAGE_HANDOVER_FAILED);
	else if (answer->state != HANDOVER_READY)
		(void)show_kind(x, PAGE_HANDOVER_NONE);
	else
		(void)show_kind(x,
		    w->declines ? PAGE_HANDOVER_DECLINED
				: PAGE_HANDOVER_APPROVED);
}

void
handover_form_end(struct exchange *x)
{
	struct handover_wait *w = x->handover;
	struct bytes form = buf_bytes(x->form);
	char *number = arena_alloc(&x->arena, HANDOVER_NUMBER_N + 1);
	struct bytes verdict = form_value(form, BYTES("verdict"), &x->arena);

	w->ask = ask_of(x);
	w->ask.name = slip_text(form_value(form, BYTES("name"), &x->arena),
	    HANDOVER_APPROVER_MAX, &x->arena);
	w->declines = bytes_equal(verdict, BYTES("decline"));
	if (!passes_accept(&x->edge->board->passes, &x->address, TICKET_NAME,
		time(NULL), form_value(form, BYTES("ticket"), &x->arena))) {
		(void)show_wrong(x, HANDOVER_WRONG_TICKET);
	} else if (w->ask.name.n == 0) {
		(void)show_wrong(x, HANDOVER_WRONG_APPROVER);
	} else if (slip_number(form_value(form, BYTES("number"), &x->arena),
		       number) < 0 ||
	    (!w->declines && !bytes_equal(verdict, BYTES("approve")))) {
		(void)show_wrong(x, HANDOVER_WRONG_FORM);
	} else {
		w->ask.value = bytes_of(number);
		exchange_deadline(x, ASK_MS);
		w->asked = handover_client_ask(x->edge->handover,
		    w->declines ? HANDOVER_DECLINE : HANDOVER_APPROVE, &w->ask,
		    on_decided, x);
	}
}

static enum stage_answer
look_by_number(struct exchange *x, struct bytes text, struct bytes nth)
{
	char *number = arena_alloc(&x->arena, HANDOVER_NUMBER_N + 1);

	return slip_number(text, number) < 0
	    ? show_kind(x, PAGE_HANDOVER_NONE)
	    : look(x, SLIP_BY_NUMBER, bytes_of(number), nth);
}

static bool
is_token(struct bytes t)
{
	for (size_t i = 0; i < t.n; i++)
		if (byte_hex(t.p[i]) < 0)
			return false;
	return t.n == HANDOVER_TOKEN_HEX;
}

static enum stage_answer
read_page(struct exchange *x, struct bytes rest, struct bytes query)
{
	struct bytes kind = bytes_take_until(&rest, '/');
	struct bytes value = bytes_take_until(&rest, '/');

	value = arena_copy(&x->arena, value);
	rest = arena_copy(&x->arena, rest);
	if (kind.n == 0)
		return home(x);
	if (bytes_equal(kind, BYTES("find")))
		return look_by_number(x,
		    form_value(query, BYTES("number"), &x->arena),
		    (struct bytes){ 0 });
	if (bytes_equal(kind, BYTES("n")))
		return look_by_number(x, value, rest);
	if (bytes_equal(kind, BYTES("a")) && is_token(value))
		return look(x, SLIP_BY_TOKEN, value, rest);
	return show_kind(x, PAGE_HANDOVER_NONE);
}

enum stage_answer
handover_page(struct exchange *x, struct bytes path, struct bytes query)
{
	struct handover_wait *w = ARENA_NEW(&x->arena, struct handover_wait);
	struct bytes rest = path;

	x->handover = w;
	object_init(&w->upload, budget_share(&x->edge->budget, &x->address));
	address_text(&x->address, w->client);
	/* Numbers and tokens are no words for the journal. */
	x->url.path = x->url.target = BYTES(HANDOVER_PATH);
	bytes_take(&rest, sizeof(HANDOVER_PATH) - 1);
	if (exchange_is_method(x, BYTES("POST")) && rest.n == 0)
		return read_upload(x);
	if (exchange_is_method(x, BYTES("POST")) &&
	    bytes_equal(rest, BYTES("approve")))
		return warn_read_form(x);
	if (!exchange_is_method(x, BYTES("GET")) &&
	    !exchange_is_method(x, BYTES("HEAD")))
		return exchange_refuse(x, ANSWER_BAD_REQUEST,
		    "only GET and POST are for this page");
	return read_page(x, rest, query);
}

void
handover_end(struct exchange *x)
{
	struct handover_wait *w = x->handover;

	if (w == NULL)
		return;
	if (w->intake != NULL)
		intake_cancel(w->intake);
	w->intake = NULL;
	handover_asked_cancel(w->asked);
	w->asked = NULL;
	if (w->map != NULL)
		munmap(w->map, w->map_n);
	w->map = NULL;
	object_release(&w->upload);
}
