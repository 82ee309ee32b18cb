/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "proxy/base/buf.h"
#include "proxy/base/ipc.h"
#include "proxy/keysmith/keysmith.h"

#define HEAD "0123456789abcdef0123456789abcdef" /* a digest */

static const uint8_t letters[255] = { [0 ... 254] = 'a' };

static void
fill(struct leaf_order *o, size_t names, size_t name_n)
{
	*o = (struct leaf_order){ .names_n = names };
	memset(o->origin_digest, 7, sizeof(o->origin_digest));
	for (size_t i = 0; i < names && i < LEAF_NAMES_MAX; i++)
		o->names[i] = (struct bytes){ letters, name_n };
}

static const struct {
	const char *name;
	size_t names, name_n, limit;
	int want;
} packs[] = {
	{ "no name is refused", 0, 1, IPC_BODY_MAX, -1 },
	{ "an empty name is refused", 1, 0, IPC_BODY_MAX, -1 },
	{ "the most names go", LEAF_NAMES_MAX, 10, IPC_BODY_MAX, 0 },
	{ "one name more is refused", LEAF_NAMES_MAX + 1, 10, IPC_BODY_MAX,
	    -1 },
	{ "the longest name goes", 1, 253, IPC_BODY_MAX, 0 },
	{ "a longer name is refused", 1, 254, IPC_BODY_MAX, -1 },
	{ "an order at the limit goes", 2, 100, 34 + 202, 0 },
	{ "an order over the limit is refused", 2, 100, 34 + 201, -1 },
	{ "the longest message goes", 109, 149, IPC_BODY_MAX, 0 },
	{ "a longer message is refused", 109, 150, 2 * IPC_BODY_MAX, -1 },
};

START_TEST(order_pack_keeps_its_limits)
{
	struct leaf_order o;
	struct leaf_order back;
	struct buf b;

	buf_init(&b, packs[_i].limit);
	fill(&o, packs[_i].names, packs[_i].name_n);
	ck_assert_msg(
	    leaf_order_pack(&o, &b) == packs[_i].want, "%s", packs[_i].name);
	if (packs[_i].want == 0) {
		ck_assert(leaf_order_unpack(&back, buf_bytes(&b)) == 0);
		ck_assert_uint_eq(back.names_n, o.names_n);
		ck_assert_mem_eq(back.origin_digest, o.origin_digest, 32);
		for (size_t i = 0; i < o.names_n; i++)
			ck_assert(bytes_equal(back.names[i], o.names[i]));
	}
	buf_release(&b);
}
END_TEST

static const struct {
	const char *name;
	struct bytes body;
	int want;
} bodies[] = {
	{ "nothing", BYTES(""), -1 },
	{ "a digest alone", BYTES(HEAD), -1 },
	{ "no names", BYTES(HEAD "\0\0"), -1 },
	{ "one name", BYTES(HEAD "\0\1\1a"), 0 },
	{ "one name for RSA", BYTES(HEAD "\1\1\1a"), 0 },
	{ "a kind of key that is none", BYTES(HEAD "\2\1\1a"), -1 },
	{ "an empty name", BYTES(HEAD "\0\1\0"), -1 },
	{ "a name cut short", BYTES(HEAD "\0\1\2a"), -1 },
	{ "a name that is missing", BYTES(HEAD "\0\2\1a"), -1 },
	{ "bytes after the last name", BYTES(HEAD "\0\1\1ab"), -1 },
	{ "a count over the limit", BYTES(HEAD "\0\x81\1a"), -1 },
	{ "a length over the limit", BYTES(HEAD "\0\1\xfe"), -1 },
};

START_TEST(order_unpack_is_strict)
{
	struct leaf_order o;

	ck_assert_msg(leaf_order_unpack(&o, bodies[_i].body) == bodies[_i].want,
	    "%s", bodies[_i].name);
}
END_TEST

START_TEST(order_unpack_refuses_every_cut)
{
	struct leaf_order o;
	struct buf b;

	buf_init(&b, IPC_BODY_MAX);
	fill(&o, 3, 20);
	ck_assert(leaf_order_pack(&o, &b) == 0);
	for (size_t n = 0; n < b.n; n++)
		ck_assert(
		    leaf_order_unpack(&o, (struct bytes){ b.p, n }) == -1);
	buf_release(&b);
}
END_TEST

Suite *order_suite(void);

Suite *
order_suite(void)
{
	Suite *s = suite_create("order");
	TCase *t = tcase_create("order");

	tcase_add_loop_test(t, order_pack_keeps_its_limits, 0, COUNT(packs));
	tcase_add_loop_test(t, order_unpack_is_strict, 0, COUNT(bodies));
	tcase_add_test(t, order_unpack_refuses_every_cut);
	suite_add_tcase(s, t);
	return s;
}
