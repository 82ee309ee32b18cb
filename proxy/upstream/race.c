/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/race.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct attempt {
	struct race *race;
	struct address address;
	int fd; /* -1: not begun, or failed */
	struct watch *watch;
};

struct race {
	struct loop *loop;
	uint64_t delay_ms;
	struct timer *timer; /* the next attempt is due */
	size_t n, begun, failed;
	void (*done)(
	    void *owner, int fd, const struct address *a, const char *words);
	void *owner;
	char words[128];
	struct attempt attempts[];
};

static void begin_next(void *owner);

static void
end_attempt(struct attempt *a)
{
	watch_free(a->watch);
	a->watch = NULL;
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

static void
fail(struct attempt *a, int error)
{
	struct race *r = a->race;
	char text[ADDRESS_TEXT_MAX];

	end_attempt(a);
	r->failed++;
	snprintf(r->words, sizeof(r->words), "%s: %s",
	    address_text_port(&a->address, text),
	    error == ECONNREFUSED ? "connection refused"
		: error == ENETUNREACH || error == EHOSTUNREACH
		? "no route to the address"
		: error == ETIMEDOUT ? "no answer"
				     : "cannot be connected to");
	/* The next one at once; when all have failed, that is told, from the
	 * loop and not from under our caller. */
	timer_start(r->timer, 0);
}

static void
win(struct attempt *a)
{
	struct race *r = a->race;
	int fd = a->fd;

	watch_free(a->watch);
	a->watch = NULL;
	a->fd = -1;
	r->done(r->owner, fd, &a->address, NULL);
}

static void
writable(void *owner, unsigned events)
{
	struct attempt *a = owner;
	int error = 0;
	socklen_t n = sizeof(error);

	(void)events;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	if (error == 0)
		win(a);
	else
		fail(a, error);
}

static void
begin(struct attempt *a)
{
	struct sockaddr_storage sa;
	socklen_t n = address_to_sockaddr(&a->address, &sa);
	int on = 1;

	a->fd =
	    socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0) {
		fail(a, errno);
		return;
	}
	setsockopt(a->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(a->fd, (struct sockaddr *)&sa, n) < 0 &&
	    errno != EINPROGRESS) {
		fail(a, errno);
		return;
	}
	a->watch = watch_new(a->race->loop, a->fd, writable, a);
	if (a->watch == NULL)
		fail(a, ENOMEM);
	else
		watch_want(a->watch, WATCH_WRITE);
}

static void
begin_next(void *owner)
{
	struct race *r = owner;

	if (r->failed == r->n) {
		r->done(r->owner, -1, NULL, r->words);
		return;
	}
	if (r->begun == r->n)
		return;
	if (r->begun + 1 < r->n)
		timer_start(r->timer, r->delay_ms);
	begin(&r->attempts[r->begun++]);
}

/* IPv6 first, then in turn (RFC 8305 section 4). */
static void
order(struct race *r, const struct address *addresses, size_t n)
{
	size_t next[2] = { 0, 0 };
	bool v4 = false;

	while (r->n < n) {
		size_t *at = &next[v4];

		while (*at < n && address_is_v4(&addresses[*at]) != v4)
			++*at;
		if (*at < n)
			r->attempts[r->n++] = (struct attempt){ .race = r,
				.address = addresses[(*at)++],
				.fd = -1 };
		v4 = !v4;
	}
}

struct race *
race_new(struct loop *l, const struct address *addresses, size_t n,
    uint64_t delay_ms,
    void (*done)(
	void *owner, int fd, const struct address *a, const char *words),
    void *owner)
{
	struct race *r = calloc(1, sizeof(*r) + n * sizeof(*r->attempts));

	must(r != NULL && n > 0);
	r->loop = l;
	r->delay_ms = delay_ms;
	r->done = done;
	r->owner = owner;
	order(r, addresses, n);
	r->timer = timer_new(l, begin_next, r);
	begin_next(r);
	return r;
}

void
race_free(struct race *r)
{
	if (r == NULL)
		return;
	timer_free(r->timer);
	for (size_t i = 0; i < r->n; i++)
		end_attempt(&r->attempts[i]);
	free(r);
}
