/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/model.h"

#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/base/buf.h"
#include "proxy/base/when.h"
#include "tests/unit/keysmith/lab.h"

/* 2026-11-27 12:00 in Japan. */
#define NOW ((time_t)1795748400)

#define D(digit)                                                         \
	"00000000000000000000000000000000000000000000000000000000000000" \
	"0" digit

/* Each group on lines of its own: 1 to 3 are zones and bodies. */
#define HEAD                                                           \
	"zones = ( { name = \"i\"; kind = \"internet\"; }, { name ="   \
	" \"l\"; kind = \"lgwan\"; }, { name = \"m\"; kind ="          \
	" \"mynumber\"; } ); bodies = (\n"                             \
	"{ code = \"990019\"; name_ja = \"市\"; model = \"beta\";"    \
	" segments = ({ prefix = \"10.1.1.0/24\"; zone = \"i\"; },"    \
	" { prefix = \"10.1.2.0/24\"; zone = \"l\"; },"                \
	" { prefix = \"10.1.3.0/24\"; zone = \"m\"; },"                \
	" { prefix = \"10.1.3.128/25\"; zone = \"m\"; section ="       \
	" \"s\"; }, { prefix = \"2001:db8:3::/64\"; zone = \"m\"; },"  \
	" { prefix = \"2001:db8:2::/64\"; zone = \"l\"; }); },\n"      \
	"{ code = \"990027\"; name_ja = \"町\";"                      \
	" segments = ({ prefix = \"10.2.3.0/24\"; zone = \"m\"; }); }" \
	" );\n"
#define ISOLATION(more)                                             \
	"isolation = { lgwan = [\"10.9.0.0/16\", \"10.8.0.0/16\"];" \
	" machine = [\"10.0.0.1\"]; " more " };\n"
#define PROVISION(more)                                                    \
	"provision = (\n{ name = \"p\"; addresses = [\"10.9.0.10\"]; port" \
	" = 8446; certificate = \"" D("0") "\"; owner = \"o\"; }" more ");\n"
#define SYSTEM(name, body, addresses, certificate, more)                      \
	"{ name = \"" name "\"; body = \"" body "\"; addresses = [" addresses \
	"]; certificate = \"" certificate                                     \
	"\"; purposes = [\"税\"]; owner = \"o\"; endpoints = [\"p\"]"        \
	"; probe_key = \"none\"; " more " }"
#define SYSTEMS(all) "systems = (\n" all ");\n"
#define GOOD_SYSTEM SYSTEM("a", "990019", "\"10.1.3.10\"", D("1"), "")
#define COMMUNICATION(name, from, to, more)                            \
	"{ name = \"" name "\"; from = [" from "]; to = [" to "];"     \
	" purpose = \"p\"; owner = \"o\"; approval = \"a\"; expires =" \
	" \"2027-03-31\"; protocol = \"tcp\"; port = 443; " more " }"
#define COMMUNICATIONS(all) "communications = (\n" all ");\n"
/* Line 4, 6, 8 and 10 are the first entries of isolation, provision, systems
 * and communications. */
#define ALL(isolation, provision, systems, communications)   \
	HEAD isolation PROVISION(provision) SYSTEMS(systems) \
	    COMMUNICATIONS(communications)

static struct arena arena;
static struct err err;
static struct err_list list;
static const char *folder;

static void
teardown(void)
{
	arena_release(&arena);
}

static struct isolation_model *
load(const char *text)
{
	struct isolation_model *m = NULL;
	config_t config;
	struct zones *z;

	config_init(&config);
	ck_assert_msg(config_read_string(&config, text) == CONFIG_TRUE,
	    "%d: %s", config_error_line(&config), config_error_text(&config));
	err.text[0] = '\0';
	z = zones_load(config_root_setting(&config), &arena, &err);
	if (z != NULL)
		m = isolation_load(config_root_setting(&config), z,
		    folder == NULL ? "/nowhere" : folder, NOW, &arena, &err);
	config_destroy(&config);
	return m;
}

/* Everything that is wrong, a line each. */
static const char *
load_bad(const char *text)
{
	const char *all = "";

	list.n = 0;
	err.list = &list;
	ck_assert(load(text) == NULL);
	err.list = NULL;
	for (size_t i = 0; i < list.n; i++)
		all = arena_printf(
		    &arena, "%s%s%s", all, i == 0 ? "" : "\n", list.texts[i]);
	/* A failure that ended the work stands beside the list. */
	return err.text[0] == '\0' ? all
				   : arena_printf(&arena, "%s%s%s", all,
					 list.n == 0 ? "" : "\n", err.text);
}

static struct address
at(const char *text)
{
	struct address a;

	ck_assert_msg(address_parse(&a, bytes_of(text)) == 0, "%s", text);
	return a;
}

START_TEST(isolation_of_no_settings_is_empty)
{
	struct isolation_model *m = load("");
	struct address a = at("10.1.3.10");

	ck_assert_msg(m != NULL, "%s", err.text);
	ck_assert_uint_eq(
	    m->systems_n + m->endpoints_n + m->communications_n, 0);
	ck_assert_str_eq(m->settings.gate, "");
	ck_assert(!m->settings.kernel);
	ck_assert_int_eq(isolation_place(m, &a), PLACE_OUTSIDE);
	ck_assert(isolation_system_at(m, &a) == NULL);
	ck_assert(isolation_system(m, BYTES("a")) == NULL);
}
END_TEST

static const char good[] = ALL(ISOLATION("statements = \"s\";"),
    ", { name = \"q\"; addresses = [\"192.168.7.7\", \"10.9.0.10\"];"
    " server_name = \"q.test\"; certificate = \"" D("9") "\"; owner = \"o\";"
							 " }",
    GOOD_SYSTEM "," SYSTEM("b", "990019",
	"\"10.1.3.64/26\", \"2001:db8:3::1\", \"10.1.3.128/26\"", D("2"),
	"hours = [\"workday 08:30-17:15\", \"sat 09:00-12:00\"];") "," SYSTEM("c",
	"990027", "\"10.2.3.0/24\"", D("3"), ""),
    COMMUNICATION("x", "\"10.2.3.7\"", "\"10.1.3.0/24\"",
	"mac = \"02:00:00:00:0a:Fe\";") "," COMMUNICATION("y",
	"\"10.8.1.0/24\", \"10.9.1.1\"", "\"10.2.3.9\"",
	"kind = \"eltax\"; mac = \"\";") "," COMMUNICATION("z",
	"\"10.1.2.0/24\"", "\"10.9.2.2\"", ""));

START_TEST(isolation_has_what_the_settings_say)
{
	struct isolation_model *m = load(good);
	const struct communication *c;
	time_t end;

	ck_assert_msg(m != NULL, "%s", err.text);
	ck_assert_str_eq(m->settings.statements, "/nowhere/s");
	ck_assert_str_eq(m->settings.crossings,
	    "/var/lib/sekisho/crossings/crossings.jsonl");
	ck_assert_uint_eq(m->settings.lgwan_prefixes_n, 2);
	ck_assert_uint_eq(m->endpoints_n, 2);
	ck_assert_uint_eq(m->endpoints[0].at[0].port, 8446);
	ck_assert_uint_eq(m->endpoints[1].at[1].port, 443);
	ck_assert_uint_eq(m->endpoints[1].certificate[31], 9);
	ck_assert_uint_eq(m->systems_n, 3);
	ck_assert_str_eq(m->systems[1].body->code, "990019");
	ck_assert_uint_eq(m->systems[1].addresses_n, 3);
	ck_assert_uint_eq(m->systems[1].hours_n, 2);
	ck_assert_uint_eq(m->systems[1].index, 1);
	ck_assert_ptr_eq(m->systems[1].endpoints[0], &m->endpoints[0]);
	ck_assert_str_eq(m->systems[1].probe_key, "");
	ck_assert_str_eq(m->systems[0].source.file, "settings");
	ck_assert_uint_eq(m->communications_n, 3);
	c = m->communications;
	ck_assert(c[0].has_mac && c[0].mac[4] == 0x0a && c[0].mac[5] == 0xfe);
	ck_assert(when_day(BYTES("2027-04-01"), &end) == 0);
	ck_assert_int_eq(c[0].expires, end);
	ck_assert_int_eq(c[1].kind, COMMUNICATION_ELTAX);
	ck_assert_uint_eq(c[1].port_first, 443);
	ck_assert_uint_eq(c[1].port_last, 443);
	ck_assert(!c[1].has_mac);
	ck_assert_int_eq(m->body_models[0], BODY_MODEL_BETA);
	ck_assert_int_eq(m->body_models[1], BODY_MODEL_ALPHA);
}
END_TEST

static const struct {
	const char *address, *place, *system;
} places[] = {
	{ "10.0.0.1", "checkpoint", "" },
	{ "10.0.0.2", "outside", "" },
	{ "10.1.0.255", "outside", "" },
	{ "10.1.1.0", "internet", "" },
	{ "10.1.2.255", "lgwan", "" },
	{ "10.1.3.0", "mynumber", "" },
	{ "10.1.3.9", "mynumber", "" },
	{ "10.1.3.10", "mynumber", "a" },
	{ "10.1.3.11", "mynumber", "" },
	{ "10.1.3.63", "mynumber", "" },
	{ "10.1.3.64", "mynumber", "b" },
	{ "10.1.3.191", "mynumber", "b" },
	{ "10.1.3.192", "mynumber", "" },
	{ "10.1.4.0", "outside", "" },
	{ "10.2.3.0", "mynumber", "c" },
	{ "10.2.3.255", "mynumber", "c" },
	{ "10.7.255.255", "outside", "" },
	{ "10.8.0.0", "lgwan-network", "" },
	{ "10.9.0.9", "lgwan-network", "" },
	{ "10.9.0.10", "provision", "" },
	{ "10.9.255.255", "lgwan-network", "" },
	{ "10.10.0.0", "outside", "" },
	{ "192.168.7.7", "provision", "" },
	{ "192.168.7.8", "outside", "" },
	{ "2001:db8:3::1", "mynumber", "b" },
	{ "2001:db8:3::2", "mynumber", "" },
	{ "2001:db8:4::", "outside", "" },
	{ "::", "outside", "" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "outside", "" },
};

START_TEST(isolation_finds_place_and_system)
{
	struct isolation_model *m = load(good);
	struct address a = at(places[_i].address);
	const struct system *s;

	ck_assert_msg(m != NULL, "%s", err.text);
	s = isolation_system_at(m, &a);
	ck_assert_str_eq(place_name(isolation_place(m, &a)), places[_i].place);
	ck_assert_str_eq(s == NULL ? "" : s->name, places[_i].system);
}
END_TEST

START_TEST(isolation_finds_a_system_by_its_name)
{
	struct isolation_model *m = load(ALL(ISOLATION(""), "",
	    SYSTEM("bb", "990019", "\"10.1.3.1\"", D("1"), "") "," SYSTEM(
		"a", "990019", "\"10.1.3.2\"", D("2"), "") "," SYSTEM("b",
		"990019", "\"10.1.3.3\"", D("3"),
		"") "," SYSTEM("B", "990019", "\"10.1.3.4\"", D("4"), ""),
	    ""));

	ck_assert_msg(m != NULL, "%s", err.text);
	for (size_t i = 0; i < m->systems_n; i++)
		ck_assert_ptr_eq(
		    isolation_system(m, bytes_of(m->systems[i].name)),
		    &m->systems[i]);
	ck_assert(isolation_system(m, BYTES("")) == NULL);
	ck_assert(isolation_system(m, BYTES("bbb")) == NULL);
	ck_assert(isolation_system(m, BYTES("A")) == NULL);
	ck_assert(isolation_system(m, BYTES("c")) == NULL);
}
END_TEST

/* The gate's address is this machine's, whether or not it is said again. */
#define COM(from, to, more) \
	ALL(ISOLATION(""), "", GOOD_SYSTEM, COMMUNICATION("x", from, to, more))
#define M "\"10.2.3.7\"" /* of My Number segments */
#define M2 "\"10.1.3.7\""
#define L "\"10.1.2.7\""
#define I "\"10.1.1.7\""
#define N "\"10.9.1.1\"" /* of LGWAN beyond the bodies */
/* One communication that lacks a key, or has another value. */
#define BARE(keys)                          \
	ALL(ISOLATION(""), "", GOOD_SYSTEM, \
	    "{ name = \"x\"; from = [" M "]; to = [" M2 "]; " keys " }")
#define PURPOSE "purpose = \"p\"; "
#define OWNER "owner = \"o\"; "
#define APPROVAL "approval = \"a\"; "
#define EXPIRES "expires = \"2027-03-31\"; "
#define TCP "protocol = \"tcp\"; port = 1; "
#define SYS(more) ALL(ISOLATION(""), "", more, "")
#define BARE_SYSTEM(keys)                                          \
	SYS("{ name = \"a\"; owner = \"o\"; probe_key = \"none\";" \
	    " certificate = \"" D("1") "\"; body = \"990019\"; " keys " }")
#define PRO(more) HEAD ISOLATION("") "provision = (\n" more ");\n"
#define BARE_ENDPOINT(keys)                                      \
	PRO("{ name = \"p\"; owner = \"o\"; certificate = \"" D( \
	    "1") "\"; " keys " }")
#define ISO(more) HEAD "isolation = {\n" more " };\n"
#define BODY_SEGMENT(prefix, zone)                                           \
	"zones = ( { name = \"i\"; kind = \"internet\"; }, { name ="         \
	" \"l\"; kind = \"lgwan\"; }, { name = \"m\"; kind ="                \
	" \"mynumber\"; } );\nisolation = { lgwan = [\"10.9.0.0/16\"]; };\n" \
	"bodies = ( { code = \"990019\"; name_ja = \"市\"; segments = (\n"  \
	"{ prefix = \"" prefix "\"; zone = \"" zone "\"; }); } );\n"
#define NOT_INTERNET ": a far end may not be on the internet"
#define NO_HOSTS ", expected addresses of hosts"

static const struct {
	const char *name, *text, *want;
} bad[] = {
	/* bodies */
	{ "a model that nobody knows",
	    "bodies = ( { code = \"990019\"; name_ja = \"市\";\nmodel ="
	    " \"gamma\"; } );",
	    "settings:2: model is \"gamma\", expected alpha, alpha-prime, beta"
	    " or beta-prime" },
	{ "a model that is no text",
	    "bodies = ( { code = \"990019\"; name_ja = \"市\";\nmodel = 1; }"
	    " );",
	    "settings:2: model is \"\", expected alpha, alpha-prime, beta or"
	    " beta-prime" },
	/* segments */
	{ "a My Number segment that is half of all",
	    BODY_SEGMENT("0.0.0.0/1", "m"),
	    "settings:4: the segment is or holds an unspecified "
	    "address" NO_HOSTS },
	{ "a My Number segment wider than /8", BODY_SEGMENT("8.0.0.0/7", "m"),
	    "settings:4: the segment is too wide for zone \"m\", expected /8"
	    " at most" },
	{ "an lgwan segment wider than /20 of IPv6",
	    BODY_SEGMENT("2a00::/19", "l"),
	    "settings:4: the segment is too wide for zone \"l\", expected /20"
	    " at most" },
	{ "an lgwan segment of multicast addresses",
	    BODY_SEGMENT("224.1.0.0/16", "l"),
	    "settings:4: the segment is or holds a multicast "
	    "address" NO_HOSTS },
	{ "a segment that is IPv4 in the dress of IPv6",
	    BODY_SEGMENT("::/64", "m"),
	    "settings:4: the segment is or holds wider than all of "
	    "IPv4" NO_HOSTS },
	{ "a My Number segment inside LGWAN", BODY_SEGMENT("10.9.3.0/24", "m"),
	    "settings:4: the segment of zone \"m\" has addresses of"
	    " isolation.lgwan 10.9.0.0/16, expected them in one place" },
	{ "an internet segment around LGWAN", BODY_SEGMENT("10.0.0.0/8", "i"),
	    "settings:4: the segment of zone \"i\" has addresses of"
	    " isolation.lgwan 10.9.0.0/16, expected them in one place" },
	{ "an internet segment by NAT64", BODY_SEGMENT("64:ff9b::/96", "i"),
	    "settings:4: the segment is or holds a translated IPv4"
	    " address" NO_HOSTS },
	{ "an internet segment by 6to4", BODY_SEGMENT("2002:a01:300::/40", "i"),
	    "settings:4: the segment is or holds a translated IPv4"
	    " address" NO_HOSTS },
	/* isolation */
	{ "an unknown key", ISO("kernl = true;"),
	    "settings:5: unknown key \"kernl\", did you mean \"kernel\"?" },
	{ "a gate without a port", ISO("gate = \"10.0.0.1\";"),
	    "settings:5: gate is \"10.0.0.1\", expected an address and a port"
	    " such as 192.0.2.1:8445" },
	{ "a gate at port 0", ISO("gate = \"10.0.0.1:0\";"),
	    "settings:5: gate is \"10.0.0.1:0\", expected an address and a port"
	    " such as 192.0.2.1:8445" },
	{ "a gate everywhere", ISO("gate = \"0.0.0.0:8445\";"),
	    "settings:5: gate is 0.0.0.0:8445, an unspecified address; expected"
	    " one address of this machine" },
	{ "a gate everywhere in IPv6", ISO("gate = \"[::]:8445\";"),
	    "settings:5: gate is [::]:8445, an unspecified address; expected"
	    " one address of this machine" },
	{ "a gate without certificate", ISO("gate = \"10.0.0.1:8445\";"),
	    "settings:5: gate is there without gate_certificate and gate_key,"
	    " expected both" },
	{ "a gate whose certificate is not there",
	    ISO("gate = \"10.0.0.1:8445\"; gate_key = \"k\";\n"
		"gate_certificate = \"c.crt\";"),
	    "settings:6: certificate is \"c.crt\", expected 64 hexadecimal"
	    " digits (the SHA-256 of its DER) or a PEM file: /nowhere/c.crt:"
	    " cannot be read: No such file or directory" },
	{ "an auditor's key that is not there",
	    ISO("auditor_keys = [\n\"/none/k.pub\"];"),
	    "settings:6: /none/k.pub: cannot be read: No such file or "
	    "directory" },
	{ "lgwan that is no prefix", ISO("lgwan = [\"lgwan\"];"),
	    "settings:5: lgwan: \"lgwan\" is no address or prefix, expected one"
	    " such as 192.0.2.0/26 without bits behind the mask" },
	{ "lgwan that is too wide", ISO("lgwan = [\n\"10.0.0.0/7\"];"),
	    "settings:6: lgwan: 10.0.0.0/7 is too wide, expected /8 at most" },
	{ "lgwan with more than a 64th",
	    ISO("lgwan = [\"10.0.0.0/8\", \"11.0.0.0/8\", \"12.0.0.0/8\","
		" \"13.0.0.0/8\", \"14.0.0.0/32\"];"),
	    "settings:5: lgwan has 67108865 IPv4 addresses, expected at most"
	    " 67108864" },
	{ "lgwan twice", ISO("lgwan = [\"10.9.0.0/16\",\n\"10.9.1.0/24\"];"),
	    "settings:6: lgwan: 10.9.1.0/24 overlaps 10.9.0.0/16, expected"
	    " prefixes apart" },
	{ "lgwan by NAT64", ISO("lgwan = [\"64:ff9b::/96\"];"),
	    "settings:5: lgwan: 64:ff9b::/96 is or holds a translated IPv4"
	    " address" NO_HOSTS },
	{ "a prefix as machine", ISO("machine = [\"10.0.0.0/30\"];"),
	    "settings:5: machine: 10.0.0.0/30 is a prefix, expected an"
	    " address" },
	{ "a contractors' extension that is no number",
	    ISO("contractor_oid = \"contractor\";"),
	    "settings:5: contractor_oid is \"contractor\", expected numbers"
	    " such as 1.2.3.4" },
	{ "a canary without a port", ISO("canaries = [\"10.0.0.9\"];"),
	    "settings:5: canaries: \"10.0.0.9\", expected an address and a port"
	    " such as 192.0.2.1:443" },
	/* provision */
	{ "an endpoint without addresses", BARE_ENDPOINT(""),
	    "settings:6: addresses is missing, expected a list of strings" },
	{ "an endpoint that is a prefix",
	    BARE_ENDPOINT("addresses = [\"10.9.0.0/30\"];"),
	    "settings:6: addresses: 10.9.0.0/30 is a prefix, expected an"
	    " address" },
	{ "an endpoint in a body's segment",
	    BARE_ENDPOINT("addresses = [\"10.9.0.1\", \"10.1.2.9\"];"),
	    "settings:6: addresses: 10.1.2.9 is in a segment of 990019"
	    " (settings:2), expected the provision network's" },
	{ "an endpoint that is this machine",
	    BARE_ENDPOINT("addresses = [\"10.0.0.1\"];"),
	    "settings:6: addresses: 10.0.0.1 is this machine, expected the"
	    " provision network's" },
	{ "an endpoint on the internet",
	    BARE_ENDPOINT("addresses = [\"8.8.8.8\"];"),
	    "settings:6: addresses: 8.8.8.8 is on the internet, expected an"
	    " address of isolation.lgwan or of a private network" },
	{ "an endpoint on the internet of IPv6",
	    BARE_ENDPOINT("addresses = [\"2a00::1\"];"),
	    "settings:6: addresses: 2a00::1 is on the internet, expected an"
	    " address of isolation.lgwan or of a private network" },
	{ "an endpoint that is a group",
	    BARE_ENDPOINT("addresses = [\"239.1.1.1\"];"),
	    "settings:6: addresses: 239.1.1.1 is or holds a multicast "
	    "address" NO_HOSTS },
	{ "an endpoint's name with a slash",
	    PRO("{ name = \"a/b\"; owner = \"o\"; certificate = \"" D(
		"1") "\"; addresses = [\"10.9.0.1\"]; }"),
	    "settings:6: name is \"a/b\", expected letters and digits, with"
	    " - _ . behind the first" },
	{ "an endpoint's server name that is none",
	    BARE_ENDPOINT("addresses = [\"10.9.0.1\"]; server_name = \"a b\";"),
	    "settings:6: server_name is \"a b\", expected a host's name" },
	{ "an endpoint without owner",
	    PRO("{ name = \"p\"; certificate = \"" D(
		"1") "\"; addresses = [\"10.9.0.1\"]; }"),
	    "settings:6: owner is missing, expected a string" },
	{ "two endpoints of one name",
	    HEAD PROVISION(",\n{ name = \"p\"; addresses = [\"10.9.0.11\"];"
			   " certificate = \"" D("2") "\"; owner = \"o\"; }"),
	    "settings:6: endpoint \"p\" is there twice, first at settings:5" },
	{ "two endpoints at one address and port",
	    HEAD PROVISION(
		",\n{ name = \"q\"; addresses = [\"10.9.0.10\"];"
		" port = 8446; certificate = \"" D("2") "\"; owner = \"o\"; }"),
	    "settings:6: 10.9.0.10:8446 is endpoint \"p\" already"
	    " (settings:5)" },
	/* systems */
	{ "a system of no body",
	    SYS(SYSTEM("a", "990035", "\"10.1.3.10\"", D("1"), "")),
	    "settings:8: body \"990035\" is not in bodies" },
	{ "a system without addresses",
	    BARE_SYSTEM("purposes = [\"税\"]; endpoints = [\"p\"];"),
	    "settings:8: addresses is missing, expected a list of strings" },
	{ "a system without purposes",
	    BARE_SYSTEM("addresses = [\"10.1.3.1\"]; endpoints = [\"p\"];"),
	    "settings:8: purposes is missing, expected a list of strings" },
	{ "a system with a blank purpose",
	    BARE_SYSTEM("addresses = [\"10.1.3.1\"]; endpoints = [\"p\"];"
			" purposes = [\" \"];"),
	    "settings:8: purposes is blank, expected words" },
	{ "a system without endpoints",
	    BARE_SYSTEM("addresses = [\"10.1.3.1\"]; purposes = [\"税\"];"),
	    "settings:8: endpoints is missing, expected a list of strings" },
	{ "a system with an endpoint that nobody registered",
	    BARE_SYSTEM("addresses = [\"10.1.3.1\"]; purposes = [\"税\"];"
			" endpoints = [\"p\", \"q\"];"),
	    "settings:8: endpoint \"q\" is not in provision" },
	{ "a system with an endpoint twice",
	    BARE_SYSTEM("addresses = [\"10.1.3.1\"]; purposes = [\"税\"];"
			" endpoints = [\"p\", \"p\"];"),
	    "settings:8: endpoint \"p\" is there twice" },
	{ "a system that does not say whether it has a probe",
	    SYS("{ name = \"a\"; owner = \"o\"; certificate = \"" D(
		"1") "\"; body = \"990019\"; addresses = [\"10.1.3.1\"]; "
		     "purposes ="
		     " [\"税\"]; endpoints = [\"p\"]; }"),
	    "settings:8: probe_key is missing, expected a string" },
	{ "a system in a segment of another body",
	    SYS(SYSTEM("a", "990019", "\"10.2.3.10\"", D("1"), "")),
	    "settings:8: addresses: 10.2.3.10 is not within the My Number"
	    " segments of 990019" },
	{ "a system in another zone",
	    SYS(SYSTEM("a", "990019", "\"10.1.2.10\"", D("1"), "")),
	    "settings:8: addresses: 10.1.2.10 is not within the My Number"
	    " segments of 990019" },
	{ "a system wider than its segment",
	    SYS(SYSTEM("a", "990019", "\"10.1.2.0/23\"", D("1"), "")),
	    "settings:8: addresses: 10.1.2.0/23 is not within the My Number"
	    " segments of 990019" },
	{ "a system one address past its segment",
	    SYS(SYSTEM("a", "990027", "\"10.2.4.0\"", D("1"), "")),
	    "settings:8: addresses: 10.2.4.0 is not within the My Number"
	    " segments of 990027" },
	{ "a system at the broadcast address",
	    SYS(SYSTEM("a", "990027", "\"10.2.3.255\"", D("1"), "")),
	    "settings:8: addresses: 10.2.3.255/32 is the broadcast address of"
	    " its segment (settings:3)" },
	{ "a system that is this machine",
	    HEAD "isolation = { machine = [\"10.1.3.10\"]; };\n" PROVISION("")
		SYSTEMS(GOOD_SYSTEM),
	    "settings:8: addresses: 10.1.3.10 has an address of this machine" },
	{ "a system whose hours are none",
	    SYS(SYSTEM("a", "990019", "\"10.1.3.10\"", D("1"),
		"hours = [\"workday 08:30-08:30\"];")),
	    "settings:8: hours: \"workday 08:30-08:30\", expected such as"
	    " \"workday 08:30-17:15\"" },
	{ "a digest of 63 digits",
	    SYS(SYSTEM("a", "990019", "\"10.1.3.10\"",
		"00000000000000000000000000000000000000000000000000000000000000"
		"1",
		"")),
	    "settings:8: certificate is \"0000000000000000000000000000000000"
	    "00000000000000000000000000001\", expected 64 hexadecimal digits"
	    " (the SHA-256 of its DER) or a PEM file: /nowhere/00000000000000"
	    "0000000000000000000000000000000000000000000000001: cannot be "
	    "read: No such file"
	    " or directory" },
	{ "a digest with another letter",
	    SYS(SYSTEM("a", "990019", "\"10.1.3.10\"", D("g"), "")),
	    "settings:8: certificate is \"" D(
		"g") "\", expected 64 hexadecimal digits (the SHA-256 of its "
		     "DER) or a"
		     " PEM file: /nowhere/" D(
			 "g") ": cannot be read: No such file or directory" },
	{ "two systems of one name",
	    SYS(GOOD_SYSTEM
		",\n" SYSTEM("a", "990019", "\"10.1.3.11\"", D("2"), "")),
	    "settings:9: system \"a\" has the name of \"a\" (settings:8),"
	    " expected one of its own" },
	{ "one certificate for two systems",
	    SYS(GOOD_SYSTEM
		",\n" SYSTEM("b", "990019", "\"10.1.3.11\"", D("1"), "")),
	    "settings:9: system \"b\" has the certificate of \"a\""
	    " (settings:8), expected one of its own" },
	{ "one address for two systems",
	    SYS(SYSTEM(
		"a", "990019", "\"10.1.3.8/29\"", D("1"), "") ",\n" SYSTEM("b",
		"990019", "\"10.1.3.1\", \"10.1.3.15\"", D("2"), "")),
	    "settings:9: system \"b\" has the address of \"a\" (settings:8),"
	    " expected one of its own" },
	{ "addresses of two systems in those of a third",
	    SYS(SYSTEM("a", "990019", "\"10.1.3.0/28\"", D("1"),
		"") ",\n" SYSTEM("b", "990019", "\"10.1.3.1\"", D("2"),
		"") ",\n" SYSTEM("c", "990019", "\"10.1.3.9\"", D("3"), "")),
	    "settings:9: system \"b\" has the address of \"a\" (settings:8),"
	    " expected one of its own\n"
	    "settings:10: system \"c\" has the address of \"a\" (settings:8),"
	    " expected one of its own" },
	{ "one address twice for a system",
	    SYS(SYSTEM(
		"a", "990019", "\"10.1.3.1\", \"10.1.3.0/30\"", D("1"), "")),
	    "settings:8: system \"a\" has one address twice" },
	{ "an endpoint's certificate for a system",
	    SYS(SYSTEM("a", "990019", "\"10.1.3.1\"", D("0"), "")),
	    "settings:8: system \"a\" has the certificate of endpoint \"p\""
	    " (settings:6), expected one of its own" },
	{ "a contractor's certificate for a system",
	    ALL(ISOLATION("contractor_certificates = [\"" D("1") "\"];"), "",
		GOOD_SYSTEM, ""),
	    "settings:8: system \"a\" has a certificate of"
	    " isolation.contractor_certificates" },
	/* communications: what must be there */
	{ "no purpose", BARE(OWNER APPROVAL EXPIRES TCP),
	    "settings:10: purpose is missing, expected a string" },
	{ "no owner", BARE(PURPOSE APPROVAL EXPIRES TCP),
	    "settings:10: owner is missing, expected a string" },
	{ "no approval", BARE(PURPOSE OWNER EXPIRES TCP),
	    "settings:10: approval is missing, expected a string" },
	{ "no end", BARE(PURPOSE OWNER APPROVAL TCP),
	    "settings:10: expires is missing, expected a string" },
	{ "no protocol", BARE(PURPOSE OWNER APPROVAL EXPIRES),
	    "settings:10: protocol is missing, expected a string" },
	{ "a blank owner", BARE(PURPOSE APPROVAL EXPIRES TCP "owner = \" \";"),
	    "settings:10: owner is blank, expected words" },
	{ "an empty purpose",
	    BARE(OWNER APPROVAL EXPIRES TCP "purpose = \"\";"),
	    "settings:10: purpose has 0 bytes, expected 1 to 256" },
	{ "a name that leaves its folder",
	    ALL(ISOLATION(""), "", GOOD_SYSTEM,
		COMMUNICATION("../x", M, M2, "")),
	    "settings:10: name is \"../x\", expected letters and digits, with"
	    " - _ . behind the first" },
	{ "no source",
	    ALL(ISOLATION(""), "", GOOD_SYSTEM,
		"{ name = \"x\"; to = [" M
		"]; " PURPOSE OWNER APPROVAL EXPIRES TCP " }"),
	    "settings:10: from is missing, expected a list of strings" },
	{ "no destination",
	    ALL(ISOLATION(""), "", GOOD_SYSTEM,
		"{ name = \"x\"; from = [" M
		"]; " PURPOSE OWNER APPROVAL EXPIRES TCP " }"),
	    "settings:10: to is missing, expected a list of strings" },
	/* until when */
	{ "it was over yesterday",
	    BARE(PURPOSE OWNER APPROVAL TCP "expires = \"2026-11-26\";"),
	    "settings:10: expires: it is over since the end of 2026-11-26,"
	    " expected a day to come, or the entry taken out" },
	{ "no such day",
	    BARE(PURPOSE OWNER APPROVAL TCP "expires = \"2027-02-29\";"),
	    "settings:10: expires is \"2027-02-29\", expected a day such as"
	    " \"2027-03-31\"" },
	{ "one day more than three years",
	    BARE(PURPOSE OWNER APPROVAL TCP "expires = \"2029-11-28\";"),
	    "settings:10: expires is 2029-11-28, expected a day within three"
	    " years" },
	/* what */
	{ "a protocol by number",
	    BARE(PURPOSE OWNER APPROVAL EXPIRES "protocol = \"6\"; port = 1;"),
	    "settings:10: protocol is \"6\", expected tcp, udp, icmp or"
	    " icmpv6" },
	{ "TCP without a port",
	    BARE(PURPOSE OWNER APPROVAL EXPIRES "protocol = \"tcp\";"),
	    "settings:10: port is missing, expected one for tcp" },
	{ "ICMP with a port",
	    BARE(PURPOSE OWNER APPROVAL EXPIRES
		"protocol = \"icmp\"; port = 1;"),
	    "settings:10: port is there, expected none for icmp" },
	{ "port 0",
	    BARE(
		PURPOSE OWNER APPROVAL EXPIRES "protocol = \"udp\"; port = 0;"),
	    "settings:10: port: expected 1 to 65535, or a range such as"
	    " \"8000-8010\"" },
	{ "port 65536",
	    BARE(PURPOSE OWNER APPROVAL EXPIRES
		"protocol = \"udp\"; port = 65536;"),
	    "settings:10: port: expected 1 to 65535, or a range such as"
	    " \"8000-8010\"" },
	{ "a range backwards",
	    BARE(PURPOSE OWNER APPROVAL EXPIRES
		"protocol = \"udp\"; port = \"2-1\";"),
	    "settings:10: port: expected 1 to 65535, or a range such as"
	    " \"8000-8010\"" },
	{ "every port",
	    BARE(PURPOSE OWNER APPROVAL EXPIRES
		"protocol = \"udp\"; port = \"any\";"),
	    "settings:10: port: expected 1 to 65535, or a range such as"
	    " \"8000-8010\"" },
	{ "one port more than 16,384",
	    BARE(PURPOSE OWNER APPROVAL EXPIRES
		"protocol = \"udp\"; port = \"49151-65535\";"),
	    "settings:10: port: a range of 16385 ports, expected at most"
	    " 16384" },
	{ "a kind that the schema does not know", COM(M, N, "kind = \"any\";"),
	    "settings:10: kind is \"any\", expected plain, eltax, pittari, juki"
	    " or jlis" },
	{ "a hardware address too short", COM(M, M2, "mac = \"02:00:00:00\";"),
	    "settings:10: mac is \"02:00:00:00\", expected a host's hardware"
	    " address such as 02:00:00:00:00:01" },
	{ "a hardware address with other marks",
	    COM(M, M2, "mac = \"02-00-00-00-00-01\";"),
	    "settings:10: mac is \"02-00-00-00-00-01\", expected a host's"
	    " hardware address such as 02:00:00:00:00:01" },
	{ "a hardware address of a group",
	    COM(M, M2, "mac = \"01:00:5e:00:00:01\";"),
	    "settings:10: mac is \"01:00:5e:00:00:01\", expected a host's"
	    " hardware address such as 02:00:00:00:00:01" },
	{ "a hardware address of nobody",
	    COM(M, M2, "mac = \"00:00:00:00:00:00\";"),
	    "settings:10: mac is \"00:00:00:00:00:00\", expected a host's"
	    " hardware address such as 02:00:00:00:00:01" },
	{ "a hardware address for many",
	    COM("\"10.2.3.0/30\"", M2, "mac = \"02:00:00:00:00:01\";"),
	    "settings:10: mac is there, expected one address in `from`: its"
	    " host's" },
	{ "two of one name",
	    ALL(ISOLATION(""), "", GOOD_SYSTEM,
		COMMUNICATION("x", M, M2, "") ",\n" COMMUNICATION(
		    "x", M, L, "")),
	    "settings:11: communication \"x\" is there twice, first at"
	    " settings:10" },
	/* between whom */
	{ "IPv4 to IPv6", COM(M, "\"2001:db8:3::1\"", ""),
	    "settings:10: from and to mix IPv4 and IPv6, expected one"
	    " communication for each" },
	{ "IPv4 and IPv6 in one list", COM(M ", \"2001:db8:2::1\"", M2, ""),
	    "settings:10: from and to mix IPv4 and IPv6, expected one"
	    " communication for each" },
	{ "ICMP of IPv6 between addresses of IPv4",
	    BARE(PURPOSE OWNER APPROVAL EXPIRES "protocol = \"icmpv6\";"),
	    "settings:10: protocol is icmpv6, expected icmp between such"
	    " addresses" },
	{ "a group as destination", COM(M, "\"224.0.0.1\"", ""),
	    "settings:10: to: 224.0.0.1 is or holds a multicast "
	    "address" NO_HOSTS },
	{ "a group of IPv6", COM("\"2001:db8:2::1\"", "\"ff02::1\"", ""),
	    "settings:10: to: ff02::1 is or holds a multicast "
	    "address" NO_HOSTS },
	{ "everybody as destination", COM(M, "\"255.255.255.255\"", ""),
	    "settings:10: to: 255.255.255.255 is or holds a broadcast "
	    "address" NO_HOSTS },
	{ "a segment's broadcast address", COM(M, "\"10.1.2.255\"", ""),
	    "settings:10: to: 10.1.2.255/32 is the broadcast address of its"
	    " segment (settings:2)" },
	{ "an end in both", COM("\"10.2.3.0/28\"", M, ""),
	    "settings:10: to: 10.2.3.7 and from: 10.2.3.0/28 have addresses in"
	    " common, expected two ends" },
	{ "a far end on the internet", COM(M, "\"8.8.8.8\"", ""),
	    "settings:10: to: 8.8.8.8: 8.8.8.8 is in no segment and not in"
	    " isolation.lgwan" NOT_INTERNET },
	{ "a source on the internet", COM("\"8.8.8.8\"", M, ""),
	    "settings:10: from: 8.8.8.8: 8.8.8.8 is in no segment and not in"
	    " isolation.lgwan" NOT_INTERNET },
	{ "everything as destination", COM(M, "\"0.0.0.0/0\"", ""),
	    "settings:10: to: 0.0.0.0/0 is or holds a broadcast "
	    "address" NO_HOSTS },
	{ "an end that begins in a segment and leaves it",
	    COM(M, "\"10.1.2.0/23\", \"10.1.0.0/22\"", ""),
	    "settings:10: to: 10.1.0.0/22: 10.1.0.0 is in no segment and not in"
	    " isolation.lgwan" NOT_INTERNET },
	{ "an end that ends outside",
	    COM(M, "\"10.8.0.0/14\"",
		"kind ="
		" \"eltax\";"),
	    "settings:10: to: 10.8.0.0/14: 10.9.0.10 is of endpoint \"p\""
	    " (settings:6), which the gate alone reaches" },
	{ "an unregistered end for a state's system",
	    COM(M, "\"10.10.0.1\"", "kind = \"jlis\";"),
	    "settings:10: to: 10.10.0.1: 10.10.0.1 is in no segment and not in"
	    " isolation.lgwan" NOT_INTERNET },
	{ "LGWAN from the My Number zone without a kind", COM(M, N, ""),
	    "settings:10: to is beyond the bodies (isolation.lgwan), expected"
	    " kind eltax, pittari, juki or jlis, or an lgwan zone alone in"
	    " from" },
	{ "LGWAN from the internet zone without a kind", COM(N, I, ""),
	    "settings:10: from is beyond the bodies (isolation.lgwan), expected"
	    " kind eltax, pittari, juki or jlis, or an lgwan zone alone in"
	    " to" },
	{ "LGWAN from two zones without a kind", COM(L "," M, N, ""),
	    "settings:10: to is beyond the bodies (isolation.lgwan), expected"
	    " kind eltax, pittari, juki or jlis, or an lgwan zone alone in"
	    " from" },
	{ "a kind without LGWAN", COM(M, M2, "kind = \"juki\";"),
	    "settings:10: kind is juki, expected an end in isolation.lgwan" },
	{ "both ends beyond the bodies",
	    COM(N, "\"10.8.0.1\"", "kind = \"juki\";"),
	    "settings:10: neither end is in a body's segment, expected one" },
	{ "the My Number zone to an internet zone", COM(M, I, ""),
	    "settings:10: from has My Number addresses and to has addresses of"
	    " an internet zone" NOT_INTERNET },
	{ "an internet zone to the My Number zone", COM(I, L "," M, ""),
	    "settings:10: to has My Number addresses and from has addresses of"
	    " an internet zone" NOT_INTERNET },
	{ "a provision endpoint as destination", COM(M, "\"10.9.0.10\"", ""),
	    "settings:10: to: 10.9.0.10: 10.9.0.10 is of endpoint \"p\""
	    " (settings:6), which the gate alone reaches" },
	{ "a provision endpoint among others",
	    COM(M, "\"10.9.0.0/28\"", "kind = \"eltax\";"),
	    "settings:10: to: 10.9.0.0/28: 10.9.0.10 is of endpoint \"p\""
	    " (settings:6), which the gate alone reaches" },
	{ "a provision endpoint as source",
	    COM("\"10.9.0.10\"", M, "kind = \"jlis\";"),
	    "settings:10: from: 10.9.0.10: 10.9.0.10 is of endpoint \"p\""
	    " (settings:6), which the gate alone reaches" },
	{ "this machine as destination", COM(M, "\"10.0.0.1\"", ""),
	    "settings:10: to: 10.0.0.1: 10.0.0.1 is of this machine, expected"
	    " both ends beyond it" },
	/* lists */
	{ "systems that are no list", HEAD "systems = { };",
	    "settings:4: systems: expected a list ( … )" },
	{ "provision that is no list", HEAD "provision = 1;",
	    "settings:4: provision: expected a list ( … )" },
	{ "communications that are no list", HEAD "communications = \"x\";",
	    "settings:4: communications: expected a list ( … )" },
	{ "isolation that is no group", HEAD "isolation = ( );",
	    "settings:4: expected a group { … }" },
};

START_TEST(isolation_settings_are_strict)
{
	const char *told = load_bad(bad[_i].text);

	ck_assert_msg(
	    strcmp(told, bad[_i].want) == 0, "%s:\n%s", bad[_i].name, told);
}
END_TEST

#define BARE_ENTRY                                                       \
	"{ name = \"y\"; from = [" M "]; to = [" M2 "]; kind = \"any\";" \
	" owner = \" \"; " PURPOSE APPROVAL                              \
	" expires = \"soon-ish!!\"; protocol = \"ip\"; port = 1; }"

/* What is wrong in one place does not hide what is wrong in another. */
START_TEST(isolation_tells_all_that_is_wrong)
{
	static const char *const want[] = {
		"settings:8: body \"990035\" is not in bodies",
		"settings:8: name is \"a b\", expected letters and digits, with"
		" - _ . behind the first",
		"settings:8: addresses: \"10.1.3.300\" is no address or prefix,"
		" expected one such as 192.0.2.0/26 without bits behind the"
		" mask",
		"settings:8: hours: \"always\", expected such as"
		" \"workday 08:30-17:15\"",
		"settings:8: certificate is \"x.crt\", expected 64 hexadecimal"
		" digits (the SHA-256 of its DER) or a PEM file: "
		"/nowhere/x.crt:"
		" cannot be read: No such file or directory",
		"settings:9: addresses: 10.1.2.1 is not within the My Number"
		" segments of 990019",
		"settings:11: system \"d\" has the certificate of \"a\""
		" (settings:10), expected one of its own",
		"settings:11: system \"d\" has the address of \"a\""
		" (settings:10), expected one of its own",
		"settings:13: to: 8.8.8.8: 8.8.8.8 is in no segment and not in"
		" isolation.lgwan" NOT_INTERNET "",
		"settings:14: owner is blank, expected words",
		"settings:14: kind is \"any\", expected plain, eltax, pittari,"
		" juki or jlis",
		"settings:14: protocol is \"ip\", expected tcp, udp, icmp or"
		" icmpv6",
		"settings:14: expires is \"soon-ish!!\", expected a day such as"
		" \"2027-03-31\"",
	};

	load_bad(ALL(ISOLATION(""), "",
	    SYSTEM("a b", "990035", "\"10.1.3.300\"", "x.crt",
		"hours = [\"always\"];") ",\n" SYSTEM("c", "990019",
		"\"10.1.2.1\"", D("1"), "") ",\n" GOOD_SYSTEM ",\n" SYSTEM("d",
		"990019", "\"10.1.3.10\"", D("1"), ""),
	    COMMUNICATION("x", M, "\"8.8.8.8\"", "") ",\n" BARE_ENTRY));
	for (size_t i = 0; i < list.n && i < COUNT(want); i++)
		ck_assert_str_eq(list.texts[i], want[i]);
	ck_assert_uint_eq(list.n, COUNT(want));
	ck_assert_str_eq(err.text, "");
}
END_TEST

static const struct {
	const char *name, *text;
} edges[] = {
	{ "the last day that is not over",
	    BARE(PURPOSE OWNER APPROVAL TCP "expires = \"2026-11-27\";") },
	{ "three years",
	    BARE(PURPOSE OWNER APPROVAL TCP "expires = \"2029-11-27\";") },
	{ "16,384 ports",
	    BARE(PURPOSE OWNER APPROVAL EXPIRES
		"protocol = \"udp\"; port = \"49152-65535\";") },
	{ "port 1", BARE(PURPOSE OWNER APPROVAL EXPIRES TCP) },
	{ "ICMP", BARE(PURPOSE OWNER APPROVAL EXPIRES "protocol = \"icmp\";") },
	{ "ICMP of IPv6",
	    ALL(ISOLATION(""), "", GOOD_SYSTEM,
		"{ name = \"x\"; from = [\"2001:db8:3::/64\"]; to ="
		" [\"2001:db8:2::/64\"]; protocol = \"icmpv6\"; " PURPOSE OWNER
		    APPROVAL EXPIRES "}") },
	{ "LGWAN of exactly a 64th",
	    ISO("lgwan = [\"10.0.0.0/8\", \"11.0.0.0/8\", \"12.0.0.0/9\","
		" \"12.128.0.0/9\", \"13.0.0.0/8\", \"2a00::/20\"];") "bodies "
								      "= ();" },
	{ "a My Number segment as wide as /8", BODY_SEGMENT("8.0.0.0/8", "m") },
	{ "an lgwan segment inside LGWAN", BODY_SEGMENT("10.9.1.0/24", "l") },
	{ "an internet segment that is nearly all",
	    BODY_SEGMENT("128.0.0.0/1", "i") },
	{ "a system that is a whole segment with a section in it",
	    SYS(SYSTEM("a", "990019", "\"10.1.3.0/24\"", D("1"), "")) },
	{ "an end over two segments beside each other",
	    COM(M, "\"10.1.2.0/23\"", "") },
	{ "the last address of a section is no broadcast",
	    COM(M, "\"10.1.3.127\"", "") },
	{ "an endpoint that the internet routes, in LGWAN",
	    HEAD "isolation = { lgwan = [\"8.8.8.0/24\"]; };\n"
		 "provision = ( { name = \"p\"; addresses = [\"8.8.8.8\"];"
		 " certificate = \"" D("1") "\"; owner = \"o\"; } );" },
};

/* Just inside what `bad` is just outside of. */
START_TEST(isolation_settings_reach_their_limits)
{
	const char *text = edges[_i].text;

	/* The widest LGWAN leaves no room for the usual bodies. */
	if (strncmp(text, HEAD, strlen(HEAD)) == 0 &&
	    strstr(text, "bodies = ();") != NULL)
		text += strlen(HEAD);
	ck_assert_msg(load(text) != NULL, "%s: %s", edges[_i].name, err.text);
}
END_TEST

START_TEST(isolation_reads_a_range_of_ports)
{
	struct isolation_model *m = load(BARE(PURPOSE OWNER APPROVAL EXPIRES
	    "protocol = \"udp\"; port = \"8000-8010\";"));

	ck_assert_msg(m != NULL, "%s", err.text);
	ck_assert_int_eq(m->communications[0].protocol, PROTOCOL_UDP);
	ck_assert_uint_eq(m->communications[0].port_first, 8000);
	ck_assert_uint_eq(m->communications[0].port_last, 8010);
	m = load(BARE(PURPOSE OWNER APPROVAL EXPIRES "protocol = \"icmp\";"));
	ck_assert_msg(m != NULL, "%s", err.text);
	ck_assert_uint_eq(m->communications[0].port_first, 0);
	ck_assert_uint_eq(m->communications[0].port_last, 65535);
}
END_TEST

/* 2027-01-25 is over within 60 days of NOW, the next day is not. */
START_TEST(isolation_tells_what_ends_soon)
{
	struct isolation_model *m =
	    load(HEAD "communications = (\n{ name = \"x\"; from = [" M
		      "]; to = [" M2 "]; " PURPOSE OWNER APPROVAL TCP
		      "expires = \"2027-01-25\"; },\n{ name = \"y\"; from = [" M
		      "]; to = [" M2 "]; " PURPOSE OWNER APPROVAL TCP
		      "expires = \"2027-01-26\"; });");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_msg(m != NULL, "%s", err.text);
	ck_assert_uint_eq(isolation_review(m, NOW, out), 1);
	fclose(out);
	ck_assert_str_eq(text,
	    "settings:5: communication \"x\" ends on 2027-01-25; the settings"
	    " do not load with it from the next day on\n");
	free(text);
}
END_TEST

/* Of n members, as text. */
static const char *
many(size_t n, const char *(*one)(size_t i))
{
	const char *text;
	struct buf b;

	buf_init(&b, 1 << 24);
	for (size_t i = 0; i < n; i++)
		ck_assert(
		    buf_printf(&b, "%s%s", i == 0 ? "" : ",\n", one(i)) == 0);
	text = arena_string(&arena, buf_bytes(&b));
	buf_release(&b);
	return text;
}

static const char *
one_system(size_t i)
{
	return arena_printf(&arena,
	    "{ name = \"s%zu\"; body = \"990019\"; addresses ="
	    " [\"2001:db8:3::%zx\"]; certificate = \"%064zx\"; purposes ="
	    " [\"税\"]; owner = \"o\"; endpoints = [\"p\"]; probe_key ="
	    " \"none\"; }",
	    i, i + 1, i + 16);
}

static const char *
one_communication(size_t i)
{
	return arena_printf(&arena,
	    COMMUNICATION(
		"c%zu", "\"2001:db8:3::%zx\"", "\"2001:db8:2::/64\"", ""),
	    i, i + 1);
}

static const char *
one_endpoint(size_t i)
{
	return arena_printf(&arena,
	    "{ name = \"p%zu\"; addresses = [\"10.9.1.%zu\"]; certificate ="
	    " \"" D("1") "\"; owner = \"o\"; }",
	    i, i + 1);
}

static const char *
one_prefix(size_t i)
{
	return arena_printf(&arena, "\"2001:db8:3::%zx\"", i + 1);
}

static const struct {
	const char *name, *head, *tail;
	const char *(*one)(size_t i);
	size_t max;
	const char *want; /* of one more */
} counts[] = {
	{ "systems", HEAD PROVISION("") "systems = (", ");", one_system,
	    SYSTEMS_MAX,
	    "settings:6: systems has 16385 members, expected at most 16384" },
	{ "communications", HEAD "communications = (", ");", one_communication,
	    COMMUNICATIONS_MAX,
	    "settings:4: communications has 16385 members, expected at most"
	    " 16384" },
	{ "endpoints", HEAD "provision = (", ");", one_endpoint, ENDPOINTS_MAX,
	    "settings:4: provision has 65 members, expected at most 64" },
	{ "addresses of a system",
	    HEAD PROVISION(
		"") "systems = ({ name = \"a\"; body = \"990019\";"
		    " certificate = \"" D(
			"1") "\"; purposes ="
			     " [\"税\"]; owner = \"o\"; endpoints = [\"p\"]"
			     "; probe_key = \"none\"; addresses = [",
	    "]; });", one_prefix, 64,
	    "settings:6: addresses has 65 members, expected 1 to 64" },
	{ "ends of a communication",
	    HEAD "communications = ({ name = \"x\"; to ="
		 " [\"2001:db8:2::/64\"]; " PURPOSE OWNER APPROVAL EXPIRES TCP
		 " from = [",
	    "]; });", one_prefix, 64,
	    "settings:4: from has 65 members, expected 1 to 64" },
};

START_TEST(isolation_counts_have_limits)
{
	const char *text = arena_printf(&arena, "%s%s%s", counts[_i].head,
	    many(counts[_i].max, counts[_i].one), counts[_i].tail);

	ck_assert_msg(load(text) != NULL, "%s: %s", counts[_i].name, err.text);
	text = arena_printf(&arena, "%s%s%s", counts[_i].head,
	    many(counts[_i].max + 1, counts[_i].one), counts[_i].tail);
	ck_assert(load(text) == NULL);
	ck_assert_str_eq(err.text, counts[_i].want);
}
END_TEST

/* An entry that differs from GOOD_SYSTEM, beside what differs in it. */
static const struct {
	const char *name, *text;
	bool same;
} others[] = {
	{ "the same", SYS(GOOD_SYSTEM), true },
	{ "a line further down", SYS("\n" GOOD_SYSTEM), true },
	{ "another beside it",
	    SYS(GOOD_SYSTEM
		"," SYSTEM("z", "990019", "\"10.1.3.11\"", D("2"), "")),
	    true },
	{ "its endpoint has another certificate and port",
	    HEAD "provision = ({ name = \"p\"; addresses = [\"10.9.0.11\"];"
		 " certificate = \"" D("8") "\"; owner = \"q\"; });" SYSTEMS(
		     GOOD_SYSTEM),
	    true },
	{ "name", SYS(SYSTEM("b", "990019", "\"10.1.3.10\"", D("1"), "")),
	    false },
	{ "body", SYS(SYSTEM("a", "990027", "\"10.2.3.10\"", D("1"), "")),
	    false },
	{ "address", SYS(SYSTEM("a", "990019", "\"10.1.3.11\"", D("1"), "")),
	    false },
	{ "one address more",
	    SYS(SYSTEM(
		"a", "990019", "\"10.1.3.10\", \"10.1.3.11\"", D("1"), "")),
	    false },
	{ "prefix", SYS(SYSTEM("a", "990019", "\"10.1.3.10/31\"", D("1"), "")),
	    false },
	{ "certificate",
	    SYS(SYSTEM("a", "990019", "\"10.1.3.10\"", D("2"), "")), false },
	{ "hours",
	    SYS(SYSTEM("a", "990019", "\"10.1.3.10\"", D("1"),
		"hours = [\"mon 08:00-09:00\"];")),
	    false },
	{ "purposes",
	    SYS("{ name = \"a\"; body = \"990019\"; addresses ="
		" [\"10.1.3.10\"]; certificate = \"" D(
		    "1") "\"; purposes = [\"税\", \"住\"]; owner = \"o\"; "
			 "endpoints ="
			 " [\"p\"]; probe_key = \"none\"; }"),
	    false },
	{ "owner",
	    SYS("{ name = \"a\"; body = \"990019\"; addresses ="
		" [\"10.1.3.10\"]; certificate = \"" D(
		    "1") "\"; purposes = [\"税\"]; owner = \"q\"; endpoints = "
			 "[\"p\"];"
			 " probe_key = \"none\"; }"),
	    false },
};

START_TEST(isolation_digest_is_of_the_entry)
{
	struct isolation_model *m = load(SYS(GOOD_SYSTEM));
	struct isolation_model *other = load(others[_i].text);

	ck_assert_msg(m != NULL && other != NULL, "%s", err.text);
	ck_assert_msg((memcmp(m->systems[0].digest, other->systems[0].digest,
			   MODEL_DIGEST_N) == 0) == others[_i].same,
	    "%s", others[_i].name);
}
END_TEST

/* Certificates and keys in files. */

static char place[64];

static void
write_file(const char *name, void (*write)(FILE *f, void *what), void *what)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", place, name);
	f = fopen(path, "w");
	ck_assert(f != NULL);
	write(f, what);
	fclose(f);
}

static void
write_certificate(FILE *f, void *what)
{
	ck_assert(PEM_write_X509(f, what) == 1);
}

static void
write_public(FILE *f, void *what)
{
	ck_assert(PEM_write_PUBKEY(f, what) == 1);
}

static void
write_private(FILE *f, void *what)
{
	ck_assert(
	    PEM_write_PrivateKey(f, what, NULL, NULL, 0, NULL, NULL) == 1);
}

static void
write_both(FILE *f, void *what)
{
	write_public(f, what);
	write_private(f, what);
}

static void
write_text(FILE *f, void *what)
{
	fputs(what, f);
}

static X509 *one_certificate;

static void
setup_files(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY *ec = lab_key("EC");
	char text[] = "no PEM";

	snprintf(place, sizeof(place), "/tmp/sekisho-model-XXXXXX");
	ck_assert(mkdtemp(place) != NULL);
	folder = place;
	one_certificate = lab_origin("DNS:a.test");
	write_file("a.crt", write_certificate, one_certificate);
	write_file("probe.pub", write_public, key);
	write_file("probe.key", write_private, key);
	write_file("both.pem", write_both, key);
	write_file("ec.pub", write_public, ec);
	write_file("text", write_text, text);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ec);
}

static void
teardown_files(void)
{
	static const char *const names[] = { "a.crt", "probe.pub", "probe.key",
		"both.pem", "ec.pub", "text" };
	char path[128];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", place, names[i]);
		unlink(path);
	}
	rmdir(place);
	folder = NULL;
	X509_free(one_certificate);
	teardown();
}

#define PROBED(certificate, key)                                             \
	SYS("{ name = \"a\"; body = \"990019\"; addresses = [\"10.1.3.10\"]" \
	    "; certificate = \"" certificate "\"; purposes = [\"税\"];"     \
	    " owner = \"o\"; endpoints = [\"p\"]; probe_key = \"" key "\"; }")

START_TEST(isolation_reads_a_certificate_from_its_file)
{
	struct isolation_model *m = load(PROBED("a.crt", "probe.pub"));
	uint8_t digest[MODEL_DIGEST_N];
	struct isolation_model *named;
	char hex[2 * MODEL_DIGEST_N + 1];

	ck_assert_msg(m != NULL, "%s", err.text);
	ck_assert(
	    X509_digest(one_certificate, EVP_sha256(), digest, NULL) == 1);
	ck_assert(
	    memcmp(m->systems[0].certificate, digest, sizeof(digest)) == 0);
	ck_assert(strstr(m->systems[0].probe_key, "BEGIN PUBLIC KEY") != NULL);
	/* The digest in words, in either case, is the same entry. */
	for (size_t i = 0; i < MODEL_DIGEST_N; i++)
		snprintf(hex + 2 * i, 3, "%02X", digest[i]);
	named = load(arena_printf(&arena, PROBED("%s", "probe.pub"), hex));
	ck_assert_msg(named != NULL, "%s", err.text);
	ck_assert(memcmp(named->systems[0].digest, m->systems[0].digest,
		      MODEL_DIGEST_N) == 0);
	/* Without its probe it is another. */
	named = load(PROBED("a.crt", "none"));
	ck_assert_msg(named != NULL, "%s", err.text);
	ck_assert(memcmp(named->systems[0].digest, m->systems[0].digest,
		      MODEL_DIGEST_N) != 0);
}
END_TEST

START_TEST(isolation_reads_the_gates_files)
{
	struct isolation_model *m =
	    load(ISO("gate = \"10.0.0.7:8445\"; gate_certificate = \"a.crt\";"
		     " gate_key = \"gate.key\"; auditor_keys = [\"probe.pub\"];"
		     " contractor_certificates = [\"a.crt\", \"" D(
			 "A") "\"];"
			      " contractor_oid = \"1.2.3.4\"; canaries = "
			      "[\"10.0.0.9:443\"];"));
	struct address a = at("10.0.0.7");
	uint8_t digest[MODEL_DIGEST_N];
	char hex[2 * MODEL_DIGEST_N + 1];

	ck_assert_msg(m != NULL, "%s", err.text);
	ck_assert_int_eq(m->settings.gate_at.port, 8445);
	ck_assert_int_eq(isolation_place(m, &a), PLACE_CHECKPOINT);
	ck_assert_str_eq(
	    m->settings.gate_key, arena_printf(&arena, "%s/gate.key", place));
	ck_assert_str_eq(m->settings.auditor_keys.p[0],
	    arena_printf(&arena, "%s/probe.pub", place));
	ck_assert(
	    X509_digest(one_certificate, EVP_sha256(), digest, NULL) == 1);
	for (size_t i = 0; i < MODEL_DIGEST_N; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	ck_assert_str_eq(m->settings.contractor_certificates.p[0], hex);
	ck_assert_str_eq(m->settings.contractor_certificates.p[1], D("a"));
	ck_assert_int_eq(m->settings.canaries_at[0].port, 443);
}
END_TEST

static const struct {
	const char *text, *want; /* %s: the folder */
} files[] = {
	{ PROBED("text", "none"),
	    "settings:8: certificate is \"text\", expected 64 hexadecimal"
	    " digits (the SHA-256 of its DER) or a PEM file: %s/text: no"
	    " certificate in PEM" },
	{ PROBED("probe.pub", "none"),
	    "settings:8: certificate is \"probe.pub\", expected 64 hexadecimal"
	    " digits (the SHA-256 of its DER) or a PEM file: %s/probe.pub: no"
	    " certificate in PEM" },
	{ PROBED("a.crt", "ec.pub"),
	    "settings:8: %s/ec.pub: expected a public key of Ed25519 in PEM,"
	    " alone" },
	{ PROBED("a.crt", "probe.key"),
	    "settings:8: %s/probe.key: expected a public key of Ed25519 in PEM,"
	    " alone" },
	{ PROBED("a.crt", "both.pem"),
	    "settings:8: %s/both.pem: expected a public key of Ed25519 in PEM,"
	    " alone" },
	{ PROBED("a.crt", "text"),
	    "settings:8: %s/text: expected a public key of Ed25519 in PEM,"
	    " alone" },
	{ ISO("auditor_keys = [\"both.pem\"];"),
	    "settings:5: %s/both.pem: expected a public key of Ed25519 in PEM,"
	    " alone" },
};

START_TEST(isolation_refuses_files_of_another_kind)
{
	char want[512];
	const char *after = strchr(files[_i].want, '%');

	snprintf(want, sizeof(want), "%.*s%s%s", (int)(after - files[_i].want),
	    files[_i].want, place, after + 2);
	ck_assert_str_eq(load_bad(files[_i].text), want);
}
END_TEST

Suite *isolation_model_suite(void);

Suite *
isolation_model_suite(void)
{
	Suite *s = suite_create("isolation_model");
	TCase *t = tcase_create("isolation_model");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, isolation_of_no_settings_is_empty);
	tcase_add_test(t, isolation_has_what_the_settings_say);
	tcase_add_loop_test(
	    t, isolation_finds_place_and_system, 0, COUNT(places));
	tcase_add_test(t, isolation_finds_a_system_by_its_name);
	tcase_add_loop_test(t, isolation_settings_are_strict, 0, COUNT(bad));
	tcase_add_test(t, isolation_tells_all_that_is_wrong);
	tcase_add_loop_test(
	    t, isolation_settings_reach_their_limits, 0, COUNT(edges));
	tcase_add_test(t, isolation_reads_a_range_of_ports);
	tcase_add_test(t, isolation_tells_what_ends_soon);
	tcase_add_loop_test(t, isolation_counts_have_limits, 0, COUNT(counts));
	tcase_add_loop_test(
	    t, isolation_digest_is_of_the_entry, 0, COUNT(others));
	suite_add_tcase(s, t);
	t = tcase_create("isolation_model_files");
	tcase_add_checked_fixture(t, setup_files, teardown_files);
	tcase_add_test(t, isolation_reads_a_certificate_from_its_file);
	tcase_add_test(t, isolation_reads_the_gates_files);
	tcase_add_loop_test(
	    t, isolation_refuses_files_of_another_kind, 0, COUNT(files));
	suite_add_tcase(s, t);
	return s;
}
