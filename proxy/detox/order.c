/* SPDX-License-Identifier: Apache-2.0 */
/* The wire form: the profile, the two lengths, how many passwords there are,
 * the two names; and the passwords, each behind its length in a byte. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "filters/text/utf8.h"
#include "proxy/base/file.h"
#include "proxy/detox/detox.h"

struct head {
	uint32_t profile;
	uint16_t name_n;
	uint16_t declared_n;
	uint32_t passwords_n;
};

static int
pack_password(struct bytes p, struct buf *out)
{
	const uint8_t n = (uint8_t)p.n;

	if (p.n == 0 || p.n > DETOX_PASSWORD_MAX)
		return -1;
	return buf_append(out, (struct bytes){ &n, 1 }) < 0
	    ? -1
	    : buf_append(out, p);
}

int
detox_order_pack(const struct detox_order *o, struct buf *out)
{
	const struct head h = { o->profile, (uint16_t)o->name.n,
		(uint16_t)o->declared.n, (uint32_t)o->passwords.n };

	if (o->name.n > DETOX_NAME_MAX || o->declared.n > DETOX_NAME_MAX ||
	    buf_append(out, (struct bytes){ (const uint8_t *)&h, sizeof(h) }) <
		0 ||
	    buf_append(out, o->name) < 0 || buf_append(out, o->declared) < 0)
		return -1;
	for (size_t i = 0; i < o->passwords.n; i++)
		if (pack_password(o->passwords.all[i], out) < 0)
			return -1;
	return 0;
}

static bool
is_password(struct bytes p)
{
	return p.n > 0 && bytes_index(p, '\0') < 0 && utf8_is_valid(p);
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
	    h.passwords_n > DETOX_PASSWORDS_MAX ||
	    body.n < (size_t)h.name_n + h.declared_n)
		return -1;
	*o = (struct detox_order){ .profile = h.profile };
	o->name = bytes_take(&body, h.name_n);
	o->declared = bytes_take(&body, h.declared_n);
	for (; o->passwords.n < h.passwords_n; o->passwords.n++) {
		struct bytes *p = &o->passwords.all[o->passwords.n];
		struct bytes n = bytes_take(&body, body.n > 0);

		*p = bytes_take(&body, n.n == 0 ? 0 : n.p[0]);
		if (n.n == 0 || p->n != n.p[0] || !is_password(*p))
			return -1;
	}
	return body.n == 0 ? 0 : -1;
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
	return fcntl(fd, F_ADD_SEALS, DETOX_SEALS) < 0 ||
		lseek(fd, 0, SEEK_SET) < 0
	    ? err_set(e, "memfd: %m")
	    : 0;
}

bool
detox_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & DETOX_SEALS) == DETOX_SEALS;
}
