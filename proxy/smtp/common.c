/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/common.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

static void
init_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t kind;

	must(pthread_mutexattr_init(&kind) == 0);
	must(pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0 &&
	    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0 &&
	    pthread_mutex_init(mutex, &kind) == 0);
	pthread_mutexattr_destroy(&kind);
}

static int
init(int fd, struct err *e)
{
	struct common *c;
	uint64_t secret;

	if (ftruncate(fd, sizeof(*c)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
		0 ||
	    getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		return err_set(e, "memory of the mail processes: %m");
	c = common_map(fd, e);
	if (c == NULL)
		return -1;
	init_mutex(&c->mutex);
	c->clients.secret = c->bodies.secret = c->floods.secret =
	    c->policies.secret = secret;
	common_unmap(c);
	return 0;
}

int
common_create(struct err *e)
{
	int fd = memfd_create("sekisho-mail", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_set(
		    e, "memory of the mail processes: memfd_create: %m");
	if (init(fd, e) == 0)
		return fd;
	close(fd);
	return -1;
}

struct common *
common_map(int fd, struct err *e)
{
	void *p = mmap(NULL, sizeof(struct common), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		err_set(e, "memory of the mail processes: mmap: %m");
		return NULL;
	}
	return p;
}

void
common_unmap(struct common *c)
{
	if (c != NULL)
		munmap(c, sizeof(*c));
}

void
common_lock(struct common *c)
{
	int status = pthread_mutex_lock(&c->mutex);

	/* Who held it was killed. Whatever is in a row is one. */
	if (status == EOWNERDEAD)
		status = pthread_mutex_consistent(&c->mutex);
	must(status == 0);
}

void
common_unlock(struct common *c)
{
	must(pthread_mutex_unlock(&c->mutex) == 0);
}
