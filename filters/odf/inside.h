/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the files of odf share. */
#pragma once

#include "filters/odf/odf.h"
#include "filters/odf/space.h"
#include "filters/package/package.h"
#include "filters/xml/xml.h"

#define ODF_OFFICE "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
#define ODF_MEDIA "application/vnd.oasis.opendocument."

/* Of an entry of the package. */
struct odf_part {
	const char *name;  /* as it comes out; NULL: it does not */
	const char *media; /* as the manifest says it */
	const char
	    *prefix;      /* the folder that it is in, with '/': "Object 1/" */
	bool is_document; /* its XML is walked */
	const char *of;   /* of content.xml: the media type of its document */
};

struct odf {
	struct detox *d;
	struct package *package; /* NULL: it is one XML file */
	struct package_writer *writer;
	const char *mimetype;
	const char *version; /* of content.xml */
	struct odf_part *parts;
	unsigned pictures_n; /* that stood in the XML */
};

/* One part that is walked. */
struct odf_walk {
	struct odf *o;
	const char *where;  /* the part's name */
	const char *prefix; /* what its references begin from */
};

/* parts.c: sorts all entries, and writes the pictures. */
enum detox_result odf_take_parts(struct odf *o) MUST_CHECK;
/* Whether a document is in that folder ("" or "Object 1/"). */
bool odf_has_document(const struct odf *o, struct bytes folder);

/* pictures.c: reads entry i and writes what it was rebuilt as; a picture that
 * cannot be kept is left out and reported. DETOX_REFUSED: the job ends. */
enum detox_result odf_take_picture(struct odf *o, size_t i) MUST_CHECK;

bool odf_is_picture(enum magic_type t);

/* svm.c: a StarView metafile; false: it is broken, or more than *out takes. */
bool odf_is_svm(struct bytes b);
bool odf_rebuild_svm(struct bytes b, struct buf *out) MUST_CHECK;

/* inline.c: whether office:binary-data stays, rebuilt. */
bool odf_inline_stays(const struct odf_walk *w, xmlNode *n);

/* walk.c: leaves out what the rules say, and counts the text. */
enum detox_result odf_walk(const struct odf_walk *w, xmlDoc *doc) MUST_CHECK;
void odf_removed(const struct odf_walk *w, enum detox_removal what);

/* rules.c */
enum odf_act {
	ODF_KEEP,
	ODF_DROP,   /* with all it holds */
	ODF_UNWRAP, /* what it holds stays */
	ODF_INLINE, /* a picture in base64 */
};
enum odf_act odf_judge(const struct odf_walk *w, const xmlNode *n);
bool odf_attribute_stays(
    const struct odf_walk *w, const xmlNode *n, const xmlAttr *a);

/* links.c */
/* The part a picture's reference names; NULL: none that is kept. */
const struct odf_part *odf_picture(
    const struct odf_walk *w, const char *reference);
bool odf_object_stays(const struct odf_walk *w, const char *reference);
bool odf_is_outside(const char *reference);

/* formula.c: whether an expression asks nothing of the outside. */
bool odf_formula_stays(const struct detox *d, struct bytes formula);

/* settings.c */
bool odf_setting_stays(const struct odf_walk *w, const xmlNode *item);

/* secret.c: what is in an encrypted package takes its place. The manifest is
 * changed. */
enum detox_result odf_open(
    struct odf *o, struct buf *manifest, struct detox_output *out) MUST_CHECK;
/* Blanks what a part may begin with, and no reader of ours takes. */
void odf_blank(struct buf *b, struct bytes what);

/* manifest.c: what was kept becomes META-INF/manifest.xml. */
enum detox_result odf_write_manifest(struct odf *o) MUST_CHECK;
