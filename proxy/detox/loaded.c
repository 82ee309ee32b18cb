/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/loaded.h"

#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OBJECTS_MAX 256 /* those beyond stay as they are */
/* Bytes. Of larger tables few pages were ever written. */
#define DATA_MAX ((size_t)256 << 10)

/* Whole pages. */
struct range {
	uintptr_t begin, end;
};

struct object {
	struct range constant; /* since it was relocated */
	struct range data;
};

struct objects {
	struct object all[OBJECTS_MAX];
	size_t n;
	uintptr_t page;
};

static int
add_object(struct dl_phdr_info *o, size_t size, void *objects)
{
	struct objects *all = objects;
	struct object found = { 0 };

	(void)size;
	if (all->n == COUNT(all->all))
		return 0;
	for (size_t i = 0; i < o->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &o->dlpi_phdr[i];
		uintptr_t begin = o->dlpi_addr + h->p_vaddr;
		uintptr_t end = begin + h->p_memsz;

		/* As the loader protects it: less than all of it. */
		if (h->p_type == PT_GNU_RELRO)
			found.constant = (struct range){ begin & -all->page,
				end & -all->page };
		else if (h->p_type == PT_LOAD && (h->p_flags & PF_W) != 0)
			found.data = (struct range){ begin & -all->page,
				(end + all->page - 1) & -all->page };
	}
	if (found.data.begin < found.constant.end)
		found.data.begin = found.constant.end;
	if (found.data.end - found.data.begin > DATA_MAX)
		found.data.end = found.data.begin;
	all->all[all->n++] = found;
	return 0;
}

static bool
is_empty(struct range r)
{
	return r.begin >= r.end;
}

/* By the call itself: a sanitizer's write() would look at what is between
 * variables, and nothing may change what is copied before it is mapped. */
static bool
copy(struct range r, int fd)
{
	size_t n = r.end - r.begin;

	return is_empty(r) || syscall(SYS_write, fd, r.begin, n) == (ssize_t)n;
}

/* The same bytes, at once: there is no moment without them. */
static bool
map(struct range r, int access, int kind, int fd, size_t *at)
{
	size_t n = r.end - r.begin;

	if (is_empty(r))
		return true;
	*at += n;
	return syscall(SYS_mmap, r.begin, n, access, kind | MAP_FIXED, fd,
		   *at - n) == (long)r.begin;
}

static bool
share_constants(const struct objects *o, int fd)
{
	size_t at = 0;

	for (size_t i = 0; i < o->n; i++)
		if (!copy(o->all[i].constant, fd))
			return false;
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |
		    F_SEAL_SEAL) < 0)
		return false;
	for (size_t i = 0; i < o->n; i++)
		if (!map(o->all[i].constant, PROT_READ, MAP_SHARED, fd, &at))
			return false;
	return true;
}

static bool
share_data(const struct objects *o, int fd)
{
	size_t at = 0;

	for (size_t i = 0; i < o->n; i++)
		if (!copy(o->all[i].data, fd) ||
		    !map(o->all[i].data, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			fd, &at))
			return false;
	return true;
}

int
loaded_share(struct err *e)
{
	static struct objects o;
	int constants =
	    memfd_create("constants", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int data = memfd_create("data", MFD_CLOEXEC);
	bool shared;

	o.page = (uintptr_t)sysconf(_SC_PAGESIZE);
	dl_iterate_phdr(add_object, &o);
	shared = constants >= 0 && data >= 0 &&
	    share_constants(&o, constants) && share_data(&o, data);
	if (!shared)
		err_set(e, "memory of the libraries: %m");
	if (constants >= 0)
		close(constants);
	if (data >= 0)
		close(data);
	return shared ? 0 : -1;
}
