/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The canonical form of what parses is a URL too, and its own canonical form:
 * nobody reads out of it another destination than the one that was judged. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct bytes in = { p, n };
	struct url u = { 0 }, again = { 0 };
	struct arena a = { 0 };
	const char *why = NULL, *text;

	if (url_parse_absolute(&u, in, &a, &why) == 0) {
		bool v6 = bytes_index(u.host, ':') >= 0;

		text = arena_printf(&a, "%s://%s%.*s%s:%u%.*s",
		    scheme_name(u.scheme), v6 ? "[" : "", BYTES_PRINTF(u.host),
		    v6 ? "]" : "", u.port, BYTES_PRINTF(u.path_canonical));
		must(url_parse_absolute(&again, bytes_of(text), &a, &why) == 0);
		must(url_same_origin(&u, &again) && u.scheme == again.scheme);
		must(bytes_equal(u.path_canonical, again.path_canonical));
	} else {
		must(why != NULL);
	}
	arena_release(&a);
	return 0;
}
