/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xml/memory.h"

#include <libxml/xmlmemory.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/macros.h"

/* Bytes: the trees of some 100 KiB of XML. Only what is used takes memory. */
#define ROOM ((size_t)4 << 20)
#define UNIT ((size_t)16)
#define SMALL ((size_t)512) /* bytes of the largest piece of the room */

/* Stands before each piece. */
struct piece {
	alignas(16) size_t units;
	struct piece *next; /* of those that were given back */
};

static struct {
	alignas(16) uint8_t bytes[ROOM];
	size_t used;
	struct piece *given_back[SMALL / UNIT + 1]; /* by their units */
} room;

static bool
is_in_room(const void *p)
{
	return (const uint8_t *)p >= room.bytes &&
	    (const uint8_t *)p < room.bytes + ROOM;
}

static struct piece *
new_piece(size_t units)
{
	size_t size = sizeof(struct piece) + units * UNIT;
	struct piece *piece = (struct piece *)(room.bytes + room.used);

	if (size > ROOM - room.used)
		return NULL;
	room.used += size;
	piece->units = units;
	return piece;
}

void *
xml_memory_take(size_t n)
{
	size_t units = n == 0 ? 1 : (n + UNIT - 1) / UNIT;
	struct piece *piece;

	if (n > SMALL)
		return malloc(n);
	piece = room.given_back[units];
	if (piece != NULL)
		room.given_back[units] = piece->next;
	else
		piece = new_piece(units);
	return piece == NULL ? malloc(units * UNIT) : piece + 1;
}

void
xml_memory_give(void *p)
{
	struct piece *piece;

	if (!is_in_room(p)) {
		free(p);
		return;
	}
	piece = (struct piece *)p - 1;
	piece->next = room.given_back[piece->units];
	room.given_back[piece->units] = piece;
}

void *
xml_memory_take_more(void *p, size_t n)
{
	size_t had;
	void *other;

	if (p == NULL)
		return xml_memory_take(n);
	if (!is_in_room(p))
		return realloc(p, n);
	had = ((struct piece *)p - 1)->units * UNIT;
	if (n <= had)
		return p;
	other = xml_memory_take(n);
	if (other == NULL)
		return NULL;
	memcpy(other, p, had);
	xml_memory_give(p);
	return other;
}

#ifdef __SANITIZE_ADDRESS__
void
xml_memory_prepare(void)
{
}
#else
static char *
take_string(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = xml_memory_take(n);

	if (copy != NULL)
		memcpy(copy, s, n);
	return copy;
}

void
xml_memory_prepare(void)
{
	must(xmlMemSetup(xml_memory_give, xml_memory_take, xml_memory_take_more,
		 take_string) == 0);
}
#endif
