/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/smtp/spool_drive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "proxy/base/log.h"

#define ALL_MAX 300000

struct drive_disk drive_disk;

/* The system's calls, as the spool is linked to them here. */
int
fdatasync(int fd)
{
	drive_disk.syncs++;
	if (drive_disk.sync_error != 0) {
		errno = drive_disk.sync_error;
		return -1;
	}
	if (drive_disk.synced != NULL)
		drive_disk.synced(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	if (drive_disk.synced != NULL)
		drive_disk.synced(fd);
	return (int)syscall(SYS_fsync, fd);
}

static void
tell_written(int fd, const struct iovec *v, int n, uint64_t at, size_t done)
{
	for (int i = 0; i < n && done > 0; i++) {
		size_t part = v[i].iov_len < done ? v[i].iov_len : done;

		drive_disk.wrote(fd, at, (struct bytes){ v[i].iov_base, part });
		at += part;
		done -= part;
	}
}

ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	ssize_t done;

	if (drive_disk.write_error != 0) {
		errno = drive_disk.write_error;
		return -1;
	}
	done = syscall(SYS_pwritev, fd, v, n, at, 0);
	if (done > 0 && drive_disk.wrote != NULL)
		tell_written(fd, v, n, (uint64_t)at, (size_t)done);
	return done;
}

int
unlinkat(int folder, const char *name, int flags)
{
	if (drive_disk.removed != NULL)
		drive_disk.removed(name);
	return (int)syscall(SYS_unlinkat, folder, name, flags);
}

void
drive_init(struct drive *d)
{
	static struct ring *quiet;
	struct err e = { 0 };

	if (quiet == NULL) {
		quiet = ring_map(ring_create(65536, &e), -1, &e);
		log_open("unit", 0, quiet);
	}
	*d = (struct drive){ .limits = { .bytes_max = (uint64_t)1 << 40,
				 .segment = 1 << 20 } };
	snprintf(d->path, sizeof(d->path), "%s/sekisho-spool-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ck_assert(mkdtemp(d->path) != NULL);
}

size_t
drive_size(uint32_t number)
{
	return number % 7 == 0 ? number * 31 % 30000 : number * 17 % 3000;
}

static void
fill(uint8_t *out, size_t n, uint32_t number)
{
	uint32_t x = number * 2654435761u + 1;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		out[i] = (uint8_t)x;
	}
}

uint32_t
drive_number(struct drive *d, const struct spool_mail *m)
{
	static uint8_t want[30000];
	struct err e = { 0 };
	struct bytes content;
	uint32_t number;

	ck_assert_uint_eq(m->about.n, sizeof(number));
	memcpy(&number, m->about.p, sizeof(number));
	ck_assert_uint_eq(m->size, drive_size(number));
	ck_assert_msg(spool_map(d->spool, m, &content, &e) == 0, "%s", e.text);
	fill(want, drive_size(number), number);
	ck_assert(
	    bytes_equal(content, (struct bytes){ want, drive_size(number) }));
	spool_unmap(d->spool, content);
	return number;
}

static uint32_t
number_of(const struct spool_mail *m)
{
	uint32_t number;

	memcpy(&number, m->about.p, sizeof(number));
	return number;
}

static void
committed(void *owner, struct spool_mail *m)
{
	struct drive *d = owner;

	ck_assert(m->committed);
	d->committed++;
	if (d->told != NULL)
		d->told(d, number_of(m), m);
}

static void
failed(void *owner, struct spool_mail *m, const char *why)
{
	struct drive *d = owner;

	ck_assert(!m->committed && why[0] != '\0');
	d->failed++;
}

static void
found(void *owner, struct spool_mail *m)
{
	struct drive *d = owner;

	ck_assert(m->committed);
	d->found++;
}

void
drive_open(struct drive *d)
{
	static const struct spool_events events = { committed, failed, found };
	struct err e = { 0 };
	int folder = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert(folder >= 0);
	d->found = d->committed = d->failed = 0;
	if (d->loop == NULL)
		d->loop = loop_new();
	d->spool = spool_open(folder, &d->limits, d->loop, &events, d, &e);
	ck_assert_msg(d->spool != NULL, "%s", e.text);
}

void
drive_close(struct drive *d)
{
	spool_close(d->spool);
	d->spool = NULL;
	if (d->loop != NULL)
		loop_free(d->loop);
	d->loop = NULL;
}

void
drive_release(struct drive *d)
{
	DIR *folder = opendir(d->path);
	const struct dirent *entry;

	drive_close(d);
	ck_assert(folder != NULL);
	while ((entry = readdir(folder)) != NULL)
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	rmdir(d->path);
}

void
drive_tick(struct drive *d)
{
	loop_stop(d->loop);
	loop_run(d->loop);
}

/* In three pieces, one of them empty. */
struct spool_mail *
drive_try_add(struct drive *d, uint32_t number, struct err *e)
{
	static uint8_t content[30000];
	size_t n = drive_size(number);
	struct bytes pieces[] = { { content, n / 3 }, { content, 0 },
		{ content + n / 3, n - n / 3 } };

	fill(content, n, number);
	return spool_add(d->spool,
	    (struct bytes){ (const uint8_t *)&number, sizeof(number) }, pieces,
	    COUNT(pieces), e);
}

struct spool_mail *
drive_add(struct drive *d, uint32_t number)
{
	struct err e = { 0 };
	struct spool_mail *m = drive_try_add(d, number, &e);

	ck_assert_msg(m != NULL, "%s", e.text);
	return m;
}

static struct {
	struct drive *drive;
	uint32_t all[ALL_MAX];
	size_t n;
} seen;

static void
see(void *owner, struct spool_mail *m)
{
	(void)owner;
	ck_assert(seen.n < ALL_MAX);
	ck_assert(spool_find(seen.drive->spool, bytes_of(m->id)) == m);
	seen.all[seen.n++] = drive_number(seen.drive, m);
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

size_t
drive_all(struct drive *d, uint32_t *out, size_t max)
{
	seen.drive = d;
	seen.n = 0;
	spool_each(d->spool, see, NULL);
	ck_assert(seen.n <= max);
	qsort(seen.all, seen.n, sizeof(seen.all[0]), compare);
	for (size_t i = 1; i < seen.n; i++)
		ck_assert_uint_ne(seen.all[i - 1], seen.all[i]);
	memcpy(out, seen.all, seen.n * sizeof(seen.all[0]));
	return seen.n;
}

size_t
drive_files(struct drive *d, const char *suffix, char path_out[512])
{
	DIR *folder = opendir(d->path);
	const struct dirent *entry;
	size_t n = 0;

	ck_assert(folder != NULL);
	while ((entry = readdir(folder)) != NULL) {
		if (!bytes_end_with(bytes_of(entry->d_name), bytes_of(suffix)))
			continue;
		n++;
		snprintf(path_out, 512, "%s/%s", d->path, entry->d_name);
	}
	closedir(folder);
	return n;
}
