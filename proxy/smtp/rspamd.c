/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/rspamd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "proxy/smtp/rspamd_talk.h"

#define CHUNK ((size_t)16384) /* of an answer, read at once */

struct rspamd {
	const struct rspamd_settings *settings;
	struct loop *loop;
	struct rspamd_ask *first, *last; /* those that wait */
	size_t active;
	struct timer *turn; /* so that no callback comes from rspamd_ask */
};

struct rspamd_ask {
	struct rspamd *rspamd;
	struct rspamd_ask *next; /* in line */
	struct rspamd_question question;
	const struct rspamd_asker *asker;
	void *owner;
	bool active;
	int fd;
	struct watch *watch;
	struct timer *timer;
	struct buf head;
	struct bytes content;
	size_t sent; /* of the head and the content */
	bool deaf;   /* the peer takes no more, and may have answered */
	struct rspamd_talk talk;
};

static void
start_turn(struct rspamd *r)
{
	if (r->first != NULL && r->active < r->settings->connections_max)
		timer_start(r->turn, 0);
}

static void
leave_line(struct rspamd_ask *a)
{
	struct rspamd *r = a->rspamd;
	struct rspamd_ask **at = &r->first;
	struct rspamd_ask *before = NULL;

	while (*at != a) {
		before = *at;
		at = &(*at)->next;
	}
	*at = a->next;
	if (r->last == a)
		r->last = before;
}

void
rspamd_cancel(struct rspamd_ask *a)
{
	if (a == NULL)
		return;
	if (a->active)
		a->rspamd->active--;
	else
		leave_line(a);
	start_turn(a->rspamd);
	watch_free(a->watch);
	timer_free(a->timer);
	if (a->fd >= 0)
		close(a->fd);
	buf_release(&a->head);
	rspamd_talk_release(&a->talk);
	free(a);
}

static void
tell(struct rspamd_ask *a, const struct rspamd_verdict *v, bool answered)
{
	const struct rspamd_asker *asker = a->asker;
	void *owner = a->owner;

	rspamd_cancel(a);
	asker->done(owner, v, answered);
}

static void
fail(struct rspamd_ask *a, const char *what, const char *why)
{
	struct rspamd_verdict v = { 0 };

	snprintf(v.words, sizeof(v.words), "%s%s", what, why);
	tell(a, &v, false);
}

static void
out_of_time(void *owner)
{
	fail(owner, "", "no answer in its time");
}

static size_t
left(const struct rspamd_ask *a)
{
	return a->head.n + a->content.n - a->sent;
}

/* False: the question is over, and gone. */
static bool
send_some(struct rspamd_ask *a)
{
	struct bytes parts[2] = { buf_bytes(&a->head), a->content };
	struct iovec v[2];
	struct msghdr m = { .msg_iov = v };
	size_t skip = a->sent;
	ssize_t n;

	for (size_t i = 0; i < 2; i++) {
		skip -= bytes_take(&parts[i], skip).n;
		if (parts[i].n > 0)
			v[m.msg_iovlen++] =
			    (struct iovec){ .iov_base =
						(void *)(uintptr_t)parts[i].p,
				    .iov_len = parts[i].n };
	}
	n = sendmsg(a->fd, &m, MSG_NOSIGNAL);
	if (n >= 0) {
		a->sent += (size_t)n;
		return true;
	}
	if (errno == EAGAIN || errno == EINTR)
		return true;
	/* Who answers early and closes has answered all the same. */
	if (errno == EPIPE || errno == ECONNRESET) {
		a->deaf = true;
		return true;
	}
	fail(a, "send: ", strerror(errno));
	return false;
}

static bool
receive_some(struct rspamd_ask *a)
{
	uint8_t chunk[CHUNK];
	struct rspamd_verdict v;
	ssize_t n = recv(a->fd, chunk, sizeof(chunk), 0);
	int judged;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < 0) {
		fail(a, "", strerror(errno));
		return false;
	}
	switch (
	    rspamd_talk_hear(&a->talk, (struct bytes){ chunk, (size_t)n })) {
	case RSPAMD_BROKEN:
		fail(a, "", a->talk.why);
		return false;
	case RSPAMD_MORE:
		return true;
	case RSPAMD_WHOLE:
		break;
	}
	judged = rspamd_judge(&v, buf_bytes(&a->talk.body));
	tell(a, &v, judged == 0);
	return false;
}

static void
on_ready(void *owner, unsigned events)
{
	struct rspamd_ask *a = owner;
	bool sends;

	if ((events & WATCH_READ) != 0 && !receive_some(a))
		return;
	if ((events & WATCH_WRITE) != 0 && left(a) > 0 && !a->deaf &&
	    !send_some(a))
		return;
	sends = left(a) > 0 && !a->deaf;
	watch_want(a->watch, sends ? WATCH_READ | WATCH_WRITE : WATCH_READ);
}

/* A socket that connects, or -1 and errno. */
static int
begin_connect(const struct address *at)
{
	struct sockaddr_storage to = { 0 };
	socklen_t n = address_to_sockaddr(at, &to);
	int fd =
	    socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, n) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void
begin(struct rspamd_ask *a)
{
	struct rspamd *r = a->rspamd;

	leave_line(a);
	a->active = true;
	r->active++;
	if (a->asker->content(a->owner, &a->content) < 0) {
		rspamd_cancel(a);
		return;
	}
	rspamd_head(&a->head, &a->question, a->content.n);
	a->fd = begin_connect(&r->settings->at);
	if (a->fd >= 0)
		a->watch = watch_new(r->loop, a->fd, on_ready, a);
	if (a->watch == NULL) {
		fail(a, "connect: ", strerror(errno));
		return;
	}
	timer_start(a->timer, r->settings->timeout_ms);
	watch_want(a->watch, WATCH_READ | WATCH_WRITE);
}

static void
take_turns(void *owner)
{
	struct rspamd *r = owner;

	while (r->first != NULL && r->active < r->settings->connections_max)
		begin(r->first);
}

struct rspamd *
rspamd_new(const struct rspamd_settings *s, struct loop *l)
{
	struct rspamd *r = calloc(1, sizeof(*r));

	must(r != NULL);
	*r = (struct rspamd){ .settings = s, .loop = l };
	r->turn = timer_new(l, take_turns, r);
	return r;
}

struct rspamd_ask *
rspamd_ask(struct rspamd *r, const struct rspamd_question *q,
    const struct rspamd_asker *asker, void *owner)
{
	struct rspamd_ask *a = calloc(1, sizeof(*a));

	must(a != NULL);
	*a = (struct rspamd_ask){ .rspamd = r,
		.question = *q,
		.asker = asker,
		.owner = owner,
		.fd = -1 };
	buf_init(&a->head, RSPAMD_HEAD_MAX);
	rspamd_talk_init(&a->talk);
	a->timer = timer_new(r->loop, out_of_time, a);
	*(r->last != NULL ? &r->last->next : &r->first) = a;
	r->last = a;
	start_turn(r);
	return a;
}
