/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/tlswatch.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/http/hello.h"

#define CHAIN_MAX 32 /* certificates */
#define EXTENSION_VERSIONS 43
#define TLS_1_2 0x0303
#define TLS_1_3 0x0304

enum phase {
	PHASE_HELLO = 0,   /* a hello is awaited: nothing has been judged */
	PHASE_CERTIFICATE, /* the server's, of TLS 1.2 */
	PHASE_OPEN,        /* judged: only the records' frames are looked at */
	PHASE_BLIND,       /* it is not TLS, and need not be */
};

struct half {
	enum phase phase;
	bool again; /* a client's second hello is awaited */
	uint8_t header[HELLO_HEADER_N];
	size_t header_n;
	size_t left;          /* of the record's payload */
	struct buf handshake; /* messages, not yet judged */
	size_t message_max;
	struct buf held;
	bool released; /* held went out with the last call */
};

struct tlswatch {
	const struct url *destination;
	enum tlswatch_strictness strictness;
	const char *(*judge)(void *owner, STACK_OF(X509) * chain);
	void *owner;
	struct half halves[TLSWATCH_SIDES];
	const char *why;
};

/* RFC 8446 section 4.1.3: a server hello with it asks for another hello. */
static const struct bytes retry_random =
    BYTES("\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91"
	  "\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C");

struct tlswatch *
tlswatch_new(const struct url *destination, enum tlswatch_strictness strictness,
    const char *(*judge)(void *owner, STACK_OF(X509) * chain), void *owner)
{
	static const size_t message_max[TLSWATCH_SIDES] = {
		[TLSWATCH_CLIENT] = HELLO_MAX,
		[TLSWATCH_SERVER] = TLSWATCH_CERTIFICATE_MAX,
	};
	struct tlswatch *w = calloc(1, sizeof(*w));

	must(w != NULL);
	w->destination = destination;
	w->strictness = strictness;
	w->judge = judge;
	w->owner = owner;
	for (size_t i = 0; i < TLSWATCH_SIDES; i++) {
		struct half *h = &w->halves[i];

		h->message_max = message_max[i];
		buf_init(&h->handshake, h->message_max + HELLO_RECORD_MAX);
		/* also what records add to messages in small pieces */
		buf_init(&h->held, 2 * (h->message_max + HELLO_RECORD_MAX));
	}
	return w;
}

void
tlswatch_free(struct tlswatch *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < TLSWATCH_SIDES; i++) {
		buf_release(&w->halves[i].handshake);
		buf_release(&w->halves[i].held);
	}
	free(w);
}

static bool
refuse(struct tlswatch *w, const char *why)
{
	w->why = why;
	return false;
}

static int
skip(struct bytes *b, size_t n)
{
	return bytes_take(b, n).n == n ? 0 : -1;
}

static bool
judge_client_hello(struct tlswatch *w, struct bytes m)
{
	struct bytes name;
	const char *why;
	bool named;

	if (hello_name(m, &name, &named, &why) < 0)
		return refuse(w, why);
	if (named)
		return bytes_equal_nocase(name, w->destination->host) ||
		    refuse(w, "TLS: server name unlike the CONNECT name");
	/* RFC 6066 section 3: addresses are not named. */
	if (!w->destination->is_address)
		return refuse(w, "TLS: client hello without a server name");
	return true;
}

static int
server_version(size_t legacy, struct bytes extensions, size_t *version_out)
{
	struct bytes body;
	bool found;

	if (hello_extension(extensions, EXTENSION_VERSIONS, &body, &found) < 0)
		return -1;
	*version_out = legacy;
	if (!found)
		return 0;
	return hello_number(&body, 2, version_out) < 0 || body.n != 0 ? -1 : 0;
}

static bool
judge_server_hello(struct tlswatch *w, struct bytes m)
{
	struct half *client = &w->halves[TLSWATCH_CLIENT];
	struct half *server = &w->halves[TLSWATCH_SERVER];
	struct bytes random, session, extensions = { 0 };
	size_t legacy, version;

	if (hello_number(&m, 2, &legacy) < 0)
		return refuse(w, "TLS: server hello is malformed");
	random = bytes_take(&m, 32);
	if (hello_vector(&m, 1, &session) < 0 || skip(&m, 2 + 1) < 0 ||
	    (m.n > 0 && (hello_vector(&m, 2, &extensions) < 0 || m.n != 0)) ||
	    server_version(legacy, extensions, &version) < 0)
		return refuse(w, "TLS: server hello is malformed");
	if (version != TLS_1_2 && version != TLS_1_3)
		return refuse(w, "TLS: version older than 1.2");
	if (version == TLS_1_2) {
		server->phase = PHASE_CERTIFICATE;
	} else if (!bytes_equal(random, retry_random)) {
		server->phase = PHASE_OPEN;
	} else if (client->again) {
		return refuse(w, "TLS: a second hello asked for twice");
	} else {
		client->again = true;
		client->phase = PHASE_HELLO;
	}
	return true;
}

static X509 *
read_certificate(struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	if (x != NULL && p != der.p + der.n) {
		X509_free(x);
		x = NULL;
	}
	ERR_clear_error();
	return x;
}

/* The chain in the order it came, or NULL: it is none. */
static STACK_OF(X509) * read_chain(struct bytes m)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct bytes list, der;
	X509 *x;

	must(chain != NULL);
	if (hello_vector(&m, 3, &list) < 0 || m.n != 0 || list.n == 0)
		goto bad;
	while (list.n > 0) {
		if (sk_X509_num(chain) == CHAIN_MAX ||
		    hello_vector(&list, 3, &der) < 0)
			goto bad;
		x = read_certificate(der);
		if (x == NULL)
			goto bad;
		must(sk_X509_push(chain, x) > 0);
	}
	return chain;
bad:
	sk_X509_pop_free(chain, X509_free);
	return NULL;
}

static bool
judge_certificate(struct tlswatch *w, struct bytes m)
{
	STACK_OF(X509) *chain = read_chain(m);
	const char *wrong;

	if (chain == NULL)
		return refuse(w, "TLS: certificate message is malformed");
	wrong = w->judge(w->owner, chain);
	sk_X509_pop_free(chain, X509_free);
	if (wrong != NULL)
		return refuse(w, wrong);
	w->halves[TLSWATCH_SERVER].phase = PHASE_OPEN;
	return true;
}

static bool
judge_message(
    struct tlswatch *w, enum tlswatch_side side, size_t type, struct bytes m)
{
	struct half *h = &w->halves[side];

	if (side == TLSWATCH_CLIENT) {
		if (type != SSL3_MT_CLIENT_HELLO)
			return refuse(w, "TLS: no client hello");
		if (!judge_client_hello(w, m))
			return false;
		h->phase = PHASE_OPEN;
		return true;
	}
	if (h->phase == PHASE_HELLO) {
		if (type != SSL3_MT_SERVER_HELLO)
			return refuse(w, "TLS: no server hello");
		return judge_server_hello(w, m);
	}
	if (type == SSL3_MT_CERTIFICATE)
		return judge_certificate(w, m);
	/* before the end of a resumed handshake (RFC 5077 section 3.3) */
	if (type == SSL3_MT_NEWSESSION_TICKET)
		return true;
	return refuse(w, "TLS: the server shows no certificate");
}

static bool
judge_messages(struct tlswatch *w, enum tlswatch_side side)
{
	struct half *h = &w->halves[side];
	struct bytes rest, m;
	size_t type, n;

	while (h->phase != PHASE_OPEN) {
		rest = buf_bytes(&h->handshake);
		if (hello_number(&rest, 1, &type) < 0 ||
		    hello_number(&rest, 3, &n) < 0)
			return true;
		if (n > h->message_max)
			return refuse(w, "TLS: handshake message is too long");
		m = bytes_take(&rest, n);
		if (m.n < n)
			return true;
		if (!judge_message(w, side, type, m))
			return false;
		buf_consume(&h->handshake, 4 + n);
	}
	buf_release(&h->handshake);
	return true;
}

static bool
judge_type(struct tlswatch *w, enum tlswatch_side side, uint8_t type)
{
	struct half *h = &w->halves[side];
	/* between two hellos, middlebox compatibility and early data */
	bool again = w->halves[TLSWATCH_CLIENT].again;

	switch (type) {
	case SSL3_RT_HANDSHAKE:
	case SSL3_RT_ALERT:
		return true;
	case SSL3_RT_CHANGE_CIPHER_SPEC:
		if (h->phase == PHASE_CERTIFICATE)
			h->phase = PHASE_OPEN; /* resumed: shown before */
		return h->phase == PHASE_OPEN || again ||
		    refuse(w, "TLS: cipher change before a hello");
	case SSL3_RT_APPLICATION_DATA:
		return h->phase == PHASE_OPEN ||
		    (again && side == TLSWATCH_CLIENT) ||
		    refuse(w, "TLS: data before a hello");
	}
	return refuse(w, "what passes is not TLS");
}

/* Each byte of a record's header is judged as it comes, so that a header cut
 * in pieces need not be held. */
static bool
judge_header(struct tlswatch *w, enum tlswatch_side side, uint8_t byte)
{
	struct half *h = &w->halves[side];

	h->header[h->header_n++] = byte;
	switch (h->header_n) {
	case 1:
		return judge_type(w, side, byte);
	case 2:
		return byte == 3 || refuse(w, "what passes is not TLS");
	case HELLO_HEADER_N:
		break;
	default:
		return true;
	}
	h->left = (size_t)h->header[3] << 8 | h->header[4];
	if (h->left > HELLO_RECORD_MAX)
		return refuse(w, "TLS: record is too long");
	if (h->left == 0 && h->header[0] != SSL3_RT_APPLICATION_DATA)
		return refuse(w, "TLS: record is empty");
	if (h->left == 0)
		h->header_n = 0;
	return true;
}

static bool
judge_payload(struct tlswatch *w, enum tlswatch_side side, struct bytes part)
{
	struct half *h = &w->halves[side];

	h->left -= part.n;
	if (h->left == 0)
		h->header_n = 0;
	if (h->header[0] != SSL3_RT_HANDSHAKE || h->phase == PHASE_OPEN)
		return true;
	if (buf_append(&h->handshake, part) < 0)
		return refuse(w, "TLS: handshake message is too long");
	return judge_messages(w, side);
}

static bool
judge_bytes(struct tlswatch *w, enum tlswatch_side side, struct bytes in)
{
	struct half *h = &w->halves[side];

	while (in.n > 0) {
		if (h->header_n < HELLO_HEADER_N) {
			if (!judge_header(w, side, *bytes_take(&in, 1).p))
				return false;
		} else if (!judge_payload(w, side, bytes_take(&in, h->left))) {
			return false;
		}
	}
	return true;
}

/* Whether all that is held has been judged. */
static bool
may_release(const struct half *h)
{
	return h->phase == PHASE_OPEN ||
	    (h->header_n == 0 && h->handshake.n == 0);
}

/* The first byte of all says whether it is TLS. */
static void
look_at_first(struct tlswatch *w, uint8_t first)
{
	struct half *client = &w->halves[TLSWATCH_CLIENT];
	struct half *server = &w->halves[TLSWATCH_SERVER];

	if (w->strictness != TLSWATCH_ANYTHING || first == SSL3_RT_HANDSHAKE ||
	    client->phase != PHASE_HELLO || client->header_n > 0 ||
	    client->again)
		return;
	client->phase = PHASE_BLIND;
	server->phase = PHASE_BLIND;
}

bool
tlswatch_pass(struct tlswatch *w, enum tlswatch_side side, struct bytes *b,
    const char **why_out)
{
	struct half *h = &w->halves[side];
	struct bytes in = *b;

	if (in.n == 0)
		return true;
	look_at_first(w, in.p[0]);
	if (h->phase == PHASE_BLIND)
		return true;
	*b = (struct bytes){ 0 };
	if (h->released)
		buf_release(&h->held);
	h->released = false;
	if (!judge_bytes(w, side, in)) {
		*why_out = w->why;
		return false;
	}
	if (h->held.n == 0 && may_release(h)) {
		*b = in;
		return true;
	}
	if (buf_append(&h->held, in) < 0) {
		*why_out = "TLS: handshake is too long";
		return false;
	}
	if (may_release(h)) {
		*b = buf_bytes(&h->held);
		h->released = true;
	}
	return true;
}
