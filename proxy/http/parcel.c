/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/parcel.h"

#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/detox/detox.h"
#include "proxy/http/inspect.h"
#include "proxy/http/stages.h"

#define PARCELS_OF_EDGE 512 /* beyond it browsers wait without a page */
#define TICKET_N 16
#define TICKET_HEX (2 * TICKET_N)
#define ASK_AGAIN_S 2
#define LOOK_AGAIN_MS 500
#define ANSWER_MS 10000

/* What an exchange waits for; of one kind or the other. */
struct parcel_wait {
	struct timer *progress; /* until its browser is told */
	struct detox_fetch *fetch;
	struct bytes path; /* behind PARCEL_PATH and the ticket */
	struct bytes base; /* these two */
};

/* The client's end of an exchange that goes on without one. */
struct parcel {
	struct side side;
	struct edge *edge;
	struct address client;
	unsigned body; /* the client's, on the board */
	struct timer *deadline;
	uint8_t key[PARCEL_KEY_N];
	struct buf words;
	int fd;
	bool failed, ended;
};

/* Of the ticket, the client and the host. */
static void
make_key(struct exchange *x, struct bytes ticket, uint8_t out[PARCEL_KEY_N])
{
	char address[ADDRESS_TEXT_MAX];
	struct bytes all = bytes_of(
	    arena_printf(&x->arena, "%.*s %s %.*s", BYTES_PRINTF(ticket),
		address_text(&x->address, address), BYTES_PRINTF(x->url.host)));

	must(EVP_Digest(all.p, all.n, out, NULL, EVP_sha256(), NULL) == 1);
}

static struct bytes
key_bytes(const uint8_t key[PARCEL_KEY_N])
{
	return (struct bytes){ key, PARCEL_KEY_N };
}

/* Making. */

static void
parcel_head(struct side *s, const struct message *m)
{
	static const struct bytes kept[] = {
		BYTES_ROW("content-type"),
		BYTES_ROW("content-disposition"),
		BYTES_ROW("content-language"),
		BYTES_ROW("content-security-policy"),
		BYTES_ROW("sekisho-detox"),
		BYTES_ROW("set-cookie"),
		BYTES_ROW("x-content-type-options"),
	};
	struct parcel *p = CONTAINER(s, struct parcel, side);
	bool guessed;
	struct bytes name = inspect_file_name(s->exchange, &guessed);

	p->words.n = 0;
	p->failed |= buf_printf(&p->words, "%u ", m->status) < 0;
	for (size_t i = 0; i < name.n && !p->failed; i++)
		p->failed = buf_printf(&p->words,
				name.p[i] > ' ' && name.p[i] < 0x7f &&
					name.p[i] != '/' && name.p[i] != '?' &&
					name.p[i] != '#'
				    ? "%c"
				    : "%%%02X",
				name.p[i]) < 0;
	p->failed |= buf_append_string(&p->words, "\n") < 0;
	for (size_t i = 0; i < m->fields_n; i++)
		for (size_t k = 0; k < COUNT(kept); k++)
			if (!m->fields[i].hop &&
			    bytes_equal_nocase(m->fields[i].name, kept[k]))
				p->failed |=
				    buf_printf(&p->words, "%.*s: %.*s\n",
					BYTES_PRINTF(m->fields[i].name),
					BYTES_PRINTF(m->fields[i].value)) < 0;
}

static void
parcel_body(struct side *s, struct bytes b)
{
	struct parcel *p = CONTAINER(s, struct parcel, side);

	p->failed = p->failed || file_write(p->fd, b) < 0;
}

static void
parcel_finish(struct side *s, const struct field *trailers, size_t n)
{
	struct parcel *p = CONTAINER(s, struct parcel, side);

	(void)trailers;
	(void)n;
	p->ended = true;
}

static void
parcel_nothing(struct side *s)
{
	(void)s;
}

static bool
parcel_full(struct side *s)
{
	(void)s;
	return false;
}

static void
parcel_flow(struct side *s, enum flow flow)
{
	(void)s;
	(void)flow;
}

static void
parcel_deadline(struct side *s, uint64_t ms)
{
	timer_start(CONTAINER(s, struct parcel, side)->deadline, ms);
}

static void
parcel_late(void *owner)
{
	struct parcel *p = owner;

	if (p->side.exchange != NULL)
		exchange_timeout(p->side.exchange, "a wait was too long");
}

/* Complete or not at all. */
static void
parcel_done(struct side *s, enum side_outcome outcome)
{
	struct parcel *p = CONTAINER(s, struct parcel, side);
	struct edge *e = p->edge;
	bool whole = p->ended && !p->failed &&
	    (outcome == SIDE_COMPLETE || outcome == SIDE_ANSWERED);

	detox_client_keep(e->detox, key_bytes(p->key),
	    whole ? PARCEL_READY : PARCEL_UNKNOWN, buf_bytes(&p->words),
	    whole ? p->fd : -1);
	timer_free(p->deadline);
	buf_release(&p->words);
	close(p->fd);
	board_disconnected(e->board, &p->client, p->body);
	e->parcels--;
	edge_client_gone(e);
}

static const struct side_type parcel_type = {
	.version = "-",
	.shared = false,
	.head = parcel_head,
	.body = parcel_body,
	.end = parcel_finish,
	.flush = parcel_nothing,
	.full = parcel_full,
	.flow = parcel_flow,
	.deadline = parcel_deadline,
	.done = parcel_done,
};

static struct parcel *
parcel_new(struct exchange *x, struct bytes ticket)
{
	int fd = x->edge->parcels < PARCELS_OF_EDGE
	    ? memfd_create("parcel", MFD_CLOEXEC)
	    : -1;
	struct parcel *p;

	if (fd < 0)
		return NULL;
	p = ARENA_NEW(&x->arena, struct parcel);
	*p = (struct parcel){ .side = { &parcel_type, x },
		.edge = x->edge,
		.client = x->address,
		.body = x->segment->body->index,
		.fd = fd };
	make_key(x, ticket, p->key);
	buf_init(&p->words, PARCEL_WORDS_MAX);
	p->deadline = timer_new(x->edge->loop, parcel_late, p);
	x->edge->parcels++;
	/* It counts as a connection of its client, as that one goes. */
	board_connected(x->edge->board, &x->address, x->segment->body->index);
	return p;
}

static const char *
new_ticket(struct arena *a)
{
	char *out = arena_alloc(a, TICKET_HEX + 1);
	uint8_t random[TICKET_N];

	must(getrandom(random, sizeof(random), 0) == sizeof(random));
	for (size_t i = 0; i < TICKET_N; i++)
		snprintf(out + 2 * i, 3, "%02x", random[i]);
	return out;
}

/* The client has its page, and the exchange another end. What it still says of
 * the client is a copy; and so is the host, which under TLS is its CONNECT's.
 */
static void
hand_over(struct exchange *x)
{
	const char *ticket = new_ticket(&x->arena);
	struct parcel *p = parcel_new(x, bytes_of(ticket));
	struct client *copy = ARENA_NEW(&x->arena, struct client);
	struct side *from = x->from;

	if (p == NULL)
		return;
	detox_client_keep(x->edge->detox, key_bytes(p->key), PARCEL_PENDING,
	    (struct bytes){ 0 }, -1);
	x->back = bytes_of(arena_printf(&x->arena, PARCEL_PATH "%s/w", ticket));
	x->back_s = ASK_AGAIN_S;
	exchange_interlude(x, ANSWER_WAITS);
	x->back = (struct bytes){ 0 };
	*copy = *x->client;
	copy->bound = NULL;
	x->client = copy;
	x->url.host = arena_copy(&x->arena, x->url.host);
	x->from = &p->side;
	from->exchange = NULL;
	from->type->done(from, SIDE_COMPLETE);
	if (x->detoxing == NULL)
		exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
}

static void
on_progress(void *owner)
{
	struct exchange *x = owner;

	if (x->response_begun || x->content_down == NULL)
		return;
	if (content_is_object(x->content_down))
		hand_over(x);
	else
		timer_start(x->parcel->progress, LOOK_AGAIN_MS);
}

static const struct field *
named(const struct message *m, struct bytes name)
{
	for (size_t i = 0; i < m->fields_n; i++)
		if (bytes_equal_nocase(m->fields[i].name, name))
			return &m->fields[i];
	return NULL;
}

/* Whether what comes is shown as a page (Fetch Metadata; without TLS browsers
 * do not say so, but that they take pages). */
static bool
is_navigation(const struct exchange *x)
{
	const struct field *mode = named(&x->request, BYTES("sec-fetch-mode"));
	const struct field *dest = named(&x->request, BYTES("sec-fetch-dest"));
	const struct field *accept = named(&x->request, BYTES("accept"));

	if (!exchange_is_method(x, BYTES("GET")) &&
	    !exchange_is_method(x, BYTES("POST")))
		return false;
	if (mode != NULL && dest != NULL)
		return bytes_equal(mode->value, BYTES("navigate")) &&
		    (bytes_equal(dest->value, BYTES("document")) ||
			bytes_equal(dest->value, BYTES("iframe")) ||
			bytes_equal(dest->value, BYTES("frame")));
	return accept != NULL &&
	    bytes_start_with(accept->value, BYTES("text/html"));
}

void
parcel_expect(struct exchange *x)
{
	uint64_t after = x->edge->settings->detox.progress_ms;
	uint64_t waited = (clock_us() - x->started_us) / 1000;

	if (x->parcel != NULL || !inspect_asks_for(x, INSPECTION_DETOX) ||
	    x->response.status != 200 || x->up != BODY_ENDED || x->bound ||
	    !is_navigation(x))
		return;
	x->parcel = ARENA_NEW(&x->arena, struct parcel_wait);
	x->parcel->progress = timer_new(x->edge->loop, on_progress, x);
	timer_start(x->parcel->progress, waited < after ? after - waited : 0);
}

/* Fetching. */

bool
parcel_is_asked_for(const struct exchange *x)
{
	return bytes_start_with(x->url.path, BYTES(PARCEL_PATH));
}

/* The words' fields, as the answer's. */
static void
read_words(struct exchange *x, struct bytes words)
{
	struct message *m = &x->response;

	m->fields = ARENA_ARRAY(&x->arena, struct field, words.n / 4 + 2);
	m->fields[m->fields_n++] =
	    (struct field){ .name = BYTES("Cache-Control"),
		    .value = BYTES("no-store") };
	while (words.n > 0) {
		struct bytes value = bytes_take_until(&words, '\n');
		struct bytes name = bytes_take_until(&value, ':');

		m->fields[m->fields_n++] = (struct field){ .id = field_id(name),
			.name = name,
			.value = bytes_trim(value) };
	}
}

/* Takes over fd. */
static void
serve(struct exchange *x, unsigned status, struct bytes words, int fd)
{
	bool head = exchange_is_method(x, BYTES("HEAD"));
	struct stat st;

	if (fstat(fd, &st) < 0)
		st.st_size = 0;
	x->own = true;
	x->answered_us = clock_us();
	x->response = (struct message){
		.status = status,
		.framing = head ? FRAMING_NONE : FRAMING_LENGTH,
		.content_length = (uint64_t)st.st_size,
		.has_content_length = true,
		.keep_alive = true,
	};
	read_words(x, words);
	x->down = BODY_RUNS;
	if (head) {
		close(fd);
		exchange_begin_answer(x);
		exchange_end_answer(x, NULL, 0);
		return;
	}
	x->content_down = content_of(fd, (uint64_t)st.st_size,
	    budget_share(&x->edge->budget, &x->address));
	if (x->content_down == NULL) {
		exchange_refuse(x, ANSWER_BUSY, "no room for the file");
		return;
	}
	x->read_down = true;
	exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	inspect_send_down(x);
}

/* A page that says so; or the file, or the page that came of it. */
static void
give(struct exchange *x, struct bytes words, int fd)
{
	const struct parcel_wait *w = x->parcel;
	struct bytes first, kept;
	uint64_t status;

	kept = arena_copy(&x->arena, words);
	first = bytes_take_until(&kept, '\n');
	if (bytes_number(bytes_take_until(&first, ' '), 999, &status) < 0) {
		close(fd);
		exchange_refuse(x, ANSWER_GONE, NULL);
	} else if (status / 100 != 2 || w->path.p[0] == 'f') {
		serve(x, (unsigned)status, kept, fd);
	} else {
		close(fd);
		x->file = bytes_of(arena_printf(&x->arena, "%.*sf/%.*s",
		    BYTES_PRINTF(w->base), BYTES_PRINTF(first)));
		x->back = x->file;
		exchange_refuse(x, ANSWER_READY, NULL);
	}
}

static void
on_fetched(void *owner, enum parcel_state state, struct bytes words, int fd)
{
	struct exchange *x = owner;

	x->parcel->fetch = NULL;
	if (state == PARCEL_READY && fd >= 0) {
		give(x, words, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (state == PARCEL_PENDING) {
		x->back = x->url.path;
		x->back_s = ASK_AGAIN_S;
		exchange_refuse(x, ANSWER_WAITS, NULL);
		return;
	}
	exchange_refuse(x, ANSWER_GONE, NULL);
}

static bool
is_ticket(struct bytes t)
{
	for (size_t i = 0; i < t.n; i++)
		if (byte_hex(t.p[i]) < 0)
			return false;
	return t.n == TICKET_HEX;
}

enum stage_answer
parcel_answer(struct exchange *x)
{
	struct parcel_wait *w = ARENA_NEW(&x->arena, struct parcel_wait);
	struct bytes rest = x->url.path;
	uint8_t key[PARCEL_KEY_N];
	struct bytes ticket;

	if (!exchange_is_method(x, BYTES("GET")) &&
	    !exchange_is_method(x, BYTES("HEAD")))
		return exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "only GET and HEAD fetch a file");
	bytes_take(&rest, sizeof(PARCEL_PATH) - 1);
	ticket = bytes_take_until(&rest, '/');
	w->base = (struct bytes){ x->url.path.p, x->url.path.n - rest.n };
	w->path = rest;
	if (!is_ticket(ticket) || rest.n == 0 ||
	    (!bytes_equal(rest, BYTES("w")) &&
		!bytes_start_with(rest, BYTES("f/"))))
		return exchange_refuse(x, ANSWER_GONE, NULL);
	make_key(x, ticket, key);
	x->parcel = w;
	exchange_deadline(x, ANSWER_MS);
	w->fetch =
	    detox_client_fetch(x->edge->detox, key_bytes(key), on_fetched, x);
	return w->fetch != NULL ? STAGE_WAIT
				: exchange_refuse(x, ANSWER_GONE, NULL);
}

void
parcel_end(struct exchange *x)
{
	struct parcel_wait *w = x->parcel;

	x->parcel = NULL;
	if (w == NULL)
		return;
	timer_free(w->progress);
	if (w->fetch != NULL)
		detox_fetch_cancel(w->fetch);
}
