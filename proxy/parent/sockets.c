/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/parent/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

static int
socket_error(const struct socket_want *l, struct err *e)
{
	if (errno == EADDRINUSE)
		return err_set(
		    e, "%s: the port is in use by another program", l->words);
	return err_set(e, "%s: cannot listen: %m", l->words);
}

/* Never taken back: without rules of the kernel it changes nothing. */
static int
allow_tproxy(int fd, const struct socket_want *l, struct err *e)
{
	int on = 1;
	int result = address_is_v4(&l->at)
	    ? setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on))
	    : setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));

	return result == 0 ? 0
			   : err_set(e,
				 "%s: cannot listen for tproxy, which needs"
				 " CAP_NET_RAW: %m",
				 l->words);
}

static int
bind_one(const struct socket_want *l, bool shared, struct err *e)
{
	struct sockaddr_storage sa;
	socklen_t n = address_to_sockaddr(&l->at, &sa);
	int on = 1;
	int fd =
	    socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return socket_error(l, e);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sa, n) == 0)
		return fd;
	socket_error(l, e);
	close(fd);
	return -1;
}

/*
 * SO_REUSEPORT would let us share a port with another program of root's, and
 * its clients with it: a first bind without it finds out.
 */
static int
probe(const struct socket_want *l, struct err *e)
{
	int fd = bind_one(l, false, e);

	if (fd < 0)
		return -1;
	if (listen(fd, 1) < 0) {
		socket_error(l, e);
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static int
open_one(struct sockets *s, const struct socket_want *l, struct err *e)
{
	int fd;

	if (s->n == SOCKETS_MAX)
		return err_set(
		    e, "more than %d listening sockets", SOCKETS_MAX);
	fd = bind_one(l, true, e);
	if (fd < 0)
		return -1;
	if (listen(fd, (int)l->backlog) < 0) {
		socket_error(l, e);
		close(fd);
		return -1;
	}
	s->all[s->n] = (struct listening){ .at = l->at, .fd = fd };
	s->n++;
	return 0;
}

static size_t
count_open(const struct sockets *s, const struct socket_want *l)
{
	size_t have = 0;

	for (size_t i = 0; i < s->n; i++)
		if (address_equal(&s->all[i].at, &l->at))
			have++;
	return have;
}

/* Those of the listener, new and old, are as it wants them. */
static int
prepare(struct sockets *s, const struct socket_want *l, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		struct listening *one = &s->all[i];

		if (!address_equal(&one->at, &l->at))
			continue;
		if (l->tproxy && !one->tproxy &&
		    allow_tproxy(one->fd, l, e) < 0)
			return -1;
		one->tproxy |= l->tproxy;
		one->wanted = true;
	}
	return 0;
}

int
sockets_open(
    struct sockets *s, const struct socket_want *wants, size_t n, struct err *e)
{
	size_t before = s->n;

	for (size_t i = 0; i < s->n; i++)
		s->all[i].wanted = false;
	for (size_t i = 0; i < n; i++) {
		size_t have = count_open(s, &wants[i]);

		if (have == 0 && probe(&wants[i], e) < 0)
			goto close_new;
		for (; have < wants[i].count; have++)
			if (open_one(s, &wants[i], e) < 0)
				goto close_new;
		if (prepare(s, &wants[i], e) < 0)
			goto close_new;
	}
	return 0;

close_new:
	while (s->n > before)
		close(s->all[--s->n].fd);
	for (size_t i = 0; i < s->n; i++)
		s->all[i].wanted = true;
	return -1;
}

void
sockets_close_unwanted(struct sockets *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->all[i].wanted)
			s->all[kept++] = s->all[i];
		else
			close(s->all[i].fd);
	s->n = kept;
}

void
sockets_close_all(struct sockets *s)
{
	while (s->n > 0)
		close(s->all[--s->n].fd);
}

size_t
sockets_at(const struct sockets *s, const struct address *at, size_t nth,
    size_t of, int *fds_out, size_t max)
{
	size_t count = 0;
	size_t k = 0;

	for (size_t i = 0; i < s->n; i++)
		if (address_equal(&s->all[i].at, at) && k++ % of == nth &&
		    count < max)
			fds_out[count++] = s->all[i].fd;
	return count;
}
