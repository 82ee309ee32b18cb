/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/keysmith/leaf.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/address.h"
#include "proxy/base/arena.h"
#include "proxy/base/buf.h"
#include "proxy/base/log.h"
#include "proxy/keysmith/mimic.h"

#define ANSWER_MAX_MS 10000   /* a new keysmith is there within a second */
#define ORDERS_MAX 2048       /* in flight; a channel queues 4096 */
#define CERTIFICATE_REST 2560 /* a leaf without its names, and some */
#define DAY 86400
#define RETRY_S 60 /* after a renewal that failed */

struct key {
	uint8_t digest[32];
	bool rsa;
};

/*
 * A leaf is ready (has a certificate, stands in the list by use), or ordered
 * (stands in the list of orders), or, being renewed, both. Only one that is
 * not ready has waits.
 */
struct leaf {
	struct leaves *of;
	struct key key;
	struct leaf *next; /* in its bucket */
	uint8_t *order;    /* as packed, for asking again and for its names */
	size_t order_n;
	X509 *certificate;
	time_t renew_at, expires_at;
	struct leaf *newer, *older; /* by last use */
	uint32_t job;
	uint64_t deadline_ms;
	struct leaf *earlier, *later; /* orders */
	struct leaf_wait *waits;
};

struct leaf_wait {
	struct leaf_wait *next, **at; /* at: what points to this */
	void (*done)(void *owner, struct leaf *leaf);
	void *owner;
};

struct leaves {
	const struct keysmith_settings *settings;
	struct loop *loop;
	struct channel *channel; /* NULL: the keysmith is away */
	STACK_OF(X509) * chain;
	EVP_PKEY *ec_key, *rsa_key;
	EVP_MD *sha256;
	time_t (*clock)(time_t *);
	struct leaf **buckets;
	size_t mask;
	struct leaf *newest, *oldest;
	size_t ready_n;
	struct leaf *first, *last; /* orders, the earliest first */
	size_t orders_n;
	uint32_t jobs;
	struct leaf_wait *refused; /* told at the timer */
	struct timer *timer;       /* of what is due next */
	uint64_t timer_ms;         /* when; 0: not started */
};

static struct leaf **
find(struct leaves *ls, const struct key *k)
{
	uint32_t hash;
	struct leaf **at;

	memcpy(&hash, k->digest, sizeof(hash));
	at = &ls->buckets[hash & ls->mask];
	while (*at != NULL &&
	    ((*at)->key.rsa != k->rsa ||
		memcmp((*at)->key.digest, k->digest, sizeof(k->digest)) != 0))
		at = &(*at)->next;
	return at;
}

static void
leave_use(struct leaf *leaf)
{
	struct leaves *ls = leaf->of;

	*(leaf->newer != NULL ? &leaf->newer->older : &ls->newest) =
	    leaf->older;
	*(leaf->older != NULL ? &leaf->older->newer : &ls->oldest) =
	    leaf->newer;
	ls->ready_n--;
}

static void
enter_use(struct leaf *leaf)
{
	struct leaves *ls = leaf->of;

	leaf->newer = NULL;
	leaf->older = ls->newest;
	*(ls->newest != NULL ? &ls->newest->newer : &ls->oldest) = leaf;
	ls->newest = leaf;
	ls->ready_n++;
}

static void
leave_orders(struct leaf *leaf)
{
	struct leaves *ls = leaf->of;

	*(leaf->earlier != NULL ? &leaf->earlier->later : &ls->first) =
	    leaf->later;
	*(leaf->later != NULL ? &leaf->later->earlier : &ls->last) =
	    leaf->earlier;
	leaf->job = 0;
	ls->orders_n--;
}

static void
enter_orders(struct leaf *leaf)
{
	struct leaves *ls = leaf->of;

	leaf->earlier = ls->last;
	leaf->later = NULL;
	*(ls->last != NULL ? &ls->last->later : &ls->first) = leaf;
	ls->last = leaf;
	ls->orders_n++;
	if (++ls->jobs == 0)
		ls->jobs = 1;
	leaf->job = ls->jobs;
}

static void
leaf_destroy(void *owner)
{
	struct leaf *leaf = owner;

	X509_free(leaf->certificate);
	free(leaf->order);
	free(leaf);
}

/* Takes the leaf out of everything; whoever borrowed it in this tick may
 * still use it. */
static void
leaf_drop(struct leaf *leaf)
{
	struct leaf **at = find(leaf->of, &leaf->key);

	must(*at == leaf && leaf->waits == NULL);
	*at = leaf->next;
	if (leaf->certificate != NULL)
		leave_use(leaf);
	if (leaf->job != 0)
		leave_orders(leaf);
	loop_defer(leaf->of->loop, leaf_destroy, leaf);
}

static void
evict(struct leaves *ls)
{
	while (ls->ready_n > ls->settings->leaf_cache_max)
		leaf_drop(ls->oldest);
}

/* Calls every wait. New ones may begin and others end meanwhile. */
static void
tell(struct leaf_wait *waits, struct leaf *leaf)
{
	struct leaf_wait *w;

	if (waits != NULL)
		waits->at = &waits;
	while ((w = waits) != NULL) {
		void (*done)(void *owner, struct leaf *l) = w->done;
		void *owner = w->owner;

		leaf_wait_cancel(w);
		done(owner, leaf);
	}
}

static void
log_failure(struct bytes host, struct bytes why)
{
	struct log_line l;

	log_begin(&l, EVENT_FAILURE, NULL);
	log_string(&l, "text", "no leaf certificate can be had");
	log_text(&l, "host", host);
	log_text(&l, "why", why);
	log_end(&l);
}

static void
read_order(const struct leaf *leaf, struct leaf_order *out)
{
	must(leaf_order_unpack(
		 out, (struct bytes){ leaf->order, leaf->order_n }) == 0);
}

static void
order_failed(struct leaf *leaf, struct bytes why)
{
	struct leaf_wait *waits = leaf->waits;
	struct leaf_order o;

	read_order(leaf, &o);
	log_failure(o.names[0], why);
	leaf->waits = NULL;
	if (leaf->certificate != NULL) {
		leaf->renew_at = leaf->of->clock(NULL) + RETRY_S;
		leave_orders(leaf);
	} else {
		leaf_drop(leaf);
	}
	tell(waits, NULL);
}

static void
set_timer(struct leaves *ls, uint64_t due_ms)
{
	uint64_t now = loop_now_ms(ls->loop);

	if (ls->timer_ms != 0 && ls->timer_ms <= due_ms)
		return;
	ls->timer_ms = due_ms;
	timer_start(ls->timer, due_ms > now ? due_ms - now : 1);
}

static struct leaf *
find_due(const struct leaves *ls, uint64_t now)
{
	struct leaf *leaf = ls->first;

	while (leaf != NULL && leaf->deadline_ms > now)
		leaf = leaf->later;
	return leaf;
}

static void
orders_due(void *owner)
{
	struct leaves *ls = owner;
	uint64_t now = loop_now_ms(ls->loop);
	struct leaf_wait *refused = ls->refused;
	struct leaf *leaf;

	ls->timer_ms = 0;
	ls->refused = NULL;
	tell(refused, NULL);
	while ((leaf = find_due(ls, now)) != NULL)
		order_failed(leaf, BYTES("no answer in time"));
	for (leaf = ls->first; leaf != NULL; leaf = leaf->later)
		set_timer(ls, leaf->deadline_ms);
}

static void
send_order(struct leaf *leaf)
{
	const struct bytes order = { leaf->order, leaf->order_n };

	/* One that cannot be sent is asked again of the next keysmith, or
	 * fails at its deadline. */
	if (leaf->of->channel != NULL)
		channel_send(
		    leaf->of->channel, KEYSMITH_ORDER, leaf->job, order, -1);
}

static void
place_order(struct leaf *leaf)
{
	struct leaves *ls = leaf->of;

	enter_orders(leaf);
	leaf->deadline_ms = loop_now_ms(ls->loop) + ANSWER_MAX_MS;
	set_timer(ls, leaf->deadline_ms);
	send_order(leaf);
}

static time_t
time_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

/* The keysmith's certificate, when it is one for our key and still valid. */
static X509 *
parse_leaf(const struct leaf *leaf, struct bytes der)
{
	const uint8_t *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	EVP_PKEY *key = leaf->key.rsa ? leaf->of->rsa_key : leaf->of->ec_key;

	if (x != NULL && p == der.p + der.n &&
	    X509_check_private_key(x, key) == 1 &&
	    time_of(X509_get0_notAfter(x)) > leaf->of->clock(NULL))
		return x;
	ERR_clear_error();
	X509_free(x);
	return NULL;
}

static void
order_done(struct leaf *leaf, X509 *x)
{
	struct leaf_wait *waits = leaf->waits;
	time_t now = leaf->of->clock(NULL);
	time_t early;

	leaf->waits = NULL;
	leave_orders(leaf);
	if (leaf->certificate != NULL)
		leave_use(leaf);
	X509_free(leaf->certificate);
	leaf->certificate = x;
	leaf->expires_at = time_of(X509_get0_notAfter(x));
	early = (leaf->expires_at - now) / 4;
	leaf->renew_at = leaf->expires_at - (early < DAY ? early : DAY);
	enter_use(leaf);
	evict(leaf->of);
	tell(waits, leaf);
}

static void
keysmith_gone(void *owner)
{
	struct leaves *ls = owner;

	channel_free(ls->channel);
	ls->channel = NULL;
}

static void
keysmith_message(void *owner, const struct ipc_message *m)
{
	struct leaves *ls = owner;
	struct leaf *leaf = ls->first;
	X509 *x;

	if (m->fd >= 0 ||
	    (m->type != KEYSMITH_LEAF && m->type != KEYSMITH_REFUSED)) {
		if (m->fd >= 0)
			close(m->fd);
		log_say(EVENT_FAILURE, "the keysmith sent a malformed message");
		keysmith_gone(ls);
		return;
	}
	/* Answers come in the order of the questions: this is short. */
	while (leaf != NULL && leaf->job != m->job)
		leaf = leaf->later;
	if (leaf == NULL)
		return;
	if (m->type == KEYSMITH_REFUSED) {
		order_failed(leaf, m->body);
		return;
	}
	x = parse_leaf(leaf, m->body);
	if (x == NULL)
		order_failed(leaf, BYTES("a useless certificate"));
	else
		order_done(leaf, x);
}

static void
send_key(struct leaves *ls, EVP_PKEY *key, uint32_t job)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	must(n > 0);
	channel_send(ls->channel, KEYSMITH_KEY, job,
	    (struct bytes){ der, (size_t)n }, -1);
	OPENSSL_free(der);
}

void
leaves_connect(struct leaves *ls, int fd)
{
	channel_free(ls->channel);
	ls->channel =
	    channel_new(ls->loop, fd, keysmith_message, keysmith_gone, ls);
	send_key(ls, ls->ec_key, 0);
	if (ls->rsa_key != NULL)
		send_key(ls, ls->rsa_key, 1);
	for (struct leaf *leaf = ls->first; leaf != NULL; leaf = leaf->later)
		send_order(leaf);
}

static bool
name_covers(struct bytes name, struct bytes host, bool is_address)
{
	if (bytes_equal_nocase(name, host))
		return true;
	if (is_address || !bytes_start_with(name, BYTES("*.")))
		return false;
	bytes_take(&name, 2);
	return bytes_take_until(&host, '.').n > 0 &&
	    bytes_equal_nocase(name, host);
}

/* Which of the names a browser takes for host; n when none. */
static size_t
covering(const struct bytes *names, size_t n, struct bytes host)
{
	struct address address;
	bool is_address = address_parse(&address, host) == 0;
	size_t i = 0;

	while (i < n && !name_covers(names[i], host, is_address))
		i++;
	return i;
}

/* As many of the names as go into one message, both as an order and in a
 * certificate, where each needs up to three bytes more. */
static void
trim(struct leaf_order *o)
{
	size_t n = CERTIFICATE_REST;
	size_t i;

	for (i = 0; i < o->names_n; i++) {
		n += 4 + o->names[i].n;
		if (n > IPC_BODY_MAX)
			break;
	}
	o->names_n = i;
}

/*
 * The names of the origin, first the one that covers host, so that the leaf
 * says nothing about who asked first; host itself only when none does.
 * Whether one does.
 */
static bool
collect_names(
    struct leaf_order *o, struct bytes host, X509 *origin, struct arena *a)
{
	struct bytes first;
	size_t at;
	size_t n = 0;

	if (origin != NULL)
		n = mimic_names(origin, o->names, LEAF_NAMES_MAX, a);
	o->names_n = n;
	trim(o);
	at = covering(o->names, o->names_n, host);
	if (at < o->names_n) {
		first = o->names[at];
		o->names[at] = o->names[0];
		o->names[0] = first;
		return true;
	}
	if (n == LEAF_NAMES_MAX)
		n--;
	memmove(&o->names[1], &o->names[0], n * sizeof(o->names[0]));
	o->names[0] = host;
	o->names_n = n + 1;
	trim(o);
	return false;
}

/* The key of a leaf that serves this host alone. */
static struct key
host_key(const struct leaves *ls, const struct key *origin, struct bytes host)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct key k = { .rsa = origin->rsa };

	must(ctx != NULL && EVP_DigestInit_ex2(ctx, ls->sha256, NULL) == 1 &&
	    EVP_DigestUpdate(ctx, origin->digest, sizeof(origin->digest)) ==
		1 &&
	    EVP_DigestUpdate(ctx, host.p, host.n) == 1 &&
	    EVP_DigestFinal_ex(ctx, k.digest, NULL) == 1);
	EVP_MD_CTX_free(ctx);
	return k;
}

static bool
leaf_covers(const struct leaf *leaf, struct bytes host)
{
	struct leaf_order o;

	read_order(leaf, &o);
	return covering(o.names, o.names_n, host) < o.names_n;
}

static struct leaf *
leaf_new(struct leaves *ls, const struct key *k, const struct leaf_order *o)
{
	struct leaf *leaf = calloc(1, sizeof(*leaf));
	struct leaf **at = find(ls, k);
	struct buf packed;

	buf_init(&packed, IPC_BODY_MAX);
	must(leaf != NULL && *at == NULL && leaf_order_pack(o, &packed) == 0);
	leaf->of = ls;
	leaf->key = *k;
	leaf->order_n = packed.n;
	leaf->order = malloc(packed.n);
	must(leaf->order != NULL);
	memcpy(leaf->order, packed.p, packed.n);
	buf_release(&packed);
	*at = leaf;
	return leaf;
}

/* The leaf for the origin, or for this host alone when the origin's names do
 * not cover it; made when there is none. */
static struct leaf *
leaf_for(struct leaves *ls, struct bytes host, X509 *origin, bool rsa)
{
	struct key k = { .rsa = rsa };
	struct key alone;
	struct leaf *leaf;
	struct leaf_order o = { .rsa = rsa };
	struct arena a = { 0 };

	if (origin != NULL)
		must(X509_digest(origin, ls->sha256, k.digest, NULL) == 1);
	leaf = *find(ls, &k);
	if (leaf != NULL && leaf_covers(leaf, host))
		return leaf;
	alone = host_key(ls, &k, host);
	leaf = *find(ls, &alone);
	if (leaf != NULL)
		return leaf;
	memcpy(o.origin_digest, k.digest, sizeof(k.digest));
	leaf = collect_names(&o, host, origin, &a) ? leaf_new(ls, &k, &o)
						   : leaf_new(ls, &alone, &o);
	arena_release(&a);
	return leaf;
}

static struct leaf_wait *
wait_new(struct leaf_wait **list, void (*done)(void *owner, struct leaf *leaf),
    void *owner)
{
	struct leaf_wait *w = calloc(1, sizeof(*w));

	must(w != NULL);
	w->done = done;
	w->owner = owner;
	w->at = list;
	w->next = *list;
	if (w->next != NULL)
		w->next->at = &w->next;
	*list = w;
	return w;
}

/* The list whose waits are told soon that they failed. */
static struct leaf_wait **
refuse(struct leaves *ls, struct bytes host, const char *why)
{
	log_failure(host, bytes_of(why));
	set_timer(ls, loop_now_ms(ls->loop));
	return &ls->refused;
}

/* A leaf whose time is over is ordered like a new one; one whose time is
 * nearly over serves on while the next is made. */
static void
watch_expiry(struct leaf *leaf)
{
	time_t now = leaf->of->clock(NULL);

	if (leaf->certificate == NULL || now < leaf->renew_at)
		return;
	if (now >= leaf->expires_at) {
		leave_use(leaf);
		X509_free(leaf->certificate);
		leaf->certificate = NULL;
	} else if (leaf->job == 0 && leaf->of->orders_n < ORDERS_MAX) {
		place_order(leaf);
	}
}

/* Why no leaf can be had for host, or NULL. */
static const char *
judge(const struct leaves *ls, struct bytes host, bool rsa)
{
	struct address address;

	if (rsa && ls->rsa_key == NULL)
		return "rsa_leaf is not set";
	if (address_parse(&address, host) < 0 && !mimic_name_fits(host))
		return "this is no host name or address";
	return NULL;
}

struct leaf_wait *
leaves_get(struct leaves *ls, struct bytes host, X509 *origin, bool rsa,
    struct leaf **leaf_out, void (*done)(void *owner, struct leaf *leaf),
    void *owner)
{
	const char *why = judge(ls, host, rsa);
	struct leaf *leaf;

	*leaf_out = NULL;
	if (why != NULL)
		return wait_new(refuse(ls, host, why), done, owner);
	leaf = leaf_for(ls, host, origin, rsa);
	watch_expiry(leaf);
	if (leaf->certificate != NULL) {
		leave_use(leaf);
		enter_use(leaf);
		*leaf_out = leaf;
		return NULL;
	}
	if (leaf->job == 0 && ls->orders_n == ORDERS_MAX) {
		leaf_drop(leaf);
		return wait_new(
		    refuse(ls, host, "too many orders wait"), done, owner);
	}
	if (leaf->job == 0)
		place_order(leaf);
	return wait_new(&leaf->waits, done, owner);
}

void
leaf_wait_cancel(struct leaf_wait *w)
{
	if (w == NULL)
		return;
	*w->at = w->next;
	if (w->next != NULL)
		w->next->at = w->at;
	free(w);
}

int
leaf_use(struct leaf *leaf, SSL *ssl)
{
	const struct leaves *ls = leaf->of;

	if (leaf->certificate == NULL)
		return -1;
	/* Else OpenSSL verifies our chain anew in each handshake. */
	SSL_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN);
	if (SSL_use_cert_and_key(ssl, leaf->certificate,
		leaf->key.rsa ? ls->rsa_key : ls->ec_key, ls->chain, 1) == 1)
		return 0;
	ERR_clear_error();
	return -1;
}

static size_t
bucket_count(size_t leaves)
{
	size_t n = 16;

	while (n < leaves)
		n *= 2;
	return n;
}

struct leaves *
leaves_new(const struct keysmith_settings *s, struct loop *l,
    STACK_OF(X509) * chain, struct err *e)
{
	struct leaves *ls = calloc(1, sizeof(*ls));
	size_t buckets = bucket_count(s->leaf_cache_max);

	must(ls != NULL);
	ls->settings = s;
	ls->loop = l;
	ls->clock = time;
	ls->buckets = calloc(buckets, sizeof(struct leaf *));
	must(ls->buckets != NULL);
	ls->mask = buckets - 1;
	ls->timer = timer_new(l, orders_due, ls);
	if (chain != NULL && sk_X509_num(chain) > 0)
		ls->chain = X509_chain_up_ref(chain);
	ls->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	ls->ec_key = EVP_EC_gen("P-256");
	if (s->rsa_leaf)
		ls->rsa_key = EVP_RSA_gen(2048);
	if (ls->sha256 != NULL && ls->ec_key != NULL &&
	    (ls->rsa_key != NULL || !s->rsa_leaf))
		return ls;
	err_set(e, "no key for leaf certificates could be made: %s",
	    ERR_reason_error_string(ERR_peek_last_error()));
	leaves_free(ls);
	return NULL;
}

void
leaves_free(struct leaves *ls)
{
	if (ls == NULL)
		return;
	must(ls->refused == NULL);
	for (size_t i = 0; i <= ls->mask; i++)
		while (ls->buckets[i] != NULL)
			leaf_drop(ls->buckets[i]);
	channel_free(ls->channel);
	timer_free(ls->timer);
	sk_X509_pop_free(ls->chain, X509_free);
	EVP_PKEY_free(ls->ec_key);
	EVP_PKEY_free(ls->rsa_key);
	EVP_MD_free(ls->sha256);
	free(ls->buckets);
	free(ls);
}

void
leaves_clock(struct leaves *ls, time_t (*clock)(time_t *))
{
	ls->clock = clock;
}
