/* SPDX-License-Identifier: Apache-2.0 */
/* What real scanners do not say: clamd and c-icap themselves are in the flow
 * tests. */
#include "proxy/av/av.h"

#include <check.h>

#include "proxy/av/talk.h"

Suite *av_suite(void);

static const struct av_scanner clamd = { .name = "c", .kind = AV_CLAMD };
static const struct av_scanner icap = {
	.name = "i", .kind = AV_ICAP, .service = "icap://scan.test:1344/a"
};

/* Says all that it has to say now. */
static void
speak(struct talk *t, struct buf *said)
{
	do {
		t->out.n = 0;
		talk_speak(t);
		ck_assert(buf_append(said, buf_bytes(&t->out)) == 0);
	} while (t->out.n > 0);
}

/* The answer arrives in pieces of at most `step`; then the peer closes. */
static void
hear(struct talk *t, const char *answer, size_t step)
{
	struct buf said;

	buf_init(&said, 1 << 20);
	for (size_t i = 0; answer[i] != '\0' || i == 0;) {
		size_t n = strlen(answer + i);

		speak(t, &said);
		if (n > step)
			n = step;
		ck_assert(
		    buf_append(&t->in,
			(struct bytes){ (const uint8_t *)answer + i, n }) == 0);
		i += n;
		if (talk_listen(t) == TALK_OVER)
			goto release;
		if (n == 0)
			break;
	}
	t->ended = true;
	ck_assert(talk_listen(t) == TALK_OVER);
release:
	buf_release(&said);
}

/* clamd's NUL is written as '\n' by no one: '|' stands for it here. */
static const struct {
	const char *answer;
	enum av_verdict verdict;
	const char *words;
} lines[] = {
	{ "stream: OK|", AV_CLEAN, "" },
	{ "stream: Some.Virus-1 FOUND|", AV_FOUND, "Some.Virus-1" },
	{ "stream: x\x1b[2Jy FOUND|", AV_FOUND, "x [2Jy" },
	{ "stream: OK", AV_FAILED, "no answer" },
	{ "stream: ok|", AV_FAILED, NULL },
	{ "stream: OK |", AV_FAILED, NULL },
	{ "file: OK|", AV_FAILED, NULL },
	{ "INSTREAM size limit exceeded. ERROR|", AV_FAILED, NULL },
	{ "|", AV_FAILED, "" },
	{ "", AV_FAILED, "no answer" },
};

START_TEST(av_clamd_is_clean_when_it_says_so)
{
	for (size_t step = 1; step < 100; step += 98) {
		char text[64];
		struct talk t;
		char *nul;

		snprintf(text, sizeof(text), "%s", lines[_i].answer);
		talk_init(&t, &clamd, BYTES("hello"), "a.txt");
		nul = strchr(text, '|');
		if (nul != NULL) {
			ck_assert(buf_append(&t.in,
				      (struct bytes){ (uint8_t *)text,
					  (size_t)(nul - text) }) == 0);
			ck_assert(talk_listen(&t) == TALK_GO_ON);
			ck_assert(
			    buf_append(&t.in,
				(struct bytes){ (const uint8_t *)"", 1 }) == 0);
			ck_assert(talk_listen(&t) == TALK_OVER);
		} else {
			hear(&t, text, step);
		}
		ck_assert_int_eq(t.answer.verdict, lines[_i].verdict);
		if (lines[_i].words != NULL)
			ck_assert_str_eq(t.answer.words, lines[_i].words);
		talk_release(&t);
	}
}
END_TEST

START_TEST(av_clamd_is_sent_all_of_it)
{
	static const uint8_t want[] = "zINSTREAM\0\0\0\0\5hello\0\0\0\0";
	struct buf said;
	struct talk t;

	buf_init(&said, 1 << 20);
	talk_init(&t, &clamd, BYTES("hello"), "a.txt");
	speak(&t, &said);
	ck_assert(bytes_equal(
	    buf_bytes(&said), (struct bytes){ want, sizeof(want) - 1 }));
	buf_release(&said);
	talk_release(&t);
}
END_TEST

#define OPTIONS "ICAP/1.0 200 OK\r\nPreview: 2\r\nAllow: 204\r\n\r\n"
#define ALL "ICAP/1.0 200 OK\r\nAllow: 204\r\n\r\n"
#define CONTINUE "ICAP/1.0 100 Continue\r\n\r\n"
#define BACK                                                              \
	"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=19\r\n\r\n" \
	"HTTP/1.1 200 OK\r\n\r\n"

static const struct {
	const char *answer;
	enum av_verdict verdict;
} talks[] = {
	{ OPTIONS "ICAP/1.0 204 No Content\r\n\r\n", AV_CLEAN },
	{ OPTIONS CONTINUE "ICAP/1.0 204 No Content\r\n\r\n", AV_CLEAN },
	{ ALL "ICAP/1.0 204 No Content\r\n\r\n", AV_CLEAN },
	{ OPTIONS CONTINUE BACK "5\r\nhello\r\n0\r\n\r\n", AV_CLEAN },
	{ OPTIONS CONTINUE BACK "2\r\nhe\r\n3;x\r\nllo\r\n0\r\n\r\n",
	    AV_CLEAN },
	{ OPTIONS CONTINUE BACK "5\r\nhullo\r\n0\r\n\r\n", AV_FOUND },
	{ OPTIONS CONTINUE BACK "6\r\nhello!\r\n0\r\n\r\n", AV_FOUND },
	{ OPTIONS CONTINUE BACK "4\r\nhell\r\n0\r\n\r\n", AV_FOUND },
	{ OPTIONS CONTINUE BACK "5\r\nhello\r\n", AV_FAILED },
	{ OPTIONS CONTINUE BACK "x\r\nhello\r\n", AV_FAILED },
	{ OPTIONS CONTINUE BACK "ffffffffffffffffff\r\nhello", AV_FAILED },
	{ OPTIONS "ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Threat=E;"
		  "\r\n\r\n",
	    AV_FOUND },
	{ OPTIONS "ICAP/1.0 204 OK\r\nx-virus-id: E\r\n\r\n", AV_FOUND },
	{ OPTIONS "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, null-body=9"
		  "\r\n\r\n",
	    AV_FOUND },
	{ OPTIONS "ICAP/1.0 404 Not Found\r\n\r\n", AV_FAILED },
	{ OPTIONS "HTTP/1.1 204 No Content\r\n\r\n", AV_FAILED },
	{ OPTIONS CONTINUE CONTINUE, AV_FAILED },
	{ OPTIONS, AV_FAILED },
	{ "ICAP/1.0 404 Not Found\r\n\r\n", AV_FAILED },
	{ "ICAP/1.0 204 OK\r\n\r\n", AV_FAILED },
	{ "", AV_FAILED },
};

START_TEST(av_icap_is_clean_when_nothing_changed)
{
	for (size_t step = 1; step <= 7; step += 6) {
		struct talk t;

		talk_init(&t, &icap, BYTES("hello"), "a b.txt");
		hear(&t, talks[_i].answer, step);
		ck_assert_msg(t.answer.verdict == talks[_i].verdict,
		    "%zu: %d: %s", step, t.answer.verdict, t.answer.words);
		talk_release(&t);
	}
}
END_TEST

START_TEST(av_head_has_a_limit)
{
	struct talk t;

	talk_init(&t, &icap, BYTES("hello"), "a.txt");
	for (size_t i = 0; i < TALK_HEAD_MAX; i++) {
		ck_assert(talk_listen(&t) == TALK_GO_ON);
		ck_assert(buf_append(&t.in, BYTES("x")) == 0);
	}
	ck_assert(talk_listen(&t) == TALK_OVER);
	ck_assert_int_eq(t.answer.verdict, AV_FAILED);
	talk_release(&t);
}
END_TEST

static const struct {
	struct av_scanner s;
	bool good;
} scanners[] = {
	{ { "a", AV_CLAMD, "127.0.0.1:3310", "", 1 }, true },
	{ { "a", AV_CLAMD, "[::1]:3310", "", 1 }, true },
	{ { "a", AV_CLAMD, "/run/clamav/clamd.ctl", "", 1 }, true },
	{ { "a", AV_CLAMD, "clamd.test:3310", "", 1 }, false },
	{ { "a", AV_CLAMD, "127.0.0.1", "", 1 }, false },
	{ { "a", AV_ICAP, "127.0.0.1:1344", "icap://a/b", 1 }, true },
	{ { "a", AV_ICAP, "127.0.0.1:1344", "", 1 }, false },
	{ { "a", AV_ICAP, "127.0.0.1:1344", "http://a/b", 1 }, false },
	{ { "a", AV_ICAP, "127.0.0.1:1344", "icap://a/", 1 }, false },
	{ { "a", AV_ICAP, "127.0.0.1:1344", "icap://a/b\r\nX: y", 1 }, false },
};

START_TEST(av_scanners_are_checked)
{
	struct err e;

	ck_assert((av_check(&scanners[_i].s, &e) == 0) == scanners[_i].good);
}
END_TEST

Suite *
av_suite(void)
{
	Suite *s = suite_create("av");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(
	    t, av_clamd_is_clean_when_it_says_so, 0, COUNT(lines));
	tcase_add_test(t, av_clamd_is_sent_all_of_it);
	tcase_add_loop_test(
	    t, av_icap_is_clean_when_nothing_changed, 0, COUNT(talks));
	tcase_add_test(t, av_head_has_a_limit);
	tcase_add_loop_test(t, av_scanners_are_checked, 0, COUNT(scanners));
	suite_add_tcase(s, t);
	return s;
}
