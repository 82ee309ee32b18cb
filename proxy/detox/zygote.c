/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/zygote.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/detox/loaded.h"
#include "proxy/detox/parcels.h"

/* Jobs must not keep the processor from what carries traffic: a nice process
 * still has its slice of milliseconds, an idle one gives way at once. One that
 * is so old is nice only, so that traffic cannot keep it from its end. */
#define NICE 10
#define IDLE_MS 500
#define FILES_MAX 8192

/* Who asks: the end of its channel here. */
struct customer {
	struct zygote *zygote;
	struct customer *prev, *next;
	struct channel *channel;
};

struct job {
	struct zygote *z;
	struct customer *customer; /* NULL: gone */
	struct job *prev, *next;
	uint32_t id;
	uint8_t *body; /* of the order, while it waits; no child gets it */
	size_t body_n;
	pid_t pid; /* 0: it waits */
	int in, out, report, pidfd;
	struct watch *ended;
	struct timer *deadline; /* first, of idling */
	bool idle;
	bool late;
};

struct zygote {
	const struct zygote_settings *settings;
	struct sandbox_filter *filter;
	struct loop *loop;
	struct customer *customers;
	struct parcels *parcels;
	bool ends_with_them; /* when the last of them is gone */
	struct job *jobs;    /* the oldest first */
	struct job *last;
	unsigned running, waiting;
	bool may_idle; /* and leave it again */
	int null;
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Apart from all other memory: the children of other jobs do not have it. */
static uint8_t *
new_order(struct bytes b)
{
	void *p = mmap(NULL, IPC_BODY_MAX, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED && madvise(p, IPC_BODY_MAX, MADV_DONTFORK) == 0);
	memcpy(p, b.p, b.n);
	return p;
}

static void
free_order(struct job *j)
{
	if (j->body != NULL)
		munmap(j->body, IPC_BODY_MAX);
	j->body = NULL;
}

static void
job_free(struct job *j)
{
	struct zygote *z = j->z;

	if (j->prev != NULL)
		j->prev->next = j->next;
	else
		z->jobs = j->next;
	if (j->next != NULL)
		j->next->prev = j->prev;
	else
		z->last = j->prev;
	if (j->pid != 0)
		z->running--;
	else
		z->waiting--;
	watch_free(j->ended);
	timer_free(j->deadline);
	free_order(j);
	close_fd(&j->pidfd);
	close_fd(&j->in);
	close_fd(&j->out);
	close_fd(&j->report);
	free(j);
}

static void
say_end(struct customer *c, uint32_t id, enum detox_end end, int detail, int fd)
{
	const uint8_t body[2] = { (uint8_t)end, (uint8_t)detail };

	if (c != NULL &&
	    channel_send(c->channel, DETOX_END, id,
		(struct bytes){ body, sizeof(body) }, fd) < 0)
		log_say(EVENT_FAILURE, "detox: an answer was lost");
}

static void start_waiting(struct zygote *z);

/* Its memory is gone before anybody hears of it. */
static void
on_ended(void *owner, unsigned events)
{
	struct job *j = owner;
	struct zygote *z = j->z;
	int status = 0;

	(void)events;
	if (waitpid(j->pid, &status, WNOHANG) != j->pid)
		return;
	if (j->late) {
		say_end(j->customer, j->id, DETOX_END_DEADLINE, 0, -1);
	} else if (WIFEXITED(status)) {
		if (j->customer != NULL &&
		    channel_send(j->customer->channel, DETOX_REPORT, j->id,
			BYTES(""), j->report) == 0)
			say_end(j->customer, j->id, DETOX_END_EXITED,
			    WEXITSTATUS(status), j->out);
	} else {
		say_end(
		    j->customer, j->id, DETOX_END_KILLED, WTERMSIG(status), -1);
	}
	job_free(j);
	start_waiting(z);
}

static void
on_deadline(void *owner)
{
	static const struct sched_param none;
	struct job *j = owner;

	if (j->idle) {
		j->idle = false;
		(void)sched_setscheduler(j->pid, SCHED_OTHER, &none);
		timer_start(
		    j->deadline, j->z->settings->settings->time_ms - IDLE_MS);
		return;
	}
	j->late = true;
	syscall(SYS_pidfd_send_signal, j->pidfd, SIGKILL, NULL, 0U);
}

static int
new_memfd(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static int
fork_job(struct job *j, const struct detox_order *o)
{
	struct zygote *z = j->z;
	const struct zygote_settings *s = z->settings;
	struct job_order order = {
		.settings = s->settings,
		.profile = &s->profiles[o->profile],
		.filter = z->filter,
		.name = o->name,
		.declared = o->declared,
		.passwords = o->passwords,
		.work = s->work != NULL ? s->work : job_work,
		.in = j->in,
		.out = j->out,
		.report = j->report,
		.null = z->null,
		.idle = j->idle,
	};

	/* Without what libraries do at a fork: libuv makes pipes. There are no
	 * threads that could hold a lock. */
	j->pid = _Fork();
	if (j->pid == 0)
		job_run(&order);
	if (j->pid < 0) {
		j->pid = 0;
		return -1;
	}
	z->waiting--;
	z->running++;
	j->pidfd = (int)syscall(SYS_pidfd_open, j->pid, 0U);
	return 0;
}

static void
start(struct job *j)
{
	static uint8_t body[IPC_BODY_MAX]; /* which its own child has */
	struct zygote *z = j->z;
	struct detox_order o;
	int forked;

	memcpy(body, j->body, j->body_n);
	free_order(j);
	if (detox_order_unpack(&o, (struct bytes){ body, j->body_n }) < 0 ||
	    o.profile >= z->settings->profiles_n || j->in < 0 ||
	    !detox_is_sealed(j->in)) {
		say_end(j->customer, j->id, DETOX_END_REFUSED, 0, -1);
		job_free(j);
		return;
	}
	j->idle = z->may_idle && z->settings->settings->time_ms > IDLE_MS;
	j->out = new_memfd("out");
	j->report = new_memfd("report");
	forked = j->out < 0 || j->report < 0 ? -1 : fork_job(j, &o);
	explicit_bzero(body, j->body_n);
	if (forked < 0) {
		log_say(EVENT_FAILURE, "detox: no process: %m");
		say_end(j->customer, j->id, DETOX_END_BUSY, 0, -1);
		job_free(j);
		return;
	}
	close_fd(&j->in);
	j->deadline = timer_new(z->loop, on_deadline, j);
	timer_start(
	    j->deadline, j->idle ? IDLE_MS : z->settings->settings->time_ms);
	j->ended =
	    j->pidfd < 0 ? NULL : watch_new(z->loop, j->pidfd, on_ended, j);
	must(j->ended != NULL);
	watch_want(j->ended, WATCH_READ);
}

static void
start_waiting(struct zygote *z)
{
	struct job *next;

	for (struct job *j = z->jobs; j != NULL &&
	     z->running < z->settings->settings->jobs_max && z->waiting > 0;
	     j = next) {
		next = j->next;
		if (j->pid == 0)
			start(j);
	}
}

static void
keep_parcel(struct customer *c, const struct ipc_message *m)
{
	struct bytes words = m->body;
	struct bytes key = bytes_take(&words, PARCEL_KEY_N);
	struct bytes state = bytes_take(&words, 1);

	parcels_keep(c->zygote->parcels, c, key,
	    state.p[0] > PARCEL_READY ? PARCEL_UNKNOWN
				      : (enum parcel_state)state.p[0],
	    words, m->fd);
}

static void
give_parcel(struct customer *c, const struct ipc_message *m)
{
	struct parcel_found f = parcels_find(c->zygote->parcels, m->body);
	uint8_t body[1 + PARCEL_WORDS_MAX] = { (uint8_t)f.state };

	if (f.words.n > 0)
		memcpy(body + 1, f.words.p, f.words.n);
	if (channel_send(c->channel, DETOX_PARCEL, m->job,
		(struct bytes){ body, 1 + f.words.n }, f.fd) < 0)
		log_say(EVENT_FAILURE, "detox: an answer was lost");
}

/* What is no job; false: it is one, or nothing. */
static bool
take_parcel_message(struct customer *c, const struct ipc_message *m)
{
	if (m->type == DETOX_KEEP && m->body.n > PARCEL_KEY_N &&
	    m->body.n <= PARCEL_KEY_N + 1 + PARCEL_WORDS_MAX) {
		keep_parcel(c, m);
		return true;
	}
	if (m->type != DETOX_FETCH)
		return false;
	give_parcel(c, m);
	if (m->fd >= 0)
		close(m->fd);
	return true;
}

static void
on_message(void *owner, const struct ipc_message *m)
{
	struct customer *c = owner;
	struct zygote *z = c->zygote;
	struct job *j;
	int fd = m->fd;

	if (take_parcel_message(c, m))
		return;
	if (m->type != DETOX_JOB ||
	    z->waiting >= z->settings->settings->waiting_max +
		    z->settings->settings->jobs_max - z->running) {
		close_fd(&fd);
		say_end(c, m->job,
		    m->type == DETOX_JOB ? DETOX_END_BUSY : DETOX_END_REFUSED,
		    0, -1);
		return;
	}
	j = calloc(1, sizeof(*j));
	must(j != NULL);
	*j = (struct job){ .z = z,
		.customer = c,
		.id = m->job,
		.in = fd,
		.out = -1,
		.report = -1,
		.pidfd = -1,
		.prev = z->last };
	j->body = new_order(m->body);
	j->body_n = m->body.n;
	if (z->last != NULL)
		z->last->next = j;
	else
		z->jobs = j;
	z->last = j;
	z->waiting++;
	start_waiting(z);
}

static void
end_job(struct job *j)
{
	if (j->pid != 0) {
		kill(j->pid, SIGKILL);
		waitpid(j->pid, NULL, 0);
	}
	job_free(j);
}

/* With what it asked: nobody waits for it any more. */
static void
customer_free(struct customer *c)
{
	struct zygote *z = c->zygote;
	struct job *next;

	for (struct job *j = z->jobs; j != NULL; j = next) {
		next = j->next;
		if (j->customer == c)
			end_job(j);
	}
	parcels_owner_gone(z->parcels, c);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		z->customers = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	channel_free(c->channel);
	free(c);
}

static void
on_gone(void *owner)
{
	struct customer *c = owner;
	struct zygote *z = c->zygote;

	customer_free(c);
	if (z->customers == NULL && z->ends_with_them)
		loop_stop(z->loop);
	else
		start_waiting(z);
}

void
zygote_serve(struct zygote *z, int fd)
{
	struct customer *c = calloc(1, sizeof(*c));

	must(c != NULL);
	*c = (struct customer){ .zygote = z, .next = z->customers };
	if (c->next != NULL)
		c->next->prev = c;
	z->customers = c;
	c->channel = channel_new(z->loop, fd, on_message, on_gone, c);
}

/* A child takes and gives back large pieces all the time, and ends soon: what
 * the system would have to clear again stays with it. */
static void
keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
}

/* What may not be done any more once it is locked in. */
static int
prepare(struct zygote *z, struct err *e)
{
	const struct rlimit back = { 20 - NICE, 20 - NICE };

	keep_memory();
	z->filter = sandbox_filter_new(e);
	if (z->filter == NULL || detox_prepare(e) < 0 || loaded_share(e) < 0)
		return -1;
#ifdef __SANITIZE_ADDRESS__
	z->null = -1;
#else
	z->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
#endif
	if (setpriority(PRIO_PROCESS, 0, NICE) < 0)
		return err_set(e, "nice: %m");
	z->may_idle = setrlimit(RLIMIT_NICE, &back) == 0;
	return 0;
}

struct zygote *
zygote_new(const struct zygote_settings *s, struct loop *l, struct err *e)
{
	struct zygote *z = calloc(1, sizeof(*z));
	struct sandbox box = s->sandbox;

	must(z != NULL);
	*z = (struct zygote){ .settings = s, .loop = l, .null = -1 };
	z->parcels = parcels_new(l);
	box.needs = SANDBOX_FORK;
	box.files_max = FILES_MAX;
	if (prepare(z, e) == 0 && sandbox_enter(&box, e) == 0)
		return z;
	zygote_free(z);
	return NULL;
}

void
zygote_free(struct zygote *z)
{
	if (z == NULL)
		return;
	while (z->customers != NULL)
		customer_free(z->customers);
	parcels_free(z->parcels);
	close_fd(&z->null);
	sandbox_filter_free(z->filter);
	free(z);
}

int
zygote_run(const struct zygote_settings *s, int fd)
{
	struct loop *l = loop_new();
	struct err e;
	struct zygote *z = zygote_new(s, l, &e);

	if (z == NULL) {
		log_say(EVENT_FAILURE, "detox: %s", e.text);
		close(fd);
	} else {
		z->ends_with_them = true;
		zygote_serve(z, fd);
		loop_run(l);
	}
	zygote_free(z);
	loop_free(l);
	return z == NULL;
}
