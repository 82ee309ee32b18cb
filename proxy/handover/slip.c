/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/handover/slip.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "filters/text/utf8.h"

#define SHA256_SIZE 32

static const struct {
	const char *key;
	size_t at;
} texts[] = {
	{ "way", offsetof(struct slip, way) },
	{ "body", offsetof(struct slip, body) },
	{ "from", offsetof(struct slip, from) },
	{ "to", offsetof(struct slip, to) },
	{ "giver", offsetof(struct slip, giver) },
	{ "client", offsetof(struct slip, client) },
	{ "note", offsetof(struct slip, note) },
	{ "token", offsetof(struct slip, token) },
	{ "key", offsetof(struct slip, key) },
	{ "communication", offsetof(struct slip, communication) },
	{ "profile", offsetof(struct slip, profile) },
};

static const struct {
	const char *key;
	size_t at;
	uint64_t max;
} numbers[] = {
	{ "given", offsetof(struct slip, given), UINT64_MAX / 2000 },
	{ "until", offsetof(struct slip, until), UINT64_MAX / 2000 },
	{ "approval", offsetof(struct slip, approval), 1 },
}, file_numbers[] = {
	{ "in-bytes", offsetof(struct slip_file, in_bytes), UINT32_MAX },
	{ "bytes", offsetof(struct slip_file, bytes), UINT32_MAX },
};

static const struct {
	const char *key;
	size_t at;
} file_texts[] = {
	{ "name", offsetof(struct slip_file, name) },
	{ "media", offsetof(struct slip_file, media) },
	{ "in-sha256", offsetof(struct slip_file, in_sha256) },
	{ "sha256", offsetof(struct slip_file, sha256) },
	{ "removed", offsetof(struct slip_file, removed) },
};

static int
put(struct buf *out, const char *key, const void *at)
{
	struct bytes value;

	memcpy(&value, at, sizeof(value));
	if (bytes_index(value, '\n') >= 0 || bytes_index(value, '\0') >= 0)
		return -1;
	return buf_append_string(out, key) < 0 ||
		buf_append(out, BYTES(" ")) < 0 || buf_append(out, value) < 0
	    ? -1
	    : buf_append(out, BYTES("\n"));
}

static int
put_number(struct buf *out, const char *key, const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return buf_printf(out, "%s %llu\n", key, (unsigned long long)value);
}

static int
put_file(struct buf *out, const struct slip_file *f)
{
	const uint8_t *from = (const uint8_t *)f;

	for (size_t i = 0; i < COUNT(file_texts); i++)
		if (put(out, file_texts[i].key, from + file_texts[i].at) < 0)
			return -1;
	for (size_t i = 0; i < COUNT(file_numbers); i++)
		if (put_number(out, file_numbers[i].key,
			from + file_numbers[i].at) < 0)
			return -1;
	return 0;
}

int
slip_pack(const struct slip *s, struct buf *out)
{
	const uint8_t *from = (const uint8_t *)s;

	for (size_t i = 0; i < COUNT(texts); i++)
		if (put(out, texts[i].key, from + texts[i].at) < 0)
			return -1;
	for (size_t i = 0; i < COUNT(numbers); i++)
		if (put_number(out, numbers[i].key, from + numbers[i].at) < 0)
			return -1;
	for (size_t i = 0; i < s->files_n; i++)
		if (put_file(out, &s->files[i]) < 0)
			return -1;
	return 0;
}

static int
take(struct bytes *in, const char *key, struct bytes *value_out)
{
	if (bytes_index(*in, '\n') < 0)
		return -1;
	*value_out = bytes_take_until(in, '\n');
	return bytes_equal(bytes_take_until(value_out, ' '), bytes_of(key)) &&
		bytes_index(*value_out, '\0') < 0
	    ? 0
	    : -1;
}

static int
take_text(struct bytes *in, const char *key, void *to)
{
	struct bytes value;

	if (take(in, key, &value) < 0)
		return -1;
	memcpy(to, &value, sizeof(value));
	return 0;
}

static int
take_number(struct bytes *in, const char *key, uint64_t max, void *to)
{
	struct bytes text;
	uint64_t value;

	if (take(in, key, &text) < 0 || bytes_number(text, max, &value) < 0)
		return -1;
	memcpy(to, &value, sizeof(value));
	return 0;
}

/* Its name becomes that of a file, and is shown to who approves: an edge that
 * was taken over cannot say another. */
static int
take_file(struct bytes *in, struct slip_file *f, struct arena *a)
{
	uint8_t *to = (uint8_t *)f;

	for (size_t i = 0; i < COUNT(file_texts); i++)
		if (take_text(in, file_texts[i].key, to + file_texts[i].at) < 0)
			return -1;
	for (size_t i = 0; i < COUNT(file_numbers); i++)
		if (take_number(in, file_numbers[i].key, file_numbers[i].max,
			to + file_numbers[i].at) < 0)
			return -1;
	return bytes_equal(slip_name(f->name, a), f->name) ? 0 : -1;
}

int
slip_unpack(struct slip *s, struct bytes in, struct arena *a)
{
	uint8_t *to = (uint8_t *)s;

	*s = (struct slip){ 0 };
	for (size_t i = 0; i < COUNT(texts); i++)
		if (take_text(&in, texts[i].key, to + texts[i].at) < 0)
			return -1;
	for (size_t i = 0; i < COUNT(numbers); i++)
		if (take_number(&in, numbers[i].key, numbers[i].max,
			to + numbers[i].at) < 0)
			return -1;
	s->files = ARENA_ARRAY(a, struct slip_file, HANDOVER_FILES_MAX);
	while (in.n > 0)
		if (s->files_n == HANDOVER_FILES_MAX ||
		    take_file(&in, &s->files[s->files_n++], a) < 0)
			return -1;
	return s->files_n > 0 ? 0 : -1;
}

uint64_t
slip_offset(const struct slip *s, size_t nth)
{
	uint64_t at = 0;

	for (size_t i = 0; i < nth; i++)
		at += s->files[i].bytes;
	return at;
}

void
slip_digest(struct bytes b, char out[65])
{
	uint8_t digest[SHA256_SIZE];

	must(EVP_Digest(b.n > 0 ? b.p : (const uint8_t *)"", b.n, digest, NULL,
		 EVP_sha256(), NULL) == 1);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* Names and texts of people. */

/* Controls, and what is not seen or turns the direction of writing. */
static bool
is_unseen(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	    c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	    c == 0xfeff || (c >= 0xfff0 && c <= 0xffff) ||
	    (c >= 0xe0000 && c <= 0xe0fff);
}

/* Of a folder's way, a shell, or a device of Windows. */
static bool
is_bad_in_name(uint32_t c)
{
	return is_unseen(c) ||
	    (c < 0x80 && strchr("/\\<>:\"|?*", (int)c) != NULL);
}

/* CON, NUL, COM1 and so on open a device on Windows, whatever follows a dot. */
static bool
is_device(struct bytes name)
{
	static const char *const devices[] = { "con", "prn", "aux", "nul",
		"conin$", "conout$" };
	struct bytes stem = bytes_take_until(&name, '.');

	while (stem.n > 0 && stem.p[stem.n - 1] == ' ')
		stem.n--;
	for (size_t i = 0; i < COUNT(devices); i++)
		if (bytes_equal_nocase(stem, bytes_of(devices[i])))
			return true;
	return stem.n == 4 && stem.p[3] >= '0' && stem.p[3] <= '9' &&
	    (bytes_equal_nocase((struct bytes){ stem.p, 3 }, BYTES("com")) ||
		bytes_equal_nocase((struct bytes){ stem.p, 3 }, BYTES("lpt")));
}

/* The end is what it is opened by: what is too long is cut before it. */
static struct bytes
shorten(struct bytes name, struct arena *a)
{
	size_t dot = name.n;
	size_t stem;

	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	if (dot == 0 || name.n - dot > 16)
		dot = name.n + 1;
	stem = SLIP_NAME_MAX - (name.n + 1 - dot);
	while (stem > 0 && (name.p[stem] & 0xc0) == 0x80)
		stem--;
	return bytes_of(
	    arena_printf(a, "%.*s%.*s", (int)stem, (const char *)name.p,
		(int)(name.n + 1 - dot), (const char *)name.p + dot - 1));
}

/* Windows drops these, and then it is another name. */
static struct bytes
trim_end(struct bytes name)
{
	while (name.n > 0 &&
	    (name.p[name.n - 1] == '.' || name.p[name.n - 1] == ' '))
		name.n--;
	return name;
}

struct bytes
slip_name(struct bytes name, struct arena *a)
{
	uint8_t *out;
	size_t n = 0;
	struct bytes made;

	if (!utf8_is_valid(name))
		name = BYTES("file");
	out = arena_alloc(a, name.n + 1);
	out[n++] = '_'; /* before a device's name, or a dot */
	while (name.n > 0) {
		uint8_t one[UTF8_MAX];
		uint32_t c = utf8_take(&name);
		size_t k = utf8_write(one, is_bad_in_name(c) ? '_' : c);

		memcpy(out + n, one, k);
		n += k;
	}
	made = trim_end((struct bytes){ out + 1, n - 1 });
	if (made.n == 0)
		return BYTES("file");
	if (made.p[0] == '.' || made.p[0] == ' ' || made.p[0] == '~' ||
	    is_device(made))
		made = (struct bytes){ out, made.n + 1 };
	return made.n <= SLIP_NAME_MAX ? made : trim_end(shorten(made, a));
}

struct bytes
slip_text(struct bytes text, size_t max, struct arena *a)
{
	uint8_t *out = arena_alloc(a, max + UTF8_MAX);
	size_t n = 0;

	if (!utf8_is_valid(text))
		return BYTES("");
	text = bytes_trim(text);
	while (text.n > 0) {
		uint32_t c = utf8_take(&text);
		uint8_t one[UTF8_MAX];
		size_t k = utf8_write(one, is_unseen(c) ? ' ' : c);

		if (n + k > max)
			break;
		memcpy(out + n, one, k);
		n += k;
	}
	return bytes_trim((struct bytes){ out, n });
}

/* Asking. */

int
slip_ask_pack(const struct slip_ask *a, struct buf *out)
{
	return put(out, "body", &a->body) < 0 ||
		put(out, "zone", &a->zone) < 0 ||
		put(out, "client", &a->client) < 0 ||
		put(out, a->by == SLIP_BY_TOKEN ? "token" : "number",
		    &a->value) < 0
	    ? -1
	    : put_number(out, "file", &a->nth) < 0 ? -1
						   : put(out, "name", &a->name);
}

int
slip_ask_unpack(struct slip_ask *a, struct bytes in)
{
	*a = (struct slip_ask){ 0 };
	if (take_text(&in, "body", &a->body) < 0 ||
	    take_text(&in, "zone", &a->zone) < 0 ||
	    take_text(&in, "client", &a->client) < 0)
		return -1;
	if (bytes_start_with(in, BYTES("token ")))
		a->by = SLIP_BY_TOKEN;
	if (take_text(&in, a->by == SLIP_BY_TOKEN ? "token" : "number",
		&a->value) < 0 ||
	    take_number(&in, "file", HANDOVER_FILES_MAX, &a->nth) < 0 ||
	    take_text(&in, "name", &a->name) < 0)
		return -1;
	return in.n == 0 ? 0 : -1;
}

/* As it is told by telephone, typed with whatever keyboard. */
int
slip_number(struct bytes text, char out[HANDOVER_NUMBER_N + 1])
{
	size_t n = 0;

	if (!utf8_is_valid(text))
		return -1;
	while (text.n > 0) {
		uint32_t c = utf8_take(&text);

		if (c >= 0xff10 && c <= 0xff19)
			c -= 0xff10 - '0';
		if (c == ' ' || c == 0x3000 || c == '-' || c == 0xff0d ||
		    c == 0x2212 || c == 0x2010 || c == 0x30fc)
			continue;
		if (c < '0' || c > '9' || n == HANDOVER_NUMBER_N)
			return -1;
		out[n++] = (char)c;
		if (n == 5)
			out[n++] = '-';
	}
	out[n] = '\0';
	return n == HANDOVER_NUMBER_N ? 0 : -1;
}
