/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of AdBlock lists that name a host or a URL: "||host^",
 * "||host/path", "|https://host/path". Exceptions, patterns, rules for parts of
 * pages and rules under conditions are passed over: to take them as more than
 * they say would block what nobody listed.
 */
#include "filters/urlrep/feed.h"

/* Options that leave a rule meaning the page itself. */
static const struct bytes whole_options[] = {
	BYTES_ROW("all"),
	BYTES_ROW("document"),
	BYTES_ROW("doc"),
	BYTES_ROW("important"),
	BYTES_ROW("popup"),
};

static bool
options_are_whole(struct bytes options)
{
	while (options.n > 0) {
		struct bytes option = bytes_take_until(&options, ',');
		bool known = false;

		for (size_t i = 0; i < COUNT(whole_options); i++)
			known |= bytes_equal(option, whole_options[i]);
		if (!known)
			return false;
	}
	return true;
}

/* Takes "$options" off. False: a condition. */
static bool
take_options(struct bytes *rule)
{
	for (size_t i = rule->n; i-- > 0;)
		if (rule->p[i] == '$') {
			struct bytes options = { rule->p + i + 1,
				rule->n - i - 1 };

			/* '$' in a path is no option. */
			if (bytes_index(options, '/') >= 0)
				return true;
			rule->n = i;
			return options_are_whole(options);
		}
	return true;
}

static bool
is_cosmetic(struct bytes line)
{
	for (size_t i = 0; i + 1 < line.n; i++)
		if (line.p[i] == '#' &&
		    (line.p[i + 1] == '#' || line.p[i + 1] == '@' ||
			line.p[i + 1] == '?' || line.p[i + 1] == '$'))
			return true;
	return false;
}

static bool
is_pattern(struct bytes rule)
{
	for (size_t i = 0; i < rule.n; i++)
		if (rule.p[i] == '*' || rule.p[i] == '|' || rule.p[i] == '^')
			return true;
	return false;
}

static void
take_rule(struct feed *f, unsigned number, struct bytes rule, bool domain)
{
	bool ended = rule.n > 0 && rule.p[rule.n - 1] == '^';

	if (ended)
		rule.n--;
	else if (rule.n > 0 && rule.p[rule.n - 1] == '|')
		rule.n--;
	if (rule.n == 0 || is_pattern(rule)) {
		feed_pass(f, number, "a pattern");
		return;
	}
	if (!domain || bytes_index(rule, '/') >= 0)
		feed_url(
		    f, number, rule, domain ? SCOPE_URL_SUBDOMAINS : 0, NULL);
	else if (!ended)
		feed_pass(f, number, "the beginning of a name");
	else
		feed_host(f, number, rule, SCOPE_DOMAIN, NULL);
}

static void
take_line(struct feed *f, unsigned number, struct bytes line)
{
	bool domain = bytes_start_with(line, BYTES("||"));

	if (line.n == 0 || line.p[0] == '!' || line.p[0] == '[')
		return;
	if (bytes_start_with(line, BYTES("@@"))) {
		feed_pass(f, number, "an exception");
	} else if (is_cosmetic(line)) {
		feed_pass(f, number, "a rule for parts of pages");
	} else if (!domain && !bytes_start_with(line, BYTES("|http"))) {
		feed_pass(f, number, "a pattern");
	} else {
		bytes_take(&line, domain ? 2 : 1);
		if (take_options(&line))
			take_rule(f, number, line, domain);
		else
			feed_pass(f, number, "a rule under conditions");
	}
}

int
feed_adblock(struct feed *f, struct bytes text, struct err *e)
{
	return feed_lines(f, text, take_line, e);
}
