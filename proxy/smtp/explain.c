/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/explain.h"

#include "proxy/base/language.h"

#define STEPS 3

struct step {
	const char *name;
	enum mail_verdict verdict;
	struct mail_reason why;
	struct smtp_reply reply;
};

struct answer {
	const struct mail_question *q;
	const struct segment *segment; /* NULL: outside */
	struct mail_address sender, recipient;
	struct step steps[STEPS];
	const struct mail_route *route; /* NULL: refused */
	struct arena a;
};

static int
take_address(
    struct answer *w, const char *text, struct mail_address *out, FILE *to)
{
	const char *path =
	    text[0] == '<' ? text : arena_printf(&w->a, "<%s>", text);
	struct bytes in = bytes_of(path);
	const char *why = "bytes behind the address";

	if (mail_path_take(out, &in, MAIL_UTF8, &w->a, &why) == 0 && in.n == 0)
		return 0;
	fprintf(to, "%s: %s\n", text, why);
	return -1;
}

static void
judge(const struct routes *r, struct answer *w)
{
	struct step *s = w->steps;

	s[0].name = "client";
	s[0].verdict =
	    routes_judge_client(r, w->segment, &s[0].why, &s[0].reply);
	s[1].name = "sender";
	s[1].verdict = routes_judge_sender(
	    r, w->segment, &w->sender, &s[1].why, &s[1].reply);
	s[2].name = "recipient";
	w->route = routes_judge_recipient(
	    r, w->segment, &w->recipient, &s[2].why, &s[2].reply);
	s[2].verdict = w->route == NULL ? MAIL_REFUSED : MAIL_ACCEPTED;
}

static const char *
verdict_word(enum mail_verdict v)
{
	return v == MAIL_ACCEPTED ? "accepted" : "refused";
}

static const char *
tls_word(enum hop_tls tls)
{
	switch (tls) {
	case HOP_TLS_VERIFIED:
		return "required";
	case HOP_TLS_DANE:
		return "dane";
	case HOP_TLS_OPPORTUNISTIC:
		return "opportunistic";
	case HOP_TLS_NONE:
		return "none";
	}
	return "required";
}

static const char *
side_word(const struct mail_route *r)
{
	if (r->body == NULL)
		return NULL; /* outbound */
	return r->side == MAIL_SIDE_LGWAN ? "lgwan" : "internet";
}

static const char *
place(struct arena *a, const char *file, unsigned line)
{
	return file == NULL ? NULL : arena_printf(a, "%s:%u", file, line);
}

static const char *
reply_text(struct arena *a, const struct smtp_reply *r)
{
	return r->code == 0
	    ? NULL
	    : arena_printf(a, "%u %s %s", r->code, r->enhanced, r->text);
}

static void
print_client(struct answer *w, FILE *out)
{
	const struct segment *s = w->segment;

	if (s != NULL) {
		explain_line(out, "  団体", "  body",
		    arena_printf(&w->a, "%s %s", s->body->code,
			language_is_japanese() ? s->body->name_ja
					       : s->body->name_en));
		explain_line(out, "  区域", "  zone", s->zone->name);
	}
	explain_line(out, "  HELO", "  helo", w->q->helo);
}

static void
print_hop(struct answer *w, const struct next_hop *h, FILE *out)
{
	bool v6 = bytes_index(bytes_of(h->host), ':') >= 0;

	explain_line(out, "  渡す先", "  next hop",
	    arena_printf(&w->a, "%s%s%s:%u priority %u, TLS %s%s%s%s",
		v6 ? "[" : "", h->host, v6 ? "]" : "", h->port, h->priority,
		tls_word(h->tls), h->implicit ? ", implicit" : "",
		h->tls == HOP_TLS_VERIFIED ? ", name " : "",
		h->tls == HOP_TLS_VERIFIED ? h->name : ""));
}

static void
print_outbound(struct answer *w, FILE *out)
{
	static const char *const overs[] = {
		[EXTERNAL_REFUSE] = "refuse",
		[EXTERNAL_BCC] = "bcc",
		[EXTERNAL_HOLD] = "hold",
	};
	const struct outbound_rules *o = &w->route->outbound;

	if (o->external_max > 0)
		explain_line(out, "  外部宛先", "  external",
		    arena_printf(
			&w->a, "%u, %s", o->external_max, overs[o->over]));
	if (o->delay_ms > 0)
		explain_line(out, "  待機", "  delay",
		    arena_printf(&w->a, "%llu s",
			(unsigned long long)o->delay_ms / 1000));
}

/* What is done beside, for hosts that DNS names. */
static const char *
asked_words(const struct answer *w)
{
	const struct mail_settings *s = w->q->settings;

	if (w->route->mx_tls != HOP_TLS_OPPORTUNISTIC ||
	    !(s->mta_sts || s->dane))
		return "";
	return s->mta_sts && s->dane ? " (MTA-STS, DANE)"
	    : s->dane                ? " (DANE)"
				     : " (MTA-STS)";
}

/* NULL: nobody is asked. */
static const struct rspamd_settings *
asked_rspamd(const struct answer *w)
{
	const struct rspamd_settings *s = &w->q->settings->rspamd;

	return s->address[0] != '\0' && (s->bodies || w->segment == NULL)
	    ? s
	    : NULL;
}

static void
print_rspamd(struct answer *w, FILE *out)
{
	const struct rspamd_settings *s = asked_rspamd(w);

	if (s != NULL)
		explain_line(out, "  判定", "  rspamd",
		    arena_printf(&w->a,
			"%s; reject: %s, add header: %s, down: %s, large: %s",
			s->address, s->reject, s->add_header, s->when_down,
			s->when_large));
}

static json_t *
json_rspamd(const struct answer *w)
{
	const struct rspamd_settings *s = asked_rspamd(w);

	return s == NULL
	    ? NULL
	    : json_pack("{s:s, s:s, s:s, s:s, s:s}", "address", s->address,
		  "reject", s->reject, "add_header", s->add_header, "when_down",
		  s->when_down, "when_large", s->when_large);
}

static void
print_route(struct answer *w, FILE *out)
{
	const struct mail_route *r = w->route;

	explain_line(out, "  経路", "  route",
	    arena_printf(&w->a, "%s (%s:%u)", r->name, r->file, r->line));
	explain_line(out, "  側", "  side", side_word(r));
	for (size_t i = 0; i < r->hops_n; i++)
		print_hop(w, &r->hops[i], out);
	if (r->hops_n == 0)
		explain_line(out, "  渡す先", "  next hop",
		    arena_printf(&w->a, "MX of %.*s, TLS %s%s",
			BYTES_PRINTF(w->recipient.domain), tls_word(r->mx_tls),
			asked_words(w)));
	explain_line(out, "  無害化", "  detox", r->detox);
	if (r->verify_recipients)
		explain_line(out, "  宛先確認", "  asks",
		    language_is_japanese()
			? "宛先があるかを先に渡す先に尋ねる"
			: "the next hop, whether it has the recipient");
	print_outbound(w, out);
	print_rspamd(w, out);
}

static void
print_text(struct answer *w, FILE *out)
{
	for (size_t i = 0; i < STEPS; i++) {
		const struct step *s = &w->steps[i];

		fprintf(out, "%s: %s\n", s->name, verdict_word(s->verdict));
		explain_line(out, "  規則", "  rule", s->why.rule);
		explain_line(out, "  場所", "  file",
		    place(&w->a, s->why.file, s->why.line));
		if (i == 0)
			print_client(w, out);
		explain_line(
		    out, "  応答", "  reply", reply_text(&w->a, &s->reply));
	}
	if (w->route != NULL)
		print_route(w, out);
}

static json_t *
json_route(const struct answer *w)
{
	const struct mail_route *r = w->route;
	json_t *hops = json_array();

	if (r == NULL) {
		json_decref(hops);
		return json_null();
	}
	for (size_t i = 0; i < r->hops_n; i++) {
		const struct next_hop *h = &r->hops[i];

		json_array_append_new(hops,
		    json_pack("{s:s, s:i, s:i, s:s, s:b, s:s}", "host", h->host,
			"port", (int)h->port, "priority", (int)h->priority,
			"tls", tls_word(h->tls), "implicit", (int)h->implicit,
			"name", h->name));
	}
	return json_pack("{s:s, s:s, s:i, s:s*, s:s, s:b, s:o, s:s*}", "name",
	    r->name, "file", r->file, "line", (int)r->line, "side",
	    side_word(r), "detox", r->detox, "verify_recipients",
	    (int)r->verify_recipients, "next_hops", hops, "mx_tls",
	    r->hops_n == 0 ? tls_word(r->mx_tls) : NULL);
}

static void
print_json(struct answer *w, FILE *out)
{
	const struct segment *from = w->segment;
	json_t *steps = json_array();

	for (size_t i = 0; i < STEPS; i++) {
		const struct step *s = &w->steps[i];

		json_array_append_new(steps,
		    json_pack("{s:s, s:s, s:s, s:s*, s:i, s:s*}", "step",
			s->name, "verdict", verdict_word(s->verdict), "rule",
			s->why.rule, "file", s->why.file, "line",
			(int)s->why.line, "reply",
			reply_text(&w->a, &s->reply)));
	}
	explain_json(out,
	    json_pack("{s:s*, s:s*, s:s*, s:o, s:o, s:o*}", "body",
		from == NULL ? NULL : from->body->code, "zone",
		from == NULL ? NULL : from->zone->name, "helo", w->q->helo,
		"steps", steps, "route", json_route(w), "rspamd",
		w->route == NULL ? NULL : json_rspamd(w)));
}

int
mail_explain(const struct routes *r, const struct zones *zones,
    const struct mail_question *q, enum explain_format format, FILE *out)
{
	struct answer w = { .q = q, .segment = zones_lookup(zones, &q->from) };
	int result = 0;

	if (take_address(&w, q->sender, &w.sender, out) < 0 ||
	    take_address(&w, q->recipient, &w.recipient, out) < 0) {
		arena_release(&w.a);
		return 1;
	}
	judge(r, &w);
	if (format == EXPLAIN_JSON)
		print_json(&w, out);
	else
		print_text(&w, out);
	for (size_t i = 0; i < STEPS; i++)
		if (w.steps[i].verdict == MAIL_REFUSED)
			result = 2;
	arena_release(&w.a);
	return result;
}
