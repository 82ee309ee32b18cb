/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: documents of OpenDocument with a password (1.3 part 2, 3.4): each
 * part is deflated, then encrypted, by a key of its own, and the manifest tells
 * how. What is in them becomes a package, which is rebuilt as any other. How
 * often a password is hashed, for a part and for all together, is bounded, as
 * the manifest says it.
 */
#include <openssl/crypto.h>

#include "filters/odf/inside.h"
#include "filters/password/password.h"

#define MANIFEST "META-INF/manifest.xml"
#define SPACE "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
#define XMLENC "http://www.w3.org/2001/04/xmlenc#"
#define XMLDSIG "http://www.w3.org/2000/09/xmldsig#"
#define KEY_MAX 32
#define SPINS_MAX 1000000
#define SPINS_OF_ALL_MAX 20000000 /* 200 parts as LibreOffice writes them */
#define SUMMED 1024               /* of a part, how much its sum is of */

/* How a part is encrypted. */
struct lock {
	uint64_t size; /* unpacked */
	enum password_cipher cipher;
	enum password_hash begin; /* of the password, before it is stretched */
	size_t key_n;
	unsigned spins;
	enum password_hash sum_of; /* PASSWORD_HASHES: it has no sum */
	struct password_field salt, iv, sum;
};

struct secret {
	struct odf *o;
	struct lock **locks;          /* by entry of the package; NULL: none */
	const struct bytes *password; /* that opened a part; NULL: not yet */
	unsigned spins_left;
};

static enum detox_result
refuse_kind(struct odf *o)
{
	return detox_refuse(o->d, REFUSED_ENCRYPTED,
	    "it is encrypted in a way that is not read");
}

/* What the manifest says. */

static const struct {
	const char *name;
	enum password_cipher cipher;
	size_t iv_n, key_n; /* 0: it is said */
} ciphers[] = {
	{ XMLENC "aes256-cbc", PASSWORD_AES_CBC, 16, 32 },
	{ XMLENC "aes192-cbc", PASSWORD_AES_CBC, 16, 24 },
	{ XMLENC "aes128-cbc", PASSWORD_AES_CBC, 16, 16 },
	{ "Blowfish CFB", PASSWORD_BLOWFISH, 8, 0 },
	{ SPACE "#blowfish", PASSWORD_BLOWFISH, 8, 0 },
};

struct named_hash {
	const char *name;
	enum password_hash hash;
};

static const struct named_hash begins[] = {
	{ "SHA1", PASSWORD_SHA1 },
	{ XMLDSIG "sha1", PASSWORD_SHA1 },
	{ XMLDSIG "sha256", PASSWORD_SHA256 }, /* as LibreOffice calls it */
	{ XMLENC "sha256", PASSWORD_SHA256 },
	{ NULL, PASSWORD_HASHES },
};

static const struct named_hash sums[] = {
	{ "SHA1/1K", PASSWORD_SHA1 },
	{ SPACE "#sha1-1k", PASSWORD_SHA1 },
	{ SPACE "#sha256-1k", PASSWORD_SHA256 },
	{ NULL, PASSWORD_HASHES },
};

static enum password_hash
hash_named(const struct named_hash *list, const char *name)
{
	while (list->name != NULL && strcmp(list->name, name) != 0)
		list++;
	return list->hash;
}

/* NULL: it has none. */
static const char *
attribute(const xmlNode *n, const char *name)
{
	for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
		if (a->ns != NULL && a->ns->href != NULL &&
		    strcmp((const char *)a->ns->href, SPACE) == 0 &&
		    strcmp((const char *)a->name, name) == 0 &&
		    a->children != NULL && a->children->content != NULL)
			return (const char *)a->children->content;
	return NULL;
}

static const xmlNode *
child(const xmlNode *n, const char *name)
{
	for (const xmlNode *c = n->children; c != NULL; c = c->next)
		if (xml_is(c, SPACE, name))
			return c;
	return NULL;
}

static bool
take_number(const xmlNode *n, const char *name, uint64_t max, uint64_t *out)
{
	return bytes_number(bytes_of(attribute(n, name)), max, out) == 0;
}

static bool
take_field(const xmlNode *n, const char *name, struct password_field *out)
{
	return password_field_take(bytes_of(attribute(n, name)), out) &&
	    out->n > 0;
}

static bool
take_cipher(const xmlNode *n, struct lock *l)
{
	const char *name = n == NULL ? NULL : attribute(n, "algorithm-name");

	for (size_t i = 0; name != NULL && i < COUNT(ciphers); i++)
		if (strcmp(ciphers[i].name, name) == 0) {
			l->cipher = ciphers[i].cipher;
			l->key_n = ciphers[i].key_n;
			return take_field(n, "initialisation-vector", &l->iv) &&
			    l->iv.n == ciphers[i].iv_n;
		}
	return false;
}

/* Before 1.2 nothing was said of it. */
static bool
take_begin(const xmlNode *n, struct lock *l)
{
	const char *name =
	    n == NULL ? "SHA1" : attribute(n, "start-key-generation-name");

	l->begin = name == NULL ? PASSWORD_HASHES : hash_named(begins, name);
	return l->begin != PASSWORD_HASHES;
}

static bool
take_derivation(const xmlNode *n, struct lock *l)
{
	const char *name =
	    n == NULL ? NULL : attribute(n, "key-derivation-name");
	uint64_t key_n = 16, spins;

	if (name == NULL ||
	    (strcmp(name, "PBKDF2") != 0 && strcmp(name, SPACE "#pbkdf2") != 0))
		return false;
	if ((attribute(n, "key-size") != NULL &&
		!take_number(n, "key-size", KEY_MAX, &key_n)) ||
	    !take_number(n, "iteration-count", SPINS_MAX, &spins) ||
	    spins == 0 || !take_field(n, "salt", &l->salt))
		return false;
	if (l->key_n == 0)
		l->key_n = (size_t)key_n;
	l->spins = (unsigned)spins;
	return l->key_n == key_n && (key_n == 16 || key_n == 24 || key_n == 32);
}

static bool
take_sum(const xmlNode *n, struct lock *l)
{
	const char *name = attribute(n, "checksum-type");

	l->sum_of = PASSWORD_HASHES;
	if (name == NULL)
		return true;
	l->sum_of = hash_named(sums, name);
	return l->sum_of != PASSWORD_HASHES &&
	    take_field(n, "checksum", &l->sum) &&
	    l->sum.n == password_digest_size(l->sum_of);
}

static bool
take_lock(const xmlNode *entry, const xmlNode *data, struct lock *l)
{
	return take_number(entry, "size", UINT32_MAX, &l->size) &&
	    take_cipher(child(data, "algorithm"), l) &&
	    take_begin(child(data, "start-key-generation"), l) &&
	    take_derivation(child(data, "key-derivation"), l) &&
	    take_sum(data, l);
}

static enum detox_result
read_entry(struct secret *s, const xmlNode *entry)
{
	const xmlNode *data = child(entry, "encryption-data");
	const char *path = attribute(entry, "full-path");
	ssize_t i;

	if (data == NULL || path == NULL)
		return DETOX_REBUILT;
	i = package_find(s->o->package, path);
	if (i < 0)
		return DETOX_REBUILT;
	if (s->locks[i] != NULL)
		return detox_refuse(s->o->d, REFUSED_DUPLICATE,
		    "its manifest has two entries of one name");
	s->locks[i] = ARENA_NEW(&s->o->d->arena, struct lock);
	return take_lock(entry, data, s->locks[i]) ? DETOX_REBUILT
						   : refuse_kind(s->o);
}

static enum detox_result
read_entries(struct secret *s, const xmlNode *root)
{
	bool locked = false;

	if (!xml_is(root, SPACE, "manifest"))
		return refuse_kind(s->o);
	for (const xmlNode *n = root->children; n != NULL; n = n->next)
		if (xml_is(n, SPACE, "file-entry") &&
		    read_entry(s, n) == DETOX_REFUSED)
			return DETOX_REFUSED;
	for (size_t i = 0; i < package_entries(s->o->package); i++)
		locked = locked || s->locks[i] != NULL;
	/* It has the word, but not where it is meant. */
	return locked ? DETOX_REBUILT : refuse_kind(s->o);
}

/* What OpenOffice.org put before it; nothing is declared in it. */
static const char old_manifest[] =
    "<!DOCTYPE manifest:manifest PUBLIC \"-//OpenOffice.org//DTD Manifest"
    " 1.0//EN\" \"Manifest.dtd\">";

static enum detox_result
read_manifest(struct secret *s, struct buf *manifest)
{
	enum detox_result result;
	xmlDoc *doc;

	odf_blank(manifest, bytes_of(old_manifest));
	doc = xml_read(s->o->d, buf_bytes(manifest), MANIFEST);
	if (doc == NULL)
		return DETOX_REFUSED;
	result = read_entries(s, xmlDocGetRootElement(doc));
	xmlFreeDoc(doc);
	return result;
}

/* Parts. */

static void
make_key(const struct lock *l, struct bytes password, uint8_t key[KEY_MAX])
{
	uint8_t sum[PASSWORD_HASH_MAX];
	struct buf out = { key, l->key_n, KEY_MAX, KEY_MAX };

	password_digest(l->begin, password, (struct bytes){ 0 }, sum);
	password_stretch((struct bytes){ sum, password_digest_size(l->begin) },
	    (struct bytes){ l->salt.p, l->salt.n }, l->spins, &out);
	explicit_bzero(sum, sizeof(sum));
}

/* Whole blocks are filled up; the last byte says with how many. */
static bool
take_filling(const struct lock *l, struct buf *plain)
{
	size_t n;

	if (l->cipher != PASSWORD_AES_CBC)
		return true;
	n = plain->n == 0 ? 0 : plain->p[plain->n - 1];
	if (n == 0 || n > 16)
		return false;
	plain->n -= n;
	return true;
}

static bool
is_summed(const struct lock *l, struct bytes plain)
{
	uint8_t sum[PASSWORD_HASH_MAX];

	if (l->sum_of == PASSWORD_HASHES)
		return true;
	password_digest(
	    l->sum_of, bytes_take(&plain, SUMMED), (struct bytes){ 0 }, sum);
	return CRYPTO_memcmp(sum, l->sum.p, l->sum.n) == 0;
}

/* False: it does not open it, or the job is over. */
static bool
opens(struct secret *s, const struct lock *l, struct bytes in,
    struct bytes password, struct buf *out)
{
	uint8_t key[KEY_MAX];
	struct buf plain;
	bool good;

	if (l->spins > s->spins_left) {
		detox_refuse(s->o->d, REFUSED_BOMB,
		    "a password would be hashed more than %u times",
		    SPINS_OF_ALL_MAX);
		return false;
	}
	s->spins_left -= l->spins;
	make_key(l, password, key);
	buf_init(&plain, in.n);
	must(buf_reserve(&plain, in.n) == 0);
	good = password_decrypt(
	    l->cipher, (struct bytes){ key, l->key_n }, l->iv.p, in, plain.p);
	explicit_bzero(key, sizeof(key));
	plain.n = in.n;
	out->n = 0;
	good = good && take_filling(l, &plain) &&
	    is_summed(l, buf_bytes(&plain)) &&
	    package_inflate(buf_bytes(&plain), out);
	buf_release(&plain);
	return good;
}

/* The first part is opened by any of the job's passwords, the others by the
 * same. */
static enum detox_result
open_part(
    struct secret *s, const struct lock *l, struct bytes in, struct buf *out)
{
	const struct detox_passwords *all = s->o->d->passwords;
	size_t n = all == NULL ? 0 : all->n;

	if (s->password != NULL) {
		if (opens(s, l, in, *s->password, out))
			return DETOX_REBUILT;
		return detox_refuse(s->o->d, REFUSED_BROKEN,
		    "its password does not open a part of it");
	}
	for (size_t i = 0; i < n && !detox_is_over(s->o->d); i++)
		if (opens(s, l, in, all->all[i], out)) {
			s->password = &all->all[i];
			s->o->d->opened++;
			return DETOX_REBUILT;
		}
	return detox_is_over(s->o->d) ? DETOX_REFUSED
				      : detox_locked(s->o->d, "a document");
}

/* What is in entry i; *out is made here. */
static enum detox_result
read_part(struct secret *s, size_t i, struct buf *out)
{
	const struct lock *l = s->locks[i];
	enum detox_result result;
	struct buf in;

	if (l == NULL)
		return package_read(s->o->d, s->o->package, i, out);
	buf_init(out, (size_t)l->size);
	result = package_read(s->o->d, s->o->package, i, &in);
	if (result == DETOX_REBUILT)
		result = detox_unpacked(s->o->d, l->size, in.n);
	if (result == DETOX_REBUILT) {
		must(buf_reserve(out, out->max) == 0);
		result = open_part(s, l, buf_bytes(&in), out);
	}
	buf_release(&in);
	return result;
}

static enum detox_result
copy_parts(struct secret *s, struct package_writer *w)
{
	for (size_t i = 0; i < package_entries(s->o->package); i++) {
		const struct package_entry *e = package_entry(s->o->package, i);
		enum detox_result result;
		struct buf part;

		if (e->folder || strcmp(e->name, MANIFEST) == 0)
			continue;
		result = read_part(s, i, &part);
		if (result == DETOX_REBUILT)
			result =
			    package_add(s->o->d, w, e->name, buf_bytes(&part),
				strcmp(e->name, "mimetype") == 0
				    ? PACKAGE_STORED
				    : PACKAGE_DEFLATED);
		buf_release(&part);
		/* One that is damaged is left out. */
		if (result == DETOX_REFUSED && detox_is_over(s->o->d))
			return DETOX_REFUSED;
	}
	return DETOX_REBUILT;
}

static enum detox_result
write_opened(struct secret *s, struct detox_output *out)
{
	struct package_writer *w = package_writer_new();
	enum detox_result result = copy_parts(s, w);

	if (result == DETOX_REBUILT)
		result = package_finish(s->o->d, w, out);
	package_writer_free(w);
	return result;
}

enum detox_result
odf_open(struct odf *o, struct buf *manifest, struct detox_output *out)
{
	struct secret s = { .o = o, .spins_left = SPINS_OF_ALL_MAX };
	struct detox_output opened = { 0 };
	enum detox_result result;

	buf_init(&opened.content, o->d->profile->out_max);
	s.locks = ARENA_ARRAY(
	    &o->d->arena, struct lock *, package_entries(o->package) + 1);
	result = read_manifest(&s, manifest);
	if (result == DETOX_REBUILT)
		result = write_opened(&s, &opened);
	if (result == DETOX_REBUILT)
		result = detox_opened(o->d,
		    &(const struct detox_object){
			.content = buf_bytes(&opened.content) },
		    MAGIC_BIT(MAGIC_ODF), out);
	buf_release(&opened.content);
	return result;
}
