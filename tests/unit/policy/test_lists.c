/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/lists.h"

#include <check.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/policy/town.h"

#define LINE_MAX_BYTES 4096

static const struct {
	const char *name;
	struct bytes text;
	enum list_kind kind;
	const char *want; /* behind the name; NULL: read */
} texts[] = {
	{ "an empty file", BYTES(""), LIST_DOMAINS, NULL },
	{ "an empty line", BYTES("\n"), LIST_DOMAINS, NULL },
	{ "a name", BYTES("a.test\n"), LIST_DOMAINS, NULL },
	{ "blanks around a name", BYTES(" \ta.test\t \n"), LIST_DOMAINS, NULL },
	{ "lines of another system", BYTES("a.test\r\nb.test\r\n"),
	    LIST_DOMAINS, NULL },
	{ "an address", BYTES("192.0.2.1\n"), LIST_DOMAINS, NULL },
	{ "a Japanese name", BYTES("関所.test\n"), LIST_DOMAINS, NULL },
	{ "a comment", BYTES("# a b c\n"), LIST_DOMAINS, NULL },
	{ "a comment behind a blank", BYTES("  # a b c\n"), LIST_DOMAINS,
	    NULL },
	{ "a comment behind a tab", BYTES("\t# a b c\n"), LIST_DOMAINS, NULL },
	{ "a comment behind a name", BYTES("a.test # b c\n"), LIST_DOMAINS,
	    NULL },
	{ "a comment without a blank", BYTES("a.test#b\n"), LIST_DOMAINS,
	    ":1: host with a forbidden byte, expected a domain such as"
	    " example.test" },
	{ "half a line", BYTES("a.test\nb.te"), LIST_DOMAINS,
	    ":2: the last line is not complete, expected a line end (is the"
	    " file half written?)" },
	{ "half a comment", BYTES("# b"), LIST_DOMAINS,
	    ":1: the last line is not complete, expected a line end (is the"
	    " file half written?)" },
	{ "a wildcard", BYTES("a.test\n*.test\n"), LIST_DOMAINS,
	    ":2: host with a forbidden byte, expected a domain such as"
	    " example.test" },
	{ "two names in a line", BYTES("a.test b.test\n"), LIST_DOMAINS,
	    ":1: host with a forbidden byte, expected a domain such as"
	    " example.test" },
	{ "a URL among domains", BYTES("\n\na.test/b\n"), LIST_DOMAINS,
	    ":3: host with a forbidden byte, expected a domain such as"
	    " example.test" },
	{ "a NUL", BYTES("a.test\0b\n"), LIST_DOMAINS,
	    ":1: NUL in the line, expected a domain such as example.test" },
	{ "a URL", BYTES("a.test/b\n"), LIST_URLS, NULL },
	{ "a URL with its scheme", BYTES("https://a.test/b\n"), LIST_URLS,
	    NULL },
	{ "a scheme in capitals", BYTES("HTTPS://a.test/b\n"), LIST_URLS,
	    NULL },
	{ "a domain among URLs", BYTES("a.test\n"), LIST_URLS, NULL },
	{ "a URL of another scheme", BYTES("ftp://a.test/b\n"), LIST_URLS,
	    ":1: no http or https URL, expected a URL such as"
	    " example.test/path" },
	{ "a URL with a user", BYTES("a@b.test/\n"), LIST_URLS,
	    ":1: host with a forbidden byte, expected a URL such as"
	    " example.test/path" },
	{ "a URL with a blank", BYTES("a.test/b c\n"), LIST_URLS,
	    ":1: the target has a forbidden byte, expected a URL such as"
	    " example.test/path" },
};

START_TEST(lists_are_read_strictly)
{
	struct arena a = { 0 };
	struct lists *l = lists_new(&a);
	struct err e = { 0 };
	unsigned category = (unsigned)lists_category(l, "c");
	int got = lists_read_text(
	    l, "name", texts[_i].text, texts[_i].kind, category, &e);

	ck_assert_msg((got == 0) == (texts[_i].want == NULL), "%s: %s",
	    texts[_i].name, e.text);
	if (got < 0)
		ck_assert_str_eq(
		    e.text, arena_printf(&a, "name%s", texts[_i].want));
	lists_seal(l);
	arena_release(&a);
}
END_TEST

static struct lists *
seal(struct arena *a, const char *text, enum list_kind kind)
{
	struct lists *l = lists_new(a);
	struct err e;

	ck_assert(lists_read_text(l, "list", bytes_of(text), kind,
		      (unsigned)lists_category(l, "c"), &e) == 0);
	lists_seal(l);
	return l;
}

static uint64_t
lookup(struct arena *a, const struct lists *l, const char *text)
{
	struct url u = { 0 };
	const char *why = "";

	ck_assert_msg(url_parse_absolute(&u, bytes_of(text), a, &why) == 0,
	    "%s: %s", text, why);
	return lists_lookup(l, &u);
}

static const struct {
	enum list_kind kind;
	const char *list, *url;
	bool want;
} looks[] = {
	{ LIST_DOMAINS, "a.test\n", "http://a.test/", true },
	{ LIST_DOMAINS, "a.test\n", "https://b.a.test:444/c", true },
	{ LIST_DOMAINS, "a.test\n", "http://ba.test/", false },
	{ LIST_DOMAINS, "a.test\n", "http://test/", false },
	{ LIST_DOMAINS, "a.test\n", "http://a.test.b/", false },
	{ LIST_DOMAINS, "A.Test.\n", "http://a.test/", true },
	{ LIST_DOMAINS, "関所.test\n", "http://xn--8ous75i.test/", true },
	{ LIST_DOMAINS, "test\n", "http://a.test/", true },
	{ LIST_DOMAINS, "192.0.2.1\n", "http://192.0.2.1/", true },
	{ LIST_DOMAINS, "", "http://a.test/", false },
	{ LIST_URLS, "a.test/b\n", "http://a.test/b", true },
	{ LIST_URLS, "a.test/b\n", "https://a.test/b/c", true },
	{ LIST_URLS, "a.test/b\n", "http://a.test/b?c", true },
	{ LIST_URLS, "HTTPS://a.test/b\n", "http://a.test/b", true },
	{ LIST_URLS, "a.test/b\n", "http://a.test/bc", false },
	{ LIST_URLS, "a.test/b\n", "http://a.test/", false },
	{ LIST_URLS, "a.test/b\n", "http://c.a.test/b", false },
	{ LIST_URLS, "a.test/b/\n", "http://a.test/b/c", true },
	{ LIST_URLS, "a.test/b/\n", "http://a.test/b/", true },
	{ LIST_URLS, "a.test/b/\n", "http://a.test/b", false },
	{ LIST_URLS, "a.test/%62\n", "http://a.test/b", true },
	{ LIST_URLS, "a.test/b\n", "http://a.test/c/../%62", true },
	{ LIST_URLS, "a.test/B\n", "http://a.test/b", false },
	{ LIST_URLS, "a.test\n", "http://a.test/b", true },
	{ LIST_URLS, "a.test\n", "http://b.a.test/", false },
	{ LIST_URLS, "a.test/b?c\n", "http://a.test/b?c", true },
	{ LIST_URLS, "a.test/b?c\n", "http://a.test/b?c&d", false },
	{ LIST_URLS, "a.test/b?c\n", "http://a.test/b", false },
	{ LIST_URLS, "a.test:81/b\n", "http://a.test:81/b", true },
	{ LIST_URLS, "a.test:81/b\n", "http://a.test/b", false },
	{ LIST_URLS, "a.test/b\n", "http://a.test:81/b", true },
	{ LIST_URLS, "[2001:db8::1]/b\n", "http://[2001:db8:0::1]/b", true },
	{ LIST_URLS, "192.0.2.1/b\n", "http://192.0.2.1/b", true },
};

START_TEST(lists_widen_nothing)
{
	struct arena a = { 0 };
	struct lists *l = seal(&a, looks[_i].list, looks[_i].kind);
	bool got = lookup(&a, l, looks[_i].url) != 0;

	ck_assert_msg(got == looks[_i].want, "%s against %s", looks[_i].url,
	    looks[_i].list);
	arena_release(&a);
}
END_TEST

/* "a.test/" and letters: a line of n bytes without its end. */
static const char *
long_url(struct arena *a, size_t n)
{
	char *text = arena_alloc(a, n + 2);

	memset(text, 'x', n);
	memcpy(text, "a.test/", 7);
	text[n] = '\n';
	return text;
}

START_TEST(lists_lines_have_a_limit)
{
	struct arena a = { 0 };
	struct lists *l = lists_new(&a);
	struct err e = { 0 };
	const char *at = long_url(&a, LINE_MAX_BYTES);
	const char *past = long_url(&a, LINE_MAX_BYTES + 1);

	ck_assert(lists_read_text(l, "l", bytes_of(at), LIST_URLS, 0, &e) == 0);
	ck_assert(
	    lists_read_text(l, "l", bytes_of(past), LIST_URLS, 0, &e) < 0);
	ck_assert_str_eq(e.text,
	    "l:1: line of more than 4096 bytes, expected a URL such as"
	    " example.test/path");
	lists_seal(l);
	arena_release(&a);
}
END_TEST

/* Each lone percent sign takes three bytes of the canonical form. */
START_TEST(lists_canonical_urls_have_a_limit)
{
	struct arena a = { 0 };
	struct lists *l = lists_new(&a);
	struct err e = { 0 };
	char signs[1367];
	const char *at, *past;

	memset(signs, '%', sizeof(signs));
	at = arena_printf(&a, "a.test/%.*s\n", 1365, signs);
	past = arena_printf(&a, "a.test/%.*s\n", 1366, signs);
	ck_assert(
	    lists_read_text(l, "l", bytes_of(past), LIST_URLS, 0, &e) < 0);
	ck_assert_str_eq(e.text,
	    "l:1: URL whose canonical form has more than 4096 bytes, expected"
	    " a URL such as example.test/path");
	ck_assert(lists_read_text(l, "l", bytes_of(at), LIST_URLS, 0, &e) == 0);
	lists_seal(l);
	ck_assert_uint_eq(
	    lookup(&a, l, arena_printf(&a, "http://a.test/%.*s", 1365, signs)),
	    1);
	arena_release(&a);
}
END_TEST

/* The longest entry is found, and a longer URL below it. */
START_TEST(lists_find_the_longest_line)
{
	struct arena a = { 0 };
	const char *line = long_url(&a, LINE_MAX_BYTES);
	struct lists *l = seal(&a, line, LIST_URLS);
	const char *url = arena_printf(&a, "http://%.*s", 4096, line);

	ck_assert_uint_eq(lookup(&a, l, url), 1);
	ck_assert_uint_eq(
	    lookup(&a, l, arena_printf(&a, "%s/%s", url, url)), 1);
	ck_assert_uint_eq(lookup(&a, l, arena_printf(&a, "%sy", url)), 0);
	arena_release(&a);
}
END_TEST

START_TEST(lists_categories_have_a_limit)
{
	struct arena a = { 0 };
	struct lists *l = lists_new(&a);

	for (int i = 0; i < CATEGORIES_MAX; i++)
		ck_assert_int_eq(
		    lists_category(l, arena_printf(&a, "c%d", i)), i);
	ck_assert_int_eq(lists_category(l, "one more"), -1);
	ck_assert_int_eq(lists_category(l, "c7"), 7);
	ck_assert_int_eq(lists_find_category(l, BYTES("c63")), 63);
	ck_assert_int_eq(lists_find_category(l, BYTES("c64")), -1);
	ck_assert_str_eq(lists_category_name(l, 63), "c63");
	ck_assert(lists_category_name(l, 64) == NULL);
	lists_seal(l);
	arena_release(&a);
}
END_TEST

/* The same entry in two lists has both categories; the last one counts. */
START_TEST(lists_unite_their_categories)
{
	struct arena a = { 0 };
	struct lists *l = lists_new(&a);
	struct url u = { 0 };
	struct err e;
	const char *why;

	ck_assert(lists_read_text(l, "1", BYTES("a.test\na.test\n"),
		      LIST_DOMAINS, 0, &e) == 0);
	ck_assert(lists_read_text(l, "2", BYTES("b.a.test\na.test\n"),
		      LIST_DOMAINS, 5, &e) == 0);
	ck_assert(lists_read_text(
		      l, "3", BYTES("b.a.test/c\n"), LIST_URLS, 63, &e) == 0);
	lists_seal(l);
	ck_assert_uint_eq(lookup(&a, l, "http://a.test/"), 1 | 1u << 5);
	ck_assert_uint_eq(lookup(&a, l, "http://b.a.test/c"),
	    1 | 1u << 5 | (uint64_t)1 << 63);
	ck_assert(
	    url_parse_authority(&u, BYTES("b.a.test:443"), 0, &a, &why) == 0);
	ck_assert_uint_eq(lists_lookup(l, &u), 1 | 1u << 5);
	ck_assert_uint_eq(lists_url_categories(l, &u), (uint64_t)1 << 63);
	ck_assert(
	    url_parse_authority(&u, BYTES("a.test:443"), 0, &a, &why) == 0);
	ck_assert_uint_eq(lists_url_categories(l, &u), 0);
	arena_release(&a);
}
END_TEST

/* A body's file cannot loosen what the prefecture's takes. */
START_TEST(lists_take_the_least_confidence)
{
	struct arena a = { 0 };
	struct lists *l = lists_new(&a);
	int n = lists_category(l, "phishing");

	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(lists_with_confidence(l, BYTES("phishing"), 100), 0);
	lists_look_up(l, LIST_REPUTATION, 0, 50);
	lists_look_up(l, LIST_REPUTATION, 0, 100);
	ck_assert_uint_eq(lists_with_confidence(l, BYTES("phishing"), 49), 0);
	ck_assert_uint_eq(lists_with_confidence(l, BYTES("phishing"), 50), 1);
	lists_look_up(l, LIST_REPUTATION, 0, 20);
	ck_assert_uint_eq(lists_with_confidence(l, BYTES("phishing"), 20), 1);
	ck_assert_uint_eq(lists_with_confidence(l, BYTES("other"), 100), 0);
	ck_assert_uint_eq(lists_with_score(l, 100), 0);
	ck_assert_int_eq(lists_category(l, "odd"), 1);
	lists_look_up(l, LIST_SCORE, 1, 60);
	ck_assert_uint_eq(lists_with_score(l, 59), 0);
	ck_assert_uint_eq(lists_with_score(l, 60), 2);
	ck_assert_uint_eq(lists_looked_up(l, LIST_SCORE), 2);
	ck_assert_uint_eq(lists_looked_up(l, LIST_REPUTATION), 1);
	arena_release(&a);
}
END_TEST

START_TEST(lists_hold_many_entries)
{
	struct arena a = { 0 };
	struct arena text = { 0 };
	struct lists *l = lists_new(&a);
	struct err e;

	for (unsigned i = 0; i < 5000; i++)
		ck_assert(lists_read_text(l, "l",
			      bytes_of(arena_printf(&text, "n%u.test\n", i)),
			      LIST_DOMAINS, i % CATEGORIES_MAX, &e) == 0);
	lists_seal(l);
	for (unsigned i = 0; i < 5000; i++)
		ck_assert_uint_eq(
		    lookup(
			&text, l, arena_printf(&text, "http://n%u.test/", i)),
		    (uint64_t)1 << i % CATEGORIES_MAX);
	ck_assert_uint_eq(lookup(&text, l, "http://n5000.test/"), 0);
	arena_release(&text);
	arena_release(&a);
}
END_TEST

static void
make_fifo(struct town *t)
{
	ck_assert(mkfifo(town_path(t, "list"), 0600) == 0);
}

static void
make_folder(struct town *t)
{
	ck_assert(mkdir(town_path(t, "list"), 0700) == 0);
}

static void
make_nothing(struct town *t)
{
	(void)t;
}

static void
make_empty(struct town *t)
{
	town_write(t, "list", BYTES(""));
}

static void
make_full(struct town *t)
{
	town_write(t, "list", BYTES("a.test\n"));
}

/* A hole: it takes no room. */
static void
make_huge(struct town *t)
{
	town_write(t, "list", BYTES(""));
	ck_assert(truncate(town_path(t, "list"), (off_t)1 << 31) == 0);
}

static void
make_half(struct town *t)
{
	town_write(t, "list", BYTES("a.test\nb"));
}

static const struct {
	const char *name;
	void (*make)(struct town *t);
	const char *want; /* behind the path; NULL: read */
} files[] = {
	{ "a file", make_full, NULL },
	{ "an empty file", make_empty, NULL },
	{ "a half-written file", make_half,
	    ":2: the last line is not complete, expected a line end (is the"
	    " file half written?)" },
	{ "a file that is not there", make_nothing,
	    ": cannot be read: No such file or directory" },
	{ "a file of 2 GiB", make_huge,
	    ": has 2147483648 bytes, expected at most 2147483647" },
	{ "a folder", make_folder, ": cannot be read: is no regular file" },
	{ "a pipe", make_fifo, ": cannot be read: is no regular file" },
};

START_TEST(lists_read_only_files)
{
	struct town t;
	struct lists *l;
	struct err e = { 0 };
	const char *path;
	int got;

	town_open(&t);
	l = lists_new(&t.arena);
	path = town_path(&t, "list");
	files[_i].make(&t);
	got = lists_read(l, path, LIST_DOMAINS, 0, &e);
	ck_assert_msg((got == 0) == (files[_i].want == NULL), "%s: %s",
	    files[_i].name, e.text);
	if (got < 0)
		ck_assert_str_eq(e.text,
		    arena_printf(&t.arena, "%s%s", path, files[_i].want));
	lists_seal(l);
	rmdir(path);
	town_close(&t);
}
END_TEST

Suite *lists_suite(void);

Suite *
lists_suite(void)
{
	Suite *s = suite_create("lists");
	TCase *t = tcase_create("lists");

	tcase_add_loop_test(t, lists_are_read_strictly, 0, COUNT(texts));
	tcase_add_loop_test(t, lists_widen_nothing, 0, COUNT(looks));
	tcase_add_test(t, lists_lines_have_a_limit);
	tcase_add_test(t, lists_canonical_urls_have_a_limit);
	tcase_add_test(t, lists_find_the_longest_line);
	tcase_add_test(t, lists_categories_have_a_limit);
	tcase_add_test(t, lists_unite_their_categories);
	tcase_add_test(t, lists_take_the_least_confidence);
	tcase_add_test(t, lists_hold_many_entries);
	tcase_add_loop_test(t, lists_read_only_files, 0, COUNT(files));
	suite_add_tcase(s, t);
	return s;
}
