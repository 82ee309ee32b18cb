/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/text.h"

#include "filters/text/match.h"
#include "filters/text/reader.h"
#include "filters/text/view.h"

#define PIECE ((size_t)8192)

/* What all texts of a process use between two calls. */
static struct buf seen = { .max = VIEW_OUT_MAX(PIECE) };

struct text {
	struct filter base;
	struct reader reader;
	struct view view;
	struct match *match;
	enum match_verdict verdict;
	bool ended; /* all was judged */
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
	t->verdict = MATCH_OPEN;
	reader_init(&t->reader, s->charset, s->html, false);
	view_init(&t->view, !s->html);
}

static void
end(struct filter *f)
{
	match_free(CONTAINER(f, struct text, base)->match);
}

static void
view(struct text *t, struct bytes piece, bool last)
{
	seen.n = 0;
	view_push(&t->view, piece, last, &seen);
	t->verdict = match_push(t->match, buf_bytes(&seen));
}

static void
take(void *owner, struct bytes text)
{
	struct text *t = owner;

	while (text.n > 0 && t->verdict != MATCH_REFUSED)
		view(t, bytes_take(&text, text.n < PIECE ? text.n : PIECE),
		    false);
}

static void
judge(struct text *t, struct bytes in, bool last)
{
	reader_push(&t->reader, in, last, take, t);
	if (!last || t->verdict == MATCH_REFUSED)
		return;
	view(t, (struct bytes){ 0 }, true);
	if (t->verdict != MATCH_REFUSED)
		t->verdict = match_end(t->match);
}

static enum filter_verdict
push(struct filter *f, struct bytes in, bool last, struct buf *out)
{
	struct text *t = CONTAINER(f, struct text, base);

	(void)out;
	if (!t->ended)
		judge(t, in, last);
	t->ended |= last;
	return t->verdict == MATCH_REFUSED
	    ? filter_refuse(f, match_why(t->match))
	    : FILTER_GO;
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
	return CONTAINER(f, struct text, base)->reader.charset;
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
