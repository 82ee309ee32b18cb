/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/score.h"

#include <check.h>
#include <stdio.h>

#include "filters/urlrep/lookalike.h"

Suite *score_suite(void);

static const char *own_names[] = { "www.city.minato.lg.jp",
	"city.example.lg.jp" };

static const struct {
	const char *url, *want; /* kinds, by a blank */
} cases[] = {
	{ "https://www.example.test/", "" },
	{ "https://www.google.co.jp/", "" },
	{ "https://www.city.minato.lg.jp/", "" },
	{ "https://www.soumu.go.jp/", "" },
	{ "https://www.city.minato.tokyo.jp/", "" },
	{ "https://city.kawasaki.jp/", "" },
	{ "https://www.pref.hokkaido.jp/", "" },
	{ "https://nihon-go.jp/", "" },
	{ "https://lg.com/", "" },
	{ "https://www.nikkei.com/", "" },
	{ "https://city.jp/", "" },
	{ "https://citybank.test/", "" },
	{ "https://lg-jp.com/", "official_zone" },
	{ "https://soumu.go-jp.top/", "official_zone" },
	{ "https://minato.lg.jp.example.test/", "official_zone" },
	{ "https://minato-lg.jp/", "official_zone" },
	{ "https://lq.jp/", "official_zone" },
	{ "https://1g.jp/", "official_zone" },
	{ "https://g0.jp/", "official_zone" },
	{ "https://city.minato.example.test/", "city" },
	{ "https://www.city.minato.example.test/", "city" },
	{ "https://city-office.example.test/", "city" },
	{ "https://pref.kyoto.example.test/", "city" },
	{ "https://city-minato.example.test/", "city own_name" },
	{ "https://cityminato.example.test/", "own_name" },
	{ "https://clty.mlnato.lg.jp.test/", "official_zone own_name" },
	{ "https://citymimato.test/", "own_name" },
	{ "https://cityexarnple.test/", "own_name" },
	/* аррӏе, all Cyrillic; раypal, mixed */
	{ "https://аррӏе.test/", "homoglyphs" },
	{ "https://раypal.test/", "mixed_scripts" },
	{ "https://日本go.test/", "" },
	{ "https://faß.test/", "" },
	{ "https://xk7q2v9zt4bw.test/", "random" },
	{ "https://qwrtzpsdfghjk.test/", "random" },
	{ "https://internationalization.test/", "" },
	{ "https://a.duckdns.org/", "dynamic_dns" },
	{ "https://b.dyn.test/", "dynamic_dns" },
	{ "https://192.0.2.1/", "address" },
	{ "https://[2001:db8::1]:8443/", "address port" },
	{ "https://example.test:8443/", "port" },
};

static void
settings(struct score_settings *s)
{
	static const char *zones[] = { "dyn.test" };
	static struct arena a;
	struct err e = { 0 };

	ck_assert_int_eq(
	    setting_load(score_table, score_table_n, NULL, s, &a, &e), 0);
	s->own_names = (struct texts){ own_names, COUNT(own_names), NULL };
	s->dynamic_zones = (struct texts){ zones, 1, NULL };
}

START_TEST(score_finds_what_a_name_passes_itself_off_as)
{
	static struct canon c;
	struct score_settings s;
	struct score score;
	const char *why = NULL;
	char got[256] = "";
	size_t n = 0;
	unsigned sum = 0;

	settings(&s);
	ck_assert_msg(canon_parse(&c, bytes_of(cases[_i].url), &why) == 0,
	    "%s: %s", cases[_i].url, why);
	score_url(&s, &c, &score);
	for (size_t i = 0; i < score.n; i++) {
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s",
		    i > 0 ? " " : "", score_kind_name(score.findings[i].kind));
		ck_assert_uint_gt(strlen(score.findings[i].why), 0);
		sum += score.findings[i].points;
	}
	ck_assert_msg(strcmp(got, cases[_i].want) == 0, "%s: %s, not %s",
	    cases[_i].url, got, cases[_i].want);
	ck_assert_uint_eq(score.points, sum > SCORE_MAX ? SCORE_MAX : sum);
}
END_TEST

START_TEST(score_without_points_is_not_looked_for)
{
	static struct canon c;
	struct score_settings s;
	struct score score;
	const char *why;

	settings(&s);
	s.port = 0;
	ck_assert_int_eq(
	    canon_parse(&c, BYTES("https://example.test:81/"), &why), 0);
	score_url(&s, &c, &score);
	ck_assert_uint_eq(score.n, 0);
	ck_assert_uint_eq(score.points, 0);
}
END_TEST

static const struct {
	const char *a, *b;
	bool want;
} edits[] = {
	{ "abc", "abc", false },
	{ "abc", "abd", true },
	{ "abc", "ab", true },
	{ "abc", "abcd", true },
	{ "abc", "xabc", true },
	{ "abc", "acb", true },
	{ "abcd", "badc", false },
	{ "abc", "abcde", false },
	{ "abc", "xyc", false },
	{ "abc", "axyc", false },
	{ "", "a", true },
	{ "", "", false },
};

START_TEST(lookalike_one_edit_is_one)
{
	for (size_t i = 0; i < COUNT(edits); i++) {
		struct bytes a = bytes_of(edits[i].a);
		struct bytes b = bytes_of(edits[i].b);

		ck_assert_msg(lookalike_one_edit(a, b) == edits[i].want,
		    "%s %s", edits[i].a, edits[i].b);
		ck_assert(lookalike_one_edit(b, a) == edits[i].want);
	}
}
END_TEST

Suite *
score_suite(void)
{
	Suite *s = suite_create("score");
	TCase *t = tcase_create("score");

	tcase_add_loop_test(
	    t, score_finds_what_a_name_passes_itself_off_as, 0, COUNT(cases));
	tcase_add_test(t, score_without_points_is_not_looked_for);
	tcase_add_test(t, lookalike_one_edit_is_one);
	suite_add_tcase(s, t);
	return s;
}
