/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/apart.h"
#include "tests/unit/smtp/spool_drive.h"

#define MANY 1000

static struct drive d;
static uint32_t all[MANY * 2];

static void
setup(void)
{
	drive_disk = (struct drive_disk){ 0 };
	drive_init(&d);
}

static void
teardown(void)
{
	drive_disk = (struct drive_disk){ 0 };
	drive_release(&d);
}

static void
reopen(void)
{
	drive_close(&d);
	drive_open(&d);
}

START_TEST(spool_commits_a_tick_with_one_fdatasync)
{
	struct spool_counts counts;
	struct spool_mail *m;

	drive_open(&d);
	for (uint32_t i = 0; i < 100; i++)
		m = drive_add(&d, i);
	ck_assert(!m->committed);
	ck_assert_uint_eq(d.committed, 0);
	drive_tick(&d);
	ck_assert_uint_eq(d.committed, 100);
	ck_assert(m->committed);
	ck_assert_uint_eq(drive_disk.syncs, 1);
	drive_tick(&d);
	ck_assert_uint_eq(drive_disk.syncs, 1);
	spool_counts(d.spool, &counts);
	ck_assert_uint_eq(counts.mails, 100);
	ck_assert_uint_eq(counts.commits, 1);
	ck_assert_uint_eq(drive_all(&d, all, COUNT(all)), 100);
	reopen();
	ck_assert_uint_eq(d.found, 100);
	ck_assert_uint_eq(drive_all(&d, all, COUNT(all)), 100);
}
END_TEST

START_TEST(spool_keeps_the_last_note)
{
	struct err e = { 0 };
	struct spool_mail *m;
	char id[SPOOL_ID_MAX];

	drive_open(&d);
	m = drive_add(&d, 3);
	memcpy(id, m->id, sizeof(id));
	drive_tick(&d);
	ck_assert_uint_eq(m->note.n, 0);
	ck_assert_int_eq(spool_note(d.spool, m, BYTES("first"), &e), 0);
	ck_assert_int_eq(spool_note(d.spool, m, BYTES("second"), &e), 0);
	drive_tick(&d);
	reopen();
	m = spool_find(d.spool, bytes_of(id));
	ck_assert(m != NULL);
	ck_assert(bytes_equal(m->note, BYTES("second")));
	ck_assert_int_eq(spool_note(d.spool, m, BYTES(""), &e), 0);
	reopen();
	m = spool_find(d.spool, bytes_of(id));
	ck_assert_uint_eq(m->note.n, 0);
	ck_assert_uint_eq(drive_number(&d, m), 3);
	ck_assert_int_eq(
	    spool_note(d.spool, m,
		(struct bytes){ m->about.p, SPOOL_TEXT_MAX + 1 }, &e),
	    -1);
}
END_TEST

START_TEST(spool_of_ended_mails_leaves_no_file)
{
	char path[512];
	struct spool_mail *mails[10];

	drive_open(&d);
	for (uint32_t i = 0; i < COUNT(mails); i++)
		mails[i] = drive_add(&d, i);
	drive_tick(&d);
	for (uint32_t i = 0; i < COUNT(mails); i++)
		spool_end(d.spool, mails[i]);
	reopen();
	ck_assert_uint_eq(d.found, 0);
	ck_assert_uint_eq(drive_files(&d, "", path), 2); /* . and .. */
}
END_TEST

/* A mail that is ended before it was committed is told of no more. */
START_TEST(spool_ends_what_is_not_committed)
{
	drive_open(&d);
	spool_end(d.spool, drive_add(&d, 1));
	drive_tick(&d);
	ck_assert_uint_eq(d.committed + d.failed, 0);
	reopen();
	ck_assert_uint_eq(d.found, 0);
}
END_TEST

static void
take_50_ms(int fd)
{
	(void)fd;
	usleep(50000);
}

static void
stop(void *owner)
{
	loop_stop(owner);
}

static void
run_for(uint64_t ms)
{
	struct timer *t = timer_new(d.loop, stop, d.loop);

	timer_start(t, ms);
	loop_run(d.loop);
	timer_free(t);
}

/* Behind a commit of several mails the next waits as long as that one took;
 * behind one of a single mail it does not. */
START_TEST(spool_waits_for_more_when_several_came)
{
	d.limits.gather_ms = 1000;
	drive_disk.synced = take_50_ms;
	drive_open(&d);
	drive_add(&d, 1);
	drive_tick(&d);
	drive_add(&d, 2);
	drive_add(&d, 3);
	drive_tick(&d);
	ck_assert_uint_eq(d.committed, 3);
	drive_add(&d, 4);
	drive_tick(&d);
	drive_add(&d, 5);
	drive_tick(&d);
	ck_assert_uint_eq(d.committed, 3);
	run_for(1100);
	ck_assert_uint_eq(d.committed, 5);
	ck_assert_uint_eq(drive_disk.syncs, 3);
	drive_add(&d, 6);
	run_for(1100);
	ck_assert_uint_eq(d.committed, 6);
	drive_add(&d, 7);
	drive_tick(&d);
	ck_assert_uint_eq(d.committed, 7);
	drive_add(&d, 8);
	drive_add(&d, 9);
	drive_tick(&d);
	drive_add(&d, 10);
	reopen();
	ck_assert_uint_eq(d.found, 10);
}
END_TEST

/* An end is written at once, so that kill -9 loses none, and forced to the disk
 * with what comes, or later. */
START_TEST(spool_forces_ends_later)
{
	struct spool_mail *mails[3];

	d.limits.end_ms = 300;
	drive_open(&d);
	for (uint32_t i = 0; i < COUNT(mails); i++)
		mails[i] = drive_add(&d, i);
	drive_tick(&d);
	spool_end(d.spool, mails[0]);
	drive_tick(&d);
	ck_assert_uint_eq(drive_disk.syncs, 1);
	drive_add(&d, 3);
	drive_tick(&d);
	ck_assert_uint_eq(drive_disk.syncs, 2);
	spool_end(d.spool, mails[1]);
	drive_tick(&d);
	ck_assert_uint_eq(drive_disk.syncs, 2);
	run_for(600);
	ck_assert_uint_eq(drive_disk.syncs, 3);
	spool_end(d.spool, mails[2]);
	reopen();
	ck_assert_uint_eq(d.found, 1);
}
END_TEST

static void
see_order(void *owner, struct spool_mail *m)
{
	uint32_t *next = owner;

	ck_assert_uint_eq(drive_number(&d, m), *next);
	++*next;
}

START_TEST(spool_lists_in_the_order_of_adding)
{
	uint32_t next = 0;

	drive_open(&d);
	for (uint32_t i = 0; i < 300; i++)
		drive_add(&d, i);
	spool_each(d.spool, see_order, &next);
	reopen();
	next = 0;
	spool_each(d.spool, see_order, &next);
	ck_assert_uint_eq(next, 300);
}
END_TEST

/* Head, about and content of the mail below, without the file's page. */
#define ONE (80 + 4 + 1700)

static const struct {
	const char *name;
	uint64_t bytes_max;
	size_t want; /* mails of ONE bytes, each in a tick of its own */
} limits[] = {
	{ "nothing fits", 0, 0 },
	{ "a byte too few", ONE - 1, 0 },
	{ "just one", ONE, 1 },
	{ "the next begins a page: a byte too few", 4096 + ONE - 1, 1 },
	{ "just two", 4096 + ONE, 2 },
	{ "and a byte more", 4096 + ONE + 1, 2 },
};

START_TEST(spool_holds_bytes_max)
{
	struct err e = { 0 };
	size_t n = 0;

	d.limits.bytes_max = limits[_i].bytes_max;
	drive_open(&d);
	while (n < 5 && drive_try_add(&d, 100, &e) != NULL) {
		drive_tick(&d);
		n++;
	}
	ck_assert_msg(n == limits[_i].want, "%s: %zu", limits[_i].name, n);
	ck_assert(strncmp(e.text, "spool: full: ", 13) == 0);
	ck_assert(!spool_has_room(d.spool, 1704));
}
END_TEST

/* What is ended makes room again, also where one file is all there may be. */
START_TEST(spool_full_becomes_free)
{
	struct err e = { 0 };
	struct spool_mail *mails[1000];
	size_t n = 0;

	d.limits.bytes_max = 1 << 20;
	drive_open(&d);
	for (int round = 0; round < 3; round++) {
		n = 0;
		while (n < COUNT(mails) &&
		    (mails[n] = drive_try_add(&d, 100, &e)) != NULL)
			n++;
		ck_assert_uint_ge(n, 400);
		drive_tick(&d);
		for (size_t i = 0; i < n; i++)
			spool_end(d.spool, mails[i]);
		drive_tick(&d);
	}
}
END_TEST

START_TEST(spool_leaves_the_disk_its_room)
{
	struct err e = { 0 };

	d.limits.free_min = (uint64_t)1 << 60;
	drive_open(&d);
	ck_assert(!spool_has_room(d.spool, 0));
	ck_assert(drive_try_add(&d, 1, &e) == NULL);
	ck_assert(strncmp(e.text, "spool: the disk has ", 20) == 0);
}
END_TEST

START_TEST(spool_takes_a_mail_larger_than_its_files)
{
	static uint8_t big[3 << 20];
	const struct bytes pieces[] = { { big, sizeof(big) } };
	struct spool_mail *m;
	struct bytes content;
	struct err e = { 0 };

	memset(big, 'x', sizeof(big));
	drive_open(&d);
	drive_add(&d, 1);
	m = spool_add(d.spool, BYTES("about"), pieces, 1, &e);
	ck_assert_msg(m != NULL, "%s", e.text);
	drive_add(&d, 2);
	drive_tick(&d);
	ck_assert_uint_eq(d.committed, 3);
	ck_assert_int_eq(spool_map(d.spool, m, &content, &e), 0);
	ck_assert(bytes_equal(content, pieces[0]));
	spool_unmap(d.spool, content);
	spool_end(d.spool, m);
	reopen();
	ck_assert_uint_eq(drive_all(&d, all, COUNT(all)), 2);
	ck_assert(spool_add(d.spool, (struct bytes){ big, SPOOL_TEXT_MAX + 1 },
		      pieces, 1, &e) == NULL);
}
END_TEST

START_TEST(spool_fails_what_it_cannot_commit)
{
	struct err e = { 0 };
	struct spool_mail *old, *m;

	drive_open(&d);
	old = drive_add(&d, 1);
	drive_tick(&d);
	drive_disk.sync_error = EIO;
	drive_add(&d, 2);
	ck_assert_int_eq(spool_note(d.spool, old, BYTES("note"), &e), 0);
	drive_tick(&d);
	ck_assert_uint_eq(d.failed, 1);
	ck_assert_uint_eq(d.committed, 1);
	/* The same file would say yes now, of pages that were dropped. */
	drive_disk.sync_error = 0;
	m = drive_add(&d, 3);
	drive_tick(&d);
	ck_assert(m->committed);
	drive_tick(&d);
	ck_assert_uint_eq(drive_all(&d, all, COUNT(all)), 2);
	reopen();
	ck_assert_uint_eq(drive_all(&d, all, COUNT(all)), 2);
	ck_assert_uint_eq(all[0], 1);
	ck_assert_uint_eq(all[1], 3);
}
END_TEST

START_TEST(spool_outlives_a_disk_that_fails_for_a_while)
{
	struct err e = { 0 };
	struct spool_mail *m, *ended;

	drive_open(&d);
	m = drive_add(&d, 1);
	ended = drive_add(&d, 2);
	drive_tick(&d);
	drive_disk.write_error = EIO;
	ck_assert(drive_try_add(&d, 3, &e) == NULL);
	ck_assert_int_eq(spool_note(d.spool, m, BYTES("new"), &e), -1);
	ck_assert(bytes_equal(m->note, BYTES("new")));
	spool_end(d.spool, ended);
	for (int i = 0; i < 3; i++)
		drive_tick(&d);
	drive_disk.write_error = 0;
	drive_add(&d, 4);
	drive_tick(&d);
	reopen();
	ck_assert_uint_eq(drive_all(&d, all, COUNT(all)), 2);
	ck_assert_uint_eq(all[0], 1);
	ck_assert_uint_eq(all[1], 4);
}
END_TEST

START_TEST(spool_moves_mails_out_of_old_files)
{
	struct spool_mail *mails[400];
	struct spool_counts before, after;
	struct err e = { 0 };
	struct bytes content;
	char path[512];
	size_t files;

	d.limits.segment = 65536;
	drive_open(&d);
	for (uint32_t i = 0; i < COUNT(mails); i++) {
		mails[i] = drive_add(&d, i);
		if (i % 10 == 0)
			drive_tick(&d);
	}
	ck_assert_int_eq(spool_note(d.spool, mails[20], BYTES("kept"), &e), 0);
	drive_tick(&d);
	spool_counts(d.spool, &before);
	files = drive_files(&d, ".spool", path);
	ck_assert_int_eq(spool_map(d.spool, mails[20], &content, &e), 0);
	for (uint32_t i = 0; i < COUNT(mails); i++)
		if (i % 20 != 0)
			spool_end(d.spool, mails[i]);
	for (int i = 0; i < 200; i++) {
		drive_add(&d, 1000);
		drive_tick(&d);
		spool_counts(d.spool, &after);
	}
	ck_assert_uint_lt(drive_files(&d, ".spool", path), files);
	ck_assert_uint_eq(content.n, drive_size(20)); /* is there yet */
	spool_unmap(d.spool, content);
	ck_assert(bytes_equal(mails[20]->note, BYTES("kept")));
	ck_assert_uint_eq(drive_number(&d, mails[20]), 20);
	for (uint32_t i = 0; i < COUNT(mails); i += 20)
		spool_end(d.spool, mails[i]);
	reopen();
	ck_assert_uint_eq(d.found, 200);
}
END_TEST

START_TEST(spool_ids_are_letters_and_digits)
{
	char last[SPOOL_ID_MAX] = "";

	drive_open(&d);
	for (int i = 0; i < MANY; i++) {
		const struct spool_mail *m = drive_add(&d, 1);

		ck_assert_uint_eq(strlen(m->id), SPOOL_ID_MAX - 1);
		ck_assert_uint_eq(
		    strspn(m->id, "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"),
		    SPOOL_ID_MAX - 1);
		ck_assert_int_gt(strcmp(m->id, last), 0);
		memcpy(last, m->id, sizeof(last));
	}
	ck_assert(spool_find(d.spool, BYTES("")) == NULL);
	ck_assert(spool_find(d.spool, BYTES("1")) == NULL);
}
END_TEST

/* What is held by a process that lives stays its own; when it dies one of two
 * has all of it. */
START_TEST(spool_takes_over_from_the_dead)
{
	struct drive other = d;
	int go[2], pid, status;
	char c;

	ck_assert(pipe(go) == 0);
	pid = fork_apart();
	if (pid == 0) {
		drive_open(&d);
		for (uint32_t i = 0; i < 50; i++)
			drive_add(&d, i);
		drive_tick(&d);
		ck_assert(write(go[1], "x", 1) == 1);
		pause();
	}
	ck_assert(read(go[0], &c, 1) == 1);
	drive_open(&d);
	drive_open(&other);
	drive_add(&other, 99);
	drive_tick(&other);
	spool_adopt(d.spool);
	ck_assert_uint_eq(d.found + other.found, 0);
	kill(pid, SIGKILL);
	ck_assert(waitpid(pid, &status, 0) == pid);
	spool_adopt(other.spool);
	spool_adopt(d.spool);
	ck_assert_uint_eq(other.found, 50);
	ck_assert_uint_eq(d.found, 0);
	drive_tick(&other);
	ck_assert_uint_eq(drive_all(&other, all, COUNT(all)), 51);
	drive_close(&other);
	spool_adopt(d.spool);
	ck_assert_uint_eq(d.found, 51);
	close(go[0]);
	close(go[1]);
}
END_TEST

/* Several at once, some of which make files meanwhile: each mail has exactly
 * one finder, and nobody's new file is taken. */
START_TEST(spool_is_taken_over_once)
{
	int result[2], pids[4], status;
	uint32_t found, total = 0;

	d.limits.segment = 65536;
	drive_open(&d);
	for (uint32_t i = 0; i < 500; i++)
		drive_add(&d, i);
	drive_close(&d);
	ck_assert(pipe(result) == 0);
	for (int i = 0; i < 4; i++) {
		pids[i] = fork_apart();
		if (pids[i] != 0)
			continue;
		drive_open(&d);
		found = (uint32_t)d.found;
		for (uint32_t k = 0; k < 20; k++) {
			drive_add(&d, 1000);
			drive_tick(&d);
			spool_adopt(d.spool);
			ck_assert(d.committed == k + 1);
		}
		found = (uint32_t)d.found;
		ck_assert(
		    write(result[1], &found, sizeof(found)) == sizeof(found));
		pause();
	}
	for (int i = 0; i < 4; i++) {
		ck_assert(
		    read(result[0], &found, sizeof(found)) == sizeof(found));
		total += found;
	}
	ck_assert_uint_eq(total, 500);
	for (int i = 0; i < 4; i++) {
		ck_assert(kill(pids[i], SIGKILL) == 0);
		ck_assert(waitpid(pids[i], &status, 0) == pids[i]);
	}
	drive_open(&d);
	ck_assert_uint_eq(d.found, 580);
	close(result[0]);
	close(result[1]);
}
END_TEST

/* A thousand mails, whatever is done with them, against a table. */
START_TEST(spool_is_what_a_table_is)
{
	static struct {
		char id[SPOOL_ID_MAX];
		uint8_t note;
		bool live;
	} model[MANY];
	struct spool_counts counts;
	struct spool_mail *m;
	struct err e = { 0 };
	uint32_t added = 0;
	size_t live = 0;

	srand((unsigned)_i + 1);
	d.limits.segment = 65536;
	drive_open(&d);
	while (added < MANY) {
		uint32_t n = added == 0 ? 0 : (uint32_t)rand() % added;
		int what = rand() % 100;

		m = spool_find(d.spool, bytes_of(model[n].id));
		ck_assert((m != NULL) == model[n].live);
		if (what < 40) {
			m = drive_add(&d, added);
			memcpy(model[added].id, m->id, SPOOL_ID_MAX);
			model[added++].live = true;
			live++;
		} else if (what < 60 && m != NULL) {
			model[n].note = (uint8_t)rand();
			ck_assert(
			    spool_note(d.spool, m,
				(struct bytes){ &model[n].note, 1 }, &e) == 0);
		} else if (what < 85 && m != NULL) {
			spool_end(d.spool, m);
			model[n].live = false;
			live--;
		} else if (what < 98)
			drive_tick(&d);
		else
			reopen();
	}
	reopen();
	ck_assert_uint_eq(d.found, live);
	spool_counts(d.spool, &counts);
	ck_assert_uint_eq(counts.mails, live);
	ck_assert_uint_eq(drive_all(&d, all, COUNT(all)), live);
	for (uint32_t i = 0; i < MANY; i++) {
		m = spool_find(d.spool, bytes_of(model[i].id));
		ck_assert((m != NULL) == model[i].live);
		if (m == NULL)
			continue;
		ck_assert_uint_eq(drive_number(&d, m), i);
		ck_assert_uint_eq(
		    m->note.n == 0 ? 0 : m->note.p[0], model[i].note);
	}
}
END_TEST

START_TEST(spool_of_no_folder_is_refused)
{
	static const struct spool_events events;
	struct loop *l = loop_new();
	struct err e = { 0 };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert(spool_open(fd, &d.limits, l, &events, NULL, &e) == NULL);
	ck_assert(e.text[0] != '\0');
	close(fd);
	loop_free(l);
	spool_close(NULL);
}
END_TEST

Suite *spool_suite(void);

Suite *
spool_suite(void)
{
	Suite *s = suite_create("spool");
	TCase *t = tcase_create("spool");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, spool_commits_a_tick_with_one_fdatasync);
	tcase_add_test(t, spool_keeps_the_last_note);
	tcase_add_test(t, spool_of_ended_mails_leaves_no_file);
	tcase_add_test(t, spool_ends_what_is_not_committed);
	tcase_add_test(t, spool_waits_for_more_when_several_came);
	tcase_add_test(t, spool_forces_ends_later);
	tcase_add_test(t, spool_lists_in_the_order_of_adding);
	tcase_add_loop_test(t, spool_holds_bytes_max, 0, COUNT(limits));
	tcase_add_test(t, spool_full_becomes_free);
	tcase_add_test(t, spool_leaves_the_disk_its_room);
	tcase_add_test(t, spool_takes_a_mail_larger_than_its_files);
	tcase_add_test(t, spool_fails_what_it_cannot_commit);
	tcase_add_test(t, spool_outlives_a_disk_that_fails_for_a_while);
	tcase_add_test(t, spool_moves_mails_out_of_old_files);
	tcase_add_test(t, spool_ids_are_letters_and_digits);
	tcase_add_test(t, spool_takes_over_from_the_dead);
	tcase_add_test(t, spool_is_taken_over_once);
	tcase_add_loop_test(t, spool_is_what_a_table_is, 0, 5);
	tcase_add_test(t, spool_of_no_folder_is_refused);
	suite_add_tcase(s, t);
	return s;
}
