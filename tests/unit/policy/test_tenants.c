/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/tenants.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/town.h"

Suite *tenants_suite(void);

#define ENTRA "\"login.microsoftonline.com\", \"login.microsoft.com\""
#define MUST(hosts, fields)                                           \
	" { name = \"m365\"; verdict = \"allow\"; reason_ja = \"r\";" \
	" destinations = [" hosts "]; set_fields = [" fields "]; }"
#define BOTH                                                    \
	"\"Restrict-Access-To-Tenants: pref.onmicrosoft.com\"," \
	" \"Restrict-Access-Context: 0\""

static const struct {
	const char *must, *rest, *want;
	size_t partly;
} rows[] = {
	{ "", "", "not restricted (all)", 0 },
	{ MUST(ENTRA ", \"login.windows.net\"", BOTH), "",
	    "login.windows.net            restricted (m365)\n"
	    "    Restrict-Access-To-Tenants: pref.onmicrosoft.com\n",
	    0 },
	/* A host that was forgotten is the way around. */
	{ MUST(ENTRA, BOTH), "",
	    "login.windows.net            not restricted (all)\n", 1 },
	/* So is one that nobody looks into; one that is blocked is not. */
	{ MUST(ENTRA, BOTH),
	    "{ name = \"t\"; verdict = \"tunnel\"; reason_ja = \"r\";"
	    " destinations = [\"login.windows.net\"]; },",
	    "login.windows.net            not decrypted (t)\n", 1 },
	{ MUST(ENTRA, BOTH),
	    "{ name = \"b\"; verdict = \"block\"; reason_ja = \"r\";"
	    " destinations = [\"login.windows.net\"]; },",
	    "login.windows.net            blocked (b)\n", 0 },
	/* Both fields are needed. */
	{ MUST(ENTRA ", \"login.windows.net\"",
	      "\"Restrict-Access-To-Tenants: pref.onmicrosoft.com\""),
	    "", "restricted in part (m365)\n", 1 },
};

START_TEST(tenants_are_restricted_everywhere_or_not_at_all)
{
	struct town town;
	struct address from;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	size_t partly;

	setenv("LC_ALL", "C", 1);
	town_open(&town);
	ck_assert_msg(town_load(&town,
			  arena_printf(&town.arena,
			      "must = ( %s );\ndefault = ( %s { name = \"all\";"
			      " verdict = \"allow\"; reason_ja = \"r\"; },"
			      " { name = \"may\"; verdict = \"may-tunnel\";"
			      " reason_ja = \"r\"; } );",
			      rows[_i].must, rows[_i].rest)) == 0,
	    "%s", town.err.text);
	ck_assert_int_eq(address_parse(&from, BYTES(TOWN_INTERNET)), 0);
	partly = policy_tenants(
	    town.policy, zones_lookup(town.zones, &from), 0, out);
	fclose(out);
	ck_assert_msg(strstr(text, rows[_i].want) != NULL, "%s", text);
	ck_assert_uint_eq(partly, rows[_i].partly);
	free(text);
	town_close(&town);
}
END_TEST

Suite *
tenants_suite(void)
{
	Suite *s = suite_create("tenants");
	TCase *t = tcase_create("tenants");

	tcase_add_loop_test(
	    t, tenants_are_restricted_everywhere_or_not_at_all, 0, COUNT(rows));
	suite_add_tcase(s, t);
	return s;
}
