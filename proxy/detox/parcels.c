/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/parcels.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct parcel {
	struct parcel *prev, *next; /* the oldest first */
	const void *owner;
	enum parcel_state state;
	uint64_t until_ms;
	uint64_t size;
	int fd;
	uint8_t key[PARCEL_KEY_N];
	size_t words_n;
	uint8_t words[];
};

struct parcels {
	struct loop *loop;
	struct parcel *first, *last;
	unsigned n;
	uint64_t bytes;
};

struct parcels *
parcels_new(struct loop *l)
{
	struct parcels *p = calloc(1, sizeof(*p));

	must(p != NULL);
	p->loop = l;
	return p;
}

static void
drop(struct parcels *p, struct parcel *one)
{
	if (one->prev != NULL)
		one->prev->next = one->next;
	else
		p->first = one->next;
	if (one->next != NULL)
		one->next->prev = one->prev;
	else
		p->last = one->prev;
	p->n--;
	p->bytes -= one->size;
	if (one->fd >= 0)
		close(one->fd);
	free(one);
}

void
parcels_free(struct parcels *p)
{
	if (p == NULL)
		return;
	while (p->first != NULL)
		drop(p, p->first);
	free(p);
}

static struct parcel *
find(struct parcels *p, struct bytes key)
{
	struct parcel *one = p->first;

	while (one != NULL &&
	    !bytes_equal((struct bytes){ one->key, PARCEL_KEY_N }, key))
		one = one->next;
	return one;
}

static void
make_room(struct parcels *p)
{
	uint64_t now = loop_now_ms(p->loop);

	while (p->first != NULL &&
	    (p->n > PARCELS_MAX || p->bytes > PARCELS_BYTES ||
		p->first->until_ms < now))
		drop(p, p->first);
}

void
parcels_keep(struct parcels *p, const void *owner, struct bytes key,
    enum parcel_state state, struct bytes words, int fd)
{
	struct parcel *one;
	struct stat st;

	if (key.n != PARCEL_KEY_N)
		goto close_fd;
	one = find(p, key);
	if (one != NULL)
		drop(p, one);
	if (state == PARCEL_UNKNOWN)
		goto close_fd;
	one = calloc(1, sizeof(*one) + words.n);
	must(one != NULL);
	*one = (struct parcel){
		.owner = owner,
		.state = state,
		.until_ms = loop_now_ms(p->loop) + PARCEL_LIFE_MS,
		.fd = fd,
		.prev = p->last,
		.words_n = words.n,
	};
	memcpy(one->key, key.p, PARCEL_KEY_N);
	if (words.n > 0)
		memcpy(one->words, words.p, words.n);
	if (fd >= 0 && fstat(fd, &st) == 0)
		one->size = (uint64_t)st.st_size;
	if (p->last != NULL)
		p->last->next = one;
	else
		p->first = one;
	p->last = one;
	p->n++;
	p->bytes += one->size;
	make_room(p);
	return;
close_fd:
	if (fd >= 0)
		close(fd);
}

void
parcels_owner_gone(struct parcels *p, const void *owner)
{
	struct parcel *next;

	for (struct parcel *one = p->first; one != NULL; one = next) {
		next = one->next;
		if (one->owner == owner && one->state == PARCEL_PENDING)
			drop(p, one);
	}
}

struct parcel_found
parcels_find(struct parcels *p, struct bytes key)
{
	const struct parcel *one;

	make_room(p);
	one = find(p, key);
	return one == NULL ? (struct parcel_found){ PARCEL_UNKNOWN, { 0 }, -1 }
			   : (struct parcel_found){ one->state,
				     { one->words, one->words_n }, one->fd };
}
