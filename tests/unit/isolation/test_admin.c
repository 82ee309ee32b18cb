/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/admin.h"

#include <check.h>
#include <string.h>

#define NOW ((time_t)1795748400)

static struct arena arena;
static struct err err;

static void
teardown(void)
{
	arena_release(&arena);
}

static const struct isolation_settings *
load(const char *isolation)
{
	const char *text = arena_printf(&arena,
	    "zones = ( { name = \"l\"; kind = \"lgwan\"; }, { name = \"m\";"
	    " kind = \"mynumber\"; } ); bodies = ( { code = \"990019\";"
	    " name_ja = \"a\"; segments = ( { prefix = \"10.1.2.0/24\"; zone ="
	    " \"l\"; }, { prefix = \"10.1.3.0/24\"; zone = \"m\"; } ); } );"
	    "provision = ( { name = \"p\"; addresses = [\"10.9.0.10\"]; port ="
	    " 8446; certificate = \"%064d\"; owner = \"o\"; } );\n"
	    "isolation = {\n%s };\n",
	    1, isolation);
	struct isolation_model *m = NULL;
	config_t config;
	struct zones *z;

	config_init(&config);
	ck_assert_msg(config_read_string(&config, text) == CONFIG_TRUE, "%s",
	    config_error_text(&config));
	z = zones_load(config_root_setting(&config), &arena, &err);
	ck_assert_msg(z != NULL, "%s", err.text);
	err.text[0] = '\0';
	m = isolation_load(
	    config_root_setting(&config), z, "/", NOW, &arena, &err);
	config_destroy(&config);
	return m == NULL ? NULL : &m->settings;
}

START_TEST(admin_reads_who_reaches_the_machine)
{
	const struct isolation_settings *s =
	    load("kernel = true; admin = [\"10.1.2.8/29 tcp 22\","
		 " \"2001:db8::/64 udp 161-162\", \"10.1.2.9 icmp\","
		 " \"2001:db8::1 icmp\", \"10.1.2.9 vrrp\"];");

	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_uint_eq(s->admins_n, 5);
	ck_assert_uint_eq(s->admins[0].protocol, 6);
	ck_assert_uint_eq(s->admins[0].port_first, 22);
	ck_assert_uint_eq(s->admins[0].port_last, 22);
	ck_assert_uint_eq(s->admins[1].port_last, 162);
	ck_assert_uint_eq(s->admins[2].protocol, 1);
	ck_assert_uint_eq(s->admins[2].port_last, 65535);
	ck_assert_uint_eq(s->admins[3].protocol, 58);
	ck_assert_uint_eq(s->admins[4].protocol, 112);
	s = load("kernel = true; admin = [\"none\"];");
	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_uint_eq(s->admins_n, 0);
}
END_TEST

static const struct {
	const char *isolation, *why;
} bad[] = {
	{ "kernel = true;", "kernel is true without admin" },
	{ "admin = [\"10.1.3.7 tcp 22\"];", "of a My Number segment" },
	{ "admin = [\"10.0.0.0/8 tcp 22\"];", "of a provision endpoint" },
	{ "admin = [\"10.1.2.0/28 tcp 22\", \"10.1.2.8/29 tcp 20-30\"];",
	    "overlaps an entry before it" },
	{ "admin = [\"10.1.2.8/29\"];", "expected a prefix" },
	{ "admin = [\"10.1.2.8/29 tcp\"];", "expected a prefix" },
	{ "admin = [\"10.1.2.8/29 tcp 0\"];", "expected a prefix" },
	{ "admin = [\"10.1.2.8/29 tcp 65536\"];", "expected a prefix" },
	{ "admin = [\"10.1.2.8/29 tcp 30-20\"];", "expected a prefix" },
	{ "admin = [\"10.1.2.8/29 tcp 20-\"];", "expected a prefix" },
	{ "admin = [\"10.1.2.8/29 icmp 8\"];", "expected a prefix" },
	{ "admin = [\"10.1.2.8/29 gre\"];", "expected a prefix" },
	{ "admin = [\"10.1.2.9/29 tcp 22\"];", "expected a prefix" },
	{ "admin = [\"none\", \"10.1.2.8/29 tcp 22\"];", "expected a prefix" },
};

START_TEST(admin_refuses_what_is_no_such_entry)
{
	ck_assert(load(bad[_i].isolation) == NULL);
	ck_assert_msg(strstr(err.text, bad[_i].why) != NULL, "%s", err.text);
}
END_TEST

Suite *admin_suite(void);

Suite *
admin_suite(void)
{
	Suite *s = suite_create("admin");
	TCase *c = tcase_create("entries");

	tcase_add_checked_fixture(c, NULL, teardown);
	tcase_add_test(c, admin_reads_who_reaches_the_machine);
	tcase_add_loop_test(
	    c, admin_refuses_what_is_no_such_entry, 0, COUNT(bad));
	suite_add_tcase(s, c);
	return s;
}
