/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/original.h"

#include <check.h>

static struct bytes to[] = { BYTES_ROW("taro@city.test"),
	BYTES_ROW("\"a b\"@city.test"), BYTES_ROW("") };

static const struct original full = {
	.mail = BYTES_ROW("8Q7X-1A2B-3C4D"),
	.client = BYTES_ROW("192.0.2.1"),
	.helo = BYTES_ROW("mx.outside.test"),
	.protocol = BYTES_ROW("ESMTPS"),
	.body = BYTES_ROW("990019"),
	.route = BYTES_ROW("city"),
	.domain = BYTES_ROW("city.test"),
	.removed = BYTES_ROW("macro:1,link:2"),
	.sender = BYTES_ROW("a@outside.test"),
	.arrived = 1800000000,
	.skip = 77,
	.eight_bit = 1,
	.to = to,
	.to_n = COUNT(to),
};

static void
pack(const struct original *o, struct buf *out)
{
	buf_init(out, 65536);
	ck_assert_int_eq(original_pack(o, out), 0);
}

START_TEST(original_is_what_was_packed)
{
	struct arena a = { 0 };
	struct original got;
	struct buf one, two;

	pack(&full, &one);
	ck_assert_int_eq(original_unpack(&got, buf_bytes(&one), &a), 0);
	ck_assert(bytes_equal(got.route, full.route));
	ck_assert(bytes_equal(got.tls, BYTES("")));
	ck_assert_uint_eq(got.arrived, full.arrived);
	ck_assert_uint_eq(got.to_n, 3);
	ck_assert(bytes_equal(got.to[1], to[1]));
	pack(&got, &two);
	ck_assert(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
	buf_release(&one);
	buf_release(&two);
	arena_release(&a);
}
END_TEST

/* Cut anywhere between lines, it may have fewer recipients; else it is none. */
START_TEST(original_of_another_form_is_refused)
{
	struct arena a = { 0 };
	struct original got;
	struct buf b;

	pack(&full, &b);
	for (size_t n = 0; n < b.n; n++) {
		struct bytes part = { b.p, n };
		bool whole = n > 0 && b.p[n - 1] == '\n' &&
		    memmem(b.p, n, "\nto ", 4) != NULL;

		ck_assert_int_eq(
		    original_unpack(&got, part, &a), whole ? 0 : -1);
	}
	for (size_t i = 0; i + 4 < b.n; i++)
		if (memcmp(b.p + i, "\nto ", 4) == 0) {
			b.p[i + 1] = 'o';
			ck_assert_int_lt(
			    original_unpack(&got, buf_bytes(&b), &a), 0);
			b.p[i + 1] = 't';
		}
	buf_release(&b);
	arena_release(&a);
}
END_TEST

START_TEST(original_holds_no_line_in_a_value)
{
	struct original o = full;
	struct buf b;

	buf_init(&b, 65536);
	o.helo = BYTES("a\nsender b");
	ck_assert_int_lt(original_pack(&o, &b), 0);
	o.helo = BYTES("a\0b");
	ck_assert_int_lt(original_pack(&o, &b), 0);
	buf_release(&b);
	buf_init(&b, 100);
	ck_assert_int_lt(original_pack(&full, &b), 0);
	buf_release(&b);
}
END_TEST

Suite *original_suite(void);

Suite *
original_suite(void)
{
	Suite *s = suite_create("original");
	TCase *t = tcase_create("original");

	tcase_add_test(t, original_is_what_was_packed);
	tcase_add_test(t, original_of_another_form_is_refused);
	tcase_add_test(t, original_holds_no_line_in_a_value);
	suite_add_tcase(s, t);
	return s;
}
