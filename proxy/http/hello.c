/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/hello.h"

#include <openssl/ssl.h>

#define MALFORMED "TLS: client hello is malformed"

int
hello_number(struct bytes *b, size_t n, size_t *out)
{
	struct bytes digits = bytes_take(b, n);

	*out = 0;
	for (size_t i = 0; i < digits.n; i++)
		*out = *out << 8 | digits.p[i];
	return digits.n == n ? 0 : -1;
}

int
hello_vector(struct bytes *b, size_t length_n, struct bytes *out)
{
	size_t n;

	if (hello_number(b, length_n, &n) < 0)
		return -1;
	*out = bytes_take(b, n);
	return out->n == n ? 0 : -1;
}

int
hello_extension(
    struct bytes extensions, size_t wanted, struct bytes *out, bool *found_out)
{
	*found_out = false;
	while (extensions.n > 0) {
		struct bytes body;
		size_t type;

		if (hello_number(&extensions, 2, &type) < 0 ||
		    hello_vector(&extensions, 2, &body) < 0)
			return -1;
		if (type != wanted)
			continue;
		if (*found_out)
			return -1;
		*found_out = true;
		*out = body;
	}
	return 0;
}

static int
read_name(struct bytes extension, struct bytes *name_out)
{
	struct bytes list;
	size_t type;

	if (hello_vector(&extension, 2, &list) < 0 || extension.n != 0 ||
	    hello_number(&list, 1, &type) < 0 ||
	    type != TLSEXT_NAMETYPE_host_name ||
	    hello_vector(&list, 2, name_out) < 0 || list.n != 0)
		return -1;
	return 0;
}

int
hello_name(struct bytes hello, struct bytes *name_out, bool *named_out,
    const char **why_out)
{
	struct bytes session, ciphers, compressions, extensions = { 0 };
	struct bytes name;

	*why_out = MALFORMED;
	if (bytes_take(&hello, 2 + 32).n < 2 + 32 ||
	    hello_vector(&hello, 1, &session) < 0 ||
	    hello_vector(&hello, 2, &ciphers) < 0 ||
	    hello_vector(&hello, 1, &compressions) < 0)
		return -1;
	if (hello.n > 0 &&
	    (hello_vector(&hello, 2, &extensions) < 0 || hello.n != 0))
		return -1;
	if (hello_extension(
		extensions, TLSEXT_TYPE_server_name, &name, named_out) < 0)
		return -1;
	*why_out = "TLS: server name is malformed";
	return *named_out ? read_name(name, name_out) : 0;
}

void
hello_init(struct hello *h)
{
	*h = (struct hello){ 0 };
	buf_init(&h->message, HELLO_MAX + HELLO_RECORD_MAX);
}

void
hello_release(struct hello *h)
{
	buf_release(&h->message);
}

static enum hello_answer
refuse(struct hello *h, const char *why)
{
	h->why = why;
	return HELLO_BAD;
}

static enum hello_answer
read_header(struct hello *h, uint8_t byte)
{
	h->header[h->header_n++] = byte;
	if (h->header_n < HELLO_HEADER_N)
		return HELLO_MORE;
	if (h->header[0] != SSL3_RT_HANDSHAKE || h->header[1] != 3)
		return refuse(h, "TLS: no client hello");
	h->left = (size_t)h->header[3] << 8 | h->header[4];
	if (h->left == 0)
		return refuse(h, "TLS: record is empty");
	if (h->left > HELLO_RECORD_MAX)
		return refuse(h, "TLS: record is too long");
	return HELLO_MORE;
}

static enum hello_answer
read_payload(struct hello *h, struct bytes part)
{
	struct bytes rest, message;
	size_t type, n;

	if (buf_append(&h->message, part) < 0)
		return refuse(h, "TLS: handshake message is too long");
	h->left -= part.n;
	if (h->left == 0)
		h->header_n = 0;
	rest = buf_bytes(&h->message);
	if (hello_number(&rest, 1, &type) < 0)
		return HELLO_MORE;
	if (type != SSL3_MT_CLIENT_HELLO)
		return refuse(h, "TLS: no client hello");
	if (hello_number(&rest, 3, &n) < 0)
		return HELLO_MORE;
	if (n > HELLO_MAX)
		return refuse(h, "TLS: handshake message is too long");
	message = bytes_take(&rest, n);
	if (message.n < n)
		return HELLO_MORE;
	return hello_name(message, &h->name, &h->named, &h->why) < 0
	    ? HELLO_BAD
	    : HELLO_WHOLE;
}

enum hello_answer
hello_push(struct hello *h, struct bytes in)
{
	enum hello_answer answer = HELLO_MORE;

	while (in.n > 0 && answer == HELLO_MORE)
		answer = h->header_n < HELLO_HEADER_N
		    ? read_header(h, *bytes_take(&in, 1).p)
		    : read_payload(h, bytes_take(&in, h->left));
	return answer;
}
