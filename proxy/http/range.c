/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/range.h"

/* What a Range asks for: first to last, from first on, or the last bytes. */
struct wish {
	uint64_t first, last; /* of a suffix: last is its length */
	bool suffix;
};

struct part {
	uint64_t first, last, whole;
	bool whole_known;
};

static bool
starts_with_nocase(struct bytes b, struct bytes head)
{
	return bytes_equal_nocase(bytes_take(&b, head.n), head);
}

static bool
is_of_bytes(struct bytes range)
{
	return starts_with_nocase(range, BYTES("bytes"));
}

/* Reads "FIRST-LAST"; -1 when it is anything else. */
static int
read_pair(struct bytes b, uint64_t *first_out, uint64_t *last_out)
{
	ssize_t dash = bytes_index(b, '-');
	struct bytes first = bytes_take_until(&b, '-');

	if (dash < 0 || bytes_number(first, INT64_MAX, first_out) < 0 ||
	    bytes_number(b, INT64_MAX, last_out) < 0)
		return -1;
	return *first_out <= *last_out ? 0 : -1;
}

/* 0, or -1: not exactly one range. */
static int
read_wish(struct bytes b, struct wish *out)
{
	if (!starts_with_nocase(b, BYTES("bytes=")))
		return -1;
	bytes_take(&b, 6);
	out->suffix = b.n > 0 && b.p[0] == '-';
	if (out->suffix) {
		bytes_take(&b, 1);
		return bytes_number(b, INT64_MAX, &out->last);
	}
	out->last = INT64_MAX;
	if (bytes_end_with(b, BYTES("-")))
		return bytes_number(
		    bytes_take(&b, b.n - 1), INT64_MAX, &out->first);
	return read_pair(b, &out->first, &out->last);
}

/* "bytes FIRST-LAST/WHOLE"; -1 when it is anything else. */
static int
read_part(struct bytes b, struct part *out)
{
	struct bytes pair;

	if (!starts_with_nocase(b, BYTES("bytes ")))
		return -1;
	bytes_take(&b, 6);
	pair = bytes_take_until(&b, '/');
	out->whole_known = !bytes_equal(b, BYTES("*"));
	if (out->whole_known && bytes_number(b, INT64_MAX, &out->whole) < 0)
		return -1;
	if (read_pair(pair, &out->first, &out->last) < 0)
		return -1;
	return out->whole_known && out->last >= out->whole ? -1 : 0;
}

static unsigned
count_fields(const struct message *m, enum field_id id)
{
	unsigned n = 0;

	for (size_t i = 0; i < m->fields_n; i++)
		n += m->fields[i].id == id;
	return n;
}

static void
leave_out(struct message *m, enum field_id id)
{
	for (size_t i = 0; i < m->fields_n; i++)
		if (m->fields[i].id == id)
			m->fields[i].hop = true;
}

static bool
has_ranges(const struct message *request)
{
	return bytes_equal(request->method, BYTES("GET")) ||
	    bytes_equal(request->method, BYTES("HEAD"));
}

bool
range_ask(struct message *request)
{
	const struct field *range = message_field(request, FIELD_RANGE);
	struct wish w;

	if (range == NULL ||
	    (count_fields(request, FIELD_RANGE) == 1 &&
		!is_of_bytes(range->value)))
		return false;
	if (count_fields(request, FIELD_RANGE) == 1 && has_ranges(request) &&
	    read_wish(range->value, &w) == 0)
		return true;
	leave_out(request, FIELD_RANGE);
	leave_out(request, FIELD_IF_RANGE);
	return false;
}

/* Less than was asked for may come, never more or something else. */
static bool
is_granted(const struct wish *w, const struct part *p)
{
	if (!w->suffix)
		return p->first == w->first && p->last <= w->last;
	return p->last - p->first < w->last &&
	    (!p->whole_known || p->last == p->whole - 1);
}

static const char *
judge_part(const struct wish *w, const struct message *answer, struct part *p)
{
	const struct field *range = message_field(answer, FIELD_CONTENT_RANGE);

	if (range == NULL)
		return "206 without Content-Range";
	if (count_fields(answer, FIELD_CONTENT_RANGE) > 1 ||
	    read_part(range->value, p) < 0)
		return "Content-Range is malformed";
	if (!is_granted(w, p))
		return "Content-Range unlike the Range asked for";
	if (answer->framing == FRAMING_LENGTH &&
	    answer->content_length != p->last - p->first + 1)
		return "Content-Length unlike Content-Range";
	return NULL;
}

/* The pages of a list (PostgREST and others) come with 206, too, and a
 * Content-Range that is none of bytes: nobody puts them together. */
static bool
is_page_of_a_list(const struct message *answer)
{
	for (size_t i = 0; i < answer->fields_n; i++)
		if (answer->fields[i].id == FIELD_CONTENT_RANGE &&
		    is_of_bytes(answer->fields[i].value))
			return false;
	return message_field(answer, FIELD_CONTENT_RANGE) != NULL;
}

static enum range_part
settle_part(const struct message *request, const struct message *answer,
    uint64_t *length_out, const char **why_out)
{
	const struct field *range = message_field(request, FIELD_RANGE);
	struct wish w = { 0 };
	struct part p = { 0 };

	if (range == NULL || range->hop || read_wish(range->value, &w) < 0) {
		*why_out = "206 without having been asked";
		return is_page_of_a_list(answer) ? RANGE_WHOLE : RANGE_REFUSED;
	}
	*why_out = judge_part(&w, answer, &p);
	*length_out = p.last - p.first + 1;
	return *why_out == NULL ? RANGE_PART : RANGE_REFUSED;
}

enum range_part
range_settle(const struct message *request, struct message *answer,
    uint64_t *length_out, const char **why_out)
{
	if (answer->status == 206)
		return settle_part(request, answer, length_out, why_out);
	for (size_t i = 0; i < answer->fields_n && answer->status != 416; i++)
		if (answer->fields[i].id == FIELD_CONTENT_RANGE &&
		    is_of_bytes(answer->fields[i].value))
			answer->fields[i].hop = true;
	return RANGE_WHOLE;
}
