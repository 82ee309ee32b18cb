/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/answer/page.h"

#include <stdint.h>

static const char style[] =
    "*{box-sizing:border-box}"
    "body{margin:0;background:#f4f2ec;color:#1c1c1c;line-height:1.75;"
    "font-family:'Noto Sans JP','Hiragino Kaku Gothic ProN',Meiryo,"
    "system-ui,sans-serif}"
    "main{max-width:44rem;margin:5vh auto;background:#fff;"
    "border-top:.5rem solid var(--tone);border-radius:.25rem;"
    "padding:1.5rem 2rem 2rem;box-shadow:0 1px 6px #0002}"
    "header{color:#555;font-size:.9rem}"
    "h1{color:var(--tone);font-size:1.5rem;line-height:1.4;margin:.5rem 0 1rem}"
    "h2{font-size:1.1rem;margin:1.5rem 0 .25rem}"
    "p{margin:.5rem 0}"
    "dl{margin:1.25rem 0;border-top:1px solid #ddd}"
    "dl div{display:flex;gap:1rem;padding:.5rem 0;"
    "border-bottom:1px solid #ddd}"
    "dt{flex:0 0 9.5rem;color:#555}"
    "dd{margin:0;overflow-wrap:anywhere;min-width:0}"
    "label{display:block;color:#555}"
    "textarea{width:100%;font:inherit;padding:.5rem;border:1px solid #888;"
    "border-radius:.25rem}"
    "input.wide{width:100%;font:inherit;padding:.5rem;border:1px solid #888;"
    "border-radius:.25rem}"
    "fieldset{border:1px solid #ddd;border-radius:.25rem;margin:.75rem 0}"
    "label.way{color:inherit;padding:.25rem 0}"
    "small{color:#555}"
    "button.no{background:#fff;color:var(--tone);border:1px solid}"
    ".number{font-size:1.5rem;letter-spacing:.05em}"
    "button{font:inherit;padding:.5rem 1.25rem;border:0;border-radius:.25rem;"
    "background:var(--tone);color:#fff;cursor:pointer}"
    "footer{color:#555;font-size:.9rem}"
    "a{color:#14509a}"
    "@media(max-width:34rem){main{margin:0;min-height:100vh;"
    "padding:1rem 1.25rem}dl div{display:block}}";

static const char *const tone_class[] = {
	[PAGE_REFUSED] = "#a3261a",
	[PAGE_TROUBLE] = "#7a4b00",
	[PAGE_PLAIN] = "#1f4e79",
};

int
page_begin(struct buf *out, const char *language, enum page_tone tone,
    const char *title, struct bytes owner)
{
	if (buf_printf(out,
		"<!DOCTYPE html>\n<html lang=\"%s\"><head><meta "
		"charset=\"utf-8\">"
		"<meta name=\"viewport\" "
		"content=\"width=device-width,initial-scale=1\">"
		"<meta name=\"robots\" content=\"noindex\">"
		"<title>%s</title><style>:root{--tone:%s}%s</style></head>\n"
		"<body><main><header>",
		language, title, tone_class[tone], style) < 0 ||
	    page_text(out, owner) < 0)
		return -1;
	return buf_printf(out, "</header>\n<h1>%s</h1>\n", title);
}

int
page_end(struct buf *out, struct bytes footer)
{
	if (buf_append_string(out, "<footer>") < 0 ||
	    page_text(out, footer) < 0)
		return -1;
	return buf_append_string(out, "</footer></main></body></html>\n");
}

/* Steps over one character of UTF-8 (RFC 3629 section 4); 0: it is none. */
static size_t
character(struct bytes b, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t first = b.p[0];
	size_t n = first < 0x80 ? 1
	    : first >> 5 == 6   ? 2
	    : first >> 4 == 14  ? 3
	    : first >> 3 == 30  ? 4
				: 0;
	uint32_t c = n < 2 ? first : first & (0x7Fu >> n);

	if (n == 0 || n > b.n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (b.p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (b.p[i] & 0x3F);
	}
	if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*out = c;
	return n;
}

/* Controls, and the marks that turn the direction of writing: a name could
 * hide its true ending with them. */
static bool
is_unseen(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) ||
	    (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
	    (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

static struct bytes
escaped(struct bytes one, uint32_t c)
{
	switch (c) {
	case '<':
		return BYTES("&lt;");
	case '>':
		return BYTES("&gt;");
	case '&':
		return BYTES("&amp;");
	case '"':
		return BYTES("&quot;");
	case '\'':
		return BYTES("&#39;");
	default:
		return is_unseen(c) ? BYTES("\xEF\xBF\xBD") : one;
	}
}

static int
append_escaped(struct buf *out, struct bytes text)
{
	while (text.n > 0) {
		uint32_t c;
		size_t n = character(text, &c);
		struct bytes one = bytes_take(&text, n == 0 ? 1 : n);

		/* what is no character is shown as U+FFFD */
		if (buf_append(out, escaped(one, n == 0 ? 0 : c)) < 0)
			return -1;
	}
	return 0;
}

int
page_text(struct buf *out, struct bytes text)
{
	bool cut = text.n > PAGE_TEXT_MAX;

	if (append_escaped(out, bytes_take(&text, PAGE_TEXT_MAX)) < 0)
		return -1;
	return cut ? buf_append_string(out, "…") : 0;
}

int
page_paragraph(struct buf *out, struct bytes text)
{
	if (buf_append_string(out, "<p>") < 0 || page_text(out, text) < 0)
		return -1;
	return buf_append_string(out, "</p>\n");
}

int
page_link(struct buf *out, struct bytes to, const char *words)
{
	if (buf_append_string(out, "<p><a href=\"") < 0 ||
	    append_escaped(out, to) < 0)
		return -1;
	return buf_printf(out, "\">%s</a></p>\n", words);
}

int
page_rows_begin(struct buf *out)
{
	return buf_append_string(out, "<dl>\n");
}

int
page_row(struct buf *out, const char *name, struct bytes value)
{
	if (value.n == 0)
		return 0;
	if (buf_printf(out, "<div><dt>%s</dt><dd>", name) < 0 ||
	    page_text(out, value) < 0)
		return -1;
	return buf_append_string(out, "</dd></div>\n");
}

int
page_form_begin(struct buf *out, const char *action)
{
	return buf_printf(
	    out, "<form method=\"post\" action=\"%s\">\n", action);
}

int
page_form_text(struct buf *out, const char *name, const char *label)
{
	return buf_printf(out,
	    "<p><label for=\"%s\">%s</label><textarea id=\"%s\" name=\"%s\""
	    " rows=\"3\" minlength=\"4\" maxlength=\"200\" required>"
	    "</textarea></p>\n",
	    name, label, name, name);
}

int
page_form_secret(struct buf *out, const char *name, const char *label)
{
	return buf_printf(out,
	    "<p><label for=\"%s\">%s</label><input type=\"password\" id=\"%s\""
	    " name=\"%s\" maxlength=\"255\" autocomplete=\"off\" required>"
	    "</p>\n",
	    name, label, name, name);
}

/* Whole: what is cut would not be what was meant. */
int
page_form_hidden(struct buf *out, const char *name, struct bytes value)
{
	if (buf_printf(
		out, "<input type=\"hidden\" name=\"%s\" value=\"", name) < 0 ||
	    append_escaped(out, value) < 0)
		return -1;
	return buf_append_string(out, "\">\n");
}

int
page_form_end(struct buf *out, const char *button)
{
	return buf_printf(out, "<p><button>%s</button></p></form>\n", button);
}

int
page_rows_end(struct buf *out)
{
	return buf_append_string(out, "</dl>\n");
}
