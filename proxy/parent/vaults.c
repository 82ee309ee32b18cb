/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/parent/state.h"
#include "proxy/store/vault.h"

/* 0, or -1 and *e: it is not there and cannot be made. */
static int
make_folder(const struct vault_place *p, struct err *e)
{
	const char *folder = p->folder;
	unsigned uid, gid;

	if (mkdir(folder, 0700) < 0)
		return errno == EEXIST
		    ? 0
		    : err_set(e, "%s.folder: %s: %m", p->group, folder);
	if (sandbox_user(p->user, &uid, &gid, e) < 0)
		return -1;
	return chown(folder, uid, gid) < 0
	    ? err_set(e, "%s.folder: %s: %m", p->group, folder)
	    : 0;
}

static int
has_originals(const struct vault_place *p)
{
	struct arena a = { 0 };
	int there =
	    access(arena_printf(&a, "%s/%s", p->folder, p->database), F_OK);

	arena_release(&a);
	return there == 0;
}

static int
write_key(const struct vault_place *p, int fd, struct err *e)
{
	const char *file = p->key_file;
	uint8_t key[VAULT_KEY_SIZE];
	int result = 0;

	if (getrandom(key, sizeof(key), 0) != sizeof(key) ||
	    file_write(fd, (struct bytes){ key, sizeof(key) }) < 0 ||
	    fsync(fd) < 0)
		result = err_set(e, "%s.key_file: %s: %m", p->group, file);
	explicit_bzero(key, sizeof(key));
	return result;
}

/* A new key beside old originals would look as if all were well. */
static int
make_key(const struct vault_place *p, struct err *e)
{
	const char *file = p->key_file;
	int fd, result;

	if (has_originals(p))
		return err_set(e,
		    "%s.key_file: %s is not there, expected the key of the %s "
		    "in"
		    " %s",
		    p->group, file, p->what, p->folder);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, "%s.key_file: %s: %m", p->group, file);
	result = write_key(p, fd, e);
	close(fd);
	if (result < 0)
		unlink(file);
	return result;
}

static int
check_key(const struct vault_place *p, struct err *e)
{
	const char *file = p->key_file;
	struct stat st;

	if (stat(file, &st) < 0)
		return errno == ENOENT
		    ? make_key(p, e)
		    : err_set(e, "%s.key_file: %s: %m", p->group, file);
	if (!S_ISREG(st.st_mode) || st.st_size != VAULT_KEY_SIZE)
		return err_set(e,
		    "%s.key_file: %s: expected a file of %d random bytes",
		    p->group, file, VAULT_KEY_SIZE);
	if ((st.st_mode & 077) != 0)
		return err_set(e, "%s.key_file: %s has mode %03o, expected 600",
		    p->group, file, (unsigned)st.st_mode & 0777);
	return 0;
}

int
vault_place_prepare(const struct vault_place *p, struct err *e)
{
	return make_folder(p, e) < 0 ? -1 : check_key(p, e);
}
