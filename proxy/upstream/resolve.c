/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/resolve.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define SOCKETS_MAX 64
#define BUCKETS 4096
#define RESOLUTION_DELAY_MS 50 /* RFC 8305 section 3 */
#define TRY_MS 1500            /* one question to one server */

/* The header of a message (RFC 1035 section 4.1.1, RFC 4035 section 3.2.3). */
#define DNS_HEADER_N 12
#define DNS_RCODE_AT 3
#define DNS_ANSWERS_AT 6
#define DNS_AD 0x20

enum {
	WITHOUT_EDNS = 0,
	ASK_RECURSION = 1
};

struct lookup;

/* A name as the cache holds it. */
struct known {
	struct known *next; /* of the bucket */
	struct known *older, *newer;
	uint64_t expires_ms;
	struct addresses addresses;
	size_t name_n;
	char name[];
};

struct resolve_wait {
	struct lookup *lookup;
	struct resolve_wait *prev, *next;
	void (*done)(void *owner, const struct addresses *a);
	void *owner;
};

/* A name that is being asked for, by one or several. */
struct lookup {
	struct resolver *resolver;
	struct lookup *prev, *next;
	struct resolve_wait *waits;
	struct timer *timer;
	unsigned pending; /* of the two questions, A and AAAA */
	bool told;        /* the waits have their answer */
	uint32_t ttl_s;
	struct addresses addresses;
	char name[];
};

struct resolver {
	const struct upstream_settings *settings;
	struct loop *loop;
	ares_channel channel;
	struct timer *timer; /* of c-ares */
	struct {
		int fd;
		struct watch *watch;
		struct resolver *resolver;
	} sockets[SOCKETS_MAX];
	struct known *buckets[BUCKETS];
	struct known *oldest, *newest;
	size_t known_n;
	struct lookup *lookups;
	size_t queries_n; /* that c-ares has */
	bool closing;
};

static uint32_t
bucket_of(struct bytes name)
{
	return bytes_hash(name) % BUCKETS;
}

/* The cache. */

static void
unlink_age(struct resolver *r, struct known *k)
{
	*(k->older != NULL ? &k->older->newer : &r->oldest) = k->newer;
	*(k->newer != NULL ? &k->newer->older : &r->newest) = k->older;
}

static void
link_newest(struct resolver *r, struct known *k)
{
	k->newer = NULL;
	k->older = r->newest;
	*(r->newest != NULL ? &r->newest->newer : &r->oldest) = k;
	r->newest = k;
}

static void
forget(struct resolver *r, struct known *k)
{
	struct bytes name = { (uint8_t *)k->name, k->name_n };
	struct known **at = &r->buckets[bucket_of(name)];

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	unlink_age(r, k);
	r->known_n--;
	free(k);
}

static struct known *
find_known(struct resolver *r, struct bytes name)
{
	struct known *k = r->buckets[bucket_of(name)];

	while (k != NULL &&
	    (k->name_n != name.n || memcmp(k->name, name.p, name.n) != 0))
		k = k->next;
	if (k != NULL && k->expires_ms <= loop_now_ms(r->loop)) {
		forget(r, k);
		return NULL;
	}
	return k;
}

static uint64_t
life_ms(const struct resolver *r, const struct lookup *l)
{
	const struct upstream_settings *s = r->settings;
	uint64_t ms = (uint64_t)l->ttl_s * 1000;

	if (l->addresses.n == 0)
		return s->dns_negative_ttl_ms;
	if (ms < s->dns_ttl_min_ms)
		return s->dns_ttl_min_ms;
	return ms < s->dns_ttl_max_ms ? ms : s->dns_ttl_max_ms;
}

static void
remember(struct resolver *r, const struct lookup *l)
{
	struct bytes name = bytes_of(l->name);
	struct known *k = find_known(r, name);
	uint32_t bucket = bucket_of(name);

	if (k != NULL)
		forget(r, k);
	if (life_ms(r, l) == 0 || r->settings->dns_cache_max == 0)
		return;
	if (r->known_n >= r->settings->dns_cache_max)
		forget(r, r->oldest);
	k = calloc(1, sizeof(*k) + name.n + 1);
	must(k != NULL);
	memcpy(k->name, name.p, name.n);
	k->name_n = name.n;
	k->addresses = l->addresses;
	k->expires_ms = loop_now_ms(r->loop) + life_ms(r, l);
	k->next = r->buckets[bucket];
	r->buckets[bucket] = k;
	link_newest(r, k);
	r->known_n++;
}

/* c-ares on our loop. */

static void
ask_again_in_time(struct resolver *r)
{
	struct timeval most = { .tv_sec = 1 };
	struct timeval room;
	const struct timeval *wait = ares_timeout(r->channel, &most, &room);

	if ((r->lookups == NULL && r->queries_n == 0) || wait == NULL)
		timer_stop(r->timer);
	else
		timer_start(r->timer,
		    (uint64_t)wait->tv_sec * 1000 +
			(uint64_t)wait->tv_usec / 1000 + 1);
}

static void
timer_due(void *owner)
{
	struct resolver *r = owner;

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	ask_again_in_time(r);
}

static void
socket_ready(void *owner, unsigned events)
{
	const struct {
		int fd;
		struct watch *watch;
		struct resolver *resolver;
	} *s = owner;
	struct resolver *r = s->resolver;
	int fd = s->fd;

	ares_process_fd(r->channel,
	    (events & WATCH_READ) != 0 ? fd : ARES_SOCKET_BAD,
	    (events & WATCH_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
	ask_again_in_time(r);
}

static void
socket_changed(void *data, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = data;
	unsigned events =
	    (readable ? WATCH_READ : 0u) | (writable ? WATCH_WRITE : 0u);
	size_t room = SOCKETS_MAX;
	size_t i = 0;

	while (i < SOCKETS_MAX &&
	    (r->sockets[i].watch == NULL || r->sockets[i].fd != fd)) {
		if (r->sockets[i].watch == NULL)
			room = i;
		i++;
	}
	if (i == SOCKETS_MAX && (events == 0 || room == SOCKETS_MAX))
		return; /* without a watch the question times out */
	if (i == SOCKETS_MAX) {
		i = room;
		r->sockets[i].fd = fd;
		r->sockets[i].resolver = r;
		r->sockets[i].watch =
		    watch_new(r->loop, fd, socket_ready, &r->sockets[i]);
		if (r->sockets[i].watch == NULL)
			return;
	}
	if (events == 0) {
		watch_free(r->sockets[i].watch);
		r->sockets[i].watch = NULL;
	} else {
		watch_want(r->sockets[i].watch, events);
	}
}

/* Lookups. */

static void
free_lookup(struct lookup *l)
{
	struct resolver *r = l->resolver;

	*(l->prev != NULL ? &l->prev->next : &r->lookups) = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	timer_free(l->timer);
	free(l);
}

static void
tell(struct lookup *l)
{
	struct resolve_wait *w;

	if (l->told)
		return;
	l->told = true;
	timer_stop(l->timer);
	while ((w = l->waits) != NULL) {
		l->waits = w->next;
		if (w->next != NULL)
			w->next->prev = NULL;
		w->done(w->owner, &l->addresses);
		free(w);
	}
}

static void
add_address(struct lookup *l, const struct ares_addrinfo_node *node)
{
	struct addresses *all = &l->addresses;
	struct address a;
	uint32_t ttl = node->ai_ttl > 0 ? (uint32_t)node->ai_ttl : 0;

	if (all->n == RESOLVE_ADDRESSES_MAX ||
	    address_from_sockaddr(&a, node->ai_addr) < 0)
		return;
	a.port = 0;
	for (size_t i = 0; i < all->n; i++)
		if (address_equal(&all->a[i], &a))
			return;
	if (all->n == 0 || ttl < l->ttl_s)
		l->ttl_s = ttl;
	all->a[all->n++] = a;
}

static enum resolve_status
status_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return RESOLVE_ANSWERED;
	case ARES_ENOTFOUND:
		return RESOLVE_NO_NAME;
	case ARES_ENODATA:
		return RESOLVE_NO_DATA;
	default:
		return RESOLVE_SILENT;
	}
}

static const char *
status_words(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return "the name does not exist";
	case ARES_ENODATA:
		return "the name has no address";
	case ARES_ETIMEOUT:
		return "no answer from the name server";
	case ARES_ECONNREFUSED:
		return "the name server refuses connections";
	default:
		return "the name server could not answer";
	}
}

static void
answered(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
	struct lookup *l = arg;
	struct resolver *r = l->resolver;

	(void)timeouts;
	l->pending--;
	if (status == ARES_SUCCESS)
		for (const struct ares_addrinfo_node *n = result->nodes;
		     n != NULL; n = n->ai_next)
			add_address(l, n);
	else if (l->addresses.words == NULL || status != ARES_ENODATA)
		l->addresses.words = status_words(status);
	if (status_of(status) == RESOLVE_SILENT)
		l->addresses.silent = true;
	if (result != NULL)
		ares_freeaddrinfo(result);
	if (r->closing)
		return;
	if (l->pending > 0) {
		if (l->addresses.n > 0)
			timer_start(l->timer, RESOLUTION_DELAY_MS);
		return;
	}
	/* A server that did not answer is asked again next time. */
	if (l->addresses.n > 0 || status == ARES_ENOTFOUND ||
	    status == ARES_ENODATA)
		remember(r, l);
	tell(l);
	free_lookup(l);
}

static void
lookup_late(void *owner)
{
	struct lookup *l = owner;

	if (l->addresses.n == 0) {
		l->addresses.words = "no answer from the name server";
		l->addresses.silent = true;
	}
	tell(l);
}

static struct lookup *
lookup_new(struct resolver *r, struct bytes host)
{
	const struct ares_addrinfo_hints v4 = { .ai_family = AF_INET,
		.ai_flags = ARES_AI_NOSORT };
	const struct ares_addrinfo_hints v6 = { .ai_family = AF_INET6,
		.ai_flags = ARES_AI_NOSORT };
	struct lookup *l = calloc(1, sizeof(*l) + host.n + 1);

	must(l != NULL);
	memcpy(l->name, host.p, host.n);
	l->resolver = r;
	l->next = r->lookups;
	if (l->next != NULL)
		l->next->prev = l;
	r->lookups = l;
	l->timer = timer_new(r->loop, lookup_late, l);
	timer_start(l->timer, r->settings->resolve_timeout_ms);
	/* c-ares may call back at once; one question stays open until both
	 * are asked, so that the lookup lives. */
	l->pending = 3;
	ares_getaddrinfo(r->channel, l->name, NULL, &v6, answered, l);
	ares_getaddrinfo(r->channel, l->name, NULL, &v4, answered, l);
	return l;
}

static struct lookup *
find_lookup(struct resolver *r, struct bytes host)
{
	struct lookup *l = r->lookups;

	while (l != NULL && (l->told || !bytes_equal(bytes_of(l->name), host)))
		l = l->next;
	return l;
}

static int
compare_host(const void *name, const void *host)
{
	return strcmp(name, ((const struct static_host *)host)->name);
}

static bool
find_static(const struct resolver *r, struct bytes host, struct addresses *out)
{
	const struct upstream_settings *s = r->settings;
	char name[HOST_MAX + 1] = { 0 };
	const struct static_host *h;

	if (s->hosts_n == 0)
		return false;
	must(host.n <= HOST_MAX);
	memcpy(name, host.p, host.n);
	h = bsearch(
	    name, s->hosts, s->hosts_n, sizeof(*s->hosts), compare_host);
	if (h == NULL)
		return false;
	out->n = h->n < RESOLVE_ADDRESSES_MAX ? h->n : RESOLVE_ADDRESSES_MAX;
	memcpy(out->a, h->addresses, out->n * sizeof(*out->a));
	return true;
}

static struct resolve_wait *
wait_new(struct lookup *l, void (*done)(void *owner, const struct addresses *a),
    void *owner)
{
	struct resolve_wait *w = calloc(1, sizeof(*w));

	must(w != NULL);
	w->lookup = l;
	w->done = done;
	w->owner = owner;
	w->next = l->waits;
	if (w->next != NULL)
		w->next->prev = w;
	l->waits = w;
	return w;
}

struct resolve_wait *
resolver_get(struct resolver *r, struct bytes host, struct addresses *out,
    void (*done)(void *owner, const struct addresses *a), void *owner)
{
	const struct known *k;
	struct lookup *l;
	struct resolve_wait *w;

	*out = (struct addresses){ 0 };
	if (find_static(r, host, out))
		return NULL;
	k = find_known(r, host);
	if (k != NULL) {
		*out = k->addresses;
		return NULL;
	}
	l = find_lookup(r, host);
	if (l != NULL)
		return wait_new(l, done, owner);
	l = lookup_new(r, host);
	l->pending--;
	if (l->pending == 0) {
		/* Both were answered under the question. */
		*out = l->addresses;
		free_lookup(l);
		return NULL;
	}
	w = wait_new(l, done, owner);
	ask_again_in_time(r);
	return w;
}

void
resolver_cancel(struct resolve_wait *w)
{
	if (w == NULL)
		return;
	*(w->prev != NULL ? &w->prev->next : &w->lookup->waits) = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	free(w);
}

/* Other records. */

struct resolve_query {
	struct resolver *resolver;
	struct timer *timer; /* NULL: its owner was told, or has left */
	bool asked;          /* c-ares has it, and will call back */
	enum resolve_status status;
	void (*done)(void *owner, enum resolve_status s, struct bytes message);
	void *owner;
	char name[];
};

/* Of an answer that came: what its header says (RFC 1035 section 4.1.1). */
static enum resolve_status
status_of_answer(struct bytes message)
{
	if (message.n < DNS_HEADER_N)
		return RESOLVE_SILENT;
	switch (message.p[DNS_RCODE_AT] & 0x0f) {
	case ns_r_noerror:
		return message.p[DNS_ANSWERS_AT] == 0 &&
			message.p[DNS_ANSWERS_AT + 1] == 0
		    ? RESOLVE_NO_DATA
		    : RESOLVE_ANSWERED;
	case ns_r_nxdomain:
		return RESOLVE_NO_NAME;
	default:
		return RESOLVE_SILENT;
	}
}

bool
resolve_is_validated(struct bytes message)
{
	return message.n >= DNS_HEADER_N &&
	    (message.p[DNS_RCODE_AT] & DNS_AD) != 0;
}

/* Its owner is done with it; c-ares may not be. */
static void
leave_query(struct resolve_query *q)
{
	timer_free(q->timer);
	q->timer = NULL;
	if (!q->asked)
		free(q);
}

static void
query_due(void *owner)
{
	struct resolve_query *q = owner;
	void (*done)(void *, enum resolve_status, struct bytes) = q->done;
	void *whose = q->owner;
	enum resolve_status status = q->status;

	leave_query(q);
	done(whose, status, (struct bytes){ 0 });
}

static void
query_answered(
    void *arg, int status, int timeouts, unsigned char *message, int n)
{
	struct resolve_query *q = arg;
	struct resolver *r = q->resolver;

	(void)timeouts;
	q->asked = false;
	r->queries_n--;
	q->status = status != ARES_SUCCESS
	    ? status_of(status)
	    : status_of_answer((struct bytes){ message, (size_t)n });
	if (q->timer == NULL) {
		free(q);
	} else if (r->closing) {
		leave_query(q);
	} else if (status == ARES_SUCCESS && q->status != RESOLVE_SILENT) {
		/* It came from a socket, not from under the question. */
		q->done(
		    q->owner, q->status, (struct bytes){ message, (size_t)n });
		leave_query(q);
	} else {
		timer_start(q->timer, 0);
	}
}

/* With the AD bit, which asks for it in the answer (RFC 6840 section 5.7). */
static void
send_query(struct resolve_query *q, int type)
{
	unsigned char *message = NULL;
	uint16_t id;
	int n = 0;
	int made;

	must(RAND_bytes((uint8_t *)&id, sizeof(id)) == 1);
	made = ares_create_query(q->name, ns_c_in, type, id, ASK_RECURSION,
	    &message, &n, WITHOUT_EDNS);
	if (made != ARES_SUCCESS) {
		query_answered(q, made, 0, NULL, 0);
		return;
	}
	message[DNS_RCODE_AT] |= DNS_AD;
	ares_send(q->resolver->channel, message, n, query_answered, q);
	ares_free_string(message);
}

struct resolve_query *
resolver_query(struct resolver *r, struct bytes name, int type,
    void (*done)(void *owner, enum resolve_status s, struct bytes message),
    void *owner)
{
	struct resolve_query *q = calloc(1, sizeof(*q) + name.n + 1);

	must(q != NULL && name.n <= HOST_MAX);
	memcpy(q->name, name.p, name.n);
	q->resolver = r;
	q->done = done;
	q->owner = owner;
	q->timer = timer_new(r->loop, query_due, q);
	timer_start(q->timer, r->settings->resolve_timeout_ms);
	q->asked = true;
	r->queries_n++;
	send_query(q, type);
	ask_again_in_time(r);
	return q;
}

void
resolver_query_cancel(struct resolve_query *q)
{
	if (q != NULL)
		leave_query(q);
}

static int
set_servers(struct resolver *r, const struct texts *servers, struct err *e)
{
	struct arena a = { 0 };
	const char *list = "";
	int result;

	if (servers->n == 0)
		return 0;
	for (size_t i = 0; i < servers->n; i++)
		list = arena_printf(
		    &a, "%s%s%s", list, i == 0 ? "" : ",", servers->p[i]);
	result = ares_set_servers_ports_csv(r->channel, list);
	arena_release(&a);
	if (result == ARES_SUCCESS)
		return 0;
	return err_set(e,
	    "upstream.nameservers: %s, expected addresses such"
	    " as \"192.0.2.53:53\"",
	    ares_strerror(result));
}

struct resolver *
resolver_new(const struct upstream_settings *s, struct loop *l, struct err *e)
{
	struct resolver *r = calloc(1, sizeof(*r));
	char lookups[] = "b"; /* the name servers alone, no hosts file */
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH,
		.timeout = TRY_MS,
		.tries = 3,
		.lookups = lookups,
		.sock_state_cb = socket_changed,
		.sock_state_cb_data = r,
	};
	int result;

	must(r != NULL);
	options.sock_state_cb_data = r;
	r->settings = s;
	r->loop = l;
	ares_library_init(ARES_LIB_INIT_ALL);
	result = ares_init_options(&r->channel, &options,
	    ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS);
	if (result != ARES_SUCCESS) {
		err_set(e, "resolver: %s", ares_strerror(result));
		free(r);
		return NULL;
	}
	r->timer = timer_new(l, timer_due, r);
	if (set_servers(r, &s->nameservers, e) < 0) {
		resolver_free(r);
		return NULL;
	}
	return r;
}

void
resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	r->closing = true;
	ares_destroy(r->channel);
	while (r->lookups != NULL)
		free_lookup(r->lookups);
	while (r->oldest != NULL)
		forget(r, r->oldest);
	timer_free(r->timer);
	free(r);
}
