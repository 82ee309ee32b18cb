/* SPDX-License-Identifier: Apache-2.0 */
/* The wire form: 32 bytes of digest, 0 or 1 for RSA, the count of names, then
 * each with its length before it. */
#include "proxy/base/buf.h"
#include "proxy/base/ipc.h"
#include "proxy/keysmith/keysmith.h"

#define NAME_MAX_BYTES 253 /* RFC 1035 section 2.3.4, as text */

static int
append_byte(struct buf *out, size_t byte)
{
	const uint8_t b = (uint8_t)byte;

	return buf_append(out, (struct bytes){ &b, 1 });
}

static bool
length_fits(size_t n)
{
	return n > 0 && n <= NAME_MAX_BYTES;
}

int
leaf_order_pack(const struct leaf_order *o, struct buf *out)
{
	const struct bytes digest = { o->origin_digest,
		sizeof(o->origin_digest) };
	size_t before = out->n;

	if (o->names_n == 0 || o->names_n > LEAF_NAMES_MAX ||
	    buf_append(out, digest) < 0 || append_byte(out, o->rsa) < 0 ||
	    append_byte(out, o->names_n) < 0)
		return -1;
	for (size_t i = 0; i < o->names_n; i++)
		if (!length_fits(o->names[i].n) ||
		    append_byte(out, o->names[i].n) < 0 ||
		    buf_append(out, o->names[i]) < 0)
			return -1;
	return out->n - before <= IPC_BODY_MAX ? 0 : -1;
}

int
leaf_order_unpack(struct leaf_order *o, struct bytes body)
{
	struct bytes digest = bytes_take(&body, sizeof(o->origin_digest));
	struct bytes counts = bytes_take(&body, 2);

	o->names_n = 0;
	if (counts.n != 2 || counts.p[0] > 1 || counts.p[1] == 0 ||
	    counts.p[1] > LEAF_NAMES_MAX)
		return -1;
	memcpy(o->origin_digest, digest.p, sizeof(o->origin_digest));
	o->rsa = counts.p[0] == 1;
	for (size_t i = 0; i < counts.p[1]; i++) {
		struct bytes n = bytes_take(&body, 1);

		if (n.n != 1 || !length_fits(n.p[0]))
			return -1;
		o->names[i] = bytes_take(&body, n.p[0]);
		if (o->names[i].n != n.p[0])
			return -1;
	}
	o->names_n = counts.p[1];
	return body.n == 0 ? 0 : -1;
}
