/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/probe/trial.h"

#include <check.h>

#define DIGITS "00112233445566778899aabbccddeeff"
#define GATE                                                             \
	"gate = 192.0.2.1:8445\ngate_certificate = " DIGITS DIGITS "\n"  \
	"certificate = system.crt\ncertificate_key = /keys/system.key\n" \
	"probe_key = probe.key\n"
#define ALL                                                     \
	"system = kokuho-1\n" GATE "canary = 203.0.113.1:443\n" \
	"address = 192.0.2.0/28\n"

/* Line 9 is the one that a case adds. */
static const struct {
	const char *name;
	struct bytes text;
	const char *why; /* NULL: taken */
} cases[] = {
	{ "as few as may be", BYTES(ALL), NULL },
	{ "nothing", BYTES(""), "f/p: no system, expected" },
	{ "no end of line", BYTES(ALL "deadline = 3"), NULL },
	{ "blanks", BYTES(ALL " \t deadline\t=  3 \t\n\n   \n"), NULL },
	{ "a comment", BYTES(ALL "# canary = x\n"), NULL },
	{ "CRLF", BYTES(ALL "deadline = 3\r\n"), "f/p:9: deadline is \"3\r\"" },
	{ "no value", BYTES(ALL "deadline =\n"), "f/p:9: deadline is \"\"" },
	{ "no sign", BYTES(ALL "deadline 3\n"),
	    "f/p:9: \"deadline 3\", expected `key = value`" },
	{ "an unknown key", BYTES(ALL "deadlin = 3\n"),
	    "f/p:9: unknown key \"deadlin\"" },
	{ "no key", BYTES(ALL "= 3\n"), "f/p:9: unknown key \"\"" },
	{ "upper case", BYTES(ALL "Deadline = 3\n"), "f/p:9: unknown key" },
	{ "twice", BYTES(ALL "system = kokuho-1\n"),
	    "f/p:9: system a second time, expected once" },
	{ "deadline of 30 s", BYTES(ALL "deadline = 30\n"), NULL },
	{ "deadline of 31 s", BYTES(ALL "deadline = 31\n"),
	    "f/p:9: deadline is \"31\", expected whole seconds, 1 to 30" },
	{ "deadline of none", BYTES(ALL "deadline = 0\n"), "f/p:9: deadline" },
	{ "a comment behind a value", BYTES(ALL "deadline = 3 # s\n"),
	    "f/p:9: deadline is \"3 # s\"" },
	{ "names", BYTES(ALL "name = www.canary.test\nname = *.canary.test\n"),
	    NULL },
	{ "a star inside", BYTES(ALL "name = www.*.test\n"), "f/p:9: name" },
	{ "a star alone", BYTES(ALL "name = *.\n"), "f/p:9: name is \"*.\"" },
	{ "an empty label", BYTES(ALL "name = a..test\n"), "f/p:9: name" },
	{ "a dot at the end", BYTES(ALL "name = a.test.\n"), "f/p:9: name" },
	{ "a blank in it", BYTES(ALL "name = a b.test\n"), "f/p:9: name" },
	{ "a NUL in it", BYTES(ALL "name = a\0.test\n"), "f/p:9: name" },
	{ "a label of 64", BYTES(ALL "name = " DIGITS DIGITS ".test\n"),
	    "f/p:9: name" },
	{ "canaries", BYTES(ALL "canary = [2001:db8::1]:53\n"), NULL },
	{ "a canary without port", BYTES(ALL "canary = 203.0.113.2\n"),
	    "f/p:9: canary" },
	{ "port 0", BYTES(ALL "canary = 203.0.113.2:0\n"), "f/p:9: canary" },
	{ "a canary twice", BYTES(ALL "canary = 203.0.113.1:443\n"),
	    "f/p:9: canary" },
	{ "a canary by its name", BYTES(ALL "canary = a.test:443\n"),
	    "f/p:9: canary" },
	{ "a canary of no host", BYTES(ALL "canary = 0.0.0.0:443\n"),
	    "f/p:9: canary" },
	{ "a canary of many", BYTES(ALL "canary = 224.0.0.1:443\n"),
	    "f/p:9: canary" },
	{ "all hosts", BYTES(ALL "canary = 255.255.255.255:443\n"),
	    "f/p:9: canary" },
	{ "the last before them", BYTES(ALL "canary = 223.255.255.255:443\n"),
	    NULL },
	{ "a canary of a link", BYTES(ALL "canary = [fe80::1]:443\n"),
	    "f/p:9: canary" },
	{ "a canary of many, of IPv6", BYTES(ALL "canary = [ff02::1]:443\n"),
	    "f/p:9: canary" },
	{ "no address of IPv6", BYTES(ALL "canary = [::]:443\n"),
	    "f/p:9: canary" },
	{ "an address", BYTES(ALL "address = 2001:db8::1\n"), NULL },
	{ "a prefix with bits behind it", BYTES(ALL "address = 192.0.2.1/28\n"),
	    "f/p:9: address" },
	{ "from", BYTES(ALL "from = 192.0.2.10\n"), NULL },
	{ "from a port", BYTES(ALL "from = 192.0.2.10:1\n"), "f/p:9: from" },
	{ "a weight", BYTES(ALL "resolvers = finding\nnames = fact\n"), NULL },
	{ "another", BYTES(ALL "resolvers = yes\n"),
	    "f/p:9: resolvers is \"yes\", expected finding or fact" },
	{ "no canary", BYTES("system = s\n" GATE "address = 192.0.2.1\n"),
	    "f/p: no canary, expected" },
	{ "no address", BYTES("system = s\n" GATE "canary = 203.0.113.1:443\n"),
	    "f/p: no address, expected" },
};

START_TEST(trial_is_strict)
{
	struct trial p;
	struct err e = { 0 };
	int got = trial_parse(&p, cases[_i].text, "f/p", &e);

	ck_assert_msg((got == 0) == (cases[_i].why == NULL), "%s: %s",
	    cases[_i].name, e.text);
	if (got < 0)
		ck_assert_msg(strstr(e.text, cases[_i].why) == e.text, "%s: %s",
		    cases[_i].name, e.text);
}
END_TEST

START_TEST(trial_takes_values)
{
	const struct bytes text = BYTES(
	    ALL "name = *.canary.test\nresolvers = finding\nnames = fact\n"
		"canary = [2001:db8::1]:53\n");
	char out[ADDRESS_TEXT_MAX];
	struct trial p;
	struct err e = { 0 };

	ck_assert_int_eq(trial_parse(&p, text, "/etc/probe.conf", &e), 0);
	ck_assert_str_eq(p.system, "kokuho-1");
	ck_assert_str_eq(address_text_port(&p.gate, out), "192.0.2.1:8445");
	ck_assert_uint_eq(p.gate_certificate[1], 0x11);
	ck_assert_uint_eq(p.gate_certificate[31], 0xff);
	ck_assert_str_eq(p.certificate, "/etc/system.crt");
	ck_assert_str_eq(p.certificate_key, "/keys/system.key");
	ck_assert_str_eq(p.probe_key, "/etc/probe.key");
	ck_assert_uint_eq(p.canaries_n, 2);
	ck_assert_str_eq(
	    address_text_port(&p.canaries[1], out), "[2001:db8::1]:53");
	ck_assert_uint_eq(p.names_n, 1);
	ck_assert_str_eq(p.names[0], "*.canary.test");
	ck_assert_uint_eq(p.addresses_n, 1);
	ck_assert_int_eq(p.names_are, PROBE_TOLD);
	ck_assert_int_eq(p.resolvers_are, PROBE_FOUND);
	ck_assert_int_eq(p.default_routes_are, PROBE_TOLD);
	ck_assert_int_eq(p.other_addresses_are, PROBE_FOUND);
	ck_assert_uint_eq(p.deadline_s, 5);
}
END_TEST

static const struct {
	const char *key, *value; /* with one %u */
	size_t first, max;       /* how many are in ALL; how many may be */
} limits[] = {
	{ "canary", "192.0.2.1:", 1, TRIAL_CANARIES_MAX },
	{ "name", "a.test", 0, TRIAL_NAMES_MAX },
	{ "address", "192.0.2.1", 1, TRIAL_ADDRESSES_MAX },
};

START_TEST(trial_takes_so_many_and_no_more)
{
	struct trial p;
	struct err e = { 0 };
	struct buf text;

	buf_init(&text, 65536);
	ck_assert(buf_append_string(&text, ALL) == 0);
	for (size_t i = limits[_i].first; i < limits[_i].max; i++)
		ck_assert(buf_printf(&text, "%s = %s", limits[_i].key,
			      limits[_i].value) == 0 &&
		    (_i == 0 ? buf_printf(&text, "%zu\n", i + 1)
			     : buf_printf(&text, "\n")) == 0);
	ck_assert_msg(
	    trial_parse(&p, buf_bytes(&text), "p", &e) == 0, "%s", e.text);
	ck_assert(buf_printf(&text, "%s = %s%s\n", limits[_i].key,
		      limits[_i].value, _i == 0 ? "999" : "") == 0);
	ck_assert_int_eq(trial_parse(&p, buf_bytes(&text), "p", &e), -1);
	buf_release(&text);
}
END_TEST

/* Who mends a file wants to see all that is wrong. */
START_TEST(trial_tells_all_faults)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct trial p;

	ck_assert_int_eq(
	    trial_parse(&p, BYTES("x\nsystem = s\ny = 1\n"), "p", &e), -1);
	ck_assert_uint_eq(all.n, 2 + 7);
	ck_assert_str_eq(all.texts[1], "p:3: unknown key \"y\"");
}
END_TEST

Suite *trial_suite(void);

Suite *
trial_suite(void)
{
	Suite *s = suite_create("trial");
	TCase *t = tcase_create("trial");

	tcase_add_loop_test(t, trial_is_strict, 0, COUNT(cases));
	tcase_add_test(t, trial_takes_values);
	tcase_add_loop_test(
	    t, trial_takes_so_many_and_no_more, 0, COUNT(limits));
	tcase_add_test(t, trial_tells_all_faults);
	suite_add_tcase(s, t);
	return s;
}
