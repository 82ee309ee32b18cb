/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/out.h"

#include <arpa/nameser.h>
#include <check.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/smtp/common.h"
#include "tests/unit/keysmith/lab.h"
#include "tests/unit/smtp/peer.h"

#define HELLO "<220 mx.test\n>EHLO us.test\n"
#define PIPES "<250-mx.test\n<250 PIPELINING\n"
#define MAIL ">MAIL FROM:<a@us.test>\n>RCPT TO:<b@mx.test>\n>DATA\n"
#define OK "<250 2.0.0 fine\n"
#define TAKES MAIL OK OK "<354 go\n=21\n" OK
#define LONG_MS 10000
#define SHORT_MS 300 /* for a peer that is silent longer */

struct got {
	struct shipment *shipment;
	size_t recipients_n;
	unsigned times;
	struct shipment_result result;
	struct smtp_reply replies[3];
	char peer[400], tls[32];
};

static struct loop *loop;
static struct out *out;
static struct trust *trust;
static struct mail_settings settings;
static struct upstream_settings upstream;
static SSL_CTX *server;
static char folder[] = "/tmp/out-XXXXXX";
static char *anchor;
static unsigned awaited;
static uint8_t digest[32]; /* of the server's certificate */

#define ADDRESS(string)                                 \
	{                                               \
		.address = {.text = BYTES_ROW(string) } \
	}
static const struct mail_recipient one = ADDRESS("b@mx.test"),
				   two = ADDRESS("c@mx.test"),
				   three = ADDRESS("d@mx.test");
static const struct mail_recipient *const all[] = { &one, &two, &three };
static const struct envelope envelope = { .sender = { .text = BYTES_ROW(
							  "a@us.test") } };

/* Until the test's process ends. */
static struct common *
get_common(void)
{
	static struct common *common;
	struct err e;
	int fd;

	if (common != NULL)
		return common;
	fd = common_create(&e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	common = common_map(fd, &e);
	ck_assert_ptr_nonnull(common);
	close(fd);
	return common;
}

static void
done(void *owner, const struct shipment_result *r)
{
	struct got *g = owner;

	g->shipment = NULL;
	g->times++;
	g->result = *r;
	memcpy(g->replies, r->replies, g->recipients_n * sizeof(*r->replies));
	snprintf(g->peer, sizeof(g->peer), "%s", r->peer);
	snprintf(g->tls, sizeof(g->tls), "%s", r->tls);
	if (--awaited == 0)
		loop_stop(loop);
}

static void
stop(void *owner)
{
	loop_stop(owner);
}

static void
run_for(uint64_t ms)
{
	struct timer *t = timer_new(loop, stop, loop);

	timer_start(t, ms);
	loop_run(loop);
	timer_free(t);
}

static void
run_all(void)
{
	run_for(20000);
	ck_assert_uint_eq(awaited, 0);
}

static struct next_hop
hop_at(uint16_t port, uint32_t priority, enum hop_tls tls)
{
	return (struct next_hop){ .host = "127.0.0.1",
		.port = port,
		.priority = priority,
		.tls = tls,
		.name = "mx.test" };
}

static struct shipment_order
order_for(const struct mail_route *route, size_t recipients_n)
{
	return (struct shipment_order){
		.route = route,
		.domain = BYTES("mx.test"),
		.envelope = &envelope,
		.recipients = all,
		.recipients_n = recipients_n,
		.head = BYTES("Subject: x\r\n"),
		.body = BYTES("\r\n.text\r\n"),
	};
}

static void
be_impatient(const char *script)
{
	if (script != NULL && strstr(script, "~600") != NULL)
		settings.reply_timeout_ms = SHORT_MS;
}

static void
ship(struct got *g, const struct mail_route *route, size_t recipients_n)
{
	struct shipment_order order = order_for(route, recipients_n);

	*g = (struct got){ .recipients_n = recipients_n };
	awaited++;
	g->shipment = shipment_new(out, &order, done, g);
	ck_assert_uint_eq(g->times, 0);
}

/* What becomes of one mail with one hop that does as the script says. */

static const struct {
	const char *name;
	const char *connections[2];
	enum hop_tls tls;
	bool implicit;
	size_t recipients_n;
	enum shipment_end end;
	const char *replies;
	bool doubtful, verified;
	const char *version;
} cases[] = {
	{ "a mail", { HELLO PIPES TAKES }, HOP_TLS_NONE, false, 1,
	    SHIPMENT_ANSWERED, "250 fine|", false, false, "" },
	{ "one of three is refused",
	    { HELLO PIPES ">MAIL\n>RCPT TO:<b\n>RCPT TO:<c\n>RCPT TO:<d\n"
			  ">DATA\n" OK OK "<550 5.1.1 who\n" OK
			  "<354 go\n=21\n" OK },
	    HOP_TLS_NONE, false, 3, SHIPMENT_ANSWERED,
	    "250 fine|550 who|250 fine|", false, false, "" },
	{ "dropped behind the content",
	    { HELLO PIPES MAIL OK OK "<354 go\n=21\n" }, HOP_TLS_NONE, false, 1,
	    SHIPMENT_FAILED, "451 *|", true, false, "" },
	{ "silent behind the content is not tried here, dropped before it is",
	    { HELLO PIPES MAIL OK OK }, HOP_TLS_NONE, false, 1, SHIPMENT_FAILED,
	    "451 *|", false, false, "" },
	{ "silent at the greeting", { "~600\n" }, HOP_TLS_NONE, false, 1,
	    SHIPMENT_FAILED, "451 *|", false, false, "" },
	{ "silent at RCPT", { HELLO PIPES MAIL OK "~600\n" }, HOP_TLS_NONE,
	    false, 1, SHIPMENT_FAILED, "451 *|", false, false, "" },
	{ "silent in the middle of a reply",
	    { HELLO PIPES MAIL OK "<250-x\n~200\n<250-x\n~600\n" },
	    HOP_TLS_NONE, false, 1, SHIPMENT_FAILED, "451 *|", false, false,
	    "" },
	{ "a greeting that refuses", { "<554 no mail here\n" }, HOP_TLS_NONE,
	    false, 1, SHIPMENT_FAILED, "451 *|", false, false, "" },
	{ "a word that nobody asked for", { "<220 x\n<250 x\n" }, HOP_TLS_NONE,
	    false, 1, SHIPMENT_FAILED, "451 *|", false, false, "" },
	{ "refused before the content was sent",
	    { HELLO PIPES MAIL OK OK "<354 go\n<552 5.3.4 big\n" },
	    HOP_TLS_NONE, false, 1, SHIPMENT_ANSWERED, "552 big|", false, false,
	    "" },
	{ "TLS that is verified",
	    { HELLO "<250-mx.test\n<250 STARTTLS\n>STARTTLS\n<220 go\n*\n"
		    ">EHLO us.test\n" PIPES TAKES },
	    HOP_TLS_VERIFIED, false, 1, SHIPMENT_ANSWERED, "250 fine|", false,
	    true, "TLSv1.3" },
	{ "TLS at once", { "*\n" HELLO PIPES TAKES }, HOP_TLS_VERIFIED, true, 1,
	    SHIPMENT_ANSWERED, "250 fine|", false, true, "TLSv1.3" },
	{ "TLS that is not offered", { HELLO PIPES }, HOP_TLS_VERIFIED, false,
	    1, SHIPMENT_FAILED, "451 *|", false, false, "" },
	{ "TLS by opportunity",
	    { HELLO "<250-mx.test\n<250 STARTTLS\n>STARTTLS\n<220 go\n*\n"
		    ">EHLO us.test\n" PIPES TAKES },
	    HOP_TLS_OPPORTUNISTIC, false, 1, SHIPMENT_ANSWERED, "250 fine|",
	    false, true, "TLSv1.3" },
	{ "no TLS behind its offer, so without",
	    { HELLO
		"<250-mx.test\n<250 STARTTLS\n>STARTTLS\n<220 go\n~100\n!\n",
		HELLO "<250-mx.test\n<250 STARTTLS\n>MAIL\n" OK ">RCPT\n" OK
		      ">DATA\n<354 go\n=21\n" OK },
	    HOP_TLS_OPPORTUNISTIC, false, 1, SHIPMENT_ANSWERED, "250 fine|",
	    false, false, "" },
	{ "words in plain behind the 220",
	    { HELLO "<250-mx.test\n<250 STARTTLS\n>STARTTLS\n"
		    "<220 go\r250 x\n" },
	    HOP_TLS_OPPORTUNISTIC, false, 1, SHIPMENT_FAILED, "451 *|", false,
	    false, "" },
};

static void
check_replies(const struct got *g, const char *name, const char *want)
{
	size_t i = 0;
	struct bytes rest = bytes_of(want);
	char text[600];

	while (rest.n > 0) {
		struct bytes one_want = bytes_take_until(&rest, '|');
		const struct smtp_reply *r = &g->replies[i++];

		snprintf(text, sizeof(text), "%u %s", r->code,
		    bytes_end_with(one_want, BYTES("*")) ? "*" : r->text);
		ck_assert_msg(bytes_equal(one_want, bytes_of(text)),
		    "%s: %u %s", name, r->code, r->text);
	}
}

START_TEST(out_ships_one_mail)
{
	size_t n = 0;
	struct peer p;
	struct next_hop hop;
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct got g;

	while (n < 2 && cases[_i].connections[n] != NULL)
		n++;
	p = peer_new(cases[_i].connections, n, server);
	hop = hop_at(p.port, 0, cases[_i].tls);
	hop.implicit = cases[_i].implicit;
	be_impatient(cases[_i].connections[0]);
	ship(&g, &route, cases[_i].recipients_n);
	run_all();
	ck_assert_msg(g.result.end == cases[_i].end, "%s: %u %s",
	    cases[_i].name, g.replies[0].code, g.replies[0].text);
	check_replies(&g, cases[_i].name, cases[_i].replies);
	ck_assert(g.result.doubtful == cases[_i].doubtful);
	ck_assert(g.result.tls_verified == cases[_i].verified);
	ck_assert_str_eq(g.tls, cases[_i].version);
	ck_assert(!g.result.reused);
	ck_assert(g.result.us > 0);
	ck_assert(strncmp(g.peer, "127.0.0.1[127.0.0.1]:", 21) == 0);
	out_drain(out);
	peer_end(&p);
}
END_TEST

/* A certificate for another name, and one that nobody trusts. */
START_TEST(out_ships_nothing_to_whom_it_cannot_verify)
{
	static const char *const script[] = { "*\n" };
	struct peer p = peer_new(script, 1, server);
	struct next_hop hop = hop_at(p.port, 0, HOP_TLS_VERIFIED);
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct got g;
	struct err e;

	hop.implicit = true;
	if (_i == 0) {
		hop.name = "other.test";
	} else {
		out_free(out);
		out =
		    out_new(&settings, &upstream, NULL, get_common(), loop, &e);
	}
	ship(&g, &route, 1);
	run_all();
	ck_assert_int_eq(g.result.end, SHIPMENT_FAILED);
	ck_assert_str_eq(g.replies[0].enhanced, "4.7.5");
	ck_assert_ptr_nonnull(strstr(
	    g.replies[0].text, _i == 0 ? "ostname mismatch" : "self-signed"));
	peer_end(&p);
}
END_TEST

static const struct {
	const char *name;
	const char *connections[2];
	bool reused; /* the second mail */
} kept[] = {
	{ "kept", { HELLO PIPES TAKES TAKES ">QUIT\n" }, true },
	{ "kept after a refusal and RSET",
	    { HELLO PIPES MAIL OK OK
		"<354 go\n=21\n<550 no\n>RSET\n" OK MAIL OK OK
		"<354 go\n=21\n" OK ">QUIT\n" },
	    true },
	{ "closed while it is kept",
	    { HELLO PIPES TAKES, HELLO PIPES TAKES ">QUIT\n" }, false },
	{ "a word while it is kept",
	    { HELLO PIPES TAKES "~20\n<421 idle\n.\n",
		HELLO PIPES TAKES ">QUIT\n" },
	    false },
	{ "closed at the next MAIL",
	    { HELLO PIPES TAKES ">MAIL\n", HELLO PIPES TAKES ">QUIT\n" },
	    false },
	{ "421 at the next MAIL",
	    { HELLO PIPES TAKES ">MAIL\n<421 idle\n",
		HELLO PIPES TAKES ">QUIT\n" },
	    false },
};

START_TEST(out_keeps_connections)
{
	size_t n = 0;
	struct peer p;
	struct next_hop hop;
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct got g;

	while (n < 2 && kept[_i].connections[n] != NULL)
		n++;
	p = peer_new(kept[_i].connections, n, server);
	hop = hop_at(p.port, 0, HOP_TLS_NONE);
	ship(&g, &route, 1);
	run_all();
	ck_assert_int_eq(g.result.end, SHIPMENT_ANSWERED);
	run_for(100);
	ship(&g, &route, 1);
	run_all();
	ck_assert_msg(g.result.end == SHIPMENT_ANSWERED, "%s: %s",
	    kept[_i].name, g.replies[0].text);
	ck_assert_uint_eq(g.replies[0].code, 250);
	ck_assert_msg(g.result.reused == kept[_i].reused, "%s", kept[_i].name);
	out_drain(out);
	peer_end(&p);
}
END_TEST

/* Nobody there, who says no, who says nothing: another hop is asked. Who said
 * something about the mail has said it. */
static const struct {
	const char *name;
	const char *first; /* NULL: nobody listens */
	bool goes_on;
} firsts[] = {
	{ "nobody", NULL, true },
	{ "554", "<554 no\n.\n", true },
	{ "silence", "~600\n", true },
	{ "421 to EHLO", HELLO "<421 no\n.\n", true },
	{ "421 to MAIL", HELLO PIPES MAIL "<421 no\n.\n", true },
	{ "450 to MAIL", HELLO PIPES MAIL "<450 x\n<503 x\n<503 x\n", false },
	{ "450 to RCPT", HELLO PIPES MAIL OK "<450 x\n<503 x\n", false },
	{ "closed behind RCPT", HELLO PIPES MAIL OK OK, false },
	{ "closed behind the content", HELLO PIPES MAIL OK OK "<354 go\n=21\n",
	    false },
};

START_TEST(out_tries_the_next_hop_while_nothing_was_said)
{
	static const char *const good[] = { HELLO PIPES TAKES };
	struct peer b = peer_new(good, 1, server);
	struct peer a = { 0 };
	struct next_hop hops[2];
	struct mail_route route = { .hops = hops, .hops_n = 2 };
	struct got g;

	if (firsts[_i].first != NULL)
		a = peer_new(&firsts[_i].first, 1, server);
	hops[0] =
	    hop_at(a.pid != 0 ? a.port : peer_nowhere(), 10, HOP_TLS_NONE);
	hops[1] = hop_at(b.port, 20, HOP_TLS_NONE);
	be_impatient(firsts[_i].first);
	ship(&g, &route, 1);
	run_all();
	ck_assert_msg((g.replies[0].code == 250) == firsts[_i].goes_on,
	    "%s: %u %s", firsts[_i].name, g.replies[0].code, g.replies[0].text);
	ck_assert_uint_eq(g.replies[0].code / 100, firsts[_i].goes_on ? 2 : 4);
	out_drain(out);
	if (firsts[_i].goes_on)
		peer_end(&b);
	else
		peer_kill(&b);
	if (a.pid != 0)
		peer_kill(&a);
}
END_TEST

/* Each address of a name once, those of the settings before DNS. */
START_TEST(out_tries_the_next_address)
{
	static const char *const bad[] = { "<554 no\n.\n" };
	static const char *const good[] = { HELLO PIPES TAKES };
	struct peer a = peer_new(bad, 1, server);
	struct peer b = peer_beside(&a, _i == 0 ? good : bad, 1, server);
	struct next_hop hop = hop_at(a.port, 0, HOP_TLS_NONE);
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct address both[2];
	struct static_host host = {
		.name = "mx.test", .addresses = both, .n = 2
	};
	struct got g;

	ck_assert_int_eq(address_parse(&both[0], BYTES("127.0.0.1")), 0);
	ck_assert_int_eq(address_parse(&both[1], BYTES("127.0.0.2")), 0);
	upstream.hosts = &host;
	upstream.hosts_n = 1;
	hop.host = "mx.test";
	ship(&g, &route, 1);
	run_all();
	ck_assert_uint_eq(g.replies[0].code, _i == 0 ? 250 : 451);
	ck_assert(strncmp(g.peer, "mx.test[127.0.0.2]:", 19) == 0);
	out_drain(out);
	peer_end(&a);
	peer_end(&b);
}
END_TEST

START_TEST(out_gives_up_on_who_does_not_answer)
{
	struct next_hop hop = hop_at(peer_deaf(), 0, HOP_TLS_NONE);
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct got g;

	settings.connect_timeout_ms = SHORT_MS;
	ship(&g, &route, 1);
	run_all();
	ck_assert_int_eq(g.result.end, SHIPMENT_FAILED);
	ck_assert_str_eq(g.replies[0].enhanced, "4.4.1");
}
END_TEST

/* Only the first mail waits for a hop that is down, unless it is the only
 * one. */
START_TEST(out_tries_first_who_was_up)
{
	static const char *const good[] = { HELLO PIPES TAKES TAKES ">QUIT\n" };
	struct peer p = peer_new(good, 1, server);
	struct next_hop hops[] = {
		hop_at(peer_deaf(), 10, HOP_TLS_NONE),
		hop_at(p.port, 20, HOP_TLS_NONE),
	};
	struct mail_route route = { .hops = hops, .hops_n = 2 };
	struct got g;

	settings.connect_timeout_ms = 1000;
	ship(&g, &route, 1);
	run_all();
	ck_assert_uint_eq(g.replies[0].code, 250);
	ck_assert_uint_ge(g.result.us, 900000);
	ship(&g, &route, 1);
	run_all();
	ck_assert_uint_eq(g.replies[0].code, 250);
	ck_assert_uint_lt(g.result.us, 900000);
	out_drain(out);
	peer_end(&p);
	route.hops_n = 1;
	ship(&g, &route, 1);
	run_all();
	ck_assert_uint_eq(g.replies[0].code, 451);
	ck_assert_uint_ge(g.result.us, 900000);
}
END_TEST

START_TEST(out_keeps_to_connections_per_hop)
{
	static const char *const script[] = { HELLO PIPES MAIL OK OK
		"<354 go\n=21\n~100\n" OK TAKES MAIL OK OK "<354 go\n=21\n" OK
		">QUIT\n" };
	struct peer p = peer_new(script, 1, server);
	struct next_hop hop = hop_at(p.port, 0, HOP_TLS_NONE);
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct got g[3];

	settings.connections_per_hop = 1;
	for (size_t i = 0; i < COUNT(g); i++)
		ship(&g[i], &route, 1);
	run_all();
	for (size_t i = 0; i < COUNT(g); i++) {
		ck_assert_int_eq(g[i].result.end, SHIPMENT_ANSWERED);
		ck_assert(g[i].result.reused == (i > 0));
	}
	out_drain(out);
	peer_end(&p);
}
END_TEST

/* The place of one that is cancelled goes to who waits. */
START_TEST(out_forgets_what_is_cancelled)
{
	static const char *const script[] = { HELLO PIPES MAIL OK ".\n",
		HELLO PIPES TAKES ">QUIT\n" };
	struct peer p = peer_new(script, 2, server);
	struct next_hop hop = hop_at(p.port, 0, HOP_TLS_NONE);
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct got g[3];

	settings.connections_per_hop = 1;
	for (size_t i = 0; i < COUNT(g); i++)
		ship(&g[i], &route, 1);
	run_for(500); /* it has the first by then */
	shipment_cancel(g[1].shipment);
	shipment_cancel(g[0].shipment);
	awaited -= 2;
	run_all();
	ck_assert_uint_eq(g[0].times + g[1].times, 0);
	ck_assert_int_eq(g[2].result.end, SHIPMENT_ANSWERED);
	out_drain(out);
	peer_kill(&p);
}
END_TEST

START_TEST(out_refuses_what_the_hop_cannot_take)
{
	static const char *const script[] = { HELLO PIPES };
	struct peer p = peer_new(script, 1, server);
	struct next_hop hop = hop_at(p.port, 0, HOP_TLS_NONE);
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct shipment_order order = order_for(&route, 1);
	struct got g = { .recipients_n = 1 };

	order.eight_bit = true;
	awaited++;
	shipment_new(out, &order, done, &g);
	run_all();
	ck_assert_int_eq(g.result.end, SHIPMENT_ANSWERED);
	ck_assert_uint_eq(g.replies[0].code, 554);
	ck_assert_str_eq(g.replies[0].enhanced, "5.6.3");
	peer_end(&p);
}
END_TEST

#define BIG ((size_t)20 << 20)

/* Far more than a stream would queue, and lines that begin with dots. */
START_TEST(out_ships_more_than_memory_holds)
{
	static const char *const scripts[] = { HELLO PIPES MAIL OK OK
		"<354 go\n~200\n=20971520\n" OK,
		"*\n" HELLO PIPES MAIL OK OK "<354 go\n~200\n=20971520\n" OK };
	struct peer p = peer_new(&scripts[_i], 1, server);
	struct next_hop hop =
	    hop_at(p.port, 0, _i == 0 ? HOP_TLS_NONE : HOP_TLS_VERIFIED);
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct shipment_order order = order_for(&route, 1);
	struct got g = { .recipients_n = 1 };
	uint8_t *body = malloc(BIG);

	ck_assert_ptr_nonnull(body);
	memset(body, '.', BIG);
	for (size_t i = 63; i < BIG; i += 64)
		memcpy(body + i - 1, "\r\n", 2);
	hop.implicit = _i == 1;
	order.head = (struct bytes){ 0 };
	order.body = (struct bytes){ body, BIG };
	awaited++;
	shipment_new(out, &order, done, &g);
	run_all();
	ck_assert_msg(
	    g.result.end == SHIPMENT_ANSWERED, "%s", g.replies[0].text);
	ck_assert_uint_eq(g.replies[0].code, 250);
	out_drain(out);
	peer_end(&p);
	free(body);
}
END_TEST

static void
answered(void *owner, const struct smtp_reply *reply)
{
	*(struct smtp_reply *)owner = *reply;
	if (--awaited == 0)
		loop_stop(loop);
}

START_TEST(inquiry_asks_about_one_recipient)
{
	static const char *const script[] = { HELLO PIPES
		">MAIL FROM:<>\n>RCPT TO:<b@mx.test>\n" OK
		"<550 5.1.1 who\n>RSET\n" OK
		">MAIL FROM:<>\n>RCPT TO:<c@mx.test>\n" OK
		"<250 2.1.5 known\n>RSET\n" OK ">QUIT\n" };
	struct peer p = peer_new(script, 1, server);
	struct next_hop hop = hop_at(p.port, 0, HOP_TLS_NONE);
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct smtp_reply r;

	awaited = 1;
	inquiry_new(out, &route, &one, answered, &r);
	run_all();
	ck_assert_uint_eq(r.code, 550);
	run_for(50);
	awaited = 1;
	inquiry_new(out, &route, &two, answered, &r);
	run_all();
	ck_assert_uint_eq(r.code, 250);
	inquiry_cancel(inquiry_new(out, &route, &two, answered, &r));
	run_for(50);
	hop.port = peer_nowhere();
	awaited = 1;
	inquiry_new(out, &route, &one, answered, &r);
	run_all();
	ck_assert_uint_eq(r.code, 0);
	out_drain(out);
	peer_kill(&p);
}
END_TEST

/* By MX. */

#define HOME BYTES_ROW("\x7f\0\0\1")
#define MX(preference, host) BYTES_ROW("\0" preference host)

static const struct peer_record records[] = {
	{ "null.test", ns_t_mx, 0, { MX("\0", "\0") } },
	{ "none.test", ns_t_mx, 3, { { NULL, 0 } } },
	{ "bare.test", ns_t_a, 0, { HOME } },
	{ "empty.test", ns_t_txt, 0, { { NULL, 0 } } },
	{ "mail.test", ns_t_mx, 0,
	    { MX("\x14", "\5empty\4test\0"), MX("\x0a", "\4bare\4test\0") } },
	{ "ours.test", ns_t_mx, 0,
	    { MX("\x14", "\4bare\4test\0"), MX("\x0a", "\2us\4test\0") } },
	{ "broken.test", ns_t_mx, 2, { { NULL, 0 } } },
};

static const struct {
	const char *domain;
	enum shipment_end end;
	unsigned code;
	const char *enhanced;
	bool permitted;
	bool separated; /* the same, but of the provision network */
} domains[] = {
	{ "mail.test", SHIPMENT_ANSWERED, 250, "2.0.0", true, false },
	{ "bare.test", SHIPMENT_ANSWERED, 250, "2.0.0", true, false },
	{ "[127.0.0.1]", SHIPMENT_ANSWERED, 250, "2.0.0", true, false },
	{ "mail.test", SHIPMENT_ANSWERED, 550, "5.4.4", false, false },
	{ "bare.test", SHIPMENT_ANSWERED, 550, "5.4.4", false, false },
	{ "[127.0.0.1]", SHIPMENT_ANSWERED, 550, "5.4.4", false, false },
	{ "[IPv6:::1]", SHIPMENT_ANSWERED, 550, "5.4.4", false, false },
	{ "mail.test", SHIPMENT_ANSWERED, 550, "5.4.4", true, true },
	{ "bare.test", SHIPMENT_ANSWERED, 550, "5.4.4", true, true },
	{ "[127.0.0.1]", SHIPMENT_ANSWERED, 550, "5.4.4", true, true },
	{ "[oops]", SHIPMENT_ANSWERED, 550, "5.1.2", true, false },
	{ "null.test", SHIPMENT_ANSWERED, 556, "5.1.10", true, false },
	{ "none.test", SHIPMENT_ANSWERED, 550, "5.1.2", true, false },
	{ "empty.test", SHIPMENT_ANSWERED, 550, "5.4.4", true, false },
	{ "ours.test", SHIPMENT_ANSWERED, 554, "5.4.6", true, false },
	{ "broken.test", SHIPMENT_FAILED, 451, "4.4.3", true, false },
	{ "silent.test", SHIPMENT_FAILED, 451, "4.4.3", true, false },
};

START_TEST(out_goes_by_mx)
{
	static const char *const script[] = { HELLO PIPES TAKES };
	struct peer p = peer_new(script, 1, server);
	struct peer names = peer_names(records, COUNT(records));
	struct mail_route route = { .mx_tls = HOP_TLS_OPPORTUNISTIC };
	struct prefix loopback;
	struct zone zone = { .permitted = &loopback, .permitted_n = 1 };
	struct shipment_order order = order_for(&route, 1);
	char at[32];
	const char *list[] = { at };
	struct got g;
	struct err e;

	snprintf(at, sizeof(at), "127.0.0.1:%u", names.port);
	upstream.nameservers = (struct texts){ .p = list, .n = 1 };
	ck_assert_int_eq(prefix_parse(&loopback, BYTES("127.0.0.0/8")), 0);
	upstream.reach.provision = &loopback;
	upstream.reach.provision_n = domains[_i].separated;
	out_free(out);
	out = out_new(&settings, &upstream, trust, get_common(), loop, &e);
	ck_assert_ptr_nonnull(out);
	out_set_mx_port(out, p.port);
	order.domain = bytes_of(domains[_i].domain);
	order.zone = domains[_i].permitted ? &zone : NULL;
	for (int again = 0; again < (domains[_i].code == 250 ? 1 : 2);
	     again++) {
		g = (struct got){ .recipients_n = 1 };
		awaited++;
		shipment_new(out, &order, done, &g);
		ck_assert_uint_eq(g.times, 0);
		run_all();
		ck_assert_msg(g.replies[0].code == domains[_i].code,
		    "%s: %u %s %s", domains[_i].domain, g.replies[0].code,
		    g.replies[0].enhanced, g.replies[0].text);
		ck_assert_str_eq(g.replies[0].enhanced, domains[_i].enhanced);
		ck_assert_int_eq(g.result.end, domains[_i].end);
	}
	out_drain(out);
	peer_kill(&p);
	peer_kill(&names);
}
END_TEST

/* What DNS and a policy's page ask of the TLS with a host found by MX. */

#define AD 0x20 /* the resolver has validated it */
#define ANSWER_SERVFAIL 2
#define STARTTLS                                                     \
	HELLO "<250-mx.test\n<250 STARTTLS\n>STARTTLS\n<220 go\n*\n" \
	      ">EHLO us.test\n"
#define PAGE(status, type, text)                                              \
	"*\n>GET /.well-known/mta-sts.txt HTTP/1.1\n"                         \
	">Host: mta-sts.sts.test\n>Accept\n>Connection\n>\n<HTTP/1.1 " status \
	"\rContent-Type: " type "\r\r" text "\n"
#define POLICY(mode, mx) \
	"version: STSv1\rmode: " mode "\rmx: " mx "\rmax_age: 86400"

enum tlsa_said {
	TLSA_NONE,
	TLSA_RIGHT,
	TLSA_WRONG,
	TLSA_UNUSABLE,
	TLSA_AWAY,
	TLSA_AWAY_NO_V4, /* and the host has no address of IPv4 */
};

/* As a code: the domain is mx.test itself. */
#define NO_MX (-1)

static const struct {
	const char *name;
	const char *host;
	const char *page;
	enum tlsa_said tlsa;
	int mx_code, tlsa_code, address_code;
	bool dane, mta_sts;
	unsigned code;
	bool verified;
	const char *version;
} asked_for[] = {
	{ "a certificate as DNS says", STARTTLS PIPES TAKES, NULL, TLSA_RIGHT,
	    AD, AD, AD, true, false, 250, true, "TLSv1.3" },
	{ "another certificate", STARTTLS, NULL, TLSA_WRONG, AD, AD, AD, true,
	    false, 451, false, "" },
	{ "no TLS where DNS has a certificate", HELLO PIPES, NULL, TLSA_RIGHT,
	    AD, AD, AD, true, false, 451, false, "" },
	{ "records that nobody may use ask for TLS", STARTTLS PIPES TAKES, NULL,
	    TLSA_UNUSABLE, AD, AD, AD, true, false, 250, true, "TLSv1.3" },
	{ "and are nothing without", HELLO PIPES, NULL, TLSA_UNUSABLE, AD, AD,
	    AD, true, false, 451, false, "" },
	{ "records that are hidden", HELLO PIPES, NULL, TLSA_AWAY, AD,
	    ANSWER_SERVFAIL, AD, true, false, 451, false, "" },
	{ "no records of a host that is not signed", HELLO PIPES TAKES, NULL,
	    TLSA_AWAY, AD, ANSWER_SERVFAIL, 0, true, false, 250, false, "" },
	{ "records that are hidden, of a host without IPv4", HELLO PIPES, NULL,
	    TLSA_AWAY_NO_V4, AD, ANSWER_SERVFAIL, AD, true, false, 451, false,
	    "" },
	{ "a domain without MX, and another certificate", STARTTLS, NULL,
	    TLSA_WRONG, NO_MX, AD, AD, true, false, 451, false, "" },
	{ "the same, not validated", HELLO PIPES TAKES, NULL, TLSA_WRONG, NO_MX,
	    AD, 0, true, false, 250, false, "" },
	{ "no records", HELLO PIPES TAKES, NULL, TLSA_NONE, AD, AD, AD, true,
	    false, 250, false, "" },
	{ "records that are not validated", HELLO PIPES TAKES, NULL, TLSA_WRONG,
	    AD, 0, 0, true, false, 250, false, "" },
	{ "an MX that is not validated", HELLO PIPES TAKES, NULL, TLSA_WRONG, 0,
	    AD, AD, true, false, 250, false, "" },
	{ "nobody asked for DANE", HELLO PIPES TAKES, NULL, TLSA_WRONG, AD, AD,
	    AD, false, false, 250, false, "" },
	{ "a policy that holds", STARTTLS PIPES TAKES,
	    PAGE("200 OK", "text/plain; charset=utf-8",
		POLICY("enforce", "mx.test")),
	    TLSA_NONE, 0, 0, 0, false, true, 250, true, "TLSv1.3" },
	{ "a policy of other hosts", HELLO PIPES,
	    PAGE("200 OK", "text/plain", POLICY("enforce", "*.mx.test")),
	    TLSA_NONE, 0, 0, 0, false, true, 451, false, "" },
	{ "the same, which says its length", HELLO PIPES,
	    PAGE("200 OK", "text/plain\rContent-Length: 62",
		POLICY("enforce", "*.mx.test")),
	    TLSA_NONE, 0, 0, 0, false, true, 451, false, "" },
	{ "the same in pieces", HELLO PIPES,
	    PAGE("200 OK", "text/plain\rContent-Length: 62",
		"version: STSv1\n~100\n<mode: enforce\n~100\n"
		"<mx: *.mx.test\rmax_age: 86400"),
	    TLSA_NONE, 0, 0, 0, false, true, 451, false, "" },
	{ "the same in a chunk", HELLO PIPES,
	    PAGE("200 OK", "text/plain\rTransfer-Encoding: chunked",
		"3e\r" POLICY("enforce", "*.mx.test") "\r\r0\r"),
	    TLSA_NONE, 0, 0, 0, false, true, 451, false, "" },
	{ "the same behind an interim answer", HELLO PIPES,
	    PAGE("103 Early Hints\r\rHTTP/1.1 200 OK", "text/plain",
		POLICY("enforce", "*.mx.test")),
	    TLSA_NONE, 0, 0, 0, false, true, 451, false, "" },
	{ "no TLS where a policy asks for it", HELLO PIPES,
	    PAGE("200 OK", "text/plain", POLICY("enforce", "mx.test")),
	    TLSA_NONE, 0, 0, 0, false, true, 451, false, "" },
	{ "a policy that is being tried", HELLO PIPES TAKES,
	    PAGE("200 OK", "text/plain", POLICY("testing", "x.test")),
	    TLSA_NONE, 0, 0, 0, false, true, 250, false, "" },
	{ "no page", HELLO PIPES TAKES,
	    PAGE("404 No", "text/plain", POLICY("enforce", "x.test")),
	    TLSA_NONE, 0, 0, 0, false, true, 250, false, "" },
	{ "a page that is no text", HELLO PIPES TAKES,
	    PAGE("200 OK", "text/html", POLICY("enforce", "x.test")), TLSA_NONE,
	    0, 0, 0, false, true, 250, false, "" },
	{ "nobody asked for policies", HELLO PIPES TAKES,
	    PAGE("200 OK", "text/plain", POLICY("enforce", "x.test")),
	    TLSA_NONE, 0, 0, 0, false, false, 250, false, "" },
	{ "a policy that holds, and another certificate in DNS", STARTTLS,
	    PAGE("200 OK", "text/plain", POLICY("enforce", "mx.test")),
	    TLSA_WRONG, AD, AD, AD, true, true, 451, false, "" },
};

static struct bytes
tlsa_data(enum tlsa_said said, uint8_t data[35])
{
	if (said == TLSA_NONE || said == TLSA_AWAY || said == TLSA_AWAY_NO_V4)
		return (struct bytes){ 0 };
	data[0] = said == TLSA_UNUSABLE ? 1 : 3; /* PKIX-EE, DANE-EE */
	data[1] = 0;
	data[2] = 1;
	memcpy(data + 3, digest, sizeof(digest));
	data[3] ^= said == TLSA_WRONG;
	return (struct bytes){ data, 35 };
}

/* A name server, a next hop and a web server of ours for all domains. */
static void
ask_domains(const struct peer *names, const struct peer *hop,
    const struct peer *web, struct zone *zone)
{
	static struct prefix loopback;
	static char at[32];
	static const char *list[] = { at };
	struct err e;

	snprintf(at, sizeof(at), "127.0.0.1:%u", names->port);
	upstream.nameservers = (struct texts){ .p = list, .n = 1 };
	ck_assert_int_eq(prefix_parse(&loopback, BYTES("127.0.0.0/8")), 0);
	*zone = (struct zone){ .permitted = &loopback, .permitted_n = 1 };
	out_free(out);
	out = out_new(&settings, &upstream, trust, get_common(), loop, &e);
	ck_assert_ptr_nonnull(out);
	out_set_mx_port(out, hop->port);
	out_set_sts_port(out, web->port, zone);
}

START_TEST(out_asks_of_tls_what_domains_do)
{
	const char *page = asked_for[_i].page;
	struct peer p = peer_new(&asked_for[_i].host, 1, server);
	struct peer web = peer_new(&page, page == NULL ? 0 : 1, server);
	struct mail_route route = { .mx_tls = HOP_TLS_OPPORTUNISTIC };
	struct zone zone;
	struct shipment_order order = order_for(&route, 1);
	const struct bytes nothing = { 0 }, home = HOME;
	bool no_v4 = asked_for[_i].tlsa == TLSA_AWAY_NO_V4;
	char tlsa_name[64];
	uint8_t tlsa[35];
	const struct peer_record asked[] = {
		{ "sts.test", ns_t_mx, asked_for[_i].mx_code,
		    { MX("\x0a", "\2mx\4test\0") } },
		{ "mx.test", ns_t_a, asked_for[_i].address_code,
		    { no_v4 ? nothing : home } },
		{ tlsa_name, 52, asked_for[_i].tlsa_code,
		    { tlsa_data(asked_for[_i].tlsa, tlsa) } },
		{ "mta-sts.sts.test", ns_t_a, 0, { HOME } },
		{ "_mta-sts.sts.test", ns_t_txt, 0,
		    { BYTES_ROW("\x0fv=STSv1; id=a1;") } },
	};
	struct peer names;
	struct got g = { .recipients_n = 1 };

	snprintf(tlsa_name, sizeof(tlsa_name), "_%u._tcp.mx.test", p.port);
	names = peer_names(asked, COUNT(asked));
	settings.dane = asked_for[_i].dane;
	settings.mta_sts = asked_for[_i].mta_sts;
	ask_domains(&names, &p, &web, &zone);
	order.domain = asked_for[_i].mx_code == NO_MX ? BYTES("mx.test")
						      : BYTES("sts.test");
	order.zone = &zone;
	awaited++;
	shipment_new(out, &order, done, &g);
	run_all();
	ck_assert_msg(g.replies[0].code == asked_for[_i].code, "%s: %u %s",
	    asked_for[_i].name, g.replies[0].code, g.replies[0].text);
	if (asked_for[_i].code == 451)
		ck_assert_msg(strcmp(g.replies[0].enhanced, "4.7.5") == 0,
		    "%s: %s", asked_for[_i].name, g.replies[0].enhanced);
	ck_assert_msg(g.result.tls_verified == asked_for[_i].verified, "%s",
	    asked_for[_i].name);
	if (asked_for[_i].code == 250)
		ck_assert_str_eq(g.tls, asked_for[_i].version);
	out_drain(out);
	peer_kill(&p);
	peer_kill(&web);
	peer_kill(&names);
}
END_TEST

/* Of the same id all the while: other hosts then, ours now. */
static const struct {
	const char *name;
	uint64_t life_s, left_s;
	unsigned code;
} ages[] = {
	{ "hours old", 604800, 604800 - 86000, 451 },
	{ "a day old", 604800, 604800 - 86500, 250 },
	{ "almost over", 604800, 60, 250 },
	{ "short, and young", 3600, 1900, 451 },
	{ "short, and half over", 3600, 1700, 250 },
};

static void
know_policy(uint64_t life_s, uint64_t left_s)
{
	struct common *common = get_common();
	struct sts_known k = {
		.domain = "sts.test",
		.id = "a1",
		.expires_ms = loop_now_ms(loop) + left_s * 1000,
		.policy = { .mode = STS_ENFORCE,
		    .life_s = (uint32_t)life_s,
		    .hosts_n = 1,
		    .hosts = { "x.test" } },
	};

	common_lock(common);
	sts_memory_keep(&common->policies, &k, loop_now_ms(loop));
	common_unlock(common);
}

START_TEST(out_renews_policies_before_they_end)
{
	static const char *const host = STARTTLS PIPES TAKES;
	static const char *const page =
	    PAGE("200 OK", "text/plain", POLICY("enforce", "mx.test"));
	struct peer p = peer_new(&host, 1, server);
	struct peer web = peer_new(&page, 1, server);
	struct mail_route route = { .mx_tls = HOP_TLS_OPPORTUNISTIC };
	struct zone zone;
	struct shipment_order order = order_for(&route, 1);
	static const struct peer_record asked[] = {
		{ "sts.test", ns_t_mx, 0, { MX("\x0a", "\2mx\4test\0") } },
		{ "mx.test", ns_t_a, 0, { HOME } },
		{ "mta-sts.sts.test", ns_t_a, 0, { HOME } },
		{ "_mta-sts.sts.test", ns_t_txt, 0,
		    { BYTES_ROW("\x0fv=STSv1; id=a1;") } },
	};
	struct peer names = peer_names(asked, COUNT(asked));
	struct got g = { .recipients_n = 1 };

	settings.mta_sts = true;
	ask_domains(&names, &p, &web, &zone);
	order.domain = BYTES("sts.test");
	order.zone = &zone;
	know_policy(ages[_i].life_s, ages[_i].left_s);
	awaited++;
	shipment_new(out, &order, done, &g);
	run_all();
	ck_assert_msg(g.replies[0].code == ages[_i].code, "%s: %u %s",
	    ages[_i].name, g.replies[0].code, g.replies[0].text);
	out_drain(out);
	peer_kill(&p);
	peer_kill(&web);
	peer_kill(&names);
}
END_TEST

/* Not even where an administrator sends mail by its address. */
START_TEST(out_never_leads_into_a_separated_network)
{
	static const char *const script[] = { HELLO PIPES TAKES };
	struct peer p = peer_new(script, 1, server);
	struct next_hop hop = hop_at(p.port, 10, HOP_TLS_NONE);
	struct mail_route route = { .hops = &hop, .hops_n = 1 };
	struct prefix provision;
	struct got g;

	ck_assert_int_eq(prefix_parse(&provision, BYTES("127.0.0.1")), 0);
	upstream.reach.provision = &provision;
	upstream.reach.provision_n = 1;
	ship(&g, &route, 1);
	run_all();
	ck_assert_uint_eq(g.replies[0].code, 550);
	ck_assert_str_eq(g.replies[0].enhanced, "5.4.4");
	ck_assert_ptr_nonnull(
	    strstr(g.replies[0].text, "provision network's address"));
	peer_kill(&p);
}
END_TEST

static void
make_certificate(void)
{
	EVP_PKEY *key = lab_key("EC");
	X509 *x = X509_new();
	FILE *f;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)"mx", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	lab_extend(x, NID_subject_alt_name, "DNS:mx.test,DNS:mta-sts.sts.test");
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	X509_digest(x, EVP_sha256(), digest, NULL);
	f = fopen(anchor, "w");
	ck_assert(f != NULL && PEM_write_X509(f, x) == 1);
	fclose(f);
	server = SSL_CTX_new(TLS_server_method());
	ck_assert(SSL_CTX_use_certificate(server, x) == 1);
	ck_assert(SSL_CTX_use_PrivateKey(server, key) == 1);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void
setup(void)
{
	struct verify_settings verify = { 0 };
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_gt(asprintf(&anchor, "%s/ca.pem", folder), 0);
	make_certificate();
	verify.system_store = anchor;
	trust = trust_new(&verify, folder, &e);
	ck_assert_ptr_nonnull(trust);
	settings = (struct mail_settings){
		.name = "us.test",
		.connect_timeout_ms = 3000,
		.reply_timeout_ms = LONG_MS,
		.connections_per_hop = 4,
	};
	upstream = (struct upstream_settings){
		.resolve_timeout_ms = 1000,
		.race_delay_ms = 250,
		.dns_ttl_max_ms = 3600000,
		.dns_negative_ttl_ms = 10000,
		.dns_cache_max = 100,
	};
	loop = loop_new();
	out = out_new(&settings, &upstream, trust, get_common(), loop, &e);
	ck_assert_ptr_nonnull(out);
	awaited = 0;
}

static void
teardown(void)
{
	out_free(out);
	trust_free(trust);
	SSL_CTX_free(server);
	loop_free(loop);
	unlink(anchor);
	rmdir(folder);
	free(anchor);
}

Suite *out_suite(void);

Suite *
out_suite(void)
{
	Suite *s = suite_create("out");
	TCase *t = tcase_create("out");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, out_ships_one_mail, 0, COUNT(cases));
	tcase_add_loop_test(
	    t, out_ships_nothing_to_whom_it_cannot_verify, 0, 2);
	tcase_add_loop_test(t, out_keeps_connections, 0, COUNT(kept));
	tcase_add_loop_test(
	    t, out_tries_the_next_hop_while_nothing_was_said, 0, COUNT(firsts));
	tcase_add_loop_test(t, out_tries_the_next_address, 0, 2);
	tcase_add_test(t, out_gives_up_on_who_does_not_answer);
	tcase_add_test(t, out_tries_first_who_was_up);
	tcase_add_test(t, out_keeps_to_connections_per_hop);
	tcase_add_test(t, out_forgets_what_is_cancelled);
	tcase_add_test(t, out_refuses_what_the_hop_cannot_take);
	tcase_add_loop_test(t, out_ships_more_than_memory_holds, 0, 2);
	tcase_add_test(t, inquiry_asks_about_one_recipient);
	tcase_add_loop_test(t, out_goes_by_mx, 0, COUNT(domains));
	tcase_add_loop_test(
	    t, out_asks_of_tls_what_domains_do, 0, COUNT(asked_for));
	tcase_add_loop_test(
	    t, out_renews_policies_before_they_end, 0, COUNT(ages));
	tcase_add_test(t, out_never_leads_into_a_separated_network);
	suite_add_tcase(s, t);
	return s;
}
