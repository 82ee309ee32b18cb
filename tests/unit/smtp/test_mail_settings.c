/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "proxy/smtp/settings.h"

Suite *mail_settings_suite(void);

static struct arena arena;
static struct err err;
static struct mail_settings mail;

static void
teardown(void)
{
	arena_release(&arena);
}

static int
load(const char *text)
{
	config_t config;
	int result;

	config_init(&config);
	ck_assert_msg(config_read_string(&config, text) == CONFIG_TRUE, "%s",
	    config_error_text(&config));
	err.text[0] = '\0';
	result = mail_settings_load(
	    config_root_setting(&config), &arena, &mail, &err);
	config_destroy(&config);
	return result;
}

START_TEST(mail_settings_take_no_mail_unless_told)
{
	ck_assert_int_eq(load(""), 0);
	ck_assert_uint_eq(mail.listeners_n, 0);
	ck_assert_str_eq(mail.name, "");
	ck_assert_str_eq(mail.routes, "");
	ck_assert_str_eq(mail.spool, "/var/spool/sekisho");
	ck_assert_uint_eq(mail.spool_max, UINT64_C(20) << 30);
	ck_assert_uint_eq(mail.size_max, 50 << 20);
	ck_assert_uint_eq(mail.recipients_max, 100);
	ck_assert_uint_eq(mail.greeting_delay_ms, 0);
	ck_assert_uint_eq(mail.command_timeout_ms, 300000);
	ck_assert_uint_eq(mail.expire_ms, 432000000);
	ck_assert(!mail.normalise);
}
END_TEST

#define WITH(keys) "mail = { routes = \"r\";\n" keys " };"
#define TLS "certificate = \"c\"; key = \"k\";\n"

static const struct {
	const char *name, *text;
	const char *error; /* NULL: loaded */
} cases[] = {
	{ "nothing but routes", WITH(""), NULL },
	{ "a name", WITH("name = \"Mail.Pref.Test\";"), NULL },
	{ "a name that is a literal", WITH("name = \"[192.0.2.1]\";"), NULL },
	{ "a name that is an address", WITH("name = \"192.0.2.1\";"),
	    "settings:2: name is \"192.0.2.1\": an address without its brackets"
	    " as domain, expected one such as mail.pref.test" },
	{ "normalise", WITH("bare = \"normalise\";"), NULL },
	{ "another bare", WITH("bare = \"pass\";"),
	    "settings:2: bare is \"pass\", expected \"refuse\" or"
	    " \"normalise\"" },
	{ "100 recipients", WITH("recipients_max = 100;"), NULL },
	{ "99 recipients", WITH("recipients_max = 99;"),
	    "settings:2: recipients_max is 99, expected 100 to 10000" },
	{ "an unknown key", WITH("size_mx = 1;"),
	    "settings:2: unknown key \"size_mx\", did you mean"
	    " \"size_max\"?" },
	{ "a certificate alone", WITH("certificate = \"c\";"),
	    "settings:2: key is missing, expected certificate and key"
	    " together" },
	{ "a key alone", WITH("key = \"k\";"),
	    "settings:2: certificate is missing, expected certificate and key"
	    " together" },
	{ "both", WITH(TLS), NULL },
	{ "retries in order", WITH("retry_min = 10; retry_max = 10;"), NULL },
	{ "retries that shrink", WITH("retry_min = 11;\nretry_max = 10;"),
	    "settings:3: retry_min is above retry_max, expected at most as"
	    " much" },
	{ "an end before the last try", WITH("expire = 3600;"),
	    "settings:2: retry_max is above expire, expected at most as"
	    " much" },
	{ "a notice behind the end", WITH("delay_notice = 432001;"),
	    "settings:1: delay_notice is above expire, expected at most as"
	    " much" },
	{ "no notice", WITH("delay_notice = 0;"), NULL },
	{ "a mail larger than the spool",
	    WITH("spool_max = \"1 MiB\"; size_max = \"2 MiB\";"),
	    "settings:2: size_max is above spool_max, expected at most as"
	    " much" },
	{ "a mail larger than the memory of one client",
	    WITH("memory_max = \"100 MiB\"; size_max = \"26 MiB\";"),
	    "settings:1: size_max is above memory_max / 4, expected at most as"
	    " much" },
	{ "a mail as large as that",
	    WITH("memory_max = \"100 MiB\"; size_max = \"25 MiB\";"), NULL },
	{ "no listeners", WITH("listeners = ();"), NULL },
	{ "a listener",
	    WITH("listeners = ( { address = \"192.0.2.1:25\"; } );"), NULL },
	{ "a listener without routes",
	    "mail = {\nlisteners = ( { address = \"192.0.2.1:25\"; } ); };",
	    "settings:2: listeners without mail.routes, expected the file that"
	    " says where mail goes" },
	{ "a listener without a port",
	    WITH("listeners = ( { address = \"192.0.2.1\"; } );"),
	    "settings:2: \"192.0.2.1\" is no address with a port, expected one"
	    " such as \"192.0.2.1:25\"" },
	{ "one address twice",
	    WITH("listeners = ( { address = \"192.0.2.1:25\"; },\n"
		 "{ address = \"192.0.2.1:25\"; tls = \"no\"; } );"),
	    "settings:3: 192.0.2.1:25 is listened on twice" },
	{ "implicit TLS",
	    WITH(TLS "listeners = ( { address = \"[2001:db8::1]:465\";"
		     " tls = \"implicit\"; } );"),
	    NULL },
	{ "implicit TLS without a certificate",
	    WITH("listeners = ( { address = \"192.0.2.1:465\";\n"
		 "tls = \"implicit\"; } );"),
	    "settings:2: tls is \"implicit\" and mail.certificate is missing,"
	    " expected its file" },
	{ "another tls",
	    WITH("listeners = ( { address = \"192.0.2.1:25\"; tls = \"yes\"; }"
		 " );"),
	    "settings:2: tls is \"yes\", expected \"starttls\", \"implicit\" or"
	    " \"no\"" },
	{ "balancers",
	    WITH("listeners = ( { address = \"192.0.2.1:25\";"
		 " proxy_protocol_from = [\"192.0.2.8/30\"];"
		 " xclient_from = [\"2001:db8::/32\", \"192.0.2.9\"]; } );"),
	    NULL },
	{ "what is no prefix",
	    WITH("listeners = ( { address = \"192.0.2.1:25\";\n"
		 "xclient_from = [\"192.0.2.1/8\"]; } );"),
	    "settings:3: \"192.0.2.1/8\" is no prefix, expected one such as"
	    " 192.0.2.0/24" },
};

START_TEST(mail_settings_are_told_with_their_line)
{
	int got = load(cases[_i].text);

	if (cases[_i].error == NULL) {
		ck_assert_msg(got == 0, "%s: %s", cases[_i].name, err.text);
		return;
	}
	ck_assert_msg(got == -1, "%s", cases[_i].name);
	ck_assert_str_eq(err.text, cases[_i].error);
}
END_TEST

START_TEST(mail_settings_are_parsed)
{
	const struct mail_listener_settings *l;

	ck_assert_int_eq(
	    load(WITH("name = \"Mail.Pref.Test\"; bare = \"normalise\";" TLS
		      "listeners = ( { address = \"192.0.2.1:25\";"
		      " xclient_from = [\"192.0.2.9\"]; },"
		      " { address = \"192.0.2.1:465\"; tls = \"implicit\"; },"
		      " { address = \"192.0.2.1:26\"; tls = \"no\"; } );")),
	    0);
	ck_assert_str_eq(mail.name, "mail.pref.test");
	ck_assert(mail.normalise);
	ck_assert_uint_eq(mail.listeners_n, 3);
	l = mail.listeners;
	ck_assert(l[0].kind == MAIL_LISTENER_STARTTLS && l[0].at.port == 25);
	ck_assert(l[0].xclient_n == 1 && l[0].proxy_protocol_n == 0);
	ck_assert_uint_eq(l[0].backlog, 1024);
	ck_assert(l[1].kind == MAIL_LISTENER_IMPLICIT && l[1].at.port == 465);
	ck_assert(l[2].kind == MAIL_LISTENER_PLAIN && l[2].at.port == 26);
}
END_TEST

Suite *
mail_settings_suite(void)
{
	Suite *s = suite_create("mail_settings");
	TCase *c = tcase_create("mail_settings");

	tcase_add_checked_fixture(c, NULL, teardown);
	tcase_add_test(c, mail_settings_take_no_mail_unless_told);
	tcase_add_loop_test(
	    c, mail_settings_are_told_with_their_line, 0, COUNT(cases));
	tcase_add_test(c, mail_settings_are_parsed);
	suite_add_tcase(s, c);
	return s;
}
