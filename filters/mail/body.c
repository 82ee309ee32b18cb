/* SPDX-License-Identifier: Apache-2.0 */
/* body: the texts of a mail that are shown. */
#include "filters/html/html.h"
#include "filters/mail/coding.h"
#include "filters/mail/params.h"
#include "filters/mail/tree.h"
#include "filters/mail/words.h"
#include "filters/plain/chars.h"
#include "filters/text/utf8.h"

/* What turns text around, marks of byte order and controls. */
static bool
is_hidden(uint32_t c)
{
	if (c < 0x20)
		return c != '\t' && c != '\n' && c != '\f' && c != '\r';
	return (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff || c == 0xfffe ||
	    c == 0xffff;
}

struct text {
	struct buf out; /* UTF-8 with CR LF */
	uint64_t in, kept;
	bool hidden, damaged;
	bool full;
};

static void
put_character(struct text *t, uint32_t c)
{
	uint8_t room[UTF8_MAX];

	t->full = t->full ||
	    buf_append(&t->out, (struct bytes){ room, utf8_write(room, c) }) <
		0;
}

/* Its line ends become CR LF, whatever they were. */
static void
take_characters(struct text *t, enum charset charset, struct bytes in)
{
	struct character x = { 0 };
	struct chars s;
	bool cr = false;

	chars_init(&s, charset, in);
	while (chars_next(&s, &x) && !t->full) {
		bool lf = x.kind == CHAR_TEXT && x.c == '\n';

		if (x.kind == CHAR_ESCAPE)
			continue;
		if (cr || lf)
			t->full =
			    t->full || buf_append(&t->out, BYTES("\r\n")) < 0;
		cr = x.kind == CHAR_TEXT && x.c == '\r' &&
		    !(s.rest.n > 0 && s.rest.p[0] == '\n');
		if (lf || (x.kind == CHAR_TEXT && x.c == '\r'))
			continue;
		t->in += x.c > ' ';
		if (x.kind == CHAR_DAMAGED) {
			t->damaged = true;
			put_character(t, UTF8_BAD);
		} else if (is_hidden(x.c)) {
			t->hidden = true;
			t->in -= x.c > ' ';
		} else {
			t->kept += x.c > ' ';
			put_character(t, x.c);
		}
	}
	if (cr)
		t->full = t->full || buf_append(&t->out, BYTES("\r\n")) < 0;
}

static enum charset
charset_of(struct bytes content, enum charset declared)
{
	size_t mark = 0;
	enum charset marked = charset_mark(content, &mark);

	return marked != CHARSET_UNKNOWN ? marked
					 : mail_charset_of(content, declared);
}

/* Files within texts. */

/* "begin 644 name", and what Outlook takes for it too. */
static bool
is_uu_begin(struct bytes line, struct bytes *name_out)
{
	size_t digits = 0;

	if (line.n < 6 ||
	    !bytes_equal_nocase((struct bytes){ line.p, 5 }, BYTES("begin")) ||
	    (line.p[5] != ' ' && line.p[5] != '-'))
		return false;
	if (line.p[5] == '-') /* begin-base64 */
		return line.n > 12 &&
		    bytes_equal_nocase(
			(struct bytes){ line.p + 6, 7 }, BYTES("base64 "));
	bytes_take(&line, 6);
	*name_out = line;
	while (
	    digits < line.n && line.p[digits] >= '0' && line.p[digits] <= '7')
		digits++;
	if (digits > 0 && digits < line.n && line.p[digits] == ' ') {
		bytes_take(name_out, digits);
		*name_out = bytes_trim(*name_out);
		return true;
	}
	return line.n > 0 && line.p[0] == ' ';
}

/* Lines that another program takes for the beginning of a file. */
static bool
begins_file(struct bytes line)
{
	struct bytes name;

	return is_uu_begin(line, &name) ||
	    bytes_start_with(line, BYTES("=ybegin ")) ||
	    bytes_start_with(
		line, BYTES("(This file must be converted with BinHex"));
}

/* All of it up to "end", which leaves *text; false: it is none, and how far it
 * was looked at. */
static bool
take_uu(struct bytes *text, struct buf *out, const uint8_t **seen_out)
{
	struct bytes rest = *text;

	while (rest.n > 0) {
		struct bytes line = mail_line_take(&rest);

		*seen_out = rest.p;
		if (bytes_equal(line, BYTES("end"))) {
			*text = rest;
			return true;
		}
		if (line.n > 0 && !mail_uu_line(line, out))
			return false;
	}
	return false;
}

/* What a text is made of: itself, and the files that were in it. */
struct split {
	struct mail *m;
	struct mail_node *text;
	struct mail_node *all; /* NULL: the text alone */
	/* Lines before it are of no file: another that begins within them
	 * would end where the one before it failed. */
	const uint8_t *seen;
	bool full;
};

static void
put(struct split *s, struct bytes b)
{
	s->full = s->full || buf_append(&s->text->content, b) < 0;
}

static bool
add_file(struct split *s, struct bytes name, struct bytes content)
{
	struct detox *d = s->m->d;
	struct mail_names names = { 0 };
	struct mail_file f = {
		.content = content, .named = true, .parameters = ""
	};
	struct mail_node *n;

	mail_names_add(d, &names, name);
	f.name = mail_name_safe(
	    d, mail_clean_line(d, mail_words_decode(d, name)), ++s->m->parts);
	n = names.runs ? mail_leave_out(s->m, REMOVED_PROGRAM, REFUSED_PROGRAM,
			     f.name, content)
		       : mail_take_file(s->m, &f);
	if (n == NULL)
		return false;
	if (s->all == NULL) {
		s->all = mail_node_new(d, MAIL_MULTI, "multipart/mixed");
		mail_node_add(s->all, s->text);
	}
	mail_node_add(s->all, n);
	put(s, BYTES("["));
	put(s, bytes_of(n->name));
	put(s, BYTES("]\r\n"));
	return true;
}

/* false: the whole job is refused. */
static bool
take_line(struct split *s, struct bytes *text)
{
	struct bytes begin = *text;
	struct bytes line = mail_line_take(text);
	struct bytes rest = *text;
	struct bytes name = { 0 };
	struct buf file;
	bool good = true;

	if (!begins_file(line)) {
		put(s, (struct bytes){ begin.p, (size_t)(rest.p - begin.p) });
		return true;
	}
	buf_init(&file, begin.n + 64);
	if (is_uu_begin(line, &name) && name.n > 0 &&
	    (s->seen == NULL || rest.p >= s->seen) &&
	    take_uu(&rest, &file, &s->seen)) {
		*text = rest;
		good = add_file(s, name, buf_bytes(&file));
	} else {
		put(s, BYTES("> "));
		put(s, (struct bytes){ begin.p, (size_t)(rest.p - begin.p) });
		detox_removed(
		    s->m->d, REMOVED_HIDDEN, "text", (struct bytes){ 0 });
	}
	buf_release(&file);
	return good;
}

static struct mail_node *
split(struct mail *m, struct bytes text, struct mail_node *into)
{
	struct split s = { .m = m, .text = into };

	while (text.n > 0)
		if (!take_line(&s, &text)) {
			mail_node_release(s.all != NULL ? s.all : into);
			return NULL;
		}
	if (s.full) {
		(void)detox_refuse(m->d, REFUSED_SIZE,
		    "more than %zu bytes come out", into->content.max);
		mail_node_release(s.all != NULL ? s.all : into);
		return NULL;
	}
	return s.all != NULL ? s.all : into;
}

static struct mail_node *
take_text(struct mail *m, struct bytes content, enum charset charset,
    const char *parameters)
{
	struct detox *d = m->d;
	struct mail_node *n = mail_node_new(d, MAIL_TEXT, "text/plain");
	struct text t = { 0 };

	charset = charset_of(content, charset);
	n->jis = charset == CHARSET_ISO_2022_JP;
	n->parameters = parameters;
	/* A byte becomes three at most. */
	buf_init(&t.out, size_add(size_mul(content.n, 3), 16));
	take_characters(&t, charset, content);
	detox_text(d, t.in, t.kept);
	if (t.hidden)
		detox_removed(d, REMOVED_HIDDEN, "text", (struct bytes){ 0 });
	if (t.damaged)
		detox_removed(d, REMOVED_DAMAGED, "text", (struct bytes){ 0 });
	n = split(m, buf_bytes(&t.out), n);
	buf_release(&t.out);
	return n;
}

/* As mails end theirs. 0, or -1: refused. */
static int
end_lines(struct detox *d, struct buf *page)
{
	struct bytes rest = buf_bytes(page);
	struct buf out;
	int result = 0;

	buf_init(&out, page->max);
	while (rest.n > 0 && result == 0) {
		ssize_t end = bytes_index(rest, '\n');
		struct bytes line =
		    bytes_take(&rest, end < 0 ? rest.n : (size_t)end);

		result = buf_append(&out, line);
		if (rest.n > 0 && result == 0)
			result = buf_append(&out, BYTES("\r\n"));
		bytes_take(&rest, 1);
	}
	buf_release(page);
	*page = out;
	if (result < 0)
		(void)detox_refuse(
		    d, REFUSED_SIZE, "more than %zu bytes come out", page->max);
	return result;
}

static struct mail_node *
take_html(struct mail *m, struct bytes content, enum charset charset)
{
	struct detox *d = m->d;
	/* What it says is not so: the page may say more. */
	bool wrong = charset == CHARSET_UTF8 && !utf8_is_valid(content);
	bool text =
	    d->profile->to_text || d->profile->mail_html == DETOX_MAIL_TEXT;
	const struct detox_object o = { .content = content,
		.declared = charset == CHARSET_UNKNOWN || wrong
		    ? BYTES("text/html")
		    : bytes_of(arena_printf(&d->arena, "text/html; charset=%s",
			  charset_name(charset_of(content, charset)))) };
	struct mail_node *n = mail_node_new(d, MAIL_HTML, "text/html");
	struct mail_node *words;

	if (html_of_mail(d, &o, text ? HTML_AS_TEXT : HTML_AS_PAGE,
		&n->content) == DETOX_REFUSED) {
		mail_node_release(n);
		return NULL;
	}
	if (!text && end_lines(d, &n->content) == 0)
		return n;
	if (!text) {
		mail_node_release(n);
		return NULL;
	}
	words = take_text(m, buf_bytes(&n->content), CHARSET_UTF8, "");
	mail_node_release(n);
	return words;
}

/* What cannot be read as a page is left out, as an attachment is. */
static struct mail_node *
html_is_broken(struct mail *m, struct bytes content)
{
	enum detox_refusal why = m->d->refusal;

	if (why != REFUSED_BROKEN && why != REFUSED_DEPTH)
		return NULL;
	m->d->refusal = REFUSED_NOT;
	return mail_leave_out(m, REMOVED_REFUSED, why, "text/html", content);
}

struct mail_node *
mail_take_body(struct mail *m, enum mail_body kind, struct bytes content,
    enum charset charset, const char *parameters)
{
	struct mail_node *n;

	if (detox_unpacked(m->d, content.n, 0) == DETOX_REFUSED)
		return NULL;
	if (kind == MAIL_BODY_TEXT)
		return take_text(m, content, charset, parameters);
	n = take_html(m, content, charset);
	return n != NULL ? n : html_is_broken(m, content);
}
