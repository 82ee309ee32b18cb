/* SPDX-License-Identifier: Apache-2.0 */
/* A set over a text in pieces says what PCRE2 says of the whole. */
#include "filters/text/match.h"

#include <check.h>

#include "filters/text/set.h"
#include "tests/unit/filters/random_patterns.h"

Suite *match_suite(void);

#define NEVER INT64_MAX
#define SET_MAX ((size_t)64 << 20)

static struct set *
make_set(const struct set_pattern *p, size_t n, struct buf *file)
{
	struct err e = { 0 };
	struct set *s;

	buf_init(file, SET_MAX);
	ck_assert_msg(set_compile(SET_TEXT, p, n, file, &e) == 0, "%s", e.text);
	s = set_open(SET_TEXT, buf_bytes(file), SET_CODE_JIT, &e);
	ck_assert_msg(s != NULL, "%s", e.text);
	return s;
}

/* piece 0: two pieces, cut there. */
static struct match *
run(struct set *s, struct bytes text, size_t cut, size_t piece,
    int64_t threshold)
{
	struct match *m = match_new(s, threshold);
	enum match_verdict v = MATCH_OPEN;

	if (piece == 0) {
		v = match_push(m, bytes_take(&text, cut));
		piece = text.n;
	}
	while (text.n > 0 && v == MATCH_OPEN)
		v = match_push(
		    m, bytes_take(&text, piece < text.n ? piece : text.n));
	v = match_end(m);
	ck_assert((v == MATCH_REFUSED) == (match_why(m) != NULL));
	return m;
}

/* Cases with a name, at every cut. */

static const struct {
	const char *name;
	const char *pattern;
	unsigned flags;
	const char *text;
	bool want;
} cases[] = {
	{ "a phrase", "秘密の話", SET_PHRASE, "これは秘密の話です", true },
	{ "a phrase is no pattern", "a.c", SET_PHRASE, "abc", false },
	{ "a phrase with syntax", "a.c(*)[", SET_PHRASE, "xa.c(*)[x", true },
	{ "letters of both cases", "CaSiNo", SET_PHRASE | SET_CASELESS,
	    "a cAsInO", true },
	{ "case counts otherwise", "CaSiNo", SET_PHRASE, "a cAsInO", false },
	{ "full-width letters of both cases", "ａｂ", SET_PHRASE | SET_CASELESS,
	    "xＡＢx", true },
	{ "a word stands between kana", "\\bbet\\b", 0, "日本bet日本", true },
	{ "no word", "\\bbet\\b", 0, "alphabet", false },
	{ "not behind", "(?<!no )bet", 0, "no bet", false },
	{ "not before", "bet(?! no)", 0, "bet no", false },
	{ "before, far away", "a(?=.{20}b)", 0, "a01234567890123456789b",
	    true },
	{ "behind, far away", "(?<=a.{20})b", 0, "a01234567890123456789b",
	    true },
	{ "the beginning", "^a", 0, "ab", true },
	{ "not the beginning", "^b", 0, "ab", false },
	{ "a line's beginning", "(?m)^b", 0, "a\nb", true },
	{ "the end", "b$", 0, "ab", true },
	{ "not the end", "a$", 0, "ab", false },
	{ "not the end but a line's", "a$", 0, "a\n", false },
	{ "a line's end", "(?m)a$", 0, "a\nb", true },
	{ "a character, not a byte", "日.本", 0, "日々本", true },
	{ "a class of characters", "[ぁ-ん]{3}漢", 0, "これは漢", true },
	{ "takes all and gives nothing back", "(?>a{1,3})ab", 0, "aaab",
	    false },
	{ "in the second window", "q.{0,30}q", 0,
	    "q01234567890123456789012345678901q123q", true },
};

START_TEST(match_finds_at_every_cut)
{
	const struct set_pattern p = { cases[_i].name, cases[_i].pattern, 1,
		cases[_i].flags, NULL };
	struct bytes text = bytes_of(cases[_i].text);
	struct buf file;
	struct set *s = make_set(&p, 1, &file);

	ck_assert_int_eq(
	    reference(p.text, p.flags, text, true), cases[_i].want);
	for (size_t cut = 0; cut <= text.n; cut++)
		for (size_t piece = 0; piece < 4; piece++) {
			struct match *m = run(s, text, cut, piece, NEVER);

			ck_assert_msg(match_found(m, 0) == cases[_i].want,
			    "%s, cut at %zu", cases[_i].name, cut);
			match_free(m);
		}
	set_free(s);
	buf_release(&file);
}
END_TEST

/* Random sets over random texts. */

#define SET_SIZE 24
#define TEXTS 40

struct luck {
	struct arena arena;
	struct dice dice;
	struct set_pattern p[SET_SIZE];
	size_t n;
	unsigned refused;
	struct buf file;
	struct set *set;
};

/* Patterns that can be compiled as a set of one. */
static void
draw_set(struct luck *l)
{
	struct err e = { 0 };
	struct buf file;

	buf_init(&file, SET_MAX);
	for (l->n = 0; l->n < SET_SIZE;) {
		struct set_pattern *p = &l->p[l->n];

		*p = (struct set_pattern){ "p",
			random_pattern(&l->dice, &l->arena, true), 1,
			dice_roll(&l->dice, 3) == 0 ? SET_CASELESS : 0, NULL };
		file.n = 0;
		if (set_compile(SET_TEXT, p, 1, &file, &e) == 0)
			l->n++;
		else
			l->refused++;
	}
	buf_release(&file);
	l->set = make_set(l->p, l->n, &l->file);
}

static void
assert_same(struct luck *l, struct bytes text, size_t cut, size_t piece)
{
	struct match *m = run(l->set, text, cut, piece, NEVER);

	ck_assert_pstr_eq(match_why(m), NULL);
	for (size_t i = 0; i < l->n; i++) {
		int want = reference(l->p[i].text, l->p[i].flags, text, true);

		ck_assert_msg(match_found(m, i) == want,
		    "%s (flags %u): %d wanted, cut %zu, pieces %zu, in %.*s",
		    l->p[i].text, l->p[i].flags, want, cut, piece,
		    BYTES_PRINTF(text));
	}
	match_free(m);
}

START_TEST(match_is_what_pcre2_says)
{
	struct luck l = { .dice = { (uint64_t)_i * 7919 + 1 } };

	draw_set(&l);
	for (unsigned i = 0; i < TEXTS; i++) {
		struct bytes text = random_text(&l.dice, &l.arena,
		    1 + dice_roll(&l.dice, i % 4 == 0 ? 300 : 30), true);

		assert_same(&l, text, 0, 1);
		if (text.n < 60)
			for (size_t cut = 0; cut <= text.n; cut++)
				assert_same(&l, text, cut, 0);
		else
			assert_same(&l, text, dice_roll(&l.dice, 60), 7);
	}
	set_free(l.set);
	buf_release(&l.file);
	arena_release(&l.arena);
}
END_TEST

/* Longer than blocks and what is kept of them. */
START_TEST(match_is_the_same_in_a_long_text)
{
	static const struct set_pattern p[] = {
		{ "far", "a.{990,1000}z", 1, 0, NULL },
		{ "often", "[^q]{500}q", 1, 0, NULL },
		{ "ahead", "b(?=[^z]{900,1000}z)", 1, 0, NULL },
		{ "never", "yy", 1, 0, NULL },
	};
	struct arena a = { 0 };
	struct dice d = { (uint64_t)_i + 5 };
	uint8_t *text = arena_alloc(&a, 100000);
	struct buf file;
	struct set *s = make_set(p, COUNT(p), &file);

	memset(text, 'x', 100000);
	for (unsigned i = 0; i < 160; i++)
		text[dice_roll(&d, 100000)] =
		    (uint8_t) "abzq"[dice_roll(&d, 4)];
	for (size_t piece = 100; piece < 60000; piece = piece * 3 + 1)
		for (size_t n = 3000; n <= 100000; n = n * 3 + 7) {
			struct bytes t = { text, n };
			struct match *m = run(s, t, 0, piece, NEVER);

			for (size_t i = 0; i < COUNT(p); i++)
				ck_assert_msg(match_found(m, i) ==
					reference(p[i].text, 0, t, true),
				    "%s in %zu", p[i].name, n);
			match_free(m);
		}
	set_free(s);
	buf_release(&file);
	arena_release(&a);
}
END_TEST

/* Wherever a long match stands when what is behind it is forgotten. */
START_TEST(match_keeps_what_may_be_wanted)
{
	static const struct set_pattern p = { "far", "(?<=ab)x{990,1000}z", 1,
		0, NULL };
	static uint8_t text[60000];
	struct buf file;
	struct set *s = make_set(&p, 1, &file);

	for (size_t at = 20000; at < 56000; at += 397) {
		struct bytes t = { text, sizeof(text) };

		memset(text, 'x', sizeof(text));
		memcpy(text + at, "ab", 2);
		text[at + 995] = 'z';
		for (size_t piece = 500; piece < 20000; piece *= 3) {
			struct match *m = run(s, t, 0, piece, NEVER);

			ck_assert_msg(match_found(m, 0), "at %zu", at);
			match_free(m);
		}
	}
	set_free(s);
	buf_release(&file);
}
END_TEST

/* Weights. */

static const struct {
	const char *name;
	const char *text;
	int64_t threshold;
	enum match_verdict want;
	int64_t sum;
} weighed[] = {
	{ "nothing", "", 1, MATCH_OPEN, 0 },
	{ "below", "bad", 31, MATCH_OPEN, 30 },
	{ "reached", "bad", 30, MATCH_REFUSED, 30 },
	{ "once each", "bad bad bad bad", 31, MATCH_OPEN, 30 },
	{ "together", "bad worse", 80, MATCH_REFUSED, 80 },
	{ "good words take away", "bad worse good", 60, MATCH_OPEN, 40 },
	{ "in any order", "good worse bad", 41, MATCH_OPEN, 40 },
	{ "certain, before the end", "bad worse ... good", 40, MATCH_REFUSED,
	    80 },
};

START_TEST(match_weighs)
{
	static const struct set_pattern p[] = {
		{ "1", "bad", 30, SET_PHRASE, NULL },
		{ "2", "worse", 50, SET_PHRASE, NULL },
		{ "3", "good", -40, SET_PHRASE, NULL },
	};
	struct bytes text = bytes_of(weighed[_i].text);
	struct buf file;
	struct set *s = make_set(p, COUNT(p), &file);

	for (size_t piece = 1; piece <= text.n + 1; piece++) {
		struct match *m = run(s, text, 0, piece, weighed[_i].threshold);

		ck_assert_msg(
		    (match_why(m) == NULL) == (weighed[_i].want == MATCH_OPEN),
		    "%s", weighed[_i].name);
		if (weighed[_i].want == MATCH_OPEN)
			ck_assert_int_eq(match_sum(m), weighed[_i].sum);
		match_free(m);
	}
	set_free(s);
	buf_release(&file);
}
END_TEST

START_TEST(match_stops_what_takes_too_long)
{
	static const struct set_pattern p = { "slow",
		"(?:(?:a{0,9}){0,9}){0,9}(?:c{0,9}){0,9}d(?=e)", 1, 0, NULL };
	struct arena a = { 0 };
	struct bytes text;
	uint8_t *as = arena_alloc(&a, 300);
	struct buf file;
	struct set *s = make_set(&p, 1, &file);
	struct match *m;

	memset(as, 'a', 298);
	as[298] = 'd';
	text = (struct bytes){ as, 299 };
	m = run(s, text, 0, 10, NEVER);
	ck_assert_str_eq(
	    match_why(m), "a pattern takes too many steps on this text");
	match_free(m);
	set_free(s);
	buf_release(&file);
	arena_release(&a);
}
END_TEST

Suite *
match_suite(void)
{
	Suite *s = suite_create("match");
	TCase *t = tcase_create("match");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, match_finds_at_every_cut, 0, COUNT(cases));
	tcase_add_loop_test(t, match_is_what_pcre2_says, 0, 12);
	tcase_add_loop_test(t, match_is_the_same_in_a_long_text, 0, 6);
	tcase_add_test(t, match_keeps_what_may_be_wanted);
	tcase_add_loop_test(t, match_weighs, 0, COUNT(weighed));
	tcase_add_test(t, match_stops_what_takes_too_long);
	suite_add_tcase(s, t);
	return s;
}
