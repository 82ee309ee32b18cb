/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail_load: a source and a sink of mail, for bench/mail.
 *
 *	mail_load sink PORT
 *	mail_load send PORT FROM TO FILE MAILS SESSIONS PER_SESSION PACE TALK
 *
 * The sink takes all and answers STAT with "250 MAILS SUM BYTES". The source
 * sends FILE (with CRLF and stuffed dots, without the last one), each time
 * with a Message-ID of its own before it; PACE: mails per second, 0: as fast
 * as it goes; TALK: "pipelined" or "stepwise". It prints one line of JSON. Sums
 * are over the mails' numbers, so that one lost and one doubled are seen.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define LINE 4096
#define HEAD 4096 /* of a mail, where its number stands */
#define CARRY 4   /* bytes of an end of content that another read begins */
#define READ ((size_t)1 << 17)
#define RUN_MAX_US (uint64_t)180000000
#define SOURCE "127.0.9.9"
#define NUMBER "Message-ID: <bench."

static int poller;
static char room[CARRY + READ];

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* A number as one of 64 random bits. */
static uint64_t
scatter(uint64_t v)
{
	v = (v + 1) * UINT64_C(0x9e3779b97f4a7c15);
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return v ^ v >> 27;
}

static struct sockaddr_in
loopback(const char *port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static void
set_nodelay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void
watch(int fd, int what, uint32_t events, void *owner)
{
	struct epoll_event e = { .events = events, .data.ptr = owner };

	if (epoll_ctl(poller, what, fd, &e) < 0)
		die("epoll_ctl");
}

static void
say(int fd, const char *words)
{
	size_t n = strlen(words);

	/* Far less than a socket takes. */
	if (send(fd, words, n, MSG_NOSIGNAL) != (ssize_t)n && errno == EAGAIN)
		die("send");
}

/* The sink. */

struct taker {
	int fd;
	bool in_content;
	char line[LINE];
	size_t line_n;
	char carry[CARRY];
	char head[HEAD + 1];
	size_t head_n;
};

static struct {
	uint64_t mails, sum, bytes;
} taken;

static void
take_mail(struct taker *t)
{
	char *at;

	t->head[t->head_n] = '\0';
	at = strstr(t->head, NUMBER);
	taken.mails++;
	if (at != NULL)
		taken.sum += scatter(strtoull(at + strlen(NUMBER), NULL, 10));
	t->in_content = false;
	say(t->fd, "250 2.0.0 taken\r\n");
}

/* False: it is over. */
static bool
take_command(struct taker *t)
{
	char told[128];

	if (strncasecmp(t->line, "EHLO", 4) == 0) {
		say(t->fd,
		    "250-sink\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n"
		    "250-8BITMIME\r\n250-SMTPUTF8\r\n"
		    "250 ENHANCEDSTATUSCODES\r\n");
	} else if (strncasecmp(t->line, "DATA", 4) == 0) {
		say(t->fd, "354 go on\r\n");
		t->in_content = true;
		t->head_n = 0;
		memcpy(t->carry, "\n\n\r\n", CARRY);
	} else if (strncasecmp(t->line, "QUIT", 4) == 0) {
		say(t->fd, "221 2.0.0 bye\r\n");
		return false;
	} else if (strncasecmp(t->line, "STAT", 4) == 0) {
		snprintf(told, sizeof(told), "250 %llu %llu %llu\r\n",
		    (unsigned long long)taken.mails,
		    (unsigned long long)taken.sum,
		    (unsigned long long)taken.bytes);
		say(t->fd, told);
	} else {
		say(t->fd, "250 2.0.0 ok\r\n");
	}
	return true;
}

/* p: CARRY bytes that were seen before, then n. How many of n it took. */
static size_t
take_content(struct taker *t, char *p, size_t n)
{
	char *end;
	size_t took;
	size_t more;

	memcpy(p, t->carry, CARRY);
	end = memmem(p, CARRY + n, "\r\n.\r\n", 5);
	took = end == NULL ? n : (size_t)(end + 5 - p) - CARRY;
	more = took < HEAD - t->head_n ? took : HEAD - t->head_n;
	memcpy(t->head + t->head_n, p + CARRY, more);
	t->head_n += more;
	taken.bytes += took;
	memcpy(t->carry, p + took, CARRY);
	if (end != NULL)
		take_mail(t);
	return took;
}

static bool
hear_taker(struct taker *t, size_t n)
{
	size_t at = 0;

	while (at < n) {
		char c;

		if (t->in_content) {
			/* What stands before it was looked at. */
			at += take_content(t, room + at, n - at);
			continue;
		}
		c = room[CARRY + at++];
		if (t->line_n + 1 < LINE)
			t->line[t->line_n++] = c;
		if (c != '\n')
			continue;
		t->line[t->line_n] = '\0';
		t->line_n = 0;
		if (!take_command(t))
			return false;
	}
	return true;
}

static void
accept_all(int listener)
{
	struct taker *t;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		set_nodelay(fd);
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			die("calloc");
		t->fd = fd;
		watch(fd, EPOLL_CTL_ADD, EPOLLIN, t);
		say(fd, "220 sink ESMTP\r\n");
	}
}

static void
serve(struct taker *t)
{
	ssize_t n = recv(t->fd, room + CARRY, READ, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0 && hear_taker(t, (size_t)n))
		return;
	close(t->fd);
	free(t);
}

static _Noreturn void
sink(const char *port)
{
	struct sockaddr_in at = loopback(port);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 4096) < 0)
		die("listen");
	watch(listener, EPOLL_CTL_ADD, EPOLLIN, NULL);
	for (;;) {
		struct epoll_event ready[EVENTS];
		int n = epoll_wait(poller, ready, EVENTS, -1);

		for (int i = 0; i < n; i++)
			if (ready[i].data.ptr == NULL)
				accept_all(listener);
			else
				serve(ready[i].data.ptr);
	}
}

/* The source. */

enum state {
	IDLE = 0,
	CONNECTING,
	BANNER,
	HELLO,
	SENDER,
	RECIPIENT,
	DATA,
	CONTENT, /* not all of it is sent */
	END,
	QUITTING,
};

struct source {
	int fd;
	enum state state;
	size_t sent; /* mails of this connection */
	uint64_t number, due_us;
	char reply[LINE];
	size_t reply_n;
	char front[128]; /* before the file */
	size_t front_n;
	size_t at; /* of front and file */
};

static struct {
	struct sockaddr_in to;
	const char *from, *recipient;
	char *file;
	size_t file_n;
	uint64_t mails, sessions, per_session;
	double pace;
	bool pipelined;
} order;

static struct {
	uint64_t begun, acknowledged, sum, refused, lost;
	uint64_t began_us;
	uint64_t *took_us;
} run;

static void
load_file(const char *name)
{
	struct stat st;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0)
		die(name);
	order.file_n = (size_t)st.st_size;
	order.file = malloc(order.file_n + 3);
	if (order.file == NULL ||
	    read(fd, order.file, order.file_n) != (ssize_t)order.file_n)
		die(name);
	memcpy(order.file + order.file_n, ".\r\n", 3);
	order.file_n += 3;
	close(fd);
}

static void
drop(struct source *s)
{
	close(s->fd);
	s->state = IDLE;
}

static void
lose(struct source *s)
{
	run.lost += s->state != QUITTING;
	drop(s);
}

static bool
is_due(void)
{
	return run.begun < order.mails &&
	    (order.pace == 0 ||
		(double)(now_us() - run.began_us) * order.pace >=
		    1e6 * (double)run.begun);
}

static void
take_number(struct source *s)
{
	s->number = run.begun++;
	s->due_us = order.pace == 0
	    ? now_us()
	    : run.began_us + (uint64_t)(1e6 * (double)s->number / order.pace);
	s->front_n = (size_t)snprintf(s->front, sizeof(s->front),
	    NUMBER "%llu@bench.test>\r\n", (unsigned long long)s->number);
	s->at = 0;
}

/* From an address of loopback that may be told from others. */
static void
connect_one(struct source *s)
{
	const struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = inet_addr(SOURCE),
	};
	int one = 1;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		die("socket");
	set_nodelay(s->fd);
	setsockopt(
	    s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(s->fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
		die("bind");
	s->sent = 0;
	s->reply_n = 0;
	s->state = CONNECTING;
	if (connect(s->fd, (struct sockaddr *)&order.to, sizeof(order.to)) <
		0 &&
	    errno != EINPROGRESS)
		die("connect");
	watch(s->fd, EPOLL_CTL_ADD, EPOLLIN, s);
}

static void
say_sender(struct source *s)
{
	char words[1024];

	snprintf(words, sizeof(words),
	    order.pipelined ? "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n"
			    : "MAIL FROM:<%s>\r\n",
	    order.from, order.recipient);
	s->state = SENDER;
	say(s->fd, words);
}

static void
say_recipient(struct source *s)
{
	char words[512];

	s->state = RECIPIENT;
	if (order.pipelined)
		return;
	snprintf(words, sizeof(words), "RCPT TO:<%s>\r\n", order.recipient);
	say(s->fd, words);
}

static void
say_data(struct source *s)
{
	s->state = DATA;
	if (!order.pipelined)
		say(s->fd, "DATA\r\n");
}

static void
send_content(struct source *s)
{
	while (s->at < s->front_n + order.file_n) {
		size_t in_front = s->at < s->front_n ? s->front_n - s->at : 0;
		size_t in_file = s->at > s->front_n ? s->at - s->front_n : 0;
		struct iovec v[2] = {
			{ s->front + s->front_n - in_front, in_front },
			{ order.file + in_file, order.file_n - in_file },
		};
		ssize_t n = writev(s->fd, v, 2);

		if (n < 0 && errno == EAGAIN) {
			watch(s->fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT, s);
			s->state = CONTENT;
			return;
		}
		if (n < 0) {
			lose(s);
			return;
		}
		s->at += (size_t)n;
	}
	if (s->state == CONTENT)
		watch(s->fd, EPOLL_CTL_MOD, EPOLLIN, s);
	s->state = END;
}

static void
end_mail(struct source *s)
{
	run.took_us[run.acknowledged++] = now_us() - s->due_us;
	run.sum += scatter(s->number);
	s->sent++;
	if (s->sent < order.per_session && is_due()) {
		take_number(s);
		say_sender(s);
		return;
	}
	say(s->fd, "QUIT\r\n");
	s->state = QUITTING;
}

static void
hear_reply(struct source *s, unsigned code)
{
	if (code >= 400) {
		fprintf(stderr, "refused: %.*s", 200, s->reply);
		run.refused++;
		drop(s);
		return;
	}
	switch (s->state) {
	case CONNECTING:
	case BANNER:
		s->state = HELLO;
		say(s->fd, "EHLO client.bench.test\r\n");
		break;
	case HELLO:
		say_sender(s);
		break;
	case SENDER:
		say_recipient(s);
		break;
	case RECIPIENT:
		say_data(s);
		break;
	case DATA:
		send_content(s);
		break;
	case END:
		end_mail(s);
		break;
	case QUITTING:
		drop(s);
		break;
	case IDLE:
	case CONTENT:
		lose(s);
		break;
	}
}

static void
hear(struct source *s)
{
	ssize_t n =
	    recv(s->fd, s->reply + s->reply_n, LINE - 1 - s->reply_n, 0);
	char *line = s->reply;
	char *lf;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		lose(s);
		return;
	}
	s->reply_n += (size_t)n;
	s->reply[s->reply_n] = '\0';
	while (s->state != IDLE && (lf = strchr(line, '\n')) != NULL) {
		bool last = lf - line < 4 || line[3] != '-';
		unsigned code = (unsigned)strtoul(line, NULL, 10);

		line = lf + 1;
		if (last)
			hear_reply(s, code);
	}
	s->reply_n -= (size_t)(line - s->reply);
	memmove(s->reply, line, s->reply_n);
}

/* Whether some session has work. */
static bool
begin_due(struct source *all)
{
	bool any = false;

	for (uint64_t i = 0; i < order.sessions; i++) {
		if (all[i].state == IDLE && is_due()) {
			take_number(&all[i]);
			connect_one(&all[i]);
		}
		any = any || all[i].state != IDLE;
	}
	return any;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static void
report(void)
{
	uint64_t n = run.acknowledged;

	qsort(run.took_us, n, sizeof(*run.took_us), compare);
	printf("{\"acknowledged\": %llu, \"sum\": %llu, \"refused\": %llu,"
	       " \"lost\": %llu, \"us\": %llu, \"p50_us\": %llu,"
	       " \"p99_us\": %llu}\n",
	    (unsigned long long)n, (unsigned long long)run.sum,
	    (unsigned long long)run.refused, (unsigned long long)run.lost,
	    (unsigned long long)(now_us() - run.began_us),
	    (unsigned long long)(n == 0 ? 0 : run.took_us[n / 2]),
	    (unsigned long long)(n == 0 ? 0 : run.took_us[n * 99 / 100]));
}

static int
source(void)
{
	struct source *all = calloc(order.sessions, sizeof(*all));

	run.took_us = calloc(order.mails, sizeof(*run.took_us));
	run.began_us = now_us();
	if (all == NULL || run.took_us == NULL)
		die("calloc");
	while ((begin_due(all) || run.begun < order.mails) &&
	    now_us() - run.began_us < RUN_MAX_US) {
		struct epoll_event ready[EVENTS];
		int n =
		    epoll_wait(poller, ready, EVENTS, order.pace > 0 ? 1 : 20);

		for (int i = 0; i < n; i++) {
			struct source *s = ready[i].data.ptr;

			if (s->state == CONTENT &&
			    (ready[i].events & EPOLLOUT) != 0)
				send_content(s);
			if (s->state != IDLE &&
			    (ready[i].events & ~(uint32_t)EPOLLOUT) != 0)
				hear(s);
		}
	}
	report();
	return 0;
}

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	poller = epoll_create1(0);
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		sink(argv[2]);
	if (argc != 11 || strcmp(argv[1], "send") != 0) {
		fprintf(stderr, "mail_load: see its source\n");
		return 2;
	}
	order.to = loopback(argv[2]);
	order.from = argv[3];
	order.recipient = argv[4];
	load_file(argv[5]);
	order.mails = strtoull(argv[6], NULL, 10);
	order.sessions = strtoull(argv[7], NULL, 10);
	order.per_session = strtoull(argv[8], NULL, 10);
	order.pace = strtod(argv[9], NULL);
	order.pipelined = strcmp(argv[10], "pipelined") == 0;
	return source();
}
