/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filters/urlrep/urlrep.h"
#include "proxy/base/arena.h"

/* The folder of the file, locked against another writer; or -1. */
static int
lock_folder(const char *path, struct err *e)
{
	struct arena a = { 0 };
	const char *slash = strrchr(path, '/');
	const char *folder = slash == NULL ? "."
	    : slash == path
	    ? "/"
	    : arena_printf(&a, "%.*s", (int)(slash - path), path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		err_set(e, "%s: cannot be opened: %m", folder);
	} else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		err_set(e, "%s: another command writes lists there", folder);
		close(fd);
		fd = -1;
	}
	arena_release(&a);
	return fd;
}

static int
write_file(const char *path, struct bytes file, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int result = 0;

	if (fd < 0)
		return err_set(e, "%s: cannot be written: %m", path);
	while (file.n > 0 && result == 0) {
		ssize_t n = write(fd, file.p, file.n);

		if (n > 0)
			bytes_take(&file, (size_t)n);
		else if (n == 0 || errno != EINTR)
			result = err_set(e, "%s: cannot be written: %m", path);
	}
	if (result == 0 && fsync(fd) < 0)
		result = err_set(e, "%s: cannot be written: %m", path);
	close(fd);
	if (result < 0)
		unlink(path);
	return result;
}

static const char *
numbered(struct arena *a, const char *path, unsigned n)
{
	return arena_printf(a, "%s.%u", path, n);
}

/* The kept ones move by one; then the present one is kept too, under both
 * names until the new one takes the first. */
static int
keep_present(struct arena *a, const char *path, unsigned keep, struct err *e)
{
	if (keep == 0 || access(path, F_OK) < 0)
		return 0;
	for (unsigned i = keep; i > 1; i--)
		if (rename(numbered(a, path, i - 1), numbered(a, path, i)) <
			0 &&
		    errno != ENOENT)
			return err_set(e, "%s: cannot be kept: %m", path);
	if (unlink(numbered(a, path, 1)) < 0 && errno != ENOENT)
		return err_set(e, "%s: cannot be kept: %m", path);
	if (link(path, numbered(a, path, 1)) < 0)
		return err_set(e, "%s: cannot be kept: %m", path);
	return 0;
}

int
generation_write(
    const char *path, struct bytes file, unsigned keep, struct err *e)
{
	struct arena a = { 0 };
	const char *fresh = arena_printf(&a, "%s.new", path);
	int folder = lock_folder(path, e);
	int result = -1;

	if (folder >= 0 && write_file(fresh, file, e) == 0) {
		result = keep_present(&a, path, keep, e);
		if (result == 0 && rename(fresh, path) < 0)
			result = err_set(e, "%s: cannot be written: %m", path);
		if (result < 0)
			unlink(fresh);
		else if (fsync(folder) < 0)
			result = err_set(e, "%s: cannot be written: %m", path);
	}
	if (folder >= 0)
		close(folder);
	arena_release(&a);
	return result;
}

static int
bring_back(struct arena *a, const char *path, struct err *e)
{
	const char *kept = numbered(a, path, 1);
	const char *bad = arena_printf(a, "%s.bad", path);
	int fd;

	if (access(kept, F_OK) < 0)
		return err_set(e, "%s: no generation is kept", path);
	fd = urlrep_seal(kept, e);
	if (fd < 0)
		return -1;
	close(fd);
	unlink(bad);
	if (link(path, bad) < 0 && errno != ENOENT)
		return err_set(e, "%s: cannot be kept: %m", path);
	if (rename(kept, path) < 0)
		return err_set(e, "%s: cannot be written: %m", path);
	for (unsigned i = 1; i < GENERATIONS_MAX; i++)
		if (rename(numbered(a, path, i + 1), numbered(a, path, i)) < 0)
			break;
	return 0;
}

int
generation_rollback(const char *path, struct err *e)
{
	struct arena a = { 0 };
	int folder = lock_folder(path, e);
	int result = -1;

	if (folder >= 0) {
		result = bring_back(&a, path, e);
		(void)fsync(folder);
		close(folder);
	}
	arena_release(&a);
	return result;
}
