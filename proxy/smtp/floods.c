/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/floods.h"

#include <stdatomic.h>

#define HOUR_MS (60 * 60 * (uint64_t)1000)
#define USUAL_WEIGHT 8

/* Capitals do not matter. */
static uint64_t
hash(const struct floods *f, struct bytes text)
{
	uint64_t h = f->secret;
	uint8_t small[64];

	while (text.n > 0) {
		struct bytes piece = bytes_take(
		    &text, text.n < sizeof(small) ? text.n : sizeof(small));

		for (size_t i = 0; i < piece.n; i++) {
			uint8_t c = piece.p[i];

			small[i] = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
		}
		h = bytes_hash_secret((struct bytes){ small, piece.n }, h);
	}
	return h == 0 ? 1 : h;
}

/* Another hour began: the last one becomes part of what is usual. Its counts
 * are gone before it is another, for who finds half of this done. */
static void
turn(struct floods_row *r, uint64_t hour)
{
	if (hour <= r->hour)
		return;
	if (r->recipients > 0) {
		uint32_t weight =
		    r->hours < USUAL_WEIGHT ? r->hours + 1 : USUAL_WEIGHT;

		r->usual += (uint32_t)(((int64_t)r->recipients - r->usual) /
		    (int64_t)weight);
		r->hours++;
	}
	r->recipients = r->failed = r->distinct = 0;
	r->told = false;
	memset(r->bits, 0, sizeof(r->bits));
	atomic_signal_fence(memory_order_seq_cst);
	r->hour = hour;
}

static struct floods_row *
row_of(struct floods *f, struct bytes sender, uint64_t now_ms)
{
	uint64_t key = hash(f, sender);
	struct floods_row *set = f->rows[key % FLOODS_SETS];
	struct floods_row *r = set;

	for (size_t i = 0; i < FLOODS_WAYS; i++) {
		if (set[i].key == key) {
			r = &set[i];
			break;
		}
		if (set[i].used_ms < r->used_ms)
			r = &set[i];
	}
	if (r->key != key)
		*r =
		    (struct floods_row){ .key = key, .hour = now_ms / HOUR_MS };
	turn(r, now_ms / HOUR_MS);
	r->used_ms = now_ms;
	return r;
}

static void
count(uint32_t *n)
{
	if (*n < UINT32_MAX)
		++*n;
}

void
floods_recipient(struct floods *f, struct bytes sender, struct bytes recipient,
    uint64_t now_ms)
{
	struct floods_row *r = row_of(f, sender, now_ms);
	uint64_t h = hash(f, recipient);
	uint64_t *word = &r->bits[h / 64 % COUNT(r->bits)];
	uint64_t bit = UINT64_C(1) << h % 64;

	count(&r->recipients);
	r->distinct += (*word & bit) == 0;
	*word |= bit;
}

void
floods_failed(struct floods *f, struct bytes sender, uint64_t now_ms)
{
	count(&row_of(f, sender, now_ms)->failed);
}

/* News letters and what machines send. */
static bool
is_bulk(const struct mail_settings *s, struct bytes sender)
{
	for (size_t i = 0; i < s->bulk_senders.n; i++)
		if (bytes_equal_nocase(sender, bytes_of(s->bulk_senders.p[i])))
			return true;
	return false;
}

static bool
is_over(uint64_t n, uint64_t max)
{
	return max > 0 && n > max;
}

static uint64_t
most_usual(const struct mail_settings *s, const struct floods_row *r)
{
	uint64_t most = (uint64_t)s->sender_usual_times * r->usual;

	if (r->hours < FLOODS_KNOWN_HOURS || s->sender_usual_times == 0)
		return 0;
	return most > FLOODS_USUAL_MIN ? most : FLOODS_USUAL_MIN;
}

enum flood
floods_judge(struct floods *f, const struct mail_settings *s,
    struct bytes sender, uint64_t now_ms, struct flood_counts *out)
{
	struct floods_row *r = row_of(f, sender, now_ms);

	*out = (struct flood_counts){
		.recipients = r->recipients,
		.distinct = r->distinct,
		.failed = r->failed,
		.usual = r->hours < FLOODS_KNOWN_HOURS ? 0 : r->usual,
	};
	if (is_bulk(s, sender))
		return FLOOD_GO;
	if (is_over(r->recipients, s->sender_recipients_per_hour))
		out->limit = "sender_recipients_per_hour";
	else if (is_over(r->distinct, s->sender_distinct_per_hour))
		out->limit = "sender_distinct_per_hour";
	else if (is_over(r->failed, s->sender_failed_per_hour))
		out->limit = "sender_failed_per_hour";
	else if (is_over(r->recipients, most_usual(s, r)))
		out->limit = "sender_usual_times";
	else
		return FLOOD_GO;
	out->first = !r->told;
	r->told = true;
	return FLOOD_HOLD;
}
