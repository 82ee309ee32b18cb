/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/lookalike.h"

#include <idn2.h>

/* Letters that look like a Latin one, of those that names may have. */
static const struct {
	uint32_t letter;
	char looks;
} letters[] = {
	/* Cyrillic */
	{ 0x430, 'a' },
	{ 0x431, 'b' },
	{ 0x432, 'b' },
	{ 0x435, 'e' },
	{ 0x437, '3' },
	{ 0x43a, 'k' },
	{ 0x43c, 'm' },
	{ 0x43d, 'h' },
	{ 0x43e, 'o' },
	{ 0x43f, 'n' },
	{ 0x440, 'p' },
	{ 0x441, 'c' },
	{ 0x442, 't' },
	{ 0x443, 'y' },
	{ 0x445, 'x' },
	{ 0x44c, 'b' },
	{ 0x455, 's' },
	{ 0x456, 'l' },
	{ 0x457, 'l' },
	{ 0x458, 'j' },
	{ 0x461, 'w' },
	{ 0x475, 'v' },
	{ 0x4bb, 'h' },
	{ 0x4cf, 'l' },
	{ 0x501, 'd' },
	{ 0x51b, 'q' },
	{ 0x51d, 'w' },
	{ 0x433, 'r' },
	/* Greek */
	{ 0x3b1, 'a' },
	{ 0x3b2, 'b' },
	{ 0x3b3, 'y' },
	{ 0x3b5, 'e' },
	{ 0x3b7, 'n' },
	{ 0x3b9, 'l' },
	{ 0x3ba, 'k' },
	{ 0x3bd, 'v' },
	{ 0x3bf, 'o' },
	{ 0x3c1, 'p' },
	{ 0x3c3, 'o' },
	{ 0x3c4, 't' },
	{ 0x3c5, 'u' },
	{ 0x3c7, 'x' },
	{ 0x3c9, 'w' },
	{ 0x3bc, 'u' },
	/* Latin with marks, and letters of its extensions */
	{ 0x131, 'l' },
	{ 0x251, 'a' },
	{ 0x261, 'g' },
	{ 0x269, 'l' },
	{ 0xe0, 'a' },
	{ 0xe1, 'a' },
	{ 0xe2, 'a' },
	{ 0xe3, 'a' },
	{ 0xe4, 'a' },
	{ 0xe5, 'a' },
	{ 0x101, 'a' },
	{ 0x105, 'a' },
	{ 0x1ea1, 'a' },
	{ 0xe7, 'c' },
	{ 0x107, 'c' },
	{ 0x10d, 'c' },
	{ 0x10b, 'c' },
	{ 0x10f, 'd' },
	{ 0x111, 'd' },
	{ 0xe8, 'e' },
	{ 0xe9, 'e' },
	{ 0xea, 'e' },
	{ 0xeb, 'e' },
	{ 0x113, 'e' },
	{ 0x117, 'e' },
	{ 0x119, 'e' },
	{ 0x11b, 'e' },
	{ 0x1eb9, 'e' },
	{ 0x11f, 'g' },
	{ 0x121, 'g' },
	{ 0x123, 'g' },
	{ 0x1e7, 'g' },
	{ 0xec, 'l' },
	{ 0xed, 'l' },
	{ 0xee, 'l' },
	{ 0xef, 'l' },
	{ 0x12b, 'l' },
	{ 0x12f, 'l' },
	{ 0x1ecb, 'l' },
	{ 0x142, 'l' },
	{ 0x13a, 'l' },
	{ 0x13c, 'l' },
	{ 0x13e, 'l' },
	{ 0x1e37, 'l' },
	{ 0x137, 'k' },
	{ 0x1e33, 'k' },
	{ 0xf1, 'n' },
	{ 0x144, 'n' },
	{ 0x146, 'n' },
	{ 0x148, 'n' },
	{ 0x1e47, 'n' },
	{ 0xf2, 'o' },
	{ 0xf3, 'o' },
	{ 0xf4, 'o' },
	{ 0xf5, 'o' },
	{ 0xf6, 'o' },
	{ 0xf8, 'o' },
	{ 0x14d, 'o' },
	{ 0x151, 'o' },
	{ 0x1ecd, 'o' },
	{ 0x155, 'r' },
	{ 0x157, 'r' },
	{ 0x159, 'r' },
	{ 0x15b, 's' },
	{ 0x15f, 's' },
	{ 0x161, 's' },
	{ 0x219, 's' },
	{ 0x1e63, 's' },
	{ 0x163, 't' },
	{ 0x165, 't' },
	{ 0x21b, 't' },
	{ 0x1e6d, 't' },
	{ 0xf9, 'u' },
	{ 0xfa, 'u' },
	{ 0xfb, 'u' },
	{ 0xfc, 'u' },
	{ 0x16b, 'u' },
	{ 0x16f, 'u' },
	{ 0x171, 'u' },
	{ 0x173, 'u' },
	{ 0x1ee5, 'u' },
	{ 0x175, 'w' },
	{ 0xfd, 'y' },
	{ 0xff, 'y' },
	{ 0x177, 'y' },
	{ 0x17a, 'z' },
	{ 0x17c, 'z' },
	{ 0x17e, 'z' },
	/* kana and signs beside Latin letters */
	{ 0x30fc, '-' },
	{ 0x30ce, '/' },
	{ 0x30bf, '9' },
};

static char
looks_like(uint32_t c)
{
	for (size_t i = 0; i < COUNT(letters); i++)
		if (letters[i].letter == c)
			return letters[i].looks;
	return 0;
}

static unsigned
script_of(uint32_t c)
{
	if (c < 0x80)
		return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? SCRIPT_LATIN
							      : 0;
	if (c < 0x250 || (c >= 0x1e00 && c < 0x1f00))
		return SCRIPT_LATIN;
	if ((c >= 0x370 && c < 0x400) || (c >= 0x1f00 && c < 0x2000))
		return SCRIPT_GREEK;
	if (c >= 0x400 && c < 0x530)
		return SCRIPT_CYRILLIC;
	if ((c >= 0x3005 && c < 0x3100) || (c >= 0x3400 && c < 0xa000) ||
	    (c >= 0x20000 && c < 0x32000))
		return SCRIPT_JAPANESE;
	return SCRIPT_OTHER;
}

/* One code point of valid UTF-8, as libidn2 writes it. */
static uint32_t
take_point(struct bytes *text)
{
	uint8_t c = *bytes_take(text, 1).p;
	unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
	uint32_t point = more == 0 ? c : c & (0x3fu >> more);

	while (more-- > 0 && text->n > 0)
		point = point << 6 | (*bytes_take(text, 1).p & 0x3f);
	return point;
}

/* The host in letters; *to_free is for idn2_free, when it is not NULL. */
static struct bytes
decoded(struct bytes host, char **to_free)
{
	char name[256];

	*to_free = NULL;
	if (host.n >= sizeof(name) || memmem(host.p, host.n, "xn--", 4) == NULL)
		return host;
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	if (idn2_to_unicode_8z8z(name, to_free, 0) != IDN2_OK)
		return host;
	return bytes_of(*to_free);
}

static size_t
count_bits(unsigned bits)
{
	size_t n = 0;

	for (; bits != 0; bits &= bits - 1)
		n++;
	return n;
}

static void
put(char *out, size_t *n, char c)
{
	if (*n >= SKELETON_MAX - 1)
		return;
	if (c == '0')
		c = 'o';
	if (c == '1' || c == 'i')
		c = 'l';
	out[(*n)++] = c;
	if (*n >= 2 && c == 'n' && out[*n - 2] == 'r')
		out[--*n - 1] = 'm';
	else if (*n >= 2 && c == 'v' && out[*n - 2] == 'v')
		out[--*n - 1] = 'w';
}

size_t
lookalike_skeleton(
    struct bytes host, char out[SKELETON_MAX], unsigned *scripts_out)
{
	char *to_free;
	struct bytes text = decoded(host, &to_free);
	unsigned scripts = 0;
	unsigned most = 0;
	size_t n = 0;

	while (text.n > 0) {
		uint32_t c = take_point(&text);
		char looks = c < 0x80 ? (char)c : looks_like(c);

		scripts = c == '.' ? 0 : scripts | script_of(c);
		if (count_bits(scripts) > count_bits(most))
			most = scripts;
		put(out, &n, looks == 0 ? '?' : looks);
	}
	out[n] = '\0';
	if (scripts_out != NULL)
		*scripts_out = most;
	if (to_free != NULL)
		idn2_free(to_free);
	return n;
}

bool
lookalike_is_disguised(struct bytes host)
{
	char *to_free;
	struct bytes text = decoded(host, &to_free);
	bool found = false;

	while (text.n > 0 && !found) {
		struct bytes label = bytes_take_until(&text, '.');
		size_t foreign = 0;
		bool all = true;

		while (label.n > 0) {
			uint32_t c = take_point(&label);

			if (script_of(c) == SCRIPT_LATIN)
				all = false;
			if (c < 0x80)
				continue;
			foreign++;
			all &= looks_like(c) != 0 &&
			    (script_of(c) == SCRIPT_GREEK ||
				script_of(c) == SCRIPT_CYRILLIC);
		}
		found = all && foreign >= 2;
	}
	if (to_free != NULL)
		idn2_free(to_free);
	return found;
}

bool
lookalike_one_edit(struct bytes a, struct bytes b)
{
	size_t head = 0;
	size_t tail = 0;
	size_t shorter = a.n < b.n ? a.n : b.n;

	if (a.n > b.n + 1 || b.n > a.n + 1 || bytes_equal(a, b))
		return false;
	while (head < shorter && a.p[head] == b.p[head])
		head++;
	while (
	    tail < shorter - head && a.p[a.n - 1 - tail] == b.p[b.n - 1 - tail])
		tail++;
	if (head + tail >= shorter)
		return true;
	if (a.n != b.n)
		return false;
	return head + tail + 1 == a.n ||
	    (head + tail + 2 == a.n && a.p[head] == b.p[head + 1] &&
		a.p[head + 1] == b.p[head]);
}
