/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/keysmith/forge.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/ipc.h"
#include "proxy/base/log.h"
#include "proxy/board.h"
#include "proxy/keysmith/keysmith.h"
#include "proxy/keysmith/mimic.h"

#define SPKI_MAX 1024 /* RSA of 4096 bits needs 550 bytes */
#define RSA_BITS_MAX 4096
#define RSA_BITS_MIN 2048

enum leaf_key {
	LEAF_KEY_EC,
	LEAF_KEY_RSA,
	LEAF_KEYS
};

/* One edge. */
struct customer {
	struct forge *forge;
	struct channel *channel;
	X509_PUBKEY *keys[LEAF_KEYS];
	struct customer *prev, *next;
};

struct forge {
	struct loop *loop;
	const struct ca *ca;
	uint64_t lifetime_s;
	struct customer *customers;
};

static void
customer_free(struct customer *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		c->forge->customers = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	channel_free(c->channel);
	for (size_t i = 0; i < LEAF_KEYS; i++)
		X509_PUBKEY_free(c->keys[i]);
	free(c);
}

static bool
key_fits(EVP_PKEY *key, enum leaf_key kind)
{
	char group[32];
	size_t n;
	int bits;

	if (key == NULL)
		return false;
	bits = EVP_PKEY_get_bits(key);
	switch (kind) {
	case LEAF_KEY_EC:
		return EVP_PKEY_is_a(key, "EC") &&
		    EVP_PKEY_get_group_name(key, group, sizeof(group), &n) ==
		    1 &&
		    strcmp(group, "prime256v1") == 0;
	case LEAF_KEY_RSA:
		return EVP_PKEY_is_a(key, "RSA") && bits >= RSA_BITS_MIN &&
		    bits <= RSA_BITS_MAX;
	case LEAF_KEYS:
		break;
	}
	return false;
}

static int
take_key(struct customer *c, const struct ipc_message *m)
{
	const uint8_t *p = m->body.p;
	X509_PUBKEY *key;

	if (m->job >= LEAF_KEYS || c->keys[m->job] != NULL ||
	    m->body.n > SPKI_MAX)
		return -1;
	key = d2i_X509_PUBKEY(NULL, &p, (long)m->body.n);
	if (key == NULL || p != m->body.p + m->body.n ||
	    !key_fits(X509_PUBKEY_get0(key), m->job)) {
		ERR_clear_error();
		X509_PUBKEY_free(key);
		return -1;
	}
	c->keys[m->job] = key;
	return 0;
}

static void
send_leaf(struct customer *c, uint32_t job, X509 *leaf)
{
	uint8_t *der = NULL;
	int n = i2d_X509(leaf, &der);

	must(n > 0);
	/* A send that fails means an edge that is gone, or has 4096 answers
	 * waiting and gives up by its own timer. */
	if (n > IPC_BODY_MAX)
		channel_send(c->channel, KEYSMITH_REFUSED, job,
		    BYTES("the names make too large a certificate"), -1);
	else
		channel_send(c->channel, KEYSMITH_LEAF, job,
		    (struct bytes){ der, (size_t)n }, -1);
	OPENSSL_free(der);
}

static int
take_order(struct customer *c, const struct ipc_message *m)
{
	const struct forge *f = c->forge;
	struct leaf_order o;
	struct err e = { 0 };
	const X509_PUBKEY *key;
	X509 *leaf;

	if (leaf_order_unpack(&o, m->body) < 0)
		return -1;
	key = c->keys[o.rsa ? LEAF_KEY_RSA : LEAF_KEY_EC];
	if (key == NULL)
		return -1;
	leaf = mimic_sign(&o, key, f->ca->certificate, f->ca->key, time(NULL),
	    f->lifetime_s, &e);
	if (leaf == NULL) {
		channel_send(
		    c->channel, KEYSMITH_REFUSED, m->job, bytes_of(e.text), -1);
		return 0;
	}
	send_leaf(c, m->job, leaf);
	X509_free(leaf);
	counter_add(COUNTER_LEAVES_SIGNED, 1);
	return 0;
}

static void
customer_message(void *owner, const struct ipc_message *m)
{
	struct customer *c = owner;
	int result = -1;

	if (m->fd >= 0)
		close(m->fd);
	else if (m->type == KEYSMITH_KEY)
		result = take_key(c, m);
	else if (m->type == KEYSMITH_ORDER)
		result = take_order(c, m);
	if (result == 0)
		return;
	log_say(EVENT_FAILURE,
	    "an edge sent a malformed message (type %u, %zu bytes);"
	    " its channel is closed",
	    m->type, m->body.n);
	customer_free(c);
}

static void
customer_gone(void *owner)
{
	customer_free(owner);
}

void
forge_serve(struct forge *f, int fd)
{
	struct customer *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->forge = f;
	c->next = f->customers;
	if (c->next != NULL)
		c->next->prev = c;
	f->customers = c;
	c->channel =
	    channel_new(f->loop, fd, customer_message, customer_gone, c);
}

int
forge_try(const struct forge *f, struct err *e)
{
	struct leaf_order o = {
		.names = { BYTES("sekisho.invalid") },
		.names_n = 1,
	};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_PUBKEY *public = NULL;
	uint8_t *der = NULL;
	X509 *leaf;

	must(key != NULL && X509_PUBKEY_set(&public, key) == 1);
	leaf = mimic_sign(&o, public, f->ca->certificate, f->ca->key,
	    time(NULL), f->lifetime_s, e);
	if (leaf != NULL)
		must(i2d_X509(leaf, &der) > 0);
	OPENSSL_free(der);
	X509_free(leaf);
	X509_PUBKEY_free(public);
	EVP_PKEY_free(key);
	return leaf == NULL ? -1 : 0;
}

struct forge *
forge_new(struct loop *l, const struct ca *ca, uint64_t lifetime_s)
{
	struct forge *f = calloc(1, sizeof(*f));

	must(f != NULL);
	f->loop = l;
	f->ca = ca;
	f->lifetime_s = lifetime_s;
	return f;
}

void
forge_free(struct forge *f)
{
	if (f == NULL)
		return;
	while (f->customers != NULL)
		customer_free(f->customers);
	free(f);
}
