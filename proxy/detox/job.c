/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/job.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/detox/report.h"

enum job_exit {
	JOB_DONE = 0,
	JOB_LOCK_FAILED = 10,
	JOB_READ_FAILED,
	JOB_WRITE_FAILED,
};

static int
limit(__rlimit_resource_t resource, uint64_t most)
{
	const struct rlimit r = { most, most };

	return setrlimit(resource, &r);
}

/* What the child may still use of the machine. */
static int
limit_all(const struct job_order *o)
{
	uint64_t report_or_out = o->profile->out_max > DETOX_REPORT_MAX
	    ? o->profile->out_max
	    : DETOX_REPORT_MAX;

#ifndef __SANITIZE_ADDRESS__
	/* The sanitizer's shadow is terabytes of addresses. */
	if (limit(RLIMIT_AS, o->settings->memory_max) < 0 ||
	    limit(RLIMIT_NOFILE, 0) < 0)
		return -1;
#endif
	return limit(RLIMIT_FSIZE, report_or_out) < 0 ||
		limit(RLIMIT_CPU, o->settings->time_ms / 1000 + 2) < 0 ||
		limit(RLIMIT_NPROC, 0) < 0
	    ? -1
	    : 0;
}

/* The descriptors of other jobs and of who asks are closed. */
static int
keep_own_fds(const struct job_order *o)
{
	if (dup2(o->in, JOB_IN) < 0 || dup2(o->out, JOB_OUT) < 0 ||
	    (o->null >= 0 && dup2(o->null, STDERR_FILENO) < 0) ||
	    dup2(o->report, JOB_REPORT) < 0)
		return -1;
	return close_range(JOB_REPORT + 1, ~0U, 0);
}

_Noreturn void
job_run(const struct job_order *o)
{
	static const struct sched_param none;

	if (o->idle)
		(void)sched_setscheduler(0, SCHED_IDLE, &none);
	/* It ends with who forked it, and only that one may end it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    keep_own_fds(o) < 0 || limit_all(o) < 0 ||
	    sandbox_filter_load(o->filter) < 0)
		_exit(JOB_LOCK_FAILED);
	_exit(o->work(o));
}

/* By reading, and not by mapping: memory of our own needs no trust. From its
 * beginning, as others share the descriptor. */
static int
read_object(const struct job_order *o, struct buf *content)
{
	ssize_t n;

	buf_init(content, o->profile->in_max + 1);
	do {
		/* One byte more than may be shows that there is more. */
		size_t room = content->max - content->n;

		if (room == 0)
			return 0;
		if (room > 1 << 20)
			room = 1 << 20;
		if (buf_reserve(content, room) < 0)
			return -1;
		n = pread(
		    JOB_IN, content->p + content->n, room, (off_t)content->n);
		if (n > 0)
			content->n += (size_t)n;
	} while (n > 0);
	return (int)n;
}

static int
write_output(struct bytes b)
{
	return file_write(JOB_OUT, b) < 0
	    ? -1
	    : fcntl(JOB_OUT, F_ADD_SEALS, DETOX_SEALS);
}

int
job_work(const struct job_order *o)
{
	static struct detox d;
	static uint8_t packed[DETOX_REPORT_MAX];
	struct detox_output out;
	struct buf content;
	struct buf report = { packed, 0, sizeof(packed), sizeof(packed) };

	if (read_object(o, &content) < 0)
		return JOB_READ_FAILED;
	detox_init(&d, o->profile);
	d.passwords = &o->passwords;
	const struct detox_object object = { buf_bytes(&content), o->name,
		o->declared, DETOX_FILE };
	if (detox_run(&d, &object, &out) == DETOX_REBUILT &&
	    write_output(buf_bytes(&out.content)) < 0)
		return JOB_WRITE_FAILED;
	if (detox_report_pack(&d, out.extension, &report) < 0 ||
	    file_write(JOB_REPORT, buf_bytes(&report)) < 0)
		return JOB_WRITE_FAILED;
	return JOB_DONE;
}
