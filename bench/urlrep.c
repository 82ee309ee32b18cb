/* SPDX-License-Identifier: Apache-2.0 */
/*
 * urlrep: makes a set of domains and URLs from public lists and a seed, and
 * measures what the URL lists do with it.
 *	urlrep make DATA FOLDER DOMAINS URLS SEED
 *	urlrep measure FOLDER
 * DATA is ../shared/data/url. FOLDER gets domains, urls, hits and misses.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "filters/urlrep/feed.h"
#include "filters/urlrep/generation.h"
#include "filters/urlrep/hash.h"
#include "filters/urlrep/names.h"
#include "filters/urlrep/swap.h"
#include "proxy/base/arena.h"
#include "proxy/base/file.h"

#define PROBES 1000000u
#define ROUNDS 5

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "urlrep: %s\n", what);
	exit(1);
}

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
now(void)
{
	return seconds(CLOCK_MONOTONIC);
}

static struct bytes read_all(const char *format, ...) PRINTF_LIKE(1, 2);

static struct bytes
read_all(const char *format, ...)
{
	char path[4096];
	struct err e = { 0 };
	struct buf b;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	buf_init(&b, (size_t)1 << 31);
	if (file_read(path, &b, &e) < 0)
		die(e.text);
	return buf_bytes(&b);
}

/* Making the set. */

static uint64_t state;

static uint64_t
draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

struct lines {
	struct bytes *p;
	size_t n, size;
};

static void
add(struct lines *l, struct bytes line)
{
	if (l->n == l->size) {
		l->size = l->size == 0 ? 1 << 20 : l->size * 2;
		l->p = realloc(l->p, l->size * sizeof(*l->p));
		must(l->p != NULL);
	}
	l->p[l->n++] = line;
}

static void
add_lines(struct lines *l, struct bytes text)
{
	while (text.n > 0) {
		struct bytes line = bytes_take_until(&text, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n > 0)
			add(l, line);
	}
}

/* The column between the first two commas. */
static void
add_column(struct lines *l, struct bytes text)
{
	while (text.n > 0) {
		struct bytes line = bytes_take_until(&text, '\n');

		bytes_take_until(&line, ',');
		line = bytes_take_until(&line, ',');
		if (bytes_start_with(line, BYTES("http")))
			add(l, line);
	}
}

static FILE *
create(const char *folder, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (f == NULL)
		die(path);
	return f;
}

/* A real name with some letters of its first label exchanged or added, as the
 * names of one campaign differ. */
static struct bytes
varied(struct arena *a, struct bytes name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	struct bytes rest = name;
	struct bytes label = bytes_take_until(&rest, '.');
	char made[8];
	size_t n = 2 + draw() % 4;
	size_t keep = label.n > n ? label.n - n : 1;

	for (size_t i = 0; i < n; i++)
		made[i] = letters[draw() % (sizeof(letters) - 1)];
	made[n] = '\0';
	return bytes_of(arena_printf(a, "%.*s%s.%.*s", (int)keep,
	    (const char *)label.p, made, BYTES_PRINTF(rest)));
}

static const char *const categories[] = { "cryptojacking", "doh", "filehosting",
	"gambling", "games", "redirector", "shopping", "shortener",
	"social_networks", "vpn", "webmail" };

/* Some of the public lists' names are none, or stand where none is taken. */
static bool
is_good(struct bytes name)
{
	return bytes_index(name, '.') > 0 &&
	    (name.p[name.n - 1] < '0' || name.p[name.n - 1] > '9') &&
	    memmem(name.p, name.n, "..", 2) == NULL &&
	    !bytes_end_with(name, BYTES(".lg.jp")) &&
	    !bytes_end_with(name, BYTES(".go.jp"));
}

static void
make_domains(const char *data, const char *folder, size_t count)
{
	struct lines base = { 0 };
	struct arena a = { 0 };
	struct names *seen = names_new();
	FILE *domains = create(folder, "domains");
	FILE *hits = create(folder, "hits");
	FILE *misses = create(folder, "misses");
	size_t written = 0;

	add_lines(&base, read_all("%s/toplists/jp_domains_2020.txt", data));
	for (size_t i = 0; i < COUNT(categories); i++)
		add_lines(
		    &base, read_all("%s/ut1/%s/domains", data, categories[i]));
	for (size_t i = 0; written < count; i++) {
		struct bytes name = base.p[i % base.n];

		if (i >= base.n)
			name = varied(&a, name);
		if (!is_good(name) || names_mark(seen, name) != 0)
			continue;
		names_add(seen, name, 1);
		fprintf(domains, "%.*s\n", BYTES_PRINTF(name));
		if (draw() % 3 == 0)
			fprintf(hits, "%s%.*s\n", draw() % 2 == 0 ? "www." : "",
			    BYTES_PRINTF(name));
		written++;
	}
	for (size_t i = 0; i < PROBES;) {
		struct bytes name = varied(&a, base.p[draw() % base.n]);
		struct bytes suffix = name;
		unsigned found = 0;

		for (; suffix.n > 0; bytes_take_until(&suffix, '.'))
			found |= names_mark(seen, suffix);
		if (found != 0)
			continue;
		fprintf(misses, "%s%.*s\n", draw() % 2 == 0 ? "www." : "",
		    BYTES_PRINTF(name));
		i++;
	}
	fclose(domains);
	fclose(hits);
	fclose(misses);
}

static void
make_urls(const char *data, const char *folder, size_t count)
{
	struct lines base = { 0 };
	FILE *urls = create(folder, "urls");

	for (unsigned year = 2019; year <= 2024; year++)
		for (unsigned month = 1; month <= 12; month++)
			add_column(&base,
			    read_all("%s/jpcert/%u/%u%02u.csv", data, year,
				year, month));
	add_lines(&base, read_all("%s/ut1/malware/urls", data));
	add_lines(&base, read_all("%s/ut1/phishing/urls", data));
	for (size_t i = 0; i < count; i++) {
		struct bytes url = base.p[i % base.n];
		bool slash = url.n > 0 && url.p[url.n - 1] == '/';

		if (i < base.n)
			fprintf(urls, "%.*s\n", BYTES_PRINTF(url));
		else
			fprintf(urls, "%.*s%s%06x\n", BYTES_PRINTF(url),
			    slash ? "" : "/", (unsigned)(draw() & 0xffffff));
	}
	fclose(urls);
}

/* Measuring. */

static const struct protect *protection;

static double
compile(const char *folder, bool with_urls, struct buf *out,
    struct build_counts *counts)
{
	struct err e = { 0 };
	struct buf report;
	struct build *b = build_new(0x5eed);
	char path[4096];
	struct feed f = {
		.terms = { "bench", 80, 0, time(NULL) },
		.build = b,
		.protect = protection,
		.report = &report,
	};
	double begun = now();
	int fd;

	buf_init(&report, 1 << 20);
	buf_init(out, URLREP_SIZE_MAX);
	for (unsigned i = 0; i < (with_urls ? 2u : 1u); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder,
		    i == 0 ? "domains" : "urls");
		build_source(
		    b, &(struct build_source){ path, "bench", "bench", 80, 1 });
		if (feed_read(&f, i == 0 ? FEED_DOMAINS : FEED_URLS, path, &e) <
		    0)
			die(e.text);
	}
	if (build_write(b, time(NULL), out, counts, &e) < 0)
		die(e.text);
	build_free(b);
	snprintf(path, sizeof(path), "%s/db", folder);
	fd = urlrep_seal_bytes(buf_bytes(out), path, &e);
	if (fd < 0 || generation_write(path, buf_bytes(out), 1, &e) < 0)
		die(e.text);
	close(fd);
	buf_release(&report);
	return now() - begun;
}

static struct lines
read_lines(const char *folder, const char *name)
{
	struct lines l = { 0 };
	uint8_t *copy;

	add_lines(&l, read_all("%s/%s", folder, name));
	/* In no order that memory could profit from. */
	for (size_t i = l.n; i > 1; i--) {
		size_t k = draw() % i;
		struct bytes line = l.p[i - 1];

		l.p[i - 1] = l.p[k];
		l.p[k] = line;
	}
	if (l.n > PROBES)
		l.n = PROBES;
	/* But beside each other: who asks has just read the name. */
	copy = malloc((size_t)64 << 20);
	must(copy != NULL);
	for (size_t i = 0; i < l.n; i++) {
		memcpy(copy, l.p[i].p, l.p[i].n);
		l.p[i].p = copy;
		copy += l.p[i].n;
	}
	return l;
}

static void
count(const struct urlrep_match *m, void *context)
{
	(void)m;
	++*(size_t *)context;
}

static unsigned
labels_of(struct bytes host)
{
	unsigned n = 1;

	for (size_t i = 0; i < host.n; i++)
		n += host.p[i] == '.';
	return n;
}

static double
look_up(const struct urlrep *r, const struct lines *l, size_t *found)
{
	static struct canon c;
	struct urlrep_query q = { &c, 1764000000, false };
	double begun = now();

	*found = 0;
	for (size_t i = 0; i < l->n; i++) {
		size_t here = 0;

		c.host = l->p[i];
		c.labels = labels_of(c.host);
		if (urlrep_find(r, &q, count, &here) < 0)
			die("damaged");
		*found += here > 0;
	}
	return (now() - begun) * 1e9 / (double)l->n;
}

/* The limit: all names in a table of the process's own memory. */
static double
look_up_in_memory(const struct names *all, const struct lines *l)
{
	size_t found = 0;
	double begun = now();

	for (size_t i = 0; i < l->n; i++) {
		struct bytes suffix = l->p[i];

		for (; suffix.n > 0; bytes_take_until(&suffix, '.'))
			if (names_mark(all, suffix) != 0) {
				found++;
				break;
			}
	}
	if (found > l->n)
		die("cannot be");
	return (now() - begun) * 1e9 / (double)l->n;
}

static double
canonical(const struct lines *l)
{
	static struct canon c;
	const char *why;
	size_t good = 0;
	double begun = now();

	for (size_t i = 0; i < l->n; i++)
		good += canon_parse(&c, l->p[i], &why) == 0;
	if (good < l->n / 2)
		die("cannot be");
	return (now() - begun) * 1e9 / (double)l->n;
}

/* Look-ups go on while the other file comes and the one before goes: how long
 * the longest step and the whole of it take. */
static void
measure_swap(const char *path, const struct lines *l)
{
	struct swap s = { 0 };
	struct err e = { 0 };
	double longest = 0;
	double sealed;
	double begun;
	double all;
	size_t steps = 0;
	bool done = false;
	size_t found = 0;
	int fds[2];

	for (unsigned round = 0; round < 2; round++) {
		int fd;

		begun = now();
		fd = urlrep_seal(path, &e);
		sealed = now() - begun;
		if (fd < 0 || swap_offer(&s, fd, &e) < 0)
			die(e.text);
		fds[round] = fd; /* as the parent would keep it */
		begun = now();
		for (done = false, steps = 0, longest = 0; !done; steps++) {
			static struct canon c;
			struct urlrep_query q = { &c, 1764000000, false };
			double step = now();

			done = swap_step(&s, SWAP_STEP);
			c.host = l->p[steps % l->n];
			c.labels = labels_of(c.host);
			if (s.current != NULL &&
			    urlrep_find(s.current, &q, count, &found) < 0)
				die("damaged");
			step = now() - step;
			if (step > longest)
				longest = step;
		}
		all = now() - begun;
	}
	printf("load: copy, seal and check %.0f ms; swap %.0f ms in %zu"
	       " steps, the longest %.2f ms\n",
	    sealed * 1e3, all * 1e3, steps, longest * 1e3);
	swap_release(&s);
	close(fds[0]);
	close(fds[1]);
}

static void
measure(const char *folder)
{
	struct lines hits;
	struct lines misses;
	struct lines urls;
	struct lines all = { 0 };
	struct names *memory = names_new();
	struct protect *p = protect_new();
	struct build_counts counts;
	struct err e = { 0 };
	struct buf out;
	char path[4096];
	size_t found;
	struct urlrep *r;
	int fd;

	state = 88172645463325252u;
	protection = p;
	if (protect_zone(p, BYTES("lg.jp")) < 0 ||
	    protect_suffixes(p, read_all("%s/suffixes", folder), &e) < 0)
		die("no list of suffixes");
	for (unsigned with_urls = getenv("SKIP") == NULL ? 2 : 0;
	     with_urls-- > 0;)
		for (unsigned i = 0; i < ROUNDS; i++) {
			double took =
			    compile(folder, with_urls != 0, &out, &counts);

			printf("compile%s: %.2f s, %ju entries, %.1f bytes"
			       " per entry\n",
			    with_urls != 0 ? " with URLs" : "", took,
			    (uintmax_t)counts.entries,
			    (double)out.n / (double)counts.entries);
			buf_release(&out);
		}
	hits = read_lines(folder, "hits");
	misses = read_lines(folder, "misses");
	urls = read_lines(folder, "urls");
	snprintf(path, sizeof(path), "%s/db", folder);
	for (unsigned i = 0; i < ROUNDS; i++)
		measure_swap(path, &misses);
	fd = urlrep_seal(path, &e);
	r = fd < 0 ? NULL : urlrep_map(fd, &e);
	if (r == NULL)
		die(e.text);
	while (!urlrep_warm(r, SWAP_STEP))
		;
	add_lines(&all, read_all("%s/domains", folder));
	for (size_t i = 0; i < all.n; i++)
		names_add(memory, all.p[i], 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		double hit = look_up(r, &hits, &found);
		double miss;

		printf("look-up: %zu of %zu listed names not found\n",
		    hits.n - found, hits.n);
		miss = look_up(r, &misses, &found);
		printf("look-up: hit %.0f ns, miss %.0f ns (%zu wrong); in"
		       " memory: hit %.0f ns, miss %.0f ns; canonical form"
		       " %.0f ns\n",
		    hit, miss, found, look_up_in_memory(memory, &hits),
		    look_up_in_memory(memory, &misses), canonical(&urls));
	}
	urlrep_drop(r);
}

int
main(int argc, char **argv)
{
	uint64_t domains, urls;

	if (argc == 3 && strcmp(argv[1], "measure") == 0) {
		measure(argv[2]);
		return 0;
	}
	if (argc != 7 || strcmp(argv[1], "make") != 0 ||
	    bytes_number(bytes_of(argv[4]), UINT32_MAX, &domains) < 0 ||
	    bytes_number(bytes_of(argv[5]), UINT32_MAX, &urls) < 0 ||
	    bytes_number(bytes_of(argv[6]), UINT32_MAX, &state) < 0)
		die("expected make DATA FOLDER DOMAINS URLS SEED, or measure"
		    " FOLDER");
	state = hash_mix(state + 1, HASH_A) | 1;
	make_domains(argv[2], argv[3], (size_t)domains);
	make_urls(argv[2], argv[3], (size_t)urls);
	return 0;
}
