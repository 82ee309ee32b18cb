/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/envelope.h"

#include <string.h>

#include "filters/text/utf8.h"
#include "proxy/base/address.h"
#include "proxy/base/buf.h"
#include "proxy/base/idn.h"

#define DOMAIN_GIVEN_MAX 1024 /* UTF-8 is longer than its A-labels */
#define LABEL_MAX 63          /* RFC 1035 section 2.3.4 */
#define PACK_VERSION 1
#define PACKED_RECIPIENT_MIN 8 /* bytes of one without any text */

static int
bad(const char **why_out, const char *why)
{
	*why_out = why;
	return -1;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name(uint8_t c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* RFC 5322 section 3.2.3, and RFC 6531 section 3.3 for what is no ASCII. */
static bool
is_atom(uint8_t c)
{
	return is_name(c) || c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_ascii(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] >= 0x80)
			return false;
	return true;
}

/* U+0080 to U+009F, of valid UTF-8. */
static bool
has_c1_control(struct bytes b)
{
	for (size_t i = 0; i + 1 < b.n; i++)
		if (b.p[i] == 0xc2 && b.p[i + 1] < 0xa0)
			return true;
	return false;
}

static int
check_charset(struct bytes b, enum mail_charset charset, const char **why_out)
{
	if (is_ascii(b))
		return 0;
	if (charset == MAIL_ASCII)
		return bad(why_out, "an address in UTF-8 without SMTPUTF8");
	if (!utf8_is_valid(b) || has_c1_control(b))
		return bad(why_out, "an address with bytes that are no text");
	return 0;
}

/* Letters, digits and hyphens between them (RFC 5321 section 4.1.2). */
static int
check_label(struct bytes label, const char **why_out)
{
	if (label.n == 0)
		return bad(why_out, "a domain with an empty label");
	if (label.n > LABEL_MAX)
		return bad(why_out, "a domain with too long a label");
	for (size_t i = 0; i < label.n; i++)
		if (!is_name(label.p[i]) && label.p[i] != '-')
			return bad(why_out, "a domain with a forbidden byte");
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return bad(why_out, "a domain with a hyphen at an edge");
	return 0;
}

static bool
is_number(struct bytes label)
{
	for (size_t i = 0; i < label.n; i++)
		if (!is_digit(label.p[i]))
			return false;
	return true;
}

static int
check_labels(struct bytes domain, const char **why_out)
{
	struct bytes rest = domain;
	struct bytes label;

	if (domain.n == 0)
		return bad(why_out, "no domain");
	if (domain.n > MAIL_DOMAIN_MAX)
		return bad(why_out, "too long a domain");
	if (domain.p[domain.n - 1] == '.')
		return bad(why_out, "a domain with an empty label");
	while (rest.n > 0) {
		label = bytes_take_until(&rest, '.');
		if (check_label(label, why_out) < 0)
			return -1;
	}
	return is_number(label)
	    ? bad(why_out, "an address without its brackets as domain")
	    : 0;
}

static struct bytes
lower(struct bytes b, struct arena *a)
{
	struct bytes copy = arena_copy(a, b);
	uint8_t *p = (uint8_t *)(uintptr_t)copy.p;

	for (size_t i = 0; i < copy.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] |= 0x20;
	return copy;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (section 4.1.3); no other kind. */
static int
parse_literal(
    struct bytes *out, struct bytes in, struct arena *a, const char **why_out)
{
	struct bytes inner = { in.p + 1, in.n - 2 };
	struct bytes tag = inner;
	struct address address;
	char text[ADDRESS_TEXT_MAX];
	bool v6;

	tag = bytes_take(&tag, 5);
	v6 = bytes_equal_nocase(tag, BYTES("IPv6:"));
	if (v6)
		bytes_take(&inner, 5);
	if (address_parse(&address, inner) < 0 ||
	    (bytes_index(inner, ':') >= 0) != v6)
		return bad(why_out, "an address literal of no known kind");
	address_text(&address, text);
	*out = bytes_of(arena_printf(
	    a, address_is_v4(&address) ? "[%s]" : "[ipv6:%s]", text));
	return 0;
}

int
mail_domain_parse(struct bytes *out, struct bytes in, enum mail_charset charset,
    struct arena *a, const char **why_out)
{
	if (in.n > DOMAIN_GIVEN_MAX)
		return bad(why_out, "too long a domain");
	if (bytes_index(in, '\0') >= 0)
		return bad(why_out, "a domain with a forbidden byte");
	if (check_charset(in, charset, why_out) < 0)
		return -1;
	if (in.n > 1 && in.p[0] == '[' && in.p[in.n - 1] == ']')
		return parse_literal(out, in, a, why_out);
	if (!is_ascii(in) && idn_to_ascii(&in, a) < 0)
		return bad(why_out, "a domain that is no international name");
	if (check_labels(in, why_out) < 0)
		return -1;
	*out = lower(in, a);
	return 0;
}

/* A Dot-string at b's head, or what has dots beside each other or at its end,
 * as mobile carriers of Japan gave addresses; how many bytes it has, 0: there
 * is none. */
static size_t
dot_string(struct bytes b)
{
	size_t n = 0;

	while (n < b.n && (is_atom(b.p[n]) || (b.p[n] == '.' && n > 0)))
		n++;
	return n;
}

/* What only quotes let be a local part gets them. */
static bool
wants_quotes(struct bytes local)
{
	return local.n > 0 && local.p[0] != '"' &&
	    (local.p[local.n - 1] == '.' ||
		memmem(local.p, local.n, "..", 2) != NULL);
}

/* A Quoted-string; 0: it does not end, or has a control. */
static size_t
quoted_string(struct bytes b)
{
	for (size_t n = 1; n < b.n; n++) {
		if (b.p[n] == '"')
			return n + 1;
		/* Of a pair, the second is any character of one byte. */
		if (b.p[n] == '\\' && (++n == b.n || b.p[n] >= 0x80))
			return 0;
		if (b.p[n] < 0x20 || b.p[n] == 0x7f)
			return 0;
	}
	return 0;
}

static int
local_take(struct bytes *out, struct bytes *in, enum mail_charset charset,
    const char **why_out)
{
	bool quoted = in->n > 0 && in->p[0] == '"';
	size_t n = quoted ? quoted_string(*in) : dot_string(*in);

	if (in->n > 0 && in->p[0] == '@')
		return bad(why_out, "a source route");
	if (n == 0)
		return bad(why_out, "a malformed local part");
	if (n > MAIL_LOCAL_MAX)
		return bad(why_out, "too long a local part");
	*out = bytes_take(in, n);
	return check_charset(*out, charset, why_out);
}

/* What stands between local part and ">". */
static int
domain_take(struct mail_address *address, struct bytes *in,
    enum mail_charset charset, struct arena *a, const char **why_out)
{
	ssize_t end = bytes_index(*in, '>');
	struct bytes domain;

	if (in->n == 0 || (in->p[0] != '@' && end != 0))
		return bad(why_out, "a malformed local part");
	if (end < 0)
		return bad(why_out, "a path without its >");
	domain = bytes_take(in, (size_t)end);
	address->text.n = address->local.n + domain.n;
	if (address->text.n > MAIL_PATH_MAX)
		return bad(why_out, "too long a path");
	if (domain.n > 0) {
		bytes_take(&domain, 1);
		return mail_domain_parse(
		    &address->domain, domain, charset, a, why_out);
	}
	return bytes_equal_nocase(address->local, BYTES("postmaster"))
	    ? 0
	    : bad(why_out, "an address without a domain");
}

/* It is the same address by RFC 5321, section 4.1.2, and one that every next
 * hop takes. */
static int
quote_local(struct mail_address *address, struct arena *a, const char **why_out)
{
	struct bytes domain = address->text;

	bytes_take(&domain, address->local.n);
	if (address->local.n + 2 > MAIL_LOCAL_MAX)
		return bad(why_out, "too long a local part");
	if (address->text.n + 2 > MAIL_PATH_MAX)
		return bad(why_out, "too long a path");
	address->text = bytes_of(arena_printf(a, "\"%.*s\"%.*s",
	    BYTES_PRINTF(address->local), BYTES_PRINTF(domain)));
	address->local =
	    (struct bytes){ address->text.p, address->local.n + 2 };
	return 0;
}

int
mail_path_take(struct mail_address *out, struct bytes *in,
    enum mail_charset charset, struct arena *a, const char **why_out)
{
	struct mail_address address = { 0 };
	struct bytes rest = *in;

	if (rest.n == 0 || *bytes_take(&rest, 1).p != '<')
		return bad(why_out, "a path without its <");
	if (rest.n == 0 || rest.p[0] != '>') {
		address.text.p = rest.p;
		if (local_take(&address.local, &rest, charset, why_out) < 0 ||
		    domain_take(&address, &rest, charset, a, why_out) < 0)
			return -1;
	}
	if (wants_quotes(address.local) &&
	    quote_local(&address, a, why_out) < 0)
		return -1;
	bytes_take(&rest, 1);
	*in = rest;
	*out = address;
	return 0;
}

static struct mail_address
copy_address(const struct mail_address *from, struct arena *a)
{
	struct bytes text = arena_copy(a, from->text);

	return (struct mail_address){
		.text = text,
		.local = { text.p, from->local.n },
		.domain = arena_copy(a, from->domain),
	};
}

void
envelope_copy(
    struct envelope *out, const struct envelope *from, struct arena *a)
{
	size_t n = from->recipients_n;

	*out = *from;
	out->sender = copy_address(&from->sender, a);
	out->envid = arena_copy(a, from->envid);
	out->recipients = ARENA_ARRAY(a, struct mail_recipient, n);
	for (size_t i = 0; i < n; i++) {
		const struct mail_recipient *r = &from->recipients[i];

		out->recipients[i] = (struct mail_recipient){
			.address = copy_address(&r->address, a),
			.notify = r->notify,
			.orcpt = arena_copy(a, r->orcpt),
		};
	}
}

/* Big-endian, of so many bytes. */
static int
pack_number(struct buf *out, uint64_t value, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
	return buf_append(out, (struct bytes){ bytes, n });
}

static int
pack_bytes(struct buf *out, struct bytes b)
{
	return pack_number(out, b.n, 2) < 0 ? -1 : buf_append(out, b);
}

static int
pack_address(struct buf *out, const struct mail_address *m)
{
	return pack_bytes(out, m->text) < 0 ||
		pack_number(out, m->local.n, 1) < 0 ||
		pack_bytes(out, m->domain) < 0
	    ? -1
	    : 0;
}

static int
pack_recipient(struct buf *out, const struct mail_recipient *r)
{
	return pack_address(out, &r->address) < 0 ||
		pack_number(out, r->notify, 1) < 0 ||
		pack_bytes(out, r->orcpt) < 0
	    ? -1
	    : 0;
}

static int
pack(const struct envelope *e, struct buf *out)
{
	const unsigned flags = (e->eight_bit ? 1u : 0) | (e->utf8 ? 2u : 0);

	if (pack_number(out, PACK_VERSION, 1) < 0 ||
	    pack_number(out, flags, 1) < 0 || pack_number(out, e->ret, 1) < 0 ||
	    pack_number(out, e->size, 8) < 0 || pack_bytes(out, e->envid) < 0 ||
	    pack_address(out, &e->sender) < 0 ||
	    pack_number(out, e->recipients_n, 4) < 0)
		return -1;
	for (size_t i = 0; i < e->recipients_n; i++)
		if (pack_recipient(out, &e->recipients[i]) < 0)
			return -1;
	return 0;
}

int
envelope_pack(const struct envelope *e, struct buf *out)
{
	size_t before = out->n;

	if (pack(e, out) == 0)
		return 0;
	out->n = before;
	return -1;
}

static int
unpack_number(struct bytes *in, size_t n, uint64_t max, uint64_t *out)
{
	struct bytes b = bytes_take(in, n);

	*out = 0;
	if (b.n < n)
		return -1;
	for (size_t i = 0; i < n; i++)
		*out = *out << 8 | b.p[i];
	return *out <= max ? 0 : -1;
}

/* Text that may stand in a line of SMTP. */
static int
unpack_bytes(struct bytes *in, size_t max, struct bytes *out, struct arena *a)
{
	uint64_t n;

	if (unpack_number(in, 2, max, &n) < 0 || in->n < n)
		return -1;
	*out = arena_copy(a, bytes_take(in, (size_t)n));
	for (size_t i = 0; i < out->n; i++)
		if (out->p[i] < 0x20 || out->p[i] == 0x7f)
			return -1;
	return 0;
}

static int
unpack_address(struct bytes *in, struct mail_address *out, struct arena *a)
{
	uint64_t n;

	if (unpack_bytes(in, MAIL_PATH_MAX, &out->text, a) < 0 ||
	    unpack_number(in, 1, MAIL_LOCAL_MAX, &n) < 0 ||
	    unpack_bytes(in, MAIL_DOMAIN_MAX, &out->domain, a) < 0 ||
	    n > out->text.n)
		return -1;
	out->local = (struct bytes){ out->text.p, (size_t)n };
	if (out->domain.n == 0)
		return n == out->text.n ? 0 : -1;
	return n > 0 && n < out->text.n && out->text.p[n] == '@' ? 0 : -1;
}

static int
unpack_recipient(struct bytes *in, struct mail_recipient *out, struct arena *a)
{
	const unsigned all =
	    NOTIFY_NEVER | NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY;
	uint64_t notify;

	if (unpack_address(in, &out->address, a) < 0 ||
	    out->address.text.n == 0 ||
	    unpack_number(in, 1, all, &notify) < 0 ||
	    unpack_bytes(in, MAIL_ORCPT_MAX, &out->orcpt, a) < 0)
		return -1;
	out->notify = (unsigned)notify;
	return 0;
}

static int
unpack_head(struct envelope *out, struct bytes *in, struct arena *a)
{
	uint64_t version, flags, ret, n;

	if (unpack_number(in, 1, PACK_VERSION, &version) < 0 ||
	    version != PACK_VERSION || unpack_number(in, 1, 3, &flags) < 0 ||
	    unpack_number(in, 1, RETURN_FULL, &ret) < 0 ||
	    unpack_number(in, 8, UINT64_MAX, &out->size) < 0 ||
	    unpack_bytes(in, MAIL_ENVID_MAX, &out->envid, a) < 0 ||
	    unpack_address(in, &out->sender, a) < 0 ||
	    unpack_number(in, 4, in->n / PACKED_RECIPIENT_MIN, &n) < 0)
		return -1;
	out->eight_bit = (flags & 1) != 0;
	out->utf8 = (flags & 2) != 0;
	out->ret = (enum mail_return)ret;
	out->recipients_n = (size_t)n;
	return 0;
}

int
envelope_unpack(struct envelope *out, struct bytes in, struct arena *a)
{
	*out = (struct envelope){ 0 };
	if (unpack_head(out, &in, a) < 0)
		return -1;
	out->recipients =
	    ARENA_ARRAY(a, struct mail_recipient, out->recipients_n);
	for (size_t i = 0; i < out->recipients_n; i++)
		if (unpack_recipient(&in, &out->recipients[i], a) < 0)
			return -1;
	return in.n == 0 ? 0 : -1;
}
