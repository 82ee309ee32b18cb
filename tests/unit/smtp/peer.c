/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/smtp/peer.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 20000

struct side {
	int fd;
	SSL *ssl;
	size_t n, at;
	char bytes[65536];
};

static int
bind_at(int type, uint32_t address, uint16_t port, uint16_t *port_out)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(address),
		.sin_port = htons(port) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*port_out = ntohs(a.sin_port);
	return fd;
}

static int
bind_free(int type, uint16_t *port_out)
{
	return bind_at(type, INADDR_LOOPBACK, 0, port_out);
}

uint16_t
peer_nowhere(void)
{
	uint16_t port;

	close(bind_free(SOCK_STREAM, &port));
	return port;
}

/* Its backlog is full. The descriptors end with the test's process. */
uint16_t
peer_deaf(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t port;
	int fd = bind_free(SOCK_STREAM, &port);

	ck_assert_int_eq(listen(fd, 0), 0);
	a.sin_port = htons(port);
	for (int i = 0; i < 4; i++) {
		fd = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		ck_assert_int_ge(fd, 0);
		(void)connect(fd, (struct sockaddr *)&a, sizeof(a));
	}
	return port;
}

/* In the peer's process a failure is an exit code and a line for who looks. */
static _Noreturn void
die(const char *what, const char *line)
{
	fprintf(stderr, "peer: %s: %s\n", what, line);
	_exit(1);
}

static void
say(struct side *s, const char *text, size_t n)
{
	if (n == 0)
		return;
	if (s->ssl != NULL)
		(void)SSL_write(s->ssl, text, (int)n);
	else
		(void)send(s->fd, text, n, MSG_NOSIGNAL);
}

/* The next byte, or -1 at the end. */
static int
next(struct side *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	ssize_t n;

	if (s->at < s->n)
		return (unsigned char)s->bytes[s->at++];
	if ((s->ssl == NULL || SSL_pending(s->ssl) == 0) &&
	    poll(&p, 1, WAIT_MS) != 1)
		die("nothing comes", "");
	n = s->ssl != NULL ? SSL_read(s->ssl, s->bytes, sizeof(s->bytes))
			   : recv(s->fd, s->bytes, sizeof(s->bytes), 0);
	if (n <= 0)
		return -1;
	s->n = (size_t)n;
	s->at = 1;
	return (unsigned char)s->bytes[0];
}

static void
expect(struct side *s, const char *want)
{
	char line[1024] = { 0 };
	size_t n = 0;
	int c;

	while (n < sizeof(line) - 1 && (c = next(s)) >= 0 && c != '\n')
		line[n++] = (char)c;
	if (strncmp(line, want, strlen(want)) != 0)
		die(want, line);
}

/* To its last dot; how many bytes without it, and without stuffed dots. */
static size_t
content(struct side *s)
{
	size_t n = 0, line_n = 0;
	char line[2] = { 0 };
	int c;

	while ((c = next(s)) >= 0) {
		if (line_n < 2)
			line[line_n] = (char)c;
		line_n++;
		if (c != '\n')
			continue;
		if (line_n == 3 && line[0] == '.')
			return n;
		n += line_n - (line[0] == '.' ? 1 : 0);
		line_n = 0;
	}
	return SIZE_MAX;
}

static void
begin_tls(struct side *s, SSL_CTX *ctx)
{
	s->ssl = SSL_new(ctx);
	if (s->ssl == NULL || SSL_set_fd(s->ssl, s->fd) != 1)
		die("no TLS", "");
	/* The client may not want to go on with this certificate. */
	(void)SSL_accept(s->ssl);
}

/* In one piece. */
static void
say_lines(struct side *s, const char *line)
{
	char text[1024];
	size_t n = 0;

	for (; *line != '\0' && n < sizeof(text) - 4; line++) {
		text[n++] = *line;
		if (*line == '\r')
			text[n++] = '\n';
	}
	memcpy(text + n, "\r\n", 2);
	say(s, text, n + 2);
}

static void
act(struct side *s, const char *line, SSL_CTX *ctx)
{
	switch (line[0]) {
	case '<':
		say_lines(s, line + 1);
		break;
	case '>':
		expect(s, line + 1);
		break;
	case '=':
		if (content(s) != strtoul(line + 1, NULL, 10))
			die("another content", line);
		break;
	case '*':
		begin_tls(s, ctx);
		break;
	case '!':
		say(s, "no TLS at all\r\n", 15);
		break;
	case '~':
		usleep((useconds_t)strtoul(line + 1, NULL, 10) * 1000);
		break;
	case '.':
		if (next(s) >= 0)
			die("the client goes on", s->bytes);
		break;
	default:
		die("no word of peer.h", line);
	}
}

static void
serve(int fd, const char *script, SSL_CTX *ctx)
{
	static struct side s;
	char *words = strdup(script);
	char *rest = words;
	char *line;

	s = (struct side){ .fd = fd };
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			act(&s, line, ctx);
	if (s.ssl != NULL)
		SSL_shutdown(s.ssl);
	SSL_free(s.ssl);
	close(fd);
	free(words);
}

static struct peer
start(int listener, uint16_t port, const char *const *connections, size_t n,
    SSL_CTX *ctx)
{
	struct peer p = { .port = port };
	int fd;

	ck_assert_int_eq(listen(listener, 16), 0);
	p.pid = fork();
	ck_assert_int_ge(p.pid, 0);
	if (p.pid > 0) {
		close(listener);
		return p;
	}
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < n; i++) {
		struct pollfd ready = { .fd = listener, .events = POLLIN };

		if (poll(&ready, 1, WAIT_MS) != 1)
			die("no connection", connections[i]);
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			die("no connection", connections[i]);
		serve(fd, connections[i], ctx);
	}
	_exit(0);
}

struct peer
peer_new(const char *const *connections, size_t n, SSL_CTX *ctx)
{
	uint16_t port;
	int fd = bind_free(SOCK_STREAM, &port);

	return start(fd, port, connections, n, ctx);
}

struct peer
peer_beside(const struct peer *p, const char *const *connections, size_t n,
    SSL_CTX *ctx)
{
	uint16_t port;
	int fd = bind_at(SOCK_STREAM, INADDR_LOOPBACK + 1, p->port, &port);

	return start(fd, port, connections, n, ctx);
}

void
peer_end(struct peer *p)
{
	int status;

	ck_assert_int_eq(waitpid(p->pid, &status, 0), p->pid);
	ck_assert_msg(
	    WIFEXITED(status) && WEXITSTATUS(status) == 0, "see the peer");
}

void
peer_kill(struct peer *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}

/* The name server. */

static size_t
put16(uint8_t *out, unsigned value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return 2;
}

/* The name of the question with dots; where its type stands. */
static size_t
read_name(const uint8_t *message, size_t n, char out[256])
{
	size_t at = 12, out_n = 0;

	while (at < n && message[at] != 0 && at + message[at] < n) {
		memcpy(out + out_n, message + at + 1, message[at]);
		out_n += message[at];
		out[out_n++] = '.';
		at += message[at] + 1u;
	}
	out[out_n > 0 ? out_n - 1 : 0] = '\0';
	return at + 1;
}

static size_t
answer(const struct peer_record *r, uint8_t *message, size_t question_n,
    unsigned type)
{
	size_t n = question_n;
	unsigned count = 0;

	for (size_t i = 0; i < COUNT(r->data); i++) {
		if (r->type != type || r->data[i].p == NULL)
			continue;
		count++;
		n += put16(message + n, 0xc00c);
		n += put16(message + n, type);
		n += put16(message + n, 1);
		n += put16(message + n, 0);
		n += put16(message + n, 60);
		n += put16(message + n, (unsigned)r->data[i].n);
		memcpy(message + n, r->data[i].p, r->data[i].n);
		n += r->data[i].n;
	}
	put16(message + 2, 0x8180u | (unsigned)r->code);
	put16(message + 6, count);
	put16(message + 8, 0);
	put16(message + 10, 0);
	return n;
}

static const struct peer_record *
find(const struct peer_record *records, size_t n, const char *name,
    unsigned type)
{
	const struct peer_record *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (strcasecmp(records[i].name, name) == 0 &&
		    (found == NULL || records[i].type == type))
			found = &records[i];
	return found;
}

static _Noreturn void
answer_names(int fd, const struct peer_record *records, size_t n)
{
	uint8_t message[2048];
	char name[256];
	struct sockaddr_in from;
	socklen_t from_n;
	ssize_t got;

	for (;;) {
		const struct peer_record *r;
		size_t at;
		unsigned type;

		from_n = sizeof(from);
		got = recvfrom(
		    fd, message, 512, 0, (struct sockaddr *)&from, &from_n);
		if (got < 17)
			continue;
		at = read_name(message, (size_t)got, name);
		type = message[at] * 256u + message[at + 1];
		r = find(records, n, name, type);
		if (r != NULL)
			(void)sendto(fd, message,
			    answer(r, message, at + 4, type), 0,
			    (struct sockaddr *)&from, from_n);
	}
}

struct peer
peer_names(const struct peer_record *records, size_t n)
{
	struct peer p;
	int fd = bind_free(SOCK_DGRAM, &p.port);

	p.pid = fork();
	ck_assert_int_ge(p.pid, 0);
	if (p.pid == 0)
		answer_names(fd, records, n);
	close(fd);
	return p;
}
