/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/routes.h"

#include <check.h>
#include <stdlib.h>

#include "proxy/base/buf.h"
#include "tests/unit/policy/town.h"

Suite *routes_suite(void);

static struct town town;
static struct detox_profiles profiles;
static struct routes *routes;

static void
setup(void)
{
	town_open(&town);
	ck_assert_int_eq(detox_profiles_load(&profiles, NULL, &town.err), 0);
}

static void
teardown(void)
{
	detox_profiles_release(&profiles);
	town_close(&town);
}

static int
load(const char *text)
{
	town_write(&town, "mail.conf", bytes_of(text));
	town.err.text[0] = '\0';
	routes = routes_load(town_path(&town, "mail.conf"), town.zones,
	    &profiles, &town.arena, &town.err);
	return routes == NULL ? -1 : 0;
}

#define HOP "next_hops = ( { host = \"127.0.0.1\"; } );"

static const char lab[] =
    "inbound = (\n"
    "{ name = \"city\"; body = \"990019\"; side = \"lgwan\";\n"
    "  detox = \"strict\"; domains = [\"city.test\", \"*.city.test\"];\n"
    "  next_hops = ( { host = \"b.test\"; priority = 20; },\n"
    "   { host = \"192.0.2.7\"; port = 465; priority = 10;\n"
    "     implicit = true; name = \"Mx.City.Test\"; },\n"
    "   { host = \"C.test\"; priority = 20; tls = \"none\"; } ); },\n"
    "{ name = \"town\"; body = \"990027\"; side = \"internet\";\n"
    "  domains = [\"town.test\", \"関所.test\", \"lib.city.test\"];\n"
    "  verify_recipients = false; " HOP " } );\n"
    "outbound = (\n"
    "{ name = \"partner\"; domains = [\"partner.test\"];\n"
    "  bodies = [\"990019\"]; detox = \"none\"; " HOP " },\n"
    "{ name = \"world\"; domains = [\"*\"]; tls = \"required\"; },\n"
    "{ name = \"both\"; domains = [\"*.gov.test\"];\n"
    "  bodies = [\"990019\", \"990027\"]; " HOP " },\n"
    "{ name = \"gov\"; domains = [\"*.gov.test\", \"[198.51.100.7]\"];\n"
    "  tls = \"none\"; } );\n"
    "senders = (\n"
    "{ body = \"990027\"; domains = [\"school.test\"]; },\n"
    "{ body = \"990027\"; domains = [\"x.city.test\"]; } );\n";

START_TEST(routes_say_what_the_file_says)
{
	const struct mail_route *r;

	ck_assert_msg(load(lab) == 0, "%s", town.err.text);
	ck_assert_uint_eq(routes_count(routes), 6);
	r = routes_at(routes, 0);
	ck_assert_str_eq(r->name, "city");
	ck_assert_str_eq(r->rule, "inbound city");
	ck_assert_str_eq(r->body->code, "990019");
	ck_assert(r->side == MAIL_SIDE_LGWAN && r->verify_recipients);
	ck_assert(r->rebuilt && r->profile == 1);
	ck_assert_uint_eq(r->line, 2);
	ck_assert_uint_eq(r->hops_n, 3);
	ck_assert_str_eq(r->hops[0].host, "192.0.2.7");
	ck_assert_str_eq(r->hops[0].name, "mx.city.test");
	ck_assert(r->hops[0].port == 465 && r->hops[0].implicit);
	ck_assert(r->hops[0].tls == HOP_TLS_VERIFIED);
	ck_assert_str_eq(r->hops[1].host, "b.test");
	ck_assert_str_eq(r->hops[1].name, "b.test");
	ck_assert(r->hops[1].port == 25 && !r->hops[1].implicit);
	ck_assert_str_eq(r->hops[2].host, "c.test");
	ck_assert(r->hops[2].tls == HOP_TLS_NONE);
	r = routes_at(routes, 1);
	ck_assert(r->side == MAIL_SIDE_INTERNET && !r->verify_recipients);
	ck_assert(r->rebuilt && r->profile == 0);
	r = routes_at(routes, 2);
	ck_assert(!r->rebuilt && r->body == NULL && r->bodies_n == 1);
	ck_assert_str_eq(r->bodies[0]->code, "990019");
	r = routes_at(routes, 3);
	ck_assert(r->hops_n == 0 && r->mx_tls == HOP_TLS_VERIFIED);
	ck_assert(r->rebuilt && r->bodies_n == 0);
}
END_TEST

static const struct segment *
segment_of(const char *from)
{
	struct address client;

	ck_assert_int_eq(address_parse(&client, bytes_of(from)), 0);
	return zones_lookup(town.zones, &client);
}

static struct mail_address
address_of(const char *path)
{
	struct bytes in = bytes_of(path);
	struct mail_address m = { 0 };
	const char *why = "";

	ck_assert_msg(
	    mail_path_take(&m, &in, MAIL_UTF8, &town.arena, &why) == 0 &&
		in.n == 0,
	    "%s: %s", path, why);
	return m;
}

static const struct {
	const char *from;
	enum mail_verdict want;
	const char *rule, *reply;
} clients[] = {
	{ TOWN_STRANGER, MAIL_ACCEPTED, "outside", "" },
	{ TOWN_INTERNET, MAIL_ACCEPTED, "body", "" },
	{ TOWN_SCHOOL, MAIL_ACCEPTED, "body", "" },
	{ TOWN_LGWAN, MAIL_ACCEPTED, "body", "" },
	{ TOWN_MYNUMBER, MAIL_REFUSED, "my number zone",
	    "the My Number zone sends no mail (my number zone)" },
};

START_TEST(routes_judge_clients_by_zone)
{
	struct mail_reason why = { 0 };
	struct smtp_reply reply = { 0 };

	ck_assert_msg(load(lab) == 0, "%s", town.err.text);
	ck_assert(routes_judge_client(routes, segment_of(clients[_i].from),
		      &why, &reply) == clients[_i].want);
	ck_assert_str_eq(why.rule, clients[_i].rule);
	ck_assert_str_eq(reply.text, clients[_i].reply);
	ck_assert_uint_eq(
	    reply.code, clients[_i].want == MAIL_REFUSED ? 550 : 0);
}
END_TEST

static const struct {
	const char *from, *sender;
	enum mail_verdict want;
	const char *rule;
	unsigned line;
	const char *reply;
} senders[] = {
	{ TOWN_STRANGER, "<a@b.test>", MAIL_ACCEPTED, "outside", 0, "" },
	{ TOWN_STRANGER, "<>", MAIL_ACCEPTED, "null sender", 0, "" },
	{ TOWN_STRANGER, "<a@[203.0.113.1]>", MAIL_ACCEPTED, "outside", 0, "" },
	{ TOWN_STRANGER, "<a@City.test>", MAIL_REFUSED, "own domains", 3,
	    "<a@City.test>: this sender domain is of 990019, which nobody"
	    " outside may use (own domains)" },
	{ TOWN_STRANGER, "<a@b.city.test>", MAIL_REFUSED, "own domains", 3,
	    "<a@b.city.test>: this sender domain is of 990019, which nobody"
	    " outside may use (own domains)" },
	{ TOWN_STRANGER, "<a@school.test>", MAIL_REFUSED, "own domains", 20,
	    "<a@school.test>: this sender domain is of 990027, which nobody"
	    " outside may use (own domains)" },
	{ TOWN_STRANGER, "<a@b.school.test>", MAIL_ACCEPTED, "outside", 0, "" },
	{ TOWN_STRANGER, "<a@notcity.test>", MAIL_ACCEPTED, "outside", 0, "" },
	{ TOWN_STRANGER, "<Postmaster>", MAIL_REFUSED, "sender domain", 0,
	    "<Postmaster>: a sender without a domain (sender domain)" },
	{ TOWN_INTERNET, "<a@city.test>", MAIL_ACCEPTED, "own domains", 3, "" },
	{ TOWN_LGWAN, "<a@deep.b.city.test>", MAIL_ACCEPTED, "own domains", 3,
	    "" },
	{ TOWN_INTERNET, "<>", MAIL_ACCEPTED, "null sender", 0, "" },
	{ TOWN_INTERNET, "<a@b.test>", MAIL_REFUSED, "own domains", 0,
	    "<a@b.test>: this sender domain is not one of 990019's (own"
	    " domains)" },
	{ TOWN_INTERNET, "<a@[192.0.2.1]>", MAIL_REFUSED, "own domains", 0,
	    "<a@[192.0.2.1]>: this sender domain is not one of 990019's (own"
	    " domains)" },
	{ TOWN_INTERNET, "<a@town.test>", MAIL_REFUSED, "own domains", 9,
	    "<a@town.test>: this sender domain is not one of 990019's (own"
	    " domains)" },
	{ TOWN_INTERNET, "<a@lib.city.test>", MAIL_REFUSED, "own domains", 9,
	    "<a@lib.city.test>: this sender domain is not one of 990019's (own"
	    " domains)" },
	{ TOWN_OTHER, "<a@lib.city.test>", MAIL_ACCEPTED, "own domains", 9,
	    "" },
	{ TOWN_OTHER, "<a@city.test>", MAIL_REFUSED, "own domains", 3,
	    "<a@city.test>: this sender domain is not one of 990027's (own"
	    " domains)" },
	{ TOWN_OTHER, "<a@school.test>", MAIL_ACCEPTED, "own domains", 20, "" },
	{ TOWN_OTHER, "<太郎@関所.test>", MAIL_ACCEPTED, "own domains", 9, "" },
	{ TOWN_OTHER, "<a@xn--8ous75i.test>", MAIL_ACCEPTED, "own domains", 9,
	    "" },
	{ TOWN_INTERNET, "<太郎@関.test>", MAIL_REFUSED, "own domains", 0,
	    "<??????@???.test>: this sender domain is not one of 990019's (own"
	    " domains)" },
	{ TOWN_MYNUMBER, "<a@city.test>", MAIL_REFUSED, "my number zone", 0,
	    "the My Number zone sends no mail (my number zone)" },
	{ TOWN_MYNUMBER, "<>", MAIL_REFUSED, "my number zone", 0,
	    "the My Number zone sends no mail (my number zone)" },
};

START_TEST(routes_judge_senders_by_domain)
{
	struct mail_reason why = { 0 };
	struct smtp_reply reply = { 0 };
	struct mail_address m;

	ck_assert_msg(load(lab) == 0, "%s", town.err.text);
	m = address_of(senders[_i].sender);
	ck_assert_msg(routes_judge_sender(routes, segment_of(senders[_i].from),
			  &m, &why, &reply) == senders[_i].want,
	    "%s %s", senders[_i].from, senders[_i].sender);
	ck_assert_str_eq(why.rule, senders[_i].rule);
	ck_assert_uint_eq(why.line, senders[_i].line);
	ck_assert((why.file != NULL) == (why.line != 0));
	ck_assert_str_eq(reply.text, senders[_i].reply);
	ck_assert_str_eq(reply.enhanced, reply.code == 0 ? "" : "5.7.1");
}
END_TEST

static const struct {
	const char *from, *recipient;
	const char *route; /* NULL: refused */
	const char *rule;
	unsigned line;
	const char *reply;
} recipients[] = {
	{ TOWN_STRANGER, "<a@city.test>", "city", "inbound city", 3, "" },
	{ TOWN_STRANGER, "<a@B.City.Test>", "city", "inbound city", 3, "" },
	{ TOWN_STRANGER, "<a@deep.b.city.test>", "city", "inbound city", 3,
	    "" },
	{ TOWN_STRANGER, "<a@lib.city.test>", "town", "inbound town", 9, "" },
	{ TOWN_STRANGER, "<a@town.test>", "town", "inbound town", 9, "" },
	{ TOWN_STRANGER, "<a@b.town.test>", NULL, "no route", 0,
	    "<a@b.town.test>: this domain is none of ours (no route)" },
	{ TOWN_STRANGER, "<a@notcity.test>", NULL, "no route", 0,
	    "<a@notcity.test>: this domain is none of ours (no route)" },
	{ TOWN_STRANGER, "<a@test>", NULL, "no route", 0,
	    "<a@test>: this domain is none of ours (no route)" },
	{ TOWN_STRANGER, "<a@partner.test>", NULL, "no route", 0,
	    "<a@partner.test>: this domain is none of ours (no route)" },
	{ TOWN_STRANGER, "<a@school.test>", NULL, "no route", 0,
	    "<a@school.test>: this domain is none of ours (no route)" },
	{ TOWN_STRANGER, "<a@x.city.test>", NULL, "no route", 0,
	    "<a@x.city.test>: this domain is none of ours (no route)" },
	{ TOWN_STRANGER, "<a@[192.0.2.7]>", NULL, "no route", 0,
	    "<a@[192.0.2.7]>: this domain is none of ours (no route)" },
	{ TOWN_STRANGER, "<Postmaster>", "city", "postmaster", 0, "" },
	{ TOWN_STRANGER, "<a@関所.test>", "town", "inbound town", 9, "" },
	{ TOWN_INTERNET, "<a@town.test>", "town", "inbound town", 9, "" },
	{ TOWN_LGWAN, "<a@city.test>", "city", "inbound city", 3, "" },
	{ TOWN_INTERNET, "<a@partner.test>", "partner", "outbound partner", 12,
	    "" },
	{ TOWN_OTHER, "<a@partner.test>", "world", "outbound world", 14, "" },
	{ TOWN_INTERNET, "<a@b.partner.test>", "world", "outbound world", 14,
	    "" },
	{ TOWN_INTERNET, "<a@example.test>", "world", "outbound world", 14,
	    "" },
	{ TOWN_INTERNET, "<a@b.gov.test>", "both", "outbound both", 15, "" },
	{ TOWN_OTHER, "<a@b.gov.test>", "both", "outbound both", 15, "" },
	{ TOWN_INTERNET, "<a@gov.test>", "world", "outbound world", 14, "" },
	{ TOWN_INTERNET, "<a@[198.51.100.7]>", "gov", "outbound gov", 17, "" },
	{ TOWN_INTERNET, "<a@[198.51.100.8]>", NULL, "no route", 0,
	    "<a@[198.51.100.8]>: mail of 990019 does not go to this domain (no"
	    " route)" },
	{ TOWN_OTHER, "<a@school.test>", "world", "outbound world", 14, "" },
	{ TOWN_MYNUMBER, "<a@city.test>", NULL, "my number zone", 0,
	    "the My Number zone sends no mail (my number zone)" },
	{ TOWN_MYNUMBER, "<Postmaster>", NULL, "my number zone", 0,
	    "the My Number zone sends no mail (my number zone)" },
};

START_TEST(routes_judge_recipients_by_domain)
{
	struct mail_reason why = { 0 };
	struct smtp_reply reply = { 0 };
	const struct mail_route *r;
	struct mail_address m;

	ck_assert_msg(load(lab) == 0, "%s", town.err.text);
	m = address_of(recipients[_i].recipient);
	r = routes_judge_recipient(
	    routes, segment_of(recipients[_i].from), &m, &why, &reply);
	ck_assert_msg((r == NULL) == (recipients[_i].route == NULL), "%s %s",
	    recipients[_i].from, recipients[_i].recipient);
	if (r != NULL)
		ck_assert_str_eq(r->name, recipients[_i].route);
	ck_assert_str_eq(why.rule, recipients[_i].rule);
	ck_assert_uint_eq(why.line, recipients[_i].line);
	ck_assert_str_eq(reply.text, recipients[_i].reply);
	ck_assert_uint_eq(reply.code, r == NULL ? 550 : 0);
}
END_TEST

/* Nothing in the file: nobody reaches anybody, and a body has no domain. */
START_TEST(routes_without_entries_refuse)
{
	struct mail_reason why;
	struct smtp_reply reply;
	struct mail_address m;

	ck_assert_msg(load("") == 0, "%s", town.err.text);
	ck_assert_uint_eq(routes_count(routes), 0);
	m = address_of("<Postmaster>");
	ck_assert(
	    routes_judge_recipient(routes, NULL, &m, &why, &reply) == NULL);
	m = address_of("<a@city.test>");
	ck_assert(routes_judge_recipient(routes, segment_of(TOWN_INTERNET), &m,
		      &why, &reply) == NULL);
	ck_assert(routes_judge_sender(routes, segment_of(TOWN_INTERNET), &m,
		      &why, &reply) == MAIL_REFUSED);
	ck_assert(routes_owner(routes, m.domain) == NULL);
}
END_TEST

#define IN(name, body, domains)                 \
	"{ name = \"" name "\"; body = \"" body \
	"\"; side = \"lgwan\"; domains = [" domains "];\n " HOP " }"
#define CITY "inbound = (" IN("city", "990019", "\"city.test\"") ");\n"
#define OUT(more) \
	"outbound = ( { name = \"o\"; domains = [\"o.test\"];\n" more " } );"

static const struct {
	const char *name, *text;
	const char *error; /* behind the path; NULL: loaded */
} files[] = {
	{ "one inbound route", CITY, NULL },
	{ "no syntax", "inbound = (",
	    ":1: syntax error, expected libconfig"
	    " syntax" },
	{ "an unknown list", "inbund = ();",
	    ":1: unknown key \"inbund\", did you mean \"inbound\"?" },
	{ "no list", "inbound = { };", ":1: inbound: expected a list ( … )" },
	{ "an unknown key", "inbound = ( { nme = \"a\"; } );",
	    ":1: unknown key \"nme\", did you mean \"name\"?" },
	{ "an unknown body",
	    "inbound = (\n" IN("a", "990035", "\"a.test\"") ");",
	    ":2: body \"990035\" is not in the settings, expected the code of"
	    " one of bodies" },
	{ "an unknown profile",
	    "inbound = (\n{ name = \"a\"; body = \"990019\"; side = \"lgwan\";"
	    " detox = \"hard\"; domains = [\"a.test\"]; } );",
	    ":2: detox is \"hard\", expected a profile of detox.profiles or"
	    " \"none\"" },
	{ "an unknown side",
	    "inbound = (\n{ name = \"a\"; body = \"990019\"; side = \"dmz\";"
	    " domains = [\"a.test\"]; } );",
	    ":2: side is \"dmz\", expected \"lgwan\" or \"internet\"" },
	{ "no side",
	    "inbound = (\n{ name = \"a\"; body = \"990019\";"
	    " domains = [\"a.test\"]; } );",
	    ":2: side is missing, expected a string" },
	{ "inbound without next hops",
	    "inbound = (\n{ name = \"a\"; body = \"990019\"; side = \"lgwan\";"
	    " domains = [\"a.test\"]; } );",
	    ":2: next_hops is missing, expected where its mail goes" },
	{ "a list of no next hops",
	    "inbound = (\n{ name = \"a\"; body = \"990019\"; side = \"lgwan\";"
	    " domains = [\"a.test\"]; next_hops = (); } );",
	    ":2: 0 next_hops, expected 1 to 64" },
	{ "no domains",
	    "inbound = (\n{ name = \"a\"; body = \"990019\"; side = \"lgwan\";"
	    " " HOP " } );",
	    ":2: domains is missing, expected a list of domains" },
	{ "what is no domain",
	    "inbound = (\n" IN("a", "990019", "\"a b\"") ");",
	    ":2: \"a b\" is no domain: a domain with a forbidden byte, expected"
	    " one such as \"city.test\" or \"*.city.test\"" },
	{ "a star within",
	    "inbound = (\n" IN("a", "990019", "\"a.*.test\"") ");",
	    ":2: \"a.*.test\" is no domain: a domain with a forbidden byte,"
	    " expected one such as \"city.test\" or \"*.city.test\"" },
	{ "below an address",
	    "inbound = (\n" IN("a", "990019", "\"*.[192.0.2.1]\"") ");",
	    ":2: \"*.[192.0.2.1]\" is no domain: nothing is below an address,"
	    " expected one such as \"city.test\" or \"*.city.test\"" },
	{ "a domain twice in one route",
	    "inbound = (" IN("a", "990019", "\"a.test\",\n\"A.Test\"") ");",
	    ":2: \"A.Test\" is given twice, first at PATH:1" },
	{ "a domain in two forms",
	    "inbound = (" IN(
		"a", "990019", "\"関所.test\",\n\"xn--8ous75i.test\"") ");",
	    ":2: \"xn--8ous75i.test\" is given twice, first at PATH:1" },
	{ "a domain and what is below it",
	    "inbound = (" IN("a", "990019", "\"a.test\", \"*.a.test\"") ");",
	    NULL },
	{ "a domain in two routes",
	    "inbound = (" IN("a", "990019", "\"a.test\"") ",\n" IN(
		"b", "990019", "\"a.test\"") ");",
	    ":3: \"a.test\" is given twice, first at PATH:1" },
	{ "a domain of two bodies",
	    "inbound = (" IN("a", "990019", "\"a.test\"") ",\n" IN(
		"b", "990027", "\"a.test\"") ");",
	    ":3: \"a.test\" is 990019's already, at PATH:1; expected one body"
	    " for each domain" },
	{ "a domain of two bodies, as sender",
	    CITY "senders = ( { body = \"990027\"; domains = [\"city.test\"]; }"
		 " );",
	    ":3: \"city.test\" is 990019's already, at PATH:1; expected one"
	    " body for each domain" },
	{ "a body that owns all",
	    "inbound = (\n" IN("a", "990019", "\"*\"") ");",
	    ":2: \"*\" is no body's, expected domains of its own" },
	{ "a name twice",
	    "inbound = (" IN("a", "990019", "\"a.test\"") ",\n" IN(
		"a", "990019", "\"b.test\"") ");",
	    ":3: route \"a\" is there twice, first at PATH:1" },
	{ "outbound by MX", OUT("tls = \"none\";"), NULL },
	{ "outbound by MX with another tls", OUT("tls = \"yes\";"),
	    ":1: tls is \"yes\", expected \"required\", \"opportunistic\" or"
	    " \"none\"" },
	{ "tls beside next hops", OUT("tls = \"required\"; " HOP),
	    ":1: tls beside next_hops, expected it in each of them" },
	{ "an unknown body of outbound", OUT("bodies = [\"990035\"];"),
	    ":2: body \"990035\" is not in the settings, expected the code of"
	    " one of bodies" },
	{ "a body twice", OUT("bodies = [\"990019\", \"990019\"];"),
	    ":1: \"o.test\" is given twice for 990019, first at PATH:1" },
	{ "outbound to a body's domain",
	    CITY "outbound = ( { name = \"o\";\ndomains = [\"city.test\"]; }"
		 " );",
	    ":4: \"city.test\" is of inbound city at PATH:1, expected a domain"
	    " of none of the bodies" },
	{ "outbound below a body's domain",
	    "inbound = (" IN("a", "990019",
		"\"*.a.test\"") ");\n"
				"outbound = ( { name = \"o\"; domains = "
				"[\"*.b.a.test\"]; } );",
	    ":3: \"*.b.a.test\" is of inbound a at PATH:1, expected a domain of"
	    " none of the bodies" },
	{ "outbound above a body's domain",
	    CITY "outbound = ( { name = \"o\"; domains = [\"*.test\"]; } );",
	    NULL },
	{ "outbound twice",
	    "outbound = ( { name = \"o\"; domains = [\"*\"]; },\n"
	    "{ name = \"p\"; domains = [\"*\"]; } );",
	    ":2: \"*\" is given twice, first at PATH:1" },
	{ "outbound for all and for one body",
	    "outbound = ( { name = \"o\"; domains = [\"*\"]; },\n"
	    "{ name = \"p\"; domains = [\"*\"]; bodies = [\"990019\"]; } );",
	    NULL },
	{ "a hop without a host", OUT("next_hops = ( { port = 25; } );"),
	    ":2: host is missing, expected a string" },
	{ "a hop with a host that is none",
	    OUT("next_hops = ( { host = \"a_b.test\"; } );"),
	    ":2: host is \"a_b.test\": a domain with a forbidden byte, expected"
	    " a name or an address" },
	{ "a hop whose name is none",
	    OUT("next_hops = ( { host = \"::1\"; name = \"a b\"; } );"),
	    ":2: name is \"a b\": a domain with a forbidden byte, expected a"
	    " name or an address" },
	{ "port 0", OUT("next_hops = ( { host = \"::1\"; port = 0; } );"),
	    ":2: port is 0, expected 1 to 65535" },
	{ "port 65536",
	    OUT("next_hops = ( { host = \"::1\"; port = 65536; } );"),
	    ":2: port is 65536, expected 1 to 65535" },
	{ "a hop with another tls",
	    OUT("next_hops = ( { host = \"::1\"; tls = \"dane\"; } );"),
	    ":2: tls is \"dane\", expected \"required\", \"opportunistic\" or"
	    " \"none\"" },
	{ "implicit without TLS",
	    OUT("next_hops = ( { host = \"::1\"; tls = \"none\";"
		" implicit = true; } );"),
	    ":2: implicit with tls \"none\", expected \"required\" or"
	    " \"opportunistic\"" },
	{ "an unknown body of senders",
	    "senders = (\n{ body = \"990035\"; domains = [\"a.test\"]; } );",
	    ":2: body \"990035\" is not in the settings, expected the code of"
	    " one of bodies" },
};

START_TEST(routes_errors_lead_to_the_line)
{
	const char *path = town_path(&town, "mail.conf");
	const char *want = files[_i].error;
	const char *mark;
	int got = load(files[_i].text);

	if (want == NULL) {
		ck_assert_msg(
		    got == 0, "%s: %s", files[_i].name, town.err.text);
		return;
	}
	ck_assert_msg(got == -1, "%s", files[_i].name);
	mark = strstr(want, "PATH");
	if (mark != NULL)
		want = arena_printf(&town.arena, "%.*s%s%s", (int)(mark - want),
		    want, path, mark + 4);
	ck_assert_str_eq(
	    town.err.text, arena_printf(&town.arena, "%s%s", path, want));
}
END_TEST

/* As large as a prefecture: each name leads to its own body and route. */
START_TEST(routes_hold_a_prefecture)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	ck_assert_int_eq(buf_printf(&text, "inbound = ("), 0);
	for (int i = 0; i < 500; i++)
		ck_assert_int_eq(buf_printf(&text,
				     "%s{ name = \"r%d\"; body = \"%s\"; side ="
				     " \"lgwan\"; domains = [\"d%d.test\","
				     " \"*.d%d.test\"]; " HOP " }",
				     i == 0 ? "" : ",", i,
				     i % 2 ? "990027" : "990019", i, i),
		    0);
	ck_assert_int_eq(buf_append(&text, BYTES(");\0")), 0);
	ck_assert_msg(load((const char *)text.p) == 0, "%s", town.err.text);
	for (int i = 0; i < 500; i++) {
		const char *path =
		    arena_printf(&town.arena, "<a@x.d%d.test>", i);
		struct mail_address m = address_of(path);
		struct mail_reason why;
		struct smtp_reply reply;
		const struct mail_route *r =
		    routes_judge_recipient(routes, NULL, &m, &why, &reply);

		ck_assert(r == routes_at(routes, (size_t)i));
		ck_assert_str_eq(routes_owner(routes, m.domain)->code,
		    i % 2 ? "990027" : "990019");
	}
	buf_release(&text);
}
END_TEST

Suite *
routes_suite(void)
{
	Suite *s = suite_create("routes");
	TCase *c = tcase_create("routes");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, routes_say_what_the_file_says);
	tcase_add_loop_test(c, routes_judge_clients_by_zone, 0, COUNT(clients));
	tcase_add_loop_test(
	    c, routes_judge_senders_by_domain, 0, COUNT(senders));
	tcase_add_loop_test(
	    c, routes_judge_recipients_by_domain, 0, COUNT(recipients));
	tcase_add_test(c, routes_without_entries_refuse);
	tcase_add_loop_test(c, routes_errors_lead_to_the_line, 0, COUNT(files));
	tcase_add_test(c, routes_hold_a_prefecture);
	suite_add_tcase(s, c);
	return s;
}
