/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/register.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS ((size_t)65536) /* of a half, as many again as may be used */
#define LOOKS_MAX 1000        /* a writer needs microseconds, once an hour */
#define DIGEST_WORDS (MODEL_DIGEST_N / sizeof(uint64_t))
#define SERIAL_WORDS (STANDINGS_SERIAL_N / sizeof(uint64_t))

enum row_state {
	ROW_FREE = 0, /* a search ends here */
	ROW_UNSTATED,
	ROW_SUSPENDED,
	ROW_STATED,
};

struct row {
	_Atomic uint64_t digest[DIGEST_WORDS];
	_Atomic uint64_t state; /* enum row_state */
	_Atomic uint64_t from, until, probed_until_ms;
	_Atomic uint64_t serial[SERIAL_WORDS];
};

/* In the shared memory. */
struct page {
	_Atomic uint64_t turn; /* its last bit: the half that is read */
	_Atomic uint64_t opened;
	_Atomic int64_t ahead_ms; /* the latest time, less CLOCK_BOOTTIME */
	struct row halves[2][SLOTS];
};

struct standings {
	struct page *page;
	/* The writer's: slots of each half that are not free. */
	uint32_t *used[2];
	size_t used_n[2];
};

int
standings_create(struct err *e)
{
	int fd =
	    memfd_create("sekisho-register", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_set(e, "register: memfd_create: %m");
	if (ftruncate(fd, sizeof(struct page)) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		return fd;
	err_set(e, "register: cannot be made: %m");
	close(fd);
	return -1;
}

/* This mapping was made before the seal, and no other can write. */
static int
be_the_writer(struct standings *s, int fd, struct err *e)
{
	if (madvise(s->page, sizeof(struct page), MADV_DONTFORK) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		return err_set(e, "register: cannot be sealed: %m");
	for (size_t i = 0; i < COUNT(s->used); i++) {
		s->used[i] = calloc(STANDINGS_MAX, sizeof(*s->used[i]));
		must(s->used[i] != NULL);
	}
	return 0;
}

struct standings *
standings_map(int fd, enum standings_access access, struct err *e)
{
	bool writes = access == STANDINGS_WRITE;
	struct standings *s = calloc(1, sizeof(*s));
	void *p = mmap(NULL, sizeof(struct page),
	    writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);

	must(s != NULL);
	if (p == MAP_FAILED) {
		err_set(e, "register: mmap: %m");
		free(s);
		return NULL;
	}
	s->page = p;
	if (writes && be_the_writer(s, fd, e) < 0) {
		standings_unmap(s);
		return NULL;
	}
	return s;
}

void
standings_unmap(struct standings *s)
{
	if (s == NULL)
		return;
	munmap(s->page, sizeof(struct page));
	for (size_t i = 0; i < COUNT(s->used); i++)
		free(s->used[i]);
	free(s);
}

/* Rows. */

static bool
is_of(const struct row *r, const uint64_t key[DIGEST_WORDS])
{
	uint64_t differs = 0;

	for (size_t i = 0; i < DIGEST_WORDS; i++)
		differs |=
		    atomic_load_explicit(&r->digest[i], memory_order_relaxed) ^
		    key[i];
	return differs == 0;
}

/* Its row, or the free one where it would stand; NULL: there is neither. What
 * a reader finds in a half that is being written may be anything. */
static const struct row *
find(const struct row *half, const uint8_t digest[MODEL_DIGEST_N])
{
	uint64_t key[DIGEST_WORDS];

	memcpy(key, digest, sizeof(key));
	for (size_t i = 0; i < SLOTS; i++) {
		const struct row *r = &half[(key[0] + i) % SLOTS];

		if (atomic_load(&r->state) == ROW_FREE || is_of(r, key))
			return r;
	}
	return NULL;
}

static enum standing
standing_of_row(const struct row *r, uint64_t now_ms)
{
	uint64_t now = now_ms / 1000;

	if (r == NULL)
		return STANDING_UNKNOWN;
	switch (atomic_load(&r->state)) {
	case ROW_UNSTATED:
		return STANDING_UNSTATED;
	case ROW_SUSPENDED:
		return STANDING_SUSPENDED;
	case ROW_STATED:
		break;
	default:
		return STANDING_UNKNOWN;
	}
	if (now < atomic_load(&r->from))
		return STANDING_EARLY;
	if (now >= atomic_load(&r->until))
		return STANDING_EXPIRED;
	if (now_ms >= atomic_load(&r->probed_until_ms))
		return STANDING_UNPROBED;
	return STANDING_SEPARATED;
}

enum standing
standings_at(const struct standings *s, const uint8_t digest[MODEL_DIGEST_N],
    uint64_t now_ms)
{
	const struct page *p = s->page;

	for (int i = 0; i < LOOKS_MAX; i++) {
		uint64_t turn =
		    atomic_load_explicit(&p->turn, memory_order_acquire);
		enum standing standing =
		    standing_of_row(find(p->halves[turn % 2], digest), now_ms);

		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&p->turn, memory_order_relaxed) !=
		    turn)
			continue;
		return standing == STANDING_SEPARATED &&
			atomic_load(&p->opened) == 0
		    ? STANDING_CLOSED
		    : standing;
	}
	return STANDING_UNKNOWN;
}

void
standings_serial(const struct standings *s,
    const uint8_t digest[MODEL_DIGEST_N], uint8_t out[STANDINGS_SERIAL_N])
{
	const struct page *p = s->page;
	uint64_t words[SERIAL_WORDS] = { 0 };

	for (int i = 0; i < LOOKS_MAX; i++) {
		uint64_t turn =
		    atomic_load_explicit(&p->turn, memory_order_acquire);
		const struct row *r = find(p->halves[turn % 2], digest);
		bool known = r != NULL && atomic_load(&r->state) != ROW_FREE;

		for (size_t k = 0; k < SERIAL_WORDS; k++)
			words[k] = known ? atomic_load(&r->serial[k]) : 0;
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&p->turn, memory_order_relaxed) ==
		    turn)
			break;
	}
	memcpy(out, words, sizeof(words));
}

enum standing
standings_of(const struct standings *s, const struct system *system)
{
	return standings_at(
	    s, system->digest, standings_time(s, clocks_read()));
}

const char *
standing_name(enum standing s)
{
	static const char *const names[STANDINGS] = {
		[STANDING_UNKNOWN] = "unknown",
		[STANDING_UNSTATED] = "unstated",
		[STANDING_SUSPENDED] = "suspended",
		[STANDING_EARLY] = "early",
		[STANDING_EXPIRED] = "expired",
		[STANDING_UNPROBED] = "unprobed",
		[STANDING_CLOSED] = "closed",
		[STANDING_SEPARATED] = "separated",
	};

	return names[s];
}

/* The clock. */

static int64_t
read_clock(clockid_t which)
{
	struct timespec t;

	must(clock_gettime(which, &t) == 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct clocks
clocks_read(void)
{
	return (struct clocks){
		.wall_ms = read_clock(CLOCK_REALTIME),
		.boot_ms = read_clock(CLOCK_BOOTTIME),
	};
}

uint64_t
standings_time(const struct standings *s, struct clocks c)
{
	int64_t known = c.boot_ms + atomic_load(&s->page->ahead_ms);
	int64_t now = c.wall_ms > known ? c.wall_ms : known;

	return now < 0 ? 0 : (uint64_t)now;
}

/* Writing. */

static void
clear(struct standings *s, unsigned half)
{
	for (size_t i = 0; i < s->used_n[half]; i++)
		atomic_store(
		    &s->page->halves[half][s->used[half][i]].state, ROW_FREE);
	s->used_n[half] = 0;
}

static enum row_state
row_state(enum standings_state s)
{
	switch (s) {
	case STATE_UNSTATED:
		return ROW_UNSTATED;
	case STATE_SUSPENDED:
		return ROW_SUSPENDED;
	case STATE_STATED:
		return ROW_STATED;
	}
	return ROW_FREE;
}

static void
add(struct standings *s, unsigned half, const struct standings_row *from)
{
	struct row *rows = s->page->halves[half];
	const struct row *at = find(rows, from->digest);
	uint64_t key[DIGEST_WORDS], serial[SERIAL_WORDS];
	struct row *r;

	must(at != NULL);
	if (atomic_load(&at->state) != ROW_FREE)
		return; /* one entry of two generations */
	r = &rows[at - rows];
	memcpy(key, from->digest, sizeof(key));
	for (size_t i = 0; i < DIGEST_WORDS; i++)
		atomic_store(&r->digest[i], key[i]);
	memcpy(serial, from->serial, sizeof(serial));
	for (size_t i = 0; i < SERIAL_WORDS; i++)
		atomic_store(&r->serial[i], serial[i]);
	atomic_store(&r->from, from->from);
	atomic_store(&r->until, from->until);
	atomic_store(&r->probed_until_ms, from->probed_until_ms);
	atomic_store(&r->state, row_state(from->state));
	s->used[half][s->used_n[half]++] = (uint32_t)(r - rows);
}

void
standings_publish(
    struct standings *s, const struct standings_row *rows, size_t n)
{
	uint64_t turn = atomic_load(&s->page->turn) + 1;

	must(n <= STANDINGS_MAX);
	/* Who still reads this half began two turns ago: it must not see what
	 * is written now without seeing that its turn is over. */
	atomic_thread_fence(memory_order_seq_cst);
	clear(s, turn % 2);
	for (size_t i = 0; i < n; i++)
		add(s, turn % 2, &rows[i]);
	atomic_store(&s->page->turn, turn);
}

static struct row *
row_of(struct standings *s, const uint8_t digest[MODEL_DIGEST_N])
{
	struct row *rows = s->page->halves[atomic_load(&s->page->turn) % 2];
	const struct row *at = find(rows, digest);

	return at == NULL || atomic_load(&at->state) == ROW_FREE
	    ? NULL
	    : &rows[at - rows];
}

void
standings_suspend(struct standings *s, const uint8_t digest[MODEL_DIGEST_N])
{
	struct row *r = row_of(s, digest);

	if (r != NULL)
		atomic_store(&r->state, ROW_SUSPENDED);
}

void
standings_probed(struct standings *s, const uint8_t digest[MODEL_DIGEST_N],
    uint64_t until_ms)
{
	struct row *r = row_of(s, digest);

	if (r != NULL)
		atomic_store(&r->probed_until_ms, until_ms);
}

void
standings_open(struct standings *s)
{
	atomic_store(&s->page->opened, 1);
}

void
standings_close(struct standings *s)
{
	atomic_store(&s->page->opened, 0);
}

uint64_t
standings_tick(struct standings *s, struct clocks c)
{
	int64_t ahead = atomic_load(&s->page->ahead_ms);
	int64_t behind = c.boot_ms + ahead - c.wall_ms;

	if (behind > 0)
		return (uint64_t)behind;
	atomic_store(&s->page->ahead_ms, c.wall_ms - c.boot_ms);
	return 0;
}

void
standings_set_clock(struct standings *s, struct clocks c)
{
	atomic_store(&s->page->ahead_ms, c.wall_ms - c.boot_ms);
}

void
standings_not_before(struct standings *s, uint64_t ms, struct clocks c)
{
	if (standings_time(s, c) < ms)
		atomic_store(&s->page->ahead_ms, (int64_t)ms - c.boot_ms);
}
