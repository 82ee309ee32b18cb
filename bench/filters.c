/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filters: what it costs to look into bodies. 1,000 patterns over HTML beside
 * Vectorscan alone and PCRE2 one by one; 1,000 patterns over URLs; codings;
 * charsets. Each figure is that of every round, in the order of the rounds.
 *	filters [HTML-FILE]	that text instead of one that is made up
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>

#include "filters/decode/decode.h"
#include "filters/text/convert.h"
#include "filters/text/match.h"
#include "filters/text/set_inside.h"
#include "filters/text/urls.h"
#include "filters/text/view.h"
#include "proxy/base/arena.h"
#include "proxy/base/file.h"

#define ROUNDS 5
#define PATTERNS 1000u
#define HTML_SIZE 102400
#define URLS 4096
#define WORDS 3000
#define SET_MAX ((size_t)512 << 20)

static struct arena arena;
static char *words[WORDS];

static double
now(void)
{
	struct timespec t;

	/* Its own time: the machine is shared. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned
roll(unsigned n)
{
	return (unsigned)random() % n;
}

static void
make_words(void)
{
	static const char *const latin[] = { "ka", "to", "mi", "ren", "sol",
		"ver", "pa", "qui", "st", "or", "el", "und", "ing", "bra", "x",
		"cho", "tion", "er" };
	static const char *const japanese[] = { "情", "報", "県", "市", "の",
		"に", "は", "会", "計", "ア", "カ", "ウ", "ン", "ト", "確",
		"認", "税", "通", "知", "を" };

	for (unsigned i = 0; i < WORDS; i++) {
		words[i] = arena_printf(&arena, "%s", "");
		for (unsigned n = 2 + roll(3); n > 0; n--)
			words[i] = arena_printf(&arena, "%s%s", words[i],
			    i % 3 == 0 ? japanese[roll(COUNT(japanese))]
				       : latin[roll(COUNT(latin))]);
	}
}

/* Patterns are of all words, the text of the last two thirds. */
static const char *
word(void)
{
	return words[roll(WORDS)];
}

static const char *
text_word(void)
{
	return words[WORDS / 3 + roll(2 * WORDS / 3)];
}

static struct set_pattern
text_pattern(unsigned i)
{
	const char *text = "";
	unsigned flags = 0;

	switch (i % 5) {
	case 0:
		text = arena_printf(&arena, "%s%s", word(), word());
		flags = SET_PHRASE;
		break;
	case 1:
		text =
		    arena_printf(&arena, "\\b%s\\s{0,3}%s\\b", word(), word());
		flags = SET_CASELESS;
		break;
	case 2:
		text = arena_printf(
		    &arena, "(?:%s|%s)[\\s,.]{0,3}%s", word(), word(), word());
		break;
	case 3:
		text = arena_printf(
		    &arena, "%s.{0,40}%s(?!%s)", word(), word(), word());
		break;
	case 4:
		text = arena_printf(
		    &arena, "%s[a-z0-9]{2,12}\\.%s/", word(), word());
		break;
	}
	return (struct set_pattern){ "p", text, 1, flags, NULL };
}

static struct bytes
make_html(void)
{
	struct buf b;

	buf_init(&b, HTML_SIZE + 4096);
	must(buf_append_string(&b, "<!DOCTYPE html><html><body>\n") == 0);
	while (b.n < HTML_SIZE) {
		must(
		    buf_printf(&b,
			"<div class=\"%s\" id=\"n%u\"><a href=\"/%s/%s.html\">",
			text_word(), roll(9999), text_word(),
			text_word()) == 0);
		for (unsigned n = 4 + roll(30); n > 0; n--)
			must(buf_printf(&b, "%s%s", text_word(),
				 roll(9) == 0 ? ". " : " ") == 0);
		must(buf_append_string(&b, "</a></div>\n") == 0);
	}
	b.n = HTML_SIZE;
	while ((b.p[b.n - 1] & 0x80) != 0)
		b.n--;
	return buf_bytes(&b);
}

static struct set *
compile(enum set_kind kind, const struct set_pattern *p, size_t n)
{
	static struct buf files[4];
	static unsigned used;
	struct buf *file = &files[used++];
	struct err e = { 0 };
	double t[3];
	struct set *s;

	buf_init(file, SET_MAX);
	t[0] = now();
	if (set_compile(kind, p, n, file, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	t[1] = now();
	s = set_open(kind, buf_bytes(file), SET_CODE_JIT, &e);
	t[2] = now();
	must(s != NULL);
	printf("  compiled in %.2f s to %zu KiB, opened in %.0f ms\n",
	    t[1] - t[0], file->n / 1024, (t[2] - t[1]) * 1e3);
	return s;
}

static int
ignore(unsigned id, unsigned long long from, unsigned long long to,
    unsigned flags, void *context)
{
	(void)id;
	(void)from;
	(void)to;
	(void)flags;
	++*(size_t *)context;
	return 0;
}

/* In pieces of a TLS record, as bodies come. */
#define PIECE ((size_t)16384)

static double
run_bare(struct set *s, struct bytes html, size_t *candidates)
{
	hs_stream_t *stream;
	double t = now();

	*candidates = 0;
	must(hs_open_stream(s->db, 0, &stream) == HS_SUCCESS);
	while (html.n > 0) {
		struct bytes b =
		    bytes_take(&html, html.n < PIECE ? html.n : PIECE);

		must(hs_scan_stream(stream, (const char *)b.p, (unsigned)b.n, 0,
			 s->scratch, ignore, candidates) == HS_SUCCESS);
	}
	hs_close_stream(stream, s->scratch, ignore, candidates);
	return now() - t;
}

static double
run_match(struct set *s, struct bytes html, size_t *found)
{
	double t = now();
	struct match *m = match_new(s, INT64_MAX);

	while (html.n > 0)
		must(match_push(m,
			 bytes_take(&html, html.n < PIECE ? html.n : PIECE)) ==
		    MATCH_OPEN);
	must(match_end(m) == MATCH_OPEN);
	*found = (size_t)match_sum(m);
	match_free(m);
	return now() - t;
}

static double
run_pcre2(struct set *s, struct bytes html, size_t *found)
{
	double t = now();

	*found = 0;
	for (size_t i = 0; i < set_count(s); i++)
		*found += set_confirm(s, i, html, 0, html.n) == SET_YES;
	return now() - t;
}

static void
bench_text(struct bytes html)
{
	static struct set_pattern p[PATTERNS];
	const double mb = (double)html.n / 1e6;
	struct set *s;
	size_t candidates = 0;
	size_t found[2] = { 0, 0 };

	for (unsigned i = 0; i < PATTERNS; i++)
		p[i] = text_pattern(i);
	printf("%u patterns over %zu KiB of HTML\n", PATTERNS, html.n / 1024);
	s = compile(SET_TEXT, p, PATTERNS);
	for (int round = 0; round < ROUNDS; round++) {
		double bare = 0;
		double match = 0;
		double pcre2;

		/* In turns, so that the machine's moods fall on both. */
		for (int i = 0; i < 200; i++) {
			bare += run_bare(s, html, &candidates);
			match += run_match(s, html, &found[0]);
		}
		pcre2 = run_pcre2(s, html, &found[1]);
		must(found[0] == found[1]);
		printf("  Vectorscan alone %5.0f MB/s, with PCRE2 %5.0f MB/s"
		       " (%.0f%%), PCRE2 one by one %.2f MB/s\n",
		    200 * mb / bare, 200 * mb / match, 100 * bare / match,
		    mb / pcre2);
	}
	printf("  %zu candidates, %zu patterns found\n", candidates, found[0]);
	set_free(s);
}

static struct set_pattern
url_pattern(unsigned i)
{
	static const char *const forms[] = {
		"(^|[?+=&/.])(%s|%s)[0-9]{0,4}([?+=&/]|$)",
		"//[a-z0-9.-]*%s[a-z0-9-]*\\.%s\\.",
		"/%s/[^/]*/?%s\\.(exe|scr|js)$",
		"[?&](id|q)=[^&]*%s%s",
	};
	const char *text = arena_printf(&arena, "%s", forms[i % COUNT(forms)]);
	char out[256];

	/* The forms are ours; the words take the places of %s. */
	snprintf(out, sizeof(out), "%s", "");
	for (const char *p = text; *p != '\0'; p++) {
		size_t n = strlen(out);

		if (p[0] == '%' && p[1] == 's') {
			snprintf(out + n, sizeof(out) - n, "%s",
			    words[1 + 3 * roll(WORDS / 3 - 1) + roll(2)]);
			p++;
		} else {
			snprintf(out + n, sizeof(out) - n, "%c", *p);
		}
	}
	return (struct set_pattern){ "p", arena_printf(&arena, "%s", out), 1,
		i % 2 == 0 ? SET_CASELESS : 0, NULL };
}

/* One of so many is of the patterns' words. */
static const char *
url_word(unsigned rare)
{
	const char *w = words[1 + 3 * roll(WORDS / 3 - 1) + roll(2)];

	if (roll(rare) == 0)
		return w;
	return arena_printf(&arena, "%c%u%c%c", 'a' + (char)roll(26), roll(999),
	    'a' + (char)roll(26), 'a' + (char)roll(26));
}

static void
bench_urls(unsigned rare)
{
	static struct set_pattern p[PATTERNS];
	static struct bytes urls[URLS];
	struct set *s;
	size_t bytes = 0;
	size_t hits[2];

	for (unsigned i = 0; i < PATTERNS; i++)
		p[i] = url_pattern(i);
	for (unsigned i = 0; i < URLS; i++) {
		urls[i] = bytes_of(
		    arena_printf(&arena, "https://%s.%s.test/%s/%s?id=%u",
			url_word(rare), url_word(rare), url_word(rare),
			url_word(rare), roll(100000)));
		bytes += urls[i].n;
	}
	printf("%u patterns over URLs of %.0f bytes in the mean, one word of %u"
	       " from the patterns\n",
	    PATTERNS, (double)bytes / URLS, rare);
	s = compile(SET_URLS, p, PATTERNS);
	for (int round = 0; round < ROUNDS; round++) {
		double t[3];

		hits[0] = hits[1] = 0;
		t[0] = now();
		for (int k = 0; k < 20; k++)
			for (unsigned i = 0; i < URLS; i++)
				hits[0] += urls_match(s, urls[i], NULL, NULL) ==
				    URLS_YES;
		t[1] = now();
		for (unsigned i = 0; i < URLS / 16; i++) {
			bool any = false;

			for (size_t k = 0; k < PATTERNS; k++)
				any |= set_confirm(s, k, urls[i], 0,
					   urls[i].n) == SET_YES;
			hits[1] += any;
		}
		t[2] = now();
		printf("  %.2f us a URL; PCRE2 one by one %.0f us\n",
		    (t[1] - t[0]) / 20 / URLS * 1e6,
		    (t[2] - t[1]) / (URLS / 16) * 1e6);
	}
	printf("  %.1f%% of the URLs are found, %zu literals\n",
	    100.0 * (double)hits[0] / 20 / URLS, s->literals_n);
	set_free(s);
}

static void
bench_decode(struct bytes html)
{
	static uint8_t coded[2][1 << 20];
	static uint8_t out[DECODE_STEP];
	uLongf zlib_n = sizeof(coded[0]);
	struct bytes bodies[2];

	must(compress2(coded[0], &zlib_n, html.p, html.n, 6) == Z_OK);
	bodies[0] = (struct bytes){ coded[0], zlib_n };
	bodies[1] = (struct bytes){ coded[1],
		ZSTD_compress(coded[1], sizeof(coded[1]), html.p, html.n, 3) };
	puts("decoding, MB/s of what comes out");
	for (int round = 0; round < ROUNDS; round++) {
		double rate[2];

		for (int k = 0; k < 2; k++) {
			const struct decode_settings settings = {
				k == 0 ? DECODE_DEFLATE : DECODE_ZSTD, 100, 0
			};
			double t = now();

			for (int i = 0; i < 200; i++) {
				struct decode *d = decode_new(&settings);
				struct bytes in = bodies[k];
				const char *why;
				size_t n;

				while (decode_some(d, &in, out, sizeof(out), &n,
					   &why) == DECODE_FULL)
					continue;
				must(decode_end(d) == NULL);
				decode_free(d);
			}
			rate[k] = 200 * (double)html.n / (now() - t) / 1e6;
		}
		printf("  deflate %.0f, zstd %.0f\n", rate[0], rate[1]);
	}
}

/* Kana and kanji, in that charset. */
static struct bytes
make_coded(enum charset c)
{
	uint8_t *p = arena_alloc(&arena, HTML_SIZE);

	for (size_t i = 0; i + 1 < HTML_SIZE; i += 2) {
		p[i] =
		    (uint8_t)((c == CHARSET_SHIFT_JIS ? 0x82 : 0xa4) + roll(2));
		p[i + 1] = (uint8_t)((c == CHARSET_SHIFT_JIS ? 0x9f : 0xa1) +
		    roll(80));
	}
	return (struct bytes){ p, HTML_SIZE };
}

static void
bench_charsets(struct bytes html)
{
	static const enum charset charsets[] = { CHARSET_UTF8,
		CHARSET_SHIFT_JIS, CHARSET_EUC_JP };
	struct bytes texts[COUNT(charsets)] = { html };
	struct err e;
	struct buf utf8;
	struct buf seen;

	if (text_prepare(&e) < 0)
		abort();
	buf_init(&utf8, CONVERT_OUT_MAX(HTML_SIZE));
	buf_init(&seen, VIEW_OUT_MAX(CONVERT_OUT_MAX(HTML_SIZE)));
	for (size_t k = 1; k < COUNT(charsets); k++)
		texts[k] = make_coded(charsets[k]);
	puts("charsets to UTF-8, and what is seen of it, MB/s of what goes in");
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t k = 0; k < COUNT(charsets); k++) {
			double converting = 0;
			double viewing = 0;

			for (int i = 0; i < 100; i++) {
				struct convert c;
				struct view v;
				double t = now();

				utf8.n = 0;
				seen.n = 0;
				convert_init(&c, charsets[k]);
				convert_push(&c, texts[k], true, &utf8);
				converting += now() - t;
				t = now();
				view_init(&v, false);
				view_push(&v, buf_bytes(&utf8), true, &seen);
				viewing += now() - t;
			}
			printf("  %s %.0f, seen %.0f;",
			    charset_name(charsets[k]),
			    100 * (double)texts[k].n / converting / 1e6,
			    100 * (double)texts[k].n / viewing / 1e6);
		}
		puts("");
	}
	buf_release(&utf8);
	buf_release(&seen);
}

int
main(int argc, char **argv)
{
	struct bytes html;
	struct buf file;
	struct err e;

	srandom(1);
	make_words();
	html = make_html();
	if (argc > 1) {
		buf_init(&file, HTML_SIZE * 10);
		if (file_read(argv[1], &file, &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			return 1;
		}
		html = buf_bytes(&file);
		if (html.n > HTML_SIZE)
			html.n = HTML_SIZE;
	}
	bench_text(html);
	bench_urls(8);
	bench_urls(1);
	bench_decode(html);
	bench_charsets(html);
	return 0;
}
