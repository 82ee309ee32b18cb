/* SPDX-License-Identifier: Apache-2.0 */
/*
 * originals: the store's folder, its key, and when it runs. It stands beside
 * the generations from the first settings with mail on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/parent/state.h"
#include "proxy/store/vault.h"

/* 0, or -1 and *e: it is not there and cannot be made. */
static int
make_folder(const struct settings *s, struct err *e)
{
	const char *folder = s->store.folder;
	unsigned uid, gid;

	if (mkdir(folder, 0700) < 0)
		return errno == EEXIST
		    ? 0
		    : err_set(e, "store.folder: %s: %m", folder);
	if (sandbox_user(s->processes.store_user, &uid, &gid, e) < 0)
		return -1;
	return chown(folder, uid, gid) < 0
	    ? err_set(e, "store.folder: %s: %m", folder)
	    : 0;
}

static int
has_originals(const struct settings *s)
{
	struct arena a = { 0 };
	int there =
	    access(arena_printf(&a, "%s/" STORE_FILE, s->store.folder), F_OK);

	arena_release(&a);
	return there == 0;
}

static int
write_key(const char *file, int fd, struct err *e)
{
	uint8_t key[VAULT_KEY_SIZE];
	int result = 0;

	if (getrandom(key, sizeof(key), 0) != sizeof(key) ||
	    file_write(fd, (struct bytes){ key, sizeof(key) }) < 0 ||
	    fsync(fd) < 0)
		result = err_set(e, "store.key_file: %s: %m", file);
	explicit_bzero(key, sizeof(key));
	return result;
}

/* A new key beside old originals would look as if all were well. */
static int
make_key(const struct settings *s, struct err *e)
{
	const char *file = s->store.key_file;
	int fd, result;

	if (has_originals(s))
		return err_set(e,
		    "store.key_file: %s is not there, expected the key of the"
		    " originals in %s",
		    file, s->store.folder);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, "store.key_file: %s: %m", file);
	result = write_key(file, fd, e);
	close(fd);
	if (result < 0)
		unlink(file);
	return result;
}

static int
check_key(const struct settings *s, struct err *e)
{
	const char *file = s->store.key_file;
	struct stat st;

	if (stat(file, &st) < 0)
		return errno == ENOENT
		    ? make_key(s, e)
		    : err_set(e, "store.key_file: %s: %m", file);
	if (!S_ISREG(st.st_mode) || st.st_size != VAULT_KEY_SIZE)
		return err_set(e,
		    "store.key_file: %s: expected a file of %d random bytes",
		    file, VAULT_KEY_SIZE);
	if ((st.st_mode & 077) != 0)
		return err_set(e,
		    "store.key_file: %s has mode %03o, expected 600", file,
		    (unsigned)st.st_mode & 0777);
	return 0;
}

/* As journal.file: who runs has them open. */
static int
check_unchanged(const struct settings *s, struct err *e)
{
	const struct {
		const char *key, *was, *is;
	} names[] = {
		{ "folder", parent.store_folder, s->store.folder },
		{ "key_file", parent.store_key, s->store.key_file },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i].was, names[i].is) != 0)
			return err_set(e,
			    "%s: store.%s changed, expected \"%s\" until"
			    " sekishod is restarted",
			    s->file, names[i].key, names[i].was);
	return 0;
}

int
originals_prepare(const struct settings *s, struct err *e)
{
	if (s->mail.listeners_n == 0)
		return 0;
	if (parent.store_folder != NULL)
		return check_unchanged(s, e);
	if (make_folder(s, e) < 0 || check_key(s, e) < 0)
		return -1;
	parent.store_folder =
	    arena_string(&parent.names, bytes_of(s->store.folder));
	parent.store_key =
	    arena_string(&parent.names, bytes_of(s->store.key_file));
	return 0;
}

void
originals_serve(const struct settings *s)
{
	const struct store_limits limits = store_limits_of(&s->store);
	const struct bytes body = { (const uint8_t *)&limits, sizeof(limits) };
	struct worker *w = worker_find(PROCESS_STORE, NULL);
	struct err e = { 0 };

	if (s->mail.listeners_n == 0)
		return;
	if (w != NULL && w->channel != NULL)
		channel_send(w->channel, PARENT_LIMITS, 0, body, -1);
	if (w != NULL)
		return;
	w = worker_new(PROCESS_STORE, 0, NULL, &e);
	if (w != NULL)
		worker_start(w);
	else
		log_say(EVENT_FAILURE, "%s", e.text);
}
