/* SPDX-License-Identifier: Apache-2.0 */
/* What is coded anew is decoded to what it was. */
#include "filters/decode/encode.h"

#include <check.h>

#include "filters/decode/decode.h"
#include "proxy/base/arena.h"
#include "tests/unit/filters/drive.h"

Suite *encode_suite(void);

static const struct encode_settings fast = { 1 };
static const struct decode_settings gzip = { DECODE_GZIP, 2000, 0 };

static void
assert_same(const struct drive *d, struct bytes body)
{
	const struct drive back = {
		.type = &decode_filter, .settings = &gzip, .cut = 11
	};
	struct buf coded = { .max = 1 << 22 };
	struct buf plain = { .max = 1 << 22 };
	const char *why;

	drive_filter(d, body, &coded, &why);
	ck_assert_pstr_eq(why, NULL);
	drive_filter(&back, buf_bytes(&coded), &plain, &why);
	ck_assert_pstr_eq(why, NULL);
	ck_assert(bytes_equal(buf_bytes(&plain), body));
	buf_release(&coded);
	buf_release(&plain);
}

START_TEST(encode_is_undone_by_decode)
{
	struct drive d = { .type = &encode_filter, .settings = &fast };
	struct bytes body = BYTES("what is what is what, and what is not");

	for (d.cut = 0; d.cut <= body.n; d.cut++)
		for (d.room = 1; d.room < 60; d.room += 3)
			assert_same(&d, body);
	d.piece = 1;
	assert_same(&d, body);
	assert_same(&d, BYTES(""));
}
END_TEST

START_TEST(encode_takes_long_bodies)
{
	struct drive d = { .type = &encode_filter, .settings = &fast };
	struct arena a = { 0 };
	uint8_t *p = arena_alloc(&a, 1000000);
	uint32_t x = 1;

	for (size_t i = 0; i < 1000000; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)(x >> 29);
	}
	for (d.cut = 0; d.cut <= 1000000; d.cut += 333333)
		for (d.room = 1000; d.room <= 1000000; d.room *= 30)
			assert_same(&d, (struct bytes){ p, 1000000 });
	arena_release(&a);
}
END_TEST

/* A reader need not wait for the end. */
START_TEST(encode_gives_what_came)
{
	struct filter *f = filter_new(&encode_filter, &fast);
	struct decode *d = decode_new(&gzip);
	struct buf out = { .max = 4096 };
	struct bytes coded;
	uint8_t plain[64];
	const char *why;
	size_t n;

	ck_assert_int_eq(
	    filter_push(f, BYTES("event: 1\n"), false, &out), FILTER_GO);
	coded = buf_bytes(&out);
	ck_assert_int_eq(decode_some(d, &coded, plain, sizeof(plain), &n, &why),
	    DECODE_HUNGRY);
	ck_assert_uint_eq(n, 9);
	decode_free(d);
	filter_free(f);
	buf_release(&out);
}
END_TEST

Suite *
encode_suite(void)
{
	Suite *s = suite_create("encode");
	TCase *t = tcase_create("encode");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, encode_is_undone_by_decode);
	tcase_add_test(t, encode_takes_long_bodies);
	tcase_add_test(t, encode_gives_what_came);
	suite_add_tcase(s, t);
	return s;
}
