/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/odf/odf.h"
#include "filters/package/package.h"
#include "tests/fuzz/detox.h"

/* A package, or what stands in its content.xml, so that no checksum is in the
 * way. */
static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	const char *type = "application/vnd.oasis.opendocument.text";
	struct package_writer *w;
	struct detox_output zip = { 0 };
	struct detox_object wrapped = { 0 };
	enum detox_result result = DETOX_REFUSED;

	if (bytes_start_with(o->content, BYTES("PK")))
		return odf_format.rebuild(d, o, out);
	if (bytes_start_with(o->content, BYTES("<?xml")))
		return odf_flat_format.rebuild(d, o, out);
	w = package_writer_new();
	buf_init(&zip.content, 1 << 20);
	if (package_add(d, w, "mimetype", bytes_of(type), PACKAGE_STORED) &&
	    package_add(d, w, "content.xml", o->content, PACKAGE_STORED) &&
	    package_finish(d, w, &zip)) {
		wrapped.content = buf_bytes(&zip.content);
		result = odf_format.rebuild(d, &wrapped, out);
	}
	package_writer_free(w);
	buf_release(&zip.content);
	return result;
}

static const struct detox_format either_format = { .rebuild = rebuild };

FUZZ_DETOX(either_format)
