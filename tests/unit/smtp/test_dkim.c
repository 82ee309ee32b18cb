/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/dkim.h"

#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/base/macros.h"

Suite *dkim_suite(void);

static void
sha256(struct bytes text, uint8_t out[DKIM_HASH_SIZE])
{
	unsigned n;

	must(EVP_Digest(text.p, text.n, out, &n, EVP_sha256(), NULL) == 1);
}

/* RFC 6376 sections 3.4.4 and 3.4.5, and what they imply. */
static const struct {
	const char *name;
	struct bytes body, relaxed;
} bodies[] = {
	{ "the RFC's example", BYTES_ROW(" C \r\nD \t E\r\n\r\n\r\n"),
	    BYTES_ROW(" C\r\nD E\r\n") },
	{ "no body", BYTES_ROW(""), BYTES_ROW("") },
	{ "empty lines alone", BYTES_ROW("\r\n\r\n"), BYTES_ROW("") },
	{ "blanks alone", BYTES_ROW(" \t\r\n \r\n"), BYTES_ROW("") },
	{ "no line end", BYTES_ROW("a"), BYTES_ROW("a\r\n") },
	{ "a line of blanks within", BYTES_ROW("a\r\n \t\r\n\r\nb\r\n"),
	    BYTES_ROW("a\r\n\r\n\r\nb\r\n") },
	{ "a CR alone stays", BYTES_ROW("a\rb \r\n"), BYTES_ROW("a\rb\r\n") },
	{ "blanks at the end", BYTES_ROW("a \t"), BYTES_ROW("a\r\n") },
};

START_TEST(dkim_hashes_relaxed_bodies)
{
	uint8_t got[DKIM_HASH_SIZE], want[DKIM_HASH_SIZE];

	dkim_hash_body(bodies[_i].body, got);
	sha256(bodies[_i].relaxed, want);
	ck_assert_msg(
	    memcmp(got, want, sizeof(got)) == 0, "%s", bodies[_i].name);
}
END_TEST

static const struct {
	const char *name;
	struct bytes head, names, signature, relaxed;
} heads[] = {
	{ "the RFC's example", BYTES_ROW("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n"),
	    BYTES_ROW("a:b"), BYTES_ROW("S: b="),
	    BYTES_ROW("a:X\r\nb:Y Z\r\ns:b=") },
	{ "from below, and none above the first",
	    BYTES_ROW("A: 1\r\nb: 2\r\na: 3\r\n\r\nA: body\r\n"),
	    BYTES_ROW("A : a:A:b:c"), BYTES_ROW("S:x"),
	    BYTES_ROW("a:3\r\na:1\r\nb:2\r\ns:x") },
	{ "no value", BYTES_ROW("A:\r\nB: \r\n \r\n"), BYTES_ROW("a:b"),
	    BYTES_ROW("S: x\r\n"), BYTES_ROW("a:\r\nb:\r\ns:x") },
	{ "a line that is no field", BYTES_ROW("odd\r\nA: 1"), BYTES_ROW("a"),
	    BYTES_ROW("S:\r\n\tx;\r\n y"), BYTES_ROW("a:1\r\ns:x; y") },
};

START_TEST(dkim_hashes_relaxed_headers)
{
	uint8_t got[DKIM_HASH_SIZE], want[DKIM_HASH_SIZE];

	dkim_hash_head(
	    heads[_i].head, heads[_i].names, heads[_i].signature, got);
	sha256(heads[_i].relaxed, want);
	ck_assert_msg(
	    memcmp(got, want, sizeof(got)) == 0, "%s", heads[_i].name);
}
END_TEST

/* RFC 8463 appendix A: one mail with a signature of each kind. */

#define RFC_HEAD                                                           \
	"From: Joe SixPack <joe@football.example.com>\r\n"                 \
	"To: Suzie Q <suzie@shopping.example.net>\r\n"                     \
	"Subject: Is dinner ready?\r\n"                                    \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                  \
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n" \
	"\r\n"
#define RFC_BODY \
	"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
#define RFC_BODY_HASH "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
#define RFC_NAMES \
	"from : to : subject : date : message-id : from : subject : date"

static const char rfc_ed25519_private[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static const struct {
	const char *name;
	bool ed25519;
	struct bytes field; /* without b='s value */
	const char *signature;
	const char *key; /* p= of its record */
} signatures[] = {
	{ "Ed25519", true,
	    BYTES_ROW(
		"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;"
		"\r\n"
		" d=football.example.com; i=@football.example.com;\r\n"
		" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
		" subject : date : message-id : from : subject : date;"
		"\r\n"
		" bh=" RFC_BODY_HASH ";\r\n"
		" b="),
	    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
	    "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
	    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" },
	{ "RSA", false,
	    BYTES_ROW(
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
		" d=football.example.com; i=@football.example.com;\r\n"
		" q=dns/txt; s=test; t=1528637909; h=from : to : subject :"
		"\r\n"
		" date : message-id : from : subject : date;\r\n"
		" bh=" RFC_BODY_HASH ";\r\n"
		" b="),
	    "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
	    "DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
	    "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
	    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
	    "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91"
	    "y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZy"
	    "VYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB" },
};

/* How many bytes; padding is not counted. */
static size_t
decode(const char *text, uint8_t *out, size_t size)
{
	size_t n = strlen(text);
	size_t pad = 0;

	ck_assert_uint_le(n / 4 * 3, size);
	ck_assert_int_ge(
	    EVP_DecodeBlock(out, (const uint8_t *)text, (int)n), 0);
	while (pad < 2 && text[n - 1 - pad] == '=')
		pad++;
	return n / 4 * 3 - pad;
}

static EVP_PKEY *
public_key(const char *text, bool ed25519)
{
	uint8_t der[1024];
	const uint8_t *p = der;
	size_t n = decode(text, der, sizeof(der));

	return ed25519
	    ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, der, n)
	    : d2i_PUBKEY(NULL, &p, (long)n);
}

static bool
verify(EVP_PKEY *key, bool ed25519, const uint8_t hash[DKIM_HASH_SIZE],
    const uint8_t *signature, size_t n)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool good;

	if (ed25519)
		good = EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(md, signature, n, hash, DKIM_HASH_SIZE) ==
			1;
	else
		good = EVP_PKEY_verify_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
		    EVP_PKEY_verify(ctx, signature, n, hash, DKIM_HASH_SIZE) ==
			1;
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(ctx);
	return good;
}

START_TEST(dkim_agrees_with_the_rfcs_signatures)
{
	uint8_t hash[DKIM_HASH_SIZE], want[DKIM_HASH_SIZE + 1], raw[512];
	EVP_PKEY *key = public_key(signatures[_i].key, signatures[_i].ed25519);
	size_t n = decode(signatures[_i].signature, raw, sizeof(raw));

	ck_assert_ptr_nonnull(key);
	dkim_hash_body(BYTES(RFC_BODY), hash);
	ck_assert_uint_eq(
	    decode(RFC_BODY_HASH, want, sizeof(want)), DKIM_HASH_SIZE);
	ck_assert_mem_eq(hash, want, DKIM_HASH_SIZE);
	dkim_hash_head(
	    BYTES(RFC_HEAD), BYTES(RFC_NAMES), signatures[_i].field, hash);
	ck_assert(verify(key, signatures[_i].ed25519, hash, raw, n));
	dkim_hash_head(BYTES("Subject: no\r\n" RFC_HEAD), BYTES(RFC_NAMES),
	    signatures[_i].field, hash);
	ck_assert(!verify(key, signatures[_i].ed25519, hash, raw, n));
	EVP_PKEY_free(key);
}
END_TEST

/* Our own. */

static char folder[] = "/tmp/dkim-XXXXXX";
static char path[64];

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key.pem", folder);
}

static void
teardown(void)
{
	unlink(path);
	rmdir(folder);
}

static void
write_key(const char *pem)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(pem, f);
	fclose(f);
}

static void
write_rsa(unsigned bits)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	must(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
	EVP_PKEY_free(key);
	fclose(f);
}

static void
sign(struct buf *out, const char *head)
{
	struct err e = { 0 };
	struct dkim_key *key = dkim_key_load(path, &e);
	uint8_t hash[DKIM_HASH_SIZE];
	const struct dkim_order order = { key, "football.example.com",
		"brisbane", 1528637909 };

	ck_assert_msg(key != NULL, "%s", e.text);
	buf_init(out, DKIM_FIELD_MAX);
	dkim_hash_body(BYTES(RFC_BODY), hash);
	ck_assert_msg(dkim_sign(&order, bytes_of(head), hash, out, &e) == 0,
	    "%s", e.text);
	dkim_key_free(key);
}

START_TEST(dkim_signs_what_verifies)
{
	uint8_t hash[DKIM_HASH_SIZE], raw[512];
	EVP_PKEY *key = public_key(signatures[0].key, true);
	struct buf out;
	char b[128], *at;
	size_t n = 0;

	write_key(rfc_ed25519_private);
	sign(&out, RFC_HEAD);
	ck_assert_int_eq(buf_append(&out, BYTES("\0")), 0);
	at = strstr((char *)out.p, "\tb=");
	ck_assert_ptr_nonnull(at);
	for (char *c = at + 3; *c != '\0'; c++)
		if (*c > ' ')
			b[n++] = *c;
	b[n] = '\0';
	dkim_hash_head(BYTES(RFC_HEAD),
	    BYTES("from:from:sender:reply-to:to:to:cc:subject:subject:date:date"
		  ":message-id:message-id:in-reply-to:references:mime-version"
		  ":content-type:content-transfer-encoding"),
	    (struct bytes){ out.p, (size_t)(at + 3 - (char *)out.p) }, hash);
	ck_assert(verify(key, true, hash, raw, decode(b, raw, sizeof(raw))));
	for (char *line = strtok_r((char *)out.p, "\n", &at); line != NULL;
	     line = strtok_r(NULL, "\n", &at))
		ck_assert_uint_le(strlen(line), 78);
	buf_release(&out);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(dkim_fits_the_largest_key)
{
	struct buf out;

	write_rsa(4096);
	sign(&out, RFC_HEAD);
	ck_assert(bytes_start_with(buf_bytes(&out),
	    BYTES(
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n")));
	ck_assert(bytes_end_with(buf_bytes(&out), BYTES("\r\n")));
	buf_release(&out);
}
END_TEST

START_TEST(dkim_refuses_weak_and_other_keys)
{
	struct err e = { 0 };

	write_rsa(1024);
	ck_assert_ptr_null(dkim_key_load(path, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "1024 bits, expected 2048"));
	write_key("-----BEGIN PRIVATE KEY-----\nMC4C\n");
	ck_assert_ptr_null(dkim_key_load(path, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "holds no private key"));
	write_key("");
	ck_assert_ptr_null(dkim_key_load(path, &e));
	unlink(path);
	ck_assert_ptr_null(dkim_key_load(path, &e));
}
END_TEST

START_TEST(dkim_signs_no_endless_header)
{
	const uint8_t hash[DKIM_HASH_SIZE] = { 0 };
	struct dkim_order order = { NULL, "a.test", "s", 1 };
	struct err e = { 0 };
	struct buf head, out;

	write_key(rfc_ed25519_private);
	order.key = dkim_key_load(path, &e);
	ck_assert_ptr_nonnull(order.key);
	buf_init(&head, 2 * DKIM_HEAD_MAX);
	buf_init(&out, DKIM_FIELD_MAX);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(buf_append(&head, BYTES("To: a@b\r\n")), 0);
	ck_assert_int_eq(
	    dkim_sign(&order, buf_bytes(&head), hash, &out, &e), -1);
	while (head.n <= DKIM_HEAD_MAX)
		ck_assert_int_eq(buf_append(&head, BYTES("X: y\r\n")), 0);
	ck_assert_int_eq(
	    dkim_sign(&order, buf_bytes(&head), hash, &out, &e), -1);
	ck_assert_uint_eq(out.n, 0);
	dkim_key_free((struct dkim_key *)(uintptr_t)order.key);
	buf_release(&head);
	buf_release(&out);
}
END_TEST

Suite *
dkim_suite(void)
{
	Suite *s = suite_create("dkim");
	TCase *t = tcase_create("dkim");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
	    t, dkim_hashes_relaxed_bodies, 0, (int)COUNT(bodies));
	tcase_add_loop_test(
	    t, dkim_hashes_relaxed_headers, 0, (int)COUNT(heads));
	tcase_add_loop_test(
	    t, dkim_agrees_with_the_rfcs_signatures, 0, (int)COUNT(signatures));
	tcase_add_test(t, dkim_signs_what_verifies);
	tcase_add_test(t, dkim_fits_the_largest_key);
	tcase_add_test(t, dkim_refuses_weak_and_other_keys);
	tcase_add_test(t, dkim_signs_no_endless_header);
	suite_add_tcase(s, t);
	return s;
}
