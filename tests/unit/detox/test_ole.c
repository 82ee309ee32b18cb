/* SPDX-License-Identifier: Apache-2.0 */
/* The container, and which kinds of documents in it are rebuilt. */
#include "filters/ole/ole.h"

#include <check.h>

#include "filters/ole/le.h"
#include "tests/unit/detox/build_ole.h"
#include "tests/unit/detox/drive.h"

Suite *ole_suite(void);

static const struct {
	const char *name;
	const char *stream;
	enum detox_refusal refusal;
} kinds[] = {
	{ "encrypted OOXML, cut", "EncryptedPackage", REFUSED_BROKEN },
	{ "Visio", "VisioDocument", REFUSED_TYPE },
	{ "PowerPoint 95", "PP40", REFUSED_TYPE },
	{ "unknown", "Something", REFUSED_TYPE },
	{ "empty Word", "WordDocument", REFUSED_BROKEN },
	{ "empty Excel", "Workbook", REFUSED_BROKEN },
	{ "empty PowerPoint", "PowerPoint Document", REFUSED_BROKEN },
};

START_TEST(ole_refuses_other_kinds)
{
	struct drive_detox t;
	struct build_ole b;

	drive_detox_init(&t);
	build_ole_init(&b);
	build_ole_add(&b, kinds[_i].stream, BYTES("content"));
	drive_detox_run(&t, build_ole_write(&b, NULL), "a.doc");
	ck_assert_msg(t.d.refusal == kinds[_i].refusal, "%s: %s",
	    kinds[_i].name, t.d.why);
	build_ole_release(&b);
	drive_detox_release(&t);
}
END_TEST

START_TEST(ole_refuses_installers)
{
	static const uint8_t msi[CFB_CLSID_SIZE] = { 0x84, 0x10, 0x0c, 0, 0, 0,
		0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46 };
	struct drive_detox t;
	struct build_ole b;

	drive_detox_init(&t);
	build_ole_init(&b);
	build_ole_add(&b, "WordDocument", BYTES("content"));
	drive_detox_run(&t, build_ole_write(&b, msi), "a.bin");
	ck_assert_int_eq(t.d.refusal, REFUSED_PROGRAM);
	build_ole_release(&b);
	drive_detox_release(&t);
}
END_TEST

/* Sizes around the mini stream's limit, and enough for a DIFAT. */
static const size_t sizes[] = { 0, 1, 63, 64, 65, 4095, 4096, 4097, 512 * 127,
	512 * 128, 512 * 129, 7 << 20 };

START_TEST(ole_reads_what_it_writes)
{
	struct build_ole b;
	struct buf large = { 0 }, out;
	struct bytes file;

	buf_init(&large, sizes[_i] + 1);
	ck_assert(buf_reserve(&large, sizes[_i] + 1) == 0);
	large.n = sizes[_i];
	for (size_t i = 0; i < large.n; i++)
		large.p[i] = (uint8_t)(i * 7 + i / 251);
	build_ole_init(&b);
	build_ole_add(&b, "one", buf_bytes(&large));
	build_ole_add(&b, "two", BYTES("2"));
	build_ole_add(&b, "three", buf_bytes(&large));
	file = build_ole_write(&b, NULL);
	ck_assert_uint_eq(file.n % 512, 0);
	out = build_ole_read(file, "THREE");
	ck_assert(bytes_equal(buf_bytes(&out), buf_bytes(&large)));
	buf_release(&out);
	out = build_ole_read(file, "two");
	ck_assert(bytes_equal(buf_bytes(&out), BYTES("2")));
	buf_release(&out);
	buf_release(&large);
	build_ole_release(&b);
}
END_TEST

/* A file with a text of Ichitaro, 4200 bytes of it. */
static void
build_text(struct build_ole *b, struct buf *text)
{
	build_bytes(text, BYTES("SsmgV.01\1\2\3\4"));
	build_bytes(text, BYTES("\0\x1c\0A\0B\0\x1f"));
	build_bytes(text, BYTES("\x65\xe5\x67\x2c\0a\0\x0d\0\x1c\0X\0\x1f\0z"));
	while (text->n < 4200)
		build_bytes(text, BYTES("\0\0"));
	build_ole_init(b);
	build_ole_add(b, "DocumentText", buf_bytes(text));
	build_ole_add(b, "Macro", BYTES("run"));
	build_ole_write(b, NULL);
}

START_TEST(ole_gives_the_text_of_ichitaro)
{
	struct drive_detox t;
	struct build_ole b;
	struct buf text = { 0 };

	drive_detox_init(&t);
	build_text(&b, &text);
	drive_detox_run(&t, buf_bytes(&b.file), "a.jtd");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert_str_eq(t.out.extension, "txt");
	ck_assert(bytes_equal(buf_bytes(&t.out.content),
	    BYTES("\xe6\x97\xa5\xe6\x9c\xac"
		  "a\nz")));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_UNKNOWN, "Macro"), 1);
	build_ole_release(&b);
	buf_release(&text);
	drive_detox_release(&t);
}
END_TEST

/* In the file of build_text the large stream's sectors come first: 0 to 8; the
 * FAT is the last sector. */
static const struct {
	const char *name;
	size_t from_end; /* of what is changed: bytes before the end */
	uint32_t value;
} damages[] = {
	{ "a chain that is a loop", 512 - 4 * 3, 1 },
	{ "a chain that leaves the file", 512 - 4 * 3, 5000 },
	{ "a chain that ends early", 512 - 4 * 3, 0xfffffffe },
	{ "a chain into the FAT", 512 - 4 * 3, 12 },
};

START_TEST(ole_refuses_broken_chains)
{
	struct drive_detox t;
	struct build_ole b;
	struct buf text = { 0 };

	drive_detox_init(&t);
	build_text(&b, &text);
	put_le32(b.file.p + b.file.n - damages[_i].from_end, damages[_i].value);
	drive_detox_run(&t, buf_bytes(&b.file), "a.jtd");
	ck_assert_msg(t.d.refusal == REFUSED_BROKEN, "%s", damages[_i].name);
	build_ole_release(&b);
	buf_release(&text);
	drive_detox_release(&t);
}
END_TEST

START_TEST(ole_refuses_a_directory_with_a_loop)
{
	struct drive_detox t;
	struct build_ole b;
	struct buf text = { 0 };
	uint8_t *directory;

	drive_detox_init(&t);
	build_text(&b, &text);
	directory = b.file.p + 512 * (1 + (size_t)le32(b.file.p + 0x30));
	put_le32(directory + 128 + 68, 1);
	drive_detox_run(&t, buf_bytes(&b.file), "a.jtd");
	ck_assert_int_eq(t.d.refusal, REFUSED_BROKEN);
	build_ole_release(&b);
	buf_release(&text);
	drive_detox_release(&t);
}
END_TEST

/* Whatever is cut off, it ends with an answer; without the table of sectors,
 * which is the last, with a refusal. */
START_TEST(ole_survives_every_cut)
{
	struct drive_detox t;
	struct build_ole b;
	struct buf text = { 0 };

	drive_detox_init(&t);
	build_text(&b, &text);
	for (size_t n = 8; n < b.file.n; n += 61) {
		drive_detox_run(&t, (struct bytes){ b.file.p, n }, "a.jtd");
		ck_assert(t.result == DETOX_REFUSED || n > b.file.n - 512);
	}
	build_ole_release(&b);
	buf_release(&text);
	drive_detox_release(&t);
}
END_TEST

START_TEST(ole_is_the_same_each_time)
{
	struct drive_detox t, again;
	struct build_ole b;
	struct buf text = { 0 };

	drive_detox_init(&t);
	drive_detox_init(&again);
	build_text(&b, &text);
	drive_detox_run(&t, buf_bytes(&b.file), "a.jtd");
	drive_detox_run(&again, buf_bytes(&b.file), "a.jtd");
	ck_assert(bytes_equal(
	    buf_bytes(&t.out.content), buf_bytes(&again.out.content)));
	build_ole_release(&b);
	buf_release(&text);
	drive_detox_release(&t);
	drive_detox_release(&again);
}
END_TEST

Suite *
ole_suite(void)
{
	Suite *s = suite_create("ole");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, ole_refuses_other_kinds, 0, COUNT(kinds));
	tcase_add_test(t, ole_refuses_installers);
	tcase_add_loop_test(t, ole_reads_what_it_writes, 0, COUNT(sizes));
	tcase_add_test(t, ole_gives_the_text_of_ichitaro);
	tcase_add_loop_test(t, ole_refuses_broken_chains, 0, COUNT(damages));
	tcase_add_test(t, ole_refuses_a_directory_with_a_loop);
	tcase_add_test(t, ole_survives_every_cut);
	tcase_add_test(t, ole_is_the_same_each_time);
	suite_add_tcase(s, t);
	return s;
}
