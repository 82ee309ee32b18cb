/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/forwarded.h"

#include <check.h>

static const struct {
	const char *name;
	const char *values[3]; /* of the fields, in their order */
	const char *want;      /* NULL: refused */
} cases[] = {
	{ "one address", { "192.0.2.1" }, "192.0.2.1" },
	{ "one IPv6 address", { "2001:db8::1" }, "2001:db8::1" },
	{ "the rightmost stranger", { "192.0.2.1, 192.0.2.2" }, "192.0.2.2" },
	{ "behind one trusted proxy", { "192.0.2.1, 10.0.0.1" }, "192.0.2.1" },
	{ "behind two trusted proxies", { "192.0.2.1,10.0.0.1,10.0.0.2" },
	    "192.0.2.1" },
	{ "what a client forged before it",
	    { "198.51.100.9, 192.0.2.1, 10.0.0.1" }, "192.0.2.1" },
	{ "a trusted address that a client forged",
	    { "10.0.0.9, 192.0.2.1, 10.0.0.1" }, "192.0.2.1" },
	{ "the leftmost when all are trusted", { "10.0.0.1, 10.0.0.2" },
	    "10.0.0.1" },
	{ "two fields are one list", { "192.0.2.1", "10.0.0.1" }, "192.0.2.1" },
	{ "the last field first", { "192.0.2.1", "192.0.2.2" }, "192.0.2.2" },
	{ "blanks and tabs", { " \t192.0.2.1 ,\t10.0.0.1 " }, "192.0.2.1" },
	{ "a trusted proxy as mapped address", { "192.0.2.1, ::ffff:10.0.0.1" },
	    "192.0.2.1" },
	{ "no field", { NULL }, NULL },
	{ "an empty field", { "" }, NULL },
	{ "an empty last member", { "192.0.2.1," }, NULL },
	{ "an empty member", { "192.0.2.1,,10.0.0.1" }, NULL },
	{ "an empty first member", { ",10.0.0.1" }, NULL },
	{ "a comma", { "," }, NULL },
	{ "an empty field before the last", { "", "10.0.0.1" }, NULL },
	{ "a name", { "a.test" }, NULL },
	{ "unknown", { "192.0.2.1, unknown, 10.0.0.1" }, NULL },
	{ "an address with its port", { "192.0.2.1:80" }, NULL },
	{ "brackets", { "[2001:db8::1]" }, NULL },
	{ "nonsense left of the client is not read", { "x, 192.0.2.1" },
	    "192.0.2.1" },
};

START_TEST(forwarded_client_is_the_rightmost_stranger)
{
	struct prefix trusted;
	struct field fields[4] = { { .value = BYTES("192.0.2.99") } };
	struct message m = { .fields = fields, .fields_n = 1 };
	struct address got;
	struct address want;
	int result;

	ck_assert(prefix_parse(&trusted, BYTES("10.0.0.0/8")) == 0);
	for (size_t i = 0; i < 3 && cases[_i].values[i] != NULL; i++)
		fields[m.fields_n++] = (struct field){
			.id = FIELD_X_FORWARDED_FOR,
			.value = bytes_of(cases[_i].values[i]),
		};
	result = forwarded_client(&trusted, 1, &m, &got);
	ck_assert_msg(
	    (result == 0) == (cases[_i].want != NULL), "%s", cases[_i].name);
	if (result < 0)
		return;
	ck_assert(address_parse(&want, bytes_of(cases[_i].want)) == 0);
	ck_assert_msg(address_equal(&got, &want), "%s", cases[_i].name);
}
END_TEST

Suite *forwarded_suite(void);

Suite *
forwarded_suite(void)
{
	Suite *s = suite_create("forwarded");
	TCase *t = tcase_create("forwarded");

	tcase_add_loop_test(
	    t, forwarded_client_is_the_rightmost_stranger, 0, COUNT(cases));
	suite_add_tcase(s, t);
	return s;
}
