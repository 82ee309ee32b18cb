/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/pdf.h"

#include <ctype.h>
#include <stdio.h>

#include "filters/password/password.h"
#include "filters/pdf/repair.h"
#include "filters/pdf/unpack.h"
#include "filters/pdf/walk.h"

#define HEAD_MAX 1024

/* What stands before the first line, and behind the last mark of an end. */
static void
report_outside(struct detox *d, struct bytes file)
{
	static const char end[] = "%%EOF";
	struct bytes head = file;
	struct bytes tail = file;
	const uint8_t *at;

	if (head.n > HEAD_MAX)
		head.n = HEAD_MAX;
	at = memmem(head.p, head.n, "%PDF-", 5);
	if (at != NULL && at != file.p)
		detox_removed(d, REMOVED_TRAILING, "before the file",
		    (struct bytes){ file.p, (size_t)(at - file.p) });
	for (size_t i = file.n; i >= sizeof(end); i--)
		if (memcmp(file.p + i - sizeof(end) + 1, end,
			sizeof(end) - 1) == 0) {
			bytes_take(&tail, i);
			break;
		}
	if (tail.n == file.n)
		return;
	for (size_t i = 0; i < tail.n; i++)
		if (!isspace(tail.p[i]) && tail.p[i] != '\0') {
			detox_removed(
			    d, REMOVED_TRAILING, "behind the file", tail);
			return;
		}
}

/* Packed tables are for readers that the document wanted anyway. */
static bool
packs(const struct pdf_walk *w, qpdf_oh trailer)
{
	return qpdf_oh_has_key(w->q, trailer, "/XRefStm") ||
	    qpdf_oh_has_key(w->q, trailer, "/W");
}

/* "1.4" to "2.0", as the file says. */
static const char *
version_of(const struct pdf_walk *w, bool packed)
{
	static const char *const known[] = { "1.5", "1.6", "1.7", "2.0", "1.0",
		"1.1", "1.2", "1.3", "1.4" };
	const char *version = qpdf_get_pdf_version(w->q);

	for (size_t i = 0; i < (packed ? 4 : COUNT(known)); i++)
		if (version != NULL && strcmp(version, known[i]) == 0)
			return known[i];
	return packed ? "1.5" : "1.7";
}

/* What a key refers to; 0: nothing. */
static struct syntax_reference
referred(struct pdf_walk *w, qpdf_oh dictionary, const char *key)
{
	qpdf_oh oh = qpdf_oh_get_key_if_dict(w->q, dictionary, key);
	struct syntax_reference r = { qpdf_oh_get_object_id(w->q, oh),
		qpdf_oh_get_generation(w->q, oh) };

	qpdf_oh_release(w->q, oh);
	if (pdf_failed(w))
		r.id = 0;
	return r;
}

/* The catalog's number; 0: it has none that can be used. */
static uint32_t
begin_at(struct pdf_walk *w, qpdf_oh trailer)
{
	struct syntax_reference root = referred(w, trailer, "/Root");
	struct syntax_reference pages;
	qpdf_oh catalog;
	uint32_t number;

	if (root.id <= 0)
		return 0;
	number = pdf_number_of(w, root, PDF_CATALOG);
	catalog = qpdf_get_object_by_id(w->q, root.id, root.generation);
	pages = referred(w, catalog, "/Pages");
	if (pages.id > 0 && pdf_number_of(w, pages, PDF_PAGE) > 0)
		(void)pdf_claim(w, pages);
	qpdf_oh_release(w->q, catalog);
	return number;
}

static uint32_t
info_of(struct pdf_walk *w, qpdf_oh trailer)
{
	struct syntax_reference info = referred(w, trailer, "/Info");

	if (w->d->profile->keep_metadata && info.id > 0)
		return pdf_number_of(w, info, PDF_INFO);
	if (qpdf_oh_has_key(w->q, trailer, "/Info"))
		detox_removed(w->d, REMOVED_METADATA, "Info", BYTES(""));
	return 0;
}

static enum detox_result
write_all(struct pdf_walk *w, struct detox_output *out)
{
	qpdf_oh trailer = qpdf_get_trailer(w->q);
	bool packed = packs(w, trailer);
	uint32_t info;
	uint32_t root;

	if (pdf_writer_begin(&w->writer, w->d, out, version_of(w, packed),
		packed) == DETOX_REFUSED)
		return DETOX_REFUSED;
	root = begin_at(w, trailer);
	info = info_of(w, trailer);
	if (root == 0)
		return detox_refuse(w->d, REFUSED_BROKEN, "it has no catalog");
	if (pdf_walk_run(w) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (w->pages == 0)
		return detox_refuse(w->d, REFUSED_BROKEN, "it has no page");
	return pdf_writer_end(&w->writer, root, info);
}

/* A reader of the file; NULL: it cannot be read, and *code says why. */
static qpdf_data
read_file(struct bytes file, const char *password, enum qpdf_error_code_e *code)
{
	qpdf_data q = qpdf_init();
	bool good;
	qpdf_error e;

	qpdf_silence_errors(q);
	qpdf_set_suppress_warnings(q, QPDF_TRUE);
	good =
	    (qpdf_read_memory(q, "", (const char *)file.p, file.n, password) &
		(QPDF_ERRORS)) == 0;
	if (good) {
		(void)qpdf_get_root(q);
		good = !qpdf_has_error(q);
	}
	if (good)
		return q;
	e = qpdf_get_error(q);
	*code = e == NULL ? qpdf_e_damaged_pdf : qpdf_get_error_code(q, e);
	qpdf_cleanup(&q);
	return NULL;
}

/* The only thing that it does not support is a kind of encryption. */
static bool
is_encryption(enum qpdf_error_code_e code)
{
	return code == qpdf_e_password || code == qpdf_e_unsupported;
}

/* Without a password, or with one of the job's. */
static qpdf_data
read_with_any(struct detox *d, struct bytes file, enum qpdf_error_code_e *code)
{
	qpdf_data q = read_file(file, NULL, code);
	uint8_t room[DETOX_PASSWORD_MAX];
	char password[DETOX_PASSWORD_MAX + 1];
	struct bytes way;

	for (size_t i = 0;
	     q == NULL && *code == qpdf_e_password && i < password_ways(d);
	     i++) {
		if (!password_way(d, i, room, &way))
			continue;
		memcpy(password, way.p, way.n);
		password[way.n] = '\0';
		q = read_file(file, password, code);
		d->opened += q != NULL;
	}
	explicit_bzero(room, sizeof(room));
	explicit_bzero(password, sizeof(password));
	return q;
}

/* As it is, or with a new end, which is in *mended then. */
static qpdf_data
read_or_repair(struct detox *d, struct bytes file, struct buf *mended)
{
	enum qpdf_error_code_e code = qpdf_e_success;
	qpdf_data q = read_with_any(d, file, &code);

	for (int how = 0;
	     q == NULL && !is_encryption(code) && how < PDF_REPAIRS; how++) {
		mended->n = 0;
		if (!pdf_repair((enum pdf_repair)how, file, mended))
			continue;
		q = read_with_any(d, buf_bytes(mended), &code);
		if (q != NULL)
			detox_removed(d, REMOVED_DAMAGED, NULL, BYTES(""));
	}
	if (q == NULL && code == qpdf_e_password)
		(void)detox_locked(d, "a PDF");
	else if (q == NULL && is_encryption(code))
		(void)detox_refuse(d, REFUSED_ENCRYPTED,
		    "it is encrypted in a way that is not read");
	else if (q == NULL)
		(void)detox_refuse(
		    d, REFUSED_BROKEN, "it cannot be read as PDF");
	return q;
}

static enum detox_result
rebuild_read(
    struct detox *d, qpdf_data q, struct bytes file, struct detox_output *out)
{
	struct pdf_walk w;
	enum detox_result result;

	pdf_walk_init(&w, d, q);
	result = write_all(&w, out);
	if (result == DETOX_REBUILT) {
		report_outside(d, file);
		pdf_take_warnings(&w);
		if (w.warnings > 0)
			detox_removed(d, REMOVED_DAMAGED, NULL, BYTES(""));
	}
	(void)pdf_failed(&w);
	pdf_writer_release(&w.writer);
	pdf_walk_release(&w);
	return result;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	enum detox_result result = DETOX_REFUSED;
	struct buf mended;
	qpdf_data q;

	if (d->profile->to_text)
		return detox_refuse(
		    d, REFUSED_TYPE, "its text alone cannot be taken out");
	if (pdf_measure_file(d, o->content) == DETOX_REFUSED)
		return DETOX_REFUSED;
	buf_init(&mended, o->content.n + 128);
	q = read_or_repair(d, o->content, &mended);
	if (q != NULL) {
		result = rebuild_read(d, q, o->content, out);
		qpdf_cleanup(&q);
	}
	buf_release(&mended);
	return result;
}

const struct detox_format pdf_format = {
	.name = "pdf",
	.types = MAGIC_BIT(MAGIC_PDF),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_PDF),
};
