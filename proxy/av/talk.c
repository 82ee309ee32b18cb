/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/av/talk.h"

void
talk_init(struct talk *t, const struct av_scanner *s, struct bytes content,
    const char *name)
{
	*t = (struct talk){ .scanner = s,
		.content = content,
		.whole = content,
		.back = content,
		.name = name };
	buf_init(&t->in, TALK_HEAD_MAX);
	buf_init(&t->out, TALK_CHUNK + TALK_HEAD_MAX);
}

void
talk_release(struct talk *t)
{
	buf_release(&t->in);
	buf_release(&t->out);
}

enum talk_next
talk_answer(struct talk *t, enum av_verdict v, struct bytes words)
{
	size_t n = 0;

	t->answer.verdict = v;
	for (size_t i = 0; i < words.n && n < AV_WORDS_MAX - 1; i++)
		t->answer.words[n++] = words.p[i] > 0x20 && words.p[i] < 0x7f
		    ? (char)words.p[i]
		    : ' ';
	t->answer.words[n] = '\0';
	return TALK_OVER;
}

void
talk_speak(struct talk *t)
{
	switch (t->scanner->kind) {
	case AV_CLAMD:
		clamd_speak(t);
		return;
	case AV_ICAP:
		icap_speak(t);
		return;
	}
}

enum talk_next
talk_listen(struct talk *t)
{
	switch (t->scanner->kind) {
	case AV_CLAMD:
		return clamd_listen(t);
	case AV_ICAP:
		return icap_listen(t);
	}
	return TALK_OVER;
}
