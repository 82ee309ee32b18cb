/* SPDX-License-Identifier: Apache-2.0 */
/* writer: a ZIP file of which no byte depends on anything but its entries. */

#include <libdeflate.h>

#include "filters/package/zip.h"

#define DATE 0x0021 /* 1 January 1980, midnight: the first that there is */
#define VERSION 20  /* deflated, folders */
#define ATTRIBUTE_FOLDER 0x10

struct package_writer {
	struct buf body;      /* local headers and data */
	struct buf directory; /* central headers */
	size_t n;
};

struct package_writer *
package_writer_new(void)
{
	struct package_writer *w = calloc(1, sizeof(*w));

	must(w != NULL);
	return w;
}

void
package_writer_free(struct package_writer *w)
{
	if (w == NULL)
		return;
	buf_release(&w->body);
	buf_release(&w->directory);
	free(w);
}

static uint8_t *
put_16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	return p + 2;
}

static uint8_t *
put_32(uint8_t *p, size_t v)
{
	return put_16(put_16(p, v & 0xffff), v >> 16);
}

/* libdeflate's. */
static const int levels[] = {
	[PACKAGE_DEFLATED] = 1,
	[PACKAGE_SQUEEZED] = 6,
};

/* One for all entries: its tables are larger than most of these. It ends with
 * the job's process. */
static struct libdeflate_compressor *
deflater(enum package_method m)
{
	static struct libdeflate_compressor *z[COUNT(levels)];

	if (z[m] == NULL)
		z[m] = libdeflate_alloc_compressor(levels[m]);
	must(z[m] != NULL);
	return z[m];
}

/* Deflates into *out, or tells that it does not get smaller. */
static bool
deflate_all(struct bytes in, enum package_method m, struct buf *out)
{
	buf_init(out, in.n);
	if (in.n == 0)
		return false;
	must(buf_reserve(out, in.n) == 0);
	out->n = libdeflate_deflate_compress(
	    deflater(m), in.p, in.n, out->p, in.n - 1);
	return out->n > 0;
}

struct entry {
	struct bytes name, content, packed;
	unsigned method;
	uint32_t crc;
};

/* What both headers have, from the version needed to the length of the name
 * (4.4). */
static uint8_t *
put_common(uint8_t *p, const struct entry *e)
{
	bool ascii = true;

	for (size_t i = 0; i < e->name.n; i++)
		ascii = ascii && e->name.p[i] < 0x80;
	p = put_16(p, VERSION);
	p = put_16(p, ascii ? 0 : ZIP_FLAG_UTF8);
	p = put_16(p, e->method);
	p = put_16(p, 0);
	p = put_16(p, DATE);
	p = put_32(p, e->crc);
	p = put_32(p, e->packed.n);
	p = put_32(p, e->content.n);
	return put_16(p, e->name.n);
}

static int
write_entry(struct package_writer *w, const struct entry *e)
{
	bool folder = bytes_end_with(e->name, BYTES("/"));
	uint8_t local[ZIP_LOCAL_SIZE], central[ZIP_CENTRAL_SIZE];
	uint8_t *p;

	put_16(put_common(put_32(local, ZIP_LOCAL), e), 0);
	p = put_16(put_32(central, ZIP_CENTRAL), VERSION);
	p = put_common(p, e);
	p = put_32(p, 0); /* extra, comment */
	p = put_32(p, 0); /* volume, inner attributes */
	p = put_32(p, folder ? ATTRIBUTE_FOLDER : 0);
	put_32(p, w->body.n);
	if (buf_append(&w->directory,
		(struct bytes){ central, sizeof(central) }) < 0 ||
	    buf_append(&w->directory, e->name) < 0 ||
	    buf_append(&w->body, (struct bytes){ local, sizeof(local) }) < 0 ||
	    buf_append(&w->body, e->name) < 0 ||
	    buf_append(&w->body, e->packed) < 0)
		return -1;
	w->n++;
	return 0;
}

enum detox_result
package_add(struct detox *d, struct package_writer *w, const char *name,
    struct bytes content, enum package_method m)
{
	struct entry e = { .name = bytes_of(name),
		.content = content,
		.packed = content,
		.method = ZIP_STORED,
		.crc = libdeflate_crc32(0, content.p, content.n) };
	uint64_t max = d->profile->out_max;
	struct buf packed = { 0 };
	int result;

	if (w->n == UINT16_MAX - 1)
		return detox_refuse(
		    d, REFUSED_ENTRIES, "more entries than a ZIP file has");
	w->body.max = w->directory.max =
	    max < INT32_MAX ? (size_t)max : INT32_MAX;
	if (e.name.n == 0 || e.name.n > UINT16_MAX || content.n > w->body.max)
		return detox_refuse(d, REFUSED_SIZE, "an entry is too large");
	if (m != PACKAGE_STORED && deflate_all(content, m, &packed)) {
		e.packed = buf_bytes(&packed);
		e.method = ZIP_DEFLATED;
	}
	result = write_entry(w, &e);
	buf_release(&packed);
	if (result < 0)
		return detox_refuse(d, REFUSED_SIZE,
		    "more than %zu bytes come out", w->body.max);
	return DETOX_REBUILT;
}

enum detox_result
package_finish(
    struct detox *d, struct package_writer *w, struct detox_output *out)
{
	uint8_t end[ZIP_END_SIZE] = { 0 };
	uint8_t *p = put_32(put_32(end, ZIP_END), 0);

	p = put_16(put_16(p, w->n), w->n);
	p = put_32(p, w->directory.n);
	put_32(p, w->body.n);
	if (detox_put(d, out, buf_bytes(&w->body)) == DETOX_REFUSED ||
	    detox_put(d, out, buf_bytes(&w->directory)) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return detox_put(d, out, (struct bytes){ end, sizeof(end) });
}
