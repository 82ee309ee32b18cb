/* SPDX-License-Identifier: Apache-2.0 */
/* What a real rspamd does not say; rspamd itself is in the flow tests. */
#include <check.h>
#include <stdio.h>

#include "proxy/smtp/rspamd_talk.h"

Suite *rspamd_suite(void);

/* Answers as bytes, at every cut. */

#define OK "HTTP/1.1 200 OK\r\n"
#define SHORT "{\"action\":\"no action\",\"score\":1,\"required_score\":15}"

static const struct {
	const char *name, *answer;
	const char *body; /* NULL: none */
	const char *why;
} answers[] = {
	{ "as long as it says", OK "Content-Length: 52\r\n\r\n" SHORT, SHORT,
	    NULL },
	{ "in chunks",
	    OK "Transfer-Encoding: chunked\r\n\r\n"
	       "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
	    "{}", NULL },
	{ "up to the end", OK "Connection: close\r\n\r\n{}", "{}", NULL },
	{ "cut short", OK "Content-Length: 53\r\n\r\n" SHORT, NULL,
	    "no answer" },
	{ "no body", OK "Content-Length: 0\r\n\r\n", "", NULL },
	{ "another status", "HTTP/1.1 400 no\r\nContent-Length: 2\r\n\r\n{}",
	    NULL, "a status other than 200" },
	{ "an interim answer", "HTTP/1.1 100 go on\r\n\r\n", NULL,
	    "a status other than 200" },
	{ "two lengths", OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
	    NULL, "an answer that is no HTTP" },
	{ "a length and chunks",
	    OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
	    NULL, "an answer that is no HTTP" },
	{ "no HTTP", "EX_OK\r\n\r\n{}", NULL, "an answer that is no HTTP" },
	{ "nothing", "", NULL, "no answer" },
	{ "half a head", OK "Content-", NULL, "no answer" },
};

static enum rspamd_progress
hear(struct rspamd_talk *t, struct bytes in, size_t cut)
{
	struct bytes first = bytes_take(&in, cut);
	enum rspamd_progress p = RSPAMD_MORE;

	if (first.n > 0)
		p = rspamd_talk_hear(t, first);
	if (p == RSPAMD_MORE && in.n > 0)
		p = rspamd_talk_hear(t, in);
	if (p == RSPAMD_MORE)
		p = rspamd_talk_hear(t, (struct bytes){ 0 });
	return p;
}

START_TEST(rspamd_hears_an_answer_however_it_is_cut)
{
	struct bytes in = bytes_of(answers[_i].answer);
	const char *body = answers[_i].body;

	for (size_t cut = 0; cut <= in.n; cut++) {
		struct rspamd_talk t;
		enum rspamd_progress p;

		rspamd_talk_init(&t);
		p = hear(&t, in, cut);
		ck_assert_msg(
		    p == (body == NULL ? RSPAMD_BROKEN : RSPAMD_WHOLE),
		    "%s, cut at %zu: %d", answers[_i].name, cut, (int)p);
		if (body == NULL)
			ck_assert_str_eq(t.why, answers[_i].why);
		else
			ck_assert(
			    bytes_equal(buf_bytes(&t.body), bytes_of(body)));
		rspamd_talk_release(&t);
	}
}
END_TEST

/* Of a body, and of a head, one byte more than the limit ends it. */
START_TEST(rspamd_hears_no_more_than_its_limits)
{
	static char head[RSPAMD_FIELDS_MAX + 100];
	struct rspamd_talk t;
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	ck_assert_int_eq(
	    buf_append_string(&b, OK "Connection: close\r\n\r\n"), 0);
	ck_assert_int_eq(buf_reserve(&b, RSPAMD_ANSWER_MAX + 1), 0);
	memset(b.p + b.n, ' ', RSPAMD_ANSWER_MAX + 1);
	b.n += RSPAMD_ANSWER_MAX;
	rspamd_talk_init(&t);
	ck_assert_int_eq(rspamd_talk_hear(&t, buf_bytes(&b)), RSPAMD_MORE);
	ck_assert_int_eq(rspamd_talk_hear(&t, BYTES(" ")), RSPAMD_BROKEN);
	ck_assert_str_eq(t.why, "an answer too long");
	rspamd_talk_release(&t);
	buf_release(&b);

	memset(head, 'x', sizeof(head));
	rspamd_talk_init(&t);
	ck_assert_int_eq(rspamd_talk_hear(&t, BYTES(OK "A: ")), RSPAMD_MORE);
	ck_assert_int_eq(rspamd_talk_hear(&t,
			     (struct bytes){ (uint8_t *)head, sizeof(head) }),
	    RSPAMD_BROKEN);
	ck_assert_str_eq(t.why, "a head too long");
	rspamd_talk_release(&t);
}
END_TEST

/* What they mean. */

#define SAYS(action, more)      \
	"{\"action\":\"" action \
	"\",\"score\":7.254,\"required_score\":15" more "}"

static const struct {
	const char *name, *json;
	enum rspamd_action action;
	const char *symbols, *results, *words;
} verdicts[] = {
	{ "nothing special", SAYS("no action", ""), RSPAMD_NO_ACTION, "", "",
	    "" },
	{ "reject with words",
	    SAYS("reject",
		",\"messages\":{\"smtp_message\":\"Gt\xc3\xa9\\r\\n"
		"be\"}"),
	    RSPAMD_REJECT, "", "", "Gt????be" },
	{ "soft reject", SAYS("soft reject", ""), RSPAMD_SOFT_REJECT, "", "",
	    "" },
	{ "greylist", SAYS("greylist", ""), RSPAMD_GREYLIST, "", "", "" },
	{ "add header", SAYS("add header", ""), RSPAMD_ADD_HEADER, "", "", "" },
	{ "rewrite subject", SAYS("rewrite subject", ""),
	    RSPAMD_REWRITE_SUBJECT, "", "", "" },
	{ "quarantine", SAYS("quarantine", ""), RSPAMD_QUARANTINE, "", "", "" },
	{ "discard", SAYS("discard", ""), RSPAMD_REJECT, "", "", "" },
	{ "an unknown action", SAYS("dance", ""), RSPAMD_UNASKED, "", "",
	    "an answer without an action that is known" },
	{ "an empty action", SAYS("", ""), RSPAMD_UNASKED, "", "",
	    "an answer without an action that is known" },
	{ "no score", "{\"action\":\"reject\"}", RSPAMD_UNASKED, "", "",
	    "an answer without a score" },
	{ "a score that is a text",
	    "{\"action\":\"reject\",\"score\":\"1\",\"required_score\":1}",
	    RSPAMD_UNASKED, "", "", "an answer without a score" },
	{ "a score beyond measure",
	    "{\"action\":\"reject\",\"score\":1e9,\"required_score\":1}",
	    RSPAMD_UNASKED, "", "", "an answer without a score" },
	{ "a list", "[]", RSPAMD_UNASKED, "", "",
	    "an answer that is no JSON object" },
	{ "no JSON", "{", RSPAMD_UNASKED, "", "",
	    "an answer that is no JSON object" },
	{ "nothing", "", RSPAMD_UNASKED, "", "",
	    "an answer that is no JSON object" },
	{ "two values", SAYS("reject", "") "{}", RSPAMD_UNASKED, "", "",
	    "an answer that is no JSON object" },
	{ "symbols, the heaviest first",
	    SAYS("no action",
		",\"symbols\":{\"A\":{\"score\":0.1},\"B\":{\"score\":-3},"
		"\"C\":{\"score\":2.5,\"options\":[\"secret\"]},"
		"\"with blank\":{\"score\":9},\"D\":{},\"\":{\"score\":1}}"),
	    RSPAMD_NO_ACTION, "B(-3.00) C(2.50) A(0.10)", "", "" },
	{ "who sent it, by symbols",
	    SAYS("no action",
		",\"symbols\":{\"R_SPF_SOFTFAIL\":{\"score\":0},"
		"\"R_DKIM_REJECT\":{\"score\":0},\"R_DKIM_ALLOW\":{},"
		"\"DMARC_POLICY_QUARANTINE\":{},\"ARC_NA\":{}}"),
	    RSPAMD_NO_ACTION, "R_DKIM_REJECT(0.00) R_SPF_SOFTFAIL(0.00)",
	    "spf=softfail; dkim=pass; dmarc=fail; arc=none", "" },
	{ "by its milter block, and symbols for the rest",
	    SAYS("no action",
		",\"symbols\":{\"R_SPF_FAIL\":{},\"ARC_ALLOW\":{}},"
		"\"milter\":{\"add_headers\":{\"Authentication-Results\":"
		"{\"order\":1,\"value\":\"mx;\\r\\n\\tdkim=pass header.d=a.test"
		" header.s=s header.b=xx;\\r\\n\\tspf=pass (mx: domain of"
		" a@b.test; \\\\) ok) smtp.mailfrom=a@b.test\"}}}"),
	    RSPAMD_NO_ACTION, "",
	    "dkim=pass header.d=a.test header.s=s; spf=pass"
	    " smtp.mailfrom=a@b.test; arc=pass",
	    "" },
	{ "a milter block as a list",
	    SAYS("no action",
		",\"milter\":{\"add_headers\":{\"Authentication-Results\":"
		"[{\"value\":\"mx; spf=none\"},\"mx; dkim=fail\",[],1]}}"),
	    RSPAMD_NO_ACTION, "", "spf=none; dkim=fail", "" },
};

static bool
has_failed(enum rspamd_action a)
{
	return a == RSPAMD_UNASKED;
}

START_TEST(rspamd_judges_by_what_it_understands)
{
	struct rspamd_verdict v;
	int result = rspamd_judge(&v, bytes_of(verdicts[_i].json));

	ck_assert_int_eq(result, has_failed(verdicts[_i].action) ? -1 : 0);
	ck_assert_int_eq(v.action, verdicts[_i].action);
	ck_assert_str_eq(v.symbols, verdicts[_i].symbols);
	ck_assert_str_eq(v.results.text, verdicts[_i].results);
	ck_assert_str_eq(v.words, verdicts[_i].words);
	if (result == 0)
		ck_assert_int_eq(v.score, 725);
}
END_TEST

START_TEST(rspamd_cuts_symbols_at_their_limit)
{
	struct rspamd_verdict v;
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(buf_append_string(&b,
			     "{\"action\":\"reject\",\"score\":-1.5,"
			     "\"required_score\":0.01,\"symbols\":{"),
	    0);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(
		    buf_printf(&b, "\"SYMBOL_%d\":{\"score\":1},", i), 0);
	ck_assert_int_eq(buf_append_string(&b, "\"Z\":{}}}"), 0);
	ck_assert_int_eq(rspamd_judge(&v, buf_bytes(&b)), 0);
	ck_assert_uint_lt(strlen(v.symbols), sizeof(v.symbols));
	ck_assert_uint_gt(strlen(v.symbols), sizeof(v.symbols) - 60);
	ck_assert_int_eq(v.score, -150);
	ck_assert_int_eq(v.required, 1);
	buf_release(&b);
}
END_TEST

/* Our own file gives back what we wrote, and nothing else is taken. */
START_TEST(rspamd_keeps_a_verdict_in_a_line)
{
	struct rspamd_verdict v, back;
	struct bytes in, cut;
	struct buf line;

	ck_assert_int_eq(rspamd_judge(&v,
			     bytes_of("{\"action\":\"add header\",\"score\":"
				      "-0.5,\"required_score\":15,\"symbols\":"
				      "{\"R_SPF_ALLOW\":{\"score\":-0.2},"
				      "\"DMARC_NA\":{\"score\":0}}}")),
	    0);
	buf_init(&line, 1 << 20);
	ck_assert_int_eq(rspamd_verdict_pack(&v, &line), 0);
	in = buf_bytes(&line);
	ck_assert_int_eq(rspamd_verdict_unpack(&back, &in), 0);
	ck_assert_uint_eq(in.n, 0);
	ck_assert_int_eq(back.action, v.action);
	ck_assert_int_eq(back.score, v.score);
	ck_assert_int_eq(back.required, v.required);
	ck_assert_str_eq(back.symbols, v.symbols);
	ck_assert_str_eq(back.results.text, v.results.text);
	ck_assert_mem_eq(
	    back.results.said, v.results.said, sizeof(v.results.said));
	for (size_t n = 0; n < line.n; n++) {
		cut = (struct bytes){ line.p, n };
		if (rspamd_verdict_unpack(&back, &cut) == 0)
			ck_assert_int_eq(back.action, v.action);
	}
	line.p[line.n - 2] = '\x1b';
	in = buf_bytes(&line);
	ck_assert_int_eq(rspamd_verdict_unpack(&back, &in), -1);
	buf_release(&line);
}
END_TEST

/* Authentication-Results. */

static const struct {
	const char *name, *value, *text;
} fields[] = {
	{ "an entry", "mx; spf=pass", "spf=pass" },
	{ "capitals", "MX; SPF=Pass", "spf=pass" },
	{ "none", "mx; none", "" },
	{ "a name alone", "mx", "" },
	{ "an unknown method", "mx; auth=pass; iprev=fail", "" },
	{ "an unknown word", "mx; spf=perhaps", "" },
	{ "rspamd's own words", "mx; dmarc=quarantine; arc=reject",
	    "dmarc=fail; arc=fail" },
	{ "a quoted name", "\"m;x\"; spf=fail", "spf=fail" },
	{ "a quoted value", "mx; spf=fail smtp.mailfrom=\"a@b.test\"",
	    "spf=fail smtp.mailfrom=a@b.test" },
	{ "a quoted value that hides one",
	    "mx; spf=fail smtp.mailfrom=\"a;spf=pass\"", "spf=fail" },
	{ "a comment that hides one", "mx; spf=fail (; spf=pass)", "spf=fail" },
	{ "comments in comments", "mx; spf=fail (a(b)c) smtp.helo=h",
	    "spf=fail smtp.helo=h" },
	{ "an open comment", "mx; spf=pass (", "" },
	{ "an open quote", "mx; spf=pass smtp.helo=\"x", "" },
	{ "unknown properties", "mx; dkim=pass reason=fine header.b=x",
	    "dkim=pass" },
	{ "a value with bytes", "mx; spf=pass smtp.helo=a\x80", "spf=pass" },
	{ "a value that breaks the line", "mx; spf=pass smtp.helo=a\r\nb: c",
	    "spf=pass smtp.helo=a" },
	{ "two signatures", "mx; dkim=fail header.d=a; dkim=pass header.d=b",
	    "dkim=fail header.d=a; dkim=pass header.d=b" },
};

START_TEST(rspamd_writes_results_anew)
{
	struct results r = { 0 };

	results_read(&r, bytes_of(fields[_i].value));
	ck_assert_str_eq(r.text, fields[_i].text);
	ck_assert(results_is_plain(bytes_of(r.text)));
}
END_TEST

START_TEST(rspamd_takes_a_pass_before_all)
{
	struct results r = { 0 };

	results_read(&r, BYTES("mx; dkim=fail; dkim=pass; dkim=none"));
	ck_assert_int_eq(r.said[RESULT_DKIM], RESULT_PASS);
	ck_assert_int_eq(r.said[RESULT_SPF], RESULT_UNSAID);
}
END_TEST

START_TEST(rspamd_leaves_out_results_that_do_not_fit)
{
	struct results r = { 0 };
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(buf_append_string(&b, "mx"), 0);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(
		    buf_printf(&b, "; dkim=fail header.d=%d", i), 0);
	ck_assert_int_eq(buf_append_string(&b, "; spf=pass"), 0);
	results_read(&r, buf_bytes(&b));
	ck_assert_uint_lt(strlen(r.text), sizeof(r.text));
	ck_assert_int_eq(r.said[RESULT_SPF], RESULT_PASS);
	buf_release(&b);
}
END_TEST

/* The question. */

START_TEST(rspamd_is_told_of_the_envelope)
{
	struct mail_recipient to[] = {
		{ .address = { .text = BYTES_ROW("b@y.test") } },
		{ .address = { .text = BYTES_ROW("\"c d\"@y.test") } },
	};
	struct envelope e = { .recipients = to, .recipients_n = 2 };
	struct rspamd_question q = { .name = "mx.pref.test",
		.id = "3C2E",
		.helo = "h\r\nUser: x",
		.envelope = &e };
	struct address client;
	struct buf out;

	ck_assert_int_eq(address_parse(&client, BYTES("192.0.2.9")), 0);
	q.client = &client;
	buf_init(&out, RSPAMD_HEAD_MAX);
	rspamd_head(&out, &q, 77);
	ck_assert(bytes_equal(buf_bytes(&out),
	    BYTES("POST /checkv2 HTTP/1.1\r\nHost: rspamd\r\n"
		  "Connection: close\r\nContent-Length: 77\r\n"
		  "IP: 192.0.2.9\r\nHelo: h??User: x\r\nFrom: <>\r\n"
		  "Rcpt: <b@y.test>\r\nRcpt: <\"c d\"@y.test>\r\n"
		  "Queue-Id: 3C2E\r\nMTA-Name: mx.pref.test\r\n\r\n")));
	buf_release(&out);
}
END_TEST

START_TEST(rspamd_is_told_of_so_many_recipients)
{
	static struct mail_recipient to[10000];
	static uint8_t longest[MAIL_PATH_MAX];
	struct envelope e = { .recipients = to, .recipients_n = COUNT(to) };
	struct address client = { 0 };
	struct rspamd_question q = { .name = "m",
		.id = "i",
		.helo = "h",
		.user = "990019",
		.client = &client,
		.envelope = &e };
	struct buf out;

	memset(longest, 'a', sizeof(longest));
	for (size_t i = 0; i < COUNT(to); i++)
		to[i].address.text = (struct bytes){ longest, sizeof(longest) };
	buf_init(&out, RSPAMD_HEAD_MAX);
	rspamd_head(&out, &q, 1);
	ck_assert(
	    bytes_end_with(buf_bytes(&out), BYTES("\r\nUser: 990019\r\n\r\n")));
	buf_release(&out);
}
END_TEST

Suite *
rspamd_suite(void)
{
	Suite *s = suite_create("rspamd");
	TCase *t = tcase_create("rspamd");

	tcase_add_loop_test(
	    t, rspamd_hears_an_answer_however_it_is_cut, 0, COUNT(answers));
	tcase_add_test(t, rspamd_hears_no_more_than_its_limits);
	tcase_add_loop_test(
	    t, rspamd_judges_by_what_it_understands, 0, COUNT(verdicts));
	tcase_add_test(t, rspamd_cuts_symbols_at_their_limit);
	tcase_add_test(t, rspamd_keeps_a_verdict_in_a_line);
	tcase_add_loop_test(t, rspamd_writes_results_anew, 0, COUNT(fields));
	tcase_add_test(t, rspamd_takes_a_pass_before_all);
	tcase_add_test(t, rspamd_leaves_out_results_that_do_not_fit);
	tcase_add_test(t, rspamd_is_told_of_the_envelope);
	tcase_add_test(t, rspamd_is_told_of_so_many_recipients);
	suite_add_tcase(s, t);
	return s;
}
