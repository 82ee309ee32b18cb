/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers and their algebra: what random policies decide is compared with
 * the three lines of docs/POLICY.md, read rule by rule and without the index.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/policy/rule.h"
#include "tests/unit/policy/town.h"

#define RULES_OF_ONE 6
#define HOSTS 4
#define POLICIES 300

static struct town town;

static void
setup(void)
{
	town_open(&town);
	town_write(&town, "evil.domains", BYTES("a.test\nb.a.test\n"));
	town_write(&town, "evil.urls", BYTES("c.test/x\n"));
}

static void
teardown(void)
{
	town_close(&town);
}

/* Reads the text of each layer; NULL: none. */
static int
load(const char *const texts[LAYERS])
{
	struct policy_file files[LAYERS];
	struct policy_files all = { files, 0 };
	const struct body *body =
	    zones_body_by_code(town.zones, BYTES("990019"));

	for (int l = 0; l < LAYERS; l++) {
		const char *name =
		    arena_printf(&town.arena, "%s.conf", layer_name(l));

		if (texts[l] == NULL)
			continue;
		town_write(&town, name, bytes_of(texts[l]));
		files[all.n++] = (struct policy_file){
			.path = name,
			.layer = (enum layer)l,
			.body = l >= LAYER_BODY ? body : NULL,
			.section = l == LAYER_SECTION
			    ? zones_section(town.zones, body, BYTES("school"))
			    : NULL,
		};
	}
	town.err.text[0] = '\0';
	policy_release(town.policy);
	town.policy =
	    policy_load(&all, town.folder, town.zones, &town.arena, &town.err);
	return town.policy == NULL ? -1 : 0;
}

#define RULE(name, verdict, rest)                                        \
	"{ name = \"" name "\"; verdict = \"" verdict "\"; reason_ja = " \
	"\"a\"; " rest "}"

static const struct {
	const char *texts[LAYERS];
	const char *from, *method, *url;
	const char *connect, *verdict, *rule;
} stories[] = {
	/* a body loosens what the prefecture chose, not what it demands */
	{ { NULL, "default = (" RULE("p", "block", "") ");",
	      "default = (" RULE("b", "allow", "") ");", NULL },
	    TOWN_INTERNET, "GET", "https://a.test/", "allow", "allow", "b" },
	{ { NULL, "must = (" RULE("p", "block", "") ");",
	      "default = (" RULE("b", "allow", "") ");", NULL },
	    TOWN_INTERNET, "GET", "https://a.test/", "block", "block", "p" },
	/* another body's rules are its own */
	{ { NULL, "default = (" RULE("p", "block", "") ");",
	      "default = (" RULE("b", "allow", "") ");", NULL },
	    TOWN_OTHER, "GET", "https://a.test/", "block", "block", "p" },
	/* a section's are before its body's, and for itself alone */
	{ { NULL, NULL, "default = (" RULE("b", "allow", "") ");",
	      "default = (" RULE("s", "block", "") ");" },
	    TOWN_SCHOOL, "GET", "https://a.test/", "block", "block", "s" },
	{ { NULL, NULL, "default = (" RULE("b", "allow", "") ");",
	      "default = (" RULE("s", "block", "") ");" },
	    TOWN_INTERNET, "GET", "https://a.test/", "allow", "allow", "b" },
	/* what must hold is no permission */
	{ { "must = (" RULE("n", "allow", "") ");", NULL, NULL, NULL },
	    TOWN_INTERNET, "GET", "https://a.test/", "block", "block",
	    "builtin:no-rule" },
	/* the strictest of what must hold, whatever its layer and order */
	{ { "must = (" RULE("n", "warn", "") ");",
	      "must = (" RULE("p1", "warn", "") "," RULE("p2", "read-only",
		  "") ");"
		      "default = (" RULE("p", "allow", "") ");",
	      "must = (" RULE("b", "warn", "") ");", NULL },
	    TOWN_INTERNET, "POST", "http://a.test/", NULL, "block", "p2" },
	/* read-only reads */
	{ { NULL, "default = (" RULE("p", "read-only", "") ");", NULL, NULL },
	    TOWN_INTERNET, "GET", "https://a.test/", "allow", "allow", "p" },
	{ { NULL, "default = (" RULE("p", "read-only", "") ");", NULL, NULL },
	    TOWN_INTERNET, "POST", "https://a.test/", "allow", "block", "p" },
	{ { NULL, "default = (" RULE("p", "read-only", "") ");", NULL, NULL },
	    TOWN_INTERNET, "OPTIONS", "https://a.test/", "allow", "block",
	    "p" },
	/* a tunnel needs leave from above */
	{ { NULL, "default = (" RULE("p", "tunnel", "") ");", NULL, NULL },
	    TOWN_INTERNET, "GET", "https://a.test/", "allow", "allow", "p" },
	{ { "default = (" RULE("n", "may-tunnel", "") ");",
	      "default = (" RULE("p", "tunnel", "") ");", NULL, NULL },
	    TOWN_INTERNET, "GET", "https://a.test/", "tunnel", NULL, "p" },
	{ { "default = (" RULE("n", "may-tunnel",
		"destinations = [\"a.test\"]; to = [\"prefecture\"];") ");",
	      "default = (" RULE("p", "allow", "") ");",
	      "default = (" RULE("b", "tunnel", "") ");", NULL },
	    TOWN_INTERNET, "GET", "https://a.test/", "allow", "allow", "b" },
	{ { NULL,
	      "default = (" RULE("p", "tunnel", "") "," RULE(
		  "m", "may-tunnel", "") ");",
	      "default = (" RULE("b", "tunnel", "") ");", NULL },
	    TOWN_INTERNET, "GET", "https://a.test/", "tunnel", NULL, "b" },
	/* whoever demands anything demands to see it */
	{ { "default = (" RULE("n", "tunnel", "") ");",
	      "must = (" RULE("p", "allow", "") ");", NULL, NULL },
	    TOWN_INTERNET, "GET", "https://a.test/", "allow", "allow", "p" },
	/* patterns are of requests, in each reading of the path */
	{ { NULL,
	      "must = (" RULE("p", "block",
		  "patterns = [\"^https://a\\\\.test/(x|y)\\\\?q=\"];") ");"
									"defaul"
									"t = "
									"(" RULE(
									    "al"
									    "l",
									    "al"
									    "lo"
									    "w",
									    "") ");",
	      NULL, NULL },
	    TOWN_INTERNET, "GET", "https://a.test//y?q=1", "allow", "block",
	    "p" },
	{ { NULL,
	      "must = (" RULE("p", "block",
		  "patterns = [\"^https://a\\\\.test/(x|y)\\\\?q=\"];") ");"
									"defaul"
									"t = "
									"(" RULE(
									    "al"
									    "l",
									    "al"
									    "lo"
									    "w",
									    "") ");",
	      NULL, NULL },
	    TOWN_INTERNET, "GET", "https://a.test/y?r=1", "allow", "allow",
	    "all" },
	{ { NULL,
	      "default = (" RULE("p", "allow", "patterns = [\"/y$\"];") ");",
	      NULL, NULL },
	    TOWN_INTERNET, "GET", "https://a.test//y;a/", "allow", "block",
	    "builtin:no-rule" },
	/* a pattern that would take for ever holds where it tightens */
	{ { NULL,
	      "must = (" RULE("p", "block",
		  "patterns = [\"/(a|aa|b)+[cd]$\"];") ");"
						       "default = (" RULE("all",
							   "allow", "") ");",
	      NULL, NULL },
	    TOWN_INTERNET, "GET",
	    "https://z.test/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbb"
	    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
	    "allow", "block", "p" },
};

START_TEST(layers_decide)
{
	struct decision d;

	ck_assert_msg(load(stories[_i].texts) == 0, "%s", town.err.text);
	if (stories[_i].connect != NULL) {
		struct url u = { 0 };
		const char *why;

		ck_assert(url_parse_absolute(&u, bytes_of(stories[_i].url),
			      &town.arena, &why) == 0);
		d = town_judge_connect(&town, stories[_i].from,
		    arena_printf(
			&town.arena, "%.*s:443", BYTES_PRINTF(u.host)));
		ck_assert_str_eq(verdict_name(d.verdict), stories[_i].connect);
		if (stories[_i].verdict == NULL)
			ck_assert_str_eq(d.rule->name, stories[_i].rule);
	}
	if (stories[_i].verdict == NULL)
		return;
	d = town_judge(
	    &town, stories[_i].from, stories[_i].method, stories[_i].url);
	ck_assert_str_eq(verdict_name(d.verdict), stories[_i].verdict);
	ck_assert_str_eq(d.rule->name, stories[_i].rule);
}
END_TEST

static bool
at_any(const void *owner, const struct rule *r)
{
	(void)owner;
	(void)r;
	return true;
}

static const struct {
	const char *from, *prefecture;
	enum verdict before, behind;
} releases[] = {
	/* what is behind it decides */
	{ TOWN_INTERNET,
	    "default = (" RULE("r", "block", "release = true;") "," RULE(
		"a", "allow", "") ");",
	    VERDICT_BLOCK, VERDICT_ALLOW },
	{ TOWN_INTERNET,
	    "default = (" RULE("r", "block", "release = true;") "," RULE(
		"b", "block", "") "," RULE("a", "allow", "") ");",
	    VERDICT_BLOCK, VERDICT_BLOCK },
	{ TOWN_INTERNET,
	    "default = (" RULE("r", "block", "release = true;") ");",
	    VERDICT_BLOCK, VERDICT_BLOCK },
	{ TOWN_INTERNET, "default = (" RULE("w", "warn", "") ");", VERDICT_WARN,
	    VERDICT_ALLOW },
	{ TOWN_INTERNET, "default = (" RULE("b", "block", "") ");",
	    VERDICT_BLOCK, VERDICT_BLOCK },
	/* to LGWAN, too, it blocks what is listed, and is out of the way */
	{ TOWN_LGWAN,
	    "default = (" RULE("r", "block", "release = true;") "," RULE(
		"a", "allow", "") ");",
	    VERDICT_BLOCK, VERDICT_BLOCK },
	{ TOWN_LGWAN,
	    "default = (" RULE("r", "block", "release = true;") "," RULE("a",
		"allow",
		"zones = [\"lgwan\"]; destinations = [\"a.test\"];") ");",
	    VERDICT_BLOCK, VERDICT_ALLOW },
	/* a released must permits nothing itself */
	{ TOWN_INTERNET, "must = (" RULE("r", "block", "release = true;") ");",
	    VERDICT_BLOCK, VERDICT_BLOCK },
	{ TOWN_MYNUMBER,
	    "default = (" RULE(
		"r", "block", "release = true; zones = [\"mynumber\"];") ");",
	    VERDICT_BLOCK, VERDICT_BLOCK },
};

START_TEST(layers_a_release_opens_no_more_than_it_says)
{
	const char *const texts[LAYERS] = { NULL, releases[_i].prefecture, NULL,
		NULL };
	struct url u = { 0 };
	struct address client;
	struct query q = {
		.url = &u, .method = BYTES("GET"), .now = 1795489200
	};
	const char *why;

	ck_assert_msg(load(texts) == 0, "%s", town.err.text);
	ck_assert(address_parse(&client, bytes_of(releases[_i].from)) == 0);
	ck_assert(url_parse_absolute(
		      &u, BYTES("https://a.test/"), &town.arena, &why) == 0);
	q.segment = zones_lookup(town.zones, &client);
	ck_assert_int_eq(
	    policy_judge(town.policy, &q).verdict, releases[_i].before);
	q.went_on = at_any;
	ck_assert_int_eq(
	    policy_judge(town.policy, &q).verdict, releases[_i].behind);
}
END_TEST

START_TEST(layers_collect_effects)
{
	const char *const texts[LAYERS] = { NULL,
		"must = (" RULE("m", "allow",
		    "destinations = [\"login.test\"];"
		    " set_fields = [\"X-Tenant: a, b\", \"X-Two: "
		    "2\"];") ");"
			     "default = (" RULE("one", "block",
				 "methods = [\"PUT\"];"
				 " remove_fields = [\"X-Never\"];") "," RULE("a"
									     "l"
									     "l",
				 "allow", "remove_fields = [\"X-Old\"];") ")"
									  ";",
		NULL, NULL };
	struct decision d;

	ck_assert_msg(load(texts) == 0, "%s", town.err.text);
	d = town_judge(&town, TOWN_INTERNET, "GET", "https://login.test/");
	ck_assert_uint_eq(d.effects_n, 2);
	ck_assert_str_eq(d.effects[0]->name, "m");
	ck_assert_uint_eq(d.effects[0]->fields_n, 2);
	ck_assert(bytes_equal(d.effects[0]->fields[0].name, BYTES("X-Tenant")));
	ck_assert(bytes_equal(d.effects[0]->fields[0].value, BYTES("a, b")));
	ck_assert_str_eq(d.effects[1]->name, "all");
	ck_assert_ptr_null(d.effects[1]->fields[0].value.p);
	d = town_judge(&town, TOWN_INTERNET, "GET", "https://other.test/");
	ck_assert_uint_eq(d.effects_n, 1);
}
END_TEST

/* With the choice they are as many as a decision holds. */
START_TEST(layers_limit_the_rules_with_effects)
{
	for (size_t n = POLICY_EFFECTS_MAX - 1; n <= POLICY_EFFECTS_MAX; n++) {
		const char *texts[LAYERS] = { NULL };
		const char *must = "must = (";
		struct decision d;

		for (size_t i = 0; i < n; i++)
			must = arena_printf(&town.arena,
			    "%s%s\n{ name = \"m%zu\"; verdict = \"allow\";"
			    " set_fields = [\"X-A: 1\"]; reason_ja = \"x\"; }",
			    must, i == 0 ? "" : ",", i);
		texts[LAYER_PREFECTURE] = arena_printf(&town.arena,
		    "%s);\ndefault = (" RULE(
			"all", "allow", "set_fields = [\"X-B: 1\"];") ");",
		    must);
		if (n == POLICY_EFFECTS_MAX) {
			ck_assert(load(texts) < 0);
			ck_assert_ptr_nonnull(strstr(town.err.text,
			    ":33: rule \"m31\" is one too many in must"));
			return;
		}
		ck_assert_msg(load(texts) == 0, "%s", town.err.text);
		d = town_judge(&town, TOWN_INTERNET, "GET", "https://a.test/");
		ck_assert_uint_eq(d.effects_n, POLICY_EFFECTS_MAX);
		ck_assert_str_eq(d.effects[0]->name, "m0");
	}
}
END_TEST

/* Groups in a long query, which 32 KiB of stack were not enough for. */
START_TEST(layers_patterns_read_long_queries)
{
	const char *const texts[LAYERS] = { NULL,
		"must = (" RULE("p", "block",
		    "patterns = "
		    "[\"^https://[^?]*\\\\?([^&]*&)*token=\"];") ");"
								 "defau"
								 "lt = "
								 "(" RULE("a"
									  "l"
									  "l",
								     "a"
								     "l"
								     "l"
								     "o"
								     "w",
								     "") ");",
		NULL, NULL };
	char url[9000] = "https://a.test/?";

	for (size_t n = strlen(url); n < 8000; n += 4)
		memcpy(url + n, "a=b&", 5);
	ck_assert_msg(load(texts) == 0, "%s", town.err.text);
	ck_assert_int_eq(town_judge(&town, TOWN_INTERNET, "GET", url).verdict,
	    VERDICT_ALLOW);
	memcpy(url + strlen(url), "token=", 7);
	ck_assert_int_eq(town_judge(&town, TOWN_INTERNET, "GET", url).verdict,
	    VERDICT_BLOCK);
}
END_TEST

START_TEST(layers_a_rule_ends_with_its_day)
{
	const char *const texts[LAYERS] = { NULL,
		"default = (" RULE("p", "allow",
		    "expires = \"2099-03-31\"; owner = \"a\"; clause = "
		    "\"b\";") ");",
		NULL, NULL };
	struct url u = { 0 };
	struct address client;
	struct query q = { .url = &u, .method = BYTES("GET") };
	const char *why;

	ck_assert_msg(load(texts) == 0, "%s", town.err.text);
	ck_assert(address_parse(&client, BYTES(TOWN_INTERNET)) == 0);
	ck_assert(url_parse_absolute(
		      &u, BYTES("https://a.test/"), &town.arena, &why) == 0);
	q.segment = zones_lookup(town.zones, &client);
	q.now = 4078652399; /* 2099-03-31 23:59:59 in Japan */
	ck_assert_int_eq(policy_judge(town.policy, &q).verdict, VERDICT_ALLOW);
	q.now++;
	ck_assert_int_eq(policy_judge(town.policy, &q).verdict, VERDICT_BLOCK);
}
END_TEST

/* Random policies. */

static const char *const hosts[HOSTS] = { "a.test", "b.a.test", "c.test",
	"198.51.100.7" };
static const char *const paths[] = { "/", "/x", "/x/y", "/../x;z" };
static const char *const methods[] = { "GET", "POST" };
static const char *const clients[] = { TOWN_INTERNET, TOWN_LGWAN, TOWN_SCHOOL,
	TOWN_OTHER };

static unsigned
draw(unsigned n)
{
	return (unsigned)random() % n;
}

static const char *
draw_condition(unsigned kind, bool tunnel)
{
	struct arena *a = &town.arena;

	switch (kind) {
	case 0:
		return arena_printf(
		    a, "destinations = [\"%s\"];", hosts[draw(HOSTS)]);
	case 1:
		return tunnel ? ""
			      : arena_printf(a, "urls = [\"https://%s%s\"];",
				    hosts[draw(HOSTS)], paths[draw(3)]);
	case 2:
		return tunnel
		    ? ""
		    : arena_printf(a, "methods = [\"%s\"];", methods[draw(2)]);
	case 3:
		return draw(2) == 0 ? "zones = [\"lgwan\"];"
				    : "zones = [\"internet\", \"wide\"];";
	case 4:
		return "categories = [\"evil\"];";
	case 5:
		return "bodies = [\"990027\"];";
	case 6:
		return "addresses = [\"198.51.100.0/28\"];";
	case 7:
		return draw(2) == 0 ? "ports = [443];" : "ports = [80, 8443];";
	case 8:
		return tunnel ? "" : "patterns = [\"/x\"];";
	default:
		return "";
	}
}

static const char *
draw_rules(const char *key, int layer, unsigned n)
{
	static const char *const verdicts[] = { "block", "read-only", "warn",
		"allow", "allow", "may-tunnel", "tunnel" };
	struct arena *a = &town.arena;
	const char *text = arena_printf(a, "%s = (", key);

	for (unsigned i = 0; i < n; i++) {
		unsigned v = draw(key[0] == 'm' ? 6 : 7);
		unsigned first = draw(14);

		text = arena_printf(a,
		    "%s%s{ name = \"%s%d%u\"; verdict = \"%s\"; reason_ja ="
		    " \"a\"; %s %s }",
		    text, i == 0 ? "" : ",", key, layer, i, verdicts[v],
		    draw_condition(first, v >= 5),
		    /* each key once */
		    draw_condition(first == 13 ? 13 : first + 1, v >= 5));
	}
	return arena_printf(a, "%s);\n", text);
}

static void
draw_layer(const char **text, int layer)
{
	*text = arena_printf(&town.arena,
	    "lists = ( { category = \"evil\"; file = \"evil.domains\"; },"
	    " { category = \"evil\"; file = \"evil.urls\"; kind = \"urls\"; }"
	    " );\n%s%s",
	    draw_rules("must", layer, draw(3)),
	    draw_rules("default", layer, draw(RULES_OF_ONE)));
}

static void
draw_query(struct query *q, struct url *u)
{
	struct address client;
	const char *why;
	const char *url = arena_printf(&town.arena, "%s://%s%s",
	    draw(4) == 0 ? "http" : "https", hosts[draw(HOSTS)],
	    paths[draw(COUNT(paths))]);

	*u = (struct url){ 0 };
	ck_assert(url_parse_absolute(u, bytes_of(url), &town.arena, &why) == 0);
	ck_assert(address_parse(
		      &client, bytes_of(clients[draw(COUNT(clients))])) == 0);
	*q = (struct query){
		.segment = zones_lookup(town.zones, &client),
		.url = u,
		.method = bytes_of(methods[draw(2)]),
		.now = 1795489200,
	};
}

static int
as_read(const struct query *q, int verdict)
{
	if (verdict != VERDICT_READ_ONLY)
		return verdict;
	return bytes_equal(q->method, BYTES("GET")) ? VERDICT_ALLOW
						    : VERDICT_BLOCK;
}

/* The strictest that layers up to `below` demand. */
static int
demanded_of(const struct policy *p, const struct query *q, unsigned below)
{
	struct opinion said[LAYERS];
	int floor = VERDICT_ALLOW;

	policy_opinions(p, q, said);
	for (unsigned l = 0; l < below; l++)
		if (said[l].must != NULL &&
		    as_read(q, (int)said[l].must->verdict) < floor)
			floor = as_read(q, (int)said[l].must->verdict);
	return floor;
}

/* The verdict by the letter, from what each layer says. */
static int
by_the_letter(const struct query *q, bool *built_in_out)
{
	struct opinion said[LAYERS];
	int floor = demanded_of(town.policy, q, LAYERS);
	int choice = -1;

	policy_opinions(town.policy, q, said);
	*built_in_out = strcmp(policy_judge(town.policy, q).rule->name,
			    "builtin:port") == 0;
	for (int l = LAYERS - 1; l >= 0 && choice < 0; l--)
		if (said[l].chosen != NULL)
			choice = as_read(q, (int)said[l].chosen->verdict);
	if (choice < 0)
		return VERDICT_BLOCK;
	if (choice == VERDICT_TUNNEL)
		choice = VERDICT_ALLOW;
	return choice < floor ? choice : floor;
}

/* Both ways of reading the policy agree; and what is decided at CONNECT is not
 * contradicted by any request. */
static void
check_query(const struct query *q)
{
	bool built_in;
	int want = by_the_letter(q, &built_in);
	struct decision d = policy_judge(town.policy, q);
	struct decision c = policy_judge_connect(town.policy, q);

	if (!built_in)
		ck_assert_msg((int)d.verdict == want, "%s by %s, not %s",
		    verdict_name(d.verdict), d.rule->name,
		    verdict_name((enum verdict)want));
	if (q->url->scheme != SCHEME_HTTPS)
		return;
	if (c.verdict == VERDICT_BLOCK)
		ck_assert_int_eq(d.verdict, VERDICT_BLOCK);
	if (c.verdict == VERDICT_TUNNEL)
		ck_assert_int_eq(d.verdict, VERDICT_ALLOW);
}

START_TEST(layers_are_as_the_algebra_says)
{
	const char *texts[LAYERS];
	struct query q;
	struct url u;

	srandom(20261126);
	for (int i = 0; i < POLICIES; i++) {
		for (int l = 0; l < LAYERS; l++)
			draw_layer(&texts[l], l);
		ck_assert_msg(load(texts) == 0, "%s", town.err.text);
		for (int k = 0; k < 40; k++) {
			draw_query(&q, &u);
			check_query(&q);
		}
	}
}
END_TEST

/* Whatever a layer says, it never gives more than those above demand. */
START_TEST(layers_below_never_loosen)
{
	const char *texts[LAYERS];
	struct query q;
	struct url u;

	srandom(20261127);
	for (int i = 0; i < POLICIES; i++) {
		unsigned below = 1 + draw(LAYERS - 1);
		const char *above[LAYERS] = { NULL };
		struct policy *whole;
		struct policy *part;

		for (int l = 0; l < LAYERS; l++)
			draw_layer(&texts[l], l);
		memcpy(above, texts, below * sizeof(*above));
		ck_assert(load(above) == 0);
		part = town.policy;
		town.policy = NULL;
		ck_assert(load(texts) == 0);
		whole = town.policy;
		for (int k = 0; k < 40; k++) {
			draw_query(&q, &u);
			ck_assert_int_le(policy_judge(whole, &q).verdict,
			    demanded_of(part, &q, below));
		}
		policy_release(part);
	}
}
END_TEST

/* Lines of the review, of prefecture's rules behind a nation's. */
static const struct {
	const char *national, *prefecture;
	const char *says; /* a part of the only line; NULL: nothing */
} reviews[] = {
	{ NULL,
	    "default = (" RULE("a", "allow", "") "," RULE(
		"b", "block", "destinations = [\"x.test\"];") ");",
	    NULL },
	{ NULL,
	    "default = (" RULE("a", "allow",
		"zones = [\"internet\","
		" \"wide\"];") "," RULE("b", "allow",
		"destinations = [\"x.test\"];") ");",
	    "rule \"b\" never decides: it is said before by \"a\"" },
	{ NULL,
	    "default = (" RULE("a", "block", "") "," RULE(
		"b", "allow", "destinations = [\"x.test\"];") ");",
	    "rule \"b\" never decides: before it comes, with another "
	    "verdict,"
	    " \"a\"" },
	{ NULL,
	    "default = (" RULE(
		"a", "allow", "destinations = [\"x.test\"];") "," RULE("b",
		"allow", "destinations = [\"y.x.test\"];") ");",
	    "rule \"b\" never decides" },
	{ NULL,
	    "default = (" RULE(
		"a", "allow", "destinations = [\"x.test\"];") "," RULE("b",
		"allow", "destinations = [\"y.x.test\", \"z.test\"];") ");",
	    NULL },
	{ NULL,
	    "default = (" RULE("a", "allow",
		"destinations = [\"x.test\"]; methods = [\"GET\"];") "," RULE("b",
		"allow", "destinations = [\"x.test\"];") ");",
	    NULL },
	{ NULL,
	    "default = (" RULE("a", "allow",
		"destinations = [\"x.test\"]; ports = [443];") "," RULE("b",
		"allow",
		"destinations = [\"x.test\"]; ports = [443, 80];") ");",
	    NULL },
	{ NULL,
	    "default = (" RULE("a", "allow",
		"destinations = [\"x.test\"]; hours = [\"mon "
		"08:00-09:00\"];") "," RULE("b", "allow",
		"destinations = [\"x.test\"];") ");",
	    NULL },
	{ NULL,
	    "default = (" RULE("a", "allow",
		"destinations = [\"x.test\"]; bodies = [\"990019\"];") "," RULE("b",
		"allow", "destinations = [\"x.test\"];") ");",
	    NULL },
	{ NULL,
	    "default = (" RULE(
		"a", "allow", "destinations = [\"x.test\"];") "," RULE("b",
		"allow", "urls = [\"https://a.x.test/b\"];") ");",
	    "rule \"b\" never decides" },
	{ "must = (" RULE("n", "block", "destinations = [\"x.test\"];") ");",
	    "default = (" RULE(
		"b", "warn", "destinations = [\"a.x.test\"];") ");",
	    "rule \"b\" never opens anything: it is blocked by must "
	    "\"n\"" },
	{ NULL,
	    "default = (" RULE(
		"b", "tunnel", "destinations = [\"x.test\"];") ");",
	    "rule \"b\" is never a tunnel: no layer above has may-tunnel" },
	{ "default = (" RULE("n", "may-tunnel", "to = [\"body\"];") ");",
	    "default = (" RULE(
		"b", "tunnel", "destinations = [\"x.test\"];") ");",
	    "rule \"b\" is never a tunnel" },
	{ "default = (" RULE("n", "may-tunnel", "") ");",
	    "must = (" RULE("m", "block",
		"methods = [\"PUT\"];") ");"
					"default = (" RULE("b", "tunnel",
					    "destinations = "
					    "[\"x.test\"];") ");",
	    "rule \"m\" is in must and asks for methods" },
};

START_TEST(layers_are_reviewed)
{
	const char *const texts[LAYERS] = { reviews[_i].national,
		reviews[_i].prefecture, NULL, NULL };
	char *lines = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&lines, &n);
	size_t told;

	ck_assert_msg(load(texts) == 0, "%s", town.err.text);
	told = policy_review(town.policy, out);
	fclose(out);
	ck_assert_msg(told == (reviews[_i].says != NULL), "%s", lines);
	ck_assert_msg(
	    reviews[_i].says == NULL || strstr(lines, reviews[_i].says) != NULL,
	    "%s", lines);
	free(lines);
}
END_TEST

Suite *layers_suite(void);

Suite *
layers_suite(void)
{
	Suite *s = suite_create("layers");
	TCase *t = tcase_create("layers");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, layers_decide, 0, COUNT(stories));
	tcase_add_loop_test(t, layers_are_reviewed, 0, COUNT(reviews));
	tcase_add_loop_test(
	    t, layers_a_release_opens_no_more_than_it_says, 0, COUNT(releases));
	tcase_add_test(t, layers_collect_effects);
	tcase_add_test(t, layers_limit_the_rules_with_effects);
	tcase_add_test(t, layers_patterns_read_long_queries);
	tcase_add_test(t, layers_a_rule_ends_with_its_day);
	tcase_add_test(t, layers_are_as_the_algebra_says);
	tcase_add_test(t, layers_below_never_loosen);
	suite_add_tcase(s, t);
	return s;
}
