/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/reader.h"

#include <openssl/crypto.h>
#include <string.h>

#define PIECE ((size_t)8192)

/* What all readers of a process use between two calls. */
static struct buf room = { .max = CONVERT_OUT_MAX(PIECE) };

void
reader_init(struct reader *r, struct bytes declared, bool html, bool secret)
{
	*r = (struct reader){
		.declared = declared, .html = html, .secret = secret
	};
}

/* To whom the text goes. */
struct taker {
	void (*take)(void *owner, struct bytes text);
	void *owner;
};

/* Text whose charset is known. */
static void
read_text(struct reader *r, struct bytes b, bool last, const struct taker *to)
{
	bool ended = false;

	while (b.n > 0 || (last && !ended)) {
		struct bytes piece = bytes_take(&b, b.n < PIECE ? b.n : PIECE);

		ended = last && b.n == 0;
		room.n = 0;
		convert_push(&r->convert, piece, ended, &room);
		to->take(to->owner, buf_bytes(&room));
		if (r->secret && room.n > 0)
			OPENSSL_cleanse(room.p, room.n);
	}
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
find_declared(const struct reader *r, struct bytes head)
{
	size_t mark;
	enum charset c = charset_mark(head, &mark);

	if (c == CHARSET_UNKNOWN)
		c = charset_named(r->declared);
	/* Scripts and plain texts have no tags that count. */
	if (c == CHARSET_UNKNOWN && r->html)
		c = charset_meta(head);
	/* ASCII in pairs would be taken for plain. */
	if (c == CHARSET_UNKNOWN && memchr(head.p, 0, head.n) != NULL)
		c = charset_guess(head, false);
	return c;
}

static void
forget_head(struct reader *r, size_t n)
{
	r->head_n -= n;
	memmove(r->head, r->head + n, r->head_n);
	if (r->secret)
		OPENSSL_cleanse(r->head + r->head_n, n);
}

/* A full head, or the last. What is plain at its beginning is read; the guess
 * is made of a head that begins with what is not. */
static void
read_head(struct reader *r, bool last, const struct taker *to)
{
	struct bytes head = { r->head, r->head_n };
	size_t n;

	if (!r->begun && head.n > 0)
		r->charset = find_declared(r, head);
	n = count_plain(head);
	if (r->charset == CHARSET_UNKNOWN && (n == 0 || last))
		r->charset = last && n == head.n ? CHARSET_UTF8
						 : charset_guess(head, last);
	convert_init(&r->convert,
	    r->charset == CHARSET_UNKNOWN ? CHARSET_UTF8 : r->charset);
	r->convert.begun = r->begun;
	r->begun = true;
	if (r->charset != CHARSET_UNKNOWN)
		n = head.n;
	read_text(r, bytes_take(&head, n), last, to);
	forget_head(r, n);
}

/* Enough to look at: a full head; 3 bytes when all else is declared. */
static bool
is_enough(const struct reader *r)
{
	return r->head_n == READER_HEAD_MAX ||
	    (r->head_n >= 3 && charset_named(r->declared) != CHARSET_UNKNOWN);
}

void
reader_push(struct reader *r, struct bytes in, bool last,
    void (*take)(void *owner, struct bytes text), void *owner)
{
	const struct taker to = { take, owner };

	while (r->charset == CHARSET_UNKNOWN) {
		size_t n = READER_HEAD_MAX - r->head_n;
		struct bytes more = bytes_take(&in, in.n < n ? in.n : n);
		bool whole = last && in.n == 0;

		if (more.n > 0)
			memcpy(r->head + r->head_n, more.p, more.n);
		r->head_n += more.n;
		if (!whole && !is_enough(r))
			return;
		read_head(r, whole, &to);
		if (whole)
			return;
	}
	read_text(r, in, last, &to);
}
