/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

/* The first page; the data follow. Positions count bytes for ever. */
struct shared {
	_Atomic uint64_t written; /* by the writer */
	_Atomic uint64_t dropped; /* by the writer */
	_Atomic uint64_t taken;   /* by the reader */
	_Atomic uint64_t told;    /* by the reader: drops it knows of */
	_Atomic uint32_t asleep;  /* by the reader; cleared by the writer */
	_Atomic uint64_t number;  /* by the writer: the last it was given */
};

struct ring {
	struct shared *shared;
	uint8_t *data; /* mapped twice in a row, so that no record wraps */
	size_t size;
	int wake_fd;
	uint64_t peeked; /* reader */
};

static uint64_t
now_in_2_20ths(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec << 20) +
	    ((uint64_t)now.tv_nsec << 20) / 1000000000;
}

int
ring_create(size_t size, struct err *e)
{
	const struct shared fresh = { .number = now_in_2_20ths() };
	size_t pages = (size + PAGE - 1) / PAGE;
	int fd = memfd_create("sekisho-ring", MFD_CLOEXEC);

	if (fd < 0)
		return err_set(e, "memfd_create: %m");
	if (ftruncate(fd, (off_t)(PAGE + pages * PAGE)) < 0 ||
	    pwrite(fd, &fresh, sizeof(fresh), 0) != sizeof(fresh)) {
		close(fd);
		return err_set(e, "ring of %zu bytes: %m", size);
	}
	return fd;
}

/* The data twice, one behind the other. */
static uint8_t *
map_twice(int fd, size_t size)
{
	const int rw = PROT_READ | PROT_WRITE;
	uint8_t *p =
	    mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mmap(p, size, rw, MAP_SHARED | MAP_FIXED, fd, PAGE) == MAP_FAILED ||
	    mmap(p + size, size, rw, MAP_SHARED | MAP_FIXED, fd, PAGE) ==
		MAP_FAILED) {
		munmap(p, 2 * size);
		return NULL;
	}
	madvise(p, 2 * size, MADV_DONTFORK);
	return p;
}

struct ring *
ring_map(int fd, int wake_fd, struct err *e)
{
	struct stat st;
	struct ring *r;

	if (fstat(fd, &st) < 0 || st.st_size < (off_t)(2 * PAGE)) {
		err_set(e, "ring: descriptor is no ring");
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	must(r != NULL);
	r->size = (size_t)st.st_size - PAGE;
	r->wake_fd = wake_fd;
	r->shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (r->shared == MAP_FAILED) {
		err_set(e, "ring: mmap: %m");
		goto free_ring;
	}
	madvise(r->shared, PAGE, MADV_DONTFORK);
	r->data = map_twice(fd, r->size);
	if (r->data == NULL) {
		err_set(e, "ring: mmap: %m");
		goto unmap_shared;
	}
	r->peeked = atomic_load(&r->shared->taken);
	return r;

unmap_shared:
	munmap(r->shared, PAGE);
free_ring:
	free(r);
	return NULL;
}

void
ring_unmap(struct ring *r)
{
	if (r == NULL)
		return;
	munmap(r->data, 2 * r->size);
	munmap(r->shared, PAGE);
	free(r);
}

static size_t
record_size(uint32_t n)
{
	return (sizeof(n) + n + 7) & ~(size_t)7;
}

/* A reader that sleeps, and once when the ring becomes half full. */
static bool
needs_waking(struct ring *r, uint64_t before, uint64_t after)
{
	if (before < r->size / 2 && after >= r->size / 2)
		return true;
	return atomic_load(&r->shared->asleep) != 0 &&
	    atomic_exchange(&r->shared->asleep, 0) != 0;
}

int
ring_put(struct ring *r, struct bytes record)
{
	uint64_t written =
	    atomic_load_explicit(&r->shared->written, memory_order_relaxed);
	uint64_t used = written - atomic_load(&r->shared->taken);
	uint32_t n = (uint32_t)record.n;
	uint8_t *at = r->data + written % r->size;
	uint64_t one = 1;

	if (record.n > RING_RECORD_MAX || used > r->size ||
	    record_size(n) > r->size - used) {
		atomic_fetch_add(&r->shared->dropped, 1);
		return -1;
	}
	memcpy(at, &n, sizeof(n));
	memcpy(at + sizeof(n), record.p, record.n);
	atomic_store(&r->shared->written, written + record_size(n));
	if (needs_waking(r, used, used + record_size(n)) && r->wake_fd >= 0)
		if (write(r->wake_fd, &one, sizeof(one)) < 0)
			return 0; /* the reader's timer finds the record */
	return 0;
}

enum ring_answer
ring_peek(struct ring *r, uint8_t out[RING_RECORD_MAX], size_t *n_out)
{
	uint64_t written = atomic_load(&r->shared->written);
	uint64_t ready = written - r->peeked;
	const uint8_t *at = r->data + r->peeked % r->size;
	uint32_t n;

	if (ready == 0)
		return RING_EMPTY;
	if (ready > r->size || ready < sizeof(n))
		goto broken;
	memcpy(&n, at, sizeof(n));
	if (n > RING_RECORD_MAX || record_size(n) > ready)
		goto broken;
	memcpy(out, at + sizeof(n), n);
	*n_out = n;
	r->peeked += record_size(n);
	return RING_TAKEN;

broken:
	r->peeked = written;
	return RING_BROKEN;
}

void
ring_taken(struct ring *r)
{
	atomic_store(&r->shared->taken, r->peeked);
}

uint64_t
ring_dropped(struct ring *r)
{
	uint64_t dropped = atomic_load(&r->shared->dropped);

	return dropped - atomic_exchange(&r->shared->told, dropped);
}

uint64_t
ring_number(struct ring *r)
{
	return atomic_fetch_add(&r->shared->number, 1) + 1;
}

bool
ring_sleep(struct ring *r)
{
	atomic_store(&r->shared->asleep, 1);
	return atomic_load(&r->shared->written) == r->peeked;
}
