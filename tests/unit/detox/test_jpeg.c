/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/image/image.h"
#include "filters/image/inside.h"

#include <check.h>

#include "tests/unit/detox/picture.h"

Suite *jpeg_suite(void);

#define PICTURE "jpeg/baseline"

/* A segment behind the first marker. */
static void
add_segment(struct buf *b, uint8_t marker, struct bytes data)
{
	const uint8_t head[4] = { 0xff, marker, (uint8_t)((data.n + 2) >> 8),
		(uint8_t)(data.n + 2) };

	picture_insert(b, 2, data);
	picture_insert(b, 2, (struct bytes){ head, sizeof(head) });
}

static const struct {
	const char *name;
	uint8_t marker;
	struct bytes data;
	enum detox_removal what;
	const char *where;
} segments[] = {
	{ "comment", 0xfe, BYTES_ROW("secret"), REMOVED_METADATA, "comment" },
	{ "XMP", 0xe1, BYTES_ROW("http://ns.adobe.com/xap/1.0/\0secret"),
	    REMOVED_METADATA, "XMP" },
	{ "EXIF", 0xe1,
	    BYTES_ROW("Exif\0\0II*\0\x08\0\0\0\1\0\x0f\1\2\0\6\0\0\0"
		      "\x1a\0\0\0\0\0\0\0secret"),
	    REMOVED_METADATA, "EXIF" },
	{ "EXIF that points beyond its end", 0xe1,
	    BYTES_ROW("Exif\0\0MM\0*\xff\xff\xff\xff secret"), REMOVED_METADATA,
	    "EXIF" },
	{ "Photoshop", 0xed, BYTES_ROW("Photoshop 3.0\0secret"),
	    REMOVED_METADATA, "Photoshop" },
	{ "other pictures", 0xe2, BYTES_ROW("MPF\0secret"), REMOVED_CUSTOM,
	    "MPF" },
	{ "small picture", 0xe0, BYTES_ROW("JFXX\0\x10secret"), REMOVED_PREVIEW,
	    "JFXX" },
	{ "unknown", 0xe7, BYTES_ROW("secret"), REMOVED_UNKNOWN, "APP7" },
	{ "no colour profile", 0xe2, BYTES_ROW("ICC_PROFILE\0\1\1secret"),
	    REMOVED_DAMAGED, "ICC profile" },
	{ "a part of a colour profile", 0xe2,
	    BYTES_ROW("ICC_PROFILE\0\2\3secret"), REMOVED_DAMAGED,
	    "ICC profile" },
	{ "a colour profile's number", 0xe2,
	    BYTES_ROW("ICC_PROFILE\0\0\0secret"), REMOVED_DAMAGED,
	    "ICC profile" },
};

START_TEST(jpeg_drops_segments)
{
	struct drive_detox t;
	struct buf b;

	picture_load(&b, PICTURE);
	add_segment(&b, segments[_i].marker, segments[_i].data);
	drive_detox_init(&t);
	picture_comes_out_as(&t, buf_bytes(&b), PICTURE);
	ck_assert_msg(
	    drive_detox_removed(&t, segments[_i].what, segments[_i].where) == 1,
	    "%s", segments[_i].name);
	ck_assert_uint_eq(t.d.rows_n, 1);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

/* A second picture, as a camera puts it behind the first. */
START_TEST(jpeg_drops_the_second_picture)
{
	struct drive_detox t;
	struct buf b, second;

	picture_load(&b, PICTURE);
	picture_load(&second, "jpeg/exif");
	ck_assert(buf_append(&b, buf_bytes(&second)) == 0);
	drive_detox_init(&t);
	picture_comes_out_as(&t, buf_bytes(&b), PICTURE);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_TRAILING, ""), 1);
	drive_detox_release(&t);
	buf_release(&second);
	buf_release(&b);
}
END_TEST

START_TEST(jpeg_keeps_how_it_is_turned)
{
	static const uint8_t six[] = "Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3"
				     "\0\0\0\1\0\6\0\0\0\0\0\0";
	struct drive_detox t;
	struct buf b;

	picture_load(&b, "jpeg/exif");
	ck_assert(picture_has(buf_bytes(&b), "maker"));
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	ck_assert_uint_eq(picture_count(buf_bytes(&t.out.content),
			      (struct bytes){ six, sizeof(six) - 1 }),
	    1);
	ck_assert_uint_eq(
	    picture_count(buf_bytes(&t.out.content), BYTES("Exif")), 1);
	ck_assert(!picture_has(buf_bytes(&t.out.content), "maker"));
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

/* What is text in a colour profile goes, the profile stays. */
START_TEST(jpeg_keeps_its_colours)
{
	struct drive_detox t;
	struct buf b;

	picture_load(&b, "jpeg/exif");
	ck_assert(picture_has(buf_bytes(&b), "R\0e\0f") ||
	    picture_has(buf_bytes(&b), "desc"));
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	ck_assert(picture_has(buf_bytes(&t.out.content), "ICC_PROFILE"));
	ck_assert(picture_has(buf_bytes(&t.out.content), "acsp"));
	ck_assert(picture_has(buf_bytes(&t.out.content), "rXYZ"));
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_METADATA, "ICC profile"), 1);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

START_TEST(jpeg_keeps_the_rows_that_are_there)
{
	struct drive_detox t;
	struct buf b;

	picture_load(&b, "jpeg/tall");
	b.n -= 60;
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, "tall");
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, NULL), 1);
	b.n = 640;
	drive_detox_run(&t, buf_bytes(&b), "");
	ck_assert_int_eq(t.d.refusal, REFUSED_BROKEN);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

/* A scan costs a walk through the picture, and few bytes. */
START_TEST(jpeg_refuses_many_scans)
{
	struct drive_detox t;
	struct buf b;
	struct arena a = { 0 };
	struct bytes scan;
	size_t at = 0, end;

	picture_load(&b, "jpeg/progressive");
	while (b.p[at] != 0xff || b.p[at + 1] != 0xda)
		at++;
	end = at + 2;
	while (b.p[end] != 0xff || b.p[end + 1] == 0)
		end++;
	scan = arena_copy(&a, (struct bytes){ b.p + at, end - at });
	drive_detox_init(&t);
	for (size_t i = 0; i < 150; i++)
		picture_insert(&b, at, scan);
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, "150 scans");
	for (size_t i = 0; i < 60; i++)
		picture_insert(&b, at, scan);
	drive_detox_run(&t, buf_bytes(&b), "");
	ck_assert_int_eq(t.d.refusal, REFUSED_BROKEN);
	drive_detox_release(&t);
	arena_release(&a);
	buf_release(&b);
}
END_TEST

Suite *
jpeg_suite(void)
{
	Suite *s = suite_create("jpeg");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, jpeg_drops_segments, 0, COUNT(segments));
	tcase_add_test(t, jpeg_drops_the_second_picture);
	tcase_add_test(t, jpeg_keeps_how_it_is_turned);
	tcase_add_test(t, jpeg_keeps_its_colours);
	tcase_add_test(t, jpeg_keeps_the_rows_that_are_there);
	tcase_add_test(t, jpeg_refuses_many_scans);
	suite_add_tcase(s, t);
	return s;
}
