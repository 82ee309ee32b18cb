/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/parcels.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

static struct bytes
key_of(uint8_t room[PARCEL_KEY_N], unsigned n)
{
	memset(room, 0, PARCEL_KEY_N);
	memcpy(room, &n, sizeof(n));
	return (struct bytes){ room, PARCEL_KEY_N };
}

static enum parcel_state
state_of(struct parcels *p, unsigned n)
{
	uint8_t room[PARCEL_KEY_N];

	return parcels_find(p, key_of(room, n)).state;
}

static void
keep(struct parcels *p, const void *owner, unsigned n, enum parcel_state s)
{
	uint8_t room[PARCEL_KEY_N];

	parcels_keep(p, owner, key_of(room, n), s, BYTES("words"), -1);
}

START_TEST(parcels_are_found_as_they_are)
{
	struct loop *l = loop_new();
	struct parcels *p = parcels_new(l);
	uint8_t room[PARCEL_KEY_N];
	struct parcel_found f;

	ck_assert_int_eq(state_of(p, 1), PARCEL_UNKNOWN);
	keep(p, p, 1, PARCEL_PENDING);
	ck_assert_int_eq(state_of(p, 1), PARCEL_PENDING);
	keep(p, p, 1, PARCEL_READY);
	f = parcels_find(p, key_of(room, 1));
	ck_assert_int_eq(f.state, PARCEL_READY);
	ck_assert(bytes_equal(f.words, BYTES("words")));
	ck_assert_int_eq(state_of(p, 2), PARCEL_UNKNOWN);
	keep(p, p, 1, PARCEL_UNKNOWN);
	ck_assert_int_eq(state_of(p, 1), PARCEL_UNKNOWN);
	parcels_free(p);
	loop_free(l);
}
END_TEST

START_TEST(parcels_that_nobody_finishes_go_with_their_owner)
{
	struct loop *l = loop_new();
	struct parcels *p = parcels_new(l);

	keep(p, &l, 1, PARCEL_PENDING);
	keep(p, &l, 2, PARCEL_READY);
	keep(p, &p, 3, PARCEL_PENDING);
	parcels_owner_gone(p, &l);
	ck_assert_int_eq(state_of(p, 1), PARCEL_UNKNOWN);
	ck_assert_int_eq(state_of(p, 2), PARCEL_READY);
	ck_assert_int_eq(state_of(p, 3), PARCEL_PENDING);
	parcels_free(p);
	loop_free(l);
}
END_TEST

START_TEST(parcels_have_a_limit_and_the_oldest_goes)
{
	struct loop *l = loop_new();
	struct parcels *p = parcels_new(l);

	for (unsigned i = 0; i < PARCELS_MAX; i++)
		keep(p, p, i, PARCEL_READY);
	ck_assert_int_eq(state_of(p, 0), PARCEL_READY);
	keep(p, p, PARCELS_MAX, PARCEL_READY);
	ck_assert_int_eq(state_of(p, 0), PARCEL_UNKNOWN);
	ck_assert_int_eq(state_of(p, 1), PARCEL_READY);
	ck_assert_int_eq(state_of(p, PARCELS_MAX), PARCEL_READY);
	parcels_free(p);
	loop_free(l);
}
END_TEST

Suite *parcels_suite(void);

Suite *
parcels_suite(void)
{
	Suite *s = suite_create("parcels");
	TCase *t = tcase_create("parcels");

	tcase_add_test(t, parcels_are_found_as_they_are);
	tcase_add_test(t, parcels_that_nobody_finishes_go_with_their_owner);
	tcase_add_test(t, parcels_have_a_limit_and_the_oldest_goes);
	suite_add_tcase(s, t);
	return s;
}
