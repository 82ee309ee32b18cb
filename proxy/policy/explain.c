/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/explain.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/base/language.h"
#include "proxy/policy/inspection.h"

void
explain_line(FILE *out, const char *ja, const char *en, const char *value)
{
	if (value != NULL && value[0] != '\0')
		fprintf(
		    out, "%-10s %s\n", language_is_japanese() ? ja : en, value);
}

/* What passes is inspected for that. */
static uint64_t
inspections_of(const struct decision *d)
{
	return d->verdict == VERDICT_BLOCK ? 0 : d->inspections;
}

static void
print_inspections(FILE *out, const struct policy *p, const struct decision *d)
{
	uint64_t left = inspections_of(d);

	for (; left != 0; left &= left - 1)
		explain_line(out, "  検査", "  inspect",
		    policy_inspection(p, (unsigned)__builtin_ctzll(left))
			->block.name);
}

static json_t *
json_inspections(const struct policy *p, const struct decision *d)
{
	json_t *names = json_array();

	for (uint64_t left = inspections_of(d); left != 0; left &= left - 1)
		json_array_append_new(names,
		    json_string(
			policy_inspection(p, (unsigned)__builtin_ctzll(left))
			    ->block.name));
	return names;
}

static void
print_text(FILE *out, const char *step, const struct policy *p,
    const struct query *q, const struct decision *d)
{
	char where[512];

	fprintf(out, "%s: %s\n", step, verdict_name(d->verdict));
	explain_line(out, "  規則", "  rule", d->rule->name);
	if (d->rule->file != NULL) {
		snprintf(where, sizeof(where), "%s:%u", d->rule->file,
		    d->rule->line);
		explain_line(out, "  場所", "  file", where);
	}
	if (q->segment != NULL) {
		snprintf(where, sizeof(where), "%s %s", q->segment->body->code,
		    language_is_japanese() ? q->segment->body->name_ja
					   : q->segment->body->name_en);
		explain_line(out, "  団体", "  body", where);
		explain_line(out, "  区域", "  zone", q->segment->zone->name);
	}
	explain_line(out, "  分類", "  category", d->category);
	print_inspections(out, p, d);
	explain_line(out, "  理由", "  reason",
	    language_is_japanese() ? d->rule->reason_ja : d->rule->reason_en);
}

static void
print_opinion(FILE *out, enum layer l, const struct rule *r)
{
	const char *kind = r->must ? "must" : "default";

	fprintf(out, "  %-10s %-7s %s: %s (%s:%u)\n", layer_name(l), kind,
	    r->name, verdict_name(r->verdict), r->file, r->line);
}

/* What each layer says of the request, from above. */
static void
print_opinions(FILE *out, const struct policy *p, const struct query *q)
{
	struct opinion said[LAYERS];

	policy_opinions(p, q, said);
	fputs(language_is_japanese() ? "各層の意見:\n" : "layers:\n", out);
	for (int l = 0; l < LAYERS; l++) {
		if (said[l].must != NULL)
			print_opinion(out, (enum layer)l, said[l].must);
		if (said[l].chosen != NULL)
			print_opinion(out, (enum layer)l, said[l].chosen);
		if (said[l].must == NULL && said[l].chosen == NULL)
			fprintf(out, "  %-10s -\n", layer_name((enum layer)l));
	}
}

static json_t *
json_opinion(const struct rule *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i}", "layer",
	    layer_name(r->layer), "rule", r->name, "verdict",
	    verdict_name(r->verdict), "file", r->file, "line", (int)r->line);
}

static json_t *
json_opinions(const struct policy *p, const struct query *q)
{
	struct opinion said[LAYERS];
	json_t *must = json_array();
	json_t *chosen = json_array();

	policy_opinions(p, q, said);
	for (int l = 0; l < LAYERS; l++) {
		if (said[l].must != NULL)
			json_array_append_new(must, json_opinion(said[l].must));
		if (said[l].chosen != NULL)
			json_array_append_new(
			    chosen, json_opinion(said[l].chosen));
	}
	return json_pack("{s:o, s:o}", "must", must, "default", chosen);
}

static json_t *
json_decision(const char *step, const struct policy *p, const struct query *q,
    const struct decision *d)
{
	const struct segment *s = q->segment;

	return json_pack("{s:s, s:s, s:s, s:s*, s:i, s:s*, s:s*, s:s*, s:s*,"
			 " s:s*, s:o}",
	    "step", step, "verdict", verdict_name(d->verdict), "rule",
	    d->rule->name, "file", d->rule->file, "line", (int)d->rule->line,
	    "body", s == NULL ? NULL : s->body->code, "zone",
	    s == NULL ? NULL : s->zone->name, "category", d->category,
	    "reason_ja", d->rule->reason_ja, "reason_en", d->rule->reason_en,
	    "inspect", json_inspections(p, d));
}

void
explain_json(FILE *out, json_t *all)
{
	char *text = json_dumps(all, JSON_INDENT(2));

	if (text != NULL)
		fprintf(out, "%s\n", text);
	free(text);
	json_decref(all);
}

int
explain_print(const struct policy *p, const struct zones *zones,
    const struct address *from, struct bytes text, struct bytes method,
    time_t now, enum explain_format format, FILE *out)
{
	struct arena a = { 0 };
	struct url url = { 0 };
	struct query q = {
		.segment = zones_lookup(zones, from),
		.url = &url,
		.method = method,
		.now = now,
	};
	struct decision steps[POLICY_STEPS_MAX];
	size_t n;
	json_t *all = json_array();
	const char *why;

	if (url_parse_absolute(&url, text, &a, &why) < 0) {
		fprintf(out, "%.*s: %s\n", BYTES_PRINTF(text), why);
		json_decref(all);
		arena_release(&a);
		return 1;
	}
	n = policy_judge_steps(p, &q, steps);
	for (size_t i = 0; i < n; i++) {
		bool connecting = i == 0 && url.scheme == SCHEME_HTTPS;
		const char *step = connecting ? "CONNECT" : "request";

		if (format == EXPLAIN_TEXT)
			print_text(out, step, p, &q, &steps[i]);
		else
			json_array_append_new(
			    all, json_decision(step, p, &q, &steps[i]));
	}
	if (format == EXPLAIN_JSON) {
		explain_json(out,
		    json_pack("{s:o, s:o}", "steps", all, "layers",
			json_opinions(p, &q)));
	} else {
		print_opinions(out, p, &q);
		json_decref(all);
	}
	arena_release(&a);
	return steps[n - 1].verdict == VERDICT_BLOCK ? 2 : 0;
}
