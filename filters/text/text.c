/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/text.h"

#include "filters/text/convert.h"
#include "filters/text/match.h"
#include "filters/text/view.h"

#define PIECE ((size_t)8192)
#define UTF8_OUT (CONVERT_OUT_MAX(PIECE))

/* What all texts of a process use between two calls. */
static struct {
	struct buf utf8;
	struct buf seen;
} room = { .utf8 = { .max = UTF8_OUT },
	.seen = { .max = VIEW_OUT_MAX(UTF8_OUT) } };

struct text {
	struct filter base;
	enum charset charset; /* UNKNOWN: of what is held in head */
	struct convert convert;
	struct view view;
	struct match *match;
	struct buf head; /* not read yet, as its charset is not known */
	struct buf held; /* what may not travel on yet */
	bool begun;      /* something was read */
	bool ended;      /* all was judged */
	bool letting_go; /* hold_max was passed */
};

static const struct text_settings *
settings_of(const struct text *t)
{
	return t->base.settings;
}

static void
begin(struct filter *f)
{
	struct text *t = CONTAINER(f, struct text, base);
	const struct text_settings *s = settings_of(t);

	t->match = match_new(s->set, s->threshold);
	view_init(&t->view, !s->html);
	buf_init(&t->head, TEXT_HEAD_MAX);
	/* Never more than hold_max and a piece. */
	buf_init(&t->held, SIZE_MAX / 2);
}

static void
end(struct filter *f)
{
	struct text *t = CONTAINER(f, struct text, base);

	match_free(t->match);
	buf_release(&t->head);
	buf_release(&t->held);
}

/* Text whose charset is known, through all that is done to it. */
static enum match_verdict
read_text(struct text *t, struct bytes b, bool last)
{
	enum match_verdict v = MATCH_OPEN;
	bool ended = false;

	while (v != MATCH_REFUSED && (b.n > 0 || (last && !ended))) {
		struct bytes piece = bytes_take(&b, b.n < PIECE ? b.n : PIECE);

		ended = last && b.n == 0;
		room.utf8.n = 0;
		room.seen.n = 0;
		convert_push(&t->convert, piece, ended, &room.utf8);
		view_push(&t->view, buf_bytes(&room.utf8), ended, &room.seen);
		v = match_push(t->match, buf_bytes(&room.seen));
	}
	return v == MATCH_REFUSED || !last ? v : match_end(t->match);
}

/* ASCII that means the same in all charsets, at the beginning of b. */
static size_t
count_plain(struct bytes b)
{
	size_t n = 0;

	while (n < b.n && b.p[n] < 0x80 && b.p[n] != 0x1b && b.p[n] != 0)
		n++;
	return n;
}

/* What the first bytes or who sent them say, in the order in which browsers
 * ask. */
static enum charset
find_declared(const struct text *t, struct bytes head)
{
	const struct text_settings *s = settings_of(t);
	size_t mark;
	enum charset c = charset_mark(head, &mark);

	if (c == CHARSET_UNKNOWN)
		c = charset_named(s->charset);
	/* Scripts and plain texts have no tags that count. */
	if (c == CHARSET_UNKNOWN && s->html)
		c = charset_meta(head);
	/* ASCII in pairs would be taken for plain. */
	if (c == CHARSET_UNKNOWN && memchr(head.p, 0, head.n) != NULL)
		c = charset_guess(head, false);
	return c;
}

/* A full head, or the last. What is plain at its beginning is read; the guess
 * is made of a head that begins with what is not. */
static enum match_verdict
read_head(struct text *t, bool last)
{
	struct bytes head = buf_bytes(&t->head);
	enum match_verdict v;
	size_t n;

	if (!t->begun && head.n > 0)
		t->charset = find_declared(t, head);
	n = count_plain(head);
	if (t->charset == CHARSET_UNKNOWN && (n == 0 || last))
		t->charset = last && n == head.n ? CHARSET_UTF8
						 : charset_guess(head, last);
	convert_init(&t->convert,
	    t->charset == CHARSET_UNKNOWN ? CHARSET_UTF8 : t->charset);
	t->convert.begun = t->begun;
	t->begun = true;
	if (t->charset != CHARSET_UNKNOWN)
		n = head.n;
	v = read_text(t, bytes_take(&head, n), last);
	buf_consume(&t->head, n);
	return v;
}

/* Enough to look at: a full head; 3 bytes when all else is declared. */
static bool
is_enough(const struct text *t)
{
	return t->head.n == TEXT_HEAD_MAX ||
	    (t->head.n >= 3 &&
		charset_named(settings_of(t)->charset) != CHARSET_UNKNOWN);
}

static enum match_verdict
judge(struct text *t, struct bytes in, bool last)
{
	enum match_verdict v = MATCH_OPEN;

	while (t->charset == CHARSET_UNKNOWN && v == MATCH_OPEN) {
		size_t n = TEXT_HEAD_MAX - t->head.n;
		struct bytes more = bytes_take(&in, in.n < n ? in.n : n);
		bool whole = last && in.n == 0;

		must(buf_append(&t->head, more) == 0);
		if (!whole && !is_enough(t))
			return v;
		v = read_head(t, whole);
		if (whole)
			return v;
	}
	return v == MATCH_REFUSED ? v : read_text(t, in, last);
}

/* Held back up to a limit, then as much as there is room for. */
static enum filter_verdict
pass_on(struct text *t, struct bytes in, bool last, struct buf *out)
{
	struct bytes ready;
	size_t room_n = out->max - out->n;

	must(buf_append(&t->held, in) == 0);
	t->letting_go |= last || t->held.n > settings_of(t)->hold_max;
	if (!t->letting_go)
		return FILTER_GO;
	ready = buf_bytes(&t->held);
	if (ready.n > room_n)
		ready.n = room_n;
	must(buf_append(out, ready) == 0);
	buf_consume(&t->held, ready.n);
	return t->held.n > 0 ? FILTER_MORE : FILTER_GO;
}

static enum filter_verdict
push(struct filter *f, struct bytes in, bool last, struct buf *out)
{
	struct text *t = CONTAINER(f, struct text, base);
	enum match_verdict v = MATCH_OPEN;

	/* Not again when only room was wanting. */
	if (!t->ended)
		v = judge(t, in, last);
	t->ended |= last;
	if (v == MATCH_REFUSED)
		return filter_refuse(f, match_why(t->match));
	return pass_on(t, in, last, out);
}

const struct filter_type text_filter = {
	.name = "text",
	.phase = FILTER_JUDGE,
	.state_size = sizeof(struct text),
	.begin = begin,
	.end = end,
	.push = push,
};

enum charset
text_charset(struct filter *f)
{
	return CONTAINER(f, struct text, base)->charset;
}

bool
text_found(struct filter *f, size_t pattern)
{
	return match_found(CONTAINER(f, struct text, base)->match, pattern);
}

int64_t
text_sum(struct filter *f)
{
	return match_sum(CONTAINER(f, struct text, base)->match);
}
