/* SPDX-License-Identifier: Apache-2.0 */
/* Messages read at every cut of their bytes, and written anew. */
#include "proxy/http/h1.h"

#include <check.h>
#include <string.h>

Suite *h1_suite(void);

static const struct h1_limits limits = { 512, 8, 32, 64 };

/* What came of the bytes: heads written anew, bodies, ends as "<end>". */
struct reading {
	struct h1 h1;
	struct arena arena;
	struct message message;
	struct buf out;
	bool bad;
};

static void
reading_begin(struct reading *r, enum h1_role role)
{
	*r = (struct reading){ 0 };
	h1_init(&r->h1, role, &limits);
	buf_init(&r->out, 1 << 16);
}

static void
reading_end(struct reading *r)
{
	h1_release(&r->h1);
	arena_release(&r->arena);
	buf_release(&r->out);
}

static void
take_head(struct reading *r)
{
	struct message *m = &r->message;

	message_mark_hops(m);
	if (r->h1.role == H1_REQUESTS)
		ck_assert_int_eq(h1_write_request(&r->out, m, m->target), 0);
	else
		ck_assert_int_eq(h1_write_response(&r->out, m), 0);
	ck_assert_int_eq(h1_write_head_end(&r->out), 0);
	*m = (struct message){ 0 };
}

static void
take_end(struct reading *r)
{
	struct message *m = &r->message;

	ck_assert_int_eq(buf_append_string(&r->out, "<end"), 0);
	for (size_t i = 0; i < m->fields_n; i++)
		ck_assert_int_eq(buf_printf(&r->out, " %.*s=%.*s",
				     BYTES_PRINTF(m->fields[i].name),
				     BYTES_PRINTF(m->fields[i].value)),
		    0);
	ck_assert_int_eq(buf_append_string(&r->out, ">"), 0);
	*m = (struct message){ 0 };
}

static void
feed(struct reading *r, struct bytes in)
{
	struct bytes body;

	while (!r->bad) {
		switch (h1_next(&r->h1, &in, &r->arena, &r->message, &body)) {
		case H1_BAD:
			r->bad = true;
			return;
		case H1_MORE:
			ck_assert_uint_eq(in.n, 0);
			return;
		case H1_HEAD:
			take_head(r);
			break;
		case H1_BODY:
			ck_assert_int_eq(buf_append(&r->out, body), 0);
			break;
		case H1_END:
			take_end(r);
			break;
		}
	}
}

static const struct {
	const char *name;
	enum h1_role role;
	struct bytes in;
	const char *out;
} good[] = {
	{ "a GET", H1_REQUESTS,
	    BYTES("GET http://a.test/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n"),
	    "GET http://a.test/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n<end>" },
	{ "an empty line before a request", H1_REQUESTS,
	    BYTES("\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n"),
	    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n<end>" },
	{ "two requests behind each other", H1_REQUESTS,
	    BYTES("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
		  "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
	    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n<end>"
	    "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n<end>" },
	{ "a body of known length", H1_REQUESTS,
	    BYTES("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
		  "helloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
	    "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
	    "hello<end>GET /2 HTTP/1.1\r\nHost: a\r\n\r\n<end>" },
	{ "chunks, an extension and a trailer", H1_REQUESTS,
	    BYTES("POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
		  "\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nSum: 1\r\n\r\n"),
	    "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "hello!<end Sum=1>" },
	{ "hop-by-hop fields stay behind", H1_REQUESTS,
	    BYTES("GET / HTTP/1.1\r\nHost: a\r\nConnection: X-A, close\r\n"
		  "X-A: 1\r\nKeep-Alive: 2\r\nProxy-Connection: x\r\n"
		  "X-B: 3\r\n\r\n"),
	    "GET / HTTP/1.1\r\nHost: a\r\nX-B: 3\r\n\r\n<end>" },
	{ "an answer of known length", H1_RESPONSES,
	    BYTES("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok<end>" },
	{ "an interim answer and another", H1_RESPONSES,
	    BYTES("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
		  "HTTP/1.1 204 No Content\r\n\r\n"),
	    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n<end>"
	    "HTTP/1.1 204 No Content\r\n\r\n<end>" },
	{ "304 has no body, whatever its length says", H1_RESPONSES,
	    BYTES("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
		  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
	    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n<end>"
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n<end>" },
	{ "chunks of an answer", H1_RESPONSES,
	    BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "a\r\n0123456789\r\n0\r\n\r\n"),
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0123456789<end>" },
};

static void
check_cut(int i, size_t first, size_t second)
{
	struct reading r;
	struct bytes in = good[i].in;
	struct bytes out;

	reading_begin(&r, good[i].role);
	feed(&r, bytes_take(&in, first));
	feed(&r, bytes_take(&in, second - first));
	feed(&r, in);
	out = buf_bytes(&r.out);
	ck_assert_msg(!r.bad, "%s, cut at %zu and %zu: %s", good[i].name, first,
	    second, r.h1.why);
	ck_assert_msg(bytes_equal(out, bytes_of(good[i].out)),
	    "%s, cut at %zu and %zu: %.*s", good[i].name, first, second,
	    BYTES_PRINTF(out));
	reading_end(&r);
}

START_TEST(h1_reads_alike_at_every_cut)
{
	size_t n = good[_i].in.n;

	for (size_t first = 0; first <= n; first++)
		for (size_t second = first; second <= n; second += 7)
			check_cut(_i, first, second);
}
END_TEST

START_TEST(h1_reads_byte_by_byte)
{
	struct reading r;

	reading_begin(&r, good[_i].role);
	for (size_t i = 0; i < good[_i].in.n; i++)
		feed(&r, (struct bytes){ good[_i].in.p + i, 1 });
	ck_assert_msg(!r.bad, "%s: %s", good[_i].name, r.h1.why);
	ck_assert(bytes_equal(buf_bytes(&r.out), bytes_of(good[_i].out)));
	reading_end(&r);
}
END_TEST

#define REQUEST "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\n"

/* RFC 9112 sections 2.2, 3, 5.1, 6.1, 6.3, 7.1 and 11.2. */
static const struct {
	const char *name;
	enum h1_role role;
	struct bytes in;
	unsigned status;
} bad[] = {
	{ "both framings", H1_REQUESTS,
	    BYTES(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
		       "0\r\n\r\n"),
	    400 },
	{ "two lengths alike", H1_REQUESTS,
	    BYTES(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
	    400 },
	{ "a list of lengths", H1_REQUESTS,
	    BYTES(POST "Content-Length: 3, 3\r\n\r\nabc"), 400 },
	{ "a signed length", H1_REQUESTS,
	    BYTES(POST "Content-Length: +3\r\n\r\nabc"), 400 },
	{ "a negative length", H1_REQUESTS,
	    BYTES(POST "Content-Length: -1\r\n\r\n"), 400 },
	{ "a length of 20 digits", H1_REQUESTS,
	    BYTES(POST "Content-Length: 18446744073709551616\r\n\r\n"), 400 },
	{ "an empty length", H1_REQUESTS,
	    BYTES(POST "Content-Length: \r\n\r\n"), 400 },
	{ "a length in hexadecimal", H1_REQUESTS,
	    BYTES(POST "Content-Length: 0x3\r\n\r\nabc"), 400 },
	{ "a folded line", H1_REQUESTS, BYTES(REQUEST "X: a\r\n b\r\n\r\n"),
	    400 },
	{ "a bare line feed", H1_REQUESTS,
	    BYTES("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400 },
	{ "a bare carriage return", H1_REQUESTS,
	    BYTES(REQUEST "X: a\rb\r\n\r\n"), 400 },
	{ "a NUL", H1_REQUESTS, BYTES(REQUEST "X: a\0b\r\n\r\n"), 400 },
	{ "a space before the colon", H1_REQUESTS,
	    BYTES(REQUEST "X : a\r\n\r\n"), 400 },
	{ "a name with a space", H1_REQUESTS, BYTES(REQUEST "X Y: a\r\n\r\n"),
	    400 },
	{ "a field without a name", H1_REQUESTS, BYTES(REQUEST ": a\r\n\r\n"),
	    400 },
	{ "two empty lines before a request", H1_REQUESTS,
	    BYTES("\r\n\r\n" REQUEST "\r\n"), 400 },
	{ "a tab behind chunked", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n"), 501 },
	{ "an answer with a tab behind chunked", H1_RESPONSES,
	    BYTES(ANSWER "Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n"),
	    502 },
	{ "an unknown coding", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: gzip\r\n\r\n"), 501 },
	{ "chunked twice", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked, chunked\r\n\r\n"), 501 },
	{ "chunked in two fields", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	    501 },
	{ "chunked, then identity", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked, identity\r\n\r\n"), 501 },
	{ "chunks of HTTP/1.0", H1_REQUESTS,
	    BYTES("POST / HTTP/1.0\r\nHost: a\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	    400 },
	{ "no Host", H1_REQUESTS, BYTES("GET / HTTP/1.1\r\n\r\n"), 400 },
	{ "two Hosts", H1_REQUESTS, BYTES(REQUEST "Host: a\r\n\r\n"), 400 },
	{ "HTTP/2 in words", H1_REQUESTS,
	    BYTES("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505 },
	{ "HTTP/0.9", H1_REQUESTS, BYTES("GET /\r\n\r\n"), 505 },
	{ "an unknown method", H1_REQUESTS,
	    BYTES("FROB / HTTP/1.1\r\nHost: a\r\n\r\n"), 501 },
	{ "a head over its limit", H1_REQUESTS,
	    BYTES(REQUEST "X: "
			  "0123456789012345678901234567890123456789012345678"
			  "0123456789012345678901234567890123456789012345678"
			  "0123456789012345678901234567890123456789012345678"
			  "0123456789012345678901234567890123456789012345678"
			  "0123456789012345678901234567890123456789012345678"
			  "0123456789012345678901234567890123456789012345678"
			  "0123456789012345678901234567890123456789012345678"
			  "0123456789012345678901234567890123456789012345678"
			  "0123456789012345678901234567890123456789012345678"
			  "0123456789012345678901234567890123456789012345678"
			  "\r\n\r\n"),
	    431 },
	{ "nine fields", H1_REQUESTS,
	    BYTES(REQUEST "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\n"
			  "G: 1\r\nH: 1\r\n\r\n"),
	    431 },
	{ "a chunk size with a sign", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked\r\n\r\n-1\r\n"), 400 },
	{ "a chunk size of 17 digits", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked\r\n\r\n"
		       "10000000000000000\r\n"),
	    400 },
	{ "a chunk line over its limit", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked\r\n\r\n"
		       "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n"),
	    400 },
	{ "a chunk longer than it says", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n"), 400 },
	{ "a chunk line with a bare line feed", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n"), 400 },
	{ "a last chunk's line over its limit", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked\r\n\r\n"
		       "0;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n"),
	    400 },
	{ "a trailer over its limit", H1_REQUESTS,
	    BYTES(POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: "
		       "0123456789012345678901234567890123456789"
		       "0123456789012345678901234567890123456789\r\n\r\n"),
	    400 },
	{ "an answer with both framings", H1_RESPONSES,
	    BYTES(ANSWER
		"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
	    0 },
	{ "an answer with two lengths", H1_RESPONSES,
	    BYTES(ANSWER "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), 0 },
	{ "an answer with a folded line", H1_RESPONSES,
	    BYTES(ANSWER "X: a\r\n\tb\r\n\r\n"), 0 },
	{ "an answer that is none", H1_RESPONSES, BYTES("220 mail\r\n\r\n"),
	    0 },
	{ "a status of two digits", H1_RESPONSES,
	    BYTES("HTTP/1.1 20 OK\r\n\r\n"), 502 },
	{ "a status of four digits", H1_RESPONSES,
	    BYTES("HTTP/1.1 0200 OK\r\n\r\n"), 502 },
	{ "a status behind two blanks", H1_RESPONSES,
	    BYTES("HTTP/1.1  200 OK\r\n\r\n"), 502 },
};

START_TEST(h1_refuses_with_a_reason)
{
	for (size_t cut = 0; cut <= bad[_i].in.n; cut += 3) {
		struct reading r;
		struct bytes in = bad[_i].in;

		reading_begin(&r, bad[_i].role);
		feed(&r, bytes_take(&in, cut));
		feed(&r, in);
		ck_assert_msg(r.bad, "%s: not refused: %.*s", bad[_i].name,
		    BYTES_PRINTF(buf_bytes(&r.out)));
		ck_assert_msg(r.h1.why != NULL, "%s", bad[_i].name);
		ck_assert_msg(
		    bad[_i].status == 0 || r.h1.status == bad[_i].status,
		    "%s: %u, %s", bad[_i].name, r.h1.status, r.h1.why);
		reading_end(&r);
	}
}
END_TEST

static const struct {
	const char *name;
	enum h1_role role;
	struct bytes in;
	enum h1_event end;
} ends[] = {
	{ "nothing begun", H1_REQUESTS, BYTES(""), H1_MORE },
	{ "half a head", H1_REQUESTS, BYTES("GET / HT"), H1_BAD },
	{ "a body cut short", H1_RESPONSES,
	    BYTES(ANSWER "Content-Length: 3\r\n\r\nab"), H1_BAD },
	{ "chunks cut short", H1_RESPONSES,
	    BYTES(ANSWER "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"),
	    H1_BAD },
	{ "a body until the end", H1_RESPONSES, BYTES(ANSWER "\r\nabc"),
	    H1_END },
	{ "a whole answer", H1_RESPONSES,
	    BYTES(ANSWER "Content-Length: 0\r\n\r\n"), H1_MORE },
};

START_TEST(h1_knows_what_an_end_means)
{
	struct reading r;

	reading_begin(&r, ends[_i].role);
	feed(&r, ends[_i].in);
	ck_assert_msg(
	    !r.bad && h1_eof(&r.h1) == ends[_i].end, "%s", ends[_i].name);
	reading_end(&r);
}
END_TEST

START_TEST(h1_gives_a_head_request_no_body)
{
	struct reading r;

	reading_begin(&r, H1_RESPONSES);
	r.h1.request_was_head = true;
	feed(&r, BYTES(ANSWER "Content-Length: 100\r\n\r\n"));
	ck_assert(!r.bad && !h1_in_message(&r.h1));
	ck_assert(bytes_end_with(buf_bytes(&r.out), BYTES("<end>")));
	reading_end(&r);
}
END_TEST

START_TEST(h1_chunk_lines_are_hexadecimal)
{
	char line[H1_CHUNK_LINE_MAX + 1];
	static const struct {
		size_t n;
		const char *line;
	} lines[] = {
		{ 1, "1\r\n" },
		{ 16, "10\r\n" },
		{ 65535, "ffff\r\n" },
		{ SIZE_MAX, "ffffffffffffffff\r\n" },
	};

	for (size_t i = 0; i < COUNT(lines); i++) {
		size_t n = h1_chunk_line(line, lines[i].n);

		ck_assert(bytes_equal((struct bytes){ (uint8_t *)line, n },
		    bytes_of(lines[i].line)));
	}
}
END_TEST

Suite *
h1_suite(void)
{
	Suite *s = suite_create("h1");
	TCase *t = tcase_create("h1");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, h1_reads_alike_at_every_cut, 0, COUNT(good));
	tcase_add_loop_test(t, h1_reads_byte_by_byte, 0, COUNT(good));
	tcase_add_loop_test(t, h1_refuses_with_a_reason, 0, COUNT(bad));
	tcase_add_loop_test(t, h1_knows_what_an_end_means, 0, COUNT(ends));
	tcase_add_test(t, h1_gives_a_head_request_no_body);
	tcase_add_test(t, h1_chunk_lines_are_hexadecimal);
	suite_add_tcase(s, t);
	return s;
}
