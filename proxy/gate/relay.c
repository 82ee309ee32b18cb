/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/gate/relay.h"

#include <sys/socket.h>

/* TLS that ends without a word is not ended with one on the other side: the
 * peer could not tell a whole answer from half of one. */
static enum relay_answer
finish(struct relay *r)
{
	if (stream_queued(r->to) > 0)
		return RELAY_FLOWS;
	if (r->state == RELAY_CUTTING) {
		shutdown(stream_fd(r->to), SHUT_WR);
		r->state = RELAY_CUT;
	}
	return RELAY_ENDED;
}

static enum relay_answer
end(struct relay *r, enum relay_state how)
{
	stream_want_read(r->from, false);
	r->state = how;
	if (how == RELAY_OVER)
		stream_shutdown(r->to);
	return finish(r);
}

static enum relay_answer
move(struct relay *r, struct bytes b)
{
	if (r->max > 0 && b.n > r->max - r->moved) {
		b.n = (size_t)(r->max - r->moved);
		r->moved += b.n;
		stream_write(r->to, b);
		return RELAY_FULL;
	}
	r->moved += b.n;
	stream_write(r->to, b);
	stream_want_read(r->from, stream_queued(r->to) == 0);
	return RELAY_FLOWS;
}

enum relay_answer
relay_pump(struct relay *r, uint8_t *buffer, size_t size, const char **why_out)
{
	size_t n;

	if (stream_broken(r->to)) {
		*why_out = stream_why(r->to);
		return RELAY_BROKEN;
	}
	if (r->state != RELAY_OPEN)
		return finish(r);
	if (stream_queued(r->to) > 0) {
		stream_want_read(r->from, false);
		return RELAY_FLOWS;
	}
	switch (stream_read(r->from, buffer, size, &n)) {
	case STREAM_READ:
		return move(r, (struct bytes){ buffer, n });
	case STREAM_WAIT:
		stream_want_read(r->from, true);
		return RELAY_FLOWS;
	case STREAM_END:
		return end(r, RELAY_OVER);
	case STREAM_CUT:
		return end(r, RELAY_CUTTING);
	case STREAM_FAILED:
		break;
	}
	*why_out = stream_why(r->from);
	return RELAY_BROKEN;
}
