/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of HTTP/2 become messages, and messages fields. */
#include "proxy/http/h2.h"
#include "proxy/http/h2_priority.h"

#include <check.h>
#include <string.h>

Suite *h2_suite(void);

static const struct h1_limits limits = { 1024, 8, 32, 64 };

struct reading {
	struct arena arena;
	struct message message;
	struct h2_head head;
	bool good;
};

/* text: "name=value" lines, after the four fields of a plain request that
 * `without` does not name. */
static void
read_fields(struct reading *r, const char *without, const char *text)
{
	static const char *const usual[][2] = {
		{ ":method", "GET" },
		{ ":scheme", "https" },
		{ ":authority", "www.lab.test" },
		{ ":path", "/a?b" },
	};
	struct bytes rest = bytes_of(text);

	*r = (struct reading){ 0 };
	h2_head_begin(&r->head, &r->arena, &r->message, &limits);
	for (size_t i = 0; i < COUNT(usual); i++)
		if (strstr(without, usual[i][0]) == NULL)
			h2_head_add(&r->head, bytes_of(usual[i][0]),
			    bytes_of(usual[i][1]));
	while (rest.n > 0) {
		struct bytes value = bytes_take_until(&rest, '\n');
		struct bytes name = bytes_take_until(&value, '=');

		h2_head_add(&r->head, name, value);
	}
}

static void
read_request(
    struct reading *r, const char *without, const char *text, bool ends)
{
	read_fields(r, without, text);
	r->good = h2_head_request(&r->head, H2_ASKED_ORIGIN, ends);
}

static void
assert_text(struct bytes b, const char *want)
{
	ck_assert_msg(bytes_equal(b, bytes_of(want)), "\"%.*s\", not \"%s\"",
	    BYTES_PRINTF(b), want);
}

START_TEST(h2_request_is_a_message)
{
	struct reading r;

	read_request(
	    &r, "", "accept= text/html \ncookie=a=1\nx=1\ncookie=b=2", true);
	ck_assert(r.good);
	assert_text(r.message.method, "GET");
	assert_text(r.message.target, "/a?b");
	ck_assert_int_eq(r.message.framing, FRAMING_NONE);
	ck_assert_uint_eq(r.message.version_minor, 1);
	ck_assert_uint_eq(r.message.fields_n, 4);
	assert_text(r.message.fields[0].value, "text/html");
	assert_text(r.message.fields[1].value, "a=1; b=2");
	assert_text(
	    message_field(&r.message, FIELD_HOST)->value, "www.lab.test");
	arena_release(&r.arena);
}
END_TEST

static const struct {
	const char *name, *without, *text, *why;
	unsigned status;
} heads[] = {
	{ "plain", "", "", NULL, 0 },
	{ "Host as :authority", "", "host=WWW.lab.test", NULL, 0 },
	{ "Host alone", ":authority", "host=www.lab.test", NULL, 0 },
	{ "Host unlike", "", "host=other.test", "Host unlike :authority", 400 },
	{ "Host twice", "", "host=www.lab.test\nhost=www.lab.test",
	    "Host unlike :authority", 400 },
	{ "no name", ":authority", "", "no :authority", 400 },
	{ "a Host with a path", ":authority", "host=a.test/b",
	    "a name with a byte that names cannot have", 400 },
	{ "a Host with a query", ":authority", "host=a.test?b",
	    "a name with a byte that names cannot have", 400 },
	{ "an :authority with a user", ":authority", ":authority=a@b.test",
	    "a name with a byte that names cannot have", 400 },
	{ "a Host of eight bits", ":authority", "host=a\x9d",
	    "a name with a byte that names cannot have", 400 },
	{ "no path", ":path", "", ":path without a slash", 400 },
	{ "a path without slash", ":path", ":path=a", ":path without a slash",
	    400 },
	{ "an absolute path", ":path", ":path=http://www.lab.test/",
	    ":path without a slash", 400 },
	{ "a method that nobody knows", ":method", ":method=BREW",
	    "unknown method", 501 },
	{ "a method in small letters", ":method", ":method=get",
	    "unknown method", 501 },
	{ "M-SEARCH", ":method", ":method=M-SEARCH", NULL, 0 },
	{ "a path of eight bits", ":path", ":path=/\xc3\xa4",
	    ":path with a byte that is no URL's", 400 },
	{ "a path with a blank", ":path", ":path=/a b",
	    ":path with a byte that is no URL's", 400 },
	{ "a star", ":path", ":path=*", NULL, 0 },
	{ "ftp", ":scheme", ":scheme=ftp", "a :scheme that is not known", 400 },
	{ "no scheme", ":scheme", "", "a :scheme that is not known", 400 },
	{ "an extension of GET", "", ":protocol=websocket",
	    ":protocol without CONNECT", 400 },
	{ "an extension that nobody knows", ":method",
	    ":method=CONNECT\n:protocol=h2c", "a :protocol that is not known",
	    501 },
	{ "a WebSocket", ":method", ":method=CONNECT\n:protocol=websocket",
	    NULL, 0 },
	{ "a WebSocket with a length", ":method",
	    ":method=CONNECT\n:protocol=websocket\ncontent-length=0",
	    "a WebSocket that ends, or with a length", 400 },
	{ "a pseudo-field that nobody knows", "", ":thing=1",
	    "a pseudo-field that is not known", 400 },
	{ "CONNECT", ":method:scheme:path", ":method=CONNECT", NULL, 0 },
	{ "a length", "", "content-length=0", NULL, 0 },
	{ "a signed length", "", "content-length=+1",
	    "a content-length that is no number", 400 },
	{ "the longest length", "", "content-length=9223372036854775807", NULL,
	    0 },
	{ "one more", "", "content-length=9223372036854775808",
	    "a content-length that is no number", 400 },
};

START_TEST(h2_head_is_judged)
{
	struct reading r;

	read_request(&r, heads[_i].without, heads[_i].text, false);
	ck_assert_msg(r.good == (heads[_i].why == NULL), "%s", heads[_i].name);
	ck_assert_msg(
	    heads[_i].why == NULL || strcmp(r.head.why, heads[_i].why) == 0,
	    "%s: %s", heads[_i].name, r.head.why);
	ck_assert_msg(
	    r.good || r.head.status == heads[_i].status, "%s", heads[_i].name);
	arena_release(&r.arena);
}
END_TEST

static const struct {
	const char *without, *text, *target;
} asked_of_a_proxy[] = {
	{ "", "", "https://www.lab.test/a?b" },
	{ ":scheme:path", ":scheme=http\n:path=/a?b=c",
	    "http://www.lab.test/a?b=c" },
	{ ":authority", "host=other.test:81", "https://other.test:81/a?b" },
	{ ":method:path", ":method=OPTIONS\n:path=*", "*" },
	{ ":method:scheme:path", ":method=CONNECT", "www.lab.test" },
	{ ":method:scheme",
	    ":method=CONNECT\n:protocol=websocket\n:scheme=http",
	    "http://www.lab.test/a?b" },
};

START_TEST(h2_a_proxy_is_asked_with_the_whole_url)
{
	struct reading r;

	read_fields(
	    &r, asked_of_a_proxy[_i].without, asked_of_a_proxy[_i].text);
	ck_assert(h2_head_request(&r.head, H2_ASKED_PROXY, false));
	assert_text(r.message.target, asked_of_a_proxy[_i].target);
	arena_release(&r.arena);
}
END_TEST

START_TEST(h2_framing_comes_from_the_length)
{
	struct reading r;

	read_request(&r, "", "content-length=12", false);
	ck_assert_int_eq(r.message.framing, FRAMING_LENGTH);
	ck_assert_uint_eq(r.message.content_length, 12);
	arena_release(&r.arena);
	read_request(&r, "", "", false);
	ck_assert_int_eq(r.message.framing, FRAMING_CHUNKED);
	arena_release(&r.arena);
}
END_TEST

/* Four usual fields have 60 bytes of text, and 32 each besides. */
START_TEST(h2_bytes_of_a_head_are_limited)
{
	char text[1024] = "x=";
	struct reading r;
	size_t room = limits.head_max - 4 * 32 - 32 - 1;

	for (int past = 0; past < 2; past++) {
		size_t usual = sizeof(":method:scheme:authority:path") - 1 +
		    sizeof("GEThttpswww.lab.test/a?b") - 1;

		memset(text + 2, 'y', room - usual + (size_t)past);
		text[2 + room - usual + (size_t)past] = '\0';
		read_request(&r, "", text, true);
		ck_assert_int_eq(r.good, past == 0);
		ck_assert(past == 0 || r.head.status == 431);
		arena_release(&r.arena);
	}
}
END_TEST

/* A cookie in pieces counts each: they are joined at a price. */
START_TEST(h2_fields_of_a_head_are_limited)
{
	static const char *const texts[] = {
		"a=\nb=\nc=\nd=",
		"a=\nb=\nc=\nd=\ne=",
		"cookie=a\ncookie=b\ncookie=c\ncookie=d",
		"cookie=a\ncookie=b\ncookie=c\ncookie=d\ncookie=e",
	};
	struct reading r;

	read_request(&r, "", texts[_i], true);
	ck_assert_int_eq(r.good, _i % 2 == 0);
	ck_assert(r.good || r.head.status == 431);
	arena_release(&r.arena);
}
END_TEST

START_TEST(h2_answer_has_no_field_of_one_hop)
{
	struct field fields[] = {
		{ .id = FIELD_CONNECTION,
		    .hop = true,
		    .name = BYTES("Connection"),
		    .value = BYTES("close") },
		{ .id = FIELD_CONTENT_LENGTH,
		    .name = BYTES("Content-Length"),
		    .value = BYTES("7") },
		{ .name = BYTES("X-A"), .value = BYTES("1") },
	};
	struct message m = {
		.status = 200,
		.fields = fields,
		.fields_n = COUNT(fields),
		.has_content_length = true,
		.content_length = 5,
	};
	static const char *const want[][2] = { { ":status", "200" },
		{ "X-A", "1" }, { "via", "1.1 us" },
		{ "content-length", "5" } };
	struct arena a = { 0 };
	struct h2_fields f = h2_response_fields(&a, &m, "1.1 us");

	ck_assert_uint_eq(f.n, COUNT(want));
	for (size_t i = 0; i < f.n; i++) {
		assert_text((struct bytes){ f.nv[i].name, f.nv[i].namelen },
		    want[i][0]);
		assert_text((struct bytes){ f.nv[i].value, f.nv[i].valuelen },
		    want[i][1]);
	}
	m.status = 204;
	ck_assert_uint_eq(h2_response_fields(&a, &m, NULL).n, 2);
	arena_release(&a);
}
END_TEST

START_TEST(h2_websocket_is_an_upgrade)
{
	struct reading r;
	const struct field *key;

	read_request(&r, ":method",
	    ":method=CONNECT\n:protocol=websocket\n"
	    "sec-websocket-key=theirs\nsec-websocket-key=and another",
	    false);
	ck_assert(r.good && r.message.upgrade);
	assert_text(r.message.method, "GET");
	assert_text(
	    message_field(&r.message, FIELD_UPGRADE)->value, "websocket");
	key = message_field(&r.message, FIELD_SEC_WEBSOCKET_KEY);
	ck_assert(!key[0].hop && key[1].hop);
	ck_assert_uint_eq(key->value.n, 24);
	arena_release(&r.arena);
}
END_TEST

/* RFC 6455 section 1.3. */
START_TEST(h2_answer_to_a_websocket_is_101)
{
	struct arena a = { 0 };
	struct message m;
	struct h2_head h;

	h2_head_begin(&h, &a, &m, &limits);
	h2_head_add(&h, BYTES(":status"), BYTES("200"));
	h2_head_add(&h, BYTES("sec-websocket-accept"), BYTES("theirs"));
	ck_assert(h2_head_response(&h, false, false));
	h2_head_upgraded(&h, BYTES("dGhlIHNhbXBsZSBub25jZQ=="));
	ck_assert_uint_eq(m.status, 101);
	ck_assert(m.upgrade);
	assert_text(message_field(&m, FIELD_SEC_WEBSOCKET_ACCEPT)->value,
	    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	arena_release(&a);
}
END_TEST

static const struct {
	const char *status, *length;
	bool ends, to_head;
	enum framing framing; /* when good */
	bool good;
} answers[] = {
	{ "200", NULL, false, false, FRAMING_CHUNKED, true },
	{ "200", "5", false, false, FRAMING_LENGTH, true },
	{ "200", NULL, true, false, FRAMING_LENGTH, true }, /* of none */
	{ "200", "5", true, true, FRAMING_NONE, true },
	{ "204", NULL, true, false, FRAMING_NONE, true },
	{ "304", "5", true, false, FRAMING_NONE, true },
	{ "103", NULL, false, false, FRAMING_NONE, true },
	{ "100", NULL, false, false, FRAMING_NONE, true },
	{ "101", NULL, false, false, FRAMING_NONE, false },
	{ "099", NULL, false, false, FRAMING_NONE, false },
	{ "20", NULL, false, false, FRAMING_NONE, false },
	{ "599", NULL, false, false, FRAMING_CHUNKED, true },
	{ "600", NULL, false, false, FRAMING_NONE, false },
	{ "2000", NULL, false, false, FRAMING_NONE, false },
	{ "+20", NULL, false, false, FRAMING_NONE, false },
	{ "", NULL, false, false, FRAMING_NONE, false },
	{ "200", "5x", false, false, FRAMING_NONE, false },
};

START_TEST(h2_answer_is_judged)
{
	struct arena a = { 0 };
	struct message m;
	struct h2_head h;
	bool good;

	h2_head_begin(&h, &a, &m, &limits);
	h2_head_add(&h, BYTES(":status"), bytes_of(answers[_i].status));
	if (answers[_i].length != NULL)
		h2_head_add(
		    &h, BYTES("content-length"), bytes_of(answers[_i].length));
	good = h2_head_response(&h, answers[_i].ends, answers[_i].to_head);
	ck_assert_int_eq(good, answers[_i].good);
	if (good)
		ck_assert_int_eq(m.framing, answers[_i].framing);
	arena_release(&a);
}
END_TEST

START_TEST(h2_request_has_the_host_as_authority)
{
	struct field fields[] = {
		{ .id = FIELD_HOST,
		    .name = BYTES("Host"),
		    .value = BYTES("www.lab.test") },
		{ .id = FIELD_COOKIE,
		    .name = BYTES("Cookie"),
		    .value = BYTES("a=1; b=2") },
		{ .id = FIELD_TE,
		    .hop = true,
		    .name = BYTES("TE"),
		    .value = BYTES("trailers") },
		{ .name = BYTES("X-A"), .value = BYTES("1") },
	};
	struct message m = {
		.method = BYTES("POST"),
		.target = BYTES("/a?b"),
		.fields = fields,
		.fields_n = COUNT(fields),
		.framing = FRAMING_LENGTH,
		.content_length = 5,
	};
	static const char *const want[][2] = { { ":method", "POST" },
		{ ":scheme", "https" }, { ":authority", "www.lab.test" },
		{ ":path", "/a?b" }, { "cookie", "a=1" }, { "cookie", "b=2" },
		{ "X-A", "1" }, { "via", "1.1 us" }, { "te", "trailers" },
		{ "content-length", "5" } };
	struct arena a = { 0 };
	struct h2_fields f = h2_request_fields(&a, &m, "1.1 us");

	ck_assert_uint_eq(f.n, COUNT(want));
	for (size_t i = 0; i < f.n; i++) {
		assert_text((struct bytes){ f.nv[i].name, f.nv[i].namelen },
		    want[i][0]);
		assert_text((struct bytes){ f.nv[i].value, f.nv[i].valuelen },
		    want[i][1]);
	}
	arena_release(&a);
}
END_TEST

static const struct {
	const char *value;
	uint32_t urgency;
	int inc;
} priorities[] = {
	{ "", 3, 0 },
	{ "u=0", 0, 0 },
	{ "u=7, i", 7, 1 },
	{ "i;x=1\t,u=1;y", 1, 1 },
	{ "i=?1", 3, 1 },
	{ "u=1,i,i=?0,u=2", 2, 0 },
	/* what is none of them, or no such number, says nothing */
	{ "u=8", 3, 0 },
	{ "u=-1, u=10, u", 3, 0 },
	{ "U=1, I, ui, i=1, u =1", 3, 0 },
	{ "x=\"u=1,y\", ,;,=,u=", 3, 0 },
};

START_TEST(h2_priority_is_read)
{
	nghttp2_extpri out = { .urgency = 3, .inc = 0 };

	h2_priority_read(bytes_of(priorities[_i].value), &out);
	ck_assert_uint_eq(out.urgency, priorities[_i].urgency);
	ck_assert_int_eq(out.inc, priorities[_i].inc);
}
END_TEST

Suite *
h2_suite(void)
{
	Suite *s = suite_create("h2");
	TCase *t = tcase_create("h2");

	tcase_add_test(t, h2_request_is_a_message);
	tcase_add_loop_test(t, h2_head_is_judged, 0, COUNT(heads));
	tcase_add_loop_test(t, h2_a_proxy_is_asked_with_the_whole_url, 0,
	    COUNT(asked_of_a_proxy));
	tcase_add_test(t, h2_framing_comes_from_the_length);
	tcase_add_test(t, h2_bytes_of_a_head_are_limited);
	tcase_add_loop_test(t, h2_fields_of_a_head_are_limited, 0, 4);
	tcase_add_test(t, h2_answer_has_no_field_of_one_hop);
	tcase_add_loop_test(t, h2_answer_is_judged, 0, COUNT(answers));
	tcase_add_test(t, h2_request_has_the_host_as_authority);
	tcase_add_test(t, h2_websocket_is_an_upgrade);
	tcase_add_loop_test(t, h2_priority_is_read, 0, COUNT(priorities));
	tcase_add_test(t, h2_answer_to_a_websocket_is_101);
	suite_add_tcase(s, t);
	return s;
}
