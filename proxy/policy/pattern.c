/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "proxy/policy/pattern.h"

#include <pcre2.h>

#include "proxy/base/buf.h"

/* A URL of a few KiB needs a few thousand; what multiplies is stopped. */
#define STEPS_MAX 100000
#define JIT_STACK (32 * 1024)
#define JIT_STACK_MAX (4 * 1024 * 1024)

struct pattern {
	struct pattern *next;
	pcre2_code *code;
	struct bytes text;
};

struct pattern *
pattern_new(struct bytes text, struct arena *a, struct pattern **list,
    const char **why_out)
{
	struct pattern *p = ARENA_NEW(a, struct pattern);
	uint8_t words[256];
	PCRE2_SIZE at;
	int error;

	if (text.n > PATTERN_MAX) {
		*why_out = "it has more than 1024 bytes";
		return NULL;
	}
	/* No \C and no callouts: what a URL may be is bytes, nothing else. */
	p->code = pcre2_compile(text.p, text.n,
	    PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);
	if (p->code == NULL) {
		if (pcre2_get_error_message(error, words, sizeof(words)) < 0)
			words[0] = '\0';
		*why_out =
		    arena_printf(a, "%s at byte %zu", (const char *)words, at);
		return NULL;
	}
	/* Where the machine permits no new code it is interpreted. */
	(void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
	p->text = arena_copy(a, text);
	p->next = *list;
	*list = p;
	return p;
}

struct bytes
pattern_text(const struct pattern *p)
{
	return p->text;
}

void
patterns_release(struct pattern *list)
{
	for (; list != NULL; list = list->next)
		pcre2_code_free(list->code);
}

/* One for the process: nothing of a match is kept. */
static struct {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	struct buf url;
} matching = { .url = { .max = PATTERN_URL_MAX } };

static void
begin(void)
{
	if (matching.data != NULL)
		return;
	matching.data = pcre2_match_data_create(1, NULL);
	matching.context = pcre2_match_context_create(NULL);
	must(matching.data != NULL && matching.context != NULL);
	pcre2_set_match_limit(matching.context, STEPS_MAX);
	/* Of 32 KiB, which it has unasked, groups in a long query are too much.
	 */
	matching.stack = pcre2_jit_stack_create(JIT_STACK, JIT_STACK_MAX, NULL);
	must(matching.stack != NULL);
	pcre2_jit_stack_assign(matching.context, NULL, matching.stack);
}

/* 0, or -1: too long. */
static int
write_url(const struct url *u, struct bytes path, struct buf *out)
{
	struct arena a = { 0 };
	struct bytes query = u->target;
	int result;

	bytes_take(&query, u->path.n < query.n ? u->path.n : query.n);
	out->n = 0;
	result = buf_append_string(out, scheme_name(u->scheme)) < 0 ||
		buf_append_string(out, "://") < 0 ||
		buf_append(out, url_authority(u, &a)) < 0 ||
		buf_append(out, path) < 0 || buf_append(out, query) < 0
	    ? -1
	    : 0;
	arena_release(&a);
	return result;
}

enum pattern_answer
pattern_match_text(const struct pattern *p, struct bytes text)
{
	int result;

	begin();
	result = pcre2_match(
	    p->code, text.p, text.n, 0, 0, matching.data, matching.context);
	if (result >= 0)
		return PATTERN_YES;
	return result == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_TOO_MUCH;
}

int
pattern_subject(const struct url *u, struct bytes path, struct bytes *out)
{
	if (write_url(u, path, &matching.url) < 0)
		return -1;
	*out = buf_bytes(&matching.url);
	return 0;
}

enum pattern_answer
pattern_match(const struct pattern *p, const struct url *u, struct bytes path)
{
	struct bytes subject;

	return pattern_subject(u, path, &subject) < 0
	    ? PATTERN_TOO_MUCH
	    : pattern_match_text(p, subject);
}
