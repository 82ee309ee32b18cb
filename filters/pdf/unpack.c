/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/unpack.h"

#include <zlib.h>

#include "filters/pdf/syntax.h"

/* Flate makes at most so many bytes of one. */
#define FLATE_RATIO_MAX 1032
/* Readers take of a picture what it has pixels for, row by row: only one that
 * is very large is looked at. */
#define SMALL_PICTURE ((size_t)8 << 20)
/* So much may be of any ratio. */
#define FREE_MAX ((uint64_t)32 << 20)
/* Of what is packed twice. */
#define BETWEEN_MAX ((size_t)64 << 20)
#define SMALL_TWICE ((size_t)4096)
#define HEADER 2 /* of zlib; what is behind it is unpacked without its sum */
#define ROOM ((size_t)256 << 10)

enum pdf_filter
pdf_filter_of(struct bytes name)
{
	static const struct {
		struct bytes name;
		enum pdf_filter kind;
	} names[] = {
		{ BYTES_ROW("FlateDecode"), PDF_FILTER_FLATE },
		{ BYTES_ROW("Fl"), PDF_FILTER_FLATE },
		{ BYTES_ROW("LZWDecode"), PDF_FILTER_LZW },
		{ BYTES_ROW("LZW"), PDF_FILTER_LZW },
		{ BYTES_ROW("RunLengthDecode"), PDF_FILTER_RUNS },
		{ BYTES_ROW("RL"), PDF_FILTER_RUNS },
		{ BYTES_ROW("ASCIIHexDecode"), PDF_FILTER_HEX },
		{ BYTES_ROW("AHx"), PDF_FILTER_HEX },
		{ BYTES_ROW("ASCII85Decode"), PDF_FILTER_BASE85 },
		{ BYTES_ROW("A85"), PDF_FILTER_BASE85 },
		{ BYTES_ROW("Crypt"), PDF_FILTER_CRYPT },
		{ BYTES_ROW("DCTDecode"), PDF_FILTER_DCT },
		{ BYTES_ROW("DCT"), PDF_FILTER_DCT },
		{ BYTES_ROW("CCITTFaxDecode"), PDF_FILTER_PICTURE },
		{ BYTES_ROW("CCF"), PDF_FILTER_PICTURE },
		{ BYTES_ROW("JBIG2Decode"), PDF_FILTER_PICTURE },
		{ BYTES_ROW("JPXDecode"), PDF_FILTER_PICTURE },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (syntax_is(name, names[i].name))
			return names[i].kind;
	return PDF_FILTER_UNKNOWN;
}

/* How many bytes it unpacks to; more than max: some number above it. out NULL:
 * they are only counted. Damage ends it, as readers take what came so far. */
static uint64_t
inflate_up_to(struct bytes packed, uint64_t max, struct buf *out)
{
	static uint8_t room[ROOM];
	uint64_t total = 0;
	z_stream z = { 0 };
	int status = Z_OK;

	bytes_take(&packed, HEADER);
	memcpy(&z.next_in, &packed.p, sizeof(z.next_in));
	z.avail_in = (uInt)packed.n;
	if (packed.n > UINT32_MAX || inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return max + 1;
	while (status == Z_OK && total <= max) {
		z.next_out = room;
		z.avail_out = sizeof(room);
		status = inflate(&z, Z_NO_FLUSH);
		total += sizeof(room) - z.avail_out;
		if (out != NULL &&
		    buf_append(out,
			(struct bytes){ room, sizeof(room) - z.avail_out }) < 0)
			total = max + 1;
	}
	inflateEnd(&z);
	return total;
}

bool
pdf_inflate(struct bytes packed, struct buf *out)
{
	return packed.n > HEADER &&
	    inflate_up_to(packed, out->max, out) <= out->max && out->n > 0;
}

static enum detox_result
bomb(struct detox *d)
{
	return detox_refuse(
	    d, REFUSED_BOMB, "a stream unpacks to more than it should");
}

/* Whether it is too small to be looked at. What all of these could unpack to
 * together is within the limit of the job. */
static bool
is_small(const struct detox *d, struct bytes packed, uint64_t expected,
    uint64_t *unseen)
{
	uint64_t most = (uint64_t)packed.n * FLATE_RATIO_MAX;

	if (expected > 0)
		return packed.n <= SMALL_PICTURE;
	if (most > FREE_MAX || *unseen + most > d->profile->tree_max)
		return false;
	*unseen += most;
	return true;
}

static enum detox_result
measure_flate(
    struct detox *d, struct bytes packed, uint64_t expected, struct buf *out)
{
	uint64_t max = (uint64_t)packed.n * d->profile->ratio_max;
	uint64_t n;

	if (max < FREE_MAX)
		max = FREE_MAX;
	if (max < 2 * expected)
		max = 2 * expected;
	if (out != NULL && max > BETWEEN_MAX)
		max = BETWEEN_MAX;
	n = inflate_up_to(packed, max, out);
	if (n > max)
		return bomb(d);
	return expected > 0 ? DETOX_REBUILT : detox_unpacked(d, n, 0);
}

static bool
is_unpacker(enum pdf_filter f)
{
	return f == PDF_FILTER_FLATE || f == PDF_FILTER_LZW ||
	    f == PDF_FILTER_RUNS;
}

/* How many of them make more of less. */
static size_t
unpackers(const struct pdf_filters *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += is_unpacker(f->kinds[i]);
	return n;
}

static enum detox_result
measure_twice(struct detox *d, const struct pdf_filters *f, struct bytes data,
    uint64_t expected)
{
	enum detox_result result;
	struct buf between;

	buf_init(&between, BETWEEN_MAX);
	result = measure_flate(d, data, 0, &between);
	if (result == DETOX_REBUILT && f->kinds[1] == PDF_FILTER_FLATE)
		result = measure_flate(d, buf_bytes(&between), expected, NULL);
	else if (between.n > SMALL_TWICE)
		result = bomb(d);
	buf_release(&between);
	return result;
}

enum detox_result
pdf_measure(struct detox *d, const struct pdf_filters *f, struct bytes data,
    uint64_t expected, uint64_t *unseen)
{
	bool flate = f->n > 0 && f->kinds[0] == PDF_FILTER_FLATE;

	switch (unpackers(f)) {
	case 0:
		return DETOX_REBUILT;
	case 1:
		return !flate || is_small(d, data, expected, unseen)
		    ? DETOX_REBUILT
		    : measure_flate(d, data, expected, NULL);
	case 2:
		if (flate)
			return measure_twice(d, f, data, expected);
		return data.n > SMALL_TWICE ? bomb(d) : DETOX_REBUILT;
	default:
		return bomb(d);
	}
}

/* The file itself. */

#define STREAM_WORD "stream"
/* A dictionary before a stream of objects is short. */
#define LOOK_BACK ((size_t)1024)

static bool
has(struct bytes where, const char *what)
{
	return memmem(where.p, where.n, what, strlen(what)) != NULL;
}

/* Whether libqpdf may unpack the stream behind this dictionary by itself; with
 * escapes in its names it may be anything. */
static bool
is_unpacked_early(struct bytes dictionary)
{
	return has(dictionary, "ObjStm") || has(dictionary, "XRef") ||
	    memchr(dictionary.p, '#', dictionary.n) != NULL;
}

static size_t
count(struct bytes where, const char *what)
{
	const uint8_t *at;
	size_t n = 0;

	while ((at = memmem(where.p, where.n, what, strlen(what))) != NULL) {
		where.n -= (size_t)(at - where.p) + 1;
		where.p = at + 1;
		n++;
	}
	return n;
}

/* What stands behind it; empty: it is not there. */
static struct bytes
behind(struct bytes where, const char *what)
{
	const uint8_t *at = memmem(where.p, where.n, what, strlen(what));

	if (at == NULL)
		return (struct bytes){ 0 };
	bytes_take(&where, (size_t)(at - where.p) + strlen(what));
	return where;
}

/* A row of so many samples is taken from memory at once (7.4.4.4). */
static bool
has_wide_rows(struct bytes dictionary)
{
	static const struct {
		const char *key;
		uint64_t max;
	} keys[] = { { "/Columns", 1 << 20 }, { "/Colors", 256 } };
	struct bytes at;
	uint64_t n;

	for (size_t i = 0; i < COUNT(keys); i++) {
		at = behind(dictionary, keys[i].key);
		while (at.n > 0 && (*at.p <= ' ' || *at.p == '0'))
			bytes_take(&at, 1);
		for (n = 0; at.n > 0 && *at.p >= '0' && *at.p <= '9';
		     bytes_take(&at, 1))
			if ((n = n * 10 + (uint64_t)(*at.p - '0')) >
			    keys[i].max)
				return true;
	}
	return false;
}

static enum detox_result
measure_early(struct detox *d, struct bytes dictionary, struct bytes data)
{
	bool objects = has(dictionary, "ObjStm") || has(dictionary, "XRef");
	uint64_t n;

	if (has_wide_rows(dictionary))
		return bomb(d);
	if (objects &&
	    count(dictionary, "/Fl") + count(dictionary, "/LZW") +
		    count(dictionary, "/RunLength") +
		    count(dictionary, "/DCT") >
		1)
		return bomb(d);
	/* Without the head of zlib the library does not unpack it. */
	if (data.n < HEADER || (data.p[0] & 15) != Z_DEFLATED ||
	    (data.p[0] << 8 | data.p[1]) % 31 != 0)
		return DETOX_REBUILT;
	n = inflate_up_to(data, d->profile->tree_max / 4, NULL);
	if (n > d->profile->tree_max / 4)
		return bomb(d);
	return detox_unpacked(d, n, 0);
}

/* The dictionary ends before the word; back to where its object begins. */
static struct bytes
before(struct bytes file, const uint8_t *word)
{
	struct bytes d = { file.p, (size_t)(word - file.p) };

	if (d.n > LOOK_BACK)
		bytes_take(&d, d.n - LOOK_BACK);
	for (size_t i = d.n; i >= 5; i--)
		if (memcmp(d.p + i - 5, " obj", 4) == 0) {
			bytes_take(&d, i - 5);
			break;
		}
	return d;
}

enum detox_result
pdf_measure_file(struct detox *d, struct bytes file)
{
	const size_t word = sizeof(STREAM_WORD) - 1;
	struct bytes rest = file;
	struct bytes dictionary;
	const uint8_t *at;

	while ((at = memmem(rest.p, rest.n, STREAM_WORD, word)) != NULL) {
		rest.n -= (size_t)(at - rest.p) + word;
		rest.p = at + word;
		if (at - file.p >= 3 && memcmp(at - 3, "end", 3) == 0)
			continue;
		dictionary = before(file, at);
		if (!is_unpacked_early(dictionary))
			continue;
		if (rest.n > 0 && *rest.p == '\r')
			bytes_take(&rest, 1);
		if (rest.n > 0 && *rest.p == '\n')
			bytes_take(&rest, 1);
		if (measure_early(d, dictionary, rest) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	return DETOX_REBUILT;
}
