/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/canon.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "proxy/base/file.h"

#define LABEL_63 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define VECTORS "../shared/data/url/wpt-url/urltestdata.json"

Suite *canon_suite(void);

static const struct {
	const char *name;
	struct bytes given;
	const char *want; /* NULL: refused */
} cases[] = {
	{ "a URL", BYTES_ROW("http://a.test/b?c"), "a.test:80/b?c" },
	{ "no scheme", BYTES_ROW("a.test/b"), "a.test:80/b" },
	{ "no path", BYTES_ROW("https://a.test"), "a.test:443/" },
	{ "a port and no scheme", BYTES_ROW("a.test:8080/x"), "a.test:8080/x" },
	{ "an empty port", BYTES_ROW("http://a.test:/"), "a.test:80/" },
	{ "a port of zeros", BYTES_ROW("http://a.test:00080/"), "a.test:80/" },
	{ "the last port", BYTES_ROW("http://a.test:65535/"), "a.test:65535/" },
	{ "one past it", BYTES_ROW("http://a.test:65536/"), NULL },
	{ "another scheme", BYTES_ROW("gopher://a.test/"), NULL },
	{ "a script", BYTES_ROW("javascript:alert(1)"), NULL },
	{ "capitals", BYTES_ROW("HTTP://A.TEST/B"), "a.test:80/B" },
	{ "blanks around it", BYTES_ROW("  http://a.test/ \r\n"),
	    "a.test:80/" },
	{ "line ends and tabs within", BYTES_ROW("ht\ntp://a\t.te\rst/b"),
	    "a.test:80/b" },
	{ "backslashes", BYTES_ROW("http:\\\\a.test\\b\\c"), "a.test:80/b/c" },
	{ "no slashes", BYTES_ROW("http:a.test"), "a.test:80/" },
	{ "many slashes", BYTES_ROW("http:////a.test/"), "a.test:80/" },
	{ "user information", BYTES_ROW("http://good.test@a.test/"),
	    "a.test:80/" },
	{ "two of them", BYTES_ROW("http://x@good.test@a.test/"),
	    "a.test:80/" },
	{ "a backslash before the at sign",
	    BYTES_ROW("http://a.test\\@good.test/"), "a.test:80/@good.test/" },
	{ "a question before it", BYTES_ROW("http://a.test?@b.test/"),
	    "a.test:80/?@b.test/" },
	{ "a password with a colon", BYTES_ROW("http://u:p:q@a.test:81/"),
	    "a.test:81/" },
	{ "a trailing dot", BYTES_ROW("http://a.test./"), "a.test:80/" },
	{ "two trailing dots", BYTES_ROW("http://a.test../"), NULL },
	{ "an empty label", BYTES_ROW("http://a..test/"), NULL },
	{ "no host", BYTES_ROW("http://"), NULL },
	{ "a dot alone", BYTES_ROW("http://./"), NULL },
	{ "nothing", BYTES_ROW(""), NULL },
	{ "an escaped host", BYTES_ROW("http://%61.test/"), "a.test:80/" },
	{ "an escaped slash in it", BYTES_ROW("http://a%2ftest/"), NULL },
	{ "an escape twice over", BYTES_ROW("http://a%2561.test/"), NULL },
	{ "a NUL in it", BYTES_ROW("http://a%00.test/"), NULL },
	{ "a blank in it", BYTES_ROW("http://a .test/"), NULL },
	{ "an underscore", BYTES_ROW("http://_a.test/"), "_a.test:80/" },
	{ "a label of 63", BYTES_ROW("http://" LABEL_63 ".test/"),
	    LABEL_63 ".test:80/" },
	{ "a label of 64", BYTES_ROW("http://a" LABEL_63 ".test/"), NULL },
	{ "a Japanese name", BYTES_ROW("http://関所.test/"),
	    "xn--8ous75i.test:80/" },
	{ "the same, escaped", BYTES_ROW("http://%E9%96%A2%E6%89%80.test/"),
	    "xn--8ous75i.test:80/" },
	{ "an ideographic full stop", BYTES_ROW("http://a。test/"),
	    "a.test:80/" },
	{ "full-width letters", BYTES_ROW("http://ａ.test/"), "a.test:80/" },
	{ "no UTF-8", BYTES_ROW("http://a\xff.test/"), NULL },
	{ "an address", BYTES_ROW("http://192.0.2.1/"), "192.0.2.1:80/" },
	{ "as one number", BYTES_ROW("http://3221225985/"), "192.0.2.1:80/" },
	{ "in hexadecimal", BYTES_ROW("http://0xC0000201/"), "192.0.2.1:80/" },
	{ "in octal", BYTES_ROW("http://0300.0.02.01/"), "192.0.2.1:80/" },
	{ "of three parts", BYTES_ROW("http://192.0.513/"), "192.0.2.1:80/" },
	{ "of two", BYTES_ROW("http://192.513"), "192.0.2.1:80/" },
	{ "with a dot", BYTES_ROW("http://192.0.2.1./"), "192.0.2.1:80/" },
	{ "a zero", BYTES_ROW("http://0x/"), "0.0.0.0:80/" },
	{ "full-width digits", BYTES_ROW("http://１９２.0.2.1/"),
	    "192.0.2.1:80/" },
	{ "a part too large", BYTES_ROW("http://192.0.2.256/"), NULL },
	{ "the last number", BYTES_ROW("http://4294967295/"),
	    "255.255.255.255:80/" },
	{ "one past it", BYTES_ROW("http://4294967296/"), NULL },
	{ "five parts", BYTES_ROW("http://1.2.3.4.5/"), NULL },
	{ "no octal digit", BYTES_ROW("http://1.2.3.08/"), NULL },
	{ "a name that ends in a number", BYTES_ROW("http://a.1/"), NULL },
	{ "IPv6", BYTES_ROW("http://[2001:DB8:0:0:0:0:0:1]:81/"),
	    "[2001:db8::1]:81/" },
	{ "IPv6 with an IPv4 tail", BYTES_ROW("http://[64:ff9b::192.0.2.1]/"),
	    "[64:ff9b::c000:201]:80/" },
	{ "IPv6 of two gaps", BYTES_ROW("http://[1:0:0:2:0:0:0:3]/"),
	    "[1:0:0:2::3]:80/" },
	{ "IPv6 of zeros", BYTES_ROW("http://[0:0:0:0:0:0:0:0]/"), "[::]:80/" },
	{ "IPv6 with one zero", BYTES_ROW("http://[1:2:3:0:5:6:7:8]/"),
	    "[1:2:3:0:5:6:7:8]:80/" },
	{ "IPv4 in IPv6", BYTES_ROW("http://[::ffff:c000:201]/"),
	    "192.0.2.1:80/" },
	{ "IPv6 with a zone", BYTES_ROW("http://[fe80::1%25eth0]/"), NULL },
	{ "IPv4 in brackets", BYTES_ROW("http://[192.0.2.1]/"), NULL },
	{ "no closing bracket", BYTES_ROW("http://[::1/"), NULL },
	{ "dot segments", BYTES_ROW("http://a.test/b/../c/./d"),
	    "a.test:80/c/d" },
	{ "escaped ones", BYTES_ROW("http://a.test/b/%2e%2E/c/%2e/d"),
	    "a.test:80/c/d" },
	{ "above the root", BYTES_ROW("http://a.test/../../b"), "a.test:80/b" },
	{ "a dot segment at the end", BYTES_ROW("http://a.test/b/.."),
	    "a.test:80/" },
	{ "three dots are a name", BYTES_ROW("http://a.test/.../b"),
	    "a.test:80/.../b" },
	{ "needless escapes", BYTES_ROW("http://a.test/%7Eb%21?%63"),
	    "a.test:80/~b!?c" },
	{ "needed escapes", BYTES_ROW("http://a.test/%2fb%3b%5c?%26"),
	    "a.test:80/%2Fb%3B%5C?%26" },
	{ "what is escaped twice", BYTES_ROW("http://a.test/%2561"),
	    "a.test:80/%2561" },
	{ "no escape", BYTES_ROW("http://a.test/%zz%"), "a.test:80/%25zz%25" },
	{ "two halves of one", BYTES_ROW("http://a.test/%%34%31"),
	    "a.test:80/%2541" },
	{ "blanks and letters", BYTES_ROW("http://a.test/a b/例"),
	    "a.test:80/a%20b/%E4%BE%8B" },
	{ "a fragment", BYTES_ROW("http://a.test/b#c?d"), "a.test:80/b" },
	{ "a query alone", BYTES_ROW("http://a.test?b#c"), "a.test:80/?b" },
	{ "an empty query", BYTES_ROW("http://a.test/b?"), "a.test:80/b" },
};

static const char *
words(const struct canon *c)
{
	static char out[3 * CANON_MAX];

	snprintf(out, sizeof(out), "%.*s:%u%.*s%.*s", BYTES_PRINTF(c->host),
	    c->port, BYTES_PRINTF(c->path), BYTES_PRINTF(c->query));
	return out;
}

START_TEST(canon_has_one_form)
{
	static struct canon c, again;
	const char *why = NULL;
	int got = canon_parse(&c, cases[_i].given, &why);

	ck_assert_msg((got == 0) == (cases[_i].want != NULL), "%s: %s",
	    cases[_i].name, why == NULL ? words(&c) : why);
	if (got < 0) {
		ck_assert_ptr_nonnull(why);
		return;
	}
	ck_assert_msg(strcmp(words(&c), cases[_i].want) == 0, "%s: %s",
	    cases[_i].name, words(&c));
	ck_assert_int_eq(
	    canon_parse(&again, bytes_of(cases[_i].want), &why), 0);
	ck_assert_str_eq(words(&again), cases[_i].want);
}
END_TEST

static const struct {
	const char *given, *loose;
} loose[] = {
	{ "/a/b", "/a/b" },
	{ "/a//b", "/a/b" },
	{ "/a/%2e/b", "/a/b" },
	{ "/a%2fb", "/a/b" },
	{ "/a%5cb", "/a/b" },
	{ "/a;x=1/b;y", "/a/b" },
	{ "/%252e%252e/b", "/b" },
	{ "/%2525252541", "/A" },
	{ "/%25%34%31", "/A" },
	{ "/a%00b", "/a%00b" },
	{ "/a%20b", "/a%20b" },
	{ "/a/..;/b", "/b" },
};

START_TEST(canon_loose_is_the_most_generous_reading)
{
	static struct canon c;
	const char *why;

	ck_assert_int_eq(
	    canon_parse_target(&c, bytes_of(loose[_i].given), &why), 0);
	ck_assert_msg(bytes_equal(c.loose, bytes_of(loose[_i].loose)),
	    "%s: %.*s", loose[_i].given, BYTES_PRINTF(c.loose));
}
END_TEST

START_TEST(canon_refuses_past_its_limits)
{
	static struct canon c;
	static uint8_t text[CANON_MAX + 1];
	const char *why = NULL;
	struct bytes b = { text, CANON_MAX };

	memset(text, 'a', sizeof(text));
	text[0] = '/';
	ck_assert_int_eq(canon_parse_target(&c, b, &why), 0);
	ck_assert_uint_eq(c.path.n, CANON_MAX);
	b.n++;
	ck_assert_int_eq(canon_parse_target(&c, b, &why), -1);
	/* Escaped it is three times as long. */
	memset(text + 1, ' ', CANON_MAX);
	b.n = 1 + (CANON_MAX - 1) / 3;
	ck_assert_int_eq(canon_parse_target(&c, b, &why), 0);
	b.n++;
	ck_assert_int_eq(canon_parse_target(&c, b, &why), -1);
	text[1] = '?';
	ck_assert_int_eq(canon_parse_target(&c, b, &why), 0);
	b.n += 2;
	ck_assert_int_eq(canon_parse_target(&c, b, &why), -1);
}
END_TEST

/* The example of Safe Browsing's documentation. */
START_TEST(canon_expressions_are_those_of_safe_browsing)
{
	static struct canon c;
	struct canon_expression e[CANON_EXPRESSIONS_MAX];
	static const char *const want[] = { "a.b.c/1/2.html?param=1",
		"a.b.c/1/2.html", "a.b.c/", "a.b.c/1/", "b.c/1/2.html?param=1",
		"b.c/1/2.html", "b.c/", "b.c/1/" };
	const char *why;
	size_t n;

	ck_assert_int_eq(
	    canon_parse(&c, BYTES("http://a.b.c/1/2.html?param=1"), &why), 0);
	n = canon_expressions(&c, e);
	ck_assert_uint_eq(n, COUNT(want));
	for (size_t i = 0; i < n; i++) {
		char text[256];

		snprintf(text, sizeof(text), "%.*s%.*s%.*s",
		    BYTES_PRINTF(e[i].host), BYTES_PRINTF(e[i].path),
		    BYTES_PRINTF(e[i].query));
		ck_assert_str_eq(text, want[i]);
	}
	ck_assert_int_eq(
	    canon_parse(&c, BYTES("http://a.b.c.d.e.f.g/1.html"), &why), 0);
	n = canon_expressions(&c, e);
	ck_assert_uint_eq(n, 10);
	ck_assert(bytes_equal(e[2].host, BYTES("c.d.e.f.g")));
	ck_assert(bytes_equal(e[8].host, BYTES("f.g")));
	ck_assert_int_eq(canon_parse(&c, BYTES("http://1.2.3.4/1/"), &why), 0);
	ck_assert_uint_eq(canon_expressions(&c, e), 2);
	ck_assert_int_eq(
	    canon_parse(&c, BYTES("http://a.b.c.d.e.f/1/2/3/4/5/6?q"), &why),
	    0);
	ck_assert_uint_eq(canon_expressions(&c, e), CANON_EXPRESSIONS_MAX);
}
END_TEST

static const char *
text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text == NULL ? "" : text;
}

static bool
is_web(const char *text)
{
	struct bytes b = bytes_of(text);

	for (size_t i = 0; i < 2; i++) {
		static const struct bytes heads[] = { BYTES_ROW("http://"),
			BYTES_ROW("https://") };
		struct bytes rest = b;

		if (bytes_equal_nocase(bytes_take(&rest, heads[i].n), heads[i]))
			return true;
	}
	return false;
}

/* What we refuse beside WHATWG's, for no name of DNS is so. */
static bool
is_ours_to_refuse(const char *why)
{
	return strstr(why, "empty label") != NULL ||
	    strstr(why, "too long a label") != NULL ||
	    strstr(why, "many bytes") != NULL;
}

static bool
is_surrogate(const uint8_t *p, const char *second)
{
	return p[0] == '\\' && p[1] == 'u' && (p[2] | 0x20) == 'd' &&
	    strchr(second, p[3] | 0x20) != NULL;
}

/* Half a pair is no text, and jansson says so of the whole file: it becomes
 * what a browser takes it for. */
static json_t *
load_vectors(void)
{
	struct err e;
	struct buf b;
	json_t *all = NULL;
	json_error_t error;

	buf_init(&b, (size_t)16 << 20);
	if (file_read(VECTORS, &b, &e) < 0)
		return NULL;
	for (size_t i = 0; i + 12 <= b.n; i++) {
		if (is_surrogate(b.p + i, "89ab") &&
		    is_surrogate(b.p + i + 6, "cdef"))
			i += 11;
		else if (is_surrogate(b.p + i, "89abcdef"))
			memcpy(b.p + i, "\\ufffd", 6);
	}
	all = json_loadb((char *)b.p, b.n, JSON_ALLOW_NUL, &error);
	ck_assert_msg(
	    all != NULL, "%s:%d: %s", VECTORS, error.line, error.text);
	buf_release(&b);
	return all;
}

/* The vectors that browsers are tested with, of absolute web URLs. */
START_TEST(canon_reads_as_browsers_do)
{
	static struct canon c, want;
	json_t *all = load_vectors();
	size_t run = 0, refused = 0, unlike = 0;

	if (all == NULL) {
		printf("canon: no %s: the vectors were not run\n", VECTORS);
		return;
	}
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *v = json_array_get(all, i);
		const char *input = text_of(v, "input");
		const char *why = "";
		struct bytes given = { (const uint8_t *)input,
			json_string_length(json_object_get(v, "input")) };
		bool failure = json_is_true(json_object_get(v, "failure"));
		int got;

		if (!json_is_object(v) || !is_web(input))
			continue;
		run++;
		got = canon_parse(&c, given, &why);
		if (failure) {
			/* An A-label that decodes to nothing good is refused
			 * by browsers, yet programs resolve it. */
			if (got == 0 && strstr(input, "xn--") == NULL &&
			    strstr(input, "XN--") == NULL) {
				printf("canon: taken: %s as %s\n", input,
				    words(&c));
				unlike++;
			}
			continue;
		}
		if (got < 0) {
			if (is_ours_to_refuse(why)) {
				refused++;
				continue;
			}
			printf("canon: refused: %s: %s\n", input, why);
			unlike++;
			continue;
		}
		ck_assert_int_eq(
		    canon_parse(&want, bytes_of(text_of(v, "href")), &why), 0);
		if (strcmp(words(&c), "") == 0 ||
		    !bytes_equal(c.host, want.host) || c.port != want.port ||
		    !bytes_equal(c.path, want.path) ||
		    !bytes_equal(c.query, want.query)) {
			printf("canon: %s is %s\n", input, words(&c));
			unlike++;
		}
	}
	ck_assert_uint_gt(run, 200);
	printf("canon: %zu vectors, %zu refused as no name\n", run, refused);
	/* https://%e2%98%83 (a snowman) alone: IDNA2008 permits no symbols,
	 * and libidn2 knows no other rule. It is refused, not passed. */
	ck_assert_uint_le(unlike, 1);
	json_decref(all);
}
END_TEST

Suite *
canon_suite(void)
{
	Suite *s = suite_create("canon");
	TCase *t = tcase_create("canon");

	tcase_add_loop_test(t, canon_has_one_form, 0, COUNT(cases));
	tcase_add_loop_test(
	    t, canon_loose_is_the_most_generous_reading, 0, COUNT(loose));
	tcase_add_test(t, canon_refuses_past_its_limits);
	tcase_add_test(t, canon_expressions_are_those_of_safe_browsing);
	tcase_add_test(t, canon_reads_as_browsers_do);
	suite_add_tcase(s, t);
	return s;
}
