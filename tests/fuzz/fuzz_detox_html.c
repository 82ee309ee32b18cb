/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/html.h"
#include "tests/fuzz/detox.h"

/* What was rebuilt stays as it is: a browser reads what was judged. */
static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	enum detox_result result = html_format.rebuild(d, o, out);
	struct detox_object again = { .content = buf_bytes(&out->content) };
	struct detox_output twice = { 0 };

	if (result == DETOX_REFUSED)
		return result;
	buf_init(&twice.content, out->content.max);
	must(html_format.rebuild(d, &again, &twice) == DETOX_REBUILT);
	must(bytes_equal(buf_bytes(&twice.content), again.content));
	must(memmem(again.content.p, again.content.n, "<script", 7) == NULL);
	buf_release(&twice.content);
	return result;
}

static const struct detox_format twice = { .rebuild = rebuild };

FUZZ_DETOX(twice)
