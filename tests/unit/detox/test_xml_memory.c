/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xml/memory.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

Suite *xml_memory_suite(void);

#define PIECES 2048
#define LARGEST 1200 /* both sides of what the room has pieces for */

struct held {
	uint8_t *p;
	size_t n;
	uint8_t sign;
};

static void
check_and_sign(struct held *h, size_t kept, uint8_t sign)
{
	bool same = true;

	for (size_t i = 0; i < kept; i++)
		same = same && h->p[i] == h->sign;
	ck_assert(same && (uintptr_t)h->p % 16 == 0);
	h->sign = sign;
	memset(h->p, sign, h->n);
}

START_TEST(xml_memory_is_nobody_elses)
{
	static struct held held[PIECES];
	uint32_t state = 1;

	for (unsigned i = 0; i < 100000; i++) {
		struct held *h;
		size_t n, had;

		state = state * 1664525 + 1013904223;
		h = &held[(state >> 8) % PIECES];
		n = 1 + (state >> 4) % LARGEST;
		had = h->n;
		if (h->p == NULL || state >> 30 == 0) {
			void *p = xml_memory_take_more(h->p, n);

			ck_assert_ptr_nonnull(p);
			h->p = p;
			h->n = n;
			check_and_sign(h, had < n ? had : n, (uint8_t)i);
		} else {
			check_and_sign(h, h->n, (uint8_t)i);
			xml_memory_give(h->p);
			*h = (struct held){ 0 };
		}
	}
	for (size_t i = 0; i < PIECES; i++)
		xml_memory_give(held[i].p);
}
END_TEST

START_TEST(xml_memory_is_taken_again)
{
	void *first = xml_memory_take(96);
	void *other = xml_memory_take(96);

	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_ne(first, other);
	xml_memory_give(first);
	ck_assert_ptr_ne(xml_memory_take(112), first);
	ck_assert_ptr_eq(xml_memory_take(81), first);
	/* A piece of 96 bytes has room for that. */
	ck_assert_ptr_eq(xml_memory_take_more(first, 96), first);
	ck_assert_ptr_ne(xml_memory_take_more(first, 97), first);
}
END_TEST

/* 5 MiB, more than the room has, and then pieces of all sizes. */
START_TEST(xml_memory_ends_with_the_room)
{
	static struct held held[20480];

	for (size_t i = 0; i < 20480; i++) {
		size_t n = i < 10240 ? 512 : 512 - i % 32 * 16;

		held[i] = (struct held){ xml_memory_take(n), n, 0 };
		check_and_sign(&held[i], 0, (uint8_t)~i);
	}
	for (size_t i = 0; i < 20480; i++) {
		check_and_sign(&held[i], held[i].n, 0);
		xml_memory_give(held[i].p);
	}
}
END_TEST

START_TEST(xml_memory_has_pieces_of_each_size)
{
	for (size_t n = 0; n <= 2048; n++) {
		uint8_t *p = xml_memory_take(n);

		ck_assert(n == 0 || p != NULL);
		memset(p, 1, n);
		xml_memory_give(p);
	}
	xml_memory_give(NULL);
}
END_TEST

Suite *
xml_memory_suite(void)
{
	Suite *s = suite_create("xml_memory");
	TCase *t = tcase_create("xml_memory");

	tcase_add_test(t, xml_memory_is_nobody_elses);
	tcase_add_test(t, xml_memory_is_taken_again);
	tcase_add_test(t, xml_memory_ends_with_the_room);
	tcase_add_test(t, xml_memory_has_pieces_of_each_size);
	suite_add_tcase(s, t);
	return s;
}
