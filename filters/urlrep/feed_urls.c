/* SPDX-License-Identifier: Apache-2.0 */
/* A URL a line, with or without its scheme; a host alone means its pages, not
 * its subdomains. */
#include "filters/urlrep/feed.h"

static void
take_line(struct feed *f, unsigned number, struct bytes line)
{
	line = feed_without_comment(line);
	if (line.n > 0 && line.p[0] != '!')
		feed_url(f, number, line, 0, NULL);
}

int
feed_urls(struct feed *f, struct bytes text, struct err *e)
{
	return feed_lines(f, text, take_line, e);
}
