/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/image/image.h"

#include <check.h>
#include <zlib.h>

#include "filters/image/png.h"
#include "tests/unit/detox/picture.h"

Suite *png_suite(void);

#define PICTURE "png/rgb"
#define BEHIND_HEAD (8 + 12 + 13)

static void
add_chunk(struct buf *b, size_t at, const char *name, struct bytes data)
{
	struct buf chunk;

	buf_init(&chunk, data.n + 12);
	ck_assert(png_chunk_append(&chunk, name, BYTES(""), data) == 0);
	picture_insert(b, at, buf_bytes(&chunk));
	buf_release(&chunk);
}

static const struct {
	const char *chunk;
	struct bytes data;
	enum detox_removal what;
	const char *where;
} chunks[] = {
	{ "tEXt", BYTES_ROW("Author\0secret"), REMOVED_METADATA, "tEXt" },
	{ "zTXt", BYTES_ROW("Author\0\0secret"), REMOVED_METADATA, "zTXt" },
	{ "iTXt", BYTES_ROW("XML:com.adobe.xmp\0\0\0\0\0secret"),
	    REMOVED_METADATA, "iTXt" },
	{ "tIME", BYTES_ROW("\x07\xea\1\1\1\1\1"), REMOVED_METADATA, "tIME" },
	{ "eXIf", BYTES_ROW("MM\0*\0\0\0\x08\0\0\0\0\0\0secret"),
	    REMOVED_METADATA, "EXIF" },
	{ "prVt", BYTES_ROW("secret"), REMOVED_UNKNOWN, "prVt" },
	{ "\1/:\xff", BYTES_ROW("secret"), REMOVED_UNKNOWN, "????" },
	{ "hIST", BYTES_ROW("secret"), REMOVED_CUSTOM, "hIST" },
	{ "fcTL", BYTES_ROW("secret"), REMOVED_DAMAGED, "frame" },
};

START_TEST(png_drops_chunks)
{
	struct drive_detox t;
	struct buf b;

	picture_load(&b, PICTURE);
	add_chunk(&b, BEHIND_HEAD, chunks[_i].chunk, chunks[_i].data);
	drive_detox_init(&t);
	picture_comes_out_as(&t, buf_bytes(&b), PICTURE);
	ck_assert_msg(
	    drive_detox_removed(&t, chunks[_i].what, chunks[_i].where) == 1,
	    "%s", chunks[_i].chunk);
	ck_assert_uint_eq(t.d.rows_n, 1);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

static const struct {
	const char *chunk;
	struct bytes data;
} kept[] = {
	{ "gAMA", BYTES_ROW("\0\0\xb1\x8f") },
	{ "cHRM",
	    BYTES_ROW("\0\0\x7a\x26\0\0\x80\x84\0\0\xfa\0\0\0\x80\xe8"
		      "\0\0\x75\x30\0\0\xea\x60\0\0\x3a\x98\0\0\x17\x70") },
	{ "sRGB", BYTES_ROW("\0") },
	{ "pHYs", BYTES_ROW("\0\0\x0b\x13\0\0\x0b\x13\1") },
	{ "bKGD", BYTES_ROW("\0\1\0\2\0\3") },
	{ "tRNS", BYTES_ROW("\0\1\0\2\0\3") },
	{ "sBIT", BYTES_ROW("\5\5\5") },
	{ "eXIf",
	    BYTES_ROW("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"
		      "\0\0\0\0") },
};

START_TEST(png_keeps_what_makes_its_look)
{
	struct drive_detox t;
	struct buf b, chunk;

	picture_load(&b, PICTURE);
	buf_init(&chunk, 100);
	ck_assert(png_chunk_append(
		      &chunk, kept[_i].chunk, BYTES(""), kept[_i].data) == 0);
	picture_insert(&b, BEHIND_HEAD, buf_bytes(&chunk));
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, kept[_i].chunk);
	ck_assert_uint_eq(t.d.rows_n, 0);
	ck_assert_msg(
	    picture_count(buf_bytes(&t.out.content), buf_bytes(&chunk)) == 1,
	    "%s", kept[_i].chunk);
	drive_detox_release(&t);
	buf_release(&chunk);
	buf_release(&b);
}
END_TEST

/* The sum of a chunk is wrong: of what is not the picture, it goes; the
 * picture's is mended. */
START_TEST(png_mends_sums)
{
	struct drive_detox t;
	struct buf b;

	drive_detox_init(&t);
	picture_load(&b, PICTURE);
	b.p[b.n - 12 - 1] ^= 1;
	picture_comes_out_as(&t, buf_bytes(&b), PICTURE);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, NULL), 1);
	buf_release(&b);
	picture_load(&b, PICTURE);
	add_chunk(&b, BEHIND_HEAD, "gAMA", BYTES("\0\0\xb1\x8f"));
	b.p[BEHIND_HEAD + 11] ^= 1;
	picture_comes_out_as(&t, buf_bytes(&b), PICTURE);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, NULL), 1);
	b.p[BEHIND_HEAD - 1] ^= 1;
	drive_detox_run(&t, buf_bytes(&b), "");
	ck_assert_int_eq(t.d.refusal, REFUSED_BROKEN);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

START_TEST(png_keeps_its_animation)
{
	struct drive_detox t;
	struct buf b;
	struct bytes out;

	picture_load(&b, "png/animated");
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, "animated");
	out = buf_bytes(&t.out.content);
	ck_assert_uint_eq(picture_count(out, BYTES("acTL")), 1);
	ck_assert_uint_eq(picture_count(out, BYTES("fcTL")),
	    picture_count(buf_bytes(&b), BYTES("fcTL")));
	ck_assert_uint_eq(picture_count(out, BYTES("fdAT")), 2);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

/* A frame that cannot be decoded goes, the others stay. */
START_TEST(png_drops_a_broken_frame)
{
	struct drive_detox t;
	struct buf b;
	uint8_t *p;

	picture_load(&b, "png/animated");
	p = memmem(b.p, b.n, "fdAT", 4);
	ck_assert(p != NULL);
	p[8] ^= 0xff;
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, "animated");
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, "frame"), 1);
	ck_assert_uint_eq(
	    picture_count(buf_bytes(&t.out.content), BYTES("fcTL")), 2);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

#define SIDE 64
#define ROWS_SIZE (SIDE * (1 + SIDE))

/* A grey picture whose rows are packed as they are; with `more` rows than it
 * says, one byte of a row's filter, and so many empty blocks before all. */
static void
make_grey(struct buf *out, size_t more, uint8_t filter, size_t blocks)
{
	static uint8_t rows[2 * ROWS_SIZE], packed[200000];
	static const uint8_t head[] = { 0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, 0, 0,
		0, 0 };
	/* a block of nothing: neither the last nor compressed, length 0 */
	static const uint8_t none[] = { 0, 0, 0, 0xff, 0xff };
	uLongf n = sizeof(packed);
	const size_t empty = blocks * sizeof(none);

	for (size_t i = 0; i < sizeof(rows); i++)
		rows[i] = i % (SIDE + 1) == 0 ? 0 : (uint8_t)(i * i);
	rows[SIDE + 1] = filter;
	ck_assert_int_eq(
	    compress2(packed, &n, rows, ROWS_SIZE + more * (SIDE + 1), 0),
	    Z_OK);
	memmove(packed + 2 + empty, packed + 2, n - 2);
	for (size_t i = 0; i < blocks; i++)
		memcpy(packed + 2 + i * sizeof(none), none, sizeof(none));
	buf_init(out, 1 << 20);
	ck_assert_int_eq(buf_append(out, PNG_SIGNATURE), 0);
	ck_assert_int_eq(png_chunk_append(out, "IHDR", BYTES(""),
			     (struct bytes){ head, sizeof(head) }),
	    0);
	ck_assert_int_eq(png_chunk_append(out, "IDAT", BYTES(""),
			     (struct bytes){ packed, 30 }),
	    0);
	ck_assert_int_eq(png_chunk_append(out, "IDAT", BYTES(""),
			     (struct bytes){ packed + 30, n + empty - 30 }),
	    0);
	ck_assert_int_eq(
	    png_chunk_append(out, "IEND", BYTES(""), BYTES("")), 0);
}

static const struct {
	size_t more;
	uint8_t filter;
	size_t blocks;
	bool strict;
	bool kept;
} packings[] = {
	{ .kept = true },
	{ .filter = 4, .kept = true },
	{ .filter = 5 },
	{ .more = 1 },
	{ .blocks = 100, .kept = true },
	{ .blocks = 150 },
	{ .strict = true },
};

/* Rows that are whole stay packed as they are, in one chunk; what a reader may
 * see otherwise, or does not need, does not. */
START_TEST(png_keeps_whole_rows_packed)
{
	struct drive_detox t;
	struct bytes out;
	struct buf b;

	make_grey(
	    &b, packings[_i].more, packings[_i].filter, packings[_i].blocks);
	drive_detox_init(&t);
	t.profile.strict = packings[_i].strict;
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, "grey");
	out = buf_bytes(&t.out.content);
	ck_assert_uint_eq(picture_count(out, BYTES("IDAT")), 1);
	ck_assert_msg(
	    (out.n > ROWS_SIZE + packings[_i].blocks * 5) == packings[_i].kept,
	    "%zu", out.n);
	ck_assert_uint_eq(t.d.rows_n, packings[_i].filter == 5);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

START_TEST(png_drops_what_stands_behind_its_rows)
{
	struct drive_detox t;
	struct buf b;

	make_grey(&b, 0, 0, 0);
	add_chunk(&b, b.n - 12, "IDAT", BYTES("secret"));
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, "grey");
	ck_assert_uint_eq(
	    picture_count(buf_bytes(&t.out.content), BYTES("secret")), 0);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_TRAILING, "picture data"), 1);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

/* A byte holds eight pixels; behind the row's end are bits of no pixel. */
START_TEST(png_writes_nothing_behind_the_end_of_a_row)
{
	static const uint8_t head[13] = { 0, 0, 0, 1, 0, 0, 0, 1, 1 };
	uint8_t packed[64], row[2];
	uLongf packed_n = sizeof(packed), row_n = sizeof(row);
	struct drive_detox t;
	struct bytes out;
	struct buf b;
	const uint8_t *at;

	buf_init(&b, 1024);
	ck_assert_int_eq(buf_append(&b, PNG_SIGNATURE), 0);
	ck_assert_int_eq(png_chunk_append(&b, "IHDR", BYTES(""),
			     (struct bytes){ head, sizeof(head) }),
	    0);
	ck_assert_int_eq(
	    compress(packed, &packed_n, (const uint8_t *)"\0\xff", 2), Z_OK);
	ck_assert_int_eq(png_chunk_append(&b, "IDAT", BYTES(""),
			     (struct bytes){ packed, packed_n }),
	    0);
	ck_assert_int_eq(png_chunk_append(&b, "IEND", BYTES(""), BYTES("")), 0);
	drive_detox_init(&t);
	t.profile.strict = true;
	drive_detox_run(&t, buf_bytes(&b), "");
	out = buf_bytes(&t.out.content);
	at = memmem(out.p, out.n, "IDAT", 4);
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(
	    uncompress(row, &row_n, at + 4, (uLong)(out.p + out.n - at - 4)),
	    Z_OK);
	ck_assert_uint_eq(row_n, 2);
	ck_assert_uint_eq(row[1], 0x80);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

#define LARGE_WIDTH 8192

/* An empty grey picture, deflated so that nobody else would do it alike. */
static void
make_large(struct buf *out, uint32_t height, struct buf *packed)
{
	const size_t n = (size_t)height * (1 + LARGE_WIDTH);
	uint8_t head[13] = { 0, 0, LARGE_WIDTH >> 8, 0, 0, 0,
		(uint8_t)(height >> 8), (uint8_t)height, 8 };
	uint8_t *rows = calloc(1, n);
	uLongf size = compressBound(n);

	ck_assert_ptr_nonnull(rows);
	buf_init(packed, size);
	ck_assert_int_eq(buf_reserve(packed, size), 0);
	ck_assert_int_eq(compress2(packed->p, &size, rows, n, 1), Z_OK);
	packed->n = size;
	free(rows);
	buf_init(out, size + 100);
	ck_assert_int_eq(buf_append(out, PNG_SIGNATURE), 0);
	ck_assert_int_eq(png_chunk_append(out, "IHDR", BYTES(""),
			     (struct bytes){ head, sizeof(head) }),
	    0);
	ck_assert_int_eq(
	    png_chunk_append(out, "IDAT", BYTES(""), buf_bytes(packed)), 0);
	ck_assert_int_eq(
	    png_chunk_append(out, "IEND", BYTES(""), BYTES("")), 0);
}

static const struct {
	uint32_t height;
	bool kept;
} large[] = {
	{ 8191, true }, /* a byte less than 64 MiB of rows */
	{ 8192, false },
};

START_TEST(png_keeps_rows_of_64_mib_packed)
{
	struct drive_detox t;
	struct buf b, packed;
	struct bytes body;

	make_large(&b, large[_i].height, &packed);
	body = (struct bytes){ packed.p + 2, packed.n - 2 };
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, "large");
	ck_assert_uint_eq(
	    picture_count(buf_bytes(&t.out.content), body), large[_i].kept);
	drive_detox_release(&t);
	buf_release(&packed);
	buf_release(&b);
}
END_TEST

Suite *
png_suite(void)
{
	Suite *s = suite_create("png");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, png_drops_chunks, 0, COUNT(chunks));
	tcase_add_loop_test(t, png_keeps_what_makes_its_look, 0, COUNT(kept));
	tcase_add_test(t, png_mends_sums);
	tcase_add_test(t, png_keeps_its_animation);
	tcase_add_test(t, png_drops_a_broken_frame);
	tcase_add_loop_test(t, png_keeps_whole_rows_packed, 0, COUNT(packings));
	tcase_add_test(t, png_drops_what_stands_behind_its_rows);
	tcase_add_test(t, png_writes_nothing_behind_the_end_of_a_row);
	tcase_add_loop_test(
	    t, png_keeps_rows_of_64_mib_packed, 0, COUNT(large));
	suite_add_tcase(s, t);
	return s;
}
