/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/notice.h"

#include "filters/mail/tree.h"

static const struct {
	unsigned number;
	const char *ja, *en;
} banners[] = {
#define BANNER_ROW(number, ja, en) { number, ja, en },
	MAIL_BANNERS(BANNER_ROW)
};

#define NOTICE_MAX ((size_t)16384)
#define RULE "----------------------------------------"

struct notice {
	struct buf top, bottom; /* lines of UTF-8, each ends with LF */
};

static void
write_banners(const struct mail *m, struct buf *out)
{
	for (size_t i = 0; i < COUNT(banners); i++)
		if ((m->order.banners >> banners[i].number & 1) != 0)
			must(buf_printf(out, "[注意] %s\n[Caution] %s\n",
				 banners[i].ja, banners[i].en) == 0);
}

static uint64_t
count(const struct detox *d, enum detox_removal what)
{
	uint64_t n = 0;

	for (size_t i = 0; i < d->rows_n; i++)
		if (d->rows[i].what == what)
			n += d->rows[i].count;
	return n;
}

static bool
write_counts(const struct detox *d, int language, struct buf *out)
{
	bool any = false;

	/* Of others the report tells. */
	for (int what = 0; what < DETOX_REMOVAL_KINDS; what++) {
		uint64_t n = count(d, (enum detox_removal)what);

		if (n == 0 || !detox_is_missed((enum detox_removal)what))
			continue;
		must(buf_printf(out, "%s%s x%llu",
			 !any                ? ""
			     : language == 0 ? "、"
					     : ", ",
			 detox_removal_words[what].text[language],
			 (unsigned long long)n) == 0);
		any = true;
	}
	must(buf_append(out, BYTES("\n")) == 0);
	return any;
}

static void
write_removed(const struct mail *m, struct buf *out)
{
	struct bytes reference = m->order.reference;

	must(buf_append_string(out,
		 RULE "\nこのメールは無害化されました。除いたもの: ") == 0);
	if (!write_counts(m->d, 0, out)) {
		out->n = 0;
		return;
	}
	if (reference.n > 0)
		must(buf_printf(out,
			 "元のメールが必要なときは、管理者に受付番号 %.*s"
			 " をお知らせください。\n",
			 BYTES_PRINTF(reference)) == 0);
	must(buf_append_string(
		 out, "This mail was made harmless. Taken out: ") == 0);
	write_counts(m->d, 1, out);
	if (reference.n > 0)
		must(buf_printf(out,
			 "To ask for the original, tell your administrator the"
			 " reference %.*s.\n",
			 BYTES_PRINTF(reference)) == 0);
}

/* The first of that kind that is shown; not within a mail within it. */
static struct mail_node *
find(struct mail_node *n, enum mail_kind kind)
{
	if (n->kind == kind && !n->note)
		return n;
	for (struct mail_node *c = n->first; c != NULL; c = c->next) {
		struct mail_node *found =
		    c->kind == MAIL_MESSAGE ? NULL : find(c, kind);

		if (found != NULL)
			return found;
	}
	return NULL;
}

static int
put_lines(struct buf *out, struct bytes lines, const char *end)
{
	while (lines.n > 0)
		if (buf_append(out, bytes_take_until(&lines, '\n')) < 0 ||
		    buf_append_string(out, end) < 0)
			return -1;
	return 0;
}

static int
put_in_text(struct mail_node *n, const struct notice *t)
{
	struct buf old = n->content;
	bool ended = old.n == 0 || old.p[old.n - 1] == '\n';
	int result = 0;

	buf_init(&n->content, old.max);
	if (put_lines(&n->content, buf_bytes(&t->top), "\r\n") < 0 ||
	    (t->top.n > 0 && buf_append(&n->content, BYTES("\r\n")) < 0) ||
	    buf_append(&n->content, buf_bytes(&old)) < 0 ||
	    (t->bottom.n > 0 &&
		buf_append_string(&n->content, ended ? "\r\n" : "\r\n\r\n") <
		    0) ||
	    put_lines(&n->content, buf_bytes(&t->bottom), "\r\n") < 0)
		result = -1;
	buf_release(&old);
	return result;
}

/* So that no style of the page hides it. Its words have no '<' and no '&'. */
#define BOX                                                             \
	"<div style=\"display:block!important;visibility:visible"       \
	"!important;position:static!important;opacity:1!important;"     \
	"float:none!important;height:auto!important;width:auto"         \
	"!important;margin:8px!important;padding:8px!important;"        \
	"border:2px solid #b00!important;background:#fff4e5!important;" \
	"color:#000!important;font:14px sans-serif!important;"          \
	"text-indent:0!important;text-align:left!important\">"

static int
put_box(struct buf *out, const struct buf *lines)
{
	if (lines->n == 0)
		return 0;
	return buf_append_string(out, BOX) < 0 ||
		put_lines(out, buf_bytes(lines), "<br/>\r\n") < 0 ||
		buf_append_string(out, "</div>\r\n") < 0
	    ? -1
	    : 0;
}

/* Where the body begins and ends in a page that filters/html wrote: '<' is in
 * tags alone there. */
static int
put_in_page(struct mail_node *n, const struct notice *t)
{
	struct buf old = n->content;
	struct bytes rest = buf_bytes(&old);
	const uint8_t *body = memmem(rest.p, rest.n, "\n<body", 6);
	const uint8_t *open = body == NULL
	    ? NULL
	    : memchr(body, '>', rest.n - (size_t)(body - rest.p));
	struct bytes end = BYTES("</body></html>");
	int result = 0;

	if (open == NULL || !bytes_end_with(rest, end))
		return 0;
	buf_init(&n->content, old.max);
	if (buf_append(&n->content,
		bytes_take(&rest, (size_t)(open - rest.p) + 1)) < 0 ||
	    put_box(&n->content, &t->top) < 0 ||
	    buf_append(&n->content, bytes_take(&rest, rest.n - end.n)) < 0 ||
	    put_box(&n->content, &t->bottom) < 0 ||
	    buf_append(&n->content, end) < 0)
		result = -1;
	buf_release(&old);
	return result;
}

/* Before all else that the mail has. */
static struct mail_node *
add_text(struct mail *m, struct mail_node *top)
{
	struct mail_node *text = mail_node_new(m->d, MAIL_TEXT, "text/plain");
	struct mail_node *old = top->first;
	struct mail_node *all =
	    mail_node_new(m->d, MAIL_MULTI, "multipart/mixed");

	mail_node_add(all, text);
	mail_node_add(all, old);
	top->first = all;
	top->end = &all->next;
	return text;
}

int
mail_put_notice(struct mail *m, struct mail_node *top)
{
	struct mail_node *text = find(top->first, MAIL_TEXT);
	struct mail_node *page = find(top->first, MAIL_HTML);
	struct notice t;
	int result = 0;

	buf_init(&t.top, NOTICE_MAX);
	buf_init(&t.bottom, NOTICE_MAX);
	write_banners(m, &t.top);
	if (m->d->profile->mail_notice && m->d->depth == 1)
		write_removed(m, &t.bottom);
	if (t.top.n == 0 && t.bottom.n == 0)
		goto release;
	if (text == NULL && page == NULL)
		text = add_text(m, top);
	if ((text != NULL && put_in_text(text, &t) < 0) ||
	    (page != NULL && put_in_page(page, &t) < 0))
		result = -1;
release:
	buf_release(&t.top);
	buf_release(&t.bottom);
	return result;
}
