/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/tickets.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEYS 3
#define NAME_SIZE 16
#define FIRST_READS 10000 /* a writer needs nanoseconds */

struct key {
	uint8_t name[NAME_SIZE];
	uint8_t aes[32];
	uint8_t hmac[32];
};

/* The newest first; a key of all zeros was never filled. */
struct set {
	uint32_t n;
	struct key keys[KEYS];
};

/* In the shared memory. Odd while the parent writes. */
struct shared {
	_Atomic uint32_t sequence;
	struct set set;
};

/*
 * The parent's own mapping. It was made before the memory was sealed, so it
 * alone can write; forks do not inherit it.
 */
static struct {
	int fd;
	struct shared *shared;
} writer = { .fd = -1 };

struct tickets {
	const struct shared *shared;
	uint32_t sequence; /* of the copy */
	struct set set;
	EVP_CIPHER *cipher;
};

static int
make_key(struct key *k)
{
	if (RAND_bytes(k->name, sizeof(k->name)) != 1 ||
	    RAND_priv_bytes(k->aes, sizeof(k->aes)) != 1 ||
	    RAND_priv_bytes(k->hmac, sizeof(k->hmac)) != 1)
		return -1;
	return 0;
}

static int
add_key(struct shared *s)
{
	uint32_t sequence =
	    atomic_load_explicit(&s->sequence, memory_order_relaxed);
	struct key fresh;

	if (make_key(&fresh) < 0)
		return -1;
	atomic_store_explicit(&s->sequence, sequence + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	memmove(
	    &s->set.keys[1], &s->set.keys[0], (KEYS - 1) * sizeof(struct key));
	s->set.keys[0] = fresh;
	if (s->set.n < KEYS)
		s->set.n++;
	atomic_store_explicit(&s->sequence, sequence + 2, memory_order_release);
	OPENSSL_cleanse(&fresh, sizeof(fresh));
	return 0;
}

static void
writer_release(void)
{
	if (writer.shared != NULL)
		munmap(writer.shared, sizeof(*writer.shared));
	writer.shared = NULL;
	writer.fd = -1;
}

static int
map_for_writing(int fd, struct err *e)
{
	const int seals =
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
	void *p;

	if (ftruncate(fd, sizeof(struct shared)) < 0)
		return err_set(e, "ticket keys: %m");
	p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_set(e, "ticket keys: mmap: %m");
	writer_release();
	writer.fd = fd;
	writer.shared = p;
	mlock(p, sizeof(struct shared));
	if (madvise(p, sizeof(struct shared), MADV_DONTFORK) < 0 ||
	    madvise(p, sizeof(struct shared), MADV_DONTDUMP) < 0 ||
	    fcntl(fd, F_ADD_SEALS, seals) < 0)
		return err_set(e, "ticket keys: cannot be sealed: %m");
	return 0;
}

int
tickets_create(struct err *e)
{
	int fd =
	    memfd_create("sekisho-tickets", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_set(e, "ticket keys: memfd_create: %m");
	if (map_for_writing(fd, e) < 0)
		goto close_fd;
	if (add_key(writer.shared) < 0) {
		err_set(e, "ticket keys: no random bytes");
		goto close_fd;
	}
	return fd;

close_fd:
	writer_release();
	close(fd);
	return -1;
}

void
tickets_rotate(int fd)
{
	must(writer.shared != NULL && fd == writer.fd);
	/* Without random bytes the keys at hand serve on. */
	(void)add_key(writer.shared);
}

/* Copies the set when it changed; false: the parent is writing just now, or
 * stopped while it did. */
static bool
refresh(struct tickets *t)
{
	uint32_t before =
	    atomic_load_explicit(&t->shared->sequence, memory_order_acquire);
	uint32_t after;
	struct set set;

	if (before == t->sequence)
		return true;
	if (before % 2 != 0)
		return false;
	set = t->shared->set;
	atomic_thread_fence(memory_order_acquire);
	after =
	    atomic_load_explicit(&t->shared->sequence, memory_order_relaxed);
	if (after == before && set.n > 0 && set.n <= KEYS) {
		t->set = set;
		t->sequence = before;
	}
	OPENSSL_cleanse(&set, sizeof(set));
	return t->sequence == before;
}

struct tickets *
tickets_map(int fd, struct err *e)
{
	struct tickets *t = calloc(1, sizeof(*t));
	void *p =
	    mmap(NULL, sizeof(struct shared), PROT_READ, MAP_SHARED, fd, 0);

	must(t != NULL);
	if (p == MAP_FAILED) {
		err_set(e, "ticket keys: mmap: %m");
		free(t);
		return NULL;
	}
	t->shared = p;
	madvise(p, sizeof(struct shared), MADV_DONTDUMP);
	/* Fetched here: the callback runs for each handshake. */
	t->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	for (int i = 0; i < FIRST_READS && t->set.n == 0; i++)
		refresh(t);
	if (t->cipher != NULL && t->set.n > 0)
		return t;
	err_set(e, "ticket keys: %s",
	    t->cipher == NULL ? "no AES-256-CBC" : "cannot be read");
	tickets_unmap(t);
	return NULL;
}

void
tickets_unmap(struct tickets *t)
{
	if (t == NULL)
		return;
	munmap((void *)(uintptr_t)t->shared, sizeof(struct shared));
	EVP_CIPHER_free(t->cipher);
	OPENSSL_cleanse(t, sizeof(*t));
	free(t);
}

static int
context_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	must(index >= 0);
	return index;
}

static int
set_mac(EVP_MAC_CTX *mac, struct key *k)
{
	static char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
		    OSSL_MAC_PARAM_KEY, k->hmac, sizeof(k->hmac)),
		OSSL_PARAM_construct_utf8_string(
		    OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1 ? 0 : -1;
}

/* The numbers are those of SSL_CTX_set_tlsext_ticket_key_evp_cb(3). */
enum ticket_answer {
	TICKET_ERROR = -1,
	TICKET_NONE = 0, /* a full handshake */
	TICKET_GOOD = 1,
	TICKET_RENEW = 2,
};

static enum ticket_answer
seal_ticket(struct tickets *t, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	struct key *k = &t->set.keys[0];

	if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(t->cipher)) != 1 ||
	    EVP_EncryptInit_ex2(cipher, t->cipher, k->aes, iv, NULL) != 1 ||
	    set_mac(mac, k) < 0)
		return TICKET_ERROR;
	memcpy(name, k->name, NAME_SIZE);
	return TICKET_GOOD;
}

static enum ticket_answer
open_ticket(struct tickets *t, const unsigned char *name,
    const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	uint32_t i = 0;

	while (
	    i < t->set.n && memcmp(t->set.keys[i].name, name, NAME_SIZE) != 0)
		i++;
	if (i == t->set.n)
		return TICKET_NONE;
	if (EVP_DecryptInit_ex2(
		cipher, t->cipher, t->set.keys[i].aes, iv, NULL) != 1 ||
	    set_mac(mac, &t->set.keys[i]) < 0)
		return TICKET_ERROR;
	return i == 0 ? TICKET_GOOD : TICKET_RENEW;
}

static int
ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	struct tickets *t =
	    SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index());

	/* When the parent is writing, the copy of before serves on. */
	(void)refresh(t);
	if (sealing != 0)
		return seal_ticket(t, name, iv, cipher, mac);
	return open_ticket(t, name, iv, cipher, mac);
}

void
tickets_use(struct tickets *t, SSL_CTX *ctx)
{
	must(SSL_CTX_set_ex_data(ctx, context_index(), t) == 1);
	must(SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key) == 1);
}
