/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/urlrep.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
look(const struct urlrep_match *m, void *context)
{
	*(size_t *)context += strlen(m->category) + strlen(m->source) +
	    strlen(m->file) + m->key.p[m->key.n - 1];
}

/* A file that nobody checked is still read within its bounds. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct canon c;
	struct urlrep_query q = { &c, 1764000000, true };
	struct err e = { 0 };
	const char *why;
	size_t sum = 0;
	int fd = memfd_create("fuzz", MFD_ALLOW_SEALING);
	struct urlrep *r;

	must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	must(fcntl(fd, F_ADD_SEALS,
		 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
	r = urlrep_map(fd, &e);
	close(fd);
	if (r == NULL)
		return 0;
	must(canon_parse(&c, BYTES("http://a.b.test:81/x//y;z?q"), &why) == 0);
	must(urlrep_find(r, &q, look, &sum) >= -1);
	must(urlrep_each(r, look, &sum) >= -1);
	must(urlrep_has_urls(r, &c) || sum < SIZE_MAX);
	urlrep_drop(r);
	return 0;
}
