/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/gate/caller.h"

#include <check.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW ((time_t)1800000000)
#define MARK "1.2.392.99.1"

static struct isolation_settings settings;
static EVP_PKEY *authority_key, *key;
static X509 *authority, *other;
static struct err err;

struct wanted {
	const char *name;
	X509 *issuer;     /* NULL: itself */
	long from, until; /* around NOW */
	const char *mark; /* an extension; NULL: none */
};

static void
name_it(X509_NAME *n, const char *name)
{
	ck_assert(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC,
		      (const unsigned char *)name, -1, -1, 0) == 1);
}

static void
add_mark(X509 *c, const char *mark)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *name = OBJ_txt2obj(mark, 1);
	X509_EXTENSION *x;

	ck_assert(ASN1_OCTET_STRING_set(
		      value, (const unsigned char *)"\x05\x00", 2) == 1);
	x = X509_EXTENSION_create_by_OBJ(NULL, name, 0, value);
	ck_assert(x != NULL && X509_add_ext(c, x, -1) == 1);
	X509_EXTENSION_free(x);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(name);
}

static X509 *
make(const struct wanted *w)
{
	X509 *c = X509_new();

	ck_assert(c != NULL && X509_set_version(c, 2) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
	name_it(X509_get_subject_name(c), w->name);
	X509_set_issuer_name(
	    c, X509_get_subject_name(w->issuer == NULL ? c : w->issuer));
	ASN1_TIME_set(X509_getm_notBefore(c), NOW + w->from);
	ASN1_TIME_set(X509_getm_notAfter(c), NOW + w->until);
	X509_set_pubkey(c, w->issuer == NULL ? authority_key : key);
	if (w->mark != NULL)
		add_mark(c, w->mark);
	ck_assert(X509_sign(c, authority_key, EVP_sha256()) > 0);
	return c;
}

static void
setup(void)
{
	const struct wanted a = { .name = "contractors", .until = 100000 };
	const struct wanted b = { .name = "contractors' neighbour",
		.until = 100000 };

	settings = (struct isolation_settings){ .contractor_oid = "" };
	authority_key = EVP_EC_gen("P-256");
	key = EVP_EC_gen("P-256");
	authority = make(&a);
	other = make(&b);
}

static void
teardown(void)
{
	X509_free(authority);
	X509_free(other);
	EVP_PKEY_free(authority_key);
	EVP_PKEY_free(key);
}

static enum caller
judge(X509 *registered, X509 *shown, X509 *sent)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct contractors *c = contractors_new(&settings, &err);
	uint8_t digest[MODEL_DIGEST_N];
	enum caller result;

	ck_assert_msg(c != NULL, "%s", err.text);
	if (sent != NULL)
		sk_X509_push(chain, sent);
	certificate_digest(registered, digest);
	result = caller_judge(c, digest, shown, chain, NOW);
	sk_X509_free(chain);
	contractors_free(c);
	return result;
}

static const struct {
	const char *name;
	long from, until;
	enum caller want;
} times[] = {
	{ "valid", -10, 10, CALLER_KNOWN },
	{ "its last second", -10, 1, CALLER_KNOWN },
	{ "over now", -10, 0, CALLER_EXPIRED },
	{ "over long ago", -100, -10, CALLER_EXPIRED },
	{ "begins now", 0, 10, CALLER_KNOWN },
	{ "began a second ago", -1, 10, CALLER_KNOWN },
	{ "begins later", 5, 10, CALLER_EARLY },
};

START_TEST(caller_is_known_in_its_time)
{
	const struct wanted w = { "juki", other, times[_i].from,
		times[_i].until, NULL };
	X509 *c = make(&w);

	ck_assert_msg(
	    judge(c, c, NULL) == times[_i].want, "%s", times[_i].name);
	X509_free(c);
}
END_TEST

/* Same name, same key, same issuer: it is another all the same. */
START_TEST(caller_is_known_by_its_digest_alone)
{
	const struct wanted w = { "juki", other, -10, 10, NULL };
	const struct wanted again = { "juki", other, -10, 11, NULL };
	X509 *a = make(&w);
	X509 *b = make(&again);

	ck_assert_int_eq(judge(a, b, NULL), CALLER_STRANGER);
	ck_assert_int_eq(judge(a, b, other), CALLER_STRANGER);
	ck_assert(caller_is_incident(CALLER_STRANGER));
	ck_assert(!caller_is_incident(CALLER_EXPIRED));
	X509_free(a);
	X509_free(b);
}
END_TEST

static void
list(X509 *c, const char *file)
{
	static const char *digests[1], *names[1];
	static char hex[CERTIFICATE_HEX_N];
	uint8_t digest[MODEL_DIGEST_N];

	certificate_digest(c, digest);
	certificate_hex(digest, hex);
	digests[0] = hex;
	names[0] = file;
	settings.contractor_certificates =
	    (struct texts){ .p = digests, .n = 1 };
	settings.contractor_files = names;
}

START_TEST(caller_is_no_contractor)
{
	const struct wanted w = { "hired", authority, -10, 10, NULL };
	const struct wanted marked = { "marked", other, -10, 10, MARK };
	X509 *c = make(&w);
	X509 *m = make(&marked);
	char path[] = "/tmp/test_caller.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	ck_assert_int_eq(judge(c, c, authority), CALLER_KNOWN);
	/* Its own digest, and its issuer's when that is sent. */
	list(c, "");
	ck_assert_int_eq(judge(c, c, NULL), CALLER_CONTRACTOR);
	list(authority, "");
	ck_assert_int_eq(judge(c, c, authority), CALLER_CONTRACTOR);
	ck_assert_int_eq(judge(c, c, NULL), CALLER_KNOWN);
	/* With the file the issuer need not be sent. */
	ck_assert(f != NULL && PEM_write_X509(f, authority) == 1);
	fclose(f);
	list(authority, path);
	ck_assert_int_eq(judge(c, c, NULL), CALLER_CONTRACTOR);
	ck_assert_int_eq(judge(c, c, other), CALLER_CONTRACTOR);
	ck_assert_int_eq(judge(m, m, NULL), CALLER_KNOWN);
	/* The extension, in the certificate or above it. */
	settings.contractor_oid = MARK;
	ck_assert_int_eq(judge(m, m, NULL), CALLER_CONTRACTOR);
	ck_assert_int_eq(judge(other, other, m), CALLER_CONTRACTOR);
	ck_assert_int_eq(judge(other, other, NULL), CALLER_KNOWN);
	unlink(path);
	ck_assert(contractors_new(&settings, &err) == NULL);
	X509_free(c);
	X509_free(m);
}
END_TEST

Suite *caller_suite(void);

Suite *
caller_suite(void)
{
	Suite *s = suite_create("caller");
	TCase *t = tcase_create("caller");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, caller_is_known_in_its_time, 0, (int)COUNT(times));
	tcase_add_test(t, caller_is_known_by_its_digest_alone);
	tcase_add_test(t, caller_is_no_contractor);
	suite_add_tcase(s, t);
	return s;
}
