/* SPDX-License-Identifier: Apache-2.0 */
/* vml: Office reads its old drawings like HTML, and wrote some so: lines broken
 * by <br>, and "<![if gte mso 9]>" around what later versions know. */
#include "filters/ooxml/inside.h"

static bool
is_vml(const struct part *p)
{
	return strcmp(p->kind->type, "vmlDrawing") == 0;
}

/* How much of the head of b is such a mark; 0: it is none. */
static size_t
condition_length(struct bytes b)
{
	const uint8_t *end;

	if (!bytes_start_with(b, BYTES("<![")) ||
	    bytes_start_with(b, BYTES("<![CDATA[")))
		return 0;
	end = memchr(b.p, '>', b.n);
	return end == NULL ? 0 : (size_t)(end - b.p) + 1;
}

static bool
is_break(struct bytes b)
{
	return b.n >= 4 && strncasecmp((const char *)b.p, "<br>", 4) == 0;
}

static int
copy_tidy(struct bytes in, struct buf *out)
{
	const uint8_t *mark;
	size_t n;

	while (in.n > 0) {
		mark = memchr(in.p, '<', in.n);
		n = mark == NULL ? in.n : (size_t)(mark - in.p);
		if (buf_append(out, bytes_take(&in, n)) < 0)
			return -1;
		n = condition_length(in);
		if (is_break(in)) {
			n = 4;
			if (buf_append_string(out, "<br/>") < 0)
				return -1;
		}
		if (n == 0 && buf_append(out, bytes_take(&in, 1)) < 0)
			return -1;
		bytes_take(&in, n);
	}
	return 0;
}

enum detox_result
vml_tidy(struct ooxml *x, const struct part *p, struct buf *content)
{
	struct buf out;

	if (!is_vml(p))
		return DETOX_REBUILT;
	buf_init(&out, x->d->profile->out_max);
	if (copy_tidy(buf_bytes(content), &out) < 0) {
		buf_release(&out);
		return detox_refuse(x->d, REFUSED_SIZE,
		    "more than %zu bytes come out", out.max);
	}
	buf_release(content);
	*content = out;
	return DETOX_REBUILT;
}
