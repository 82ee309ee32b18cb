/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/shelf.h"

#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/buf.h"
#include "tests/unit/apart.h"

#define BIG ((size_t)600 << 10) /* more than two pieces */

static struct vault *vault;
static struct shelf *shelf;
static char folder[] = "/tmp/sekisho-shelf-XXXXXX";
static char file[64];
static uint8_t content[BIG];
static struct arena arena;

static struct vault *
vault_of(uint8_t first)
{
	uint8_t key[VAULT_KEY_SIZE] = { first };
	int fd = memfd_create("key", MFD_CLOEXEC);
	struct err e;
	struct vault *v;

	ck_assert_int_eq(write(fd, key, sizeof(key)), sizeof(key));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	v = vault_new(fd, &e);
	close(fd);
	ck_assert_ptr_nonnull(v);
	return v;
}

static void
open_shelf(void)
{
	struct err e = { 0 };

	shelf = shelf_open(file, vault, &e);
	ck_assert_msg(shelf != NULL, "%s", e.text);
}

static void
reopen(void)
{
	shelf_close(shelf);
	open_shelf();
}

static void
setup(void)
{
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/originals.db", folder);
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 13 + i / 251);
	vault = vault_of(1);
	open_shelf();
}

static void
teardown(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char path[80];

	shelf_close(shelf);
	vault_free(vault);
	arena_release(&arena);
	for (size_t i = 0; i < COUNT(ends); i++) {
		snprintf(path, sizeof(path), "%s%s", file, ends[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* Of a mail, by number; its content tells which it is. */
static struct shelf_object
object(unsigned nth, size_t n)
{
	return (struct shelf_object){
		.mail = bytes_of(arena_printf(&arena, "MAIL-%u", nth)),
		.leg = bytes_of(arena_printf(&arena, "MAIL-%u city", nth)),
		.about = bytes_of(arena_printf(&arena, "about %u", nth)),
		.content = { content + nth, n },
		.now = 1000 + nth,
	};
}

static int
keep(unsigned nth, size_t n, char id[SHELF_ID_MAX], struct err *e)
{
	const struct shelf_object o = object(nth, n);

	return shelf_keep(shelf, &o, id, e);
}

static void
must_keep(unsigned nth, size_t n)
{
	char id[SHELF_ID_MAX];
	struct err e = { 0 };

	ck_assert_msg(keep(nth, n, id, &e) == 0, "%s", e.text);
}

static void
commit(void)
{
	struct err e = { 0 };

	ck_assert_msg(shelf_commit(shelf, &e) == 0, "%s", e.text);
}

static enum shelf_found
find(const char *id, struct shelf_row *r)
{
	struct err e;

	return shelf_find(shelf, bytes_of(id), r, &arena, &e);
}

static int
collect(void *owner, struct bytes piece, struct err *e)
{
	(void)e;
	return buf_append(owner, piece);
}

static void
must_read(unsigned nth, size_t n)
{
	char id[SHELF_ID_MAX];
	struct shelf_row r;
	struct buf out;
	struct err e = { 0 };

	snprintf(id, sizeof(id), "MAIL-%u", nth);
	ck_assert_int_eq(find(id, &r), SHELF_FOUND);
	ck_assert_uint_eq(r.bytes, n);
	buf_init(&out, 2 * BIG);
	ck_assert_msg(
	    shelf_read(shelf, &r, collect, &out, &e) == 0, "%s", e.text);
	ck_assert(
	    bytes_equal(buf_bytes(&out), (struct bytes){ content + nth, n }));
	buf_release(&out);
}

static const size_t sizes[] = { 0, 1, 262143, 262144, 262145, 524288,
	BIG - 100 };

START_TEST(shelf_gives_back_what_it_kept)
{
	struct shelf_counts c;
	uint64_t all = 0;

	for (unsigned i = 0; i < COUNT(sizes); i++)
		must_keep(i, sizes[i]);
	commit();
	for (int again = 0; again < 2; again++) {
		for (unsigned i = 0; i < COUNT(sizes); i++)
			must_read(i, sizes[i]);
		reopen();
	}
	for (unsigned i = 0; i < COUNT(sizes); i++)
		all += sizes[i];
	shelf_counts(shelf, &c);
	ck_assert_uint_eq(c.originals, COUNT(sizes));
	ck_assert_uint_eq(c.bytes, all);
}
END_TEST

START_TEST(shelf_keeps_a_leg_once)
{
	struct shelf_object o = object(1, 10);
	char id[SHELF_ID_MAX];
	struct shelf_counts c;
	struct err e;

	ck_assert_int_eq(shelf_keep(shelf, &o, id, &e), 0);
	ck_assert_str_eq(id, "MAIL-1");
	ck_assert_int_eq(shelf_keep(shelf, &o, id, &e), 0);
	ck_assert_str_eq(id, "MAIL-1");
	o.leg = BYTES("MAIL-1 toge");
	ck_assert_int_eq(shelf_keep(shelf, &o, id, &e), 0);
	ck_assert_str_eq(id, "MAIL-1.2");
	commit();
	reopen();
	ck_assert_int_eq(shelf_keep(shelf, &o, id, &e), 0);
	ck_assert_str_eq(id, "MAIL-1.2");
	shelf_counts(shelf, &c);
	ck_assert_uint_eq(c.originals, 2);
}
END_TEST

START_TEST(shelf_forgets_what_was_not_committed)
{
	struct shelf_row r;
	struct shelf_counts c;

	must_keep(1, 1000);
	commit();
	must_keep(2, 1000);
	ck_assert_int_eq(find("MAIL-2", &r), SHELF_FOUND);
	reopen();
	ck_assert_int_eq(find("MAIL-1", &r), SHELF_FOUND);
	ck_assert_int_eq(find("MAIL-2", &r), SHELF_NONE);
	shelf_counts(shelf, &c);
	ck_assert_uint_eq(c.originals, 1);
	ck_assert_uint_eq(c.bytes, 1000);
}
END_TEST

START_TEST(shelf_remembers_what_became_of_one)
{
	struct shelf_row r, got;
	struct err e;

	must_keep(1, 10);
	must_keep(2, 10);
	commit();
	ck_assert_int_eq(find("MAIL-2", &r), SHELF_FOUND);
	ck_assert_int_eq(r.state, SHELF_KEPT);
	ck_assert_str_eq(r.asked_by, "");
	ck_assert_uint_eq(r.kept, 1002);
	r.state = SHELF_APPROVED;
	snprintf(r.asked_by, sizeof(r.asked_by), "hanako(sudo)");
	snprintf(r.approved_by, sizeof(r.approved_by), "uid:1001");
	r.asked = 7;
	r.approved = 8;
	ck_assert_int_eq(shelf_change(shelf, &r, &e), 0);
	commit();
	reopen();
	ck_assert_int_eq(
	    shelf_find_state(shelf, SHELF_APPROVED, &got, &arena, &e),
	    SHELF_FOUND);
	ck_assert_str_eq(got.id, "MAIL-2");
	ck_assert_str_eq(got.asked_by, "hanako(sudo)");
	ck_assert_str_eq(got.approved_by, "uid:1001");
	ck_assert_uint_eq(got.asked + got.approved, 15);
	/* It is being handed over: its time is not over before that. */
	ck_assert_int_eq(
	    shelf_find_before(shelf, 1003, &got, &arena, &e), SHELF_FOUND);
	ck_assert_str_eq(got.id, "MAIL-1");
	ck_assert_int_eq(
	    shelf_find_before(shelf, 1001, &got, &arena, &e), SHELF_NONE);
}
END_TEST

START_TEST(shelf_deletes_for_good)
{
	struct shelf_row r;
	struct shelf_counts c;
	struct err e;

	must_keep(1, BIG - 10);
	must_keep(2, BIG - 10);
	commit();
	ck_assert_int_eq(find("MAIL-1", &r), SHELF_FOUND);
	ck_assert_int_eq(shelf_delete(shelf, &r, &e), 0);
	commit();
	shelf_scrub(shelf);
	ck_assert_int_eq(find("MAIL-1", &r), SHELF_NONE);
	must_read(2, BIG - 10);
	shelf_counts(shelf, &c);
	ck_assert_uint_eq(c.originals, 1);
	ck_assert_uint_eq(c.bytes, BIG - 10);
	must_keep(3, BIG - 10);
	commit();
	reopen();
	must_read(2, BIG - 10);
	must_read(3, BIG - 10);
}
END_TEST

/* The key of what was deleted is in none of the files. */
START_TEST(shelf_wipes_the_key_of_what_was_deleted)
{
	struct shelf_row r;
	uint8_t wrapped[VAULT_KEY_SIZE];
	struct err e;
	struct buf all;
	uint8_t piece[65536];
	static const char *const ends[] = { "", "-wal" };

	must_keep(1, 1000);
	commit();
	ck_assert_int_eq(find("MAIL-1", &r), SHELF_FOUND);
	memcpy(wrapped, r.lock.wrapped, sizeof(wrapped));
	for (int deleted = 0; deleted < 2; deleted++) {
		buf_init(&all, (size_t)64 << 20);
		for (size_t i = 0; i < COUNT(ends); i++) {
			char path[80];
			FILE *f;
			size_t n;

			snprintf(path, sizeof(path), "%s%s", file, ends[i]);
			f = fopen(path, "re");
			while (f != NULL &&
			    (n = fread(piece, 1, sizeof(piece), f)) > 0)
				ck_assert_int_eq(
				    buf_append(
					&all, (struct bytes){ piece, n }),
				    0);
			if (f != NULL)
				fclose(f);
		}
		ck_assert_int_eq(
		    memmem(all.p, all.n, wrapped, sizeof(wrapped)) != NULL,
		    !deleted);
		buf_release(&all);
		if (deleted)
			break;
		ck_assert_int_eq(shelf_delete(shelf, &r, &e), 0);
		commit();
		shelf_scrub(shelf);
	}
}
END_TEST

START_TEST(shelf_of_another_key_does_not_open)
{
	struct vault *other = vault_of(2);
	struct err e = { 0 };

	must_keep(1, 10);
	commit();
	shelf_close(shelf);
	ck_assert_ptr_null(shelf_open(file, other, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "not the key"));
	vault_free(other);
	open_shelf();
	must_read(1, 10);
}
END_TEST

static void
edit(const char *sql)
{
	sqlite3 *db;
	char *words = NULL;

	ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &words) == SQLITE_OK,
	    "%s", words);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* By somebody who has the disk and not the key. */
static const char *const edits[] = {
	"UPDATE originals SET id = 'MAIL-3' WHERE id = 'MAIL-1';"
	"UPDATE originals SET id = 'MAIL-1' WHERE id = 'MAIL-2'",
	"UPDATE originals SET about = x'00' WHERE id = 'MAIL-1'",
	"UPDATE originals SET lock = (SELECT lock FROM originals WHERE"
	" id = 'MAIL-2') WHERE id = 'MAIL-1'",
	"UPDATE originals SET lock = x'00' WHERE id = 'MAIL-1'",
	"DELETE FROM pieces WHERE number = (1 << 16) + 1",
	"UPDATE pieces SET number = (1 << 16) + 9 WHERE number = 1 << 16",
	"UPDATE pieces SET data = (SELECT data FROM pieces WHERE number = 2 <<"
	" 16) WHERE number = 1 << 16",
	"UPDATE pieces SET data = zeroblob(10) WHERE number = 1 << 16",
	"INSERT INTO pieces VALUES ((1 << 16) + 100, x'00')",
};

START_TEST(shelf_opens_nothing_that_was_changed)
{
	struct shelf_row r;
	struct buf out;
	struct err e = { 0 };

	must_keep(1, BIG - 10);
	must_keep(2, BIG - 10);
	commit();
	shelf_close(shelf);
	edit(edits[_i]);
	open_shelf();
	buf_init(&out, 2 * BIG);
	ck_assert_msg(find("MAIL-1", &r) != SHELF_FOUND ||
		shelf_read(shelf, &r, collect, &out, &e) < 0,
	    "%s", edits[_i]);
	buf_release(&out);
}
END_TEST

START_TEST(shelf_refuses_what_is_no_database)
{
	struct err e = { 0 };
	FILE *f;

	shelf_close(shelf);
	f = fopen(file, "we");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database at all\n", f);
	fclose(f);
	shelf = shelf_open(file, vault, &e);
	ck_assert_ptr_null(shelf);
	ck_assert_str_eq(e.text, "store: file is not a database");
}
END_TEST

START_TEST(shelf_has_one_owner)
{
	struct err e = { 0 };

	ck_assert_ptr_null(shelf_open(file, vault, &e));
	ck_assert_str_eq(e.text, "store: database is locked");
	must_keep(1, 10);
	commit();
}
END_TEST

/* A disk that is full at any point: what was committed stays, what could not be
 * is told, and when there is room again it goes on. */
START_TEST(shelf_outlives_a_full_disk)
{
	struct rlimit was, small;
	unsigned failures = 0;

	must_keep(1, BIG - 100);
	commit();
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	for (unsigned kib = 0; kib < 1600; kib += 80) {
		char id[SHELF_ID_MAX];
		struct err e;
		int result;

		small = was;
		small.rlim_cur = (rlim_t)kib << 10;
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
		result = keep(2 + kib, BIG - 5000, id, &e);
		if (shelf_commit(shelf, &e) < 0)
			result = -1;
		failures += result < 0;
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
		must_read(1, BIG - 100);
		if (result == 0)
			must_read(2 + kib, BIG - 5000);
	}
	ck_assert_uint_gt(failures, 0);
	must_keep(99, 100);
	commit();
	reopen();
	must_read(1, BIG - 100);
	must_read(99, 100);
}
END_TEST

/* What the process that was killed had said is durable. */
static void
keep_and_say(int out)
{
	for (unsigned i = 0;; i++) {
		char id[SHELF_ID_MAX];
		struct err e;

		if (keep(i, i % 7 * 80000, id, &e) < 0 ||
		    shelf_commit(shelf, &e) < 0 ||
		    write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

START_TEST(shelf_keeps_what_a_killed_process_said)
{
	unsigned said = 0, i;
	struct shelf_counts c;
	struct shelf_row r;
	int ends[2];
	pid_t pid;

	shelf_close(shelf);
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork_apart();
	if (pid == 0) {
		open_shelf();
		keep_and_say(ends[1]);
	}
	close(ends[1]);
	/* At another moment each time. */
	nanosleep(&(struct timespec){ 0, 30000000 + _i * 7770000 }, NULL);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	while (read(ends[0], &i, sizeof(i)) == sizeof(i))
		said = i + 1;
	close(ends[0]);
	open_shelf();
	for (i = 0; i < said; i++)
		must_read(i, i % 7 * 80000);
	shelf_counts(shelf, &c);
	ck_assert_uint_ge(c.originals, said);
	ck_assert_uint_le(c.originals, said + 1);
	if (c.originals > said)
		must_read(said, said % 7 * 80000);
	else
		ck_assert_int_eq(
		    find(arena_printf(&arena, "MAIL-%u", said), &r),
		    SHELF_NONE);
}
END_TEST

Suite *shelf_suite(void);

Suite *
shelf_suite(void)
{
	Suite *s = suite_create("shelf");
	TCase *t = tcase_create("shelf");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, shelf_gives_back_what_it_kept);
	tcase_add_test(t, shelf_keeps_a_leg_once);
	tcase_add_test(t, shelf_forgets_what_was_not_committed);
	tcase_add_test(t, shelf_remembers_what_became_of_one);
	tcase_add_test(t, shelf_deletes_for_good);
	tcase_add_test(t, shelf_wipes_the_key_of_what_was_deleted);
	tcase_add_test(t, shelf_of_another_key_does_not_open);
	tcase_add_loop_test(
	    t, shelf_opens_nothing_that_was_changed, 0, COUNT(edits));
	tcase_add_test(t, shelf_refuses_what_is_no_database);
	tcase_add_test(t, shelf_has_one_owner);
	tcase_add_test(t, shelf_outlives_a_full_disk);
	tcase_add_loop_test(t, shelf_keeps_what_a_killed_process_said, 0, 20);
	suite_add_tcase(s, t);
	return s;
}
