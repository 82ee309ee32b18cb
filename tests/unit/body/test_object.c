/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/body/object.h"

#include <check.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALL ((size_t)4096) /* of one client, of four times as much */

static struct share
new_share(struct budget *b)
{
	const struct address client = { 0 };

	*b = (struct budget){ .max = 4 * ALL };
	return budget_share(b, &client);
}

static int
memory_of(struct bytes b)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert(fd >= 0);
	ck_assert(write(fd, b.p, b.n) == (ssize_t)b.n);
	return fd;
}

START_TEST(object_has_all_of_it_whenever_it_began)
{
	struct budget budget;
	struct object o;
	char text[16] = "";

	object_init(&o, new_share(&budget));
	ck_assert_int_eq(object_put(&o, BYTES("before ")), OBJECT_KEPT);
	ck_assert(object_begin(&o) == 0);
	ck_assert_int_eq(object_put(&o, BYTES("after")), OBJECT_KEPT);
	ck_assert_uint_eq(o.n, 12);
	ck_assert(pread(o.fd, text, sizeof(text), 0) == 12);
	ck_assert_str_eq(text, "before after");
	ck_assert_uint_eq(budget.all, 12);
	object_release(&o);
	ck_assert_uint_eq(budget.all, 0);
}
END_TEST

START_TEST(object_is_bounded_by_its_share)
{
	static const uint8_t zeros[ALL];
	struct budget budget;
	struct object o;

	object_init(&o, new_share(&budget));
	ck_assert_int_eq(
	    object_put(&o, (struct bytes){ zeros, ALL }), OBJECT_KEPT);
	ck_assert_int_eq(object_put(&o, BYTES("x")), OBJECT_FULL);
	ck_assert_uint_eq(budget.all, ALL);
	object_forget(&o);
	ck_assert_uint_eq(budget.all, 0);
	object_release(&o);
}
END_TEST

START_TEST(object_gives_what_stands_in_its_place)
{
	struct budget budget;
	struct bytes out;
	struct object o;

	object_init(&o, new_share(&budget));
	ck_assert_int_eq(object_put(&o, BYTES("what came")), OBJECT_KEPT);
	ck_assert(!object_ready(&o));
	ck_assert(object_replace(&o, memory_of(BYTES("instead")), 7));
	ck_assert_uint_eq(budget.all, 7);
	ck_assert(object_ready(&o) && object_take(&o, 4, &out));
	ck_assert(bytes_equal(out, BYTES("inst")));
	ck_assert(object_ready(&o) && object_take(&o, 4, &out));
	ck_assert(bytes_equal(out, BYTES("ead")));
	ck_assert(!object_ready(&o) && !object_take(&o, 4, &out));
	object_release(&o);
	ck_assert_uint_eq(budget.all, 0);
}
END_TEST

START_TEST(object_takes_nothing_larger_than_there_is_room)
{
	struct budget budget;
	struct object o;

	object_init(&o, new_share(&budget));
	ck_assert(object_replace(&o, memory_of(BYTES("")), 0));
	ck_assert(!object_ready(&o));
	ck_assert(!object_replace(&o, memory_of(BYTES("x")), ALL + 1));
	ck_assert_uint_eq(budget.all, 0);
	object_release(&o);
}
END_TEST

Suite *object_suite(void);

Suite *
object_suite(void)
{
	Suite *s = suite_create("object");
	TCase *t = tcase_create("object");

	tcase_add_test(t, object_has_all_of_it_whenever_it_began);
	tcase_add_test(t, object_is_bounded_by_its_share);
	tcase_add_test(t, object_gives_what_stands_in_its_place);
	tcase_add_test(t, object_takes_nothing_larger_than_there_is_room);
	suite_add_tcase(s, t);
	return s;
}
