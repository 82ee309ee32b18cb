/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/metafile/metafile.h"

#include "filters/metafile/inside.h"

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	if (bytes_start_with(o->content, BYTES("\xd7\xcd\xc6\x9a")) ||
	    wmf_is_bare(o->content))
		return wmf_rebuild(d, o->content, out);
	return emf_rebuild(d, o->content, out);
}

const struct detox_format metafile_format = {
	.name = "metafile",
	.types = MAGIC_BIT(MAGIC_METAFILE),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_METAFILE),
};
