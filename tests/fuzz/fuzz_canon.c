/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The canonical form is its own canonical form, and so is its loose path. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct canon c, again;
	static char text[4 * CANON_MAX];
	struct canon_expression e[CANON_EXPRESSIONS_MAX];
	const char *why = NULL;

	if (canon_parse(&c, (struct bytes){ p, n }, &why) < 0) {
		must(why != NULL);
		return 0;
	}
	must(canon_expressions(&c, e) <= CANON_EXPRESSIONS_MAX);
	snprintf(text, sizeof(text), "http://%.*s:%u%.*s%.*s",
	    BYTES_PRINTF(c.host), c.port, BYTES_PRINTF(c.path),
	    BYTES_PRINTF(c.query));
	if (strlen(text) > CANON_MAX)
		return 0;
	must(canon_parse(&again, bytes_of(text), &why) == 0);
	must(bytes_equal(c.host, again.host) && c.port == again.port);
	must(bytes_equal(c.path, again.path));
	must(bytes_equal(c.loose, again.loose));
	must(bytes_equal(c.query, again.query));
	must(canon_parse_target(&again, c.loose, &why) == 0);
	must(bytes_equal(again.path, c.loose));
	return 0;
}
