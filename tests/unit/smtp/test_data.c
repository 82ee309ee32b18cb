/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/data.h"

#include <check.h>

#include "proxy/base/buf.h"

Suite *data_suite(void);

static const struct {
	const char *name;
	struct bytes in;
	enum data_lines lines;
	enum data_fault fault;
	struct bytes content; /* with a fault: not looked at */
	struct bytes rest;    /* behind the end */
} cases[] = {
	{ "a line", BYTES("a\r\n.\r\n"), DATA_REFUSE, DATA_FAULT_NONE,
	    BYTES("a\r\n"), BYTES("") },
	{ "nothing", BYTES(".\r\n"), DATA_REFUSE, DATA_FAULT_NONE, BYTES(""),
	    BYTES("") },
	{ "an empty line", BYTES("\r\n.\r\n"), DATA_REFUSE, DATA_FAULT_NONE,
	    BYTES("\r\n"), BYTES("") },
	{ "what follows is not content", BYTES("a\r\n.\r\nQUIT\r\n"),
	    DATA_REFUSE, DATA_FAULT_NONE, BYTES("a\r\n"), BYTES("QUIT\r\n") },
	{ "stuffed dots", BYTES("..\r\n..a\r\na.\r\n...\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_NONE, BYTES(".\r\n.a\r\na.\r\n..\r\n"), BYTES("") },
	{ "a dot that nobody stuffed goes", BYTES(".a\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_NONE, BYTES("a\r\n"), BYTES("") },
	{ "a dot and a blank are no end", BYTES(". \r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_NONE, BYTES(" \r\n"), BYTES("") },
	{ "LF.LF ends nothing", BYTES("a\n.\nMAIL\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_LF, BYTES(""), BYTES("") },
	{ "LF.CRLF ends nothing", BYTES("a\n.\r\nMAIL\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_LF, BYTES(""), BYTES("") },
	{ "CRLF.LF ends nothing", BYTES("a\r\n.\nMAIL\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_LF, BYTES(""), BYTES("") },
	{ "CRLF.CR ends nothing", BYTES("a\r\n.\rMAIL\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_CR, BYTES(""), BYTES("") },
	{ "CR.CR ends nothing", BYTES("a\r.\rMAIL\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_CR, BYTES(""), BYTES("") },
	{ "CRLF.CRCRLF ends nothing", BYTES("a\r\n.\r\r\nMAIL\r\n.\r\n"),
	    DATA_REFUSE, DATA_FAULT_CR, BYTES(""), BYTES("") },
	{ "CRCRLF is a fault", BYTES("a\r\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_CR, BYTES(""), BYTES("") },
	{ "LFCR is a fault", BYTES("a\n\rb\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_LF, BYTES(""), BYTES("") },
	{ "NUL", BYTES("a\0b\r\n.\r\n"), DATA_REFUSE, DATA_FAULT_NUL, BYTES(""),
	    BYTES("") },
	{ "CRLF.NUL CRLF", BYTES("a\r\n.\0\r\nb\r\n.\r\n"), DATA_REFUSE,
	    DATA_FAULT_NUL, BYTES(""), BYTES("") },
	{ "CRLF.CRLF within is the end", BYTES("a\r\n.\r\nb\r\n.\r\n"),
	    DATA_REFUSE, DATA_FAULT_NONE, BYTES("a\r\n"), BYTES("b\r\n.\r\n") },
	{ "LF becomes CRLF", BYTES("a\nb\r\n.\r\n"), DATA_NORMALISE,
	    DATA_FAULT_NONE, BYTES("a\r\nb\r\n"), BYTES("") },
	{ "CR becomes CRLF", BYTES("a\rb\r\n.\r\n"), DATA_NORMALISE,
	    DATA_FAULT_NONE, BYTES("a\r\nb\r\n"), BYTES("") },
	{ "dots behind LF stay", BYTES("a\n..\nb\r\n.\r\n"), DATA_NORMALISE,
	    DATA_FAULT_NONE, BYTES("a\r\n..\r\nb\r\n"), BYTES("") },
	{ "LF.CRLF becomes a line with a dot", BYTES("a\n.\r\nb\r\n.\r\n"),
	    DATA_NORMALISE, DATA_FAULT_NONE, BYTES("a\r\n.\r\nb\r\n"),
	    BYTES("") },
	{ "CRLF.LF becomes an empty line", BYTES("a\r\n.\nb\r\n.\r\n"),
	    DATA_NORMALISE, DATA_FAULT_NONE, BYTES("a\r\n\r\nb\r\n"),
	    BYTES("") },
	{ "CRLF.CR becomes a line with a dot", BYTES("a\r\n.\rb\r\n.\r\n"),
	    DATA_NORMALISE, DATA_FAULT_NONE, BYTES("a\r\n.\r\nb\r\n"),
	    BYTES("") },
	{ "CRCRLF becomes two ends", BYTES("a\r\r\n.\r\n"), DATA_NORMALISE,
	    DATA_FAULT_NONE, BYTES("a\r\n\r\n"), BYTES("") },
	{ "NUL stays a fault", BYTES("a\0\r\n.\r\n"), DATA_NORMALISE,
	    DATA_FAULT_NUL, BYTES(""), BYTES("") },
	{ "8 bits", BYTES("\x93\xfa\r\n.\r\n"), DATA_REFUSE, DATA_FAULT_NONE,
	    BYTES("\x93\xfa\r\n"), BYTES("") },
};

/* Gives the input in two pieces, then reads all. */
static enum data_answer
drive(struct data *d, struct bytes in, size_t cut, struct buf *out,
    struct bytes *rest)
{
	struct bytes parts[2] = { { in.p, cut }, { in.p + cut, in.n - cut } };
	struct bytes piece;
	enum data_answer a = DATA_MORE;

	for (size_t i = 0; i < 2 && a != DATA_END; i++) {
		*rest = parts[i];
		while ((a = data_take(d, rest, &piece)) == DATA_PIECE)
			ck_assert_int_eq(buf_append(out, piece), 0);
		if (a == DATA_END && i == 0)
			rest->n += parts[1].n; /* they stand in one row */
	}
	return a;
}

START_TEST(data_ends_with_one_sequence_alone)
{
	for (size_t cut = 0; cut <= cases[_i].in.n; cut++) {
		struct data d;
		struct buf out;
		struct bytes rest;

		buf_init(&out, 1024);
		data_begin(&d, cases[_i].lines, 1024);
		ck_assert_msg(
		    drive(&d, cases[_i].in, cut, &out, &rest) == DATA_END,
		    "%s, cut at %zu: no end", cases[_i].name, cut);
		ck_assert_msg(d.fault == cases[_i].fault,
		    "%s, cut at %zu: fault %d", cases[_i].name, cut, d.fault);
		ck_assert_msg(bytes_equal(rest, cases[_i].rest),
		    "%s, cut at %zu: rest \"%.*s\"", cases[_i].name, cut,
		    BYTES_PRINTF(rest));
		if (d.fault == DATA_FAULT_NONE)
			ck_assert_msg(
			    bytes_equal(buf_bytes(&out), cases[_i].content),
			    "%s, cut at %zu: content \"%.*s\"", cases[_i].name,
			    cut, BYTES_PRINTF(buf_bytes(&out)));
		buf_release(&out);
	}
}
END_TEST

START_TEST(data_counts)
{
	struct data d;
	struct buf out;
	struct bytes rest;
	const struct bytes in = BYTES("abc\r\n..\r\n\xe3\r\n.\r\n");

	for (size_t max = 10; max <= 11; max++) {
		buf_init(&out, 1024);
		data_begin(&d, DATA_REFUSE, max);
		ck_assert_int_eq(drive(&d, in, 0, &out, &rest), DATA_END);
		ck_assert_int_eq(
		    d.fault, max == 11 ? DATA_FAULT_NONE : DATA_FAULT_SIZE);
		ck_assert_uint_eq(d.size, 11);
		ck_assert_uint_eq(d.longest, 5);
		ck_assert(d.eight_bit);
		buf_release(&out);
	}
	buf_init(&out, 1024);
	data_begin(&d, DATA_REFUSE, 1024);
	ck_assert_int_eq(
	    drive(&d, BYTES("a\r\n.\r\n"), 0, &out, &rest), DATA_END);
	ck_assert(!d.eight_bit);
	buf_release(&out);
}
END_TEST

Suite *
data_suite(void)
{
	Suite *s = suite_create("data");
	TCase *t = tcase_create("data");

	tcase_add_loop_test(
	    t, data_ends_with_one_sequence_alone, 0, (int)COUNT(cases));
	tcase_add_test(t, data_counts);
	suite_add_tcase(s, t);
	return s;
}
