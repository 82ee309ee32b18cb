/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/tickets.h"

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/keysmith/lab.h"

/* An edge: its own mapping, its own context. */
struct side {
	struct tickets *tickets;
	SSL_CTX *ctx;
};

static int fd = -1;
static X509 *certificate;
static EVP_PKEY *key;
static SSL_CTX *client;
static SSL_SESSION *kept; /* what the client resumes */

static void
set_up(void)
{
	const struct leaf_order o = {
		.names = { BYTES("a.test") },
		.names_n = 1,
	};
	time_t now = time(NULL);
	struct ca ca = lab_ca("EC", now - 60, now + 3600);
	struct err e = { 0 };

	key = lab_key("EC");
	certificate = lab_sign(&o, key, &ca, now, 3600, &e);
	ck_assert_msg(certificate != NULL, "%s", e.text);
	ca_release(&ca);
	fd = tickets_create(&e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	client = SSL_CTX_new(TLS_client_method());
}

static void
tear_down(void)
{
	SSL_SESSION_free(kept);
	SSL_CTX_free(client);
	X509_free(certificate);
	EVP_PKEY_free(key);
	close(fd);
}

static struct side
side_new(void)
{
	struct err e = { 0 };
	struct side s = { tickets_map(fd, &e),
		SSL_CTX_new(TLS_server_method()) };

	ck_assert_msg(s.tickets != NULL, "%s", e.text);
	SSL_CTX_use_cert_and_key(s.ctx, certificate, key, NULL, 1);
	SSL_CTX_set_session_id_context(s.ctx, (const uint8_t *)"x", 1);
	tickets_use(s.tickets, s.ctx);
	return s;
}

static void
side_free(struct side *s)
{
	SSL_CTX_free(s->ctx);
	tickets_unmap(s->tickets);
}

/* A handshake in memory; whether the session that was kept was resumed. */
static bool
resumes(struct side *s, int version)
{
	SSL *a = SSL_new(client);
	SSL *b = SSL_new(s->ctx);
	BIO *one;
	BIO *two;
	uint8_t byte;
	bool resumed;

	BIO_new_bio_pair(&one, 0, &two, 0);
	SSL_set_bio(a, one, one);
	SSL_set_bio(b, two, two);
	SSL_set_connect_state(a);
	SSL_set_accept_state(b);
	SSL_set_max_proto_version(a, version);
	if (kept != NULL)
		SSL_set_session(a, kept);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(a);
		SSL_do_handshake(b);
	}
	ck_assert(SSL_is_init_finished(a) == 1 && SSL_is_init_finished(b) == 1);
	SSL_read(a, &byte, 1); /* TLS 1.3: the tickets */
	resumed = SSL_session_reused(b) == 1;
	SSL_SESSION_free(kept);
	SSL_shutdown(a);
	SSL_shutdown(b);
	kept = SSL_get1_session(a);
	SSL_free(a);
	SSL_free(b);
	return resumed;
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

START_TEST(tickets_of_one_edge_serve_another)
{
	struct side a = side_new();
	struct side b = side_new();

	ck_assert(!resumes(&a, versions[_i]));
	ck_assert(resumes(&b, versions[_i]));
	side_free(&a);
	side_free(&b);
}
END_TEST

START_TEST(tickets_live_for_two_rotations)
{
	struct side s = side_new();
	SSL_SESSION *first;

	ck_assert(!resumes(&s, versions[_i]));
	first = SSL_SESSION_dup(kept);
	for (int rotations = 0; rotations <= 2; rotations++) {
		SSL_SESSION_free(kept);
		kept = SSL_SESSION_dup(first);
		ck_assert(resumes(&s, versions[_i]));
		tickets_rotate(fd);
	}
	SSL_SESSION_free(kept);
	kept = first;
	ck_assert_msg(!resumes(&s, versions[_i]), "the third is one too many");
	side_free(&s);
}
END_TEST

START_TEST(tickets_of_an_old_key_are_renewed)
{
	struct side s = side_new();
	struct bytes old;
	struct bytes new;
	SSL_SESSION *before;

	ck_assert(!resumes(&s, versions[_i]));
	for (int i = 0; i < 10; i++) {
		tickets_rotate(fd);
		before = SSL_SESSION_dup(kept);
		ck_assert(resumes(&s, versions[_i]));
		SSL_SESSION_get0_ticket(before, &old.p, &old.n);
		SSL_SESSION_get0_ticket(kept, &new.p, &new.n);
		ck_assert(new.n > 0 && !bytes_equal(old, new));
		SSL_SESSION_free(before);
	}
	side_free(&s);
}
END_TEST

START_TEST(tickets_are_not_of_another_start)
{
	struct side s = side_new();
	struct err e;
	int old = fd;

	ck_assert(!resumes(&s, versions[_i]));
	side_free(&s);
	fd = tickets_create(&e);
	s = side_new();
	ck_assert(!resumes(&s, versions[_i]));
	side_free(&s);
	close(old);
}
END_TEST

START_TEST(tickets_cannot_be_written_by_an_edge)
{
	uint8_t byte = 0;
	char path[64];
	int again;

	ck_assert_ptr_eq(
	    mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
	    MAP_FAILED);
	ck_assert_int_eq(pwrite(fd, &byte, 1, 0), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(pwrite(again, &byte, 1, 0), -1);
	close(again);
}
END_TEST

START_TEST(tickets_writer_is_the_parent_alone)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fclose(stderr); /* the sanitizer's words */
		tickets_rotate(fd);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}
END_TEST

START_TEST(tickets_need_memory_that_was_filled)
{
	struct err e;
	int empty = memfd_create("empty", MFD_CLOEXEC);

	ck_assert_ptr_null(tickets_map(-1, &e));
	ck_assert_int_eq(ftruncate(empty, 4096), 0);
	ck_assert_ptr_null(tickets_map(empty, &e));
	close(empty);
}
END_TEST

Suite *tickets_suite(void);

Suite *
tickets_suite(void)
{
	Suite *s = suite_create("tickets");
	TCase *t = tcase_create("tickets");
	const int n = COUNT(versions);

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, tickets_of_one_edge_serve_another, 0, n);
	tcase_add_loop_test(t, tickets_live_for_two_rotations, 0, n);
	tcase_add_loop_test(t, tickets_of_an_old_key_are_renewed, 0, n);
	tcase_add_loop_test(t, tickets_are_not_of_another_start, 0, n);
	tcase_add_test(t, tickets_cannot_be_written_by_an_edge);
	tcase_add_test(t, tickets_writer_is_the_parent_alone);
	tcase_add_test(t, tickets_need_memory_that_was_filled);
	suite_add_tcase(s, t);
	return s;
}
