/* SPDX-License-Identifier: Apache-2.0 */
/* The wire form: the profile, the two lengths, the two names. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/detox/detox.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct head {
	uint32_t profile;
	uint16_t name_n;
	uint16_t declared_n;
};

int
detox_order_pack(const struct detox_order *o, struct buf *out)
{
	const struct head h = { o->profile, (uint16_t)o->name.n,
		(uint16_t)o->declared.n };

	if (o->name.n > DETOX_NAME_MAX || o->declared.n > DETOX_NAME_MAX ||
	    buf_append(out, (struct bytes){ (const uint8_t *)&h, sizeof(h) }) <
		0 ||
	    buf_append(out, o->name) < 0 || buf_append(out, o->declared) < 0)
		return -1;
	return 0;
}

int
detox_order_unpack(struct detox_order *o, struct bytes body)
{
	struct bytes head = bytes_take(&body, sizeof(struct head));
	struct head h;

	if (head.n != sizeof(h))
		return -1;
	memcpy(&h, head.p, sizeof(h));
	if (h.name_n > DETOX_NAME_MAX || h.declared_n > DETOX_NAME_MAX ||
	    body.n != (size_t)h.name_n + h.declared_n)
		return -1;
	o->profile = h.profile;
	o->name = bytes_take(&body, h.name_n);
	o->declared = body;
	return 0;
}

int
detox_seal(struct bytes b, struct err *e)
{
	int fd = memfd_create("object", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_set(e, "memfd: %m");
	if (file_write(fd, b) < 0)
		err_set(e, "memfd: %m");
	else if (detox_seal_fd(fd, e) == 0)
		return fd;
	close(fd);
	return -1;
}

int
detox_seal_fd(int fd, struct err *e)
{
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 || lseek(fd, 0, SEEK_SET) < 0
	    ? err_set(e, "memfd: %m")
	    : 0;
}

bool
detox_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}
