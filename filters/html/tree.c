/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/tree.h"

#include <setjmp.h>
#include <stdlib.h>

#define CHUNK ((size_t)256 << 10)
#define CLASS ((size_t)16)
#define ERRORS_MAX 1000
#define SIZE_LEAST ((size_t)16 << 20)
/* Bytes of tree for one of HTML: "<p>x" needs 88. */
#define SIZE_RATIO 100

struct tree_chunk {
	struct tree_chunk *next;
};

/* Before each block; 16 bytes, so that what follows is aligned. */
struct tree_block {
	size_t size;
	struct tree_block *next;
};

static _Noreturn void
leave(struct tree *t, enum detox_refusal why)
{
	t->refusal = why;
	longjmp(*(jmp_buf *)t->end, 1);
}

/* How deep the newest node is, and whether what it is in has too many
 * attributes: <body> gathers those of all its tags. Its first bytes are a
 * string's when only its size is that of a node, and no string begins like a
 * number below 7: controls do not come so far. */
static void
judge_newest(struct tree *t)
{
	const GumboNode *n = t->newest;
	unsigned depth = 0;

	t->newest = NULL;
	if (n == NULL || n->type < GUMBO_NODE_ELEMENT ||
	    n->type > GUMBO_NODE_TEMPLATE)
		return;
	t->attributes = 0;
	for (; n != NULL && n->type != GUMBO_NODE_DOCUMENT; n = n->parent) {
		if (++depth > TREE_DEPTH_MAX)
			leave(t, REFUSED_DEPTH);
		if ((n->type == GUMBO_NODE_ELEMENT ||
			n->type == GUMBO_NODE_TEMPLATE) &&
		    n->v.element.attributes.length > TREE_ATTRIBUTES_MAX)
			leave(t, REFUSED_BROKEN);
	}
}

/* An attribute is made, then its name, then its value, empty. */
static void
judge(struct tree *t, size_t size)
{
	if (size == sizeof(GumboNode))
		judge_newest(t);
	if (size == sizeof(GumboAttribute) &&
	    ++t->attributes > TREE_ATTRIBUTES_MAX)
		leave(t, REFUSED_BROKEN);
	if (size == 1 && t->before[0] > TREE_NAME_MAX &&
	    t->before[1] == sizeof(GumboAttribute))
		leave(t, REFUSED_BROKEN);
	t->before[1] = t->before[0];
	t->before[0] = size;
}

static void *
new_chunk(struct tree *t, size_t size)
{
	struct tree_chunk *c;

	if (size > t->size_max - t->size)
		leave(t, REFUSED_MEMORY);
	c = malloc(size + CLASS);
	if (c == NULL)
		leave(t, REFUSED_MEMORY);
	t->size += size;
	c->next = t->chunks;
	t->chunks = c;
	return (uint8_t *)c + CLASS;
}

static struct tree_block *
new_block(struct tree *t, size_t size)
{
	struct tree_block *b;

	if (size > CHUNK / 4)
		return new_chunk(t, size);
	if (size > t->left) {
		t->next = new_chunk(t, CHUNK);
		t->left = CHUNK;
	}
	b = (struct tree_block *)(void *)t->next;
	t->next += size;
	t->left -= size;
	return b;
}

static void *
allocate(void *user, size_t n)
{
	struct tree *t = user;
	size_t size = n;
	struct tree_block *b;

	judge(t, n);
	if (n > t->size_max)
		leave(t, REFUSED_MEMORY);
	size = (n + CLASS - 1) / CLASS * CLASS + sizeof(*b);
	b = size / CLASS < COUNT(t->unused) ? t->unused[size / CLASS] : NULL;
	if (b != NULL)
		t->unused[size / CLASS] = b->next;
	else
		b = new_block(t, size);
	b->size = size;
	memset(b + 1, 0, size - sizeof(*b));
	if (n == sizeof(GumboNode))
		t->newest = (GumboNode *)(void *)(b + 1);
	return b + 1;
}

static void
deallocate(void *user, void *p)
{
	struct tree *t = user;
	struct tree_block *b = p;

	if (p == NULL)
		return;
	if (p == t->newest)
		t->newest = NULL;
	b--;
	if (b->size / CLASS >= COUNT(t->unused))
		return;
	b->next = t->unused[b->size / CLASS];
	t->unused[b->size / CLASS] = b;
}

static const char *
words(enum detox_refusal why)
{
	return why == REFUSED_DEPTH ? "elements are nested too deeply"
	    : why == REFUSED_MEMORY ? "its tree is too large"
				    : "an element with too many attributes";
}

enum detox_result
tree_read(struct detox *d, struct tree *t, struct bytes html)
{
	GumboOptions options = kGumboDefaultOptions;
	uint64_t size_max = SIZE_LEAST + (uint64_t)html.n * SIZE_RATIO;
	jmp_buf end;

	*t = (struct tree){ .end = &end };
	t->size_max =
	    (size_t)(size_max < d->profile->tree_max ? size_max
						     : d->profile->tree_max);
	options.allocator = allocate;
	options.deallocator = deallocate;
	options.userdata = t;
	/* Each error copies the elements around it; but what is behind the
	 * last one joins the names of an attribute that is there twice and of
	 * the next. */
	options.max_errors = ERRORS_MAX;
	if (setjmp(end) != 0)
		return detox_refuse(d, t->refusal, "%s", words(t->refusal));
	t->output =
	    gumbo_parse_with_options(&options, (const char *)html.p, html.n);
	t->end = NULL;
	return DETOX_REBUILT;
}

void
tree_release(struct tree *t)
{
	while (t->chunks != NULL) {
		struct tree_chunk *c = t->chunks;

		t->chunks = c->next;
		free(c);
	}
	*t = (struct tree){ 0 };
}
