/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/inside.h"

#include <sys/socket.h>
#include <unistd.h>

/* What the kernel may hold of each direction (it counts twice as much). */
#define SOCKET_SIZE 65536

struct inside {
	struct side side;
	struct edge *edge;
	struct stream *stream;
	bool paused;
};

static struct inside *
inside_of(struct side *s)
{
	return CONTAINER(s, struct inside, side);
}

static void
no_head(struct side *s, const struct message *m)
{
	(void)s;
	(void)m;
}

static void
inside_body(struct side *s, struct bytes b)
{
	stream_put(inside_of(s)->stream, b);
}

static void
inside_end(struct side *s, const struct field *trailers, size_t n)
{
	(void)trailers;
	(void)n;
	stream_shutdown(inside_of(s)->stream);
}

static void
inside_flush(struct side *s)
{
	stream_flush(inside_of(s)->stream);
}

static bool
inside_full(struct side *s)
{
	return stream_queued(inside_of(s)->stream) > 0;
}

static void
inside_flow(struct side *s, enum flow flow)
{
	struct inside *i = inside_of(s);

	i->paused = flow == FLOW_PAUSE;
	stream_want_read(i->stream, !i->paused);
}

/* The deadline of an exchange is kept on its client's side. */
static void
no_deadline(struct side *s, uint64_t ms)
{
	(void)s;
	(void)ms;
}

static void
always_raw(struct side *s)
{
	(void)s;
}

static enum side_retry
never_again(const struct side *s)
{
	(void)s;
	return RETRY_NEVER;
}

static void
inside_done(struct side *s, enum side_outcome outcome)
{
	(void)outcome;
	stream_free(inside_of(s)->stream);
}

static const struct side_type inside_type = {
	.version = "TLS",
	.head = no_head,
	.body = inside_body,
	.end = inside_end,
	.flush = inside_flush,
	.full = inside_full,
	.flow = inside_flow,
	.deadline = no_deadline,
	.raw = always_raw,
	.retry = never_again,
	.done = inside_done,
};

static void
inside_read(struct inside *i, struct bytes b)
{
	struct side *from = i->side.exchange->from;

	exchange_response_body(i->side.exchange, b);
	if (i->side.exchange != NULL)
		from->type->flush(from);
}

static void
inside_readable(void *owner)
{
	struct inside *i = owner;
	struct edge *e = i->edge;
	size_t n;

	if (i->side.exchange == NULL || i->paused)
		return;
	switch (stream_read(i->stream, e->scratch, sizeof(e->scratch), &n)) {
	case STREAM_READ:
		inside_read(i, (struct bytes){ e->scratch, n });
		return;
	case STREAM_WAIT:
		return;
	case STREAM_END:
	case STREAM_CUT:
		stream_want_read(i->stream, false);
		if (stream_broken(i->stream))
			break;
		exchange_response_end(i->side.exchange, NULL, 0);
		return;
	case STREAM_FAILED:
		break;
	}
	exchange_client_gone(i->side.exchange, "connection closed");
}

static void
inside_drained(void *owner)
{
	struct inside *i = owner;

	if (i->side.exchange != NULL)
		exchange_origin_drained(i->side.exchange);
}

static const struct stream_events inside_events = {
	.on_readable = inside_readable,
	.on_drained = inside_drained,
};

static int
open_pair(int fds[2])
{
	const int size = SOCKET_SIZE;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

struct side *
inside_new(struct exchange *x, struct intercept *i)
{
	struct inside *near;
	int fds[2];

	if (open_pair(fds) < 0) {
		intercept_free(i);
		return NULL;
	}
	near = ARENA_NEW(&x->arena, struct inside);
	near->side.type = &inside_type;
	near->side.exchange = x;
	near->edge = x->edge;
	near->paused = true;
	near->stream = stream_new(x->edge->loop, fds[0], &inside_events, near);
	client_inside(x->client, fds[1], x->segment, &x->address, i);
	return &near->side;
}
