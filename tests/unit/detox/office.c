/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/detox/office.h"

#include <check.h>

#define TYPES                                                           \
	"<Types xmlns='http://schemas.openxmlformats.org/package/2006/" \
	"content-types'><Default Extension='xml' "                      \
	"ContentType='application/xml'/><Override PartName='/%s' "      \
	"ContentType='application/%s'/></Types>"

static const char *
type_of(const char *name)
{
	if (strncmp(name, "ppt/", 4) == 0)
		return "vnd.openxmlformats-officedocument.presentationml."
		       "presentation.main+xml";
	if (strncmp(name, "xl/", 3) == 0)
		return "vnd.openxmlformats-officedocument.spreadsheetml."
		       "sheet.main+xml";
	return "vnd.openxmlformats-officedocument.wordprocessingml."
	       "document.main+xml";
}

void
office_begin(struct office *o, const char *main, const char *name)
{
	char text[2048];

	memset(o, 0, sizeof(*o));
	drive_detox_init(&o->t);
	o->w = package_writer_new();
	snprintf(text, sizeof(text), TYPES, name,
	    main != NULL ? main : type_of(name));
	office_add(o, "[Content_Types].xml", text);
	snprintf(text, sizeof(text),
	    RELS(REL("rId1", REL_OFFICE "officeDocument", "%s")), name);
	office_add(o, "_rels/.rels", text);
}

void
office_add_bytes(struct office *o, const char *name, struct bytes b)
{
	ck_assert(package_add(&o->t.d, o->w, name, b, PACKAGE_DEFLATED) ==
	    DETOX_REBUILT);
}

void
office_add(struct office *o, const char *name, const char *content)
{
	office_add_bytes(o, name, bytes_of(content));
}

void
office_run(struct office *o, const char *name)
{
	struct detox_output in = { 0 };

	buf_init(&in.content, 1 << 20);
	ck_assert(package_finish(&o->t.d, o->w, &in) == DETOX_REBUILT);
	drive_detox_run(&o->t, buf_bytes(&in.content), name);
	buf_release(&in.content);
	if (o->t.result == DETOX_REBUILT)
		o->out = package_open(&o->t.d, buf_bytes(&o->t.out.content));
}

void
office_end(struct office *o)
{
	buf_release(&o->text);
	package_close(o->out);
	package_writer_free(o->w);
	drive_detox_release(&o->t);
}

const char *
office_part(struct office *o, const char *name)
{
	ssize_t at;

	ck_assert_msg(o->out != NULL, "refused: %s", o->t.d.why);
	at = package_find(o->out, name);
	buf_release(&o->text);
	if (at < 0)
		return NULL;
	ck_assert(package_read(&o->t.d, o->out, (size_t)at, &o->text) ==
	    DETOX_REBUILT);
	o->text.max = SIZE_MAX;
	ck_assert(buf_append(&o->text, BYTES("\0")) == 0);
	return (const char *)o->text.p;
}

bool
office_has(struct office *o, const char *name, const char *text)
{
	const char *part = office_part(o, name);

	return part != NULL && strstr(part, text) != NULL;
}

void
office_word(struct office *o, const char *body, const char *rels)
{
	office_begin(o,
	    "vnd.openxmlformats-officedocument.wordprocessingml.document."
	    "main+xml",
	    "word/document.xml");
	office_add(o, "word/document.xml", body);
	if (rels != NULL)
		office_add(o, "word/_rels/document.xml.rels", rels);
	office_run(o, "a.docx");
}
