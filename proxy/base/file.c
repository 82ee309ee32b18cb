/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int
judge(int fd, const char *path, size_t max, struct stat *st, struct err *e)
{
	if (fstat(fd, st) < 0)
		return err_set(e, "%s: cannot be read: %m", path);
	if (!S_ISREG(st->st_mode))
		return err_set(
		    e, "%s: cannot be read: is no regular file", path);
	if ((uintmax_t)st->st_size > max)
		return err_set(e, "%s: has %jd bytes, expected at most %zu",
		    path, (intmax_t)st->st_size, max);
	return 0;
}

static int
open_judged(const char *path, size_t max, struct stat *st, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		err_set(e, "%s: cannot be read: %m", path);
		return -1;
	}
	if (judge(fd, path, max, st, e) == 0)
		return fd;
	close(fd);
	return -1;
}

int
file_open(const char *path, size_t max, struct err *e)
{
	struct stat st;

	return open_judged(path, max, &st, e);
}

/* A file of that size; -1 when it has another by now. It is not mapped: one
 * that is cut short meanwhile would end the process by a signal. */
static int
read_whole(int fd, uint8_t *p, size_t size)
{
	uint8_t more;
	size_t n = 0;
	ssize_t got = 1;

	while (got > 0 && n < size) {
		got = read(fd, p + n, size - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	return n == size && read(fd, &more, 1) == 0 ? 0 : -1;
}

int
file_read(const char *path, struct buf *out, struct err *e)
{
	struct stat st;
	int fd = open_judged(path, out->max - out->n, &st, e);
	size_t size;
	int result = 0;

	if (fd < 0)
		return -1;
	size = (size_t)st.st_size;
	must(buf_reserve(out, size) == 0);
	if (size > 0 && read_whole(fd, out->p + out->n, size) < 0)
		result = err_set(e, "%s: changed while it was read", path);
	else
		out->n += size;
	close(fd);
	return result;
}

int
file_write(int fd, struct bytes b)
{
	while (b.n > 0) {
		ssize_t n = write(fd, b.p, b.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes_take(&b, (size_t)n);
	}
	return 0;
}
