/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls: of the gate with systems and with endpoints. Both ends are known by the
 * digests of their certificates, so that no authority needs to be trusted;
 * there are no sessions to be resumed, as each connection must show its own.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/gate/crossing.h"
#include "proxy/isolation/probe.h"

#define PEM_MAX ((size_t)1 << 20)

/* ALPN's form of the one name (RFC 7301 section 3.1). */
static const unsigned char probe_name[] = "\x0f" PROBE_ALPN;

_Static_assert(sizeof(PROBE_ALPN) - 1 == 15, "its length stands before it");

static struct crossing *
crossing_of(X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    ctx, SSL_get_ex_data_X509_STORE_CTX_idx());

	return SSL_get_app_data(ssl);
}

static int
judge_system(X509_STORE_CTX *ctx, void *arg)
{
	struct crossing *x = crossing_of(ctx);
	const struct gate *g = arg;

	x->showed = true;
	x->caller = caller_judge(g->contractors, x->system->certificate,
	    X509_STORE_CTX_get0_cert(ctx), X509_STORE_CTX_get0_untrusted(ctx),
	    (time_t)(gate_now_ms(g) / 1000));
	if (x->caller == CALLER_KNOWN)
		return 1;
	X509_STORE_CTX_set_error(ctx,
	    caller_is_incident(x->caller) ? X509_V_ERR_CERT_REJECTED
					  : X509_V_ERR_CERT_HAS_EXPIRED);
	return 0;
}

static int
judge_endpoint(X509_STORE_CTX *ctx, void *arg)
{
	struct crossing *x = crossing_of(ctx);
	const struct gate *g = arg;
	X509 *certificate = X509_STORE_CTX_get0_cert(ctx);
	time_t now = (time_t)(gate_now_ms(g) / 1000);
	uint8_t digest[MODEL_DIGEST_N];

	certificate_digest(certificate, digest);
	if (memcmp(digest, x->endpoint->certificate, sizeof(digest)) != 0)
		x->far_why = "not the endpoint's certificate";
	else if (certificate_is_over(certificate, now) ||
	    certificate_is_early(certificate, now))
		x->far_why = "the endpoint's certificate is not valid now";
	else
		return 1;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/* Of a client's names only the probe's is known. */
static int
choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
    const unsigned char *in, unsigned in_n, void *arg)
{
	(void)ssl;
	(void)arg;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_n,
		   probe_name, sizeof(probe_name) - 1, in,
		   in_n) == OPENSSL_NPN_NEGOTIATED
	    ? SSL_TLSEXT_ERR_OK
	    : SSL_TLSEXT_ERR_NOACK;
}

/* Without it OpenSSL does not give the name. */
static int
take_name(SSL *ssl, int *alert, void *arg)
{
	(void)ssl;
	(void)alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *
context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	must(ctx != NULL);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	return ctx;
}

/* The certificate and those above it; 0, or -1. */
static int
use_chain(SSL_CTX *ctx, struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *one;
	int result;

	must(bio != NULL);
	one = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	result = one != NULL && SSL_CTX_use_certificate(ctx, one) == 1 ? 0 : -1;
	X509_free(one);
	while (result == 0 &&
	    (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		must(SSL_CTX_add0_chain_cert(ctx, one) == 1);
	BIO_free(bio);
	ERR_clear_error();
	return result;
}

static int
read_key(int fd, struct buf *out)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || (uintmax_t)st.st_size > out->max)
		return -1;
	must(buf_reserve(out, (size_t)st.st_size) == 0);
	n = pread(fd, out->p, (size_t)st.st_size, 0);
	out->n = n < 0 ? 0 : (size_t)n;
	return out->n == (size_t)st.st_size ? 0 : -1;
}

/* No password is asked for. */
static int
no_password(char *out, int size, int writes, void *arg)
{
	(void)out;
	(void)size;
	(void)writes;
	(void)arg;
	return -1;
}

static EVP_PKEY *
open_key(int fd)
{
	EVP_PKEY *key = NULL;
	struct buf pem;

	buf_init(&pem, PEM_MAX);
	if (read_key(fd, &pem) == 0 && pem.n > 0) {
		BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);

		must(bio != NULL);
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
		BIO_free(bio);
	}
	if (pem.p != NULL)
		explicit_bzero(pem.p, pem.size);
	buf_release(&pem);
	ERR_clear_error();
	return key;
}

/* Both sides see the same certificate of the gate: systems, and endpoints that
 * ask for one. */
static int
use_own(struct gate *g, struct bytes chain, EVP_PKEY *key, struct err *e)
{
	const struct isolation_settings *s = &g->model->settings;
	SSL_CTX *const both[] = { g->near, g->far };

	for (size_t i = 0; i < COUNT(both); i++) {
		if (use_chain(both[i], chain) < 0)
			return err_set(e,
			    "%s: holds no certificate in PEM that TLS takes",
			    s->gate_certificate);
		if (SSL_CTX_use_PrivateKey(both[i], key) != 1 ||
		    SSL_CTX_check_private_key(both[i]) != 1) {
			ERR_clear_error();
			return err_set(e, "%s: is not the key of %s",
			    s->gate_key, s->gate_certificate);
		}
	}
	return 0;
}

static int
judge_mode(int fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, "%s: cannot be read: %m", name);
	return (st.st_mode & (S_IROTH | S_IWOTH)) == 0
	    ? 0
	    : err_set(e, "%s: has mode %04o, open to everyone, expected 0600",
		  name, (unsigned)st.st_mode & 07777);
}

static int
open_own(struct gate *g, int key_fd, struct err *e)
{
	const struct isolation_settings *s = &g->model->settings;
	EVP_PKEY *key;
	struct buf chain;
	int result = -1;

	if (judge_mode(key_fd, s->gate_key, e) < 0)
		return -1;
	key = open_key(key_fd);
	buf_init(&chain, PEM_MAX);
	if (key == NULL)
		err_set(e, "%s: holds no private key in PEM without a password",
		    s->gate_key);
	else if (file_read(s->gate_certificate, &chain, e) == 0)
		result = use_own(g, buf_bytes(&chain), key, e);
	buf_release(&chain);
	EVP_PKEY_free(key);
	return result;
}

int
gate_tls_open(struct gate *g, int key_fd, struct err *e)
{
	g->near = context(TLS_server_method());
	g->far = context(TLS_client_method());
	SSL_CTX_set_verify(
	    g->near, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(g->near, judge_system, g);
	SSL_CTX_set_alpn_select_cb(g->near, choose_alpn, NULL);
	SSL_CTX_set_tlsext_servername_callback(g->near, take_name);
	SSL_CTX_set_verify(g->far, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(g->far, judge_endpoint, g);
	return open_own(g, key_fd, e);
}

SSL *
gate_tls_near(struct gate *g, struct crossing *x)
{
	SSL *ssl = SSL_new(g->near);

	must(ssl != NULL);
	SSL_set_app_data(ssl, x);
	SSL_set_accept_state(ssl);
	return ssl;
}

SSL *
gate_tls_far(struct gate *g, struct crossing *x)
{
	SSL *ssl = SSL_new(g->far);

	must(ssl != NULL);
	SSL_set_app_data(ssl, x);
	/* SSL_set_tlsext_host_name, whose macro casts a const away. */
	if (x->endpoint->server_name[0] != '\0')
		must(SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
			 TLSEXT_NAMETYPE_host_name,
			 (void *)(uintptr_t)x->endpoint->server_name) == 1);
	SSL_set_connect_state(ssl);
	return ssl;
}

bool
gate_tls_is_probe(const SSL *near)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(near, &name, &n);
	return bytes_equal((struct bytes){ name, n }, BYTES(PROBE_ALPN));
}
