/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/buf.h"
#include "proxy/base/ipc.h"
#include "proxy/keysmith/keysmith.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What unpacks packs to the same bytes: there is one form of each order. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct bytes body = { p, n };
	struct leaf_order o;
	struct buf b;

	buf_init(&b, n);
	if (leaf_order_unpack(&o, body) == 0 && n <= IPC_BODY_MAX)
		must(leaf_order_pack(&o, &b) == 0 &&
		    bytes_equal(buf_bytes(&b), body));
	buf_release(&b);
	return 0;
}
