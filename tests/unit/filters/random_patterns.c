/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "tests/unit/filters/random_patterns.h"

#include <pcre2.h>

#include "filters/text/set.h"

static const char *const wide_letters[] = { "a", "b", "A", "k", "s", " ", "\n",
	"x", "日", "本", "ア", "é", "É", "σ", "\xf0\x9f\x98\x80", "1" };
static const char *const narrow_letters[] = { "a", "b", "A", "B", "/", ".", "=",
	"1", "-", "c", "d", "?" };

unsigned
dice_roll(struct dice *d, unsigned n)
{
	d->state = d->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(d->state >> 33) % n;
}

static const char *
letter(struct dice *d, bool wide)
{
	return wide ? wide_letters[dice_roll(d, COUNT(wide_letters))]
		    : narrow_letters[dice_roll(d, COUNT(narrow_letters))];
}

static const char *
quantifier(struct dice *d, struct arena *a, bool wide)
{
	unsigned least = dice_roll(d, 3);

	switch (dice_roll(d, wide ? 9 : 11)) {
	case 0:
		return "?";
	case 1:
		return arena_printf(
		    a, "{%u,%u}", least, least + dice_roll(d, 4));
	case 2:
		return arena_printf(a, "{%u}", 1 + dice_roll(d, 3));
	case 3:
		return arena_printf(
		    a, "{%u,%u}?", least, least + dice_roll(d, 3));
	case 4:
		return arena_printf(a, "{%u,%u}+", least, 1 + least);
	case 9:
		return "*";
	case 10:
		return "+";
	default:
		return "";
	}
}

static const char *
one(struct dice *d, struct arena *a, bool wide)
{
	const char *l = letter(d, wide);

	if (strchr(".?", l[0]) != NULL)
		return arena_printf(a, "\\%s", l);
	return l;
}

static const char *branches(
    struct dice *d, struct arena *a, bool wide, unsigned depth);

static const char *
atom(struct dice *d, struct arena *a, bool wide, unsigned depth)
{
	static const char *const fixed[] = { ".", "\\b", "\\w", "\\d", "\\s",
		"^", "$", "(?:^|a)", "\\B", "[^a]" };
	static const char *const heads[] = { "(", "(?:", "(?>", "(?=", "(?!",
		"(?i:" };

	switch (dice_roll(d, depth == 0 ? 8 : 11)) {
	case 0:
		return fixed[dice_roll(d, COUNT(fixed))];
	case 1:
		return arena_printf(
		    a, "[%s%s]", letter(d, wide), one(d, a, wide));
	case 2:
		return arena_printf(a, "(?<%c%s%s)",
		    dice_roll(d, 2) == 0 ? '=' : '!', one(d, a, wide),
		    dice_roll(d, 2) == 0 ? "" : one(d, a, wide));
	case 8:
	case 9:
	case 10:
		return arena_printf(a, "%s%s)",
		    heads[dice_roll(d, COUNT(heads))],
		    branches(d, a, wide, depth - 1));
	default:
		return one(d, a, wide);
	}
}

static const char *
branches(struct dice *d, struct arena *a, bool wide, unsigned depth)
{
	const char *text = "";

	for (unsigned n = 1 + dice_roll(d, 4); n > 0; n--) {
		const char *what = atom(d, a, wide, depth);
		bool bare = strchr("^$", what[0]) != NULL ||
		    strncmp(what, "\\b", 2) == 0 ||
		    strncmp(what, "\\B", 2) == 0 ||
		    strncmp(what, "(?=", 3) == 0 ||
		    strncmp(what, "(?!", 3) == 0 ||
		    strncmp(what, "(?<", 3) == 0;

		text = arena_printf(a, "%s%s%s", text, what,
		    bare ? "" : quantifier(d, a, wide));
	}
	if (dice_roll(d, 6) == 0)
		text =
		    arena_printf(a, "%s|%s", text, branches(d, a, wide, depth));
	return text;
}

const char *
random_pattern(struct dice *d, struct arena *a, bool wide)
{
	const char *text = branches(d, a, wide, 2);

	if (wide && dice_roll(d, 5) == 0)
		text = arena_printf(a, "(?%c)%s", "sm"[dice_roll(d, 2)], text);
	return text;
}

struct bytes
random_text(struct dice *d, struct arena *a, size_t pieces, bool wide)
{
	struct buf out;
	struct bytes text;

	buf_init(&out, pieces * 4);
	for (size_t i = 0; i < pieces; i++)
		must(buf_append_string(&out, letter(d, wide)) == 0);
	text = arena_copy(a, buf_bytes(&out));
	buf_release(&out);
	return text;
}

int
reference(const char *pattern, unsigned flags, struct bytes text, bool wide)
{
	uint32_t options = (flags & SET_CASELESS) != 0 ? PCRE2_CASELESS : 0;
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	pcre2_code *code;
	PCRE2_SIZE at;
	int error;
	int result;

	options |=
	    (flags & SET_PHRASE) != 0 ? PCRE2_LITERAL : PCRE2_DOLLAR_ENDONLY;
	options |= wide ? PCRE2_UTF : 0;
	code = pcre2_compile(
	    (PCRE2_SPTR)pattern, strlen(pattern), options, &error, &at, NULL);
	if (code == NULL) {
		pcre2_match_data_free(data);
		return -1;
	}
	result = pcre2_match(code, text.p, text.n, 0, 0, data, NULL);
	must(result >= 0 || result == PCRE2_ERROR_NOMATCH);
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return result >= 0;
}
