/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crossings: the files of the gate's and the keeper's records, one for each
 * year in Japan: "crossings.jsonl" of the settings is "crossings-2026.jsonl".
 * They are kept for seven years, so nothing but a year ends one; a new one
 * begins with the hash of the last line of the one before. The parent opens
 * them, as neither process may open any.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/chain.h"
#include "proxy/base/log.h"
#include "proxy/base/when.h"
#include "proxy/parent/state.h"

#define YEARS_BACK 20 /* that may have had no crossing */
#define LOOK_MS 10000

static int
year_of(time_t now)
{
	time_t there = now + WHEN_JAPAN_S;
	struct tm tm;

	gmtime_r(&there, &tm);
	return tm.tm_year + 1900;
}

/* Before the last dot of the name, or at its end. */
static const char *
path_of(const char *path, int year, struct arena *a)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(path, '.');
	size_t n =
	    dot == NULL || dot == path || (slash != NULL && dot <= slash + 1)
	    ? strlen(path)
	    : (size_t)(dot - path);

	return arena_printf(a, "%.*s-%04d%s", (int)n, path, year, path + n);
}

/* The folder may be there or not; what stands above it must be. */
static int
make_folder(const char *path, struct arena *a, struct err *e)
{
	char *folder = arena_string(a, bytes_of(path));
	char *slash = strrchr(folder, '/');

	if (slash == NULL || slash == folder)
		return 0;
	*slash = '\0';
	return mkdir(folder, 0750) == 0 || errno == EEXIST
	    ? 0
	    : err_set(e, "%s: cannot be made: %m", folder);
}

/* Another user of that folder must not choose what root writes to. */
static int
check_file(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, "%s: %m", path);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return err_set(e,
		    "%s: expected a file of one name that nobody but its owner,"
		    " who runs sekishod, may write",
		    path);
	return 0;
}

static int
open_file(const char *path, int flags, struct err *e)
{
	int fd = open(path,
	    O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags,
	    0640);

	if (fd < 0)
		return errno == ENOENT
		    ? -1
		    : err_set(e, "%s: cannot be opened: %m", path);
	if (check_file(fd, path, e) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The name of a new file lasts as long as what is in it. */
static void
sync_folder(const char *path, struct arena *a)
{
	char *folder = arena_string(a, bytes_of(path));
	char *slash = strrchr(folder, '/');
	int fd;

	if (slash == NULL)
		return;
	*slash = '\0';
	fd = open(folder[0] == '\0' ? "/" : folder,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)(fsync(fd) < 0);
	close(fd);
}

/* The newest file before that year's: its last line's hash. 1: there is one; 0:
 * none; -1 and *e. */
enum former {
	FORMER_FAILED = 0,
	FORMER_NONE,
	FORMER_FOUND,
};

static enum former
find_former(const char *path, int year, char head_out[CHAIN_HEX_N],
    const char **name_out, struct arena *a, struct err *e)
{
	for (int y = year - 1; y >= year - YEARS_BACK; y--) {
		const char *former = path_of(path, y, a);
		int fd = open_file(former, 0, e);
		const char *slash = strrchr(former, '/');
		struct chain *c;

		if (fd < 0 && e->text[0] == '\0')
			continue;
		c = fd < 0 ? NULL : chain_open(fd, former, NULL, e);
		if (c == NULL)
			return FORMER_FAILED;
		memcpy(head_out, chain_head(c), CHAIN_HEX_N);
		*name_out = slash == NULL ? former : slash + 1;
		chain_free(c);
		return FORMER_FOUND;
	}
	return FORMER_NONE;
}

/* Its first line: which file it goes on from. */
static int
write_first(int fd, const char *path, const char *former,
    const char *former_head, struct err *e)
{
	/* An open file of its own, as chain_free closes it. */
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	char head[CHAIN_HEX_N];
	struct chain *c;
	struct buf b;
	int result = -1;

	if (own < 0)
		return err_set(e, "%s: %m", path);
	c = chain_open(own, path, former_head, e);
	if (c == NULL)
		return -1;
	buf_init(&b, CHAIN_LINE_MAX);
	must(buf_printf(&b, "\"event\":\"continues\",\"file\":\"") == 0 &&
	    buf_reserve(&b, 6 * strlen(former)) == 0);
	b.n += (size_t)log_escape(
	    (char *)b.p + b.n, 6 * strlen(former), bytes_of(former));
	must(buf_append(&b, BYTES("\"")) == 0);
	if (chain_append(c, buf_bytes(&b), head, e) == 0)
		result = chain_sync(c, e);
	buf_release(&b);
	chain_free(c);
	return result;
}

static int
begin_file(int fd, const char *path, const char *setting, int year,
    struct arena *a, struct err *e)
{
	char head[CHAIN_HEX_N];
	const char *former;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, "%s: %m", path);
	if (st.st_size > 0)
		return 0;
	sync_folder(path, a);
	switch (find_former(setting, year, head, &former, a, e)) {
	case FORMER_FAILED:
		return -1;
	case FORMER_NONE:
		return 0;
	case FORMER_FOUND:
		break;
	}
	return write_first(fd, path, former, head, e);
}

int
crossings_open(const struct settings *s, time_t now, struct err *e)
{
	const char *setting = s->isolation->settings.crossings;
	int year = year_of(now);
	struct arena a = { 0 };
	const char *path = path_of(setting, year, &a);
	struct err none = { 0 };
	int fd = -1;

	*e = none;
	if (make_folder(path, &a, e) < 0)
		goto release;
	fd = open_file(path, O_CREAT, e);
	if (fd < 0 && e->text[0] == '\0')
		err_set(e, "%s: cannot be made: %s", path, strerror(ENOENT));
	if (fd >= 0 && begin_file(fd, path, setting, year, &a, e) < 0) {
		close(fd);
		fd = -1;
	}
release:
	arena_release(&a);
	return fd;
}

/* Who writes it and runs over the end of a year is given the new file. */
static void
give_new_file(struct worker *w, time_t now)
{
	const struct generation *g =
	    w->generation != NULL ? w->generation : parent.current;
	struct err e = { 0 };
	int fd;

	if (g == NULL)
		return;
	fd = crossings_open(g->settings, now, &e);

	if (fd < 0) {
		log_say(EVENT_FAILURE, "%s", e.text);
		return;
	}
	worker_send(w, PARENT_CROSSINGS, 0, NULL, fd);
	close(fd);
}

static void
look(void *owner)
{
	static int known;
	time_t now = time(NULL);
	int year = year_of(now);

	(void)owner;
	timer_start(parent.year_timer, LOOK_MS);
	/* A clock that is set back does not take an older file again. */
	if (known != 0 && year > known)
		for (size_t i = 0; i < BOARD_SLOTS; i++) {
			struct worker *w = &parent.workers[i];

			if (w->state != WORKER_FREE &&
			    (w->kind == PROCESS_GATE ||
				w->kind == PROCESS_HANDOVER))
				give_new_file(w, now);
		}
	if (year > known)
		known = year;
}

void
crossings_watch(void)
{
	parent.year_timer = timer_new(parent.loop, look, NULL);
	look(NULL);
}
