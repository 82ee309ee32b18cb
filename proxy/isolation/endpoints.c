/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "proxy/base/special.h"
#include "proxy/isolation/loading.h"

#define ADDRESSES_MAX 16

struct entry {
	const char *name, *server_name, *certificate, *owner;
	struct texts addresses;
	uint32_t port;
};

const struct setting endpoint_table[] = {
	SETTING_TEXT_ROW(entry, name, NULL, 1, 64,
	    "Its name, as systems use it.",
	    "接続先の名前。systems から参照する。"),
	SETTING(entry, addresses, TEXTS, 0, 1, ADDRESSES_MAX,
	    "Its addresses; not of a body's segment, not of this machine, not"
	    " on the internet.",
	    "アドレス。構成団体のアドレス範囲、この計算機、インターネットの"
	    "ものは不可。"),
	SETTING(
	    entry, port, COUNT, 443, 1, UINT16_MAX, "Its port.", "ポート。"),
	SETTING_TEXT_ROW(entry, server_name, "", 0, 253,
	    "What it is called in TLS (SNI), and by which systems may choose"
	    " it; empty: nothing is said.",
	    "TLS で名乗らせる名前（SNI）。システムもこの名前で選べる。空なら"
	    "送らない。"),
	SETTING_TEXT_ROW(entry, certificate, NULL, 1, 4096,
	    "Its server certificate, no other is believed: SHA-256 of its DER"
	    " (64 hexadecimal digits), or a PEM file.",
	    "サーバー証明書。これ以外は信じない。DER の SHA-256（16 進 64 桁）"
	    "または PEM ファイル。"),
	SETTING_TEXT_ROW(
	    entry, owner, NULL, 1, 128, "Who answers for it.", "責任者。"),
};
const size_t endpoint_table_n = COUNT(endpoint_table);

static int
check_server_name(
    const char *name, const config_setting_t *where, struct err *e)
{
	return strspn(name,
		   "abcdefghijklmnopqrstuvwxyz0123456789.-"
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(name) &&
		name[0] != '.'
	    ? 0
	    : setting_error(where, e,
		  "server_name is \"%s\", expected a host's name", name);
}

/* No setting makes the internet a provision network: an address that the
 * public internet routes must be of LGWAN. */
static int
check_address(const struct loading *l, const struct address *a,
    const char *text, const config_setting_t *where, struct err *e)
{
	const struct segment *s = zones_lookup(l->model->zones, a);

	if (s != NULL)
		return setting_error(where, e,
		    "addresses: %s is in a segment of %s (%s:%u), expected the"
		    " provision network's",
		    text, s->body->code, s->file, s->line);
	if (spans_at(&l->index->machine, a->octets) != NULL)
		return setting_error(where, e,
		    "addresses: %s is this machine, expected the provision"
		    " network's",
		    text);
	if (special_why(a) == NULL &&
	    spans_at(&l->index->lgwan, a->octets) == NULL)
		return setting_error(where, e,
		    "addresses: %s is on the internet, expected an address of"
		    " isolation.lgwan or of a private network",
		    text);
	return 0;
}

static int
read_addresses(struct loading *l, struct endpoint *p, const struct entry *entry,
    const config_setting_t *group, struct err *e)
{
	struct prefix *prefixes;

	if (read_prefixes(
		l, "addresses", &entry->addresses, group, &prefixes, e) < 0)
		return -1;
	p->at = ARENA_ARRAY(l->arena, struct address, entry->addresses.n);
	for (size_t i = 0; i < entry->addresses.n; i++) {
		const config_setting_t *where = config_setting_get_elem(
		    entry->addresses.where, (unsigned)i);
		struct address *a = &p->at[i];

		if (prefixes[i].bits != 128)
			return setting_error(where, e,
			    "addresses: %s is a prefix, expected an address",
			    entry->addresses.p[i]);
		memcpy(a->octets, prefixes[i].octets, sizeof(a->octets));
		a->port = p->port;
		if (check_address(l, a, entry->addresses.p[i], where, e) < 0)
			return -1;
	}
	p->at_n = entry->addresses.n;
	return 0;
}

static bool
has_address(const struct endpoint *p, const struct address *a)
{
	for (size_t i = 0; i < p->at_n; i++)
		if (address_equal(&p->at[i], a))
			return true;
	return false;
}

static int
refuse_twin(const struct isolation_model *m, const struct endpoint *p,
    const config_setting_t *group, struct err *e)
{
	char text[ADDRESS_TEXT_MAX];

	for (const struct endpoint *was = m->endpoints; was < p; was++) {
		if (strcmp(was->name, p->name) == 0)
			return setting_error(group, e,
			    "endpoint \"%s\" is there twice, first at %s:%u",
			    p->name, was->source.file, was->source.line);
		for (size_t i = 0; i < p->at_n; i++)
			if (has_address(was, &p->at[i]))
				return setting_error(group, e,
				    "%s is endpoint \"%s\" already (%s:%u)",
				    address_text_port(&p->at[i], text),
				    was->name, was->source.file,
				    was->source.line);
	}
	return 0;
}

static int
read_endpoint(struct loading *l, const config_setting_t *group, struct err *e)
{
	struct isolation_model *m = l->model;
	struct endpoint *p = &m->endpoints[m->endpoints_n];
	struct entry entry = { 0 };

	if (setting_load(endpoint_table, endpoint_table_n, group, &entry,
		l->arena, e) < 0 ||
	    check_name(entry.name, group, e) < 0 ||
	    check_words("owner", entry.owner, group, e) < 0 ||
	    check_server_name(entry.server_name, group, e) < 0 ||
	    read_certificate(l, entry.certificate, p->certificate,
		config_setting_get_member(group, "certificate"), e) < 0)
		return -1;
	p->name = entry.name;
	p->server_name = entry.server_name;
	p->owner = entry.owner;
	p->port = (uint16_t)entry.port;
	p->source = loading_source(l, group);
	if (read_addresses(l, p, &entry, group, e) < 0 ||
	    refuse_twin(m, p, group, e) < 0)
		return -1;
	p->index = (unsigned)m->endpoints_n++;
	return 0;
}

int
endpoints_load(struct loading *l, const config_setting_t *root, struct err *e)
{
	struct isolation_model *m = l->model;
	const config_setting_t *list;
	int all = 0;
	size_t n;

	if (read_list(root, "provision", ENDPOINTS_MAX, &list, &n, e) < 0)
		return -1;
	m->endpoints = ARENA_ARRAY(l->arena, struct endpoint, n);
	for (size_t i = 0; i < n; i++)
		if (err_take(&all,
			read_endpoint(
			    l, config_setting_get_elem(list, (unsigned)i), e),
			e) < 0)
			return -1;
	l->index->provision = spans_new(l->arena, n * ADDRESSES_MAX);
	for (size_t i = 0; i < m->endpoints_n; i++)
		for (size_t k = 0; k < m->endpoints[i].at_n; k++) {
			struct prefix p = { .bits = 128 };

			memcpy(p.octets, m->endpoints[i].at[k].octets, 16);
			spans_add(&l->index->provision, &p, i);
		}
	spans_sort(&l->index->provision);
	spans_unite(&l->index->provision);
	return all;
}
