/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/lists.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool
has_scheme(struct bytes line)
{
	struct bytes first = bytes_take(&line, line.n < 4 ? line.n : 4);

	return bytes_equal_nocase(first, BYTES("http"));
}

/* What a list of URLs says is found again, under that very URL. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const enum list_kind kind = n % 2 == 0 ? LIST_DOMAINS : LIST_URLS;
	struct arena a = { 0 };
	struct err e = { 0 };
	struct lists *l = lists_new(&a);
	struct bytes text = { p, n }, line;
	struct url u = { 0 };
	const char *why;
	int read = lists_read_text(l, "list", text, kind, 0, &e);

	must(read == 0 || e.text[0] != '\0');
	lists_seal(l);
	line = bytes_trim(bytes_take_until(&text, '\n'));
	if (read == 0 && bytes_index(line, '#') < 0 && line.n > 0 &&
	    !has_scheme(line) &&
	    url_parse_absolute(&u,
		bytes_of(arena_printf(&a, "http://%.*s", BYTES_PRINTF(line))),
		&a, &why) == 0)
		must(lists_lookup(l, &u) == 1);
	arena_release(&a);
	return 0;
}
