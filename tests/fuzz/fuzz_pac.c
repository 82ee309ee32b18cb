/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <string.h>

#include "proxy/answer/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whatever the proxy's name, it stays inside its string. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char before[] = "\treturn \"", after[] = "\";\n}\n";
	struct arena a = { 0 };
	const char *name =
	    arena_string(&a, (struct bytes){ p, n < 261 ? n : 261 });
	struct prefecture_settings pref = { .code = "990001",
		.proxy = name,
		.proxy_tls = n % 2 == 0 ? "" : name };
	struct buf out = { .max = 65536 };
	json_t *word;
	char *at;

	must(answer_pac(&pref, NULL, &out) == 0 &&
	    buf_append(&out, BYTES("\0")) == 0);
	at = strstr((char *)out.p, before) + strlen("\treturn ");
	must(strcmp((char *)out.p + out.n - 1 - strlen(after), after) == 0);
	out.p[out.n - 1 - strlen(after) + 1] = '\0';
	word = json_loads(at, JSON_DECODE_ANY, NULL);
	must(word != NULL);
	json_decref(word);
	buf_release(&out);
	arena_release(&a);
	return 0;
}
