/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/exceptions.h"

#include <string.h>

#include "proxy/base/file.h"
#include "proxy/base/signature.h"
#include "proxy/base/when.h"

#define LIST_MAX ((size_t)4 << 20)
#define SIGNATURE_FILE_MAX ((size_t)4096)
#define EXCEPTIONS_MAX 10000

struct files {
	const char *file, *key;
};

struct entry {
	const char *sha256, *until, *owner, *reason;
	struct texts profiles;
};

const struct setting detox_exceptions_table[] = {
	SETTING_TEXT_ROW(files, file, NULL, 1, 4096,
	    "The list; beside it, as FILE.sig, its Ed25519 signature:"
	    " `openssl pkeyutl -sign -rawin -inkey KEY -in FILE -out"
	    " FILE.sig`.",
	    "一覧のファイル。隣の「ファイル名.sig」が Ed25519 署名"
	    "（`openssl pkeyutl -sign -rawin -inkey 鍵 -in ファイル -out"
	    " ファイル.sig`）。"),
	SETTING_TEXT_ROW(files, key, NULL, 1, 4096,
	    "The public key that the signature must be of, in PEM.",
	    "署名を確かめる公開鍵（PEM）。"),
};
const size_t detox_exceptions_table_n = COUNT(detox_exceptions_table);

const struct setting detox_exception_table[] = {
	SETTING_TEXT_ROW(entry, sha256, NULL, 64, 64,
	    "SHA-256 of the file, as `sekishoctl detox --json` says it.",
	    "ファイルの SHA-256（`sekishoctl detox --json` の値）。"),
	SETTING(entry, profiles, TEXTS, 0, 1, 32,
	    "Under which profiles; without: under all.",
	    "対象のプロファイル。なければすべて。"),
	SETTING_TEXT_ROW(entry, until, NULL, 10, 10,
	    "The last day, in Japan: \"2027-03-31\".",
	    "最後の日（日本時間）。\"2027-03-31\"。"),
	SETTING_TEXT_ROW(
	    entry, owner, NULL, 1, 128, "Who answers for it.", "責任者。"),
	SETTING_TEXT_ROW(entry, reason, NULL, 1, 500, "Why it may pass.",
	    "通してよい理由。"),
};
const size_t detox_exception_table_n = COUNT(detox_exception_table);

/* What another file brings in would be nobody's signature. */
static int
check_text(struct bytes text, const char *path, struct err *e)
{
	return text.n > 0 && memmem(text.p, text.n, "@include", 8) != NULL
	    ? err_set(e, "%s: @include is not for a signed list", path)
	    : 0;
}

static int
check_signature(const char *path, const char *key_path, struct err *e)
{
	struct arena a = { 0 };
	const char *sig_path = arena_printf(&a, "%s.sig", path);
	EVP_PKEY *key = signature_public_key(key_path, e);
	struct buf text, signature;
	int result = -1;

	buf_init(&text, LIST_MAX);
	buf_init(&signature, SIGNATURE_FILE_MAX);
	if (key == NULL || file_read(path, &text, e) < 0 ||
	    file_read(sig_path, &signature, e) < 0 ||
	    check_text(buf_bytes(&text), path, e) < 0)
		goto release;
	result = signature_holds(key, buf_bytes(&text), buf_bytes(&signature))
	    ? 0
	    : err_set(e, "%s: does not sign %s with the key %s", sig_path, path,
		  key_path);
release:
	buf_release(&text);
	buf_release(&signature);
	EVP_PKEY_free(key);
	arena_release(&a);
	return result;
}

static int
read_digest(const char *hex, uint8_t out[DETOX_DIGEST_SIZE])
{
	for (size_t i = 0; i < DETOX_DIGEST_SIZE; i++) {
		int high = byte_hex((uint8_t)hex[2 * i]);
		int low = byte_hex((uint8_t)hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	return 0;
}

static int
read_entry(struct detox_exception *x, const config_setting_t *one,
    struct arena *a, struct err *e)
{
	struct entry entry = { 0 };

	if (setting_load(detox_exception_table, detox_exception_table_n, one,
		&entry, a, e) < 0)
		return -1;
	if (read_digest(entry.sha256, x->digest) < 0)
		return setting_error(one, e,
		    "sha256 is \"%s\", expected 64 hexadecimal digits",
		    entry.sha256);
	if (when_day(bytes_of(entry.until), &x->until) < 0)
		return setting_error(one, e,
		    "until is \"%s\", expected a day such as \"2027-03-31\"",
		    entry.until);
	x->until += WHEN_DAY_S;
	x->profiles = entry.profiles;
	x->owner = entry.owner;
	x->reason = entry.reason;
	return 0;
}

static int
read_list(struct detox_exceptions *x, const char *path, struct arena *a,
    struct err *e)
{
	const config_setting_t *list;
	config_t config;
	int result = setting_read(path, &config, e);

	if (result < 0)
		goto destroy;
	list = setting_list(config_root_setting(&config), "exceptions", e);
	if (list == NULL) {
		result = e->text[0] != '\0'
		    ? -1
		    : err_set(e, "%s: no exceptions, expected a list of them",
			  path);
		goto destroy;
	}
	x->n = (size_t)config_setting_length(list);
	if (x->n > EXCEPTIONS_MAX) {
		result = setting_error(
		    list, e, "more than %d exceptions", EXCEPTIONS_MAX);
		goto destroy;
	}
	x->all = ARENA_ARRAY(a, struct detox_exception, x->n);
	for (size_t i = 0; i < x->n && result == 0; i++)
		result = read_entry(&x->all[i],
		    config_setting_get_elem(list, (unsigned)i), a, e);
destroy:
	config_destroy(&config);
	return result;
}

static const char *
path_of(const char *folder, const char *name, struct arena *a)
{
	return name[0] == '/' ? name : arena_printf(a, "%s/%s", folder, name);
}

int
detox_exceptions_load(struct detox_exceptions *x, const config_setting_t *group,
    const char *folder, struct arena *a, struct err *e)
{
	struct files files = { 0 };
	const char *path;

	*x = (struct detox_exceptions){ 0 };
	if (setting_load(detox_exceptions_table, detox_exceptions_table_n,
		group, &files, a, e) < 0)
		return -1;
	path = path_of(folder, files.file, a);
	return check_signature(path, path_of(folder, files.key, a), e) < 0
	    ? -1
	    : read_list(x, path, a, e);
}

static bool
is_for(const struct detox_exception *x, const char *profile)
{
	for (size_t i = 0; i < x->profiles.n; i++)
		if (strcmp(x->profiles.p[i], profile) == 0)
			return true;
	return x->profiles.n == 0;
}

const struct detox_exception *
detox_exceptions_find(const struct detox_exceptions *x,
    const uint8_t digest[DETOX_DIGEST_SIZE], const char *profile, time_t now)
{
	for (size_t i = 0; i < x->n; i++)
		if (memcmp(x->all[i].digest, digest, DETOX_DIGEST_SIZE) == 0 &&
		    now < x->all[i].until && is_for(&x->all[i], profile))
			return &x->all[i];
	return NULL;
}
