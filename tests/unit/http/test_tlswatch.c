/* SPDX-License-Identifier: Apache-2.0 */
/* The watch between OpenSSL's two ends, with the bytes cut in pieces. */
#include "proxy/http/tlswatch.h"

#include <check.h>
#include <openssl/ssl.h>
#include <string.h>

#include "proxy/http/hello.h"
#include "tests/unit/http/lab.h"
#include "tests/unit/keysmith/lab.h"

Suite *tlswatch_suite(void);

static struct {
	EVP_PKEY *key;
	X509 *certificate;
	const char *verdict; /* of judge() */
	unsigned judged;
} lab;

struct ends {
	const char *name;
	const char *host; /* of the CONNECT */
	const char *sni;  /* NULL: none is sent */
	int version;
	const char *client_groups, *server_groups; /* or NULL */
	const char *verdict;                       /* of the chain, or NULL */
	const char *why;                           /* NULL: it passes */
};

static const struct ends ends[] = {
	{ "TLS 1.3 passes", "www.test", "www.test", TLS1_3_VERSION, NULL, NULL,
	    NULL, NULL },
	{ "TLS 1.2 passes", "www.test", "www.test", TLS1_2_VERSION, NULL, NULL,
	    NULL, NULL },
	{ "a name in capitals passes", "www.test", "WWW.test", TLS1_3_VERSION,
	    NULL, NULL, NULL, NULL },
	{ "a second hello passes", "www.test", "www.test", TLS1_3_VERSION,
	    "X25519:P-384", "P-384", NULL, NULL },
	{ "an address needs no name", "192.0.2.1", NULL, TLS1_3_VERSION, NULL,
	    NULL, NULL, NULL },
	{ "another name is refused", "www.test", "evil.test", TLS1_3_VERSION,
	    NULL, NULL, NULL, "TLS: server name unlike the CONNECT name" },
	{ "a subdomain is refused", "www.test", "a.www.test", TLS1_2_VERSION,
	    NULL, NULL, NULL, "TLS: server name unlike the CONNECT name" },
	{ "a name for an address is refused", "192.0.2.1", "www.test",
	    TLS1_3_VERSION, NULL, NULL, NULL,
	    "TLS: server name unlike the CONNECT name" },
	{ "no name is refused", "www.test", NULL, TLS1_2_VERSION, NULL, NULL,
	    NULL, "TLS: client hello without a server name" },
	{ "TLS 1.1 is refused", "www.test", "www.test", TLS1_1_VERSION, NULL,
	    NULL, NULL, "TLS: version older than 1.2" },
	{ "a chain that does not hold is refused", "www.test", "www.test",
	    TLS1_2_VERSION, NULL, NULL, "expired", "expired" },
};

static const char *
judge(void *owner, STACK_OF(X509) * chain)
{
	(void)owner;
	ck_assert_int_eq(sk_X509_num(chain), 1);
	ck_assert_int_eq(X509_cmp(sk_X509_value(chain, 0), lab.certificate), 0);
	lab.judged++;
	return lab.verdict;
}

static SSL_CTX *
context(const SSL_METHOD *method, int version, const char *groups)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	ck_assert_ptr_nonnull(ctx);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	if (groups != NULL)
		ck_assert_int_eq(SSL_CTX_set1_groups_list(ctx, groups), 1);
	return ctx;
}

static SSL *
make_end(SSL_CTX *ctx, bool client)
{
	SSL *ssl = SSL_new(ctx);

	ck_assert_ptr_nonnull(ssl);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (client)
		SSL_set_connect_state(ssl);
	else
		SSL_set_accept_state(ssl);
	return ssl;
}

/* What one end sent, in pieces of n bytes, through the watch to the other. */
static const char *
carry(struct tlswatch *w, enum tlswatch_side side, SSL *from, SSL *to, size_t n)
{
	uint8_t piece[65536];
	const char *why = NULL;
	int got;

	while ((got = BIO_read(SSL_get_wbio(from), piece, (int)n)) > 0) {
		struct bytes b = { piece, (size_t)got };

		if (!tlswatch_pass(w, side, &b, &why))
			return why;
		if (b.n > 0)
			BIO_write(SSL_get_rbio(to), b.p, (int)b.n);
	}
	return NULL;
}

/* NULL when the handshake and a word each way came through. */
static const char *
converse(struct tlswatch *w, SSL *client, SSL *server, size_t n)
{
	const char *why = NULL;
	char word[5];

	for (int i = 0; i < 10 && why == NULL; i++) {
		SSL_do_handshake(client);
		why = carry(w, TLSWATCH_CLIENT, client, server, n);
		if (why != NULL)
			break;
		SSL_do_handshake(server);
		why = carry(w, TLSWATCH_SERVER, server, client, n);
	}
	if (why != NULL)
		return why;
	ck_assert(SSL_is_init_finished(client) && SSL_is_init_finished(server));
	SSL_write(client, "hello", 5);
	SSL_write(server, "hello", 5);
	why = carry(w, TLSWATCH_CLIENT, client, server, n);
	ck_assert_ptr_null(why);
	why = carry(w, TLSWATCH_SERVER, server, client, n);
	ck_assert_ptr_null(why);
	ck_assert_int_eq(SSL_read(client, word, 5), 5);
	ck_assert_int_eq(SSL_read(server, word, 5), 5);
	return NULL;
}

static void
set_destination(struct url *u, struct arena *a, const char *host)
{
	const char *why;

	ck_assert_int_eq(url_parse_host(u, bytes_of(host), a, &why), 0);
}

static const char *
meet(const struct ends *e, size_t n, SSL_SESSION **session)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	SSL_CTX *ctx[2] = {
		context(TLS_client_method(), e->version, e->client_groups),
		context(TLS_server_method(), e->version, e->server_groups),
	};
	SSL *client, *server;
	struct tlswatch *w;
	const char *why;

	set_destination(&u, &a, e->host);
	SSL_CTX_use_certificate(ctx[1], lab.certificate);
	SSL_CTX_use_PrivateKey(ctx[1], lab.key);
	client = make_end(ctx[0], true);
	server = make_end(ctx[1], false);
	if (e->sni != NULL)
		SSL_set_tlsext_host_name(client, e->sni);
	w = tlswatch_new(&u, TLSWATCH_TLS_ONLY, judge, NULL);
	why = converse(w, client, server, n);
	if (session != NULL) {
		/* the same keys make the same tickets good */
		SSL *again = make_end(ctx[0], true);
		SSL *other = make_end(ctx[1], false);

		*session = SSL_get1_session(client);
		SSL_set_session(again, *session);
		SSL_set_tlsext_host_name(again, e->sni);
		tlswatch_free(w);
		w = tlswatch_new(&u, TLSWATCH_TLS_ONLY, judge, NULL);
		why = converse(w, again, other, n);
		ck_assert_int_eq(SSL_session_reused(again), 1);
		SSL_free(again);
		SSL_free(other);
	}
	tlswatch_free(w);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(ctx[0]);
	SSL_CTX_free(ctx[1]);
	arena_release(&a);
	return why;
}

START_TEST(tlswatch_judges_however_bytes_are_cut)
{
	static const size_t sizes[] = { 1, 2, 3, 4, 5, 6, 7, 11, 64, 500,
		65536 };
	const struct ends *e = &ends[_i];

	lab.verdict = e->verdict;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const char *why = meet(e, sizes[i], NULL);

		if (e->why == NULL)
			ck_assert_msg(why == NULL, "%s: %s", e->name, why);
		else
			ck_assert_msg(why != NULL && strcmp(why, e->why) == 0,
			    "%s: %s", e->name, why == NULL ? "-" : why);
	}
}
END_TEST

START_TEST(tlswatch_asks_for_no_chain_where_a_session_is_resumed)
{
	SSL_SESSION *session = NULL;

	lab.verdict = NULL;
	lab.judged = 0;
	ck_assert_ptr_null(meet(&ends[1], 7, &session));
	ck_assert_uint_eq(lab.judged, 1);
	SSL_SESSION_free(session);
}
END_TEST

struct watched {
	struct arena arena;
	struct url url;
	struct tlswatch *watch;
	const char *why;
};

static void
watch_begin(struct watched *t, enum tlswatch_strictness strictness)
{
	*t = (struct watched){ 0 };
	set_destination(&t->url, &t->arena, "www.test");
	t->watch = tlswatch_new(&t->url, strictness, judge, NULL);
}

static void
watch_end(struct watched *t)
{
	tlswatch_free(t->watch);
	arena_release(&t->arena);
}

static bool
passes(struct watched *t, enum tlswatch_side side, struct bytes b)
{
	size_t n = b.n;

	return tlswatch_pass(t->watch, side, &b, &t->why) && b.n == n;
}

START_TEST(tlswatch_takes_a_hello_up_to_its_limit)
{
	static uint8_t bytes[2 * HELLO_MAX];
	struct watched t;
	size_t n = lab_hello(bytes, "www.test", HELLO_MAX);

	watch_begin(&t, TLSWATCH_TLS_ONLY);
	ck_assert(passes(&t, TLSWATCH_CLIENT, (struct bytes){ bytes, n }));
	watch_end(&t);
	n = lab_hello(bytes, "www.test", HELLO_MAX + 1);
	watch_begin(&t, TLSWATCH_TLS_ONLY);
	ck_assert(!passes(&t, TLSWATCH_CLIENT, (struct bytes){ bytes, n }));
	ck_assert_str_eq(t.why, "TLS: handshake message is too long");
	watch_end(&t);
}
END_TEST

START_TEST(tlswatch_lets_nothing_out_before_it_is_judged)
{
	static uint8_t bytes[1000];
	struct watched t;
	size_t n = lab_hello(bytes, "evil.test", 300), i;

	watch_begin(&t, TLSWATCH_TLS_ONLY);
	for (i = 0; i < n; i++) {
		struct bytes b = { bytes + i, 1 };

		if (!tlswatch_pass(t.watch, TLSWATCH_CLIENT, &b, &t.why))
			break;
		ck_assert_uint_eq(b.n, 0);
	}
	ck_assert_uint_lt(i, n);
	watch_end(&t);
}
END_TEST

START_TEST(tlswatch_refuses_a_hello_cut_anywhere)
{
	static uint8_t whole[1000], bytes[1000];
	size_t n = lab_hello(whole, "www.test", 120);

	for (size_t cut = 0; cut + 1 < 120; cut++) {
		struct watched t;

		/* the message says that it ends here */
		memcpy(bytes, whole, n);
		bytes[7] = (uint8_t)(cut >> 8);
		bytes[8] = (uint8_t)cut;
		watch_begin(&t, TLSWATCH_TLS_ONLY);
		ck_assert_msg(
		    !passes(&t, TLSWATCH_CLIENT, (struct bytes){ bytes, n }),
		    "cut at %zu", cut);
		watch_end(&t);
	}
}
END_TEST

static const struct {
	const char *name;
	enum tlswatch_strictness strictness;
	enum tlswatch_side side;
	struct bytes bytes;
	bool passes;
} firsts[] = {
	{ "text is refused", TLSWATCH_TLS_ONLY, TLSWATCH_CLIENT,
	    BYTES("GET / HTTP/1.1\r\n"), false },
	{ "text may pass", TLSWATCH_ANYTHING, TLSWATCH_CLIENT,
	    BYTES("SSH-2.0-x\r\n"), true },
	{ "a server's text is refused", TLSWATCH_TLS_ONLY, TLSWATCH_SERVER,
	    BYTES("220 mail\r\n"), false },
	{ "a server's text may pass", TLSWATCH_ANYTHING, TLSWATCH_SERVER,
	    BYTES("220 mail\r\n"), true },
	{ "what begins as TLS must go on so", TLSWATCH_ANYTHING,
	    TLSWATCH_CLIENT, BYTES("\26ET / HTTP"), false },
	{ "data before a hello is refused", TLSWATCH_TLS_ONLY, TLSWATCH_CLIENT,
	    BYTES("\x17\3\3\0\1x"), false },
	{ "a record of SSL 2 is refused", TLSWATCH_TLS_ONLY, TLSWATCH_CLIENT,
	    BYTES("\x80\x2e\x01\x03\x01"), false },
	{ "an empty handshake record is refused", TLSWATCH_TLS_ONLY,
	    TLSWATCH_CLIENT, BYTES("\x16\x03\x01\x00\x00"), false },
	{ "a record over the limit is refused", TLSWATCH_TLS_ONLY,
	    TLSWATCH_CLIENT, BYTES("\x16\x03\x01\x48\x01"), false },
	{ "a server's alert passes", TLSWATCH_TLS_ONLY, TLSWATCH_SERVER,
	    BYTES("\x15\x03\x03\x00\x02\x02\x28"), true },
};

START_TEST(tlswatch_judges_first_bytes)
{
	struct watched t;

	watch_begin(&t, firsts[_i].strictness);
	ck_assert_msg(
	    passes(&t, firsts[_i].side, firsts[_i].bytes) == firsts[_i].passes,
	    "%s", firsts[_i].name);
	watch_end(&t);
}
END_TEST

START_TEST(tlswatch_refuses_what_is_no_record_after_the_hello)
{
	static uint8_t bytes[1000];
	struct watched t;
	size_t n = lab_hello(bytes, "www.test", 200);

	watch_begin(&t, TLSWATCH_TLS_ONLY);
	ck_assert(passes(&t, TLSWATCH_CLIENT, (struct bytes){ bytes, n }));
	ck_assert(passes(&t, TLSWATCH_CLIENT, BYTES("\x17\3\3\0\2xy")));
	ck_assert(!passes(&t, TLSWATCH_CLIENT, BYTES("GET / HTTP/1.1")));
	ck_assert_str_eq(t.why, "what passes is not TLS");
	watch_end(&t);
}
END_TEST

static void
make_lab(void)
{
	EVP_PKEY *own;

	lab.key = lab_key("EC");
	lab.certificate = lab_origin("DNS:www.test");
	own = X509_get_pubkey(lab.certificate);
	EVP_PKEY_free(own);
	X509_set_pubkey(lab.certificate, lab.key);
	X509_sign(lab.certificate, lab.key, EVP_sha256());
}

static void
free_lab(void)
{
	EVP_PKEY_free(lab.key);
	X509_free(lab.certificate);
}

Suite *
tlswatch_suite(void)
{
	Suite *s = suite_create("tlswatch");
	TCase *t = tcase_create("tlswatch");

	tcase_add_unchecked_fixture(t, make_lab, free_lab);
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(
	    t, tlswatch_judges_however_bytes_are_cut, 0, COUNT(ends));
	tcase_add_test(
	    t, tlswatch_asks_for_no_chain_where_a_session_is_resumed);
	tcase_add_test(t, tlswatch_takes_a_hello_up_to_its_limit);
	tcase_add_test(t, tlswatch_lets_nothing_out_before_it_is_judged);
	tcase_add_test(t, tlswatch_refuses_a_hello_cut_anywhere);
	tcase_add_loop_test(t, tlswatch_judges_first_bytes, 0, COUNT(firsts));
	tcase_add_test(t, tlswatch_refuses_what_is_no_record_after_the_hello);
	suite_add_tcase(s, t);
	return s;
}
