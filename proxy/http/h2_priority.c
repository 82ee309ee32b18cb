/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/h2_priority.h"

#include <string.h>

#include "proxy/http/h2_session.h"

/* RFC 8941 section 3.2, as far as the two members of RFC 9218 go: a string
 * that holds a comma is cut there, and is none of them. */
void
h2_priority_read(struct bytes value, nghttp2_extpri *out)
{
	while (value.n > 0) {
		struct bytes member = bytes_take_until(&value, ',');
		struct bytes m = bytes_trim(bytes_take_until(&member, ';'));

		if (m.n == 3 && m.p[0] == 'u' && m.p[1] == '=' &&
		    m.p[2] >= '0' && m.p[2] <= '0' + NGHTTP2_EXTPRI_URGENCY_LOW)
			out->urgency = (uint32_t)(m.p[2] - '0');
		else if (bytes_equal(m, BYTES("i")) ||
		    bytes_equal(m, BYTES("i=?1")))
			out->inc = 1;
		else if (bytes_equal(m, BYTES("i=?0")))
			out->inc = 0;
	}
}

static int
chunk(nghttp2_session *library, const nghttp2_frame_hd *hd, const uint8_t *p,
    size_t n, void *user)
{
	struct h2_priority *u = &((struct h2_session *)user)->priority;

	(void)library;
	(void)hd;
	if (u->n + n <= sizeof(u->frame))
		memcpy(u->frame + u->n, p, n);
	u->n += n;
	return 0;
}

static int
unpack(nghttp2_session *library, void **payload, const nghttp2_frame_hd *hd,
    void *user)
{
	(void)library;
	(void)hd;
	(void)user;
	*payload = NULL;
	return 0;
}

void
h2_priority_listen(nghttp2_session_callbacks *calls, nghttp2_option *options)
{
	nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(
	    calls, chunk);
	nghttp2_session_callbacks_set_unpack_extension_callback(calls, unpack);
	nghttp2_option_set_user_recv_extension_type(
	    options, NGHTTP2_PRIORITY_UPDATE);
}

void
h2_priority_begin(struct h2_session *h, const nghttp2_frame_hd *hd)
{
	if (hd->type == NGHTTP2_PRIORITY_UPDATE)
		h->priority.n = 0;
}

static void
schedule(struct h2_stream *s, struct bytes value)
{
	nghttp2_extpri priority = { .urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY };

	h2_priority_read(value, &priority);
	nghttp2_session_change_extpri_stream_priority(
	    s->session->library, s->id, &priority, 0);
}

static void
update(struct h2_session *h, int32_t id, struct bytes value)
{
	struct h2_priority *u = &h->priority;
	struct h2_stream *s =
	    nghttp2_session_get_stream_user_data(h->library, id);

	if (s != NULL && s->side.exchange != NULL && s->head_read) {
		schedule(s, value);
		exchange_priority(s->side.exchange, value);
		return;
	}
	if (id <= nghttp2_session_get_last_proc_stream_id(h->library))
		return;
	u->early_id = id;
	u->early_n = value.n;
	if (value.n > 0)
		memcpy(u->early, value.p, value.n);
}

void
h2_priority_received(struct h2_session *h, const nghttp2_frame_hd *hd)
{
	struct h2_priority *u = &h->priority;
	uint32_t id;

	if (u->n < 4 && hd->stream_id == 0) {
		nghttp2_session_terminate_session(
		    h->library, NGHTTP2_FRAME_SIZE_ERROR);
		return;
	}
	id = ((uint32_t)(u->frame[0] & 0x7f) << 24) |
	    (uint32_t)u->frame[1] << 16 | (uint32_t)u->frame[2] << 8 |
	    u->frame[3];
	/* We push nothing: no stream of ours is there to be named. */
	if (hd->stream_id != 0 || id % 2 == 0) {
		nghttp2_session_terminate_session(
		    h->library, NGHTTP2_PROTOCOL_ERROR);
		return;
	}
	/* What is too long, or no field's value, could not be passed on. */
	if (u->n <= sizeof(u->frame) &&
	    nghttp2_check_header_value_rfc9113(u->frame + 4, u->n - 4) != 0)
		update(
		    h, (int32_t)id, (struct bytes){ u->frame + 4, u->n - 4 });
}

/* Who says nothing of priority would be served one stream after the other
 * (RFC 9218 section 4.2): a long one would hold up all behind it. */
static void
share_evenly(struct h2_stream *s)
{
	const nghttp2_extpri even = { .urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY,
		.inc = 1 };

	nghttp2_session_change_extpri_stream_priority(
	    s->session->library, s->id, &even, 0);
}

void
h2_priority_of_request(struct h2_stream *s)
{
	struct h2_priority *u = &s->session->priority;
	struct exchange *x = s->side.exchange;

	if (u->early_id == s->id) {
		update(
		    s->session, s->id, (struct bytes){ u->early, u->early_n });
		u->early_id = 0;
	} else if (message_field(&x->request, FIELD_PRIORITY) == NULL) {
		share_evenly(s);
	}
}
