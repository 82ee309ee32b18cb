/* SPDX-License-Identifier: Apache-2.0 */
/* host: where a link of a mail leads, when its words say another place. */
#include <ctype.h>

#include "filters/html/address.h"
#include "filters/html/elements.h"
#include "filters/html/write.h"
#include "filters/text/utf8.h"

#define HOST_MAX ((size_t)253)
#define PIECE_MAX ((size_t)300) /* longer ones are not looked at whole */

/* Characters that are not seen. */
static bool
is_unseen(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r') ||
	    c == 0x7f || c == 0xad || c == 0x34f || c == 0x61c || c == 0x180e ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) ||
	    c == 0xfeff || (c >= 0xe0000 && c <= 0xe01ef);
}

static bool
is_blank(uint32_t c)
{
	return c <= ' ' || c == 0xa0 || (c >= 0x2000 && c <= 0x200a) ||
	    c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	    c == 0x3000;
}

/* What looks like a character of ASCII. */
static uint32_t
narrow(uint32_t c)
{
	switch (c) {
	case 0x2024: /* one dot leader */
		return '.';
	case 0x2044: /* fraction slash */
	case 0x2215: /* division slash */
		return '/';
	case 0x2236: /* ratio */
		return ':';
	default:
		return c >= 0xff01 && c <= 0xff5e ? c - 0xfee0 : c;
	}
}

/* A dot of full width parts names, and numbers from headings: "１．概要". */
static bool
is_heading_dot(uint32_t c, struct bytes rest)
{
	uint32_t next = rest.n > 0 ? narrow(utf8_take(&rest)) : 0;

	return c == 0xff0e && (next >= 0x80 || !isalpha((int)next));
}

/* As they are seen: each run of blanks is one. */
static void
add_text(struct bytes text, struct buf *out)
{
	while (text.n > 0) {
		uint32_t c = utf8_take(&text);
		uint8_t room[UTF8_MAX];
		bool begins = out->n == 0 || out->p[out->n - 1] == ' ';

		if (is_unseen(c) || (is_blank(c) && begins))
			continue;
		if (!is_heading_dot(c, text))
			c = is_blank(c) ? ' ' : narrow(c);
		if (buf_append(
			out, (struct bytes){ room, utf8_write(room, c) }) < 0)
			return;
	}
}

static void
add_words(const GumboNode *n, struct buf *out)
{
	uint8_t room[HTML_NAME_MAX];
	enum html_element element;

	if (n->type == GUMBO_NODE_TEXT || n->type == GUMBO_NODE_CDATA ||
	    n->type == GUMBO_NODE_WHITESPACE)
		add_text(bytes_of(n->v.text.text), out);
	if (!html_is_element(n))
		return;
	element = html_rule(html_name(n, room))->element;
	if (element == HTML_GOES || element == HTML_STYLE)
		return;
	for (unsigned i = 0; i < n->v.element.children.length; i++)
		add_words(n->v.element.children.data[i], out);
}

static bool
ends_host(uint8_t c)
{
	switch (c) {
	case '/':
	case '\\':
	case '?':
	case '#':
	case '"':
	case '\'':
	case '<':
	case '>':
	case '(':
	case ')':
	case '[':
	case ']':
	case '{':
	case '}':
	case ',':
	case ';':
	case ':':
	case '@':
		return true;
	default:
		return c <= ' ';
	}
}

/* The host of "https://a@host:1/"; browsers need no "//" and take '\\' for
 * '/'. Nothing: it is none of the web. */
static struct bytes
host_of(struct bytes address)
{
	struct bytes scheme = bytes_take_until(&address, ':');
	struct bytes host;

	if (!bytes_equal_nocase(scheme, BYTES("http")) &&
	    !bytes_equal_nocase(scheme, BYTES("https")))
		return (struct bytes){ 0 };
	while (address.n > 0 && (address.p[0] == '/' || address.p[0] == '\\'))
		bytes_take(&address, 1);
	host = (struct bytes){ address.p, 0 };
	while (host.n < address.n && strchr("/\\?#", address.p[host.n]) == NULL)
		host.n++;
	for (size_t i = host.n; i > 0; i--)
		if (host.p[i - 1] == '@') {
			bytes_take(&host, i);
			break;
		}
	return bytes_take_until(&host, ':');
}

static struct bytes
without_dots(struct bytes b)
{
	while (b.n > 0 && b.p[0] == '.')
		bytes_take(&b, 1);
	while (b.n > 0 && b.p[b.n - 1] == '.')
		b.n--;
	return b;
}

/* A dot before letters. */
static bool
is_host(struct bytes b)
{
	struct bytes end = detox_extension(b);

	return end.n >= 2 && (isalpha(end.p[0]) || end.p[0] >= 0x80);
}

/* What stands at the beginning of the words and may be one. */
static struct bytes
take_piece(struct bytes *words)
{
	size_t n = 0;

	while (n < words->n && n < PIECE_MAX && !ends_host(words->p[n]))
		n++;
	return bytes_take(words, n);
}

static struct bytes
without_www(struct bytes host)
{
	if (host.n > 4 &&
	    bytes_equal_nocase((struct bytes){ host.p, 4 }, BYTES("www.")))
		bytes_take(&host, 4);
	return host;
}

/* One is the other, or within it. */
static bool
is_same(struct bytes a, struct bytes b)
{
	struct bytes tail;

	a = without_www(a);
	b = without_www(b);
	if (a.n < b.n) {
		tail = a;
		a = b;
		b = tail;
	}
	tail = (struct bytes){ a.p + (a.n - b.n), b.n };
	return bytes_equal_nocase(tail, b) &&
	    (a.n == b.n || a.p[a.n - b.n - 1] == '.');
}

/* Whether it was written when the mail came by before. */
static bool
is_said(const GumboNode *a, struct bytes said)
{
	const GumboVector *all = &a->parent->v.element.children;
	size_t next = a->index_within_parent + 1;
	const GumboNode *n = next < all->length ? all->data[next] : NULL;

	return n != NULL && n->type == GUMBO_NODE_TEXT &&
	    bytes_start_with(bytes_of(n->v.text.text), said);
}

/* Behind it may stand words of Japan, without a blank. */
static bool
is_other(struct bytes piece, struct bytes host)
{
	struct bytes head;
	size_t n = 0;

	piece = without_dots(piece);
	if (!is_host(piece) || is_same(piece, host))
		return false;
	while (n < piece.n && piece.p[n] < 0x80)
		n++;
	head = without_dots((struct bytes){ piece.p, n });
	return !is_host(head) || !is_same(head, host);
}

static bool
begins_www(struct bytes words)
{
	return words.n > 4 &&
	    bytes_equal_nocase((struct bytes){ words.p, 4 }, BYTES("www."));
}

/* Behind "://", of which a reader takes any piece for the host:
 * "www.a.test:b@c.test". */
static bool
is_other_address(struct bytes words, struct bytes host)
{
	for (;;) {
		if (is_other(take_piece(&words), host))
			return true;
		if (words.n == 0 || (words.p[0] != ':' && words.p[0] != '@'))
			return false;
		bytes_take(&words, 1);
	}
}

/* All of the words; "www." in their midst is looked at by itself. */
static bool
is_other_name(struct bytes words, struct bytes host)
{
	struct bytes piece = take_piece(&words);

	if (words.n > 0 && (words.p[0] <= ' ' || words.p[0] == '@'))
		return false;
	return (piece.n == 0 ||
		   memmem(piece.p + 1, piece.n - 1, "www.", 4) == NULL) &&
	    is_other(piece, host);
}

/* Whether some word is one that a reader takes for another host: behind "://",
 * with "www.", or all of the words. */
static bool
names_other(struct bytes words, struct bytes host)
{
	bool inside = false; /* of a word */

	if (is_other_name(words, host))
		return true;
	for (; words.n > 0; bytes_take(&words, 1)) {
		struct bytes rest = words;

		if (bytes_start_with(words, BYTES("://"))) {
			bytes_take(&rest, 3);
			if (is_other_address(rest, host))
				return true;
		} else if (!inside && begins_www(words) &&
		    is_other(take_piece(&rest), host)) {
			return true;
		}
		inside = isalnum(words.p[0]) || words.p[0] == '-' ||
		    words.p[0] == '.';
	}
	return false;
}

/* The address as it comes out; empty: it does not. */
static void
read_address(struct html_writer *w, const GumboNode *a, struct buf *out)
{
	const struct address address = { w->d, "a", true, w->mail };
	const GumboAttribute *href =
	    gumbo_get_attribute(&a->v.element.attributes, "href");

	if (href == NULL)
		return;
	if (address_link(&address, bytes_of(href->value), out) == DETOX_REFUSED)
		w->refused = true;
}

void
html_put_host(struct html_writer *w, const GumboNode *a)
{
	struct buf address, words, said;
	struct bytes host;

	buf_init(&address, w->out->max);
	buf_init(&words, w->out->max);
	buf_init(&said, HOST_MAX + 8);
	read_address(w, a, &address);
	host = host_of(buf_bytes(&address));
	if (host.n > 0 && host.n <= HOST_MAX) {
		add_words(a, &words);
		must(buf_printf(&said, " [%.*s]", BYTES_PRINTF(host)) == 0);
		if (names_other(buf_bytes(&words), host) &&
		    !is_said(a, buf_bytes(&said)))
			html_put_text(w, buf_bytes(&said));
	}
	buf_release(&address);
	buf_release(&words);
	buf_release(&said);
}
