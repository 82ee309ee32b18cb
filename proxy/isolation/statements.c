/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/statements.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/file.h"

EVP_PKEY **
auditors_load(const char *const *paths, size_t n, struct err *e)
{
	EVP_PKEY **keys = calloc(n + 1, sizeof(*keys));

	must(keys != NULL);
	for (size_t i = 0; i < n; i++) {
		keys[i] = signature_public_key(paths[i], e);
		if (keys[i] == NULL) {
			auditors_free(keys, i);
			return NULL;
		}
	}
	return keys;
}

void
auditors_free(EVP_PKEY **keys, size_t n)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		EVP_PKEY_free(keys[i]);
	free(keys);
}

/* Reads and parses one file; its text is in a. */
static int
read_one(const char *folder, const char *file, struct statement *out,
    struct bytes *text_out, struct arena *a, struct err *e)
{
	struct buf text;
	struct err why = { 0 };
	int result;

	buf_init(&text, STATEMENT_SIZE_MAX);
	result = file_read(arena_printf(a, "%s/%s", folder, file), &text, e);
	if (result == 0) {
		*text_out = arena_copy(a, buf_bytes(&text));
		result = statement_parse(out, *text_out, a, &why);
		if (result < 0)
			err_set(e, "%.400s", why.text);
	}
	buf_release(&text);
	return result;
}

static void
note_other(struct statements *s, struct held *h, const char *file,
    enum statement_use use)
{
	/* What was refused for a later reason says more. */
	if (h->other_file != NULL && h->other_use > use)
		return;
	h->other_use = use;
	h->other_file = arena_string(&s->arena, bytes_of(file));
}

static void
take_one(struct statements *s, const char *folder, const char *file,
    const struct statements_question *q)
{
	struct statement *one = ARENA_NEW(&s->arena, struct statement);
	const struct system *system;
	enum statement_use use;
	struct err e = { 0 };
	struct bytes text = { 0 };
	struct held *h;

	if (read_one(folder, file, one, &text, &s->arena, &e) < 0) {
		q->refused(q->owner, file, e.text);
		return;
	}
	system = isolation_system(q->model, bytes_of(one->system_name));
	if (system == NULL)
		return; /* a system that is not there any more */
	h = &s->held[system->index];
	use = statement_use_of(
	    one, system, q->suspended(q->owner, system), q->now);
	if (use != STATEMENT_COUNTS) {
		note_other(s, h, file, use);
		return;
	}
	if (h->statement != NULL && !statement_is_newer(one, h->statement))
		return;
	if (!statement_holds(one, text, q->auditors, q->auditors_n)) {
		q->refused(q->owner, file, "no auditor's key signed it");
		return;
	}
	h->statement = one;
	h->file = arena_string(&s->arena, bytes_of(file));
}

static int
is_statement(const struct dirent *d)
{
	const struct bytes name = bytes_of(d->d_name);

	return d->d_name[0] != '.' &&
	    bytes_end_with(name, BYTES(STATEMENT_SUFFIX));
}

int
statements_load(struct statements *s, const char *folder,
    const struct statements_question *q, struct err *e)
{
	struct dirent **names = NULL;
	int n, result = 0;

	*s = (struct statements){ .held_n = q->model->systems_n };
	s->held = ARENA_ARRAY(&s->arena, struct held, s->held_n + 1);
	if (folder[0] == '\0' || s->held_n == 0)
		return 0;
	n = scandir(folder, &names, is_statement, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 : err_set(e, "%s: %m", folder);
	if (n > STATEMENTS_MAX)
		result = err_set(
		    e, "%s: more than %d statements", folder, STATEMENTS_MAX);
	for (int i = 0; i < n; i++) {
		if (result == 0)
			take_one(s, folder, names[i]->d_name, q);
		free(names[i]);
	}
	free(names);
	return result;
}

void
statements_release(struct statements *s)
{
	arena_release(&s->arena);
	*s = (struct statements){ 0 };
}

static int
judge(const struct statement *one, const struct system *system,
    const struct statements_question *q, struct err *e)
{
	switch (statement_use_of(
	    one, system, q->suspended(q->owner, system), q->now)) {
	case STATEMENT_OTHER:
		return err_set(e,
		    "it is of another system, or of what this one was before"
		    " its entry was changed");
	case STATEMENT_OLD:
		return err_set(e,
		    "it was signed before the suspension, expected a new one");
	case STATEMENT_FUTURE:
		return err_set(e, "it was signed at a time that is not yet");
	case STATEMENT_COUNTS:
		break;
	}
	if (q->now >= one->until)
		return err_set(e, "it is over");
	return q->now < one->from ? err_set(e, "it has not begun") : 0;
}

int
statements_judge(const char *folder, const char *file,
    const struct system *system, const struct statements_question *q,
    struct err *e)
{
	const struct bytes name = bytes_of(file);
	struct arena a = { 0 };
	struct statement one = { 0 };
	struct bytes text = { 0 };
	int result = -1;

	if (folder[0] == '\0' || file[0] == '.' ||
	    bytes_index(name, '/') >= 0 ||
	    !bytes_end_with(name, BYTES(STATEMENT_SUFFIX)))
		return err_set(e, "expected the name of a file *%s in %s",
		    STATEMENT_SUFFIX, folder);
	if (read_one(folder, file, &one, &text, &a, e) < 0)
		goto release;
	if (!statement_holds(&one, text, q->auditors, q->auditors_n))
		err_set(e, "no auditor's key signed it");
	else
		result = judge(&one, system, q, e);
release:
	arena_release(&a);
	return result;
}
