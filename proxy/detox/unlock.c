/* SPDX-License-Identifier: Apache-2.0 */
/* The wire form: numbers in the machine's order, as both ends are of one
 * program; each text behind its length. */
#include "proxy/detox/unlock.h"

#define FILES_MAX 4096

struct answer_head {
	uint32_t state, tries, seconds, unused;
	uint64_t arrived, until;
};

static int
put(struct buf *out, const void *p, size_t n)
{
	return buf_append(out, (struct bytes){ p, n });
}

static int
put_text(struct buf *out, struct bytes text)
{
	uint16_t n = (uint16_t)text.n;

	return text.n > UINT16_MAX || put(out, &n, sizeof(n)) < 0
	    ? -1
	    : buf_append(out, text);
}

static bool
take(struct bytes *b, void *out, size_t n)
{
	struct bytes got = bytes_take(b, n);

	if (got.n != n)
		return false;
	memcpy(out, got.p, n);
	return true;
}

static bool
take_text(struct bytes *b, size_t max, struct bytes *out)
{
	uint16_t n;

	if (!take(b, &n, sizeof(n)) || n > max)
		return false;
	*out = bytes_take(b, n);
	return out->n == n;
}

int
unlock_order_pack(const struct unlock_order *o, struct buf *out)
{
	return put(out, o->token, sizeof(o->token)) < 0 ||
		put_text(out, o->body) < 0 || put_text(out, o->client) < 0 ||
		put_text(out, o->password) < 0
	    ? -1
	    : 0;
}

int
unlock_order_unpack(struct unlock_order *o, struct bytes b)
{
	*o = (struct unlock_order){ 0 };
	return take(&b, o->token, sizeof(o->token)) &&
		take_text(&b, 32, &o->body) && take_text(&b, 64, &o->client) &&
		take_text(&b, DETOX_PASSWORD_MAX, &o->password) && b.n == 0
	    ? 0
	    : -1;
}

int
unlock_hint_pack(const struct unlock_hint *h, struct buf *out)
{
	if (put_text(out, h->sender) < 0 || put_text(out, h->recipient) < 0)
		return -1;
	for (size_t i = 0; i < h->passwords.n; i++)
		if (put_text(out, h->passwords.all[i]) < 0)
			return -1;
	return 0;
}

int
unlock_hint_unpack(struct unlock_hint *h, struct bytes b)
{
	struct detox_passwords *p = &h->passwords;

	*h = (struct unlock_hint){ 0 };
	if (!take_text(&b, 1024, &h->sender) ||
	    !take_text(&b, 1024, &h->recipient))
		return -1;
	for (; b.n > 0; p->n++)
		if (p->n == DETOX_HINTS_MAX ||
		    !take_text(&b, DETOX_HINT_MAX, &p->all[p->n]) ||
		    p->all[p->n].n == 0)
			return -1;
	return 0;
}

int
unlock_answer_pack(const struct unlock_answer *a, struct buf *out)
{
	const struct answer_head h = { .state = a->state,
		.tries = a->tries,
		.seconds = a->seconds,
		.arrived = a->arrived,
		.until = a->until };

	return put(out, &h, sizeof(h)) < 0 || put_text(out, a->sender) < 0 ||
		put_text(out, a->subject) < 0 || put_text(out, a->files) < 0
	    ? -1
	    : 0;
}

int
unlock_answer_unpack(struct unlock_answer *a, struct bytes b)
{
	struct answer_head h;

	*a = (struct unlock_answer){ 0 };
	if (!take(&b, &h, sizeof(h)) || h.state >= UNLOCK_STATES ||
	    h.unused != 0 || !take_text(&b, 1024, &a->sender) ||
	    !take_text(&b, 1024, &a->subject) ||
	    !take_text(&b, FILES_MAX, &a->files) || b.n > 0)
		return -1;
	a->state = (enum unlock_state)h.state;
	a->tries = h.tries;
	a->seconds = h.seconds;
	a->arrived = h.arrived;
	a->until = h.until;
	return 0;
}

void
unlock_token_text(
    const uint8_t token[UNLOCK_TOKEN_N], char out[UNLOCK_TOKEN_HEX + 1])
{
	for (size_t i = 0; i < UNLOCK_TOKEN_N; i++)
		snprintf(out + 2 * i, 3, "%02x", token[i]);
}

int
unlock_token_parse(uint8_t out[UNLOCK_TOKEN_N], struct bytes text)
{
	if (text.n != UNLOCK_TOKEN_HEX)
		return -1;
	for (size_t i = 0; i < UNLOCK_TOKEN_N; i++) {
		int high = byte_hex(text.p[2 * i]);
		int low = byte_hex(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}
