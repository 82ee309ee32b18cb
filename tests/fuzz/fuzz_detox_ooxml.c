/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ooxml/ooxml.h"
#include "filters/package/package.h"
#include "tests/fuzz/detox.h"

#define OFFICE \
	"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"

/* A package that the fuzzer cannot make: three parts, cut at NULs: the main
 * part, its relationships, and a part that they may lead to. */
static void
fill(struct detox *d, struct package_writer *w, struct bytes in)
{
	static const char *const mains[] = { "word/document", "xl/workbook",
		"ppt/presentation" };
	const char *main = mains[in.n == 0 ? 0 : in.p[in.n - 1] % 3];
	char name[256];

	snprintf(name, sizeof(name),
	    "<Relationships xmlns='http://schemas.openxmlformats.org/package/"
	    "2006/relationships'><Relationship Id='r' Type='" OFFICE
	    "officeDocument' Target='%s.xml'/></Relationships>",
	    main);
	must(package_add(d, w, "_rels/.rels", bytes_of(name), PACKAGE_STORED) ==
	    DETOX_REBUILT);
	snprintf(name, sizeof(name), "%s.xml", main);
	must(package_add(d, w, name, bytes_take_until(&in, 0),
		 PACKAGE_STORED) == DETOX_REBUILT);
	snprintf(name, sizeof(name), "%.*s_rels/%s.xml.rels",
	    (int)(strchr(main, '/') - main) + 1, main, strchr(main, '/') + 1);
	must(package_add(d, w, name, bytes_take_until(&in, 0),
		 PACKAGE_STORED) == DETOX_REBUILT);
	must(package_add(d, w, "a", in, PACKAGE_STORED) == DETOX_REBUILT);
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct package_writer *w = package_writer_new();
	struct detox_output whole = { 0 };
	struct detox_object made = { 0 };
	enum detox_result result = DETOX_REFUSED;

	buf_init(&whole.content, 1 << 24);
	fill(d, w, o->content);
	if (package_finish(d, w, &whole) == DETOX_REBUILT) {
		made.content = buf_bytes(&whole.content);
		result = ooxml_format.rebuild(d, &made, out);
	}
	buf_release(&whole.content);
	package_writer_free(w);
	return result;
}

static const struct detox_format parts = { .rebuild = rebuild };

FUZZ_DETOX(parts)
