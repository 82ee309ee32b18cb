/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/feed.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW 1764000000 /* 2025-11-24 */
#define DAY 86400

Suite *feed_suite(void);

static const struct {
	const char *name;
	enum feed_kind kind;
	struct bytes text;
	/* "key/line/scope" of each entry, by line; "!why" for what is left
	 * out or passed over or refused. */
	const char *want;
} cases[] = {
	{ "domains", FEED_DOMAINS,
	    BYTES_ROW("# list\n\na.test\n.b.test # why\n*.c.test\r\n;x\n!y\n"),
	    "a.test 3 3, b.test 4 3, c.test 5 2" },
	{ "domains with a mark of their order", FEED_DOMAINS,
	    BYTES_ROW("\xef\xbb\xbf"
		      "a.test\n"),
	    "a.test 1 3" },
	{ "domains are canonical", FEED_DOMAINS,
	    BYTES_ROW("A.TEST.\n関所.test\n0xc0000201\n"),
	    "a.test 1 3, xn--8ous75i.test 2 3, 192.0.2.1 3 1" },
	{ "domains with a path", FEED_DOMAINS, BYTES_ROW("a.test/b\n"),
	    "left out: a path in a list of domains" },
	{ "domains with blanks", FEED_DOMAINS, BYTES_ROW("a test\n"),
	    "left out: host with a forbidden byte" },
	{ "domains with a star within", FEED_DOMAINS, BYTES_ROW("a.*.test\n"),
	    "left out: no name of a host" },
	{ "domains with a NUL", FEED_DOMAINS, BYTES_ROW("a\0.test\n"),
	    "left out: NUL in the line" },
	{ "domains cut short", FEED_DOMAINS, BYTES_ROW("a.test\nb.tes"),
	    "refused" },
	{ "URLs", FEED_URLS,
	    BYTES_ROW("http://a.test/b\nb.test:81/c/?d#e\nc.test\n"),
	    "a.test/b 1 2, b.test:81/c/?d 2 2, c.test/ 3 2" },
	{ "URLs of another scheme", FEED_URLS, BYTES_ROW("gopher://a.test/\n"),
	    "left out: the scheme is none of the web's" },
	{ "hosts", FEED_HOSTS,
	    BYTES_ROW("127.0.0.1 localhost\n0.0.0.0 a.test b.test # c\n"
		      "::1\tip6-localhost c.test\n0.0.0.0 0.0.0.0\n"),
	    "a.test 2 1, b.test 2 1, c.test 3 1" },
	{ "hosts with a real address", FEED_HOSTS,
	    BYTES_ROW("192.0.2.1 a.test\n"),
	    "passed over: a real address is no block" },
	{ "hosts without a name", FEED_HOSTS, BYTES_ROW("0.0.0.0\n"),
	    "left out: an address without a name" },
	{ "AdBlock", FEED_ADBLOCK,
	    BYTES_ROW("[Adblock Plus 2.0]\n! c\n||a.test^\n||b.test^$all\n"
		      "||c.test/x.html^$document\n|https://d.test/y|\n"
		      "||e.test/?z=1^\n"),
	    "a.test 3 3, b.test 4 3, c.test/x.html 5 3, d.test/y 6 2,"
	    " e.test/?z=1 7 3" },
	{ "AdBlock exceptions", FEED_ADBLOCK, BYTES_ROW("@@||a.test^\n"),
	    "passed over: an exception" },
	{ "AdBlock conditions", FEED_ADBLOCK,
	    BYTES_ROW("||a.test^$third-party\n"),
	    "passed over: a rule under conditions" },
	{ "AdBlock patterns", FEED_ADBLOCK, BYTES_ROW("||a.test/*/b\n"),
	    "passed over: a pattern" },
	{ "AdBlock words", FEED_ADBLOCK, BYTES_ROW("/banner/\n"),
	    "passed over: a pattern" },
	{ "AdBlock beginnings", FEED_ADBLOCK, BYTES_ROW("||a.test\n"),
	    "passed over: the beginning of a name" },
	{ "AdBlock cosmetics", FEED_ADBLOCK, BYTES_ROW("a.test##.ad\n"),
	    "passed over: a rule for parts of pages" },
	{ "RPZ", FEED_RPZ,
	    BYTES_ROW("; c\n$TTL 30\n@ IN SOA a. b. (1 2\n 3 4 5)\n NS a.\n"
		      "a.test CNAME .\n*.b.test 60 IN CNAME *.\n"
		      "c.test A 192.0.2.1\n TXT \"x\"\n"),
	    "a.test 6 1, b.test 7 2, c.test 8 1" },
	{ "RPZ with an origin", FEED_RPZ,
	    BYTES_ROW("$ORIGIN rpz.test.\na.test CNAME .\n"
		      "b.test.rpz.test. CNAME .\n"),
	    "a.test 2 1, b.test 3 1" },
	{ "RPZ names outside it", FEED_RPZ,
	    BYTES_ROW("$ORIGIN rpz.test.\na.test. CNAME .\n"),
	    "left out: a name outside the zone" },
	{ "RPZ exceptions", FEED_RPZ, BYTES_ROW("a.test CNAME rpz-passthru.\n"),
	    "passed over: an exception" },
	{ "RPZ addresses", FEED_RPZ, BYTES_ROW("32.1.2.0.192.rpz-ip CNAME .\n"),
	    "passed over: a trigger that is no name" },
	{ "RPZ without data", FEED_RPZ, BYTES_ROW("a.test\n"),
	    "left out: no record of a known type" },
	{ "RPZ that ends in parentheses", FEED_RPZ,
	    BYTES_ROW("@ SOA a. b. ( 1\n"), "refused" },
	{ "JPCERT", FEED_JPCERT,
	    BYTES_ROW("date,URL,description\n"
		      "2025/11/20 10:12:00,https://a.test/b,x\n"
		      "2025/11/20 10:12:00,\"https://b.test/a,b\",\"c, d\"\n"
		      "2025/11/20,https://c.test/,\n"),
	    "a.test/b 2 2, b.test/a,b 3 2, c.test/ 4 2" },
	{ "JPCERT without date", FEED_JPCERT,
	    BYTES_ROW("x,https://a.test/,y\n"),
	    "left out: no date such as 2024/01/04 10:12:00" },
	{ "JPCERT without URL", FEED_JPCERT, BYTES_ROW("2025/11/20 10:12:00\n"),
	    "left out: no URL behind the date" },
	{ "JPCERT with an open quote", FEED_JPCERT,
	    BYTES_ROW("2025/11/20 10:12:00,\"https://a.test/\n"),
	    "left out: a quote that is not closed" },
	{ "JPCERT with another scheme", FEED_JPCERT,
	    BYTES_ROW("2025/11/20 10:12:00,ttps://a.test/,x\n"),
	    "left out: the scheme is none of the web's" },
#define STIX(rest)                                                        \
	BYTES_ROW("{\"type\":\"bundle\",\"objects\":[{\"type\":"          \
		  "\"malware\"},{\"type\":\"indicator\",\"pattern_type\"" \
		  ":\"stix\"," rest "}]}")
	{ "STIX", FEED_STIX,
	    STIX("\"pattern\":\"[url:value = 'http://a.test/b']\""),
	    "a.test/b 2 2" },
	{ "STIX hosts", FEED_STIX,
	    STIX("\"pattern\":\"[domain-name:value='a.test' OR "
		 "ipv4-addr:value='192.0.2.1'] OR [url:value IN "
		 "('b.test/c', 'd.test/')]\""),
	    "a.test 2 1, 192.0.2.1 2 1, b.test/c 2 2, d.test/ 2 2" },
	{ "STIX with AND", FEED_STIX,
	    STIX("\"pattern\":\"[url:value='http://a.test/' AND "
		 "url:value='http://b.test/']\""),
	    "passed over: a pattern that is more than hosts" },
	{ "STIX of files", FEED_STIX,
	    STIX("\"pattern\":\"[file:name='a' OR url:value='b.test/']\""),
	    "passed over: a pattern that is more than hosts" },
	{ "STIX with LIKE", FEED_STIX,
	    STIX("\"pattern\":\"[url:value LIKE 'http://a%']\""),
	    "passed over: a pattern that is more than hosts" },
	{ "STIX with a qualifier", FEED_STIX,
	    STIX("\"pattern\":\"[url:value='a.test/'] WITHIN 5 SECONDS\""),
	    "passed over: a pattern that is more than hosts" },
	{ "STIX with an open string", FEED_STIX,
	    STIX("\"pattern\":\"[url:value='a.test/]\""),
	    "passed over: a pattern that is more than hosts" },
	{ "STIX revoked", FEED_STIX,
	    STIX("\"revoked\":true,\"pattern\":\"[url:value='a.test/']\""),
	    "passed over: revoked" },
	{ "STIX of another language", FEED_STIX,
	    BYTES_ROW("{\"objects\":[{\"type\":\"indicator\",\"pattern\":"
		      "\"x\",\"pattern_type\":\"snort\"}]}"),
	    "passed over: a pattern of another language" },
	{ "STIX ranges", FEED_STIX,
	    STIX("\"pattern\":\"[ipv4-addr:value='192.0.2.0/24']\""),
	    "passed over: a range of addresses" },
	{ "STIX with no time", FEED_STIX,
	    STIX("\"valid_until\":\"soon\",\"pattern\":"
		 "\"[url:value='a.test/']\""),
	    "left out: a time or confidence that is none" },
	{ "STIX that is no bundle", FEED_STIX, BYTES_ROW("{}"), "refused" },
	{ "STIX that is no JSON", FEED_STIX, BYTES_ROW("{\"objects\":["),
	    "refused" },
#define MISP(attributes) \
	BYTES_ROW("{\"Event\":{\"Attribute\":[" attributes "]}}")
	{ "MISP", FEED_MISP,
	    MISP(
		"{\"type\":\"domain\",\"to_ids\":true,\"value\":\"a.test\"},"
		"{\"type\":\"md5\",\"to_ids\":true,\"value\":\"x\"},"
		"{\"type\":\"hostname\",\"to_ids\":true,\"value\":\"b.test\"},"
		"{\"type\":\"url\",\"to_ids\":true,\"value\":\"http://c.test/d"
		"\"},{\"type\":\"domain|ip\",\"to_ids\":true,\"value\":\"e.test"
		"|192.0.2.1\"},{\"type\":\"ip-dst\",\"to_ids\":true,"
		"\"value\":\"192.0.2.2\"}"),
	    "a.test 1 3, b.test 3 1, c.test/d 4 2, e.test 5 3, 192.0.2.2 6 1" },
	{ "MISP objects and responses", FEED_MISP,
	    BYTES_ROW("{\"response\":[{\"Event\":{\"Object\":[{\"Attribute\":"
		      "[{\"type\":\"domain\",\"to_ids\":true,\"value\":"
		      "\"a.test\"}]}]}}]}"),
	    "a.test 1 3" },
	{ "MISP not for detection", FEED_MISP,
	    MISP("{\"type\":\"domain\",\"to_ids\":false,\"value\":\"a.test\"}"),
	    "passed over: not meant for detection" },
	{ "MISP deleted", FEED_MISP,
	    MISP("{\"type\":\"domain\",\"to_ids\":true,\"deleted\":true,"
		 "\"value\":\"a.test\"}"),
	    "passed over: not meant for detection" },
	{ "MISP without value", FEED_MISP, MISP("{\"type\":\"domain\"}"),
	    "left out: an attribute without type or value" },
	{ "MISP that is none", FEED_MISP, BYTES_ROW("{\"Attribute\":[]}"),
	    "refused" },
};

struct reading {
	struct build *build;
	struct protect *protect;
	struct buf report;
	struct buf file;
	struct feed feed;
	struct err e;
};

static int
read_it(struct reading *r, enum feed_kind kind, struct bytes text)
{
	r->build = build_new(1);
	buf_init(&r->report, 1 << 20);
	buf_init(&r->file, (size_t)1 << 28);
	build_source(r->build,
	    &(struct build_source){ "s", feed_kind_name(kind), "bad", 80, 1 });
	r->feed = (struct feed){
		.terms = { "bad", 80, 30 * DAY, NOW },
		.build = r->build,
		.protect = r->protect,
		.report = &r->report,
	};
	return feed_read_text(&r->feed, kind, "list", text, NOW, &r->e);
}

static void
release(struct reading *r)
{
	build_free(r->build);
	buf_release(&r->report);
	buf_release(&r->file);
}

struct found {
	struct urlrep_match p[16];
	size_t n;
};

static void
take(const struct urlrep_match *m, void *context)
{
	struct found *f = context;

	ck_assert_uint_lt(f->n, COUNT(f->p));
	f->p[f->n++] = *m;
}

static struct urlrep *
entries_of(struct reading *r, struct found *f)
{
	struct build_counts counts;
	struct urlrep *lists;
	int fd;

	ck_assert_int_eq(
	    build_write(r->build, NOW, &r->file, &counts, &r->e), 0);
	fd = urlrep_seal_bytes(buf_bytes(&r->file), "made", &r->e);
	ck_assert_msg(fd >= 0, "%s", r->e.text);
	lists = urlrep_map(fd, &r->e);
	close(fd);
	f->n = 0;
	ck_assert_int_eq(urlrep_each(lists, take, f), 0);
	return lists;
}

/* Whether "key line scope" of each entry is in the words, and nothing else. */
static bool
says(const struct found *f, const char *want)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		char text[256];
		const char *at;

		snprintf(text, sizeof(text), "%.*s %u %u",
		    BYTES_PRINTF(f->p[i].key), f->p[i].line, f->p[i].scope);
		at = strstr(want, text);
		if (at == NULL)
			return false;
		n += strlen(text) + (n > 0 ? 2 : 0);
	}
	return n == strlen(want);
}

START_TEST(feed_takes_what_a_row_says)
{
	struct reading r = { 0 };
	struct found f;
	const char *want = cases[_i].want;
	int got = read_it(&r, cases[_i].kind, cases[_i].text);

	ck_assert_msg((got < 0) == (strcmp(want, "refused") == 0), "%s: %s",
	    cases[_i].name, r.e.text);
	if (got == 0) {
		struct urlrep *lists = entries_of(&r, &f);
		struct bytes report = buf_bytes(&r.report);

		if (strchr(want, ':') != NULL && f.n == 0)
			ck_assert_msg(memmem(report.p, report.n, want,
					  strlen(want)) != NULL,
			    "%s: %.*s", cases[_i].name, BYTES_PRINTF(report));
		else
			ck_assert_msg(says(&f, want), "%s: %zu entries: %.*s",
			    cases[_i].name, f.n, BYTES_PRINTF(report));
		urlrep_drop(lists);
	}
	release(&r);
}
END_TEST

START_TEST(feed_refuses_many_bad_rows)
{
	char text[8192];

	for (unsigned bad = 0; bad < 12; bad++) {
		struct reading r = { 0 };
		size_t n = 0;
		/* 5 of 100 are well, 6 are not; and 3 of 3 are. */
		unsigned good = bad <= FEED_BAD_MIN ? 0 : 95;

		for (unsigned i = 0; i < good; i++)
			n += (size_t)snprintf(
			    text + n, sizeof(text) - n, "%u.test\n", i);
		for (unsigned i = 0; i < bad; i++)
			n += (size_t)snprintf(
			    text + n, sizeof(text) - n, "a b\n");
		ck_assert_msg((read_it(&r, FEED_DOMAINS,
				   (struct bytes){ (uint8_t *)text, n }) ==
				  0) == (bad <= 5),
		    "%u bad: %s", bad, r.e.text);
		ck_assert_uint_eq(r.feed.counts.bad, bad);
		release(&r);
	}
}
END_TEST

START_TEST(feed_lines_have_a_limit)
{
	static char text[FEED_LINE_MAX + 8];

	for (size_t n = FEED_LINE_MAX; n <= FEED_LINE_MAX + 1; n++) {
		struct reading r = { 0 };

		memset(text, '#', n);
		text[n] = '\n';
		ck_assert_int_eq(read_it(&r, FEED_DOMAINS,
				     (struct bytes){ (uint8_t *)text, n + 1 }),
		    0);
		ck_assert_uint_eq(r.feed.counts.bad, n > FEED_LINE_MAX);
		release(&r);
	}
}
END_TEST

START_TEST(feed_counts_a_rows_life_from_its_date)
{
	struct reading r = { 0 };
	struct found f;
	struct urlrep *lists;

	ck_assert_int_eq(read_it(&r, FEED_JPCERT,
			     BYTES("2025/11/20 10:12:00,https://a.test/b,x\n")),
	    0);
	lists = entries_of(&r, &f);
	/* 30 days behind 01:12 UTC, and to the end of that day. */
	ck_assert_int_eq(f.p[0].until, 1763596800 + 31 * DAY);
	urlrep_drop(lists);
	release(&r);
	ck_assert_int_eq(read_it(&r, FEED_DOMAINS, BYTES("a.test\n")), 0);
	lists = entries_of(&r, &f);
	ck_assert_int_ge(f.p[0].until, NOW + 30 * DAY);
	ck_assert_int_lt(f.p[0].until, NOW + 31 * DAY);
	urlrep_drop(lists);
	release(&r);
}
END_TEST

START_TEST(feed_takes_the_indicators_own_terms)
{
	struct reading r = { 0 };
	struct found f;
	struct urlrep *lists;

	ck_assert_int_eq(
	    read_it(&r, FEED_STIX,
		(struct bytes)STIX(
		    "\"valid_from\":\"2025-12-01T00:00:00.000Z\","
		    "\"valid_until\":\"2026-01-01T09:00:00+09:00\","
		    "\"confidence\":35,\"object_marking_refs\":["
		    "\"marking-definition--34098fce-860f-48ae-8e50-"
		    "ebd3cc5e41da\",\"marking-definition--939a9414-2ddd-"
		    "4d32-a0cd-375ea402b003\"],"
		    "\"pattern\":\"[url:value='a.test/']\"")),
	    0);
	lists = entries_of(&r, &f);
	ck_assert_int_eq(f.p[0].from, 1764547200);
	ck_assert_int_eq(f.p[0].until, 1767225600);
	ck_assert_uint_eq(f.p[0].confidence, 35);
	ck_assert_int_eq(f.p[0].tlp, TLP_AMBER_STRICT);
	ck_assert(f.p[0].is_object);
	urlrep_drop(lists);
	release(&r);
	ck_assert_int_eq(
	    read_it(&r, FEED_MISP,
		BYTES("{\"Event\":{\"timestamp\":\"1763000000\",\"Tag\":"
		      "[{\"name\":\"TLP:GREEN\"}],\"Attribute\":["
		      "{\"type\":\"domain\",\"to_ids\":true,\"value\":"
		      "\"a.test\",\"Tag\":[{\"name\":\"tlp:red\"}],"
		      "\"timestamp\":\"1763596800\"}]}}")),
	    0);
	lists = entries_of(&r, &f);
	ck_assert_int_eq(f.p[0].until, 1763596800 + 30 * DAY);
	ck_assert_int_eq(f.p[0].tlp, TLP_RED);
	urlrep_drop(lists);
	release(&r);
}
END_TEST

START_TEST(feed_lists_nothing_that_is_protected)
{
	struct reading r = { .protect = protect_new() };
	struct found f;
	struct urlrep *lists;

	ck_assert_int_eq(protect_zone(r.protect, BYTES("lg.jp")), 0);
	ck_assert_int_eq(protect_name(r.protect, BYTES("t.test")), 0);
	ck_assert_int_eq(read_it(&r, FEED_URLS,
			     BYTES("http://city.a.lg.jp/x\nhttp://t.test/\n"
				   "http://t.test/bad\nhttp://u.test/\n")),
	    0);
	ck_assert_uint_eq(r.feed.counts.vetoed, 2);
	lists = entries_of(&r, &f);
	ck_assert(says(&f, "t.test/bad 3 2, u.test/ 4 2"));
	urlrep_drop(lists);
	protect_free(r.protect);
	release(&r);
}
END_TEST

Suite *
feed_suite(void)
{
	Suite *s = suite_create("feed");
	TCase *t = tcase_create("feed");

	tcase_add_loop_test(t, feed_takes_what_a_row_says, 0, COUNT(cases));
	tcase_add_test(t, feed_refuses_many_bad_rows);
	tcase_add_test(t, feed_lines_have_a_limit);
	tcase_add_test(t, feed_counts_a_rows_life_from_its_date);
	tcase_add_test(t, feed_takes_the_indicators_own_terms);
	tcase_add_test(t, feed_lists_nothing_that_is_protected);
	suite_add_tcase(s, t);
	return s;
}
