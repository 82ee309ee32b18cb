/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for all kinds of pictures. */
#include "filters/image/image.h"

#include <check.h>

#include "tests/unit/detox/picture.h"

Suite *image_suite(void);

#define SECRET "PK\3\4 <script>secret</script>"

static const struct {
	const char *name;
	enum magic_type type;
	unsigned removed; /* kinds of things that it has and that go */
	bool several;     /* frames or pages */
} pictures[] = {
	{ "jpeg/baseline", MAGIC_JPEG, 0, false },
	{ "jpeg/progressive", MAGIC_JPEG, 0, false },
	{ "jpeg/grey", MAGIC_JPEG, 0, false },
	{ "jpeg/cmyk", MAGIC_JPEG, 0, false },
	{ "jpeg/exif", MAGIC_JPEG, 3, false },
	{ "png/rgb", MAGIC_PNG, 0, false },
	{ "png/grey", MAGIC_PNG, 0, false },
	{ "png/palette", MAGIC_PNG, 0, false },
	{ "png/bits", MAGIC_PNG, 0, false },
	{ "png/alpha", MAGIC_PNG, 0, false },
	{ "png/icc", MAGIC_PNG, 1, false },
	{ "png/animated", MAGIC_PNG, 0, true },
	{ "gif/still", MAGIC_GIF, 0, false },
	{ "gif/animated", MAGIC_GIF, 1, true },
	{ "webp/lossy", MAGIC_WEBP, 0, false },
	{ "webp/lossless", MAGIC_WEBP, 0, false },
	{ "webp/alpha", MAGIC_WEBP, 0, false },
	{ "webp/exif", MAGIC_WEBP, 2, false },
	{ "webp/animated", MAGIC_WEBP, 0, true },
	{ "bmp/rgb", MAGIC_BMP, 0, false },
	{ "bmp/grey", MAGIC_BMP, 0, false },
	{ "bmp/palette", MAGIC_BMP, 0, false },
	{ "bmp/bits", MAGIC_BMP, 0, false },
	{ "bmp/alpha", MAGIC_BMP, 0, false },
	{ "bmp/rle8", MAGIC_BMP, 0, false },
	{ "tiff/none", MAGIC_TIFF, 0, false },
	{ "tiff/lzw", MAGIC_TIFF, 0, false },
	{ "tiff/deflate", MAGIC_TIFF, 0, false },
	{ "tiff/jpeg", MAGIC_TIFF, 0, false },
	{ "tiff/g4", MAGIC_TIFF, 0, false },
	{ "tiff/g3", MAGIC_TIFF, 0, false },
	{ "tiff/cmyk", MAGIC_TIFF, 0, false },
	{ "tiff/pages", MAGIC_TIFF, 0, true },
	{ "icon/bitmap", MAGIC_ICON, 0, false },
	{ "icon/png", MAGIC_ICON, 0, true },
};

START_TEST(image_keeps_clean_pictures)
{
	const char *name = pictures[_i].name;
	struct drive_detox t, again;
	struct buf b;

	picture_load(&b, name);
	drive_detox_init(&t);
	drive_detox_init(&again);
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, name);
	ck_assert_int_eq(
	    magic_type_of(buf_bytes(&t.out.content), true), pictures[_i].type);
	ck_assert_msg(t.d.rows_n == pictures[_i].removed, "%s: %zu, %s", name,
	    t.d.rows_n, t.d.rows[0].where);
	drive_detox_run(&again, buf_bytes(&t.out.content), "");
	picture_was_rebuilt(&again, name);
	ck_assert_msg(
	    again.d.rows_n == 0, "%s: %s", name, again.d.rows[0].where);
	/* JPEG in TIFF is coded anew each time. */
	ck_assert(strcmp(name, "tiff/jpeg") == 0 ||
	    bytes_equal(
		buf_bytes(&t.out.content), buf_bytes(&again.out.content)));
	drive_detox_release(&t);
	drive_detox_release(&again);
	buf_release(&b);
}
END_TEST

START_TEST(image_drops_what_is_behind_the_picture)
{
	struct drive_detox t;
	struct buf b;

	picture_load(&b, pictures[_i].name);
	ck_assert(buf_append(&b, BYTES(SECRET)) == 0);
	drive_detox_init(&t);
	picture_comes_out_as(&t, buf_bytes(&b), pictures[_i].name);
	/* In these nothing is at the end. */
	if (pictures[_i].type != MAGIC_TIFF && pictures[_i].type != MAGIC_ICON)
		ck_assert_uint_eq(
		    drive_detox_removed(&t, REMOVED_TRAILING, ""), 1);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

START_TEST(image_counts_pixels_first)
{
	struct drive_detox t;
	struct buf b;

	picture_load(&b, pictures[_i].name);
	drive_detox_init(&t);
	if (!pictures[_i].several &&
	    strcmp(pictures[_i].name, "bmp/rle8") != 0 &&
	    pictures[_i].type != MAGIC_ICON) {
		t.profile.pixels_max = 9 * 7;
		drive_detox_run(&t, buf_bytes(&b), "");
		picture_was_rebuilt(&t, pictures[_i].name);
	}
	t.profile.pixels_max = 7;
	drive_detox_run(&t, buf_bytes(&b), "");
	/* Of an icon each picture is left out that is too large. */
	ck_assert_int_eq(t.d.refusal,
	    strcmp(pictures[_i].name, "icon/png") == 0 ? REFUSED_BROKEN
						       : REFUSED_PIXELS);
	t.profile.pixels_max = 1000;
	t.profile.frames_max = 1;
	drive_detox_run(&t, buf_bytes(&b), "");
	ck_assert_int_eq(
	    t.d.refusal, pictures[_i].several ? REFUSED_PIXELS : REFUSED_NOT);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

START_TEST(image_refuses_where_there_is_no_room)
{
	struct drive_detox t;
	struct buf b;
	size_t whole;

	picture_load(&b, pictures[_i].name);
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&b), "");
	whole = t.out.content.n;
	for (size_t max = 0; max < whole; max += max < 32 ? 1 : 61) {
		t.profile.out_max = max;
		drive_detox_run(&t, buf_bytes(&b), "");
		ck_assert_msg(t.result == DETOX_REFUSED, "%s: %zu of %zu",
		    pictures[_i].name, max, whole);
	}
	t.profile.out_max = whole;
	drive_detox_run(&t, buf_bytes(&b), "");
	picture_was_rebuilt(&t, pictures[_i].name);
	drive_detox_release(&t);
	buf_release(&b);
}
END_TEST

/* However much is there, what comes out can be read. */
START_TEST(image_keeps_what_is_left_of_a_cut_picture)
{
	struct drive_detox t, again;
	struct buf b;
	unsigned rebuilt = 0;

	picture_load(&b, pictures[_i].name);
	drive_detox_init(&t);
	drive_detox_init(&again);
	for (size_t n = 4; n < b.n; n += b.n < 800 ? 1 : 7) {
		drive_detox_run(&t, (struct bytes){ b.p, n }, "");
		if (t.result == DETOX_REFUSED)
			continue;
		rebuilt++;
		drive_detox_run(&again, buf_bytes(&t.out.content), "");
		picture_was_rebuilt(&again, pictures[_i].name);
		ck_assert_uint_eq(
		    drive_detox_removed(&again, REMOVED_DAMAGED, NULL), 0);
	}
	/* Others are refused when the directory or the end is missing. */
	ck_assert(rebuilt > 0 || pictures[_i].type == MAGIC_TIFF ||
	    pictures[_i].type == MAGIC_WEBP || pictures[_i].type == MAGIC_ICON);
	drive_detox_release(&t);
	drive_detox_release(&again);
	buf_release(&b);
}
END_TEST

Suite *
image_suite(void)
{
	Suite *s = suite_create("image");
	TCase *t = tcase_create("all");
	const int n = COUNT(pictures);

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, image_keeps_clean_pictures, 0, n);
	tcase_add_loop_test(t, image_drops_what_is_behind_the_picture, 0, n);
	tcase_add_loop_test(t, image_counts_pixels_first, 0, n);
	tcase_add_loop_test(t, image_refuses_where_there_is_no_room, 0, n);
	tcase_add_loop_test(t, image_keeps_what_is_left_of_a_cut_picture, 0, n);
	suite_add_tcase(s, t);
	return s;
}
