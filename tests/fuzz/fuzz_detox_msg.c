/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/msg.h"
#include "tests/fuzz/detox.h"

/* Whatever it says that it is. */
static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct cfb c;
	enum detox_result result = cfb_open(&c, d, o->content);

	if (result == DETOX_REBUILT)
		result = msg_rebuild(d, &c, out);
	cfb_close(&c);
	return result;
}

static const struct detox_format msg = { .rebuild = rebuild };

FUZZ_DETOX(msg)
