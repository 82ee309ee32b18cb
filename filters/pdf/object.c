/* SPDX-License-Identifier: Apache-2.0 */
/* object: what libqpdf says of an object, and the report of what is left out.
 */
#include "filters/pdf/unpack.h"
#include "filters/pdf/walk.h"

/* The same object may be asked for from millions of places. */
#define COPIES_MAX ((uint64_t)256 << 20)
#define RECOVERED_MAX 5000
/* Of what is left out, for its digest. */
#define CONTENT_MAX ((size_t)64 << 20)

bool
pdf_failed(struct pdf_walk *w)
{
	if (!qpdf_has_error(w->q))
		return false;
	(void)qpdf_get_error(w->q);
	return true;
}

void
pdf_take_warnings(struct pdf_walk *w)
{
	static const char recovers[] = "attempting to recover stream length";
	qpdf_error e;

	while (qpdf_more_warnings(w->q)) {
		e = qpdf_next_warning(w->q);
		w->warnings++;
		w->recovered += strcmp(qpdf_get_error_message_detail(w->q, e),
				    recovers) == 0;
	}
	if (w->recovered > RECOVERED_MAX)
		(void)detox_refuse(w->d, REFUSED_BROKEN,
		    "more than %d streams have no end", RECOVERED_MAX);
}

struct bytes
pdf_print(struct pdf_walk *w, qpdf_oh oh, struct buf *out)
{
	const char *text = qpdf_oh_unparse_resolved(w->q, oh);
	size_t n = pdf_failed(w) ? 0 : qpdf_get_last_string_length(w->q);

	out->n = 0;
	if (buf_append(out, (struct bytes){ (const uint8_t *)text, n }) < 0)
		return (struct bytes){ 0 };
	return buf_bytes(out);
}

struct bytes
pdf_name_of(
    struct pdf_walk *w, qpdf_oh dictionary, const char *key, struct buf *out)
{
	qpdf_oh value = qpdf_oh_get_key_if_dict(w->q, dictionary, key);
	const char *name = NULL;
	size_t n = 0;

	out->n = 0;
	if (qpdf_oh_get_value_as_name(w->q, value, &name, &n) &&
	    buf_append(out, (struct bytes){ (const uint8_t *)name, n }) < 0)
		out->n = 0;
	qpdf_oh_release(w->q, value);
	(void)pdf_failed(w);
	return buf_bytes(out);
}

struct bytes
pdf_resolve(struct pdf_walk *w, struct bytes value, struct buf *copy)
{
	struct syntax_reference r;
	struct bytes text = { 0 };
	qpdf_oh oh;

	buf_init(copy, PDF_COPY_MAX);
	if (!syntax_refers(value, &r))
		return value;
	oh = qpdf_get_object_by_id(w->q, r.id, r.generation);
	if (!qpdf_oh_is_stream(w->q, oh))
		text = pdf_print(w, oh, copy);
	(void)pdf_failed(w);
	qpdf_oh_release(w->q, oh);
	w->copied += text.n;
	if (w->copied > COPIES_MAX)
		(void)detox_refuse(
		    w->d, REFUSED_BOMB, "small objects are used too often");
	return text;
}

struct bytes
pdf_value_of(struct pdf_walk *w, struct bytes dictionary, const char *key,
    struct buf *copy)
{
	return pdf_resolve(w, syntax_get(dictionary, key), copy);
}

/* Reports. */

/* The bytes of a stream, unpacked if it is packed in the usual way. */
static void
stream_content(struct pdf_walk *w, qpdf_oh stream, struct buf *out)
{
	qpdf_oh dictionary = qpdf_oh_get_dict(w->q, stream);
	struct buf room;
	struct buf unpacked;
	struct bytes filter;

	buf_init(&room, 256);
	buf_init(&unpacked, out->max);
	filter = pdf_name_of(w, dictionary, "/Filter", &room);
	if (pdf_stream_bytes(w, stream, qpdf_dl_none, out) &&
	    pdf_filter_of(filter) == PDF_FILTER_FLATE &&
	    pdf_inflate(buf_bytes(out), &unpacked)) {
		buf_release(out);
		*out = unpacked;
	} else {
		buf_release(&unpacked);
	}
	qpdf_oh_release(w->q, dictionary);
	buf_release(&room);
}

/* The bytes of a string, or of a stream, that the value is or refers to. */
static void
content_of(struct pdf_walk *w, struct bytes value, struct buf *out)
{
	struct syntax_reference r;
	struct buf copy;
	qpdf_oh oh;

	if (syntax_refers(value, &r)) {
		oh = qpdf_get_object_by_id(w->q, r.id, r.generation);
		if (qpdf_oh_is_stream(w->q, oh))
			stream_content(w, oh, out);
		(void)pdf_failed(w);
		qpdf_oh_release(w->q, oh);
	}
	value = pdf_resolve(w, value, &copy);
	if (syntax_next(&value) == SYNTAX_STRING &&
	    syntax_string(value, out) < 0)
		out->n = 0;
	buf_release(&copy);
}

void
pdf_removed(struct pdf_walk *w, enum detox_removal what, const char *where,
    struct bytes value)
{
	struct buf content;

	if (what == PDF_SILENT)
		return;
	buf_init(&content, CONTENT_MAX);
	/* Behind the last row nobody reads a digest. */
	if (value.n > 0 && w->d->rows_n < DETOX_ROWS_MAX)
		content_of(w, value, &content);
	detox_removed(w->d, what, where, buf_bytes(&content));
	buf_release(&content);
}
