/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/keysmith/mimic.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "proxy/base/address.h"
#include "proxy/base/arena.h"

#define DNS_NAME_MAX 253   /* RFC 1035 section 2.3.4, as text */
#define DNS_LABEL_MAX 63   /* the same */
#define COMMON_NAME_MAX 64 /* RFC 5280, ub-common-name */
#define SERIAL_SIZE 16     /* RFC 5280 section 4.1.2.2: at most 20 */
#define DAY ((time_t)86400)
/* CA/Browser Forum 6.3.2 counts both ends, so one second less. */
#define LIFE_MAX (397 * DAY - 1)

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* '_' is no host name's (RFC 952), but hosts that have it are in use, and
 * browsers take it in certificates. */
static bool
fits_in_label(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

static bool
label_fits(struct bytes label)
{
	if (label.n == 0 || label.n > DNS_LABEL_MAX || label.p[0] == '-' ||
	    label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!fits_in_label(label.p[i]))
			return false;
	return true;
}

static bool
all_digits(struct bytes label)
{
	for (size_t i = 0; i < label.n; i++)
		if (!is_digit(label.p[i]))
			return false;
	return true;
}

bool
mimic_name_fits(struct bytes name)
{
	bool wildcard = bytes_start_with(name, BYTES("*."));
	struct bytes rest = name;
	struct bytes label;
	size_t labels = 0;

	if (name.n == 0 || name.n > DNS_NAME_MAX || name.p[name.n - 1] == '.')
		return false;
	if (wildcard)
		bytes_take(&rest, 2);
	do {
		label = bytes_take_until(&rest, '.');
		labels++;
		if (!label_fits(label))
			return false;
	} while (rest.n > 0);
	/* A last label of digits would be read as an address by some; a star
	 * over a whole top-level domain is no one's. */
	return !all_digits(label) && (!wildcard || labels >= 2);
}

static struct bytes
lower_copy(struct arena *a, const uint8_t *p, size_t n)
{
	uint8_t *out = arena_alloc(a, n);

	for (size_t i = 0; i < n; i++)
		out[i] =
		    p[i] >= 'A' && p[i] <= 'Z' ? (uint8_t)(p[i] | 0x20) : p[i];
	return (struct bytes){ out, n };
}

static struct bytes
dns_text(const ASN1_STRING *s, struct arena *a)
{
	const struct bytes name = { ASN1_STRING_get0_data(s),
		(size_t)ASN1_STRING_length(s) };

	if (!mimic_name_fits(name))
		return (struct bytes){ 0 };
	return lower_copy(a, name.p, name.n);
}

static struct bytes
address_name_text(const ASN1_STRING *s, struct arena *a)
{
	struct address address = {
		.octets = { [10] = 0xff, [11] = 0xff },
	};
	char text[ADDRESS_TEXT_MAX];
	int n = ASN1_STRING_length(s);

	if (n == 4)
		memcpy(address.octets + 12, ASN1_STRING_get0_data(s), 4);
	else if (n == 16)
		memcpy(address.octets, ASN1_STRING_get0_data(s), 16);
	else
		return (struct bytes){ 0 };
	return arena_copy(a, bytes_of(address_text(&address, text)));
}

static struct bytes
general_name_text(const GENERAL_NAME *name, struct arena *a)
{
	switch (name->type) {
	case GEN_DNS:
		return dns_text(name->d.dNSName, a);
	case GEN_IPADD:
		return address_name_text(name->d.iPAddress, a);
	default:
		return (struct bytes){ 0 };
	}
}

size_t
mimic_names(X509 *certificate, struct bytes *out, size_t max, struct arena *a)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t n = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && n < max; i++) {
		out[n] = general_name_text(sk_GENERAL_NAME_value(names, i), a);
		if (out[n].n > 0)
			n++;
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return n;
}

static GENERAL_NAME *
general_name(struct bytes text)
{
	GENERAL_NAME *name;
	ASN1_STRING *value;
	struct address address;
	size_t head;

	if (address_parse(&address, text) == 0) {
		head = address_is_v4(&address) ? 12 : 0;
		text.p = address.octets + head;
		text.n = sizeof(address.octets) - head;
		value = ASN1_OCTET_STRING_new();
	} else if (mimic_name_fits(text)) {
		value = ASN1_IA5STRING_new();
	} else {
		return NULL;
	}
	name = GENERAL_NAME_new();
	must(name != NULL && value != NULL &&
	    ASN1_STRING_set(value, text.p, (int)text.n) == 1);
	GENERAL_NAME_set0_value(name,
	    ASN1_STRING_type(value) == V_ASN1_IA5STRING ? GEN_DNS : GEN_IPADD,
	    value);
	return name;
}

/* Names the leaf. In the subject only a name that fits there whole: browsers
 * read subjectAltName alone, which is critical when it stands alone (RFC 5280
 * section 4.2.1.6). */
static int
add_names(X509 *x, const struct leaf_order *o, struct err *e)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	bool has_subject = o->names[0].n <= COMMON_NAME_MAX;
	int result = -1;

	must(all != NULL);
	for (size_t i = 0; i < o->names_n; i++) {
		GENERAL_NAME *name = general_name(o->names[i]);

		if (name == NULL) {
			err_set(e, "\"%.*s\" is no host name or address",
			    BYTES_PRINTF(o->names[i]));
			goto free_all;
		}
		must(sk_GENERAL_NAME_push(all, name) > 0);
	}
	if (has_subject)
		must(X509_NAME_add_entry_by_NID(X509_get_subject_name(x),
			 NID_commonName, MBSTRING_ASC, o->names[0].p,
			 (int)o->names[0].n, -1, 0) == 1);
	must(X509_add1_ext_i2d(x, NID_subject_alt_name, all, !has_subject,
		 X509V3_ADD_APPEND) == 1);
	result = 0;
free_all:
	GENERAL_NAMES_free(all);
	return result;
}

/* Extensions that are the same in every leaf of a kind of key, as DER. */
struct fixed {
	int nid;
	int critical;
	struct bytes der;
};

static const struct fixed basic_constraints = {
	NID_basic_constraints,
	1,
	BYTES("\x30\x00"),
};
static const struct fixed ec_usage = {
	NID_key_usage,
	1,
	BYTES("\x03\x02\x07\x80"),
};
/* keyEncipherment too: TLS 1.2 clients without forward secrecy. */
static const struct fixed rsa_usage = {
	NID_key_usage,
	1,
	BYTES("\x03\x02\x05\xa0"),
};
static const struct fixed server_auth = {
	NID_ext_key_usage,
	0,
	BYTES("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"),
};

static void
add_fixed(X509 *x, const struct fixed *f)
{
	ASN1_OCTET_STRING *der = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	must(der != NULL &&
	    ASN1_OCTET_STRING_set(der, f->der.p, (int)f->der.n) == 1);
	extension =
	    X509_EXTENSION_create_by_NID(NULL, f->nid, f->critical, der);
	must(extension != NULL && X509_add_ext(x, extension, -1) == 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(der);
}

/* RFC 5280 section 4.2.1.2, method 1. */
static ASN1_OCTET_STRING *
key_id(const X509 *x)
{
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	must(id != NULL && X509_pubkey_digest(x, EVP_sha1(), digest, &n) == 1 &&
	    ASN1_OCTET_STRING_set(id, digest, (int)n) == 1);
	return id;
}

static void
add_key_ids(X509 *x, X509 *ca)
{
	const ASN1_OCTET_STRING *ca_id = X509_get0_subject_key_id(ca);
	ASN1_OCTET_STRING *id = key_id(x);
	AUTHORITY_KEYID authority = { 0 };

	authority.keyid =
	    ca_id == NULL ? key_id(ca) : ASN1_OCTET_STRING_dup(ca_id);
	must(authority.keyid != NULL &&
	    X509_add1_ext_i2d(
		x, NID_subject_key_identifier, id, 0, X509V3_ADD_APPEND) == 1 &&
	    X509_add1_ext_i2d(x, NID_authority_key_identifier, &authority, 0,
		X509V3_ADD_APPEND) == 1);
	ASN1_OCTET_STRING_free(authority.keyid);
	ASN1_OCTET_STRING_free(id);
}

static int
add_serial(X509 *x, struct err *e)
{
	uint8_t serial[SERIAL_SIZE];

	if (RAND_bytes(serial, sizeof(serial)) != 1)
		return err_set(e, "no random bytes for a serial number");
	/* Positive, and always of the same length: 126 random bits. */
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
	must(ASN1_STRING_set(
		 X509_get_serialNumber(x), serial, sizeof(serial)) == 1);
	return 0;
}

static int
time_of(const ASN1_TIME *t, time_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return -1;
	*out = timegm(&tm);
	return 0;
}

/* From a day ago, as clients' clocks go wrong, and within the CA's own. */
static int
add_times(X509 *x, X509 *ca, time_t now, uint64_t lifetime_s, struct err *e)
{
	time_t from = now - DAY;
	time_t until = now +
	    (lifetime_s < (uint64_t)LIFE_MAX ? (time_t)lifetime_s : LIFE_MAX);
	time_t ca_from;
	time_t ca_until;

	if (time_of(X509_get0_notBefore(ca), &ca_from) < 0 ||
	    time_of(X509_get0_notAfter(ca), &ca_until) < 0)
		return err_set(e, "the CA certificate's time is broken");
	if (now < ca_from || now >= ca_until)
		return err_set(e, "the CA certificate is not valid now");
	if (from < ca_from)
		from = ca_from;
	if (until > ca_until)
		until = ca_until;
	if (until > from + LIFE_MAX)
		until = from + LIFE_MAX;
	must(ASN1_TIME_set(X509_getm_notBefore(x), from) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(x), until) != NULL);
	return 0;
}

static void
add_public_key(X509 *x, const X509_PUBKEY *key)
{
	ASN1_OBJECT *algorithm;
	X509_ALGOR *parameters;
	const ASN1_OBJECT *oid;
	const void *value;
	ASN1_TYPE copy = { 0 };
	const uint8_t *p;
	uint8_t *bits;
	int n;

	must(X509_PUBKEY_get0_param(&algorithm, &p, &n, &parameters, key) == 1);
	X509_ALGOR_get0(&oid, &copy.type, &value, parameters);
	must(ASN1_TYPE_set1(&copy, copy.type, value) == 1);
	bits = OPENSSL_memdup(p, (size_t)n);
	must(bits != NULL &&
	    X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x), OBJ_dup(algorithm),
		copy.type, copy.value.ptr, bits, n) == 1);
}

X509 *
mimic_sign(const struct leaf_order *o, const X509_PUBKEY *leaf_public, X509 *ca,
    EVP_PKEY *ca_key, time_t now, uint64_t lifetime_s, struct err *e)
{
	X509 *x = X509_new();

	must(x != NULL && o->names_n > 0);
	if (add_serial(x, e) < 0 || add_times(x, ca, now, lifetime_s, e) < 0)
		goto refuse;
	must(X509_set_version(x, X509_VERSION_3) == 1 &&
	    X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1);
	add_public_key(x, leaf_public);
	add_fixed(x, &basic_constraints);
	add_fixed(x, o->rsa ? &rsa_usage : &ec_usage);
	add_fixed(x, &server_auth);
	add_key_ids(x, ca);
	if (add_names(x, o, e) < 0)
		goto refuse;
	if (X509_sign(x, ca_key, EVP_sha256()) > 0)
		return x;
	err_set(e, "signing failed: %s",
	    ERR_reason_error_string(ERR_peek_last_error()));
	ERR_clear_error();
refuse:
	X509_free(x);
	return NULL;
}
