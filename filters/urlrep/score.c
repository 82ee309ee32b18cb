/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/score.h"

#include <libpsl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "filters/urlrep/lookalike.h"

/* Shorter words look like too many others. */
#define OWN_WORD_MIN 6
#define RANDOM_LABEL_MIN 10
#define POINTS(field, initial, en, ja) \
	SETTING(score_settings, field, COUNT, initial, 0, SCORE_MAX, en, ja)

const struct setting score_table[] = {
	POINTS(official_zone, 90,
	    "Points: passes itself off as lg.jp or go.jp.",
	    "点数: lg.jp や go.jp を装う。"),
	POINTS(city, 60, "Points: begins like a municipality's, and is none's.",
	    "点数: 自治体の名前のように始まるが違う。"),
	POINTS(own_name, 90, "Points: looks like one of own_names.",
	    "点数: own_names のどれかに似る。"),
	POINTS(mixed_scripts, 70,
	    "Points: letters of several scripts in a"
	    " label.",
	    "点数: 一つのラベルに複数の文字体系。"),
	POINTS(homoglyphs, 70, "Points: foreign letters that look Latin.",
	    "点数: ラテン文字に見える別の文字。"),
	POINTS(random, 30, "Points: a name without sense.",
	    "点数: 意味のない並びの名前。"),
	POINTS(dynamic_dns, 30, "Points: below a dynamic DNS name.",
	    "点数: 動的 DNS の名前の下。"),
	POINTS(address, 30, "Points: an address in place of a name.",
	    "点数: 名前でなくアドレス。"),
	POINTS(port, 20, "Points: another port than 80 and 443.",
	    "点数: 80 と 443 のほかのポート。"),
	{ .key = "own_names",
	    .kind = SETTING_TEXTS,
	    .offset = offsetof(struct score_settings, own_names),
	    .min = 0,
	    .max = 1000,
	    .words_en = "Hosts of the bodies, such as www.city.example.lg.jp.",
	    .words_ja = "構成団体のホスト（www.city.example.lg.jp など）。" },
	{ .key = "dynamic_zones",
	    .kind = SETTING_TEXTS,
	    .offset = offsetof(struct score_settings, dynamic_zones),
	    .min = 0,
	    .max = 10000,
	    .words_en = "Names of dynamic DNS, beside those that are known.",
	    .words_ja = "内蔵のもののほかの動的 DNS の名前。" },
};
const size_t score_table_n = COUNT(score_table);

const char *
score_kind_name(enum score_kind k)
{
	static const char *const names[] = {
		[SCORE_OFFICIAL_ZONE] = "official_zone",
		[SCORE_CITY] = "city",
		[SCORE_OWN_NAME] = "own_name",
		[SCORE_MIXED_SCRIPTS] = "mixed_scripts",
		[SCORE_HOMOGLYPHS] = "homoglyphs",
		[SCORE_RANDOM] = "random",
		[SCORE_DYNAMIC_DNS] = "dynamic_dns",
		[SCORE_ADDRESS] = "address",
		[SCORE_PORT] = "port",
	};

	return k < SCORE_KINDS ? names[k] : "";
}

static void find(struct score *o, enum score_kind kind, unsigned points,
    const char *format, ...) PRINTF_LIKE(4, 5);

/* The first finding of a kind counts; with no points it is not looked for. */
static void
find(struct score *o, enum score_kind kind, unsigned points, const char *format,
    ...)
{
	struct score_finding *f;
	va_list arguments;

	if (points == 0)
		return;
	for (size_t i = 0; i < o->n; i++)
		if (o->findings[i].kind == kind)
			return;
	f = &o->findings[o->n++];
	f->kind = kind;
	f->points = points;
	va_start(arguments, format);
	vsnprintf(f->why, sizeof(f->why), format, arguments);
	va_end(arguments);
	o->points += points;
	if (o->points > SCORE_MAX)
		o->points = SCORE_MAX;
}

static bool
is_below(struct bytes host, struct bytes zone)
{
	return bytes_equal(host, zone) ||
	    (host.n > zone.n && bytes_end_with(host, zone) &&
		host.p[host.n - zone.n - 1] == '.');
}

static struct bytes
first_label(struct bytes host)
{
	return bytes_take_until(&host, '.');
}

/* The name that was registered: a label and its public suffix. */
static struct bytes
registered(const char *host)
{
	const char *name = psl_registrable_domain(psl_builtin(), host);

	return bytes_of(name == NULL ? host : name);
}

static bool
has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* "nihon-go.jp" is a word and a name: "-go.jp" is no disguise. */
static const struct {
	const char *zone, *hyphen, *inside, *edge;
} zones[] = {
	{ "lg.jp", "lg-jp", ".lg.jp.", "-lg.jp" },
	{ "go.jp", "go-jp", ".go.jp.", NULL },
};

/* q and 9 are taken for g. */
static bool
reads_as(const char *looks, const char *zone)
{
	for (; *looks != '\0' && *zone != '\0'; looks++, zone++)
		if (*looks != *zone &&
		    (*zone != 'g' || (*looks != 'q' && *looks != '9')))
			return false;
	return *looks == *zone;
}

/* skeleton: that of the host; text: the host. */
static void
judge_zone(const struct score_settings *s, const char *text,
    const char *skeleton, struct score *o)
{
	char looks[SKELETON_MAX];
	struct bytes name = registered(text);
	char dotted[SKELETON_MAX + 2];

	lookalike_skeleton(name, looks, NULL);
	snprintf(dotted, sizeof(dotted), ".%s", skeleton);
	for (size_t i = 0; i < COUNT(zones); i++) {
		const char *zone = zones[i].zone;

		if (has(dotted, zones[i].inside))
			find(o, SCORE_OFFICIAL_ZONE, s->official_zone,
			    "\"%s\" stands within the name, not at its end",
			    zone);
		else if (has(dotted, zones[i].hyphen) ||
		    (zones[i].edge != NULL &&
			bytes_end_with(
			    bytes_of(dotted), bytes_of(zones[i].edge))))
			find(o, SCORE_OFFICIAL_ZONE, s->official_zone,
			    "\"%s\" is written with a hyphen", zone);
		else if (reads_as(looks, zone))
			find(o, SCORE_OFFICIAL_ZONE, s->official_zone,
			    "\"%.*s\" looks like \"%s\"", BYTES_PRINTF(name),
			    zone);
	}
}

static const char *const prefectures[] = { "hokkaido", "aomori", "iwate",
	"miyagi", "akita", "yamagata", "fukushima", "ibaraki", "tochigi",
	"gunma", "saitama", "chiba", "tokyo", "kanagawa", "niigata", "toyama",
	"ishikawa", "fukui", "yamanashi", "nagano", "gifu", "shizuoka", "aichi",
	"mie", "shiga", "kyoto", "osaka", "hyogo", "nara", "wakayama",
	"tottori", "shimane", "okayama", "hiroshima", "yamaguchi", "tokushima",
	"kagawa", "ehime", "kochi", "fukuoka", "saga", "nagasaki", "kumamoto",
	"oita", "miyazaki", "kagoshima", "okinawa",
	/* cities that stand where prefectures do */
	"kawasaki", "kitakyushu", "kobe", "nagoya", "sapporo", "sendai",
	"yokohama" };

/* The older names, which are still used: city.minato.tokyo.jp */
static bool
is_geographic(struct bytes host)
{
	char zone[32];

	for (size_t i = 0; i < COUNT(prefectures); i++) {
		snprintf(zone, sizeof(zone), "%s.jp", prefectures[i]);
		if (is_below(host, bytes_of(zone)))
			return true;
	}
	return false;
}

static void
judge_city(const struct score_settings *s, struct bytes host, struct score *o)
{
	static const char *const kinds[] = { "city", "town", "vill", "pref",
		"metro" };
	struct bytes rest = host;
	struct bytes label;

	if (is_geographic(host))
		return;
	if (bytes_equal(first_label(rest), BYTES("www")))
		bytes_take(&rest, 4);
	label = first_label(rest);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct bytes kind = bytes_of(kinds[i]);
		bool dotted = bytes_equal(label, kind);
		bool hyphened = bytes_start_with(label, kind) &&
		    label.n > kind.n + 1 && label.p[kind.n] == '-';
		struct bytes name = rest;
		struct bytes behind;

		bytes_take(&name, kind.n + 1);
		behind = name;
		bytes_take_until(&behind, '.');
		/* city.example is a name of its own, city.NAME.ANY is not. */
		if (hyphened ||
		    (dotted && behind.n > 0 && bytes_index(behind, '.') >= 0))
			find(o, SCORE_CITY, s->city,
			    "begins like a municipality's name (%s.%.*s), but"
			    " is not in lg.jp",
			    kinds[i], BYTES_PRINTF(first_label(name)));
	}
}

/* "city.minato.lg.jp" as it is disguised: with hyphens, or without dots. */
static size_t
joined(const char *host, const char *between, char *out, size_t size,
    unsigned labels)
{
	struct bytes rest = bytes_of(host);
	size_t n = 0;

	if (bytes_equal(first_label(rest), BYTES("www")))
		bytes_take(&rest, 4);
	out[0] = '\0';
	for (unsigned i = 0; i < labels && rest.n > 0; i++) {
		struct bytes label = bytes_take_until(&rest, '.');
		int wrote = snprintf(out + n, size - n, "%s%.*s",
		    i == 0 ? "" : between, BYTES_PRINTF(label));

		if (wrote < 0 || (size_t)wrote >= size - n)
			return 0;
		n += (size_t)wrote;
	}
	return n;
}

/* The same, one edit away, or the own name and more behind it. */
static bool
looks_alike(struct bytes text, const char *own)
{
	char skeleton[SKELETON_MAX];
	size_t n = lookalike_skeleton(bytes_of(own), skeleton, NULL);
	struct bytes other = { (const uint8_t *)skeleton, n };

	if (n < OWN_WORD_MIN)
		return false;
	if (bytes_start_with(text, other) &&
	    (text.n == n || text.p[n] == '.' || text.p[n] == '-'))
		return true;
	return lookalike_one_edit(text, other);
}

static void
judge_own(const struct score_settings *s, const char *skeleton, struct score *o)
{
	struct bytes whole = bytes_of(skeleton);
	const struct {
		const char *between;
		unsigned labels;
	} forms[] = { { "-", 2 }, { "", 2 }, { "-", 4 }, { "", 4 } };

	for (size_t i = 0; i < s->own_names.n; i++) {
		const char *own = s->own_names.p[i];
		struct bytes rest = whole;
		char word[SKELETON_MAX];

		if (joined(own, ".", word, sizeof(word), 8) > 0 &&
		    looks_alike(whole, word))
			find(o, SCORE_OWN_NAME, s->own_name, "looks like %s",
			    own);
		while (rest.n > 0) {
			struct bytes label = bytes_take_until(&rest, '.');

			for (size_t k = 0; k < COUNT(forms); k++)
				if (joined(own, forms[k].between, word,
					sizeof(word), forms[k].labels) > 0 &&
				    looks_alike(label, word))
					find(o, SCORE_OWN_NAME, s->own_name,
					    "\"%.*s\" looks like %s",
					    BYTES_PRINTF(label), own);
		}
	}
}

static void
judge_scripts(const struct score_settings *s, struct bytes host,
    unsigned scripts, struct score *o)
{
	const unsigned foreign = SCRIPT_GREEK | SCRIPT_CYRILLIC | SCRIPT_OTHER;

	/* Latin letters beside Japanese ones are usual. */
	if ((scripts & foreign) != 0 && (scripts & (scripts - 1)) != 0)
		find(o, SCORE_MIXED_SCRIPTS, s->mixed_scripts,
		    "letters of several scripts in one label");
	if (lookalike_is_disguised(host))
		find(o, SCORE_HOMOGLYPHS, s->homoglyphs,
		    "foreign letters that look like Latin ones");
}

static bool
is_vowel(uint8_t c)
{
	return c != 0 && strchr("aeiouy", c) != NULL;
}

/* Bits per letter, times the share of letters in long runs without a vowel or
 * of changes between letters and digits: words have little of all that. */
static bool
is_random(struct bytes label)
{
	unsigned counts[256] = { 0 };
	size_t run = 0;
	size_t in_runs = 0;
	size_t changes = 0;
	double bits = 0;

	if (label.n < RANDOM_LABEL_MIN ||
	    bytes_start_with(label, BYTES("xn--")))
		return false;
	for (size_t i = 0; i < label.n; i++) {
		uint8_t c = label.p[i];
		bool digit = c >= '0' && c <= '9';
		bool before =
		    i > 0 && label.p[i - 1] >= '0' && label.p[i - 1] <= '9';

		counts[c]++;
		run = is_vowel(c) || c == '-' ? 0 : run + 1;
		in_runs += run >= 4;
		changes += i > 0 && digit != before && c != '-';
	}
	for (size_t c = 0; c < 256; c++)
		if (counts[c] > 0)
			bits -= counts[c] *
			    log2((double)counts[c] / (double)label.n) /
			    (double)label.n;
	return bits >= 2.9 &&
	    (in_runs * 4 >= label.n || changes * 4 >= label.n);
}

static const char *const dynamic_zones[] = { "duckdns.org", "no-ip.org",
	"no-ip.com", "no-ip.biz", "no-ip.info", "noip.me", "ddns.net",
	"hopto.org", "zapto.org", "sytes.net", "servebeer.com", "serveblog.net",
	"servegame.com", "serveftp.com", "servehttp.com", "myftp.org",
	"myftp.biz", "myvnc.com", "redirectme.net", "gotdns.ch", "webhop.me",
	"bounceme.net", "dyndns.org", "dyndns.info", "dynu.net", "dynu.com",
	"freeddns.org", "mooo.com", "chickenkiller.com", "ignorelist.com",
	"jumpingcrab.com", "afraid.org", "changeip.com", "changeip.org",
	"dns-dns.com", "ddns.info", "ddns.me", "ddns.us", "3utilities.com",
	"sslip.io", "nip.io", "dynv6.net", "ydns.eu", "spdns.de", "selfip.com",
	"selfip.net", "homeip.net", "dnsalias.com", "kozow.com",
	"loseyourip.com", "theworkpc.com", "casacam.net", "accesscam.org",
	"mywire.org", "camdvr.org", "gleeze.com", "giize.com", "ooguy.com",
	"mydns.jp", "mydns.to", "f5.si", "ddo.jp", "dip.jp", "fam.cx" };

static void
judge_dynamic(
    const struct score_settings *s, struct bytes host, struct score *o)
{
	for (size_t i = 0; i < COUNT(dynamic_zones) + s->dynamic_zones.n; i++) {
		const char *zone = i < COUNT(dynamic_zones)
		    ? dynamic_zones[i]
		    : s->dynamic_zones.p[i - COUNT(dynamic_zones)];

		if (is_below(host, bytes_of(zone)))
			find(o, SCORE_DYNAMIC_DNS, s->dynamic_dns,
			    "below %s, where anybody gets a name at once",
			    zone);
	}
}

static bool
is_own(const struct score_settings *s, struct bytes host)
{
	if (is_below(host, BYTES("lg.jp")) || is_below(host, BYTES("go.jp")))
		return true;
	for (size_t i = 0; i < s->own_names.n; i++)
		if (is_below(host, bytes_of(s->own_names.p[i])))
			return true;
	return false;
}

static void
judge_name(const struct score_settings *s, struct bytes host, struct score *o)
{
	char text[CANON_HOST_MAX + 1];
	char skeleton[SKELETON_MAX];
	unsigned scripts = 0;
	struct bytes label;

	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	lookalike_skeleton(host, skeleton, &scripts);
	judge_zone(s, text, skeleton, o);
	judge_city(s, host, o);
	judge_own(s, skeleton, o);
	judge_scripts(s, host, scripts, o);
	label = first_label(registered(text));
	if (is_random(label))
		find(o, SCORE_RANDOM, s->random,
		    "\"%.*s\" looks made by a machine", BYTES_PRINTF(label));
	judge_dynamic(s, host, o);
}

void
score_url(
    const struct score_settings *s, const struct canon *url, struct score *out)
{
	out->points = 0;
	out->n = 0;
	if (url->is_address)
		find(out, SCORE_ADDRESS, s->address,
		    "an address in place of a name");
	else if (!is_own(s, url->host))
		judge_name(s, url->host, out);
	if (!url->port_usual)
		find(out, SCORE_PORT, s->port, "port %u", url->port);
}
