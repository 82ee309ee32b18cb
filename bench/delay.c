/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delay PORT TO_PORT MS: passes TCP on loopback on, each byte MS later, in
 * both directions: a line of twice MS for benches, where the kernel has no
 * netem. Ends by a signal.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE ((size_t)65536)
#define PIECES 512 /* on the way at a time: 32 MiB */

struct way {
	int from, to;
	uint64_t delay_us;
	pthread_t thread;
	bool ended;
	size_t first, n; /* of the ring */
	struct piece {
		uint64_t due_us;
		size_t n;
		uint8_t *bytes;
	} ring[PIECES];
};

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int
send_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return -1;
		p += sent;
		n -= (size_t)sent;
	}
	return 0;
}

/* A piece, or the end, which is a piece of no bytes. */
static void
take(struct way *w)
{
	struct piece *p = &w->ring[(w->first + w->n) % PIECES];
	ssize_t n;

	p->bytes = malloc(PIECE);
	n = p->bytes == NULL ? -1 : recv(w->from, p->bytes, PIECE, 0);
	p->n = n > 0 ? (size_t)n : 0;
	w->ended = n <= 0;
	p->due_us = now_us() + w->delay_us;
	w->n++;
}

/* -1: that was the end. */
static int
give(struct way *w)
{
	struct piece *p = &w->ring[w->first];
	int result = p->n == 0 ? -1 : send_all(w->to, p->bytes, p->n);

	free(p->bytes);
	w->first = (w->first + 1) % PIECES;
	w->n--;
	return result;
}

static void
wait_for_either(struct way *w)
{
	struct pollfd fd = { .fd = !w->ended && w->n < PIECES ? w->from : -1,
		.events = POLLIN };
	struct timespec left = { 0 };
	uint64_t due = w->n > 0 ? w->ring[w->first].due_us : 0;
	uint64_t now = now_us();

	if (due > now)
		left.tv_nsec = (long)(due - now) * 1000;
	if (ppoll(&fd, 1, w->n > 0 ? &left : NULL, NULL) > 0)
		take(w);
}

static void *
carry(void *arg)
{
	struct way *w = arg;

	for (;;) {
		while (w->n > 0 && w->ring[w->first].due_us <= now_us())
			if (give(w) < 0)
				goto end;
		wait_for_either(w);
	}
end:
	shutdown(w->to, SHUT_WR);
	shutdown(w->from, SHUT_RD);
	while (w->n > 0)
		(void)give(w);
	return NULL;
}

static int
dial(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Both ways of one connection. */
struct pair {
	struct way up, down;
};

static void *
join(void *arg)
{
	struct pair *p = arg;

	pthread_join(p->up.thread, NULL);
	pthread_join(p->down.thread, NULL);
	close(p->up.from);
	close(p->up.to);
	free(p);
	return NULL;
}

static void
begin(int client, uint16_t port, uint64_t delay_us)
{
	struct pair *p = calloc(1, sizeof(*p));
	int origin = dial(port);
	const int on = 1;
	pthread_t joiner;

	if (p == NULL || origin < 0) {
		free(p);
		close(client);
		return;
	}
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(origin, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	p->up.from = p->down.to = client;
	p->up.to = p->down.from = origin;
	p->up.delay_us = p->down.delay_us = delay_us;
	if (pthread_create(&p->up.thread, NULL, carry, &p->up) != 0 ||
	    pthread_create(&p->down.thread, NULL, carry, &p->down) != 0 ||
	    pthread_create(&joiner, NULL, join, p) != 0 ||
	    pthread_detach(joiner) != 0)
		exit(1);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int on = 1;
	int listener;

	if (argc != 4) {
		fputs("usage: delay PORT TO_PORT MS\n", stderr);
		return 2;
	}
	at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 128) < 0) {
		perror("delay");
		return 1;
	}
	for (;;) {
		int client = accept(listener, NULL, NULL);

		if (client >= 0)
			begin(client, (uint16_t)strtoul(argv[2], NULL, 10),
			    1000 * strtoul(argv[3], NULL, 10));
	}
}
