/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "proxy/handover/slip.h"
#include "proxy/isolation/spans.h"

#define GIB ((double)((uint64_t)1 << 30))
#define MIB ((double)((uint64_t)1 << 20))
const struct setting handover_table[] = {
	SETTING_TEXT_ROW(handover_settings, folder, "/var/lib/sekisho/handover",
	    1, 4096, "The folder of files that wait to be fetched, encrypted.",
	    "受け取りを待つファイルを暗号化して置くフォルダー。"),
	SETTING_TEXT_ROW(handover_settings, key_file, "handover.key", 1, 4096,
	    "File of the key that opens them: 32 random bytes, for root alone."
	    " Made at the first start when it is not there.",
	    "それを開く鍵のファイル（乱数 32 バイト、root だけが読める）。なけ"
	    "れば最初の起動時に作ります。"),
	SETTING(handover_settings, bytes_max, SIZE, 20 * GIB, MIB, 16384 * GIB,
	    "Most bytes of all that waits. What has no room is not taken.",
	    "待っているファイルの合計の上限。入らないものは受け付けません。"),
	SETTING_NEST_ROW(ways, "Who may hand over to whom; a list.",
	    "受け渡しの経路（並び）。"),
};
const size_t handover_table_n = COUNT(handover_table);

#define ROW(field, kind, ...) SETTING(handover_way, field, kind, __VA_ARGS__)
#define NAMED(name, field_, initial, min_, max_, en, ja)                     \
	{                                                                    \
		.key = name, .kind = SETTING_TEXT,                           \
		.offset = SETTING_FIELD(handover_way, field_, const char *), \
		.initial_text = (initial), .min = (min_), .max = (max_),     \
		.words_en = (en), .words_ja = (ja)                           \
	}

const struct setting handover_way_table[] = {
	SETTING_TEXT_ROW(handover_way, name, NULL, 1, HANDOVER_NAME_MAX,
	    "What the records call it.", "記録での名前。"),
	SETTING_TEXT_ROW(handover_way, title_ja, "", 0, 120,
	    "What pages call it, in Japanese.", "画面での呼び名（日本語）。"),
	SETTING_TEXT_ROW(handover_way, title_en, "", 0, 120,
	    "The same in English.", "画面での呼び名（英語）。"),
	NAMED("from", from_name, NULL, 1, 64,
	    "The zone that files come from. Ways lead from an internet zone to"
	    " an LGWAN zone, from either to a My Number zone, and from that to"
	    " an LGWAN zone; there are no others.",
	    "渡す側の区域。経路はインターネット接続系から LGWAN 接続系へ、その"
	    "どちらかからマイナンバー利用事務系へ、そこから LGWAN 接続系へのも"
	    "のだけで、ほかは設定できません。"),
	NAMED("to", to_name, NULL, 1, 64,
	    "The zone that they go to, of the same body.",
	    "受け取る側の区域（同じ団体）。"),
	{
	    .key = "bodies",
	    .kind = SETTING_TEXTS,
	    .offset = SETTING_FIELD(handover_way, body_codes, struct texts),
	    .max = BODIES_MAX,
	    .words_en = "Codes of the bodies that have this way; none: all.",
	    .words_ja = "この経路を使う団体のコード。なければすべて。",
	},
	SETTING_TEXT_ROW(handover_way, profile, "strict", 1, 64,
	    "The profile of detox that makes them harmless. \"none\" can stand"
	    " only where files leave the My Number zone.",
	    "無害化の設定名。\"none\" はマイナンバー利用事務系から出すときだけ"
	    "書けます。"),
	SETTING_TEXT_ROW(handover_way, approval, "other", 1, 16,
	    "\"other\": another person than who hands over must approve;"
	    " \"none\": nobody is asked. Into the My Number zone only"
	    " \"other\" may be.",
	    "\"other\" は渡す人と別の人の承認を必須とし、\"none\" は不要としま"
	    "す。マイナンバー利用事務系へは \"other\" だけです。"),
	{
	    .key = "approvers",
	    .kind = SETTING_TEXTS,
	    .offset = SETTING_FIELD(handover_way, approver_texts, struct texts),
	    .max = 256,
	    .words_en = "Addresses of terminals whose users approve by the"
			" page, each in a segment of the way's bodies, and none"
			" of the My Number zone; who handed over does not"
			" approve. None: `sekishoctl handover approve` alone.",
	    .words_ja = "画面で承認する人の端末のアドレス。経路の団体の範囲の"
			"中で、マイナンバー利用事務系を除く。渡した端末からは"
			"承認できない。なければ `sekishoctl handover approve` "
			"だけ。",
	},
	ROW(size_max, SIZE, 64 * MIB, 1024, 1024 * MIB,
	    "Most bytes of all files that go together.",
	    "一度に渡すファイルの合計の上限。"),
	ROW(files_max, COUNT, 20, 1, HANDOVER_FILES_MAX,
	    "Most files that go together.", "一度に渡すファイルの数の上限。"),
	ROW(keep_days, COUNT, 7, 1, 366,
	    "Days within which they can be fetched.", "受け取れる日数。"),
	ROW(dlp, TEXTS, 0, 0, 16,
	    "Names of the policies' dlp inspections that look into them; what"
	    " any of them warns of is refused. Out of the My Number zone there"
	    " must be one.",
	    "内容を調べる方針ファイルの dlp の名前。警告以上なら渡しません。マ"
	    "イナンバー利用事務系から出すときは必須です。"),
	NAMED("communication", communication_name, "", 0, 64,
	    "The specific communication that leads out of the My Number zone"
	    " there; the way is closed when that is over.",
	    "マイナンバー利用事務系から出すときの特定通信の名前。期限が過ぎる"
	    "と経路も閉じます。"),
	SETTING_TEXT_ROW(handover_way, drop, "", 0, 4096,
	    "A folder: what is put in it is handed over. Of one body; a client"
	    " of the My Number zone has no other way.",
	    "置いたファイルを渡すフォルダー（一団体に限る）。マイナンバー利用"
	    "事務系から渡す方法はこれだけです。"),
	SETTING_TEXT_ROW(handover_way, out, "", 0, 4096,
	    "A folder that files are delivered to, each once; else they are"
	    " fetched by a page. Of one body; into the My Number zone there"
	    " must be one.",
	    "届け先のフォルダー（一団体に限る）。なければ画面から受け取りま"
	    "す。マイナンバー利用事務系へは必須です。"),
};
const size_t handover_way_table_n = COUNT(handover_way_table);

/* What is being read. */
struct reading {
	const struct handover_world *world;
	const config_setting_t *group; /* of the way */
	struct handover_way *way;
	struct arena *arena;
};

static int
check_name(const struct reading *r, const struct handover_way *before, size_t n,
    struct err *e)
{
	const char *name = r->way->name;

	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
	    strlen(name))
		return setting_error(r->group, e,
		    "name is \"%s\", expected a-z, 0-9 and - alone", name);
	for (size_t i = 0; i < n; i++)
		if (strcmp(before[i].name, name) == 0)
			return setting_error(r->group, e,
			    "there is another way \"%s\", expected one of each"
			    " name",
			    name);
	return 0;
}

static int
find_zone(const struct reading *r, const char *key, const char *name,
    const struct zone **out, struct err *e)
{
	*out = zones_by_name(r->world->zones, bytes_of(name));
	return *out != NULL
	    ? 0
	    : setting_error(r->group, e,
		  "%s is \"%s\", expected the name of a zone", key, name);
}

static int
find_bodies(const struct reading *r, struct err *e)
{
	struct handover_way *w = r->way;

	w->bodies_n = w->body_codes.n;
	w->bodies = (const struct body **)arena_alloc(
	    r->arena, size_mul(w->bodies_n, sizeof(void *)));
	for (size_t i = 0; i < w->bodies_n; i++) {
		w->bodies[i] = zones_body_by_code(
		    r->world->zones, bytes_of(w->body_codes.p[i]));
		if (w->bodies[i] == NULL)
			return setting_error(r->group, e,
			    "bodies has \"%s\", expected the code of a body",
			    w->body_codes.p[i]);
	}
	return 0;
}

/* Which zones a way may join at all. */
static int
check_direction(const struct reading *r, struct err *e)
{
	static const struct {
		enum zone_kind from, to;
	} may[] = {
		{ ZONE_INTERNET, ZONE_LGWAN },
		{ ZONE_INTERNET, ZONE_MYNUMBER },
		{ ZONE_LGWAN, ZONE_MYNUMBER },
		{ ZONE_MYNUMBER, ZONE_LGWAN },
	};
	const struct handover_way *w = r->way;

	for (size_t i = 0; i < COUNT(may); i++)
		if (w->from->kind == may[i].from && w->to->kind == may[i].to)
			return 0;
	return setting_error(r->group, e,
	    "the way leads from \"%s\" to \"%s\", expected one from an"
	    " internet zone to an LGWAN zone, from either to a My Number zone,"
	    " or from that to an LGWAN zone",
	    w->from_name, w->to_name);
}

static int
find_profile(const struct reading *r, struct err *e)
{
	struct handover_way *w = r->way;
	ssize_t at;

	if (strcmp(w->profile, HANDOVER_PROFILE_NONE) == 0)
		return w->from->kind == ZONE_MYNUMBER
		    ? 0
		    : setting_error(r->group, e,
			  "profile is \"none\", expected a profile of detox:"
			  " nothing goes from \"%s\" to \"%s\" as it is",
			  w->from_name, w->to_name);
	at = detox_profiles_find(r->world->profiles, w->profile);
	if (at < 0)
		return setting_error(r->group, e,
		    "profile is \"%s\", expected a profile of detox or"
		    " \"none\"",
		    w->profile);
	w->has_profile = true;
	w->profile_at = (uint32_t)at;
	return 0;
}

static int
check_approval(const struct reading *r, struct err *e)
{
	struct handover_way *w = r->way;

	if (strcmp(w->approval, "other") == 0)
		return 0;
	if (strcmp(w->approval, "none") != 0)
		return setting_error(r->group, e,
		    "approval is \"%s\", expected \"other\" or \"none\"",
		    w->approval);
	w->approves = HANDOVER_UNASKED;
	return w->to->kind != ZONE_MYNUMBER
	    ? 0
	    : setting_error(r->group, e,
		  "approval is \"none\", expected \"other\": nothing goes into"
		  " \"%s\" without a second person",
		  w->to_name);
}

static int
find_inspections(const struct reading *r, struct err *e)
{
	struct handover_way *w = r->way;
	ssize_t text =
	    detox_profiles_find(r->world->profiles, DETOX_TEXT_PROFILE);

	if (w->from->kind == ZONE_MYNUMBER && w->dlp.n == 0)
		return setting_error(r->group, e,
		    "dlp is missing, expected names of dlp inspections: \"%s\""
		    " is left by nothing that they did not look into",
		    w->from_name);
	if ((w->dlp.n > 0 || policy_canaries(r->world->policy, true) != NULL) &&
	    text < 0)
		return setting_error(r->group, e,
		    "%s without a profile \"%s\" of detox.profiles, by which"
		    " texts are taken out",
		    w->dlp.n > 0 ? "dlp" : "leak_canaries", DETOX_TEXT_PROFILE);
	w->text_at = text < 0 ? 0 : (uint32_t)text;
	w->inspections = (const struct inspection **)arena_alloc(
	    r->arena, size_mul(w->dlp.n, sizeof(void *)));
	for (size_t i = 0; i < w->dlp.n; i++) {
		const struct inspection *found = policy_inspection_named(
		    r->world->policy, bytes_of(w->dlp.p[i]));

		if (found == NULL || found->kind != INSPECTION_DLP)
			return setting_error(r->group, e,
			    "dlp has \"%s\", expected the name of a dlp"
			    " inspection of the policies",
			    w->dlp.p[i]);
		w->inspections[i] = found;
	}
	return 0;
}

/* Whether all of it stands in the zone, in segments of a body that has the
 * way. */
static bool
is_inside(
    const struct reading *r, const struct prefix *p, const struct zone *zone)
{
	uint8_t at[16], end[16], last[16];

	prefix_ends(p, at, end);
	for (;;) {
		const struct segment *s =
		    zones_stretch(r->world->zones, at, last);

		if (s == NULL || s->zone != zone ||
		    !handover_way_is_of(r->way, s->body))
			return false;
		if (memcmp(last, end, sizeof(end)) >= 0)
			return true;
		memcpy(at, last, sizeof(at));
		if (!octets_next(at))
			return true;
	}
}

/* People at terminals of the bodies, where a page can be had. */
static int
find_approvers(const struct reading *r, struct err *e)
{
	struct handover_way *w = r->way;

	w->approvers =
	    ARENA_ARRAY(r->arena, struct prefix, w->approver_texts.n);
	for (size_t i = 0; i < w->approver_texts.n; i++) {
		struct prefix *p = &w->approvers[w->approvers_n++];
		const char *text = w->approver_texts.p[i];

		if (prefix_parse(p, bytes_of(text)) < 0)
			return setting_error(r->group, e,
			    "approvers has \"%s\", expected an address", text);
		if ((w->from->kind == ZONE_MYNUMBER ||
			!is_inside(r, p, w->from)) &&
		    (w->to->kind == ZONE_MYNUMBER || !is_inside(r, p, w->to)))
			return setting_error(r->group, e,
			    "approvers has \"%s\", expected an address in a"
			    " zone of the way that has pages, of its bodies",
			    text);
	}
	return 0;
}

static const struct communication *
named_communication(const struct reading *r)
{
	const struct isolation_model *m = r->world->isolation;

	for (size_t i = 0; m != NULL && i < m->communications_n; i++)
		if (strcmp(m->communications[i].name,
			r->way->communication_name) == 0)
			return &m->communications[i];
	return NULL;
}

/* Out of the My Number zone: the very segments that it names, and no more. */
static int
find_communication(const struct reading *r, struct err *e)
{
	struct handover_way *w = r->way;
	const struct communication *c = named_communication(r);

	if (w->communication_name[0] == '\0')
		return w->from->kind != ZONE_MYNUMBER
		    ? 0
		    : setting_error(r->group, e,
			  "communication is missing, expected the name of a"
			  " specific communication: \"%s\" is left by no other"
			  " way",
			  w->from_name);
	if (c == NULL)
		return setting_error(r->group, e,
		    "communication is \"%s\", expected the name of a specific"
		    " communication",
		    w->communication_name);
	for (size_t i = 0; i < c->from_n; i++)
		if (!is_inside(r, &c->from[i], w->from))
			return setting_error(r->group, e,
			    "communication \"%s\" (%s:%u) is from elsewhere,"
			    " expected one from \"%s\" of the way's bodies",
			    c->name, c->source.file, c->source.line,
			    w->from_name);
	for (size_t i = 0; i < c->to_n; i++)
		if (!is_inside(r, &c->to[i], w->to))
			return setting_error(r->group, e,
			    "communication \"%s\" (%s:%u) leads elsewhere,"
			    " expected one to \"%s\" of the way's bodies",
			    c->name, c->source.file, c->source.line,
			    w->to_name);
	w->communication = c;
	return 0;
}

/* A folder is a body's own: nobody else's files come near it. */
static int
check_folders(const struct reading *r, struct err *e)
{
	struct handover_way *w = r->way;
	const struct {
		const char *key;
		const char **at;
		const struct zone *needed_by;
	} folders[] = {
		{ "drop", &w->drop, w->from },
		{ "out", &w->out, w->to },
	};

	for (size_t i = 0; i < COUNT(folders); i++) {
		const char *name = *folders[i].at;

		if (name[0] == '\0' &&
		    folders[i].needed_by->kind == ZONE_MYNUMBER)
			return setting_error(r->group, e,
			    "%s is missing, expected a folder: no client of"
			    " \"%s\" has a page",
			    folders[i].key, folders[i].needed_by->name);
		if (name[0] == '\0')
			continue;
		if (w->bodies_n != 1)
			return setting_error(r->group, e,
			    "%s is \"%s\" and the way has %zu bodies, expected"
			    " one: a folder is of one body alone",
			    folders[i].key, name, w->bodies_n);
		if (name[0] != '/')
			*folders[i].at = arena_printf(
			    r->arena, "%s/%s", r->world->folder, name);
	}
	return 0;
}

/* What is delivered in one must not be taken from it again. */
static int
check_apart(const struct reading *r, const struct handover_way *before,
    size_t n, struct err *e)
{
	const char *mine[] = { r->way->drop, r->way->out };

	for (size_t i = 0; i < COUNT(mine); i++)
		for (size_t k = 0; k <= n && mine[i][0] != '\0'; k++) {
			const struct handover_way *o =
			    k == n ? r->way : &before[k];
			bool drop =
			    (k < n || i == 1) && strcmp(o->drop, mine[i]) == 0;
			bool out =
			    (k < n || i == 0) && strcmp(o->out, mine[i]) == 0;

			if (drop || out)
				return setting_error(r->group, e,
				    "folder \"%s\" stands twice, expected each"
				    " in one way alone, as drop or as out",
				    mine[i]);
		}
	return 0;
}

static int
read_way(const struct reading *r, const struct handover_way *before, size_t n,
    struct err *e)
{
	struct handover_way *w = r->way;
	const char *file = setting_source(r->group);

	if (setting_load(handover_way_table, handover_way_table_n, r->group, w,
		r->arena, e) < 0)
		return -1;
	w->index = (unsigned)n;
	w->source = (struct model_source){
		arena_string(r->arena, bytes_of(file)),
		config_setting_source_line(r->group),
	};
	return check_name(r, before, n, e) < 0 ||
		find_zone(r, "from", w->from_name, &w->from, e) < 0 ||
		find_zone(r, "to", w->to_name, &w->to, e) < 0 ||
		find_bodies(r, e) < 0 || check_direction(r, e) < 0 ||
		find_profile(r, e) < 0 || check_approval(r, e) < 0 ||
		find_inspections(r, e) < 0 || check_folders(r, e) < 0 ||
		check_apart(r, before, n, e) < 0 || find_approvers(r, e) < 0
	    ? -1
	    : find_communication(r, e);
}

int
handover_settings_load(const config_setting_t *root,
    const struct handover_world *w, struct arena *a,
    struct handover_settings *out, struct err *e)
{
	const config_setting_t *group =
	    config_setting_get_member(root, "handover");
	const config_setting_t *list;
	size_t n;
	int all = 0;

	if (setting_load(handover_table, handover_table_n, group, out, a, e) <
	    0)
		return -1;
	list = group == NULL ? NULL : setting_list(group, "ways", e);
	if (list == NULL)
		return group != NULL && e->text[0] != '\0' ? -1 : 0;
	n = (size_t)config_setting_length(list);
	if (n > HANDOVER_WAYS_MAX)
		return setting_error(list, e, "%zu ways, expected at most %d",
		    n, HANDOVER_WAYS_MAX);
	out->ways = ARENA_ARRAY(a, struct handover_way, n);
	for (size_t i = 0; i < n; i++) {
		const struct reading r = {
			.world = w,
			.group = config_setting_get_elem(list, (unsigned)i),
			.way = &out->ways[i],
			.arena = a,
		};

		if (err_take(&all, read_way(&r, out->ways, i, e), e) < 0)
			return -1;
		/* What failed must not be looked at by the next. */
		if (all < 0)
			return -1;
	}
	out->ways_n = n;
	return all;
}

const struct handover_way *
handover_way(const struct handover_settings *s, struct bytes name)
{
	for (size_t i = 0; i < s->ways_n; i++)
		if (bytes_equal(bytes_of(s->ways[i].name), name))
			return &s->ways[i];
	return NULL;
}

bool
handover_way_is_of(const struct handover_way *w, const struct body *body)
{
	for (size_t i = 0; i < w->bodies_n; i++)
		if (w->bodies[i] == body)
			return true;
	return w->bodies_n == 0;
}

bool
handover_way_is_open(const struct handover_way *w, time_t now)
{
	return w->communication == NULL || now < w->communication->expires;
}

bool
handover_way_has_approver(
    const struct handover_way *w, const struct address *client)
{
	return prefixes_contain(w->approvers, w->approvers_n, client);
}

bool
handover_way_has_page(const struct handover_way *w)
{
	return w->from->kind != ZONE_MYNUMBER;
}
