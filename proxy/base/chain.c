/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/buf.h"
#include "proxy/base/file.h"

#define HASH_N 32
#define LOCK_WAIT_MS 5
#define READ_SIZE ((size_t)65536)

#define HEAD "{\"prev\":\""
#define HEAD_N (sizeof(HEAD) - 1 + CHAIN_HEX_N - 1 + 2) /* to the comma */
#define TORN "\"event\":\"torn\",\"bytes\":"
#define TORN_HASH ",\"sha256\":\""

struct chain {
	int fd;
	const char *name;
	off_t size; /* as this writer knows it */
	char head[CHAIN_HEX_N];
	struct buf line; /* that is being written */
};

static const char zeros[] = "00000000000000000000000000000000"
			    "00000000000000000000000000000000";

static void
hash_line(struct bytes line, char out[CHAIN_HEX_N])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[HASH_N];

	must(EVP_Digest(line.p, line.n, hash, NULL, EVP_sha256(), NULL) == 1);
	for (size_t i = 0; i < HASH_N; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[CHAIN_HEX_N - 1] = '\0';
}

/* Locks of the open file: two writers of one process are two, too. */
static int
lock(int fd, short type, const char *name, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOCK_WAIT_MS * 1000000 };
	struct flock whole = { .l_type = type, .l_whence = SEEK_SET };

	for (int waited = 0; fcntl(fd, F_OFD_SETLK, &whole) < 0;
	     waited += LOCK_WAIT_MS) {
		if (errno != EAGAIN && errno != EACCES)
			return err_set(e, "%s: cannot be locked: %m", name);
		if (waited >= CHAIN_LOCK_MS)
			return err_set(e,
			    "%s: another process has it locked for too long",
			    name);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static void
unlock(int fd)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	(void)fcntl(fd, F_OFD_SETLK, &whole);
}

static int
size_of(int fd, const char *name, off_t *out, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, "%s: cannot be read: %m", name);
	*out = st.st_size;
	return 0;
}

static int
read_at(int fd, uint8_t *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		p += got;
		n -= (size_t)got;
		at += got;
	}
	return 0;
}

/*
 * Writes what is in c->line at the end. Room first, so that nobody sees half a
 * line on a disk that fills up; what was written of one all the same is our own
 * and goes again.
 */
static int
write_line(struct chain *c, struct err *e)
{
	struct bytes b = buf_bytes(&c->line);

	if (fallocate(c->fd, FALLOC_FL_KEEP_SIZE, c->size, (off_t)b.n) < 0 &&
	    errno != EOPNOTSUPP && errno != ENOSYS)
		return err_set(e, "%s: no room: %m", c->name);
	if (file_write(c->fd, b) == 0) {
		c->size += (off_t)b.n;
		return 0;
	}
	err_set(e, "%s: cannot be written: %m", c->name);
	/* Where that is not permitted it is a torn line to the next writer. */
	(void)(ftruncate(c->fd, c->size) < 0);
	return -1;
}

static bool
is_line(struct bytes b)
{
	if (b.n < HEAD_N + 2 || !bytes_start_with(b, BYTES(HEAD)) ||
	    !bytes_end_with(b, BYTES("}\n")) || b.p[HEAD_N - 2] != '"' ||
	    b.p[HEAD_N - 1] != ',')
		return false;
	for (size_t i = sizeof(HEAD) - 1; i < HEAD_N - 2; i++)
		if (byte_hex(b.p[i]) < 0 || (b.p[i] >= 'A' && b.p[i] <= 'F'))
			return false;
	for (size_t i = 0; i + 1 < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return false;
	return true;
}

/*
 * What stands behind the last whole line is no line: torn, and perhaps the mark
 * of an earlier tear with it. The mark names that last line, so that the chain
 * goes on over the piece, and the piece by its own hash.
 */
static int
mark_torn(struct chain *c, struct bytes torn, struct err *e)
{
	bool has_end = torn.p[torn.n - 1] == '\n';
	char hash[CHAIN_HEX_N];

	torn.n -= has_end;
	hash_line(torn, hash);
	c->line.n = 0;
	must(buf_printf(&c->line,
		 "%s" HEAD "%s\"," TORN "%zu" TORN_HASH "%s\"}\n",
		 has_end ? "" : "\n", c->head, torn.n, hash) == 0);
	if (write_line(c, e) < 0)
		return -1;
	hash_line((struct bytes){ c->line.p + !has_end,
		      c->line.n - (size_t)!has_end },
	    c->head);
	return chain_sync(c, e);
}

/* b is the file's end, or all of it. The last whole line in it gives the head;
 * without one, what the first line of a file names. */
static int
take_end(struct chain *c, struct bytes b, bool is_all, struct err *e)
{
	struct bytes line = { 0 };
	size_t end = b.n;

	while (end > 0) {
		size_t at = end - (b.p[end - 1] == '\n');

		while (at > 0 && b.p[at - 1] != '\n')
			at--;
		line = (struct bytes){ b.p + at, end - at };
		/* What begins before b is not known. */
		if ((at > 0 || is_all) && is_line(line))
			break;
		end = at;
	}
	if (b.n - end > CHAIN_LINE_MAX || (end == 0 && !is_all))
		return err_set(e, "%s: its last line is none of ours", c->name);
	if (end > 0)
		hash_line(line, c->head);
	return end == b.n
	    ? 0
	    : mark_torn(c, (struct bytes){ b.p + end, b.n - end }, e);
}

/* Under the lock: what another has written since. */
static int
catch_up(struct chain *c, struct err *e)
{
	/* A torn line, and the one before it with the end before that. */
	static uint8_t tail[2 * CHAIN_LINE_MAX + 1];
	struct bytes b = { .p = tail };
	off_t size = 0;

	if (size_of(c->fd, c->name, &size, e) < 0)
		return -1;
	if (size < c->size)
		return err_set(e,
		    "%s: is shorter than it was: somebody cut it, and nothing"
		    " is added to it",
		    c->name);
	if (size == c->size)
		return 0;
	c->size = size;
	b.n = size < (off_t)sizeof(tail) ? (size_t)size : sizeof(tail);
	if (read_at(c->fd, tail, b.n, size - (off_t)b.n) < 0)
		err_set(e, "%s: cannot be read: %m", c->name);
	else if (take_end(c, b, (off_t)b.n == size, e) == 0)
		return 0;
	/* It is looked at again before anything is added. */
	c->size = 0;
	return -1;
}

struct chain *
chain_open(int fd, const char *name, const char *first, struct err *e)
{
	struct chain *c = calloc(1, sizeof(*c));
	int result;

	must(c != NULL);
	c->fd = fd;
	c->name = name;
	snprintf(c->head, sizeof(c->head), "%s", first == NULL ? zeros : first);
	buf_init(&c->line, CHAIN_LINE_MAX);
	result = lock(fd, F_WRLCK, name, e);
	if (result == 0) {
		result = catch_up(c, e);
		unlock(fd);
	}
	if (result == 0)
		return c;
	chain_free(c);
	return NULL;
}

void
chain_free(struct chain *c)
{
	if (c == NULL)
		return;
	buf_release(&c->line);
	close(c->fd);
	free(c);
}

static int
append_locked(struct chain *c, struct bytes members, struct err *e)
{
	if (catch_up(c, e) < 0)
		return -1;
	c->line.n = 0;
	if (buf_printf(&c->line, HEAD "%s\",", c->head) < 0 ||
	    buf_append(&c->line, members) < 0 ||
	    buf_append(&c->line, BYTES("}\n")) < 0)
		return err_set(e, "%s: a line of %zu bytes is too long",
		    c->name, members.n);
	if (write_line(c, e) < 0)
		return -1;
	hash_line(buf_bytes(&c->line), c->head);
	return 0;
}

int
chain_append(struct chain *c, struct bytes members, char head_out[CHAIN_HEX_N],
    struct err *e)
{
	int result;

	if (lock(c->fd, F_WRLCK, c->name, e) < 0)
		return -1;
	result = append_locked(c, members, e);
	unlock(c->fd);
	memcpy(head_out, c->head, CHAIN_HEX_N);
	return result;
}

int
chain_sync(struct chain *c, struct err *e)
{
	return fdatasync(c->fd) == 0
	    ? 0
	    : err_set(e, "%s: cannot be made durable: %m", c->name);
}

const char *
chain_head(const struct chain *c)
{
	return c->head;
}

/* Looking at all of it. */

struct look {
	int fd;
	off_t at, size;
	uint8_t bytes[READ_SIZE + CHAIN_LINE_MAX];
	size_t n;    /* bytes that were read and not looked at */
	size_t from; /* where they begin */
};

/* More of the file behind what is left. 0, or -1 and errno. */
static int
fill(struct look *l)
{
	size_t n = READ_SIZE;

	memmove(l->bytes, l->bytes + l->from, l->n);
	l->from = 0;
	if ((off_t)n > l->size - l->at)
		n = (size_t)(l->size - l->at);
	errno = 0;
	if (read_at(l->fd, l->bytes + l->n, n, l->at) < 0)
		return -1;
	l->at += (off_t)n;
	l->n += n;
	return 0;
}

/* The next line, with its LF where it has one; empty: there is none, or (with
 * *long_out) it is too long. */
static int
next_line(struct look *l, struct bytes *out, bool *long_out)
{
	size_t searched = 0;

	for (;;) {
		const uint8_t *p = l->bytes + l->from;
		const uint8_t *end =
		    memchr(p + searched, '\n', l->n - searched);

		*out = (struct bytes){ p,
			end == NULL ? l->n : (size_t)(end - p) + 1 };
		*long_out = out->n > CHAIN_LINE_MAX;
		if (end != NULL || *long_out || l->at == l->size)
			break;
		searched = l->n;
		if (fill(l) < 0)
			return -1;
	}
	l->from += out->n;
	l->n -= out->n;
	return 0;
}

/* What stands between the last line that is one and the next. */
struct piece {
	struct buf bytes;
	uint64_t line, offset; /* where it begins */
};

/* Of the line before this one, which its mark takes back: a tear may leave all
 * of a line but its end. */
struct last {
	char head[CHAIN_HEX_N]; /* before it */
	size_t n;               /* without its end */
	char hash[CHAIN_HEX_N]; /* of that */
};

static bool
names(struct bytes line, const char *hash)
{
	return memcmp(line.p + sizeof(HEAD) - 1, hash, CHAIN_HEX_N - 1) == 0;
}

static bool
is_mark(struct bytes line)
{
	bytes_take(&line, HEAD_N);
	return bytes_start_with(line, BYTES(TORN));
}

/* Whether the mark is of n bytes with that hash, behind a line with that. */
static bool
marks(struct bytes line, size_t n, const char *hash, const char *head)
{
	char want[sizeof(TORN TORN_HASH) + 24 + CHAIN_HEX_N + 4];

	if (!names(line, head))
		return false;
	snprintf(want, sizeof(want), TORN "%zu" TORN_HASH "%s\"}\n", n, hash);
	bytes_take(&line, HEAD_N);
	return bytes_equal(line, bytes_of(want));
}

static enum chain_verdict
judge_mark(struct bytes line, const struct chain_report *r,
    const struct last *last, const struct piece *piece)
{
	struct bytes torn = buf_bytes(&piece->bytes);
	char hash[CHAIN_HEX_N];

	if (torn.n == 0)
		return marks(line, last->n, last->hash, last->head)
		    ? CHAIN_HOLDS
		    : CHAIN_BROKEN;
	torn.n--;
	hash_line(torn, hash);
	return marks(line, torn.n, hash, r->head) ? CHAIN_HOLDS
						  : CHAIN_MALFORMED;
}

static enum chain_verdict
judge_line(struct bytes line, const struct chain_report *r,
    const struct last *last, const struct piece *piece)
{
	if (is_mark(line))
		return judge_mark(line, r, last, piece);
	if (piece->bytes.n > 0)
		return CHAIN_MALFORMED;
	return r->first[0] == '\0' || names(line, r->head) ? CHAIN_HOLDS
							   : CHAIN_BROKEN;
}

/* The line is one, and where it should be. */
static void
accept_line(struct bytes line, struct chain_report *r, struct last *last)
{
	memcpy(last->head, r->head, sizeof(last->head));
	last->n = line.n - 1;
	hash_line((struct bytes){ line.p, line.n - 1 }, last->hash);
	if (r->first[0] == '\0') {
		memcpy(r->first, line.p + sizeof(HEAD) - 1, CHAIN_HEX_N - 1);
		/* A first line that is torn goes on from the same. */
		memcpy(last->head, r->first, sizeof(last->head));
	}
	r->torn += is_mark(line);
	hash_line(line, r->head);
}

/* A file may begin with a piece: its mark says what it goes on from. */
static void
learn_first(struct bytes line, struct chain_report *r)
{
	if (r->first[0] == '\0' && is_mark(line))
		memcpy(r->head, line.p + sizeof(HEAD) - 1, CHAIN_HEX_N - 1);
}

struct verification {
	struct chain_report *report;
	struct last last;
	struct piece piece;
	uint64_t offset; /* of the line */
};

/* Whether to go on. */
static bool
verify_line(struct verification *v, struct bytes line, bool is_long)
{
	struct chain_report *r = v->report;

	r->line = r->lines + 1;
	r->offset = v->offset;
	if (!is_long && is_line(line)) {
		learn_first(line, r);
		r->verdict = judge_line(line, r, &v->last, &v->piece);
		if (r->verdict != CHAIN_HOLDS)
			return false;
		v->piece.bytes.n = 0;
		accept_line(line, r, &v->last);
	} else {
		if (v->piece.bytes.n == 0) {
			v->piece.line = r->line;
			v->piece.offset = r->offset;
		}
		r->verdict = CHAIN_MALFORMED;
		if (buf_append(&v->piece.bytes, line) < 0)
			return false;
	}
	r->lines++;
	v->offset += line.n;
	return true;
}

static int
verify(struct look *l, const char *head, struct verification *v, struct err *e)
{
	struct chain_report *r = v->report;
	struct bytes line;
	bool is_long;

	for (;;) {
		if (next_line(l, &line, &is_long) < 0)
			return err_set(e, "cannot be read: %m");
		if (line.n == 0 || !verify_line(v, line, is_long))
			break;
		if (head != NULL && strcmp(head, r->head) == 0)
			r->head_line = r->lines;
	}
	if (v->piece.bytes.n > 0) {
		r->line = v->piece.line;
		r->offset = v->piece.offset;
		/* At the end nothing can have marked it yet. */
		r->verdict = line.n == 0 ? CHAIN_TORN : CHAIN_MALFORMED;
	} else if (line.n == 0) {
		r->line = 0;
		r->offset = 0;
		r->verdict = head != NULL && r->head_line == 0 ? CHAIN_HEADLESS
							       : CHAIN_HOLDS;
	}
	return 0;
}

int
chain_verify(int fd, const char *head, struct chain_report *out, struct err *e)
{
	struct look *l = calloc(1, sizeof(*l));
	struct verification v = { .report = out };
	int result = -1;

	must(l != NULL);
	*out = (struct chain_report){ 0 };
	buf_init(&v.piece.bytes, CHAIN_LINE_MAX);
	l->fd = fd;
	/* Not while a writer has written half a line. */
	if (lock(fd, F_RDLCK, "the file", e) == 0) {
		result = size_of(fd, "the file", &l->size, e);
		unlock(fd);
	}
	if (result == 0)
		result = verify(l, head, &v, e);
	buf_release(&v.piece.bytes);
	free(l);
	return result;
}
