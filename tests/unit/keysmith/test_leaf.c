/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/keysmith/leaf.h"

#include <check.h>
#include <openssl/x509v3.h>

#include "proxy/base/buf.h"
#include "proxy/board.h"
#include "proxy/keysmith/forge.h"
#include "proxy/keysmith/mimic.h"
#include "tests/unit/keysmith/lab.h"

#define PATIENCE_MS 5000
#define DAY 86400

/* One edge's leaves and the keysmith's forge, on one loop. */
static struct {
	struct loop *loop;
	struct timer *patience;
	struct ca ca;
	struct forge *forge;
	struct keysmith_settings settings;
	struct leaves *leaves;
	size_t done, wanted;
	struct leaf *last;
	bool failed; /* some wait was told NULL */
} lab;

static time_t clock_offset;

static time_t
shifted(time_t *out)
{
	(void)out;
	return time(NULL) + clock_offset;
}

static void
out_of_patience(void *owner)
{
	(void)owner;
	loop_stop(lab.loop);
}

static void
set_up(void)
{
	static struct board_row row;
	time_t now = time(NULL);
	struct err e;

	memset(&lab, 0, sizeof(lab));
	clock_offset = 0;
	board_own(&row);
	lab.settings = (struct keysmith_settings){
		.leaf_cache_max = 4,
	};
	lab.loop = loop_new();
	lab.patience = timer_new(lab.loop, out_of_patience, NULL);
	lab.ca = lab_ca("EC", now - 2 * DAY, now + 3650L * DAY);
	lab.forge = forge_new(lab.loop, &lab.ca, 7 * DAY);
	lab.leaves = leaves_new(&lab.settings, lab.loop, NULL, &e);
	ck_assert_ptr_nonnull(lab.leaves);
	leaves_clock(lab.leaves, shifted);
}

static void
tear_down(void)
{
	leaves_free(lab.leaves);
	forge_free(lab.forge);
	timer_free(lab.patience);
	loop_free(lab.loop);
	ca_release(&lab.ca);
}

static void
connect_forge(void)
{
	struct err e;
	int ends[2];

	ck_assert_int_eq(ipc_pair(ends, &e), 0);
	forge_serve(lab.forge, ends[0]);
	leaves_connect(lab.leaves, ends[1]);
}

static void
leaf_done(void *owner, struct leaf *leaf)
{
	(void)owner;
	lab.last = leaf;
	lab.failed = lab.failed || leaf == NULL;
	if (++lab.done == lab.wanted)
		loop_stop(lab.loop);
}

/* Until that many waits were told. */
static void
run_until(size_t done)
{
	lab.wanted = done;
	if (lab.done >= done)
		return;
	timer_start(lab.patience, PATIENCE_MS);
	loop_run(lab.loop);
	timer_stop(lab.patience);
}

/* Lets what is under way arrive. */
static void
run_for(uint64_t ms)
{
	lab.wanted = SIZE_MAX;
	timer_start(lab.patience, ms);
	loop_run(lab.loop);
}

static struct leaf_wait *
ask(const char *host, X509 *origin, struct leaf **out)
{
	return leaves_get(
	    lab.leaves, bytes_of(host), origin, false, out, leaf_done, NULL);
}

/* The leaf at hand or, when it must be ordered, what the order brings. */
static struct leaf *
get(const char *host, X509 *origin)
{
	struct leaf *leaf;
	size_t before = lab.done;

	if (ask(host, origin, &leaf) == NULL)
		return leaf;
	ck_assert_uint_eq(lab.done, before);
	run_until(before + 1);
	ck_assert_uint_eq(lab.done, before + 1);
	return lab.last;
}

static bool
at_hand(const char *host, X509 *origin)
{
	struct leaf *leaf;
	struct leaf_wait *w = ask(host, origin, &leaf);

	leaf_wait_cancel(w);
	return w == NULL;
}

/* What a client would be sent. */
static X509 *
shown(struct leaf *leaf)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl = SSL_new(ctx);
	X509 *x;

	ck_assert_int_eq(leaf_use(leaf, ssl), 0);
	ck_assert_int_eq(SSL_check_private_key(ssl), 1);
	x = X509_dup(SSL_get_certificate(ssl));
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return x;
}

static void
check_shown(struct leaf *leaf, const char *host)
{
	X509 *x;

	ck_assert_ptr_nonnull(leaf);
	x = shown(leaf);
	ck_assert_int_eq(
	    lab_verify(x, lab.ca.certificate, host, shifted(NULL)), X509_V_OK);
	X509_free(x);
}

static void
check_subject(struct leaf *leaf, const char *want)
{
	X509 *x = shown(leaf);
	char got[80] = "";

	X509_NAME_get_text_by_NID(
	    X509_get_subject_name(x), NID_commonName, got, sizeof(got));
	ck_assert_str_eq(got, want);
	X509_free(x);
}

START_TEST(leaf_is_ordered_once_and_kept)
{
	X509 *origin = lab_origin("DNS:a.test,DNS:*.b.test");

	connect_forge();
	check_shown(get("a.test", origin), "a.test");
	ck_assert(at_hand("a.test", origin));
	ck_assert_msg(at_hand("www.b.test", origin), "one leaf for all names");
	check_shown(get("www.b.test", origin), "www.b.test");
	X509_free(origin);
}
END_TEST

START_TEST(leaf_tells_no_client_what_another_visits)
{
	X509 *origin = lab_origin("DNS:*.b.test,DNS:b.test");

	connect_forge();
	check_subject(get("secret.b.test", origin), "*.b.test");
	X509_free(origin);
}
END_TEST

START_TEST(leaf_has_the_host_that_the_origin_lacks)
{
	X509 *origin = lab_origin("DNS:a.test");

	connect_forge();
	check_shown(get("a.test", origin), "a.test");
	check_shown(get("other.test", origin), "other.test");
	check_shown(get("other.test", origin), "a.test");
	check_shown(get("third.test", origin), "third.test");
	ck_assert(at_hand("a.test", origin));
	check_shown(get("192.0.2.1", NULL), "192.0.2.1");
	check_shown(get("page.test", NULL), "page.test");
	ck_assert(at_hand("page.test", NULL));
	X509_free(origin);
}
END_TEST

START_TEST(leaf_wildcard_covers_one_label_alone)
{
	X509 *origin = lab_origin("DNS:*.b.test");

	connect_forge();
	check_shown(get("x.b.test", origin), "x.b.test");
	ck_assert(!at_hand("b.test", origin));
	check_shown(get("x.y.b.test", origin), "x.y.b.test");
	run_for(50);
	X509_free(origin);
}
END_TEST

START_TEST(leaf_order_is_shared_by_all_who_wait)
{
	X509 *origin = lab_origin("DNS:a.test");
	struct leaf *leaf;

	connect_forge();
	for (int i = 0; i < 10; i++)
		ck_assert_ptr_nonnull(ask("a.test", origin, &leaf));
	leaf_wait_cancel(ask("a.test", origin, &leaf));
	run_until(10);
	run_for(50);
	ck_assert_uint_eq(lab.done, 10);
	check_shown(lab.last, "a.test");
	X509_free(origin);
}
END_TEST

START_TEST(leaf_order_outlives_the_keysmith)
{
	X509 *origin = lab_origin("DNS:a.test");
	struct leaf *leaf;

	ck_assert_ptr_nonnull(ask("a.test", origin, &leaf));
	run_for(20);
	ck_assert_uint_eq(lab.done, 0);
	connect_forge();
	forge_free(lab.forge); /* it dies before it answers */
	lab.forge = forge_new(lab.loop, &lab.ca, 7 * DAY);
	run_for(20);
	ck_assert_uint_eq(lab.done, 0);
	connect_forge();
	run_until(1);
	check_shown(lab.last, "a.test");
	X509_free(origin);
}
END_TEST

START_TEST(leaf_cache_drops_the_least_used)
{
	const char *hosts[] = { "a.test", "b.test", "c.test", "d.test" };

	connect_forge();
	for (size_t i = 0; i < COUNT(hosts); i++)
		get(hosts[i], NULL);
	for (size_t i = 0; i < COUNT(hosts); i++)
		ck_assert(at_hand(hosts[i], NULL));
	ck_assert(at_hand("a.test", NULL));
	get("e.test", NULL);
	ck_assert(at_hand("a.test", NULL));
	ck_assert(at_hand("c.test", NULL));
	ck_assert(at_hand("e.test", NULL));
	ck_assert_msg(!at_hand("b.test", NULL), "one over the limit goes");
	run_for(50);
}
END_TEST

static const struct {
	const char *name;
	time_t after;
	bool at_hand, renewed;
} ages[] = {
	{ "a new one serves", 0, true, false },
	{ "at six days less a minute it serves", 6 * DAY - 60, true, false },
	{ "in its last day it serves and is renewed", 6 * DAY + 60, true,
	    true },
	{ "after its end it does not serve", 7 * DAY + 60, false, true },
};

/* The forge's clock is not moved: what it signs anew is what it signed. So
 * that the renewed one is seen, it lives for longer. */
START_TEST(leaf_is_renewed_before_its_end)
{
	X509 *old;
	X509 *new;

	connect_forge();
	old = shown(get("a.test", NULL));
	forge_free(lab.forge);
	lab.forge = forge_new(lab.loop, &lab.ca, 30 * DAY);
	connect_forge();
	clock_offset = ages[_i].after;
	ck_assert_msg(
	    at_hand("a.test", NULL) == ages[_i].at_hand, "%s", ages[_i].name);
	run_for(100);
	ck_assert(at_hand("a.test", NULL));
	new = shown(get("a.test", NULL));
	ck_assert_msg(
	    (X509_cmp(old, new) != 0) == ages[_i].renewed, "%s", ages[_i].name);
	X509_free(old);
	X509_free(new);
}
END_TEST

static const struct {
	const char *name, *host;
	bool rsa;
} refusals[] = {
	{ "no host", "", false },
	{ "no host name", "a b.test", false },
	{ "a trailing dot", "a.test.", false },
	{ "RSA that is not set", "a.test", true },
};

START_TEST(leaf_refusal_is_told_later)
{
	struct leaf *leaf;
	struct leaf_wait *w;

	connect_forge();
	w = leaves_get(lab.leaves, bytes_of(refusals[_i].host), NULL,
	    refusals[_i].rsa, &leaf, leaf_done, NULL);
	ck_assert_msg(w != NULL && lab.done == 0, "%s", refusals[_i].name);
	run_until(1);
	ck_assert_uint_eq(lab.done, 1);
	ck_assert_msg(lab.failed, "%s", refusals[_i].name);
}
END_TEST

START_TEST(leaf_names_are_cut_to_one_message)
{
	char san[40000] = "DNS:first.test";
	size_t n = strlen(san);
	X509 *origin;

	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(san + n, sizeof(san) - n,
		    ",DNS:n%d.%063d.%063d.example.test", i, 7, 7);
	origin = lab_origin(san);
	connect_forge();
	check_shown(get("first.test", origin), "first.test");
	check_shown(get("last.test", origin), "last.test");
	check_shown(get("last.test", origin), "first.test");
	X509_free(origin);
}
END_TEST

START_TEST(leaf_for_rsa_is_another)
{
	struct keysmith_settings settings = { .leaf_cache_max = 4,
		.rsa_leaf = true };
	struct leaf *leaf;
	struct err e;
	X509 *x;

	leaves_free(lab.leaves);
	lab.leaves = leaves_new(&settings, lab.loop, NULL, &e);
	connect_forge();
	check_shown(get("a.test", NULL), "a.test");
	ck_assert_ptr_nonnull(leaves_get(
	    lab.leaves, BYTES("a.test"), NULL, true, &leaf, leaf_done, NULL));
	run_until(lab.done + 1);
	x = shown(lab.last);
	ck_assert(EVP_PKEY_is_a(X509_get0_pubkey(x), "RSA"));
	X509_free(x);
	leaves_free(lab.leaves);
	lab.leaves = NULL;
}
END_TEST

/* Messages to a forge by hand. */
static struct {
	uint32_t type, job;
	size_t n;
	uint8_t body[IPC_BODY_MAX];
	bool gone, answered;
} heard;

static void
hear(void *owner, const struct ipc_message *m)
{
	(void)owner;
	heard.type = m->type;
	heard.job = m->job;
	heard.n = m->body.n;
	memcpy(heard.body, m->body.p, m->body.n);
	heard.answered = true;
	loop_stop(lab.loop);
}

static void
hear_gone(void *owner)
{
	(void)owner;
	heard.gone = true;
	loop_stop(lab.loop);
}

enum part {
	PART_NONE = 0,
	PART_KEY,
	PART_BAD_KEY,
	PART_LONG_KEY,
	PART_ORDER,
	PART_RSA_ORDER,
	PART_BAD_ORDER,
	PART_BAD_NAME,
	PART_UNKNOWN,
};

static const struct {
	const char *name;
	enum part first, second;
	bool want_gone;
	uint32_t want_type;
} talks[] = {
	{ "a key and an order get a leaf", PART_KEY, PART_ORDER, false,
	    KEYSMITH_LEAF },
	{ "a bad name is refused, no more", PART_KEY, PART_BAD_NAME, false,
	    KEYSMITH_REFUSED },
	{ "an order before the key ends", PART_ORDER, PART_NONE, true, 0 },
	{ "an order for the other key ends", PART_KEY, PART_RSA_ORDER, true,
	    0 },
	{ "a second key ends", PART_KEY, PART_KEY, true, 0 },
	{ "a key that is none ends", PART_BAD_KEY, PART_NONE, true, 0 },
	{ "bytes after the key end", PART_LONG_KEY, PART_NONE, true, 0 },
	{ "a malformed order ends", PART_KEY, PART_BAD_ORDER, true, 0 },
	{ "an unknown message ends", PART_KEY, PART_UNKNOWN, true, 0 },
};

static void
say(struct channel *c, enum part part)
{
	EVP_PKEY *key = lab_key("EC");
	struct leaf_order o = { .names = { BYTES("a.test") },
		.names_n = 1,
		.rsa = part == PART_RSA_ORDER };
	uint8_t spki[256] = { 0 };
	uint8_t *p = spki;
	size_t n = (size_t)i2d_PUBKEY(key, &p);
	struct buf order;

	buf_init(&order, IPC_BODY_MAX);
	if (part == PART_BAD_NAME)
		o.names[0] = BYTES("*.test");
	ck_assert(leaf_order_pack(&o, &order) == 0);
	switch (part) {
	case PART_NONE:
		break;
	case PART_KEY:
	case PART_BAD_KEY:
	case PART_LONG_KEY:
		n += part == PART_LONG_KEY;
		spki[4] = (uint8_t)(spki[4] ^ (part == PART_BAD_KEY));
		channel_send(c, KEYSMITH_KEY, 0, (struct bytes){ spki, n }, -1);
		break;
	case PART_ORDER:
	case PART_RSA_ORDER:
	case PART_BAD_ORDER:
	case PART_BAD_NAME:
		order.n -= part == PART_BAD_ORDER;
		channel_send(c, KEYSMITH_ORDER, 77, buf_bytes(&order), -1);
		break;
	case PART_UNKNOWN:
		channel_send(c, KEYSMITH_LEAF, 77, buf_bytes(&order), -1);
		break;
	}
	buf_release(&order);
	EVP_PKEY_free(key);
}

START_TEST(forge_ends_who_talks_nonsense)
{
	struct channel *c;
	struct err e;
	int ends[2];

	memset(&heard, 0, sizeof(heard));
	ck_assert_int_eq(ipc_pair(ends, &e), 0);
	c = channel_new(lab.loop, ends[0], hear, hear_gone, NULL);
	forge_serve(lab.forge, ends[1]);
	say(c, talks[_i].first);
	say(c, talks[_i].second);
	run_for(PATIENCE_MS);
	ck_assert_msg(heard.gone == talks[_i].want_gone, "%s", talks[_i].name);
	ck_assert_msg(heard.type == talks[_i].want_type, "%s", talks[_i].name);
	ck_assert_uint_eq(heard.job, heard.answered ? 77 : 0);
	channel_free(c);
	connect_forge(); /* the others are served as before */
	check_shown(get("a.test", NULL), "a.test");
}
END_TEST

/* A keysmith that is not ours: its answer is judged. */
static void
answer_wrongly(void *owner, const struct ipc_message *m)
{
	struct channel **c = owner;
	X509 *x = lab_origin("DNS:a.test"); /* for another key */
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);

	if (m->type == KEYSMITH_ORDER)
		channel_send(*c, KEYSMITH_LEAF, m->job,
		    (struct bytes){ der, (size_t)n }, -1);
	OPENSSL_free(der);
	X509_free(x);
}

START_TEST(leaf_for_another_key_is_of_no_use)
{
	struct channel *c;
	struct leaf *leaf;
	struct err e;
	int ends[2];

	ck_assert_int_eq(ipc_pair(ends, &e), 0);
	c = channel_new(lab.loop, ends[0], answer_wrongly, hear_gone, &c);
	leaves_connect(lab.leaves, ends[1]);
	ck_assert_ptr_nonnull(ask("a.test", NULL, &leaf));
	run_until(1);
	ck_assert(lab.failed);
	channel_free(c);
}
END_TEST

START_TEST(leaf_orders_in_flight_have_a_limit)
{
	struct leaf *leaf;
	char host[32];
	size_t told;

	for (int i = 0; i < 2048; i++) {
		snprintf(host, sizeof(host), "h%d.test", i);
		ck_assert_ptr_nonnull(ask(host, NULL, &leaf));
	}
	ck_assert_ptr_nonnull(ask("h0.test", NULL, &leaf));
	run_for(20);
	ck_assert_uint_eq(lab.done, 0);
	ck_assert_ptr_nonnull(ask("one-more.test", NULL, &leaf));
	run_until(1);
	ck_assert_uint_eq(lab.done, 1);
	ck_assert(lab.failed);
	lab.failed = false;
	connect_forge();
	told = lab.done + 2049;
	lab.wanted = told;
	timer_start(lab.patience, 30000);
	loop_run(lab.loop);
	ck_assert_uint_eq(lab.done, told);
	ck_assert(!lab.failed);
}
END_TEST

START_TEST(leaf_that_no_one_signs_fails_in_ten_seconds)
{
	struct leaf *leaf;

	ck_assert_ptr_nonnull(ask("a.test", NULL, &leaf));
	run_for(9500);
	ck_assert_uint_eq(lab.done, 0);
	run_until(1);
	ck_assert(lab.failed);
}
END_TEST

Suite *leaf_suite(void);

Suite *
leaf_suite(void)
{
	Suite *s = suite_create("leaf");
	TCase *t = tcase_create("leaf");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, leaf_is_ordered_once_and_kept);
	tcase_add_test(t, leaf_tells_no_client_what_another_visits);
	tcase_add_test(t, leaf_has_the_host_that_the_origin_lacks);
	tcase_add_test(t, leaf_wildcard_covers_one_label_alone);
	tcase_add_test(t, leaf_order_is_shared_by_all_who_wait);
	tcase_add_test(t, leaf_order_outlives_the_keysmith);
	tcase_add_test(t, leaf_cache_drops_the_least_used);
	tcase_add_loop_test(t, leaf_is_renewed_before_its_end, 0, COUNT(ages));
	tcase_add_loop_test(t, leaf_refusal_is_told_later, 0, COUNT(refusals));
	tcase_add_test(t, leaf_names_are_cut_to_one_message);
	tcase_add_test(t, leaf_for_rsa_is_another);
	tcase_add_loop_test(t, forge_ends_who_talks_nonsense, 0, COUNT(talks));
	tcase_add_test(t, leaf_for_another_key_is_of_no_use);
	tcase_add_test(t, leaf_orders_in_flight_have_a_limit);
	tcase_add_test(t, leaf_that_no_one_signs_fails_in_ten_seconds);
	suite_add_tcase(s, t);
	return s;
}
