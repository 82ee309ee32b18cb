/* SPDX-License-Identifier: Apache-2.0 */
/* GIF, WebP, BMP, TIFF. */
#include "filters/image/image.h"
#include "filters/image/inside.h"

#include <check.h>

#include "tests/unit/detox/picture.h"

Suite *bitmaps_suite(void);

#define GIF_COMMENT "!\xfe\6secret\0"
#define GIF_XMP "!\xff\13XMP DataXMP\6secret\0"
#define GIF_OTHER "!\xff\13ACMEGEN 1.0\6secret\0"
#define GIF_TEXT "!\1\14\0\0\0\0\0\0\0\0\0\0\0\0\6secret\0"
/* Head, and what is before the first block. */
#define GIF_HEAD (13 + 3 * 8)

static const struct {
	struct bytes block;
	enum detox_removal what;
	const char *where;
} blocks[] = {
	{ BYTES_ROW(GIF_COMMENT), REMOVED_METADATA, "comment" },
	{ BYTES_ROW(GIF_XMP), REMOVED_METADATA, "XMP" },
	{ BYTES_ROW(GIF_OTHER), REMOVED_CUSTOM, "application" },
	{ BYTES_ROW(GIF_TEXT), REMOVED_UNKNOWN, "plain text" },
	{ BYTES_ROW("!\x42\6secret\0"), REMOVED_UNKNOWN, "extension" },
};

START_TEST(gif_drops_blocks)
{
	struct drive_detox t;
	struct buf b;

	picture_load(&b, "gif/still");
	picture_insert(&b, GIF_HEAD, blocks[_i].block);
	drive_detox_init(&t);
	picture_comes_out_as(&t, buf_bytes(&b), "gif/still");
	ck_assert_uint_eq(
	    drive_detox_removed(&t, blocks[_i].what, blocks[_i].where), 1);
	ck_assert_uint_eq(t.d.rows_n, 1);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

START_TEST(gif_keeps_its_animation)
{
	struct drive_detox t;
	struct buf b;
	struct bytes out;

	picture_load(&b, "gif/animated");
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	out = buf_bytes(&t.out.content);
	ck_assert_uint_eq(
	    picture_count(out, BYTES("NETSCAPE2.0\3\1\0\0\0")), 1);
	/* A tenth of a second. */
	ck_assert_uint_eq(picture_count(buf_bytes(&b), BYTES("!\xf9\4")), 2);
	ck_assert_uint_eq(picture_count(out, BYTES("!\xf9\4")), 2);
	ck_assert_uint_eq(picture_count(out, BYTES("\x0a\0\0\0,\0\0")),
	    picture_count(buf_bytes(&b), BYTES("\x0a\0\0\0,\0\0")));
	ck_assert(!picture_has(out, "hello"));
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

/* A chunk at the end, and the length of all. */
static void
add_chunk(struct buf *b, struct bytes chunk)
{
	picture_insert(b, b->n, chunk);
	image_put_little(b->p + 4, b->n - 8, 4);
}

static const struct {
	struct bytes chunk;
	enum detox_removal what;
	const char *where;
} chunks[] = {
	{ BYTES_ROW("XMP \6\0\0\0secret"), REMOVED_METADATA, "XMP" },
	{ BYTES_ROW("EXIF\6\0\0\0secret"), REMOVED_METADATA, "EXIF" },
	{ BYTES_ROW("ICCP\6\0\0\0secret"), REMOVED_DAMAGED, "ICC profile" },
	{ BYTES_ROW("PK\3\4\6\0\0\0secret"), REMOVED_UNKNOWN, "PK??" },
	{ BYTES_ROW("VP8 \6\0\0\0secret"), REMOVED_UNKNOWN, "VP8" },
};

START_TEST(webp_drops_chunks)
{
	struct drive_detox t;
	struct buf b;

	picture_load(&b, "webp/lossless");
	add_chunk(&b, chunks[_i].chunk);
	drive_detox_init(&t);
	picture_comes_out_as(&t, buf_bytes(&b), "webp/lossless");
	ck_assert_msg(
	    drive_detox_removed(&t, chunks[_i].what, chunks[_i].where) == 1,
	    "%s", chunks[_i].where);
	ck_assert_uint_eq(t.d.rows_n, 1);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

START_TEST(webp_keeps_its_look)
{
	struct drive_detox t;
	struct buf b;
	struct bytes out;

	drive_detox_init(&t);
	picture_load(&b, "webp/animated");
	drive_detox_run(&t, buf_bytes(&b), "");
	out = buf_bytes(&t.out.content);
	ck_assert_uint_eq(picture_count(out, BYTES("ANMF")), 2);
	ck_assert_uint_eq(picture_count(out, BYTES("ANIM")), 1);
	buf_release(&b);
	picture_load(&b, "webp/exif");
	drive_detox_run(&t, buf_bytes(&b), "");
	out = buf_bytes(&t.out.content);
	ck_assert_uint_eq(picture_count(out, BYTES("EXIF\x1a\0\0\0MM")), 1);
	ck_assert_uint_eq(picture_count(out, BYTES("ICCP")), 1);
	ck_assert(!picture_has(out, "maker"));
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

/* Four by two pixels of 8 bits; behind the head, the colours and the runs. */
#define BMP_HEAD(compression, behind)                      \
	"BM\0\0\0\0\0\0\0\0\x46\0\0\0"                     \
	"\x28\0\0\0\4\0\0\0\2\0\0\0\1\0\x08\0" compression \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0"   \
	"\0\0\0\0\0\0\xff\0\0\xff\0\0\xff\0\0\0" behind

static const struct {
	const char *name;
	struct bytes in;
	struct bytes pixels;
	bool damaged;
	bool trailing;
} bitmaps[] = {
	{ "plain", BYTES_ROW(BMP_HEAD("\0", "\0\1\2\3\3\2\1\0")),
	    BYTES_ROW("\0\1\2\3\3\2\1\0"), false, false },
	{ "more behind", BYTES_ROW(BMP_HEAD("\0", "\0\1\2\3\3\2\1\0PK")),
	    BYTES_ROW("\0\1\2\3\3\2\1\0"), false, true },
	{ "a row and a half", BYTES_ROW(BMP_HEAD("\0", "\0\1\2\3\3\2")),
	    BYTES_ROW("\0\1\2\3\3\2\0\0"), true, false },
	{ "runs", BYTES_ROW(BMP_HEAD("\1", "\4\1\0\0\3\2\1\3\0\1")),
	    BYTES_ROW("\1\1\1\1\2\2\2\3"), false, false },
	{ "runs beyond the row", BYTES_ROW(BMP_HEAD("\1", "\xff\1\0\1")),
	    BYTES_ROW("\1\1\1\1\0\0\0\0"), false, false },
	{ "pixels as they are",
	    BYTES_ROW(BMP_HEAD("\1", "\0\3\1\2\3\0\1\1\0\0\4\2\0\1")),
	    BYTES_ROW("\1\2\3\1\2\2\2\2"), false, false },
	{ "a leap", BYTES_ROW(BMP_HEAD("\1", "\0\2\1\1\2\3\0\1")),
	    BYTES_ROW("\0\0\0\0\0\3\3\0"), false, false },
	{ "a leap out of it", BYTES_ROW(BMP_HEAD("\1", "\0\2\xff\xff\4\1\0\1")),
	    BYTES_ROW("\0\0\0\0\0\0\0\0"), false, false },
	{ "runs without an end", BYTES_ROW(BMP_HEAD("\1", "\4\1")),
	    BYTES_ROW("\1\1\1\1\0\0\0\0"), true, false },
	{ "behind the runs", BYTES_ROW(BMP_HEAD("\1", "\4\1\0\1<?php")),
	    BYTES_ROW("\1\1\1\1\0\0\0\0"), false, true },
};

START_TEST(bmp_keeps_pixels)
{
	struct drive_detox t;
	struct bytes out;

	drive_detox_init(&t);
	drive_detox_run(&t, bitmaps[_i].in, "");
	picture_was_rebuilt(&t, bitmaps[_i].name);
	out = buf_bytes(&t.out.content);
	ck_assert_uint_eq(out.n, 70 + 8);
	ck_assert_uint_eq(image_little(out, 30, 4), 0);
	ck_assert(memcmp(out.p + 54, bitmaps[_i].in.p + 54, 16) == 0);
	bytes_take(&out, 70);
	ck_assert_msg(
	    bytes_equal(out, bitmaps[_i].pixels), "%s", bitmaps[_i].name);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, NULL),
	    bitmaps[_i].damaged);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_TRAILING, NULL),
	    bitmaps[_i].trailing);
	drive_detox_release(&t);
}
END_TEST

/* A profile elsewhere is a reference to the outside. */
START_TEST(bmp_drops_profiles)
{
	uint8_t in[14 + 124 + 16 + 64] = "BM";
	struct drive_detox t;

	image_put_little(in + 10, 14 + 124, 4);
	image_put_little(in + 14, 124, 4);
	image_put_little(in + 18, 2, 4);
	image_put_little(in + 22, 2, 4);
	image_put_little(in + 26, 1, 2);
	image_put_little(in + 28, 32, 2);
	memcpy(in + 14 + 56, "KNIL", 4);
	memcpy(in + 14 + 124 + 16, "\\\\server.test\\profile.icc", 25);
	drive_detox_init(&t);
	drive_detox_run(&t, (struct bytes){ in, sizeof(in) }, "");
	picture_was_rebuilt(&t, "profile");
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_EXTERNAL, "ICC profile"), 1);
	ck_assert(!picture_has(buf_bytes(&t.out.content), "server"));
	ck_assert_uint_eq(t.out.content.n, 54 + 16);
	drive_detox_release(&t);
}
END_TEST

#define ZIP_ENTRY \
	"PK\1\2"  \
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFa"
#define ZIP_END(n, at) "PK\5\6\0\0\0\0\1\0" n "\0" at "\0\0\0\0\0\0\0\0\0"

/* Pixels of 8 bits, 96 in a row. */
static const struct {
	const char *name;
	struct bytes pixels;
	enum detox_refusal want;
} words[] = {
	{ "picture", BYTES_ROW("pixels"), REFUSED_NOT },
	{ "script", BYTES_ROW("..<ScRiPt>alert(1)"), REFUSED_POLYGLOT },
	{ "PHP", BYTES_ROW("<<<?php"), REFUSED_POLYGLOT },
	{ "cut short", BYTES_ROW("<scrip"), REFUSED_NOT },
	{ "RAR", BYTES_ROW("Rar!\x1a\7"), REFUSED_POLYGLOT },
	{ "ZIP", BYTES_ROW(ZIP_ENTRY ZIP_END("\1", "\x2f")), REFUSED_POLYGLOT },
	{ "ZIP without entries", BYTES_ROW(ZIP_ENTRY ZIP_END("\0", "\x2f")),
	    REFUSED_NOT },
	{ "ZIP that points elsewhere",
	    BYTES_ROW(ZIP_ENTRY ZIP_END("\1", "\x10")), REFUSED_NOT },
};

START_TEST(bmp_refuses_pixels_that_are_another_file)
{
	uint8_t in[54 + 4 + 96] = "BM";
	struct drive_detox t;

	image_put_little(in + 10, 58, 4);
	image_put_little(in + 14, 40, 4);
	image_put_little(in + 18, 96, 4);
	image_put_little(in + 22, 1, 4);
	image_put_little(in + 26, 1, 2);
	image_put_little(in + 28, 8, 2);
	image_put_little(in + 46, 1, 4);
	memcpy(in + 58, words[_i].pixels.p, words[_i].pixels.n);
	drive_detox_init(&t);
	drive_detox_run(&t, (struct bytes){ in, sizeof(in) }, "");
	ck_assert_msg(
	    t.d.refusal == words[_i].want, "%s: %s", words[_i].name, t.d.why);
	drive_detox_release(&t);
}
END_TEST

/* A whole file fits into the chunk behind the end of its stream. */
START_TEST(webp_drops_what_is_behind_its_stream)
{
	static const char *const names[] = { "webp/lossy", "webp/lossless" };
	const struct bytes more = BYTES("PK\5\6 twenty-two bytes, and secret");
	struct drive_detox t;
	struct buf b;

	picture_load(&b, names[_i]);
	ck_assert_uint_eq(image_little(buf_bytes(&b), 16, 4) + 20, b.n);
	ck_assert(buf_append(&b, more) == 0);
	image_put_little(b.p + 4, b.n - 8, 4);
	image_put_little(b.p + 16, b.n - 20, 4);
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, names[_i]);
	ck_assert(!picture_has(buf_bytes(&t.out.content), "PK"));
	ck_assert(!picture_has(buf_bytes(&t.out.content), "secret"));
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_TRAILING, "stream"), 1);
	/* Where finding the end would take too long, nothing comes out; the
	 * second is found soon. */
	t.profile.pixels_max = 63;
	drive_detox_run(&t, buf_bytes(&b), "");
	ck_assert_int_eq(t.d.refusal, _i == 0 ? REFUSED_POLYGLOT : REFUSED_NOT);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

/* One row of eight black and white pixels, with words beside it. */
START_TEST(tiff_drops_words)
{
	static const struct bytes in =
	    BYTES_ROW("II*\0\x08\0\0\0\x0a\0"
		      "\0\1\4\0\1\0\0\0\x08\0\0\0"
		      "\1\1\4\0\1\0\0\0\1\0\0\0"
		      "\2\1\3\0\1\0\0\0\1\0\0\0"
		      "\3\1\3\0\1\0\0\0\1\0\0\0"
		      "\6\1\3\0\1\0\0\0\0\0\0\0"
		      "\x0e\1\2\0\7\0\0\0\x88\0\0\0"
		      "\x11\1\4\0\1\0\0\0\x86\0\0\0"
		      "\x16\1\4\0\1\0\0\0\1\0\0\0"
		      "\x17\1\4\0\1\0\0\0\1\0\0\0"
		      "\x99\x99\2\0\4\0\0\0zip\0"
		      "\0\0\0\0\xa5\0secret\0<script>");
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, in, "");
	picture_was_rebuilt(&t, "words");
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_METADATA, "ImageDescription"), 1);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_UNKNOWN, "tag 39321"), 1);
	ck_assert_uint_eq(t.d.rows_n, 2);
	ck_assert(!picture_has(buf_bytes(&t.out.content), "secret"));
	ck_assert(!picture_has(buf_bytes(&t.out.content), "script"));
	ck_assert(!picture_has(buf_bytes(&t.out.content), "zip"));
	ck_assert_uint_eq(
	    picture_count(buf_bytes(&t.out.content), BYTES("\xa5")), 1);
	drive_detox_release(&t);
}
END_TEST

Suite *
bitmaps_suite(void)
{
	Suite *s = suite_create("bitmaps");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, gif_drops_blocks, 0, COUNT(blocks));
	tcase_add_test(t, gif_keeps_its_animation);
	tcase_add_loop_test(t, webp_drops_chunks, 0, COUNT(chunks));
	tcase_add_test(t, webp_keeps_its_look);
	tcase_add_loop_test(t, bmp_keeps_pixels, 0, COUNT(bitmaps));
	tcase_add_test(t, bmp_drops_profiles);
	tcase_add_loop_test(
	    t, bmp_refuses_pixels_that_are_another_file, 0, COUNT(words));
	tcase_add_loop_test(t, webp_drops_what_is_behind_its_stream, 0, 2);
	tcase_add_test(t, tiff_drops_words);
	suite_add_tcase(s, t);
	return s;
}
