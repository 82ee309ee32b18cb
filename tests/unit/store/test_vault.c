/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/vault.h"

#include <check.h>
#include <sys/mman.h>
#include <unistd.h>

#define N 1000

static const struct vault_name name = { BYTES_ROW("8Q7X-1"),
	BYTES_ROW("route city\n") };

static struct vault *
vault_of(uint8_t first, size_t n)
{
	uint8_t key[VAULT_KEY_SIZE + 1] = { first };
	int fd = memfd_create("key", MFD_CLOEXEC);
	struct vault *v;
	struct err e = { 0 };

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, key, n), (ssize_t)n);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	v = vault_new(fd, &e);
	ck_assert_int_eq(v == NULL, e.text[0] != '\0');
	close(fd);
	return v;
}

static void
fill(uint8_t p[N])
{
	for (size_t i = 0; i < N; i++)
		p[i] = (uint8_t)(i * 7);
}

/* In two pieces. */
static void
seal(const struct vault *v, uint8_t p[N], size_t cut, struct vault_lock *lock)
{
	struct vault_work *w = vault_seal(v, &name, lock);

	vault_pass(w, (struct bytes){ p, cut }, p);
	vault_pass(w, (struct bytes){ p + cut, N - cut }, p + cut);
	vault_seal_end(w, lock);
}

/* 0: opened; 1: the key did not; 2: the content did not. */
static int
try(const struct vault *v, const struct vault_name *as,
    const struct vault_lock *lock, uint8_t p[N])
{
	struct vault_work *w = vault_open(v, as, lock);

	if (w == NULL)
		return 1;
	vault_pass(w, (struct bytes){ p, N }, p);
	return vault_open_end(w, lock) < 0 ? 2 : 0;
}

START_TEST(vault_opens_what_it_sealed)
{
	struct vault *v = vault_of(1, VAULT_KEY_SIZE);
	uint8_t want[N], got[N];
	struct vault_lock lock;

	fill(want);
	for (size_t cut = 0; cut <= N; cut += 37) {
		fill(got);
		seal(v, got, cut, &lock);
		ck_assert(memcmp(want, got, N) != 0);
		ck_assert_int_eq(try(v, &name, &lock, got), 0);
		ck_assert_mem_eq(want, got, N);
	}
	vault_free(v);
}
END_TEST

/* No byte of what is kept can be changed. */
START_TEST(vault_sees_each_changed_byte)
{
	struct vault *v = vault_of(1, VAULT_KEY_SIZE);
	uint8_t sealed[N], p[N];
	struct vault_lock lock, changed;

	fill(sealed);
	seal(v, sealed, N, &lock);
	for (size_t i = 0; i < sizeof(lock); i++) {
		changed = lock;
		((uint8_t *)&changed)[i] ^= 1;
		memcpy(p, sealed, N);
		ck_assert_int_ne(try(v, &name, &changed, p), 0);
	}
	for (size_t i = 0; i < N; i++) {
		memcpy(p, sealed, N);
		p[i] ^= 0x80;
		ck_assert_int_eq(try(v, &name, &lock, p), 2);
	}
	vault_free(v);
}
END_TEST

static const struct {
	const char *what;
	struct vault_name as;
} others[] = {
	{ "another id", { BYTES_ROW("8Q7X-2"), BYTES_ROW("route city\n") } },
	{ "other words", { BYTES_ROW("8Q7X-1"), BYTES_ROW("route toge\n") } },
	{ "the same bytes, cut elsewhere",
	    { BYTES_ROW("8Q7X-"), BYTES_ROW("1route city\n") } },
	{ "nothing", { BYTES_ROW(""), BYTES_ROW("") } },
};

START_TEST(vault_opens_nothing_in_anothers_place)
{
	struct vault *v = vault_of(1, VAULT_KEY_SIZE);
	uint8_t p[N];
	struct vault_lock lock;

	fill(p);
	seal(v, p, N, &lock);
	ck_assert_msg(
	    try(v, &others[_i].as, &lock, p) == 1, "%s", others[_i].what);
	vault_free(v);
}
END_TEST

START_TEST(vault_opens_with_its_own_key_alone)
{
	struct vault *v = vault_of(1, VAULT_KEY_SIZE);
	struct vault *other = vault_of(2, VAULT_KEY_SIZE);
	uint8_t p[N];
	uint8_t mark[2][VAULT_MARK_SIZE];
	struct vault_lock lock;

	fill(p);
	seal(v, p, N, &lock);
	ck_assert_int_eq(try(other, &name, &lock, p), 1);
	vault_mark(v, mark[0]);
	vault_mark(other, mark[1]);
	ck_assert_mem_ne(mark[0], mark[1], VAULT_MARK_SIZE);
	vault_free(other);
	vault_free(v);
}
END_TEST

START_TEST(vault_wants_a_key_of_its_size)
{
	ck_assert_ptr_null(vault_of(1, 0));
	ck_assert_ptr_null(vault_of(1, VAULT_KEY_SIZE - 1));
	ck_assert_ptr_null(vault_of(1, VAULT_KEY_SIZE + 1));
}
END_TEST

/* Two of the same content have nothing in common. */
START_TEST(vault_seals_with_a_new_key_each_time)
{
	struct vault *v = vault_of(1, VAULT_KEY_SIZE);
	uint8_t a[N], b[N];
	struct vault_lock locks[2];

	fill(a);
	fill(b);
	seal(v, a, N, &locks[0]);
	seal(v, b, N, &locks[1]);
	ck_assert_mem_ne(a, b, N);
	ck_assert_mem_ne(locks[0].nonce, locks[1].nonce, 12);
	ck_assert_mem_ne(locks[0].wrapped, locks[1].wrapped, VAULT_KEY_SIZE);
	vault_free(v);
}
END_TEST

Suite *vault_suite(void);

Suite *
vault_suite(void)
{
	Suite *s = suite_create("vault");
	TCase *t = tcase_create("vault");

	tcase_add_test(t, vault_opens_what_it_sealed);
	tcase_add_test(t, vault_sees_each_changed_byte);
	tcase_add_loop_test(
	    t, vault_opens_nothing_in_anothers_place, 0, COUNT(others));
	tcase_add_test(t, vault_opens_with_its_own_key_alone);
	tcase_add_test(t, vault_wants_a_key_of_its_size);
	tcase_add_test(t, vault_seals_with_a_new_key_each_time);
	suite_add_tcase(s, t);
	return s;
}
