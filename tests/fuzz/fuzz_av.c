/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/av/talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* First byte: which protocol, and how much of the rest comes at once. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct av_scanner s = { .service = "icap://a/b" };
	struct bytes in = { p, n };
	struct bytes how = bytes_take(&in, 1);
	struct talk t;

	if (how.n == 0)
		return 0;
	s.kind = (how.p[0] & 1) != 0 ? AV_ICAP : AV_CLAMD;
	talk_init(&t, &s, BYTES("hello, world"), "a");
	for (;;) {
		struct bytes some = bytes_take(&in, 1 + how.p[0] / 2u);

		for (int i = 0; i < 4; i++) {
			t.out.n = 0;
			talk_speak(&t);
		}
		t.ended = some.n == 0;
		if (buf_append(&t.in, some) < 0 ||
		    talk_listen(&t) == TALK_OVER || t.ended)
			break;
		must(t.in.n < t.in.max);
	}
	must(!t.ended || t.answer.verdict != AV_CLEAN || in.n == 0);
	talk_release(&t);
	return 0;
}
