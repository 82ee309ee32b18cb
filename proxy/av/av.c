/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/av/av.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/av/talk.h"
#include "proxy/base/address.h"

struct av_ask {
	struct talk talk;
	struct loop *loop;
	int fd;
	struct watch *watch;
	struct timer *timer;
	size_t sent; /* of talk.out */
	bool deaf;   /* the peer takes no more */
	bool over;   /* done is due */
	void (*done)(void *owner, const struct av_answer *a);
	void *owner;
};

static void
ask_free(struct av_ask *a)
{
	watch_free(a->watch);
	timer_free(a->timer);
	if (a->fd >= 0)
		close(a->fd);
	talk_release(&a->talk);
	free(a);
}

/* done may free what the question was about. */
static void
finish(struct av_ask *a)
{
	struct av_answer answer = a->talk.answer;
	void (*done)(void *owner, const struct av_answer *a) = a->done;
	void *owner = a->owner;

	ask_free(a);
	done(owner, &answer);
}

static void
fail(struct av_ask *a, const char *what)
{
	char words[AV_WORDS_MAX];

	snprintf(words, sizeof(words), "%s: %s", what, strerror(errno));
	talk_answer(&a->talk, AV_FAILED, bytes_of(words));
	finish(a);
}

static void
on_time(void *owner)
{
	struct av_ask *a = owner;

	if (!a->over)
		talk_answer(
		    &a->talk, AV_FAILED, BYTES("no answer in its time"));
	finish(a);
}

static void
want(struct av_ask *a)
{
	struct buf *out = &a->talk.out;

	if (out->n == 0 && !a->deaf)
		talk_speak(&a->talk);
	watch_want(
	    a->watch, out->n > 0 ? WATCH_READ | WATCH_WRITE : WATCH_READ);
}

/* False: the question is over, and gone. */
static bool
send_some(struct av_ask *a)
{
	struct buf *out = &a->talk.out;
	ssize_t n =
	    send(a->fd, out->p + a->sent, out->n - a->sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	/* Who answers early and closes has answered all the same. */
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
		a->deaf = true;
		n = (ssize_t)(out->n - a->sent);
	}
	if (n < 0) {
		fail(a, "send");
		return false;
	}
	a->sent += (size_t)n;
	if (a->sent == out->n)
		out->n = a->sent = 0;
	return true;
}

static bool
receive_some(struct av_ask *a)
{
	struct buf *in = &a->talk.in;
	ssize_t n;

	must(in->n < in->max && buf_reserve(in, in->max - in->n) == 0);
	n = recv(a->fd, in->p + in->n, in->max - in->n, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < 0) {
		fail(a, "recv");
		return false;
	}
	a->talk.ended = n == 0;
	in->n += (size_t)n;
	if (talk_listen(&a->talk) == TALK_GO_ON)
		return true;
	finish(a);
	return false;
}

static void
on_ready(void *owner, unsigned events)
{
	struct av_ask *a = owner;

	if ((events & WATCH_READ) != 0 && !receive_some(a))
		return;
	if ((events & WATCH_WRITE) != 0 && a->talk.out.n > 0 && !send_some(a))
		return;
	want(a);
}

/* A socket that connects, or -1 and errno. */
static int
begin_connect(const char *text)
{
	struct sockaddr_storage to = { 0 };
	struct sockaddr_un *local = (struct sockaddr_un *)&to;
	struct address address;
	socklen_t n = sizeof(*local);
	int fd;

	if (text[0] == '/') {
		local->sun_family = AF_UNIX;
		snprintf(local->sun_path, sizeof(local->sun_path), "%s", text);
	} else if (address_parse_port(&address, bytes_of(text)) == 0) {
		n = address_to_sockaddr(&address, &to);
	} else {
		errno = EINVAL;
		return -1;
	}
	fd =
	    socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to, n) < 0 &&
	    errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int
av_check(const struct av_scanner *s, struct err *e)
{
	struct sockaddr_un local;
	struct address address;
	struct bytes host, path;

	if (s->address[0] == '/') {
		if (strlen(s->address) >= sizeof(local.sun_path))
			return err_set(e,
			    "scanner \"%s\": the path of the socket is too"
			    " long",
			    s->name);
	} else if (address_parse_port(&address, bytes_of(s->address)) < 0) {
		return err_set(e,
		    "scanner \"%s\": address is \"%s\", expected one such as"
		    " \"127.0.0.1:3310\" or the path of a socket",
		    s->name, s->address);
	}
	if (s->kind == AV_ICAP &&
	    icap_service(bytes_of(s->service), &host, &path) < 0)
		return err_set(e,
		    "scanner \"%s\": service is \"%s\", expected one such as"
		    " \"icap://127.0.0.1:1344/virus_scan\"",
		    s->name, s->service);
	return 0;
}

struct av_ask *
av_ask(struct loop *l, const struct av_scanner *s, struct bytes content,
    const char *name, void (*done)(void *owner, const struct av_answer *a),
    void *owner)
{
	struct av_ask *a = calloc(1, sizeof(*a));
	char words[AV_WORDS_MAX];

	must(a != NULL);
	*a = (struct av_ask){ .loop = l, .done = done, .owner = owner };
	talk_init(&a->talk, s, content, name);
	a->timer = timer_new(l, on_time, a);
	a->fd = begin_connect(s->address);
	if (a->fd >= 0)
		a->watch = watch_new(l, a->fd, on_ready, a);
	if (a->watch == NULL) {
		snprintf(words, sizeof(words), "connect: %s", strerror(errno));
		talk_answer(&a->talk, AV_FAILED, bytes_of(words));
		a->over = true;
		timer_start(a->timer, 0);
		return a;
	}
	timer_start(a->timer, s->timeout_ms);
	want(a);
	return a;
}

void
av_cancel(struct av_ask *a)
{
	ask_free(a);
}
