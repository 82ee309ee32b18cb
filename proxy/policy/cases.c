/* SPDX-License-Identifier: Apache-2.0 */
/* cases: requests with the verdicts that the administrator expects. */
#include <stdlib.h>
#include <string.h>

#include "proxy/base/file.h"
#include "proxy/base/when.h"
#include "proxy/policy/policy.h"

#define LINE_MAX_BYTES 8192

struct a_case {
	struct address from;
	struct bytes method;
	struct bytes url;
	time_t now;
	struct bytes verdict;
	struct bytes rule; /* empty: any */
};

static struct bytes
word(struct bytes *line)
{
	*line = bytes_trim(*line);
	return bytes_take_until(line, ' ');
}

/* "FROM METHOD URL [at=TIME] -> VERDICT [RULE]". NULL, or what is wrong. */
static const char *
parse(struct bytes line, struct a_case *c)
{
	struct bytes next;

	c->now = time(NULL);
	if (address_parse(&c->from, word(&line)) < 0)
		return "expected a client address first";
	c->method = word(&line);
	c->url = word(&line);
	next = word(&line);
	if (bytes_start_with(next, BYTES("at="))) {
		bytes_take(&next, 3);
		if (when_instant(next, &c->now) < 0)
			return "expected a time such as"
			       " at=2026-11-24T09:00:00+0900";
		next = word(&line);
	}
	if (!bytes_equal(next, BYTES("->")))
		return "expected -> behind the URL";
	c->verdict = word(&line);
	c->rule = word(&line);
	if (c->verdict.n == 0)
		return "expected a verdict behind ->";
	if (bytes_trim(line).n > 0)
		return "expected nothing behind the rule";
	return NULL;
}

/* NULL: as expected; else the words of the difference, in the arena. */
static const char *
run(const struct policy *p, const struct zones *zones, const struct a_case *c,
    struct arena *a)
{
	struct url url = { 0 };
	struct query q = {
		.segment = zones_lookup(zones, &c->from),
		.url = &url,
		.method = c->method,
		.now = c->now,
	};
	struct decision steps[POLICY_STEPS_MAX], d;
	const char *why;
	size_t n;

	if (url_parse_absolute(&url, c->url, a, &why) < 0)
		return arena_printf(a, "the URL: %s", why);
	n = policy_judge_steps(p, &q, steps);
	d = steps[n - 1];
	if (bytes_equal(c->verdict, bytes_of(verdict_name(d.verdict))) &&
	    (c->rule.n == 0 || bytes_equal(c->rule, bytes_of(d.rule->name))))
		return NULL;
	return arena_printf(a, "is %s by %s (%s:%u), expected %.*s %.*s",
	    verdict_name(d.verdict), d.rule->name,
	    d.rule->file == NULL ? "built in" : d.rule->file, d.rule->line,
	    BYTES_PRINTF(c->verdict), BYTES_PRINTF(c->rule));
}

/* One line: 1 when it differs, which is printed; 0 when not, or no case. */
static int
run_line(const struct policy *p, const struct zones *zones, struct bytes line,
    const char *where, FILE *out, size_t *run_out)
{
	struct arena a = { 0 };
	struct a_case c = { 0 };
	const char *why;

	line = bytes_trim(bytes_take_until(&line, '#'));
	if (line.n == 0)
		return 0;
	why = parse(line, &c);
	if (why == NULL)
		why = run(p, zones, &c, &a);
	++*run_out;
	if (why != NULL)
		fprintf(out, "%s: %s\n", where, why);
	arena_release(&a);
	return why != NULL;
}

int
policy_run_cases(const struct policy *p, const struct zones *zones,
    const char *path, FILE *out, size_t *run_out, struct err *e)
{
	int fd = file_open(path, SIZE_MAX, e);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char text[LINE_MAX_BYTES];
	char where[ERR_TEXT_MAX];
	unsigned number = 0;
	int different = 0;

	if (file == NULL)
		return -1;
	while (fgets(text, sizeof(text), file) != NULL && different >= 0) {
		struct bytes line = bytes_of(text);

		snprintf(where, sizeof(where), "%s:%u", path, ++number);
		if (bytes_end_with(line, BYTES("\n")))
			line.n--;
		if (line.n == sizeof(text) - 1)
			different = err_set(e,
			    "%s: line of more than %d bytes, expected a case",
			    where, LINE_MAX_BYTES - 2);
		else
			different +=
			    run_line(p, zones, line, where, out, run_out);
	}
	if (ferror(file) != 0)
		different = err_set(e, "%s: cannot be read: %m", path);
	fclose(file);
	return different;
}
