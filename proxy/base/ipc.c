/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MAX 4096
#define BURST_MAX 64 /* messages taken before other work gets its turn */

struct header {
	uint32_t type;
	uint32_t job;
};

struct queued {
	struct queued *next;
	struct header header;
	int fd;
	size_t n;
	uint8_t body[];
};

struct channel {
	int fd;
	struct watch *watch;
	void (*message)(void *owner, const struct ipc_message *m);
	void (*gone)(void *owner);
	void *owner;
	struct queued *first;
	struct queued **last;
	size_t queued;
	bool calling; /* a callback of the owner runs */
	bool freed;   /* by it; the memory goes when it returns */
};

int
ipc_pair(int ends_out[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		0, ends_out) < 0)
		return err_set(e, "socketpair: %m");
	return 0;
}

union control {
	struct cmsghdr align;
	uint8_t room[CMSG_SPACE(sizeof(int))];
};

static ssize_t
send_now(int fd, const struct header *h, struct bytes body, int passed)
{
	struct iovec parts[2] = {
		{ .iov_base = (void *)(uintptr_t)h, .iov_len = sizeof(*h) },
		{ .iov_base = (void *)(uintptr_t)body.p, .iov_len = body.n },
	};
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	union control control = { 0 };
	struct cmsghdr *c;

	if (passed >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed, sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

static void
drop_first(struct channel *c)
{
	struct queued *q = c->first;

	c->first = q->next;
	if (c->first == NULL)
		c->last = &c->first;
	c->queued--;
	if (q->fd >= 0)
		close(q->fd);
	/* It may be a secret, and lie in what a child gets. */
	explicit_bzero(q->body, q->n);
	free(q);
}

static void
send_queued(struct channel *c)
{
	while (c->first != NULL) {
		struct queued *q = c->first;

		if (send_now(c->fd, &q->header, (struct bytes){ q->body, q->n },
			q->fd) < 0 &&
		    (errno == EAGAIN || errno == EINTR))
			return;
		drop_first(c);
	}
	watch_want(c->watch, WATCH_READ);
}

int
channel_send(
    struct channel *c, uint32_t type, uint32_t job, struct bytes body, int fd)
{
	struct header h = { type, job };
	struct queued *q;

	if (body.n > IPC_BODY_MAX)
		return -1;
	if (c->first == NULL) {
		if (send_now(c->fd, &h, body, fd) >= 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -1;
	}
	if (c->queued == QUEUE_MAX)
		return -1;
	q = calloc(1, sizeof(*q) + body.n);
	must(q != NULL);
	q->header = h;
	q->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	q->n = body.n;
	if (body.n > 0)
		memcpy(q->body, body.p, body.n);
	*c->last = q;
	c->last = &q->next;
	c->queued++;
	watch_want(c->watch, WATCH_READ | WATCH_WRITE);
	return 0;
}

/* The one descriptor of a message, or -1. Others are closed, and the message
 * counts as cut: alignment leaves room for two where we want one. */
static int
passed_fd(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	size_t n;
	int fds[2];

	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS)
		return -1;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	must(n >= 1 && n <= COUNT(fds));
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	if (n == 1)
		return fds[0];
	close(fds[1]);
	m->msg_flags |= MSG_CTRUNC;
	return fds[0];
}

enum received {
	RECEIVED_GONE = 0,
	RECEIVED_NOTHING,
	RECEIVED_MESSAGE
};

static enum received
receive(int fd, struct header *h, uint8_t body[IPC_BODY_MAX],
    struct ipc_message *out)
{
	struct iovec parts[2] = {
		{ .iov_base = h, .iov_len = sizeof(*h) },
		{ .iov_base = body, .iov_len = IPC_BODY_MAX },
	};
	union control control = { 0 };
	struct msghdr m = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

	/* The other end closed before it had read all of ours. The kernel
	 * tells that once, and first: its last words still wait. */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return RECEIVED_NOTHING;
	if (n < 0)
		return RECEIVED_GONE;
	out->fd = passed_fd(&m);
	if ((size_t)n < sizeof(*h) ||
	    (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		if (out->fd >= 0)
			close(out->fd);
		return RECEIVED_GONE;
	}
	out->type = h->type;
	out->job = h->job;
	out->body = (struct bytes){ body, (size_t)n - sizeof(*h) };
	return RECEIVED_MESSAGE;
}

/* One message to the owner; false when there is no next one for now. */
static bool
take_message(struct channel *c)
{
	uint8_t body[IPC_BODY_MAX];
	struct header h;
	struct ipc_message m;

	switch (receive(c->fd, &h, body, &m)) {
	case RECEIVED_MESSAGE:
		c->message(c->owner, &m);
		explicit_bzero(body, m.body.n);
		return true;
	case RECEIVED_NOTHING:
		return false;
	case RECEIVED_GONE:
		watch_want(c->watch, 0);
		c->gone(c->owner);
		return false;
	}
	return false;
}

static void
channel_ready(void *owner, unsigned events)
{
	struct channel *c = owner;

	if ((events & WATCH_WRITE) != 0)
		send_queued(c);
	c->calling = true;
	for (int i = 0; i < BURST_MAX && !c->freed; i++)
		if (!take_message(c))
			break;
	c->calling = false;
	if (c->freed)
		free(c);
}

void
channel_read(struct channel *c)
{
	channel_ready(c, 0);
}

struct channel *
channel_new(struct loop *l, int fd,
    void (*message)(void *owner, const struct ipc_message *m),
    void (*gone)(void *owner), void *owner)
{
	struct channel *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->fd = fd;
	c->message = message;
	c->gone = gone;
	c->owner = owner;
	c->last = &c->first;
	c->watch = watch_new(l, fd, channel_ready, c);
	must(c->watch != NULL);
	watch_want(c->watch, WATCH_READ);
	return c;
}

void
channel_free(struct channel *c)
{
	if (c == NULL)
		return;
	while (c->first != NULL)
		drop_first(c);
	watch_free(c->watch);
	close(c->fd);
	c->freed = true;
	if (!c->calling)
		free(c);
}
