/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/source.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is refused says where; what is read can be compiled or says why not. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct set_source s = { 0 };
	struct err e = { 0 };
	char path[64];
	struct buf out;
	int fd;

	/* Files of this machine are no input. */
	if (bytes_index((struct bytes){ p, n }, '@') >= 0)
		return 0;
	fd = memfd_create("set.conf", 0);
	must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	buf_init(&out, 1 << 22);
	if (set_source_read(&s, path, &e) < 0)
		must(e.text[0] != '\0');
	else if (s.n < 8 && set_compile(s.kind, s.patterns, s.n, &out, &e) < 0)
		must(e.text[0] != '\0');
	buf_release(&out);
	set_source_release(&s);
	close(fd);
	return 0;
}
