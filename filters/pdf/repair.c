/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/repair.h"

/* From an object's number to what it says that it is. */
#define LOOK_BACK 1024
#define HEAD_MAX 1024

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Where the last one stands; -1: nowhere. */
static ssize_t
last(struct bytes file, struct bytes what)
{
	for (size_t i = file.n; i >= what.n; i--)
		if (memcmp(file.p + i - what.n, what.p, what.n) == 0)
			return (ssize_t)(i - what.n);
	return -1;
}

/* Back over a number and the blanks before it; -1: there is none. */
static ssize_t
back_over_number(struct bytes file, ssize_t at)
{
	ssize_t end;

	while (at > 0 && file.p[at - 1] <= ' ')
		at--;
	end = at;
	while (at > 0 && end - at < 10 && is_digit(file.p[at - 1]))
		at--;
	return at < end ? at : -1;
}

/* Where the object begins ("12 0 obj") that has the word there. */
static ssize_t
object_before(struct bytes file, ssize_t word)
{
	struct bytes head = { file.p, word < 0 ? 0 : (size_t)word };
	ssize_t at;

	if (head.n > LOOK_BACK)
		bytes_take(&head, head.n - LOOK_BACK);
	at = last(head, BYTES("obj"));
	if (at < 0)
		return -1;
	at = back_over_number(file, at + (head.p - file.p));
	return at < 0 ? -1 : back_over_number(file, at);
}

/* Offsets count from there (Annex I). */
static size_t
first_byte(struct bytes file)
{
	const uint8_t *at =
	    memmem(file.p, file.n < HEAD_MAX ? file.n : HEAD_MAX, "%PDF-", 5);

	return at == NULL ? 0 : (size_t)(at - file.p);
}

static bool
append_table(struct bytes file, struct buf *out)
{
	ssize_t at = object_before(file, last(file, BYTES("/XRef")));

	return at >= (ssize_t)first_byte(file) && buf_append(out, file) == 0 &&
	    buf_printf(out, "\nstartxref\n%zu\n%%%%EOF\n",
		(size_t)at - first_byte(file)) == 0;
}

/* The library takes the first that it finds. */
static void
blot_trailers(struct buf *file)
{
	static const char word[] = "trailer";
	struct bytes rest = buf_bytes(file);
	uint8_t *at;

	while ((at = memmem(rest.p, rest.n, word, sizeof(word) - 1)) != NULL) {
		memset(at, ' ', sizeof(word) - 1);
		bytes_take(&rest, (size_t)(at - rest.p));
	}
}

/* The next number; some other when it is too large to be one. */
static size_t
take_number(struct bytes *t)
{
	size_t n = 0;

	while (t->n > 0 && !is_digit(*t->p))
		bytes_take(t, 1);
	while (t->n > 0 && is_digit(*t->p))
		n = n * 10 + (size_t)(*bytes_take(t, 1).p - '0');
	return n;
}

static bool
append_trailer(struct bytes file, struct buf *out)
{
	ssize_t at = object_before(file, last(file, BYTES("/Catalog")));
	size_t id;
	size_t generation;

	/* Without its key it cannot be read. */
	if (at < 0 || memmem(file.p, file.n, "/Encrypt", 8) != NULL ||
	    buf_append(out, file) < 0)
		return false;
	blot_trailers(out);
	bytes_take(&file, (size_t)at);
	id = take_number(&file);
	generation = take_number(&file);
	return buf_printf(out,
		   "\ntrailer <</Root %zu %zu R>>\nstartxref\n0\n%%%%EOF\n", id,
		   generation) == 0;
}

bool
pdf_repair(enum pdf_repair how, struct bytes file, struct buf *out)
{
	switch (how) {
	case PDF_REPAIR_TABLE:
		return append_table(file, out);
	case PDF_REPAIR_TRAILER:
		return append_trailer(file, out);
	case PDF_REPAIRS:
		break;
	}
	return false;
}
