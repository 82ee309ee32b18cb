/* SPDX-License-Identifier: Apache-2.0 */
/* Sets as administrators write them, and what is wrong with them, by line. */
#include "filters/text/source.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filters/text/match.h"

Suite *source_suite(void);

static char path[64];
static struct set_source source;
static struct err err;

static void
setup(void)
{
	snprintf(path, sizeof(path), "/tmp/sekisho-set-XXXXXX");
	close(mkstemp(path));
	source = (struct set_source){ 0 };
	err = (struct err){ 0 };
}

static void
teardown(void)
{
	set_source_release(&source);
	unlink(path);
}

static int
read_text(const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	return set_source_read(&source, path, &err);
}

START_TEST(source_becomes_a_set)
{
	struct buf out;
	struct set *s;

	buf_init(&out, 1 << 24);
	ck_assert_msg(read_text("phrases = ( { text = \"賭け\"; weight = 40; },"
				" { text = \"Bet\"; weight = -5;"
				" ignore_case = true; } );\n"
				"patterns = ( { name = \"bonus\"; weight = 7;"
				" pattern = \"bonus.{0,9}yen\"; } );") == 0,
	    "%s", err.text);
	ck_assert_int_eq(source.kind, SET_TEXT);
	ck_assert_msg(set_compile(source.kind, source.patterns, source.n, &out,
			  &err) == 0,
	    "%s", err.text);
	s = set_open(SET_TEXT, buf_bytes(&out), SET_CODE_JIT, &err);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(set_count(s), 3);
	ck_assert_str_eq(set_name(s, 0), "賭け");
	ck_assert_int_eq(set_weight(s, 1), -5);
	ck_assert_str_eq(set_name(s, 2), "bonus");
	set_free(s);
	buf_release(&out);
}
END_TEST

START_TEST(source_may_be_several_files_of_a_kind)
{
	ck_assert_int_eq(
	    read_text("kind = \"urls\"; patterns = ( { pattern = \"a\"; } );"),
	    0);
	ck_assert_int_eq(
	    read_text("kind = \"urls\"; patterns = ( { pattern = \"b\"; } );"),
	    0);
	ck_assert_uint_eq(source.n, 2);
	ck_assert_int_lt(
	    read_text("phrases = ( { text = \"c\"; weight = 1; } );"), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "that of the files before it"));
}
END_TEST

static const struct {
	const char *text, *words; /* behind the file's name */
} bad[] = {
	{ "phrases = ();", ":1: no phrases and no patterns" },
	{ "kind = \"words\"; phrases = ();", "expected text or urls" },
	{ "phrases = ( { text = \"a\"; } );", ":1: weight: expected a number" },
	{ "phrases = (\n{ text = \"a\"; weight = 0; } );", ":2: weight" },
	{ "phrases = ( { text = \"a\"; weight = 1000001; } );", ":1: weight" },
	{ "phrases = ( { text = \"a\"; weight = \"9\"; } );", ":1: weight" },
	{ "kind = \"urls\"; patterns = ( { pattern = \"a\"; weight = 1; } );",
	    ":1: weight: expected none" },
	{ "phrases = ( { txt = \"a\"; weight = 1; } );", ":1: unknown key" },
	{ "phrases = ( { text = \"\"; weight = 1; } );", ":1: text" },
	{ "phrases = ( { text = \"a\"; weight = 1; },\n"
	  " { text = \"a\"; weight = 2; } );",
	    ":2: \"a\" is there twice, first at" },
	{ "phrases = ( { text = \"a\"; weight = 1; name = \"b\\x1b\"; } );",
	    ":1: name has a control character" },
};

START_TEST(source_that_is_wrong_is_told_by_line)
{
	ck_assert_int_lt(read_text(bad[_i].text), 0);
	ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0 &&
		strstr(err.text, bad[_i].words) != NULL,
	    "%s", err.text);
}
END_TEST

static struct err_list all;

static void
check_list(const char *const *words, size_t n)
{
	ck_assert_uint_eq(all.n, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(strncmp(all.texts[i], path, strlen(path)) == 0 &&
			strstr(all.texts[i], words[i]) != NULL,
		    "%s", all.texts[i]);
}

/* All of them, when they are asked for. */
START_TEST(source_with_bad_patterns_is_told_by_line)
{
	static const char *const unbounded[] = { ":2: pattern \"a.*b\": ",
		":4: pattern \"c+\": " };
	static const char *const broken[] = { ":1: pattern \"(\": ",
		":1: pattern \"[\": " };
	struct buf out;

	all.n = 0;
	err.list = &all;
	buf_init(&out, 1 << 24);
	ck_assert_int_eq(read_text("patterns = (\n{ pattern = \"a.*b\";"
				   " weight = 1; },\n{ pattern = \"ab\";"
				   " weight = 1; },\n{ pattern = \"c+\";"
				   " weight = 1; } );"),
	    0);
	ck_assert_int_lt(
	    set_compile(source.kind, source.patterns, source.n, &out, &err), 0);
	check_list(unbounded, COUNT(unbounded));
	ck_assert_uint_eq(out.n, 0);
	set_source_release(&source);
	all.n = 0;
	ck_assert_int_eq(read_text("patterns = ( { pattern = \"(\"; weight = 1;"
				   " }, { pattern = \"[\"; weight = 1; } );"),
	    0);
	ck_assert_int_lt(
	    set_compile(source.kind, source.patterns, source.n, &out, &err), 0);
	check_list(broken, COUNT(broken));
	buf_release(&out);
}
END_TEST

START_TEST(source_with_twins_tells_each)
{
	static const char *const twins[] = {
		":2: \"a\" is there twice, first at", ":4: \"b\" is there twice"
	};

	all.n = 0;
	err.list = &all;
	ck_assert_int_lt(
	    read_text("phrases = ( { text = \"a\"; weight = 1; },\n"
		      "{ text = \"a\"; weight = 2; },\n"
		      "{ text = \"b\"; weight = 3; },\n"
		      "{ text = \"b\"; weight = 4; } );"),
	    0);
	check_list(twins, COUNT(twins));
}
END_TEST

/* A name is cut between characters, to 64 bytes. */
START_TEST(source_names_what_has_no_name)
{
	const char *text = "";

	for (int i = 0; i < 22; i++)
		text = arena_printf(&source.arena, "%s賭", text);
	ck_assert_int_eq(
	    read_text(arena_printf(&source.arena,
		"phrases = ( { text = \"%s\"; weight = 1; } );", text)),
	    0);
	ck_assert_uint_eq(strlen(source.patterns[0].name), 63);
}
END_TEST

Suite *
source_suite(void)
{
	Suite *s = suite_create("source");
	TCase *t = tcase_create("source");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, source_becomes_a_set);
	tcase_add_test(t, source_may_be_several_files_of_a_kind);
	tcase_add_loop_test(
	    t, source_that_is_wrong_is_told_by_line, 0, COUNT(bad));
	tcase_add_test(t, source_with_bad_patterns_is_told_by_line);
	tcase_add_test(t, source_with_twins_tells_each);
	tcase_add_test(t, source_names_what_has_no_name);
	suite_add_tcase(s, t);
	return s;
}
