/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/chain.h"

#define NOTHING_MAX 8 /* zero-width signs in a row */
#define LINK_MAX 4    /* signs between two groups */

static bool
is_digit(struct bytes text, size_t at)
{
	return at < text.n && text.p[at] >= '0' && text.p[at] <= '9';
}

struct sign {
	size_t n; /* bytes; 0: no separator */
	enum chain_link link;
};

static struct sign
ascii_sign(struct bytes text, size_t at)
{
	switch (text.p[at]) {
	case ' ':
		return (struct sign){ 1, CHAIN_SPACE };
	case '-':
		return (struct sign){ 1, CHAIN_HYPHEN };
	case ',':
	case '\t':
	case '|':
	case ';':
	case '\r':
	case '\n':
	case 0x1f:
		return (struct sign){ 1, CHAIN_CELL };
	case '.':
	case '/':
	case ':':
		return (struct sign){ 1, CHAIN_OTHER };
	}
	return (struct sign){ 0, CHAIN_END };
}

static uint32_t
three(struct bytes text, size_t at)
{
	return (uint32_t)text.p[at] << 16 | (uint32_t)text.p[at + 1] << 8 |
	    text.p[at + 2];
}

/* One separator; full-width ASCII is folded before. */
static struct sign
read_sign(struct bytes text, size_t at)
{
	uint32_t c;

	if (at >= text.n)
		return (struct sign){ 0, CHAIN_END };
	if (text.p[at] < 0x80)
		return ascii_sign(text, at);
	if (at + 1 < text.n && text.p[at] == 0xc2) {
		if (text.p[at + 1] == 0xa0)
			return (struct sign){ 2, CHAIN_SPACE };
		if (text.p[at + 1] == 0xad || text.p[at + 1] == 0xb7)
			return (struct sign){ 2, CHAIN_HYPHEN };
		return (struct sign){ 0, CHAIN_END };
	}
	if (at + 2 >= text.n)
		return (struct sign){ 0, CHAIN_END };
	c = three(text, at);
	if (c == 0xe38080 || (c >= 0xe28080 && c <= 0xe2808a) || c == 0xe280af)
		return (struct sign){ 3, CHAIN_SPACE };
	/* U+2010-2015, U+2043, U+2212, U+30FB, U+30FC, U+FE63, U+FF65, U+FF70,
	 * U+2500 */
	if ((c >= 0xe28090 && c <= 0xe28095) || c == 0xe28183 ||
	    c == 0xe28892 || c == 0xe383bb || c == 0xe383bc || c == 0xefb9a3 ||
	    c == 0xefbda5 || c == 0xefbdb0 || c == 0xe29480)
		return (struct sign){ 3, CHAIN_HYPHEN };
	return (struct sign){ 0, CHAIN_END };
}

/* U+200B-200D, U+2060, U+FEFF are not seen, so they part nothing. */
static size_t
skip_nothing(struct bytes text, size_t at)
{
	size_t to = at;

	for (size_t i = 0; i < NOTHING_MAX && to + 2 < text.n; i++) {
		uint32_t c = three(text, to);

		if ((c < 0xe2808b || c > 0xe2808d) && c != 0xe281a0 &&
		    c != 0xefbbbf)
			break;
		to += 3;
	}
	return is_digit(text, to) ? to : at;
}

/* Whole blocks of text without one are passed by a loop that the compiler makes
 * vectors of. */
size_t
chain_next_digit(const uint8_t *p, size_t at, size_t end)
{
	while (end - at >= 64) {
		uint8_t any = 0;

		for (size_t i = 0; i < 64; i++)
			any |= (uint8_t)(p[at + i] - '0') < 10;
		if (any)
			break;
		at += 64;
	}
	while (at < end && (uint8_t)(p[at] - '0') >= 10)
		at++;
	return at;
}

size_t
chain_skip_fraction(struct bytes text, size_t at)
{
	if (at + 1 >= text.n || text.p[at] != '.' || text.p[at + 1] != '0' ||
	    is_digit(text, at + 2))
		return at;
	return at + 2 < text.n && text.p[at + 2] == '.' ? at : at + 2;
}

/* The link behind a group, and where the next group begins. */
static enum chain_link
read_link(struct bytes text, size_t *at)
{
	enum chain_link link = CHAIN_END;
	size_t to = chain_skip_fraction(text, *at);

	for (size_t i = 0; i < LINK_MAX; i++) {
		struct sign s = read_sign(text, to);

		if (s.n == 0)
			break;
		if (link == CHAIN_END || link == CHAIN_SPACE)
			link = s.link;
		else if (s.link == CHAIN_SPACE)
			;
		else if (link == CHAIN_CELL || s.link == CHAIN_CELL)
			return CHAIN_END; /* an empty cell, a "-" in one */
		else
			link = CHAIN_OTHER;
		to += s.n;
	}
	if (!is_digit(text, to))
		return CHAIN_END;
	*at = to;
	return link;
}

static size_t
read_group(struct chain *c, struct bytes text, size_t at)
{
	struct chain_group *g = &c->groups[c->groups_n++];
	size_t limit = c->begin + CHAIN_BYTES_MAX;

	*g = (struct chain_group){ .first = (uint8_t)c->digits_n, .begin = at };
	while (is_digit(text, at) && at < limit) {
		if (g->n < CHAIN_GROUP_MAX && c->digits_n < CHAIN_DIGITS_MAX)
			c->digits[c->digits_n++] = text.p[at];
		if (g->n <= CHAIN_GROUP_MAX)
			g->n++;
		at++;
		at = skip_nothing(text, at);
	}
	g->end = at;
	return at;
}

/* Cells join single digits alone: "1,2,3" may be one number in twelve cells,
 * "1234,5678" are two. */
static bool
may_go_on(const struct chain_group *g)
{
	return g->link != CHAIN_CELL || g->n == 1;
}

void
chain_read(struct chain *c, struct bytes text, size_t at)
{
	const struct chain_group *last =
	    c->groups_n == 0 ? NULL : &c->groups[c->groups_n - 1];
	bool cut = last != NULL && last->link != CHAIN_END && c->end == at;

	c->before_link = cut ? last->link : CHAIN_END;
	c->before_n = cut ? last->n : 0;
	c->begin = at;
	c->digits_n = c->groups_n = 0;
	for (;;) {
		struct chain_group *g = &c->groups[c->groups_n];
		size_t next;

		c->end = next = read_group(c, text, at);
		g->link = (uint8_t)read_link(text, &next);
		if (g->link == CHAIN_END || !may_go_on(g)) {
			g->link = CHAIN_END;
			return;
		}
		/* Cut: it goes on as a chain of its own, which knows it. */
		if (c->groups_n == CHAIN_GROUPS_MAX ||
		    c->digits_n + CHAIN_GROUP_MAX > CHAIN_DIGITS_MAX ||
		    next + CHAIN_GROUP_MAX > c->begin + CHAIN_BYTES_MAX) {
			c->end = next;
			return;
		}
		at = next;
	}
}
