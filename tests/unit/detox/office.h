/* SPDX-License-Identifier: Apache-2.0 */
/* office: small office documents made for a test, and what became of them. */
#pragma once

#include "filters/package/package.h"
#include "tests/unit/detox/drive.h"

#define REL_OFFICE \
	"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
#define REL_MS "http://schemas.microsoft.com/office/2006/relationships/"
#define RELS(rows)                                                         \
	"<Relationships xmlns='http://schemas.openxmlformats.org/package/" \
	"2006/relationships'>" rows "</Relationships>"
#define REL(id, type, target) \
	"<Relationship Id='" id "' Type='" type "' Target='" target "'/>"
#define REL_OUTSIDE(id, type, target)                               \
	"<Relationship Id='" id "' Type='" type "' Target='" target \
	"' TargetMode='External'/>"
#define SPACES                                                                 \
	" xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/"     \
	"relationships' xmlns:a='http://schemas.openxmlformats.org/drawingml/" \
	"2006/main' xmlns:v='urn:schemas-microsoft-com:vml' "                  \
	"xmlns:o='urn:schemas-microsoft-com:office:office' "                   \
	"xmlns:x='urn:schemas-microsoft-com:office:excel' "                    \
	"xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/"    \
	"2006' xmlns:p='http://schemas.openxmlformats.org/presentationml/"     \
	"2006/main' xmlns:w='http://schemas.openxmlformats.org/"               \
	"wordprocessingml/2006/main'"
#define WORDS(body) \
	"<w:document" SPACES "><w:body>" body "</w:body></w:document>"
#define BOOK "xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'"

struct office {
	struct drive_detox t;
	struct package_writer *w;
	struct package *out; /* NULL: refused */
	struct buf text;     /* of the part that was asked for last */
};

/* main: the content type of the main part, behind "application/"; NULL:
 * that of a document, workbook or presentation, by its name. */
void office_begin(struct office *o, const char *main, const char *name);
void office_add(struct office *o, const char *name, const char *content);
void office_add_bytes(struct office *o, const char *name, struct bytes b);
/* Rebuilds it. */
void office_run(struct office *o, const char *name);
void office_end(struct office *o);
/* The text of a part that came out; NULL: it did not. */
const char *office_part(struct office *o, const char *name);
bool office_has(struct office *o, const char *name, const char *text);

/* word/document.xml with this body, and these relationships; run. */
void office_word(struct office *o, const char *body, const char *rels);
