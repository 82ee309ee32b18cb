/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a policy: https://mta-sts.DOMAIN/.well-known/mta-sts.txt. No
 * redirection is followed, and nothing but text is read (RFC 8461 section
 * 3.3). */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/buf.h"
#include "proxy/http/h1.h"
#include "proxy/smtp/sts_state.h"
#include "proxy/upstream/race.h"
#include "proxy/upstream/reach.h"

/* The first mail to a domain waits for it. */
#define FETCH_MS 10000
#define ADDRESSES_TRIED_MAX 4
#define READ_MAX 16384

static const struct h1_limits limits = {
	.head_max = 16384,
	.fields_max = 100,
	.chunk_line_max = 256,
	.trailer_max = 1024,
};

struct sts_fetch {
	struct sts *sts;
	struct resolve_wait *resolving;
	struct race *race;
	struct stream *stream;
	struct timer *timer;
	struct h1 h1;
	struct arena arena;
	struct message head;
	struct buf text;
	bool shaken;
	const char *why; /* it is over; the timer tells it */
	char host[HOST_MAX + 1];
	void (*done)(void *owner, const struct sts_policy *p, const char *why);
	void *owner;
};

void
sts_fetch_cancel(struct sts_fetch *f)
{
	if (f == NULL)
		return;
	resolver_cancel(f->resolving);
	race_free(f->race);
	stream_free(f->stream);
	timer_free(f->timer);
	h1_release(&f->h1);
	arena_release(&f->arena);
	buf_release(&f->text);
	free(f);
}

static void
finish(struct sts_fetch *f, const struct sts_policy *p, const char *why)
{
	void (*done)(void *, const struct sts_policy *, const char *) = f->done;
	void *owner = f->owner;

	sts_fetch_cancel(f);
	done(owner, p, why);
}

static void
due(void *owner)
{
	struct sts_fetch *f = owner;

	finish(f, NULL, f->why != NULL ? f->why : "no answer in time");
}

/* From wherever it is, so told by the loop. */
static void
fail(struct sts_fetch *f, const char *why)
{
	if (f->stream != NULL)
		stream_want_read(f->stream, false);
	f->why = why;
	timer_start(f->timer, 0);
}

/* The answer. */

static const char *
judge_head(const struct message *m)
{
	const struct field *type = message_field(m, FIELD_CONTENT_TYPE);
	struct bytes value;

	if (m->status != 200)
		return "the policy's page is not there";
	if (type == NULL)
		return "the policy's page is no text";
	value = type->value;
	value = bytes_trim(bytes_take_until(&value, ';'));
	return bytes_equal_nocase(value, BYTES("text/plain"))
	    ? NULL
	    : "the policy's page is no text";
}

static void
whole(struct sts_fetch *f)
{
	struct sts_policy p;
	const char *why;

	if (sts_policy_parse(&p, buf_bytes(&f->text), &why) < 0)
		fail(f, why);
	else
		finish(f, &p, NULL);
}

/* true: there may be more. f may be gone else. */
static bool
take(struct sts_fetch *f, enum h1_event event, struct bytes body)
{
	const char *why;

	switch (event) {
	case H1_BAD:
		fail(f, f->h1.why);
		return false;
	case H1_MORE:
		return false;
	case H1_HEAD:
		if (f->head.status / 100 == 1)
			return true;
		why = judge_head(&f->head);
		if (why == NULL)
			return true;
		fail(f, why);
		return false;
	case H1_BODY:
		if (buf_append(&f->text, body) == 0)
			return true;
		fail(f, "the policy is too long");
		return false;
	case H1_END:
		/* An interim answer ends, too. */
		if (f->head.status / 100 == 1)
			return true;
		whole(f);
		return false;
	}
	return false;
}

static void
hear(struct sts_fetch *f, struct bytes in)
{
	struct bytes body;
	enum h1_event event;

	do {
		/* Behind the head it is for a trailer, and the head's fields
		 * would be taken for one. */
		struct message m = { 0 };

		event = h1_next(&f->h1, &in, &f->arena, &m, &body);
		if (event == H1_HEAD)
			f->head = m;
	} while (take(f, event, body));
}

static void
ask(struct sts_fetch *f)
{
	char text[HOST_MAX + 128];
	int n = snprintf(text, sizeof(text),
	    "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: %s\r\n"
	    "Accept: text/plain\r\nConnection: close\r\n\r\n",
	    f->host);

	f->shaken = true;
	stream_write(f->stream, (struct bytes){ (uint8_t *)text, (size_t)n });
	stream_want_read(f->stream, true);
}

static void
shake(struct sts_fetch *f)
{
	switch (stream_handshake(f->stream)) {
	case HANDSHAKE_WAIT:
	case HANDSHAKE_SUSPENDED:
		break;
	case HANDSHAKE_DONE:
		ask(f);
		break;
	case HANDSHAKE_FAILED:
		fail(f, "TLS of the policy's host does not hold");
		break;
	}
}

static void
look(void *owner)
{
	static uint8_t room[READ_MAX];
	struct sts_fetch *f = owner;
	size_t n;

	if (f->why != NULL)
		return;
	if (!f->shaken) {
		shake(f);
		return;
	}
	switch (stream_read(f->stream, room, sizeof(room), &n)) {
	case STREAM_WAIT:
		break;
	case STREAM_READ:
		hear(f, (struct bytes){ room, n });
		break;
	case STREAM_END:
		if (h1_eof(&f->h1) == H1_END)
			whole(f);
		else
			fail(f, "the policy is cut short");
		break;
	case STREAM_CUT:
	case STREAM_FAILED:
		fail(f, "the policy is cut short");
		break;
	}
}

static void
drained(void *owner)
{
	struct sts_fetch *f = owner;

	if (!f->shaken && f->why == NULL)
		shake(f);
}

/* The way there. */

static SSL *
new_ssl(struct sts_fetch *f)
{
	SSL *ssl = SSL_new(f->sts->ctx);

	must(ssl != NULL);
	SSL_set_hostflags(ssl,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	must(SSL_set1_host(ssl, f->host) == 1);
	must(SSL_set_tlsext_host_name(ssl, f->host) == 1);
	SSL_set_connect_state(ssl);
	return ssl;
}

static const struct stream_events events = {
	.on_readable = look,
	.on_drained = drained,
};

static void
connected(void *owner, int fd, const struct address *a, const char *words)
{
	struct sts_fetch *f = owner;

	(void)a;
	race_free(f->race);
	f->race = NULL;
	if (fd < 0) {
		fail(f, words);
		return;
	}
	f->stream = stream_new(f->sts->loop, fd, &events, f);
	stream_tls(f->stream, new_ssl(f));
	shake(f);
}

static void
reach(struct sts_fetch *f, const struct addresses *all)
{
	static const struct zone nowhere = { 0 };
	const struct sts *s = f->sts;
	const struct zone *z = s->permitted == NULL ? &nowhere : s->permitted;
	struct address left[ADDRESSES_TRIED_MAX];
	size_t n = 0;

	for (size_t i = 0; i < all->n && n < ADDRESSES_TRIED_MAX; i++) {
		if (reach_judge(&all->a[i], z, &s->upstream->reach) != NULL)
			continue;
		left[n] = all->a[i];
		left[n++].port = s->port;
	}
	if (n == 0)
		fail(f, "the policy's host has no address to go to");
	else
		f->race = race_new(
		    s->loop, left, n, s->upstream->race_delay_ms, connected, f);
}

static void
resolved(void *owner, const struct addresses *all)
{
	struct sts_fetch *f = owner;

	f->resolving = NULL;
	reach(f, all);
}

struct sts_fetch *
sts_fetch_new(struct sts *s, struct bytes domain,
    void (*done)(void *owner, const struct sts_policy *p, const char *why),
    void *owner)
{
	struct sts_fetch *f = calloc(1, sizeof(*f));
	struct addresses all;

	must(f != NULL);
	f->sts = s;
	f->done = done;
	f->owner = owner;
	snprintf(
	    f->host, sizeof(f->host), "mta-sts.%.*s", BYTES_PRINTF(domain));
	h1_init(&f->h1, H1_RESPONSES, &limits);
	buf_init(&f->text, STS_POLICY_MAX);
	f->timer = timer_new(s->loop, due, f);
	timer_start(f->timer, FETCH_MS);
	f->resolving =
	    resolver_get(s->resolver, bytes_of(f->host), &all, resolved, f);
	if (f->resolving == NULL)
		reach(f, &all);
	return f;
}
