/* SPDX-License-Identifier: Apache-2.0 */
/* verify: what a browser would refuse of an origin, we refuse. */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/upstream/upstream.h"

#define HOST_FLAGS                              \
	(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | \
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
#define SECURITY_LEVEL 2               /* 112 bits: RSA-2048, no SHA-1 */
#define ANCHORS_MAX ((size_t)64 << 20) /* bytes of a file of anchors */
#define VERIFIED_MAX 4096
#define VERIFIED_S 3600
#define SESSIONS 4096
#define SESSION_S 3600
#define STAPLE_SKEW_S 300

struct trust {
	X509_STORE *store;
};

/* A chain that held for a host; its digest stands for both. */
struct verified {
	uint8_t digest[32];
	time_t until;
};

struct session {
	uint32_t hash;
	time_t until;
	SSL_SESSION *session;
};

struct verifier {
	const struct verify_settings *settings;
	X509_STORE *store;
	SSL_CTX *ctx;
	struct verified verified[VERIFIED_MAX]; /* direct-mapped */
	struct session sessions[SESSIONS];
};

/* Of one SSL. */
struct attempt {
	struct verifier *verifier;
	const struct url *destination;
	unsigned excused; /* checks that may fail */
	unsigned used;    /* of them, those that did */
	unsigned failed;
	const char *words;
};

static int attempt_index = -1;

static int
load_anchors(struct trust *t, const char *path, struct err *e)
{
	int fd = file_open(path, ANCHORS_MAX, e);

	if (fd < 0)
		return -1;
	close(fd);
	if (X509_STORE_load_file(t->store, path) == 1)
		return 0;
	return err_set(e, "%s: cannot be read as certificates in PEM", path);
}

struct trust *
trust_new(const struct verify_settings *s, const char *folder, struct err *e)
{
	struct trust *t = calloc(1, sizeof(*t));
	struct arena a = { 0 };

	must(t != NULL);
	t->store = X509_STORE_new();
	must(t->store != NULL);
	for (size_t i = 0; i <= s->trust_files.n; i++) {
		const char *name =
		    i == 0 ? s->system_store : s->trust_files.p[i - 1];
		const char *path = name[0] == '/'
		    ? name
		    : arena_printf(&a, "%s/%s", folder, name);

		if (name[0] == '\0')
			continue;
		if (load_anchors(t, path, e) == 0)
			continue;
		ERR_clear_error();
		arena_release(&a);
		trust_free(t);
		return NULL;
	}
	arena_release(&a);
	return t;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	X509_STORE_free(t->store);
	free(t);
}

X509_STORE *
trust_store(struct trust *t)
{
	return t->store;
}

/* Which check an error of OpenSSL belongs to. */
static unsigned
check_of(int error)
{
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return VERIFY_NAME;
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return VERIFY_TIME;
	case X509_V_ERR_INVALID_PURPOSE:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		return VERIFY_USAGE;
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return VERIFY_STRENGTH;
	case X509_V_ERR_CERT_REVOKED:
		return VERIFY_REVOKED;
	default:
		return VERIFY_CHAIN;
	}
}

static int
judge_error(int ok, X509_STORE_CTX *ctx)
{
	struct attempt *a = X509_STORE_CTX_get_app_data(ctx);
	int error = X509_STORE_CTX_get_error(ctx);
	unsigned check = check_of(error);

	if (ok)
		return 1;
	if ((a->excused & check) != 0) {
		a->used |= check;
		return 1;
	}
	if (a->failed == 0) {
		a->failed = check;
		a->words = X509_verify_cert_error_string(error);
	}
	return 0;
}

static void
digest_chain(
    X509 *leaf, STACK_OF(X509) * chain, struct bytes host, uint8_t out[32])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char one[EVP_MAX_MD_SIZE];
	unsigned n;

	must(md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
	EVP_DigestUpdate(md, host.p, host.n);
	if (X509_digest(leaf, EVP_sha256(), one, &n) == 1)
		EVP_DigestUpdate(md, one, n);
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (X509_digest(
			sk_X509_value(chain, i), EVP_sha256(), one, &n) == 1)
			EVP_DigestUpdate(md, one, n);
	EVP_DigestFinal_ex(md, out, &n);
	EVP_MD_CTX_free(md);
}

static time_t
end_of(X509 *certificate)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1)
		return 0;
	return timegm(&tm);
}

static struct verified *
place_of(struct verifier *v, const uint8_t digest[32])
{
	uint32_t at;

	memcpy(&at, digest, sizeof(at));
	return &v->verified[at % VERIFIED_MAX];
}

static void
remember(struct verifier *v, const uint8_t digest[32], X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	struct verified *place = place_of(v, digest);
	time_t until = time(NULL) + VERIFIED_S;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		time_t end = end_of(sk_X509_value(chain, i));

		if (end < until)
			until = end;
	}
	memcpy(place->digest, digest, sizeof(place->digest));
	place->until = until;
}

static void
expect(X509_STORE_CTX *ctx, const struct url *destination)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
	const uint8_t *ip = destination->address.octets;

	X509_VERIFY_PARAM_set_auth_level(p, SECURITY_LEVEL);
	X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_hostflags(p, HOST_FLAGS);
	if (!destination->is_address)
		X509_VERIFY_PARAM_set1_host(
		    p, (const char *)destination->host.p, destination->host.n);
	else if (address_is_v4(&destination->address))
		X509_VERIFY_PARAM_set1_ip(p, ip + 12, 4);
	else
		X509_VERIFY_PARAM_set1_ip(p, ip, 16);
}

static int
verify_chain(X509_STORE_CTX *ctx, struct attempt *a)
{
	struct verifier *v = a->verifier;
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(ctx);
	uint8_t digest[32];
	const struct verified *known;

	digest_chain(leaf, chain, a->destination->host, digest);
	known = place_of(v, digest);
	if (memcmp(known->digest, digest, sizeof(digest)) == 0 &&
	    known->until > time(NULL)) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	expect(ctx, a->destination);
	X509_STORE_CTX_set_app_data(ctx, a);
	X509_STORE_CTX_set_verify_cb(ctx, judge_error);
	if (X509_verify_cert(ctx) != 1) {
		if (a->failed == 0) {
			a->failed = VERIFY_CHAIN;
			a->words = "the certificates cannot be verified";
		}
		return 0;
	}
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	if (a->excused == 0)
		remember(v, digest, ctx);
	return 1;
}

static int
verify_peer(X509_STORE_CTX *ctx, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    ctx, SSL_get_ex_data_X509_STORE_CTX_idx());

	(void)arg;
	return verify_chain(ctx, SSL_get_ex_data(ssl, attempt_index));
}

/* RFC 6960: what was stapled must be good for the leaf, now. */
static bool
staple_is_good(struct verifier *v, SSL *ssl, struct bytes staple)
{
	const unsigned char *p = staple.p;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)staple.n);
	OCSP_BASICRESP *basic =
	    response == NULL ? NULL : OCSP_response_get1_basic(response);
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	X509 *issuer = sk_X509_num(chain) > 1 ? sk_X509_value(chain, 1) : NULL;
	X509 *found = NULL;
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	OCSP_CERTID *id = NULL;
	ASN1_GENERALIZEDTIME *this_update;
	ASN1_GENERALIZEDTIME *next_update;
	int status = V_OCSP_CERTSTATUS_UNKNOWN;
	bool good = false;

	if (basic == NULL || ctx == NULL || leaf == NULL ||
	    X509_STORE_CTX_init(ctx, v->store, leaf, chain) != 1)
		goto done;
	if (issuer == NULL &&
	    X509_STORE_CTX_get1_issuer(&found, ctx, leaf) == 1)
		issuer = found;
	if (issuer == NULL ||
	    OCSP_basic_verify(basic, chain, v->store, OCSP_TRUSTOTHER) != 1)
		goto done;
	id = OCSP_cert_to_id(EVP_sha1(), leaf, issuer);
	good = id != NULL &&
	    OCSP_resp_find_status(basic, id, &status, NULL, NULL, &this_update,
		&next_update) == 1 &&
	    status == V_OCSP_CERTSTATUS_GOOD &&
	    OCSP_check_validity(this_update, next_update, STAPLE_SKEW_S, -1) ==
		1;
done:
	OCSP_CERTID_free(id);
	X509_free(found);
	X509_STORE_CTX_free(ctx);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return good;
}

static int
judge_staple(SSL *ssl, void *arg)
{
	struct attempt *a = SSL_get_ex_data(ssl, attempt_index);
	unsigned char *staple;
	long n = SSL_get_tlsext_status_ocsp_resp(ssl, &staple);

	(void)arg;
	if (n <= 0 || staple == NULL || (a->excused & VERIFY_REVOKED) != 0 ||
	    SSL_session_reused(ssl))
		return 1;
	if (staple_is_good(
		a->verifier, ssl, (struct bytes){ staple, (size_t)n }))
		return 1;
	a->failed = VERIFY_REVOKED;
	a->words = "the certificate is revoked, or its stapled status is not"
		   " valid";
	return 0;
}

/* Sessions. */

static uint32_t
session_hash(const struct url *u)
{
	return bytes_hash(u->host) ^ u->port;
}

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	const struct attempt *a = SSL_get_ex_data(ssl, attempt_index);
	uint32_t hash = session_hash(a->destination);
	struct session *s = &a->verifier->sessions[hash % SESSIONS];
	X509 *certificate = SSL_SESSION_get0_peer(session);
	time_t until = time(NULL) + SESSION_S;

	if (certificate == NULL || a->excused != 0)
		return 0;
	if (end_of(certificate) < until)
		until = end_of(certificate);
	SSL_SESSION_free(s->session);
	*s = (struct session){ hash, until, session };
	return 1; /* the reference is ours now */
}

/* Whether the session's certificate names the host: a place is shared by
 * names of one hash. */
static bool
session_fits(const struct session *s, const struct url *u)
{
	const char *sni = SSL_SESSION_get0_hostname(s->session);

	return s->hash == session_hash(u) && s->until > time(NULL) &&
	    sni != NULL && bytes_equal(bytes_of(sni), u->host);
}

/* Used once (RFC 8446 appendix C.4). */
static void
resume(SSL *ssl, struct verifier *v, const struct url *u)
{
	struct session *s = &v->sessions[session_hash(u) % SESSIONS];

	if (s->session == NULL || !session_fits(s, u))
		return;
	SSL_set_session(ssl, s->session);
	SSL_SESSION_free(s->session);
	s->session = NULL;
}

static void
free_attempt(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl,
    void *argp)
{
	(void)parent;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	free(ptr);
}

struct verifier *
verifier_new(const struct verify_settings *s, struct trust *t, struct err *e)
{
	struct verifier *v = calloc(1, sizeof(*v));
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	must(v != NULL);
	if (attempt_index < 0)
		attempt_index =
		    SSL_get_ex_new_index(0, NULL, NULL, NULL, free_attempt);
	if (ctx == NULL || attempt_index < 0) {
		err_set(e, "TLS to origins: out of memory");
		SSL_CTX_free(ctx);
		free(v);
		return NULL;
	}
	v->settings = s;
	v->store = t->store;
	v->ctx = ctx;
	SSL_CTX_set1_cert_store(ctx, t->store);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_peer, NULL);
	SSL_CTX_set_tlsext_status_cb(ctx, judge_staple);
	SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	return v;
}

void
verifier_free(struct verifier *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < SESSIONS; i++)
		SSL_SESSION_free(v->sessions[i].session);
	SSL_CTX_free(v->ctx);
	free(v);
}

static unsigned
excused(const struct verifier *v, const struct url *destination)
{
	unsigned checks = 0;

	for (size_t i = 0; i < v->settings->exceptions_n; i++) {
		const struct verify_exception *x = &v->settings->exceptions[i];

		if (x->expires > time(NULL) &&
		    bytes_equal(bytes_of(x->destination), destination->host))
			checks |= x->checks;
	}
	return checks;
}

bool
verifier_covers(X509 *certificate, struct bytes host)
{
	return X509_check_host(certificate, (const char *)host.p, host.n,
		   HOST_FLAGS, NULL) == 1;
}

SSL *
verifier_ssl(
    struct verifier *v, const struct url *destination, enum verifier_alpn alpn)
{
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	unsigned skip = alpn == VERIFIER_H2_OR_H1 ? 0 : 3;
	SSL *ssl = SSL_new(v->ctx);
	struct attempt *a = calloc(1, sizeof(*a));
	char host[HOST_MAX + 1] = { 0 };

	must(a != NULL);
	a->verifier = v;
	a->destination = destination;
	a->excused = excused(v, destination);
	if (ssl == NULL || SSL_set_ex_data(ssl, attempt_index, a) != 1) {
		SSL_free(ssl);
		free(a);
		return NULL;
	}
	memcpy(host, destination->host.p, destination->host.n);
	if (!destination->is_address)
		SSL_set_tlsext_host_name(ssl, host);
	SSL_set_alpn_protos(ssl, both + skip, sizeof(both) - 1 - skip);
	SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
	SSL_set_connect_state(ssl);
	resume(ssl, v, destination);
	return ssl;
}

unsigned
verifier_failure(SSL *ssl, const char **words_out)
{
	const struct attempt *a = SSL_get_ex_data(ssl, attempt_index);

	if (a->failed != 0)
		*words_out = a->words;
	return a->failed;
}

unsigned
verifier_excused(SSL *ssl)
{
	const struct attempt *a = SSL_get_ex_data(ssl, attempt_index);

	return a->used;
}

unsigned
verifier_judge_chain(struct verifier *v, X509 *leaf, STACK_OF(X509) * chain,
    const struct url *destination, const char **words_out)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	struct attempt a = {
		.verifier = v,
		.destination = destination,
		.excused = excused(v, destination),
	};

	*words_out = NULL;
	if (ctx == NULL ||
	    X509_STORE_CTX_init(ctx, v->store, leaf, chain) != 1) {
		X509_STORE_CTX_free(ctx);
		*words_out = "out of memory";
		return VERIFY_CHAIN;
	}
	if (verify_chain(ctx, &a) == 1)
		a.failed = 0;
	*words_out = a.words;
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return a.failed;
}
