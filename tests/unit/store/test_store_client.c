/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/client.h"

#include <check.h>
#include <unistd.h>

#include "proxy/base/ipc.h"
#include "proxy/detox/detox.h"

#define SEEN_MAX 32

/* The store's end of a channel, and what came there. */
static struct peer {
	struct channel *channel;
	struct {
		uint32_t type, job;
		size_t n;
		bool fd;
	} seen[SEEN_MAX];
	size_t seen_n;
} peer;

static struct loop *loop;
static struct store_client *client;
static struct timer *soon;
static size_t done_n;
static char done_id[32], done_why[64];

static void
on_message(void *owner, const struct ipc_message *m)
{
	(void)owner;
	ck_assert_uint_lt(peer.seen_n, SEEN_MAX);
	peer.seen[peer.seen_n].type = m->type;
	peer.seen[peer.seen_n].job = m->job;
	peer.seen[peer.seen_n].n = m->body.n;
	peer.seen[peer.seen_n++].fd = m->fd >= 0;
	if (m->fd >= 0)
		close(m->fd);
}

static void
on_gone(void *owner)
{
	(void)owner;
}

static void
on_done(void *owner, const char *id, const char *why)
{
	(void)owner;
	done_n++;
	snprintf(done_id, sizeof(done_id), "%s", id == NULL ? "" : id);
	snprintf(done_why, sizeof(done_why), "%s", why == NULL ? "" : why);
}

static void
stop(void *owner)
{
	loop_stop(owner);
}

static void
turn(void)
{
	timer_start(soon, 20);
	loop_run(loop);
}

static void
connect_store(void)
{
	struct err e;
	int ends[2];

	channel_free(peer.channel);
	peer.seen_n = 0;
	ck_assert_int_eq(ipc_pair(ends, &e), 0);
	peer.channel = channel_new(loop, ends[0], on_message, on_gone, &peer);
	store_client_connect(client, ends[1]);
}

static void
setup(void)
{
	loop = loop_new();
	client = store_client_new(loop);
	soon = timer_new(loop, stop, loop);
}

static void
teardown(void)
{
	store_client_free(client);
	channel_free(peer.channel);
	timer_free(soon);
	loop_free(loop);
}

static struct store_ask *
ask(struct bytes helo, size_t recipients)
{
	static struct bytes to[4000];
	const struct original o = {
		.mail = BYTES("M"), .helo = helo, .to = to, .to_n = recipients
	};
	struct err e;
	int fd = detox_seal(BYTES("content"), &e);
	struct store_ask *a;

	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < COUNT(to); i++)
		to[i] = BYTES("somebody@city.test");
	a = store_client_keep(client, &o, fd, on_done, NULL);
	close(fd);
	return a;
}

START_TEST(store_client_asks_the_next_store_again)
{
	ask(BYTES("x"), 1);
	turn();
	connect_store();
	turn();
	ck_assert_uint_eq(peer.seen_n, 1);
	ck_assert_uint_eq(peer.seen[0].type, STORE_KEEP);
	ck_assert(peer.seen[0].fd);
	channel_free(peer.channel);
	peer.channel = NULL;
	turn();
	ck_assert(store_client_is_busy(client));
	connect_store();
	turn();
	ck_assert_uint_eq(peer.seen_n, 1);
	ck_assert_uint_eq(peer.seen[0].job, 1);
	channel_send(peer.channel, STORE_KEPT, 7, BYTES("other"), -1);
	channel_send(peer.channel, STORE_KEPT, 1, BYTES("M.2"), -1);
	channel_send(peer.channel, STORE_KEPT, 1, BYTES("again"), -1);
	turn();
	ck_assert_uint_eq(done_n, 1);
	ck_assert_str_eq(done_id, "M.2");
	ck_assert(!store_client_is_busy(client));
}
END_TEST

START_TEST(store_client_tells_why_not)
{
	connect_store();
	ask(BYTES("x"), 1);
	channel_send(peer.channel, STORE_NOT_KEPT, 1, BYTES("full"), -1);
	turn();
	ck_assert_uint_eq(done_n, 1);
	ck_assert_str_eq(done_why, "full");
	ask(BYTES("a\nb"), 1);
	ck_assert_uint_eq(done_n, 1);
	turn();
	ck_assert_uint_eq(done_n, 2);
	ck_assert_str_eq(done_why, "too much is said of the mail");
}
END_TEST

/* More than one message holds. */
START_TEST(store_client_says_much_in_pieces)
{
	size_t n = 0;

	connect_store();
	ask(BYTES("x"), 4000);
	turn();
	ck_assert_uint_gt(peer.seen_n, 2);
	for (size_t i = 0; i < peer.seen_n; i++) {
		bool last = i + 1 == peer.seen_n;

		ck_assert_uint_eq(
		    peer.seen[i].type, last ? STORE_KEEP : STORE_ABOUT);
		ck_assert(peer.seen[i].fd == last);
		n += peer.seen[i].n;
	}
	ck_assert_uint_gt(n, 4000 * strlen("to somebody@city.test\n"));
}
END_TEST

START_TEST(store_client_forgets_who_left)
{
	connect_store();
	store_ask_cancel(ask(BYTES("x"), 1));
	channel_send(peer.channel, STORE_KEPT, 1, BYTES("M"), -1);
	turn();
	ck_assert_uint_eq(done_n, 0);
	ck_assert(!store_client_is_busy(client));
	ask(BYTES("x"), 1);
}
END_TEST

Suite *store_client_suite(void);

Suite *
store_client_suite(void)
{
	Suite *s = suite_create("store_client");
	TCase *t = tcase_create("store_client");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, store_client_asks_the_next_store_again);
	tcase_add_test(t, store_client_tells_why_not);
	tcase_add_test(t, store_client_says_much_in_pieces);
	tcase_add_test(t, store_client_forgets_who_left);
	suite_add_tcase(s, t);
	return s;
}
