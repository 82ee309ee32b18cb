/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/smtp/explain.h"
#include "tests/unit/policy/town.h"

Suite *mail_explain_suite(void);

static const char file[] =
    "inbound = ( { name = \"city\"; body = \"990019\"; side = \"lgwan\";\n"
    " domains = [\"city.test\"]; verify_recipients = false;\n"
    " next_hops = ( { host = \"::1\"; port = 2525; tls = \"none\"; } ); } );\n"
    "outbound = ( { name = \"world\"; domains = [\"*\"]; detox = \"none\"; }"
    " );";

static struct town town;
static struct detox_profiles profiles;
static struct routes *routes;
static struct mail_settings settings;

static void
setup(void)
{
	town_open(&town);
	ck_assert_int_eq(detox_profiles_load(&profiles, NULL, &town.err), 0);
	town_write(&town, "mail.conf", bytes_of(file));
	routes = routes_load(town_path(&town, "mail.conf"), town.zones,
	    &profiles, &town.arena, &town.err);
	ck_assert_msg(routes != NULL, "%s", town.err.text);
	setenv("LC_ALL", "C", 1);
	settings = (struct mail_settings){
		.mta_sts = true,
		.rspamd = { .address = "127.0.0.1:11333",
		    .reject = "refuse",
		    .add_header = "mark",
		    .when_down = "defer",
		    .when_large = "hold" },
	};
}

static void
teardown(void)
{
	detox_profiles_release(&profiles);
	town_close(&town);
}

static const struct {
	const char *from, *sender, *recipient;
	int want;
	const char *says;
} cases[] = {
	{ TOWN_STRANGER, "a@b.test", "c@city.test", 0,
	    "client: accepted\n"
	    "  rule     outside\n"
	    "  helo     mx.test\n"
	    "sender: accepted\n"
	    "  rule     outside\n"
	    "recipient: accepted\n"
	    "  rule     inbound city\n"
	    "  file     @/mail.conf:2\n"
	    "  route    city (@/mail.conf:1)\n"
	    "  side     lgwan\n"
	    "  next hop [::1]:2525 priority 10, TLS none\n"
	    "  detox    standard\n"
	    "  rspamd   127.0.0.1:11333; reject: refuse, add header: mark,"
	    " down: defer, large: hold\n" },
	{ TOWN_LGWAN, "<>", "c@d.test", 0,
	    "client: accepted\n"
	    "  rule     body\n"
	    "  file     settings:1\n"
	    "  body     990019 Sekisho City\n"
	    "  zone     lgwan\n"
	    "  helo     mx.test\n"
	    "sender: accepted\n"
	    "  rule     null sender\n"
	    "recipient: accepted\n"
	    "  rule     outbound world\n"
	    "  file     @/mail.conf:4\n"
	    "  route    world (@/mail.conf:4)\n"
	    "  next hop MX of d.test, TLS opportunistic (MTA-STS)\n"
	    "  detox    none\n" },
	{ TOWN_STRANGER, "a@city.test", "c@d.test", 2,
	    "client: accepted\n"
	    "  rule     outside\n"
	    "  helo     mx.test\n"
	    "sender: refused\n"
	    "  rule     own domains\n"
	    "  file     @/mail.conf:2\n"
	    "  reply    550 5.7.1 <a@city.test>: this sender domain is of"
	    " 990019, which nobody outside may use (own domains)\n"
	    "recipient: refused\n"
	    "  rule     no route\n"
	    "  reply    550 5.7.1 <c@d.test>: this domain is none of ours (no"
	    " route)\n" },
	{ TOWN_STRANGER, "a@b.test", "c", 1,
	    "c: an address without a domain\n" },
	{ TOWN_STRANGER, "<a@b.test>x", "c@d.test", 1,
	    "<a@b.test>x: bytes behind the address\n" },
};

static char *
explain(size_t i, enum explain_format format)
{
	struct mail_question q = { .helo = "mx.test",
		.sender = cases[i].sender,
		.recipient = cases[i].recipient,
		.settings = &settings };
	char *words = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&words, &n);

	ck_assert(out != NULL);
	ck_assert_int_eq(address_parse(&q.from, bytes_of(cases[i].from)), 0);
	ck_assert_int_eq(
	    mail_explain(routes, town.zones, &q, format, out), cases[i].want);
	fclose(out);
	return words;
}

/* "@/" stands for the folder. */
static const char *
with_folder(const char *says)
{
	const char *mark = strstr(says, "@/");

	return mark == NULL
	    ? says
	    : arena_printf(&town.arena, "%.*s%s%s", (int)(mark - says), says,
		  town.folder, with_folder(mark + 1));
}

START_TEST(mail_explain_leads_to_the_line)
{
	char *words = explain((size_t)_i, EXPLAIN_TEXT);

	ck_assert_str_eq(words, with_folder(cases[_i].says));
	free(words);
}
END_TEST

START_TEST(mail_explain_speaks_json)
{
	for (size_t i = 0; i < 3; i++) {
		char *words = explain(i, EXPLAIN_JSON);
		json_t *all = json_loads(words, 0, NULL);
		json_t *steps = json_object_get(all, "steps");

		ck_assert_msg(all != NULL, "%s", words);
		ck_assert_uint_eq(json_array_size(steps), 3);
		ck_assert(json_is_null(json_object_get(all, "route")) ==
		    (cases[i].want == 2));
		json_decref(all);
		free(words);
	}
}
END_TEST

Suite *
mail_explain_suite(void)
{
	Suite *s = suite_create("mail_explain");
	TCase *c = tcase_create("mail_explain");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, mail_explain_leads_to_the_line, 0, COUNT(cases));
	tcase_add_test(c, mail_explain_speaks_json);
	suite_add_tcase(s, c);
	return s;
}
