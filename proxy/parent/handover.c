/* SPDX-License-Identifier: Apache-2.0 */
/* handover: the keeper's folder, its key, the record that it writes, and when
 * it runs. It stands beside the generations from the first settings with ways
 * on, and is started anew with each load: folders and ways are in its settings.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/parent/state.h"

/* As journal.file: who runs has them open. */
static int
check_unchanged(const struct settings *s, struct err *e)
{
	const struct {
		const char *key, *was, *is;
	} names[] = {
		{ "folder", parent.handover_folder, s->handover.folder },
		{ "key_file", parent.handover_key, s->handover.key_file },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i].was, names[i].is) != 0)
			return err_set(e,
			    "%s: handover.%s changed, expected \"%s\" until"
			    " sekishod is restarted",
			    s->file, names[i].key, names[i].was);
	return 0;
}

/* A folder that is not there would be one of nobody's, found too late. One that
 * has two names is one all the same. */
static int
check_folder(const struct handover_way *w, const char *name, struct stat *seen,
    size_t *seen_n, struct err *e)
{
	struct stat *st = &seen[*seen_n];
	int fd = open(name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	int result = fd < 0 ? -1 : fstat(fd, st);

	if (result < 0)
		err_set(e, "%s:%u: folder \"%s\" cannot be opened: %m",
		    w->source.file, w->source.line, name);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < *seen_n && result == 0; i++)
		if (seen[i].st_dev == st->st_dev &&
		    seen[i].st_ino == st->st_ino)
			result = err_set(e,
			    "%s:%u: folder \"%s\" is one of another name that"
			    " stands before, or handover.folder",
			    w->source.file, w->source.line, name);
	(*seen_n)++;
	return result;
}

static int
check_folders(const struct settings *s, struct err *e)
{
	struct stat *seen = calloc(2 * s->handover.ways_n + 1, sizeof(*seen));
	size_t n = 0;
	int result = 0;

	must(seen != NULL);
	n += stat(s->handover.folder, &seen[n]) == 0;
	for (size_t i = 0; i < s->handover.ways_n; i++) {
		const struct handover_way *w = &s->handover.ways[i];
		const char *names[] = { w->drop, w->out };

		for (size_t k = 0; k < COUNT(names) && result == 0; k++)
			if (names[k][0] != '\0')
				result = check_folder(w, names[k], seen, &n, e);
	}
	free(seen);
	return result;
}

int
handover_prepare(const struct settings *s, struct err *e)
{
	const struct vault_place place = {
		.group = "handover",
		.what = "files",
		.folder = s->handover.folder,
		.key_file = s->handover.key_file,
		.user = s->processes.handover_user,
		.database = HANDOVER_FILE,
	};
	int fd;

	if (parent.handover_folder != NULL && check_unchanged(s, e) < 0)
		return -1;
	if (s->handover.ways_n == 0)
		return 0;
	if (vault_place_prepare(&place, e) < 0 || check_folders(s, e) < 0)
		return -1;
	fd = crossings_open(s, time(NULL), e);
	if (fd < 0)
		return -1;
	close(fd);
	if (parent.handover_folder != NULL)
		return 0;
	parent.handover_folder =
	    arena_string(&parent.names, bytes_of(s->handover.folder));
	parent.handover_key =
	    arena_string(&parent.names, bytes_of(s->handover.key_file));
	return 0;
}

void
handover_serve(const struct settings *s)
{
	struct worker *w = worker_find(PROCESS_HANDOVER, NULL);
	struct err e = { 0 };

	if (w != NULL) {
		w->renewed = w->pid > 0;
		worker_send(w, PARENT_STOP, 0, NULL, -1);
		return;
	}
	if (s->handover.ways_n == 0)
		return;
	w = worker_new(PROCESS_HANDOVER, 0, NULL, &e);
	if (w != NULL)
		worker_start(w);
	else
		log_say(EVENT_FAILURE, "%s", e.text);
}
