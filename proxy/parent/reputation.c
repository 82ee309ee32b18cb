/* SPDX-License-Identifier: Apache-2.0 */
/* reputation: the list file that the edges look up in, sealed once for all of
 * them, and looked at each second for a new one. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filters/urlrep/urlrep.h"
#include "proxy/base/log.h"
#include "proxy/parent/state.h"

#define LOOK_MS 1000

static struct {
	const char *path; /* of the newest settings; NULL: none */
	struct arena arena;
	struct stat seen; /* of the file that was sealed, or refused */
	struct timer *timer;
} of = { 0 };

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void
tell_edges(void)
{
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->state != WORKER_FREE && w->kind == PROCESS_EDGE)
			worker_send(
			    w, PARENT_LISTS, 0, NULL, parent.reputation_fd);
	}
}

static void
say_loaded(void)
{
	struct err e = { 0 };
	struct urlrep *r = urlrep_map(parent.reputation_fd, &e);
	struct urlrep_about about;

	if (r == NULL)
		return;
	urlrep_about(r, &about);
	log_say(EVENT_LISTS_LOADED, "%s: %llu entries", of.path,
	    (unsigned long long)about.entries);
	urlrep_drop(r);
}

static void
use(int fd)
{
	if (parent.reputation_fd >= 0)
		close(parent.reputation_fd);
	parent.reputation_fd = fd;
}

/* A new file, renamed into its place, is taken as it is; a broken one is told
 * of once, and what was stays. */
static void
look(void *owner)
{
	struct err e = { 0 };
	struct stat now;
	int fd;

	(void)owner;
	timer_start(of.timer, LOOK_MS);
	if (of.path == NULL || stat(of.path, &now) < 0 ||
	    is_same(&now, &of.seen))
		return;
	of.seen = now;
	fd = urlrep_seal(of.path, &e);
	if (fd < 0) {
		log_say(EVENT_LISTS_REFUSED, "%s", e.text);
		return;
	}
	use(fd);
	tell_edges();
	say_loaded();
}

int
reputation_open(const struct settings *s, struct err *e)
{
	struct arena a = { 0 };
	const char *path = settings_path(s, &a, s->reputation.file);
	struct stat now = { 0 };
	int fd = -1;

	if (s->reputation.file[0] == '\0') {
		of.path = NULL;
		use(-1);
	} else if (of.path == NULL || strcmp(of.path, path) != 0) {
		if (stat(path, &now) < 0)
			err_set(e, "%s: %s", path, strerror(errno));
		else
			fd = urlrep_seal(path, e);
		if (fd < 0) {
			arena_release(&a);
			return -1;
		}
		arena_release(&of.arena);
		of.path = arena_string(&of.arena, bytes_of(path));
		of.seen = now;
		use(fd);
	}
	arena_release(&a);
	if (of.timer == NULL) {
		of.timer = timer_new(parent.loop, look, NULL);
		timer_start(of.timer, LOOK_MS);
	}
	return 0;
}
