/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/meaning.h"

#include "proxy/http/range.h"

/* What the rules read and write. */
struct settling {
	struct meaning *meaning;
	const struct message *request;
	struct message *answer;
};

void
meaning_ask(struct arena *a, struct message *request)
{
	coding_ask(a, request,
	    range_ask(request) ? CODING_WISH_NONE : CODING_WISH_KNOWN);
}

/* Fields that are there once. */

static const struct {
	enum field_id id;
	const char *why;
} singles[] = {
	{ FIELD_LOCATION, "Location twice, and different" },
	{ FIELD_CONTENT_DISPOSITION,
	    "Content-Disposition twice, and different" },
};

/* Clients take the first or the last of them: the same, or refused. */
static const char *
settle_single(struct message *m, enum field_id id, const char *why)
{
	const struct field *first = NULL;

	for (size_t i = 0; i < m->fields_n; i++) {
		struct field *f = &m->fields[i];

		if (f->id != id)
			continue;
		if (first != NULL && !bytes_equal(first->value, f->value))
			return why;
		f->hop |= first != NULL;
		first = first == NULL ? f : first;
	}
	return NULL;
}

static const char *
settle_singles(struct settling *s)
{
	const char *why = NULL;

	for (size_t i = 0; why == NULL && i < COUNT(singles); i++)
		why = settle_single(s->answer, singles[i].id, singles[i].why);
	return why;
}

/* Content-Type. */

/* The next member of a list; commas in quotes do not part. */
static struct bytes
take_type(struct bytes *list)
{
	bool quoted = false;
	size_t n = 0;
	struct bytes member;

	while (n < list->n && (quoted || list->p[n] != ',')) {
		if (list->p[n] == '\\' && quoted && n + 1 < list->n)
			n++;
		else if (list->p[n] == '"')
			quoted = !quoted;
		n++;
	}
	member = bytes_take(list, n);
	bytes_take(list, 1);
	return bytes_trim(member);
}

static struct bytes
without_parameters(struct bytes type)
{
	return bytes_trim(bytes_take_until(&type, ';'));
}

/* Of several one is chosen as browsers do: what is no type does not count, the
 * last says the charset if it says any. -1: they differ in the type. */
static int
choose_type(struct bytes list, struct bytes *chosen)
{
	while (list.n > 0) {
		struct bytes type = take_type(&list);
		struct bytes name = without_parameters(type);

		if (bytes_index(name, '/') < 0)
			continue;
		if (chosen->n > 0 &&
		    !bytes_equal_nocase(without_parameters(*chosen), name))
			return -1;
		if (chosen->n == 0 || name.n < type.n)
			*chosen = type;
	}
	return 0;
}

static void
write_type(struct message *m, struct bytes type)
{
	bool written = false;

	for (size_t i = 0; i < m->fields_n; i++) {
		if (m->fields[i].id != FIELD_CONTENT_TYPE)
			continue;
		m->fields[i].hop |= written;
		m->fields[i].value = type;
		written = true;
	}
}

static const char *
settle_type(struct settling *s)
{
	struct message *m = s->answer;
	struct bytes type = { 0 };
	struct bytes name;

	for (size_t i = 0; i < m->fields_n; i++)
		if (m->fields[i].id == FIELD_CONTENT_TYPE &&
		    choose_type(m->fields[i].value, &type) < 0)
			return "Content-Type twice, and different";
	name = without_parameters(type);
	if (bytes_equal_nocase(name, BYTES("multipart/byteranges")) ||
	    bytes_equal_nocase(name, BYTES("multipart/x-byteranges")))
		return "several ranges in one answer";
	if (type.n > 0)
		write_type(m, type);
	return NULL;
}

static const char *
settle_coding(struct settling *s)
{
	const char *why = NULL;

	s->meaning->coding = coding_settle(s->answer, &why);
	return why;
}

static void
count_body(struct settling *s, uint64_t length)
{
	s->meaning->counted = s->answer->framing != FRAMING_NONE;
	s->meaning->left = length;
}

static const char *
settle_range(struct settling *s)
{
	uint64_t length;
	const char *why;

	switch (range_settle(s->request, s->answer, &length, &why)) {
	case RANGE_REFUSED:
		return why;
	case RANGE_WHOLE:
		return NULL;
	case RANGE_PART:
		if (s->meaning->coding != CODING_NONE)
			return "a part of a coded body";
		count_body(s, length);
		return NULL;
	}
	return NULL;
}

/* 205 has no body (RFC 9110 section 15.3.6), and browsers read none: what came
 * would be the next answer. */
static const char *
settle_reset(struct settling *s)
{
	struct message *m = s->answer;

	if (m->status != 205 || m->framing == FRAMING_NONE)
		return NULL;
	if (m->framing == FRAMING_LENGTH && m->content_length > 0)
		return "a body where none may be";
	m->framing = FRAMING_LENGTH;
	m->has_content_length = true;
	m->content_length = 0;
	return NULL;
}

static const char *
settle_length(struct settling *s)
{
	if (s->answer->framing == FRAMING_LENGTH)
		count_body(s, s->answer->content_length);
	return NULL;
}

static const char *(*const rules[])(struct settling *s) = {
	settle_singles,
	settle_type,
	settle_coding,
	settle_range,
	settle_reset,
	settle_length,
};

const char *
meaning_settle(
    struct meaning *m, const struct message *request, struct message *answer)
{
	struct settling s = {
		.meaning = m,
		.request = request,
		.answer = answer,
	};
	const char *why = NULL;

	for (size_t i = 0; why == NULL && i < COUNT(rules); i++)
		why = rules[i](&s);
	return why;
}

const char *
meaning_body(struct meaning *m, struct bytes b)
{
	if (m->counted && b.n > m->left)
		return "the body is longer than its head says";
	if (m->counted)
		m->left -= b.n;
	return NULL;
}

bool
meaning_complete(const struct meaning *m)
{
	return m->counted && m->left == 0;
}

const char *
meaning_end(const struct meaning *m)
{
	return m->counted && m->left > 0
	    ? "the body is shorter than its head says"
	    : NULL;
}
