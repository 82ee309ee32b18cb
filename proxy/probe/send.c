/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/probe/send.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/base/file.h"

#define PEM_FILE_MAX ((size_t)256 << 10)

/* What is on the wire: ALPN's names have their length before them. */
static const uint8_t alpn[] = "\x0f" PROBE_ALPN;

static void
give_up(int signal_number)
{
	static const char words[] =
	    "sekisho-probe: the gate did not answer within 30 s\n";
	ssize_t n = write(STDERR_FILENO, words, sizeof(words) - 1);

	(void)signal_number;
	(void)n;
	_exit(1);
}

/* Words of OpenSSL's last failure. */
static const char *
reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *words = ERR_reason_error_string(code);

	return words == NULL ? "the connection was closed" : words;
}

/* The gate is the one whose certificate is pinned, whoever signed that. */
static int
is_pinned(X509_STORE_CTX *store, void *owner)
{
	const struct trial *trial = owner;
	X509 *certificate = X509_STORE_CTX_get0_cert(store);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (certificate != NULL &&
	    X509_digest(certificate, EVP_sha256(), digest, &n) == 1 &&
	    n == sizeof(trial->gate_certificate) &&
	    memcmp(digest, trial->gate_certificate, n) == 0)
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/* Its words say better than OpenSSL's why a file cannot be read. */
static int
check_file(const char *path, struct err *e)
{
	int fd = file_open(path, PEM_FILE_MAX, e);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static SSL_CTX *
make_ctx(const struct trial *trial, struct err *e)
{
	SSL_CTX *ctx;

	if (check_file(trial->certificate, e) < 0 ||
	    check_file(trial->certificate_key, e) < 0)
		return NULL;
	ctx = SSL_CTX_new(TLS_client_method());
	must(ctx != NULL);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1) != 0) {
		err_set(e, "OpenSSL: %s", reason());
	} else if (SSL_CTX_use_certificate_chain_file(
		       ctx, trial->certificate) != 1) {
		err_set(e, "%s: expected a certificate in PEM: %s",
		    trial->certificate, reason());
	} else if (SSL_CTX_use_PrivateKey_file(
		       ctx, trial->certificate_key, SSL_FILETYPE_PEM) != 1) {
		err_set(e, "%s: expected the certificate's key in PEM: %s",
		    trial->certificate_key, reason());
	} else {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		/* It is only read there. */
		SSL_CTX_set_cert_verify_callback(
		    ctx, is_pinned, (void *)(uintptr_t)trial);
		return ctx;
	}
	SSL_CTX_free(ctx);
	return NULL;
}

/* The gate knows a system by its address, too. */
static int
bind_from(int fd, const struct trial *trial, struct err *e)
{
	char text[ADDRESS_TEXT_MAX];
	struct sockaddr_storage from;
	socklen_t from_n = address_to_sockaddr(&trial->from, &from);

	if (!trial->has_from ||
	    bind(fd, (const struct sockaddr *)&from, from_n) == 0)
		return 0;
	return err_set(e, "from %s: %m", address_text(&trial->from, text));
}

static int
connect_to(const struct trial *trial, struct err *e)
{
	char text[ADDRESS_TEXT_MAX];
	struct sockaddr_storage to;
	socklen_t to_n = address_to_sockaddr(&trial->gate, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind_from(fd, trial, e) < 0)
		goto close_fd;
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, to_n) == 0)
		return fd;
	err_set(e, "the gate %s cannot be reached: %m",
	    address_text_port(&trial->gate, text));
close_fd:
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
shake_hands(SSL *ssl, struct err *e)
{
	const uint8_t *chosen;
	unsigned chosen_n;

	if (SSL_connect(ssl) != 1)
		return SSL_get_verify_result(ssl) == X509_V_ERR_CERT_REJECTED
		    ? err_set(e,
			  "who answered is not the gate: its certificate is"
			  " not the one of gate_certificate")
		    : err_set(e, "the gate refused: %s", reason());
	SSL_get0_alpn_selected(ssl, &chosen, &chosen_n);
	return bytes_equal(
		   (struct bytes){ chosen, chosen_n }, BYTES(PROBE_ALPN))
	    ? 0
	    : err_set(e, "the gate takes no " PROBE_ALPN);
}

/* All n bytes. */
static int
read_all(SSL *ssl, uint8_t *out, size_t n)
{
	while (n > 0) {
		size_t got;

		if (SSL_read_ex(ssl, out, n, &got) != 1)
			return -1;
		out += got;
		n -= got;
	}
	return 0;
}

static int
tell(SSL *ssl, struct bytes message)
{
	uint8_t head[PROBE_LENGTH_N];
	size_t n;

	probe_length_write(message.n, head);
	return SSL_write_ex(ssl, head, sizeof(head), &n) == 1 &&
		SSL_write_ex(ssl, message.p, message.n, &n) == 1
	    ? 0
	    : -1;
}

/* "accepted good" or "accepted bad", as we said; or why it is not. */
static int
hear(SSL *ssl, bool is_good, struct err *e)
{
	uint8_t answer[PROBE_ANSWER_MAX];
	struct bytes line = { answer, 0 };
	bool ended = false;

	while (line.n < sizeof(answer) && !ended) {
		if (read_all(ssl, answer + line.n, 1) < 0)
			return err_set(
			    e, "the gate did not answer: %s", reason());
		ended = answer[line.n] == '\n';
		line.n += !ended;
	}
	for (size_t i = 0; i < line.n; i++)
		if (answer[i] < ' ' || answer[i] == 0x7f)
			answer[i] = '?';
	if (ended &&
	    bytes_equal(
		line, is_good ? BYTES("accepted good") : BYTES("accepted bad")))
		return 0;
	return err_set(e, "the gate says: %.*s", BYTES_PRINTF(line));
}

static int
speak(SSL *ssl, struct probe *p, EVP_PKEY *key, struct err *e)
{
	struct buf message;
	int result = -1;

	if (shake_hands(ssl, e) < 0)
		return -1;
	if (read_all(ssl, p->nonce, sizeof(p->nonce)) < 0)
		return err_set(e, "the gate refused: %s", reason());
	buf_init(&message, PROBE_MESSAGE_MAX);
	if (probe_write(p, key, &message, e) < 0)
		goto release;
	if (tell(ssl, buf_bytes(&message)) < 0)
		err_set(e, "the gate cannot be told: %s", reason());
	else
		result = hear(ssl, probe_is_good(p), e);
release:
	buf_release(&message);
	return result;
}

int
send_probe(
    const struct trial *trial, struct probe *p, EVP_PKEY *key, struct err *e)
{
	SSL_CTX *ctx = make_ctx(trial, e);
	SSL *ssl;
	int fd;
	int result = -1;

	if (ctx == NULL)
		return -1;
	must(signal(SIGPIPE, SIG_IGN) != SIG_ERR &&
	    signal(SIGALRM, give_up) != SIG_ERR);
	alarm(SEND_MAX_S);
	fd = connect_to(trial, e);
	if (fd < 0)
		goto free_ctx;
	ssl = SSL_new(ctx);
	must(ssl != NULL && SSL_set_fd(ssl, fd) == 1);
	result = speak(ssl, p, key, e);
	if (result == 0)
		(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
free_ctx:
	alarm(0);
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return result;
}
