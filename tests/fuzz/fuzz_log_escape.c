/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "proxy/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whatever comes is one line, and the inside of one JSON string. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct bytes value = { p, n };
	char *out = malloc(n * 6 + 2);
	ssize_t used = log_escape(out + 1, n * 6, value);
	char *tight = malloc((size_t)used + 1);
	json_t *j;

	must(used >= 0 && log_escape(tight, (size_t)used, value) == used);
	must(used == 0 || log_escape(tight, (size_t)used - 1, value) == -1);
	for (ssize_t i = 1; i <= used; i++)
		must((uint8_t)out[i] >= 0x20 && out[i] != 0x7f);
	out[0] = out[used + 1] = '"';
	j = json_loadb(
	    out, (size_t)used + 2, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	must(json_is_string(j));
	json_decref(j);
	free(tight);
	free(out);
	return 0;
}
