/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/proof/proof.h"

#include <stdio.h>
#include <string.h>

static struct address
address_at(const uint8_t octets[16], uint16_t port)
{
	struct address a = { .port = port };

	memcpy(a.octets, octets, sizeof(a.octets));
	return a;
}

static void
note(struct proof *p, const struct cell *c, const struct grant *g,
    enum place from, enum place to, const char *en, const char *ja)
{
	struct range sources = places_part(&p->places, &c->from, from);
	struct range destinations = places_part(&p->reached, &c->to, to);

	p->violations_all++;
	if (p->violations_n == VIOLATIONS_MAX)
		return;
	p->violations[p->violations_n++] = (struct violation){
		.cell = c,
		.grant = g,
		.from_place = from,
		.to_place = to,
		.from = address_at(sources.first, 0),
		.to = address_at(destinations.first, c->port_first),
		.why_en = en,
		.why_ja = ja,
	};
}

/* All of its grants must be what the claim permits there: each lets pass what
 * is in the cell. */
static void
judge_part(
    struct proof *p, const struct cell *c, enum place from, enum place to)
{
	p->matrix[c->carrier][from][to]++;
	for (size_t i = 0; i < c->grants_n; i++) {
		const char *ja = NULL;
		const char *en =
		    claim_refuses(&p->settings, c->grants[i], from, to, &ja);

		if (en == NULL)
			continue;
		note(p, c, c->grants[i], from, to, en, ja);
		return;
	}
}

static void
judge(struct proof *p, const struct cell *c)
{
	unsigned from = places_of(&p->places, &c->from);
	unsigned to = places_of(&p->reached, &c->to);

	for (unsigned i = 0; i < PLACES; i++)
		for (unsigned k = 0; k < PLACES && (from & PLACE_BIT(i)) != 0;
		     k++)
			if ((to & PLACE_BIT(k)) != 0)
				judge_part(p, c, (enum place)i, (enum place)k);
}

int
proof_make(const struct grant_settings *s, struct proof *out, struct err *e)
{
	*out = (struct proof){ .settings = *s };
	if (grants_make(&out->settings, &out->arena, &out->grants, e) < 0)
		return -1;
	out->cells =
	    cells_cut(out->grants.p, out->grants.n, CELLS_MAX, &out->arena, e);
	if (out->cells == NULL)
		return -1;
	out->places = places_make(s->isolation, &out->arena);
	out->reached = places_make_reached(s->isolation, &out->arena);
	for (size_t i = 0; i < out->cells->cells_n; i++)
		judge(out, &out->cells->cells[i]);
	return 0;
}

void
proof_release(struct proof *p)
{
	arena_release(&p->arena);
	*p = (struct proof){ 0 };
}

/* "FILE:LINE", or the file alone. */
static const char *
source_text(const struct model_source *s, char out[256])
{
	if (s->line > 0)
		snprintf(out, 256, "%.240s:%u", s->file, s->line);
	else
		snprintf(out, 256, "%.240s", s->file);
	return out;
}

static const char *
protocol_text(uint8_t protocol, char out[16])
{
	const char *name = protocol_name((enum protocol)protocol);

	if (strcmp(name, "none") != 0)
		return name;
	snprintf(out, 16, "protocol %u", protocol);
	return out;
}

char *
violation_text(
    const struct violation *v, bool japanese, char out[VIOLATION_TEXT_MAX])
{
	char source[256], from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX],
	    protocol[16];

	snprintf(out, VIOLATION_TEXT_MAX,
	    japanese ? "%s: %s により %s（%s）から %s（%s）へ %s が %s で通る。"
		       "%s"
		     : "%s: %s lets %s (%s) reach %s (%s) with %s by %s; %s",
	    source_text(&v->grant->source, source), v->grant->what,
	    address_text(&v->from, from), place_name(v->from_place),
	    address_text_port(&v->to, to), place_name(v->to_place),
	    protocol_text(v->cell->protocol, protocol),
	    carrier_name(v->cell->carrier), japanese ? v->why_ja : v->why_en);
	return out;
}

/* Requests of every kind, to a name and to an address. */
static const char *const asked[] = {
	"http://www.example.com/",
	"https://www.example.com/",
	"https://www.example.lg.jp/",
	"http://198.51.100.1/",
	"https://192.0.2.1:8445/",
	"https://[2001:db8::1]/",
};
static const char *const methods[] = { "GET", "POST", "CONNECT" };

static int
ask(const struct policy *p, const struct segment *s, const struct url *url,
    const char *method, struct err *e)
{
	struct query q = {
		.segment = s,
		.url = url,
		.method = bytes_of(method),
		.length = UINT64_MAX,
	};
	struct decision d = strcmp(method, "CONNECT") == 0
	    ? policy_judge_connect(p, &q)
	    : policy_judge(p, &q);
	char text[ADDRESS_TEXT_MAX];

	if (d.verdict == VERDICT_BLOCK)
		return 0;
	if (s == NULL)
		return err_set(e,
		    "the policy lets a source that nobody registered pass"
		    " (rule \"%s\")",
		    d.rule->name);
	return err_set(e,
	    "%s:%u: the policy lets segment %s of the My Number zone pass"
	    " (rule \"%s\")",
	    s->file, s->line, prefix_text(&s->prefix, text), d.rule->name);
}

static int
ask_all(const struct policy *p, const struct segment *s, struct arena *a,
    struct err *e)
{
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct url url = { 0 };
		const char *why;

		must(
		    url_parse_absolute(&url, bytes_of(asked[i]), a, &why) == 0);
		for (size_t k = 0; k < COUNT(methods); k++)
			if (ask(p, s, &url, methods[k], e) < 0)
				return -1;
	}
	return 0;
}

int
proof_ask_policy(const struct policy *p, const struct zones *z, struct err *e)
{
	struct arena a = { 0 };
	int result;

	if (p == NULL)
		return 0;
	result = ask_all(p, NULL, &a, e);
	for (size_t i = 0; i < zones_segments(z) && result == 0; i++)
		if (zones_segment(z, i)->zone->kind == ZONE_MYNUMBER)
			result = ask_all(p, zones_segment(z, i), &a, e);
	arena_release(&a);
	return result;
}
