/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/url.h"

#include <check.h>
#include <string.h>

#define LABEL_63 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HOST_253                                \
	LABEL_63 "." LABEL_63 "." LABEL_63 "."  \
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *name;
	struct bytes given;
	const char *want; /* NULL: refused */
	bool is_address;
} hosts[] = {
	{ "a name", BYTES("example.test"), "example.test", false },
	{ "capitals become small", BYTES("EXAMPLE.Test"), "example.test",
	    false },
	{ "one trailing dot goes", BYTES("example.test."), "example.test",
	    false },
	{ "two trailing dots", BYTES("example.test.."), NULL, false },
	{ "a dot alone", BYTES("."), NULL, false },
	{ "nothing", BYTES(""), NULL, false },
	{ "a leading dot", BYTES(".example.test"), NULL, false },
	{ "an empty label", BYTES("example..test"), NULL, false },
	{ "an underscore", BYTES("_dmarc.example.test"), "_dmarc.example.test",
	    false },
	{ "a label of 63", BYTES(LABEL_63 ".test"), LABEL_63 ".test", false },
	{ "a label of 64", BYTES("a" LABEL_63 ".test"), NULL, false },
	{ "a host of 253", BYTES(HOST_253), HOST_253, false },
	{ "a host of 253 with its dot", BYTES(HOST_253 "."), HOST_253, false },
	{ "a host of 254", BYTES(HOST_253 "a"), NULL, false },
	{ "user information", BYTES("user@example.test"), NULL, false },
	{ "a percent sign", BYTES("example%2etest"), NULL, false },
	{ "a backslash", BYTES("example.test\\a"), NULL, false },
	{ "a slash", BYTES("example.test/a"), NULL, false },
	{ "a blank", BYTES("example .test"), NULL, false },
	{ "a line end", BYTES("example.test\r\n"), NULL, false },
	{ "a NUL", BYTES("example.test\0.other.test"), NULL, false },
	{ "DEL", BYTES("example\x7f.test"), NULL, false },
	{ "no UTF-8", BYTES("ex\xff.test"), NULL, false },
	{ "a Japanese name", BYTES("関所.test"), "xn--8ous75i.test", false },
	{ "an ideographic full stop", BYTES("例え。test"), "xn--r8jz45g.test",
	    false },
	{ "sharp s stays (non-transitional)", BYTES("faß.test"),
	    "xn--fa-hia.test", false },
	{ "full-width letters", BYTES("ｅｘ.test"), "ex.test", false },
	{ "a full-width slash", BYTES("example.test／a.test"), NULL, false },
	{ "a full-width at sign", BYTES("a＠example.test"), NULL, false },
	{ "a full-width percent sign", BYTES("a％41.test"), NULL, false },
	{ "a sign that becomes a/c", BYTES("℀.test"), NULL, false },
	{ "an address", BYTES("192.0.2.1"), "192.0.2.1", true },
	{ "an address with a dot", BYTES("192.0.2.1."), "192.0.2.1", true },
	{ "an address in full-width digits", BYTES("１９２.0.2.1"), "192.0.2.1",
	    true },
	{ "an address as one number", BYTES("3221225985"), NULL, false },
	{ "an address in hexadecimal", BYTES("0xc0000201"), NULL, false },
	{ "an address in octal", BYTES("0300.0.2.1"), NULL, false },
	{ "an address of three parts", BYTES("192.0.513"), NULL, false },
	{ "an address of five parts", BYTES("192.0.2.1.1"), NULL, false },
	{ "a part over 255", BYTES("192.0.2.256"), NULL, false },
	{ "a last label that is a number", BYTES("example.1"), NULL, false },
	{ "a last label of 0x", BYTES("example.0x"), NULL, false },
	{ "a last label of 0xg", BYTES("example.0xg"), "example.0xg", false },
	{ "IPv6 without brackets", BYTES("2001:db8::1"), NULL, false },
};

START_TEST(url_host_has_one_form)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	const char *why = NULL;
	int got = url_parse_host(&u, hosts[_i].given, &a, &why);

	ck_assert_msg((got == 0) == (hosts[_i].want != NULL), "%s: %s",
	    hosts[_i].name, why == NULL ? "accepted" : why);
	if (got == 0) {
		ck_assert_msg(bytes_equal(u.host, bytes_of(hosts[_i].want)),
		    "%s: %.*s", hosts[_i].name, BYTES_PRINTF(u.host));
		ck_assert(u.is_address == hosts[_i].is_address);
	} else {
		ck_assert(got == -1 && why != NULL);
	}
	arena_release(&a);
}
END_TEST

static const struct {
	const char *name;
	struct bytes given;
	uint16_t default_port;
	const char *host; /* NULL: refused */
	uint16_t port;
} authorities[] = {
	{ "host and port", BYTES("a.test:8443"), 0, "a.test", 8443 },
	{ "a missing port", BYTES("a.test"), 0, NULL, 0 },
	{ "a missing port with a default", BYTES("a.test"), 80, "a.test", 80 },
	{ "an empty port with a default", BYTES("a.test:"), 80, "a.test", 80 },
	{ "an empty port", BYTES("a.test:"), 0, NULL, 0 },
	{ "the first port", BYTES("a.test:1"), 0, "a.test", 1 },
	{ "port 0", BYTES("a.test:0"), 80, NULL, 0 },
	{ "the last port", BYTES("a.test:65535"), 0, "a.test", 65535 },
	{ "one past the last port", BYTES("a.test:65536"), 0, NULL, 0 },
	{ "a signed port", BYTES("a.test:+80"), 0, NULL, 0 },
	{ "two ports", BYTES("a.test:80:80"), 0, NULL, 0 },
	{ "a port alone", BYTES(":80"), 0, NULL, 0 },
	{ "nothing", BYTES(""), 80, NULL, 0 },
	{ "user and password", BYTES("a.test:80@b.test:443"), 0, NULL, 0 },
	{ "IPv6", BYTES("[2001:DB8:0::1]:443"), 0, "2001:db8::1", 443 },
	{ "IPv6 without port", BYTES("[2001:db8::1]"), 443, "2001:db8::1",
	    443 },
	{ "IPv6 without closing bracket", BYTES("[2001:db8::1"), 443, NULL, 0 },
	{ "bytes behind the bracket", BYTES("[2001:db8::1]a:443"), 0, NULL, 0 },
	{ "IPv6 with a zone", BYTES("[fe80::1%25eth0]:443"), 0, NULL, 0 },
	{ "IPv4 in brackets", BYTES("[192.0.2.1]:443"), 0, NULL, 0 },
	{ "empty brackets", BYTES("[]:443"), 0, NULL, 0 },
	{ "v4-mapped is IPv4", BYTES("[::ffff:192.0.2.1]:443"), 0, "192.0.2.1",
	    443 },
};

START_TEST(url_authority_has_host_and_port)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	const char *why = NULL;
	int got = url_parse_authority(
	    &u, authorities[_i].given, authorities[_i].default_port, &a, &why);

	ck_assert_msg((got == 0) == (authorities[_i].host != NULL), "%s: %s",
	    authorities[_i].name, why == NULL ? "accepted" : why);
	if (got == 0) {
		ck_assert_msg(
		    bytes_equal(u.host, bytes_of(authorities[_i].host)), "%s",
		    authorities[_i].name);
		ck_assert_uint_eq(u.port, authorities[_i].port);
		ck_assert(!u.is_address || u.address.port == u.port);
	}
	arena_release(&a);
}
END_TEST

static const struct {
	const char *name;
	struct bytes given;
	const char *target; /* NULL: refused */
	const char *path, *canonical;
} targets[] = {
	{ "the root", BYTES("/"), "/", "/", "/" },
	{ "all of a server", BYTES("*"), "*", "*", "*" },
	{ "nothing", BYTES(""), NULL, NULL, NULL },
	{ "a relative path", BYTES("a"), NULL, NULL, NULL },
	{ "a query", BYTES("/a?b=/../c"), "/a?b=/../c", "/a", "/a" },
	{ "a second question mark", BYTES("/a?b?c"), "/a?b?c", "/a", "/a" },
	{ "an escaped letter", BYTES("/%61b"), "/%61b", "/%61b", "/ab" },
	{ "an escaped tilde", BYTES("/%7Ea"), "/%7Ea", "/%7Ea", "/~a" },
	{ "a small escape", BYTES("/%2fa"), "/%2fa", "/%2fa", "/%2Fa" },
	{ "an escaped percent sign is undone once", BYTES("/%2561"), "/%2561",
	    "/%2561", "/%2561" },
	{ "half an escape", BYTES("/%6"), "/%6", "/%6", "/%256" },
	{ "an escape of no digits", BYTES("/%zz"), "/%zz", "/%zz", "/%25zz" },
	{ "escapes do not make a new escape", BYTES("/%%34%31"), "/%%34%31",
	    "/%%34%31", "/%2541" },
	{ "a dot segment", BYTES("/a/./b"), "/a/./b", "/a/./b", "/a/b" },
	{ "a last dot segment", BYTES("/a/."), "/a/.", "/a/.", "/a/" },
	{ "two dots", BYTES("/a/../b"), "/a/../b", "/a/../b", "/b" },
	{ "two last dots", BYTES("/a/b/.."), "/a/b/..", "/a/b/..", "/a/" },
	{ "two dots over the root", BYTES("/../../a"), "/../../a", "/../../a",
	    "/a" },
	{ "dots alone", BYTES("/.."), "/..", "/..", "/" },
	{ "escaped dots", BYTES("/a/%2e%2E/b"), "/a/%2e%2E/b", "/a/%2e%2E/b",
	    "/b" },
	{ "three dots are a name", BYTES("/.../a"), "/.../a", "/.../a",
	    "/.../a" },
	{ "a hidden file", BYTES("/.a"), "/.a", "/.a", "/.a" },
	{ "two dots behind an empty segment", BYTES("/a//../b"), "/a//../b",
	    "/a//../b", "/a/b" },
	{ "RFC 3986 section 5.2.4", BYTES("/a/b/c/./../../g"),
	    "/a/b/c/./../../g", "/a/b/c/./../../g", "/a/g" },
	{ "bytes over 127", BYTES("/\xe9\x96\xa2"), "/\xe9\x96\xa2",
	    "/\xe9\x96\xa2", "/\xe9\x96\xa2" },
	{ "a backslash", BYTES("/a\\b"), NULL, NULL, NULL },
	{ "a backslash in the query", BYTES("/a?\\"), NULL, NULL, NULL },
	{ "a fragment", BYTES("/a#b"), NULL, NULL, NULL },
	{ "a blank", BYTES("/a b"), NULL, NULL, NULL },
	{ "a tab", BYTES("/a\tb"), NULL, NULL, NULL },
	{ "a NUL", BYTES("/a\0b"), NULL, NULL, NULL },
	{ "DEL", BYTES("/a\x7f"), NULL, NULL, NULL },
};

START_TEST(url_path_has_one_form)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	const char *why = NULL;
	int got = url_parse_target(&u, targets[_i].given, &a, &why);

	ck_assert_msg((got == 0) == (targets[_i].target != NULL), "%s: %s",
	    targets[_i].name, why == NULL ? "accepted" : why);
	if (got == 0) {
		ck_assert(bytes_equal(u.target, bytes_of(targets[_i].target)));
		ck_assert(bytes_equal(u.path, bytes_of(targets[_i].path)));
		ck_assert_msg(bytes_equal(u.path_canonical,
				  bytes_of(targets[_i].canonical)),
		    "%s: %.*s", targets[_i].name,
		    BYTES_PRINTF(u.path_canonical));
	}
	arena_release(&a);
}
END_TEST

static const struct {
	const char *name;
	struct bytes given;
	enum scheme scheme; /* SCHEME_NONE: refused */
	const char *host;
	uint16_t port;
	const char *target;
} absolutes[] = {
	{ "http", BYTES("http://a.test/b"), SCHEME_HTTP, "a.test", 80, "/b" },
	{ "https", BYTES("https://a.test/b?c"), SCHEME_HTTPS, "a.test", 443,
	    "/b?c" },
	{ "the scheme in capitals", BYTES("HTTPS://A.test:444/"), SCHEME_HTTPS,
	    "a.test", 444, "/" },
	{ "no path", BYTES("http://a.test"), SCHEME_HTTP, "a.test", 80, "/" },
	{ "a query without a path", BYTES("http://a.test?b"), SCHEME_HTTP,
	    "a.test", 80, "/?b" },
	{ "a NUL in a query without a path", BYTES("http://a.test?b\0c"),
	    SCHEME_NONE, NULL, 0, NULL },
	{ "a fragment without a path", BYTES("http://a.test#b"), SCHEME_NONE,
	    NULL, 0, NULL },
	{ "a backslash behind the host", BYTES("http://a.test\\@b.test/"),
	    SCHEME_NONE, NULL, 0, NULL },
	{ "user information", BYTES("http://a.test@b.test/"), SCHEME_NONE, NULL,
	    0, NULL },
	{ "user, password, host", BYTES("http://a:1@b.test/"), SCHEME_NONE,
	    NULL, 0, NULL },
	{ "no host", BYTES("http:///a"), SCHEME_NONE, NULL, 0, NULL },
	{ "one slash", BYTES("http:/a.test/"), SCHEME_NONE, NULL, 0, NULL },
	{ "ftp", BYTES("ftp://a.test/"), SCHEME_NONE, NULL, 0, NULL },
	{ "no scheme", BYTES("a.test/"), SCHEME_NONE, NULL, 0, NULL },
	{ "nothing", BYTES(""), SCHEME_NONE, NULL, 0, NULL },
	{ "IPv6", BYTES("http://[2001:db8::1]:81/"), SCHEME_HTTP, "2001:db8::1",
	    81, "/" },
};

START_TEST(url_absolute_form_is_http_alone)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	const char *why = NULL;
	int got = url_parse_absolute(&u, absolutes[_i].given, &a, &why);
	bool good = absolutes[_i].scheme != SCHEME_NONE;

	ck_assert_msg((got == 0) == good, "%s: %s", absolutes[_i].name,
	    why == NULL ? "accepted" : why);
	if (good) {
		ck_assert_int_eq(u.scheme, absolutes[_i].scheme);
		ck_assert(bytes_equal(u.host, bytes_of(absolutes[_i].host)));
		ck_assert_uint_eq(u.port, absolutes[_i].port);
		ck_assert_msg(
		    bytes_equal(u.target, bytes_of(absolutes[_i].target)), "%s",
		    absolutes[_i].name);
	}
	arena_release(&a);
}
END_TEST

static const struct {
	const char *given, *loose;
} loose[] = {
	{ "/", "/" },
	{ "/a/b", "/a/b" },
	{ "//a", "/a" },
	{ "/a//b///", "/a/b/" },
	{ "/%2fa", "/a" },
	{ "/a%2Fb", "/a/b" },
	{ "/a%5cb", "/a/b" },
	{ "/x/..%2fa", "/a" },
	{ "/x/%2e%2e%5Ca", "/a" },
	{ "/a;v=1/b", "/a/b" },
	{ "/x/..;/a", "/a" },
	{ "/a;%2Fb", "/a/b" },
	{ "/%252fa", "/%252fa" },
	{ "/%2", "/%252" },
	{ "/;", "/" },
};

START_TEST(url_path_has_a_loose_form)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	const char *why;

	ck_assert(
	    url_parse_target(&u, bytes_of(loose[_i].given), &a, &why) == 0);
	ck_assert_msg(bytes_equal(u.path_loose, bytes_of(loose[_i].loose)),
	    "%s: %.*s", loose[_i].given, BYTES_PRINTF(u.path_loose));
	arena_release(&a);
}
END_TEST

/* What the canonical form says is what it says of itself. */
START_TEST(url_canonical_path_is_canonical)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	struct bytes once;
	const char *why;

	if (targets[_i].target == NULL)
		return;
	ck_assert(url_parse_target(&u, targets[_i].given, &a, &why) == 0);
	once = u.path_canonical;
	ck_assert(url_parse_target(&u, once, &a, &why) == 0);
	ck_assert(bytes_equal(u.path_canonical, once));
	arena_release(&a);
}
END_TEST

START_TEST(url_origin_is_host_and_port)
{
	struct arena a = { 0 };
	struct url u[3] = { 0 };
	const char *why;

	ck_assert(
	    url_parse_authority(&u[0], BYTES("a.test:443"), 0, &a, &why) == 0);
	ck_assert(
	    url_parse_authority(&u[1], BYTES("A.test."), 443, &a, &why) == 0);
	ck_assert(
	    url_parse_authority(&u[2], BYTES("a.test:80"), 0, &a, &why) == 0);
	ck_assert(url_same_origin(&u[0], &u[1]));
	ck_assert(!url_same_origin(&u[0], &u[2]));
	arena_release(&a);
}
END_TEST

Suite *url_suite(void);

Suite *
url_suite(void)
{
	Suite *s = suite_create("url");
	TCase *t = tcase_create("url");

	tcase_add_loop_test(t, url_host_has_one_form, 0, COUNT(hosts));
	tcase_add_loop_test(t, url_path_has_a_loose_form, 0, COUNT(loose));
	tcase_add_loop_test(
	    t, url_authority_has_host_and_port, 0, COUNT(authorities));
	tcase_add_loop_test(t, url_path_has_one_form, 0, COUNT(targets));
	tcase_add_loop_test(
	    t, url_canonical_path_is_canonical, 0, COUNT(targets));
	tcase_add_loop_test(
	    t, url_absolute_form_is_http_alone, 0, COUNT(absolutes));
	tcase_add_test(t, url_origin_is_host_and_port);
	suite_add_tcase(s, t);
	return s;
}
