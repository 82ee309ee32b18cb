/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/field.h"

#include <check.h>

#include "proxy/base/buf.h"

Suite *field_suite(void);

START_TEST(field_takes_fields_with_their_folds)
{
	struct bytes head = BYTES("A : 1\r\nodd\r\nb:2\r\n\t3\r\n \r\n\r\nC: "
				  "body\r\n");
	struct smtp_field f;

	ck_assert(field_take(&head, &f));
	ck_assert(bytes_equal(f.name, BYTES("A")));
	ck_assert(bytes_equal(f.value, BYTES(" 1")));
	ck_assert(field_take(&head, &f));
	ck_assert_uint_eq(f.name.n, 0);
	ck_assert(bytes_equal(f.all, BYTES("odd\r\n")));
	ck_assert(field_take(&head, &f));
	ck_assert(bytes_equal(f.value, BYTES("2\r\n\t3\r\n ")));
	ck_assert(bytes_equal(f.all, BYTES("b:2\r\n\t3\r\n \r\n")));
	ck_assert(!field_take(&head, &f));
}
END_TEST

/* got: addresses, "!" for what is none, each with a blank behind it. */
static const struct {
	const char *name;
	struct bytes value;
	const char *got;
} lists[] = {
	{ "one", BYTES_ROW(" a@b.test"), "a@b.test " },
	{ "with a name", BYTES_ROW("N M <a@B.test>"), "a@b.test " },
	{ "a name in quotes that has another",
	    BYTES_ROW("\"x@y.test, z\" <a@b.test>"), "a@b.test " },
	{ "a quote within quotes", BYTES_ROW("\"\\\"<c@d.test>\" <a@b.test>"),
	    "a@b.test " },
	{ "several, folded", BYTES_ROW("a@b.test,\r\n\t<c@d.test> , e@f.test"),
	    "a@b.test c@d.test e@f.test " },
	{ "a comment that has one", BYTES_ROW("(x@y.test, (z)) a@b.test (\\))"),
	    "a@b.test " },
	{ "a group", BYTES_ROW("G: a@b.test, <c@d.test>; , e@f.test"),
	    "a@b.test c@d.test e@f.test " },
	{ "nobody", BYTES_ROW("undisclosed-recipients:;"), "" },
	{ "nothing", BYTES_ROW(" \r\n\t,, "), "" },
	{ "a local part in quotes", BYTES_ROW("\"a b\"@c.test"),
	    "\"a b\"@c.test " },
	{ "a literal", BYTES_ROW("<a@[IPv6:2001:db8::1]>"),
	    "a@[ipv6:2001:db8::1] " },
	{ "UTF-8", BYTES_ROW("<太郎@関所.test>"), "太郎@xn--8ous75i.test " },
	{ "no address", BYTES_ROW("nobody, a@b.test"), "! a@b.test " },
	{ "a source route", BYTES_ROW("<@a.test:b@c.test>"), "! " },
	{ "two brackets", BYTES_ROW("<a@b.test> <c@d.test>"), "! " },
	{ "something behind", BYTES_ROW("<a@b.test> x"), "! " },
	{ "a name behind", BYTES_ROW("a@b.test x@y.test"), "! " },
	{ "no end", BYTES_ROW("<a@b.test, c@d.test"), "! " },
	{ "a quote without end", BYTES_ROW("\"a <c@d.test>, e@f.test"), "! " },
	{ "a comment without end", BYTES_ROW("a@b.test (, c@d.test"),
	    "a@b.test " },
	{ "brackets with nothing", BYTES_ROW("<>"), "! " },
	{ "without a domain", BYTES_ROW("<postmaster>"), "! " },
};

START_TEST(field_takes_addresses)
{
	struct bytes value = lists[_i].value;
	struct arena arena = { 0 };
	struct mail_address m;
	enum field_address what;
	struct buf got;

	buf_init(&got, 4096);
	while ((what = field_address_take(&value, &m, &arena)) !=
	    FIELD_ADDRESS_NONE)
		ck_assert_int_eq(what == FIELD_ADDRESS_BAD
			? buf_printf(&got, "! ")
			: buf_printf(&got, "%.*s@%.*s ", BYTES_PRINTF(m.local),
			      BYTES_PRINTF(m.domain)),
		    0);
	ck_assert_msg(bytes_equal(buf_bytes(&got), bytes_of(lists[_i].got)),
	    "%s: %.*s", lists[_i].name, BYTES_PRINTF(buf_bytes(&got)));
	buf_release(&got);
	arena_release(&arena);
}
END_TEST

/* However long a name is, what it belongs to is read. */
START_TEST(field_reads_behind_a_long_name)
{
	struct arena arena = { 0 };
	struct mail_address m;
	struct bytes value;
	struct buf list;

	buf_init(&list, 1 << 20);
	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(buf_append(&list, BYTES("long ")), 0);
	ck_assert_int_eq(buf_append(&list, BYTES("<a@b.test>, ")), 0);
	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(buf_append(&list, BYTES("x")), 0);
	ck_assert_int_eq(buf_append(&list, BYTES("@b.test")), 0);
	value = buf_bytes(&list);
	ck_assert_int_eq(field_address_take(&value, &m, &arena), FIELD_ADDRESS);
	ck_assert_int_eq(
	    field_address_take(&value, &m, &arena), FIELD_ADDRESS_BAD);
	ck_assert_int_eq(
	    field_address_take(&value, &m, &arena), FIELD_ADDRESS_NONE);
	buf_release(&list);
	arena_release(&arena);
}
END_TEST

Suite *
field_suite(void)
{
	Suite *s = suite_create("field");
	TCase *t = tcase_create("field");

	tcase_add_test(t, field_takes_fields_with_their_folds);
	tcase_add_loop_test(t, field_takes_addresses, 0, (int)COUNT(lists));
	tcase_add_test(t, field_reads_behind_a_long_name);
	suite_add_tcase(s, t);
	return s;
}
