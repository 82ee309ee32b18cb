/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/outbound.h"

#include <check.h>

#include "tests/unit/policy/town.h"

Suite *outbound_suite(void);

static struct town town;
static struct detox_profiles profiles;
static struct routes *routes;

static void
setup(void)
{
	town_open(&town);
	ck_assert_int_eq(detox_profiles_load(&profiles, NULL, &town.err), 0);
	town_write(&town, "mail.conf",
	    BYTES("inbound = ( { name = \"city\"; body = \"990019\";\n"
		  " side = \"lgwan\"; domains = [\"city.test\"];\n"
		  " next_hops = ( { host = \"::1\"; } ); } );\n"));
	routes = routes_load(town_path(&town, "mail.conf"), town.zones,
	    &profiles, &town.arena, &town.err);
	ck_assert_msg(routes != NULL, "%s", town.err.text);
}

static void
teardown(void)
{
	detox_profiles_release(&profiles);
	town_close(&town);
}

static const struct {
	const char *name;
	struct bytes head;
	size_t shown;
	struct bytes hidden;
} heads[] = {
	{ "none", BYTES_ROW("From: a@x.test\r\n\r\n"), 0,
	    BYTES_ROW("From: a@x.test\r\n\r\n") },
	{ "To and Cc, without ours",
	    BYTES_ROW("TO : a@x.test, b@city.test\r\nA: b@x.test\r\ncc: "
		      "<c@x.test>\r\n\r\n"),
	    2,
	    BYTES_ROW("To: undisclosed-recipients:;\r\nA: b@x.test\r\n\r\n") },
	{ "names below ours are not ours", BYTES_ROW("To: a@b.city.test\r\n"),
	    1, BYTES_ROW("To: undisclosed-recipients:;\r\n\r\n") },
	{ "the same in other letters",
	    BYTES_ROW("To: A@x.test, a@X.test\r\nCc: a@x.test\r\n\r\n"), 1,
	    BYTES_ROW("To: undisclosed-recipients:;\r\n\r\n") },
	{ "folded, of several fields",
	    BYTES_ROW("To: a@x.test,\r\n\tb@x.test\r\nto: c@x.test\r\n"
		      "Resent-Cc: d@x.test\r\n\r\n"),
	    4, BYTES_ROW("To: undisclosed-recipients:;\r\n\r\n") },
	{ "at most", BYTES_ROW("To: a@x,b@x,c@x,d@x,e@x,f@x,g@x\r\n\r\n"), 5,
	    BYTES_ROW("To: undisclosed-recipients:;\r\n\r\n") },
	{ "no addresses", BYTES_ROW("To: a, b c\r\nCc: @\r\n\r\n"), 3,
	    BYTES_ROW("To: undisclosed-recipients:;\r\n\r\n") },
};

START_TEST(outbound_counts_and_hides_who_is_shown)
{
	struct buf out;

	ck_assert_msg(
	    outbound_shown(routes, heads[_i].head, 5) == heads[_i].shown, "%s",
	    heads[_i].name);
	for (size_t max = 0; max <= heads[_i].hidden.n; max++) {
		buf_init(&out, max);
		ck_assert_int_eq(outbound_hide(heads[_i].head, &out),
		    max < heads[_i].hidden.n ? -1 : 0);
		if (max == heads[_i].hidden.n)
			ck_assert_msg(
			    bytes_equal(buf_bytes(&out), heads[_i].hidden),
			    "%s: %.*s", heads[_i].name,
			    BYTES_PRINTF(buf_bytes(&out)));
		buf_release(&out);
	}
}
END_TEST

Suite *
outbound_suite(void)
{
	Suite *s = suite_create("outbound");
	TCase *t = tcase_create("outbound");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, outbound_counts_and_hides_who_is_shown, 0, (int)COUNT(heads));
	suite_add_tcase(s, t);
	return s;
}
