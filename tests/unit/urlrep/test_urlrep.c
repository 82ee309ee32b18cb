/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/urlrep.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "filters/urlrep/build.h"
#include "filters/urlrep/format.h"
#include "filters/urlrep/fuse.h"
#include "filters/urlrep/swap.h"

#define NOW 1764000000

Suite *urlrep_suite(void);

struct made {
	struct build *build;
	struct buf file;
	struct urlrep *lists;
};

static void
begin(struct made *m)
{
	m->build = build_new(42);
	buf_init(&m->file, (size_t)1 << 28);
	build_source(
	    m->build, &(struct build_source){ "s", "domains", "bad", 80, NOW });
	build_file(m->build, "list",
	    &(struct detail){
		build_string(m->build, "bad"), 80, TLP_NONE, 0, 0 },
	    false);
}

/* text: a host, or with '/' a URL. */
static enum build_added
add_with(struct made *m, const char *text, unsigned scope, unsigned line,
    const struct detail *d)
{
	static struct canon c;
	const char *why = NULL;
	int got = strchr(text, '/') == NULL
	    ? canon_parse_host(&c, bytes_of(text), &why)
	    : canon_parse(&c, bytes_of(text), &why);

	ck_assert_msg(got == 0, "%s: %s", text, why);
	return build_add(m->build, &c, scope, line, d);
}

static void
add(struct made *m, const char *text, unsigned scope, unsigned line)
{
	ck_assert_int_eq(add_with(m, text, scope, line, NULL), BUILD_ADDED);
}

static void
finish(struct made *m, struct build_counts *counts)
{
	struct err e = { 0 };
	int fd;

	ck_assert_msg(build_write(m->build, NOW, &m->file, counts, &e) == 0,
	    "%s", e.text);
	build_free(m->build);
	fd = urlrep_seal_bytes(buf_bytes(&m->file), "made", &e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	m->lists = urlrep_map(fd, &e);
	ck_assert_msg(m->lists != NULL, "%s", e.text);
	close(fd);
}

static void
end(struct made *m)
{
	urlrep_drop(m->lists);
	buf_release(&m->file);
}

struct lines {
	unsigned p[256];
	size_t n;
	struct urlrep_match last;
};

static void
take_line(const struct urlrep_match *m, void *context)
{
	struct lines *l = context;

	ck_assert_uint_lt(l->n, COUNT(l->p));
	l->p[l->n++] = m->line;
	l->last = *m;
}

static int
by_number(const void *a, const void *b)
{
	return (int)*(const unsigned *)a - (int)*(const unsigned *)b;
}

/* The lines of all entries that cover it, as "1 4 9". */
static const char *
lookup_at(const struct urlrep *r, const char *url, time_t now, bool all)
{
	static char out[1024];
	static struct canon c;
	struct urlrep_query q = { &c, now, all };
	struct lines l = { .n = 0 };
	const char *why = NULL;
	size_t n = 0;

	ck_assert_msg(
	    canon_parse(&c, bytes_of(url), &why) == 0, "%s: %s", url, why);
	ck_assert_int_eq(urlrep_find(r, &q, take_line, &l), (int)l.n);
	qsort(l.p, l.n, sizeof(l.p[0]), by_number);
	out[0] = '\0';
	for (size_t i = 0; i < l.n; i++)
		n += (size_t)snprintf(
		    out + n, sizeof(out) - n, "%s%u", i > 0 ? " " : "", l.p[i]);
	return out;
}

static const char *
lookup(const struct urlrep *r, const char *url)
{
	return lookup_at(r, url, NOW, false);
}

static const struct {
	const char *entry;
	unsigned scope;
} entries[] = {
	{ "example.test", SCOPE_DOMAIN },                    /* 1 */
	{ "www.example.test", SCOPE_DOMAIN },                /* 2 */
	{ "exact.test", SCOPE_SELF },                        /* 3 */
	{ "below.test", SCOPE_BELOW },                       /* 4 */
	{ "192.0.2.1", SCOPE_SELF },                         /* 5 */
	{ "[2001:db8::1]", SCOPE_SELF },                     /* 6 */
	{ "url.test/dir/", SCOPE_BELOW },                    /* 7 */
	{ "url.test/page", SCOPE_BELOW },                    /* 8 */
	{ "url.test/page?q=1", SCOPE_BELOW },                /* 9 */
	{ "url.test:8080/", SCOPE_BELOW },                   /* 10 */
	{ "url.test/only", 0 },                              /* 11 */
	{ "ad.test/x", SCOPE_BELOW | SCOPE_URL_SUBDOMAINS }, /* 12 */
	{ "192.0.2.1/x", SCOPE_BELOW },                      /* 13 */
	{ "[2001:db8::1]:81/x", SCOPE_BELOW },               /* 14 */
	{ "url.test/", 0 },                                  /* 15 */
	{ "test.example", SCOPE_DOMAIN },                    /* 16 */
};

static const struct {
	const char *url, *want;
} lookups[] = {
	{ "http://example.test/", "1" },
	{ "http://a.example.test/", "1" },
	{ "http://www.example.test/x", "1 2" },
	{ "http://a.www.example.test/x", "1 2" },
	{ "http://badexample.test/", "" },
	{ "http://test/", "" },
	{ "http://exact.test/", "3" },
	{ "http://a.exact.test/", "" },
	{ "http://below.test/", "" },
	{ "http://a.b.below.test/", "4" },
	{ "http://192.0.2.1/", "5" },
	{ "http://0xc0000201/y", "5" },
	{ "http://1.192.0.2.1.test/", "" },
	{ "http://[2001:db8:0::1]/", "6" },
	{ "http://url.test/dir/", "7" },
	{ "http://url.test/dir/a?b", "7" },
	{ "https://url.test/dir", "" },
	{ "http://url.test//dir//a", "7" },
	{ "http://url.test/./x/../dir/a", "7" },
	{ "http://url.test/di%72/", "7" },
	{ "http://url.test/dir%2fa", "7" },
	{ "http://a.url.test/dir/", "" },
	{ "http://url.test/page", "8" },
	{ "http://url.test/page/x", "8" },
	{ "http://url.test/pages", "" },
	{ "http://url.test/page?q=1", "8 9" },
	{ "http://url.test/page?q=12", "8" },
	{ "http://url.test:8080/a", "10" },
	{ "http://url.test:8080/dir/", "7 10" },
	{ "http://url.test:8081/", "15" },
	{ "http://url.test/only", "11" },
	{ "http://url.test/only/x", "" },
	{ "http://url.test/", "15" },
	{ "http://url.test/other", "" },
	{ "http://ad.test/x/y", "12" },
	{ "http://a.b.ad.test/x/y", "12" },
	{ "http://ad.test/", "" },
	{ "http://192.0.2.1/x", "5 13" },
	{ "http://[2001:db8::1]:81/x", "6 14" },
	{ "http://[2001:db8::1]/x", "6" },
};

START_TEST(urlrep_finds_what_covers_and_nothing_else)
{
	struct made m;
	struct build_counts counts;

	begin(&m);
	for (size_t i = 0; i < COUNT(entries); i++)
		add(&m, entries[i].entry, entries[i].scope, (unsigned)i + 1);
	finish(&m, &counts);
	ck_assert_uint_eq(counts.entries, COUNT(entries));
	for (size_t i = 0; i < COUNT(lookups); i++)
		ck_assert_msg(strcmp(lookup(m.lists, lookups[i].url),
				  lookups[i].want) == 0,
		    "%s: %s, not %s", lookups[i].url,
		    lookup(m.lists, lookups[i].url), lookups[i].want);
	end(&m);
}
END_TEST

START_TEST(urlrep_knows_hosts_that_have_urls)
{
	static struct canon c;
	struct made m;
	struct build_counts counts;
	const char *why;
	static const struct {
		const char *host;
		bool want;
	} hosts[] = { { "url.test", true }, { "a.url.test", false },
		{ "ad.test", true }, { "a.ad.test", true }, { "test", false },
		{ "192.0.2.1", true }, { "example.test", false } };

	begin(&m);
	for (size_t i = 0; i < COUNT(entries); i++)
		add(&m, entries[i].entry, entries[i].scope, (unsigned)i + 1);
	finish(&m, &counts);
	for (size_t i = 0; i < COUNT(hosts); i++) {
		ck_assert_int_eq(
		    canon_parse_host(&c, bytes_of(hosts[i].host), &why), 0);
		ck_assert_msg(urlrep_has_urls(m.lists, &c) == hosts[i].want,
		    "%s", hosts[i].host);
	}
	end(&m);
}
END_TEST

/* squidGuard's one search finds the predecessor alone, and misses these. */
START_TEST(urlrep_finds_below_a_parent_with_a_listed_sibling)
{
	struct made m;
	struct build_counts counts;

	begin(&m);
	add(&m, "example.test", SCOPE_DOMAIN, 1);
	add(&m, "b.example.test", SCOPE_DOMAIN, 2);
	finish(&m, &counts);
	ck_assert_str_eq(lookup(m.lists, "http://a.example.test/"), "1");
	ck_assert_str_eq(lookup(m.lists, "http://c.example.test/"), "1");
	ck_assert_str_eq(lookup(m.lists, "http://x.b.example.test/"), "1 2");
	end(&m);
}
END_TEST

START_TEST(urlrep_ends_entries_at_their_time)
{
	struct made m;
	struct build_counts counts;
	struct detail d;

	begin(&m);
	d = (struct detail){ build_string(m.build, "bad"), 80, TLP_NONE, 0,
		NOW };
	ck_assert_int_eq(
	    add_with(&m, "a.test", SCOPE_DOMAIN, 1, &d), BUILD_ADDED);
	d.until = NOW + 1;
	ck_assert_int_eq(
	    add_with(&m, "a.test", SCOPE_SELF, 2, &d), BUILD_ADDED);
	d.until = 0;
	d.from = NOW + 1;
	ck_assert_int_eq(
	    add_with(&m, "a.test", SCOPE_DOMAIN, 3, &d), BUILD_ADDED);
	finish(&m, &counts);
	ck_assert_str_eq(lookup(m.lists, "a.test"), "2");
	ck_assert_str_eq(lookup_at(m.lists, "a.test", NOW - 1, false), "1 2");
	ck_assert_str_eq(lookup_at(m.lists, "a.test", NOW + 1, false), "3");
	ck_assert_str_eq(lookup_at(m.lists, "a.test", NOW, true), "1 2 3");
	end(&m);
}
END_TEST

START_TEST(build_keeps_what_is_valid_longest)
{
	struct made m;
	struct build_counts counts;
	struct detail d;

	begin(&m);
	d = (struct detail){ build_string(m.build, "bad"), 80, TLP_NONE, 0,
		NOW + 5 };
	ck_assert_int_eq(
	    add_with(&m, "a.test", SCOPE_DOMAIN, 1, &d), BUILD_ADDED);
	d.until = NOW + 9;
	ck_assert_int_eq(
	    add_with(&m, "a.test", SCOPE_DOMAIN, 2, &d), BUILD_ADDED);
	d.until = NOW + 7;
	ck_assert_int_eq(
	    add_with(&m, "a.test", SCOPE_DOMAIN, 3, &d), BUILD_ADDED);
	add(&m, "b.test", SCOPE_DOMAIN, 4);
	add(&m, "b.test", SCOPE_DOMAIN, 5);
	finish(&m, &counts);
	ck_assert_uint_eq(counts.repeated, 3);
	ck_assert_uint_eq(counts.keys, 2);
	ck_assert_str_eq(lookup(m.lists, "a.test"), "2");
	ck_assert_str_eq(lookup(m.lists, "b.test"), "4");
	end(&m);
}
END_TEST

START_TEST(build_limits_the_entries_of_a_key)
{
	struct made m;
	struct build_counts counts;
	struct detail d = { 0 };

	begin(&m);
	for (unsigned i = 0; i <= BUILD_SAME_MAX; i++) {
		d.confidence = (uint8_t)i;
		ck_assert_int_eq(
		    add_with(&m, "a.test", SCOPE_DOMAIN, i + 1, &d),
		    BUILD_ADDED);
	}
	finish(&m, &counts);
	ck_assert_uint_eq(counts.entries, BUILD_SAME_MAX);
	ck_assert_uint_eq(counts.dropped, 1);
	end(&m);
}
END_TEST

START_TEST(build_refuses_too_long_a_key)
{
	static char url[BUILD_KEY_MAX + 2];
	struct made m;
	struct build_counts counts;

	begin(&m);
	memset(url, 'a', BUILD_KEY_MAX + 1);
	memcpy(url, "a.test/", 7);
	ck_assert_int_eq(
	    add_with(&m, url, SCOPE_BELOW, 1, NULL), BUILD_TOO_LONG);
	url[BUILD_KEY_MAX] = '\0';
	ck_assert_int_eq(add_with(&m, url, SCOPE_BELOW, 2, NULL), BUILD_ADDED);
	ck_assert_int_eq(build_add_key(m.build, BYTES("/no-host"), 0, 3, NULL),
	    BUILD_TOO_LONG);
	ck_assert_int_eq(
	    build_add_key(m.build, BYTES(""), 0, 3, NULL), BUILD_TOO_LONG);
	finish(&m, &counts);
	ck_assert_str_eq(lookup(m.lists, url), "2");
	end(&m);
}
END_TEST

START_TEST(urlrep_empty_lists_cover_nothing)
{
	struct made m;
	struct build_counts counts;

	begin(&m);
	finish(&m, &counts);
	ck_assert_str_eq(lookup(m.lists, "a.test/x"), "");
	ck_assert_str_eq(lookup(m.lists, "192.0.2.1"), "");
	end(&m);
}
END_TEST

/* Small random lists beside the plainest reading of the rules. */

static uint32_t random_state;

static uint32_t
draw(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

static const char *
random_host(char *out)
{
	size_t n = 0;
	unsigned labels = 1 + draw(4);

	for (unsigned i = 0; i < labels; i++) {
		if (i > 0)
			out[n++] = '.';
		out[n++] = (char)('a' + draw(2));
	}
	out[n] = '\0';
	return out;
}

static const char *
random_url(char *out)
{
	static const char *const parts[] = { "/", "a", "b", "/a", "//", "/b" };
	char host[32];
	size_t n = (size_t)snprintf(out, 32, "%s", random_host(host));
	unsigned pieces = draw(5);

	if (draw(4) == 0)
		n += (size_t)snprintf(out + n, 8, ":%u", 80 + draw(2));
	out[n++] = '/';
	out[n] = '\0';
	for (unsigned i = 0; i < pieces; i++)
		n += (size_t)snprintf(
		    out + n, 8, "%s", parts[draw(COUNT(parts))]);
	if (draw(3) == 0)
		snprintf(out + n, 8, "?%c", (char)('a' + draw(2)));
	return out;
}

struct naive {
	char text[128];
	bool is_url;
	unsigned scope;
};

static bool
suffix_of(struct bytes host, struct bytes of)
{
	return host.n > of.n && bytes_end_with(host, of) &&
	    host.p[host.n - of.n - 1] == '.';
}

static bool
path_covers(struct bytes entry, struct bytes path, bool below)
{
	if (bytes_equal(entry, path))
		return true;
	return below && bytes_start_with(path, entry) &&
	    (entry.p[entry.n - 1] == '/' || path.p[entry.n] == '/');
}

static bool
covers(const struct naive *n, const struct canon *url)
{
	static struct canon e;
	const char *why;
	bool same, sub;

	if (!n->is_url) {
		ck_assert_int_eq(
		    canon_parse_host(&e, bytes_of(n->text), &why), 0);
		return ((n->scope & SCOPE_SELF) != 0 &&
			   bytes_equal(e.host, url->host)) ||
		    ((n->scope & SCOPE_BELOW) != 0 &&
			suffix_of(url->host, e.host));
	}
	ck_assert_int_eq(canon_parse(&e, bytes_of(n->text), &why), 0);
	same = bytes_equal(e.host, url->host);
	sub = (n->scope & SCOPE_URL_SUBDOMAINS) != 0 &&
	    suffix_of(url->host, e.host);
	if ((!same && !sub) || (!e.port_usual && e.port != url->port))
		return false;
	if (e.query.n > 0)
		return bytes_equal(e.query, url->query) &&
		    (bytes_equal(e.path, url->path) ||
			bytes_equal(e.path, url->loose));
	return path_covers(e.path, url->path, (n->scope & SCOPE_BELOW) != 0) ||
	    path_covers(e.path, url->loose, (n->scope & SCOPE_BELOW) != 0);
}

START_TEST(urlrep_agrees_with_the_plain_reading)
{
	enum {
		ENTRIES = 40,
		LOOKUPS = 200
	};
	static struct naive list[ENTRIES];
	static struct canon c;
	struct build_counts counts;
	struct made m;
	const char *why;

	random_state = (uint32_t)_i * 7919 + 1;
	begin(&m);
	for (unsigned i = 0; i < ENTRIES; i++) {
		list[i].is_url = draw(2) == 0;
		list[i].scope = list[i].is_url ? draw(4) : 1 + draw(3);
		if (list[i].is_url)
			random_url(list[i].text);
		else
			random_host(list[i].text);
		/* Each with a detail of its own, else equal ones are one. */
		ck_assert_int_eq(
		    add_with(&m, list[i].text, list[i].scope, i + 1,
			&(struct detail){ .confidence = (uint8_t)i }),
		    BUILD_ADDED);
	}
	finish(&m, &counts);
	for (unsigned i = 0; i < LOOKUPS; i++) {
		char url[128];
		char want[512] = "";
		size_t n = 0;

		random_url(url);
		ck_assert_int_eq(canon_parse(&c, bytes_of(url), &why), 0);
		for (unsigned k = 0; k < ENTRIES; k++)
			if (covers(&list[k], &c))
				n +=
				    (size_t)snprintf(want + n, sizeof(want) - n,
					"%s%u", n > 0 ? " " : "", k + 1);
		ck_assert_msg(strcmp(lookup(m.lists, url), want) == 0,
		    "%s: %s, not %s", url, lookup(m.lists, url), want);
	}
	end(&m);
}
END_TEST

START_TEST(urlrep_refuses_a_file_cut_at_any_place)
{
	struct made m;
	struct build_counts counts;
	struct err e = { 0 };
	struct bytes all;

	begin(&m);
	for (size_t i = 0; i < COUNT(entries); i++)
		add(&m, entries[i].entry, entries[i].scope, (unsigned)i + 1);
	finish(&m, &counts);
	all = buf_bytes(&m.file);
	for (size_t n = 0; n < all.n; n++)
		ck_assert_int_eq(
		    urlrep_seal_bytes((struct bytes){ all.p, n }, "cut", &e),
		    -1);
	end(&m);
}
END_TEST

START_TEST(urlrep_refuses_a_file_with_any_byte_changed)
{
	struct made m;
	struct build_counts counts;
	struct err e = { 0 };

	begin(&m);
	add(&m, "a.test", SCOPE_DOMAIN, 1);
	add(&m, "b.test/x", SCOPE_BELOW, 2);
	finish(&m, &counts);
	for (size_t i = 0; i < m.file.n; i++) {
		m.file.p[i] ^= 0x55;
		ck_assert_msg(
		    urlrep_seal_bytes(buf_bytes(&m.file), "changed", &e) == -1,
		    "byte %zu", i);
		m.file.p[i] ^= 0x55;
	}
	end(&m);
}
END_TEST

START_TEST(urlrep_maps_sealed_memory_alone)
{
	struct err e = { 0 };
	int fd = fileno(tmpfile());

	ck_assert_ptr_null(urlrep_map(fd, &e));
	ck_assert(strstr(e.text, "sealed") != NULL);
	close(fd);
	/* Each seal is needed. */
	for (size_t i = 0; i < 3; i++) {
		static const int seals[] = { F_SEAL_SHRINK | F_SEAL_GROW,
			F_SEAL_SHRINK | F_SEAL_WRITE,
			F_SEAL_GROW | F_SEAL_WRITE };

		fd = memfd_create("test", MFD_ALLOW_SEALING);
		ck_assert_int_eq(ftruncate(fd, 4096), 0);
		ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		e.text[0] = '\0';
		ck_assert_ptr_null(urlrep_map(fd, &e));
		ck_assert(strstr(e.text, "sealed") != NULL);
		close(fd);
	}
	ck_assert_int_eq(urlrep_seal("/nonexistent", &e), -1);
	ck_assert_int_eq(urlrep_seal("/dev/null", &e), -1);
}
END_TEST

static int
sealed_with(const char *host, unsigned lines)
{
	struct made m;
	struct build_counts counts;
	struct err e = { 0 };
	int fd;

	begin(&m);
	for (unsigned i = 1; i <= lines; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%u.%s", i, host);
		add(&m, i == 1 ? host : name, SCOPE_DOMAIN, i);
	}
	finish(&m, &counts);
	fd = urlrep_seal_bytes(buf_bytes(&m.file), "swap", &e);
	end(&m);
	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(swap_goes_on_with_the_old_until_the_new_is_there)
{
	struct swap s = { NULL, NULL, NULL };
	struct err e = { 0 };
	int first = sealed_with("a.test", 1000);
	int second = sealed_with("b.test", 1000);
	int broken = fileno(tmpfile());
	struct urlrep *held;
	size_t steps = 0;

	ck_assert_int_eq(swap_offer(&s, first, &e), 0);
	ck_assert_ptr_null(s.current);
	while (!swap_step(&s, 4096))
		;
	ck_assert_str_eq(lookup(s.current, "a.test"), "1");
	ck_assert_int_eq(swap_offer(&s, second, &e), 0);
	ck_assert(!swap_step(&s, 4096));
	ck_assert_str_eq(lookup(s.current, "a.test"), "1");
	while (!swap_step(&s, 4096))
		steps++;
	ck_assert_uint_gt(steps, 5);
	ck_assert_str_eq(lookup(s.current, "a.test"), "");
	ck_assert_str_eq(lookup(s.current, "b.test"), "1");
	/* A bad one changes nothing. */
	ck_assert_int_eq(swap_offer(&s, broken, &e), -1);
	ck_assert_str_eq(lookup(s.current, "b.test"), "1");
	/* Who holds the old one may go on with it. */
	held = urlrep_hold(s.current);
	ck_assert_int_eq(swap_offer(&s, first, &e), 0);
	ck_assert_int_eq(swap_offer(&s, first, &e), 0);
	while (!swap_step(&s, SWAP_STEP))
		;
	ck_assert_str_eq(lookup(held, "b.test"), "1");
	ck_assert_str_eq(lookup(s.current, "a.test"), "1");
	urlrep_drop(held);
	swap_release(&s);
	close(first);
	close(second);
	close(broken);
}
END_TEST

START_TEST(fuse_has_every_key_and_few_others)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 10, 1000, 100000 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t n = sizes[i], others = 0;
		struct fuse f = { .seed = 7 };
		uint8_t *table = malloc(fuse_size(&f, n));
		uint64_t *hashes = calloc(n + 1, sizeof(*hashes));

		for (size_t k = 0; k < n; k++)
			hashes[k] = fuse_scramble(k, 1);
		ck_assert_int_eq(fuse_build(&f, table, hashes, n), 0);
		for (size_t k = 0; k < n; k++)
			ck_assert(fuse_has(&f, table, hashes[k]));
		for (size_t k = 0; k < 100000; k++)
			others +=
			    fuse_has(&f, table, fuse_scramble(k + 1000000, 1));
		ck_assert_uint_lt(others, 600); /* 391 are to be expected */
		free(table);
		free(hashes);
	}
}
END_TEST

Suite *
urlrep_suite(void)
{
	Suite *s = suite_create("urlrep");
	TCase *t = tcase_create("urlrep");

	tcase_add_test(t, urlrep_finds_what_covers_and_nothing_else);
	tcase_add_test(t, urlrep_knows_hosts_that_have_urls);
	tcase_add_test(t, urlrep_finds_below_a_parent_with_a_listed_sibling);
	tcase_add_test(t, urlrep_ends_entries_at_their_time);
	tcase_add_test(t, build_keeps_what_is_valid_longest);
	tcase_add_test(t, build_limits_the_entries_of_a_key);
	tcase_add_test(t, build_refuses_too_long_a_key);
	tcase_add_test(t, urlrep_empty_lists_cover_nothing);
	tcase_add_loop_test(t, urlrep_agrees_with_the_plain_reading, 0, 50);
	tcase_add_test(t, urlrep_refuses_a_file_cut_at_any_place);
	tcase_add_test(t, urlrep_refuses_a_file_with_any_byte_changed);
	tcase_add_test(t, urlrep_maps_sealed_memory_alone);
	tcase_add_test(t, swap_goes_on_with_the_old_until_the_new_is_there);
	tcase_add_test(t, fuse_has_every_key_and_few_others);
	suite_add_tcase(s, t);
	return s;
}
