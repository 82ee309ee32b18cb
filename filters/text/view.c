/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/view.h"

#include <ctype.h>

#include "filters/text/utf8.h"

#define NO_DASHES (VIEW_WORD_MAX + 1)

static const struct {
	const char *name;
	uint32_t c;
} references[] = {
	{ "amp", '&' },
	{ "AMP", '&' },
	{ "apos", '\'' },
	{ "ast", '*' },
	{ "bull", 0x2022 },
	{ "cent", 0xa2 },
	{ "colon", ':' },
	{ "comma", ',' },
	{ "commat", '@' },
	{ "copy", 0xa9 },
	{ "dollar", '$' },
	{ "emsp", ' ' },
	{ "ensp", ' ' },
	{ "excl", '!' },
	{ "gt", '>' },
	{ "GT", '>' },
	{ "hellip", 0x2026 },
	{ "hyphen", 0x2010 },
	{ "laquo", 0xab },
	{ "lowbar", '_' },
	{ "lt", '<' },
	{ "LT", '<' },
	{ "mdash", 0x2014 },
	{ "middot", 0xb7 },
	{ "nbsp", ' ' },
	{ "NewLine", ' ' },
	{ "ndash", 0x2013 },
	{ "num", '#' },
	{ "percnt", '%' },
	{ "period", '.' },
	{ "plus", '+' },
	{ "pound", 0xa3 },
	{ "quest", '?' },
	{ "quot", '"' },
	{ "QUOT", '"' },
	{ "raquo", 0xbb },
	{ "reg", 0xae },
	{ "semi", ';' },
	{ "shy", 0xad },
	{ "sol", '/' },
	{ "Tab", ' ' },
	{ "thinsp", ' ' },
	{ "times", 0xd7 },
	{ "yen", 0xa5 },
	{ "zwj", 0x200d },
	{ "zwnj", 0x200c },
};

/* Tags between which a word goes on. */
static const char *const inline_tags[] = { "a", "abbr", "b", "bdi", "bdo",
	"big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd",
	"mark", "q", "ruby", "rb", "s", "samp", "small", "span", "strike",
	"strong", "sub", "sup", "time", "tt", "u", "var", "wbr" };
/* What is in these is not shown. */
static const char *const raw_tags[] = { "script", "style" };
/* And in these it is shown as it stands, with what looks like tags. */
static const char *const shown_tags[] = { "textarea", "title", "xmp", "iframe",
	"noembed", "noframes", "plaintext" };

static const char *const foreign_tags[] = { "svg", "math" };

static bool
is_one_of(struct bytes word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_equal_nocase(word, bytes_of(list[i])))
			return true;
	return false;
}

void
view_init(struct view *v, bool plain)
{
	*v = (struct view){ .plain = plain };
}

static void
put_byte(struct view *v, uint8_t byte)
{
	if (v->space && v->begun)
		v->out->p[v->out->n++] = ' ';
	v->space = false;
	v->begun = true;
	v->out->p[v->out->n++] = byte;
}

static bool
is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x3000;
}

static bool
has_no_width(uint32_t c)
{
	return c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2064) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
	    (c >= 0xfe00 && c <= 0xfe0f) || c == 0;
}

static void
put(struct view *v, uint32_t c)
{
	uint8_t bytes[UTF8_MAX];
	size_t n;

	/* Kana, kanji and Hangul: nothing below is about them. */
	if (c > 0x3000 && c < 0xfe00) {
		n = utf8_write(bytes, c);
		put_byte(v, bytes[0]);
		memcpy(v->out->p + v->out->n, bytes + 1, n - 1);
		v->out->n += n - 1;
		return;
	}
	if (is_space(c)) {
		v->space = true;
		return;
	}
	if (has_no_width(c))
		return;
	n = utf8_write(bytes, utf8_fold(c));
	for (size_t i = 0; i < n; i++)
		put_byte(v, bytes[i]);
}

/* A byte of text; those of a character are gathered. */
static void
take_letter(struct view *v, uint8_t byte)
{
	uint32_t c;
	size_t n;

	if (byte < 0x80) {
		v->held_n = 0;
		put(v, byte);
		return;
	}
	if (v->held_n == sizeof(v->held) || (byte & 0xc0) != 0x80)
		v->held_n = 0;
	v->held[v->held_n++] = byte;
	n = v->held[0] < 0xe0 ? 2 : v->held[0] < 0xf0 ? 3 : 4;
	if (v->held_n < n)
		return;
	c = v->held[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (v->held[i] & 0x3f);
	v->held_n = 0;
	put(v, c);
}

static struct bytes
word_of(const struct view *v)
{
	return (struct bytes){ v->word, v->word_n };
}

/* "#1234" or "#x4d2"; 0: it is none. */
static uint32_t
number(struct bytes w)
{
	bool hex = w.n > 1 && (w.p[1] == 'x' || w.p[1] == 'X');
	uint32_t c = 0;

	bytes_take(&w, hex ? 2 : 1);
	for (; w.n > 0; bytes_take(&w, 1)) {
		unsigned digit = isdigit(w.p[0]) ? w.p[0] - 0x30u
		    : hex && isxdigit(w.p[0])    ? (w.p[0] | 0x20u) - 'a' + 10
						 : 99;

		if (digit == 99)
			return 0;
		c = c * (hex ? 16 : 10) + digit;
		if (c > 0x10ffff)
			return UTF8_BAD;
	}
	return c >= 0xd800 && c < 0xe000 ? UTF8_BAD : c;
}

static uint32_t
meaning(struct bytes w)
{
	if (w.n > 1 && w.p[0] == '#')
		return number(w);
	for (size_t i = 0; i < COUNT(references); i++)
		if (bytes_equal(w, bytes_of(references[i].name)))
			return references[i].c;
	return 0;
}

static void
end_reference(struct view *v)
{
	uint32_t c = meaning(word_of(v));

	v->state = VIEW_TEXT;
	if (c != 0) {
		put(v, c);
		return;
	}
	put(v, '&');
	for (size_t i = 0; i < v->word_n; i++)
		put(v, v->word[i]);
}

/*
 * Within them a script or a style is an element like others: "<style/>" ends
 * at once, and "<style><p>" leaves them. So what they hold is text there; that
 * "<svg/>" is taken for open too shows some script, and hides nothing.
 */
static void
count_foreign(struct view *v, struct bytes name)
{
	if (!is_one_of(name, foreign_tags, COUNT(foreign_tags)))
		return;
	if (!v->closing)
		v->foreign++;
	else if (v->foreign > 0)
		v->foreign--;
}

static void
end_tag(struct view *v)
{
	struct bytes name = word_of(v);
	bool raw = is_one_of(name, raw_tags, COUNT(raw_tags));

	count_foreign(v, name);
	v->shown = is_one_of(name, shown_tags, COUNT(shown_tags));
	v->state = VIEW_TEXT;
	if (!is_one_of(name, inline_tags, COUNT(inline_tags)))
		v->space = true;
	if (!v->closing && v->foreign == 0 && (raw || v->shown)) {
		memcpy(v->raw, v->word, v->word_n);
		v->raw_n = v->word_n;
		v->state = VIEW_RAW;
		v->word_n = 0;
	}
}

static void
add_to_word(struct view *v, uint8_t byte)
{
	if (v->word_n < VIEW_WORD_MAX)
		v->word[v->word_n++] = byte;
}

static void take(struct view *v, uint8_t byte);

static void
take_reference(struct view *v, uint8_t byte)
{
	bool more =
	    byte < 0x80 && (isalnum(byte) || (byte == '#' && v->word_n == 0));

	if (more && v->word_n < VIEW_WORD_MAX) {
		add_to_word(v, byte);
		return;
	}
	end_reference(v);
	if (byte != ';' || v->word_n == 0 || meaning(word_of(v)) == 0)
		take(v, byte);
}

static void
take_open(struct view *v, uint8_t byte)
{
	v->word_n = 0;
	v->dashes = 0;
	if (byte == '/' && !v->closing) {
		v->closing = true;
	} else if (byte < 0x80 && isalpha(byte)) {
		v->state = VIEW_NAME;
		add_to_word(v, byte);
	} else if (byte == '!' || byte == '?' || v->closing) {
		v->state = byte == '>' ? VIEW_TEXT : VIEW_DECLARATION;
		/* <? and </ begin no comment with dashes. */
		v->dashes = byte == '!' && !v->closing ? 0 : NO_DASHES;
	} else {
		v->state = VIEW_TEXT;
		put(v, '<');
		take(v, byte);
	}
}

/* Where in a tag a byte stands: a quote counts only where a value begins, or
 * what is behind it could be hidden by one that browsers take for a letter. */
static enum view_attribute
attribute(enum view_attribute a, uint8_t byte)
{
	bool space = isspace(byte) != 0;

	switch (a) {
	case VIEW_BEFORE_NAME:
		return space || byte == '/' ? VIEW_BEFORE_NAME : VIEW_IN_NAME;
	case VIEW_IN_NAME:
		return byte == '=' ? VIEW_BEFORE_VALUE
		    : byte == '/'  ? VIEW_BEFORE_NAME
				   : VIEW_IN_NAME;
	case VIEW_BEFORE_VALUE:
		return space ? VIEW_BEFORE_VALUE : VIEW_IN_VALUE;
	case VIEW_IN_VALUE:
		return space ? VIEW_BEFORE_NAME : VIEW_IN_VALUE;
	}
	return a;
}

static void
take_tag(struct view *v, uint8_t byte)
{
	if (byte == '>') {
		end_tag(v);
	} else if (v->state == VIEW_NAME && byte != '/' && !isspace(byte)) {
		add_to_word(v, byte);
	} else if (v->state == VIEW_NAME) {
		v->state = VIEW_TAG;
		v->attribute = VIEW_BEFORE_NAME;
	} else if ((byte == '"' || byte == '\'') &&
	    v->attribute == VIEW_BEFORE_VALUE) {
		v->quote = byte;
		v->state = VIEW_QUOTED;
	} else {
		v->attribute = attribute(v->attribute, byte);
	}
}

static void
take_declaration(struct view *v, uint8_t byte)
{
	if (byte == '>') {
		v->state = VIEW_TEXT;
	} else if (byte == '-' && v->word_n == v->dashes) {
		add_to_word(v, byte);
		if (++v->dashes == 2) {
			v->state = VIEW_COMMENT;
			v->word_n = 0;
		}
	} else {
		add_to_word(v, 'x');
		v->dashes = NO_DASHES;
	}
}

/* "-->", and "--!>"; "<!-->" and "<!--->" are whole comments too. */
static void
take_comment(struct view *v, uint8_t byte)
{
	if (byte == '>' && v->dashes >= 2)
		v->state = VIEW_TEXT;
	else if (byte == '-')
		v->dashes++;
	else if (byte != '!' || v->dashes < 2)
		v->dashes = 0;
}

/* Up to "</name". */
static void
take_raw(struct view *v, uint8_t byte)
{
	struct bytes want = { v->raw, v->raw_n };

	if (v->shown)
		take_letter(v, byte);
	if (byte == '<') {
		v->word_n = 0;
		add_to_word(v, byte);
		return;
	}
	if (v->word_n == 0)
		return;
	if (v->word_n == 1) {
		v->word_n = byte == '/' ? 2 : 0;
		return;
	}
	if (v->word_n == 2 + v->raw_n) {
		if (byte != '>' && byte != '/' && !isspace(byte)) {
			v->word_n = 0;
			return;
		}
		memcpy(v->word, v->raw, v->raw_n);
		v->word_n = v->raw_n;
		v->closing = true;
		v->state = VIEW_NAME;
		take_tag(v, byte);
		return;
	}
	if (tolower(byte) == tolower(want.p[v->word_n - 2]))
		v->word_n++;
	else
		v->word_n = 0;
}

static void
take_text(struct view *v, uint8_t byte)
{
	if (byte == '<' && !v->plain) {
		v->state = VIEW_OPEN;
		v->closing = false;
	} else if (byte == '&' && !v->plain) {
		v->state = VIEW_REFERENCE;
		v->word_n = 0;
	} else {
		take_letter(v, byte);
	}
}

static void
take(struct view *v, uint8_t byte)
{
	switch (v->state) {
	case VIEW_TEXT:
		take_text(v, byte);
		break;
	case VIEW_REFERENCE:
		take_reference(v, byte);
		break;
	case VIEW_OPEN:
		take_open(v, byte);
		break;
	case VIEW_NAME:
	case VIEW_TAG:
		take_tag(v, byte);
		break;
	case VIEW_QUOTED:
		if (byte == v->quote) {
			v->state = VIEW_TAG;
			v->attribute = VIEW_BEFORE_NAME;
		}
		break;
	case VIEW_DECLARATION:
		take_declaration(v, byte);
		break;
	case VIEW_COMMENT:
		take_comment(v, byte);
		break;
	case VIEW_RAW:
		take_raw(v, byte);
		break;
	}
}

/* Letters of ASCII, kana and kanji (U+3040 to U+CFFF), which stand for
 * themselves. */
static size_t
count_letters(struct bytes b)
{
	size_t n = 0;

	while (n < b.n) {
		uint8_t c = b.p[n];

		if (c > ' ' && c < 0x7f && c != '<' && c != '&')
			n++;
		else if (c >= 0xe3 && c <= 0xec && n + 2 < b.n &&
		    (c > 0xe3 || b.p[n + 1] >= 0x81))
			n += 3;
		else
			break;
	}
	return n;
}

void
view_push(struct view *v, struct bytes text, bool last, struct buf *out)
{
	must(buf_reserve(out, VIEW_OUT_MAX(text.n)) == 0);
	v->out = out;
	while (text.n > 0) {
		size_t n = v->state == VIEW_TEXT && v->held_n == 0
		    ? count_letters(text)
		    : 0;

		if (n == 0) {
			take(v, bytes_take(&text, 1).p[0]);
			continue;
		}
		put_byte(v, bytes_take(&text, 1).p[0]);
		memcpy(out->p + out->n, text.p, n - 1);
		out->n += n - 1;
		bytes_take(&text, n - 1);
	}
	if (last && v->state == VIEW_REFERENCE)
		end_reference(v);
	if (last && v->state == VIEW_OPEN)
		put(v, '<');
	v->out = NULL;
}
