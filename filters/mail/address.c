/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/address.h"

#include <ctype.h>

#include "filters/mail/words.h"

#define LINE_MAX_BYTES 76
#define DISPLAY_MAX ((size_t)400)
#define SPEC_MAX ((size_t)320) /* RFC 5321, 4.5.3.1 */

/* One of the list, as it stands there. */
struct mailbox {
	struct bytes display; /* with quotes and comments taken out */
	struct bytes spec;    /* between < and >, or all */
};

struct reader {
	struct detox *d;
	struct bytes rest;
};

static void
skip_comment(struct bytes *b, struct buf *comment)
{
	unsigned depth = 0;

	do {
		struct bytes one = bytes_take(b, 1);

		if (one.p[0] == '\\' && b->n > 0)
			one = bytes_take(b, 1);
		else if (one.p[0] == '(' && depth++ == 0)
			continue;
		else if (one.p[0] == ')' && --depth == 0)
			break;
		must(buf_append(comment, one) == 0);
	} while (b->n > 0 && depth > 0);
}

static void
take_string(struct bytes *b, struct buf *out)
{
	bytes_take(b, 1);
	while (b->n > 0) {
		struct bytes one = bytes_take(b, 1);

		if (one.p[0] == '"')
			break;
		if (one.p[0] == '\\' && b->n > 0)
			one = bytes_take(b, 1);
		must(buf_append(out, one) == 0);
	}
}

static struct bytes
keep(struct reader *r, const struct buf *b)
{
	return bytes_trim(arena_copy(&r->d->arena, buf_bytes(b)));
}

/* What one mailbox is made of. */
struct pieces {
	struct buf words;   /* outside of <>, quotes taken off */
	struct buf plain;   /* the same, quotes kept: it may be the address */
	struct buf comment; /* the name of old: "a@b (Name)" */
	struct buf angle;
	bool has_angle;
};

/* Up to ',' or ';' outside of all quotes. ':' ends a group's name. */
static void
take_pieces(struct reader *r, struct pieces *p)
{
	struct bytes *b = &r->rest;

	while (b->n > 0 && b->p[0] != ',' && b->p[0] != ';') {
		struct bytes one;

		if (b->p[0] == '(') {
			skip_comment(b, &p->comment);
			continue;
		}
		if (b->p[0] == '"') {
			const uint8_t *begin = b->p;

			take_string(b, &p->words);
			must(buf_append(&p->plain,
				 (struct bytes){
				     begin, (size_t)(b->p - begin) }) == 0);
			continue;
		}
		one = bytes_take(b, 1);
		if (one.p[0] == '<') {
			p->has_angle = true;
			p->angle.n = 0;
			must(buf_append(&p->angle, bytes_take_until(b, '>')) ==
			    0);
			continue;
		}
		if (one.p[0] == ':' && !p->has_angle &&
		    bytes_index(buf_bytes(&p->plain), '@') < 0) {
			p->words.n = p->plain.n = 0;
			continue;
		}
		must(buf_append(&p->words, one) == 0);
		must(buf_append(&p->plain, one) == 0);
	}
	bytes_take(b, 1);
}

static bool
take_mailbox(struct reader *r, struct mailbox *out)
{
	struct pieces p = { 0 };
	size_t max = r->rest.n + 1;

	if (r->rest.n == 0)
		return false;
	buf_init(&p.words, max);
	buf_init(&p.plain, max);
	buf_init(&p.comment, max);
	buf_init(&p.angle, max);
	take_pieces(r, &p);
	out->display = keep(r, p.has_angle ? &p.words : &p.comment);
	out->spec = keep(r, p.has_angle ? &p.angle : &p.plain);
	if (p.has_angle && out->display.n == 0)
		out->display = keep(r, &p.comment);
	buf_release(&p.words);
	buf_release(&p.plain);
	buf_release(&p.comment);
	buf_release(&p.angle);
	return true;
}

/* RFC 5322, 3.2.3. */
static bool
is_atom(uint8_t c)
{
	return isalnum(c) || strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL;
}

/* A domain's name, or "[192.0.2.1]". */
static bool
is_domain(struct bytes b)
{
	bool literal = b.n > 2 && b.p[0] == '[' && b.p[b.n - 1] == ']';

	if (literal)
		b = (struct bytes){ b.p + 1, b.n - 2 };
	for (size_t i = 0; i < b.n; i++)
		if (!isalnum(b.p[i]) && b.p[i] != '.' && b.p[i] != '-' &&
		    b.p[i] != (literal ? ':' : '_'))
			return false;
	return b.n > 0 && b.p[0] != '.' && b.p[b.n - 1] != '.';
}

/* Without the route of old, "@a,@b:c@d"; by the last '@', as mail is sent.
 * Blanks in it are none of it. */
static bool
split_spec(
    struct reader *r, struct bytes spec, struct bytes *local, struct bytes *at)
{
	uint8_t *p = arena_alloc(&r->d->arena, spec.n + 1);
	size_t n = 0;
	bool quoted;

	if (spec.n > SPEC_MAX)
		return false;
	if (spec.n > 0 && spec.p[0] == '@')
		bytes_take_until(&spec, ':');
	quoted = bytes_index(spec, '"') >= 0;
	for (size_t i = 0; i < spec.n; i++)
		if (quoted || spec.p[i] != ' ')
			p[n++] = spec.p[i];
	for (size_t i = n; i > 0; i--)
		if (p[i - 1] == '@') {
			*local = (struct bytes){ p, i - 1 };
			*at = (struct bytes){ p + i, n - i };
			return local->n > 0 && is_domain(*at);
		}
	return false;
}

/* A local part that only quotes let be one; NULL: nothing does. What looks like
 * an encoded word is none (RFC 2047, 5): some readers decode it, and show
 * another address. */
static const char *
write_local(struct reader *r, struct bytes local)
{
	bool quoted =
	    local.n > 2 && local.p[0] == '"' && local.p[local.n - 1] == '"';
	bool atom = true;

	if (quoted)
		local = (struct bytes){ local.p + 1, local.n - 2 };
	if (memmem(local.p, local.n, "=?", 2) != NULL)
		return NULL;
	for (size_t i = 0; i < local.n; i++) {
		uint8_t c = local.p[i];

		if (c <= ' ' || c >= 0x7f ||
		    strchr("\"\\<>()[]:;,@", c) != NULL)
			return NULL;
		atom = atom && is_atom(c);
	}
	return arena_printf(
	    &r->d->arena, atom ? "%.*s" : "\"%.*s\"", BYTES_PRINTF(local));
}

static const char *
write_spec(struct reader *r, struct bytes spec)
{
	struct bytes local, domain;
	const char *written;

	if (!split_spec(r, spec, &local, &domain))
		return NULL;
	written = write_local(r, local);
	if (written == NULL)
		return NULL;
	return arena_printf(
	    &r->d->arena, "%s@%.*s", written, BYTES_PRINTF(domain));
}

static bool
is_phrase(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (!isalnum(b.p[i]) && b.p[i] != ' ' && b.p[i] != '-' &&
		    b.p[i] != '_')
			return false;
	return true;
}

int
mail_put_display(struct bytes name, struct buf *out, size_t *column)
{
	struct buf quoted;
	int result = 0;

	if (!mail_is_plain(name) || is_phrase(name))
		return mail_put_words(out, name, column);
	buf_init(&quoted, size_mul(name.n + 2, 2));
	must(buf_append(&quoted, BYTES("\"")) == 0);
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			must(buf_append(&quoted, BYTES("\\")) == 0);
		must(buf_append(&quoted, (struct bytes){ name.p + i, 1 }) == 0);
	}
	must(buf_append(&quoted, BYTES("\"")) == 0);
	result = buf_append(out, buf_bytes(&quoted));
	*column += quoted.n;
	buf_release(&quoted);
	return result;
}

static int
put_mailbox(struct bytes display, const char *spec, bool first, struct buf *out,
    size_t *column)
{
	size_t n = strlen(spec) + 2;

	if (!first && buf_append(out, BYTES(",")) < 0)
		return -1;
	if (!first && *column + n + display.n > LINE_MAX_BYTES - 2) {
		if (buf_append(out, BYTES("\r\n")) < 0)
			return -1;
		*column = 0;
	}
	if (!first && buf_append(out, BYTES(" ")) < 0)
		return -1;
	*column += first ? 0 : 2;
	if (display.n == 0) {
		*column += n;
		return buf_append_string(out, spec);
	}
	if (mail_put_display(display, out, column) < 0)
		return -1;
	if (*column + n > LINE_MAX_BYTES - 2) {
		if (buf_append(out, BYTES("\r\n")) < 0)
			return -1;
		*column = 0;
	}
	*column += n + 1;
	return buf_printf(out, " <%s>", spec);
}

int
mail_put_addresses(struct detox *d, struct bytes text, size_t max,
    struct buf *out, size_t *column, size_t *n_out, size_t *bad_out)
{
	struct reader r = { .d = d, .rest = mail_field_utf8(d, text) };
	struct mailbox m;

	*n_out = *bad_out = 0;
	while (take_mailbox(&r, &m)) {
		const char *spec = write_spec(&r, m.spec);
		struct bytes display = m.display.n == 0
		    ? m.display
		    : mail_clean_line(d, mail_words_decode(d, m.display));

		/* A line has to hold it with its quotes. */
		if (display.n > DISPLAY_MAX) {
			display.n = DISPLAY_MAX;
			while (display.n > 0 &&
			    (display.p[display.n] & 0xc0) == 0x80)
				display.n--;
		}
		if (m.spec.n == 0 && display.n == 0)
			continue; /* ",," or the end of a group */
		if (spec == NULL || *n_out == max) {
			++*bad_out;
			continue;
		}
		if (put_mailbox(display, spec, *n_out == 0, out, column) < 0)
			return -1;
		++*n_out;
	}
	return 0;
}
