/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/rspamd_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* First byte: how much comes at once; 0: the rest is the JSON itself. What a
 * verdict has goes through a line of our own file unchanged. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes in = { p, n };
	uint8_t step = n > 0 ? *bytes_take(&in, 1).p : 0;
	enum rspamd_progress heard = step == 0 ? RSPAMD_WHOLE : RSPAMD_MORE;
	struct rspamd_verdict v, back;
	struct rspamd_talk t;
	struct buf line;
	struct bytes packed;

	rspamd_talk_init(&t);
	buf_init(&line, 8192);
	while (heard == RSPAMD_MORE)
		heard = rspamd_talk_hear(&t, bytes_take(&in, step));
	if (rspamd_judge(&v, step == 0 ? in : buf_bytes(&t.body)) == 0)
		must(rspamd_verdict_pack(&v, &line) == 0);
	packed = buf_bytes(&line);
	must(line.n == 0 || rspamd_verdict_unpack(&back, &packed) == 0);
	rspamd_talk_release(&t);
	buf_release(&line);
	return 0;
}
