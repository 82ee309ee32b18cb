/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/isolation/loading.h"

#define ADDRESSES_MAX 64
#define NO_PROBE "none"

struct entry {
	const char *name, *body, *certificate, *owner, *probe_key;
	struct texts addresses, purposes, endpoints, hours;
};

const struct setting system_table[] = {
	SETTING_TEXT_ROW(entry, name, NULL, 1, 64, "Its name, of all systems'.",
	    "システムの名前（重複不可）。"),
	SETTING_TEXT_ROW(entry, body, NULL, 6, 6, "Whose it is: a body's code.",
	    "属する構成団体のコード。"),
	SETTING(entry, addresses, TEXTS, 0, 1, ADDRESSES_MAX,
	    "Its addresses or prefixes, in My Number segments of the body.",
	    "アドレス（範囲も可）。その団体のマイナンバー利用事務系の範囲内。"),
	SETTING_TEXT_ROW(entry, certificate, NULL, 1, 4096,
	    "Its client certificate: SHA-256 of its DER (64 hexadecimal"
	    " digits), or a PEM file.",
	    "クライアント証明書。DER の SHA-256（16 進 64 桁）または PEM "
	    "ファイル。"),
	SETTING(entry, purposes, TEXTS, 0, 1, 64,
	    "The work (事務) that it uses individual numbers for.",
	    "個人番号を利用する事務。"),
	SETTING_TEXT_ROW(
	    entry, owner, NULL, 1, 128, "Who answers for it.", "責任者。"),
	SETTING(entry, endpoints, TEXTS, 0, 1, ENDPOINTS_MAX,
	    "Which of `provision` it may reach, by the gate.",
	    "関門を通って接続してよい provision の名前。"),
	SETTING(entry, hours, TEXTS, 0, 0, 32,
	    "When the gate is open to it (\"workday 08:30-17:15\"); without:"
	    " always.",
	    "関門を通れる時間帯（\"workday 08:30-17:15\"）。なければ常時。"),
	SETTING_TEXT_ROW(entry, probe_key, NULL, 1, 4096,
	    "File of its probe's public Ed25519 key (PEM), or \"none\": it has"
	    " no probe.",
	    "探査プログラムの Ed25519 公開鍵のファイル（PEM）。探査しないなら"
	    " \"none\"。"),
};
const size_t system_table_n = COUNT(system_table);

static const struct endpoint *
endpoint_named(const struct isolation_model *m, const char *name)
{
	for (size_t i = 0; i < m->endpoints_n; i++)
		if (strcmp(m->endpoints[i].name, name) == 0)
			return &m->endpoints[i];
	return NULL;
}

static int
read_endpoints(struct loading *l, struct system *s, const struct texts *names,
    const config_setting_t *group, struct err *e)
{
	if (check_given("endpoints", names, group, e) < 0)
		return -1;
	s->endpoints = ARENA_ARRAY(l->arena, const struct endpoint *, names->n);
	for (size_t i = 0; i < names->n; i++) {
		const config_setting_t *where =
		    config_setting_get_elem(names->where, (unsigned)i);
		const struct endpoint *p =
		    endpoint_named(l->model, names->p[i]);

		if (p == NULL)
			return setting_error(where, e,
			    "endpoint \"%s\" is not in provision", names->p[i]);
		for (size_t k = 0; k < i; k++)
			if (s->endpoints[k] == p)
				return setting_error(where, e,
				    "endpoint \"%s\" is there twice", p->name);
		s->endpoints[i] = p;
	}
	s->endpoints_n = names->n;
	return 0;
}

static int
read_hours(struct loading *l, struct system *s, const struct texts *hours,
    struct err *e)
{
	s->hours = ARENA_ARRAY(l->arena, struct hours, hours->n);
	s->hours_n = hours->n;
	for (size_t i = 0; i < hours->n; i++)
		if (hours_parse(&s->hours[i], bytes_of(hours->p[i])) < 0)
			return setting_error(
			    config_setting_get_elem(hours->where, (unsigned)i),
			    e,
			    "hours: \"%s\", expected such as"
			    " \"workday 08:30-17:15\"",
			    hours->p[i]);
	return 0;
}

static int
check_place(const struct loading *l, const struct system *s,
    const struct prefix *p, const char *text, const config_setting_t *where,
    struct err *e)
{
	uint8_t at[16], end[16], last[16];
	const struct segment *segment;

	prefix_ends(p, at, end);
	do {
		enum place place = place_stretch(l->model, at, &segment, last);

		if (place == PLACE_CHECKPOINT)
			return setting_error(where, e,
			    "addresses: %s has an address of this machine",
			    text);
		if (place != PLACE_MYNUMBER || segment->body != s->body)
			return setting_error(where, e,
			    "addresses: %s is not within the My Number"
			    " segments of %s",
			    text, s->body->code);
		if (check_host(p, segment, "addresses", where, e) < 0)
			return -1;
	} while (octets_behind(at, last, end));
	return 0;
}

static int
check_addresses(const struct loading *l, struct system *s,
    const struct texts *texts, struct err *e)
{
	s->addresses_n = texts->n;
	for (size_t i = 0; i < texts->n; i++)
		if (check_place(l, s, &s->addresses[i], texts->p[i],
			config_setting_get_elem(texts->where, (unsigned)i),
			e) < 0)
			return -1;
	return 0;
}

static int
check_purposes(
    const struct texts *purposes, const config_setting_t *group, struct err *e)
{
	if (check_given("purposes", purposes, group, e) < 0)
		return -1;
	for (size_t i = 0; i < purposes->n; i++)
		if (check_words("purposes", purposes->p[i],
			config_setting_get_elem(purposes->where, (unsigned)i),
			e) < 0)
			return -1;
	return 0;
}

/* Each part with its length, so that no two entries give the same bytes. */
static void
digest_part(EVP_MD_CTX *ctx, const void *p, size_t n)
{
	uint8_t length[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n };

	must(EVP_DigestUpdate(ctx, length, sizeof(length)) == 1 &&
	    EVP_DigestUpdate(ctx, p, n) == 1);
}

static void
digest_texts(EVP_MD_CTX *ctx, const struct texts *texts)
{
	uint8_t n = (uint8_t)texts->n;

	digest_part(ctx, &n, 1);
	for (size_t i = 0; i < texts->n; i++)
		digest_part(ctx, texts->p[i], strlen(texts->p[i]));
}

/* Of an endpoint its name alone: that its certificate is renewed changes
 * nothing of the system. */
static void
make_digest(struct system *s, const struct entry *entry, EVP_MD_CTX *ctx)
{
	static const char kind[] = "sekisho system 1";
	uint8_t n = (uint8_t)s->addresses_n;

	must(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
	digest_part(ctx, kind, strlen(kind));
	digest_part(ctx, s->name, strlen(s->name));
	digest_part(ctx, s->body->code, BODY_CODE_N);
	digest_part(ctx, &n, 1);
	for (size_t i = 0; i < s->addresses_n; i++) {
		digest_part(ctx, s->addresses[i].octets, 16);
		digest_part(ctx, &s->addresses[i].bits, 1);
	}
	digest_part(ctx, s->certificate, MODEL_DIGEST_N);
	digest_texts(ctx, &s->purposes);
	digest_part(ctx, s->owner, strlen(s->owner));
	digest_texts(ctx, &entry->endpoints);
	digest_texts(ctx, &entry->hours);
	digest_part(ctx, s->probe_key, strlen(s->probe_key));
	must(EVP_DigestFinal_ex(ctx, s->digest, NULL) == 1);
}

static int
read_probe_key(struct loading *l, struct system *s, const char *name,
    const config_setting_t *where, struct err *e)
{
	s->probe_key = "";
	return strcmp(name, NO_PROBE) == 0
	    ? 0
	    : read_public_key(l, name, &s->probe_key, where, e);
}

static int
read_parts(struct loading *l, struct system *s, const struct entry *entry,
    const config_setting_t *group, struct err *e)
{
	int all = 0;

	s->body = zones_body_by_code(l->model->zones, bytes_of(entry->body));
	if (s->body == NULL &&
	    err_take(&all,
		setting_error(config_setting_get_member(group, "body"), e,
		    "body \"%s\" is not in bodies", entry->body),
		e) < 0)
		return -1;
	if (err_take(&all, check_name(entry->name, group, e), e) < 0 ||
	    err_take(&all, check_words("owner", entry->owner, group, e), e) <
		0 ||
	    err_take(&all, check_purposes(&entry->purposes, group, e), e) < 0 ||
	    err_take(&all,
		read_prefixes(
		    l, "addresses", &entry->addresses, group, &s->addresses, e),
		e) < 0 ||
	    err_take(&all, read_endpoints(l, s, &entry->endpoints, group, e),
		e) < 0 ||
	    err_take(&all, read_hours(l, s, &entry->hours, e), e) < 0 ||
	    err_take(&all,
		read_certificate(l, entry->certificate, s->certificate,
		    config_setting_get_member(group, "certificate"), e),
		e) < 0 ||
	    err_take(&all,
		read_probe_key(l, s, entry->probe_key,
		    config_setting_get_member(group, "probe_key"), e),
		e) < 0)
		return -1;
	return all;
}

static int
read_system(struct loading *l, const config_setting_t *group, EVP_MD_CTX *ctx,
    struct err *e)
{
	struct isolation_model *m = l->model;
	struct system *s = &m->systems[m->systems_n];
	struct entry entry = { 0 };

	*s = (struct system){ .source = loading_source(l, group) };
	if (setting_load(
		system_table, system_table_n, group, &entry, l->arena, e) < 0 ||
	    read_parts(l, s, &entry, group, e) < 0)
		return -1;
	s->name = entry.name;
	s->owner = entry.owner;
	s->purposes = entry.purposes;
	if (check_addresses(l, s, &entry.addresses, e) < 0)
		return -1;
	make_digest(s, &entry, ctx);
	s->index = (unsigned)m->systems_n++;
	return 0;
}

/* Of two entries that stand beside each other in a sorted list. */
static int
refuse_twin(const struct system *a, const struct system *b, const char *what,
    struct err *e)
{
	const struct system *first = a->index < b->index ? a : b;
	const struct system *later = first == a ? b : a;

	if (a == b)
		return err_set(e, "%s:%u: system \"%s\" has one %s twice",
		    a->source.file, a->source.line, a->name, what);
	return err_set(e,
	    "%s:%u: system \"%s\" has the %s of \"%s\" (%s:%u), expected one"
	    " of its own",
	    later->source.file, later->source.line, later->name, what,
	    first->name, first->source.file, first->source.line);
}

static int
by_name(const void *a, const void *b)
{
	const struct system *const *left = a;
	const struct system *const *right = b;
	int order = strcmp((*left)->name, (*right)->name);

	return order != 0 ? order : (*left > *right) - (*left < *right);
}

static int
by_certificate(const void *a, const void *b)
{
	const struct system *const *left = a;
	const struct system *const *right = b;
	int order =
	    memcmp((*left)->certificate, (*right)->certificate, MODEL_DIGEST_N);

	return order != 0 ? order : (*left > *right) - (*left < *right);
}

static int
refuse_names(struct loading *l, struct err *e)
{
	const struct system **sorted = l->index->by_name;
	size_t n = l->model->systems_n;
	int all = 0;

	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0 &&
		    err_take(&all,
			refuse_twin(sorted[i - 1], sorted[i], "name", e),
			e) < 0)
			return -1;
	return all;
}

static bool
is_refused(const struct loading *l, const struct system *s)
{
	const struct texts *refused =
	    &l->model->settings.contractor_certificates;
	char hex[2 * MODEL_DIGEST_N + 1];

	if (refused->n == 0)
		return false;
	digest_hex(s->certificate, hex);
	for (size_t i = 0; i < refused->n; i++)
		if (strcmp(refused->p[i], hex) == 0)
			return true;
	return false;
}

/* A certificate says who somebody is: it is nobody else's. */
static int
check_certificate(
    const struct loading *l, const struct system *s, struct err *e)
{
	const struct isolation_model *m = l->model;

	for (size_t i = 0; i < m->endpoints_n; i++)
		if (memcmp(m->endpoints[i].certificate, s->certificate,
			MODEL_DIGEST_N) == 0)
			return err_set(e,
			    "%s:%u: system \"%s\" has the certificate of"
			    " endpoint \"%s\" (%s:%u), expected one of its own",
			    s->source.file, s->source.line, s->name,
			    m->endpoints[i].name, m->endpoints[i].source.file,
			    m->endpoints[i].source.line);
	return is_refused(l, s)
	    ? err_set(e,
		  "%s:%u: system \"%s\" has a certificate of"
		  " isolation.contractor_certificates",
		  s->source.file, s->source.line, s->name)
	    : 0;
}

static int
refuse_certificates(struct loading *l, struct err *e)
{
	size_t n = l->model->systems_n;
	const struct system **sorted =
	    ARENA_ARRAY(l->arena, const struct system *, n);
	int all = 0;

	for (size_t i = 0; i < n; i++) {
		sorted[i] = &l->model->systems[i];
		if (err_take(&all, check_certificate(l, sorted[i], e), e) < 0)
			return -1;
	}
	qsort(sorted, n, sizeof(*sorted), by_certificate);
	for (size_t i = 1; i < n; i++)
		if (memcmp(sorted[i - 1]->certificate, sorted[i]->certificate,
			MODEL_DIGEST_N) == 0 &&
		    err_take(&all,
			refuse_twin(sorted[i - 1], sorted[i], "certificate", e),
			e) < 0)
			return -1;
	return all;
}

static int
refuse_addresses(struct loading *l, struct err *e)
{
	const struct isolation_model *m = l->model;
	struct spans *spans = &l->index->systems;
	const struct span *first;
	const struct span *one;
	size_t addresses = 0;
	size_t next = 0;
	int all = 0;

	for (size_t i = 0; i < m->systems_n; i++)
		addresses += m->systems[i].addresses_n;
	*spans = spans_new(l->arena, addresses);
	for (size_t i = 0; i < m->systems_n; i++)
		for (size_t k = 0; k < m->systems[i].addresses_n; k++)
			spans_add(spans, &m->systems[i].addresses[k], i);
	spans_sort(spans);
	while ((one = spans_overlapping(spans, &next, &first)) != NULL)
		if (err_take(&all,
			refuse_twin(&m->systems[first->index],
			    &m->systems[one->index], "address", e),
			e) < 0)
			return -1;
	return all;
}

int
systems_load(struct loading *l, const config_setting_t *root, struct err *e)
{
	struct isolation_model *m = l->model;
	const config_setting_t *list;
	EVP_MD_CTX *ctx;
	int all = 0;
	int go_on = 0;
	size_t n;

	if (read_list(root, "systems", SYSTEMS_MAX, &list, &n, e) < 0)
		return -1;
	ctx = EVP_MD_CTX_new();
	must(ctx != NULL);
	m->systems = ARENA_ARRAY(l->arena, struct system, n);
	for (size_t i = 0; i < n && go_on == 0; i++)
		go_on = err_take(&all,
		    read_system(
			l, config_setting_get_elem(list, (unsigned)i), ctx, e),
		    e);
	EVP_MD_CTX_free(ctx);
	if (go_on < 0)
		return -1;
	l->index->by_name =
	    ARENA_ARRAY(l->arena, const struct system *, m->systems_n);
	for (size_t i = 0; i < m->systems_n; i++)
		l->index->by_name[i] = &m->systems[i];
	if (err_take(&all, refuse_names(l, e), e) < 0 ||
	    err_take(&all, refuse_certificates(l, e), e) < 0 ||
	    err_take(&all, refuse_addresses(l, e), e) < 0)
		return -1;
	return all;
}
