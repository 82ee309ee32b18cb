/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/mapi.h"

#include "filters/ole/le.h"
#include "filters/rtf/lex.h"
#include "filters/text/convert.h"
#include "filters/text/utf8.h"

/* LZFu. */

#define HEAD_SIZE 16
#define WINDOW 4096
#define PACKED 0x75465a4cu
#define UNPACKED 0x414c454du

static const char dictionary[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman "
    "\\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArial"
    "Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

struct window {
	uint8_t bytes[WINDOW];
	size_t at;
};

static int
give(struct window *w, uint8_t byte, struct buf *out)
{
	w->bytes[w->at] = byte;
	w->at = (w->at + 1) % WINDOW;
	return buf_append(out, (struct bytes){ &byte, 1 });
}

/* false: the end, or nothing more of use. */
static bool
take_reference(struct window *w, struct bytes *in, struct buf *out)
{
	struct bytes two = bytes_take(in, 2);
	size_t from, n;

	if (two.n < 2)
		return false;
	from = (size_t)two.p[0] << 4 | two.p[1] >> 4;
	n = (size_t)(two.p[1] & 15) + 2;
	if (from == w->at)
		return false;
	for (; n > 0; n--) {
		if (give(w, w->bytes[from], out) < 0)
			return false;
		from = (from + 1) % WINDOW;
	}
	return true;
}

static void
unpack(struct bytes in, struct buf *out)
{
	struct window w = { .at = sizeof(dictionary) - 1 };

	memcpy(w.bytes, dictionary, sizeof(dictionary) - 1);
	while (in.n > 0) {
		uint8_t flags = bytes_take(&in, 1).p[0];

		for (unsigned i = 0; i < 8 && in.n > 0; i++, flags >>= 1)
			if ((flags & 1) != 0) {
				if (!take_reference(&w, &in, out))
					return;
			} else if (give(&w, bytes_take(&in, 1).p[0], out) < 0) {
				return;
			}
	}
}

int
rtfmail_unpack(struct bytes in, struct buf *out)
{
	uint32_t kind;

	if (in.n < HEAD_SIZE)
		return -1;
	kind = le32(in.p + 8);
	bytes_take(&in, HEAD_SIZE);
	if (kind == UNPACKED)
		return buf_append(out, in);
	if (kind != PACKED)
		return -1;
	/* Two bytes become 17 at most. */
	unpack(in, out);
	return 0;
}

/* What is within. */

#define FONTS_MAX 256
#define DEPTH_MAX 100

struct group {
	bool gone;     /* nothing of it is shown */
	bool tag;      /* \*\htmltag */
	bool hidden;   /* between \htmlrtf and \htmlrtf0 */
	bool fonts;    /* the table of fonts */
	unsigned skip; /* bytes that stand for \u */
	enum charset charset;
};

struct reader {
	struct lexer lexer;
	struct group groups[DEPTH_MAX];
	size_t depth;
	enum charset charset; /* of the whole */
	enum charset fonts[FONTS_MAX];
	size_t font;      /* that the table is about */
	unsigned skipped; /* are still to be skipped */
	uint32_t high;    /* half of a pair */
	struct buf bytes; /* of one charset, not converted yet */
	enum charset bytes_charset;
	struct buf *out;
	enum rtfmail kind;
	bool full;
};

static struct group *
now(struct reader *r)
{
	return &r->groups[r->depth];
}

static bool
is_shown(struct reader *r)
{
	const struct group *g = now(r);

	return !g->gone && !g->fonts && (g->tag || !g->hidden);
}

static void
flush(struct reader *r)
{
	struct convert v;
	size_t n = r->bytes.n;

	if (n == 0)
		return;
	if (r->out->max - r->out->n < CONVERT_OUT_MAX(n)) {
		r->full = true;
		r->bytes.n = 0;
		return;
	}
	convert_init(&v, r->bytes_charset);
	v.exact = true;
	convert_push(&v, buf_bytes(&r->bytes), true, r->out);
	r->bytes.n = 0;
}

static void
put(struct reader *r, struct bytes b)
{
	if (!is_shown(r))
		return;
	flush(r);
	r->full = r->full || buf_append(r->out, b) < 0;
}

static void
put_string(struct reader *r, const char *s)
{
	put(r, bytes_of(s));
}

static void
put_character(struct reader *r, uint32_t c)
{
	uint8_t room[UTF8_MAX];

	put(r, (struct bytes){ room, utf8_write(room, c) });
}

static void
put_byte(struct reader *r, uint8_t byte)
{
	enum charset c = now(r)->charset;

	if (r->skipped > 0) {
		r->skipped--;
		return;
	}
	if (!is_shown(r))
		return;
	if (c != r->bytes_charset)
		flush(r);
	r->bytes_charset = c;
	r->full =
	    r->full || buf_append(&r->bytes, (struct bytes){ &byte, 1 }) < 0;
}

/* \fcharset's numbers. */
static enum charset
charset_of_font(int32_t number)
{
	switch (number) {
	case 128:
		return CHARSET_SHIFT_JIS;
	case 129:
		return CHARSET_EUC_KR;
	case 134:
		return CHARSET_GBK;
	case 136:
		return CHARSET_BIG5;
	case 161:
		return CHARSET_WINDOWS_1253;
	case 162:
		return CHARSET_WINDOWS_1254;
	case 177:
		return CHARSET_WINDOWS_1255;
	case 178:
		return CHARSET_WINDOWS_1256;
	case 186:
		return CHARSET_WINDOWS_1257;
	case 204:
		return CHARSET_WINDOWS_1251;
	case 222:
		return CHARSET_WINDOWS_874;
	case 238:
		return CHARSET_WINDOWS_1250;
	default:
		return CHARSET_UNKNOWN;
	}
}

static void
take_unicode(struct reader *r, int32_t number)
{
	uint32_t c = (uint32_t)number & 0xffff;

	r->skipped = now(r)->skip;
	if (c >= 0xd800 && c < 0xdc00) {
		r->high = c;
		return;
	}
	if (c >= 0xdc00 && c < 0xe000) {
		if (r->high != 0)
			put_character(r,
			    0x10000 + ((r->high & 0x3ff) << 10) + (c & 0x3ff));
		r->high = 0;
		return;
	}
	put_character(r, c);
}

static const struct {
	const char *name;
	const char *text;
} characters[] = {
	{ "par", "\r\n" },
	{ "line", "\r\n" },
	{ "tab", "\t" },
	{ "lquote", "\xe2\x80\x98" },
	{ "rquote", "\xe2\x80\x99" },
	{ "ldblquote", "\xe2\x80\x9c" },
	{ "rdblquote", "\xe2\x80\x9d" },
	{ "bullet", "\xe2\x80\xa2" },
	{ "endash", "\xe2\x80\x93" },
	{ "emdash", "\xe2\x80\x94" },
};

/* Groups of which nothing is shown. */
static const char *const gone[] = { "colortbl", "stylesheet", "info", "pict",
	"object", "mhtmltag", "pntext", "header", "footer", "filetbl",
	"listtable", "themedata", "datastore" };

static bool
is_named(const struct token *t, const char *name)
{
	return strcmp(t->name, name) == 0;
}

static void
take_font(struct reader *r, const struct token *t)
{
	size_t number =
	    t->param < 0 || t->param >= FONTS_MAX ? 0 : (size_t)t->param;

	if (now(r)->fonts)
		r->font = number;
	else
		now(r)->charset = r->fonts[number] != CHARSET_UNKNOWN
		    ? r->fonts[number]
		    : r->charset;
}

static void
take_word(struct reader *r, const struct token *t)
{
	struct group *g = now(r);

	for (size_t i = 0; i < COUNT(characters); i++)
		if (is_named(t, characters[i].name))
			put_string(r, characters[i].text);
	for (size_t i = 0; i < COUNT(gone); i++)
		g->gone = g->gone || is_named(t, gone[i]);
	if (is_named(t, "htmlrtf"))
		g->hidden = !t->has_param || t->param != 0;
	else if (is_named(t, "fromhtml"))
		r->kind = RTFMAIL_HTML;
	else if (is_named(t, "fromtext"))
		r->kind = RTFMAIL_TEXT;
	else if (is_named(t, "fonttbl"))
		g->fonts = true;
	else if (is_named(t, "f"))
		take_font(r, t);
	else if (is_named(t, "fcharset") && g->fonts)
		r->fonts[r->font] = charset_of_font(t->param);
	else if (is_named(t, "plain"))
		g->charset = r->charset;
	else if (is_named(t, "uc"))
		g->skip = t->param < 0 || t->param > 8 ? 1 : (unsigned)t->param;
	else if (is_named(t, "u"))
		take_unicode(r, t->param);
	else if (is_named(t, "ansicpg") &&
	    mapi_charset((uint32_t)t->param) != CHARSET_UNKNOWN)
		g->charset = r->charset = mapi_charset((uint32_t)t->param);
}

/* "{\*\word": shown when it is a tag of HTML. */
static void
take_star(struct reader *r)
{
	struct lexer ahead = r->lexer;
	struct token t;

	lex_next(&ahead, &t);
	if (t.kind == LEX_WORD && is_named(&t, "htmltag")) {
		now(r)->tag = true;
		r->lexer = ahead;
	} else {
		now(r)->gone = true;
	}
}

static void
take_symbol(struct reader *r, uint8_t c)
{
	if (c == '*') {
		take_star(r);
	} else if (c == '~') {
		put_character(r, 0xa0);
	} else if (c == '_') {
		put_string(r, "-");
	} else if (c == '{' || c == '}' || c == '\\') {
		if (r->skipped > 0)
			r->skipped--;
		else
			put(r, (struct bytes){ &c, 1 });
	}
}

static void
take_text(struct reader *r, struct bytes b)
{
	size_t n = r->skipped < b.n ? r->skipped : b.n;

	bytes_take(&b, n);
	r->skipped -= (unsigned)n;
	/* A lead byte may stand before it. */
	while (b.n > 0 && r->bytes.n > 0)
		put_byte(r, bytes_take(&b, 1).p[0]);
	if (b.n > 0)
		put(r, b);
}

/* false: deeper than any mail is. */
static bool
open_group(struct reader *r)
{
	if (r->depth + 1 == DEPTH_MAX)
		return false;
	r->groups[r->depth + 1] = r->groups[r->depth];
	r->depth++;
	r->skipped = 0;
	return true;
}

static bool
take_token(struct reader *r, const struct token *t)
{
	switch (t->kind) {
	case LEX_END:
		return false;
	case LEX_OPEN:
		return open_group(r);
	case LEX_CLOSE:
		if (r->depth <= 1)
			return false;
		r->depth--;
		r->skipped = 0;
		break;
	case LEX_WORD:
		take_word(r, t);
		break;
	case LEX_SYMBOL:
		take_symbol(r, t->byte);
		break;
	case LEX_BYTE:
		put_byte(r, t->byte);
		break;
	case LEX_TEXT:
		take_text(r, t->raw);
		break;
	case LEX_BIN:
	case LEX_NEWLINE:
	case LEX_CONTROL:
		break;
	}
	return !r->full;
}

int
rtfmail_open(struct bytes rtf, enum rtfmail *kind_out, struct buf *out)
{
	struct reader r = { .lexer = { .rest = rtf },
		.charset = CHARSET_WINDOWS_1252,
		.out = out,
		.bytes_charset = CHARSET_WINDOWS_1252 };
	struct token t;

	r.groups[0].skip = 1;
	r.groups[0].charset = CHARSET_WINDOWS_1252;
	buf_init(&r.bytes, rtf.n + 1);
	do
		lex_next(&r.lexer, &t);
	while (take_token(&r, &t));
	flush(&r);
	buf_release(&r.bytes);
	*kind_out = r.kind;
	return r.full ? -1 : 0;
}
