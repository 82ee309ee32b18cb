/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct h1_limits limits = { 4096, 32, 256, 4096 };

/* What HTTP/2 lets through is one answer of HTTP/1.1, and the same. */
static void
must_be_one_answer(struct message *m, struct arena *a, bool to_head)
{
	struct message again = { 0 };
	struct bytes text, body;
	struct h1 h1;
	struct buf out;

	buf_init(&out, 65536);
	message_mark_hops(m);
	must(h1_write_response(&out, m) == 0 && h1_write_head_end(&out) == 0);
	text = buf_bytes(&out);
	h1_init(&h1, H1_RESPONSES, &limits);
	h1.request_was_head = to_head;
	must(h1_next(&h1, &text, a, &again, &body) == H1_HEAD && text.n == 0 &&
	    again.status == m->status && again.framing == m->framing);
	h1_release(&h1);
	buf_release(&out);
}

/* The first byte says how the answer came; then lines "name=value". */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes rest = { p, n };
	struct arena a = { 0 };
	struct message m;
	struct h2_head h;
	uint8_t how;

	if (n == 0)
		return 0;
	how = bytes_take(&rest, 1).p[0];
	h2_head_begin(&h, &a, &m, &limits);
	while (rest.n > 0) {
		struct bytes value = bytes_take_until(&rest, '\n');
		struct bytes name = bytes_take_until(&value, '=');

		/* as the library does before us */
		if (nghttp2_check_header_name(name.p, name.n) != 0 &&
		    nghttp2_check_header_value_rfc9113(value.p, value.n) != 0)
			h2_head_add(&h, name, value);
	}
	if (h2_head_response(&h, (how & 1) != 0, (how & 2) != 0))
		must_be_one_answer(&m, &a, (how & 2) != 0);
	arena_release(&a);
	return 0;
}
