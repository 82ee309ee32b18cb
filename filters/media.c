/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/media.h"

struct bytes
media_name(struct bytes type)
{
	return bytes_trim(bytes_take_until(&type, ';'));
}

bool
media_is_below(struct bytes name, struct bytes top)
{
	return name.n >= top.n &&
	    bytes_equal_nocase((struct bytes){ name.p, top.n }, top);
}

/* Up to a ';' that does not stand in quotes. */
static struct bytes
take_parameter(struct bytes *rest)
{
	bool quoted = false;
	size_t n = 0;
	struct bytes parameter;

	while (n < rest->n && (quoted || rest->p[n] != ';')) {
		if (rest->p[n] == '"')
			quoted = !quoted;
		else if (rest->p[n] == '\\' && quoted && n + 1 < rest->n)
			n++;
		n++;
	}
	parameter = bytes_take(rest, n);
	bytes_take(rest, 1);
	return parameter;
}

struct bytes
media_parameter(struct bytes type, struct bytes name)
{
	bytes_take_until(&type, ';');
	while (type.n > 0) {
		struct bytes value = take_parameter(&type);

		if (!bytes_equal_nocase(
			bytes_trim(bytes_take_until(&value, '=')), name))
			continue;
		value = bytes_trim(value);
		if (value.n >= 2 && value.p[0] == '"' &&
		    value.p[value.n - 1] == '"')
			value = (struct bytes){ value.p + 1, value.n - 2 };
		return value;
	}
	return (struct bytes){ 0 };
}
