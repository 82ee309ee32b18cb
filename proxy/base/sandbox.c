/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/bytes.h"
#include "proxy/base/log.h"

#define LAST_WORDS_MAX ((rlim_t)1 << 20)

int
sandbox_user(
    const char *user, unsigned *uid_out, unsigned *gid_out, struct err *e)
{
	struct bytes gid = bytes_of(user);
	struct bytes uid = bytes_take_until(&gid, ':');
	const struct passwd *entry;
	uint64_t number;

	if (bytes_number(uid, UINT32_MAX - 1, &number) == 0) {
		*uid_out = (unsigned)number;
		if (bytes_number(gid, UINT32_MAX - 1, &number) < 0)
			return err_set(e,
			    "user \"%s\": expected a name or"
			    " numbers as uid:gid",
			    user);
		*gid_out = (unsigned)number;
	} else {
		entry = getpwnam(user);
		if (entry == NULL)
			return err_set(e, "user \"%s\" does not exist", user);
		*uid_out = entry->pw_uid;
		*gid_out = entry->pw_gid;
	}
	if (*uid_out == 0 || *gid_out == 0)
		return err_set(
		    e, "user \"%s\" is root, expected another", user);
	return 0;
}

void
sandbox_bind(char **argv)
{
	char self[PATH_MAX];
	ssize_t n;

	if (getenv("LD_BIND_NOW") != NULL)
		return;
	/* By its path, of which the system makes the process's name. When it
	 * cannot be done, all else works as before. */
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0 || setenv("LD_BIND_NOW", "1", 1) < 0)
		return;
	self[n] = '\0';
	execv(self, argv);
}

static int
drop_ids(unsigned uid, unsigned gid, struct err *e)
{
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return err_set(e, "cannot become %u:%u: %m", uid, gid);
	if (setuid(0) == 0 || setgid(0) == 0)
		return err_set(e, "could become root again");
	return 0;
}

static int
limit(__rlimit_resource_t resource, rlim_t most, struct err *e)
{
	struct rlimit r;

	if (getrlimit(resource, &r) < 0)
		return err_set(e, "getrlimit(%d): %m", resource);
	/* What the machine permits is the most that can be had; to ask for
	 * more fails in a container without CAP_SYS_RESOURCE. */
	if (r.rlim_max < most)
		log_say(EVENT_FAILURE,
		    "limit %d is %llu on this machine, less than the %llu"
		    " wanted",
		    resource, (unsigned long long)r.rlim_max,
		    (unsigned long long)most);
	else
		r.rlim_max = most;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(resource, &r) < 0)
		return err_set(e, "setrlimit(%d): %m", resource);
	return 0;
}

static const int common_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(getrandom),
	SCMP_SYS(futex),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(recvfrom),
	SCMP_SYS(shutdown),
	SCMP_SYS(fcntl),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill),
	SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(lseek),
#ifdef __SANITIZE_ADDRESS__
	/* What the sanitizers' own runtime needs, to report at least. */
	SCMP_SYS(openat),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(prlimit64),
	SCMP_SYS(getrlimit),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(prctl),
	SCMP_SYS(pipe2),
	SCMP_SYS(stat),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
#endif
};

static const int socket_calls[] = {
	SCMP_SYS(connect),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt),
	SCMP_SYS(bind),
};

static const int file_calls[] = {
	SCMP_SYS(openat),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
};

static const int accept_calls[] = {
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(getsockopt),
};

static int
allow_all(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0) < 0)
			return -1;
	return 0;
}

/* Memory is never made executable; of ioctl only FIONBIO, which libuv uses;
 * sockets only of the Internet, and pairs, which lead nowhere else. */
static int
allow_some(scmp_filter_ctx ctx, unsigned needs)
{
	const struct scmp_arg_cmp no_exec =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec) <
		0 ||
	    seccomp_rule_add(
		ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec) < 0 ||
	    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		SCMP_A1(SCMP_CMP_EQ, FIONBIO, 0)) < 0)
		return -1;
#ifdef __SANITIZE_ADDRESS__
	/* It asks whether its report goes to a terminal. */
	if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		SCMP_A1(SCMP_CMP_EQ, TCGETS, 0)) < 0)
		return -1;
#endif
	if ((needs & SANDBOX_SOCKETS) == 0)
		return 0;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		   SCMP_A0(SCMP_CMP_EQ, AF_INET, 0)) < 0 ||
		seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		    SCMP_A0(SCMP_CMP_EQ, AF_INET6, 0)) < 0 ||
		seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
		    SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0)) < 0
	    ? -1
	    : 0;
}

static int
filter_calls(unsigned needs, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int result = -1;

	if (ctx == NULL)
		return err_set(e, "seccomp: out of memory");
	if (allow_all(ctx, common_calls, COUNT(common_calls)) < 0 ||
	    allow_some(ctx, needs) < 0)
		goto release;
	if ((needs & SANDBOX_SOCKETS) != 0 &&
	    allow_all(ctx, socket_calls, COUNT(socket_calls)) < 0)
		goto release;
	if ((needs & SANDBOX_FILES) != 0 &&
	    allow_all(ctx, file_calls, COUNT(file_calls)) < 0)
		goto release;
	if ((needs & SANDBOX_ACCEPT) != 0 &&
	    allow_all(ctx, accept_calls, COUNT(accept_calls)) < 0)
		goto release;
	/* The binary tree halves the cost of the filter per system call. */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0 ||
	    seccomp_load(ctx) < 0)
		goto release;
	result = 0;
release:
	seccomp_release(ctx);
	return result < 0 ? err_set(e, "seccomp: the filter cannot be loaded")
			  : 0;
}

/* Nothing, for who has no files; but the last words of a process that found a
 * bug go to stderr, which may be one. */
static rlim_t
file_size_max(void)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return (rlim_t)st.st_size + LAST_WORDS_MAX;
}

int
sandbox_enter(const struct sandbox *s, struct err *e)
{
	unsigned uid;
	unsigned gid;

	if (sandbox_user(s->user, &uid, &gid, e) < 0)
		return -1;
	if (chroot(s->root) < 0 || chdir("/") < 0)
		return err_set(e, "chroot to %s: %m", s->root);
	if (limit(RLIMIT_NOFILE, s->files_max, e) < 0)
		return -1;
	/* sandbox_user fills both, or gives err_set's -1.
	 * NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
	if (drop_ids(uid, gid, e) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, "prctl: %m");
	if (limit(RLIMIT_CORE, 0, e) < 0 || limit(RLIMIT_NPROC, 0, e) < 0)
		return -1;
	if ((s->needs & SANDBOX_FILES) == 0 &&
	    limit(RLIMIT_FSIZE, file_size_max(), e) < 0)
		return -1;
	return filter_calls(s->needs, e);
}
