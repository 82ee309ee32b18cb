/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/probe/key.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/signature.h"

EVP_PKEY *
key_load(const char *path, struct err *e)
{
	EVP_PKEY *key = signature_private_key(path, e);
	struct stat st;

	if (key == NULL ||
	    (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) == 0))
		return key;
	EVP_PKEY_free(key);
	err_set(e, "%s: anyone may use it, expected mode 0600", path);
	return NULL;
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
