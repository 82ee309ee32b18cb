/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/http/lab.h"

#include <check.h>
#include <string.h>

#include "proxy/base/macros.h"
#include "proxy/http/hello.h"

static size_t
put_name(uint8_t *m, const char *name)
{
	size_t n = strlen(name);

	/* server_name is extension 0 */
	m[3] = (uint8_t)(n + 5);
	m[5] = (uint8_t)(n + 3);
	m[8] = (uint8_t)n;
	memcpy(m + 9, name, n);
	return 9 + n;
}

size_t
lab_hello(uint8_t *out, const char *name, size_t n)
{
	size_t name_n = name == NULL ? 0 : 9 + strlen(name);
	size_t pad = n - 2 - 32 - 1 - 4 - 2 - 2 - name_n - 4;
	uint8_t m[HELLO_MAX + 100] = { 0 };
	size_t at = 0;

	m[at++] = 1;
	m[at++] = (uint8_t)(n >> 16);
	m[at++] = (uint8_t)(n >> 8);
	m[at++] = (uint8_t)n;
	m[at++] = 3;
	m[at++] = 3;
	at += 32 + 1; /* random, no session */
	m[at + 1] = 2;
	at += 4; /* one cipher */
	m[at] = 1;
	at += 2; /* no compression */
	m[at++] = (uint8_t)((name_n + 4 + pad) >> 8);
	m[at++] = (uint8_t)(name_n + 4 + pad);
	if (name != NULL)
		at += put_name(m + at, name);
	m[at + 1] = 21; /* padding, RFC 7685 */
	m[at + 2] = (uint8_t)(pad >> 8);
	m[at + 3] = (uint8_t)pad;
	at += 4 + pad;
	ck_assert_uint_eq(at, n + 4);
	n = 0;
	for (size_t from = 0; from < at; from += 16384) {
		size_t part = at - from < 16384 ? at - from : 16384;

		out[n++] = 22;
		out[n++] = 3;
		out[n++] = 1;
		out[n++] = (uint8_t)(part >> 8);
		out[n++] = (uint8_t)part;
		memcpy(out + n, m + from, part);
		n += part;
	}
	return n;
}
