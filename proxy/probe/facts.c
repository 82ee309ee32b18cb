/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/probe/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/route.h>
#include <unistd.h>

#define LIST_MAX ((size_t)1 << 20)
#define EACH_MAX 64 /* items of a kind: the attempts need room too */
/* A route this wide is for whatever is outside; 0.0.0.0/1 and 128.0.0.0/1, or
 * 2000::/3, are what a default route is called by those who hide one. */
#define WIDE_BITS 7
#define WIDE_BITS6 6

/* Lists of the kernel have no size before they are read. */
static int
read_list(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0)
		return -1;
	while (n > 0) {
		if (buf_reserve(out, 4096) < 0) {
			errno = EFBIG;
			n = -1;
			break;
		}
		n = read(fd, out->p + out->n, 4096);
		if (n > 0)
			out->n += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	close(fd);
	return n < 0 ? -1 : 0;
}

static void
say_unreadable(struct probe *out, enum probe_kind kind, const char *what)
{
	struct probe_item *i = probe_add(out, kind, what);

	if (i != NULL)
		probe_say(i, PROBE_UNTRIED, PROBE_WHY_UNREADABLE ": %s",
		    strerror(errno));
}

/* The next of its kind; NULL: there are enough, and it is told that more
 * are. */
static struct probe_item *
add(struct probe *out, enum probe_kind kind, const char *target)
{
	size_t n = 0;
	struct probe_item *i;

	for (size_t k = 0; k < out->items_n; k++)
		n += out->items[k].kind == kind;
	if (n > EACH_MAX)
		return NULL;
	if (n < EACH_MAX)
		return probe_add(out, kind, target);
	i = probe_add(out, kind, "others");
	if (i != NULL)
		probe_say(i, PROBE_UNTRIED, "there are more than %d", EACH_MAX);
	return NULL;
}

/* Words between blanks and tabs. */
static struct bytes
take_word(struct bytes *line)
{
	*line = bytes_trim(*line);
	for (size_t i = 0; i < line->n; i++)
		if (line->p[i] == ' ' || line->p[i] == '\t')
			return bytes_take(line, i);
	return bytes_take(line, line->n);
}

static bool
read_hex(struct bytes word, uint64_t *out)
{
	*out = 0;
	if (word.n == 0 || word.n > 16)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		int digit = byte_hex(word.p[i]);

		if (digit < 0)
			return false;
		*out = *out << 4 | (unsigned)digit;
	}
	return true;
}

/* An address as these files write it: bytes as they lie in memory, which for
 * IPv4 makes a number of this machine's order of them. */
static bool
read_v4(struct bytes word, struct address *out)
{
	uint64_t number;
	uint32_t raw;

	*out = (struct address){ .octets = { [10] = 0xff, [11] = 0xff } };
	if (word.n != 8 || !read_hex(word, &number))
		return false;
	raw = (uint32_t)number;
	memcpy(out->octets + 12, &raw, sizeof(raw));
	return true;
}

static bool
read_v6(struct bytes word, struct address *out)
{
	*out = (struct address){ 0 };
	if (word.n != 32)
		return false;
	for (size_t i = 0; i < sizeof(out->octets); i++) {
		uint64_t octet;

		if (!read_hex(bytes_take(&word, 2), &octet))
			return false;
		out->octets[i] = (uint8_t)octet;
	}
	return true;
}

static unsigned
bits_of(const struct address *mask)
{
	unsigned n = 0;

	for (size_t i = 12; i < sizeof(mask->octets); i++)
		n += (unsigned)__builtin_popcount(mask->octets[i]);
	return n;
}

struct route {
	struct address to, gateway;
	unsigned bits; /* of its family */
	uint64_t flags;
	struct bytes device;
};

static void
add_route(const struct route *r, enum probe_outcome when, struct probe *out)
{
	char to[ADDRESS_TEXT_MAX];
	char gateway[ADDRESS_TEXT_MAX];
	char target[ADDRESS_TEXT_MAX + 8];
	struct probe_item *i;

	snprintf(target, sizeof(target), "%.45s/%u", address_text(&r->to, to),
	    r->bits);
	i = add(out, PROBE_ROUTE, target);
	if (i != NULL)
		probe_say(i, when, "via %s dev %.*s",
		    address_text(&r->gateway, gateway),
		    BYTES_PRINTF(r->device));
}

static bool
read_route(struct bytes line, struct route *r)
{
	struct address mask;
	struct bytes word;

	r->device = take_word(&line);
	if (!read_v4(take_word(&line), &r->to) ||
	    !read_v4(take_word(&line), &r->gateway) ||
	    !read_hex(take_word(&line), &r->flags))
		return false;
	for (int i = 0; i < 3; i++) /* references, uses, metric */
		take_word(&line);
	word = take_word(&line);
	if (!read_v4(word, &mask))
		return false;
	r->bits = bits_of(&mask);
	return true;
}

void
facts_routes(struct bytes text, enum probe_outcome when, struct probe *out)
{
	bytes_take_until(&text, '\n'); /* its head */
	while (text.n > 0) {
		struct route r = { 0 };

		if (!read_route(bytes_take_until(&text, '\n'), &r)) {
			errno = EBADMSG;
			say_unreadable(out, PROBE_ROUTE, "/proc/net/route");
			return;
		}
		if (r.bits <= WIDE_BITS && (r.flags & RTF_UP) != 0 &&
		    (r.flags & RTF_REJECT) == 0)
			add_route(&r, when, out);
	}
}

static bool
read_route6(struct bytes line, struct route *r)
{
	struct address source;
	uint64_t bits, number;

	if (!read_v6(take_word(&line), &r->to) ||
	    !read_hex(take_word(&line), &bits) || bits > 128 ||
	    !read_v6(take_word(&line), &source) ||
	    !read_hex(take_word(&line), &number) ||
	    !read_v6(take_word(&line), &r->gateway))
		return false;
	for (int i = 0; i < 3; i++) /* metric, references, uses */
		take_word(&line);
	if (!read_hex(take_word(&line), &r->flags))
		return false;
	r->bits = (unsigned)bits;
	r->device = take_word(&line);
	return r->device.n > 0;
}

void
facts_routes6(struct bytes text, enum probe_outcome when, struct probe *out)
{
	while (text.n > 0) {
		struct route r = { 0 };

		if (!read_route6(bytes_take_until(&text, '\n'), &r)) {
			errno = EBADMSG;
			say_unreadable(
			    out, PROBE_ROUTE, "/proc/net/ipv6_route");
			return;
		}
		/* The kernel's own default is a reject; multicast has /8. */
		if (r.bits <= WIDE_BITS6 && (r.flags & RTF_UP) != 0 &&
		    (r.flags & RTF_REJECT) == 0)
			add_route(&r, when, out);
	}
}

void
facts_resolvers(struct bytes text, enum probe_outcome when, struct probe *out)
{
	while (text.n > 0) {
		struct bytes line = bytes_take_until(&text, '\n');
		char target[PROBE_TARGET_MAX];
		struct probe_item *i;
		struct bytes word;

		if (!bytes_equal(take_word(&line), BYTES("nameserver")))
			continue;
		word = take_word(&line);
		snprintf(target, sizeof(target), "%.*s",
		    (int)(word.n < 128 ? word.n : 128), (const char *)word.p);
		i = add(out, PROBE_RESOLVER, target);
		if (i != NULL)
			probe_say(i, when, "%s", "");
	}
}

/* Loopback, and what holds on one link alone. */
static bool
is_of_no_network(const struct address *a)
{
	static const struct prefix own[] = {
		{ { [10] = 0xff, [11] = 0xff, [12] = 127 }, 104 },
		{ { [15] = 1 }, 128 },
		{ { 0xfe, 0x80 }, 10 },
	};

	return prefixes_contain(own, COUNT(own), a);
}

static void
list_addresses(const struct trial *p, struct probe *out)
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) < 0) {
		say_unreadable(out, PROBE_ADDRESS, "interfaces");
		return;
	}
	for (i = all; i != NULL; i = i->ifa_next) {
		char text[ADDRESS_TEXT_MAX];
		struct probe_item *item;
		struct address a;

		if (i->ifa_addr == NULL || (i->ifa_flags & IFF_UP) == 0 ||
		    address_from_sockaddr(&a, i->ifa_addr) < 0)
			continue;
		if (is_of_no_network(&a) ||
		    prefixes_contain(p->addresses, p->addresses_n, &a))
			continue;
		item = add(out, PROBE_ADDRESS, address_text(&a, text));
		if (item != NULL)
			probe_say(item, p->other_addresses_are, "dev %s",
			    i->ifa_name);
	}
	freeifaddrs(all);
}

/* missing: whether a file that is not there says that there is nothing. */
static void
list_file(const char *path, enum probe_kind kind, bool missing,
    void (*list)(struct bytes text, enum probe_outcome when, struct probe *out),
    enum probe_outcome when, struct probe *out)
{
	struct buf text;

	buf_init(&text, LIST_MAX);
	if (read_list(path, &text) == 0)
		list(buf_bytes(&text), when, out);
	else if (errno != ENOENT || !missing)
		say_unreadable(out, kind, path);
	buf_release(&text);
}

void
facts_list(const struct trial *p, struct probe *out)
{
	list_file("/proc/net/route", PROBE_ROUTE, false, facts_routes,
	    p->default_routes_are, out);
	list_file("/proc/net/ipv6_route", PROBE_ROUTE, true, facts_routes6,
	    p->default_routes_are, out);
	list_file("/etc/resolv.conf", PROBE_RESOLVER, true, facts_resolvers,
	    p->resolvers_are, out);
	list_addresses(p, out);
}
