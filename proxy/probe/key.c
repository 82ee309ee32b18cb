/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/probe/key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/file.h"

#define KEY_MAX ((size_t)4096)

static EVP_PKEY *
parse(const char *path, const struct buf *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY *key;

	must(bio != NULL);
	/* An empty password, so that nobody is asked for one. */
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "");
	BIO_free(bio);
	ERR_clear_error();
	if (key != NULL && EVP_PKEY_is_a(key, "ED25519"))
		return key;
	EVP_PKEY_free(key);
	err_set(e,
	    "%s: expected a private key of Ed25519 in PEM, as `sekisho-probe"
	    " keygen` makes it",
	    path);
	return NULL;
}

EVP_PKEY *
key_load(const char *path, struct err *e)
{
	EVP_PKEY *key = NULL;
	struct stat st;
	struct buf pem;

	buf_init(&pem, KEY_MAX);
	if (file_read(path, &pem, e) < 0)
		goto release;
	if (stat(path, &st) < 0 || (st.st_mode & S_IRWXO) != 0)
		err_set(e, "%s: anyone may use it, expected mode 0600", path);
	else
		key = parse(path, &pem, e);
release:
	OPENSSL_cleanse(pem.p, pem.n);
	buf_release(&pem);
	return key;
}

static int
write_private(int fd, EVP_PKEY *key)
{
	BIO *bio = BIO_new_fd(fd, BIO_NOCLOSE);
	int result = -1;

	if (bio != NULL &&
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) ==
		1 &&
	    fsync(fd) == 0)
		result = 0;
	BIO_free(bio);
	return result;
}

int
key_make(const char *path, FILE *public_out, struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int fd;
	int result = -1;

	if (key == NULL)
		return err_set(e, "this OpenSSL makes no keys of Ed25519");
	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		err_set(e, "%s: cannot be made: %m", path);
		goto free_key;
	}
	if (write_private(fd, key) < 0 ||
	    PEM_write_PUBKEY(public_out, key) != 1 || fflush(public_out) != 0) {
		err_set(e, "%s: cannot be written: %m", path);
		unlink(path);
		goto close_fd;
	}
	result = 0;
close_fd:
	close(fd);
free_key:
	EVP_PKEY_free(key);
	ERR_clear_error();
	return result;
}
