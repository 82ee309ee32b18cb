/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/accept.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/base/log.h"

#define BURST 64
#define REST_MS 200

struct acceptor {
	int fd;
	void (*taken)(void *owner, const void *listener, int fd,
	    const struct address *peer);
	void *owner;
	const void *listener;
	struct watch *watch;
	struct timer *rest; /* runs when descriptors ran out */
};

static bool
is_short_of_descriptors(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	    error == ENOMEM;
}

static void
go_on(void *owner)
{
	struct acceptor *a = owner;

	watch_want(a->watch, WATCH_READ);
}

static void
rest(struct acceptor *a)
{
	log_say(EVENT_FAILURE, "no connection can be accepted now: %m");
	watch_want(a->watch, 0);
	timer_start(a->rest, REST_MS);
}

static void
ready(void *owner, unsigned events)
{
	struct acceptor *a = owner;

	(void)events;
	for (int i = 0; i < BURST; i++) {
		struct sockaddr_storage sa;
		socklen_t n = sizeof(sa);
		struct address peer;
		int fd = accept4(a->fd, (struct sockaddr *)&sa, &n,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (is_short_of_descriptors(errno))
				rest(a);
			return;
		}
		if (address_from_sockaddr(&peer, (struct sockaddr *)&sa) < 0)
			close(fd);
		else
			a->taken(a->owner, a->listener, fd, &peer);
	}
}

struct acceptor *
acceptor_new(struct loop *l, int fd,
    void (*taken)(
	void *owner, const void *listener, int fd, const struct address *peer),
    void *owner, const void *listener)
{
	struct acceptor *a = calloc(1, sizeof(*a));

	must(a != NULL);
	a->fd = fd;
	a->taken = taken;
	a->owner = owner;
	a->listener = listener;
	a->watch = watch_new(l, fd, ready, a);
	must(a->watch != NULL);
	a->rest = timer_new(l, go_on, a);
	watch_want(a->watch, WATCH_READ);
	return a;
}

void
acceptor_free(struct acceptor *a)
{
	if (a == NULL)
		return;
	timer_free(a->rest);
	watch_free(a->watch);
	close(a->fd);
	free(a);
}
