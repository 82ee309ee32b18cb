/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/policies.h"

#include <string.h>
#include <unistd.h>

#include "proxy/base/language.h"
#include "proxy/policy/diff.h"
#include "proxy/policy/replay.h"
#include "proxy/policy/tenants.h"
#include "proxy/settings.h"

#define FAILED 1

static int
fail(const char *words)
{
	fprintf(stderr, "sekishoctl: policy: %s\n", words);
	return FAILED;
}

static struct settings *
load(const char *file)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct settings *s;

	all.n = 0;
	s = settings_load_to_ask(file, &e);
	if (s == NULL)
		err_print(&e, stderr);
	return s;
}

/* NAME.cases beside each NAME.conf of the policies. */
static size_t
find_cases(
    const struct settings *s, struct arena *a, const char **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < s->policies.n && n < max; i++) {
		const char *path = settings_path(s, a, s->policies.p[i].path);
		struct bytes base = bytes_of(path);
		const char *cases;

		if (!bytes_end_with(base, BYTES(".conf")))
			continue;
		base.n -= 5;
		cases = arena_printf(a, "%.*s.cases", BYTES_PRINTF(base));
		if (access(cases, R_OK) == 0)
			out[n++] = cases;
	}
	return n;
}

static int
test(const struct policies_order *o)
{
	const char *found[256];
	const char *const *files = (const char *const *)o->words + 1;
	size_t n = (size_t)o->words_n - 1;
	size_t run = 0;
	int different = 0;
	int unread = 0;
	struct settings *s = load(o->config);

	if (s == NULL)
		return FAILED;
	if (n == 0) {
		n = find_cases(s, &s->arena, found, COUNT(found));
		files = found;
	}
	for (size_t i = 0; i < n; i++) {
		struct err e = { 0 };
		int result = policy_run_cases(
		    s->policy, s->zones, files[i], stdout, &run, &e);

		if (result < 0) {
			fprintf(stderr, "%s\n", e.text);
			unread++;
		} else {
			different += result;
		}
	}
	printf("%zu passed, %d failed\n", run - (size_t)different,
	    different + unread);
	settings_free(s);
	return different + unread == 0 && run > 0 ? 0 : FAILED;
}

static int
diff(const struct policies_order *o)
{
	struct settings *was = NULL;
	struct settings *is = NULL;
	size_t lines = 1;

	if (o->words_n != 2)
		return fail("diff: expected the settings file of before");
	was = load(o->words[1]);
	if (was != NULL)
		is = load(o->config);
	if (is != NULL)
		lines = policy_diff(was->policy, is->policy, stdout);
	settings_free(was);
	settings_free(is);
	return lines == 0 ? 0 : FAILED;
}

static int
replay(const struct policies_order *o)
{
	struct replay_result r;
	struct err e = { 0 };
	struct settings *s;
	int result;

	if (o->log == NULL || o->words_n != 1)
		return fail("replay: expected --log JOURNAL");
	s = load(o->config);
	if (s == NULL)
		return FAILED;
	result = replay_run(s->policy, s->zones, o->log, stdout, &r, &e);
	settings_free(s);
	if (result < 0) {
		fprintf(stderr, "%s\n", e.text);
		return FAILED;
	}
	printf(language_is_japanese()
		? "判定 %zu 件、変わるもの %zu 件、読めない行 %zu\n"
		: "%zu decisions, %zu would change, %zu lines not read\n",
	    r.decisions, r.changed, r.unread);
	return r.changed == 0 ? 0 : FAILED;
}

static int
tenants(const struct policies_order *o)
{
	struct address from;
	struct settings *s;
	size_t n;

	if (o->from == NULL || o->words_n != 1 ||
	    address_parse(&from, bytes_of(o->from)) < 0)
		return fail("tenants: expected --from ADDRESS");
	s = load(o->config);
	if (s == NULL)
		return FAILED;
	n = policy_tenants(
	    s->policy, zones_lookup(s->zones, &from), time(NULL), stdout);
	settings_free(s);
	return n == 0 ? 0 : FAILED;
}

int
policies_command(const struct policies_order *o)
{
	const char *word = o->words_n < 1 ? "" : o->words[0];

	if (strcmp(word, "test") == 0)
		return test(o);
	if (strcmp(word, "diff") == 0)
		return diff(o);
	if (strcmp(word, "replay") == 0)
		return replay(o);
	if (strcmp(word, "tenants") == 0)
		return tenants(o);
	return fail("expected test [FILE.cases …], diff OLD.conf, replay"
		    " --log JOURNAL or tenants --from ADDRESS");
}
