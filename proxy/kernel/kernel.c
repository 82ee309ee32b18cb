/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/kernel/kernel.h"

#include <jansson.h>
#include <nftables/libnftables.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_MAX 128

struct kernel {
	struct buf active, expected; /* texts; of the second, dormant */
	char name[64];               /* the dormant table's */
	struct holding *holding;     /* what should be there; NULL: not asked */
};

/* What a table holds: a line for each thing, sorted. */
struct holding {
	char **lines;
	size_t n, size;
};

/* libnftables. */

static struct nft_ctx *
context_new(void)
{
	struct nft_ctx *c = nft_ctx_new(NFT_CTX_DEFAULT);

	must(c != NULL);
	nft_ctx_buffer_output(c);
	nft_ctx_buffer_error(c);
	return c;
}

/* What it printed is in the context's buffer until the next call. */
static int
run(struct nft_ctx *c, const char *commands, unsigned flags, struct err *e)
{
	const char *words;

	nft_ctx_output_set_flags(c, flags);
	if (nft_run_cmd_from_buffer(c, commands) == 0)
		return 0;
	words = nft_ctx_get_error_buffer(c);
	if (words == NULL)
		words = "";
	return err_set(e, "nftables: %.*s", (int)strcspn(words, "\n"), words);
}

static int
run_alone(const char *commands, struct err *e)
{
	struct nft_ctx *c = context_new();
	int result = run(c, commands, 0, e);

	nft_ctx_free(c);
	return result;
}

/* What a command prints for people; NULL and *e. */
static char *
ask(const char *command, struct err *e)
{
	struct nft_ctx *c = context_new();
	const char *text;
	char *copy = NULL;

	if (run(c, command, NFT_CTX_OUTPUT_TERSE | NFT_CTX_OUTPUT_STATELESS,
		e) == 0) {
		text = nft_ctx_get_output_buffer(c);
		copy = strdup(text == NULL ? "" : text);
		must(copy != NULL);
	}
	nft_ctx_free(c);
	return copy;
}

/*
 * A table, as JSON. libnftables 1.0.6 uses memory that it has freed when it
 * writes one with exactly one flag ("dormant"): who calls this has seen that
 * there is none, or has set two.
 */
static json_t *
list_table(struct nft_ctx *c, const char *table, struct err *e)
{
	char command[COMMAND_MAX];
	const char *text;
	json_t *root, *all;

	snprintf(command, sizeof(command), "list table inet %s", table);
	if (run(c, command, NFT_CTX_OUTPUT_JSON, e) < 0)
		return NULL;
	text = nft_ctx_get_output_buffer(c);
	root = json_loads(text == NULL ? "" : text, 0, NULL);
	all = json_incref(json_object_get(root, "nftables"));
	json_decref(root);
	if (json_is_array(all))
		return all;
	json_decref(all);
	err_set(e, "nftables: table %s was not listed", table);
	return NULL;
}

/* Holdings. */

static struct holding *
holding_new(void)
{
	struct holding *h = calloc(1, sizeof(*h));

	must(h != NULL);
	return h;
}

static void
holding_free(struct holding *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->n; i++)
		free(h->lines[i]);
	free(h->lines);
	free(h);
}

static void hold(struct holding *h, const char *format, ...) PRINTF_LIKE(2, 3);

static void
hold(struct holding *h, const char *format, ...)
{
	va_list list;

	if (h->n == h->size) {
		h->size = h->size == 0 ? 1024 : 2 * h->size;
		h->lines = reallocarray(h->lines, h->size, sizeof(*h->lines));
		must(h->lines != NULL);
	}
	va_start(list, format);
	must(vasprintf(&h->lines[h->n++], format, list) >= 0);
	va_end(list);
}

static char *
dump(const json_t *value)
{
	char *text =
	    json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);

	must(text != NULL);
	return text;
}

/* Of an element what people write: "192.0.2.1 . 198.51.100.0/24 . tcp". */
static void
write_words(const json_t *value, char *out, size_t n)
{
	const json_t *parts = json_object_get(value, "concat");
	const json_t *prefix = json_object_get(value, "prefix");
	const json_t *range = json_object_get(value, "range");
	size_t count = json_array_size(parts == NULL ? range : parts);

	if (json_is_string(value)) {
		snprintf(out, n, "%s", json_string_value(value));
	} else if (json_is_integer(value)) {
		snprintf(out, n, "%lld", json_integer_value(value));
	} else if (prefix != NULL) {
		snprintf(out, n, "%s/%lld",
		    json_string_value(json_object_get(prefix, "addr")),
		    json_integer_value(json_object_get(prefix, "len")));
	} else if (count > 0) {
		size_t at = 0;

		for (size_t i = 0; i < count; i++) {
			if (i > 0)
				at += (size_t)snprintf(out + at, n - at, "%s",
				    parts == NULL ? "-" : " . ");
			if (at >= n)
				return;
			write_words(
			    json_array_get(parts == NULL ? range : parts, i),
			    out + at, n - at);
			at += strlen(out + at);
		}
	} else {
		char *text = dump(value);

		snprintf(out, n, "%s", text);
		free(text);
	}
}

static void
hold_elements(struct holding *h, const char *set, const json_t *elements)
{
	for (size_t i = 0; i < json_array_size(elements); i++) {
		char words[256];

		write_words(json_array_get(elements, i), words, sizeof(words));
		hold(h, "set %s: element\t%s", set, words);
	}
}

/* What differs from load to load, or by what passes, is no difference. */
static void
strip(json_t *thing)
{
	static const char *const keys[] = { "handle", "table", "packets",
		"bytes", "elem" };

	for (size_t i = 0; i < COUNT(keys); i++)
		json_object_del(thing, keys[i]);
}

/* Rules are named by their place. */
struct place_of_rule {
	char chain[64];
	unsigned nth;
};

static void
hold_thing(struct holding *h, const char *kind, json_t *thing,
    struct place_of_rule *place)
{
	const char *name = json_string_value(json_object_get(thing, "name"));
	const char *chain = json_string_value(json_object_get(thing, "chain"));
	json_t *elements = json_incref(json_object_get(thing, "elem"));
	char *text;

	/* A table's flags are looked at elsewhere. */
	if (strcmp(kind, "metainfo") == 0 || strcmp(kind, "table") == 0)
		goto release;
	strip(thing);
	text = dump(thing);
	if (chain != NULL) {
		if (strcmp(place->chain, chain) != 0)
			place->nth = 0;
		snprintf(place->chain, sizeof(place->chain), "%s", chain);
		hold(h, "chain %s: rule %u\t%s", chain, ++place->nth, text);
	} else {
		hold(h, "%s %s\t%s", kind, name == NULL ? "" : name, text);
	}
	free(text);
	/* Those are the sources that tripped, which come and go. */
	if (name != NULL && strncmp(name, "tripped", 7) != 0)
		hold_elements(h, name, elements);
release:
	json_decref(elements);
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct holding *
read_table(struct nft_ctx *c, const char *table, struct err *e)
{
	struct place_of_rule place = { 0 };
	json_t *all = list_table(c, table, e);
	struct holding *h;

	if (all == NULL)
		return NULL;
	h = holding_new();
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *object = json_array_get(all, i);
		const char *kind;
		json_t *thing;

		/* cppcheck-suppress unknownMacro */
		json_object_foreach(object, kind, thing)
		    hold_thing(h, kind, thing, &place);
	}
	json_decref(all);
	if (h->n > 0)
		qsort(h->lines, h->n, sizeof(*h->lines), compare_lines);
	return h;
}

/*
 * Asked once. The table belongs to the context's socket and goes with it, also
 * when this process ends meanwhile.
 */
static int
expect(struct kernel *k, struct err *e)
{
	struct nft_ctx *c;

	if (k->holding != NULL)
		return 0;
	c = context_new();
	if (run(c, (const char *)k->expected.p, 0, e) == 0)
		k->holding = read_table(c, k->name, e);
	nft_ctx_free(c);
	return k->holding == NULL ? -1 : 0;
}

/* Differences. */

static void tell(struct kernel_drift *d, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
tell(struct kernel_drift *d, const char *format, ...)
{
	va_list list;

	if (d->n++ >= KERNEL_TOLD_MAX)
		return;
	va_start(list, format);
	vsnprintf(d->words[d->n - 1], KERNEL_WORDS_MAX, format, list);
	va_end(list);
}

/* "set forward4: element\t192.0.2.1 . …", with its tab as a blank; of what is
 * not an element the part behind it is the kernel's, not for people. */
static void
tell_line(struct kernel_drift *d, const char *line, const char *what)
{
	int head = (int)strcspn(line, "\t");

	if (strstr(line, ": element\t") != NULL)
		tell(d, "%.*s %s %s", head, line, line + head + 1, what);
	else
		tell(d, "%.*s %s", head, line, what);
}

static bool
same_thing(const char *a, const char *b)
{
	size_t n = strcspn(a, "\t");

	return strstr(a, ": element\t") == NULL && n == strcspn(b, "\t") &&
	    memcmp(a, b, n) == 0;
}

static void
compare(const struct holding *want, const struct holding *have,
    struct kernel_drift *d)
{
	size_t i = 0;
	size_t k = 0;

	while (i < want->n || k < have->n) {
		int order = i == want->n ? 1
		    : k == have->n       ? -1
				   : strcmp(want->lines[i], have->lines[k]);

		if (order == 0) {
			i++;
			k++;
		} else if (i < want->n && k < have->n &&
		    same_thing(want->lines[i], have->lines[k])) {
			tell_line(d, want->lines[i], "differs");
			i++;
			k++;
		} else if (order < 0) {
			tell_line(d, want->lines[i++], "is missing");
		} else {
			tell_line(d, have->lines[k++], "is not ours");
		}
	}
}

/* What a flowtable carries comes by no chain "forward". */
static int
look_for_flowtables(struct kernel_drift *d, struct err *e)
{
	char *text = ask("list flowtables", e);

	if (text == NULL)
		return -1;
	d->bypassed = strstr(text, "\tflowtable ") != NULL;
	free(text);
	return 0;
}

/* Whether it is there as a table that has an effect; -1 and *e: not known. */
static int
look_for_table(struct kernel_drift *d, struct err *e)
{
	char *text = ask("list tables", e);
	bool there;

	if (text == NULL)
		return -1;
	there = strstr(text, "table inet " RULESET_TABLE "\n") != NULL;
	free(text);
	if (!there) {
		tell(d, "table inet " RULESET_TABLE " is missing");
		return 0;
	}
	text = ask("list table inet " RULESET_TABLE, e);
	if (text == NULL)
		return -1;
	/* The one that anybody can set makes it dormant. */
	if (strstr(text, "\tflags dormant") != NULL)
		tell(d, "table inet " RULESET_TABLE " is dormant");
	else if (strstr(text, "\n\tflags ") != NULL)
		tell(d, "table inet " RULESET_TABLE " has flags");
	free(text);
	return 0;
}

static enum kernel_state
compare_with_kernel(
    const struct kernel *k, struct kernel_drift *out, struct err *e)
{
	struct nft_ctx *c;
	struct holding *have;

	if (look_for_table(out, e) < 0)
		return KERNEL_UNKNOWN;
	if (out->n > 0)
		return KERNEL_DIFFERS;
	c = context_new();
	have = read_table(c, RULESET_TABLE, e);
	nft_ctx_free(c);
	if (have == NULL)
		return KERNEL_UNKNOWN;
	compare(k->holding, have, out);
	holding_free(have);
	return out->n > 0 ? KERNEL_DIFFERS : KERNEL_SAME;
}

/* The exported ones. */

static int
finish(struct buf *text, struct err *e)
{
	/* a NUL for libnftables */
	if (buf_reserve(text, 1) < 0)
		return err_set(e, "the kernel's rule set is too large");
	text->p[text->n] = '\0';
	return 0;
}

struct kernel *
kernel_new(const struct ruleset *r, struct err *e)
{
	struct kernel *k = calloc(1, sizeof(*k));

	must(k != NULL);
	snprintf(
	    k->name, sizeof(k->name), RULESET_EXPECTED "_%d", (int)getpid());
	buf_init(&k->active, RULESET_MAX);
	buf_init(&k->expected, RULESET_MAX);
	if (ruleset_write(r, RULESET_TABLE, RULESET_ACTIVE, &k->active, e) ==
		0 &&
	    ruleset_write(r, k->name, RULESET_DORMANT, &k->expected, e) == 0 &&
	    finish(&k->active, e) == 0 && finish(&k->expected, e) == 0)
		return k;
	kernel_free(k);
	return NULL;
}

void
kernel_free(struct kernel *k)
{
	if (k == NULL)
		return;
	buf_release(&k->active);
	buf_release(&k->expected);
	holding_free(k->holding);
	free(k);
}

struct bytes
kernel_text(const struct kernel *k)
{
	return buf_bytes(&k->active);
}

int
kernel_apply(struct kernel *k, struct err *e)
{
	return run_alone((const char *)k->active.p, e);
}

enum kernel_state
kernel_verify(struct kernel *k, struct kernel_drift *out, struct err *e)
{
	*out = (struct kernel_drift){ 0 };
	if (expect(k, e) < 0 || look_for_flowtables(out, e) < 0)
		return KERNEL_UNKNOWN;
	return compare_with_kernel(k, out, e);
}

int
kernel_remove(struct err *e)
{
	return run_alone("table inet " RULESET_TABLE " {}\n"
			 "delete table inet " RULESET_TABLE,
	    e);
}
