/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "proxy/upstream/upstream.h"

static struct arena arena;
static struct err err;

static void
teardown(void)
{
	arena_release(&arena);
}

/* Both groups; the first that fails says why. */
static int
load(const char *text, struct upstream_settings *s, struct verify_settings *v)
{
	config_t config;
	int result;

	config_init(&config);
	ck_assert_msg(config_read_string(&config, text) == CONFIG_TRUE, "%s",
	    config_error_text(&config));
	err.text[0] = '\0';
	result = upstream_load(config_root_setting(&config), &arena, s, &err);
	if (result == 0)
		result =
		    verify_load(config_root_setting(&config), &arena, v, &err);
	config_destroy(&config);
	return result;
}

#define HOST(name, address) \
	"{ name = \"" name "\"; addresses = [" address "]; }"
#define HOSTS(list) "upstream = { hosts = (" list "); };"
#define EXCEPTION(members) "tls_origin = { exceptions = ( {" members "} ); };"

START_TEST(upstream_hosts_are_sorted_and_canonical)
{
	struct upstream_settings s = { 0 };
	struct verify_settings v = { 0 };

	ck_assert_msg(load(HOSTS(HOST("B.test", "\"192.0.2.1\"") "," HOST(
			       "a.test", "\"192.0.2.2\", \"2001:db8::1\"")),
			  &s, &v) == 0,
	    "%s", err.text);
	ck_assert_uint_eq(s.hosts_n, 2);
	ck_assert_str_eq(s.hosts[0].name, "a.test");
	ck_assert_uint_eq(s.hosts[0].n, 2);
	ck_assert_str_eq(s.hosts[1].name, "b.test");
}
END_TEST

START_TEST(upstream_defaults_need_no_group)
{
	struct upstream_settings s = { 0 };
	struct verify_settings v = { 0 };

	ck_assert_msg(load("", &s, &v) == 0, "%s", err.text);
	ck_assert_uint_eq(s.hosts_n, 0);
	ck_assert_uint_eq(s.connect_timeout_ms, 15000);
	ck_assert_str_eq(v.system_store, "/etc/ssl/certs/ca-certificates.crt");
}
END_TEST

/* The end of the day is Japan's. */
START_TEST(upstream_exception_ends_with_its_day)
{
	struct upstream_settings s = { 0 };
	struct verify_settings v = { 0 };

	ck_assert_msg(
	    load(EXCEPTION("destination = \"Old.test\"; checks = [\"time\","
			   " \"chain\"]; owner = \"o\"; reason = \"r\";"
			   " expires = \"2027-03-31\";"),
		&s, &v) == 0,
	    "%s", err.text);
	ck_assert_str_eq(v.exceptions[0].destination, "old.test");
	ck_assert_uint_eq(v.exceptions[0].checks, VERIFY_TIME | VERIFY_CHAIN);
	/* 2027-04-01T00:00:00+09:00 */
	ck_assert_int_eq(v.exceptions[0].expires, 1806505200);
}
END_TEST

static const struct {
	const char *name, *text, *want;
} bad[] = {
	{ "a host twice",
	    HOSTS(HOST("a.test", "\"192.0.2.1\"") ",\n" HOST(
		"A.test", "\"192.0.2.2\"")),
	    "settings:2: host \"a.test\" is there twice, first at settings:1" },
	{ "a host without addresses", HOSTS("{ name = \"a.test\"; }"),
	    "addresses" },
	{ "an address that is none", HOSTS(HOST("a.test", "\"192.0.2\"")),
	    "settings:1: \"192.0.2\" is no address" },
	{ "a name that is none", HOSTS(HOST("a b", "\"192.0.2.1\"")),
	    "expected a name" },
	{ "hosts that are no list", "upstream = { hosts = 1; };", "list" },
	{ "a refused prefix that is none",
	    "upstream = { refused = [\"10.0.0.1/8\"]; };", "is no prefix" },
	{ "an exception without owner",
	    EXCEPTION("destination = \"a.test\"; checks = [\"time\"];"
		      " reason = \"r\"; expires = \"2027-03-31\";"),
	    "owner is missing" },
	{ "an exception without reason",
	    EXCEPTION("destination = \"a.test\"; checks = [\"time\"];"
		      " owner = \"o\"; expires = \"2027-03-31\";"),
	    "reason is missing" },
	{ "an exception without end",
	    EXCEPTION("destination = \"a.test\"; checks = [\"time\"];"
		      " owner = \"o\"; reason = \"r\";"),
	    "expires is missing" },
	{ "an exception without checks",
	    EXCEPTION("destination = \"a.test\"; owner = \"o\";"
		      " reason = \"r\"; expires = \"2027-03-31\";"),
	    "checks is missing" },
	{ "an unknown check",
	    EXCEPTION("destination = \"a.test\"; checks = [\"all\"];"
		      " owner = \"o\"; reason = \"r\";"
		      " expires = \"2027-03-31\";"),
	    "check \"all\" is unknown" },
	{ "a day that is none",
	    EXCEPTION("destination = \"a.test\"; checks = [\"time\"];"
		      " owner = \"o\"; reason = \"r\";"
		      " expires = \"2027-02-30\";"),
	    "expected a day" },
};

START_TEST(upstream_settings_are_strict)
{
	struct upstream_settings s = { 0 };
	struct verify_settings v = { 0 };

	ck_assert_msg(load(bad[_i].text, &s, &v) < 0, "%s", bad[_i].name);
	ck_assert_msg(strstr(err.text, bad[_i].want) != NULL, "%s: %s",
	    bad[_i].name, err.text);
}
END_TEST

Suite *upstream_settings_suite(void);

Suite *
upstream_settings_suite(void)
{
	Suite *s = suite_create("upstream_settings");
	TCase *t = tcase_create("upstream_settings");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, upstream_hosts_are_sorted_and_canonical);
	tcase_add_test(t, upstream_defaults_need_no_group);
	tcase_add_test(t, upstream_exception_ends_with_its_day);
	tcase_add_loop_test(t, upstream_settings_are_strict, 0, COUNT(bad));
	suite_add_tcase(s, t);
	return s;
}
