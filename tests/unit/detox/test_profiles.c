/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/profiles.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

Suite *profiles_suite(void);

static int
load(struct detox_profiles *p, const char *text, struct err *e)
{
	char path[] = "/tmp/sekisho-profiles.XXXXXX";
	int fd = mkstemp(path);
	int result;

	ck_assert(fd >= 0);
	ck_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	memset(e, 0, sizeof(*e));
	result = detox_profiles_load(p, path, e);
	unlink(path);
	return result;
}

/* So that a command without a file does what the shipped one says. */
START_TEST(profiles_shipped_are_those_built_in)
{
	static struct detox_profiles shipped, built_in;
	struct err e = { 0 };

	ck_assert_msg(
	    detox_profiles_load(&shipped, "policies/detox.conf", &e) == 0, "%s",
	    e.text);
	ck_assert(detox_profiles_load(&built_in, NULL, &e) == 0);
	ck_assert_uint_eq(shipped.n, built_in.n);
	for (size_t i = 0; i < shipped.n; i++)
		ck_assert_msg(memcmp(shipped.digests[i], built_in.digests[i],
				  DETOX_DIGEST_SIZE) == 0,
		    "%s", shipped.all[i].name);
	detox_profiles_release(&shipped);
	detox_profiles_release(&built_in);
}
END_TEST

START_TEST(profiles_say_what_is_done_with_a_type)
{
	static struct detox_profiles p;
	struct err e;

	ck_assert_msg(load(&p,
			  "profiles = ( { name = \"a\"; hold = [\"dwg\"];"
			  " refuse = [\"text\"];"
			  " pass = ( { type = \"unknown\"; reason = \"r\"; });"
			  " megapixels_max = 2; in_max = \"1 MiB\"; },"
			  " { name = \"b\"; } );",
			  &e) == 0,
	    "%s", e.text);
	ck_assert_int_eq(detox_profiles_find(&p, "a"), 0);
	ck_assert_int_eq(detox_profiles_find(&p, "b"), 1);
	ck_assert_int_eq(detox_profiles_find(&p, "c"), -1);
	ck_assert_int_eq(p.all[0].treatment[MAGIC_DWG], DETOX_HOLD);
	ck_assert_int_eq(p.all[0].treatment[MAGIC_TEXT], DETOX_REFUSE);
	ck_assert_int_eq(p.all[0].treatment[MAGIC_UNKNOWN], DETOX_PASS);
	ck_assert_int_eq(p.all[0].treatment[MAGIC_PE], DETOX_REFUSE);
	ck_assert_uint_eq(p.all[0].pixels_max, 2000000);
	ck_assert_uint_eq(p.all[0].in_max, 1 << 20);
	ck_assert(memcmp(p.digests[0], p.digests[1], DETOX_DIGEST_SIZE) != 0);
	detox_profiles_release(&p);
}
END_TEST

static const struct {
	const char *text;
	const char *wrong; /* in the error, with its line */
} bad[] = {
	{ "", ":1: no profiles" },
	{ "profiles = 1;", ":1: " },
	{ "profiles = ( { name = \"a\";\n what = 1; } );", ":2: " },
	{ "profiles = ( { } );", ":1: " },
	{ "profiles = ( { name = \"a\"; },\n { name = \"a\"; } );",
	    ":2: profile \"a\" is there twice" },
	{ "profiles = ( { name = \"a\"; links = \"all\"; } );",
	    "links is \"all\", expected" },
	{ "profiles = ( { name = \"a\";\n hold = [\"pfd\"]; } );",
	    ":2: \"pfd\" is no type of files" },
	{ "profiles = ( { name = \"a\"; pass = ( { type = \"elf\";"
	  " reason = \"r\"; } ); } );",
	    "\"elf\" is a program" },
	{ "profiles = ( { name = \"a\"; pass = ( { type = \"dwg\"; } ); } );",
	    ":1: " },
	{ "profiles = ( { name = \"a\"; depth_max = 17; } );", ":1: " },
	{ "profiles = ( { name = \"a\"; } );\nprofile = 1;",
	    ":2: \"profile\" is unknown" },
};

START_TEST(profiles_say_what_is_wrong)
{
	static struct detox_profiles p;
	struct err e;

	ck_assert(load(&p, bad[_i].text, &e) < 0);
	ck_assert_msg(strstr(e.text, bad[_i].wrong) != NULL, "%s: %s",
	    bad[_i].text, e.text);
	detox_profiles_release(&p);
}
END_TEST

Suite *
profiles_suite(void)
{
	Suite *s = suite_create("profiles");
	TCase *t = tcase_create("all");

	tcase_add_test(t, profiles_shipped_are_those_built_in);
	tcase_add_test(t, profiles_say_what_is_done_with_a_type);
	tcase_add_loop_test(t, profiles_say_what_is_wrong, 0, COUNT(bad));
	suite_add_tcase(s, t);
	return s;
}
