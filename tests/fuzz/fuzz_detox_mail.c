/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/mail.h"
#include "tests/fuzz/detox.h"

/* Every line of what comes out is one to all who carry mails. */
static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	enum detox_result result = mail_format.rebuild(d, o, out);
	struct bytes b = buf_bytes(&out->content);
	size_t line = 0;

	for (size_t i = 0; result == DETOX_REBUILT && i < b.n; i++) {
		must(b.p[i] != 0 && b.p[i] < 0x80 && ++line <= 1000);
		must((b.p[i] == '\n') == (i > 0 && b.p[i - 1] == '\r'));
		if (b.p[i] == '\n')
			line = 0;
	}
	must(result == DETOX_REFUSED || b.n > 0);
	return result;
}

static const struct detox_format checked = { .rebuild = rebuild };

FUZZ_DETOX(checked)
