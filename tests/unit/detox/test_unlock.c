/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/unlock.h"

#include <check.h>
#include <stdlib.h>

#include "proxy/answer/unlock.h"

Suite *unlock_suite(void);

static const struct unlock_order order = {
	.token = { 1, 2, 0xfe },
	.body = BYTES_ROW("990019"),
	.client = BYTES_ROW("192.0.2.1"),
	.password = BYTES_ROW("secret"),
};
static const struct unlock_answer said = {
	.state = UNLOCK_WRONG,
	.tries = 4,
	.arrived = 1,
	.until = 2,
	.sender = BYTES_ROW("a@b.test"),
	.subject = BYTES_ROW("<b>&"),
	.files = BYTES_ROW("a.zip\nb.zip\n"),
};

/* Bytes of exactly that size, so that the sanitizer sees a read beyond. */
static int
unpack_order(struct unlock_order *o, struct bytes b)
{
	uint8_t *copy = malloc(b.n + 1);
	int result;

	memcpy(copy, b.p, b.n);
	result = unlock_order_unpack(o, (struct bytes){ copy, b.n });
	free(copy);
	return result;
}

START_TEST(unlock_order_is_read_as_it_was_written)
{
	struct unlock_order got;
	struct bytes all;
	struct buf b;

	buf_init(&b, 1024);
	ck_assert_int_eq(unlock_order_pack(&order, &b), 0);
	all = buf_bytes(&b);
	ck_assert_int_eq(unlock_order_unpack(&got, all), 0);
	ck_assert_mem_eq(got.token, order.token, sizeof(got.token));
	ck_assert(bytes_equal(got.body, order.body));
	ck_assert(bytes_equal(got.client, order.client));
	ck_assert(bytes_equal(got.password, order.password));
	for (size_t n = 0; n < all.n; n++)
		ck_assert_int_eq(
		    unpack_order(&got, (struct bytes){ all.p, n }), -1);
	ck_assert_int_eq(buf_append_string(&b, "x"), 0);
	ck_assert_int_eq(unpack_order(&got, buf_bytes(&b)), -1);
	buf_release(&b);
}
END_TEST

START_TEST(unlock_answer_is_read_as_it_was_written)
{
	struct unlock_answer got;
	struct bytes all;
	struct buf b;

	buf_init(&b, 1024);
	ck_assert_int_eq(unlock_answer_pack(&said, &b), 0);
	all = buf_bytes(&b);
	ck_assert_int_eq(unlock_answer_unpack(&got, all), 0);
	ck_assert_int_eq(got.state, UNLOCK_WRONG);
	ck_assert_uint_eq(got.tries, 4);
	ck_assert(bytes_equal(got.files, said.files));
	for (size_t n = 0; n < all.n; n++)
		ck_assert_int_eq(
		    unlock_answer_unpack(&got, (struct bytes){ all.p, n }), -1);
	b.p[0] = UNLOCK_STATES;
	ck_assert_int_eq(unlock_answer_unpack(&got, all), -1);
	buf_release(&b);
}
END_TEST

START_TEST(unlock_token_is_hexadecimal)
{
	uint8_t got[UNLOCK_TOKEN_N];
	char text[UNLOCK_TOKEN_HEX + 1];

	unlock_token_text(order.token, text);
	ck_assert_str_eq(text, "0102fe00000000000000000000000000");
	ck_assert_int_eq(unlock_token_parse(got, bytes_of(text)), 0);
	ck_assert_mem_eq(got, order.token, sizeof(got));
	text[3] = 'g';
	ck_assert_int_eq(unlock_token_parse(got, bytes_of(text)), -1);
	text[3] = '\0';
	ck_assert_int_eq(unlock_token_parse(got, bytes_of(text)), -1);
}
END_TEST

START_TEST(unlock_page_shows_the_mail_as_text)
{
	static const struct prefecture_settings p = { .code = "990001",
		.name_ja = "関所県",
		.name_en = "Sekisho",
		.contact = "000",
		.proxy = "",
		.proxy_tls = "" };
	struct unlock_answer a = said;
	struct buf out;

	a.state = (enum unlock_state)_i;
	buf_init(&out, 65536);
	ck_assert_int_eq(
	    answer_unlock_page(&p, NULL, BYTES("en"), "0102", &a, &out), 0);
	ck_assert_int_eq(buf_append(&out, BYTES("\0")), 0);
	ck_assert_ptr_nonnull(strstr((char *)out.p, "&lt;b&gt;&amp;"));
	ck_assert_ptr_nonnull(strstr((char *)out.p, "<dd>b.zip</dd>"));
	ck_assert_ptr_nonnull(strstr((char *)out.p, "<dd>000</dd>"));
	ck_assert_ptr_null(strstr((char *)out.p, "<script"));
	ck_assert((strstr((char *)out.p, "type=\"password\"") != NULL) ==
	    (a.state == UNLOCK_WAITS || a.state == UNLOCK_WRONG ||
		a.state == UNLOCK_SOON));
	ck_assert_uint_ge(answer_unlock_status(&a), 200);
	buf_release(&out);
}
END_TEST

Suite *
unlock_suite(void)
{
	Suite *s = suite_create("unlock");
	TCase *c = tcase_create("unlock");

	tcase_add_test(c, unlock_order_is_read_as_it_was_written);
	tcase_add_test(c, unlock_answer_is_read_as_it_was_written);
	tcase_add_test(c, unlock_token_is_hexadecimal);
	tcase_add_loop_test(
	    c, unlock_page_shows_the_mail_as_text, 0, UNLOCK_STATES);
	suite_add_tcase(s, c);
	return s;
}
