/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/keysmith/keysmith.h"

#include <openssl/crypto.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/keysmith/ca.h"
#include "proxy/keysmith/forge.h"
#include "proxy/process.h"

#define FILES_MAX 512 /* a channel for each edge of two generations */

const struct setting keysmith_table[] = {
	SETTING_TEXT_ROW(keysmith_settings, ca_certificate, NULL, 1, 4096,
	    "File of the CA certificate that signs for clients, in PEM; those"
	    " that follow in it are its chain.",
	    "端末向け証明書に署名する認証局の証明書ファイル（PEM）。"
	    "続く証明書は上位の連鎖。"),
	SETTING_TEXT_ROW(keysmith_settings, ca_key, NULL, 1, 4096,
	    "File of its private key, in PEM: RSA of at least 2048 bits or EC"
	    " of at least 256; it may be encrypted.",
	    "その秘密鍵のファイル（PEM）。2048 ビット以上の RSA か 256"
	    " ビット以上の EC。暗号化されていてもよい。"),
	SETTING_TEXT_ROW(keysmith_settings, ca_key_password_file, "", 0, 4096,
	    "File whose first line is the key's password; empty when the key"
	    " is not encrypted.",
	    "1 行目が秘密鍵のパスワードであるファイル。暗号化されていなければ"
	    "空。"),
	SETTING(keysmith_settings, rsa_leaf, FLAG, 0, 0, 1,
	    "Whether clients that know no ECDSA get an RSA leaf certificate;"
	    " else their connection fails.",
	    "ECDSA を使えない端末に RSA の証明書を発行するか。しなければ"
	    "接続は失敗する。"),
	/* A week: a client whose clock is days behind or a keysmith that is
	 * away does not matter, and a leaf key that leaked is soon worth
	 * nothing. Leaves of over 397 days are refused by browsers, and each
	 * begins a day before it is made. */
	SETTING_SECONDS_ROW(keysmith_settings, leaf_lifetime, 7 * 86400, 3600,
	    395 * 86400,
	    "How long a leaf certificate is valid; it is replaced in time, and"
	    " never outlives the CA certificate.",
	    "発行する証明書の有効期間。期限前に更新し、認証局の証明書より"
	    "長くはならない。"),
	SETTING(keysmith_settings, leaf_cache_max, COUNT, 4096, 16, 1048576,
	    "Leaf certificates that each edge keeps; the one that was not used"
	    " for the longest time goes first. About 6 KiB each.",
	    "各エッジが保持する証明書の数。最も長く使われていないものから"
	    "捨てる。1 件およそ 6 KiB。"),
	SETTING_SECONDS_ROW(keysmith_settings, ticket_rotation, 8 * 3600, 10,
	    86400,
	    "How often the key of TLS session tickets changes; a session can"
	    " be resumed for two to three times as long.",
	    "TLS セッションチケットの鍵を替える間隔。セッションはその 2 倍"
	    "から 3 倍の間、再開できる。"),
};
const size_t keysmith_table_n = COUNT(keysmith_table);

struct keysmith {
	struct child *child;
	struct ca ca;
	struct forge *forge;
};

static int
load_ca(const struct settings *s, int key_fd, struct ca *ca, struct err *e)
{
	const struct keysmith_settings *k = &s->keysmith;
	struct arena a = { 0 };
	const char *password = k->ca_key_password_file[0] == '\0'
	    ? NULL
	    : settings_path(s, &a, k->ca_key_password_file);
	int result = ca_load(ca, settings_path(s, &a, k->ca_certificate),
	    key_fd, settings_path(s, &a, k->ca_key), password, time(NULL), e);

	arena_release(&a);
	return result;
}

int
keysmith_check(
    const struct keysmith_settings *s, const char *folder, struct err *e)
{
	const struct settings settings = { .folder = folder, .keysmith = *s };
	struct arena a = { 0 };
	const char *path = settings_path(&settings, &a, s->ca_key);
	int fd = file_open(path, SIZE_MAX, e);
	struct ca ca = { 0 };
	int result = -1;

	if (fd >= 0) {
		result = load_ca(&settings, fd, &ca, e);
		close(fd);
	}
	ca_release(&ca);
	arena_release(&a);
	return result;
}

static void
parent_message(void *owner, const struct ipc_message *m)
{
	struct keysmith *k = owner;

	if (m->fd < 0)
		return;
	if (m->type == PARENT_CHANNEL && k->forge != NULL)
		forge_serve(k->forge, m->fd);
	else
		close(m->fd);
}

static int
prepare(struct keysmith *k, struct err *e)
{
	struct child *c = k->child;
	const struct sandbox sandbox = {
		.user = c->settings->processes.keysmith_user,
		.root = c->settings->processes.root,
		.files_max = FILES_MAX,
	};
	int result = load_ca(c->settings, c->key_fd, &k->ca, e);

	close(c->key_fd);
	c->key_fd = -1;
	if (result < 0)
		return -1;
	k->forge = forge_new(
	    c->loop, &k->ca, c->settings->keysmith.leaf_lifetime_ms / 1000);
	if (forge_try(k->forge, e) < 0)
		return -1;
	return sandbox_enter(&sandbox, e);
}

int
keysmith_start(struct child *c)
{
	struct keysmith k = { .child = c };
	struct err e = { 0 };
	int result = 0;

	/* Private numbers of keys live on locked pages that no core dump
	 * holds; without them (a memory limit) the work is the same. */
	CRYPTO_secure_malloc_init(1 << 18, 32);
	process_begin(c, parent_message, &k);
	if (prepare(&k, &e) < 0) {
		result = process_failed(c, &e);
		goto release;
	}
	process_ready(c);
	loop_run(c->loop);
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
release:
	forge_free(k.forge);
	ca_release(&k.ca);
	return result;
}
