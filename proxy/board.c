/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/board.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

static struct board_row *own;

static const struct {
	const char *name, *words_en, *words_ja;
} rows[] = {
#define COUNTER_ROW(symbol, name, en, ja) { name, en, ja },
	COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
};

struct board *
board_new(struct err *e)
{
	struct board *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED) {
		err_set(e, "board: %m");
		return NULL;
	}
	if (getrandom(&b->key, sizeof(b->key), 0) != sizeof(b->key) ||
	    passes_init(&b->passes) < 0) {
		err_set(e, "board: no randomness: %m");
		board_free(b);
		return NULL;
	}
	return b;
}

void
board_free(struct board *b)
{
	if (b != NULL)
		munmap(b, sizeof(*b));
}

size_t
board_size(void)
{
	return sizeof(struct board);
}

void
board_row_clear(struct board_row *r)
{
	atomic_store(&r->pid, 0);
	memset(r->process, 0, sizeof(r->process));
	atomic_store(&r->generation, 0);
	atomic_store(&r->draining, 0);
	atomic_store(&r->started, 0);
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		atomic_store(&r->counters[i], 0);
	for (size_t i = 0; i < BODIES_MAX; i++)
		atomic_store(&r->bodies[i], 0);
	/* Pages that no client ever touched need no zeroes, nor memory. */
	for (size_t i = 0; i < BOARD_CLIENTS; i++)
		if (atomic_load_explicit(
			&r->clients[i], memory_order_relaxed) != 0)
			atomic_store(&r->clients[i], 0);
}

void
board_own(struct board_row *r)
{
	own = r;
}

void
counter_add(enum counter c, uint64_t n)
{
	if (own != NULL)
		atomic_fetch_add_explicit(
		    &own->counters[c], n, memory_order_relaxed);
}

void
counter_sub(enum counter c, uint64_t n)
{
	if (own != NULL)
		atomic_fetch_sub_explicit(
		    &own->counters[c], n, memory_order_relaxed);
}

uint64_t
counter_sum(const struct board *b, enum counter c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < BOARD_SLOTS; i++)
		if (atomic_load(&b->rows[i].pid) != 0)
			sum += atomic_load(&b->rows[i].counters[c]);
	return sum;
}

const char *
counter_name(enum counter c)
{
	return rows[c].name;
}

void
board_manual(FILE *out, const char *language)
{
	bool ja = strcmp(language, "ja") == 0;

	fputs(ja ? "| 名前 | 意味 |\n|---|---|\n"
		 : "| name | meaning |\n|---|---|\n",
	    out);
	for (size_t i = 0; i < COUNT(rows); i++)
		fprintf(out, "| `%s` | %s |\n", rows[i].name,
		    ja ? rows[i].words_ja : rows[i].words_en);
}

void
board_say_separation(struct board *b, struct bytes json)
{
	struct board_separation *s = &b->separation;
	uint32_t turn = atomic_load(&s->turn) + 1;

	if (json.n >= BOARD_SEPARATION_MAX)
		json.n = 0;
	if (json.n > 0)
		memcpy(s->texts[turn % 2], json.p, json.n);
	s->texts[turn % 2][json.n] = '\0';
	atomic_store(&s->turn, turn);
}

const char *
board_separation(const struct board *b)
{
	return b->separation.texts[atomic_load(&b->separation.turn) % 2];
}

/* Keyed, so that nobody can choose whose bucket to fill. */
static size_t
bucket_of(const struct board *b, const struct address *a)
{
	uint64_t halves[2];
	uint64_t h;

	memcpy(halves, a->octets, sizeof(halves));
	h = (halves[0] ^ b->key) * 0x9e3779b97f4a7c15;
	h = (h ^ h >> 32 ^ halves[1]) * 0xbf58476d1ce4e5b9;
	h = (h ^ h >> 29 ^ b->key) * 0x94d049bb133111eb;
	return (size_t)(h >> 48);
}

unsigned
board_client_connections(const struct board *b, const struct address *client)
{
	size_t bucket = bucket_of(b, client);
	unsigned sum = 0;

	for (size_t i = 0; i < BOARD_SLOTS; i++)
		if (atomic_load_explicit(
			&b->rows[i].pid, memory_order_relaxed) != 0)
			sum += atomic_load(&b->rows[i].clients[bucket]);
	return sum;
}

unsigned
board_body_connections(const struct board *b, unsigned body)
{
	unsigned sum = 0;

	for (size_t i = 0; i < BOARD_SLOTS; i++)
		if (atomic_load_explicit(
			&b->rows[i].pid, memory_order_relaxed) != 0)
			sum += atomic_load(&b->rows[i].bodies[body]);
	return sum;
}

void
board_connected(struct board *b, const struct address *client, unsigned body)
{
	if (own == NULL)
		return;
	atomic_fetch_add(&own->clients[bucket_of(b, client)], 1);
	atomic_fetch_add(&own->bodies[body], 1);
}

void
board_disconnected(struct board *b, const struct address *client, unsigned body)
{
	if (own == NULL)
		return;
	atomic_fetch_sub(&own->clients[bucket_of(b, client)], 1);
	atomic_fetch_sub(&own->bodies[body], 1);
}
