/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/h2_session.h"

#include <stdlib.h>
#include <string.h>

/* What a stream holds for a slow peer before its exchange must wait. */
#define STREAM_FULL ((size_t)16384)
#define STREAM_OUT_MAX (STREAM_FULL + (size_t)4 * EDGE_SCRATCH_SIZE)
/* Sent and not taken by the kernel; more waits in the streams. */
#define CONNECTION_FULL ((size_t)131072)
#define FRAME_MAX ((size_t)16384)
#define FRAME_HEAD 9
#define FIELD_HEAD 32 /* more than HPACK needs to tell of it */
/* Of each stream, and what it may make wait; see grow. */
#define FIRST_WINDOW ((size_t)65535)
#define GROW_MS 100
/* A peer may send so many bytes that carry nothing (see waste), more as time
 * goes by, as messages come and go, and as a body takes its windows. */
#define PATIENCE ((int64_t)65536)
#define PATIENCE_PER_MS 2
#define PATIENCE_PER_MESSAGE 128
#define PATIENCE_PER_FRAME 64
#define HEAD_UNDER_WAY 4096
/* Of a body: a smaller frame earns nothing when the window made it so. */
#define FRAME_SMALL 256
/* A head is read on past its limit, for a page that says so; not for ever. */
#define HEAD_TIMES 4
#define SPARE_MAX SPARE(1024)
#define SPARE_OUT_MAX 4096

static struct {
	struct h2_stream *first;
	size_t n;
} spare;

static const struct limit_settings *
limits_of(const struct h2_session *h)
{
	return &h->edge->settings->limits;
}

struct h2_stream *
h2_stream_of(struct side *s)
{
	return CONTAINER(s, struct h2_stream, side);
}

/* What is sent. */

static ssize_t
read_body(nghttp2_session *library, int32_t id, uint8_t *buf, size_t n,
    uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct h2_stream *s = source->ptr;
	size_t left = s->out.n - s->out_sent;

	(void)buf;
	(void)user;
	if (n > FRAME_MAX)
		n = FRAME_MAX;
	if (n > left)
		n = left;
	if (n == 0 && !s->out_ended)
		return NGHTTP2_ERR_DEFERRED;
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (n == left && s->out_ended) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (s->trailers_out.n > 0 &&
		    nghttp2_submit_trailer(library, id, s->trailers_out.nv,
			s->trailers_out.n) == 0)
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
	}
	return (ssize_t)n;
}

/* The frame that read_body announced; there is no padding. */
static int
send_body(nghttp2_session *library, nghttp2_frame *frame, const uint8_t *head,
    size_t n, nghttp2_data_source *source, void *user)
{
	struct h2_stream *s = source->ptr;
	struct h2_session *h = user;

	(void)library;
	(void)frame;
	if (n >= FRAME_SMALL || s->out_sent + n == s->out.n)
		h->patience += PATIENCE_PER_FRAME;
	stream_put(h->stream, (struct bytes){ head, FRAME_HEAD });
	stream_put(h->stream, (struct bytes){ s->out.p + s->out_sent, n });
	s->out_sent += n;
	if (s->out_sent == s->out.n)
		s->out_sent = s->out.n = 0;
	return 0;
}

nghttp2_data_provider
h2_stream_body(struct h2_stream *s)
{
	return (nghttp2_data_provider){ .source.ptr = s,
		.read_callback = read_body };
}

/* What is under way on a stream that we reset is not its sender's fault: a
 * head, and as much of a body as the windows let out. */
static void
excuse(const struct h2_stream *s)
{
	struct h2_session *h = s->session;
	int64_t most = (int64_t)limits_of(h)->h2_connection_window;

	h->under_way += HEAD_UNDER_WAY + (int64_t)s->window;
	if (h->under_way > most)
		h->under_way = most;
}

void
h2_stream_reset(struct h2_stream *s, uint32_t code)
{
	excuse(s);
	nghttp2_submit_rst_stream(
	    s->session->library, NGHTTP2_FLAG_NONE, s->id, code);
	h2_session_send_later(s->session);
}

void
h2_side_body(struct side *side, struct bytes b)
{
	struct h2_stream *s = h2_stream_of(side);

	if (s->closed || b.n == 0)
		return;
	if (s->out_sent > 0) {
		memmove(
		    s->out.p, s->out.p + s->out_sent, s->out.n - s->out_sent);
		s->out.n -= s->out_sent;
		s->out_sent = 0;
	}
	must(buf_append(&s->out, b) == 0);
	nghttp2_session_resume_data(s->session->library, s->id);
}

/* Kept until the body has left; the exchange may be over before. */
static void
keep_trailers(struct h2_stream *s, const struct field *trailers, size_t n)
{
	struct field *copy = ARENA_ARRAY(&s->trailers_arena, struct field, n);

	for (size_t i = 0; i < n; i++) {
		copy[i] = trailers[i];
		copy[i].name = arena_copy(&s->trailers_arena, trailers[i].name);
		copy[i].value =
		    arena_copy(&s->trailers_arena, trailers[i].value);
	}
	s->trailers_out = h2_trailer_fields(&s->trailers_arena, copy, n);
}

void
h2_side_end(struct side *side, const struct field *trailers, size_t n)
{
	struct h2_stream *s = h2_stream_of(side);

	if (s->closed)
		return;
	if (n > 0)
		keep_trailers(s, trailers, n);
	s->out_ended = true;
	nghttp2_session_resume_data(s->session->library, s->id);
}

void
h2_side_flush(struct side *side)
{
	struct h2_stream *s = h2_stream_of(side);

	if (!s->closed)
		h2_session_send_later(s->session);
}

bool
h2_side_full(struct side *side)
{
	struct h2_stream *s = h2_stream_of(side);

	s->full = !s->closed && s->out.n - s->out_sent > STREAM_FULL;
	return s->full;
}

/* What comes. */

/* A receiver that takes half a window in GROW_MS may be slowed by the window:
 * it gets twice as much, out of what the connection has for all of them. Who
 * is slow keeps the first window, and with it the small buffer. */
static void
grow(struct h2_stream *s, size_t n)
{
	struct h2_session *h = s->session;
	uint64_t now = loop_now_ms(s->loop);
	size_t room = limits_of(h)->h2_connection_window - h->grown;
	size_t more = limits_of(h)->h2_window - s->window;
	bool quick;

	s->taken += n;
	if (s->taken < s->window / 2)
		return;
	quick = now - s->taken_since_ms < GROW_MS;
	s->taken = 0;
	s->taken_since_ms = now;
	if (more > s->window)
		more = s->window;
	if (!quick || more == 0 || more > room)
		return;
	s->window += more;
	h->grown += more;
	s->in.max = s->window;
	nghttp2_session_set_local_window_size(
	    h->library, NGHTTP2_FLAG_NONE, s->id, (int32_t)s->window);
	h2_session_send_later(h);
}

/* In eighths of the window. The library would do it in halves; then the half
 * that it has not given back yet and the one that is on its way can go around
 * so that only one of them is ever used. */
static void
give_back(struct h2_stream *s, size_t n)
{
	s->owed += n;
	if (s->owed < s->window / 8)
		return;
	nghttp2_submit_window_update(
	    s->session->library, NGHTTP2_FLAG_NONE, s->id, (int32_t)s->owed);
	s->owed = 0;
	h2_session_send_later(s->session);
}

static void
give_body(struct h2_stream *s, struct bytes b)
{
	s->role->body(s, b);
	if (s->closed)
		return;
	give_back(s, b.n);
	grow(s, b.n);
}

/* What came while it was paused, then the end, when it has come. */
static void
deliver(struct h2_stream *s)
{
	struct buf in = s->in;

	buf_init(&s->in, in.max);
	if (in.n > 0 && s->side.exchange != NULL)
		give_body(s, buf_bytes(&in));
	buf_release(&in);
	if (s->ended && !s->paused && s->side.exchange != NULL) {
		s->ended = false;
		s->role->end(s);
	}
}

void
h2_side_flow(struct side *side, enum flow flow)
{
	struct h2_stream *s = h2_stream_of(side);

	s->paused = flow == FLOW_PAUSE;
	if (!s->paused && (s->in.n > 0 || s->ended))
		deliver(s);
}

void
h2_stream_ended(struct h2_stream *s)
{
	s->ended = true;
	if (!s->paused && s->in.n == 0)
		deliver(s);
}

/* Streams. */

/* Streams come and go by the thousand: they are kept for the next, with what
 * they have allocated for a small body. */
static struct h2_stream *
take_spare(void)
{
	struct h2_stream *s = spare.first;

	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		must(s != NULL);
		return s;
	}
	spare.first = s->next;
	spare.n--;
	s->next = NULL;
	return s;
}

static void
free_stream(void *owner)
{
	struct h2_stream *s = owner;
	struct buf out = s->out;

	buf_release(&s->in);
	arena_release(&s->trailers_arena);
	if (spare.n + 1 > SPARE_MAX) {
		buf_release(&s->out);
		free(s);
		return;
	}
	if (out.size > SPARE_OUT_MAX)
		buf_release(&out);
	out.n = 0;
	*s = (struct h2_stream){ .out = out, .next = spare.first };
	spare.first = s;
	spare.n++;
}

struct h2_stream *
h2_stream_new(struct h2_session *h, const struct side_type *type)
{
	struct h2_stream *s = take_spare();

	s->side.type = type;
	s->session = h;
	s->role = h->role;
	s->loop = h->edge->loop;
	s->paused = true;
	s->window = FIRST_WINDOW;
	buf_init(&s->in, s->window);
	s->out.max = STREAM_OUT_MAX + limits_of(h)->h2_window;
	s->next = h->streams;
	if (s->next != NULL)
		s->next->prev = s;
	h->streams = s;
	h->streams_n++;
	return s;
}

static void
unlink_stream(struct h2_stream *s)
{
	struct h2_session *h = s->session;

	*(s->prev != NULL ? &s->prev->next : &h->streams) = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	h->streams_n--;
}

void
h2_stream_drop(struct h2_stream *s)
{
	if (!s->outlived) {
		unlink_stream(s);
		s->session->role->fewer(s->session);
	}
	loop_defer(s->loop, free_stream, s);
}

/* Its exchange may be in the call that led here. */
static void
forget(struct h2_stream *s, uint32_t code, const char *why)
{
	struct h2_session *h = s->session;

	s->closed = true;
	h->grown -= s->window - FIRST_WINDOW;
	unlink_stream(s);
	if (s->side.exchange != NULL)
		h->role->cut(s, code, why);
	s->outlived = s->side.exchange != NULL;
	if (!s->outlived)
		loop_defer(s->loop, free_stream, s);
}

/* The library's callbacks. */

/* RFC 9113 section 6.3. The library reads no PRIORITY frames since ours are
 * those of RFC 9218, and would let it pass. */
static int
begin_frame(nghttp2_session *library, const nghttp2_frame_hd *hd, void *user)
{
	h2_priority_begin(user, hd);
	if (hd->type == NGHTTP2_PRIORITY && hd->stream_id == 0)
		nghttp2_session_terminate_session(
		    library, NGHTTP2_PROTOCOL_ERROR);
	return 0;
}

static int
begin_headers(nghttp2_session *library, const nghttp2_frame *frame, void *user)
{
	struct h2_session *h = user;
	struct h2_stream *s;
	struct exchange *x;

	if (frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	s = nghttp2_session_get_stream_user_data(library, frame->hd.stream_id);
	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		s = h->role->accept(h);
		s->id = frame->hd.stream_id;
		nghttp2_session_set_stream_user_data(library, s->id, s);
	}
	x = s == NULL ? NULL : s->side.exchange;
	if (x != NULL)
		h2_head_begin(&s->head, &x->arena,
		    s->head_read ? &s->trailer : h->role->message(x),
		    &limits_of(h)->h1);
	return 0;
}

static int
header(nghttp2_session *library, const nghttp2_frame *frame,
    const uint8_t *name, size_t name_n, const uint8_t *value, size_t value_n,
    uint8_t flags, void *user)
{
	struct h2_stream *s =
	    nghttp2_session_get_stream_user_data(library, frame->hd.stream_id);
	struct h2_session *h = user;

	(void)flags;
	if (s == NULL || s->side.exchange == NULL)
		return 0;
	h->patience += FIELD_HEAD + (int64_t)(name_n + value_n);
	h2_head_add(&s->head, (struct bytes){ name, name_n },
	    (struct bytes){ value, value_n });
	/* One octet may stand for 4 KiB of the table (RFC 7541). */
	if (s->head.bytes <= HEAD_TIMES * s->head.limits->head_max)
		return 0;
	h->fault = "a head without end";
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static void
headers_done(struct h2_stream *s, bool ends)
{
	const struct h2_role *role = s->session->role;

	s->session->patience += PATIENCE_PER_MESSAGE;
	if (!s->head_read) {
		role->head(s, ends);
		return;
	}
	if (!message_trailer_is_harmless(&s->trailer))
		s->head.why = "a trailer that means something";
	if (s->head.why == NULL) {
		h2_stream_ended(s);
		return;
	}
	s->fault = NGHTTP2_PROTOCOL_ERROR;
	role->cut(s, s->fault, s->head.why);
}

static int
frame_received(nghttp2_session *library, const nghttp2_frame *frame, void *user)
{
	bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	struct h2_stream *s;

	if (frame->hd.type == NGHTTP2_PRIORITY_UPDATE)
		h2_priority_received(user, &frame->hd);
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	s = nghttp2_session_get_stream_user_data(library, frame->hd.stream_id);
	if (s == NULL || s->side.exchange == NULL)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS)
		headers_done(s, ends);
	else if (ends)
		h2_stream_ended(s);
	return 0;
}

static int
data_chunk(nghttp2_session *library, uint8_t flags, int32_t id,
    const uint8_t *p, size_t n, void *user)
{
	struct h2_stream *s = nghttp2_session_get_stream_user_data(library, id);
	bool wanted = s != NULL && s->side.exchange != NULL;
	struct h2_session *h = user;

	(void)flags;
	h->patience += FRAME_HEAD + (int64_t)n;
	/* The connection's window is given back at once, so that a stream that
	 * waits holds up none but itself; its own window is its buffer's size.
	 */
	nghttp2_session_consume_connection(library, n);
	if (!wanted) {
		nghttp2_session_consume_stream(library, id, n);
		return 0;
	}
	if (s->paused || s->in.n > 0) {
		/* The library gives us what is past the window, too. */
		if (buf_append(&s->in, (struct bytes){ p, n }) < 0)
			h2_stream_reset(s, NGHTTP2_FLOW_CONTROL_ERROR);
		return 0;
	}
	give_body(s, (struct bytes){ p, n });
	return 0;
}

static int
stream_closed(nghttp2_session *library, int32_t id, uint32_t code, void *user)
{
	struct h2_stream *s = nghttp2_session_get_stream_user_data(library, id);
	struct h2_session *h = user;

	if (s == NULL)
		return 0;
	nghttp2_session_set_stream_user_data(library, id, NULL);
	h->patience += PATIENCE_PER_MESSAGE;
	forget(s, code, nghttp2_http2_strerror(code));
	if (!h->over)
		h->role->fewer(h);
	return 0;
}

/* The library may have ended the connection for a reason of its own in the read
 * that used up our patience too: the first is told. */
static void
goaway_sent(struct h2_session *h, const nghttp2_goaway *g)
{
	const struct bytes words = { g->opaque_data, g->opaque_data_len };

	if (g->error_code == NGHTTP2_NO_ERROR || h->told)
		return;
	h->told = true;
	if (h->fault != NULL && g->error_code == NGHTTP2_ENHANCE_YOUR_CALM)
		h->role->misbehaved(h, bytes_of(h->fault));
	else if (words.n > 0)
		h->role->misbehaved(h, words);
	else
		h->role->misbehaved(
		    h, bytes_of(nghttp2_http2_strerror(g->error_code)));
}

static int
frame_sent(nghttp2_session *library, const nghttp2_frame *frame, void *user)
{
	struct h2_session *h = user;

	(void)library;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		goaway_sent(h, &frame->goaway);
	else
		h->role->sent(h, frame);
	return 0;
}

/* Sending. */

/* Exchanges whose stream has room again go on. */
static bool
tell_drained(struct h2_session *h)
{
	struct h2_stream *next;
	bool some = false;

	for (struct h2_stream *s = h->streams; s != NULL; s = next) {
		next = s->next;
		if (!s->full || s->out.n - s->out_sent > STREAM_FULL)
			continue;
		s->full = false;
		some = true;
		if (s->side.exchange != NULL)
			h->role->drained(s);
		if (h->over)
			return false;
	}
	return some;
}

static bool
is_finished(const struct h2_session *h)
{
	return (h->leaving && h->streams_n == 0) ||
	    (nghttp2_session_want_read(h->library) == 0 &&
		nghttp2_session_want_write(h->library) == 0);
}

static void
pull(struct h2_session *h)
{
	const uint8_t *p;
	ssize_t n;

	/* A frame that ends the last stream may end the session. */
	while (stream_queued(h->stream) < CONNECTION_FULL) {
		n = nghttp2_session_mem_send(h->library, &p);
		if (h->over)
			return;
		if (n <= 0)
			break;
		stream_put(h->stream, (struct bytes){ p, (size_t)n });
	}
	stream_flush(h->stream);
}

static void
send_now(void *owner)
{
	struct h2_session *h = owner;

	h->flush_later = false;
	if (h->over || h->deaf)
		return;
	do
		pull(h);
	while (!h->over && stream_queued(h->stream) == 0 && tell_drained(h));
	if (h->over)
		return;
	if (stream_broken(h->stream))
		h->role->lost(h, false);
	else if (stream_queued(h->stream) == 0 && is_finished(h))
		h->role->finished(h);
}

void
h2_session_send_later(struct h2_session *h)
{
	if (h->flush_later || h->over)
		return;
	h->flush_later = true;
	loop_defer(h->edge->loop, send_now, h);
}

/* The connection. */

/* What floods are made of costs its sender next to nothing, and us the reading
 * and perhaps an answer: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty or
 * padded DATA, frames of no known type, whatever is sent on streams that are
 * gone. All of it is what is left of the bytes that were read when those are
 * taken off that carried something, and those have been added already. */
static void
waste(struct h2_session *h, size_t n)
{
	uint64_t now = loop_now_ms(h->edge->loop);
	int64_t excused;

	h->patience +=
	    (int64_t)(now - h->patience_ms) * PATIENCE_PER_MS - (int64_t)n;
	h->patience_ms = now;
	if (h->patience > PATIENCE)
		h->patience = PATIENCE;
	if (h->patience >= 0 || h->fault != NULL)
		return;
	excused = -h->patience < h->under_way ? -h->patience : h->under_way;
	h->patience += excused;
	h->under_way -= excused;
	if (h->patience < 0)
		h2_session_blame(h, "a flood of frames that carry nothing");
}

static void
connection_read(struct h2_session *h, struct bytes b)
{
	ssize_t taken;

	if (h->deaf || h->fault != NULL)
		return;
	taken = nghttp2_session_mem_recv(h->library, b.p, b.n);
	if (h->over)
		return;
	if (taken < 0) {
		h->role->misbehaved(h,
		    bytes_of(h->fault != NULL ? h->fault
					      : nghttp2_strerror((int)taken)));
		h->role->lost(h, true);
		return;
	}
	waste(h, b.n);
	h->role->received(h);
	h2_session_send_later(h);
}

static void
connection_readable(void *owner)
{
	struct h2_session *h = owner;
	struct edge *e = h->edge;
	size_t n;

	if (stream_broken(h->stream)) {
		h->role->lost(h, false);
		return;
	}
	switch (stream_read(h->stream, e->scratch, sizeof(e->scratch), &n)) {
	case STREAM_READ:
		connection_read(h, (struct bytes){ e->scratch, n });
		return;
	case STREAM_WAIT:
		return;
	case STREAM_END:
	case STREAM_CUT:
	case STREAM_FAILED:
		h->role->lost(h, false);
		return;
	}
}

static void
connection_drained(void *owner)
{
	h2_session_send_later(owner);
}

static const struct stream_events connection_events = {
	.on_readable = connection_readable,
	.on_drained = connection_drained,
};

void
h2_session_blame(struct h2_session *h, const char *fault)
{
	h->fault = fault;
	nghttp2_session_terminate_session(
	    h->library, NGHTTP2_ENHANCE_YOUR_CALM);
	h2_session_send_later(h);
}

void
h2_session_leave(struct h2_session *h)
{
	if (h->leaving)
		return;
	h->leaving = true;
	nghttp2_submit_goaway(h->library, NGHTTP2_FLAG_NONE,
	    nghttp2_session_get_last_proc_stream_id(h->library),
	    NGHTTP2_NO_ERROR, NULL, 0);
	h2_session_send_later(h);
}

static nghttp2_session *
library_session(struct h2_session *h, enum h2_end end)
{
	nghttp2_session_callbacks *calls;
	nghttp2_option *options;
	nghttp2_session *library;

	must(nghttp2_session_callbacks_new(&calls) == 0 &&
	    nghttp2_option_new(&options) == 0);
	nghttp2_session_callbacks_set_on_begin_frame_callback(
	    calls, begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(
	    calls, begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(calls, header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(
	    calls, frame_received);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
	    calls, data_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(
	    calls, stream_closed);
	nghttp2_session_callbacks_set_on_frame_send_callback(calls, frame_sent);
	nghttp2_session_callbacks_set_send_data_callback(calls, send_body);
	nghttp2_option_set_no_auto_window_update(options, 1);
	nghttp2_option_set_no_closed_streams(options, 1);
	if (end == H2_SERVER)
		h2_priority_listen(calls, options);
	nghttp2_option_set_max_send_header_block_length(
	    options, 2 * limits_of(h)->head_max + FRAME_MAX);
	must((end == H2_SERVER
		     ? nghttp2_session_server_new2(&library, calls, h, options)
		     : nghttp2_session_client_new2(
			   &library, calls, h, options)) == 0);
	nghttp2_option_del(options);
	nghttp2_session_callbacks_del(calls);
	return library;
}

static void
say_hello(struct h2_session *h, enum h2_end end)
{
	const struct limit_settings *l = limits_of(h);
	const nghttp2_settings_entry to_client[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, FIRST_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
		    (uint32_t)l->head_max },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, l->h2_streams_max },
		{ NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1 },
	};
	const nghttp2_settings_entry to_origin[] = {
		to_client[0],
		to_client[1],
		to_client[2],
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
	};
	bool server = end == H2_SERVER;

	must(nghttp2_submit_settings(h->library, NGHTTP2_FLAG_NONE,
		 server ? to_client : to_origin,
		 server ? COUNT(to_client) : COUNT(to_origin)) == 0 &&
	    nghttp2_session_set_local_window_size(h->library, NGHTTP2_FLAG_NONE,
		0, (int32_t)l->h2_connection_window) == 0);
}

void
h2_session_begin(struct h2_session *h, enum h2_end end,
    const struct h2_role *role, struct edge *e, struct stream *s)
{
	h->role = role;
	h->edge = e;
	h->stream = s;
	h->library = library_session(h, end);
	h->patience = PATIENCE;
	h->patience_ms = loop_now_ms(e->loop);
	stream_own(s, &connection_events, h);
	say_hello(h, end);
	h2_session_send_later(h);
	stream_want_read(s, true);
}

void
h2_session_end(
    struct h2_session *h, const char *why, void (*release)(void *owner))
{
	h->over = true;
	while (h->streams != NULL)
		forget(h->streams, NGHTTP2_NO_ERROR, why);
	loop_defer(h->edge->loop, release, h);
}

void
h2_session_release(struct h2_session *h)
{
	nghttp2_session_del(h->library);
}
