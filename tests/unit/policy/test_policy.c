/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/policy.h"

#include <check.h>
#include <string.h>

#include "tests/unit/policy/town.h"

#define RULE(name, verdict, rest)                             \
	" { name = \"" name "\"; verdict = \"" verdict "\"; " \
	"reason_ja = \"理由\"; " rest " },\n"
#define LAST(name, verdict, rest)                             \
	" { name = \"" name "\"; verdict = \"" verdict "\"; " \
	"reason_ja = \"理由\"; " rest " }\n"

static const char policy[] =
    "lists = (\n"
    " { category = \"evil\"; file = \"evil.domains\"; },\n"
    " { category = \"evil\"; file = \"evil.urls\"; kind = \"urls\"; },\n"
    " { category = \"papers\"; file = \"papers.urls\"; kind = \"urls\"; } );\n"
    "default = (\n" RULE("no-evil", "block", "categories = [\"evil\"];") RULE(
	"no-post", "block",
	"destinations = [\"read.test\"]; methods = [\"POST\"];") RULE("no-"
								      "secret",
	"block",
	"urls = [\"https://www.test/secret\"];") RULE("no-folder", "block",
	"urls = [\"https://www.test/%66older/\"];") RULE("bank", "tunnel",
	"destinations = [\"bank.test\"]; tls_only = true;") RULE("papers",
	"allow", "categories = [\"papers\"];") RULE("lgwan-listed", "allow",
	"zones = [\"lgwan\"]; destinations = [\"asp.test\"];") RULE("lgwan-all",
	"allow", "zones = [\"lgwan\"];") RULE("lgwan-url", "allow",
	"zones = [\"lgwan\"]; urls = [\"http://url.test/\"];")
	RULE("other-only", "allow",
	    "bodies = [\"990027\"]; destinations = [\"other.test\"];")
	    RULE("addresses", "allow", "addresses = [\"203.0.113.0/25\"];")
		RULE("one-address", "allow",
		    "destinations = [\"198.51.100.7\", \"2001:DB8::7\", "
		    "\"[2001:db8::8]\"];") RULE("port", "allow",
		    "destinations = [\"port.test\"]; ports = [8443];")
		    RULE("at-noon", "allow",
			"destinations = [\"noon.test\"]; hours = [\"mon-fri "
			"12:00-13:00\"];") RULE("at-night", "allow",
			"destinations = [\"night.test\"]; hours = [\"mon-fri "
			"22:00-05:00\"];") LAST("www", "allow",
			"destinations = [\"www.test\", \"READ.test\"];") ");\n";

static struct town town;

static void
setup(void)
{
	town_open(&town);
	town_write(&town, "evil.domains", BYTES("evil.test\n"));
	town_write(&town, "evil.urls", BYTES("page.test/bad\n"));
	town_write(&town, "papers.urls",
	    BYTES("papers.test/a\nbank.test/help\npage.test/good\n"));
	ck_assert_msg(town_load(&town, policy) == 0, "%s", town.err.text);
}

static void
teardown(void)
{
	town_close(&town);
}

static const struct {
	const char *from, *method, *url;
	enum verdict verdict;
	const char *rule;
} requests[] = {
	/* who asks */
	{ TOWN_INTERNET, "GET", "https://www.test/", VERDICT_ALLOW, "www" },
	{ TOWN_STRANGER, "GET", "https://www.test/", VERDICT_BLOCK,
	    "builtin:unknown-source" },
	{ TOWN_MYNUMBER, "GET", "https://www.test/", VERDICT_BLOCK,
	    "builtin:mynumber" },
	{ TOWN_MYNUMBER, "GET", "https://evil.test/", VERDICT_BLOCK,
	    "builtin:mynumber" },
	{ TOWN_LGWAN, "GET", "https://www.test/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	{ TOWN_LGWAN, "GET", "https://asp.test/", VERDICT_ALLOW,
	    "lgwan-listed" },
	{ TOWN_LGWAN, "GET", "http://url.test/a", VERDICT_ALLOW, "lgwan-url" },
	{ TOWN_LGWAN, "GET", "https://bank.test/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	{ TOWN_LGWAN, "GET", "https://papers.test/a", VERDICT_BLOCK,
	    "builtin:no-rule" },
	{ TOWN_LGWAN, "GET", "https://evil.test/", VERDICT_BLOCK, "no-evil" },
	{ TOWN_INTERNET, "GET", "https://asp.test/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	{ TOWN_OTHER, "GET", "https://other.test/", VERDICT_ALLOW,
	    "other-only" },
	{ TOWN_INTERNET, "GET", "https://other.test/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	/* ports */
	{ TOWN_INTERNET, "GET", "https://www.test:8443/", VERDICT_BLOCK,
	    "builtin:port" },
	{ TOWN_INTERNET, "GET", "http://www.test:443/", VERDICT_ALLOW, "www" },
	{ TOWN_OTHER, "GET", "http://www.test/", VERDICT_BLOCK,
	    "builtin:port" },
	{ TOWN_OTHER, "GET", "https://port.test:8443/", VERDICT_ALLOW, "port" },
	{ TOWN_OTHER, "GET", "https://port.test/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	/* names and addresses */
	{ TOWN_INTERNET, "GET", "https://a.b.www.test/", VERDICT_ALLOW, "www" },
	{ TOWN_INTERNET, "GET", "https://awww.test/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	{ TOWN_INTERNET, "GET", "https://test/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	{ TOWN_INTERNET, "GET", "https://WWW.TEST./", VERDICT_ALLOW, "www" },
	{ TOWN_INTERNET, "GET", "https://203.0.113.127/", VERDICT_ALLOW,
	    "addresses" },
	{ TOWN_INTERNET, "GET", "https://[::ffff:203.0.113.127]/",
	    VERDICT_ALLOW, "addresses" },
	{ TOWN_INTERNET, "GET", "https://203.0.113.128/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	{ TOWN_INTERNET, "GET", "https://198.51.100.7/", VERDICT_ALLOW,
	    "one-address" },
	{ TOWN_INTERNET, "GET", "https://[2001:db8:0::7]/", VERDICT_ALLOW,
	    "one-address" },
	{ TOWN_INTERNET, "GET", "https://[2001:db8::8]/", VERDICT_ALLOW,
	    "one-address" },
	{ TOWN_INTERNET, "GET", "https://[2001:db8::9]/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	{ TOWN_INTERNET, "GET", "https://198.51.100.70/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	/* methods and paths; the first rule that matches decides */
	{ TOWN_INTERNET, "GET", "https://read.test/", VERDICT_ALLOW, "www" },
	{ TOWN_INTERNET, "POST", "https://read.test/", VERDICT_BLOCK,
	    "no-post" },
	{ TOWN_INTERNET, "post", "https://read.test/", VERDICT_ALLOW, "www" },
	{ TOWN_INTERNET, "GET", "https://www.test/secret", VERDICT_BLOCK,
	    "no-secret" },
	{ TOWN_INTERNET, "GET", "https://www.test/secret?a", VERDICT_BLOCK,
	    "no-secret" },
	{ TOWN_INTERNET, "GET", "https://www.test/secret/a", VERDICT_BLOCK,
	    "no-secret" },
	{ TOWN_INTERNET, "GET", "https://www.test/secrets", VERDICT_ALLOW,
	    "www" },
	{ TOWN_INTERNET, "GET", "https://www.test/%73ecret", VERDICT_BLOCK,
	    "no-secret" },
	{ TOWN_INTERNET, "GET", "https://www.test/a/../secret", VERDICT_BLOCK,
	    "no-secret" },
	{ TOWN_INTERNET, "GET", "https://www.test/%2e/secret/%2E%2e/secret",
	    VERDICT_BLOCK, "no-secret" },
	{ TOWN_INTERNET, "GET", "https://www.test/secret/../a", VERDICT_ALLOW,
	    "www" },
	{ TOWN_INTERNET, "GET", "http://www.test/secret", VERDICT_ALLOW,
	    "www" },
	{ TOWN_INTERNET, "GET", "https://a.www.test/secret", VERDICT_ALLOW,
	    "www" },
	{ TOWN_INTERNET, "GET", "https://www.test/folder/a", VERDICT_BLOCK,
	    "no-folder" },
	{ TOWN_INTERNET, "GET", "https://www.test/folder", VERDICT_ALLOW,
	    "www" },
	/* lists */
	{ TOWN_INTERNET, "GET", "https://a.evil.test/", VERDICT_BLOCK,
	    "no-evil" },
	{ TOWN_INTERNET, "GET", "https://page.test/bad/a", VERDICT_BLOCK,
	    "no-evil" },
	{ TOWN_INTERNET, "GET", "https://page.test//bad%2fa", VERDICT_BLOCK,
	    "no-evil" },
	{ TOWN_INTERNET, "GET", "https://page.test/x/..%2fbad/a", VERDICT_BLOCK,
	    "no-evil" },
	{ TOWN_INTERNET, "GET", "https://page.test/good", VERDICT_ALLOW,
	    "papers" },
	{ TOWN_INTERNET, "GET", "https://page.test/good/..%2fother",
	    VERDICT_BLOCK, "builtin:no-rule" },
	{ TOWN_INTERNET, "GET", "https://page.test/other", VERDICT_BLOCK,
	    "builtin:no-rule" },
	/* hours: it is Tuesday noon */
	{ TOWN_INTERNET, "GET", "https://noon.test/", VERDICT_ALLOW,
	    "at-noon" },
	{ TOWN_INTERNET, "GET", "https://night.test/", VERDICT_BLOCK,
	    "builtin:no-rule" },
	/* what is in a tunnel is not asked: a request passes */
	{ TOWN_INTERNET, "GET", "https://bank.test/", VERDICT_ALLOW, "bank" },
};

START_TEST(policy_judges_by_the_first_rule)
{
	struct decision d = town_judge(
	    &town, requests[_i].from, requests[_i].method, requests[_i].url);

	ck_assert_msg(d.verdict == requests[_i].verdict &&
		strcmp(d.rule->name, requests[_i].rule) == 0,
	    "%s %s: %s by %s", requests[_i].from, requests[_i].url,
	    verdict_name(d.verdict), d.rule->name);
}
END_TEST

static const struct {
	const char *name, *from, *authority;
	enum verdict verdict;
	const char *rule;
} connects[] = {
	{ "a stranger is refused", TOWN_STRANGER, "www.test:443", VERDICT_BLOCK,
	    "builtin:unknown-source" },
	{ "the My Number zone is refused", TOWN_MYNUMBER, "bank.test:443",
	    VERDICT_BLOCK, "builtin:mynumber" },
	{ "an odd port is refused", TOWN_INTERNET, "bank.test:22",
	    VERDICT_BLOCK, "builtin:port" },
	{ "a path may decide", TOWN_INTERNET, "www.test:443", VERDICT_ALLOW,
	    "builtin:decrypt" },
	{ "no path decides on its subdomain", TOWN_INTERNET, "a.www.test:443",
	    VERDICT_ALLOW, "www" },
	{ "a method may decide", TOWN_INTERNET, "read.test:443", VERDICT_ALLOW,
	    "builtin:decrypt" },
	{ "a listed name is blocked", TOWN_INTERNET, "evil.test:443",
	    VERDICT_BLOCK, "no-evil" },
	{ "a listed path may block", TOWN_INTERNET, "page.test:443",
	    VERDICT_ALLOW, "builtin:decrypt" },
	{ "a listed path may allow", TOWN_INTERNET, "papers.test:443",
	    VERDICT_ALLOW, "builtin:decrypt" },
	{ "a path that could only block opens nothing", TOWN_LGWAN,
	    "page.test:443", VERDICT_BLOCK, "builtin:no-rule" },
	{ "a path of another category leaves a tunnel shut", TOWN_INTERNET,
	    "bank.test:443", VERDICT_TUNNEL, "bank" },
	{ "no rule blocks", TOWN_INTERNET, "unknown.test:443", VERDICT_BLOCK,
	    "builtin:no-rule" },
	{ "plain HTTP is no https URL", TOWN_INTERNET, "www.test:80",
	    VERDICT_ALLOW, "www" },
};

START_TEST(policy_connect_waits_for_path_and_method)
{
	struct decision d = town_judge_connect(
	    &town, connects[_i].from, connects[_i].authority);

	ck_assert_msg(d.verdict == connects[_i].verdict &&
		strcmp(d.rule->name, connects[_i].rule) == 0,
	    "%s: %s by %s", connects[_i].name, verdict_name(d.verdict),
	    d.rule->name);
}
END_TEST

/* A URL that is known whole tells a CONNECT no more than its host. */
START_TEST(policy_connect_sees_no_path)
{
	struct url u = { 0 };
	struct query q = { .url = &u, .method = BYTES("CONNECT") };
	struct address from;
	struct decision d;
	const char *why;

	ck_assert(address_parse(&from, BYTES(TOWN_INTERNET)) == 0);
	q.segment = zones_lookup(town.zones, &from);
	ck_assert(url_parse_absolute(&u, BYTES("https://page.test/bad"),
		      &town.arena, &why) == 0);
	d = policy_judge_connect(town.policy, &q);
	ck_assert_int_eq(d.verdict, VERDICT_ALLOW);
	ck_assert_str_eq(d.rule->name, "builtin:decrypt");
}
END_TEST

START_TEST(policy_names_the_category)
{
	struct decision d =
	    town_judge(&town, TOWN_INTERNET, "GET", "https://evil.test/");

	ck_assert_str_eq(d.category, "evil");
	d = town_judge(&town, TOWN_INTERNET, "GET", "https://www.test/");
	ck_assert(d.category == NULL);
}
END_TEST

START_TEST(policy_names_file_and_line)
{
	struct decision d =
	    town_judge(&town, TOWN_INTERNET, "GET", "https://evil.test/");

	ck_assert_str_eq(d.rule->file, town_path(&town, "p.conf"));
	ck_assert_uint_eq(d.rule->line, 6);
	ck_assert_str_eq(d.rule->reason_ja, "理由");
	ck_assert_str_eq(d.rule->reason_en, "理由");
}
END_TEST

START_TEST(policy_tunnel_says_what_it_carries)
{
	struct decision d =
	    town_judge_connect(&town, TOWN_INTERNET, "bank.test:443");

	ck_assert(d.rule->tls_only);
	d = town_judge_connect(&town, TOWN_INTERNET, "evil.test:443");
	ck_assert(!d.rule->tls_only);
}
END_TEST

START_TEST(policy_of_nothing_blocks)
{
	struct decision d;

	ck_assert(town_load(&town, "") == 0);
	d = town_judge(&town, TOWN_INTERNET, "GET", "https://www.test/");
	ck_assert_int_eq(d.verdict, VERDICT_BLOCK);
	ck_assert_str_eq(d.rule->name, "builtin:no-rule");
}
END_TEST

/* In a further file rules go on behind those of the first. */
START_TEST(policy_files_follow_each_other)
{
	const char *names[] = { "1.conf", "2.conf" };
	struct policy_file two[] = {
		{ .path = names[0], .layer = LAYER_PREFECTURE },
		{ .path = names[1], .layer = LAYER_PREFECTURE },
	};
	const struct policy_files files = { two, COUNT(two) };
	struct decision d;

	town_write(&town, names[0],
	    BYTES("default = (" LAST(
		"first", "block", "destinations = [\"a.test\"];") ");"));
	town_write(&town, names[1],
	    BYTES("default = (" LAST(
		"second", "allow", "destinations = [\"test\"];") ");"));
	policy_release(town.policy);
	town.policy = policy_load(
	    &files, town.folder, town.zones, &town.arena, &town.err);
	ck_assert_msg(town.policy != NULL, "%s", town.err.text);
	d = town_judge(&town, TOWN_INTERNET, "GET", "http://a.test/");
	ck_assert_str_eq(d.rule->name, "first");
	d = town_judge(&town, TOWN_INTERNET, "GET", "http://b.test/");
	ck_assert_str_eq(d.rule->name, "second");
}
END_TEST

static const struct {
	const char *text;
	const char *want; /* behind the file's name */
} bad[] = {
	{ "default = (\n", ":2: syntax error, expected libconfig syntax" },
	{ "rule = ();",
	    ":1: unknown key \"rule\", expected one of: lists"
	    " dlp phrases types detox must default" },
	{ "default = 1;", ":1: default: expected a list ( … )" },
	{ "must = 1;", ":1: must: expected a list ( … )" },
	{ "lists = {};", ":1: lists: expected a list ( … )" },
	{ "default = ( 1 );", ":1: expected a group { … }" },
	{ "default = (\n" LAST("a", "allow", "destination = [];") ");",
	    ":2: unknown key \"destination\", did you mean"
	    " \"destinations\"?" },
	{ "default = (\n{ verdict = \"allow\"; reason_ja = \"a\"; } );",
	    ":2: name is missing, expected a string" },
	{ "default = (\n{ name = \"a\"; reason_ja = \"a\"; } );",
	    ":2: verdict is missing, expected a string" },
	{ "default = (\n{ name = \"a\"; verdict = \"allow\"; } );",
	    ":2: reason_ja is missing, expected a string" },
	{ "default = (\n" LAST("", "allow", "") ");",
	    ":2: name has 0 bytes, expected 1 to 64" },
	{ "default = (\n" LAST("a", "accept", "") ");",
	    ":2: verdict is \"accept\", expected block, read-only, warn, allow,"
	    " tunnel or may-tunnel" },
	{ "default = (\n" RULE("a", "allow", "") LAST("a", "block", "") ");",
	    ":3: rule \"a\" is there twice, first at @:2" },
	{ "default = (\n" LAST("builtin:a", "allow", "") ");",
	    ":2: rule \"builtin:a\": names that begin with builtin: are"
	    " taken" },
	{ "default = (\n" LAST(
	      "a", "tunnel", "urls = [\"https://a.test/\"];") ");",
	    ":2: rule \"a\" is a tunnel with a condition on requests, which are"
	    " not seen in one, expected destinations" },
	{ "default = (\n" LAST("a", "tunnel", "methods = [\"GET\"];") ");",
	    ":2: rule \"a\" is a tunnel with a condition on requests, which are"
	    " not seen in one, expected destinations" },
	{ "default = (\n" LAST("a", "allow", "zones = [];") ");",
	    ":2: zones has 0 members, expected 1 to 65536" },
	{ "default = (\n" LAST("a", "allow", "zones = [\"dmz\"];") ");",
	    ":2: zone \"dmz\" is not in the settings, expected one of"
	    " zones" },
	{ "default = (\n" LAST("a", "allow", "bodies = [\"990001\"];") ");",
	    ":2: body \"990001\" is not in the settings, expected one of"
	    " bodies" },
	{ "default = (\n" LAST(
	      "a", "allow", "destinations = [\"*.test\"];") ");",
	    ":2: \"*.test\": host with a forbidden byte, expected a name such"
	    " as example.test" },
	{ "default = (\n" LAST(
	      "a", "allow", "destinations = [\"www.test:443\"];") ");",
	    ":2: \"www.test:443\": host is no IPv6 address, expected a name"
	    " such as" },
	{ "default = (\n" LAST("a", "allow", "destinations = [\"\"];") ");",
	    ":2: \"\": host of no or too many bytes, expected a name such as"
	    " example.test" },
	{ "default = (\n" LAST("a", "allow", "destinations = \"a.test\";") ");",
	    ":2: destinations: expected a list of strings" },
	{ "default = (\n" LAST("a", "allow", "destinations = [1];") ");",
	    ":2: destinations: expected strings in quotes" },
	{ "default = (\n" LAST("a", "allow", "urls = [\"a.test/b\"];") ");",
	    ":2: \"a.test/b\": no http or https URL, expected a URL such as"
	    " https://example.test/path/" },
	{ "default = (\n" LAST(
	      "a", "allow", "urls = [\"http://a.test/?b\"];") ");",
	    ":2: \"http://a.test/?b\" has a query, expected none" },
	{ "default = (\n" LAST(
	      "a", "allow", "addresses = [\"192.0.2.1/24\"];") ");",
	    ":2: \"192.0.2.1/24\" is no prefix, expected one such as"
	    " 192.0.2.0/24" },
	{ "default = (\n" LAST("a", "allow", "ports = [0];") ");",
	    ":2: a port is 0, expected 1 to 65535" },
	{ "default = (\n" LAST("a", "allow", "ports = [65536];") ");",
	    ":2: a port is 65536, expected 1 to 65535" },
	{ "default = (\n" LAST("a", "allow", "hours = [\"noon\"];") ");",
	    ":2: \"noon\" are no hours, expected some such as \"mon-fri"
	    " 08:30-17:15\"" },
	{ "default = (\n" LAST("a", "allow", "categories = [\"ads\"];") ");",
	    ":2: category \"ads\" has no list, expected one of lists" },
	{ "default = (\n" LAST("a", "allow", "tls_only = 1;") ");",
	    ":2: tls_only: expected true or false" },
	{ "default = (\n" LAST("a", "tunnel", "uploads = true;") ");",
	    ":2: rule \"a\" is a tunnel with a condition on requests, which are"
	    " not seen in one, expected destinations" },
	{ "default = (\n" LAST("a", "block", "fields = [\"X Y: a\"];") ");",
	    ":2: \"X Y: a\": no name, expected \"Name: PATTERN\"" },
	{ "default = (\n" LAST("a", "block", "fields = [\"X: a(\"];") ");",
	    ":2: \"X: a(\": missing closing parenthesis at byte 2, expected"
	    " \"Name: PATTERN\"" },
	{ "default = (\n" LAST("a", "block", "larger_than = -1;") ");",
	    ":2: larger_than is -1, expected 0 to 1e+15" },
	{ "default = (\n" LAST("a", "warn", "release = true;") ");",
	    ":2: rule \"a\" has release and is no block, expected verdict ="
	    " \"block\"" },
	{ "must = (\n" LAST("a", "tunnel", "") ");",
	    ":2: rule \"a\" is a tunnel in must, which only tightens,"
	    " expected it in default" },
	{ "default = (\n" LAST("a", "allow", "to = [\"body\"];") ");",
	    ":2: to is \"body\", expected a layer below its own, in a rule"
	    " that is may-tunnel" },
	{ "default = (\n" LAST("a", "may-tunnel", "to = [\"national\"];") ");",
	    ":2: to is \"national\", expected a layer below its own, in a"
	    " rule that is may-tunnel" },
	{ "default = (\n" LAST("a", "allow", "expires = \"2026-02-30\";") ");",
	    ":2: expires is \"2026-02-30\", expected a day such as"
	    " 2027-03-31" },
	{ "default = (\n" LAST("a", "allow", "expires = \"2026-01-31\";") ");",
	    ":2: rule \"a\" expired on 2026-01-31, expected a later day or no"
	    " such rule" },
	{ "default = (\n" LAST("a", "allow", "patterns = [\"a(\"];") ");",
	    ":2: \"a(\": missing closing parenthesis at byte 2, expected a"
	    " PCRE2 pattern" },
	{ "default = (\n" LAST("a", "allow", "set_fields = [\"Via: a\"];") ");",
	    ":2: \"Via: a\" cannot be set, expected \"Name: value\" of a field"
	    " that is not of the connection" },
	{ "default = (\n" LAST("a", "allow", "set_fields = [\"X-A:\"];") ");",
	    ":2: \"X-A:\" cannot be set, expected \"Name: value\" of a field"
	    " that is not of the connection" },
	{ "default = (\n" LAST(
	      "a", "allow", "remove_fields = [\"Host\"];") ");",
	    ":2: \"Host\" cannot be removed, expected the name of a field that"
	    " is not of the connection" },
	{ "lists = (\n { category = \"a\"; file = \"a\"; kind = \"names\"; });",
	    ":2: kind is \"names\", expected domains, urls,"
	    " patterns, reputation or score" },
	{ "lists = (\n { category = \"a\"; kind = \"reputation\";\n"
	  "at_least = 101; });",
	    ":3: at_least is 101, expected 0 to 100" },
	{ "lists = (\n { category = \"a\"; kind = \"score\"; file = \"b\"; });",
	    ":2: file is \"b\", expected none with score" },
	{ "lists = (\n { category = \"a\"; file = \"b\"; at_least = 1; });",
	    ":2: at_least is 1, expected none with domains" },
	{ "lists = (\n { file = \"a\"; });",
	    ":2: category is missing, expected a string" },
};

START_TEST(policy_tells_what_is_wrong_where)
{
	struct arena *a = &town.arena;
	const char *file = town_path(&town, "p.conf");
	const char *at = strchr(bad[_i].want, '@');
	const char *want = at == NULL
	    ? arena_printf(a, "%s%s", file, bad[_i].want)
	    : arena_printf(a, "%s%.*s%s%s", file, (int)(at - bad[_i].want),
		  bad[_i].want, file, at + 1);

	ck_assert_msg(town_load(&town, bad[_i].text) < 0, "%s", bad[_i].want);
	/* libconfig words its own errors; the text is cut at its limit */
	ck_assert_msg(
	    strncmp(town.err.text, want, strnlen(want, ERR_TEXT_MAX - 64)) == 0,
	    "%s", town.err.text);
}
END_TEST

START_TEST(policy_file_that_is_missing_is_named)
{
	const char *name = "none.conf";
	struct policy_file file = { .path = name, .layer = LAYER_NATIONAL };
	const struct policy_files files = { &file, 1 };

	ck_assert(policy_load(&files, town.folder, town.zones, &town.arena,
		      &town.err) == NULL);
	ck_assert_str_eq(town.err.text,
	    arena_printf(&town.arena,
		"%s/none.conf: cannot be read: No such file or directory",
		town.folder));
}
END_TEST

Suite *policy_suite(void);

Suite *
policy_suite(void)
{
	Suite *s = suite_create("policy");
	TCase *t = tcase_create("policy");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, policy_judges_by_the_first_rule, 0, COUNT(requests));
	tcase_add_loop_test(
	    t, policy_connect_waits_for_path_and_method, 0, COUNT(connects));
	tcase_add_test(t, policy_connect_sees_no_path);
	tcase_add_test(t, policy_names_the_category);
	tcase_add_test(t, policy_names_file_and_line);
	tcase_add_test(t, policy_tunnel_says_what_it_carries);
	tcase_add_test(t, policy_of_nothing_blocks);
	tcase_add_test(t, policy_files_follow_each_other);
	tcase_add_loop_test(t, policy_tells_what_is_wrong_where, 0, COUNT(bad));
	tcase_add_test(t, policy_file_that_is_missing_is_named);
	suite_add_tcase(s, t);
	return s;
}
