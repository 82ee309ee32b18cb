/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/body/object.h"

#include <sys/mman.h>
#include <unistd.h>

#include "proxy/base/file.h"

#define HEAD_MAX ((size_t)16 << 20)

void
object_init(struct object *o, struct share share)
{
	*o = (struct object){ .share = share, .fd = -1 };
	buf_init(&o->head, HEAD_MAX);
}

static void
forget_head(struct object *o)
{
	buf_release(&o->head);
	buf_init(&o->head, HEAD_MAX);
}

void
object_forget(struct object *o)
{
	if (o->n > 0)
		share_give(o->share, o->n);
	o->n = 0;
	forget_head(o);
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

void
object_release(struct object *o)
{
	object_forget(o);
	if (o->instead == NULL)
		return;
	munmap((void *)(uintptr_t)o->instead, o->instead_n);
	share_give(o->share, o->instead_n);
	o->instead = NULL;
}

enum object_put
object_put(struct object *o, struct bytes b)
{
	int result;

	if (!share_take(o->share, b.n))
		return OBJECT_FULL;
	o->n += b.n;
	result = o->fd >= 0 ? file_write(o->fd, b) : buf_append(&o->head, b);
	return result < 0 ? OBJECT_FAILED : OBJECT_KEPT;
}

int
object_begin(struct object *o)
{
	int result;

	o->fd = memfd_create("object", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (o->fd < 0)
		return -1;
	result = file_write(o->fd, buf_bytes(&o->head));
	forget_head(o);
	return result;
}

bool
object_replace(struct object *o, int fd, uint64_t size)
{
	void *p = NULL;

	object_forget(o);
	if (size > SIZE_MAX || !share_take(o->share, size)) {
		close(fd);
		return false;
	}
	if (size > 0)
		p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED) {
		share_give(o->share, size);
		return false;
	}
	o->instead = p;
	o->instead_n = size;
	return true;
}

bool
object_ready(const struct object *o)
{
	return o->sent < o->instead_n;
}

bool
object_take(struct object *o, size_t most, struct bytes *out)
{
	size_t n = o->instead_n - o->sent;

	*out = (struct bytes){ o->instead + o->sent, n < most ? n : most };
	o->sent += out->n;
	return out->n > 0;
}
