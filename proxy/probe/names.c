/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/probe/names.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child says, in one write. */
struct answer {
	int error; /* getaddrinfo's; 0: resolved */
	int error_number;
	char address[PROBE_DETAIL_MAX / 2];
};

static void
name_of(const char *name, char out[TRIAL_HOST_NAME_MAX + 16])
{
	uint64_t fresh = 0;

	if (name[0] != '*') {
		snprintf(out, TRIAL_HOST_NAME_MAX + 16, "%s", name);
		return;
	}
	must(getrandom(&fresh, sizeof(fresh), 0) == sizeof(fresh));
	snprintf(out, TRIAL_HOST_NAME_MAX + 16, "%016jx%s", (uintmax_t)fresh,
	    name + 1);
}

_Noreturn static void
resolve(const char *name, int fd)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct answer a = { 0 };

	a.error = getaddrinfo(name, NULL, &hints, &found);
	a.error_number = errno;
	if (a.error == 0)
		(void)getnameinfo(found->ai_addr, found->ai_addrlen, a.address,
		    sizeof(a.address), NULL, 0, NI_NUMERICHOST);
	_exit(write(fd, &a, sizeof(a)) == sizeof(a) ? 0 : 1);
}

void
question_ask(struct question *q, const char *name, unsigned deadline_s)
{
	char whole[TRIAL_HOST_NAME_MAX + 16];
	int ends[2];

	q->fd = -1;
	q->child = 0;
	name_of(name, whole);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		probe_say(q->item, PROBE_UNTRIED, PROBE_WHY_FAILED ": %m");
		return;
	}
	q->child = fork();
	if (q->child == 0) {
		/* In case that our parent is killed. */
		alarm(deadline_s + 1);
		close(ends[0]);
		resolve(whole, ends[1]);
	}
	close(ends[1]);
	if (q->child < 0) {
		probe_say(q->item, PROBE_UNTRIED, PROBE_WHY_FAILED ": %m");
		q->child = 0;
		close(ends[0]);
		return;
	}
	q->fd = ends[0];
}

/* Whether it was the asking that failed, and no resolver that said no. */
static bool
is_failure(const struct answer *a)
{
	return a->error == EAI_MEMORY || a->error == EAI_BADFLAGS ||
	    (a->error == EAI_SYSTEM && a->error_number != ECONNREFUSED &&
		a->error_number != ENETUNREACH);
}

static void
say(struct probe_item *i, const struct answer *a,
    enum probe_outcome when_resolved)
{
	if (a->error == 0)
		probe_say(
		    i, when_resolved, PROBE_WHY_RESOLVED ": %s", a->address);
	else if (is_failure(a))
		probe_say(i, PROBE_UNTRIED, PROBE_WHY_FAILED ": %s",
		    a->error == EAI_SYSTEM ? strerror(a->error_number)
					   : gai_strerror(a->error));
	else
		probe_say(i, PROBE_CLOSED, PROBE_WHY_NO_NAME ": %s",
		    gai_strerror(a->error));
}

void
question_take(struct question *q)
{
	struct answer a;

	if (read(q->fd, &a, sizeof(a)) == sizeof(a)) {
		a.address[sizeof(a.address) - 1] = '\0';
		say(q->item, &a, q->when_resolved);
	} else {
		probe_say(q->item, PROBE_UNTRIED,
		    PROBE_WHY_FAILED ": the resolver died");
	}
	close(q->fd);
	q->fd = -1;
}

void
question_end(struct question *q)
{
	if (q->fd >= 0) {
		close(q->fd);
		q->fd = -1;
		probe_say(q->item, PROBE_CLOSED, PROBE_WHY_SILENT);
	}
	if (q->child > 0) {
		kill(q->child, SIGKILL);
		while (waitpid(q->child, NULL, 0) < 0 && errno == EINTR)
			;
		q->child = 0;
	}
}
