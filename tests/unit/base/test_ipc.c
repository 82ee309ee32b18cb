/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/ipc.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE_MAX 4096

/* What one end has heard. */
struct ear {
	struct channel *channel;
	unsigned messages, gone;
	uint32_t type, job; /* of the last */
	size_t body_n;
	bool in_order; /* each job is one more than the last */
	unsigned stop_at;
	bool free_at_message, free_at_gone;
	int fd; /* of the last that brought one */
};

static struct loop *loop;
static int ends[2];
static struct ear ear;
static const uint8_t letters[IPC_BODY_MAX + 1] = { [0 ... IPC_BODY_MAX] = 'a' };

static void
hear(void *owner, const struct ipc_message *m)
{
	struct ear *e = owner;

	e->in_order &= e->messages == 0 || m->job == e->job + 1;
	e->messages++;
	e->type = m->type;
	e->job = m->job;
	e->body_n = m->body.n;
	ck_assert(m->body.n == 0 || memcmp(m->body.p, letters, m->body.n) == 0);
	if (m->fd >= 0)
		e->fd = m->fd;
	if (e->messages == e->stop_at)
		loop_stop(loop);
	if (e->free_at_message) {
		channel_free(e->channel);
		e->channel = NULL;
		loop_stop(loop);
	}
}

static void
hear_gone(void *owner)
{
	struct ear *e = owner;

	e->gone++;
	if (e->free_at_gone) {
		channel_free(e->channel);
		e->channel = NULL;
	}
	loop_stop(loop);
}

/* ends[0] is heard; ends[1] is a bare socket. */
static void
setup(void)
{
	struct err e = { 0 };

	loop = loop_new();
	ck_assert_msg(ipc_pair(ends, &e) == 0, "%s", e.text);
	ear = (struct ear){ .fd = -1, .in_order = true, .free_at_gone = true };
	ear.channel = channel_new(loop, ends[0], hear, hear_gone, &ear);
}

static void
teardown(void)
{
	channel_free(ear.channel);
	if (ends[1] >= 0)
		close(ends[1]);
	loop_free(loop);
}

/* The other end as a channel that hears nothing. */
static struct channel *
mouth(struct ear *e)
{
	struct channel *c;

	*e = (struct ear){ .fd = -1, .in_order = true };
	c = channel_new(loop, ends[1], hear, hear_gone, e);
	ends[1] = -1;
	return c;
}

static unsigned
open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* n bytes with so many descriptors, as no channel_send makes them. */
static void
send_raw(size_t n, size_t fds_n)
{
	static uint8_t bytes[8 + IPC_BODY_MAX + 1];
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec part = { bytes, n };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	int fds[8];

	memset(bytes + 8, 'a', sizeof(bytes) - 8);
	for (size_t i = 0; i < fds_n; i++)
		fds[i] = STDERR_FILENO;
	if (fds_n > 0) {
		struct cmsghdr *c = &control.align;

		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(fds_n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fds_n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fds_n * sizeof(int));
	}
	ck_assert(sendmsg(ends[1], &m, MSG_NOSIGNAL) == (ssize_t)n);
}

static const struct {
	size_t n;
	int want;
} bodies[] = {
	{ 0, 0 },
	{ 1, 0 },
	{ IPC_BODY_MAX, 0 },
	{ IPC_BODY_MAX + 1, -1 },
};

START_TEST(ipc_bodies_have_a_limit)
{
	struct ear other;
	struct channel *c = mouth(&other);

	ck_assert_int_eq(channel_send(c, 7, UINT32_MAX,
			     (struct bytes){ letters, bodies[_i].n }, -1),
	    bodies[_i].want);
	if (bodies[_i].want == 0) {
		ear.stop_at = 1;
		loop_run(loop);
		ck_assert_uint_eq(ear.messages, 1);
		ck_assert_uint_eq(ear.type, 7);
		ck_assert_uint_eq(ear.job, UINT32_MAX);
		ck_assert_uint_eq(ear.body_n, bodies[_i].n);
		ck_assert_int_eq(ear.fd, -1);
	}
	channel_free(c);
}
END_TEST

START_TEST(ipc_passes_a_copy_of_a_descriptor)
{
	struct ear other;
	struct channel *c = mouth(&other);
	int fds[2];
	char byte = 0;

	ck_assert(pipe2(fds, O_CLOEXEC) == 0);
	ck_assert(channel_send(c, 1, 1, BYTES(""), fds[0]) == 0);
	close(fds[0]);
	ear.stop_at = 1;
	loop_run(loop);
	ck_assert(ear.fd >= 0);
	ck_assert((fcntl(ear.fd, F_GETFD) & FD_CLOEXEC) != 0);
	ck_assert(write(fds[1], "x", 1) == 1);
	ck_assert(read(ear.fd, &byte, 1) == 1);
	ck_assert_int_eq(byte, 'x');
	close(ear.fd);
	close(fds[1]);
	channel_free(c);
}
END_TEST

/* A slow reader: what is queued comes in its order, and the descriptor with
 * the message that carried it. */
START_TEST(ipc_queue_has_a_limit)
{
	struct ear other;
	struct channel *c = mouth(&other);
	unsigned before = open_fds();
	unsigned sent = 0;
	int fds[2];

	ck_assert(pipe2(fds, O_CLOEXEC) == 0);
	while (channel_send(c, 1, sent, (struct bytes){ letters, 100 },
		   sent == 1000 ? fds[0] : -1) == 0)
		sent++;
	/* what the socket itself takes comes before the queue */
	ck_assert_uint_gt(sent, QUEUE_MAX);
	ck_assert_uint_lt(sent, 2 * QUEUE_MAX);
	close(fds[0]);
	close(fds[1]);
	ear.stop_at = sent;
	loop_run(loop);
	ck_assert_uint_eq(ear.messages, sent);
	ck_assert(ear.in_order);
	ck_assert(ear.fd >= 0);
	close(ear.fd);
	ck_assert_uint_eq(open_fds(), before);
	ck_assert(channel_send(c, 1, sent, BYTES(""), -1) == 0);
	channel_free(c);
}
END_TEST

START_TEST(ipc_queue_is_dropped_with_its_channel)
{
	struct ear other;
	struct channel *c = mouth(&other);
	unsigned before = open_fds();

	/* more than the socket takes */
	for (unsigned i = 0; i < 100; i++)
		ck_assert(channel_send(c, 1, i,
			      (struct bytes){ letters, IPC_BODY_MAX },
			      STDERR_FILENO) == 0);
	ck_assert_uint_gt(open_fds(), before);
	channel_free(c);
	ck_assert_uint_eq(open_fds(), before - 1);
}
END_TEST

START_TEST(ipc_last_words_come_before_the_end)
{
	struct ear other;
	struct channel *c = mouth(&other);

	for (unsigned i = 0; i < 3; i++)
		ck_assert(channel_send(c, 1, i, BYTES("a"), -1) == 0);
	channel_free(c);
	loop_run(loop);
	ck_assert_uint_eq(ear.messages, 3);
	ck_assert(ear.in_order);
	ck_assert_uint_eq(ear.gone, 1);
}
END_TEST

/* A process that ends does not read first what it was told. */
START_TEST(ipc_last_words_of_a_deaf_end_come_too)
{
	ck_assert(channel_send(ear.channel, 1, 1, BYTES("a"), -1) == 0);
	send_raw(8, 0);
	send_raw(9, 0);
	close(ends[1]);
	ends[1] = -1;
	loop_run(loop);
	ck_assert_uint_eq(ear.messages, 2);
	ck_assert_uint_eq(ear.gone, 1);
}
END_TEST

START_TEST(ipc_death_of_the_other_end_is_heard)
{
	pid_t pid = fork();
	int status;

	ck_assert(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		for (;;)
			pause();
	}
	close(ends[1]);
	ends[1] = -1;
	ck_assert(kill(pid, SIGKILL) == 0);
	ck_assert(waitpid(pid, &status, 0) == pid);
	loop_run(loop);
	ck_assert_uint_eq(ear.gone, 1);
	ck_assert_uint_eq(ear.messages, 0);
}
END_TEST

START_TEST(ipc_send_to_nobody_fails)
{
	close(ends[1]);
	ends[1] = -1;
	ck_assert(channel_send(ear.channel, 1, 1, BYTES(""), -1) == -1);
}
END_TEST

static const struct {
	const char *name;
	size_t n, fds_n;
	bool good;
} raws[] = {
	{ "a head alone", 8, 0, true },
	{ "a head with a descriptor", 8, 1, true },
	{ "the longest body", 8 + IPC_BODY_MAX, 0, true },
	{ "nothing", 0, 0, false },
	{ "half a head", 7, 0, false },
	{ "half a head with a descriptor", 7, 1, false },
	{ "too long a body", 8 + IPC_BODY_MAX + 1, 0, false },
	{ "too long a body with a descriptor", 8 + IPC_BODY_MAX + 1, 1, false },
	{ "two descriptors", 8, 2, false },
	{ "three descriptors", 8, 3, false },
	{ "eight descriptors", 8, 8, false },
};

START_TEST(ipc_nonsense_ends_the_channel)
{
	unsigned before = open_fds();

	ear.free_at_gone = false;
	ear.stop_at = 1;
	send_raw(raws[_i].n, raws[_i].fds_n);
	loop_run(loop);
	ck_assert_msg(ear.messages == raws[_i].good, "%s", raws[_i].name);
	ck_assert_msg(ear.gone == !raws[_i].good, "%s", raws[_i].name);
	if (ear.fd >= 0)
		close(ear.fd);
	/* no descriptor stays behind */
	ck_assert_msg(open_fds() == before, "%s", raws[_i].name);
}
END_TEST

START_TEST(ipc_channel_may_be_freed_by_its_message)
{
	ear.free_at_message = true;
	send_raw(8, 0);
	send_raw(8, 0);
	loop_run(loop);
	ck_assert_uint_eq(ear.messages, 1);
	ck_assert_uint_eq(ear.gone, 0);
}
END_TEST

START_TEST(ipc_read_takes_what_has_come)
{
	send_raw(8, 0);
	send_raw(9, 0);
	channel_read(ear.channel);
	ck_assert_uint_eq(ear.messages, 2);
	channel_read(ear.channel);
	ck_assert_uint_eq(ear.messages, 2);
	ck_assert_uint_eq(ear.gone, 0);
	close(ends[1]);
	ends[1] = -1;
	channel_read(ear.channel);
	ck_assert_uint_eq(ear.gone, 1);
	loop_run(loop); /* it was told to stop */
}
END_TEST

Suite *ipc_suite(void);

Suite *
ipc_suite(void)
{
	Suite *s = suite_create("ipc");
	TCase *t = tcase_create("ipc");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, ipc_bodies_have_a_limit, 0, COUNT(bodies));
	tcase_add_test(t, ipc_passes_a_copy_of_a_descriptor);
	tcase_add_test(t, ipc_queue_has_a_limit);
	tcase_add_test(t, ipc_queue_is_dropped_with_its_channel);
	tcase_add_test(t, ipc_last_words_come_before_the_end);
	tcase_add_test(t, ipc_last_words_of_a_deaf_end_come_too);
	tcase_add_test(t, ipc_death_of_the_other_end_is_heard);
	tcase_add_test(t, ipc_send_to_nobody_fails);
	tcase_add_loop_test(t, ipc_nonsense_ends_the_channel, 0, COUNT(raws));
	tcase_add_test(t, ipc_channel_may_be_freed_by_its_message);
	tcase_add_test(t, ipc_read_takes_what_has_come);
	suite_add_tcase(s, t);
	return s;
}
