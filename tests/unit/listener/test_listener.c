/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/listener.h"

#include <check.h>
#include <string.h>

Suite *listener_suite(void);

static struct arena arena;
static struct err err;

static void
teardown(void)
{
	arena_release(&arena);
}

/* One listener of those members. */
static int
load(const char *members, struct listener_settings **out)
{
	const char *text =
	    arena_printf(&arena, "listeners = ( { %s } );", members);
	config_t config;
	size_t n = 0;
	int result;

	config_init(&config);
	ck_assert_msg(config_read_string(&config, text) == CONFIG_TRUE, "%s",
	    config_error_text(&config));
	err.text[0] = '\0';
	result =
	    listeners_load(config_root_setting(&config), &arena, out, &n, &err);
	ck_assert(result < 0 || n == 1);
	config_destroy(&config);
	return result;
}

#define AT "address = \"192.0.2.1:3129\"; "

static const struct {
	const char *members;
	enum listener_kind kind;
	const char *why; /* NULL: it is taken */
} kinds[] = {
	{ AT, LISTENER_PROXY, NULL },
	{ AT "transparent = \"no\";", LISTENER_PROXY, NULL },
	{ AT "transparent = \"redirect\";", LISTENER_REDIRECT, NULL },
	{ AT "transparent = \"tproxy\";", LISTENER_TPROXY, NULL },
	{ AT "transparent = \"\";", 0,
	    "settings:1: transparent is \"\", expected \"no\","
	    " \"redirect\" or \"tproxy\"" },
	{ AT "transparent = \"TPROXY\";", 0,
	    "settings:1: transparent is \"TPROXY\", expected \"no\","
	    " \"redirect\" or \"tproxy\"" },
	{ AT "transparent = \"no\"; forwarded_from = [\"192.0.2.9\"];",
	    LISTENER_PROXY, NULL },
	{ AT "transparent = \"tproxy\"; forwarded_from = [\"192.0.2.9\"];", 0,
	    "settings:1: transparent is \"tproxy\", expected no tls,"
	    " proxy_protocol_from or forwarded_from beside it" },
	{ AT "transparent = \"no\"; tls = true;", LISTENER_PROXY, NULL },
	{ AT "transparent = \"tproxy\"; tls = true;", 0,
	    "settings:1: transparent is \"tproxy\", expected no tls,"
	    " proxy_protocol_from or forwarded_from beside it" },
	{ AT "transparent = \"redirect\"; proxy_protocol_from ="
	     " [\"192.0.2.9\"];",
	    0,
	    "settings:1: transparent is \"redirect\", expected no tls,"
	    " proxy_protocol_from or forwarded_from beside it" },
};

START_TEST(listener_is_transparent_when_told)
{
	struct listener_settings *l = NULL;
	int got = load(kinds[_i].members, &l);

	if (kinds[_i].why != NULL) {
		ck_assert_int_eq(got, -1);
		ck_assert_str_eq(err.text, kinds[_i].why);
		return;
	}
	ck_assert_msg(got == 0, "%s", err.text);
	ck_assert_int_eq(l->kind, kinds[_i].kind);
}
END_TEST

static const struct {
	const char *at, *dialled;
	bool want;
} dials[] = {
	{ "192.0.2.1:3129", "192.0.2.1:3129", true },
	{ "192.0.2.1:3129", "192.0.2.2:3129", false },
	{ "192.0.2.1:3129", "192.0.2.1:443", false },
	{ "0.0.0.0:3129", "192.0.2.1:3129", true },
	{ "0.0.0.0:3129", "192.0.2.1:443", false },
	{ "[::]:3129", "[2001:db8::1]:3129", true },
	{ "[::]:3129", "[2001:db8::1]:80", false },
	{ "[2001:db8::1]:3129", "[2001:db8::1]:3129", true },
	{ "[2001:db8::1]:3129", "[2001:db8::2]:3129", false },
};

START_TEST(listener_knows_itself)
{
	struct listener_settings l = { 0 };
	struct address a;

	ck_assert_int_eq(address_parse_port(&l.at, bytes_of(dials[_i].at)), 0);
	ck_assert_int_eq(
	    address_parse_port(&a, bytes_of(dials[_i].dialled)), 0);
	ck_assert_int_eq(listener_is_at(&l, &a), dials[_i].want);
}
END_TEST

Suite *
listener_suite(void)
{
	Suite *s = suite_create("listener");
	TCase *t = tcase_create("listener");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(
	    t, listener_is_transparent_when_told, 0, (int)COUNT(kinds));
	tcase_add_loop_test(t, listener_knows_itself, 0, (int)COUNT(dials));
	suite_add_tcase(s, t);
	return s;
}
