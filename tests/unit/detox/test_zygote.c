/* SPDX-License-Identifier: Apache-2.0 */
/* A zygote of its own for each test, and children that do what they must not.
 */
#include "proxy/detox/zygote.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/detox/client.h"

Suite *zygote_suite(void);

static const struct detox_settings settings = {
	.jobs_max = 2,
	.waiting_max = 1,
	.memory_max = 256 << 20,
	.time_ms = 3000,
};

struct place {
	struct detox_profile profile;
	struct loop *loop;
	struct detox_client *client;
	pid_t zygote;
	unsigned expected;
	struct detox_outcome got[8];
	unsigned got_n;
	bool gone;
};

/* What the child does is said by the first byte of the object's name. */
static int
put(int fd, const char *text)
{
	return write(fd, text, strlen(text)) < 0;
}

static int
forge_report(const char *extension, const char *output)
{
	static struct detox d;
	static uint8_t packed[DETOX_REPORT_MAX];
	struct buf b = { packed, 0, sizeof(packed), sizeof(packed) };

	if (detox_report_pack(&d, extension, &b) < 0 ||
	    write(JOB_REPORT, b.p, b.n) < 0)
		return 1;
	return put(JOB_OUT, output);
}

static int
forge_sealed(const char *extension, const char *output)
{
	return forge_report(extension, output) < 0
	    ? 1
	    : fcntl(JOB_OUT, F_ADD_SEALS, DETOX_SEALS);
}

static int
fill(int fd)
{
	static const uint8_t zeros[65536];

	for (int i = 0; i < 1024; i++)
		if (write(fd, zeros, sizeof(zeros)) < 0)
			return 7;
	return 0;
}

static int
take_memory(void)
{
	for (int i = 0; i < 64; i++) {
		uint8_t *p = malloc(16 << 20);

		if (p == NULL)
			return 9;
		memset(p, 1, 16 << 20);
	}
	return 0;
}

static int
hostile_work(const struct job_order *o)
{
	volatile unsigned spin = 0;

	switch (o->name.n > 0 ? o->name.p[0] : 0) {
	case 'c':
		abort();
	case 'h':
		for (;;)
			spin++;
	case 'n': /* no report */
		return put(JOB_OUT, "hello");
	case 'g': /* one that is none */
		return put(JOB_REPORT, "garbage") + put(JOB_OUT, "hello");
	case 'e':
		return forge_sealed("../../etc", "hello");
	case 't': /* another type than may come out */
		return forge_sealed(NULL, "MZ\x90 a program");
	case 'u': /* a type that passes, but not as it was */
		return forge_sealed(NULL, "hullo");
	case 'w': /* one that may still change */
		return forge_report(NULL, "hello");
	case 'l': /* more than may come out */
		return fill(JOB_OUT);
	case 'r':
		return fill(JOB_REPORT);
	case 'm':
		return take_memory();
	case 's':
		return socket(AF_INET, SOCK_STREAM, 0) >= 0;
	case 'o':
		return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0;
	case 'f':
		return fork() >= 0;
	case 'k':
		return kill(getppid(), SIGKILL);
	case 'x':
		return execl("/bin/true", "true", (char *)NULL);
	case 'p':
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
	default:
		return job_work(o);
	}
}

static void
on_done(void *owner, struct detox_outcome *o)
{
	struct place *p = owner;

	ck_assert_uint_lt(p->got_n, COUNT(p->got));
	p->got[p->got_n++] = *o;
	if (p->got_n == p->expected)
		loop_stop(p->loop);
}

static void
on_gone(void *owner)
{
	struct place *p = owner;

	p->gone = true;
	loop_stop(p->loop);
}

static int
zygote_main(const struct place *p, int fd)
{
	struct zygote_settings s = {
		.settings = &settings,
		.profiles = &p->profile,
		.profiles_n = 1,
		.sandbox = { .processes_max = 4096 },
		.work = hostile_work,
	};

	if (geteuid() == 0) {
		s.sandbox.user = "65534:65534";
		s.sandbox.root = "/proc/self/fdinfo";
	}
	return zygote_run(&s, fd);
}

static void
place_init(struct place *p)
{
	struct err e;
	int ends[2];

	memset(p, 0, sizeof(*p));
	detox_profile_init(&p->profile);
	p->profile.treatment[MAGIC_TEXT] = DETOX_PASS;
	p->profile.out_max = 1 << 20;
	ck_assert(ipc_pair(ends, &e) == 0);
	p->zygote = fork();
	ck_assert(p->zygote >= 0);
	if (p->zygote == 0) {
		close(ends[0]);
		_exit(zygote_main(p, ends[1]));
	}
	close(ends[1]);
	p->loop = loop_new();
	p->client = detox_client_new(p->loop, &p->profile, 1, on_gone, p);
	detox_client_connect(p->client, ends[0]);
}

static void
place_ask(struct place *p, const char *name)
{
	const struct detox_order o = { .name = bytes_of(name) };
	struct err e;
	int fd = detox_seal(BYTES("hello"), &e);

	ck_assert(fd >= 0);
	ck_assert(detox_client_ask(p->client, fd, &o, on_done, p, &e) != NULL);
	close(fd);
	p->expected++;
}

static void
place_release(struct place *p)
{
	int status;

	detox_client_free(p->client);
	loop_free(p->loop);
	ck_assert(waitpid(p->zygote, &status, 0) == p->zygote);
	for (unsigned i = 0; i < p->got_n; i++)
		if (p->got[i].fd >= 0)
			close(p->got[i].fd);
}

static void
check_passed(const struct detox_outcome *o)
{
	char text[8] = "";

	ck_assert_msg(o->verdict == DETOX_IS_UNCHANGED, "%s: %s",
	    detox_refusal_words[o->report.refusal].name, o->report.why);
	ck_assert_uint_eq(o->size, 5);
	ck_assert(pread(o->fd, text, sizeof(text), 0) == 5);
	ck_assert_str_eq(text, "hello");
	ck_assert(detox_is_sealed(o->fd));
	ck_assert(memcmp(o->digest, o->in_digest, DETOX_DIGEST_SIZE) == 0);
}

START_TEST(zygote_does_a_job)
{
	struct place p;

	place_init(&p);
	place_ask(&p, "a.txt");
	loop_run(p.loop);
	ck_assert_uint_eq(p.got_n, 1);
	check_passed(&p.got[0]);
	place_release(&p);
}
END_TEST

static const struct {
	const char *name;
	enum detox_refusal refusal;
	const char *why; /* NULL: not told apart */
} hostile[] = {
	{ "crash", REFUSED_CRASHED, "signal 6" },
	{ "hang", REFUSED_DEADLINE, NULL },
	{ "no report", REFUSED_FORGED, NULL },
	{ "garbage", REFUSED_FORGED, NULL },
	{ "extension", REFUSED_FORGED, NULL },
	{ "type", REFUSED_FORGED,
	    "the output is not of the type that it should be" },
	{ "unlike", REFUSED_FORGED,
	    "the output is not of the type that it should be" },
	{ "writable", REFUSED_FORGED, "the output is not sealed" },
	{ "large", REFUSED_CRASHED, NULL },
	{ "report", REFUSED_CRASHED, NULL },
#ifndef __SANITIZE_ADDRESS__
	{ "memory", REFUSED_CRASHED, "exit status 9" },
	{ "open", REFUSED_CRASHED, "signal 31" },
#endif
	{ "socket", REFUSED_CRASHED, "signal 31" },
	{ "fork", REFUSED_CRASHED, "signal 31" },
	{ "kill", REFUSED_CRASHED, "signal 31" },
	{ "x", REFUSED_CRASHED, "signal 31" },
	{ "program memory", REFUSED_CRASHED, "signal 31" },
};

/* It refuses that object, and the next job is done as if nothing had been. */
START_TEST(zygote_outlives_a_hostile_child)
{
	const struct detox_outcome *o;
	struct place p;

	place_init(&p);
	place_ask(&p, hostile[_i].name);
	loop_run(p.loop);
	ck_assert_uint_eq(p.got_n, 1);
	o = &p.got[0];
	ck_assert_int_eq(o->verdict, DETOX_IS_REFUSED);
	ck_assert_int_eq(o->fd, -1);
	ck_assert_msg(o->report.refusal == hostile[_i].refusal, "%s: %s: %s",
	    hostile[_i].name, detox_refusal_words[o->report.refusal].name,
	    o->report.why);
	if (hostile[_i].why != NULL)
		ck_assert_str_eq(o->report.why, hostile[_i].why);
	place_ask(&p, "a.txt");
	loop_run(p.loop);
	ck_assert_uint_eq(p.got_n, 2);
	check_passed(&p.got[1]);
	place_release(&p);
}
END_TEST

START_TEST(zygote_ends_a_job_at_its_deadline)
{
	struct place p;

	place_init(&p);
	place_ask(&p, "hang");
	loop_run(p.loop);
	ck_assert_uint_ge(p.got[0].us, 2900000);
	ck_assert_uint_lt(p.got[0].us, 20000000);
	place_release(&p);
}
END_TEST

/* Two at once, one waits, the fourth is refused at once. */
START_TEST(zygote_has_a_limit_of_jobs)
{
	struct place p;

	place_init(&p);
	for (int i = 0; i < 4; i++)
		place_ask(&p, "hang");
	p.expected = 1;
	loop_run(p.loop);
	/* before any of the others has its deadline */
	ck_assert_int_eq(p.got[0].report.refusal, REFUSED_BUSY);
	p.expected = 4;
	loop_run(p.loop);
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(p.got[i].report.refusal, REFUSED_DEADLINE);
	ck_assert_uint_ge(p.got[3].us, 5900000);
	place_release(&p);
}
END_TEST

START_TEST(zygote_that_ends_refuses_what_it_had)
{
	struct place p;

	place_init(&p);
	place_ask(&p, "a.txt");
	loop_run(p.loop);
	place_ask(&p, "hang");
	place_ask(&p, "hang");
	p.expected = 100;
	kill(p.zygote, SIGKILL);
	loop_run(p.loop);
	ck_assert(p.gone);
	ck_assert_uint_eq(p.got_n, 3);
	ck_assert_int_eq(p.got[1].report.refusal, REFUSED_CRASHED);
	ck_assert_int_eq(p.got[2].report.refusal, REFUSED_CRASHED);
	place_release(&p);
}
END_TEST

START_TEST(order_brings_its_passwords)
{
	const struct detox_order o = { .profile = 3,
		.name = BYTES("a.zip"),
		.passwords = { { BYTES("one"), BYTES("\xe7\xa7\x98") }, 2 } };
	struct detox_order got;
	struct bytes all;
	struct buf b;

	buf_init(&b, 1024);
	ck_assert_int_eq(detox_order_pack(&o, &b), 0);
	all = buf_bytes(&b);
	ck_assert_int_eq(detox_order_unpack(&got, all), 0);
	ck_assert_uint_eq(got.passwords.n, 2);
	for (size_t i = 0; i < 2; i++)
		ck_assert(
		    bytes_equal(got.passwords.all[i], o.passwords.all[i]));
	for (size_t n = 0; n < all.n; n++)
		ck_assert_int_eq(
		    detox_order_unpack(&got, (struct bytes){ all.p, n }), -1);
	b.p[b.n - 1] = 0xff; /* no UTF-8 */
	ck_assert_int_eq(detox_order_unpack(&got, all), -1);
	buf_release(&b);
}
END_TEST

START_TEST(zygote_takes_no_object_that_may_change)
{
	const struct detox_order o = { .name = BYTES("a.txt") };
	struct place p;
	struct err e;
	int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	place_init(&p);
	ck_assert(write(fd, "hello", 5) == 5);
	ck_assert(detox_client_ask(p.client, fd, &o, on_done, &p, &e) != NULL);
	close(fd);
	p.expected = 1;
	loop_run(p.loop);
	ck_assert_int_eq(p.got[0].report.refusal, REFUSED_FORGED);
	place_release(&p);
}
END_TEST

START_TEST(report_is_read_strictly)
{
	static struct detox d;
	static struct detox_report r;
	struct buf b;

	buf_init(&b, DETOX_REPORT_MAX);
	d.rows_n = 2;
	d.rows[0] = (struct detox_row){ REMOVED_MACRO, 3, false, { 0 },
		"word/vbaProject.bin" };
	d.rows[1] =
	    (struct detox_row){ REMOVED_FILE, 1, true, { 7 }, "a\x1b[2Jb" };
	d.text_in = 5;
	ck_assert(detox_report_pack(&d, "docx", &b) == 0);
	ck_assert(detox_report_unpack(&r, buf_bytes(&b)) == 0);
	ck_assert_str_eq(r.extension, "docx");
	ck_assert_uint_eq(r.rows_n, 2);
	ck_assert_uint_eq(r.rows[0].count, 3);
	ck_assert_str_eq(r.rows[0].where, "word/vbaProject.bin");
	ck_assert_str_eq(r.rows[1].where, "a?[2Jb");
	ck_assert(r.rows[1].has_digest && r.rows[1].digest[0] == 7);
	for (size_t n = 0; n < b.n; n++)
		ck_assert(
		    detox_report_unpack(&r, (struct bytes){ b.p, n }) < 0);
	ck_assert(buf_append(&b, BYTES("x")) == 0);
	ck_assert(detox_report_unpack(&r, buf_bytes(&b)) < 0);
	buf_release(&b);
}
END_TEST

Suite *
zygote_suite(void)
{
	Suite *s = suite_create("zygote");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, zygote_does_a_job);
	tcase_add_loop_test(
	    t, zygote_outlives_a_hostile_child, 0, COUNT(hostile));
	tcase_add_test(t, zygote_ends_a_job_at_its_deadline);
	tcase_add_test(t, zygote_has_a_limit_of_jobs);
	tcase_add_test(t, zygote_that_ends_refuses_what_it_had);
	tcase_add_test(t, order_brings_its_passwords);
	tcase_add_test(t, zygote_takes_no_object_that_may_change);
	tcase_add_test(t, report_is_read_strictly);
	suite_add_tcase(s, t);
	return s;
}
