/* SPDX-License-Identifier: Apache-2.0 */
/* A hosts file: "0.0.0.0 name name". A name there has no subdomains. */
#include "filters/urlrep/feed.h"

static const struct bytes sinks[] = {
	BYTES_ROW("0.0.0.0"),
	BYTES_ROW("127.0.0.1"),
	BYTES_ROW("127.0.1.1"),
	BYTES_ROW("::"),
	BYTES_ROW("::1"),
};

static bool
is_sink(struct bytes address)
{
	for (size_t i = 0; i < COUNT(sinks); i++)
		if (bytes_equal(address, sinks[i]))
			return true;
	return false;
}

/* What a hosts file has for the computer itself. */
static bool
is_own(struct bytes name)
{
	return bytes_index(name, '.') < 0 ||
	    bytes_equal_nocase(name, BYTES("localhost.localdomain")) ||
	    is_sink(name);
}

static void
take_line(struct feed *f, unsigned number, struct bytes line)
{
	ssize_t comment = bytes_index(line, '#');
	struct bytes address;
	struct bytes name;

	if (comment >= 0)
		line.n = (size_t)comment;
	address = feed_word(&line);
	if (address.n == 0)
		return;
	name = feed_word(&line);
	if (name.n == 0) {
		feed_bad(f, number, "an address without a name");
		return;
	}
	if (!is_sink(address)) {
		if (bytes_index(address, '.') < 0 &&
		    bytes_index(address, ':') < 0)
			feed_bad(f, number, "no address before the name");
		else
			feed_pass(f, number, "a real address is no block");
		return;
	}
	for (; name.n > 0; name = feed_word(&line))
		if (!is_own(name))
			feed_host(f, number, name, SCOPE_SELF, NULL);
}

int
feed_hosts(struct feed *f, struct bytes text, struct err *e)
{
	return feed_lines(f, text, take_line, e);
}
