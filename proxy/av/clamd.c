/* SPDX-License-Identifier: Apache-2.0 */
/* clamd(8): zINSTREAM, then each chunk behind its length in network order, then
 * a length of 0; the answer ends with NUL. */
#include <arpa/inet.h>

#include "proxy/av/talk.h"

enum {
	CLAMD_BEGIN,
	CLAMD_STREAM,
	CLAMD_LISTEN,
};

#define COMMAND "zINSTREAM"

static void
put_chunk(struct talk *t)
{
	struct bytes chunk = bytes_take(&t->content, TALK_CHUNK);
	uint32_t n = htonl((uint32_t)chunk.n);

	must(buf_append(&t->out, (struct bytes){ (uint8_t *)&n, sizeof(n) }) ==
		0 &&
	    buf_append(&t->out, chunk) == 0);
	if (chunk.n == 0)
		t->state = CLAMD_LISTEN;
}

/* "stream: OK", "stream: NAME FOUND", anything else is an error. */
static enum talk_next
judge(struct talk *t, struct bytes line)
{
	static const struct bytes head = BYTES_ROW("stream: ");
	static const struct bytes found = BYTES_ROW(" FOUND");

	if (!bytes_start_with(line, head))
		return talk_answer(t, AV_FAILED, line);
	bytes_take(&line, head.n);
	if (bytes_equal(line, BYTES("OK")))
		return talk_answer(t, AV_CLEAN, BYTES(""));
	if (!bytes_end_with(line, found))
		return talk_answer(t, AV_FAILED, line);
	line.n -= found.n;
	return talk_answer(t, AV_FOUND, line);
}

/* It answers early when the object is larger than it takes. */
enum talk_next
clamd_listen(struct talk *t)
{
	struct bytes in = buf_bytes(&t->in);
	ssize_t end = bytes_index(in, '\0');

	if (end >= 0)
		return judge(t, (struct bytes){ in.p, (size_t)end });
	if (in.n == t->in.max)
		return talk_answer(t, AV_FAILED, BYTES("an answer too long"));
	if (t->ended)
		return talk_answer(t, AV_FAILED, BYTES("no answer"));
	return TALK_GO_ON;
}

void
clamd_speak(struct talk *t)
{
	switch (t->state) {
	case CLAMD_BEGIN:
		must(buf_append(&t->out,
			 (struct bytes){
			     (const uint8_t *)COMMAND, sizeof(COMMAND) }) == 0);
		t->state = CLAMD_STREAM;
		return;
	case CLAMD_STREAM:
		put_chunk(t);
		return;
	default:
		return;
	}
}
