/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/feed.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "filters/urlrep/host.h"
#include "proxy/base/file.h"

static const struct {
	const char *name;
	int (*read)(struct feed *f, struct bytes text, struct err *e);
	bool is_json;
} kinds[] = {
	[FEED_NONE] = { "", NULL, false },
	[FEED_DOMAINS] = { "domains", feed_domains, false },
	[FEED_URLS] = { "urls", feed_urls, false },
	[FEED_HOSTS] = { "hosts", feed_hosts, false },
	[FEED_ADBLOCK] = { "adblock", feed_adblock, false },
	[FEED_RPZ] = { "rpz", feed_rpz, false },
	[FEED_JPCERT] = { "jpcert", feed_jpcert, false },
	[FEED_STIX] = { "stix", feed_stix, true },
	[FEED_MISP] = { "misp", feed_misp, true },
};

enum feed_kind
feed_kind_of(struct bytes name)
{
	for (size_t i = FEED_NONE + 1; i < COUNT(kinds); i++)
		if (bytes_equal(name, bytes_of(kinds[i].name)))
			return (enum feed_kind)i;
	return FEED_NONE;
}

const char *
feed_kind_name(enum feed_kind k)
{
	return kinds[k].name;
}

/* One line of the report; what is over its limit is only counted. */
static void
report(struct feed *f, uint64_t already, unsigned line, const char *what,
    const char *why)
{
	if (already < FEED_TOLD_MAX &&
	    buf_printf(f->report, "%s:%u: %s: %s\n", f->path, line, what, why) <
		0)
		return;
}

void
feed_bad(struct feed *f, unsigned line, const char *why)
{
	report(f, f->counts.bad, line, "left out", why);
	f->counts.bad++;
}

void
feed_pass(struct feed *f, unsigned line, const char *why)
{
	report(f, f->counts.passed, line, "passed over", why);
	f->counts.passed++;
}

static void
veto(struct feed *f, unsigned line, const struct canon *c,
    enum protection protection)
{
	char text[CANON_HOST_MAX + 64];

	snprintf(text, sizeof(text), "%.*s %s", BYTES_PRINTF(c->host),
	    protection_words(protection));
	report(f, f->counts.vetoed, line, "not taken", text);
	f->counts.vetoed++;
}

static void
take(struct feed *f, unsigned line, const struct canon *c, unsigned scope,
    const struct detail *d)
{
	enum protection protection = f->protect == NULL
	    ? PROTECT_NOTHING
	    : protect_judge(f->protect, c, scope);

	if (protection != PROTECT_NOTHING) {
		veto(f, line, c, protection);
		return;
	}
	switch (build_add(f->build, c, scope, line, d)) {
	case BUILD_FULL:
		f->full = true;
		break;
	case BUILD_TOO_LONG:
		feed_bad(f, line, "longer than an entry may be");
		break;
	case BUILD_ADDED:
		f->counts.taken++;
		break;
	}
}

/* What a resolver takes for a name, or an address. */
static bool
is_real(const struct canon *c)
{
	return c->is_address || host_is_plain_name(c->host);
}

void
feed_host(struct feed *f, unsigned line, struct bytes host, unsigned scope,
    const struct detail *d)
{
	const char *why = "no name of a host";
	struct canon c;

	if (canon_parse_host(&c, host, &why) < 0 || !is_real(&c))
		feed_bad(f, line, why);
	else
		take(f, line, &c, c.is_address ? SCOPE_SELF : scope, d);
}

static unsigned
cuts_in(struct bytes path)
{
	unsigned n = 0;

	for (size_t i = 0; i < path.n; i++)
		n += path.p[i] == '/';
	return n;
}

void
feed_url(struct feed *f, unsigned line, struct bytes url,
    unsigned with_subdomains, const struct detail *d)
{
	const char *why = "no name of a host";
	struct canon c;

	if (canon_parse(&c, url, &why) < 0 || !is_real(&c))
		feed_bad(f, line, why);
	else if (cuts_in(c.path) > URLREP_CUTS_MAX / 2)
		feed_bad(f, line, "path with too many segments");
	else
		take(f, line, &c,
		    SCOPE_BELOW | (c.is_address ? 0 : with_subdomains), d);
}

struct detail
feed_dated(const struct feed *f, time_t date)
{
	const time_t day = 86400;
	struct detail d = f->detail;

	d.until = 0;
	/* Whole days: else each row would bring a detail of its own. */
	if (f->terms.lifetime > 0)
		d.until = (date + f->terms.lifetime + day - 1) / day * day;
	return d;
}

struct bytes
feed_word(struct bytes *line)
{
	size_t n = 0;

	*line = bytes_trim(*line);
	while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	return bytes_take(line, n);
}

int
feed_time(const char *text, time_t *out)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours = 0;
	int minutes = 0;
	char sign;

	if (rest == NULL || tm.tm_year < 70)
		return -1;
	if (*rest == '.')
		do {
			rest++;
		} while (*rest >= '0' && *rest <= '9');
	*out = timegm(&tm);
	if (strcmp(rest, "Z") == 0)
		return 0;
	if (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) != 3 ||
	    (sign != '+' && sign != '-') || hours < 0 || minutes < 0)
		return -1;
	*out -= (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return 0;
}

int
feed_lines(struct feed *f, struct bytes text,
    void (*line)(struct feed *f, unsigned number, struct bytes line),
    struct err *e)
{
	unsigned number = 0;

	if (bytes_start_with(text, BYTES("\xef\xbb\xbf")))
		bytes_take(&text, 3);
	if (text.n > 0 && text.p[text.n - 1] != '\n')
		return err_set(e,
		    "%s: the last line is not complete (is the file half"
		    " written?)",
		    f->path);
	while (text.n > 0 && !f->full) {
		struct bytes one = bytes_take_until(&text, '\n');

		number++;
		if (number >= UINT32_MAX / 16)
			return err_set(e, "%s: too many lines", f->path);
		if (one.n > 0 && one.p[one.n - 1] == '\r')
			one.n--;
		if (one.n > FEED_LINE_MAX)
			feed_bad(f, number, "line of more than 8192 bytes");
		else if (bytes_index(one, 0) >= 0)
			feed_bad(f, number, "NUL in the line");
		else
			line(f, number, bytes_trim(one));
	}
	return 0;
}

static int
judge(struct feed *f, struct err *e)
{
	const struct feed_counts *c = &f->counts;
	uint64_t rows = c->taken + c->bad + c->vetoed;

	if (f->full)
		return err_set(e, "%s: the lists are too large", f->path);
	if (c->bad > FEED_BAD_MIN && c->bad * 100 > rows * FEED_BAD_PERCENT)
		return err_set(e,
		    "%s: %ju of %ju rows are bad, expected at most %u %%:"
		    " is it of that kind?",
		    f->path, (uintmax_t)c->bad, (uintmax_t)rows,
		    FEED_BAD_PERCENT);
	return 0;
}

int
feed_read_text(struct feed *f, enum feed_kind kind, const char *path,
    struct bytes text, time_t date, struct err *e)
{
	must(kind != FEED_NONE);
	f->path = path;
	f->counts = (struct feed_counts){ 0 };
	f->full = false;
	f->detail = (struct detail){
		.category = build_string(f->build, f->terms.category),
		.confidence = (uint8_t)f->terms.confidence,
	};
	f->detail = feed_dated(f, date);
	build_file(f->build, path, &f->detail, kinds[kind].is_json);
	if (kinds[kind].read(f, text, e) < 0)
		return -1;
	return judge(f, e);
}

int
feed_read(struct feed *f, enum feed_kind kind, const char *path, struct err *e)
{
	struct stat st;
	struct buf text;
	int result;

	buf_init(&text, kinds[kind].is_json ? FEED_JSON_MAX : FEED_SIZE_MAX);
	result = file_read(path, &text, e);
	if (result == 0 && stat(path, &st) < 0)
		result = err_set(e, "%s: cannot be read: %m", path);
	if (result == 0)
		result = feed_read_text(
		    f, kind, path, buf_bytes(&text), st.st_mtime, e);
	buf_release(&text);
	return result;
}
