/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/secret.h"

#include <libxml/tree.h>
#include <openssl/crypto.h>

#include "filters/ole/le.h"
#include "filters/password/password.h"
#include "filters/xml/xml.h"

#define BLOCK 16
#define SEGMENT 4096
#define STANDARD_SPINS 50000
#define NS_PASSWORD \
	"http://schemas.microsoft.com/office/2006/keyEncryptor/password"

/* How a key is made, and what it is for. */
struct way {
	enum password_hash hash;
	size_t key_n;
	struct password_field salt;
};

struct secret {
	bool agile;
	unsigned spins;
	struct way lock; /* of the password */
	struct way data; /* agile: of the package */
	struct password_field verifier, verifier_hash, key;
};

static struct bytes
field_bytes(const struct password_field *f)
{
	return (struct bytes){ f->p, f->n };
}

static enum detox_result
refuse_broken(struct detox *d)
{
	return detox_refuse(
	    d, REFUSED_BROKEN, "how it is encrypted is not said");
}

static enum detox_result
refuse_kind(struct detox *d)
{
	return detox_refuse(
	    d, REFUSED_ENCRYPTED, "it is encrypted in a way that is not read");
}

/* What the file says: agile, 2.3.4.10. */

static const char *
attribute(const xmlNode *n, const char *name)
{
	for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
		if (a->ns == NULL && strcmp((const char *)a->name, name) == 0 &&
		    a->children != NULL && a->children->content != NULL)
			return (const char *)a->children->content;
	return "";
}

static bool
take_number(const xmlNode *n, const char *name, uint64_t max, uint64_t *out)
{
	return bytes_number(bytes_of(attribute(n, name)), max, out) == 0;
}

static bool
take_field(const xmlNode *n, const char *name, struct password_field *out)
{
	return password_field_take(bytes_of(attribute(n, name)), out);
}

/* Of keyData, and of encryptedKey. */
static bool
take_way(const xmlNode *n, struct way *w)
{
	uint64_t bits, block;

	w->hash = password_hash_named(attribute(n, "hashAlgorithm"));
	if (w->hash == PASSWORD_HASHES ||
	    strcmp(attribute(n, "cipherAlgorithm"), "AES") != 0 ||
	    strcmp(attribute(n, "cipherChaining"), "ChainingModeCBC") != 0 ||
	    !take_number(n, "blockSize", BLOCK, &block) || block != BLOCK ||
	    !take_number(n, "keyBits", 256, &bits) ||
	    (bits != 128 && bits != 192 && bits != 256) ||
	    !take_field(n, "saltValue", &w->salt))
		return false;
	w->key_n = bits / 8;
	return true;
}

/* The first element of that name; depth first. */
static const xmlNode *
find(const xmlNode *n, const char *ns, const char *name)
{
	for (; n != NULL; n = n->next) {
		const xmlNode *below;

		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (xml_is(n, ns, name))
			return n;
		below = find(n->children, ns, name);
		if (below != NULL)
			return below;
	}
	return NULL;
}

static bool
take_agile(const xmlNode *root, struct secret *s)
{
	const xmlNode *data = find(root, NULL, "keyData");
	const xmlNode *key = find(root, NS_PASSWORD, "encryptedKey");
	uint64_t spins;

	if (data == NULL || key == NULL || !take_way(data, &s->data) ||
	    !take_way(key, &s->lock) ||
	    !take_number(key, "spinCount", SECRET_SPINS_MAX, &spins) ||
	    !take_field(key, "encryptedVerifierHashInput", &s->verifier) ||
	    !take_field(key, "encryptedVerifierHashValue", &s->verifier_hash) ||
	    !take_field(key, "encryptedKeyValue", &s->key))
		return false;
	s->agile = true;
	s->spins = (unsigned)spins;
	return s->verifier.n % BLOCK == 0 && s->verifier_hash.n % BLOCK == 0 &&
	    s->verifier_hash.n >= password_digest_size(s->lock.hash) &&
	    s->key.n % BLOCK == 0 && s->key.n >= s->data.key_n;
}

static enum detox_result
read_agile(struct detox *d, struct bytes info, struct secret *s)
{
	xmlDoc *doc = xml_read(d, info, "EncryptionInfo");
	bool good;

	if (doc == NULL)
		return DETOX_REFUSED;
	good = take_agile(xmlDocGetRootElement(doc), s);
	xmlFreeDoc(doc);
	return good ? DETOX_REBUILT : refuse_kind(d);
}

/* Standard, 2.3.4.5: a header that says its size, and the verifier. */

#define STANDARD_AES 4u
#define STANDARD_EXTERNAL 0x10u
#define STANDARD_SALT 16

static enum detox_result
read_standard(struct detox *d, struct bytes info, struct secret *s)
{
	struct bytes flags = bytes_take(&info, 4);
	struct bytes size = bytes_take(&info, 4);
	struct bytes head, salt, verifier, hash;
	uint32_t algorithm, bits;

	if (size.n < 4)
		return refuse_broken(d);
	head = bytes_take(&info, le32(size.p));
	if (head.n < 20 || info.n < 4)
		return refuse_broken(d);
	algorithm = le32(head.p + 8);
	bits = le32(head.p + 16);
	if ((le32(flags.p) & (STANDARD_AES | STANDARD_EXTERNAL)) !=
		STANDARD_AES ||
	    algorithm < 0x660e || algorithm > 0x6610 ||
	    bits != 128 + 64 * (algorithm - 0x660e) ||
	    le32(bytes_take(&info, 4).p) != STANDARD_SALT)
		return refuse_kind(d);
	salt = bytes_take(&info, STANDARD_SALT);
	verifier = bytes_take(&info, BLOCK);
	if (info.n < 4)
		return refuse_broken(d);
	bytes_take(&info, 4);
	hash = bytes_take(&info, 2 * BLOCK);
	if (hash.n < 2 * BLOCK)
		return refuse_broken(d);
	*s = (struct secret){ .spins = STANDARD_SPINS,
		.lock = { PASSWORD_SHA1, bits / 8, { .n = salt.n } },
		.verifier = { .n = verifier.n },
		.verifier_hash = { .n = hash.n } };
	memcpy(s->lock.salt.p, salt.p, salt.n);
	memcpy(s->verifier.p, verifier.p, verifier.n);
	memcpy(s->verifier_hash.p, hash.p, hash.n);
	return DETOX_REBUILT;
}

static enum detox_result
read_info(struct detox *d, struct bytes info, struct secret *s)
{
	struct bytes version = bytes_take(&info, 4);
	unsigned major, minor;

	if (version.n < 4 || info.n < 4)
		return refuse_broken(d);
	major = le16(version.p);
	minor = le16(version.p + 2);
	if (major == 4 && minor == 4) {
		bytes_take(&info, 4);
		return read_agile(d, info, s);
	}
	if (major >= 2 && major <= 4 && minor == 2)
		return read_standard(d, info, s);
	return refuse_kind(d);
}

/* Passwords. */

/* 2.3.4.11: the sum of the salt and the password, again and again. */
static void
spin(const struct secret *s, struct bytes password,
    uint8_t sum[PASSWORD_HASH_MAX])
{
	size_t n = password_digest_size(s->lock.hash);
	uint8_t wide[PASSWORD_UTF16_MAX], number[4];
	size_t wide_n = password_utf16(password, wide);

	password_digest(s->lock.hash, field_bytes(&s->lock.salt),
	    (struct bytes){ wide, wide_n }, sum);
	for (uint32_t i = 0; i < s->spins; i++) {
		put_le32(number, i);
		password_digest(s->lock.hash,
		    (struct bytes){ number, sizeof(number) },
		    (struct bytes){ sum, n }, sum);
	}
	explicit_bzero(wide, sizeof(wide));
}

/* The sum's beginning, or the sum and what is behind it. */
static void
fit(const uint8_t sum[PASSWORD_HASH_MAX], size_t sum_n, uint8_t fill,
    uint8_t *out, size_t n)
{
	memset(out, fill, n);
	memcpy(out, sum, sum_n < n ? sum_n : n);
}

/* A field of encryptedKey, decrypted by a key for its purpose (2.3.4.13). */
static bool
open_field(const struct secret *s, const uint8_t sum[PASSWORD_HASH_MAX],
    const uint8_t purpose[8], const struct password_field *in,
    uint8_t out[PASSWORD_FIELD_MAX])
{
	size_t n = password_digest_size(s->lock.hash);
	uint8_t made[PASSWORD_HASH_MAX], key[32], iv[BLOCK];
	bool good;

	password_digest(s->lock.hash, (struct bytes){ sum, n },
	    (struct bytes){ purpose, 8 }, made);
	fit(made, n, 0x36, key, s->lock.key_n);
	fit(s->lock.salt.p, s->lock.salt.n, 0x36, iv, BLOCK);
	good = password_decrypt(PASSWORD_AES_CBC,
	    (struct bytes){ key, s->lock.key_n }, iv, field_bytes(in), out);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(made, sizeof(made));
	return good;
}

static bool
agile_key(const struct secret *s, const uint8_t sum[PASSWORD_HASH_MAX],
    struct password_field *key)
{
	static const uint8_t purposes[3][8] = {
		{ 0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79 },
		{ 0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e },
		{ 0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6 },
	};
	uint8_t verifier[PASSWORD_FIELD_MAX], hash[PASSWORD_FIELD_MAX];
	uint8_t made[PASSWORD_HASH_MAX];

	if (!open_field(s, sum, purposes[0], &s->verifier, verifier) ||
	    !open_field(s, sum, purposes[1], &s->verifier_hash, hash))
		return false;
	password_digest(s->lock.hash, (struct bytes){ verifier, s->verifier.n },
	    (struct bytes){ 0 }, made);
	key->n = s->data.key_n;
	return CRYPTO_memcmp(made, hash, password_digest_size(s->lock.hash)) ==
	    0 &&
	    open_field(s, sum, purposes[2], &s->key, key->p);
}

/* 2.3.4.7: two sums, for keys that are longer than one. */
static bool
standard_key(const struct secret *s, uint8_t sum[PASSWORD_HASH_MAX],
    struct password_field *key)
{
	static const uint8_t block[4];
	uint8_t pad[64], made[2 * PASSWORD_HASH_MAX], verifier[BLOCK],
	    hash[2 * BLOCK];

	password_digest(PASSWORD_SHA1, (struct bytes){ sum, 20 },
	    (struct bytes){ block, sizeof(block) }, sum);
	for (unsigned i = 0; i < 2; i++) {
		memset(pad, i == 0 ? 0x36 : 0x5c, sizeof(pad));
		for (size_t k = 0; k < 20; k++)
			pad[k] ^= sum[k];
		password_digest(PASSWORD_SHA1,
		    (struct bytes){ pad, sizeof(pad) }, (struct bytes){ 0 },
		    made + (size_t)20 * i);
	}
	key->n = s->lock.key_n;
	memcpy(key->p, made, key->n);
	if (!password_decrypt(PASSWORD_AES_ECB, field_bytes(key), NULL,
		field_bytes(&s->verifier), verifier) ||
	    !password_decrypt(PASSWORD_AES_ECB, field_bytes(key), NULL,
		field_bytes(&s->verifier_hash), hash))
		return false;
	password_digest(PASSWORD_SHA1, (struct bytes){ verifier, BLOCK },
	    (struct bytes){ 0 }, made);
	return CRYPTO_memcmp(made, hash, 20) == 0;
}

static bool
opens(const struct secret *s, struct bytes password, struct password_field *key)
{
	uint8_t sum[PASSWORD_HASH_MAX];
	bool good;

	spin(s, password, sum);
	good = s->agile ? agile_key(s, sum, key) : standard_key(s, sum, key);
	explicit_bzero(sum, sizeof(sum));
	return good;
}

static bool
find_key(struct detox *d, const struct secret *s, struct password_field *key)
{
	size_t n = d->passwords == NULL ? 0 : d->passwords->n;

	if (opens(s, bytes_of(SECRET_NOBODYS), key))
		return true;
	for (size_t i = 0; i < n; i++)
		if (opens(s, d->passwords->all[i], key)) {
			d->opened++;
			return true;
		}
	return false;
}

/* The package (2.3.4.15, 2.3.4.4): its size, and segments, each of which has
 * its own beginning. That it was not changed is not checked: what comes of it
 * is judged as any file. */
static bool
decrypt(const struct secret *s, const struct password_field *key,
    struct bytes in, struct buf *out)
{
	size_t n = password_digest_size(s->data.hash);
	uint8_t number[4], sum[PASSWORD_HASH_MAX], iv[BLOCK];

	if (!s->agile)
		return password_decrypt(
		    PASSWORD_AES_ECB, field_bytes(key), NULL, in, out->p);
	for (uint32_t i = 0; in.n > 0; i++) {
		struct bytes piece =
		    bytes_take(&in, in.n < SEGMENT ? in.n : SEGMENT);

		put_le32(number, i);
		password_digest(s->data.hash, field_bytes(&s->data.salt),
		    (struct bytes){ number, sizeof(number) }, sum);
		fit(sum, n, 0x36, iv, BLOCK);
		if (!password_decrypt(PASSWORD_AES_CBC, field_bytes(key), iv,
			piece, out->p + (size_t)i * SEGMENT))
			return false;
	}
	return true;
}

enum detox_result
secret_open(
    struct detox *d, struct bytes info, struct bytes package, struct buf *out)
{
	struct bytes size = bytes_take(&package, 8);
	struct secret s = { 0 };
	struct password_field key;
	uint64_t n;

	buf_init(out, package.n);
	if (read_info(d, info, &s) == DETOX_REFUSED)
		return DETOX_REFUSED;
	package.n -= package.n % BLOCK;
	n = size.n < 8 ? 0 : le32(size.p) | (uint64_t)le32(size.p + 4) << 32;
	if (n == 0 || n > package.n)
		return detox_refuse(
		    d, REFUSED_BROKEN, "an encrypted document is cut off");
	if (detox_unpacked(d, n, 0) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (!find_key(d, &s, &key))
		return detox_locked(d, "a document");
	must(buf_reserve(out, package.n) == 0);
	if (!decrypt(&s, &key, package, out))
		return refuse_kind(d);
	explicit_bzero(&key, sizeof(key));
	out->n = (size_t)n;
	return DETOX_REBUILT;
}
