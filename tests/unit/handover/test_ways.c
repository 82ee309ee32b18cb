/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>
#include <time.h>

#include "proxy/handover/handover.h"
#include "tests/unit/policy/town.h"

Suite *ways_suite(void);

static struct town town;
static struct detox_profiles profiles;
static struct isolation_model *model;
static struct handover_settings got;

#define POLICY                                                        \
	"dlp = ( { name = \"residents\"; block = [\"individual 1\"];" \
	" reason_ja = \"n\"; } ); phrases = ();"
#define GIVEN " purpose = \"p\"; owner = \"o\"; approval = \"a\"; expires = \""
#define COMMUNICATION(name, from, to)                               \
	"{ name = \"" name "\"; from = [\"" from "\"]; to = [\"" to \
	"\"]; protocol = \"tcp\"; port = 445;" GIVEN "%s\"; }"
#define MODEL                                                                \
	"bodies = ( { code = \"990019\"; }, { code = \"990027\"; } );"       \
	"isolation = { lgwan = [\"203.0.113.0/28\"]; machine ="              \
	" [\"203.0.113.77\"]; }; communications = (" COMMUNICATION("office", \
	    "192.0.2.192/27", "192.0.2.128/27") "," COMMUNICATION("across",  \
	    "192.0.2.200", "192.0.2.250") "," COMMUNICATION("into",          \
	    "192.0.2.130", "192.0.2.200") " );"

static void
setup(void)
{
	time_t later = time(NULL) + 100 * 86400;
	char day[16];
	config_t config;
	struct tm tm;

	gmtime_r(&later, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	town_open(&town);
	ck_assert_msg(town_load(&town, POLICY) == 0, "%s", town.err.text);
	ck_assert_int_eq(detox_profiles_load(&profiles, NULL, &town.err), 0);
	config_init(&config);
	ck_assert(config_read_string(&config,
		      arena_printf(&town.arena, MODEL, day, day, day)) ==
	    CONFIG_TRUE);
	model = isolation_load(config_root_setting(&config), town.zones,
	    town.folder, time(NULL), &town.arena, &town.err);
	ck_assert_msg(model != NULL, "%s", town.err.text);
	config_destroy(&config);
}

static void
teardown(void)
{
	detox_profiles_release(&profiles);
	memset(&profiles, 0, sizeof(profiles));
	town_close(&town);
	memset(&town, 0, sizeof(town));
}

static int
load(const char *ways)
{
	const struct handover_world world = { town.zones, &profiles,
		town.policy, model, "/etc/sekisho" };
	config_t config;
	int result;

	config_init(&config);
	ck_assert_msg(
	    config_read_string(&config,
		arena_printf(&town.arena, "handover = { ways = (\n%s ); };",
		    ways)) == CONFIG_TRUE,
	    "%s", config_error_text(&config));
	town.err.text[0] = '\0';
	got = (struct handover_settings){ 0 };
	result = handover_settings_load(
	    config_root_setting(&config), &world, &town.arena, &got, &town.err);
	config_destroy(&config);
	return result;
}

#define WAY(from, to, more) \
	"{ name = \"w\"; from = \"" from "\"; to = \"" to "\"; " more " }"
#define ONE "bodies = [\"990019\"]; "
#define OUTWARD(more) \
	WAY("mynumber", "lgwan", ONE "drop = \"in\"; out = \"out\"; " more)
#define DLP "dlp = [\"residents\"]; "

static const struct {
	const char *name, *ways;
	const char *error; /* NULL: loaded */
} cases[] = {
	{ "the plain way", WAY("internet", "lgwan", ""), NULL },
	{ "approved", WAY("internet", "lgwan", "approval = \"none\";"), NULL },
	{ "another profile", WAY("internet", "lgwan", "profile = \"text\";"),
	    NULL },
	{ "as it is", WAY("internet", "lgwan", "profile = \"none\";"),
	    "nothing goes from \"internet\" to \"lgwan\" as it is" },
	{ "no such profile", WAY("internet", "lgwan", "profile = \"x\";"),
	    "profile is \"x\"" },
	{ "into the My Number zone",
	    WAY("lgwan", "mynumber", ONE "out = \"o\";"), NULL },
	{ "the same from the internet",
	    WAY("internet", "mynumber", ONE "out = \"o\";"), NULL },
	{ "the same, unapproved",
	    WAY("lgwan", "mynumber", ONE "out = \"o\"; approval = \"none\";"),
	    "without a second person" },
	{ "the same as it is",
	    WAY("lgwan", "mynumber", ONE "out = \"o\"; profile = \"none\";"),
	    "profile is \"none\"" },
	{ "the same, by a page", WAY("lgwan", "mynumber", ONE),
	    "out is missing" },
	{ "outward", OUTWARD(DLP "communication = \"office\";"), NULL },
	{ "outward as it is",
	    OUTWARD(DLP "communication = \"office\"; profile = \"none\";"),
	    NULL },
	{ "outward by one that leads elsewhere",
	    OUTWARD(DLP "communication = \"across\";"), "leads elsewhere" },
	{ "outward by none", OUTWARD(DLP), "communication is missing" },
	{ "outward by one that is not there",
	    OUTWARD(DLP "communication = \"x\";"), "communication is \"x\"" },
	{ "outward by one that leads inward",
	    OUTWARD(DLP "communication = \"into\";"), "is from elsewhere" },
	{ "outward, not looked into", OUTWARD("communication = \"office\";"),
	    "dlp is missing" },
	{ "outward, by no inspection",
	    OUTWARD("dlp = [\"x\"]; communication = \"office\";"),
	    "dlp has \"x\"" },
	{ "outward by a page",
	    WAY("mynumber", "lgwan",
		ONE DLP "out = \"o\"; communication = \"office\";"),
	    "drop is missing" },
	{ "outward to the internet",
	    WAY("mynumber", "internet",
		ONE DLP "drop = \"i\"; communication = \"office\";"),
	    "the way leads from \"mynumber\" to \"internet\"" },
	{ "outward of a body that is not its own",
	    WAY("mynumber", "lgwan",
		"bodies = [\"990027\"]; " DLP
		"drop = \"i\"; communication = \"office\";"),
	    "is from elsewhere" },
	{ "LGWAN to the internet", WAY("lgwan", "internet", ""),
	    "the way leads from" },
	{ "nowhere", WAY("lgwan", "lgwan", ""), "the way leads from" },
	{ "no such zone", WAY("lgwan", "x", ""), "to is \"x\"" },
	{ "no such body", WAY("internet", "lgwan", "bodies = [\"990035\"];"),
	    "bodies has \"990035\"" },
	{ "a folder of all bodies", WAY("internet", "lgwan", "drop = \"in\";"),
	    "of one body alone" },
	{ "a folder of two bodies",
	    WAY("internet", "lgwan",
		"bodies = [\"990019\", \"990027\"]; out = \"o\";"),
	    "has 2 bodies" },
	{ "a folder into itself",
	    WAY("internet", "lgwan", ONE "drop = \"x\"; out = \"x\";"),
	    "stands twice" },
	{ "a folder of two ways",
	    WAY("internet", "lgwan",
		ONE "drop = \"x\";") ","
				     "{ name = \"v\"; from = \"lgwan\"; to = "
				     "\"mynumber\";"
				     " bodies = [\"990019\"]; out = "
				     "\"/etc/sekisho/x\"; }",
	    "stands twice" },
	{ "one name for two",
	    WAY("internet", "lgwan", "") ",\n" WAY("internet", "lgwan", ""),
	    ":3: there is another way \"w\"" },
	{ "a name with a line's end",
	    "{ name = \"a\\nb\"; from = \"internet\"; to = \"lgwan\"; }",
	    "expected a-z" },
	{ "another approval", WAY("internet", "lgwan", "approval = \"boss\";"),
	    "approval is \"boss\"" },
	{ "approvers of either side",
	    WAY("internet", "lgwan",
		"approvers = [\"192.0.2.1\", \"192.0.2.128/30\"];"),
	    NULL },
	{ "an approver of the My Number zone",
	    WAY("lgwan", "mynumber",
		ONE "out = \"o\"; approvers = [\"192.0.2.193\"];"),
	    "approvers has \"192.0.2.193\"" },
	{ "an approver of nowhere",
	    WAY("internet", "lgwan", "approvers = [\"203.0.113.1\"];"),
	    "approvers has" },
	{ "an approver that is none",
	    WAY("internet", "lgwan", "approvers = [\"chief\"];"),
	    "expected an address" },
	{ "as many files as may be",
	    WAY("internet", "lgwan", "files_max = 64;"), NULL },
	{ "one more", WAY("internet", "lgwan", "files_max = 65;"),
	    "files_max" },
	{ "an unknown key", WAY("internet", "lgwan", "x = 1;"), "x" },
};

START_TEST(ways_are_those_that_may_be)
{
	int result = load(cases[_i].ways);

	ck_assert_msg(result == (cases[_i].error == NULL ? 0 : -1), "%s: %s",
	    cases[_i].name, town.err.text);
	if (cases[_i].error == NULL)
		return;
	ck_assert_msg(strstr(town.err.text, cases[_i].error) != NULL &&
		strncmp(town.err.text, "settings:", 9) == 0,
	    "%s: %s", cases[_i].name, town.err.text);
}
END_TEST

START_TEST(ways_refuse_unless_told)
{
	const struct handover_way *w;

	ck_assert_int_eq(
	    load(WAY("internet", "lgwan", ONE "drop = \"in\";")), 0);
	w = handover_way(&got, BYTES("w"));
	ck_assert(w != NULL && handover_way(&got, BYTES("v")) == NULL);
	ck_assert_int_eq(w->approves, HANDOVER_OTHER);
	ck_assert_str_eq(w->profile, "strict");
	ck_assert_str_eq(w->drop, "/etc/sekisho/in");
	ck_assert(handover_way_is_of(
	    w, zones_body_by_code(town.zones, BYTES("990019"))));
	ck_assert(!handover_way_is_of(
	    w, zones_body_by_code(town.zones, BYTES("990027"))));
	ck_assert(handover_way_has_page(w));
	ck_assert_int_eq(load(""), 0);
	ck_assert_uint_eq(got.ways_n, 0);
}
END_TEST

START_TEST(ways_close_with_their_communication)
{
	const struct handover_way *w;
	time_t end;

	ck_assert_int_eq(load(OUTWARD(DLP "communication = \"office\";")), 0);
	w = &got.ways[0];
	end = w->communication->expires;
	ck_assert(handover_way_is_open(w, end - 1));
	ck_assert(!handover_way_is_open(w, end));
	ck_assert(!handover_way_has_page(w));
}
END_TEST

Suite *
ways_suite(void)
{
	Suite *s = suite_create("ways");
	TCase *c = tcase_create("ways");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, ways_are_those_that_may_be, 0, COUNT(cases));
	tcase_add_test(c, ways_refuse_unless_told);
	tcase_add_test(c, ways_close_with_their_communication);
	suite_add_tcase(s, c);
	return s;
}
