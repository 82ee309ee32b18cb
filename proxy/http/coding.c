/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/coding.h"

#include "proxy/base/buf.h"

#define WISHES_MAX ((size_t)256)

/*
 * Names that are no coding stand in answers of S3 (aws-chunked, of an upload)
 * and of servers that mean a charset; browsers read such a body as it is. The
 * field is left out, so that everybody does.
 */
static const struct {
	struct bytes name;
	enum coding coding;
	bool wished; /* stays in Accept-Encoding */
} codings[] = {
	{ BYTES_ROW("gzip"), CODING_GZIP, true },
	{ BYTES_ROW("x-gzip"), CODING_GZIP, true },
	/* Clients take zlib's format, or none, or guess: none is asked for. */
	{ BYTES_ROW("deflate"), CODING_DEFLATE, false },
	{ BYTES_ROW("br"), CODING_BROTLI, true },
	{ BYTES_ROW("zstd"), CODING_ZSTD, true },
	{ BYTES_ROW("identity"), CODING_NONE, true },
	{ BYTES_ROW(""), CODING_NONE, false },
	{ BYTES_ROW("none"), CODING_NONE, false },
	{ BYTES_ROW("binary"), CODING_NONE, false },
	{ BYTES_ROW("aws-chunked"), CODING_NONE, false },
	{ BYTES_ROW("utf-8"), CODING_NONE, false },
	{ BYTES_ROW("utf8"), CODING_NONE, false },
	{ BYTES_ROW("iso-8859-1"), CODING_NONE, false },
	{ BYTES_ROW("shift_jis"), CODING_NONE, false },
	{ BYTES_ROW("euc-jp"), CODING_NONE, false },
};

/* The name that is sent on: the first row of that coding. */
static struct bytes
canonical_name(enum coding coding)
{
	for (size_t i = 0; i < COUNT(codings); i++)
		if (codings[i].coding == coding)
			return codings[i].name;
	return (struct bytes){ 0 };
}

static enum coding
coding_named(struct bytes name)
{
	for (size_t i = 0; i < COUNT(codings); i++)
		if (bytes_equal_nocase(codings[i].name, name))
			return codings[i].coding;
	return CODING_REFUSED;
}

/* Adds a list of names to what was found before. */
static enum coding
add_names(enum coding found, struct bytes names, const char **why_out)
{
	while (names.n > 0) {
		enum coding c =
		    coding_named(bytes_trim(bytes_take_until(&names, ',')));

		if (c == CODING_NONE)
			continue;
		if (c == CODING_REFUSED) {
			*why_out = "a content coding that is not known";
			return CODING_REFUSED;
		}
		if (found != CODING_NONE) {
			*why_out = "more than one content coding";
			return CODING_REFUSED;
		}
		found = c;
	}
	return found;
}

static void
write_coding(struct message *answer, enum coding coding)
{
	bool written = coding == CODING_NONE;

	for (size_t i = 0; i < answer->fields_n; i++) {
		struct field *f = &answer->fields[i];

		if (f->id != FIELD_CONTENT_ENCODING)
			continue;
		f->hop |= written;
		f->value = canonical_name(coding);
		written = true;
	}
}

enum coding
coding_read(const struct message *m, const char **why_out)
{
	enum coding found = CODING_NONE;

	for (size_t i = 0; i < m->fields_n; i++) {
		if (m->fields[i].id != FIELD_CONTENT_ENCODING)
			continue;
		found = add_names(found, m->fields[i].value, why_out);
		if (found == CODING_REFUSED)
			return CODING_REFUSED;
	}
	return found;
}

enum coding
coding_settle(struct message *answer, const char **why_out)
{
	enum coding found = coding_read(answer, why_out);

	if (found != CODING_REFUSED)
		write_coding(answer, found);
	return found;
}

/* Asking. */

static bool
is_wished(struct bytes member)
{
	struct bytes name = bytes_trim(bytes_take_until(&member, ';'));

	for (size_t i = 0; i < COUNT(codings); i++)
		if (codings[i].wished &&
		    bytes_equal_nocase(codings[i].name, name))
			return true;
	return false;
}

/* The members that are wished, in their order and with their weights, as many
 * as fit. "*" goes too: it would mean codings that are not known. */
static void
append_wishes(struct buf *out, struct bytes members)
{
	while (members.n > 0) {
		struct bytes member =
		    bytes_trim(bytes_take_until(&members, ','));

		if (!is_wished(member) || member.n + 2 > WISHES_MAX - out->n)
			continue;
		if (out->n > 0)
			must(buf_append(out, BYTES(", ")) == 0);
		must(buf_append(out, member) == 0);
	}
}

void
coding_ask(struct arena *a, struct message *request, enum coding_wish wish)
{
	struct field *first = NULL;
	struct buf wishes;

	buf_init(&wishes, WISHES_MAX);
	for (size_t i = 0; i < request->fields_n; i++) {
		struct field *f = &request->fields[i];

		/* One that is left out already: the request is asked again. */
		if (f->id != FIELD_ACCEPT_ENCODING || f->hop)
			continue;
		if (wish == CODING_WISH_KNOWN)
			append_wishes(&wishes, f->value);
		f->hop |= first != NULL;
		first = first == NULL ? f : first;
	}
	/* Without the field an origin may choose any coding. */
	if (first != NULL)
		first->value = wishes.n == 0
		    ? BYTES("identity")
		    : arena_copy(a, buf_bytes(&wishes));
	buf_release(&wishes);
}

/* Reading. */

enum decode_coding
coding_decoder(enum coding coding)
{
	switch (coding) {
	case CODING_GZIP:
		return DECODE_GZIP;
	case CODING_DEFLATE:
		return DECODE_DEFLATE;
	case CODING_BROTLI:
		return DECODE_BROTLI;
	case CODING_ZSTD:
		return DECODE_ZSTD;
	case CODING_REFUSED:
	case CODING_NONE:
		break;
	}
	return DECODE_REFUSED;
}
