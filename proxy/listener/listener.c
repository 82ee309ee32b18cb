/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/listener.h"

#include <string.h>

#define LISTENERS_MAX 64
#define TRUSTED_MAX 1024

const struct setting listener_table[] = {
	SETTING_TEXT_ROW(listener_settings, address, NULL, 3, 64,
	    "Address and port to listen on: \"192.0.2.1:8080\","
	    " \"[2001:db8::1]:8080\".",
	    "待ち受けるアドレスとポート。"),
	SETTING(listener_settings, proxy_protocol_from, TEXTS, 0, 0,
	    TRUSTED_MAX,
	    "Prefixes whose connections must begin with a PROXY header"
	    " (version 1 or 2); from others such a header is refused.",
	    "PROXY ヘッダー（版1・版2）を必須とする接続元。他からの"
	    "ヘッダーは拒否する。"),
	SETTING(listener_settings, forwarded_from, TEXTS, 0, 0, TRUSTED_MAX,
	    "Prefixes of proxies whose X-Forwarded-For names the client.",
	    "X-Forwarded-For を信じるプロキシーの接続元。"),
	SETTING(listener_settings, tls, FLAG, 0, 0, 1,
	    "Whether clients speak TLS to the proxy itself (an https:// proxy),"
	    " with HTTP/2 where limits.h2 permits. The certificate is for the"
	    " name in prefecture.proxy_tls, signed by the CA of tls_client.",
	    "端末とこのプロキシーとの間も TLS にするか（https:// プロキシー）。"
	    "limits.h2 が許せば HTTP/2 も話す。証明書は prefecture.proxy_tls の"
	    "名前で tls_client の認証局が署名する。"),
	SETTING(listener_settings, backlog, COUNT, 4096, 1, 65535,
	    "Connections that may wait to be accepted, for each edge.",
	    "受け付け待ちの接続数（エッジごと）。"),
	SETTING_TEXT_ROW(listener_settings, transparent, "no", 0, 16,
	    "Whether clients come here that do not know the proxy, because the"
	    " kernel sends their connections here: \"no\"; \"redirect\", by a"
	    " redirect rule of nftables; \"tproxy\", by a tproxy rule. See"
	    " INSTALL.md.",
	    "プロキシを知らない端末の接続を、カーネルがここへ回すか。"
	    "\"no\"、\"redirect\"（nftables の redirect）、\"tproxy\"（同じく "
	    "tproxy）。INSTALL.ja.md を見る。"),
};
const size_t listener_table_n = COUNT(listener_table);

int
listener_prefixes(const struct texts *texts, struct arena *a,
    struct prefix **out, size_t *n_out, struct err *e)
{
	*out = ARENA_ARRAY(a, struct prefix, texts->n);
	*n_out = texts->n;
	for (size_t i = 0; i < texts->n; i++)
		if (prefix_parse(&(*out)[i], bytes_of(texts->p[i])) < 0)
			return setting_error(texts->where, e,
			    "\"%s\" is no prefix, expected one such as"
			    " 192.0.2.0/24",
			    texts->p[i]);
	return 0;
}

/* A client that does not know us has no TLS with us and names nobody else, and
 * no balancer stands between: what it dialled would be lost there. */
static int
load_kind(
    const config_setting_t *group, struct listener_settings *l, struct err *e)
{
	static const char *const names[] = {
		[LISTENER_PROXY] = "no",
		[LISTENER_REDIRECT] = "redirect",
		[LISTENER_TPROXY] = "tproxy",
	};
	size_t kind = 0;

	while (kind < COUNT(names) && strcmp(l->transparent, names[kind]) != 0)
		kind++;
	if (kind == COUNT(names))
		return setting_error(group, e,
		    "transparent is \"%s\", expected \"no\", \"redirect\" or"
		    " \"tproxy\"",
		    l->transparent);
	l->kind = (enum listener_kind)kind;
	if (l->kind != LISTENER_PROXY &&
	    (l->tls || l->proxy_protocol_n > 0 || l->forwarded_n > 0))
		return setting_error(group, e,
		    "transparent is \"%s\", expected no tls,"
		    " proxy_protocol_from or forwarded_from beside it",
		    l->transparent);
	return 0;
}

static int
load_one(const config_setting_t *group, struct arena *a,
    struct listener_settings *l, struct err *e)
{
	if (setting_load(listener_table, listener_table_n, group, l, a, e) < 0)
		return -1;
	l->file = arena_string(a, bytes_of(setting_source(group)));
	l->line = config_setting_source_line(group);
	if (address_parse_port(&l->at, bytes_of(l->address)) < 0 ||
	    l->at.port == 0)
		return setting_error(group, e,
		    "\"%s\" is no address with a port, expected one such as"
		    " \"192.0.2.1:8080\"",
		    l->address);
	if (listener_prefixes(&l->proxy_protocol_from, a, &l->proxy_protocol,
		&l->proxy_protocol_n, e) < 0)
		return -1;
	if (listener_prefixes(
		&l->forwarded_from, a, &l->forwarded, &l->forwarded_n, e) < 0)
		return -1;
	return load_kind(group, l, e);
}

bool
listener_is_at(const struct listener_settings *l, const struct address *a)
{
	static const struct address any_v6;
	struct address any_v4;
	struct address at = l->at;

	must(address_parse(&any_v4, BYTES("0.0.0.0")) == 0);
	if (a->port != at.port)
		return false;
	at.port = 0;
	if (address_equal(&at, &any_v4) || address_equal(&at, &any_v6))
		return true;
	at.port = a->port;
	return address_equal(&at, a);
}

int
listeners_load(const config_setting_t *root, struct arena *a,
    struct listener_settings **out, size_t *n_out, struct err *e)
{
	const config_setting_t *list = setting_list(root, "listeners", e);
	int n = list == NULL ? 0 : config_setting_length(list);

	if (list == NULL && e->text[0] != '\0')
		return -1;
	if (n == 0 || n > LISTENERS_MAX)
		return setting_error(list == NULL ? root : list, e,
		    "%d listeners, expected 1 to %d", n, LISTENERS_MAX);
	*out = ARENA_ARRAY(a, struct listener_settings, (size_t)n);
	*n_out = (size_t)n;
	for (int i = 0; i < n; i++) {
		const config_setting_t *group =
		    config_setting_get_elem(list, (unsigned)i);

		if (load_one(group, a, &(*out)[i], e) < 0)
			return -1;
		for (int k = 0; k < i; k++)
			if (address_equal(&(*out)[i].at, &(*out)[k].at))
				return setting_error(group, e,
				    "%s is listened on twice",
				    (*out)[i].address);
	}
	return 0;
}
