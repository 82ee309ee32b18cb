/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* However it is cut, the header is the same and ends at the same byte. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes whole = { p, n }, rest = { p, n };
	struct bytes first = bytes_take(&rest, n > 0 ? p[n - 1] * n / 256 : 0);
	struct proxy_protocol uncut = { 0 }, cut = { 0 };
	enum proxy_protocol_answer answer = proxy_protocol_next(&uncut, &whole);
	enum proxy_protocol_answer other = proxy_protocol_next(&cut, &first);

	if (other == PROXY_PROTOCOL_MORE) {
		must(first.n == 0);
		other = proxy_protocol_next(&cut, &rest);
	}
	must(answer == other);
	must(answer != PROXY_PROTOCOL_BAD || (uncut.why && cut.why));
	must(answer != PROXY_PROTOCOL_DONE ||
	    (whole.n == first.n + rest.n &&
		uncut.has_source == cut.has_source &&
		address_equal(&uncut.source, &cut.source)));
	return 0;
}
