/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/forwarded.h"

/* The last member of a list, which leaves it. */
static struct bytes
take_last(struct bytes *list)
{
	size_t from = list->n;
	struct bytes last;

	while (from > 0 && list->p[from - 1] != ',')
		from--;
	last = (struct bytes){ list->p + from, list->n - from };
	list->n = from > 0 ? from - 1 : 0;
	return bytes_trim(last);
}

int
forwarded_client(const struct prefix *trusted, size_t n,
    const struct message *m, struct address *out)
{
	int result = -1;

	for (size_t i = m->fields_n; i-- > 0;) {
		struct bytes list = m->fields[i].value;

		if (m->fields[i].id != FIELD_X_FORWARDED_FOR)
			continue;
		do {
			if (address_parse(out, take_last(&list)) < 0)
				return -1;
			result = 0;
			if (!prefixes_contain(trusted, n, out))
				return 0;
		} while (list.n > 0);
	}
	return result;
}
