/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/keysmith/ca.h"

#include <check.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/keysmith/lab.h"

#define DAY 86400

enum key {
	KEY_OWN = 0,
	KEY_OTHER,
	KEY_ENCRYPTED,
	KEY_SHORT_RSA,
	KEY_ED25519,
	KEY_NONSENSE,
	KEY_EMPTY,
	KEY_TOO_LARGE,
	KEY_OPEN_TO_ALL,
	KEY_OPEN_TO_GROUP,
};

enum certificate {
	CERTIFICATE_CA = 0,
	CERTIFICATE_LEAF,
	CERTIFICATE_NO_SIGN,
	CERTIFICATE_EXPIRED,
	CERTIFICATE_EARLY,
	CERTIFICATE_KEY_FILE,
	CERTIFICATE_MISSING,
};

static const struct {
	const char *name;
	enum key key;
	enum certificate certificate;
	const char *password; /* the file's content; NULL: no file */
	const char *want;     /* in the words; NULL: loads */
} cases[] = {
	{ "a CA and its key", KEY_OWN, CERTIFICATE_CA, NULL, NULL },
	{ "an encrypted key", KEY_ENCRYPTED, CERTIFICATE_CA, "secret\n", NULL },
	{ "a password without newline", KEY_ENCRYPTED, CERTIFICATE_CA, "secret",
	    NULL },
	{ "a password with CRLF", KEY_ENCRYPTED, CERTIFICATE_CA, "secret\r\nx",
	    NULL },
	{ "a wrong password", KEY_ENCRYPTED, CERTIFICATE_CA, "public\n",
	    "with this password" },
	{ "no password", KEY_ENCRYPTED, CERTIFICATE_CA, NULL,
	    "name ca_key_password_file" },
	{ "an empty password", KEY_ENCRYPTED, CERTIFICATE_CA, "\n",
	    "expected 1 to 1024" },
	{ "another's key", KEY_OTHER, CERTIFICATE_CA, NULL,
	    "is not the key of the certificate" },
	{ "a short RSA key", KEY_SHORT_RSA, CERTIFICATE_CA, NULL,
	    "expected RSA of at least 2048" },
	{ "an Ed25519 key", KEY_ED25519, CERTIFICATE_CA, NULL, "ED25519" },
	{ "no key", KEY_NONSENSE, CERTIFICATE_CA, NULL,
	    "no private key in PEM" },
	{ "an empty key file", KEY_EMPTY, CERTIFICATE_CA, NULL,
	    "no private key in PEM" },
	{ "a key file over the limit", KEY_TOO_LARGE, CERTIFICATE_CA, NULL,
	    "larger than 65535 bytes" },
	{ "a key that all may read", KEY_OPEN_TO_ALL, CERTIFICATE_CA, NULL,
	    "has mode 0604, open to everyone" },
	{ "a key that a group may read", KEY_OPEN_TO_GROUP, CERTIFICATE_CA,
	    NULL, NULL },
	{ "a leaf is no CA", KEY_OWN, CERTIFICATE_LEAF, NULL,
	    "expected basicConstraints CA:TRUE" },
	{ "a CA that may not sign", KEY_OWN, CERTIFICATE_NO_SIGN, NULL,
	    "keyCertSign" },
	{ "an old CA", KEY_OWN, CERTIFICATE_EXPIRED, NULL, "has expired" },
	{ "a CA to come", KEY_OWN, CERTIFICATE_EARLY, NULL, "not yet valid" },
	{ "no certificate", KEY_OWN, CERTIFICATE_KEY_FILE, NULL,
	    "holds no certificate in PEM" },
	{ "no file", KEY_OWN, CERTIFICATE_MISSING, NULL, "cannot be read" },
};

static char folder[] = "/tmp/test_ca.XXXXXX";
static char certificate_file[64], key_file[64], password_file[64];

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	fclose(file);
}

static void
write_key(enum key kind, EVP_PKEY *own)
{
	static char large[65537];
	FILE *file = fopen(key_file, "we");
	EVP_PKEY *key = NULL;
	bool encrypted = kind == KEY_ENCRYPTED;

	ck_assert_ptr_nonnull(file);
	fchmod(fileno(file),
	    kind == KEY_OPEN_TO_ALL         ? 0604
		: kind == KEY_OPEN_TO_GROUP ? 0640
					    : 0600);
	if (kind == KEY_OWN || kind == KEY_ENCRYPTED ||
	    kind == KEY_OPEN_TO_ALL || kind == KEY_OPEN_TO_GROUP)
		EVP_PKEY_up_ref(key = own);
	else if (kind == KEY_OTHER)
		key = lab_key("EC");
	else if (kind == KEY_SHORT_RSA)
		key = EVP_RSA_gen(1024);
	else if (kind == KEY_ED25519)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (key != NULL)
		ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, key,
				     encrypted ? EVP_aes_256_cbc() : NULL,
				     encrypted ? "secret" : NULL,
				     encrypted ? 6 : 0, NULL, NULL),
		    1);
	EVP_PKEY_free(key);
	fclose(file);
	if (kind == KEY_NONSENSE)
		write_file(key_file, "-----BEGIN PRIVATE KEY-----\nAAAA\n");
	memset(large, 'a', sizeof(large) - 1);
	if (kind == KEY_TOO_LARGE)
		write_file(key_file, large);
}

static X509 *
make_certificate(enum certificate kind, EVP_PKEY *key)
{
	X509 *x = lab_origin(NULL);
	time_t now = time(NULL);

	X509_set_pubkey(x, key);
	ASN1_TIME_set(X509_getm_notBefore(x),
	    kind == CERTIFICATE_EARLY ? now + 60 : now - DAY);
	ASN1_TIME_set(X509_getm_notAfter(x),
	    kind == CERTIFICATE_EXPIRED ? now - 60 : now + DAY);
	if (kind != CERTIFICATE_LEAF)
		lab_extend(x, NID_basic_constraints, "critical,CA:TRUE");
	lab_extend(x, NID_key_usage,
	    kind == CERTIFICATE_NO_SIGN ? "cRLSign" : "keyCertSign");
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	return x;
}

static void
write_certificate(enum certificate kind, EVP_PKEY *key)
{
	X509 *x = make_certificate(kind, key);
	FILE *file = fopen(certificate_file, "we");

	ck_assert_ptr_nonnull(file);
	if (kind == CERTIFICATE_KEY_FILE)
		fputs("no certificate\n", file);
	else
		PEM_write_X509(file, x);
	fclose(file);
	if (kind == CERTIFICATE_MISSING)
		unlink(certificate_file);
	X509_free(x);
}

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(
	    certificate_file, sizeof(certificate_file), "%s/ca.crt", folder);
	snprintf(key_file, sizeof(key_file), "%s/ca.key", folder);
	snprintf(password_file, sizeof(password_file), "%s/password", folder);
}

static void
tear_down(void)
{
	unlink(certificate_file);
	unlink(key_file);
	unlink(password_file);
	rmdir(folder);
}

START_TEST(ca_loads_what_can_sign_alone)
{
	EVP_PKEY *own = lab_key("EC");
	struct ca ca = { 0 };
	struct err e = { 0 };
	int fd;
	int got;

	write_key(cases[_i].key, own);
	write_certificate(cases[_i].certificate, own);
	if (cases[_i].password != NULL)
		write_file(password_file, cases[_i].password);
	fd = open(key_file, O_RDONLY | O_CLOEXEC);
	got = ca_load(&ca, certificate_file, fd, key_file,
	    cases[_i].password == NULL ? NULL : password_file, time(NULL), &e);
	close(fd);
	ck_assert_msg((got == 0) == (cases[_i].want == NULL), "%s: %s",
	    cases[_i].name, e.text);
	if (cases[_i].want != NULL)
		ck_assert_msg(strstr(e.text, cases[_i].want) != NULL, "%s: %s",
		    cases[_i].name, e.text);
	ck_assert((ca.key != NULL) == (got == 0));
	ca_release(&ca);
	EVP_PKEY_free(own);
}
END_TEST

Suite *ca_suite(void);

Suite *
ca_suite(void)
{
	Suite *s = suite_create("ca");
	TCase *t = tcase_create("ca");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, ca_loads_what_can_sign_alone, 0, COUNT(cases));
	suite_add_tcase(s, t);
	return s;
}
