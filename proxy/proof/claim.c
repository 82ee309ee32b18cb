/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "proxy/isolation/spans.h"
#include "proxy/proof/proof.h"

#define IN(place) PLACE_BIT(PLACE_##place)
/* Where anybody stands but separated ones. */
#define OTHERS                                                        \
	(IN(OUTSIDE) | IN(LGWAN) | IN(INTERNET) | IN(LGWAN_NETWORK) | \
	    IN(CHECKPOINT))

/* What the grant must be beside. */
enum condition {
	BY_NOTHING = 0, /* never */
	BY_ANY,
	BY_SYSTEM,        /* a registered one, from its addresses: to the gate,
			   * or by the gate to its endpoints */
	BY_COMMUNICATION, /* a registered one, between its ends */
	BY_STATE_SYSTEM,  /* the same of a kind that the schema knows */
	BY_TRUST,         /* a listener that believes the source, or our own
			   * processes */
};

/*
 * The claim. What no row has does not pass: nothing but the first row begins in
 * `provision` or ends there, and nothing but the second to fourth begins or
 * ends in `mynumber`.
 */
static const struct row {
	enum carrier carrier;
	unsigned from, to;
	enum condition condition;
	const char *en, *ja;
} rows[] = {
	{ CARRIER_GATE, IN(MYNUMBER), IN(PROVISION), BY_SYSTEM,
	    "The gate takes registered systems to their registered endpoints of"
	    " the provision network. Nothing else reaches it, and it reaches"
	    " nothing.",
	    "関門は、登録したシステムを、そのシステムに登録した情報提供ネットワ"
	    "ーク"
	    "の接続先へだけ通す。ほかに届くものはなく、そこから出るものもない"
	    "。" },
	{ CARRIER_LISTEN, IN(MYNUMBER), IN(CHECKPOINT), BY_SYSTEM,
	    "Of this machine's listeners a My Number segment speaks with the"
	    " gate's alone, from registered systems' addresses.",
	    "マイナンバー利用事務系から話せるこの計算機の待ち受けは関門だけで、"
	    "登録したシステムのアドレスに限る。" },
	{ CARRIER_FORWARD, IN(MYNUMBER) | IN(LGWAN), IN(MYNUMBER) | IN(LGWAN),
	    BY_COMMUNICATION,
	    "Into My Number segments, and from them elsewhere, the kernel"
	    " forwards what communications name; to or from the internet"
	    " nothing.",
	    "マイナンバー利用事務系への通信と、そこから外への通信は、特定通信に"
	    "登録したものだけを転送する。インターネットとは何も通さない。" },
	{ CARRIER_FORWARD, IN(MYNUMBER) | IN(LGWAN) | IN(INTERNET),
	    IN(LGWAN_NETWORK), BY_STATE_SYSTEM,
	    "Beyond the bodies' segments, in LGWAN, communications lead to the"
	    " state's systems of the kinds that the schema knows.",
	    "構成団体の外側の LGWAN "
	    "へは、特定通信のうち、あらかじめ定めた種類の"
	    "国の仕組みへのものだけを転送する。" },
	{ CARRIER_FORWARD, IN(LGWAN_NETWORK),
	    IN(MYNUMBER) | IN(LGWAN) | IN(INTERNET), BY_STATE_SYSTEM,
	    "And from them.", "国の仕組みからのものも同じ。" },
	{ CARRIER_FORWARD, IN(LGWAN), IN(LGWAN_NETWORK), BY_COMMUNICATION,
	    "An LGWAN segment reaches in LGWAN what communications name.",
	    "LGWAN 接続系は、特定通信に登録した LGWAN 内の相手に届く。" },
	{ CARRIER_FORWARD, IN(LGWAN_NETWORK), IN(LGWAN), BY_COMMUNICATION,
	    "And is reached by it.", "その逆も同じ。" },
	{ CARRIER_FORWARD, IN(LGWAN) | IN(INTERNET), IN(LGWAN) | IN(INTERNET),
	    BY_COMMUNICATION,
	    "Between LGWAN and internet segments the kernel forwards what"
	    " communications name.",
	    "LGWAN 接続系とインターネット接続系の間は、特定通信に登録したもの"
	    "だけを転送する。" },
	{ CARRIER_LISTEN, OTHERS, OTHERS, BY_ANY,
	    "All others speak with the listeners of web and mail.",
	    "ほかの区域は、ウェブとメールの待ち受けと話す。" },
	{ CARRIER_EDGE, IN(LGWAN) | IN(INTERNET) | IN(CHECKPOINT), OTHERS,
	    BY_ANY,
	    "LGWAN and internet segments reach the internet by web proxies,"
	    " which judge every request.",
	    "LGWAN 接続系とインターネット接続系は、要求ごとに判定するウェブ"
	    "プロキシを通してだけインターネットに届く。" },
	{ CARRIER_EDGE, IN(OUTSIDE) | IN(LGWAN_NETWORK), OTHERS, BY_TRUST,
	    "A proxy whose word a listener believes asks for others.",
	    "待ち受けが信じる前段のプロキシは、他者のために要求する。" },
	{ CARRIER_MAIL, OTHERS, OTHERS, BY_ANY,
	    "Mail goes between all but the My Number zone and the provision"
	    " network.",
	    "メールは、マイナンバー利用事務系と情報提供ネットワークを除く区域の"
	    "間で運ぶ。" },
};

/* Why what no row has is refused: the first that fits. */
static const struct refusal {
	unsigned carriers, from, to;
	const char *en, *ja;
} refusals[] = {
#define BY(carrier) (1u << CARRIER_##carrier)
#define ANY (~0u)
	{ ANY, ANY, IN(PROVISION),
	    "only the gate opens the provision network, for registered systems",
	    "情報提供ネットワークに届くのは、登録したシステムのための関門だ"
	    "け" },
	{ ANY, IN(PROVISION), ANY, "the provision network opens nothing",
	    "情報提供ネットワークからは何も始まらない" },
	{ BY(LISTEN), IN(MYNUMBER), ANY,
	    "a My Number segment speaks with the gate alone, from registered"
	    " systems",
	    "マイナンバー利用事務系が話せるのは、登録したシステムからの関門だ"
	    "け" },
	{ BY(EDGE) | BY(MAIL), IN(MYNUMBER), ANY,
	    "no process acts for a My Number segment but the gate",
	    "マイナンバー利用事務系のために働くプロセスは関門だけ" },
	{ BY(FORWARD), IN(MYNUMBER), IN(OUTSIDE) | IN(INTERNET),
	    "the far end of a My Number segment's communication may not be on"
	    " the internet",
	    "マイナンバー利用事務系の特定通信の相手はインターネット側であっては"
	    "ならない" },
	{ BY(FORWARD), IN(OUTSIDE) | IN(INTERNET), IN(MYNUMBER),
	    "nothing of the internet's side reaches a My Number segment",
	    "インターネット側からマイナンバー利用事務系へは何も届かない" },
	{ BY(FORWARD), IN(LGWAN_NETWORK), ANY,
	    "beyond the bodies only the kinds eltax, pittari, juki and jlis"
	    " pass",
	    "構成団体の外側とは eltax、pittari、juki、jlis だけが通る" },
	{ BY(FORWARD), ANY, IN(LGWAN_NETWORK),
	    "beyond the bodies only the kinds eltax, pittari, juki and jlis"
	    " pass",
	    "構成団体の外側とは eltax、pittari、juki、jlis だけが通る" },
	{ ANY, ANY, IN(MYNUMBER),
	    "only communications lead into a My Number segment",
	    "マイナンバー利用事務系に入れるのは特定通信だけ" },
	{ BY(FORWARD), ANY, ANY,
	    "the kernel forwards only what communications name, and nothing of"
	    " the internet",
	    "カーネルは特定通信だけを転送し、インターネットとは何も通さない" },
	{ ANY, ANY, ANY, "no row of the claim permits it",
	    "主張の表に、これを許す行がない" },
};

static bool
is_within(const struct range *r, const struct prefix *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct range its = range_of(&p[i]);

		if (range_contains(&its, r->first) &&
		    range_contains(&its, r->last))
			return true;
	}
	return false;
}

/* The same of prefixes that touch: each address up to the last is in one. */
static bool
is_covered(const struct range *r, const struct prefix *p, size_t n)
{
	struct range left = *r;

	if (is_within(r, p, n))
		return true;
	for (size_t i = 0; i < n;) {
		struct range its = range_of(&p[i++]);

		if (!range_contains(&its, left.first))
			continue;
		if (range_contains(&its, left.last))
			return true;
		memcpy(left.first, its.last, 16);
		octets_next(left.first);
		i = 0;
	}
	return false;
}

static bool
is_at(const struct grant *g, const struct address *a)
{
	return memcmp(g->to.first, a->octets, 16) == 0 &&
	    memcmp(g->to.last, a->octets, 16) == 0 &&
	    g->port_first == a->port && g->port_last == a->port;
}

/* Which element of an array an entry is; n: none. */
static size_t
index_in(const void *entry, const void *array, size_t n, size_t size)
{
	uintptr_t first = (uintptr_t)array;
	uintptr_t at = (uintptr_t)entry;

	return n > 0 && at >= first && (at - first) % size == 0 &&
		(at - first) / size < n
	    ? (at - first) / size
	    : n;
}

/* Not the grant is believed, but what is registered. */
static bool
is_system(const struct isolation_model *m, const struct grant *g)
{
	size_t i =
	    index_in(g->entry, m->systems, m->systems_n, sizeof(*m->systems));
	const struct system *s = &m->systems[i];

	if (i == m->systems_n || g->protocol != PROTOCOL_TCP ||
	    m->settings.gate[0] == '\0' ||
	    !is_covered(&g->from, s->addresses, s->addresses_n))
		return false;
	if (g->carrier == CARRIER_LISTEN)
		return is_at(g, &m->settings.gate_at);
	for (i = 0; i < s->endpoints_n; i++)
		for (size_t k = 0; k < s->endpoints[i]->at_n; k++)
			if (is_at(g, &s->endpoints[i]->at[k]))
				return true;
	return false;
}

static const struct communication *
communication_of(const struct isolation_model *m, const struct grant *g)
{
	size_t i = index_in(g->entry, m->communications, m->communications_n,
	    sizeof(*m->communications));
	const struct communication *c = &m->communications[i];

	return i < m->communications_n && g->protocol == c->protocol &&
		g->port_first >= c->port_first &&
		g->port_last <= c->port_last &&
		is_covered(&g->from, c->from, c->from_n) &&
		is_covered(&g->to, c->to, c->to_n)
	    ? c
	    : NULL;
}

static bool
holds(const struct grant_settings *s, const struct grant *g, enum condition c)
{
	const struct isolation_model *m = s->isolation;
	const struct communication *of;

	switch (c) {
	case BY_NOTHING:
		return false;
	case BY_ANY:
		return true;
	case BY_SYSTEM:
		return is_system(m, g);
	case BY_COMMUNICATION:
		return communication_of(m, g) != NULL;
	case BY_STATE_SYSTEM:
		of = communication_of(m, g);
		return of != NULL && of->kind != COMMUNICATION_PLAIN;
	case BY_TRUST:
		return g->entry == s ||
		    index_in(g->entry, s->listeners, s->listeners_n,
			sizeof(*s->listeners)) < s->listeners_n;
	}
	return false;
}

const char *
claim_refuses(const struct grant_settings *s, const struct grant *g,
    enum place from, enum place to, const char **why_ja_out)
{
	const struct refusal *r = refusals;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].carrier == g->carrier &&
		    (rows[i].from & PLACE_BIT(from)) != 0 &&
		    (rows[i].to & PLACE_BIT(to)) != 0 &&
		    holds(s, g, rows[i].condition))
			return NULL;
	while ((r->carriers & 1u << g->carrier) == 0 ||
	    (r->from & PLACE_BIT(from)) == 0 || (r->to & PLACE_BIT(to)) == 0)
		r++;
	*why_ja_out = r->ja;
	return r->en;
}

const char *
claim_words(size_t row, bool japanese)
{
	if (row >= COUNT(rows))
		return NULL;
	return japanese ? rows[row].ja : rows[row].en;
}
