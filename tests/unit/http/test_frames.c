/* SPDX-License-Identifier: Apache-2.0 */
/* What a client says over a WebSocket, in any pieces; RFC 6455 section 5. */
#include "proxy/http/frames.h"

#include <check.h>
#include <string.h>

#include "proxy/base/arena.h"

Suite *frames_suite(void);

/* What was read, as text: data as it is, "|" a message's end, "^" a control
 * frame, "!" and the reason. */
static const char *
read_cut(struct arena *a, struct bytes b, size_t cut, bool *between)
{
	struct bytes pieces[2] = { bytes_take(&b, cut), b };
	struct frames f = { 0 };
	const char *said = "";

	for (int i = 0; i < 2; i++) {
		enum frames_event e = FRAMES_DATA;
		struct bytes data = { 0 };

		while (e != FRAMES_MORE) {
			e = frames_next(&f, &pieces[i], &data);
			if (e == FRAMES_BAD)
				return arena_printf(a, "%s!%s", said, f.why);
			if (e == FRAMES_DATA || e == FRAMES_CONTROL)
				said = arena_printf(
				    a, "%s%.*s", said, BYTES_PRINTF(data));
			if (e == FRAMES_MESSAGE || e == FRAMES_CONTROL)
				said = arena_printf(a, "%s%s", said,
				    e == FRAMES_MESSAGE ? "|" : "^");
		}
	}
	*between = frames_between(&f);
	return said;
}

#define MASK "\0\0\0\0"

static const struct {
	struct bytes bytes;
	const char *said;
	bool between;
} rows[] = {
	/* section 5.7: a single-frame masked text message */
	{ BYTES_ROW("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "Hello|",
	    true },
	{ BYTES_ROW("\x01\x83" MASK "Hel\x80\x82" MASK "lo"), "Hello|", true },
	{ BYTES_ROW("\x01\x83" MASK "Hel\x89\x82" MASK "ab\x80\x82" MASK "lo"),
	    "Helab^lo|", true },
	{ BYTES_ROW("\x82\x80" MASK "\x81\x81" MASK "a"), "|a|", true },
	{ BYTES_ROW("\x88\x82" MASK "\x03\xe8"), "\x03\xe8^", true },
	{ BYTES_ROW("\x01\x81" MASK "a"), "a", false },
	{ BYTES_ROW("\x81\x85" MASK "ab"), "ab", false },
	{ BYTES_ROW("\x81"), "", false },
	{ BYTES_ROW("\xc1\x81" MASK "a"),
	    "!a WebSocket frame with reserved bits", false },
	{ BYTES_ROW("\x83\x81" MASK "a"), "!a WebSocket frame of no known kind",
	    false },
	{ BYTES_ROW("\x8b\x81" MASK "a"), "!a WebSocket frame of no known kind",
	    false },
	{ BYTES_ROW("\x81\x01"), "!a WebSocket frame without a mask", false },
	{ BYTES_ROW("\x09\x81" MASK "a"), "!a control frame in pieces", false },
	{ BYTES_ROW("\x89\xfe"), "!a control frame over 125 bytes", false },
	{ BYTES_ROW("\x80\x81" MASK "a"),
	    "!a WebSocket frame that goes on with nothing", false },
	{ BYTES_ROW("\x01\x81" MASK "a\x81\x81" MASK "b"),
	    "a!a WebSocket message within another", false },
	{ BYTES_ROW("\x81\xfe\0\x7d" MASK),
	    "!the length of a WebSocket frame in a form that is not its own",
	    false },
	{ BYTES_ROW("\x81\xff\0\0\0\0\0\0\xff\xff" MASK),
	    "!the length of a WebSocket frame in a form that is not its own",
	    false },
	{ BYTES_ROW("\x81\xff\x80\0\0\0\0\1\0\0" MASK),
	    "!the length of a WebSocket frame in a form that is not its own",
	    false },
};

START_TEST(frames_are_read_at_every_cut)
{
	struct arena a = { 0 };

	for (size_t cut = 0; cut <= rows[_i].bytes.n; cut++) {
		bool between = false;

		ck_assert_str_eq(
		    read_cut(&a, rows[_i].bytes, cut, &between), rows[_i].said);
		ck_assert_int_eq(between, rows[_i].between);
	}
	arena_release(&a);
}
END_TEST

/* Lengths at the border of each form. */
START_TEST(frames_have_lengths_of_three_forms)
{
	static const size_t sizes[] = { 125, 126, 65535, 65536, 100000 };
	struct arena a = { 0 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t n = sizes[i];
		uint8_t *p = arena_alloc(&a, n + 14);
		size_t at = 2;
		struct frames f = { 0 };
		struct bytes in, data;
		enum frames_event e = FRAMES_DATA;
		size_t got = 0;

		memset(p, 0, n + 14);
		p[0] = 0x82;
		p[1] = (uint8_t)(0x80 | (n < 126 ? n : n < 65536 ? 126 : 127));
		for (int b = n < 126 ? 0 : n < 65536 ? 2 : 8; b > 0; b--)
			p[at++] = (uint8_t)(n >> 8 * (b - 1));
		in = (struct bytes){ p, at + 4 + n };
		while (e == FRAMES_DATA) {
			e = frames_next(&f, &in, &data);
			got += e == FRAMES_DATA ? data.n : 0;
		}
		ck_assert_int_eq(e, FRAMES_MESSAGE);
		ck_assert_uint_eq(got, n);
		ck_assert(frames_between(&f));
	}
	arena_release(&a);
}
END_TEST

START_TEST(frames_close_with_a_status)
{
	uint8_t out[FRAMES_CLOSE_N];

	frames_write_close(out, FRAMES_POLICY);
	ck_assert_mem_eq(out, "\x88\x02\x03\xf0", sizeof(out));
}
END_TEST

Suite *
frames_suite(void)
{
	Suite *s = suite_create("frames");
	TCase *t = tcase_create("frames");

	tcase_add_loop_test(t, frames_are_read_at_every_cut, 0, COUNT(rows));
	tcase_add_test(t, frames_have_lengths_of_three_forms);
	tcase_add_test(t, frames_close_with_a_status);
	suite_add_tcase(s, t);
	return s;
}
