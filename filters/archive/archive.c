/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/archive/archive.h"

#include "filters/archive/inside.h"

static enum detox_result
read_entries(struct detox *d, const struct detox_object *o, struct pack *p)
{
	enum magic_type t = magic_type_of(o->content, true);

	if (archives_check_volume(d, t, o) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return t == MAGIC_ZIP ? archives_read_zip(d, o, p)
			      : archives_read_other(d, t, o, p);
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	enum detox_result result;
	struct pack p;

	pack_init(&p);
	result = read_entries(d, o, &p);
	if (result == DETOX_REBUILT)
		result = pack_finish(d, &p, out);
	pack_release(&p);
	return result;
}

const struct detox_format archives_format = {
	.name = "archive",
	.types = MAGIC_BIT(MAGIC_ZIP) | MAGIC_BIT(MAGIC_7Z) |
	    MAGIC_BIT(MAGIC_RAR) | MAGIC_BIT(MAGIC_LZH) | MAGIC_BIT(MAGIC_CAB) |
	    MAGIC_BIT(MAGIC_TAR) | MAGIC_BIT(MAGIC_ISO) |
	    MAGIC_BIT(MAGIC_GZIP) | MAGIC_BIT(MAGIC_BZIP2) |
	    MAGIC_BIT(MAGIC_XZ) | MAGIC_BIT(MAGIC_ZSTD),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_ZIP),
	.prepare = archives_prepare,
};
