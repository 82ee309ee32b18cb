/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/envelope.h"

#include <check.h>

#include "proxy/base/buf.h"

#define A_8 "aaaaaaaa"
#define A_60 A_8 A_8 A_8 A_8 A_8 A_8 A_8 "aaaa"
#define LABEL_63 A_60 "aaa"
#define LOCAL_64 A_60 "aaaa"
/* Domains of that many bytes, their dots included. */
#define LABELS_192 LABEL_63 "." LABEL_63 "." LABEL_63 "."
#define DOMAIN_255 LABELS_192 LABEL_63
#define DOMAIN_189 LABEL_63 "." LABEL_63 "." A_60 "a"

#define REFUSED NULL, NULL, NULL, NULL

static const struct {
	const char *name;
	struct bytes in;
	enum mail_charset charset;
	const char *text; /* NULL: refused */
	const char *local, *domain, *rest;
} paths[] = {
	{ "an address", BYTES("<taro@City.Test> SIZE=1"), MAIL_ASCII,
	    "taro@City.Test", "taro", "city.test", " SIZE=1" },
	{ "the null sender", BYTES("<>"), MAIL_ASCII, "", "", "", "" },
	{ "the null sender and more", BYTES("<>> "), MAIL_ASCII, "", "", "",
	    "> " },
	{ "Postmaster", BYTES("<PostMaster>"), MAIL_ASCII, "PostMaster",
	    "PostMaster", "", "" },
	{ "Postmaster of a domain", BYTES("<Postmaster@a.test>"), MAIL_ASCII,
	    "Postmaster@a.test", "Postmaster", "a.test", "" },
	{ "another without a domain", BYTES("<root>"), MAIL_ASCII, REFUSED },
	{ "nothing", BYTES(""), MAIL_ASCII, REFUSED },
	{ "a bracket alone", BYTES("<"), MAIL_ASCII, REFUSED },
	{ "no brackets", BYTES("a@b.test"), MAIL_ASCII, REFUSED },
	{ "no closing bracket", BYTES("<a@b.test"), MAIL_ASCII, REFUSED },
	{ "two opening brackets", BYTES("<<a@b.test>>"), MAIL_ASCII, REFUSED },
	{ "a blank before", BYTES(" <a@b.test>"), MAIL_ASCII, REFUSED },
	{ "a blank behind the bracket", BYTES("< a@b.test>"), MAIL_ASCII,
	    REFUSED },
	{ "a blank before the bracket", BYTES("<a@b.test >"), MAIL_ASCII,
	    REFUSED },
	{ "a blank alone", BYTES("< >"), MAIL_ASCII, REFUSED },
	{ "a blank before the at sign", BYTES("<a @b.test>"), MAIL_ASCII,
	    REFUSED },
	{ "a source route", BYTES("<@x.test:a@b.test>"), MAIL_ASCII, REFUSED },
	{ "a source route of two", BYTES("<@x.test,@y.test:a@b.test>"),
	    MAIL_ASCII, REFUSED },
	{ "a percent sign is a name's", BYTES("<a%c.test@b.test>"), MAIL_ASCII,
	    "a%c.test@b.test", "a%c.test", "b.test", "" },
	{ "an exclamation mark is a name's", BYTES("<c!a@b.test>"), MAIL_ASCII,
	    "c!a@b.test", "c!a", "b.test", "" },
	{ "all of atext", BYTES("<aZ0!#$%&'*+-/=?^_`{|}~@b.test>"), MAIL_ASCII,
	    "aZ0!#$%&'*+-/=?^_`{|}~@b.test", "aZ0!#$%&'*+-/=?^_`{|}~", "b.test",
	    "" },
	{ "dots", BYTES("<a.b.c@d.test>"), MAIL_ASCII, "a.b.c@d.test", "a.b.c",
	    "d.test", "" },
	{ "a leading dot", BYTES("<.a@b.test>"), MAIL_ASCII, REFUSED },
	{ "a trailing dot gets quotes", BYTES("<a.@b.test> SIZE=1"), MAIL_ASCII,
	    "\"a.\"@b.test", "\"a.\"", "b.test", " SIZE=1" },
	{ "two dots get quotes", BYTES("<a..b@b.test>"), MAIL_ASCII,
	    "\"a..b\"@b.test", "\"a..b\"", "b.test", "" },
	{ "two dots that have quotes", BYTES("<\"a..b\"@b.test>"), MAIL_ASCII,
	    "\"a..b\"@b.test", "\"a..b\"", "b.test", "" },
	{ "a trailing dot without a domain", BYTES("<postmaster.>"), MAIL_ASCII,
	    REFUSED },
	{ "63 bytes that want quotes", BYTES("<" A_60 "aa.@b.test>"),
	    MAIL_ASCII, REFUSED },
	{ "62 bytes that want quotes", BYTES("<" A_60 "a.@b.test>"), MAIL_ASCII,
	    "\"" A_60 "a.\"@b.test", "\"" A_60 "a.\"", "b.test", "" },
	{ "no local part", BYTES("<@b.test>"), MAIL_ASCII, REFUSED },
	{ "no domain", BYTES("<a@>"), MAIL_ASCII, REFUSED },
	{ "two at signs", BYTES("<a@b@c.test>"), MAIL_ASCII, REFUSED },
	{ "a comma", BYTES("<a,b@c.test>"), MAIL_ASCII, REFUSED },
	{ "a colon", BYTES("<a:b@c.test>"), MAIL_ASCII, REFUSED },
	{ "a backslash", BYTES("<a\\b@c.test>"), MAIL_ASCII, REFUSED },
	{ "a NUL", BYTES("<a\0b@c.test>"), MAIL_ASCII, REFUSED },
	{ "a NUL in the domain", BYTES("<a@c.test\0.d.test>"), MAIL_ASCII,
	    REFUSED },
	{ "a line end", BYTES("<a@c.test\r\n>"), MAIL_ASCII, REFUSED },
	{ "a line end in the local part", BYTES("<a\r\nb@c.test>"), MAIL_ASCII,
	    REFUSED },
	{ "DEL", BYTES("<a\x7f@c.test>"), MAIL_ASCII, REFUSED },
	{ "quotes", BYTES("<\"a b\"@c.test>"), MAIL_ASCII, "\"a b\"@c.test",
	    "\"a b\"", "c.test", "" },
	{ "a bracket and an at sign in quotes", BYTES("<\"a>@b\"@c.test>x"),
	    MAIL_ASCII, "\"a>@b\"@c.test", "\"a>@b\"", "c.test", "x" },
	{ "a quote in quotes", BYTES("<\"a\\\"b\"@c.test>"), MAIL_ASCII,
	    "\"a\\\"b\"@c.test", "\"a\\\"b\"", "c.test", "" },
	{ "a backslash in quotes", BYTES("<\"\\\\\"@c.test>"), MAIL_ASCII,
	    "\"\\\\\"@c.test", "\"\\\\\"", "c.test", "" },
	{ "quotes that do not end", BYTES("<\"a@c.test>"), MAIL_ASCII,
	    REFUSED },
	{ "a backslash at the end", BYTES("<\"a\\"), MAIL_ASCII, REFUSED },
	{ "letters behind quotes", BYTES("<\"a\"b@c.test>"), MAIL_ASCII,
	    REFUSED },
	{ "quotes within a name", BYTES("<a\"b\"@c.test>"), MAIL_ASCII,
	    REFUSED },
	{ "a line end in quotes", BYTES("<\"a\r\nb\"@c.test>"), MAIL_ASCII,
	    REFUSED },
	{ "a quoted line end", BYTES("<\"a\\\rb\"@c.test>"), MAIL_ASCII,
	    REFUSED },
	{ "a tab in quotes", BYTES("<\"a\tb\"@c.test>"), MAIL_ASCII, REFUSED },
	{ "a local part of 64", BYTES("<" LOCAL_64 "@b.test>"), MAIL_ASCII,
	    LOCAL_64 "@b.test", LOCAL_64, "b.test", "" },
	{ "a local part of 65", BYTES("<a" LOCAL_64 "@b.test>"), MAIL_ASCII,
	    REFUSED },
	{ "quotes of 64", BYTES("<\"" A_60 "aa\"@b.test>"), MAIL_ASCII,
	    "\"" A_60 "aa\"@b.test", "\"" A_60 "aa\"", "b.test", "" },
	{ "quotes of 65", BYTES("<\"" A_60 "aaa\"@b.test>"), MAIL_ASCII,
	    REFUSED },
	{ "a path of 254", BYTES("<" LOCAL_64 "@" DOMAIN_189 ">"), MAIL_ASCII,
	    LOCAL_64 "@" DOMAIN_189, LOCAL_64, DOMAIN_189, "" },
	{ "a path of 255", BYTES("<" LOCAL_64 "@" DOMAIN_189 "a>"), MAIL_ASCII,
	    REFUSED },
	{ "a literal", BYTES("<a@[192.0.2.1]>"), MAIL_ASCII, "a@[192.0.2.1]",
	    "a", "[192.0.2.1]", "" },
	{ "UTF-8 that was not asked for", BYTES("<太郎@b.test>"), MAIL_ASCII,
	    REFUSED },
	{ "UTF-8 in the domain, not asked for", BYTES("<a@関所.test>"),
	    MAIL_ASCII, REFUSED },
	{ "UTF-8", BYTES("<太郎@関所.test>"), MAIL_UTF8, "太郎@関所.test",
	    "太郎", "xn--8ous75i.test", "" },
	{ "UTF-8 in quotes", BYTES("<\"太 郎\"@b.test>"), MAIL_UTF8,
	    "\"太 郎\"@b.test", "\"太 郎\"", "b.test", "" },
	{ "UTF-8 as a pair", BYTES("<\"\\太\"@b.test>"), MAIL_UTF8, REFUSED },
	{ "no UTF-8", BYTES("<a\xff@b.test>"), MAIL_UTF8, REFUSED },
	{ "UTF-8 that is too long", BYTES("<a\xc0\xbc@b.test>"), MAIL_UTF8,
	    REFUSED },
	{ "half a character", BYTES("<a\xe5\xa4@b.test>"), MAIL_UTF8, REFUSED },
	{ "a control of C1", BYTES("<a\xc2\x85@b.test>"), MAIL_UTF8, REFUSED },
	{ "a no-break space is none", BYTES("<a\xc2\xa0@b.test>"), MAIL_UTF8,
	    "a\xc2\xa0@b.test", "a\xc2\xa0", "b.test", "" },
};

START_TEST(envelope_path_is_strict)
{
	struct bytes in = paths[_i].in;
	struct arena a = { 0 };
	struct mail_address m = { 0 };
	const char *why = NULL;
	int got = mail_path_take(&m, &in, paths[_i].charset, &a, &why);

	ck_assert_msg((got == 0) == (paths[_i].text != NULL), "%s: %s",
	    paths[_i].name, why == NULL ? "accepted" : why);
	if (got == 0) {
		ck_assert_msg(bytes_equal(m.text, bytes_of(paths[_i].text)) &&
			bytes_equal(m.local, bytes_of(paths[_i].local)) &&
			bytes_equal(m.domain, bytes_of(paths[_i].domain)) &&
			bytes_equal(in, bytes_of(paths[_i].rest)),
		    "%s: text %.*s local %.*s domain %.*s rest %.*s",
		    paths[_i].name, BYTES_PRINTF(m.text), BYTES_PRINTF(m.local),
		    BYTES_PRINTF(m.domain), BYTES_PRINTF(in));
	} else {
		ck_assert(why != NULL && in.p == paths[_i].in.p);
	}
	arena_release(&a);
}
END_TEST

static const struct {
	const char *name;
	struct bytes in;
	enum mail_charset charset;
	const char *want; /* NULL: refused */
} domains[] = {
	{ "a name", BYTES("city.test"), MAIL_ASCII, "city.test" },
	{ "capitals become small", BYTES("City.TEST"), MAIL_ASCII,
	    "city.test" },
	{ "one label", BYTES("localhost"), MAIL_ASCII, "localhost" },
	{ "nothing", BYTES(""), MAIL_ASCII, NULL },
	{ "a dot", BYTES("."), MAIL_ASCII, NULL },
	{ "a trailing dot", BYTES("a.test."), MAIL_ASCII, NULL },
	{ "a leading dot", BYTES(".a.test"), MAIL_ASCII, NULL },
	{ "an empty label", BYTES("a..test"), MAIL_ASCII, NULL },
	{ "an underscore", BYTES("a_b.test"), MAIL_ASCII, NULL },
	{ "a hyphen", BYTES("a-b.test"), MAIL_ASCII, "a-b.test" },
	{ "a leading hyphen", BYTES("-a.test"), MAIL_ASCII, NULL },
	{ "a trailing hyphen", BYTES("a-.test"), MAIL_ASCII, NULL },
	{ "a hyphen alone", BYTES("-.test"), MAIL_ASCII, NULL },
	{ "a star", BYTES("*.test"), MAIL_ASCII, NULL },
	{ "a blank", BYTES("a .test"), MAIL_ASCII, NULL },
	{ "a NUL", BYTES("a.test\0"), MAIL_ASCII, NULL },
	{ "a port", BYTES("a.test:25"), MAIL_ASCII, NULL },
	{ "a label of 63", BYTES(LABEL_63 ".test"), MAIL_ASCII,
	    LABEL_63 ".test" },
	{ "a label of 64", BYTES("a" LABEL_63 ".test"), MAIL_ASCII, NULL },
	{ "a domain of 255", BYTES(DOMAIN_255), MAIL_ASCII, DOMAIN_255 },
	{ "a domain of 256", BYTES(LABELS_192 A_60 "aa.a"), MAIL_ASCII, NULL },
	{ "an address", BYTES("192.0.2.1"), MAIL_ASCII, NULL },
	{ "a last label that is a number", BYTES("a.1"), MAIL_ASCII, NULL },
	{ "a first label that is a number", BYTES("1.test"), MAIL_ASCII,
	    "1.test" },
	{ "an IPv4 literal", BYTES("[192.0.2.1]"), MAIL_ASCII, "[192.0.2.1]" },
	{ "an IPv6 literal", BYTES("[IPv6:2001:DB8:0::1]"), MAIL_ASCII,
	    "[ipv6:2001:db8::1]" },
	{ "an IPv6 literal's tag in small", BYTES("[ipv6:::1]"), MAIL_ASCII,
	    "[ipv6:::1]" },
	{ "v4-mapped is IPv4", BYTES("[IPv6:::ffff:192.0.2.1]"), MAIL_ASCII,
	    "[192.0.2.1]" },
	{ "IPv6 without a tag", BYTES("[2001:db8::1]"), MAIL_ASCII, NULL },
	{ "IPv4 with a tag", BYTES("[IPv6:192.0.2.1]"), MAIL_ASCII, NULL },
	{ "an IPv6 zone", BYTES("[IPv6:fe80::1%eth0]"), MAIL_ASCII, NULL },
	{ "another tag", BYTES("[x400:a]"), MAIL_ASCII, NULL },
	{ "a number in brackets", BYTES("[3221225985]"), MAIL_ASCII, NULL },
	{ "octal in brackets", BYTES("[0300.0.2.1]"), MAIL_ASCII, NULL },
	{ "empty brackets", BYTES("[]"), MAIL_ASCII, NULL },
	{ "a bracket", BYTES("["), MAIL_ASCII, NULL },
	{ "a bracket that is open", BYTES("[192.0.2.1"), MAIL_ASCII, NULL },
	{ "bytes behind the bracket", BYTES("[192.0.2.1]a"), MAIL_ASCII, NULL },
	{ "a Japanese name", BYTES("関所.test"), MAIL_UTF8,
	    "xn--8ous75i.test" },
	{ "a Japanese name in ASCII", BYTES("xn--8ous75i.test"), MAIL_ASCII,
	    "xn--8ous75i.test" },
	{ "full-width letters", BYTES("ｅｘ.test"), MAIL_UTF8, "ex.test" },
	{ "an ideographic full stop", BYTES("例え。test"), MAIL_UTF8,
	    "xn--r8jz45g.test" },
	{ "a full stop at the end", BYTES("例え.test。"), MAIL_UTF8, NULL },
	{ "a full-width at sign", BYTES("a＠example.test"), MAIL_UTF8, NULL },
	{ "a full-width bracket", BYTES("a＞.test"), MAIL_UTF8, NULL },
	{ "full-width digits of an address", BYTES("１９２.0.2.1"), MAIL_UTF8,
	    NULL },
	{ "no UTF-8", BYTES("ex\xff.test"), MAIL_UTF8, NULL },
};

START_TEST(envelope_domain_has_one_form)
{
	struct arena a = { 0 };
	struct bytes out = { 0 };
	struct bytes again;
	const char *why = NULL;
	int got = mail_domain_parse(
	    &out, domains[_i].in, domains[_i].charset, &a, &why);

	ck_assert_msg((got == 0) == (domains[_i].want != NULL), "%s: %s",
	    domains[_i].name, why == NULL ? "accepted" : why);
	if (got == 0) {
		ck_assert_msg(bytes_equal(out, bytes_of(domains[_i].want)),
		    "%s: %.*s", domains[_i].name, BYTES_PRINTF(out));
		ck_assert_int_eq(
		    mail_domain_parse(&again, out, MAIL_ASCII, &a, &why), 0);
		ck_assert(bytes_equal(again, out));
	} else {
		ck_assert(why != NULL);
	}
	arena_release(&a);
}
END_TEST

/* A mail that uses all that an envelope can say. */
static void
fill(struct envelope *e, struct arena *a)
{
	static const char *const given[] = {
		"<taro@city.test>",
		"<太郎@関所.test>",
		"<Postmaster>",
		"<\"a b\"@[192.0.2.1]>",
	};
	struct bytes sender = BYTES("<info@Partner.test>");
	const char *why;

	*e = (struct envelope){
		.envid = BYTES("QQ+3D1"),
		.ret = RETURN_HEADERS,
		.eight_bit = true,
		.utf8 = true,
		.size = UINT64_C(0x123456789a),
		.recipients =
		    ARENA_ARRAY(a, struct mail_recipient, COUNT(given)),
		.recipients_n = COUNT(given),
	};
	ck_assert_int_eq(
	    mail_path_take(&e->sender, &sender, MAIL_UTF8, a, &why), 0);
	for (size_t i = 0; i < COUNT(given); i++) {
		struct bytes in = bytes_of(given[i]);

		ck_assert_int_eq(mail_path_take(&e->recipients[i].address, &in,
				     MAIL_UTF8, a, &why),
		    0);
		e->recipients[i].notify = (unsigned)i * 2;
	}
	e->recipients[1].orcpt = BYTES("rfc822;taro+40city.test");
}

static void
assert_address(const struct mail_address *got, const struct mail_address *want)
{
	ck_assert(bytes_equal(got->text, want->text));
	ck_assert(bytes_equal(got->local, want->local));
	ck_assert(bytes_equal(got->domain, want->domain));
	ck_assert(got->local.p == got->text.p);
}

static void
assert_same(const struct envelope *got, const struct envelope *want)
{
	assert_address(&got->sender, &want->sender);
	ck_assert(bytes_equal(got->envid, want->envid));
	ck_assert(got->ret == want->ret && got->utf8 == want->utf8);
	ck_assert(got->eight_bit == want->eight_bit);
	ck_assert_uint_eq(got->size, want->size);
	ck_assert_uint_eq(got->recipients_n, want->recipients_n);
	for (size_t i = 0; i < want->recipients_n; i++) {
		assert_address(
		    &got->recipients[i].address, &want->recipients[i].address);
		ck_assert_uint_eq(
		    got->recipients[i].notify, want->recipients[i].notify);
		ck_assert(bytes_equal(
		    got->recipients[i].orcpt, want->recipients[i].orcpt));
	}
}

START_TEST(envelope_copy_lives_alone)
{
	struct arena first = { 0 };
	struct arena second = { 0 };
	struct arena third = { 0 };
	struct envelope e, copy, want;

	fill(&e, &first);
	fill(&want, &third);
	envelope_copy(&copy, &e, &second);
	arena_release(&first);
	assert_same(&copy, &want);
	arena_release(&second);
	arena_release(&third);
}
END_TEST

START_TEST(envelope_comes_back_from_a_file)
{
	struct arena a = { 0 };
	struct envelope e, back;
	struct buf out;

	fill(&e, &a);
	for (int turn = 0; turn < 2; turn++) {
		buf_init(&out, 4096);
		ck_assert_int_eq(envelope_pack(&e, &out), 0);
		ck_assert_int_eq(
		    envelope_unpack(&back, buf_bytes(&out), &a), 0);
		assert_same(&back, &e);
		buf_release(&out);
		/* The shortest one: from nobody to nobody. */
		e = (struct envelope){ 0 };
	}
	arena_release(&a);
}
END_TEST

/* One byte too little room: nothing was appended. */
START_TEST(envelope_pack_holds_the_limit)
{
	struct arena a = { 0 };
	struct envelope e;
	struct buf whole, out;

	fill(&e, &a);
	buf_init(&whole, 4096);
	ck_assert_int_eq(envelope_pack(&e, &whole), 0);
	for (size_t max = 0; max <= whole.n; max++) {
		buf_init(&out, max);
		ck_assert_int_eq(
		    envelope_pack(&e, &out), max == whole.n ? 0 : -1);
		ck_assert_uint_eq(out.n, max == whole.n ? whole.n : 0);
		buf_release(&out);
	}
	buf_release(&whole);
	arena_release(&a);
}
END_TEST

/* Cut at any byte it is not ours, nor with one more; and whatever byte is
 * another, what comes out keeps the limits. */
START_TEST(envelope_unpack_is_strict)
{
	struct arena a = { 0 };
	struct envelope e, back;
	struct buf whole;

	fill(&e, &a);
	buf_init(&whole, 4096);
	ck_assert_int_eq(envelope_pack(&e, &whole), 0);
	for (size_t n = 0; n < whole.n; n++)
		ck_assert_int_eq(
		    envelope_unpack(&back, (struct bytes){ whole.p, n }, &a),
		    -1);
	for (size_t i = 0; i < whole.n; i++) {
		uint8_t was = whole.p[i];

		for (unsigned bit = 0; bit < 8; bit++) {
			whole.p[i] = (uint8_t)(was ^ 1u << bit);
			if (envelope_unpack(&back, buf_bytes(&whole), &a) < 0)
				continue;
			ck_assert_uint_le(back.sender.text.n, MAIL_PATH_MAX);
			ck_assert_uint_le(back.recipients_n, whole.n);
		}
		whole.p[i] = was;
	}
	ck_assert_int_eq(buf_append(&whole, BYTES("\0")), 0);
	ck_assert_int_eq(envelope_unpack(&back, buf_bytes(&whole), &a), -1);
	buf_release(&whole);
	arena_release(&a);
}
END_TEST

Suite *envelope_suite(void);

Suite *
envelope_suite(void)
{
	Suite *s = suite_create("envelope");
	TCase *c = tcase_create("envelope");

	tcase_add_loop_test(c, envelope_path_is_strict, 0, COUNT(paths));
	tcase_add_loop_test(c, envelope_domain_has_one_form, 0, COUNT(domains));
	tcase_add_test(c, envelope_copy_lives_alone);
	tcase_add_test(c, envelope_comes_back_from_a_file);
	tcase_add_test(c, envelope_pack_holds_the_limit);
	tcase_add_test(c, envelope_unpack_is_strict);
	suite_add_tcase(s, c);
	return s;
}
