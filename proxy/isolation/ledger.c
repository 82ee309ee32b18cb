/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "filters/text/utf8.h"
#include "proxy/base/file.h"

#define SIZE_MOST ((size_t)1 << 30)
#define CHAIN_N 64    /* hexadecimal digits */
#define LOCK_TRIES 20 /* who was killed may hold it for a moment */
#define LOCK_WAIT_NS 50000000
#define CLOCK_TEXT_MAX (24 + LEDGER_HEAD_N)
#define PROBE_LINE_MAX ((size_t)(2 * MODEL_DIGEST_N + 24))

struct ledger {
	int fd;
	off_t size; /* what is whole */
	char chain[CHAIN_N + 1];
};

static const char *const kinds[LEDGER_KINDS] = {
	[LEDGER_NONE] = "",
	[LEDGER_SUSPENDED] = "suspended",
	[LEDGER_RESTORED] = "restored",
	[LEDGER_INCIDENT] = "incident",
	[LEDGER_QUIET] = "quiet",
	[LEDGER_DAMAGED] = "damaged",
	[LEDGER_CLOCK] = "clock",
};

static void
to_hex(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

/* The chain goes on from the one before over these words. */
static void
next_chain(
    const char before[CHAIN_N + 1], struct bytes words, char out[CHAIN_N + 1])
{
	uint8_t digest[CHAIN_N / 2];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, before, CHAIN_N) == 1 &&
	    EVP_DigestUpdate(ctx, words.p, words.n) == 1 &&
	    EVP_DigestFinal_ex(ctx, digest, NULL) == 1);
	EVP_MD_CTX_free(ctx);
	to_hex(digest, sizeof(digest), out);
}

static void
first_chain(char out[CHAIN_N + 1])
{
	memset(out, '0', CHAIN_N);
	out[CHAIN_N] = '\0';
}

/* Reading. */

/* 0, or -1: no record of ours. */
static int
read_record(const json_t *j, struct ledger_record *r)
{
	const char *kind = "", *digest = "";
	json_int_t at = 0, incident = 0;

	if (json_unpack((json_t *)(uintptr_t)j,
		"{s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s !}", "kind", &kind,
		"at_ms", &at, "incident", &incident, "digest", &digest,
		"system", &r->system, "by", &r->by, "why", &r->why, "statement",
		&r->statement) < 0 ||
	    at < 0 || incident < 0 ||
	    bytes_unhex(bytes_of(digest), r->digest, sizeof(r->digest)) < 0)
		return -1;
	r->at_ms = (uint64_t)at;
	r->incident = (uint64_t)incident;
	for (unsigned k = LEDGER_NONE + 1; k < LEDGER_KINDS; k++)
		if (strcmp(kinds[k], kind) == 0)
			r->kind = (enum ledger_kind)k;
	return r->kind == LEDGER_NONE ? -1 : 0;
}

static int
take_line(struct ledger *l, struct bytes line,
    void (*each)(void *owner, const struct ledger_record *r), void *owner)
{
	struct ledger_record r = { 0 };
	char chain[CHAIN_N + 1];
	struct bytes said = bytes_take(&line, CHAIN_N);
	json_t *j;
	int result;

	if (!bytes_start_with(line, BYTES(" ")))
		return -1;
	bytes_take(&line, 1);
	next_chain(l->chain, line, chain);
	if (!bytes_equal(said, bytes_of(chain)))
		return -1;
	j = json_loadb(
	    (const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	result = j == NULL ? -1 : read_record(j, &r);
	if (result == 0) {
		memcpy(l->chain, chain, sizeof(chain));
		each(owner, &r);
	}
	json_decref(j);
	return result;
}

static enum ledger_state
read_all(struct ledger *l, const char *path, struct bytes all, const char *head,
    void (*each)(void *owner, const struct ledger_record *r), void *owner,
    struct err *e)
{
	bool met = head[0] == '\0' || strcmp(l->chain, head) == 0;
	unsigned n = 1;

	for (; bytes_index(all, '\n') >= 0; n++) {
		struct bytes line = bytes_take_until(&all, '\n');

		if (take_line(l, line, each, owner) < 0) {
			err_set(
			    e, "%s:%u: is not what was written there", path, n);
			return LEDGER_WRONG;
		}
		l->size += (off_t)line.n + 1;
		met |= strcmp(l->chain, head) == 0;
	}
	if (!met) {
		err_set(e,
		    "%s:%u: lines are missing that were there when %s.clock was"
		    " written",
		    path, n, path);
		return LEDGER_WRONG;
	}
	if (all.n == 0)
		return LEDGER_WHOLE;
	err_set(e, "%s:%u: was not written to its end", path, n);
	return LEDGER_CUT;
}

static int
lock(int fd, const char *path, struct err *e)
{
	const struct timespec wait = { .tv_nsec = LOCK_WAIT_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		nanosleep(&wait, NULL);
	}
	return err_set(e, "%s: another sekishod has it", path);
}

static int
open_file(const char *path, struct err *e)
{
	int fd = open(path,
	    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0600);
	struct stat st;

	if (fd < 0)
		return err_set(e, "%s: cannot be opened: %m", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size <= SIZE_MOST && lock(fd, path, e) == 0)
		return fd;
	if (e->text[0] == '\0')
		err_set(e, "%s: expected a file of at most %zu bytes", path,
		    SIZE_MOST);
	close(fd);
	return -1;
}

/* The folder's entry of a new file, too. */
static int
sync_folder(const char *path)
{
	struct arena a = { 0 };
	char *folder = arena_string(&a, bytes_of(path));
	char *slash = strrchr(folder, '/');
	int result = -1;
	int fd;

	if (slash != NULL)
		slash[slash == folder] = '\0';
	fd = open(
	    slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		result = fsync(fd);
		close(fd);
	}
	arena_release(&a);
	return result;
}

enum ledger_state
ledger_open(const char *path, const char *head,
    void (*each)(void *owner, const struct ledger_record *r), void *owner,
    struct ledger **out, struct err *e)
{
	struct ledger *l = calloc(1, sizeof(*l));
	enum ledger_state state = LEDGER_BROKEN;
	struct buf all;

	must(l != NULL);
	buf_init(&all, SIZE_MOST);
	first_chain(l->chain);
	e->text[0] = '\0';
	l->fd = open_file(path, e);
	if (l->fd < 0 || file_read(path, &all, e) < 0)
		goto release;
	state = read_all(l, path, buf_bytes(&all), head, each, owner, e);
	if (state > LEDGER_WRONG &&
	    (ftruncate(l->fd, l->size) < 0 || fsync(l->fd) < 0 ||
		sync_folder(path) < 0)) {
		err_set(e, "%s: cannot be written: %m", path);
		state = LEDGER_BROKEN;
	}
release:
	buf_release(&all);
	*out = state > LEDGER_WRONG ? l : NULL;
	if (*out == NULL)
		ledger_close(l);
	return state;
}

void
ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

const char *
ledger_head(const struct ledger *l)
{
	return l->chain;
}

/* Writing. */

/* JSON holds nothing else than UTF-8, and a line must be had. */
static const char *
text_of(const char *text)
{
	return text == NULL ? "" : utf8_is_valid(bytes_of(text)) ? text : "?";
}

static int
put_record(
    struct buf *out, const struct ledger_record *r, char chain[CHAIN_N + 1])
{
	char digest[2 * MODEL_DIGEST_N + 1];
	json_t *j;
	char *words;
	int result = -1;

	to_hex(r->digest, sizeof(r->digest), digest);
	j = json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s}", "kind",
	    kinds[r->kind], "at_ms", (json_int_t)r->at_ms, "incident",
	    (json_int_t)r->incident, "digest", digest, "system",
	    text_of(r->system), "by", text_of(r->by), "why", text_of(r->why),
	    "statement", text_of(r->statement));
	words = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
	if (words != NULL && strlen(words) <= LEDGER_LINE_MAX) {
		next_chain(chain, bytes_of(words), chain);
		result = buf_printf(out, "%s %s\n", chain, words);
	}
	free(words);
	json_decref(j);
	return result;
}

int
ledger_append(
    struct ledger *l, const struct ledger_record *r, size_t n, struct err *e)
{
	char chain[CHAIN_N + 1];
	struct buf lines;
	int result = 0;

	memcpy(chain, l->chain, sizeof(chain));
	buf_init(&lines, size_mul(n, LEDGER_LINE_MAX + CHAIN_N + 2));
	for (size_t i = 0; i < n && result == 0; i++)
		result = put_record(&lines, &r[i], chain);
	if (result < 0) {
		err_set(e, "the register's file: a line is too long");
	} else if (file_write(l->fd, buf_bytes(&lines)) < 0 ||
	    fdatasync(l->fd) < 0) {
		result =
		    err_set(e, "the register's file cannot be written: %m");
		/* What is half there would be cut at the next start; and a
		 * line behind it would be wrong. */
		if (ftruncate(l->fd, l->size) < 0)
			err_set(e, "the register's file cannot be cut: %m");
	} else {
		memcpy(l->chain, chain, sizeof(chain));
		l->size += (off_t)lines.n;
	}
	buf_release(&lines);
	return result;
}

int
ledger_put_aside(const char *path, char *aside_out, size_t n, struct err *e)
{
	snprintf(aside_out, n, "%s.damaged-%lld", path, (long long)time(NULL));
	return rename(path, aside_out) == 0 && sync_folder(path) == 0
	    ? 0
	    : err_set(e, "%s: cannot be put aside: %m", path);
}

/* The clock. */

static const char *
clock_path(const char *path, struct arena *a)
{
	return arena_printf(a, "%s.clock", path);
}

uint64_t
ledger_clock_read(const char *path, char head_out[LEDGER_HEAD_N])
{
	struct arena a = { 0 };
	struct err e = { 0 };
	uint8_t ignored[CHAIN_N / 2];
	struct buf text;
	struct bytes rest, head;
	uint64_t ms = 0;

	head_out[0] = '\0';
	buf_init(&text, CLOCK_TEXT_MAX);
	if (file_read(clock_path(path, &a), &text, &e) == 0) {
		rest = buf_bytes(&text);
		head = bytes_take_until(&rest, '\n');
		if (bytes_number(bytes_take_until(&head, ' '),
			(uint64_t)INT64_MAX / 2, &ms) < 0)
			ms = 0;
		if (bytes_unhex(head, ignored, sizeof(ignored)) == 0)
			snprintf(head_out, LEDGER_HEAD_N, "%.*s",
			    BYTES_PRINTF(head));
	}
	buf_release(&text);
	arena_release(&a);
	return ms;
}

static int
write_new(const char *path, struct bytes text)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int result;

	if (fd < 0)
		return -1;
	result = file_write(fd, text) < 0 || fdatasync(fd) < 0 ? -1 : 0;
	close(fd);
	return result;
}

/* In its place at once, or not at all. */
static int
replace(const char *to, struct bytes text, struct err *e)
{
	struct arena a = { 0 };
	const char *fresh = arena_printf(&a, "%s.new", to);
	int result = 0;

	if (write_new(fresh, text) < 0 || rename(fresh, to) < 0 ||
	    sync_folder(to) < 0)
		result = err_set(e, "%s: cannot be written: %m", to);
	arena_release(&a);
	return result;
}

int
ledger_clock_write(
    const char *path, uint64_t now_ms, const char *head, struct err *e)
{
	struct arena a = { 0 };
	char text[CLOCK_TEXT_MAX];
	int result;

	snprintf(
	    text, sizeof(text), "%llu %s\n", (unsigned long long)now_ms, head);
	result = replace(clock_path(path, &a), bytes_of(text), e);
	arena_release(&a);
	return result;
}

/* Probes: a line "DIGEST MILLISECONDS" each. */

static const char *
probes_path(const char *path, struct arena *a)
{
	return arena_printf(a, "%s.probes", path);
}

static int
take_probe(struct bytes line, struct ledger_probe *p)
{
	const struct bytes digest = bytes_take_until(&line, ' ');

	return bytes_unhex(digest, p->digest, sizeof(p->digest)) < 0
	    ? -1
	    : bytes_number(line, INT64_MAX / 2, &p->at_ms);
}

void
ledger_probes_read(const char *path,
    void (*each)(void *owner, const struct ledger_probe *p), void *owner)
{
	struct arena a = { 0 };
	struct err e = { 0 };
	struct buf text;
	struct bytes rest;
	struct ledger_probe p;

	buf_init(&text, SYSTEMS_MAX * PROBE_LINE_MAX);
	if (file_read(probes_path(path, &a), &text, &e) == 0) {
		rest = buf_bytes(&text);
		while (bytes_index(rest, '\n') >= 0 &&
		    take_probe(bytes_take_until(&rest, '\n'), &p) == 0)
			each(owner, &p);
	}
	buf_release(&text);
	arena_release(&a);
}

int
ledger_probes_write(
    const char *path, const struct ledger_probe *p, size_t n, struct err *e)
{
	struct arena a = { 0 };
	char digest[2 * MODEL_DIGEST_N + 1];
	struct buf text;
	int result = 0;

	buf_init(&text, SYSTEMS_MAX * PROBE_LINE_MAX);
	for (size_t i = 0; i < n && result == 0; i++) {
		to_hex(p[i].digest, sizeof(p[i].digest), digest);
		result = buf_printf(
		    &text, "%s %llu\n", digest, (unsigned long long)p[i].at_ms);
	}
	result = result < 0
	    ? err_set(e, "too many probes")
	    : replace(probes_path(path, &a), buf_bytes(&text), e);
	buf_release(&text);
	arena_release(&a);
	return result;
}
