/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/disposition.h"

#include <stdio.h>

/* The next parameter's name and value; quotes and their escapes undone into the
 * arena. */
struct parameter {
	struct bytes name, value;
};

/* A field may have thousands of them: each takes what it needs. */
static size_t
quoted_n(struct bytes rest)
{
	size_t n = 1;

	while (n < rest.n && rest.p[n] != '"')
		n += rest.p[n] == '\\' ? 2 : 1;
	return n;
}

static struct bytes
take_quoted(struct bytes *rest, struct arena *a)
{
	uint8_t *p = arena_alloc(a, quoted_n(*rest));
	size_t n = 0;

	bytes_take(rest, 1);
	while (rest->n > 0 && rest->p[0] != '"') {
		if (rest->p[0] == '\\' && rest->n > 1)
			bytes_take(rest, 1);
		p[n++] = *bytes_take(rest, 1).p;
	}
	bytes_take_until(rest, ';');
	return (struct bytes){ p, n };
}

static struct parameter
take_parameter(struct bytes *rest, struct arena *a)
{
	struct parameter p = { 0 };
	size_t n = 0;

	while (n < rest->n && rest->p[n] != '=' && rest->p[n] != ';')
		n++;
	p.name = bytes_trim(bytes_take(rest, n));
	if (rest->n == 0 || *bytes_take(rest, 1).p == ';')
		return p;
	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		bytes_take(rest, 1);
	p.value = rest->n > 0 && rest->p[0] == '"'
	    ? take_quoted(rest, a)
	    : bytes_trim(bytes_take_until(rest, ';'));
	return p;
}

/* "UTF-8'ja'%E5%90%8D": what stands behind the language. */
static struct bytes
undo_escapes(struct bytes value, struct arena *a)
{
	uint8_t *p = arena_alloc(a, value.n + 1);
	size_t n = 0;

	bytes_take_until(&value, '\'');
	bytes_take_until(&value, '\'');
	for (; value.n > 0; n++) {
		bool escape = value.n > 2 && value.p[0] == '%' &&
		    byte_hex(value.p[1]) >= 0 && byte_hex(value.p[2]) >= 0;

		p[n] = value.p[0];
		if (escape)
			p[n] = (uint8_t)((unsigned)byte_hex(value.p[1]) << 4 |
			    (unsigned)byte_hex(value.p[2]));
		bytes_take(&value, escape ? 3 : 1);
	}
	return (struct bytes){ p, n };
}

static struct bytes
without_folders(struct bytes name)
{
	for (size_t n = name.n; n > 0; n--)
		if (name.p[n - 1] == '/' || name.p[n - 1] == '\\') {
			bytes_take(&name, n);
			break;
		}
	return name;
}

struct bytes
disposition_name(struct bytes value, struct arena *a)
{
	bytes_take_until(&value, ';');
	while (value.n > 0) {
		struct parameter p = take_parameter(&value, a);

		if (bytes_equal_nocase(p.name, BYTES("name")))
			return p.value;
	}
	return (struct bytes){ 0 };
}

struct bytes
disposition_file_name(struct bytes value, struct arena *a)
{
	struct bytes plain = { 0 };
	struct bytes extended = { 0 };

	bytes_take_until(&value, ';');
	while (value.n > 0) {
		struct parameter p = take_parameter(&value, a);

		if (bytes_equal_nocase(p.name, BYTES("filename")) &&
		    plain.n == 0)
			plain = p.value;
		else if (bytes_equal_nocase(p.name, BYTES("filename*")) &&
		    extended.n == 0)
			extended = undo_escapes(p.value, a);
	}
	return without_folders(extended.n > 0 ? extended : plain);
}

static bool
is_plain(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
}

const char *
disposition_text(struct arena *a, const char *type, struct bytes name)
{
	char *plain = arena_alloc(a, name.n + 1);
	char *coded = arena_alloc(a, 3 * name.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		plain[i] = is_plain(name.p[i]) ? (char)name.p[i] : '_';
		n += (size_t)snprintf(coded + n, 4,
		    is_plain(name.p[i]) ? "%c" : "%%%02X", name.p[i]);
	}
	plain[name.n] = coded[n] = '\0';
	return arena_printf(
	    a, "%s; filename=\"%s\"; filename*=UTF-8''%s", type, plain, coded);
}
