/* SPDX-License-Identifier: Apache-2.0 */
/* What is believed of a file that was cut, changed, or made by somebody else.
 */
#include <check.h>
#include <endian.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/smtp/spool_file.h"
#include "tests/unit/smtp/spool_drive.h"

#define FILE_MAX 65536
#define NOTED 3 /* the mail with a note */
#define ENDED 5

static struct drive d;
static uint32_t all[1000];

/* One file as a process leaves it that is killed: six mails in two ticks,
 * one with a note, one ended. */
static struct {
	uint8_t bytes[FILE_MAX];
	size_t n;
	char path[512];
	uint64_t ends[8]; /* of the mail of that number */
} file;

static void
see_record(void *owner, const struct record *r, uint64_t at, struct bytes about,
    struct bytes note)
{
	(void)owner;
	(void)note;
	if (r->type == RECORD_ADD)
		file.ends[about.p[0]] = at + record_front(r) + r->content_n;
}

static void
see_damage(void *owner, uint64_t at, uint64_t n)
{
	(void)owner;
	ck_abort_msg("%zu bytes at %zu", (size_t)n, (size_t)at);
}

static void
read_file(void)
{
	static const struct segment_events events = { see_record, see_damage };
	int folder = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *slash;
	struct segment *g;
	struct err e = { 0 };
	int fd;

	ck_assert_uint_eq(drive_files(&d, ".spool", file.path), 1);
	fd = open(file.path, O_RDONLY | O_CLOEXEC);
	slash = strrchr(file.path, '/');
	g = segment_take(folder, slash + 1, &e);
	ck_assert(g != NULL);
	segment_scan(g, &events, NULL);
	file.n = (size_t)g->end;
	ck_assert_uint_le(file.n, FILE_MAX);
	ck_assert(pread(fd, file.bytes, file.n, 0) == (ssize_t)file.n);
	segment_free(g, folder, SEGMENT_GOES);
	close(folder);
	close(fd);
}

static void
setup(void)
{
	static const uint32_t numbers[] = { 1, 2, NOTED, 4, ENDED, 6 };
	struct spool_mail *m, *ended = NULL;
	struct err e = { 0 };

	drive_init(&d);
	drive_open(&d);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		m = drive_add(&d, numbers[i]);
		if (numbers[i] == ENDED)
			ended = m;
		if (numbers[i] == NOTED)
			ck_assert(spool_note(d.spool, m, BYTES("n"), &e) == 0);
		if (i == 2)
			drive_tick(&d);
	}
	spool_end(d.spool, ended);
	drive_close(&d);
	read_file();
}

static void
teardown(void)
{
	drive_release(&d);
}

/* The file as it is now, under its name again. */
static void
put_file(const uint8_t *p, size_t n)
{
	int fd =
	    open(file.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

static size_t
clear_folder(void)
{
	char path[512];
	size_t n = drive_files(&d, ".damaged", path);

	if (n > 0)
		unlink(path);
	if (drive_files(&d, ".spool", path) > 0)
		unlink(path);
	return n;
}

/* drive_all has looked at each: it is whole. */
static bool
is_there(size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++)
		if (all[i] == number)
			return true;
	return false;
}

START_TEST(spool_file_cut_at_any_byte_keeps_what_is_before)
{
	for (size_t cut = 0; cut <= file.n; cut++) {
		size_t n;

		put_file(file.bytes, cut);
		drive_open(&d);
		n = drive_all(&d, all, COUNT(all));
		for (uint32_t i = 1; i <= 6; i++)
			if (i != ENDED)
				ck_assert_msg(
				    is_there(n, i) == (cut >= file.ends[i]),
				    "mail %u of a file cut at %zu", i, cut);
		/* What was found goes on: a tick later, and opened again. */
		drive_tick(&d);
		drive_tick(&d);
		drive_close(&d);
		drive_open(&d);
		ck_assert_uint_eq(drive_all(&d, all, COUNT(all)), n);
		drive_close(&d);
		clear_folder();
	}
}
END_TEST

/* Which mail owns that byte: a record's, its note's or its end's. 0: none. */
static uint32_t
owner_of(size_t at)
{
	uint32_t owner = 0;

	for (uint32_t i = 1; i <= 6; i++)
		if (at < file.ends[i] &&
		    (owner == 0 || file.ends[i] < file.ends[owner]))
			owner = i;
	return owner;
}

static void
count_mail(struct drive *whole, const struct spool_mail *m, size_t *n)
{
	struct bytes content;
	struct err e;

	if (spool_map(whole->spool, m, &content, &e) < 0)
		return;
	spool_unmap(whole->spool, content);
	all[(*n)++] = drive_number(whole, m);
}

static void
see_mail(void *owner, struct spool_mail *m)
{
	count_mail(&d, m, owner);
}

/* One bit of every byte: the mail it belongs to is lost or whole, the others
 * are there. Who is damaged in the middle is told when it is mapped. */
START_TEST(spool_file_with_any_byte_changed_keeps_the_others)
{
	static uint8_t changed[FILE_MAX];

	for (size_t at = 0; at < file.n; at++) {
		uint32_t owner = owner_of(at);
		size_t n = 0;

		memcpy(changed, file.bytes, file.n);
		changed[at] ^= (uint8_t)(1 << at % 8);
		put_file(changed, file.n);
		drive_open(&d);
		spool_each(d.spool, see_mail, &n);
		for (uint32_t i = 1; i <= 6; i++)
			if (i != ENDED && i != owner)
				ck_assert_msg(is_there(n, i),
				    "mail %u, byte %zu changed", i, at);
		for (size_t i = 0; i < n; i++)
			ck_assert(all[i] >= 1 && all[i] <= 6);
		/* Only the end itself brings it back. */
		if (is_there(n, ENDED))
			ck_assert_uint_ge(at, file.n - RECORD_HEAD);
		drive_close(&d);
		clear_folder();
	}
}
END_TEST

/* A mail that says what a record says is content, whatever is damaged. */
START_TEST(spool_file_within_a_mail_is_no_file)
{
	struct bytes pieces[] = { { file.bytes, file.n } };
	static uint8_t whole[FILE_MAX * 2];
	struct err e = { 0 };
	char path[512];
	size_t n = 0;
	ssize_t got;
	int fd;

	drive_open(&d);
	ck_assert(spool_add(d.spool, BYTES("abcd"), pieces, 1, &e) != NULL);
	drive_add(&d, 7);
	drive_close(&d);
	ck_assert_uint_eq(drive_files(&d, ".spool", path), 1);
	fd = open(path, O_RDWR | O_CLOEXEC);
	got = pread(fd, whole, sizeof(whole), 0);
	ck_assert(got > 0);
	whole[0] ^= 1; /* its head */
	ck_assert(pwrite(fd, whole, 1, 0) == 1);
	close(fd);
	drive_open(&d);
	ck_assert_uint_eq(d.found, 1);
	spool_each(d.spool, see_mail, &n);
	ck_assert(n == 1 && all[0] == 7);
}
END_TEST

static void
end_mail(void *owner, struct spool_mail *m)
{
	(void)owner;
	spool_end(d.spool, m);
}

START_TEST(spool_file_damaged_in_the_middle_is_put_aside)
{
	char path[512];

	file.bytes[0] ^= 1;
	put_file(file.bytes, file.n);
	drive_open(&d);
	for (uint32_t i = 2; i <= 6; i++)
		if (i != ENDED)
			ck_assert(is_there(drive_all(&d, all, COUNT(all)), i));
	spool_each(d.spool, end_mail, NULL);
	drive_close(&d);
	ck_assert_uint_eq(drive_files(&d, ".damaged", path), 1);
	ck_assert_uint_eq(drive_files(&d, ".spool", path), 0);
	drive_open(&d);
	ck_assert_uint_eq(d.found, 0);
	drive_close(&d);
	ck_assert_uint_eq(clear_folder(), 1);
}
END_TEST

static void
find_damaged(void *owner, struct spool_mail *m)
{
	struct bytes content;
	struct err e = { 0 };

	if (m->about.p[0] != 2)
		return;
	ck_assert_int_eq(spool_map(d.spool, m, &content, &e), -1);
	ck_assert(strstr(e.text, "is damaged") != NULL);
	spool_end(d.spool, m);
	++*(size_t *)owner;
}

/* A later record vouches for it, so it is found; but it is never given. */
START_TEST(spool_file_with_a_damaged_content_is_put_aside)
{
	char path[512];
	size_t n = 0;

	file.bytes[file.ends[2] - 1] ^= 1;
	put_file(file.bytes, file.n);
	drive_open(&d);
	ck_assert_uint_eq(d.found, 5);
	spool_each(d.spool, find_damaged, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(drive_all(&d, all, COUNT(all)), 4);
	spool_each(d.spool, end_mail, NULL);
	drive_close(&d);
	ck_assert_uint_eq(drive_files(&d, ".damaged", path), 1);
}
END_TEST

static const struct {
	const char *name;
	size_t n;
} strange[] = {
	{ "0-1-0000000000000000.spool", 100 }, /* no key */
	{ "0-1-000000000000001g.spool", 100 },
	{ "0000000000000000001.spool", 100 },
	{ ".spool", 100 },
	{ "x", 100 },
	{ "0-1-0000000000000001.spool", 0 },       /* empty: goes */
	{ "0-1-0000000000000001.spool.new", 100 }, /* never finished: goes */
	{ "0-1-0000000000000001.spool.damaged", 100 },
};

START_TEST(spool_file_is_known_by_its_name)
{
	char path[512];
	bool goes =
	    strange[_i].n == 0 || strstr(strange[_i].name, ".new") != NULL;

	snprintf(
	    file.path, sizeof(file.path), "%s/%s", d.path, strange[_i].name);
	put_file(file.bytes, strange[_i].n);
	drive_open(&d);
	ck_assert_uint_eq(d.found, 0);
	drive_close(&d);
	ck_assert_uint_eq(drive_files(&d, strange[_i].name, path), !goes);
}
END_TEST

/* SipHash-1-3 by the book. */
static uint64_t
openssl_sum(EVP_MAC *mac, struct bytes b, uint64_t key, uint64_t tweak)
{
	unsigned compress = 1, finish = 3, size = 8;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &compress),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &finish),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *c = EVP_MAC_CTX_new(mac);
	uint64_t keys[] = { htole64(key), htole64(tweak) };
	uint8_t out[8];
	uint64_t sum;
	size_t n;

	ck_assert(
	    EVP_MAC_init(c, (const uint8_t *)keys, sizeof(keys), params) == 1);
	ck_assert(EVP_MAC_update(c, b.p, b.n) == 1);
	ck_assert(EVP_MAC_final(c, out, &n, sizeof(out)) == 1 && n == 8);
	EVP_MAC_CTX_free(c);
	memcpy(&sum, out, sizeof(sum));
	return le64toh(sum);
}

START_TEST(spool_sum_is_siphash_1_3)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	struct sum s;

	ck_assert(mac != NULL);
	for (size_t n = 0; n < 100; n++) {
		struct bytes b = { file.bytes, n };

		sum_init(&s, 0x0706050403020100, n);
		sum_add(&s, b);
		ck_assert_uint_eq(
		    sum_end(&s), openssl_sum(mac, b, 0x0706050403020100, n));
	}
	EVP_MAC_free(mac);
}
END_TEST

/* However it is cut, the sum is the same. */
START_TEST(spool_sum_is_the_same_at_every_cut)
{
	struct bytes b = { file.bytes, 50 };
	uint64_t want = 0;

	for (size_t cut = 0; cut <= b.n; cut++)
		for (size_t second = cut; second <= b.n; second++) {
			struct sum s;
			uint64_t got;

			sum_init(&s, 1, 2);
			sum_add(&s, (struct bytes){ b.p, cut });
			sum_add(&s, (struct bytes){ b.p + cut, second - cut });
			sum_add(
			    &s, (struct bytes){ b.p + second, b.n - second });
			got = sum_end(&s);
			want = want == 0 ? got : want;
			ck_assert_uint_eq(got, want);
		}
}
END_TEST

Suite *spool_files_suite(void);

Suite *
spool_files_suite(void)
{
	Suite *s = suite_create("spool");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, spool_file_cut_at_any_byte_keeps_what_is_before);
	tcase_add_test(t, spool_file_with_any_byte_changed_keeps_the_others);
	tcase_add_test(t, spool_file_within_a_mail_is_no_file);
	tcase_add_test(t, spool_file_damaged_in_the_middle_is_put_aside);
	tcase_add_test(t, spool_file_with_a_damaged_content_is_put_aside);
	tcase_add_loop_test(
	    t, spool_file_is_known_by_its_name, 0, COUNT(strange));
	tcase_add_test(t, spool_sum_is_siphash_1_3);
	tcase_add_test(t, spool_sum_is_the_same_at_every_cut);
	suite_add_tcase(s, t);
	return s;
}
