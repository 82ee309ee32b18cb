/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/form.h"

/* URL Standard section 5.1; but a bad escape is no value. */
static struct bytes
decode(struct bytes text, struct arena *a)
{
	uint8_t *out = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '%') {
			out[n++] = text.p[i] == '+' ? ' ' : text.p[i];
			continue;
		}
		if (i + 2 >= text.n || byte_hex(text.p[i + 1]) < 0 ||
		    byte_hex(text.p[i + 2]) < 0)
			return (struct bytes){ 0 };
		out[n++] = (uint8_t)((unsigned)byte_hex(text.p[i + 1]) << 4 |
		    (unsigned)byte_hex(text.p[i + 2]));
		i += 2;
	}
	return (struct bytes){ out, n };
}

struct bytes
form_value(struct bytes body, struct bytes name, struct arena *a)
{
	while (body.n > 0) {
		struct bytes value = bytes_take_until(&body, '&');
		struct bytes key = bytes_take_until(&value, '=');

		if (bytes_equal(key, name))
			return decode(value, a);
	}
	return (struct bytes){ 0 };
}
