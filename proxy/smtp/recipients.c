/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/recipients.h"

#include <stdlib.h>

#define ROWS 8192 /* a power of two */
#define KEY_MAX 384

/* A row is the newest of those that meet in it. */
struct row {
	uint64_t until_ms;
	struct smtp_reply reply;
	size_t key_n;
	uint8_t key[KEY_MAX];
};

struct recipients {
	const struct mail_settings *settings;
	struct out *out;
	struct loop *loop;
	struct row *rows[ROWS];
};

struct recipients_wait {
	struct recipients *all;
	struct inquiry *inquiry;
	size_t key_n;
	uint8_t key[KEY_MAX];
	void (*done)(void *owner, const struct smtp_reply *reply);
	void *owner;
};

struct recipients *
recipients_new(const struct mail_settings *s, struct out *o, struct loop *l)
{
	struct recipients *r = calloc(1, sizeof(*r));

	must(r != NULL);
	r->settings = s;
	r->out = o;
	r->loop = l;
	return r;
}

void
recipients_free(struct recipients *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < ROWS; i++)
		free(r->rows[i]);
	free(r);
}

/* "route\0address"; 0: too long to be kept. */
static size_t
make_key(uint8_t key[KEY_MAX], const struct mail_route *route,
    const struct mail_recipient *recipient)
{
	size_t name_n = strlen(route->name) + 1;
	struct bytes address = recipient->address.text;

	if (name_n + address.n > KEY_MAX)
		return 0;
	memcpy(key, route->name, name_n);
	memcpy(key + name_n, address.p, address.n);
	return name_n + address.n;
}

static size_t
place_of(const uint8_t *key, size_t n)
{
	return bytes_hash((struct bytes){ key, n }) % ROWS;
}

static void
keep(struct recipients *r, const uint8_t *key, size_t n,
    const struct smtp_reply *reply)
{
	size_t place = place_of(key, n);
	struct row *row = r->rows[place];

	if (n == 0)
		return;
	if (row == NULL)
		row = calloc(1, sizeof(*row));
	must(row != NULL);
	row->until_ms = loop_now_ms(r->loop) +
	    (reply_is_done(reply) ? r->settings->recipient_ok_ttl_ms
				  : r->settings->recipient_bad_ttl_ms);
	row->reply = *reply;
	row->key_n = n;
	memcpy(row->key, key, n);
	r->rows[place] = row;
}

static void
on_answer(void *owner, const struct smtp_reply *reply)
{
	struct recipients_wait *w = owner;

	if (reply_is_done(reply) || reply_is_final(reply))
		keep(w->all, w->key, w->key_n, reply);
	w->done(w->owner, reply);
	free(w);
}

struct recipients_wait *
recipients_ask(struct recipients *r, const struct mail_route *route,
    const struct mail_recipient *recipient, struct smtp_reply *reply_out,
    void (*done)(void *owner, const struct smtp_reply *reply), void *owner)
{
	struct recipients_wait *w;
	const struct row *row;
	uint8_t key[KEY_MAX];
	size_t n = make_key(key, route, recipient);

	row = r->rows[place_of(key, n)];
	if (row != NULL && row->until_ms > loop_now_ms(r->loop) &&
	    bytes_equal((struct bytes){ row->key, row->key_n },
		(struct bytes){ key, n })) {
		*reply_out = row->reply;
		return NULL;
	}
	w = calloc(1, sizeof(*w));
	must(w != NULL);
	w->all = r;
	w->done = done;
	w->owner = owner;
	w->key_n = n;
	memcpy(w->key, key, n);
	w->inquiry = inquiry_new(r->out, route, recipient, on_answer, w);
	return w;
}

void
recipients_cancel(struct recipients_wait *w)
{
	if (w == NULL)
		return;
	inquiry_cancel(w->inquiry);
	free(w);
}
