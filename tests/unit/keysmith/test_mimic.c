/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/keysmith/mimic.h"

#include <check.h>
#include <openssl/x509v3.h>

#include "tests/unit/keysmith/lab.h"

#define NOW ((time_t)1790000000)
#define DAY ((time_t)86400)
#define LABEL63 \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define NAME253 LABEL63 "." LABEL63 "." LABEL63 "." LABEL61
#define LABEL61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

static const struct {
	const char *name;
	struct bytes text;
	bool want;
} names[] = {
	{ "nothing", BYTES(""), false },
	{ "a host", BYTES("www.example.test"), true },
	{ "upper case", BYTES("WWW.Example.Test"), true },
	{ "one label", BYTES("intranet"), true },
	{ "an underscore", BYTES("a_b.example.test"), true },
	{ "an A-label", BYTES("xn--wgv71a.test"), true },
	{ "a wildcard", BYTES("*.example.test"), true },
	{ "a wildcard over one label", BYTES("*.test"), false },
	{ "a star alone", BYTES("*"), false },
	{ "a star and a dot", BYTES("*."), false },
	{ "a star in a label", BYTES("w*.example.test"), false },
	{ "a star in the second label", BYTES("www.*.example.test"), false },
	{ "two wildcards", BYTES("*.*.example.test"), false },
	{ "a leading dot", BYTES(".example.test"), false },
	{ "a trailing dot", BYTES("example.test."), false },
	{ "an empty label", BYTES("a..test"), false },
	{ "a leading hyphen", BYTES("-a.test"), false },
	{ "a trailing hyphen", BYTES("a-.test"), false },
	{ "a space", BYTES("a b.test"), false },
	{ "a NUL", BYTES("good.test\0.evil.test"), false },
	{ "a byte over 127", BYTES("\xe5\x95\x8f.test"), false },
	{ "a slash", BYTES("a.test/x"), false },
	{ "a port", BYTES("a.test:443"), false },
	{ "an address", BYTES("192.0.2.1"), false },
	{ "a last label of digits", BYTES("a.1"), false },
	{ "a label at the limit", BYTES(LABEL63 ".test"), true },
	{ "a label over the limit", BYTES(LABEL63 "a.test"), false },
	{ "a name at the limit", BYTES(NAME253), true },
	{ "a name over the limit", BYTES(NAME253 "a"), false },
};

START_TEST(mimic_name_fits_host_names_alone)
{
	ck_assert_msg(mimic_name_fits(names[_i].text) == names[_i].want, "%s",
	    names[_i].name);
}
END_TEST

static const struct {
	const char *ca_key, *leaf_key;
} keys[] = {
	{ "EC", "EC" },
	{ "EC", "RSA" },
	{ "RSA", "EC" },
	{ "RSA", "RSA" },
};

static X509 *
sign(const struct ca *ca, EVP_PKEY *key, const struct leaf_order *o,
    uint64_t lifetime_s, struct err *e)
{
	return lab_sign(o, key, ca, NOW, lifetime_s, e);
}

START_TEST(mimic_leaf_is_what_verifiers_expect)
{
	struct ca ca = lab_ca(keys[_i].ca_key, NOW - DAY, NOW + 3650 * DAY);
	EVP_PKEY *key = lab_key(keys[_i].leaf_key);
	struct leaf_order o = {
		.rsa = keys[_i].leaf_key[0] == 'R',
		.names = { BYTES("www.example.test"), BYTES("*.example.test"),
		    BYTES("192.0.2.1"), BYTES("2001:db8::1") },
		.names_n = 4,
	};
	struct err e = { 0 };
	X509 *x = sign(&ca, key, &o, 7 * DAY, &e);
	uint32_t usage =
	    KU_DIGITAL_SIGNATURE | (o.rsa ? KU_KEY_ENCIPHERMENT : 0u);
	int critical;

	ck_assert_msg(x != NULL, "%s", e.text);
	ck_assert_int_eq(X509_check_private_key(x, key), 1);
	for (size_t i = 0; i < o.names_n; i++)
		ck_assert_int_eq(lab_verify(x, ca.certificate,
				     (const char *)o.names[i].p, NOW),
		    X509_V_OK);
	ck_assert_int_eq(
	    lab_verify(x, ca.certificate, "other.example.test", NOW),
	    X509_V_OK);
	ck_assert_int_eq(lab_verify(x, ca.certificate, "example.test", NOW),
	    X509_V_ERR_HOSTNAME_MISMATCH);
	ck_assert_uint_eq(X509_get_key_usage(x), usage);
	ck_assert_uint_eq(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
	ck_assert_int_eq(X509_check_ca(x), 0);
	ck_assert_int_eq(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(x),
			     X509_get0_subject_key_id(ca.certificate)),
	    0);
	ck_assert_ptr_nonnull(X509_get0_subject_key_id(x));
	for (int nid = NID_key_usage; nid != 0;
	     nid = nid == NID_key_usage ? NID_basic_constraints : 0) {
		int at = X509_get_ext_by_NID(x, nid, -1);

		critical = X509_EXTENSION_get_critical(X509_get_ext(x, at));
		ck_assert_int_eq(critical, 1);
	}
	X509_free(x);
	EVP_PKEY_free(key);
	ca_release(&ca);
}
END_TEST

START_TEST(mimic_serial_is_random_and_positive)
{
	struct ca ca = lab_ca("EC", NOW - DAY, NOW + 365 * DAY);
	EVP_PKEY *key = lab_key("EC");
	struct leaf_order o = { .names = { BYTES("a.test") }, .names_n = 1 };
	struct err e;
	ASN1_INTEGER *last = NULL;

	for (int i = 0; i < 100; i++) {
		X509 *x = sign(&ca, key, &o, 7 * DAY, &e);
		const ASN1_INTEGER *serial = X509_get0_serialNumber(x);

		ck_assert_int_eq(ASN1_STRING_type(serial), V_ASN1_INTEGER);
		ck_assert_int_eq(ASN1_STRING_length(serial), 16);
		ck_assert_uint_lt(ASN1_STRING_get0_data(serial)[0], 0x80);
		if (last != NULL)
			ck_assert_int_ne(ASN1_INTEGER_cmp(serial, last), 0);
		ASN1_INTEGER_free(last);
		last = ASN1_INTEGER_dup(serial);
		X509_free(x);
	}
	ASN1_INTEGER_free(last);
	EVP_PKEY_free(key);
	ca_release(&ca);
}
END_TEST

static const struct {
	const char *name;
	time_t ca_from, ca_until;
	uint64_t lifetime_s;
	time_t want_from, want_until; /* 0: refused */
} lives[] = {
	{ "a week", NOW - 9 * DAY, NOW + 900 * DAY, 7 * DAY, NOW - DAY,
	    NOW + 7 * DAY },
	{ "not older than the CA", NOW - 60, NOW + 900 * DAY, 7 * DAY, NOW - 60,
	    NOW + 7 * DAY },
	{ "not longer than the CA", NOW - 9 * DAY, NOW + 60, 7 * DAY, NOW - DAY,
	    NOW + 60 },
	{ "never over 397 days", NOW - 9 * DAY, NOW + 900 * DAY, 500 * DAY,
	    NOW - DAY, NOW + 396 * DAY - 1 },
	{ "whatever is asked", NOW - 9 * DAY, NOW + 900 * DAY, UINT64_MAX,
	    NOW - DAY, NOW + 396 * DAY - 1 },
	{ "a CA at its end", NOW - 9 * DAY, NOW, 7 * DAY, 0, 0 },
	{ "a CA before its time", NOW + 1, NOW + 900 * DAY, 7 * DAY, 0, 0 },
};

START_TEST(mimic_life_is_within_bounds)
{
	struct ca ca = lab_ca("EC", lives[_i].ca_from, lives[_i].ca_until);
	EVP_PKEY *key = lab_key("EC");
	struct leaf_order o = { .names = { BYTES("a.test") }, .names_n = 1 };
	struct err e = { 0 };
	X509 *x = sign(&ca, key, &o, lives[_i].lifetime_s, &e);

	ck_assert_msg((x != NULL) == (lives[_i].want_until != 0), "%s: %s",
	    lives[_i].name, e.text);
	if (x != NULL) {
		ck_assert_int_eq(ASN1_TIME_cmp_time_t(X509_get0_notBefore(x),
				     lives[_i].want_from),
		    0);
		ck_assert_int_eq(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x),
				     lives[_i].want_until),
		    0);
	}
	X509_free(x);
	EVP_PKEY_free(key);
	ca_release(&ca);
}
END_TEST

static const struct {
	const char *name;
	struct bytes host;
	bool subject; /* so SAN is not critical */
} subjects[] = {
	{ "a short host is the subject", BYTES("a.test"), true },
	{ "64 bytes are the subject", BYTES(LABEL61 ".ab"), true },
	{ "65 bytes leave it empty", BYTES(LABEL61 ".abc"), false },
	{ "the longest host leaves it empty", BYTES(NAME253), false },
};

START_TEST(mimic_subject_holds_what_fits)
{
	struct ca ca = lab_ca("EC", NOW - DAY, NOW + 365 * DAY);
	EVP_PKEY *key = lab_key("EC");
	struct leaf_order o = { .names = { subjects[_i].host }, .names_n = 1 };
	struct err e = { 0 };
	X509 *x = sign(&ca, key, &o, 7 * DAY, &e);
	int at;

	ck_assert_msg(x != NULL, "%s: %s", subjects[_i].name, e.text);
	at = X509_get_ext_by_NID(x, NID_subject_alt_name, -1);
	ck_assert_int_eq(X509_EXTENSION_get_critical(X509_get_ext(x, at)),
	    !subjects[_i].subject);
	ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(x)),
	    subjects[_i].subject);
	ck_assert_int_eq(lab_verify(x, ca.certificate,
			     (const char *)subjects[_i].host.p, NOW),
	    X509_V_OK);
	X509_free(x);
	EVP_PKEY_free(key);
	ca_release(&ca);
}
END_TEST

static const struct bytes refused[] = {
	BYTES("a..test"),
	BYTES("*.test"),
	BYTES("good.test\0evil.test"),
	BYTES("a.test\n"),
	BYTES("192.0.2.256"),
	BYTES("192.0.2.0/24"),
	BYTES("[2001:db8::1]"),
	BYTES("http://a.test"),
};

START_TEST(mimic_signs_no_other_name)
{
	struct ca ca = lab_ca("EC", NOW - DAY, NOW + 365 * DAY);
	EVP_PKEY *key = lab_key("EC");
	struct leaf_order o = {
		.names = { BYTES("a.test"), refused[_i] },
		.names_n = 2,
	};
	struct err e = { 0 };

	ck_assert_ptr_null(sign(&ca, key, &o, 7 * DAY, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "is no host name or address"));
	EVP_PKEY_free(key);
	ca_release(&ca);
}
END_TEST

static const struct {
	const char *name, *san;
	size_t max;
	const char *want; /* each followed by a blank */
} sans[] = {
	{ "no subjectAltName", NULL, 9, "" },
	{ "hosts in small letters", "DNS:A.Test,DNS:*.b.test", 9,
	    "a.test *.b.test " },
	{ "addresses", "IP:192.0.2.1,IP:2001:db8::1", 9,
	    "192.0.2.1 2001:db8::1 " },
	{ "other names are left out",
	    "email:a@b.test,URI:http://c.test,DNS:d.test,RID:1.2.3", 9,
	    "d.test " },
	{ "what is no name is left out", "DNS:a b.test,DNS:*.test,DNS:c.test",
	    9, "c.test " },
	{ "not more than asked", "DNS:a.test,DNS:b.test,DNS:c.test", 2,
	    "a.test b.test " },
};

START_TEST(mimic_names_are_those_of_the_origin)
{
	X509 *x = lab_origin(sans[_i].san);
	struct arena a = { 0 };
	struct bytes out[9];
	size_t n = mimic_names(x, out, sans[_i].max, &a);
	char got[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(got + used, sizeof(got) - used,
		    "%.*s ", BYTES_PRINTF(out[i]));
	ck_assert_str_eq(got, sans[_i].want);
	arena_release(&a);
	X509_free(x);
}
END_TEST

Suite *mimic_suite(void);

Suite *
mimic_suite(void)
{
	Suite *s = suite_create("mimic");
	TCase *t = tcase_create("mimic");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(
	    t, mimic_name_fits_host_names_alone, 0, COUNT(names));
	tcase_add_loop_test(
	    t, mimic_leaf_is_what_verifiers_expect, 0, COUNT(keys));
	tcase_add_test(t, mimic_serial_is_random_and_positive);
	tcase_add_loop_test(t, mimic_life_is_within_bounds, 0, COUNT(lives));
	tcase_add_loop_test(
	    t, mimic_subject_holds_what_fits, 0, COUNT(subjects));
	tcase_add_loop_test(t, mimic_signs_no_other_name, 0, COUNT(refused));
	tcase_add_loop_test(
	    t, mimic_names_are_those_of_the_origin, 0, COUNT(sans));
	suite_add_tcase(s, t);
	return s;
}
