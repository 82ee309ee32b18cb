/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/handover/slip.h"

#include <check.h>

Suite *slip_suite(void);

static struct slip_file files[] = {
	{ BYTES_ROW("計画.docx"), BYTES_ROW("application/x"), BYTES_ROW("aa"),
	    BYTES_ROW("bb"), BYTES_ROW("macro:1 link:2"), 900, 700 },
	{ BYTES_ROW("a b.txt"), BYTES_ROW("text/plain"), BYTES_ROW("cc"),
	    BYTES_ROW("cc"), BYTES_ROW(""), 0, 0 },
	{ BYTES_ROW("c"), BYTES_ROW("x/y"), BYTES_ROW(""), BYTES_ROW(""),
	    BYTES_ROW(""), 5, UINT32_MAX },
};

static const struct slip full = {
	.way = BYTES_ROW("to-lgwan"),
	.body = BYTES_ROW("990019"),
	.from = BYTES_ROW("internet"),
	.to = BYTES_ROW("lgwan"),
	.giver = BYTES_ROW("総務課 山田"),
	.client = BYTES_ROW("192.0.2.1"),
	.note = BYTES_ROW("token x"),
	.profile = BYTES_ROW("strict"),
	.given = 1800000000,
	.until = 1800600000,
	.approval = 1,
	.files = files,
	.files_n = COUNT(files),
};

static void
pack(const struct slip *s, struct buf *out)
{
	buf_init(out, HANDOVER_SLIP_MAX);
	ck_assert_int_eq(slip_pack(s, out), 0);
}

START_TEST(slip_is_what_was_packed)
{
	struct arena a = { 0 };
	struct slip got;
	struct buf one, two;

	pack(&full, &one);
	ck_assert_int_eq(slip_unpack(&got, buf_bytes(&one), &a), 0);
	ck_assert(bytes_equal(got.giver, full.giver));
	ck_assert(bytes_equal(got.note, full.note));
	ck_assert_uint_eq(got.approval, 1);
	ck_assert_uint_eq(got.files_n, 3);
	ck_assert(bytes_equal(got.files[0].removed, files[0].removed));
	ck_assert_uint_eq(slip_offset(&got, 2), 700);
	ck_assert_uint_eq(slip_offset(&got, 3), 700 + (uint64_t)UINT32_MAX);
	pack(&got, &two);
	ck_assert(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
	buf_release(&one);
	buf_release(&two);
	arena_release(&a);
}
END_TEST

/* Cut between files it has fewer of them; anywhere else it is none. */
START_TEST(slip_that_is_cut_is_refused)
{
	struct arena a = { 0 };
	struct slip got;
	struct buf b;
	unsigned good = 0;

	pack(&full, &b);
	for (size_t n = 0; n < b.n; n++)
		good += slip_unpack(&got, (struct bytes){ b.p, n }, &a) == 0;
	ck_assert_uint_eq(good, COUNT(files) - 1);
	for (size_t n = 0; n < b.n; n++) {
		b.p[n] ^= 0x80;
		if (slip_unpack(&got, buf_bytes(&b), &a) == 0)
			good++; /* of a value */
		b.p[n] ^= 0x80;
	}
	buf_release(&b);
	arena_release(&a);
}
END_TEST

START_TEST(slip_holds_no_second_line)
{
	struct slip s = full;
	struct buf b;

	buf_init(&b, HANDOVER_SLIP_MAX);
	s.note = BYTES("a\napproval 0");
	ck_assert_int_eq(slip_pack(&s, &b), -1);
	s.note = BYTES("a\0b");
	ck_assert_int_eq(slip_pack(&s, &b), -1);
	buf_release(&b);
	buf_init(&b, 100);
	ck_assert_int_eq(slip_pack(&full, &b), -1);
	buf_release(&b);
}
END_TEST

START_TEST(slip_has_no_more_files_than_may_be)
{
	static struct slip_file many[HANDOVER_FILES_MAX + 1];
	struct slip s = full;
	struct slip got;
	struct arena a = { 0 };
	struct buf b;

	for (size_t i = 0; i < COUNT(many); i++)
		many[i].name = BYTES("a");
	s.files = many;
	for (size_t n = HANDOVER_FILES_MAX; n <= HANDOVER_FILES_MAX + 1; n++) {
		s.files_n = n;
		pack(&s, &b);
		ck_assert_int_eq(slip_unpack(&got, buf_bytes(&b), &a),
		    n <= HANDOVER_FILES_MAX ? 0 : -1);
		buf_release(&b);
	}
	s.files_n = 0;
	pack(&s, &b);
	ck_assert_int_eq(slip_unpack(&got, buf_bytes(&b), &a), -1);
	buf_release(&b);
	arena_release(&a);
}
END_TEST

static const struct {
	const char *name;
	struct bytes in;
	const char *want;
} names[] = {
	{ "as it is", BYTES_ROW("会議 資料(1).docx"), "会議 資料(1).docx" },
	{ "nothing", BYTES_ROW(""), "file" },
	{ "dots alone", BYTES_ROW(".."), "file" },
	{ "blanks and dots", BYTES_ROW(" . ."), "file" },
	{ "no UTF-8", BYTES_ROW("\x82\xa0.txt"), "file" },
	{ "a byte of no UTF-8", BYTES_ROW("\xb7"), "file" },
	{ "folders", BYTES_ROW("../a\\b"), "_.._a_b" },
	{ "controls", BYTES_ROW("a\nb\0c\x7f.txt"), "a_b_c_.txt" },
	{ "C1", BYTES_ROW("a\xc2\x9b.txt"), "a_.txt" },
	{ "turned", BYTES_ROW("a\xe2\x80\xaetxt.exe"), "a_txt.exe" },
	{ "unseen", BYTES_ROW("a\xe2\x80\x8b\xef\xbb\xbf.txt"), "a__.txt" },
	{ "hidden", BYTES_ROW(".profile"), "_.profile" },
	{ "a lock", BYTES_ROW("~$a.docx"), "_~$a.docx" },
	{ "a device", BYTES_ROW("NUL"), "_NUL" },
	{ "a device with an end", BYTES_ROW("com1.tar.gz"), "_com1.tar.gz" },
	{ "a device with a blank", BYTES_ROW("aux .txt"), "_aux .txt" },
	{ "no device", BYTES_ROW("com10.txt"), "com10.txt" },
	{ "what Windows drops", BYTES_ROW("a.exe. . "), "a.exe" },
	{ "for a shell", BYTES_ROW("a|b*c?.txt"), "a_b_c_.txt" },
	{ "a stream", BYTES_ROW("a.txt:evil"), "a.txt_evil" },
};

START_TEST(slip_names_harm_nobody)
{
	struct arena a = { 0 };
	struct bytes got = slip_name(names[_i].in, &a);

	ck_assert_msg(bytes_equal(got, bytes_of(names[_i].want)),
	    "%s: \"%.*s\"", names[_i].name, BYTES_PRINTF(got));
	/* What was made is not made again. */
	ck_assert(bytes_equal(slip_name(got, &a), got));
	arena_release(&a);
}
END_TEST

/* Who says what the files are called may have been taken over. */
START_TEST(slip_has_no_other_names)
{
	struct slip_file one = files[0];
	struct slip s = full;
	struct arena a = { 0 };
	struct slip got;
	struct buf b;

	one.name = names[_i].in;
	s.files = &one;
	s.files_n = 1;
	buf_init(&b, HANDOVER_SLIP_MAX);
	if (slip_pack(&s, &b) == 0)
		ck_assert_int_eq(slip_unpack(&got, buf_bytes(&b), &a),
		    bytes_equal(one.name, bytes_of(names[_i].want)) ? 0 : -1);
	buf_release(&b);
	arena_release(&a);
}
END_TEST

/* What is cut does not end as Windows would not have it. */
START_TEST(slip_names_that_are_cut_end_well)
{
	char in[SLIP_NAME_MAX + 32];
	struct arena a = { 0 };
	struct bytes got;

	memset(in, 'a', sizeof(in));
	in[SLIP_NAME_MAX - 1] = ' ';
	in[SLIP_NAME_MAX - 2] = '.';
	got = slip_name((struct bytes){ (uint8_t *)in, sizeof(in) }, &a);
	ck_assert_uint_eq(got.n, SLIP_NAME_MAX - 2);
	ck_assert(bytes_equal(slip_name(got, &a), got));
	arena_release(&a);
}
END_TEST

/* At the limit and one past it, and never within a character. */
START_TEST(slip_names_keep_their_end)
{
	for (size_t n = 1; n < 300; n++) {
		struct arena a = { 0 };
		char *in = arena_alloc(&a, 3 * n + 8);
		struct bytes got;

		for (size_t i = 0; i < n; i++)
			memcpy(in + 3 * i, "あ", 3);
		memcpy(in + 3 * n, ".docx", 5);
		got = slip_name((struct bytes){ (uint8_t *)in, 3 * n + 5 }, &a);
		ck_assert_uint_le(got.n, SLIP_NAME_MAX);
		ck_assert(bytes_end_with(got, BYTES("あ.docx")));
		if (3 * n + 5 <= SLIP_NAME_MAX)
			ck_assert_uint_eq(got.n, 3 * n + 5);
		ck_assert(bytes_equal(slip_name(got, &a), got));
		arena_release(&a);
	}
}
END_TEST

static const struct {
	const char *in, *want; /* NULL: none */
} numbers[] = {
	{ "12345-67890", "12345-67890" },
	{ "1234567890", "12345-67890" },
	{ " 12345 67890 ", "12345-67890" },
	{ "１２３４５－６７８９０", "12345-67890" },
	{ "12345ー67890", "12345-67890" },
	{ "123456789", NULL },
	{ "12345678901", NULL },
	{ "12345-6789a", NULL },
	{ "", NULL },
	{ "\x82\x50", NULL },
};

START_TEST(slip_number_is_read_as_it_is_typed)
{
	char out[HANDOVER_NUMBER_N + 1];
	int result = slip_number(bytes_of(numbers[_i].in), out);

	ck_assert_int_eq(result, numbers[_i].want == NULL ? -1 : 0);
	if (result == 0)
		ck_assert_str_eq(out, numbers[_i].want);
}
END_TEST

START_TEST(slip_ask_is_what_was_packed)
{
	const struct slip_ask ask = { BYTES("990019"), BYTES("lgwan"),
		BYTES("192.0.2.1"), SLIP_BY_TOKEN, BYTES("00ff"), 7,
		BYTES("課長") };
	struct slip_ask got;
	struct buf b;

	buf_init(&b, 1024);
	ck_assert_int_eq(slip_ask_pack(&ask, &b), 0);
	ck_assert_int_eq(slip_ask_unpack(&got, buf_bytes(&b)), 0);
	ck_assert(bytes_equal(got.value, ask.value));
	ck_assert_int_eq(got.by, SLIP_BY_TOKEN);
	ck_assert_uint_eq(got.nth, 7);
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(
		    slip_ask_unpack(&got, (struct bytes){ b.p, n }), -1);
	ck_assert_int_eq(buf_append(&b, BYTES("x")), 0);
	ck_assert_int_eq(slip_ask_unpack(&got, buf_bytes(&b)), -1);
	buf_release(&b);
}
END_TEST

START_TEST(slip_text_is_one_line)
{
	struct arena a = { 0 };
	struct bytes got = slip_text(BYTES("  a\r\nb\xe2\x80\xae  "), 100, &a);

	ck_assert(bytes_equal(got, BYTES("a  b")));
	got = slip_text(BYTES("ああ"), 5, &a);
	ck_assert(bytes_equal(got, BYTES("あ")));
	got = slip_text(BYTES("ああ"), 6, &a);
	ck_assert(bytes_equal(got, BYTES("ああ")));
	ck_assert_uint_eq(slip_text(BYTES("\xff"), 6, &a).n, 0);
	arena_release(&a);
}
END_TEST

Suite *
slip_suite(void)
{
	Suite *s = suite_create("slip");
	TCase *c = tcase_create("slip");

	tcase_add_test(c, slip_is_what_was_packed);
	tcase_add_test(c, slip_that_is_cut_is_refused);
	tcase_add_test(c, slip_holds_no_second_line);
	tcase_add_test(c, slip_has_no_more_files_than_may_be);
	tcase_add_loop_test(c, slip_names_harm_nobody, 0, COUNT(names));
	tcase_add_loop_test(c, slip_has_no_other_names, 0, COUNT(names));
	tcase_add_test(c, slip_names_that_are_cut_end_well);
	tcase_add_test(c, slip_names_keep_their_end);
	tcase_add_loop_test(
	    c, slip_number_is_read_as_it_is_typed, 0, COUNT(numbers));
	tcase_add_test(c, slip_ask_is_what_was_packed);
	tcase_add_test(c, slip_text_is_one_line);
	suite_add_tcase(s, c);
	return s;
}
