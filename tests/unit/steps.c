/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/steps.h"

#include <check.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/apart.h"

void
steps_try(void (*write)(void), void (*look)(void))
{
	int status;
	pid_t pid = fork_apart();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			raise(SIGSTOP);
		write();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSTOPPED(status));
	while (WIFSTOPPED(status)) {
		look();
		ck_assert(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	look();
}
