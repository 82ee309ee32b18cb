/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/probe/attempts.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proxy/probe/names.h"

#define ATTEMPTS_MAX (3 * TRIAL_CANARIES_MAX)
#define NONCE_N 16
#define PORT_DOMAIN 53
#define PORT_NTP 123
#define PAYLOAD_MAX 64
#define READ_MAX 2048

struct attempt {
	struct probe_item *item;
	struct address to;
	int fd; /* -1: it is decided */
	bool is_raw;
	uint8_t nonce[NONCE_N];
	/* Of TCP, when it does not say who called it unreachable: the error,
	 * which is judged when all is over by what UDP heard. */
	int unreachable;
	bool is_unreachable_here;
};

struct attempts {
	struct attempt all[ATTEMPTS_MAX];
	size_t n;
	struct question questions[TRIAL_NAMES_MAX];
	size_t questions_n;
};

static int64_t
clock_ms(void)
{
	struct timespec t;

	must(clock_gettime(CLOCK_BOOTTIME, &t) == 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool
is_own(const struct address *a)
{
	struct ifaddrs *all, *i;
	bool result = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (i = all; i != NULL && !result; i = i->ifa_next) {
		struct address own;

		if (i->ifa_addr == NULL ||
		    address_from_sockaddr(&own, i->ifa_addr) < 0)
			continue;
		own.port = a->port;
		result = address_equal(&own, a);
	}
	freeifaddrs(all);
	return result;
}

static void
decide(struct attempt *a, enum probe_outcome outcome, const char *why,
    const char *more)
{
	probe_say(
	    a->item, outcome, more[0] == '\0' ? "%s%s" : "%s: %s", why, more);
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

/* What a call says at once, before a packet can have come back: what this
 * system itself thinks of going there. */
static void
decide_at_once(struct attempt *a, int error)
{
	switch (error) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EACCES: /* a route that prohibits */
	case EPERM:  /* the system's own packet filter */
	case EINVAL: /* a route that is a black hole */
	case ENODEV:
		decide(a, PROBE_CLOSED, PROBE_WHY_NO_WAY, strerror(error));
		return;
	case ECONNREFUSED:
		decide(a, PROBE_FOUND, PROBE_WHY_RESET, "");
		return;
	case EADDRNOTAVAIL: /* no address of IPv6; of IPv4: no free port */
		if (!address_is_v4(&a->to)) {
			decide(
			    a, PROBE_CLOSED, PROBE_WHY_NO_WAY, strerror(error));
			return;
		}
		break;
	default:
		break;
	}
	decide(a, PROBE_UNTRIED, PROBE_WHY_FAILED, strerror(error));
}

/* No socket could be had. A fence around this program must not look like a
 * closed network; only a kernel without IPv6 is one. */
static void
decide_without_socket(struct attempt *a, int error)
{
	if (error == EAFNOSUPPORT && !address_is_v4(&a->to) &&
	    access("/proc/self/net/dev", R_OK) == 0 &&
	    access("/proc/self/net/if_inet6", F_OK) != 0)
		decide(a, PROBE_CLOSED, PROBE_WHY_NO_WAY, strerror(error));
	else
		decide(a, PROBE_UNTRIED, PROBE_WHY_FAILED, strerror(error));
}

/* Connected, or on its way; false: it is decided, or no socket can be had and
 * errno says why. */
static bool
open_towards(struct attempt *a, int type, int protocol)
{
	struct sockaddr_storage to;
	socklen_t to_n = address_to_sockaddr(&a->to, &to);
	const int on = 1;
	int result;

	a->fd =
	    socket(to.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (a->fd < 0)
		return false;
	/* Who calls it unreachable is told then; by TCP since Linux 5.11. */
	result = to.ss_family == AF_INET
	    ? setsockopt(a->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on))
	    : setsockopt(a->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	if (result < 0 ||
	    (connect(a->fd, (const struct sockaddr *)&to, to_n) < 0 &&
		errno != EINPROGRESS)) {
		decide_at_once(a, errno);
		return false;
	}
	return true;
}

static void
begin_tcp(struct attempt *a)
{
	if (!open_towards(a, SOCK_STREAM, IPPROTO_TCP) &&
	    a->item->detail[0] == '\0')
		decide_without_socket(a, errno);
}

/* What the service of that port would answer: silence of one that does not
 * understand the question proves little. */
static struct bytes
payload_of(const struct attempt *a, uint8_t out[PAYLOAD_MAX])
{
	static const char hex[] = "0123456789abcdef";
	static const uint8_t tail[] = { 7, 'i', 'n', 'v', 'a', 'l', 'i', 'd', 0,
		0, 1, 0, 1 };
	size_t n = 0;

	memset(out, 0, PAYLOAD_MAX);
	if (a->to.port == PORT_NTP) {
		out[0] = 0x23; /* version 4, client */
		memcpy(out + 40, a->nonce, 8);
		return (struct bytes){ out, 48 };
	}
	if (a->to.port != PORT_DOMAIN) {
		memcpy(out, a->nonce, sizeof(a->nonce));
		return (struct bytes){ out, sizeof(a->nonce) };
	}
	memcpy(out, a->nonce, 2);
	out[2] = 1; /* recursion desired */
	out[5] = 1; /* one question: 32 digits, .invalid, A, IN */
	n = 12;
	out[n++] = 2 * NONCE_N;
	for (size_t i = 0; i < NONCE_N; i++) {
		out[n++] = (uint8_t)hex[a->nonce[i] >> 4];
		out[n++] = (uint8_t)hex[a->nonce[i] & 15];
	}
	memcpy(out + n, tail, sizeof(tail));
	return (struct bytes){ out, n + sizeof(tail) };
}

static void
begin_udp(struct attempt *a)
{
	uint8_t payload[PAYLOAD_MAX];
	struct bytes b = payload_of(a, payload);

	if (!open_towards(a, SOCK_DGRAM, IPPROTO_UDP)) {
		if (a->item->detail[0] == '\0')
			decide_without_socket(a, errno);
		return;
	}
	if (send(a->fd, b.p, b.n, MSG_NOSIGNAL) < 0)
		decide_at_once(a, errno);
}

/* RFC 1071, of an even number of bytes. */
static uint16_t
checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

#define ECHO_N (8 + NONCE_N)

/* Its kernel fills in what is its own where the socket is none of the raw. */
static void
make_echo(const struct attempt *a, uint8_t out[ECHO_N])
{
	uint16_t sum;

	memset(out, 0, ECHO_N);
	out[0] = address_is_v4(&a->to) ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	memcpy(out + 4, a->nonce, 4);
	memcpy(out + 8, a->nonce, NONCE_N);
	sum = checksum(out, ECHO_N);
	out[2] = (uint8_t)(sum >> 8);
	out[3] = (uint8_t)sum;
}

static void
begin_icmp(struct attempt *a)
{
	int protocol = address_is_v4(&a->to) ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	uint8_t echo[ECHO_N];

	/* Whoever ping_group_range names may use the first, CAP_NET_RAW the
	 * second. */
	if (!open_towards(a, SOCK_DGRAM, protocol)) {
		if (a->item->detail[0] != '\0')
			return;
		a->is_raw = true;
		if (!open_towards(a, SOCK_RAW, protocol)) {
			if (a->item->detail[0] == '\0')
				decide(a, PROBE_UNTRIED,
				    PROBE_WHY_NOT_PERMITTED, "");
			return;
		}
	}
	make_echo(a, echo);
	if (send(a->fd, echo, sizeof(echo), MSG_NOSIGNAL) < 0)
		decide_at_once(a, errno);
}

/* Readiness. */

static void
judge_error(struct attempt *a, const struct sock_extended_err *ee)
{
	char text[ADDRESS_TEXT_MAX] = "?";
	struct address offender = { 0 };

	if (ee->ee_origin == SO_EE_ORIGIN_LOCAL) {
		a->is_unreachable_here = true;
		decide(a, PROBE_CLOSED, PROBE_WHY_NEIGHBOUR,
		    strerror((int)ee->ee_errno));
		return;
	}
	/* Who said it stands behind: SO_EE_OFFENDER, without its cast. */
	if (address_from_sockaddr(&offender, (const void *)(ee + 1)) == 0) {
		offender.port = 0;
		address_text(&offender, text);
		if (is_own(&offender)) {
			a->is_unreachable_here = true;
			decide(a, PROBE_CLOSED, PROBE_WHY_NEIGHBOUR,
			    strerror((int)ee->ee_errno));
			return;
		}
	}
	decide(a, PROBE_FOUND,
	    ee->ee_errno == ECONNREFUSED ? PROBE_WHY_REFUSED
					 : PROBE_WHY_UNREACHABLE,
	    text);
}

/* Whether there was one. */
static bool
take_error(struct attempt *a)
{
	_Alignas(struct cmsghdr) char control[512];
	char packet[READ_MAX];
	struct iovec iov = { packet, sizeof(packet) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (recvmsg(a->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if ((c->cmsg_level != IPPROTO_IP ||
			c->cmsg_type != IP_RECVERR) &&
		    (c->cmsg_level != IPPROTO_IPV6 ||
			c->cmsg_type != IPV6_RECVERR))
			continue;
		judge_error(a, (const void *)CMSG_DATA(c));
		return true;
	}
	return true;
}

static void
take_tcp(struct attempt *a)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (take_error(a) && a->fd < 0)
		return;
	must(getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0);
	switch (error) {
	case 0:
		decide(a, PROBE_FOUND, PROBE_WHY_CONNECTED, "");
		break;
	case ECONNREFUSED:
	case ECONNRESET:
		decide(a, PROBE_FOUND, PROBE_WHY_RESET, "");
		break;
	case ETIMEDOUT:
		decide(a, PROBE_CLOSED, PROBE_WHY_SILENT, "");
		break;
	default: /* judged when it is known what UDP's attempt heard */
		a->unreachable = error;
		close(a->fd);
		a->fd = -1;
	}
}

/* Of a socket that is not raw the kernel has judged it. */
static bool
is_echo_reply(const struct attempt *a, struct bytes b)
{
	bool is_v4 = address_is_v4(&a->to);

	if (!a->is_raw)
		return true;
	if (is_v4) {
		size_t head_n = b.n > 0 ? 4 * (size_t)(b.p[0] & 15) : 0;

		bytes_take(&b, head_n);
	}
	return b.n >= ECHO_N &&
	    b.p[0] == (is_v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) &&
	    memcmp(b.p + 8, a->nonce, NONCE_N) == 0;
}

static void
take_datagram(struct attempt *a)
{
	uint8_t packet[READ_MAX];
	ssize_t n;

	while (a->fd >= 0 && take_error(a))
		;
	if (a->fd < 0)
		return;
	n = recv(a->fd, packet, sizeof(packet), MSG_DONTWAIT);
	if (n < 0)
		return; /* nothing, or the error that the queue told */
	if (a->item->kind == PROBE_UDP)
		decide(a, PROBE_FOUND, PROBE_WHY_DATAGRAM, "");
	else if (is_echo_reply(a, (struct bytes){ packet, (size_t)n }))
		decide(a, PROBE_FOUND, PROBE_WHY_ECHO, "");
}

static void
take(struct attempt *a)
{
	if (a->item->kind == PROBE_TCP)
		take_tcp(a);
	else
		take_datagram(a);
}

/* One wait; false: nothing is open any more. */
static bool
wait_once(struct attempts *all, int timeout_ms)
{
	struct pollfd fds[ATTEMPTS_MAX + TRIAL_NAMES_MAX] = { 0 };
	const nfds_t n = all->n + all->questions_n;
	size_t open_n = 0;

	for (size_t i = 0; i < all->n; i++)
		fds[i] = (struct pollfd){ all->all[i].fd,
			all->all[i].item->kind == PROBE_TCP ? POLLOUT : POLLIN,
			0 };
	for (size_t i = 0; i < all->questions_n; i++)
		fds[all->n + i] =
		    (struct pollfd){ all->questions[i].fd, POLLIN, 0 };
	for (size_t i = 0; i < n; i++)
		open_n += fds[i].fd >= 0;
	if (open_n == 0)
		return false;
	if (poll(fds, n, timeout_ms) <= 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (fds[i].revents == 0)
			continue;
		if (i < all->n)
			take(&all->all[i]);
		else
			question_take(&all->questions[i - all->n]);
	}
	return true;
}

/* The beginning and the end. */

static void
add(struct attempts *all, enum probe_kind kind, const struct address *to,
    struct probe *out)
{
	struct attempt *a = &all->all[all->n++];
	char text[ADDRESS_TEXT_MAX];

	*a = (struct attempt){ .to = *to, .fd = -1 };
	if (kind == PROBE_ICMP) {
		a->to.port = 0;
		address_text(&a->to, text);
	} else {
		address_text_port(&a->to, text);
	}
	a->item = probe_add(out, kind, text);
	must(a->item != NULL);
	must(getrandom(a->nonce, NONCE_N, 0) == NONCE_N);
	switch (kind) {
	case PROBE_TCP:
		begin_tcp(a);
		break;
	case PROBE_UDP:
		begin_udp(a);
		break;
	case PROBE_ICMP:
		begin_icmp(a);
		break;
	case PROBE_KIND_NONE:
	case PROBE_NAME:
	case PROBE_ROUTE:
	case PROBE_ADDRESS:
	case PROBE_RESOLVER:
	case PROBE_KINDS:
		break;
	}
}

/* Two canaries of one address are one for an echo. */
static bool
is_first_of_address(const struct trial *p, size_t nth)
{
	for (size_t i = 0; i < nth; i++)
		if (memcmp(p->canaries[i].octets, p->canaries[nth].octets,
			sizeof(p->canaries[i].octets)) == 0)
			return false;
	return true;
}

static void
begin(struct attempts *all, const struct trial *p, struct probe *out)
{
	/* First, so that no child inherits the others' sockets. */
	for (size_t i = 0; i < p->names_n; i++) {
		struct question *q = &all->questions[all->questions_n++];

		q->item = probe_add(out, PROBE_NAME, p->names[i]);
		q->when_resolved = p->names_are;
		must(q->item != NULL);
		question_ask(q, p->names[i], p->deadline_s);
	}
	for (size_t i = 0; i < p->canaries_n; i++) {
		add(all, PROBE_TCP, &p->canaries[i], out);
		add(all, PROBE_UDP, &p->canaries[i], out);
		if (is_first_of_address(p, i))
			add(all, PROBE_ICMP, &p->canaries[i], out);
	}
}

/* Whether this system itself called that address unreachable. */
static bool
is_unreachable_here(const struct attempts *all, const struct address *to)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->all[i].is_unreachable_here &&
		    memcmp(all->all[i].to.octets, to->octets,
			sizeof(to->octets)) == 0)
			return true;
	return false;
}

static void
end(struct attempts *all)
{
	for (size_t i = 0; i < all->questions_n; i++)
		question_end(&all->questions[i]);
	for (size_t i = 0; i < all->n; i++) {
		struct attempt *a = &all->all[i];

		if (a->fd >= 0)
			decide(a, PROBE_CLOSED, PROBE_WHY_SILENT, "");
		else if (a->unreachable != 0 &&
		    is_unreachable_here(all, &a->to))
			decide(a, PROBE_CLOSED, PROBE_WHY_NEIGHBOUR,
			    strerror(a->unreachable));
		else if (a->unreachable != 0)
			decide(a, PROBE_FOUND, PROBE_WHY_UNREACHABLE,
			    strerror(a->unreachable));
	}
}

void
attempts_run(const struct trial *p, struct probe *out)
{
	static struct attempts all;
	int64_t over = clock_ms() + (int64_t)p->deadline_s * 1000;
	int64_t left;

	all = (struct attempts){ 0 };
	begin(&all, p, out);
	while ((left = over - clock_ms()) > 0)
		if (!wait_once(&all, (int)left))
			break;
	end(&all);
}
