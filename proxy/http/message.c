/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/message.h"

static const struct {
	struct bytes name;
	enum field_id id;
} names[] = {
	{ BYTES_ROW("te"), FIELD_TE },
	{ BYTES_ROW("via"), FIELD_VIA },
	{ BYTES_ROW("date"), FIELD_DATE },
	{ BYTES_ROW("host"), FIELD_HOST },
	{ BYTES_ROW("range"), FIELD_RANGE },
	{ BYTES_ROW("cookie"), FIELD_COOKIE },
	{ BYTES_ROW("expect"), FIELD_EXPECT },
	{ BYTES_ROW("alt-svc"), FIELD_ALT_SVC },
	{ BYTES_ROW("trailer"), FIELD_TRAILER },
	{ BYTES_ROW("upgrade"), FIELD_UPGRADE },
	{ BYTES_ROW("priority"), FIELD_PRIORITY },
	{ BYTES_ROW("if-range"), FIELD_IF_RANGE },
	{ BYTES_ROW("location"), FIELD_LOCATION },
	{ BYTES_ROW("forwarded"), FIELD_FORWARDED },
	{ BYTES_ROW("connection"), FIELD_CONNECTION },
	{ BYTES_ROW("keep-alive"), FIELD_KEEP_ALIVE },
	{ BYTES_ROW("content-type"), FIELD_CONTENT_TYPE },
	{ BYTES_ROW("authorization"), FIELD_AUTHORIZATION },
	{ BYTES_ROW("content-range"), FIELD_CONTENT_RANGE },
	{ BYTES_ROW("content-length"), FIELD_CONTENT_LENGTH },
	{ BYTES_ROW("accept-language"), FIELD_ACCEPT_LANGUAGE },
	{ BYTES_ROW("x-forwarded-for"), FIELD_X_FORWARDED_FOR },
	{ BYTES_ROW("accept-encoding"), FIELD_ACCEPT_ENCODING },
	{ BYTES_ROW("proxy-connection"), FIELD_PROXY_CONNECTION },
	{ BYTES_ROW("www-authenticate"), FIELD_WWW_AUTHENTICATE },
	{ BYTES_ROW("content-encoding"), FIELD_CONTENT_ENCODING },
	{ BYTES_ROW("sec-websocket-key"), FIELD_SEC_WEBSOCKET_KEY },
	{ BYTES_ROW("transfer-encoding"), FIELD_TRANSFER_ENCODING },
	{ BYTES_ROW("proxy-authenticate"), FIELD_PROXY_AUTHENTICATE },
	{ BYTES_ROW("proxy-authorization"), FIELD_PROXY_AUTHORIZATION },
	{ BYTES_ROW("content-disposition"), FIELD_CONTENT_DISPOSITION },
	{ BYTES_ROW("sec-websocket-accept"), FIELD_SEC_WEBSOCKET_ACCEPT },
};

/* The rows stand by length: the first of each, found once per length. */
enum field_id
field_id(struct bytes name)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		struct bytes known = names[i].name;

		if (known.n > name.n)
			break;
		if (known.n == name.n && bytes_equal_nocase(known, name))
			return names[i].id;
	}
	return FIELD_OTHER;
}

const struct field *
message_field(const struct message *m, enum field_id id)
{
	for (size_t i = 0; i < m->fields_n; i++)
		if (m->fields[i].id == id)
			return &m->fields[i];
	return NULL;
}

static bool
is_hop(enum field_id id)
{
	/* Content-Length and Transfer-Encoding are written anew from the
	 * framing that was understood. */
	return id == FIELD_CONNECTION || id == FIELD_KEEP_ALIVE ||
	    id == FIELD_PROXY_CONNECTION || id == FIELD_PROXY_AUTHENTICATE ||
	    id == FIELD_PROXY_AUTHORIZATION || id == FIELD_TE ||
	    id == FIELD_TRANSFER_ENCODING || id == FIELD_UPGRADE ||
	    id == FIELD_CONTENT_LENGTH;
}

static void
mark_named(struct message *m, struct bytes token)
{
	for (size_t i = 0; i < m->fields_n; i++)
		if (bytes_equal_nocase(m->fields[i].name, token))
			m->fields[i].hop = true;
}

void
message_mark_hops(struct message *m)
{
	for (size_t i = 0; i < m->fields_n; i++) {
		struct bytes tokens = m->fields[i].value;

		m->fields[i].hop |= is_hop(m->fields[i].id);
		if (m->fields[i].id != FIELD_CONNECTION)
			continue;
		while (tokens.n > 0)
			mark_named(
			    m, bytes_trim(bytes_take_until(&tokens, ',')));
	}
}

static bool
belongs_into_a_head(enum field_id id)
{
	return id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING ||
	    id == FIELD_HOST || id == FIELD_CONNECTION || id == FIELD_TRAILER ||
	    id == FIELD_UPGRADE || id == FIELD_TE ||
	    id == FIELD_AUTHORIZATION || id == FIELD_CONTENT_ENCODING ||
	    id == FIELD_CONTENT_TYPE || id == FIELD_CONTENT_RANGE ||
	    id == FIELD_LOCATION || id == FIELD_CONTENT_DISPOSITION;
}

bool
message_trailer_is_harmless(const struct message *m)
{
	for (size_t i = 0; i < m->fields_n; i++)
		if (belongs_into_a_head(m->fields[i].id))
			return false;
	return true;
}
