/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/meaning.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *const ranges[] = { "bytes=0-3", "bytes=-4", "x=0-3", "" };

static bool
settles(const struct message *request, struct message *m)
{
	struct meaning meaning = { 0 };

	return meaning_settle(&meaning, request, m) == NULL;
}

/* Leaves what would be sent on. */
static void
drop_hops(struct message *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->fields_n; i++)
		if (!m->fields[i].hop)
			m->fields[n++] = m->fields[i];
	m->fields_n = n;
}

static bool
is_same(
    const struct message *a, const struct field *once, const struct message *m)
{
	if (a->framing != m->framing || a->fields_n != m->fields_n)
		return false;
	for (size_t i = 0; i < m->fields_n; i++)
		if (!bytes_equal(once[i].value, m->fields[i].value))
			return false;
	return true;
}

/* Bytes for status, range and framing, or instead of the range two lines for
 * what is asked for; then lines "name=value": what one checkpoint lets through,
 * another does not change. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct field asked[] = { { .id = FIELD_RANGE },
		{ .id = FIELD_ACCEPT_ENCODING } };
	struct field fields[16];
	struct field once[COUNT(fields)];
	struct message m = { .fields = fields }, first;
	struct message request = { BYTES("GET"), .fields = asked,
		.fields_n = COUNT(asked) };
	struct arena a = { 0 };
	struct bytes rest = { p, n };

	if (n < 3)
		return 0;
	p = bytes_take(&rest, 3).p;
	m.status = 200 + p[0];
	asked[0].value = bytes_of(ranges[p[1] % COUNT(ranges)]);
	if (p[1] > 127) {
		asked[0].value = bytes_trim(bytes_take_until(&rest, '\n'));
		asked[1].value = bytes_trim(bytes_take_until(&rest, '\n'));
	}
	m.framing = p[2] % 4;
	m.content_length = p[2];
	while (rest.n > 0 && m.fields_n < COUNT(fields)) {
		struct bytes value = bytes_take_until(&rest, '\n');
		struct bytes name = bytes_take_until(&value, '=');

		fields[m.fields_n++] = (struct field){ .id = field_id(name),
			.name = name,
			.value = bytes_trim(value) };
	}
	meaning_ask(&a, &request);
	if (settles(&request, &m)) {
		drop_hops(&m);
		first = m;
		memcpy(once, fields, sizeof(once));
		must(settles(&request, &m));
		drop_hops(&m);
		must(is_same(&first, once, &m));
	}
	arena_release(&a);
	return 0;
}
