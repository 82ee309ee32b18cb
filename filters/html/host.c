/* SPDX-License-Identifier: Apache-2.0 */
/* host: where a link of a mail leads, when its words say another place. */
#include <ctype.h>

#include "filters/html/words.h"
#include "filters/html/write.h"

#define WORDS_LOOKED_AT ((size_t)1024)
#define HOST_MAX ((size_t)253)

/* The text within the node, as far as it is looked at. */
static void
add_words(const GumboNode *n, struct buf *out)
{
	struct bytes text = { 0 };

	if (n->type == GUMBO_NODE_TEXT || n->type == GUMBO_NODE_CDATA ||
	    n->type == GUMBO_NODE_WHITESPACE)
		text = bytes_of(n->v.text.text);
	if (text.n > out->max - out->n)
		text.n = out->max - out->n;
	if (text.n > 0)
		must(buf_append(out, text) == 0);
	if (!html_is_element(n))
		return;
	for (unsigned i = 0; i < n->v.element.children.length; i++)
		add_words(n->v.element.children.data[i], out);
}

static bool
ends_host(uint8_t c)
{
	return c <= ' ' || strchr("/\\?#\"'<>()[]{},;:", c) != NULL;
}

/* The host of "https://a@host:1/", or nothing. */
static struct bytes
host_of(struct bytes address)
{
	const uint8_t *at =
	    address.n == 0 ? NULL : memmem(address.p, address.n, "://", 3);
	struct bytes host;

	if (at == NULL)
		return (struct bytes){ 0 };
	bytes_take(&address, (size_t)(at - address.p) + 3);
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

/* A word that a reader takes for a host: behind "://", with "www.", or all of
 * the words, and with a dot before letters. */
static struct bytes
named_host(struct bytes words)
{
	struct bytes named = host_of(words);
	struct bytes end;

	while (words.n > 0 && words.p[0] <= ' ')
		bytes_take(&words, 1);
	while (words.n > 0 && words.p[words.n - 1] <= ' ')
		words.n--;
	if (named.n == 0) {
		named = (struct bytes){ words.p, 0 };
		while (named.n < words.n && !ends_host(words.p[named.n]))
			named.n++;
		if (named.n < words.n && words.p[named.n] <= ' ')
			named.n = 0;
	}
	for (size_t i = 0; i < named.n; i++)
		if (named.p[i] == '@' || ends_host(named.p[i]))
			return (struct bytes){ 0 };
	end = detox_extension(named);
	return end.n >= 2 && (isalpha(end.p[0]) || end.p[0] >= 0x80)
	    ? named
	    : (struct bytes){ 0 };
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

void
html_put_host(struct html_writer *w, const GumboNode *a)
{
	const GumboAttribute *href =
	    gumbo_get_attribute(&a->v.element.attributes, "href");
	struct bytes address = bytes_of(href != NULL ? href->value : NULL);
	struct bytes host = host_of(address);
	struct bytes named;
	struct buf words, said;

	if (host.n == 0 || host.n > HOST_MAX ||
	    !detox_link_stays(w->d, address))
		return;
	buf_init(&words, WORDS_LOOKED_AT);
	buf_init(&said, HOST_MAX + 8);
	add_words(a, &words);
	named = named_host(buf_bytes(&words));
	must(buf_printf(&said, " [%.*s]", BYTES_PRINTF(host)) == 0);
	if (named.n > 0 && !is_same(named, host) &&
	    !is_said(a, buf_bytes(&said)))
		html_put_text(w, buf_bytes(&said));
	buf_release(&words);
	buf_release(&said);
}
