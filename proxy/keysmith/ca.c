/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/keysmith/ca.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/file.h"

#define FILE_MAX 65536
#define PASSWORD_MAX 1024
#define RSA_BITS_MIN 2048
#define EC_BITS_MIN 256

/* A file's bytes, which are wiped when they are given back. */
struct secret {
	uint8_t p[FILE_MAX];
	size_t n;
};

static struct secret *
secret_new(void)
{
	struct secret *s = calloc(1, sizeof(*s));

	must(s != NULL);
	mlock(s, sizeof(*s));
	return s;
}

static void
secret_free(struct secret *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
	munlock(s, sizeof(*s));
	free(s);
}

static int
read_all(int fd, const char *name, struct secret *s, struct err *e)
{
	ssize_t n = 1;

	while (n > 0 && s->n < sizeof(s->p)) {
		n = read(fd, s->p + s->n, sizeof(s->p) - s->n);
		if (n < 0)
			return err_set(e, "%s: cannot be read: %m", name);
		s->n += (size_t)n;
	}
	if (s->n == sizeof(s->p))
		return err_set(
		    e, "%s: larger than %d bytes", name, FILE_MAX - 1);
	return 0;
}

static int
read_file(const char *name, struct secret *s, struct err *e)
{
	int fd = file_open(name, FILE_MAX - 1, e);
	int result;

	if (fd < 0)
		return -1;
	result = read_all(fd, name, s, e);
	close(fd);
	return result;
}

static X509 *
read_certificate(const char *name, struct err *e)
{
	int fd = file_open(name, CA_CHAIN_MAX, e);
	BIO *file;
	X509 *x;

	if (fd < 0)
		return NULL;
	file = BIO_new_fd(fd, BIO_CLOSE);
	must(file != NULL);
	if ((x = PEM_read_bio_X509(file, NULL, NULL, NULL)) == NULL)
		err_set(e, "%s: holds no certificate in PEM", name);
	BIO_free(file);
	ERR_clear_error();
	return x;
}

static int
read_password(const char *name, struct secret *s, struct err *e)
{
	const uint8_t *end;

	if (read_file(name, s, e) < 0)
		return -1;
	end = memchr(s->p, '\n', s->n);
	if (end != NULL)
		s->n = (size_t)(end - s->p);
	if (s->n > 0 && s->p[s->n - 1] == '\r')
		s->n--;
	if (s->n == 0 || s->n > PASSWORD_MAX)
		return err_set(e,
		    "%s: the first line has %zu bytes, expected 1 to %d", name,
		    s->n, PASSWORD_MAX);
	return 0;
}

/* Never asks at a terminal, as OpenSSL does without a callback. */
static int
give_password(char *out, int size, int writing, void *arg)
{
	const struct secret *password = arg;

	(void)writing;
	if (password == NULL || password->n > (size_t)size)
		return -1;
	memcpy(out, password->p, password->n);
	return (int)password->n;
}

static EVP_PKEY *
parse_key(const struct secret *pem, const char *name, struct secret *password,
    struct err *e)
{
	BIO *file = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY *key;

	must(file != NULL);
	key = PEM_read_bio_PrivateKey(file, NULL, give_password, password);
	if (key == NULL)
		err_set(e, "%s: no private key in PEM can be read%s", name,
		    password == NULL
			? " (if it is encrypted, name ca_key_password_file)"
			: " with this password");
	BIO_free(file);
	ERR_clear_error();
	return key;
}

/* Who has the key can be any web site for all clients. */
static int
judge_mode(int fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, "%s: cannot be read: %m", name);
	if ((st.st_mode & (S_IROTH | S_IWOTH)) != 0)
		return err_set(e,
		    "%s: has mode %04o, open to everyone, expected 0600", name,
		    (unsigned)st.st_mode & 07777);
	return 0;
}

static EVP_PKEY *
read_key(int fd, const char *name, const char *password_file, struct err *e)
{
	struct secret *pem = secret_new();
	struct secret *password = password_file == NULL ? NULL : secret_new();
	EVP_PKEY *key = NULL;

	if (judge_mode(fd, name, e) == 0 && read_all(fd, name, pem, e) == 0 &&
	    (password == NULL ||
		read_password(password_file, password, e) == 0))
		key = parse_key(pem, name, password, e);
	secret_free(pem);
	if (password != NULL)
		secret_free(password);
	return key;
}

static int
judge_key(EVP_PKEY *key, const char *name, struct err *e)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "RSA") && bits >= RSA_BITS_MIN)
		return 0;
	if (EVP_PKEY_is_a(key, "EC") && bits >= EC_BITS_MIN)
		return 0;
	return err_set(e,
	    "%s: a key of %d bits, %s, expected RSA of at least %d"
	    " or EC of at least %d",
	    name, bits, EVP_PKEY_get0_type_name(key), RSA_BITS_MIN,
	    EC_BITS_MIN);
}

static int
judge_certificate(X509 *x, const char *name, time_t now, struct err *e)
{
	uint32_t flags = X509_get_extension_flags(x);

	if ((flags & EXFLAG_INVALID) != 0)
		return err_set(
		    e, "%s: an extension of the certificate is broken", name);
	if ((flags & EXFLAG_BCONS) == 0 || (flags & EXFLAG_CA) == 0)
		return err_set(e,
		    "%s: no CA certificate, expected basicConstraints CA:TRUE",
		    name);
	/* Without the extension every use is allowed (RFC 5280 section
	 * 4.2.1.3), and the flags are all ones. */
	if ((X509_get_key_usage(x) & KU_KEY_CERT_SIGN) == 0)
		return err_set(
		    e, "%s: keyUsage does not hold keyCertSign", name);
	if (X509_cmp_time(X509_get0_notAfter(x), &now) != 1)
		return err_set(e, "%s: the certificate has expired", name);
	if (X509_cmp_time(X509_get0_notBefore(x), &now) != -1)
		return err_set(e, "%s: the certificate is not yet valid", name);
	return 0;
}

int
ca_load(struct ca *ca, const char *certificate_file, int key_fd,
    const char *key_name, const char *password_file, time_t now, struct err *e)
{
	*ca = (struct ca){ 0 };
	ca->certificate = read_certificate(certificate_file, e);
	if (ca->certificate == NULL)
		goto release;
	ca->key = read_key(key_fd, key_name, password_file, e);
	if (ca->key == NULL || judge_key(ca->key, key_name, e) < 0 ||
	    judge_certificate(ca->certificate, certificate_file, now, e) < 0)
		goto release;
	if (X509_check_private_key(ca->certificate, ca->key) == 1)
		return 0;
	ERR_clear_error();
	err_set(e, "%s: is not the key of the certificate in %s", key_name,
	    certificate_file);
release:
	ca_release(ca);
	return -1;
}

void
ca_release(struct ca *ca)
{
	X509_free(ca->certificate);
	EVP_PKEY_free(ca->key);
	*ca = (struct ca){ 0 };
}
