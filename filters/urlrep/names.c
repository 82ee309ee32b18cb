/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/names.h"

#include <stdlib.h>
#include <sys/random.h>

#include "filters/urlrep/hash.h"
#include "proxy/base/arena.h"

struct slot {
	struct bytes name; /* n 0: free */
	unsigned mark;
};

struct names {
	struct arena arena;
	struct slot *slots;
	size_t size, n;
	uint64_t seed;
};

struct names *
names_new(void)
{
	struct names *s = calloc(1, sizeof(*s));

	must(s != NULL);
	/* Without a seed names could be chosen that all meet. */
	if (getrandom(&s->seed, sizeof(s->seed), GRND_NONBLOCK) < 0)
		s->seed = (uint64_t)(uintptr_t)s;
	return s;
}

void
names_free(struct names *s)
{
	if (s == NULL)
		return;
	arena_release(&s->arena);
	free(s->slots);
	free(s);
}

static struct slot *
slot_of(const struct names *s, struct bytes name)
{
	size_t i = (size_t)hash_bytes(s->seed, name);

	for (;; i++) {
		struct slot *slot = &s->slots[i & (s->size - 1)];

		if (slot->name.n == 0 || bytes_equal(slot->name, name))
			return slot;
	}
}

static void
grow(struct names *s)
{
	struct slot *old = s->slots;
	size_t old_size = s->size;

	s->size = old_size == 0 ? 64 : old_size * 2;
	s->slots = calloc(s->size, sizeof(*s->slots));
	must(s->slots != NULL);
	for (size_t i = 0; i < old_size; i++)
		if (old[i].name.n > 0)
			*slot_of(s, old[i].name) = old[i];
	free(old);
}

void
names_add(struct names *s, struct bytes name, unsigned mark)
{
	struct slot *slot;

	if (name.n == 0)
		return;
	if (s->n * 2 >= s->size)
		grow(s);
	slot = slot_of(s, name);
	if (slot->name.n == 0) {
		slot->name = arena_copy(&s->arena, name);
		s->n++;
	}
	slot->mark |= mark;
}

unsigned
names_mark(const struct names *s, struct bytes name)
{
	return s->size == 0 || name.n == 0 ? 0 : slot_of(s, name)->mark;
}

size_t
names_count(const struct names *s)
{
	return s->n;
}
