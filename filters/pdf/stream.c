/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "filters/pdf/unpack.h"
#include "filters/pdf/walk.h"

/* What is shorter is not made shorter. */
#define PACK_LEAST 128

struct stream {
	struct bytes dictionary;
	enum pdf_role role;
	struct pdf_filters filters;
	bool crypt;        /* one of the filters decrypts */
	uint64_t expected; /* bytes of a picture; 0: it is none */
	struct buf data;
};

bool
pdf_stream_bytes(struct pdf_walk *w, qpdf_oh stream,
    enum qpdf_stream_decode_level_e level, struct buf *out)
{
	unsigned char *p = NULL;
	QPDF_BOOL filtered = QPDF_FALSE;
	size_t n = 0;
	bool good;

	(void)qpdf_oh_get_stream_data(w->q, stream, level, &filtered, &p, &n);
	good = !pdf_failed(w) && (level == qpdf_dl_none || filtered) &&
	    buf_append(out, (struct bytes){ p, n }) == 0;
	free(p);
	return good;
}

static uint64_t
number_of(struct pdf_walk *w, struct bytes dictionary, const char *key,
    uint64_t other)
{
	struct buf room;
	struct bytes text = pdf_value_of(w, dictionary, key, &room);
	uint64_t n = other;

	if (bytes_number(text, UINT32_MAX, &n) < 0)
		n = other;
	buf_release(&room);
	return n;
}

/* Reads the names of filters, one or an array of them; false: one of them is
 * not known. */
static bool
read_filters(struct pdf_walk *w, struct stream *s)
{
	struct buf room;
	struct buf inner;
	struct bytes list = pdf_value_of(w, s->dictionary, "Filter", &room);
	bool known = true;
	enum pdf_filter f;
	struct bytes name;

	(void)syntax_skip(&list, "[");
	while (syntax_next(&list) != SYNTAX_NOTHING && known) {
		name = pdf_resolve(w, syntax_take(&list), &inner);
		f = pdf_filter_of(name);
		known =
		    f != PDF_FILTER_UNKNOWN && s->filters.n < PDF_FILTERS_MAX;
		if (known)
			s->filters.kinds[s->filters.n++] = f;
		s->crypt = s->crypt || f == PDF_FILTER_CRYPT;
		buf_release(&inner);
	}
	buf_release(&room);
	return known;
}

static void
read_kind(struct pdf_walk *w, struct stream *s)
{
	struct buf room;
	struct bytes subtype = pdf_value_of(w, s->dictionary, "Subtype", &room);
	uint64_t width;
	uint64_t bits;

	s->role = PDF_STREAM;
	if (syntax_is(subtype, BYTES("Image")))
		s->role = PDF_IMAGE;
	else if (syntax_is(subtype, BYTES("Form")))
		s->role = PDF_DRAWING;
	else if (syntax_is(subtype, BYTES("PS")))
		s->role = PDF_LEFT_OUT;
	buf_release(&room);
	if (s->role != PDF_IMAGE)
		return;
	width = number_of(w, s->dictionary, "Width", 1);
	bits = number_of(w, s->dictionary, "BitsPerComponent", 8);
	s->expected = number_of(w, s->dictionary, "Height", 1);
	if (width > 0 && s->expected > UINT64_MAX / 64 / width)
		s->expected = UINT64_MAX / 64;
	else
		s->expected *= width;
	/* Of up to four colours. */
	s->expected = s->expected / 8 * 4 * (bits < 16 ? bits : 16) + 4;
}

/* As what the whole stream is left out; PDF_SILENT: it stays. */
static enum detox_removal
judge(struct pdf_walk *w, struct stream *s)
{
	struct buf room;
	struct bytes type = pdf_value_of(w, s->dictionary, "Type", &room);
	enum detox_removal removal = pdf_type_removal(type);

	buf_release(&room);
	if (removal == REMOVED_METADATA && w->d->profile->keep_metadata)
		removal = PDF_SILENT;
	if (removal != PDF_SILENT)
		return removal;
	read_kind(w, s);
	if (s->role == PDF_LEFT_OUT)
		return REMOVED_SCRIPT;
	if (s->expected > w->d->profile->tree_max)
		return REMOVED_REFUSED;
	return read_filters(w, s) ? PDF_SILENT : REMOVED_UNKNOWN;
}

/* Those whose streams are encrypted apart are decrypted and unpacked. */
static bool
read_data(struct pdf_walk *w, qpdf_oh stream, struct stream *s)
{
	if (!s->crypt)
		return pdf_stream_bytes(w, stream, qpdf_dl_none, &s->data);
	s->filters.n = 0;
	return pdf_stream_bytes(w, stream, qpdf_dl_generalized, &s->data);
}

static void
pack(struct stream *s)
{
	struct buf packed;

	buf_init(&packed, s->data.max);
	if (pdf_deflate(buf_bytes(&s->data), &packed) && packed.n < s->data.n) {
		buf_release(&s->data);
		s->data = packed;
		s->filters.kinds[s->filters.n++] = PDF_FILTER_FLATE;
	} else {
		buf_release(&packed);
	}
}

static void
put_filters(struct pdf_walk *w, const struct stream *s, bool packed)
{
	struct bytes value = syntax_get(s->dictionary, "Filter");
	struct bytes parameters = syntax_get(s->dictionary, "DecodeParms");
	size_t before = w->object.n;

	if (packed) {
		pdf_put_string(w, "/Filter/FlateDecode");
		return;
	}
	if (s->filters.n == 0)
		return;
	pdf_put_string(w, "/Filter ");
	if (!pdf_emit(w, PDF_ANY, &value))
		w->object.n = before;
	before = w->object.n;
	pdf_put_string(w, "/DecodeParms ");
	if (parameters.n == 0 || !pdf_emit(w, PDF_ANY, &parameters))
		w->object.n = before;
}

/* How many colours a JPEG has, by its frame (ITU-T T.81, B.2.2); 0: none. */
static unsigned
jpeg_colours(struct bytes jpeg)
{
	size_t size;
	uint8_t marker;

	bytes_take(&jpeg, 2);
	while (jpeg.n > 9 && jpeg.p[0] == 0xff) {
		marker = jpeg.p[1];
		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
		    marker != 0xc8 && marker != 0xcc)
			return jpeg.p[9];
		size = (size_t)(jpeg.p[2] << 8 | jpeg.p[3]) + 2;
		bytes_take(&jpeg, marker == 0xff ? 1 : size);
	}
	return 0;
}

/* A photograph, drawn anew. Those of four colours are kept: what is written of
 * them reads otherwise in a document. false: it is left out. */
static bool
draw_anew(struct pdf_walk *w, struct stream *s)
{
	const struct detox_object o = { .content = buf_bytes(&s->data),
		.name = BYTES("image.jpg") };
	unsigned colours = jpeg_colours(o.content);
	struct detox_output drawn;
	bool same;

	if (colours == 4)
		return true;
	if (detox_inside(w->d, "image", &o, &drawn) == DETOX_REFUSED) {
		buf_release(&drawn.content);
		return false;
	}
	same = jpeg_colours(buf_bytes(&drawn.content)) == colours;
	if (same) {
		buf_release(&s->data);
		s->data = drawn.content;
	} else {
		buf_release(&drawn.content);
		detox_removed(w->d, REMOVED_REFUSED, "image", o.content);
	}
	return same;
}

static bool
is_drawn_anew(const struct pdf_walk *w, const struct stream *s)
{
	return w->d->profile->strict && s->role == PDF_IMAGE &&
	    s->filters.n == 1 && s->filters.kinds[0] == PDF_FILTER_DCT;
}

/* Its dictionary is in the object, with its end. */
static enum detox_result
write_stream(struct pdf_walk *w, uint32_t number, struct stream *s)
{
	bool packed = false;

	if (s->filters.n == 0 && s->data.n > PACK_LEAST) {
		pack(s);
		packed = s->filters.n > 0;
	}
	w->object.n -= strlen(">>");
	put_filters(w, s, packed);
	if (detox_is_over(w->d))
		return DETOX_REFUSED;
	return pdf_writer_stream(
	    &w->writer, number, buf_bytes(&w->object), buf_bytes(&s->data));
}

/* The object is there, and is nothing. */
static enum detox_result
write_nothing(struct pdf_walk *w, uint32_t number, enum detox_removal removal)
{
	pdf_removed(w, removal, "stream", (struct bytes){ 0 });
	return pdf_writer_object(&w->writer, number, BYTES("null"));
}

static enum detox_result
rebuild(struct pdf_walk *w, uint32_t number, qpdf_oh oh, struct stream *s)
{
	struct bytes text = s->dictionary;
	enum detox_removal removal = judge(w, s);

	if (detox_is_over(w->d))
		return DETOX_REFUSED;
	if (removal != PDF_SILENT)
		return write_nothing(w, number, removal);
	if (!read_data(w, oh, s))
		return write_nothing(w, number, REMOVED_DAMAGED);
	if (pdf_measure(w->d, &s->filters, buf_bytes(&s->data), s->expected,
		&w->unseen) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (is_drawn_anew(w, s) && !draw_anew(w, s))
		return detox_is_over(w->d)
		    ? DETOX_REFUSED
		    : write_nothing(w, number, PDF_SILENT);
	w->object.n = 0;
	if (!pdf_emit(w, s->role, &text))
		return write_nothing(w, number, REMOVED_UNKNOWN);
	return write_stream(w, number, s);
}

enum detox_result
pdf_stream(struct pdf_walk *w, uint32_t number, qpdf_oh stream)
{
	qpdf_oh dictionary = qpdf_oh_get_dict(w->q, stream);
	const char *text = qpdf_oh_unparse_resolved(w->q, dictionary);
	struct bytes b = { (const uint8_t *)text,
		pdf_failed(w) ? 0 : qpdf_get_last_string_length(w->q) };
	struct stream s = { 0 };
	enum detox_result result;

	w->text.n = 0;
	buf_init(&s.data, w->object.max);
	if (buf_append(&w->text, b) < 0)
		result = detox_refuse(w->d, REFUSED_SIZE,
		    "an object of more than %zu bytes", w->text.max);
	else {
		s.dictionary = buf_bytes(&w->text);
		result = rebuild(w, number, stream, &s);
	}
	qpdf_oh_release(w->q, dictionary);
	buf_release(&s.data);
	return result;
}
