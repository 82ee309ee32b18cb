/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/original.h"

#define RECIPIENTS_MAX 10000 /* as many as mail.recipients_max may be */

static const struct {
	const char *key;
	size_t at;
} texts[] = {
	{ "mail", offsetof(struct original, mail) },
	{ "client", offsetof(struct original, client) },
	{ "helo", offsetof(struct original, helo) },
	{ "protocol", offsetof(struct original, protocol) },
	{ "tls", offsetof(struct original, tls) },
	{ "body", offsetof(struct original, body) },
	{ "route", offsetof(struct original, route) },
	{ "domain", offsetof(struct original, domain) },
	{ "profile", offsetof(struct original, profile) },
	{ "result", offsetof(struct original, result) },
	{ "removed", offsetof(struct original, removed) },
	{ "message-id", offsetof(struct original, message_id) },
	{ "sender", offsetof(struct original, sender) },
	{ "sha256", offsetof(struct original, sha256) },
};

static const struct {
	const char *key;
	size_t at;
	uint64_t max;
} numbers[] = {
	{ "arrived", offsetof(struct original, arrived), UINT64_MAX / 2000 },
	{ "skip", offsetof(struct original, skip), UINT32_MAX },
	{ "from-body", offsetof(struct original, from_body), 1 },
	{ "eight-bit", offsetof(struct original, eight_bit), 1 },
	{ "utf8", offsetof(struct original, utf8), 1 },
};

static int
put(struct buf *out, const char *key, struct bytes value)
{
	if (bytes_index(value, '\n') >= 0 || bytes_index(value, '\0') >= 0)
		return -1;
	return buf_append_string(out, key) < 0 ||
		buf_append(out, BYTES(" ")) < 0 || buf_append(out, value) < 0
	    ? -1
	    : buf_append(out, BYTES("\n"));
}

int
original_pack(const struct original *o, struct buf *out)
{
	const uint8_t *from = (const uint8_t *)o;

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct bytes value;

		memcpy(&value, from + texts[i].at, sizeof(value));
		if (put(out, texts[i].key, value) < 0)
			return -1;
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		uint64_t value;

		memcpy(&value, from + numbers[i].at, sizeof(value));
		if (buf_printf(out, "%s %llu\n", numbers[i].key,
			(unsigned long long)value) < 0)
			return -1;
	}
	for (size_t i = 0; i < o->to_n; i++)
		if (put(out, "to", o->to[i]) < 0)
			return -1;
	return 0;
}

static int
take(struct bytes *in, const char *key, struct bytes *value_out)
{
	if (bytes_index(*in, '\n') < 0)
		return -1;
	*value_out = bytes_take_until(in, '\n');
	return bytes_equal(bytes_take_until(value_out, ' '), bytes_of(key))
	    ? 0
	    : -1;
}

static int
take_recipients(struct original *o, struct bytes in, struct arena *a)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++)
		n += in.p[i] == '\n';
	if (n == 0 || n > RECIPIENTS_MAX)
		return -1;
	o->to = ARENA_ARRAY(a, struct bytes, n);
	while (in.n > 0)
		if (take(&in, "to", &o->to[o->to_n++]) < 0)
			return -1;
	return 0;
}

int
original_unpack(struct original *o, struct bytes in, struct arena *a)
{
	uint8_t *to = (uint8_t *)o;

	*o = (struct original){ 0 };
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct bytes value;

		if (take(&in, texts[i].key, &value) < 0)
			return -1;
		memcpy(to + texts[i].at, &value, sizeof(value));
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct bytes text;
		uint64_t value;

		if (take(&in, numbers[i].key, &text) < 0 ||
		    bytes_number(text, numbers[i].max, &value) < 0)
			return -1;
		memcpy(to + numbers[i].at, &value, sizeof(value));
	}
	return take_recipients(o, in, a);
}
