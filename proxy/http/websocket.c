/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/websocket.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#define KEY_SIZE 16
#define DIGEST_SIZE 20
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

static struct bytes
base64(struct arena *a, const uint8_t *p, size_t n)
{
	uint8_t *text = arena_alloc(a, BASE64_SIZE(n) + 1);

	return (struct bytes){ text, (size_t)EVP_EncodeBlock(text, p, (int)n) };
}

struct bytes
websocket_key(struct arena *a)
{
	uint8_t random[KEY_SIZE];

	must(RAND_bytes(random, sizeof(random)) == 1);
	return base64(a, random, sizeof(random));
}

struct bytes
websocket_accept(struct arena *a, struct bytes key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	struct bytes text =
	    bytes_of(arena_printf(a, "%.*s%s", BYTES_PRINTF(key), guid));
	uint8_t digest[DIGEST_SIZE];

	must(EVP_Digest(text.p, text.n, digest, NULL, EVP_sha1(), NULL) == 1);
	return base64(a, digest, sizeof(digest));
}
