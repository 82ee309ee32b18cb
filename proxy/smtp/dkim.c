/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/dkim.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "proxy/base/file.h"
#include "proxy/smtp/field.h"

#define KEY_FILE_MAX ((size_t)64 << 10)
#define RSA_BITS_MIN 2048 /* RFC 8301 section 3.2: what signers should have */
#define RSA_BITS_MAX 4096
#define SIGNATURE_MAX (RSA_BITS_MAX / 8)
#define BASE64_MAX (4 * ((SIGNATURE_MAX + 2) / 3) + 1)
#define LINE_WIDTH 72
#define NAMES_MAX 64 /* of h=; each is looked for in the whole header */

struct dkim_key {
	EVP_PKEY *key;
	bool ed25519;
};

/* RFC 6376 section 5.4.1, without what lists and relays change. */
static const char *const signed_names[] = {
	"from",
	"sender",
	"reply-to",
	"to",
	"cc",
	"subject",
	"date",
	"message-id",
	"in-reply-to",
	"references",
	"mime-version",
	"content-type",
	"content-transfer-encoding",
};

/* Keys. */

/* No terminal is asked. */
static int
no_password(char *buf, int size, int writing, void *owner)
{
	(void)buf, (void)size, (void)writing, (void)owner;
	return -1;
}

static EVP_PKEY *
read_key(struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(
	    pem.n == 0 ? (const uint8_t *)"" : pem.p, (int)pem.n);
	EVP_PKEY *key;

	must(bio != NULL);
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static int
check_key(const EVP_PKEY *key, const char *file, struct err *e)
{
	int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);

	if (key == NULL)
		return err_set(
		    e, "%s holds no private key (PEM, no password)", file);
	if (EVP_PKEY_is_a(key, "ED25519"))
		return 0;
	if (!EVP_PKEY_is_a(key, "RSA"))
		return err_set(
		    e, "%s holds a key that is neither RSA nor Ed25519", file);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return err_set(e,
		    "%s holds an RSA key of %d bits, expected %d to %d", file,
		    bits, RSA_BITS_MIN, RSA_BITS_MAX);
	return 0;
}

struct dkim_key *
dkim_key_load(const char *file, struct err *e)
{
	struct dkim_key *k = NULL;
	EVP_PKEY *key = NULL;
	struct buf pem;
	int result;

	buf_init(&pem, KEY_FILE_MAX);
	result = file_read(file, &pem, e);
	if (result == 0) {
		key = read_key(buf_bytes(&pem));
		result = check_key(key, file, e);
	}
	if (pem.p != NULL)
		OPENSSL_cleanse(pem.p, pem.n);
	buf_release(&pem);
	if (result < 0) {
		EVP_PKEY_free(key);
		return NULL;
	}
	k = calloc(1, sizeof(*k));
	must(k != NULL);
	k->key = key;
	k->ed25519 = EVP_PKEY_is_a(key, "ED25519") == 1;
	return k;
}

void
dkim_key_free(struct dkim_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->key);
	free(k);
}

/* Hashes, by way of a small buffer. */

struct hash {
	EVP_MD_CTX *ctx;
	size_t n;
	uint8_t p[4096];
};

static void
hash_begin(struct hash *h)
{
	h->ctx = EVP_MD_CTX_new();
	h->n = 0;
	must(h->ctx != NULL &&
	    EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) == 1);
}

static void
hash_flush(struct hash *h)
{
	must(EVP_DigestUpdate(h->ctx, h->p, h->n) == 1);
	h->n = 0;
}

static void
hash_byte(struct hash *h, uint8_t c)
{
	if (h->n == sizeof(h->p))
		hash_flush(h);
	h->p[h->n++] = c;
}

static void
hash_crlf(struct hash *h)
{
	hash_byte(h, '\r');
	hash_byte(h, '\n');
}

static void
hash_end(struct hash *h, uint8_t out[DKIM_HASH_SIZE])
{
	unsigned n = 0;

	hash_flush(h);
	must(EVP_DigestFinal_ex(h->ctx, out, &n) == 1 && n == DKIM_HASH_SIZE);
	EVP_MD_CTX_free(h->ctx);
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* RFC 6376 section 3.4.4. */
void
dkim_hash_body(struct bytes body, uint8_t out[DKIM_HASH_SIZE])
{
	struct hash h;
	size_t ends = 0; /* of lines, which count when more follows */
	bool gap = false, any = false;

	hash_begin(&h);
	for (size_t i = 0; i < body.n; i++) {
		uint8_t c = body.p[i];

		if (is_blank(c)) {
			gap = true;
			continue;
		}
		if (c == '\r' && i + 1 < body.n && body.p[i + 1] == '\n') {
			gap = false;
			ends++;
			i++;
			continue;
		}
		for (; ends > 0; ends--)
			hash_crlf(&h);
		if (gap)
			hash_byte(&h, ' ');
		gap = false;
		any = true;
		hash_byte(&h, c);
	}
	if (any)
		hash_crlf(&h);
	hash_end(&h, out);
}

/* Section 3.4.2, without the line's end. */
static void
hash_field(struct hash *h, const struct smtp_field *f)
{
	bool gap = false, any = false;

	for (size_t i = 0; i < f->name.n; i++) {
		uint8_t c = f->name.p[i];

		hash_byte(h, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	hash_byte(h, ':');
	for (size_t i = 0; i < f->value.n; i++) {
		uint8_t c = f->value.p[i];

		if (c == '\r' && i + 1 < f->value.n &&
		    f->value.p[i + 1] == '\n') {
			i++;
			continue;
		}
		if (is_blank(c)) {
			gap = any;
			continue;
		}
		if (gap)
			hash_byte(h, ' ');
		gap = false;
		any = true;
		hash_byte(h, c);
	}
}

static size_t
count_fields(struct bytes head, struct bytes name)
{
	struct smtp_field f;
	size_t n = 0;

	while (field_take(&head, &f))
		n += bytes_equal_nocase(f.name, name);
	return n;
}

/* The nth of that name from below; 0: the last. */
static bool
find_from_below(
    struct bytes head, struct bytes name, size_t nth, struct smtp_field *out)
{
	size_t n = count_fields(head, name);

	if (nth >= n)
		return false;
	while (field_take(&head, out))
		if (bytes_equal_nocase(out->name, name) && --n == nth)
			return true;
	return false;
}

/* How often name is in a list of names. */
static size_t
count_names(struct bytes names, struct bytes name)
{
	size_t n = 0;

	while (names.n > 0)
		n += bytes_equal_nocase(
		    bytes_trim(bytes_take_until(&names, ':')), name);
	return n;
}

void
dkim_hash_head(struct bytes head, struct bytes names, struct bytes signature,
    uint8_t out[DKIM_HASH_SIZE])
{
	struct bytes rest = names;
	struct smtp_field f;
	struct hash h;

	hash_begin(&h);
	while (rest.n > 0) {
		struct bytes before = { names.p, (size_t)(rest.p - names.p) };
		struct bytes name = bytes_trim(bytes_take_until(&rest, ':'));

		if (!find_from_below(head, name, count_names(before, name), &f))
			continue;
		hash_field(&h, &f);
		hash_crlf(&h);
	}
	must(field_take(&signature, &f));
	hash_field(&h, &f);
	hash_end(&h, out);
}

/* Signing. */

static int
sign_hash(const struct dkim_key *k, const uint8_t hash[DKIM_HASH_SIZE],
    uint8_t *out, size_t *n)
{
	EVP_MD_CTX *md = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	bool good;

	if (k->ed25519) {
		/* RFC 8463 section 3: the hash is what is signed. */
		md = EVP_MD_CTX_new();
		good = md != NULL &&
		    EVP_DigestSignInit(md, NULL, NULL, NULL, k->key) == 1 &&
		    EVP_DigestSign(md, out, n, hash, DKIM_HASH_SIZE) == 1;
	} else {
		ctx = EVP_PKEY_CTX_new(k->key, NULL);
		good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
		    EVP_PKEY_sign(ctx, out, n, hash, DKIM_HASH_SIZE) == 1;
	}
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return good ? 0 : -1;
}

/* Each name once more than it is there. */
static int
put_names(struct bytes head, struct buf *out)
{
	size_t all = 0;

	for (size_t i = 0; i < COUNT(signed_names); i++) {
		size_t n = count_fields(head, bytes_of(signed_names[i])) + 1;

		all += n;
		for (; n > 0 && all <= NAMES_MAX; n--)
			if (buf_printf(out, "%s%s", out->n == 0 ? "" : ":",
				signed_names[i]) < 0)
				return -1;
	}
	return all <= NAMES_MAX ? 0 : -1;
}

/* Names with a fold between two of them where a line gets long. */
static int
put_folded_names(struct bytes names, struct buf *out)
{
	size_t column = 8;

	while (names.n > 0) {
		struct bytes name = bytes_take_until(&names, ':');

		if (column + name.n > LINE_WIDTH) {
			if (buf_append(out, BYTES("\r\n\t ")) < 0)
				return -1;
			column = 9;
		}
		column += name.n + 1;
		if (buf_append(out, name) < 0 ||
		    buf_append(out, names.n > 0 ? BYTES(":") : BYTES(";")) < 0)
			return -1;
	}
	return 0;
}

static int
put_unsigned(const struct dkim_order *o, struct bytes names,
    const uint8_t body_hash[DKIM_HASH_SIZE], struct buf *out)
{
	uint8_t bh[BASE64_MAX];

	EVP_EncodeBlock(bh, body_hash, DKIM_HASH_SIZE);
	if (buf_printf(out,
		"DKIM-Signature: v=1; a=%s-sha256; c=relaxed/relaxed;\r\n"
		"\td=%s;\r\n\ts=%s; t=%llu;\r\n\th=",
		o->key->ed25519 ? "ed25519" : "rsa", o->domain, o->selector,
		(unsigned long long)o->now) < 0 ||
	    put_folded_names(names, out) < 0)
		return -1;
	return buf_printf(out, "\r\n\tbh=%s;\r\n\tb=", (const char *)bh);
}

static int
put_signature(const uint8_t *signature, size_t n, struct buf *out)
{
	uint8_t text[BASE64_MAX];
	struct bytes rest = { text,
		(size_t)EVP_EncodeBlock(text, signature, (int)n) };

	while (rest.n > 0)
		if (buf_append(out, bytes_take(&rest, LINE_WIDTH)) < 0 ||
		    buf_append_string(out, rest.n > 0 ? "\r\n\t " : "\r\n") < 0)
			return -1;
	return 0;
}

int
dkim_sign(const struct dkim_order *o, struct bytes head,
    const uint8_t body_hash[DKIM_HASH_SIZE], struct buf *out, struct err *e)
{
	uint8_t hash[DKIM_HASH_SIZE], signature[SIGNATURE_MAX];
	size_t n = sizeof(signature);
	struct buf names, field;
	int result = -1;

	buf_init(&names, DKIM_FIELD_MAX);
	buf_init(&field, DKIM_FIELD_MAX);
	if (head.n > DKIM_HEAD_MAX) {
		err_set(e, "its header is too large to be signed");
		goto release;
	}
	if (put_names(head, &names) < 0 ||
	    put_unsigned(o, buf_bytes(&names), body_hash, &field) < 0) {
		err_set(e, "it has too many fields to be signed");
		goto release;
	}
	dkim_hash_head(head, buf_bytes(&names), buf_bytes(&field), hash);
	if (sign_hash(o->key, hash, signature, &n) < 0 ||
	    put_signature(signature, n, &field) < 0 ||
	    buf_append(out, buf_bytes(&field)) < 0) {
		err_set(e, "the key of %s cannot sign", o->domain);
		goto release;
	}
	result = 0;
release:
	buf_release(&names);
	buf_release(&field);
	return result;
}
