/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/set.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filters/text/file.h"
#include "filters/text/set_inside.h"
#include "proxy/base/arena.h"
#include "proxy/base/file.h"

/* A few KiB need a few thousand; what multiplies is stopped. */
#define STEPS_MAX 100000
#define STACK_FIRST (32 * 1024)
#define STACK_MAX (512 * 1024)
#define SET_FILE_MAX ((size_t)1 << 30)

pcre2_code *
set_pcre2(enum set_kind kind, struct bytes text, unsigned flags,
    enum set_code code, struct err *e)
{
	uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_USE_OFFSET_LIMIT;
	uint8_t words[256];
	PCRE2_SIZE at;
	pcre2_code *c;
	int error;

	/* A literal takes no other option but these. */
	if ((flags & SET_PHRASE) != 0)
		options = PCRE2_LITERAL | PCRE2_USE_OFFSET_LIMIT;
	else
		options |= PCRE2_NEVER_BACKSLASH_C;
	if (kind == SET_TEXT)
		options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	if ((flags & SET_CASELESS) != 0)
		options |= PCRE2_CASELESS;
	c = pcre2_compile(text.p, text.n, options, &error, &at, NULL);
	if (c == NULL) {
		if (pcre2_get_error_message(error, words, sizeof(words)) < 0)
			words[0] = '\0';
		err_set(e, "%s at byte %zu", (const char *)words, at);
		return NULL;
	}
	/* Where the machine permits no new code it is interpreted. */
	if (code == SET_CODE_JIT)
		(void)pcre2_jit_compile(c, PCRE2_JIT_COMPLETE);
	return c;
}

enum set_answer
set_confirm(
    struct set *s, size_t i, struct bytes text, size_t first, size_t last)
{
	int result;

	if (pcre2_set_offset_limit(s->context, last) != 0)
		return SET_TOO_MUCH;
	result = pcre2_match(
	    s->codes[i], text.p, text.n, first, 0, s->data, s->context);
	if (result >= 0)
		return SET_YES;
	return result == PCRE2_ERROR_NOMATCH ? SET_NO : SET_TOO_MUCH;
}

static const char *
check_head(const struct set_head *h, enum set_kind kind, struct bytes file)
{
	uint8_t sum[32];

	if (file.n < sizeof(*h) || memcmp(h->magic, SET_MAGIC, 8) != 0)
		return "it is no compiled set of this version";
	if (h->size != file.n)
		return "it is cut short";
	SHA256(file.p + sizeof(sum), file.n - sizeof(sum), sum);
	if (memcmp(sum, h->sum, sizeof(sum)) != 0)
		return "it is damaged";
	return h->kind == kind ? NULL : "it is a set of another kind";
}

/* An array of the file; NULL when it does not lie within. */
static const void *
array(const struct set *s, struct set_part part, size_t size, size_t align)
{
	if (part.at > s->file.n || part.at % align != 0 ||
	    part.n > (s->file.n - part.at) / size)
		return NULL;
	return s->file.p + part.at;
}

static const char *
read_db(struct set *s, struct set_part part, hs_database_t **db_out)
{
	const char *p = array(s, part, 1, 1);
	hs_error_t error;

	if (p == NULL)
		return "it is damaged";
	if (part.n == 0)
		return NULL;
	error = hs_deserialize_database(p, part.n, db_out);
	if (error == HS_DB_PLATFORM_ERROR)
		return "it was compiled for another processor";
	if (error != HS_SUCCESS)
		return "it was compiled by another version of Vectorscan";
	error = hs_alloc_scratch(*db_out, &s->scratch);
	must(error != HS_NOMEM);
	return error == HS_SUCCESS ? NULL
				   : "it was compiled for another processor";
}

static bool
read_record(struct set *s, size_t i, enum set_kind kind, enum set_code code)
{
	const struct set_record *r = &s->records[i];
	struct err e;

	/* The sum says that this program wrote them, once. */
	if (r->name_at >= s->file.n || r->text_at >= s->file.n ||
	    r->text_n >= s->file.n - r->text_at || r->span > SET_SPAN_MAX)
		return false;
	s->codes[i] =
	    set_pcre2(kind, (struct bytes){ s->file.p + r->text_at, r->text_n },
		r->flags, code, &e);
	if (r->span > s->span_max)
		s->span_max = r->span;
	return s->codes[i] != NULL;
}

static const char *
read_arrays(struct set *s, const struct set_head *h)
{
	s->records = array(s, h->records, sizeof(*s->records), 4);
	s->literals = array(s, h->literals, sizeof(*s->literals), 4);
	s->wanted = array(s, h->wanted, sizeof(*s->wanted), 4);
	s->always = array(s, h->always, sizeof(*s->always), 4);
	if (s->records == NULL || s->literals == NULL || s->wanted == NULL ||
	    s->always == NULL || h->records.n > SET_PATTERNS_MAX)
		return "it is damaged";
	s->literals_n = h->literals.n;
	s->wanted_n = h->wanted.n;
	s->always_n = h->always.n;
	s->codes = calloc(h->records.n, sizeof(*s->codes));
	s->tried = calloc(h->records.n / 64 + 1, sizeof(*s->tried));
	must(s->codes != NULL && s->tried != NULL);
	s->records_n = h->records.n;
	for (size_t i = 0; i < s->literals_n; i++)
		if (s->literals[i].first > s->wanted_n ||
		    s->literals[i].count > s->wanted_n - s->literals[i].first)
			return "it is damaged";
	for (size_t i = 0; i < s->wanted_n; i++)
		if (s->wanted[i] >= s->records_n)
			return "it is damaged";
	for (size_t i = 0; i < s->always_n; i++)
		if (s->always[i] >= s->records_n)
			return "it is damaged";
	return NULL;
}

static const char *
read_set(struct set *s, enum set_kind kind, enum set_code code)
{
	struct set_head h = { 0 };
	const char *why;

	memcpy(&h, s->file.p, s->file.n < sizeof(h) ? s->file.n : sizeof(h));
	why = check_head(&h, kind, s->file);
	if (why == NULL)
		why = read_arrays(s, &h);
	if (why == NULL)
		why = read_db(s, h.db, &s->db);
	if (why == NULL)
		why = read_db(s, h.literals_db, &s->literals_db);
	for (size_t i = 0; why == NULL && i < s->records_n; i++)
		if (!read_record(s, i, kind, code))
			why = "it was compiled by another version of PCRE2";
	return why;
}

static void
make_context(struct set *s, enum set_code code)
{
	s->data = pcre2_match_data_create(1, NULL);
	s->context = pcre2_match_context_create(NULL);
	must(s->data != NULL && s->context != NULL);
	pcre2_set_match_limit(s->context, STEPS_MAX);
	if (code != SET_CODE_JIT)
		return;
	s->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MAX, NULL);
	pcre2_jit_stack_assign(s->context, NULL, s->stack);
}

struct set *
set_open(
    enum set_kind kind, struct bytes file, enum set_code code, struct err *e)
{
	struct set *s = calloc(1, sizeof(*s));
	const char *why;

	must(s != NULL);
	s->file = file;
	make_context(s, code);
	why = read_set(s, kind, code);
	if (why == NULL)
		return s;
	err_set(e, "%s: compile the list again", why);
	set_free(s);
	return NULL;
}

struct set *
set_map(enum set_kind kind, const char *path, enum set_code code, struct err *e)
{
	int fd = file_open(path, SET_FILE_MAX, e);
	struct set *s = NULL;
	struct stat st;
	struct err why;
	void *p;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || st.st_size <= 0) {
		err_set(e, "%s: it is empty", path);
		goto close_fd;
	}
	/* A copy: who cuts the file short would kill whoever maps it. */
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		err_set(e, "%s: mmap: %m", path);
		goto close_fd;
	}
	if (pread(fd, p, (size_t)st.st_size, 0) != st.st_size) {
		err_set(e, "%s: it changed while it was read", path);
		munmap(p, (size_t)st.st_size);
		goto close_fd;
	}
	s = set_open(kind, (struct bytes){ p, (size_t)st.st_size }, code, &why);
	if (s == NULL) {
		err_set(e, "%s: %s", path, why.text);
		munmap(p, (size_t)st.st_size);
	} else {
		s->mapped = true;
	}
close_fd:
	close(fd);
	return s;
}

void
set_free(struct set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->records_n; i++)
		pcre2_code_free(s->codes[i]);
	free(s->codes);
	free(s->tried);
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->context);
	pcre2_jit_stack_free(s->stack);
	hs_free_scratch(s->scratch);
	hs_free_database(s->db);
	hs_free_database(s->literals_db);
	if (s->mapped)
		munmap((void *)(uintptr_t)s->file.p, s->file.n);
	free(s);
}

size_t
set_count(const struct set *s)
{
	return s->records_n;
}

const char *
set_name(const struct set *s, size_t i)
{
	return (const char *)s->file.p + s->records[i].name_at;
}

int32_t
set_weight(const struct set *s, size_t i)
{
	return s->records[i].weight;
}
