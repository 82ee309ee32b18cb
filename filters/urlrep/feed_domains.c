/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name a line: "example.test" and ".example.test" mean it and its subdomains,
 * "*.example.test" the subdomains alone. '#', ';' and '!' begin comments.
 */
#include "filters/urlrep/feed.h"

struct bytes
feed_without_comment(struct bytes line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' &&
		    (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t')) {
			line.n = i;
			break;
		}
	return bytes_trim(line);
}

static void
take_line(struct feed *f, unsigned number, struct bytes line)
{
	unsigned scope = SCOPE_DOMAIN;

	line = feed_without_comment(line);
	if (line.n == 0 || line.p[0] == ';' || line.p[0] == '!')
		return;
	if (bytes_index(line, '/') >= 0) {
		feed_bad(f, number, "a path in a list of domains");
		return;
	}
	if (bytes_start_with(line, BYTES("*."))) {
		bytes_take(&line, 2);
		scope = SCOPE_BELOW;
	} else if (line.n > 1 && line.p[0] == '.') {
		bytes_take(&line, 1);
	}
	feed_host(f, number, line, scope, NULL);
}

int
feed_domains(struct feed *f, struct bytes text, struct err *e)
{
	return feed_lines(f, text, take_line, e);
}
