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

/* Bytes for status, range and framing, then lines "name=value": what one
 * checkpoint lets through, another does not change. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct field fields[16], range = { .id = FIELD_RANGE };
	struct field once[COUNT(fields)];
	struct message m = { .fields = fields }, first;
	struct message request = { BYTES("GET"), .fields = &range,
		.fields_n = 1 };
	struct bytes rest = { p, n };

	if (n < 3)
		return 0;
	p = bytes_take(&rest, 3).p;
	m.status = 200 + p[0];
	range.value = bytes_of(ranges[p[1] % COUNT(ranges)]);
	m.framing = p[2] % 4;
	m.content_length = p[2];
	while (rest.n > 0 && m.fields_n < COUNT(fields)) {
		struct bytes value = bytes_take_until(&rest, '\n');
		struct bytes name = bytes_take_until(&value, '=');

		fields[m.fields_n++] = (struct field){ .id = field_id(name),
			.name = name,
			.value = bytes_trim(value) };
	}
	meaning_ask(&(struct arena){ 0 }, &request);
	if (!settles(&request, &m))
		return 0;
	drop_hops(&m);
	first = m;
	memcpy(once, fields, sizeof(once));
	must(settles(&request, &m) && first.framing == m.framing);
	drop_hops(&m);
	must(first.fields_n == m.fields_n);
	for (size_t i = 0; i < m.fields_n; i++)
		must(bytes_equal(once[i].value, fields[i].value));
	return 0;
}
