/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/parameters.h"

#include <string.h>

#include "proxy/smtp/session.h"

#define SIZE_DIGITS_MAX 20 /* RFC 1870 section 6.1 */

static int
wrong(struct smtp_reply *r, const char *words)
{
	reply_set(r, 501, "5.5.4", "%s", words);
	return -1;
}

/* RFC 3461 section 4: printable ASCII without "+" and "=", or "+" and two
 * upper-case hexadecimal digits. */
static bool
is_xtext(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		uint8_t c = b.p[i];

		if (c < '!' || c > '~' || c == '=')
			return false;
		if (c != '+')
			continue;
		if (i + 2 >= b.n || byte_hex(b.p[i + 1]) < 0 ||
		    byte_hex(b.p[i + 2]) < 0 || b.p[i + 1] > 'F' ||
		    b.p[i + 2] > 'F')
			return false;
		i += 2;
	}
	return true;
}

/* One parameter at the head of *in, behind its blank. */
static bool
take_parameter(struct bytes *in, struct bytes *name, struct bytes *value)
{
	while (in->n > 0 && *in->p == ' ')
		bytes_take(in, 1);
	if (in->n == 0)
		return false;
	*value = bytes_take_until(in, ' ');
	*name = bytes_take_until(value, '=');
	return true;
}

/* A set bit: it came twice. */
static bool
is_again(unsigned *seen, unsigned bit)
{
	bool again = (*seen & bit) != 0;

	*seen |= bit;
	return again;
}

enum {
	SEEN_SIZE = 1,
	SEEN_BODY = 2,
	SEEN_UTF8 = 4,
	SEEN_RET = 8,
	SEEN_ENVID = 16,
	SEEN_NOTIFY = 32,
	SEEN_ORCPT = 64,
};

static int
take_body(struct envelope *e, struct bytes value)
{
	e->eight_bit = bytes_equal_nocase(value, BYTES("8BITMIME"));
	return e->eight_bit || bytes_equal_nocase(value, BYTES("7BIT")) ? 0
									: -1;
}

static int
take_ret(struct envelope *e, struct bytes value)
{
	if (bytes_equal_nocase(value, BYTES("FULL")))
		e->ret = RETURN_FULL;
	else if (bytes_equal_nocase(value, BYTES("HDRS")))
		e->ret = RETURN_HEADERS;
	return e->ret == RETURN_UNSAID ? -1 : 0;
}

static int
take_of_mail(struct envelope *e, struct bytes name, struct bytes value,
    unsigned *seen, struct arena *a, struct smtp_reply *r)
{
	if (bytes_equal_nocase(name, BYTES("SIZE"))) {
		if (is_again(seen, SEEN_SIZE) || value.n > SIZE_DIGITS_MAX ||
		    bytes_number(value, UINT64_MAX / 2, &e->size) < 0)
			return wrong(r, "SIZE is malformed");
	} else if (bytes_equal_nocase(name, BYTES("BODY"))) {
		if (is_again(seen, SEEN_BODY) || take_body(e, value) < 0)
			return wrong(r, "BODY is malformed");
	} else if (bytes_equal_nocase(name, BYTES("SMTPUTF8"))) {
		if (is_again(seen, SEEN_UTF8) || value.n > 0)
			return wrong(r, "SMTPUTF8 is malformed");
		e->utf8 = true;
	} else if (bytes_equal_nocase(name, BYTES("RET"))) {
		if (is_again(seen, SEEN_RET) || take_ret(e, value) < 0)
			return wrong(r, "RET is malformed");
	} else if (bytes_equal_nocase(name, BYTES("ENVID"))) {
		if (is_again(seen, SEEN_ENVID) || value.n == 0 ||
		    value.n > MAIL_ENVID_MAX || !is_xtext(value))
			return wrong(r, "ENVID is malformed");
		e->envid = arena_copy(a, value);
	} else {
		reply_set(r, 555, "5.5.4", "a parameter is not known");
		return -1;
	}
	return 0;
}

/* What a parameter changes of how the path is read. */
static enum mail_charset
charset_of(struct bytes parameters)
{
	struct bytes name, value;

	while (take_parameter(&parameters, &name, &value))
		if (bytes_equal_nocase(name, BYTES("SMTPUTF8")))
			return MAIL_UTF8;
	return MAIL_ASCII;
}

static bool
take_word(struct bytes *in, struct bytes word)
{
	struct bytes head = *in;

	head.n = head.n < word.n ? head.n : word.n;
	if (!bytes_equal_nocase(head, word))
		return false;
	bytes_take(in, word.n);
	/* A blank there is wrong, and common. */
	while (in->n > 0 && *in->p == ' ')
		bytes_take(in, 1);
	return true;
}

static int
take_path(struct mail_address *out, struct bytes *in, enum mail_charset charset,
    struct arena *a, struct smtp_reply *r)
{
	const char *why;
	struct bytes path = arena_copy(a, *in);
	size_t before = path.n;

	if (mail_path_take(out, &path, charset, a, &why) < 0) {
		reply_set(r, 501, "5.1.3", "%s", why);
		return -1;
	}
	bytes_take(in, before - path.n);
	return in->n == 0 || *in->p == ' '
	    ? 0
	    : wrong(r, "bytes behind the address");
}

int
parameters_of_mail(struct envelope *out, struct bytes argument,
    enum parameters parameters, struct arena *a, struct smtp_reply *reply_out)
{
	struct bytes in = argument;
	struct bytes behind, name, value;
	ssize_t end = bytes_index(argument, '>');
	unsigned seen = 0;

	*out = (struct envelope){ 0 };
	if (!take_word(&in, BYTES("FROM:")))
		return wrong(reply_out, "FROM: is expected");
	behind = argument;
	bytes_take(&behind, end < 0 ? argument.n : (size_t)end + 1);
	if (take_path(&out->sender, &in,
		parameters == PARAMETERS_NONE ? MAIL_ASCII : charset_of(behind),
		a, reply_out) < 0)
		return -1;
	while (take_parameter(&in, &name, &value)) {
		if (parameters == PARAMETERS_NONE)
			return wrong(reply_out, "HELO knows no parameters");
		if (take_of_mail(out, name, value, &seen, a, reply_out) < 0)
			return -1;
	}
	return 0;
}

static const struct {
	struct bytes word;
	unsigned bit;
} notify_words[] = {
	{ BYTES_ROW("NEVER"), NOTIFY_NEVER },
	{ BYTES_ROW("SUCCESS"), NOTIFY_SUCCESS },
	{ BYTES_ROW("FAILURE"), NOTIFY_FAILURE },
	{ BYTES_ROW("DELAY"), NOTIFY_DELAY },
};

static int
take_notify(struct mail_recipient *out, struct bytes value)
{
	if (value.n == 0 || value.p[value.n - 1] == ',')
		return -1;
	while (value.n > 0) {
		struct bytes word = bytes_take_until(&value, ',');
		size_t i = 0;

		while (i < COUNT(notify_words) &&
		    !bytes_equal_nocase(word, notify_words[i].word))
			i++;
		if (i == COUNT(notify_words))
			return -1;
		out->notify |= notify_words[i].bit;
	}
	return (out->notify & NOTIFY_NEVER) != 0 && out->notify != NOTIFY_NEVER
	    ? -1
	    : 0;
}

static int
take_of_rcpt(struct mail_recipient *out, struct bytes name, struct bytes value,
    unsigned *seen, struct arena *a, struct smtp_reply *r)
{
	if (bytes_equal_nocase(name, BYTES("NOTIFY"))) {
		if (is_again(seen, SEEN_NOTIFY) || take_notify(out, value) < 0)
			return wrong(r, "NOTIFY is malformed");
	} else if (bytes_equal_nocase(name, BYTES("ORCPT"))) {
		if (is_again(seen, SEEN_ORCPT) || value.n > MAIL_ORCPT_MAX ||
		    bytes_index(value, ';') < 1 || !is_xtext(value))
			return wrong(r, "ORCPT is malformed");
		out->orcpt = arena_copy(a, value);
	} else {
		reply_set(r, 555, "5.5.4", "a parameter is not known");
		return -1;
	}
	return 0;
}

int
parameters_of_rcpt(struct mail_recipient *out, struct bytes argument,
    enum mail_charset charset, enum parameters parameters, struct arena *a,
    struct smtp_reply *reply_out)
{
	struct bytes in = argument;
	struct bytes name, value;
	unsigned seen = 0;

	*out = (struct mail_recipient){ 0 };
	if (!take_word(&in, BYTES("TO:")))
		return wrong(reply_out, "TO: is expected");
	if (take_path(&out->address, &in, charset, a, reply_out) < 0)
		return -1;
	if (out->address.text.n == 0) {
		reply_set(reply_out, 501, "5.1.3", "a recipient is expected");
		return -1;
	}
	while (take_parameter(&in, &name, &value)) {
		if (parameters == PARAMETERS_NONE)
			return wrong(reply_out, "HELO knows no parameters");
		if (take_of_rcpt(out, name, value, &seen, a, reply_out) < 0)
			return -1;
	}
	return 0;
}

/* xtext undone; -1: it is none, or longer than out. */
static ssize_t
decode_xtext(struct bytes in, char *out, size_t size)
{
	size_t n = 0;

	if (!is_xtext(in))
		return -1;
	for (size_t i = 0; i < in.n && n + 1 < size; n++) {
		if (in.p[i] == '+') {
			out[n] = (char)((unsigned)byte_hex(in.p[i + 1]) << 4 |
			    (unsigned)byte_hex(in.p[i + 2]));
			i += 3;
		} else {
			out[n] = (char)in.p[i++];
		}
		if (i == in.n) {
			out[n + 1] = '\0';
			return (ssize_t)(n + 1);
		}
	}
	return -1;
}

static int
take_claimed_address(struct session_claim *out, const char *text)
{
	static const char v6[] = "IPV6:";

	if (strncmp(text, v6, sizeof(v6) - 1) == 0)
		text += sizeof(v6) - 1;
	out->has_address = address_parse(&out->address, bytes_of(text)) == 0;
	return out->has_address ? 0 : -1;
}

static bool
is_unsaid(const char *value)
{
	return strcmp(value, "[UNAVAILABLE]") == 0 ||
	    strcmp(value, "[TEMPUNAVAIL]") == 0;
}

static int
take_claim(struct session_claim *out, struct bytes name, struct bytes value)
{
	char text[SESSION_HELO_MAX + 1];

	if (decode_xtext(value, text, sizeof(text)) < 0)
		return -1;
	for (const char *c = text; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return -1;
	if (bytes_equal_nocase(name, BYTES("ADDR")))
		return is_unsaid(text) ? 0 : take_claimed_address(out, text);
	if (bytes_equal_nocase(name, BYTES("HELO"))) {
		if (!is_unsaid(text))
			memcpy(out->helo, text, sizeof(text));
		return 0;
	}
	return bytes_equal_nocase(name, BYTES("NAME")) ||
		bytes_equal_nocase(name, BYTES("PORT")) ||
		bytes_equal_nocase(name, BYTES("PROTO")) ||
		bytes_equal_nocase(name, BYTES("LOGIN")) ||
		bytes_equal_nocase(name, BYTES("DESTADDR")) ||
		bytes_equal_nocase(name, BYTES("DESTPORT"))
	    ? 0
	    : -1;
}

int
parameters_of_xclient(struct session_claim *out, struct bytes argument)
{
	struct bytes name, value;
	bool any = false;

	*out = (struct session_claim){ 0 };
	while (take_parameter(&argument, &name, &value)) {
		if (take_claim(out, name, value) < 0)
			return -1;
		any = true;
	}
	return any ? 0 : -1;
}
