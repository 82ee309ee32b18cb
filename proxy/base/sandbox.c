/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

static const int folder_calls[] = {
	SCMP_SYS(openat),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(fstatfs),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
};

static const int database_calls[] = {
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(unlink),
	SCMP_SYS(geteuid),
};

static const int append_calls[] = {
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(fdatasync),
	SCMP_SYS(pread64),
};

static const int accept_calls[] = {
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(getsockopt),
};

static const int fork_calls[] = {
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(sched_setscheduler),
	SCMP_SYS(memfd_create),
	SCMP_SYS(close_range),
	SCMP_SYS(dup2),
	SCMP_SYS(prlimit64),
	SCMP_SYS(setrlimit),
	SCMP_SYS(prctl),
	SCMP_SYS(seccomp),
	SCMP_SYS(set_robust_list),
	/* what the child needs has to pass its parent's filter too */
	SCMP_SYS(pread64),
};

/* Of a child that works on one object. */
static const int job_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	/* abort() */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(openat),
	SCMP_SYS(close),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(sched_yield),
	SCMP_SYS(fcntl),
	SCMP_SYS(prlimit64),
	SCMP_SYS(dup),
#endif
};

static int
allow_all(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0) < 0)
			return -1;
	return 0;
}

/* Memory is never made executable. */
static int
allow_memory(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp no_exec =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	return seccomp_rule_add(
		   ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec) < 0
	    ? -1
	    : seccomp_rule_add(
		  ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec);
}

/* Who made an object can say that it does not change any more. */
static int
allow_seals(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
	    SCMP_A1(SCMP_CMP_EQ, F_ADD_SEALS, 0));
}

/* Of ioctl only FIONBIO, which libuv uses;
 * sockets only of the Internet, and pairs, which lead nowhere else. */
static int
allow_some(scmp_filter_ctx ctx, unsigned needs)
{
	/* Processes, no threads, and no namespaces. */
	const struct scmp_arg_cmp plain_fork = SCMP_A0(SCMP_CMP_MASKED_EQ,
	    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
		CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_THREAD |
		CLONE_VM,
	    0);

	if (allow_memory(ctx) < 0 ||
	    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		SCMP_A1(SCMP_CMP_EQ, FIONBIO, 0)) < 0)
		return -1;
#ifdef __SANITIZE_ADDRESS__
	/* It asks whether its report goes to a terminal. */
	if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		SCMP_A1(SCMP_CMP_EQ, TCGETS, 0)) < 0)
		return -1;
#endif
	if ((needs & SANDBOX_OBJECTS) != 0 &&
	    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(memfd_create), 0) <
		0)
		return -1;
	if ((needs & SANDBOX_FORK) != 0 &&
	    (allow_all(ctx, fork_calls, COUNT(fork_calls)) < 0 ||
		seccomp_rule_add(
		    ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, plain_fork) < 0))
		return -1;
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
	if ((needs & SANDBOX_FOLDER) != 0 &&
	    allow_all(ctx, folder_calls, COUNT(folder_calls)) < 0)
		goto release;
	if ((needs & SANDBOX_DATABASE) != 0 &&
	    allow_all(ctx, database_calls, COUNT(database_calls)) < 0)
		goto release;
	if ((needs & SANDBOX_APPEND) != 0 &&
	    allow_all(ctx, append_calls, COUNT(append_calls)) < 0)
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

#ifndef __SANITIZE_ADDRESS__
static int
permit_folders(int ruleset, const struct sandbox *s)
{
	for (size_t i = 0; i <= s->folders_n; i++) {
		const struct landlock_path_beneath_attr folder = {
			.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
			    LANDLOCK_ACCESS_FS_WRITE_FILE |
			    LANDLOCK_ACCESS_FS_READ_DIR |
			    LANDLOCK_ACCESS_FS_MAKE_REG |
			    LANDLOCK_ACCESS_FS_REMOVE_FILE,
			.parent_fd = i == 0 ? s->folder : s->folders[i - 1],
		};

		if (syscall(SYS_landlock_add_rule, ruleset,
			LANDLOCK_RULE_PATH_BENEATH, &folder, 0U) < 0)
			return -1;
	}
	return 0;
}
#endif

/* Nothing gives anything back, but folders their own files. */
static void
forbid_files(const struct sandbox *s)
{
#ifndef __SANITIZE_ADDRESS__
	const struct landlock_ruleset_attr all = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	int fd =
	    (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0U);

	if (fd < 0)
		return;
	if (((s->needs & SANDBOX_FOLDER) != 0 && permit_folders(fd, s) < 0) ||
	    syscall(SYS_landlock_restrict_self, fd, 0U) < 0)
		log_say(EVENT_FAILURE, "Landlock: %m");
	close(fd);
#else
	(void)s;
#endif
}

bool
sandbox_apart(void)
{
	int all = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

	/* Who is not root may do it in a namespace of users. */
	return unshare(geteuid() == 0 ? all : all | CLONE_NEWUSER) == 0;
}

struct sandbox_filter {
	struct sock_fprog program;
	struct sock_filter code[]; /* the program's */
};

/* libseccomp writes a program to a descriptor alone. */
static struct sandbox_filter *
export_filter(scmp_filter_ctx ctx)
{
	struct sandbox_filter *f = NULL;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st;
	size_t n;

	if (fd < 0)
		return NULL;
	if (seccomp_export_bpf(ctx, fd) < 0 || fstat(fd, &st) < 0)
		goto close_fd;
	n = (size_t)st.st_size;
	f = calloc(1, sizeof(*f) + n);
	if (f == NULL)
		goto close_fd;
	f->program.len = (unsigned short)(n / sizeof(f->code[0]));
	f->program.filter = f->code;
	if (pread(fd, f->code, n, 0) != (ssize_t)n) {
		free(f);
		f = NULL;
	}
close_fd:
	close(fd);
	return f;
}

struct sandbox_filter *
sandbox_filter_new(struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	struct sandbox_filter *f = NULL;

	if (ctx != NULL && allow_all(ctx, job_calls, COUNT(job_calls)) == 0 &&
	    allow_seals(ctx) == 0 && allow_memory(ctx) == 0)
		f = export_filter(ctx);
	seccomp_release(ctx);
	if (f == NULL)
		err_set(e, "seccomp: the filter cannot be made");
	return f;
}

void
sandbox_filter_free(struct sandbox_filter *f)
{
	free(f);
}

int
sandbox_filter_load(const struct sandbox_filter *f)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f->program);
}

static int
enter_root(const struct sandbox *s, struct err *e)
{
	if (s->root == NULL)
		return 0;
	if (chroot(s->root) < 0 || chdir("/") < 0)
		return err_set(e, "chroot to %s: %m", s->root);
	return 0;
}

int
sandbox_enter(const struct sandbox *s, struct err *e)
{
	unsigned uid = 0;
	unsigned gid = 0;

	if (s->user != NULL && sandbox_user(s->user, &uid, &gid, e) < 0)
		return -1;
	if (enter_root(s, e) < 0 || limit(RLIMIT_NOFILE, s->files_max, e) < 0)
		return -1;
	if (s->user != NULL && drop_ids(uid, gid, e) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, "prctl: %m");
	if (limit(RLIMIT_CORE, 0, e) < 0 ||
	    limit(RLIMIT_NPROC, s->processes_max, e) < 0)
		return -1;
	if ((s->needs &
		(SANDBOX_FILES | SANDBOX_FOLDER | SANDBOX_FORK |
		    SANDBOX_OBJECTS | SANDBOX_APPEND)) == 0 &&
	    limit(RLIMIT_FSIZE, file_size_max(), e) < 0)
		return -1;
	if ((s->needs & SANDBOX_FILES) == 0)
		forbid_files(s);
	return filter_calls(s->needs, e);
}
