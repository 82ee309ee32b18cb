/* SPDX-License-Identifier: Apache-2.0 */
/* zip: the entries of a ZIP file, as its strict reader gives them. */
#include "filters/archive/inside.h"

static enum detox_result
read_file(struct detox *d, struct package *z, size_t i, struct pack *p,
    const struct name *n)
{
	struct buf content;
	enum detox_result result = package_read(d, z, i, &content);

	if (result == DETOX_REBUILT) {
		result = pack_file(d, p, n, buf_bytes(&content));
	} else if (!detox_is_over(d)) {
		pack_left_out(p, n, detox_refusal_words[REFUSED_BROKEN].text);
		result = DETOX_REBUILT;
	}
	buf_release(&content);
	return result;
}

static enum detox_result
read_entry(struct detox *d, struct package *z, size_t i, struct pack *p)
{
	const struct package_entry *e = package_entry(z, i);
	struct name n;

	if (name_clean(d, bytes_of(e->name), NAME_CP932, &n) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (n.folder)
		return pack_folder(d, p, &n);
	return read_file(d, z, i, p, &n);
}

enum detox_result
archives_read_zip(struct detox *d, const struct detox_object *o, struct pack *p)
{
	struct package *z = package_open(d, o->content);
	enum detox_result result = z == NULL ? DETOX_REFUSED : DETOX_REBUILT;

	for (size_t i = 0; result == DETOX_REBUILT && i < package_entries(z);
	     i++)
		result = read_entry(d, z, i, p);
	if (z != NULL)
		package_close(z);
	return result;
}
