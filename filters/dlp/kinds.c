/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/kinds.h"

#include "filters/dlp/check.h"

#define SINGLES_7 "\1\1\1\1\1\1\1"
#define SINGLES_10 SINGLES_7 "\1\1\1"
#define SINGLES_12 SINGLES_10 "\1\1"
#define SINGLES_16 SINGLES_12 "\1\1\1\1"

/* Twelve digits of which the check digit may fail: what is not a time. */
static bool
plausible_individual(const uint8_t *d, size_t n)
{
	return n == INDIVIDUAL_DIGITS && !check_is_time(d, n);
}

#define INDIVIDUAL(shape_)                                                 \
	{                                                                  \
		.kind = DLP_INDIVIDUAL, .word = WORD_INDIVIDUAL,           \
		.shape = (shape_), .check = check_individual,              \
		.plausible = plausible_individual, .doubt = check_is_time, \
		.alone = 40, .near = 30, .label = 50, .dense = 30          \
	}
#define PENSION(shape_, alone_)                                               \
	{                                                                     \
		.kind = DLP_PENSION, .word = WORD_PENSION, .shape = (shape_), \
		.check = check_pension, .alone = (alone_), .near = 30,        \
		.label = 60                                                   \
	}
#define CARD(shape_, alone_)                                            \
	{                                                               \
		.kind = DLP_CARD, .word = WORD_CARD, .shape = (shape_), \
		.check = check_card, .plausible = check_card_network,   \
		.alone = (alone_), .near = 20, .label = 50, .dense = 30 \
	}

/*
 * A valid individual number alone is not sure enough (a tenth of all runs of
 * twelve digits are valid); with its word within reach it is. What has no
 * check digit needs its label, or its word and its usual hyphen.
 */
const struct detector detectors[] = {
	INDIVIDUAL("\14"),
	INDIVIDUAL("\4\4\4"),
	INDIVIDUAL("\6\6"),
	INDIVIDUAL(SINGLES_12),
	{ .kind = DLP_INDIVIDUAL,
	    .word = WORD_INDIVIDUAL,
	    .shape = "\13",
	    .check = check_individual_short,
	    .alone = 20,
	    .label = 50 },
	CARD("\20", 40),
	CARD("\4\4\4\4", 50),
	CARD("\17", 40),
	CARD("\4\6\5", 50),
	CARD("\16", 30),
	CARD("\4\6\4", 50),
	CARD(SINGLES_16, 40),
	PENSION("\12", 20),
	PENSION("\4\6", 40),
	PENSION(SINGLES_10, 20),
	{ .kind = DLP_ACCOUNT,
	    .word = WORD_ACCOUNT,
	    .shape = "\7",
	    .check = check_account,
	    .alone = 20,
	    .near = 20,
	    .label = 55,
	    .helper = WORD_BANK,
	    .helped = 15 },
	{ .kind = DLP_ACCOUNT,
	    .word = WORD_ACCOUNT_TYPE,
	    .shape = "\7",
	    .check = check_account,
	    .alone = 20,
	    .near = 10,
	    .label = 35,
	    .helper = WORD_BANK,
	    .helped = 20 },
	{ .kind = DLP_ACCOUNT,
	    .word = WORD_ACCOUNT,
	    .shape = SINGLES_7,
	    .check = check_account,
	    .alone = 20,
	    .near = 20,
	    .label = 55,
	    .helper = WORD_BANK,
	    .helped = 15 },
	{ .kind = DLP_ACCOUNT,
	    .word = WORD_POSTAL,
	    .shape = "\5\7",
	    .check = check_postal_account,
	    .alone = 30,
	    .near = 40,
	    .label = 50 },
	{ .kind = DLP_ACCOUNT,
	    .word = WORD_POSTAL,
	    .shape = "\5\10",
	    .check = check_postal_account,
	    .alone = 30,
	    .near = 40,
	    .label = 50 },
	{ .kind = DLP_LICENCE,
	    .word = WORD_LICENCE,
	    .shape = "\14",
	    .check = check_licence,
	    .alone = 30,
	    .near = 40,
	    .label = 55 },
	{ .kind = DLP_LICENCE,
	    .word = WORD_LICENCE,
	    .shape = SINGLES_12,
	    .check = check_licence,
	    .alone = 30,
	    .near = 40,
	    .label = 55 },
	{ .kind = DLP_CORPORATE,
	    .word = WORD_CORPORATE,
	    .shape = "\15",
	    .check = check_corporate,
	    .alone = 50,
	    .near = 30,
	    .label = 40 },
	{ .kind = DLP_CORPORATE,
	    .word = WORD_CORPORATE,
	    .shape = "\1\4\4\4",
	    .check = check_corporate,
	    .alone = 50,
	    .near = 30,
	    .label = 40 },
};
const size_t detectors_n = COUNT(detectors);

static bool
is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || c == '_' ||
	    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* "\n1234…" as JSON and scripts write a line end. */
static bool
is_escape(struct bytes text, size_t at)
{
	uint8_t c = text.p[at - 1];

	return at >= 2 && text.p[at - 2] == '\\' &&
	    (c == 'n' || c == 'r' || c == 't');
}

/* Nothing stands before it that makes it a part of something. */
static bool
begins_free(struct bytes text, size_t at, enum dlp_kind kind)
{
	uint8_t c = at == 0 ? ' ' : text.p[at - 1];
	bool tight = c == '-' || c == '.' || c == '+' || c == '/' || c == ':';

	if (at == 0 || is_escape(text, at))
		return true;
	/* T and a corporate number: a registered issuer of invoices */
	if (kind == DLP_CORPORATE && c == 'T')
		return true;
	if (is_word(c) || c == '$' || c == '+' || c == '%' || c == '&' ||
	    (c == '.' && at >= 2))
		return false;
	if (at >= 2 && text.p[at - 2] == 0xc2 && c == 0xa5) /* yen */
		return false;
	return !tight || at < 2 || c == ':' || !is_word(text.p[at - 2]);
}

/* What is counted, and what names a thing, is no number of a person. */
static bool
ends_free(struct bytes text, size_t at)
{
	static const struct bytes units[] = { BYTES_ROW("円"), BYTES_ROW("件"),
		BYTES_ROW("人"), BYTES_ROW("個"), BYTES_ROW("年"),
		BYTES_ROW("回"), BYTES_ROW("%"), BYTES_ROW("@") };
	size_t end = chain_skip_fraction(text, at);
	struct bytes rest = { text.p + end, text.n - end };

	if (rest.n == 0)
		return true;
	if (is_word(rest.p[0]))
		return false;
	if ((rest.p[0] == '.' || rest.p[0] == '-') && rest.n > 1)
		return !is_word(rest.p[1]);
	for (size_t i = 0; i < COUNT(units); i++)
		if (bytes_start_with(rest, units[i]))
			return false;
	return true;
}

/* A neighbour that is a group of the same row of groups. */
static bool
is_sibling(uint8_t link, uint8_t n, uint8_t own_link, uint8_t own_n)
{
	switch ((enum chain_link)link) {
	case CHAIN_END:
		return false;
	case CHAIN_SPACE:
	case CHAIN_CELL:
		return own_link == link && n == own_n;
	case CHAIN_HYPHEN:
	case CHAIN_OTHER:
		return true;
	}
	return true;
}

static bool
stands_free(const struct chain *c, size_t first, size_t n, struct bytes text,
    enum dlp_kind kind)
{
	const struct chain_group *g = &c->groups[first];
	const struct chain_group *last = &g[n - 1];
	uint8_t link = n > 1 ? g->link : CHAIN_END;
	uint8_t before = first > 0 ? g[-1].link : c->before_link;
	uint8_t before_n = first > 0 ? g[-1].n : c->before_n;
	uint8_t after_n =
	    first + n < c->groups_n ? last[1].n : CHAIN_GROUP_MAX + 1;

	if (is_sibling(before, before_n, link, g->n) ||
	    is_sibling(last->link, after_n, link, last->n))
		return false;
	return begins_free(text, g->begin, kind) && ends_free(text, last->end);
}

bool
kinds_match(const struct detector *d, const struct chain *c, size_t first,
    struct bytes text, struct candidate *out)
{
	const struct chain_group *g = &c->groups[first];
	size_t n = 0, digits = 0;

	for (const char *s = d->shape; *s != 0; s++, n++) {
		if (first + n == c->groups_n || g[n].n != (uint8_t)*s)
			return false;
		if (n > 0 && g[n - 1].link != g->link)
			return false;
		digits += g[n].n;
	}
	/* Dots and slashes join no number. */
	if (n > 1 && (g->link == CHAIN_OTHER || g->link == CHAIN_END))
		return false;
	*out = (struct candidate){
		.detector = d,
		.digits = c->digits + g->first,
		.n = digits,
		.begin = g->begin,
		.end = g[n - 1].end,
	};
	out->valid = d->check(out->digits, digits);
	out->doubtful = d->doubt != NULL && d->doubt(out->digits, digits);
	if (!out->valid &&
	    (d->plausible == NULL || !d->plausible(out->digits, digits)))
		return false;
	return stands_free(c, first, n, text, d->kind);
}
