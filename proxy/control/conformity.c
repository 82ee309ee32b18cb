/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/conformity.h"

#include <jansson.h>
#include <libpsl.h>
#include <string.h>

#include "proxy/policy/openings.h"

/* An address rule wider than these names no service. */
#define SERVICE_BITS_V4 (96 + 16)
#define SERVICE_BITS_V6 32
#define NAMES_TEXT_MAX 200

enum result {
	UNFIT = 0,
	UNCHECKED,
	FITS,
};

static const struct {
	const char *json, *en, *ja;
} results[] = {
	[UNFIT] = { "unfit", "UNFIT", "不適合" },
	[UNCHECKED] = { "unchecked", "not checked", "未確認" },
	[FITS] = { "fits", "fits", "適合" },
};

static const struct {
	const char *en, *ja;
} models[BODY_MODELS] = {
	[BODY_MODEL_ALPHA] = { "alpha", "α モデル" },
	[BODY_MODEL_ALPHA_PRIME] = { "alpha-prime", "α′ モデル" },
	[BODY_MODEL_BETA] = { "beta", "β モデル" },
	[BODY_MODEL_BETA_PRIME] = { "beta-prime", "β′ モデル" },
};

enum check {
	CHECK_TERMINALS,
	CHECK_LGWAN,
	CHECK_SERVICES,
	CHECK_APART,
	CHECK_MYNUMBER,
	CHECK_KERNEL,
	CHECK_MAIL,
	CHECK_MOVED,
	CHECK_ORGANISATION,
	CHECK_AROUND,
};

static const struct {
	const char *json, *en, *ja;
} checks[] = {
	[CHECK_TERMINALS] = { "terminals", "office terminals", "業務端末" },
	[CHECK_LGWAN] = { "lgwan-web", "web from the LGWAN zone",
	    "LGWAN接続系からのウェブ" },
	[CHECK_SERVICES] = { "services", "the services", "宛先のサービス" },
	[CHECK_APART] = { "zones-apart", "zones apart", "区域の間の通信" },
	[CHECK_MYNUMBER] = { "mynumber", "My Number zone",
	    "マイナンバー利用事務系" },
	[CHECK_KERNEL] = { "kernel", "kernel", "カーネル" },
	[CHECK_MAIL] = { "mail", "mail", "メール" },
	[CHECK_MOVED] = { "moved-systems", "systems that moved",
	    "移したシステム" },
	[CHECK_ORGANISATION] = { "organisation", "people and audits",
	    "組織・人・監査" },
	[CHECK_AROUND] = { "around", "other ways", "ほかの受け渡し" },
};

struct remark {
	enum check check;
	enum result result;
	const char *en, *ja;
	struct model_source source; /* file NULL: of no entry */
	struct remark *next;
};

struct report {
	const struct settings *settings;
	struct arena arena;
	/* of the body at hand */
	const struct body *body;
	enum body_model model;
	size_t segments[3]; /* by zone kind */
	struct remark *first, **last;
	size_t unfit;
};

/* Both texts are in the arena, or static. */
static void
find(struct report *r, enum check check, enum result result, const char *en,
    const char *ja, struct model_source source)
{
	struct remark *f = ARENA_NEW(&r->arena, struct remark);

	*f = (struct remark){ check, result, en, ja, source, NULL };
	*r->last = f;
	r->last = &f->next;
	r->unfit += result == UNFIT;
}

static const struct model_source nowhere;

static void
count_segments(struct report *r)
{
	const struct zones *z = r->settings->zones;

	memset(r->segments, 0, sizeof(r->segments));
	for (size_t i = 0; i < zones_segments(z); i++) {
		const struct segment *s = zones_segment(z, i);

		if (s->body == r->body)
			r->segments[s->zone->kind]++;
	}
}

static bool
is_alpha(enum body_model m)
{
	return m == BODY_MODEL_ALPHA || m == BODY_MODEL_ALPHA_PRIME;
}

static void
check_terminals(struct report *r)
{
	bool alpha = is_alpha(r->model);
	size_t n = r->segments[alpha ? ZONE_LGWAN : ZONE_INTERNET];
	const char *en = alpha ? "LGWAN" : "internet";
	const char *ja = alpha ? "LGWAN接続系" : "インターネット接続系";

	if (n == 0)
		find(r, CHECK_TERMINALS, UNFIT,
		    arena_printf(&r->arena,
			"the model has them in the %s zone, where no segment"
			" is registered",
			en),
		    arena_printf(&r->arena,
			"モデルでは%sに置くが、その範囲が登録されていない", ja),
		    nowhere);
	else
		find(r, CHECK_TERMINALS, FITS,
		    arena_printf(&r->arena,
			"the model has them in the %s zone; segments there:"
			" %zu",
			en, n),
		    arena_printf(&r->arena,
			"モデルでは%sに置く。その範囲は %zu 件", ja, n),
		    nowhere);
}

/* Where a rule leads, in words that fit on a line. */
static const char *
names_of(struct report *r, const struct opening *o)
{
	char text[NAMES_TEXT_MAX] = "";
	size_t used = 0;
	char prefix[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < o->destinations_n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    " %.*s", BYTES_PRINTF(o->destinations[i]));
	for (size_t i = 0; i < o->urls_n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    " %.*s", BYTES_PRINTF(o->urls[i].host));
	for (size_t i = 0; i < o->addresses_n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    " %s", prefix_text(&o->addresses[i], prefix));
	return arena_printf(&r->arena, "%s%s", used == 0 ? "" : text + 1,
	    used >= sizeof(text) ? " …" : "");
}

#define IN(place) (1u << (place))

static bool
is_lgwan(const struct report *r, const struct prefix *p)
{
	unsigned places = isolation_places(r->settings->isolation, p, NULL);

	return (places & ~(IN(PLACE_LGWAN) | IN(PLACE_LGWAN_NETWORK))) == 0;
}

static bool
address_is_lgwan(const struct report *r, const struct address *a)
{
	struct prefix p = { .bits = 128 };

	memcpy(p.octets, a->octets, sizeof(p.octets));
	return is_lgwan(r, &p);
}

static bool
host_is_lgwan(const struct report *r, const struct url *u)
{
	const struct upstream_settings *s = &r->settings->upstream;

	if (u->is_address)
		return address_is_lgwan(r, &u->address);
	for (size_t i = 0; i < s->hosts_n; i++) {
		const struct static_host *h = &s->hosts[i];
		bool all = h->n > 0;

		if (!bytes_equal(bytes_of(h->name), u->host))
			continue;
		for (size_t k = 0; k < h->n; k++)
			all &= address_is_lgwan(r, &h->addresses[k]);
		return all;
	}
	return false;
}

/* Whether it leads to LGWAN alone. A name with all below it may lead anywhere:
 * only hosts whose addresses the settings give, and addresses, are sure. */
static bool
leads_to_lgwan(const struct report *r, const struct opening *o)
{
	if (o->rule->connect_to.n > 0)
		return false;
	if (o->addresses_n > 0) {
		for (size_t i = 0; i < o->addresses_n; i++)
			if (!is_lgwan(r, &o->addresses[i]))
				return false;
		return true;
	}
	for (size_t i = 0; i < o->urls_n; i++)
		if (!host_is_lgwan(r, &o->urls[i]))
			return false;
	return o->urls_n > 0;
}

static bool
names_a_service(struct bytes name)
{
	struct arena a = { 0 };
	bool result = bytes_index(name, '.') > 0 &&
	    !psl_is_public_suffix(psl_builtin(), arena_string(&a, name));

	arena_release(&a);
	return result;
}

static bool
is_narrow(const struct prefix *p)
{
	struct address a = { 0 };

	memcpy(a.octets, p->octets, sizeof(a.octets));
	return p->bits >=
	    (address_is_v4(&a) ? SERVICE_BITS_V4 : SERVICE_BITS_V6);
}

/* Whether each place that it leads to has a name of its own. Conditions of
 * several kinds hold together, so that one kind is enough. */
static bool
is_named(const struct opening *o)
{
	bool names = o->destinations_n > 0;
	bool addresses = o->addresses_n > 0;

	for (size_t i = 0; i < o->destinations_n; i++)
		names &= names_a_service(o->destinations[i]);
	for (size_t i = 0; i < o->addresses_n; i++)
		addresses &= is_narrow(&o->addresses[i]);
	return names || addresses || o->urls_n > 0;
}

enum leads {
	LEADS_ANYWHERE,
	LEADS_NAMED,
	LEADS_LGWAN,
};

/* What the models say of a way from the LGWAN zone. */
static const struct {
	enum result result;
	const char *en, *ja;
} ways[BODY_MODELS][3] = {
#define ANYWHERE                                                                        \
	{                                                                               \
		UNFIT, "names no service", "特定のサービスを指していない" \
	}
#define LGWAN                                                      \
	{                                                          \
		FITS, "leads to LGWAN alone", "LGWAN の中だけ" \
	}
	[BODY_MODEL_ALPHA] = { ANYWHERE,
	    { UNFIT,
		"not known to be of LGWAN alone, and the model has no way out"
		" from there",
		"LGWAN "
		"の中だけとは確かめられず、モデルは外への接続を認めない" },
	    LGWAN },
	[BODY_MODEL_ALPHA_PRIME] = { ANYWHERE,
	    { FITS, "names its services", "宛先を名指ししている" }, LGWAN },
	[BODY_MODEL_BETA] = { ANYWHERE,
	    { UNCHECKED, "whether the model allows it",
		"モデルが認める接続か" },
	    LGWAN },
	[BODY_MODEL_BETA_PRIME] = { ANYWHERE,
	    { UNCHECKED, "whether the model allows it",
		"モデルが認める接続か" },
	    LGWAN },
#undef ANYWHERE
#undef LGWAN
};

static void
judge_opening(void *owner, const struct opening *o)
{
	struct report *r = owner;
	const struct rule *rule = o->rule;
	enum leads leads = leads_to_lgwan(r, o) ? LEADS_LGWAN
	    : is_named(o)                       ? LEADS_NAMED
						: LEADS_ANYWHERE;
	const char *names = names_of(r, o);

	find(r, CHECK_LGWAN, ways[r->model][leads].result,
	    arena_printf(&r->arena, "rule \"%s\" lets it reach %s: %s",
		rule->name, names, ways[r->model][leads].en),
	    arena_printf(&r->arena, "規則「%s」が許す %s: %s", rule->name,
		names, ways[r->model][leads].ja),
	    (struct model_source){ rule->file, rule->line });
}

static bool
has_segment_of(const struct report *r, const struct zone *z)
{
	const struct zones *all = r->settings->zones;

	for (size_t i = 0; i < zones_segments(all); i++)
		if (zones_segment(all, i)->body == r->body &&
		    zones_segment(all, i)->zone == z)
			return true;
	return false;
}

static void
check_lgwan_web(struct report *r)
{
	const struct zones *z = r->settings->zones;
	size_t n = 0;

	if (r->segments[ZONE_LGWAN] == 0) {
		find(r, CHECK_LGWAN, UNCHECKED,
		    "no segment of the LGWAN zone is registered",
		    "LGWAN接続系の範囲が登録されていない", nowhere);
		return;
	}
	for (unsigned i = 0; i < zones_zones(z); i++) {
		const struct zone *zone = zones_zone(z, i);

		if (zone->kind == ZONE_LGWAN && has_segment_of(r, zone))
			n += policy_openings(r->settings->policy, zone, r->body,
			    judge_opening, r);
	}
	if (n == 0)
		find(r, CHECK_LGWAN, FITS,
		    "no rule lets the LGWAN zone reach anything",
		    "LGWAN接続系に接続を許す規則はない", nowhere);
	if (r->model == BODY_MODEL_ALPHA_PRIME)
		find(r, CHECK_SERVICES, UNCHECKED,
		    "whether these are services that the guideline lets the"
		    " model reach",
		    "許した宛先が、ガイドラインの認めるクラウドサービスか",
		    nowhere);
}

static unsigned
places_of(const struct report *r, const struct prefix *p, size_t n,
    const struct body *body)
{
	unsigned places = 0;

	for (size_t i = 0; i < n; i++)
		places |= isolation_places(r->settings->isolation, &p[i], body);
	return places;
}

/* Whether one end is of the body's zone and the other of such a place. */
static bool
joins(const struct report *r, const struct communication *c, enum place own,
    unsigned others)
{
	unsigned from = places_of(r, c->from, c->from_n, r->body);
	unsigned to = places_of(r, c->to, c->to_n, r->body);

	return ((from & IN(own)) != 0 &&
		   (places_of(r, c->to, c->to_n, NULL) & others) != 0) ||
	    ((to & IN(own)) != 0 &&
		(places_of(r, c->from, c->from_n, NULL) & others) != 0);
}

/* The kernel passes them packet by packet: nothing looks into what travels. */
static void
check_apart(struct report *r)
{
	const struct isolation_model *m = r->settings->isolation;
	size_t n = 0;

	for (size_t i = 0; i < m->communications_n; i++) {
		const struct communication *c = &m->communications[i];

		if (!joins(r, c, PLACE_INTERNET,
			IN(PLACE_LGWAN) | IN(PLACE_LGWAN_NETWORK)) &&
		    !joins(r, c, PLACE_LGWAN, IN(PLACE_INTERNET)))
			continue;
		n++;
		find(r, CHECK_APART, UNCHECKED,
		    arena_printf(&r->arena,
			"communication \"%s\" joins an internet zone and"
			" LGWAN; what it carries is not made harmless here",
			c->name),
		    arena_printf(&r->arena,
			"特定通信「%s」がインターネット接続系と LGWAN "
			"をつなぐ。"
			"内容はここでは無害化されない",
			c->name),
		    c->source);
	}
	if (n == 0)
		find(r, CHECK_APART, FITS,
		    "no communication joins an internet zone and LGWAN",
		    "インターネット接続系と LGWAN をつなぐ特定通信はない",
		    nowhere);
}

static void
check_mynumber(struct report *r)
{
	const struct isolation_model *m = r->settings->isolation;
	size_t n = 0;

	if (r->segments[ZONE_MYNUMBER] == 0) {
		find(r, CHECK_MYNUMBER, UNCHECKED,
		    "no segment of it is registered", "範囲が登録されていない",
		    nowhere);
		return;
	}
	for (size_t i = 0; i < m->communications_n; i++)
		n += joins(r, &m->communications[i], PLACE_MYNUMBER, ~0u);
	find(r, CHECK_MYNUMBER, FITS,
	    arena_printf(&r->arena,
		"nothing registered leads from it to the internet or an"
		" internet zone; communications with other ends: %zu",
		n),
	    arena_printf(&r->arena,
		"インターネット側へ通じる登録はない。ほかの相手との特定通信は"
		" %zu 件",
		n),
	    nowhere);
	if (!m->settings.kernel)
		find(r, CHECK_KERNEL, UNCHECKED,
		    "whether packets around this machine's proxies are"
		    " stopped: isolation.kernel is false",
		    "プロキシを通らない通信が止まるか（isolation.kernel が "
		    "false）",
		    nowhere);
}

static void
judge_route(struct report *r, const struct mail_route *route)
{
	struct model_source source = { route->file, route->line };
	bool lgwan = route->side == MAIL_SIDE_LGWAN;

	if (lgwan && !route->rebuilt)
		find(r, CHECK_MAIL, UNFIT,
		    arena_printf(&r->arena,
			"mail route \"%s\" leads to the LGWAN side and is not"
			" made harmless",
			route->name),
		    arena_printf(&r->arena,
			"メール経路「%s」は LGWAN 側へ渡すのに無害化しない",
			route->name),
		    source);
	else if (lgwan)
		find(r, CHECK_MAIL, FITS,
		    arena_printf(&r->arena,
			"mail route \"%s\" to the LGWAN side is made harmless"
			" (%s)",
			route->name, route->detox),
		    arena_printf(&r->arena,
			"LGWAN 側へのメール経路「%s」は無害化する（%s）",
			route->name, route->detox),
		    source);
	else
		find(r, CHECK_MAIL, UNCHECKED,
		    arena_printf(&r->arena,
			"mail route \"%s\" leads to the internet side (detox"
			" %s); how its mail comes to the LGWAN zone",
			route->name, route->detox),
		    arena_printf(&r->arena,
			"メール経路「%s」はインターネット側へ渡す（無害化 "
			"%s）。"
			"LGWAN接続系への取り込み方",
			route->name, route->detox),
		    source);
}

static void
check_mail(struct report *r)
{
	const struct routes *routes = r->settings->routes;
	size_t n = routes == NULL ? 0 : routes_count(routes);
	size_t own = 0;

	for (size_t i = 0; i < n; i++) {
		const struct mail_route *route = routes_at(routes, i);

		if (route->body != r->body)
			continue;
		own++;
		judge_route(r, route);
	}
	if (own == 0)
		find(r, CHECK_MAIL, UNCHECKED, "no mail route of the body",
		    "この団体のメール経路がない", nowhere);
}

/* What no setting of this machine tells. */
static void
add_unchecked(struct report *r)
{
	if (!is_alpha(r->model))
		find(r, CHECK_MOVED, UNCHECKED,
		    "which business systems and what information were moved to"
		    " the internet zone",
		    "インターネット接続系へ移した業務システムと情報資産",
		    nowhere);
	if (r->model != BODY_MODEL_ALPHA)
		find(r, CHECK_ORGANISATION, UNCHECKED,
		    "what the model asks of terminals, of people and of"
		    " audits by others",
		    "モデルが求める端末・組織・人的対策と外部監査", nowhere);
	find(r, CHECK_AROUND, UNCHECKED,
	    "screen transfer, media and other ways around this machine",
	    "画面転送、媒体など、この計算機を通らない受け渡し", nowhere);
}

static void
check_body(struct report *r, const struct body *b)
{
	r->body = b;
	r->model = r->settings->isolation->body_models[b->index];
	r->first = NULL;
	r->last = &r->first;
	count_segments(r);
	check_terminals(r);
	check_lgwan_web(r);
	check_apart(r);
	check_mynumber(r);
	check_mail(r);
	add_unchecked(r);
}

static void
print_text(const struct report *r, bool ja, FILE *out)
{
	fprintf(out, "%s %s: %s\n", r->body->code,
	    ja ? r->body->name_ja : r->body->name_en,
	    ja ? models[r->model].ja : models[r->model].en);
	for (const struct remark *f = r->first; f != NULL; f = f->next) {
		fprintf(out, "  [%s] %s: %s",
		    ja ? results[f->result].ja : results[f->result].en,
		    ja ? checks[f->check].ja : checks[f->check].en,
		    ja ? f->ja : f->en);
		if (f->source.file != NULL)
			fprintf(
			    out, " (%s:%u)", f->source.file, f->source.line);
		fputc('\n', out);
	}
}

static json_t *
json_body(const struct report *r)
{
	json_t *list = json_array();

	for (const struct remark *f = r->first; f != NULL; f = f->next) {
		json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "check",
		    checks[f->check].json, "result", results[f->result].json,
		    "words_ja", f->ja, "words_en", f->en);

		if (f->source.file != NULL) {
			json_object_set_new(
			    j, "file", json_string(f->source.file));
			json_object_set_new(j, "line",
			    json_integer((json_int_t)f->source.line));
		}
		json_array_append_new(list, j);
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "body", r->body->code,
	    "name_ja", r->body->name_ja, "name_en", r->body->name_en, "model",
	    models[r->model].en, "checks", list);
}

size_t
conformity_report(
    const struct settings *s, enum conformity_form form, FILE *out)
{
	struct report r = { .settings = s };
	json_t *bodies = json_array();

	for (unsigned i = 0; i < zones_bodies(s->zones); i++) {
		check_body(&r, zones_body(s->zones, i));
		if (form == CONFORMITY_JSON)
			json_array_append_new(bodies, json_body(&r));
		else
			print_text(&r, form == CONFORMITY_JAPANESE, out);
	}
	if (form == CONFORMITY_JSON) {
		json_t *all = json_pack(
		    "{s:b, s:O}", "conforms", r.unfit == 0, "bodies", bodies);

		json_dumpf(all, out, JSON_COMPACT);
		fputc('\n', out);
		json_decref(all);
	} else {
		fprintf(out,
		    form == CONFORMITY_JAPANESE ? "不適合 %zu 件\n"
						: "%zu checks do not hold\n",
		    r.unfit);
	}
	json_decref(bodies);
	arena_release(&r.arena);
	return r.unfit;
}
