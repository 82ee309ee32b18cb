/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/css.h"

#include <ctype.h>

#include "filters/html/css_token.h"
#include "filters/html/words.h"

#define DEPTH_MAX 32 /* of brackets, and of rules within rules */

/* Properties, each with all that begin with it and '-'. */
static const char families[] =
    " accent align alignment animation appearance aspect backface background"
    " baseline block border bottom box break caption caret clear clip color"
    " column columns content counter cursor direction display dominant empty"
    " enable fill filter flex float flood font gap grid height hyphens image"
    " inline inset isolation justify left letter lighting line list margin"
    " marker mask max min mix object opacity order orphans outline overflow"
    " padding page paint perspective place pointer position quotes resize right"
    " rotate row ruby scale shape size solid stop stroke tab table text top"
    " transform transition translate unicode user vector vertical visibility"
    " white widows width will word writing z zoom ";
/* Those that ran something once. */
static const char dangerous[] =
    " behavior -ms-behavior -moz-binding binding src layout-flow ";
static const char functions[] =
    " rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix calc min max"
    " clamp var env attr counter counters linear-gradient radial-gradient"
    " conic-gradient repeating-linear-gradient repeating-radial-gradient"
    " repeating-conic-gradient translate translatex translatey translatez"
    " translate3d scale scalex scaley scalez scale3d rotate rotatex rotatey"
    " rotatez rotate3d skew skewx skewy matrix matrix3d perspective rect inset"
    " circle ellipse polygon path cubic-bezier steps minmax repeat fit-content"
    " blur brightness contrast drop-shadow grayscale hue-rotate invert opacity"
    " saturate sepia ";
static const char selector_functions[] =
    " not is where has lang dir nth-child nth-last-child nth-of-type"
    " nth-last-of-type matches any host ";
/* At-rules that hold rules, or declarations. */
static const char of_rules[] = " media supports layer container keyframes"
			       " -webkit-keyframes document ";
static const char of_declarations[] = " page ";
/* What goes without a word. */
static const char silent[] = " charset namespace list viewport -ms-viewport ";

struct css {
	const struct address *a;
	struct css_reader reader;
	struct css_token token; /* the present one */
	struct buf *out;
	bool full;
};

static void
next(struct css *c)
{
	css_read(&c->reader, &c->token);
}

static void
put(struct css *c, struct buf *out, struct bytes b)
{
	if (buf_append(out, b) < 0)
		c->full = true;
}

static void
put_token(struct css *c, struct buf *out)
{
	if (css_write(&c->token, out) < 0)
		c->full = true;
}

static void
skip_space(struct css *c)
{
	while (c->token.kind == CSS_SPACE)
		next(c);
}

/* Past the end of a block whose '{' is the present token; in one pass, however
 * deep it is. */
static void
skip_block(struct css *c)
{
	size_t depth = 0;

	while (c->token.kind != CSS_END) {
		if (css_is_mark(&c->token, '{'))
			depth++;
		if (css_is_mark(&c->token, '}') && --depth == 0)
			break;
		next(c);
	}
	if (c->token.kind != CSS_END)
		next(c);
}

/* To the ';' or '}' that ends a declaration, or past a block in it. */
static void
skip_declaration(struct css *c)
{
	size_t depth = 0;

	for (; c->token.kind != CSS_END; next(c)) {
		const struct css_token *t = &c->token;

		if (css_is_mark(t, '{') && depth == 0) {
			skip_block(c);
			return;
		}
		if (css_is_mark(t, '}') || (css_is_mark(t, ';') && depth == 0))
			return;
		if (t->kind == CSS_FUNCTION || css_is_mark(t, '(') ||
		    css_is_mark(t, '['))
			depth++;
		if ((css_is_mark(t, ')') || css_is_mark(t, ']')) && depth > 0)
			depth--;
	}
}

/* Values. */

static bool
put_address(struct css *c, struct bytes address, struct buf *out)
{
	struct css_token quoted = { .kind = CSS_STRING };
	struct buf kept;
	bool stays;

	buf_init(&kept, out->max);
	if (address_picture(c->a, address, &kept) == DETOX_REFUSED)
		c->full = true;
	stays = kept.n > 0;
	quoted.text = buf_bytes(&kept);
	if (stays) {
		put(c, out, BYTES("url("));
		if (css_write(&quoted, out) < 0)
			c->full = true;
		put(c, out, BYTES(")"));
	}
	buf_release(&kept);
	return stays;
}

/* The present token is url(, with a string behind it. */
static bool
put_quoted_address(struct css *c, struct buf *out)
{
	bool stays;

	next(c);
	skip_space(c);
	if (c->token.kind != CSS_STRING)
		return false;
	stays = put_address(c, c->token.text, out);
	next(c);
	skip_space(c);
	return stays && css_is_mark(&c->token, ')');
}

static bool
has_word(const char *words, const struct css_token *t)
{
	return words_have(words, t->text);
}

/* Reports what is no mistake but meant. */
static bool
report_function(struct css *c)
{
	static const char loads[] =
	    " image-set -webkit-image-set image cross-fade src element ";

	address_removed(c->a,
	    has_word(loads, &c->token) ? REMOVED_EXTERNAL : REMOVED_STYLE);
	return false;
}

static bool
put_value_token(struct css *c, unsigned *depth, struct buf *out)
{
	const struct css_token *t = &c->token;

	switch (t->kind) {
	case CSS_SPACE:
	case CSS_NAME:
	case CSS_HASH:
	case CSS_STRING:
	case CSS_NUMBER:
		put_token(c, out);
		return true;
	case CSS_URL:
		return put_address(c, t->text, out);
	case CSS_FUNCTION:
		if (css_is(t, CSS_FUNCTION, "url"))
			return put_quoted_address(c, out);
		if (!has_word(functions, t))
			return report_function(c);
		++*depth;
		put_token(c, out);
		return *depth <= DEPTH_MAX;
	case CSS_MARK:
		if (strchr(",/+*-!()%", t->mark) == NULL || t->mark == '\0')
			return false;
		*depth += t->mark == '(';
		if (t->mark == ')' && (*depth)-- == 0)
			return false;
		put_token(c, out);
		return *depth <= DEPTH_MAX;
	case CSS_END:
	case CSS_AT:
	case CSS_BAD:
		return false;
	}
	return false;
}

static void
cut_space(struct buf *b)
{
	while (b->n > 0 && b->p[b->n - 1] == ' ')
		b->n--;
}

static bool
ends_value(const struct css_token *t)
{
	return t->kind == CSS_END || css_is_mark(t, ';') || css_is_mark(t, '}');
}

/* Up to what ends it; false: it does not stay. */
static bool
put_value(struct css *c, struct buf *out)
{
	unsigned depth = 0;
	size_t begin = out->n;

	skip_space(c);
	while (!ends_value(&c->token)) {
		if (!put_value_token(c, &depth, out))
			return false;
		next(c);
	}
	if (out->n == begin)
		return false;
	/* An escape ends with a blank of its own. */
	if (memchr(out->p + begin, '\\', out->n - begin) == NULL)
		cut_space(out);
	return depth == 0 && out->n > begin;
}

/* Declarations. */

static bool
is_known(struct bytes property)
{
	struct bytes family = property;
	ssize_t dash;

	if (bytes_start_with(property, BYTES("--")))
		return true;
	dash = bytes_index(family, '-');
	if (dash >= 0)
		family.n = (size_t)dash;
	return words_have(families, family);
}

static void
put_declaration(struct css *c, struct buf *out)
{
	struct css_token name = c->token;
	struct buf text;
	bool stays;

	buf_init(&text, out->max);
	stays = is_known(name.text);
	if (words_have(dangerous, name.text))
		address_removed(c->a, REMOVED_STYLE);
	if (css_write(&name, &text) < 0)
		c->full = true;
	next(c);
	skip_space(c);
	stays = stays && css_is_mark(&c->token, ':');
	if (stays) {
		put(c, &text, BYTES(":"));
		next(c);
		stays = put_value(c, &text);
	}
	if (stays) {
		put(c, out, buf_bytes(&text));
		put(c, out, BYTES(";"));
	} else {
		skip_declaration(c);
	}
	buf_release(&text);
}

/* Up to the '}' that ends them. */
static void
put_declarations(struct css *c, struct buf *out)
{
	while (c->token.kind != CSS_END && !css_is_mark(&c->token, '}') &&
	    !c->full) {
		if (c->token.kind == CSS_SPACE || css_is_mark(&c->token, ';'))
			next(c);
		else if (c->token.kind == CSS_NAME)
			put_declaration(c, out);
		else
			skip_declaration(c);
	}
}

/* Rules. */

/* Whether the token may stand before a '{'. */
static bool
is_of_prelude(const struct css_token *t, bool selector)
{
	switch (t->kind) {
	case CSS_SPACE:
	case CSS_NAME:
	case CSS_HASH:
	case CSS_STRING:
	case CSS_NUMBER:
		return true;
	case CSS_FUNCTION:
		return has_word(selector ? selector_functions : functions, t);
	case CSS_MARK:
		return t->mark != '\0' &&
		    strchr(selector ? ".*,>+~:[]=^$|()%" : ",:()/=>",
			t->mark) != NULL;
	case CSS_END:
	case CSS_AT:
	case CSS_URL:
	case CSS_BAD:
		return false;
	}
	return false;
}

/* Up to '{', or ';' of an at-rule; false: it does not stay. */
static bool
put_prelude(struct css *c, bool selector, struct buf *out)
{
	bool stays = true;
	size_t begin = out->n;

	for (; c->token.kind != CSS_END && !css_is_mark(&c->token, '{') &&
	     (selector || !css_is_mark(&c->token, ';'));
	     next(c)) {
		stays = stays && is_of_prelude(&c->token, selector);
		if (stays)
			put_token(c, out);
	}
	return stays && (!selector || out->n > begin) &&
	    css_is_mark(&c->token, '{');
}

static void put_rules(struct css *c, struct buf *out, unsigned depth);

/* The present token is '{'. */
static void
put_block(struct css *c, struct buf *out, unsigned depth, bool rules)
{
	next(c);
	put(c, out, BYTES("{"));
	if (rules)
		put_rules(c, out, depth + 1);
	else
		put_declarations(c, out);
	put(c, out, BYTES("}\n"));
	if (css_is_mark(&c->token, '}'))
		next(c);
}

static void
report_at(struct css *c)
{
	if (css_is(&c->token, CSS_AT, "import"))
		address_removed(c->a, REMOVED_EXTERNAL);
	else if (css_is(&c->token, CSS_AT, "font-face"))
		address_removed(c->a, REMOVED_FONT);
	else if (!has_word(silent, &c->token))
		address_removed(c->a, REMOVED_STYLE);
}

static void
put_at_rule(struct css *c, struct buf *out, unsigned depth)
{
	bool rules = has_word(of_rules, &c->token) && depth < DEPTH_MAX;
	bool stays = rules || has_word(of_declarations, &c->token);
	struct buf head;

	buf_init(&head, out->max);
	if (!stays)
		report_at(c);
	put_token(c, &head);
	next(c);
	stays = put_prelude(c, false, &head) && stays;
	if (stays) {
		put(c, out, buf_bytes(&head));
		put_block(c, out, depth, rules);
	} else if (css_is_mark(&c->token, '{')) {
		skip_block(c);
	}
	buf_release(&head);
}

static void
put_rule(struct css *c, struct buf *out, unsigned depth)
{
	struct buf head;

	buf_init(&head, out->max);
	if (put_prelude(c, true, &head)) {
		put(c, out, buf_bytes(&head));
		put_block(c, out, depth, false);
	} else {
		skip_block(c);
	}
	buf_release(&head);
}

/* Up to the '}' that ends them, within others; a stray one is passed over. */
static void
put_rules(struct css *c, struct buf *out, unsigned depth)
{
	while (c->token.kind != CSS_END && !c->full) {
		if (css_is_mark(&c->token, '}') && depth > 0)
			return;
		if (c->token.kind == CSS_SPACE || css_is_mark(&c->token, ';') ||
		    css_is_mark(&c->token, '}'))
			next(c);
		else if (c->token.kind == CSS_AT)
			put_at_rule(c, out, depth);
		else
			put_rule(c, out, depth);
	}
}

static void
begin(struct css *c, const struct address *a, struct bytes in)
{
	*c = (struct css){ .a = a };
	css_reader_init(&c->reader, in);
	next(c);
}

static enum detox_result
end(struct css *c)
{
	css_reader_release(&c->reader);
	return !c->full ? DETOX_REBUILT
			: detox_refuse(c->a->d, REFUSED_SIZE,
			      "a style sheet comes out too large");
}

enum detox_result
css_sheet(const struct address *a, struct bytes in, struct buf *out)
{
	struct css c;

	begin(&c, a, in);
	put_rules(&c, out, 0);
	return end(&c);
}

enum detox_result
css_style(const struct address *a, struct bytes in, struct buf *out)
{
	struct css c;

	begin(&c, a, in);
	while (c.token.kind != CSS_END && !c.full) {
		put_declarations(&c, out);
		if (c.token.kind != CSS_END)
			next(&c);
	}
	return end(&c);
}

enum detox_result
css_value(const struct address *a, struct bytes in, struct buf *out)
{
	struct css c;
	size_t before = out->n;

	begin(&c, a, in);
	if (!put_value(&c, out) || c.token.kind != CSS_END)
		out->n = before;
	return end(&c);
}
