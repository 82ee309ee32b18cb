/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/log.h"

#define SUFFIX ".spool"
#define SUFFIX_NEW ".new"
#define SUFFIX_DAMAGED ".damaged"
#define KEY_DIGITS 16
#define TRIES 8 /* names, when others sweep away what is being made */
#define VECTORS 64
#define READ_MAX ((size_t)1 << 16)

static uint64_t
page_up(uint64_t n)
{
	return (n + SEGMENT_PAGE - 1) & ~(SEGMENT_PAGE - 1);
}

/* The key at the end of a name: "…-KEY.spool". 0: it is none. */
static uint64_t
name_key(const char *name)
{
	struct bytes b = bytes_of(name);
	uint64_t key = 0;

	if (b.n >= SEGMENT_NAME_MAX || !bytes_end_with(b, BYTES(SUFFIX)) ||
	    b.n < KEY_DIGITS + sizeof(SUFFIX))
		return 0;
	b.p += b.n - (sizeof(SUFFIX) - 1) - KEY_DIGITS - 1;
	if (*b.p++ != '-')
		return 0;
	for (size_t i = 0; i < KEY_DIGITS; i++) {
		int digit = byte_hex(b.p[i]);

		if (digit < 0)
			return 0;
		key = key << 4 | (unsigned)digit;
	}
	return key;
}

bool
segment_name_is(const char *name)
{
	return name_key(name) != 0;
}

bool
segment_name_is_new(const char *name)
{
	return bytes_end_with(bytes_of(name), BYTES(SUFFIX SUFFIX_NEW));
}

/* It belongs to the open file: a process that dies lets go of it. */
static int
lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &whole);
}

static uint64_t
random_key(void)
{
	uint64_t key = 0;

	while (key == 0)
		must(getrandom(&key, sizeof(key), 0) == sizeof(key));
	return key;
}

/* Sorted by name is sorted by time. */
static void
choose_name(struct segment *g)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	g->key = random_key();
	snprintf(g->name, sizeof(g->name),
	    "%012" PRIx64 "%05x-%d-%016" PRIx64 SUFFIX, (uint64_t)now.tv_sec,
	    (unsigned)(now.tv_nsec / 1000), (int)getpid(), g->key);
}

static int
reserve(int fd, uint64_t size)
{
	if (size == 0 || fallocate(fd, 0, 0, (off_t)size) == 0)
		return 0;
	/* Where room cannot be reserved, writing finds out. */
	return errno == EOPNOTSUPP ? ftruncate(fd, (off_t)size) : -1;
}

/*
 * Under another name until it is locked: else who looks for files that nobody
 * holds could take it in between. They may sweep that name away; then another
 * is tried. 1, 0: try again, or -1 and errno.
 */
static int
make(int folder, struct segment *g, uint64_t size)
{
	char name[SEGMENT_NAME_MAX + sizeof(SUFFIX_NEW)];
	int why;

	choose_name(g);
	snprintf(name, sizeof(name), "%s" SUFFIX_NEW, g->name);
	g->fd = openat(folder, name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (g->fd < 0)
		return -1;
	if (lock(g->fd) == 0) {
		if (reserve(g->fd, size) == 0 &&
		    renameat(folder, name, folder, g->name) == 0)
			return 1;
		why = errno == ENOENT ? 0 : errno;
	} else
		why = errno == EAGAIN || errno == EACCES ? 0 : errno;
	unlinkat(folder, name, 0);
	close(g->fd);
	errno = why;
	return why == 0 ? 0 : -1;
}

struct segment *
segment_new(int folder, uint64_t size, struct err *e)
{
	struct segment *g = calloc(1, sizeof(*g));
	int made = 0;

	must(g != NULL);
	g->size = size;
	list_init(&g->mails);
	for (int i = 0; i < TRIES && made == 0; i++)
		made = make(folder, g, size);
	if (made == 1)
		return g;
	if (made == 0)
		errno = EBUSY;
	err_set(
	    e, "spool: a file of %" PRIu64 " bytes cannot be made: %m", size);
	free(g);
	return NULL;
}

struct segment *
segment_take(int folder, const char *name, struct err *e)
{
	struct segment *g;
	struct stat st;
	int fd =
	    openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	e->text[0] = '\0';
	if (fd < 0) {
		if (errno != ENOENT)
			err_set(e, "spool: %s: cannot be opened: %m", name);
		return NULL;
	}
	/* Its last owner may have removed it before it let go. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || lock(fd) < 0 ||
	    fstat(fd, &st) < 0 || st.st_nlink == 0) {
		close(fd);
		return NULL;
	}
	g = calloc(1, sizeof(*g));
	must(g != NULL);
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->fd = fd;
	g->key = name_key(name);
	g->size = (uint64_t)st.st_size;
	g->full = true;
	list_init(&g->mails);
	return g;
}

void
segment_sweep(int folder, const char *name)
{
	int fd =
	    openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return;
	if (lock(fd) == 0)
		unlinkat(folder, name, 0);
	close(fd);
}

/* What was lost in it may be worth a person's look. */
static void
put_aside(struct segment *g, int folder)
{
	char name[SEGMENT_NAME_MAX + sizeof(SUFFIX_DAMAGED)];

	snprintf(name, sizeof(name), "%s" SUFFIX_DAMAGED, g->name);
	if (renameat(folder, g->name, folder, name) == 0)
		log_say(EVENT_FAILURE, "spool: %s is damaged; it is kept as %s",
		    g->name, name);
}

void
segment_free(struct segment *g, int folder, enum segment_fate fate)
{
	if (fate == SEGMENT_GOES && g->damaged)
		put_aside(g, folder);
	else if (fate == SEGMENT_GOES)
		unlinkat(folder, g->name, 0);
	close(g->fd);
	free(g);
}

uint64_t
segment_next(const struct segment *g)
{
	return g->dirty ? g->end : page_up(g->end);
}

static int
write_at(int fd, struct iovec *v, size_t n, uint64_t *at)
{
	while (n > 0) {
		ssize_t done = pwritev(fd, v, (int)n, (off_t)*at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		*at += (uint64_t)done;
		for (; n > 0 && (size_t)done >= v->iov_len; v++, n--)
			done -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (uint8_t *)v->iov_base + done;
			v->iov_len -= (size_t)done;
		}
	}
	return 0;
}

/* writev takes what it only reads without const. */
static void
add_vector(struct iovec *v, size_t *n, struct bytes b)
{
	union {
		const uint8_t *in;
		void *out;
	} p = { .in = b.p };

	if (b.n > 0)
		v[(*n)++] = (struct iovec){ p.out, b.n };
}

static int
write_record(int fd, const uint8_t head[RECORD_HEAD],
    const struct record_text *text, uint64_t at)
{
	struct iovec v[VECTORS];
	size_t n = 0;

	add_vector(v, &n, (struct bytes){ head, RECORD_HEAD });
	add_vector(v, &n, text->about);
	add_vector(v, &n, text->note);
	for (size_t i = 0; i < text->pieces_n; i++) {
		if (n == VECTORS) {
			if (write_at(fd, v, n, &at) < 0)
				return -1;
			n = 0;
		}
		add_vector(v, &n, text->pieces[i]);
	}
	return write_at(fd, v, n, &at);
}

int
segment_append(struct segment *g, struct record *r,
    const struct record_text *text, uint64_t *at_out, struct err *e)
{
	struct record_place place = { g->key, segment_next(g) };
	uint8_t head[RECORD_HEAD];
	struct sum sum;

	record_content_sum(&sum, place);
	r->content_n = 0;
	for (size_t i = 0; i < text->pieces_n; i++) {
		sum_add(&sum, text->pieces[i]);
		r->content_n += text->pieces[i].n;
	}
	r->content_sum = sum_end(&sum);
	r->about_n = (uint32_t)text->about.n;
	r->note_n = (uint32_t)text->note.n;
	r->durable = g->durable;
	record_encode(head, r, place, text->about, text->note);
	if (write_record(g->fd, head, text, place.at) < 0) {
		/* The end stays: the next record stands over what came of this
		 * one, which is not whole and so is believed by nobody. */
		g->distrusted |= errno != ENOSPC && errno != EDQUOT;
		return err_set(e, "spool: %s: cannot be written: %m", g->name);
	}
	g->end = place.at + record_size(r);
	if (g->size < g->end)
		g->size = g->end;
	g->dirty = true;
	*at_out = place.at;
	return 0;
}

int
segment_sync(struct segment *g, struct err *e)
{
	g->dirty = false;
	if (fdatasync(g->fd) < 0) {
		g->distrusted = true;
		return err_set(
		    e, "spool: %s: cannot be forced to the disk: %m", g->name);
	}
	if (!g->distrusted)
		g->durable = g->end;
	return 0;
}

void
segment_trim(struct segment *g)
{
	if (page_up(g->end) < g->size &&
	    ftruncate(g->fd, (off_t)page_up(g->end)) == 0)
		g->size = page_up(g->end);
}

bool
segment_holds(struct segment *g, const struct segment_content *c)
{
	static uint8_t piece[READ_MAX];
	struct sum sum;

	record_content_sum(&sum, (struct record_place){ g->key, c->record_at });
	for (uint64_t done = 0; done < c->n;) {
		size_t want = c->n - done < sizeof(piece)
		    ? (size_t)(c->n - done)
		    : sizeof(piece);
		ssize_t got = pread(g->fd, piece, want, (off_t)(c->at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		sum_add(&sum, (struct bytes){ piece, (size_t)got });
		done += (uint64_t)got;
	}
	return sum_end(&sum) == c->sum;
}

int
segment_map(struct segment *g, const struct segment_content *c,
    struct bytes *out, struct err *e)
{
	uint64_t before = c->at % SEGMENT_PAGE;
	uint8_t *p;

	/* Read before it is mapped: a disk's error is one of read, and not a
	 * signal that ends the process. */
	if (!segment_holds(g, c)) {
		g->damaged = true;
		return err_set(e,
		    "spool: %s: the content at %" PRIu64 " is damaged", g->name,
		    c->at);
	}
	if (c->n == 0) {
		*out = BYTES("");
		return 0;
	}
	p = mmap(NULL, (size_t)(before + c->n), PROT_READ, MAP_SHARED, g->fd,
	    (off_t)(c->at - before));
	if (p == MAP_FAILED)
		return err_set(e,
		    "spool: %s: %" PRIu64 " bytes cannot be mapped: %m",
		    g->name, c->n);
	*out = (struct bytes){ p + before, (size_t)c->n };
	return 0;
}

void
segment_unmap(struct bytes content)
{
	size_t before = (uintptr_t)content.p % SEGMENT_PAGE;
	union {
		const uint8_t *in;
		void *out;
	} p = { .in = content.p - before };

	if (content.n > 0)
		munmap(p.out, before + content.n);
}
