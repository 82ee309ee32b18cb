/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whoever decides what, a content is never larger than it may be, and no
 * recipient comes from nowhere. The first byte says how the input is cut. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct session_settings settings = { "mx.test", 1000, 3, 5,
		3, DATA_NORMALISE };
	size_t every = n == 0 ? 1 : 1u + p[0];
	struct bytes in = { p, n };
	struct session s;

	session_init(&s, &settings);
	s.offers_tls = s.offers_xclient = every % 2 != 0;
	while (in.n > 0 && s.state != SESSION_CLOSED) {
		struct bytes part = bytes_take(&in, every);
		struct smtp_reply r;

		while (session_next(&s, &part) != SESSION_MORE &&
		    s.state != SESSION_CLOSED) {
			must(s.envelope.recipients_n <= 3 && s.messages <= 4);
			reply_set(&r, every % 3 != 0 ? 250 : 550, NULL, "x");
			if (session_waits(&s))
				session_answer(&s, &r);
		}
		buf_consume(&s.out, s.out.n);
	}
	session_release(&s);
	return 0;
}
