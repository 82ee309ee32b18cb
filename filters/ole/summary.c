/* SPDX-License-Identifier: Apache-2.0 */
/* summary: titles, authors and dates ([MS-OLEPS] 2.25.1), written anew. */
#include "filters/ole/le.h"
#include "filters/ole/part.h"

#define HEAD_SIZE 48 /* of the stream, with one set */
#define VALUE_I2 2
#define VALUE_I4 3
#define VALUE_STRING 30
#define VALUE_TIME 64
#define PROPERTIES_MAX 32

/* What is kept, and of which type it has to be; not the template, nor the
 * thumbnail. */
static const uint8_t types[20] = {
	[1] = VALUE_I2,     /* code page */
	[2] = VALUE_STRING, /* title */
	[3] = VALUE_STRING, /* subject */
	[4] = VALUE_STRING, /* author */
	[5] = VALUE_STRING, /* keywords */
	[6] = VALUE_STRING, /* comments */
	[8] = VALUE_STRING, /* last author */
	[9] = VALUE_STRING, /* revision */
	[11] = VALUE_TIME,  /* printed */
	[12] = VALUE_TIME,  /* created */
	[13] = VALUE_TIME,  /* saved */
	[14] = VALUE_I4,    /* pages */
	[15] = VALUE_I4,    /* words */
	[16] = VALUE_I4,    /* characters */
};

/* Bytes of a value with its type; 0: it does not fit. */
static size_t
size_of_value(const uint8_t *p, size_t n, unsigned type)
{
	size_t size;

	if (n < 8 || le32(p) != type)
		return 0;
	switch (type) {
	case VALUE_TIME:
		return n < 12 ? 0 : 12;
	case VALUE_STRING:
		size = 8 + ((size_t)le32(p + 4) + 3) / 4 * 4;
		return size > n ? 0 : size;
	default:
		return 8;
	}
}

static int
put_long(struct buf *b, uint32_t v)
{
	uint8_t p[4];

	put_le32(p, v);
	return buf_append(b, (struct bytes){ p, sizeof(p) });
}

struct set {
	uint32_t ids[PROPERTIES_MAX];
	size_t places[PROPERTIES_MAX]; /* in values */
	size_t n;
	struct buf values;
};

static void
take_properties(struct set *s, struct bytes in)
{
	size_t n = le32(in.p + 4);
	uint32_t seen = 0;

	for (size_t i = 0; i < n && i < 100 && 16 + i * 8 <= in.n; i++) {
		uint32_t id = le32(in.p + 8 + i * 8);
		uint32_t at = le32(in.p + 12 + i * 8);
		size_t size;

		if (id >= COUNT(types) || types[id] == 0 || at > in.n ||
		    (seen >> id & 1) != 0)
			continue;
		size = size_of_value(in.p + at, in.n - at, types[id]);
		if (size == 0)
			continue;
		seen |= (uint32_t)1 << id;
		s->ids[s->n] = id;
		s->places[s->n++] = s->values.n;
		if (buf_append(&s->values, (struct bytes){ in.p + at, size }) <
		    0)
			return;
	}
}

static int
write_set(const struct set *s, const uint8_t *head, struct buf *out)
{
	size_t list = 8 + s->n * 8;
	uint8_t clean[HEAD_SIZE] = { 0xfe, 0xff };

	/* The format's id, and where the set is. */
	clean[24] = 1;
	memcpy(clean + 28, head + 28, 16);
	clean[44] = HEAD_SIZE;
	if (buf_append(out, (struct bytes){ clean, sizeof(clean) }) < 0 ||
	    put_long(out, (uint32_t)(list + s->values.n)) < 0 ||
	    put_long(out, (uint32_t)s->n) < 0)
		return -1;
	for (size_t i = 0; i < s->n; i++)
		if (put_long(out, s->ids[i]) < 0 ||
		    put_long(out, (uint32_t)(list + s->places[i])) < 0)
			return -1;
	return buf_append(out, buf_bytes(&s->values));
}

void
part_summary(struct detox *d, struct cfb *c, struct buf *out)
{
	static const uint8_t format[16] = { 0xe0, 0x85, 0x9f, 0xf2, 0xf9, 0x4f,
		0x68, 0x10, 0xab, 0x91, 0x08, 0x00, 0x2b, 0x27, 0xb3, 0xd9 };
	uint32_t i = cfb_find(c, 0, "\005SummaryInformation");
	struct set s = { 0 };
	struct buf in;
	uint32_t at;

	buf_init(out, 1 << 20);
	if (!d->profile->keep_metadata || i == CFB_NO_ENTRY)
		return;
	c->entries[i].taken = true;
	buf_init(&s.values, 1 << 19);
	if (cfb_read(c, i, &in) == 0 && in.n >= HEAD_SIZE + 8 &&
	    memcmp(in.p + 28, format, sizeof(format)) == 0) {
		at = le32(in.p + 44);
		if (at <= in.n - 8)
			take_properties(
			    &s, (struct bytes){ in.p + at, in.n - at });
		if (write_set(&s, in.p, out) < 0)
			out->n = 0;
	}
	buf_release(&s.values);
	buf_release(&in);
}
