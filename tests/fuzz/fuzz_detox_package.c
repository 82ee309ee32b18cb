/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/package/package.h"
#include "tests/fuzz/detox.h"

/* What can be read is written, and then reads the same. */
static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct package *p = package_open(d, o->content);
	struct package_writer *w = package_writer_new();
	struct buf content;
	size_t n = 0;

	for (size_t i = 0; p != NULL && i < package_entries(p); i++) {
		if (package_read(d, p, i, &content) == DETOX_REBUILT &&
		    package_add(d, w, package_entry(p, i)->name,
			buf_bytes(&content), PACKAGE_DEFLATED) == DETOX_REBUILT)
			n++;
		buf_release(&content);
	}
	if (p != NULL && package_finish(d, w, out) == DETOX_REBUILT) {
		d->entries = 0;
		p = package_open(d, buf_bytes(&out->content));
		must(detox_is_over(d) || package_entries(p) == n);
	}
	package_writer_free(w);
	return p != NULL ? DETOX_REBUILT : DETOX_REFUSED;
}

static const struct detox_format package_format = { .rebuild = rebuild };

FUZZ_DETOX(package_format)
