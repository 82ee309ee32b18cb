/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/form.h"

static int
hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

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
		if (i + 2 >= text.n || hex(text.p[i + 1]) < 0 ||
		    hex(text.p[i + 2]) < 0)
			return (struct bytes){ 0 };
		out[n++] =
		    (uint8_t)(hex(text.p[i + 1]) << 4 | hex(text.p[i + 2]));
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
