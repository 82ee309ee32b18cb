/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/metafile/metafile.h"

#include <check.h>

#include "tests/unit/detox/drive.h"

Suite *metafile_suite(void);

#define HEADER_SIZE 108

/* EMR_HEADER with a description, records, EMR_EOF. */
static size_t
make_emf(uint8_t *out, struct bytes records)
{
	memset(out, 0, HEADER_SIZE);
	out[0] = 1;
	out[4] = HEADER_SIZE;
	memcpy(out + 40, " EMF", 4);
	out[46] = 1;
	out[60] = 4;
	out[64] = HEADER_SIZE;
	memcpy(out + HEADER_SIZE, records.p, records.n);
	memcpy(out + HEADER_SIZE + records.n,
	    "\x0e\0\0\0\x14\0\0\0\0\0\0\0\x10\0\0\0\x14\0\0\0", 20);
	return HEADER_SIZE + records.n + 20;
}

#define SAVE_DC "\x21\0\0\0\x08\0\0\0"

static const struct {
	const char *name;
	struct bytes records;
	size_t kept; /* bytes of them */
	enum detox_removal what;
} emfs[] = {
	{ "drawing stays", BYTES_ROW(SAVE_DC), 8, DETOX_REMOVAL_KINDS },
	{ "comment", BYTES_ROW(SAVE_DC "\x46\0\0\0\x10\0\0\0\4\0\0\0abcd"), 8,
	    REMOVED_CUSTOM },
	{ "EMF+ stays",
	    BYTES_ROW("\x46\0\0\0\x1c\0\0\0\x10\0\0\0EMF+"
		      "\2\x40\0\0\x0c\0\0\0\0\0\0\0"),
	    28, DETOX_REMOVAL_KINDS },
	{ "EMF+ that is none",
	    BYTES_ROW("\x46\0\0\0\x1c\0\0\0\x10\0\0\0EMF+"
		      "\2\x40\0\0\xff\0\0\0\0\0\0\0"),
	    0, REMOVED_CUSTOM },
	{ "escape", BYTES_ROW("\x69\0\0\0\x0c\0\0\0abcd" SAVE_DC), 8,
	    REMOVED_ACTION },
	{ "no known record", BYTES_ROW("\x7b\0\0\0\x08\0\0\0"), 0,
	    REMOVED_ACTION },
	{ "bits beyond the record",
	    BYTES_ROW("\x5d\0\0\0\x20\0\0\0\1\0\0\0\0\0\0\0"
		      "\x10\0\0\0\x11\0\0\0\0\0\0\0\0\0\0\0"),
	    0, REMOVED_ACTION },
};

START_TEST(metafile_copies_records_that_draw)
{
	uint8_t emf[512];
	size_t n = make_emf(emf, emfs[_i].records);
	struct drive_detox t;
	const uint8_t *out;

	drive_detox_init(&t);
	drive_detox_run(&t, (struct bytes){ emf, n }, "a.emf");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert_msg(t.out.content.n == HEADER_SIZE + emfs[_i].kept + 20, "%s",
	    emfs[_i].name);
	out = t.out.content.p;
	ck_assert_uint_eq(out[48], t.out.content.n);
	ck_assert_uint_eq(out[52], emfs[_i].kept > 0 ? 3 : 2);
	ck_assert_uint_eq(out[60] | out[64], 0);
	if (emfs[_i].what != DETOX_REMOVAL_KINDS)
		ck_assert_uint_eq(
		    drive_detox_removed(&t, emfs[_i].what, NULL), 1);
	else
		ck_assert_uint_eq(t.d.rows_n, 0);
	drive_detox_release(&t);
}
END_TEST

#define PLACEABLE "\xd7\xcd\xc6\x9a\0\0\0\0\0\0\x64\0\x64\0\x60\0\0\0\0\0\0\0"
#define WMF_HEADER "\1\0\x09\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0"
#define ESCAPE "\5\0\0\0\x26\6\x09\0\0\0"
#define SAVE "\3\0\0\0\x1e\0"
#define LAST "\3\0\0\0\0\0"

START_TEST(metafile_leaves_escapes_out)
{
	static const struct bytes in =
	    BYTES_ROW(PLACEABLE WMF_HEADER ESCAPE SAVE LAST "PK\3\4");
	static const struct bytes want = BYTES_ROW(
	    PLACEABLE "\1\0\x09\0\0\3\x0f\0\0\0\0\0\3\0\0\0\0\0" SAVE LAST);
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, in, "a.wmf");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(bytes_equal(buf_bytes(&t.out.content), want));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_ACTION, NULL), 1);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_TRAILING, NULL), 1);
	drive_detox_release(&t);
}
END_TEST

/* As documents have it: the frame is that of its window. */
START_TEST(metafile_gives_a_bare_one_its_frame)
{
	static const struct bytes bare = BYTES_ROW(
	    WMF_HEADER "\5\0\0\0\x0b\2\1\0\2\0\5\0\0\0\x0c\2\x20\0\x10\0" LAST);
	struct drive_detox t;
	struct bytes out;
	uint16_t sum = 0;

	drive_detox_init(&t);
	drive_detox_run(&t, bare, "a.wmf");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert_str_eq(t.d.format, "metafile");
	out = buf_bytes(&t.out.content);
	ck_assert_uint_eq(out.n, 22 + bare.n);
	ck_assert(bytes_start_with(
	    out, BYTES("\xd7\xcd\xc6\x9a\0\0\2\0\1\0\x12\0\x21\0\xa0\5")));
	for (size_t i = 0; i < 20; i += 2)
		sum ^= (uint16_t)(out.p[i] | out.p[i + 1] << 8);
	ck_assert_uint_eq((uint16_t)(out.p[20] | out.p[21] << 8), sum);
	ck_assert(
	    bytes_end_with(out, (struct bytes){ bare.p + 18, bare.n - 18 }));
	drive_detox_release(&t);
}
END_TEST

/* Cut anywhere, it is refused or has an end again. */
START_TEST(metafile_bears_every_cut)
{
	static const struct bytes wmf =
	    BYTES_ROW(PLACEABLE WMF_HEADER ESCAPE SAVE LAST);
	uint8_t emf[512];
	size_t n = make_emf(emf, BYTES(SAVE_DC));
	struct drive_detox t;

	drive_detox_init(&t);
	for (size_t i = 44; i < n; i++) {
		drive_detox_run(&t, (struct bytes){ emf, i }, "a.emf");
		ck_assert((t.result == DETOX_REBUILT) == (i >= HEADER_SIZE));
	}
	for (size_t i = 4; i < wmf.n; i++) {
		drive_detox_run(&t, (struct bytes){ wmf.p, i }, "a.wmf");
		ck_assert((t.result == DETOX_REBUILT) == (i >= 40));
	}
	drive_detox_release(&t);
}
END_TEST

Suite *
metafile_suite(void)
{
	Suite *s = suite_create("metafile");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(
	    t, metafile_copies_records_that_draw, 0, COUNT(emfs));
	tcase_add_test(t, metafile_leaves_escapes_out);
	tcase_add_test(t, metafile_gives_a_bare_one_its_frame);
	tcase_add_test(t, metafile_bears_every_cut);
	suite_add_tcase(s, t);
	return s;
}
