/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/forwarded.h"

/* The last member of a list, which leaves it; whether another is left. */
static bool
take_last(struct bytes *list, struct bytes *out)
{
	size_t from = list->n;

	while (from > 0 && list->p[from - 1] != ',')
		from--;
	*out = bytes_trim((struct bytes){ list->p + from, list->n - from });
	list->n = from > 0 ? from - 1 : 0;
	return from > 0;
}

int
forwarded_client(const struct prefix *trusted, size_t n,
    const struct message *m, struct address *out)
{
	int result = -1;

	for (size_t i = m->fields_n; i-- > 0;) {
		struct bytes list = m->fields[i].value;
		struct bytes member;
		bool more;

		if (m->fields[i].id != FIELD_X_FORWARDED_FOR)
			continue;
		do {
			more = take_last(&list, &member);
			if (address_parse(out, member) < 0)
				return -1;
			result = 0;
			if (!prefixes_contain(trusted, n, out))
				return 0;
		} while (more);
	}
	return result;
}
