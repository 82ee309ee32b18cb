/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/hints.h"

#define LINES_BEHIND 3 /* in which a password may stand behind its name */

/* Of a line the first that is found counts. */
static const char *const names[] = { "パスワード", "ﾊﾟｽﾜｰﾄﾞ", "暗証番号",
	"解凍キー", "password", "passcode", "pwd", "ＰＷ", "pw" };

/* What may stand between a name and what it names. */
static const char *const joints[] = { "：", ":", "＝", "=", "⇒", "→", "は",
	"is", "「", "『", "【", "[", "<", "＜", "(", "（", "\"", "'", "“", "‘",
	"」", "』", "】", "]", ">", "＞", ")", "）", "。", "、", "　", " ",
	"\t", "■", "●", "・" };

/* What may stand behind it. */
static const char *const closers[] = { "」", "』", "】", "。", "です", "\"",
	"'", "”", "’", "＞", "）" };

static bool
begins(struct bytes b, const char *word, size_t *n)
{
	*n = strlen(word);
	return b.n >= *n &&
	    bytes_equal_nocase((struct bytes){ b.p, *n }, bytes_of(word));
}

/* A capital letter's small one; bytes of other characters stay apart enough. */
static uint8_t
small(uint8_t c)
{
	return c | 0x20;
}

/* Whether a name may begin with that byte: with few, and each is looked at. */
static bool
may_begin(uint8_t c)
{
	static bool first[256];

	if (!first['p'])
		for (size_t k = 0; k < COUNT(names); k++)
			first[small((uint8_t)names[k][0])] = true;
	return first[small(c)];
}

/* What stands behind a name in the line: behind the foremost of names; .p NULL:
 * it has none. */
static struct bytes
behind_name(struct bytes line)
{
	struct bytes found = { 0 };
	size_t best = COUNT(names);
	size_t n;

	for (; line.n > 0; line.p++, line.n--) {
		if (!may_begin(*line.p))
			continue;
		for (size_t k = 0; k < best; k++)
			if (small(*line.p) == small((uint8_t)names[k][0]) &&
			    begins(line, names[k], &n)) {
				best = k;
				found =
				    (struct bytes){ line.p + n, line.n - n };
			}
	}
	return found;
}

static size_t
any_of(struct bytes b, const char *const *words, size_t words_n)
{
	size_t n;

	for (size_t i = 0; i < words_n; i++)
		if (begins(b, words[i], &n))
			return n;
	return 0;
}

/* Up to a blank, without what closes it. */
static struct bytes
word_of(struct bytes b)
{
	static const char *const blank[] = { "　" };
	struct bytes word = { b.p, 0 };
	size_t i = 0;

	while (word.n < b.n && b.p[word.n] > ' ' &&
	    any_of((struct bytes){ b.p + word.n, b.n - word.n }, blank, 1) == 0)
		word.n++;
	while (i < COUNT(closers))
		if (bytes_end_with(word, bytes_of(closers[i]))) {
			word.n -= strlen(closers[i]);
			i = 0;
		} else {
			i++;
		}
	return word;
}

static void
add(struct detox *d, struct bytes word)
{
	struct detox_hints *h = &d->hints;

	if (word.n < DETOX_HINT_MIN || word.n > DETOX_HINT_MAX ||
	    h->n == DETOX_HINTS_MAX)
		return;
	for (size_t i = 0; i < h->n; i++)
		if (bytes_equal(bytes_of(h->text[i]), word))
			return;
	memcpy(h->text[h->n], word.p, word.n);
	h->text[h->n++][word.n] = '\0';
}

/* What joins may begin a password too: it is taken both ways. */
static void
add_both(struct detox *d, struct bytes b)
{
	struct bytes rest = b;

	for (size_t n = 1; n > 0; bytes_take(&rest, n))
		n = any_of(rest, joints, COUNT(joints));
	add(d, word_of(rest));
	add(d, word_of(bytes_trim(b)));
}

void
mail_find_hints(struct detox *d, struct bytes text)
{
	unsigned near = 0; /* lines in which one may still come */

	while (text.n > 0) {
		struct bytes line = bytes_trim(bytes_take_until(&text, '\n'));
		struct bytes rest = behind_name(line);
		size_t had = d->hints.n;

		if (line.n == 0)
			continue;
		if (rest.p != NULL) {
			near = LINES_BEHIND;
			add_both(d, rest);
		} else if (near > 0) {
			add_both(d, line);
			near = d->hints.n > had ? 0 : near - 1;
		}
	}
}
