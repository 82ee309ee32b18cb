/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/suspect.h"

#include <ctype.h>
#include <libpsl.h>
#include <stdlib.h>

#include "filters/html/base64.h"
#include "filters/urlrep/lookalike.h"
#include "proxy/smtp/table.h"

#define FIELD_MAX ((size_t)4096) /* of From and Reply-To; the rest is cut */
#define SHORTEST_NAME 6 /* bytes: shorter ones are words of everyday texts */
#define SHORTEST_EDIT 6 /* of a domain that one letter makes another */

struct own_domain {
	struct bytes domain;
	char skeleton[SKELETON_MAX];
	size_t skeleton_n;
};

struct suspect_names {
	struct arena arena;
	const struct routes *routes;
	struct own_domain *domains;
	size_t domains_n;
	struct bytes *names; /* of bodies, folded */
	size_t names_n;
};

/* Small letters, and no blanks: "Sekisho City" as "sekishocity". The
 * ideographic space goes too. */
static struct bytes
fold(struct arena *a, struct bytes text)
{
	uint8_t *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	while (text.n > 0) {
		if (bytes_start_with(text, BYTES("\xe3\x80\x80"))) {
			bytes_take(&text, 3);
			continue;
		}
		if (*text.p > ' ')
			p[n++] = *text.p < 0x80 ? (uint8_t)tolower(*text.p)
						: *text.p;
		bytes_take(&text, 1);
	}
	return (struct bytes){ p, n };
}

static void
add_name(struct suspect_names *n, const char *name)
{
	struct bytes folded = fold(&n->arena, bytes_of(name));

	if (folded.n >= SHORTEST_NAME)
		n->names[n->names_n++] = folded;
}

static void
add_domain(struct suspect_names *n, const struct domain_entry *e)
{
	struct own_domain *own = &n->domains[n->domains_n];

	if (e->file == NULL || e->pattern.domain.n == 0 ||
	    e->pattern.domain.p[0] == '[')
		return;
	own->domain = e->pattern.domain;
	own->skeleton_n = lookalike_skeleton(own->domain, own->skeleton, NULL);
	n->domains_n++;
}

struct suspect_names *
suspect_names_new(const struct zones *z, const struct routes *r)
{
	struct suspect_names *n = calloc(1, sizeof(*n));

	must(n != NULL);
	n->routes = r;
	n->names =
	    ARENA_ARRAY(&n->arena, struct bytes, 2 * zones_bodies(z) + 1);
	for (unsigned i = 0; i < zones_bodies(z); i++) {
		const struct body *b = zones_body(z, i);

		add_name(n, b->name_ja);
		add_name(n, b->name_en);
	}
	n->domains =
	    ARENA_ARRAY(&n->arena, struct own_domain, r->owned.size + 1);
	for (size_t i = 0; i < r->owned.size; i++)
		add_domain(n, &r->owned.places[i]);
	return n;
}

void
suspect_names_free(struct suspect_names *n)
{
	if (n == NULL)
		return;
	arena_release(&n->arena);
	free(n);
}

/* The header, as the sandbox writes it. */

/* The value of the first field of that name, unfolded; empty: none. */
static struct bytes
field(struct arena *a, struct bytes head, struct bytes name)
{
	struct buf out;
	struct bytes value = { 0 };
	bool in = false;

	buf_init(&out, FIELD_MAX);
	while (head.n > 0) {
		struct bytes line = bytes_take_until(&head, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			break;
		if (in && *line.p != ' ' && *line.p != '\t')
			break;
		if (!in && line.n > name.n && line.p[name.n] == ':' &&
		    bytes_equal_nocase(
			(struct bytes){ line.p, name.n }, name)) {
			in = true;
			bytes_take(&line, name.n + 1);
		}
		if (in && buf_append(&out, line) < 0)
			break;
	}
	value = arena_copy(a, bytes_trim(buf_bytes(&out)));
	buf_release(&out);
	return value;
}

/* "=?UTF-8?B?…?=", the only encoded words that the sandbox writes. */
static struct bytes
take_word(struct arena *a, struct bytes *text)
{
	const struct bytes frame = BYTES("=?UTF-8?B?");
	struct bytes inside = *text;
	struct bytes word;
	struct buf decoded;

	bytes_take(&inside, frame.n);
	word = bytes_take_until(&inside, '?');
	buf_init(&decoded, FIELD_MAX);
	if (base64_decode(word, &decoded) < 0)
		decoded.n = 0;
	word = arena_copy(a, buf_bytes(&decoded));
	buf_release(&decoded);
	bytes_take_until(&inside, '=');
	*text = inside;
	return word;
}

/* A display name as people see it, folded. */
static struct bytes
display(struct arena *a, struct bytes text)
{
	uint8_t *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	while (text.n > 0) {
		struct bytes part = { text.p, 1 };

		if (bytes_start_with(text, BYTES("=?UTF-8?B?")))
			part = take_word(a, &text);
		else
			bytes_take(&text, 1);
		if (part.n == 1 && (*part.p == '"' || *part.p == '\\'))
			continue;
		/* decoded text is shorter than its code */
		memcpy(p + n, part.p, part.n);
		n += part.n;
	}
	return fold(a, (struct bytes){ p, n });
}

struct mailbox {
	struct bytes display; /* folded */
	struct bytes spec;    /* small letters; empty: none */
	struct bytes domain;
};

static struct mailbox
mailbox(struct arena *a, struct bytes value)
{
	struct bytes rest = value;
	struct bytes name = bytes_take_until(&rest, '<');
	struct bytes spec =
	    bytes_index(value, '<') < 0 ? value : bytes_take_until(&rest, '>');
	struct mailbox m = { 0 };

	if (bytes_index(value, '<') >= 0)
		m.display = display(a, name);
	m.spec = fold(a, spec);
	if (bytes_index(spec, '@') >= 0) {
		while (bytes_index(spec, '@') >= 0)
			bytes_take_until(&spec, '@');
		m.domain = fold(a, spec);
	}
	return m;
}

/* Judgement. */

static const struct {
	const char *name;
	unsigned banner, points;
} reasons[SUSPECT_KINDS] = {
#define SUSPECT_ROW(symbol, banner_, points_, name_) \
	[SUSPECT_##symbol] = {                       \
		.name = (name_),                     \
		.banner = (banner_),                 \
		.points = (points_),                 \
	},
	SUSPECT_REASONS(SUSPECT_ROW)
#undef SUSPECT_ROW
};

void
suspect_add(struct suspicion *s, enum suspect_reason r)
{
	if ((s->reasons >> r & 1) != 0)
		return;
	s->reasons |= 1u << r;
	s->points += reasons[r].points;
}

static bool
contains(struct bytes text, struct bytes part)
{
	for (size_t i = 0; part.n > 0 && i + part.n <= text.n; i++)
		if (memcmp(text.p + i, part.p, part.n) == 0)
			return true;
	return false;
}

/* The name that was registered: a label and its public suffix. */
static struct bytes
registered(struct arena *a, struct bytes domain)
{
	const char *text = arena_string(a, domain);
	const char *name = psl_registrable_domain(psl_builtin(), text);

	return bytes_of(name == NULL ? text : name);
}

static bool
same_owner(struct arena *a, struct bytes one, struct bytes other)
{
	return bytes_equal(registered(a, one), registered(a, other));
}

/* The name that people see says a body, a domain of ours, or an address that is
 * not the one behind it. */
static bool
imitates(
    const struct suspect_names *n, const struct mailbox *from, struct arena *a)
{
	struct bytes shown = from->display;

	for (size_t i = 0; i < n->names_n; i++)
		if (contains(shown, n->names[i]))
			return true;
	for (size_t i = 0; i < n->domains_n; i++)
		if (contains(shown, n->domains[i].domain))
			return true;
	if (bytes_index(shown, '@') < 0)
		return false;
	while (bytes_index(shown, '@') >= 0)
		bytes_take_until(&shown, '@');
	for (size_t i = 0; i < shown.n; i++)
		if (!isalnum(shown.p[i]) && shown.p[i] != '.' &&
		    shown.p[i] != '-')
			shown.n = i;
	return shown.n > 0 && !same_owner(a, shown, from->domain);
}

static bool
looks_like_ours(const struct suspect_names *n, struct bytes domain)
{
	char skeleton[SKELETON_MAX];
	struct bytes looks = { (uint8_t *)skeleton,
		lookalike_skeleton(domain, skeleton, NULL) };

	for (size_t i = 0; i < n->domains_n; i++) {
		const struct own_domain *own = &n->domains[i];
		const struct bytes ours = { (const uint8_t *)own->skeleton,
			own->skeleton_n };

		if (bytes_equal(domain, own->domain))
			return false;
		if (bytes_equal(looks, ours) ||
		    (ours.n >= SHORTEST_EDIT &&
			lookalike_one_edit(looks, ours)))
			return true;
	}
	return false;
}

void
suspect_judge(const struct suspect_names *n, struct bytes head,
    const struct detox_report *report, struct suspicion *out)
{
	struct arena a = { 0 };
	struct mailbox from = mailbox(&a, field(&a, head, BYTES("From")));
	struct mailbox reply = mailbox(&a, field(&a, head, BYTES("Reply-To")));

	snprintf(out->from, sizeof(out->from), "%.*s", BYTES_PRINTF(from.spec));
	if (from.domain.n > 0 && routes_owner(n->routes, from.domain) != NULL)
		suspect_add(out, SUSPECT_FORGES);
	else if (from.domain.n > 0 && looks_like_ours(n, from.domain))
		suspect_add(out, SUSPECT_LOOKALIKE);
	if (imitates(n, &from, &a))
		suspect_add(out, SUSPECT_IMITATES);
	if (reply.domain.n > 0 && from.domain.n > 0 &&
	    !same_owner(&a, reply.domain, from.domain))
		suspect_add(out, SUSPECT_REPLY);
	for (size_t i = 0; i < report->rows_n; i++)
		if (report->rows[i].what == REMOVED_PROGRAM)
			suspect_add(out, SUSPECT_PROGRAM);
	arena_release(&a);
}

const char *
suspect_words(const struct suspicion *s, char out[SUSPECT_WORDS_MAX])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < SUSPECT_KINDS; i++)
		if ((s->reasons >> i & 1) != 0)
			n += (size_t)snprintf(out + n, SUSPECT_WORDS_MAX - n,
			    "%s%s", n == 0 ? "" : ",", reasons[i].name);
	return out;
}

const char *
suspect_banners(const struct suspicion *s, char out[SUSPECT_WORDS_MAX])
{
	unsigned seen = 0;
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < SUSPECT_KINDS; i++) {
		unsigned banner = reasons[i].banner;

		if ((s->reasons >> i & 1) == 0 || banner == 0 ||
		    (seen >> banner & 1) != 0)
			continue;
		seen |= 1u << banner;
		n += (size_t)snprintf(out + n, SUSPECT_WORDS_MAX - n, "%s%u",
		    n == 0 ? "" : ",", banner);
	}
	return out;
}
