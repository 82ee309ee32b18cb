/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/diff.h"

#include <string.h>

#include "proxy/policy/compiled.h"
#include "proxy/policy/pattern.h"

/* A key of a rule with its value, as text. */
struct trait {
	const char *key;
	const char *value;
};

#define TRAITS_MAX 40

struct traits {
	struct arena *arena;
	struct trait all[TRAITS_MAX];
	size_t n;
};

static void
add(struct traits *t, const char *key, const char *value)
{
	must(t->n < TRAITS_MAX);
	t->all[t->n++] = (struct trait){ key, value };
}

static const char *
joined(struct traits *t, const char *list, struct bytes more)
{
	return arena_printf(t->arena, "%s%s%.*s", list,
	    list[0] == '\0' ? "" : " ", BYTES_PRINTF(more));
}

static void
add_who(struct traits *t, const struct conditions *c)
{
	const char *zones = "";
	const char *bodies = "";

	for (size_t i = 0; i < c->zones_n; i++)
		zones = joined(t, zones, bytes_of(c->zones[i]->name));
	for (size_t i = 0; i < c->bodies_n; i++)
		bodies = joined(t, bodies, bytes_of(c->bodies[i]->code));
	add(t, "layer",
	    arena_printf(t->arena, "%s%s%s%s%s", layer_name(c->rule.layer),
		c->body == NULL ? "" : " ",
		c->body == NULL ? "" : c->body->code,
		c->section == NULL ? "" : " ",
		c->section == NULL ? "" : c->section->name));
	add(t, "zones", zones);
	add(t, "bodies", bodies);
}

static void
add_where(struct traits *t, const struct conditions *c)
{
	const char *names = "";
	const char *urls = "";
	const char *patterns = "";
	const char *addresses = "";
	const char *ports = "";
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < c->destinations_n; i++)
		names = joined(t, names, c->destinations[i]);
	for (size_t i = 0; i < c->urls_n; i++)
		urls = joined(t, urls,
		    bytes_of(arena_printf(t->arena, "%s://%.*s%.*s",
			scheme_name(c->urls[i].scheme),
			BYTES_PRINTF(url_authority(&c->urls[i], t->arena)),
			BYTES_PRINTF(c->urls[i].path))));
	for (size_t i = 0; i < c->patterns_n; i++)
		patterns = joined(t, patterns, pattern_text(c->patterns[i]));
	for (size_t i = 0; i < c->addresses_n; i++)
		addresses = joined(t, addresses,
		    bytes_of(prefix_text(&c->addresses[i], text)));
	for (size_t i = 0; i < c->ports_n; i++)
		ports = joined(t, ports,
		    bytes_of(arena_printf(t->arena, "%u", c->ports[i])));
	add(t, "destinations", names);
	add(t, "urls", urls);
	add(t, "patterns", patterns);
	add(t, "addresses", addresses);
	add(t, "ports", ports);
}

static const char *
inspections_of(
    struct traits *t, const struct policy *p, const struct conditions *c)
{
	const char *names = "";

	for (uint64_t left = c->rule.inspections; left != 0; left &= left - 1)
		names = joined(t, names,
		    bytes_of(
			policy_inspection(p, (unsigned)__builtin_ctzll(left))
			    ->block.name));
	return names;
}

static void
add_what(struct traits *t, const struct policy *p, const struct conditions *c)
{
	const char *categories = "";
	const char *methods = "";
	const char *hours = "";
	const char *asked = "";
	const char *fields = "";

	for (unsigned i = 0; i < CATEGORIES_MAX; i++)
		if ((c->categories >> i & 1) != 0)
			categories = joined(t, categories,
			    bytes_of(lists_category_name(p->lists, i)));
	for (size_t i = 0; i < c->methods.n; i++)
		methods = joined(t, methods, bytes_of(c->methods.p[i]));
	for (size_t i = 0; i < c->hours_text.n; i++)
		hours = joined(t, hours, bytes_of(c->hours_text.p[i]));
	for (size_t i = 0; i < c->rule.fields_n; i++)
		fields = joined(t, fields,
		    bytes_of(arena_printf(t->arena, "%.*s:%.*s",
			BYTES_PRINTF(c->rule.fields[i].name),
			BYTES_PRINTF(c->rule.fields[i].value))));
	add(t, "categories", categories);
	add(t, "uploads", c->uploads ? "true" : "false");
	add(t, "larger_than", arena_printf(t->arena, "%zu", c->larger_than));
	for (size_t i = 0; i < c->fields_n; i++)
		asked = joined(t, asked, bytes_of(c->fields[i].text));
	add(t, "fields", asked);
	add(t, "methods", methods);
	add(t, "hours", hours);
	add(t, "effects", fields);
	add(t, "connect_to",
	    arena_printf(t->arena, "%.*s", BYTES_PRINTF(c->rule.connect_to)));
	add(t, "inspect", inspections_of(t, p, c));
}

static const char *
layers_of(struct traits *t, const struct conditions *c)
{
	const char *layers = "";

	for (int l = 0; l < LAYERS; l++)
		if (c->rule.verdict == VERDICT_MAY_TUNNEL &&
		    (c->to >> l & 1) != 0)
			layers = joined(
			    t, layers, bytes_of(layer_name((enum layer)l)));
	return layers;
}

static void
read_traits(struct traits *t, const struct policy *p,
    const struct conditions *c, struct arena *a)
{
	const struct rule *r = &c->rule;

	*t = (struct traits){ .arena = a };
	add(t, "verdict", verdict_name(r->verdict));
	add(t, "kind", r->must ? "must" : "default");
	add_who(t, c);
	add_where(t, c);
	add_what(t, p, c);
	add(t, "tls_only", r->tls_only ? "true" : "false");
	add(t, "release", r->release ? "true" : "false");
	add(t, "approval", r->approval ? "true" : "false");
	add(t, "log_detail", r->detail ? "true" : "false");
	add(t, "to", layers_of(t, c));
	add(t, "lasts",
	    arena_printf(a, "%llu", (unsigned long long)r->lasts_ms / 1000));
	add(t, "expires", arena_printf(a, "%lld", (long long)r->expires));
	add(t, "owner", r->owner);
	add(t, "clause", r->clause);
	add(t, "reason_ja", r->reason_ja);
	add(t, "reason_en", r->reason_en);
}

static const struct conditions *
find(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->rules_n; i++)
		if (strcmp(p->rules[i].rule.name, name) == 0)
			return &p->rules[i];
	return NULL;
}

static size_t
print_rule(FILE *out, char sign, const struct rule *r)
{
	fprintf(out, "%c %s: %s (%s:%u)\n", sign, r->name,
	    verdict_name(r->verdict), r->file, r->line);
	return 1;
}

static size_t
compare(const struct policy *was, const struct conditions *before,
    const struct policy *is, const struct conditions *now, FILE *out)
{
	struct arena a = { 0 };
	struct traits one;
	struct traits two;
	size_t n = 0;

	read_traits(&one, was, before, &a);
	read_traits(&two, is, now, &a);
	for (size_t i = 0; i < one.n; i++) {
		if (strcmp(one.all[i].value, two.all[i].value) == 0)
			continue;
		if (n++ == 0)
			fprintf(out, "~ %s (%s:%u)\n", now->rule.name,
			    now->rule.file, now->rule.line);
		fprintf(out, "    %s: \"%s\" -> \"%s\"\n", one.all[i].key,
		    one.all[i].value, two.all[i].value);
	}
	arena_release(&a);
	return n > 0;
}

static const struct inspection *
find_inspection(const struct policy *p, const char *name)
{
	int i = inspections_find(&p->inspections, bytes_of(name));

	return i < 0 ? NULL : &p->inspections.p[i];
}

static size_t
compare_inspections(
    const struct policy *was, const struct policy *is, FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < was->inspections.n; i++) {
		const struct rule *r = &was->inspections.p[i].block;

		if (find_inspection(is, r->name) == NULL)
			n += (size_t)(fprintf(out, "- %s (%s:%u)\n", r->name,
					  r->file, r->line) > 0);
	}
	for (size_t i = 0; i < is->inspections.n; i++) {
		const struct inspection *now = &is->inspections.p[i];
		const struct rule *r = &now->block;
		const struct inspection *before = find_inspection(was, r->name);

		if (before != NULL && strcmp(before->said, now->said) == 0)
			continue;
		n++;
		fprintf(out, "%c %s (%s:%u)\n", before == NULL ? '+' : '~',
		    r->name, r->file, r->line);
		if (before != NULL)
			fprintf(out, "    \"%s\" -> \"%s\"\n", before->said,
			    now->said);
	}
	return n;
}

/* The first rule of both that another of both comes before now. */
static size_t
compare_order(const struct policy *was, const struct policy *is, FILE *out)
{
	size_t k = 0;

	for (size_t i = 0; i < is->rules_n; i++) {
		const struct rule *r = &is->rules[i].rule;

		if (find(was, r->name) == NULL)
			continue;
		while (k < was->rules_n &&
		    find(is, was->rules[k].rule.name) == NULL)
			k++;
		if (k < was->rules_n &&
		    strcmp(was->rules[k].rule.name, r->name) != 0) {
			fprintf(out, "> %s is asked before %s now (%s:%u)\n",
			    r->name, was->rules[k].rule.name, r->file, r->line);
			return 1;
		}
		k++;
	}
	return 0;
}

size_t
policy_diff(const struct policy *was, const struct policy *is, FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < was->rules_n; i++)
		if (find(is, was->rules[i].rule.name) == NULL)
			n += print_rule(out, '-', &was->rules[i].rule);
	for (size_t i = 0; i < is->rules_n; i++) {
		const struct conditions *now = &is->rules[i];
		const struct conditions *before = find(was, now->rule.name);

		n += before == NULL ? print_rule(out, '+', &now->rule)
				    : compare(was, before, is, now, out);
	}
	n += compare_inspections(was, is, out);
	return n + compare_order(was, is, out);
}
