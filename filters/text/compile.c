/* SPDX-License-Identifier: Apache-2.0 */
/* compile: the patterns of a set are judged, and become the bytes of a file. */
#include <openssl/sha.h>
#include <stdlib.h>

#include "filters/text/file.h"
#include "filters/text/literal.h"
#include "filters/text/set_inside.h"
#include "filters/text/utf8.h"
#include "proxy/base/arena.h"

/* What Vectorscan is given. */
struct expressions {
	const char **texts;
	unsigned *flags;
	unsigned *ids;
	size_t *sizes; /* of literals */
	size_t n;
};

struct compiling {
	enum set_kind kind;
	struct set_pattern *patterns; /* a copy, folded */
	size_t n;
	struct arena arena;
	struct buf *out;
	size_t from; /* where the file begins in out */
	struct set_head head;
	struct set_record *records;
	bool full; /* out is over its limit */
	struct err *e;
};

static int
refuse(struct compiling *c, size_t i, const char *why)
{
	const struct set_pattern *p = &c->patterns[i];

	return err_set(c->e, "%s%spattern \"%s\": %s",
	    p->where != NULL ? p->where : "", p->where != NULL ? ": " : "",
	    p->name, why);
}

/* Letters of a phrase are written so that no syntax is in them. */
static const char *
quote(struct arena *a, struct bytes phrase)
{
	char *out = arena_alloc(a, phrase.n * 4 + 1);
	char *next = out;

	for (size_t i = 0; i < phrase.n; i++)
		if (phrase.p[i] >= 0x80)
			*next++ = (char)phrase.p[i];
		else
			next += snprintf(next, 5, "\\x%02x", phrase.p[i]);
	return out;
}

/*
 * The pattern with its assertions as groups that match: its longest match then
 * covers at least all that a match and its assertions look at. The words that
 * begin an assertion may stand in a class or be escaped; then the length
 * changes by less than their count, which is added.
 */
static const char *
spread(struct arena *a, const char *text, unsigned *more_out)
{
	static const char *const heads[] = { "(?=", "(?!", "(?<=", "(?<!" };
	char *out = arena_alloc(a, strlen(text) + 1);
	size_t n = 0;

	*more_out = 0;
	while (*text != '\0') {
		size_t head = 0;

		for (size_t i = 0; i < COUNT(heads); i++)
			if (strncmp(text, heads[i], strlen(heads[i])) == 0)
				head = strlen(heads[i]);
		if (head == 0) {
			out[n++] = *text++;
			continue;
		}
		out[n++] = '(';
		out[n++] = '?';
		out[n++] = ':';
		text += head;
		*more_out += 1;
	}
	return out;
}

/* An escape with that letter. */
static bool
has_escape(const char *text, char letter)
{
	for (; *text != '\0'; text++) {
		if (*text != '\\')
			continue;
		text++;
		if (*text == letter)
			return true;
		if (*text == '\0')
			break;
	}
	return false;
}

/* What is PCRE2's and not Vectorscan's, or not the same: its tables of
 * properties are older, and it makes of a reference what it likes. */
static const char *
why_not_text(const char *text, const pcre2_code *code)
{
	uint32_t references = 0;

	if (has_escape(text, 'p') || has_escape(text, 'P'))
		return "\\p and \\P are not taken; write the range of"
		       " characters";
	if (strstr(text, "(?(") != NULL)
		return "conditions are not taken";
	must(pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &references) == 0);
	return references > 0 ? "back references are not taken" : NULL;
}

static unsigned
scan_flags(const struct compiling *c, size_t i)
{
	unsigned flags = HS_FLAG_PREFILTER;

	if ((c->patterns[i].flags & SET_CASELESS) != 0)
		flags |= HS_FLAG_CASELESS;
	if (c->kind == SET_TEXT)
		return flags | HS_FLAG_UTF8;
	return flags | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY;
}

static int
refuse_scan(struct compiling *c, size_t i, hs_compile_error_t *error)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) set on error */
	refuse(c, i, error->message);
	hs_free_compile_error(error);
	return -1;
}

/* How many bytes a match and all that its assertions look at can have. */
static int
measure(struct compiling *c, size_t i, const char *expression)
{
	unsigned flags = scan_flags(c, i);
	hs_compile_error_t *error = NULL;
	hs_expr_info_t *info = NULL;
	unsigned more;
	const char *whole = spread(&c->arena, expression, &more);
	unsigned least;
	unsigned most;

	if (hs_expression_info(expression, flags | HS_FLAG_ALLOWEMPTY, &info,
		&error) != HS_SUCCESS)
		return refuse_scan(c, i, error);
	least = info->min_width;
	free(info);
	info = NULL;
	if (hs_expression_info(
		whole, flags | HS_FLAG_ALLOWEMPTY, &info, &error) != HS_SUCCESS)
		return refuse_scan(c, i, error);
	most = info->max_width;
	free(info);
	if (least == 0)
		return refuse(c, i, "it matches where nothing is");
	if (most > SET_SPAN_MAX - more)
		return refuse(c, i,
		    "what it matches, with its assertions, is not bounded by"
		    " 4096 bytes; write {0,n} for * and +");
	c->records[i].span = most + more;
	return 0;
}

static uint32_t
put(struct compiling *c, const void *p, size_t n)
{
	size_t at = c->out->n - c->from;

	if (buf_append(c->out, (struct bytes){ p, n }) < 0 ||
	    c->out->n - c->from > UINT32_MAX) {
		c->full = true;
		return 0;
	}
	return (uint32_t)at;
}

/* Every array in the file stands at a multiple of eight. */
static struct set_part
put_array(struct compiling *c, const void *p, size_t n, size_t size)
{
	static const uint8_t zeroes[8];
	struct set_part part = { .n = (uint32_t)n };

	put(c, zeroes, (8 - (c->out->n - c->from) % 8) % 8);
	part.at = put(c, p, size_mul(n, size));
	return part;
}

static int
judge(struct compiling *c, size_t i)
{
	struct set_pattern *p = &c->patterns[i];
	struct bytes text = bytes_of(p->text);
	char *folded;
	struct set_record *r = &c->records[i];
	const char *why = NULL;
	struct err e = { 0 };
	pcre2_code *code;

	if (text.n == 0 || text.n > SET_PATTERN_MAX)
		return refuse(c, i, "it has no byte, or more than 1024");
	if (!utf8_is_valid(text))
		return refuse(c, i, "it is not UTF-8");
	if (c->kind == SET_TEXT) {
		folded = arena_string(&c->arena, text);
		utf8_fold_text(folded);
		p->text = folded;
		text = bytes_of(folded);
	}
	code = set_pcre2(c->kind, text, p->flags, SET_CODE_PLAIN, &e);
	if (code == NULL)
		return refuse(c, i, e.text);
	if (c->kind == SET_TEXT && (p->flags & SET_PHRASE) == 0)
		why = why_not_text(p->text, code);
	pcre2_code_free(code);
	if (why != NULL)
		return refuse(c, i, why);
	r->weight = p->weight;
	r->flags = p->flags;
	r->name_at = put(c, p->name, strlen(p->name) + 1);
	r->text_at = put(c, p->text, text.n + 1);
	r->text_n = (uint32_t)text.n;
	return 0;
}

static const char *
expression_of(struct compiling *c, size_t i)
{
	const struct set_pattern *p = &c->patterns[i];

	return (p->flags & SET_PHRASE) != 0
	    ? quote(&c->arena, bytes_of(p->text))
	    : p->text;
}

static void
expressions_init(struct arena *a, struct expressions *x, size_t n)
{
	x->texts = ARENA_ARRAY(a, const char *, n + 1);
	x->flags = ARENA_ARRAY(a, unsigned, n + 1);
	x->ids = ARENA_ARRAY(a, unsigned, n + 1);
	x->sizes = ARENA_ARRAY(a, size_t, n + 1);
}

static void
put_db(struct compiling *c, hs_database_t *db, struct set_part *part)
{
	char *bytes = NULL;
	size_t n = 0;

	must(hs_serialize_database(db, &bytes, &n) == HS_SUCCESS);
	part->at = put(c, bytes, n);
	part->n = (uint32_t)n;
	free(bytes);
	hs_free_database(db);
}

static int
put_expressions(
    struct compiling *c, const struct expressions *x, struct set_part *part)
{
	unsigned mode = c->kind == SET_TEXT ? HS_MODE_STREAM : HS_MODE_BLOCK;
	hs_compile_error_t *error = NULL;
	hs_database_t *db = NULL;

	if (x->n == 0)
		return 0;
	if (hs_compile_multi(x->texts, x->flags, x->ids, (unsigned)x->n, mode,
		NULL, &db, &error) == HS_SUCCESS) {
		put_db(c, db, part);
		return 0;
	}
	if (error->expression >= 0)
		return refuse_scan(c, x->ids[error->expression], error);
	err_set(c->e, "the set cannot be compiled: %s", error->message);
	hs_free_compile_error(error);
	return -1;
}

static int
compile_text(struct compiling *c)
{
	struct expressions x = { .n = c->n };
	int result = 0;

	expressions_init(&c->arena, &x, c->n);
	for (size_t i = 0; i < c->n; i++) {
		x.texts[i] = expression_of(c, i);
		x.flags[i] = scan_flags(c, i);
		x.ids[i] = (unsigned)i;
		if (err_take(&result, measure(c, i, x.texts[i]), c->e) < 0)
			return -1;
	}
	return result < 0 ? -1 : put_expressions(c, &x, &c->head.db);
}

/* URLs: literals of all patterns, those that share one together. */

struct wish {
	struct bytes literal;
	uint32_t pattern;
	bool caseless;
};

static int
compare_wishes(const void *a, const void *b)
{
	const struct wish *x = a;
	const struct wish *y = b;
	size_t n = x->literal.n < y->literal.n ? x->literal.n : y->literal.n;
	int order = memcmp(x->literal.p, y->literal.p, n);

	if (order != 0)
		return order;
	if (x->literal.n != y->literal.n)
		return x->literal.n < y->literal.n ? -1 : 1;
	if (x->caseless != y->caseless)
		return x->caseless ? 1 : -1;
	return x->pattern < y->pattern ? -1 : x->pattern > y->pattern;
}

static bool
same_wish(const struct wish *a, const struct wish *b)
{
	return a->caseless == b->caseless &&
	    bytes_equal(a->literal, b->literal);
}

static int
put_literals(struct compiling *c, struct wish *wishes, size_t n)
{
	struct set_literal *literals =
	    ARENA_ARRAY(&c->arena, struct set_literal, n + 1);
	uint32_t *wanted = ARENA_ARRAY(&c->arena, uint32_t, n + 1);
	hs_compile_error_t *error = NULL;
	hs_database_t *db = NULL;
	struct expressions x = { .n = 0 };

	expressions_init(&c->arena, &x, n);
	qsort(wishes, n, sizeof(*wishes), compare_wishes);
	for (size_t i = 0; i < n; i++) {
		wanted[i] = wishes[i].pattern;
		if (i > 0 && same_wish(&wishes[i], &wishes[i - 1])) {
			literals[x.n - 1].count++;
			continue;
		}
		literals[x.n] = (struct set_literal){ (uint32_t)i, 1 };
		x.texts[x.n] = (const char *)wishes[i].literal.p;
		x.sizes[x.n] = wishes[i].literal.n;
		x.flags[x.n] = HS_FLAG_SINGLEMATCH |
		    (wishes[i].caseless ? HS_FLAG_CASELESS : 0u);
		x.ids[x.n] = (unsigned)x.n;
		x.n++;
	}
	c->head.literals = put_array(c, literals, x.n, sizeof(*literals));
	c->head.wanted = put_array(c, wanted, n, sizeof(*wanted));
	if (x.n == 0)
		return 0;
	if (hs_compile_lit_multi(x.texts, x.flags, x.ids, x.sizes,
		(unsigned)x.n, HS_MODE_BLOCK, NULL, &db,
		&error) != HS_SUCCESS) {
		err_set(c->e, "the set cannot be compiled: %s", error->message);
		hs_free_compile_error(error);
		return -1;
	}
	put_db(c, db, &c->head.literals_db);
	return 0;
}

static void
wish(struct compiling *c, size_t i, struct wish **wishes, size_t *n)
{
	const struct set_pattern *p = &c->patterns[i];
	struct literals l = { .n = 1 };

	l.list[0] = bytes_of(p->text);
	if ((p->flags & SET_PHRASE) == 0)
		literals_of(bytes_of(p->text), &c->arena, &l);
	if (l.list[0].n < LITERAL_LEAST)
		l.n = 0;
	for (size_t k = 0; k < l.n; k++)
		(*wishes)[(*n)++] = (struct wish){ l.list[k], (uint32_t)i,
			(p->flags & SET_CASELESS) != 0 };
}

/* Whether Vectorscan takes it at all. */
static bool
is_scannable(struct compiling *c, size_t i, const char *expression)
{
	hs_compile_error_t *error = NULL;
	hs_database_t *db = NULL;

	if (hs_compile(expression, scan_flags(c, i), HS_MODE_BLOCK, NULL, &db,
		&error) == HS_SUCCESS) {
		hs_free_database(db);
		return true;
	}
	hs_free_compile_error(error);
	return false;
}

static int
compile_urls(struct compiling *c)
{
	struct wish *wishes = ARENA_ARRAY(
	    &c->arena, struct wish, size_add(c->n, 1) * LITERALS_MAX);
	uint32_t *always = ARENA_ARRAY(&c->arena, uint32_t, c->n + 1);
	struct expressions x = { .n = 0 };
	size_t always_n = 0;
	size_t n = 0;

	expressions_init(&c->arena, &x, c->n);
	for (size_t i = 0; i < c->n; i++) {
		const char *expression = expression_of(c, i);
		size_t before = n;

		wish(c, i, &wishes, &n);
		if (n > before)
			continue;
		if (!is_scannable(c, i, expression)) {
			always[always_n++] = (uint32_t)i;
			continue;
		}
		x.texts[x.n] = expression;
		x.flags[x.n] = scan_flags(c, i);
		x.ids[x.n++] = (unsigned)i;
	}
	c->head.always = put_array(c, always, always_n, sizeof(*always));
	return put_literals(c, wishes, n) < 0
	    ? -1
	    : put_expressions(c, &x, &c->head.db);
}

static int
finish(struct compiling *c)
{
	uint8_t *file;

	c->head.records = put_array(c, c->records, c->n, sizeof(*c->records));
	if (c->full)
		return err_set(c->e, "the compiled set is over its limit");
	c->head.size = (uint32_t)(c->out->n - c->from);
	memcpy(c->head.magic, SET_MAGIC, sizeof(c->head.magic));
	c->head.kind = c->kind;
	file = c->out->p + c->from;
	memcpy(file, &c->head, sizeof(c->head));
	SHA256(file + sizeof(c->head.sum), c->head.size - sizeof(c->head.sum),
	    file);
	return 0;
}

static int
judge_all(struct compiling *c)
{
	int result = 0;

	for (size_t i = 0; i < c->n; i++)
		if (err_take(&result, judge(c, i), c->e) < 0)
			return -1;
	return result;
}

int
set_compile(enum set_kind kind, const struct set_pattern *patterns, size_t n,
    struct buf *out, struct err *e)
{
	struct compiling c = {
		.kind = kind,
		.n = n,
		.out = out,
		.from = out->n,
		.e = e,
	};
	int result = -1;

	e->text[0] = '\0';
	if (n == 0 || n > SET_PATTERNS_MAX)
		return err_set(e, "a set has 1 to 100000 patterns");
	c.patterns = ARENA_ARRAY(&c.arena, struct set_pattern, n);
	memcpy(c.patterns, patterns, n * sizeof(*patterns));
	c.records = ARENA_ARRAY(&c.arena, struct set_record, n);
	put(&c, &c.head, sizeof(c.head));
	if (judge_all(&c) == 0 &&
	    (kind == SET_TEXT ? compile_text(&c) : compile_urls(&c)) == 0)
		result = finish(&c);
	if (result < 0)
		out->n = c.from;
	arena_release(&c.arena);
	return result;
}
