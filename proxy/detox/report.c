/* SPDX-License-Identifier: Apache-2.0 */
/* The wire form: numbers in the machine's order, as both ends are of one
 * program; each text behind its length in two bytes. */
#include "proxy/detox/report.h"

struct head {
	uint32_t refusal;
	uint32_t type;
	uint64_t text_in, text_out;
	uint64_t unpacked;
	uint32_t entries;
	uint32_t rows_n;
	uint32_t rows_left_out;
	uint32_t locked;
	uint32_t opened;
	uint32_t hints_n;
};

struct row {
	uint32_t what;
	uint32_t count;
	uint8_t digest[DETOX_DIGEST_SIZE];
	uint32_t has_digest;
};

static int
put_text(struct buf *out, const char *text)
{
	uint16_t n = (uint16_t)strlen(text);

	return buf_append(out, (struct bytes){ (uint8_t *)&n, sizeof(n) }) < 0
	    ? -1
	    : buf_append(out, (struct bytes){ (const uint8_t *)text, n });
}

static int
put_row(struct buf *out, const struct detox_row *from)
{
	struct row r = { .what = from->what,
		.count = from->count,
		.has_digest = from->has_digest };

	memcpy(r.digest, from->digest, sizeof(r.digest));
	return buf_append(out, (struct bytes){ (uint8_t *)&r, sizeof(r) }) < 0
	    ? -1
	    : put_text(out, from->where);
}

int
detox_report_pack(const struct detox *d, const char *extension, struct buf *out)
{
	const struct head h = { .refusal = d->refusal,
		.type = d->type,
		.text_in = d->text_in,
		.text_out = d->text_out,
		.unpacked = d->unpacked,
		.entries = d->entries,
		.rows_n = (uint32_t)d->rows_n,
		.rows_left_out = d->rows_left_out,
		.locked = d->locked,
		.opened = d->opened,
		.hints_n = (uint32_t)d->hints.n };

	if (buf_append(out, (struct bytes){ (const uint8_t *)&h, sizeof(h) }) <
		0 ||
	    put_text(out, d->format != NULL ? d->format : "") < 0 ||
	    put_text(out, extension != NULL ? extension : "") < 0 ||
	    put_text(out, d->disagrees != NULL ? d->disagrees : "") < 0 ||
	    put_text(out, d->why) < 0 ||
	    put_text(out, d->subject != NULL ? d->subject : "") < 0)
		return -1;
	for (size_t i = 0; i < d->hints.n; i++)
		if (put_text(out, d->hints.text[i]) < 0)
			return -1;
	for (size_t i = 0; i < d->rows_n; i++)
		if (put_row(out, &d->rows[i]) < 0)
			return -1;
	return 0;
}

static int
take(struct bytes *b, void *out, size_t n)
{
	struct bytes got = bytes_take(b, n);

	if (got.n != n)
		return -1;
	memcpy(out, got.p, n);
	return 0;
}

/* What would move a terminal, or ends a line of a log, is shown as '?'. */
static int
take_text(struct bytes *b, char *out, size_t size)
{
	uint16_t n;

	if (take(b, &n, sizeof(n)) < 0 || n >= size || take(b, out, n) < 0)
		return -1;
	out[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)out[i] < 0x20 || out[i] == 0x7f)
			out[i] = '?';
	return 0;
}

static int
take_row(struct bytes *b, struct detox_row *out)
{
	struct row r;

	if (take(b, &r, sizeof(r)) < 0 || r.what >= DETOX_REMOVAL_KINDS ||
	    r.count == 0 || r.has_digest > 1)
		return -1;
	out->what = (enum detox_removal)r.what;
	out->count = r.count;
	out->has_digest = r.has_digest == 1;
	memcpy(out->digest, r.digest, sizeof(out->digest));
	return take_text(b, out->where, sizeof(out->where));
}

static int
take_format(struct bytes *b, const struct detox_format **out)
{
	char name[32];

	*out = NULL;
	if (take_text(b, name, sizeof(name)) < 0)
		return -1;
	if (name[0] == '\0')
		return 0;
	for (size_t i = 0; detox_formats[i] != NULL; i++)
		if (strcmp(detox_formats[i]->name, name) == 0) {
			*out = detox_formats[i];
			return 0;
		}
	return -1;
}

static int
take_extension(struct bytes *b, char out[DETOX_EXTENSION_MAX + 1])
{
	if (take_text(b, out, DETOX_EXTENSION_MAX + 1) < 0)
		return -1;
	for (const char *c = out; *c != '\0'; c++)
		if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9'))
			return -1;
	return 0;
}

int
detox_report_unpack(struct detox_report *r, struct bytes b)
{
	struct head h;

	memset(r, 0, sizeof(*r));
	if (take(&b, &h, sizeof(h)) < 0 || h.refusal >= DETOX_REFUSAL_KINDS ||
	    h.type >= MAGIC_TYPES || h.rows_n > DETOX_ROWS_MAX ||
	    h.hints_n > DETOX_HINTS_MAX || take_format(&b, &r->format) < 0 ||
	    take_extension(&b, r->extension) < 0 ||
	    take_text(&b, r->disagrees, sizeof(r->disagrees)) < 0 ||
	    take_text(&b, r->why, sizeof(r->why)) < 0 ||
	    take_text(&b, r->subject, sizeof(r->subject)) < 0)
		return -1;
	for (; r->hints.n < h.hints_n; r->hints.n++)
		if (take_text(&b, r->hints.text[r->hints.n],
			sizeof(r->hints.text[0])) < 0)
			return -1;
	r->refusal = (enum detox_refusal)h.refusal;
	r->type = (enum magic_type)h.type;
	r->text_in = h.text_in;
	r->text_out = h.text_out;
	r->unpacked = h.unpacked;
	r->entries = h.entries;
	r->locked = h.locked;
	r->opened = h.opened;
	r->rows_n = h.rows_n;
	r->rows_left_out = h.rows_left_out;
	for (size_t i = 0; i < r->rows_n; i++)
		if (take_row(&b, &r->rows[i]) < 0)
			return -1;
	return b.n == 0 ? 0 : -1;
}
