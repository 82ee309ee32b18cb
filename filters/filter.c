/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/filter.h"

#include <stdlib.h>

struct filter *
filter_new(const struct filter_type *type, const void *settings)
{
	struct filter *f = calloc(1, type->state_size);

	must(f != NULL);
	f->type = type;
	f->settings = settings;
	if (type->begin != NULL)
		type->begin(f);
	return f;
}

void
filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	if (f->type->end != NULL)
		f->type->end(f);
	free(f);
}

enum filter_verdict
filter_push(struct filter *f, struct bytes in, bool last, struct buf *out)
{
	size_t before = out == NULL ? 0 : out->n;
	enum filter_verdict v = FILTER_REFUSE;

	if (f->why == NULL)
		v = f->type->push(f, in, last, out);
	if (v == FILTER_REFUSE && out != NULL)
		out->n = before;
	return v;
}

enum filter_verdict
filter_refuse(struct filter *f, const char *why)
{
	f->why = why;
	return FILTER_REFUSE;
}
