/* SPDX-License-Identifier: Apache-2.0 */
/* Each test forks a process that locks itself in and then tries something;
 * the kernel says how it ended. */
#include "proxy/base/sandbox.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int
try_nothing(void)
{
	return 0;
}

static int
try_memory(void)
{
	free(malloc(100000));
	return 0;
}

static int
try_fork(void)
{
	return fork() == 0 ? 0 : 1;
}

static int
try_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static int
try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : 1;
}

static int
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : 1;
}

static int
try_socket_pair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 ? 0 : 1;
}

static int
try_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) >= 0 ? 0 : 1;
}

static int
try_open(void)
{
	return open("/", O_RDONLY | O_DIRECTORY) >= 0 ? 0 : 1;
}

static int
try_ptrace(void)
{
	return prctl(PR_SET_DUMPABLE, 1) == 0 ? 0 : 1;
}

static int
try_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
	    ? 1
	    : 0;
}

static int
try_mount_escape(void)
{
	return chroot("/") == 0 ? 0 : 1;
}

#ifdef __SANITIZE_ADDRESS__
#define KILLED_IF_PLAIN 0 /* the sanitizer's runtime needs this call */
#else
#define KILLED_IF_PLAIN SIGSYS
#endif

static const struct {
	const char *name;
	int (*attempt)(void);
	unsigned needs;
	int signal; /* 0: it may */
} attempts[] = {
	{ "nothing", try_nothing, 0, 0 },
	{ "memory", try_memory, 0, 0 },
	{ "fork", try_fork, SANDBOX_SOCKETS, SIGSYS },
	{ "exec", try_exec, SANDBOX_SOCKETS, SIGSYS },
	{ "a socket without need", try_socket, 0, SIGSYS },
	{ "a socket of the Internet", try_socket, SANDBOX_SOCKETS, 0 },
	{ "a UNIX socket", try_unix_socket, SANDBOX_SOCKETS, SIGSYS },
	{ "a pair of sockets", try_socket_pair, SANDBOX_SOCKETS, 0 },
	{ "a pair without need", try_socket_pair, 0, SIGSYS },
	{ "a packet socket", try_packet_socket, SANDBOX_SOCKETS, SIGSYS },
	{ "open without need", try_open, SANDBOX_SOCKETS, KILLED_IF_PLAIN },
	{ "open with need", try_open, SANDBOX_FILES, 0 },
	{ "prctl", try_ptrace, SANDBOX_SOCKETS, KILLED_IF_PLAIN },
	{ "executable memory", try_executable_memory, 0, SIGSYS },
	{ "chroot", try_mount_escape, SANDBOX_FILES, SIGSYS },
};

static pid_t
fork_locked(const char *root, unsigned needs, int (*attempt)(void))
{
	const struct sandbox s = {
		.user = "64899:64899",
		.root = root,
		.needs = needs,
		.files_max = 64,
	};
	struct err e = { 0 };
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (sandbox_enter(&s, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		_exit(99);
	}
	_exit(attempt());
}

START_TEST(sandbox_kills_what_it_forbids)
{
	char root[] = "/tmp/sekisho-unit-XXXXXX";
	int status;
	pid_t pid;

	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(chmod(root, 0755), 0);
	pid = fork_locked(root, attempts[_i].needs, attempts[_i].attempt);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	rmdir(root);
	if (attempts[_i].signal != 0)
		ck_assert_msg(WIFSIGNALED(status) &&
			WTERMSIG(status) == attempts[_i].signal,
		    "%s: status %x", attempts[_i].name, (unsigned)status);
	else
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		    "%s: status %x", attempts[_i].name, (unsigned)status);
}
END_TEST

static const struct {
	const char *user;
	int want;
} users[] = {
	{ "64801:64802", 0 },
	{ "daemon", 0 },
	{ "root", -1 },
	{ "0:0", -1 },
	{ "64801:0", -1 },
	{ "64801", -1 },
	{ "nobody-of-that-name", -1 },
	{ "4294967295:1", -1 },
};

START_TEST(sandbox_users_are_never_root)
{
	struct err e = { 0 };
	unsigned uid;
	unsigned gid;

	ck_assert_msg(
	    sandbox_user(users[_i].user, &uid, &gid, &e) == users[_i].want,
	    "%s", users[_i].user);
}
END_TEST

Suite *sandbox_suite(void);

Suite *
sandbox_suite(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("sandbox");

	tcase_add_loop_test(
	    t, sandbox_kills_what_it_forbids, 0, COUNT(attempts));
	tcase_add_loop_test(t, sandbox_users_are_never_root, 0, COUNT(users));
	suite_add_tcase(s, t);
	return s;
}
