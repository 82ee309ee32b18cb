/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/proof/certificate.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/file.h"
#include "proxy/isolation/spans.h"

#define POLICY_FILE_MAX ((size_t)64 << 20)
#define HEX_N (2 * MODEL_DIGEST_N + 1)
#define LINE_WIDTH 80
#define LABEL_WIDTH 14
#define COLUMN_WIDTH 9

/* What the proof takes for given; docs/ISOLATION.md says more of each. */
static const struct {
	const char *en, *ja;
} assumptions[] = {
	{ "Networks of different places meet in this machine alone: no cable,"
	  " switch or second interface leads past it.",
	    "異なる区域のネットワークはこの計算機だけで接する。迂回する配線、"
	    "スイッチ、二つ目のインターフェースはない。" },
	{ "The kernel forwards what `communications` name and nothing else, as"
	  " its rule set says (isolation.kernel).",
	    "カーネルは特定通信だけを転送する（isolation.kernel の規則）。" },
	{ "A packet's source address is its sender's.",
	    "パケットの送信元アドレスは送信者のものである。" },
	{ "Who stands in proxy_protocol_from, forwarded_from or xclient_from"
	  " says the truth about whom it speaks for.",
	    "proxy_protocol_from、forwarded_from、xclient_from に書いた相手は、"
	    "誰の代わりに話すかを正しく告げる。" },
	{ "Where upstream.nameservers is empty, the system's name servers stand"
	  " in no separated network.",
	    "upstream.nameservers が空のとき、システムの DNS サーバーは分離した"
	    "ネットワークにない。" },
	{ "Nothing behind this machine translates addresses, but for the forms"
	  " of IPv4 in IPv6 that are counted as what they stand for.",
	    "この計算機の先でアドレスは変換されない（IPv6 に埋め込んだ IPv4 は"
	    "元のアドレスとして数えた）。" },
	{ "Policies only take away from this: what they say was not needed, and"
	  " their digests are below.",
	    "方針ファイルはここから減らすだけである。証明はその内容に頼らず、"
	    "ダイジェストを下に示す。" },
};

/* Digests. */

static void
hex_of(const uint8_t digest[MODEL_DIGEST_N], char out[HEX_N])
{
	for (size_t i = 0; i < MODEL_DIGEST_N; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* What is digested of one entry: itself a digest, so that all are sorted. */
struct leaf {
	uint8_t digest[MODEL_DIGEST_N];
};

static int
compare_leaves(const void *a, const void *b)
{
	return memcmp(a, b, MODEL_DIGEST_N);
}

struct leaves {
	struct leaf *p;
	size_t n;
	EVP_MD_CTX *ctx;
};

static void
begin_leaf(struct leaves *l, char kind)
{
	must(EVP_DigestInit_ex(l->ctx, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(l->ctx, &kind, 1) == 1);
}

/* With its length, so that no two entries give the same bytes. */
static void
add(struct leaves *l, const void *p, size_t n)
{
	uint8_t length[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n };

	must(EVP_DigestUpdate(l->ctx, length, sizeof(length)) == 1 &&
	    EVP_DigestUpdate(l->ctx, p, n) == 1);
}

static void
add_text(struct leaves *l, const char *text)
{
	add(l, text, strlen(text));
}

static void
end_leaf(struct leaves *l)
{
	must(EVP_DigestFinal_ex(l->ctx, l->p[l->n++].digest, NULL) == 1);
}

static void
digest_grant(struct leaves *l, const struct grant *g)
{
	const uint8_t numbers[] = { (uint8_t)g->carrier, g->protocol,
		(uint8_t)(g->port_first >> 8), (uint8_t)g->port_first,
		(uint8_t)(g->port_last >> 8), (uint8_t)g->port_last };

	begin_leaf(l, 'g');
	add(l, numbers, sizeof(numbers));
	add(l, &g->from, sizeof(g->from));
	add(l, &g->to, sizeof(g->to));
	add_text(l, g->what);
	end_leaf(l);
}

static void
digest_communication(struct leaves *l, const struct communication *c)
{
	char expires[32];

	snprintf(expires, sizeof(expires), "%lld", (long long)c->expires);
	begin_leaf(l, 'c');
	add_text(l, c->name);
	add_text(l, communication_kind_name(c->kind));
	add(l, c->mac, c->has_mac ? sizeof(c->mac) : 0);
	add_text(l, c->purpose);
	add_text(l, c->owner);
	add_text(l, c->approval);
	add_text(l, expires);
	end_leaf(l);
}

static void
digest_text(struct leaves *l, char kind, const char *text)
{
	begin_leaf(l, kind);
	add_text(l, text);
	end_leaf(l);
}

/* Whose word opens the gate, and whose certificate does not. */
static void
digest_trust(struct leaves *l, const struct isolation_settings *s)
{
	for (size_t i = 0; i < s->auditor_keys.n; i++)
		digest_text(l, 'a', s->auditor_pems[i]);
	for (size_t i = 0; i < s->contractor_certificates.n; i++)
		digest_text(l, 'x', s->contractor_certificates.p[i]);
	digest_text(l, 'o', s->contractor_oid);
}

static void
digest_registered(struct leaves *l, const struct isolation_model *m)
{
	digest_trust(l, &m->settings);
	for (unsigned i = 0; i < zones_bodies(m->zones); i++) {
		begin_leaf(l, 'b');
		add_text(l, zones_body(m->zones, i)->code);
		add_text(l, body_model_name(m->body_models[i]));
		end_leaf(l);
	}
	for (size_t i = 0; i < m->systems_n; i++) {
		begin_leaf(l, 's');
		add(l, m->systems[i].digest, MODEL_DIGEST_N);
		end_leaf(l);
	}
	for (size_t i = 0; i < m->endpoints_n; i++) {
		begin_leaf(l, 'e');
		add_text(l, m->endpoints[i].name);
		add_text(l, m->endpoints[i].server_name);
		add_text(l, m->endpoints[i].owner);
		add(l, m->endpoints[i].certificate, MODEL_DIGEST_N);
		end_leaf(l);
	}
	for (size_t i = 0; i < m->communications_n; i++)
		digest_communication(l, &m->communications[i]);
}

void
certificate_model_digest(const struct proof *p, uint8_t out[MODEL_DIGEST_N])
{
	const struct isolation_model *m = p->settings.isolation;
	size_t n = p->grants.n + p->places.n + m->systems_n + m->endpoints_n +
	    m->communications_n + m->settings.auditor_keys.n +
	    m->settings.contractor_certificates.n + 1 + zones_bodies(m->zones);
	struct leaves l = { .ctx = EVP_MD_CTX_new() };

	l.p = calloc(n + 1, sizeof(*l.p));
	must(l.p != NULL && l.ctx != NULL);
	for (size_t i = 0; i < p->grants.n; i++)
		digest_grant(&l, &p->grants.p[i]);
	for (size_t i = 0; i < p->places.n; i++) {
		begin_leaf(&l, 'p');
		add(&l, &p->places.p[i].range, sizeof(struct range));
		add_text(&l, place_name(p->places.p[i].place));
		end_leaf(&l);
	}
	digest_registered(&l, m);
	must(l.n == n);
	qsort(l.p, l.n, sizeof(*l.p), compare_leaves);
	must(EVP_DigestInit_ex(l.ctx, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(l.ctx, l.p, l.n * sizeof(*l.p)) == 1 &&
	    EVP_DigestFinal_ex(l.ctx, out, NULL) == 1);
	EVP_MD_CTX_free(l.ctx);
	free(l.p);
}

static int
digest_file(const struct certificate *c, const char *path, char out[HEX_N],
    struct err *e)
{
	struct buf text = { .max = POLICY_FILE_MAX };
	struct arena a = { 0 };
	uint8_t digest[MODEL_DIGEST_N];
	const char *at =
	    path[0] == '/' ? path : arena_printf(&a, "%s/%s", c->folder, path);
	int result = file_read(at, &text, e);

	if (result == 0) {
		struct bytes b = buf_bytes(&text);

		must(EVP_Digest(b.p, b.n, digest, NULL, EVP_sha256(), NULL) ==
		    1);
		hex_of(digest, out);
	}
	buf_release(&text);
	arena_release(&a);
	return result;
}

/* Bodies. */

struct of_body {
	size_t segments[ZONE_INTERNET + 1];
	size_t systems;
	size_t in, out; /* communications of its My Number segments */
};

static bool
has_mynumber_of(const struct isolation_model *m, const struct prefix *p,
    size_t n, const struct body *b)
{
	for (size_t i = 0; i < n; i++) {
		struct range r = range_of(&p[i]);
		uint8_t last[16];

		do {
			const struct segment *s =
			    zones_stretch(m->zones, r.first, last);

			if (s != NULL && s->body == b &&
			    s->zone->kind == ZONE_MYNUMBER)
				return true;
			memcpy(r.first, last, 16);
		} while (memcmp(last, r.last, 16) < 0 && octets_next(r.first));
	}
	return false;
}

static struct of_body
count_body(const struct isolation_model *m, const struct body *b)
{
	struct of_body out = { 0 };

	for (size_t i = 0; i < zones_segments(m->zones); i++) {
		const struct segment *s = zones_segment(m->zones, i);

		out.segments[s->zone->kind] += s->body == b;
	}
	for (size_t i = 0; i < m->systems_n; i++)
		out.systems += m->systems[i].body == b;
	for (size_t i = 0; i < m->communications_n; i++) {
		const struct communication *c = &m->communications[i];

		out.out += has_mynumber_of(m, c->from, c->from_n, b);
		out.in += has_mynumber_of(m, c->to, c->to_n, b);
	}
	return out;
}

/* The text. */

static const char *const places_ja[PLACES] = {
	[PLACE_OUTSIDE] = "外部",
	[PLACE_MYNUMBER] = "個人番号",
	[PLACE_LGWAN] = "LGWAN系",
	[PLACE_INTERNET] = "ネット系",
	[PLACE_LGWAN_NETWORK] = "LGWAN網",
	[PLACE_PROVISION] = "情報提供",
	[PLACE_CHECKPOINT] = "関所",
};
static const char *const places_en[PLACES] = {
	[PLACE_OUTSIDE] = "outside",
	[PLACE_MYNUMBER] = "mynumber",
	[PLACE_LGWAN] = "lgwan",
	[PLACE_INTERNET] = "internet",
	[PLACE_LGWAN_NETWORK] = "lgwannet",
	[PLACE_PROVISION] = "provis.",
	[PLACE_CHECKPOINT] = "checkpt.",
};
/* Those of separated networks first. */
static const enum place order[PLACES] = { PLACE_MYNUMBER, PLACE_PROVISION,
	PLACE_LGWAN, PLACE_LGWAN_NETWORK, PLACE_INTERNET, PLACE_OUTSIDE,
	PLACE_CHECKPOINT };
static const char letters[CARRIERS] = { '.', 'L', 'F', 'E', 'M', 'G' };

/* Columns on a terminal: a letter of Japanese takes two. */
static size_t
width_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		if (((uint8_t)*text & 0xc0) != 0x80)
			n += (uint8_t)*text >= 0xe0 ? 2 : 1;
	return n;
}

static void
print_padded(FILE *out, const char *text, size_t width)
{
	size_t n = width_of(text);

	fprintf(out, "%*s%s", (int)(n < width ? width - n : 1), "", text);
}

/* The bytes of the next letter of Japanese, or word with the blank behind. */
static size_t
piece_of(const char *text)
{
	size_t n = 1;

	if ((uint8_t)*text >= 0xe0) {
		while (((uint8_t)text[n] & 0xc0) == 0x80)
			n++;
		return n;
	}
	while (text[n] != '\0' && text[n - 1] != ' ' && (uint8_t)text[n] < 0xe0)
		n++;
	return n;
}

/* Broken between words or, in Japanese, anywhere but before a stop. */
static void
print_wrapped(FILE *out, const char *mark, const char *text)
{
	char line[4 * LINE_WIDTH + 512];
	size_t indent = width_of(mark);
	size_t used = 0;
	size_t n;

	fputs(mark, out);
	line[0] = '\0';
	for (; *text != '\0'; text += n) {
		size_t was = strlen(line);

		n = piece_of(text);
		snprintf(line + was, sizeof(line) - was, "%.*s", (int)n, text);
		used = strlen(line);
		while (used > 0 && line[used - 1] == ' ')
			used--;
		line[used] = '\0';
		if (was == 0 || indent + width_of(line) <= LINE_WIDTH ||
		    strncmp(text, "。", 3) == 0 ||
		    strncmp(text, "、", 3) == 0) {
			if (text[n - 1] == ' ' && used + 1 < sizeof(line))
				memcpy(line + used, " ", 2);
			continue;
		}
		while (was > 0 && line[was - 1] == ' ')
			was--;
		fprintf(out, "%.*s\n%*s", (int)was, line, (int)indent, "");
		snprintf(line, sizeof(line), "%.*s", (int)n, text);
	}
	n = strlen(line);
	while (n > 0 && line[n - 1] == ' ')
		n--;
	fprintf(out, "%.*s\n", (int)n, line);
}

static void
print_matrix(const struct proof *p, bool ja, FILE *out)
{
	const char *const *names = ja ? places_ja : places_en;

	fputs(ja ? "\n何が何に届くか（行が始める側、列が届く先）\n"
		   "  L 待ち受け  F カーネルの転送  E ウェブ  M メール  G 関門"
		   "  . 届かない\n\n"
		 : "\nWhat can reach what (rows begin, columns are reached)\n"
		   "  L listener  F forwarded by the kernel  E web  M mail"
		   "  G gate  . nothing\n\n",
	    out);
	print_padded(out, "", LABEL_WIDTH);
	for (size_t k = 0; k < PLACES; k++)
		print_padded(out, names[order[k]], COLUMN_WIDTH);
	fputc('\n', out);
	for (size_t i = 0; i < PLACES; i++) {
		fputs("  ", out);
		print_padded(out, names[order[i]], LABEL_WIDTH - 2);
		for (size_t k = 0; k < PLACES; k++) {
			char text[CARRIERS + 1] = "";
			size_t n = 0;

			for (size_t c = 1; c < CARRIERS; c++)
				if (p->matrix[c][order[i]][order[k]] > 0)
					text[n++] = letters[c];
			print_padded(out, n == 0 ? "." : text, COLUMN_WIDTH);
		}
		fputc('\n', out);
	}
	fputs(ja ? "\n組ごとのセルの数\n" : "\nCells of each pair\n", out);
	for (size_t i = 0; i < PLACES; i++)
		for (size_t k = 0; k < PLACES; k++)
			for (size_t c = 1; c < CARRIERS; c++)
				if (p->matrix[c][order[i]][order[k]] > 0)
					fprintf(out,
					    "  %-13s -> %-13s  %-8s %zu\n",
					    place_name(order[i]),
					    place_name(order[k]),
					    carrier_name((enum carrier)c),
					    p->matrix[c][order[i]][order[k]]);
}

static void
print_bodies(const struct isolation_model *m, bool ja, FILE *out)
{
	fputs(ja ? "\n構成団体（モデル、範囲の数、システム、個人番号系の特定通"
		   "信）\n"
		 : "\nBodies (model, segments, systems, communications of My"
		   " Number segments)\n",
	    out);
	for (unsigned i = 0; i < zones_bodies(m->zones); i++) {
		const struct body *b = zones_body(m->zones, i);
		struct of_body o = count_body(m, b);

		fprintf(out, "  %s %-12s ", b->code,
		    body_model_name(m->body_models[i]));
		fprintf(out,
		    ja ? "個人番号 %zu LGWAN %zu ネット %zu"
			 "  システム %zu  出 %zu 入 %zu\n"
		       : "mynumber %zu lgwan %zu internet %zu"
			 "  systems %zu  out %zu in %zu\n",
		    o.segments[ZONE_MYNUMBER], o.segments[ZONE_LGWAN],
		    o.segments[ZONE_INTERNET], o.systems, o.out, o.in);
	}
}

static int
print_policies(const struct certificate *c, bool ja, FILE *out, struct err *e)
{
	char hex[HEX_N];

	fputs(ja ? "\n方針ファイル（SHA-256）\n" : "\nPolicy files (SHA-256)\n",
	    out);
	for (size_t i = 0; i < c->policies->n; i++) {
		const struct policy_file *f = &c->policies->p[i];

		if (digest_file(c, f->path, hex, e) < 0)
			return -1;
		fprintf(out, "  %s  %s\n  %s\n", layer_name(f->layer), f->path,
		    hex);
	}
	return 0;
}

static void
print_violations(const struct proof *p, bool ja, FILE *out)
{
	char text[VIOLATION_TEXT_MAX], source[512];

	fprintf(out,
	    ja ? "\n反例（%zu 件）。通ってはならないパケットが通る。\n"
	       : "\nCounter-examples (%zu): packets that pass and must not.\n",
	    p->violations_all);
	for (size_t i = 0; i < p->violations_n; i++) {
		const struct violation *v = &p->violations[i];

		print_wrapped(out, "  - ", violation_text(v, ja, text));
		for (size_t k = 0; k < v->cell->grants_n; k++) {
			const struct grant *g = v->cell->grants[k];

			if (g == v->grant)
				continue;
			snprintf(source, sizeof(source), "%s:%u: %s",
			    g->source.file, g->source.line, g->what);
			print_wrapped(out,
			    ja ? "    これも通す: " : "    and so does ",
			    source);
		}
	}
}

/* Only what no cell breaks is said to hold. */
static void
print_claim(bool ja, FILE *out)
{
	const char *words;

	fputs(ja ? "\n主張。次の行にないものは、何も通らない。\n"
		 : "\nThe claim. What no line permits does not pass.\n",
	    out);
	for (size_t i = 0; (words = claim_words(i, ja)) != NULL; i++)
		print_wrapped(out, "  * ", words);
	fputs(ja ? "\n前提\n" : "\nAssumptions\n", out);
	for (size_t i = 0; i < COUNT(assumptions); i++)
		print_wrapped(
		    out, "  * ", ja ? assumptions[i].ja : assumptions[i].en);
}

int
certificate_print(
    const struct certificate *c, bool japanese, FILE *out, struct err *e)
{
	const struct proof *p = c->proof;
	bool holds = p->violations_all == 0;
	uint8_t digest[MODEL_DIGEST_N];
	char hex[HEX_N];

	certificate_model_digest(p, digest);
	hex_of(digest, hex);
	if (japanese)
		fprintf(out,
		    "分離の証明: %s\n設定       %s\nセル       %zu（許可 %zu"
		    " 件から）\nモデル     %s\n",
		    holds ? "成り立つ" : "成り立たない", c->config,
		    p->cells->cells_n, p->grants.n, hex);
	else
		fprintf(out,
		    "Proof of the isolation: %s\nsettings   %s\ncells      %zu"
		    " (of %zu grants)\nmodel      %s\n",
		    holds ? "it holds" : "it does NOT hold", c->config,
		    p->cells->cells_n, p->grants.n, hex);
	if (c->verified)
		fprintf(out,
		    japanese ? "再検査     %zu 点、総当たりの走査と一致\n"
			     : "verified   %zu points, as a scan over all"
			       " grants says\n",
		    c->points);
	if (!holds)
		print_violations(p, japanese, out);
	print_matrix(p, japanese, out);
	print_bodies(p->settings.isolation, japanese, out);
	if (holds)
		print_claim(japanese, out);
	return print_policies(c, japanese, out, e);
}

/* JSON. A cell is a line; all of them at once would be another copy. */

static void
put_string(FILE *out, const char *text)
{
	json_t *j = json_string(text);

	/* A name that is no UTF-8 is none. */
	if (j == NULL || json_dumpf(j, out, JSON_ENCODE_ANY) < 0)
		fputs("null", out);
	json_decref(j);
}

static void
put_key(FILE *out, const char *key, const char *text)
{
	fprintf(out, "\"%s\":", key);
	put_string(out, text);
}

static void
put_range(FILE *out, const char *key, const struct range *r)
{
	struct address first = { 0 };
	struct address last = { 0 };
	char one[ADDRESS_TEXT_MAX], other[ADDRESS_TEXT_MAX];

	memcpy(first.octets, r->first, 16);
	memcpy(last.octets, r->last, 16);
	fprintf(out, "\"%s\":[\"%s\",\"%s\"]", key, address_text(&first, one),
	    address_text(&last, other));
}

static void
put_entries(FILE *out, const struct cell *c)
{
	fputs("\"entries\":[", out);
	for (size_t i = 0; i < c->grants_n; i++) {
		const struct grant *g = c->grants[i];

		fputs(i == 0 ? "{" : ",{", out);
		put_key(out, "what", g->what);
		fputc(',', out);
		put_key(out, "file", g->source.file);
		fprintf(out, ",\"line\":%u}", g->source.line);
	}
	fputc(']', out);
}

static void
put_cell(FILE *out, const struct cell *c)
{
	fprintf(out, "{\"carrier\":\"%s\",\"protocol\":%u,",
	    carrier_name(c->carrier), c->protocol);
	put_range(out, "from", &c->from);
	fputc(',', out);
	put_range(out, "to", &c->to);
	fprintf(out, ",\"ports\":[%u,%u],", c->port_first, c->port_last);
	put_entries(out, c);
	fputc('}', out);
}

static void
put_cells(FILE *out, const struct cells *c)
{
	fputs("\"cells\":[", out);
	for (size_t i = 0; i < c->cells_n; i++) {
		fputs(i == 0 ? "\n" : ",\n", out);
		put_cell(out, &c->cells[i]);
	}
	fputs("\n],\n", out);
}

static void
put_places(FILE *out, const struct places *p)
{
	fputs("\"places\":[", out);
	for (size_t i = 0; i < p->n; i++) {
		fputs(i == 0 ? "\n{" : ",\n{", out);
		put_range(out, "addresses", &p->p[i].range);
		fprintf(out, ",\"place\":\"%s\"}", place_name(p->p[i].place));
	}
	fputs("\n],\n", out);
}

static void
put_matrix(FILE *out, const struct proof *p)
{
	const char *comma = "\n";

	fputs("\"matrix\":[", out);
	for (size_t i = 0; i < PLACES; i++)
		for (size_t k = 0; k < PLACES; k++)
			for (size_t c = 1; c < CARRIERS; c++) {
				if (p->matrix[c][i][k] == 0)
					continue;
				fprintf(out,
				    "%s{\"from\":\"%s\",\"to\":\"%s\","
				    "\"carrier\":\"%s\",\"cells\":%zu}",
				    comma, place_name((enum place)i),
				    place_name((enum place)k),
				    carrier_name((enum carrier)c),
				    p->matrix[c][i][k]);
				comma = ",\n";
			}
	fputs("\n],\n", out);
}

static void
put_bodies(FILE *out, const struct isolation_model *m)
{
	fputs("\"bodies\":[", out);
	for (unsigned i = 0; i < zones_bodies(m->zones); i++) {
		const struct body *b = zones_body(m->zones, i);
		struct of_body o = count_body(m, b);

		fprintf(out,
		    "%s{\"code\":\"%s\",\"model\":\"%s\",\"segments\":{"
		    "\"mynumber\":%zu,\"lgwan\":%zu,\"internet\":%zu},"
		    "\"systems\":%zu,\"communications\":{\"out\":%zu,"
		    "\"in\":%zu}}",
		    i == 0 ? "\n" : ",\n", b->code,
		    body_model_name(m->body_models[i]),
		    o.segments[ZONE_MYNUMBER], o.segments[ZONE_LGWAN],
		    o.segments[ZONE_INTERNET], o.systems, o.out, o.in);
	}
	fputs("\n],\n", out);
}

static void
put_violations(FILE *out, const struct proof *p)
{
	char text[VIOLATION_TEXT_MAX], address[ADDRESS_TEXT_MAX];

	fputs("\"counterexamples\":[", out);
	for (size_t i = 0; i < p->violations_n; i++) {
		const struct violation *v = &p->violations[i];

		fputs(i == 0 ? "\n{" : ",\n{", out);
		put_key(out, "text", violation_text(v, false, text));
		fputc(',', out);
		put_key(out, "why", v->why_en);
		fprintf(out,
		    ",\"carrier\":\"%s\",\"protocol\":%u,\"from\":\"%s\","
		    "\"from_place\":\"%s\"",
		    carrier_name(v->cell->carrier), v->cell->protocol,
		    address_text(&v->from, address), place_name(v->from_place));
		fprintf(out, ",\"to\":\"%s\",\"port\":%u,\"to_place\":\"%s\",",
		    address_text(&v->to, address), v->to.port,
		    place_name(v->to_place));
		put_entries(out, v->cell);
		fputc('}', out);
	}
	fprintf(out, "\n],\n\"counterexamples_n\":%zu,\n", p->violations_all);
}

static int
put_policies(const struct certificate *c, FILE *out, struct err *e)
{
	char hex[HEX_N];

	fputs("\"policies\":[", out);
	for (size_t i = 0; i < c->policies->n; i++) {
		const struct policy_file *f = &c->policies->p[i];

		if (digest_file(c, f->path, hex, e) < 0)
			return -1;
		fputs(i == 0 ? "\n{" : ",\n{", out);
		put_key(out, "file", f->path);
		fprintf(out, ",\"layer\":\"%s\",\"sha256\":\"%s\"}",
		    layer_name(f->layer), hex);
	}
	fputs("\n],\n", out);
	return 0;
}

static void
put_assumptions(FILE *out)
{
	fputs("\"assumptions\":[", out);
	for (size_t i = 0; i < COUNT(assumptions); i++) {
		fputs(i == 0 ? "\n" : ",\n", out);
		put_string(out, assumptions[i].en);
	}
	fputs("\n]\n", out);
}

int
certificate_json(const struct certificate *c, FILE *out, struct err *e)
{
	const struct proof *p = c->proof;
	uint8_t digest[MODEL_DIGEST_N];
	char hex[HEX_N];

	certificate_model_digest(p, digest);
	hex_of(digest, hex);
	fprintf(out, "{\"schema\":1,\"holds\":%s,\n",
	    p->violations_all == 0 ? "true" : "false");
	put_key(out, "config", c->config);
	fprintf(out,
	    ",\n\"model_sha256\":\"%s\",\"grants_n\":%zu,\"cells_n\":%zu,\n",
	    hex, p->grants.n, p->cells->cells_n);
	if (c->verified)
		fprintf(out, "\"verified_points\":%zu,\n", c->points);
	put_violations(out, p);
	put_matrix(out, p);
	put_bodies(out, p->settings.isolation);
	if (put_policies(c, out, e) < 0)
		return -1;
	put_places(out, &p->places);
	put_cells(out, p->cells);
	put_assumptions(out);
	fputs("}\n", out);
	return 0;
}
