/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/spool_record.h"

#include <endian.h>

/* Where the members stand; all numbers are little-endian. */
enum {
	AT_KEY = 0,
	AT_SUM = 8, /* over all that follows, up to the content */
	AT_CONTENT_SUM = 16,
	AT_CONTENT_N = 24,
	AT_DURABLE = 32,
	AT_ABOUT_N = 40,
	AT_NOTE_N = 44,
	AT_MOVED = 48,
	AT_TYPE = 52,
	AT_ID = 56,
	AT_REST = AT_ID + SPOOL_ID_MAX, /* zeros */
};

static uint64_t
get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static void
put64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static void
put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline uint64_t
turn(uint64_t v, int by)
{
	return v << by | v >> (64 - by);
}

static inline void
mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = turn(v[1], 13) ^ v[0];
	v[3] = turn(v[3], 16) ^ v[2];
	v[0] = turn(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = turn(v[3], 21) ^ v[0];
	v[1] = turn(v[1], 17) ^ v[2];
	v[2] = turn(v[2], 32);
}

static inline void
take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
}

void
sum_init(struct sum *s, uint64_t key, uint64_t tweak)
{
	*s = (struct sum){
		.v = { key ^ 0x736f6d6570736575, tweak ^ 0x646f72616e646f6d,
		    key ^ 0x6c7967656e657261, tweak ^ 0x7465646279746573 }
	};
}

void
sum_add(struct sum *s, struct bytes b)
{
	uint64_t v[4];

	for (; b.n > 0 && s->n % 8 != 0; s->n++) {
		s->rest |= (uint64_t)*bytes_take(&b, 1).p << s->n % 8 * 8;
		if (s->n % 8 == 7) {
			take(s->v, s->rest);
			s->rest = 0;
		}
	}
	s->n += b.n;
	memcpy(v, s->v, sizeof(v)); /* kept in registers */
	for (; b.n >= 8; b.p += 8, b.n -= 8)
		take(v, get64(b.p));
	memcpy(s->v, v, sizeof(v));
	for (size_t i = 0; i < b.n; i++)
		s->rest |= (uint64_t)b.p[i] << i * 8;
}

uint64_t
sum_end(struct sum *s)
{
	take(s->v, s->rest | s->n << 56);
	s->v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(s->v);
	return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

void
record_content_sum(struct sum *s, struct record_place p)
{
	/* Records begin at multiples of 8: no head's sum has this tweak. */
	sum_init(s, p.key, p.at + 1);
}

size_t
record_front(const struct record *r)
{
	return (size_t)RECORD_HEAD + r->about_n + r->note_n;
}

uint64_t
record_size(const struct record *r)
{
	return (record_front(r) + r->content_n + 7) & ~(uint64_t)7;
}

static uint64_t
front_sum(struct record_place p, const uint8_t *head, struct bytes about,
    struct bytes note)
{
	struct sum s;

	sum_init(&s, p.key, p.at);
	sum_add(&s,
	    (struct bytes){
		head + AT_CONTENT_SUM, RECORD_HEAD - AT_CONTENT_SUM });
	sum_add(&s, about);
	sum_add(&s, note);
	return sum_end(&s);
}

void
record_encode(uint8_t out[RECORD_HEAD], const struct record *r,
    struct record_place p, struct bytes about, struct bytes note)
{
	memset(out, 0, RECORD_HEAD);
	put64(out + AT_KEY, p.key);
	put64(out + AT_CONTENT_SUM, r->content_sum);
	put64(out + AT_CONTENT_N, r->content_n);
	put64(out + AT_DURABLE, r->durable);
	put32(out + AT_ABOUT_N, r->about_n);
	put32(out + AT_NOTE_N, r->note_n);
	put32(out + AT_MOVED, r->moved);
	put32(out + AT_TYPE, r->type);
	memcpy(out + AT_ID, r->id, strnlen(r->id, SPOOL_ID_MAX));
	put64(out + AT_SUM, front_sum(p, out, about, note));
}

bool
record_begins(const uint8_t word[8], struct record_place p)
{
	return get64(word) == p.key;
}

bool
record_decode(
    struct record *out, const uint8_t head[RECORD_HEAD], struct record_place p)
{
	uint32_t type = get32(head + AT_TYPE);

	*out = (struct record){
		.moved = get32(head + AT_MOVED),
		.about_n = get32(head + AT_ABOUT_N),
		.note_n = get32(head + AT_NOTE_N),
		.content_n = get64(head + AT_CONTENT_N),
		.content_sum = get64(head + AT_CONTENT_SUM),
		.durable = get64(head + AT_DURABLE),
	};
	memcpy(out->id, head + AT_ID, SPOOL_ID_MAX);
	if (!record_begins(head + AT_KEY, p) || type < RECORD_ADD ||
	    type > RECORD_END || head[AT_REST - 1] != '\0' ||
	    out->about_n > SPOOL_TEXT_MAX || out->note_n > SPOOL_TEXT_MAX ||
	    out->content_n > RECORD_CONTENT_MAX)
		return false;
	out->type = (enum record_type)type;
	return true;
}

bool
record_holds(struct bytes front, struct record_place p)
{
	struct bytes rest = { front.p + RECORD_HEAD, front.n - RECORD_HEAD };

	return get64(front.p + AT_SUM) ==
	    front_sum(p, front.p, rest, (struct bytes){ 0 });
}
