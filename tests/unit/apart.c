/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/apart.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/base/bytes.h"

/* Check's file of messages has no name any more: /tmp/check_XXXXXX (deleted).
 * Returns -1 when there is none. */
static int
messages(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	char link[256];
	int found = -1;

	ck_assert_ptr_nonnull(folder);
	while ((entry = readdir(folder)) != NULL) {
		ssize_t n = readlinkat(
		    dirfd(folder), entry->d_name, link, sizeof(link) - 1);

		if (n < 0)
			continue;
		link[n] = '\0';
		if (strstr(link, "/check_") != NULL &&
		    bytes_end_with(bytes_of(link), BYTES(" (deleted)")))
			found = (int)strtol(entry->d_name, NULL, 10);
	}
	closedir(folder);
	return found;
}

pid_t
fork_apart(void)
{
	int shared = messages();
	pid_t pid;

	ck_assert_int_ge(shared, 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (nowhere < 0 || dup2(nowhere, shared) < 0)
			_exit(1);
		close(nowhere);
	}
	return pid;
}
