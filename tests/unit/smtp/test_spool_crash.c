/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process that is killed leaves, and what a power cut leaves: all that
 * was acknowledged, nothing that is cut, nothing that was ended durably.
 *
 * SPOOL_KILLS=1000 and SPOOL_CUTS=1000 in the environment make it longer.
 */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/smtp/spool_state.h"
#include "tests/unit/apart.h"
#include "tests/unit/smtp/spool_drive.h"

#define KILLS 100
#define CUTS 40
#define MAILS_MAX 400000
#define SECTOR 512
#define DEATHS_MAX 2000

/* What became of a mail, as its writer said. */
struct fate {
	bool acknowledged;
	bool ending; /* its end was asked for */
	bool ended;  /* and is durable */
	bool gone;   /* it was not found */
};
static struct fate fates[MAILS_MAX];
static uint32_t next_number;
static struct drive d;
static uint32_t all[MAILS_MAX];

static void
setup(void)
{
	drive_disk = (struct drive_disk){ 0 };
	memset(fates, 0, sizeof(fates));
	next_number = 0;
	drive_init(&d);
	d.limits.segment = 65536;
}

static void
teardown(void)
{
	drive_disk = (struct drive_disk){ 0 };
	drive_release(&d);
}

static unsigned
runs(const char *name, unsigned usual)
{
	const char *text = getenv(name);
	uint64_t n;

	if (text == NULL || bytes_number(bytes_of(text), 1000000, &n) < 0)
		return usual;
	return (unsigned)n;
}

/* Opens what is there, and looks at all of it. */
static void
check_fates(unsigned run)
{
	static bool there[MAILS_MAX];
	size_t n;

	memset(there, 0, sizeof(there));
	drive_open(&d);
	n = drive_all(&d, all, COUNT(all));
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_lt(all[i], next_number);
		there[all[i]] = true;
	}
	for (uint32_t i = 0; i < next_number; i++) {
		struct fate *f = &fates[i];

		/* Check writes down each assertion that holds. */
		if (!there[i] && f->acknowledged && !f->ending)
			ck_abort_msg(
			    "run %u: mail %u was acknowledged and is lost", run,
			    i);
		if (there[i] && (f->ended || f->gone))
			ck_abort_msg("run %u: mail %u was %s and comes back",
			    run, i, f->ended ? "ended" : "gone");
		/* What is there now is the spool's to keep. */
		f->gone = !there[i];
		f->acknowledged = there[i];
		f->ending = false;
	}
}

struct said {
	uint32_t number;
	uint32_t what; /* 'n'ew, 'a'cknowledged, 'e'nding, 'E'nded */
};
static int said_fd;

static void
say(uint32_t number, uint32_t what)
{
	const struct said word = { number, what };

	if (write(said_fd, &word, sizeof(word)) != sizeof(word))
		_exit(1);
}

static void
say_acknowledged(struct drive *drive, uint32_t number, struct spool_mail *m)
{
	(void)drive;
	(void)m;
	say(number, 'a');
}

static void
end_some(void *owner, struct spool_mail *m)
{
	static const struct bytes note = BYTES_ROW("tried");
	uint32_t *n = owner;
	uint32_t number;
	struct err e;

	if (!m->committed)
		return;
	memcpy(&number, m->about.p, sizeof(number));
	if (rand() % 4 == 0 && spool_note(d.spool, m, note, &e) < 0)
		_exit(2);
	if (rand() % 3 != 0 || *n == 64)
		return;
	all[(*n)++] = number;
	say(number, 'e');
	spool_end(d.spool, m);
}

/* One tick: some are added, some are ended; what was, is told behind it. */
static void
write_tick(void)
{
	uint32_t ended = 0;

	spool_each(d.spool, end_some, &ended);
	for (int i = rand() % 20; i >= 0 && next_number < MAILS_MAX; i--) {
		say(next_number, 'n');
		drive_add(&d, next_number++);
	}
	drive_tick(&d);
	for (uint32_t i = 0; i < ended; i++)
		say(all[i], 'E');
}

static void
write_until_killed(unsigned seed)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srand(seed);
	d.told = say_acknowledged;
	drive_open(&d);
	for (;;)
		write_tick();
}

static void
hear(const struct said *word)
{
	if (word->number >= MAILS_MAX)
		ck_abort_msg("mail %u", word->number);
	if (word->what == 'n')
		next_number = word->number + 1;
	fates[word->number].acknowledged |= word->what == 'a';
	fates[word->number].ending |= word->what == 'e';
	fates[word->number].ended |= word->what == 'E';
}

/* Until then, and what is left in the pipe once the writer is dead. */
static void
hear_until(int fd, uint64_t end_us)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct said words[512];
	ssize_t n;

	/* Whoever writes writes whole words, which a pipe keeps whole. */
	while (clock_us() < end_us) {
		if (poll(&p, 1, 1) != 1)
			continue;
		n = read(fd, words, sizeof(words));
		if (n <= 0)
			return;
		ck_assert_uint_eq((size_t)n % sizeof(words[0]), 0);
		for (size_t i = 0; i < (size_t)n / sizeof(words[0]); i++)
			hear(&words[i]);
	}
}

START_TEST(spool_of_a_killed_process_has_all)
{
	unsigned n = runs("SPOOL_KILLS", KILLS);

	for (unsigned run = 0; run < n; run++) {
		int words[2], status;
		pid_t pid;

		ck_assert(pipe(words) == 0);
		pid = fork_apart();
		if (pid == 0) {
			said_fd = words[1];
			write_until_killed(run);
		}
		close(words[1]);
		hear_until(words[0], clock_us() + 1000 + run * 7919 % 12000);
		ck_assert(kill(pid, SIGKILL) == 0);
		ck_assert(waitpid(pid, &status, 0) == pid);
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		hear_until(words[0], UINT64_MAX);
		close(words[0]);
		check_fates(run);
		drive_close(&d);
		if (next_number > MAILS_MAX * 3 / 4)
			break;
	}
	ck_assert_uint_gt(next_number, 0);
}
END_TEST

/*
 * The power cut. What the spool writes is written down, and what it forces to
 * the disk. At any point of that, a disk may have: all that was forced there
 * before, and of what was written since any sectors, each as it was after any
 * of the writes; a file that was made since the folder was forced may be there
 * or not, and one that was removed, too.
 */
#define WRITES_MAX 20000
#define FILES_MAX 256
#define BYTES_MAX ((size_t)1 << 20) /* of one file */

struct disk_write {
	size_t file;
	uint64_t at;
	size_t n;
	uint8_t *p;
	bool forced;
};
struct disk_file {
	char name[80];
	ino_t inode;
	bool named, removed, forgotten; /* forgotten: durably removed */
	uint8_t *base;                  /* as it is durably */
	size_t base_n;
};
static struct {
	struct disk_write writes[WRITES_MAX];
	struct disk_file files[FILES_MAX];
	size_t writes_n, files_n;
	unsigned until; /* the power is cut: writes and syncs */
	char path[64];  /* what it leaves */
	struct fate fates[MAILS_MAX];
	uint32_t next_number;
} disk;

static void cut_power(void);

static void
tick_disk(void)
{
	if (disk.until > 0 && --disk.until == 0)
		cut_power();
}

static size_t
file_of(int fd)
{
	char link[64], path[512];
	struct stat st;
	ssize_t n;

	ck_assert(fstat(fd, &st) == 0);
	for (size_t i = 0; i < disk.files_n; i++)
		if (disk.files[i].inode == st.st_ino && !disk.files[i].removed)
			return i;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	ck_assert(n > 0 && disk.files_n < FILES_MAX);
	path[n] = '\0';
	disk.files[disk.files_n] = (struct disk_file){ .inode = st.st_ino };
	snprintf(disk.files[disk.files_n].name, sizeof(disk.files[0].name),
	    "%s", strrchr(path, '/') + 1);
	return disk.files_n++;
}

static void
note_write(int fd, uint64_t at, struct bytes b)
{
	struct disk_write *w = &disk.writes[disk.writes_n];

	ck_assert(disk.writes_n < WRITES_MAX);
	*w =
	    (struct disk_write){ file_of(fd), at, b.n, malloc(b.n + 1), false };
	memcpy(w->p, b.p, b.n);
	disk.writes_n++;
	tick_disk();
}

static void
put(struct disk_file *f, uint64_t at, const uint8_t *p, size_t n)
{
	if (f->base == NULL)
		f->base = calloc(1, BYTES_MAX);
	ck_assert(at + n <= BYTES_MAX);
	memcpy(f->base + at, p, n);
	if (f->base_n < at + n)
		f->base_n = at + n;
}

static void
note_sync(int fd)
{
	struct stat st;
	size_t file;

	tick_disk();
	ck_assert(fstat(fd, &st) == 0);
	if (S_ISDIR(st.st_mode)) {
		for (size_t i = 0; i < disk.files_n; i++) {
			disk.files[i].named = true;
			disk.files[i].forgotten = disk.files[i].removed;
		}
		return;
	}
	file = file_of(fd);
	for (size_t i = 0; i < disk.writes_n; i++) {
		struct disk_write *w = &disk.writes[i];

		if (w->file != file || w->forced)
			continue;
		put(&disk.files[file], w->at, w->p, w->n);
		w->forced = true;
	}
}

static void
note_removal(const char *name)
{
	for (size_t i = 0; i < disk.files_n; i++)
		if (strcmp(disk.files[i].name, name) == 0)
			disk.files[i].removed = true;
	tick_disk();
}

/* What was not forced: each sector of each write came to the disk, or not. */
static size_t
lose_sectors(uint8_t *p, size_t file, int share)
{
	size_t n = disk.files[file].base_n;

	for (size_t i = 0; i < disk.writes_n; i++) {
		const struct disk_write *w = &disk.writes[i];

		if (w->file != file || w->forced)
			continue;
		if (w->at + w->n > BYTES_MAX)
			ck_abort_msg(
			    "a file of %zu bytes", (size_t)(w->at + w->n));
		if (n < w->at + w->n)
			n = w->at + w->n;
		for (uint64_t at = w->at; at < w->at + w->n;) {
			uint64_t end = (at / SECTOR + 1) * SECTOR;

			if (end > w->at + w->n)
				end = w->at + w->n;
			if (rand() % 100 < share)
				memcpy(p + at, w->p + (at - w->at), end - at);
			at = end;
		}
	}
	return n;
}

/* The folder as the disk would have it now. */
static void
build(const char *path, int share)
{
	static uint8_t bytes[BYTES_MAX];

	for (size_t i = 0; i < disk.files_n; i++) {
		struct disk_file *f = &disk.files[i];
		char name[512];
		size_t most;
		int fd;

		if (f->forgotten || (f->removed && rand() % 2 == 0) ||
		    (!f->named && rand() % 2 == 0))
			continue;
		memset(bytes, 0, sizeof(bytes));
		if (f->base_n > 0)
			memcpy(bytes, f->base, f->base_n);
		most = lose_sectors(bytes, i, share);
		snprintf(name, sizeof(name), "%s/%s", path, f->name);
		fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		ck_assert(fd >= 0);
		ck_assert(write(fd, bytes, most) == (ssize_t)most);
		close(fd);
	}
}

/* At random: also between the steps of one commit. */
static void
cut_power(void)
{
	disk.until = 0;
	build(disk.path, rand() % 101);
	memcpy(disk.fates, fates, sizeof(fates));
	disk.next_number = next_number;
}

static void
clear_disk(void)
{
	for (size_t i = 0; i < disk.writes_n; i++)
		free(disk.writes[i].p);
	for (size_t i = 0; i < disk.files_n; i++)
		free(disk.files[i].base);
	disk.writes_n = disk.files_n = 0;
}

static void
acknowledge(struct drive *drive, uint32_t number, struct spool_mail *m)
{
	(void)drive;
	(void)m;
	fates[number].acknowledged = true;
}

static void
end_here(void *owner, struct spool_mail *m)
{
	uint32_t *n = owner;
	struct err e;

	if (!m->committed)
		return;
	if (rand() % 6 == 0)
		ck_assert(spool_note(d.spool, m, BYTES("n"), &e) == 0);
	if (rand() % 4 != 0)
		return;
	memcpy(&all[*n], m->about.p, sizeof(all[0]));
	fates[all[(*n)++]].ending = true;
	spool_end(d.spool, m);
}

static void
acknowledge_found(void *owner, struct spool_mail *m)
{
	uint32_t number;

	(void)owner;
	memcpy(&number, m->about.p, sizeof(number));
	fates[number].acknowledged = true;
}

/* As if its process were killed: the files are let go of, and what was not
 * forced to the disk is still to be read. Whoever takes it over has it. */
static void
die(void)
{
	static struct drive dead[DEATHS_MAX]; /* what they leak is kept */
	static size_t n;

	if (n == DEATHS_MAX)
		return;
	for (struct segment *g = d.spool->segments; g != NULL; g = g->next)
		close(g->fd);
	close(d.spool->folder);
	dead[n] = d;
	ck_assert(dead[n++].spool != NULL);
	d.loop = NULL;
	drive_open(&d);
	drive_tick(&d);
	spool_each(d.spool, acknowledge_found, NULL);
}

static void
write_ticks(int ticks)
{
	for (int i = 0; i < ticks; i++) {
		uint32_t ended = 0;

		spool_each(d.spool, end_here, &ended);
		for (int k = rand() % 12; k >= 0; k--)
			drive_add(&d, next_number++);
		if (rand() % 32 == 0) {
			die();
			continue;
		}
		drive_tick(&d);
		while (ended > 0)
			fates[all[--ended]].ended = true;
	}
}

/* What the last power cut left is what the next one finds. */
static void
load_disk(void)
{
	static uint8_t bytes[BYTES_MAX];
	DIR *folder = opendir(d.path);
	const struct dirent *entry;

	ck_assert(folder != NULL);
	while ((entry = readdir(folder)) != NULL) {
		int fd =
		    openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);
		size_t file;
		ssize_t n;

		if (bytes_end_with(bytes_of(entry->d_name), BYTES(".spool"))) {
			file = file_of(fd);
			disk.files[file].named = true;
			n = read(fd, bytes, sizeof(bytes));
			ck_assert(n >= 0);
			put(&disk.files[file], 0, bytes, (size_t)n);
		}
		close(fd);
	}
	closedir(folder);
}

/* Writes until after the power was cut; d is what it left then. */
static void
write_until_cut(void)
{
	struct drive old, left;

	drive_init(&left);
	left.limits = d.limits;
	memcpy(disk.path, left.path, sizeof(disk.path));
	load_disk();
	disk.until = 1 + (unsigned)rand() % 1000;
	drive_disk.wrote = note_write;
	drive_disk.synced = note_sync;
	drive_disk.removed = note_removal;
	d.told = acknowledge;
	drive_open(&d);
	write_ticks(1 + rand() % 40);
	if (disk.until > 0)
		cut_power();
	drive_disk = (struct drive_disk){ 0 };
	clear_disk();
	old = d;
	drive_release(&old);
	d = left;
	memcpy(fates, disk.fates, sizeof(fates));
	next_number = disk.next_number;
}

START_TEST(spool_of_a_power_cut_has_all)
{
	unsigned n = runs("SPOOL_CUTS", CUTS);
	char path[512];

	for (unsigned run = 0; run < n; run++) {
		srand(run + 1);
		write_until_cut();
		check_fates(run);
		ck_assert_uint_eq(drive_files(&d, ".damaged", path), 0);
		drive_close(&d);
	}
	ck_assert_uint_gt(next_number, 0);
}
END_TEST

Suite *spool_crash_suite(void);

Suite *
spool_crash_suite(void)
{
	Suite *s = suite_create("spool");
	TCase *t = tcase_create("crash");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 600);
	tcase_add_test(t, spool_of_a_killed_process_has_all);
	tcase_add_test(t, spool_of_a_power_cut_has_all);
	suite_add_tcase(s, t);
	return s;
}
