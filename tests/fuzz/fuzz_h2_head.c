/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/h2.h"
#include "proxy/policy/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct h1_limits limits = { 4096, 32, 256, 4096 };

/* What HTTP/2 lets through is one request of HTTP/1.1, and the same. */
static void
must_be_one_request(struct message *m, struct arena *a)
{
	struct message again = { 0 };
	struct bytes text, body;
	struct h1 h1;
	struct buf out;

	buf_init(&out, 65536);
	message_mark_hops(m);
	must(h1_write_request(&out, m, m->target) == 0 &&
	    h1_write_head_end(&out) == 0);
	text = buf_bytes(&out);
	h1_init(&h1, H1_REQUESTS, &limits);
	must(h1_next(&h1, &text, a, &again, &body) == H1_HEAD && text.n == 0 &&
	    bytes_equal(again.target, m->target) &&
	    again.framing == m->framing);
	h1_release(&h1);
	buf_release(&out);
}

static bool
library_accepts(struct bytes name, struct bytes value)
{
	return nghttp2_check_header_name(name.p, name.n) != 0 &&
	    nghttp2_check_header_value_rfc9113(value.p, value.n) != 0 &&
	    (!bytes_equal(name, BYTES(":path")) ||
		nghttp2_check_path(value.p, value.n) != 0) &&
	    (!bytes_equal(name, BYTES(":authority")) ||
		nghttp2_check_authority(value.p, value.n) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes rest = { p, n };
	struct message m;
	struct arena a = { 0 };
	struct url u = { 0 };
	struct h2_head h;
	enum h2_asked asked;
	const char *why;

	h2_head_begin(&h, &a, &m, &limits);
	while (rest.n > 0) {
		struct bytes value = bytes_take_until(&rest, '\n');
		struct bytes name = bytes_take_until(&value, '=');

		if (library_accepts(name, value))
			h2_head_add(&h, name, value);
	}
	m.method = BYTES("POST");
	asked = n % 4 < 2 ? H2_ASKED_ORIGIN : H2_ASKED_PROXY;
	/* as the exchange does with what either version brings */
	if (h2_head_request(&h, asked, n % 2 == 0) &&
	    (asked == H2_ASKED_ORIGIN
		    ? url_parse_target(&u, m.target, &a, &why)
		    : url_parse_absolute(&u, m.target, &a, &why)) == 0) {
		m.target = u.target;
		must_be_one_request(&m, &a);
	}
	arena_release(&a);
	return 0;
}
