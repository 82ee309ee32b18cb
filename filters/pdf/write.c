/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/write.h"

#include <stdio.h>
#include <zlib.h>

#define OBJECTS_MAX ((uint32_t)4000000)
/* As many as others pack together; more would be slow to look one up. */
#define PACK_OBJECTS 100
#define PACK_BYTES ((size_t)256 << 10)
#define ROW_BYTES 8 /* of a packed table: kind, place, position */
#define ID_SIZE 16

struct row {
	uint64_t place; /* offset; of a packed one the number of its stream */
	uint32_t position; /* within the stream */
	uint8_t kind;      /* 0 free, 1 at an offset, 2 packed */
};

enum detox_result
pdf_writer_begin(struct pdf_writer *w, struct detox *d,
    struct detox_output *out, const char *version, bool packs)
{
	char line[32];

	*w = (struct pdf_writer){ .d = d, .out = out, .packs = packs };
	buf_init(&w->rows, sizeof(struct row) * (OBJECTS_MAX + 1));
	buf_init(&w->heads, PACK_OBJECTS * 32);
	buf_init(&w->bodies, out->content.max);
	/* The second line tells programs that copy files that this is no text
	 * (7.5.2). */
	snprintf(line, sizeof(line), "%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n", version);
	return detox_put(d, out, bytes_of(line));
}

void
pdf_writer_release(struct pdf_writer *w)
{
	buf_release(&w->rows);
	buf_release(&w->heads);
	buf_release(&w->bodies);
}

uint32_t
pdf_writer_number(struct pdf_writer *w)
{
	static const struct row none;
	const struct bytes row = { (const uint8_t *)&none, sizeof(none) };

	if (w->last == 0 && buf_append(&w->rows, row) < 0)
		return 0;
	if (buf_append(&w->rows, row) < 0) {
		(void)detox_refuse(w->d, REFUSED_ENTRIES,
		    "more than %u objects", (unsigned)OBJECTS_MAX);
		return 0;
	}
	return ++w->last;
}

static void
set_row(struct pdf_writer *w, uint32_t number, struct row row)
{
	must(number > 0 && number <= w->last);
	memcpy(w->rows.p + number * sizeof(row), &row, sizeof(row));
}

static struct row
row_of(const struct pdf_writer *w, uint32_t number)
{
	struct row row;

	memcpy(&row, w->rows.p + number * sizeof(row), sizeof(row));
	return row;
}

bool
pdf_deflate(struct bytes data, struct buf *out)
{
	uLong bound = compressBound(data.n);

	if (buf_reserve(out, bound) < 0 ||
	    compress2(out->p + out->n, &bound, data.p, data.n, 6) != Z_OK)
		return false;
	out->n += bound;
	return true;
}

static enum detox_result
put_string(struct pdf_writer *w, const char *string)
{
	return detox_put(w->d, w->out, bytes_of(string));
}

/* "5 0 obj\n" */
static enum detox_result
begin_object(struct pdf_writer *w, uint32_t number)
{
	char line[32];

	set_row(
	    w, number, (struct row){ .place = w->out->content.n, .kind = 1 });
	snprintf(line, sizeof(line), "%u 0 obj\n", number);
	return put_string(w, line);
}

enum detox_result
pdf_writer_stream(struct pdf_writer *w, uint32_t number,
    struct bytes dictionary, struct bytes data)
{
	char line[64];

	snprintf(line, sizeof(line), "/Length %zu>>\nstream\n", data.n);
	if (begin_object(w, number) == DETOX_REFUSED ||
	    detox_put(w->d, w->out, dictionary) == DETOX_REFUSED ||
	    put_string(w, line) == DETOX_REFUSED ||
	    detox_put(w->d, w->out, data) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return put_string(w, "\nendstream\nendobj\n");
}

static enum detox_result
no_room(struct pdf_writer *w)
{
	return detox_refuse(w->d, REFUSED_SIZE, "more than %zu bytes come out",
	    w->out->content.max);
}

/* Writes the stream of what waits. */
static enum detox_result
flush(struct pdf_writer *w)
{
	enum detox_result result = DETOX_REFUSED;
	struct buf packed;
	char line[128];

	if (w->waiting == 0)
		return DETOX_REBUILT;
	snprintf(line, sizeof(line),
	    "<</Type/ObjStm/N %u/First %zu/Filter/FlateDecode", w->waiting,
	    w->heads.n);
	buf_init(&packed, w->out->content.max);
	/* One text of both: the heads go before the bodies. */
	if (buf_reserve(&w->bodies, w->heads.n) < 0) {
		result = no_room(w);
		goto release;
	}
	memmove(w->bodies.p + w->heads.n, w->bodies.p, w->bodies.n);
	memcpy(w->bodies.p, w->heads.p, w->heads.n);
	w->bodies.n += w->heads.n;
	if (pdf_deflate(buf_bytes(&w->bodies), &packed))
		result = pdf_writer_stream(
		    w, w->pack, bytes_of(line), buf_bytes(&packed));
	else
		result = no_room(w);
	w->heads.n = w->bodies.n = 0;
	w->waiting = 0;
release:
	buf_release(&packed);
	return result;
}

static enum detox_result
pack(struct pdf_writer *w, uint32_t number, struct bytes value)
{
	if (w->waiting == 0)
		w->pack = pdf_writer_number(w);
	if (w->pack == 0)
		return DETOX_REFUSED;
	if (buf_printf(&w->heads, "%u %zu ", number, w->bodies.n) < 0 ||
	    buf_append(&w->bodies, value) < 0 ||
	    buf_append(&w->bodies, BYTES("\n")) < 0)
		return no_room(w);
	set_row(w, number,
	    (struct row){
		.place = w->pack, .position = w->waiting++, .kind = 2 });
	if (w->waiting == PACK_OBJECTS || w->bodies.n > PACK_BYTES)
		return flush(w);
	return DETOX_REBUILT;
}

enum detox_result
pdf_writer_object(struct pdf_writer *w, uint32_t number, struct bytes value)
{
	if (w->packs)
		return pack(w, number, value);
	if (begin_object(w, number) == DETOX_REFUSED ||
	    detox_put(w->d, w->out, value) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return put_string(w, "\nendobj\n");
}

/* What the table says of the file, without its end. The name of the file is a
 * digest of its content (14.4). */
static void
trailer(struct pdf_writer *w, uint32_t root, uint32_t info, char *out, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	struct bytes content = buf_bytes(&w->out->content);
	uint8_t digest[DETOX_DIGEST_SIZE];
	char id[ID_SIZE * 2 + 1] = "";
	char more[32] = "";

	detox_digest(content, digest);
	for (size_t i = 0; i < ID_SIZE; i++) {
		id[2 * i] = hex[digest[i] >> 4];
		id[2 * i + 1] = hex[digest[i] & 15];
	}
	if (info != 0)
		snprintf(more, sizeof(more), "/Info %u 0 R", info);
	snprintf(out, n, "<</Size %u/Root %u 0 R%s/ID[<%s><%s>]", w->last + 1,
	    root, more, id, id);
}

static enum detox_result
plain_table(struct pdf_writer *w)
{
	char line[64];
	struct row row;

	snprintf(line, sizeof(line), "xref\n0 %u\n0000000000 65535 f \n",
	    w->last + 1);
	if (put_string(w, line) == DETOX_REFUSED)
		return DETOX_REFUSED;
	for (uint32_t i = 1; i <= w->last; i++) {
		row = row_of(w, i);
		snprintf(line, sizeof(line), "%010llu %05d %c \n",
		    (unsigned long long)row.place, row.kind == 1 ? 0 : 65535,
		    row.kind == 1 ? 'n' : 'f');
		if (put_string(w, line) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	return put_string(w, "trailer\n");
}

static int
put_row(struct buf *out, struct row row)
{
	const uint8_t b[ROW_BYTES] = { row.kind, (uint8_t)(row.place >> 32),
		(uint8_t)(row.place >> 24), (uint8_t)(row.place >> 16),
		(uint8_t)(row.place >> 8), (uint8_t)row.place,
		(uint8_t)(row.position >> 8), (uint8_t)row.position };

	return buf_append(out, (struct bytes){ b, sizeof(b) });
}

/* Its own row is that of the highest number. */
static enum detox_result
packed_table(struct pdf_writer *w, const char *dictionary)
{
	uint32_t number = w->last;
	enum detox_result result;
	struct buf table;
	struct buf packed;
	char text[512];

	buf_init(&table, ROW_BYTES * ((size_t)OBJECTS_MAX + 1));
	buf_init(&packed, w->out->content.max);
	set_row(
	    w, number, (struct row){ .place = w->out->content.n, .kind = 1 });
	for (uint32_t i = 0; i <= number; i++)
		must(put_row(&table, row_of(w, i)) == 0);
	snprintf(text, sizeof(text), "%s/Type/XRef/W[1 5 2]/Filter/FlateDecode",
	    dictionary);
	if (pdf_deflate(buf_bytes(&table), &packed))
		result = pdf_writer_stream(
		    w, number, bytes_of(text), buf_bytes(&packed));
	else
		result = no_room(w);
	buf_release(&table);
	buf_release(&packed);
	return result;
}

enum detox_result
pdf_writer_end(struct pdf_writer *w, uint32_t root, uint32_t info)
{
	size_t start;
	char dictionary[256];
	char line[64];

	if (flush(w) == DETOX_REFUSED ||
	    (w->packs && pdf_writer_number(w) == 0))
		return DETOX_REFUSED;
	start = w->out->content.n;
	trailer(w, root, info, dictionary, sizeof(dictionary));
	if (w->packs) {
		if (packed_table(w, dictionary) == DETOX_REFUSED)
			return DETOX_REFUSED;
	} else if (plain_table(w) == DETOX_REFUSED ||
	    put_string(w, dictionary) == DETOX_REFUSED ||
	    put_string(w, ">>\n") == DETOX_REFUSED) {
		return DETOX_REFUSED;
	}
	snprintf(line, sizeof(line), "startxref\n%zu\n%%%%EOF\n", start);
	return put_string(w, line);
}
