/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/probe.h"

#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "proxy/isolation/model.h"

#define NOW 1764264000
#define SYSTEM "kokuho-1"

static const uint8_t nonce[PROBE_NONCE_N] = { 1, 2, 3, 0xfe };

/* What one test has: two keys, the system with the first, two canaries, and a
 * good message's parts. */
struct scene {
	EVP_PKEY *key, *other_key;
	char pem[256];
	struct address canaries[2];
	struct isolation_settings isolation;
	struct system system;
	struct probe_asked asked;
	struct probe_item items[PROBE_ITEMS_MAX + 1];
	struct probe probe;
	struct buf message;
};

static struct scene scene;

static const struct probe_item good_items[] = {
	{ PROBE_TCP, PROBE_CLOSED, "192.0.2.1:443", "no answer" },
	{ PROBE_UDP, PROBE_CLOSED, "192.0.2.1:443", "" },
	{ PROBE_ICMP, PROBE_UNTRIED, "192.0.2.1", "not permitted" },
	{ PROBE_TCP, PROBE_CLOSED, "[2001:db8::1]:53", "" },
	{ PROBE_UDP, PROBE_CLOSED, "[2001:db8::1]:53", "" },
	{ PROBE_NAME, PROBE_CLOSED, "*.canary.test", "no such name" },
	{ PROBE_ROUTE, PROBE_TOLD, "0.0.0.0/0", "dev eth0" },
};

static void
write_pem(EVP_PKEY *key, char *out, size_t n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int got;

	ck_assert(PEM_write_bio_PUBKEY(bio, key) == 1);
	got = BIO_read(bio, out, (int)n - 1);
	ck_assert_int_gt(got, 0);
	out[got] = '\0';
	BIO_free(bio);
}

static void
begin(void)
{
	struct scene *s = &scene;

	*s = (struct scene){ .key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		.other_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
	write_pem(s->key, s->pem, sizeof(s->pem));
	ck_assert(
	    address_parse_port(&s->canaries[0], BYTES("192.0.2.1:443")) == 0);
	ck_assert(address_parse_port(
		      &s->canaries[1], BYTES("[2001:db8::1]:53")) == 0);
	s->isolation.canaries_at = s->canaries;
	s->isolation.canaries_n = COUNT(s->canaries);
	s->system.name = SYSTEM;
	s->system.probe_key = s->pem;
	s->asked =
	    (struct probe_asked){ nonce, &s->isolation, &s->system, NOW };
	memcpy(s->items, good_items, sizeof(good_items));
	s->probe = (struct probe){ .system = SYSTEM,
		.host = "kokuho-1.city.test",
		.time = NOW,
		.items = s->items,
		.items_n = COUNT(good_items) };
	memcpy(s->probe.nonce, nonce, sizeof(nonce));
	buf_init(&s->message, PROBE_MESSAGE_MAX);
}

static void
end(void)
{
	buf_release(&scene.message);
	EVP_PKEY_free(scene.key);
	EVP_PKEY_free(scene.other_key);
}

static void
write_message(EVP_PKEY *key)
{
	struct err e = { 0 };

	scene.message.n = 0;
	ck_assert_msg(probe_write(&scene.probe, key, &scene.message, &e) == 0,
	    "%s", e.text);
}

/* Judges the message; "": taken. */
static const char *
judged(struct probe_report *out)
{
	static struct err e;

	e.text[0] = '\0';
	if (probe_read(&scene.asked, buf_bytes(&scene.message), out, &e) == 0)
		return "";
	ck_assert_str_ne(e.text, "");
	ck_assert(!out->good && out->attempts == 0 && out->time == 0);
	return e.text;
}

static void
assert_refused(const char *words)
{
	struct probe_report got;
	const char *why = judged(&got);

	ck_assert_msg(
	    strstr(why, words) != NULL, "\"%s\" has no \"%s\"", why, words);
}

START_TEST(probe_tells_what_was_written)
{
	struct probe_report got;

	write_message(scene.key);
	ck_assert_str_eq(judged(&got), "");
	ck_assert(got.good);
	ck_assert_int_eq(got.time, NOW);
	ck_assert_uint_eq(got.attempts, 6);
	ck_assert_uint_eq(got.findings, 0);
	ck_assert_str_eq(got.finding, "");
}
END_TEST

static const struct {
	const char *name;
	struct probe_item item; /* instead of the first */
	const char *finding;    /* NULL: none */
	const char *en, *ja;
} found[] = {
	{ "tcp answered",
	    { PROBE_TCP, PROBE_FOUND, "192.0.2.1:443", "connection made" },
	    "tcp found 192.0.2.1:443 connection made",
	    "the canary 192.0.2.1:443 answered to TCP (connection made)",
	    "カナリアアドレス 192.0.2.1:443 が TCP に応答しました"
	    "（接続できました）" },
	{ "icmp answered", { PROBE_ICMP, PROBE_FOUND, "192.0.2.1", "" },
	    "icmp found 192.0.2.1",
	    "the canary 192.0.2.1 answered to an ICMP echo",
	    "カナリアアドレス 192.0.2.1 が ICMP エコーに応答しました" },
	{ "icmp not permitted", { PROBE_ICMP, PROBE_UNTRIED, "192.0.2.1", "" },
	    NULL, "nothing answered", "応答はありませんでした" },
	{ "tcp not tried",
	    { PROBE_TCP, PROBE_UNTRIED, "192.0.2.9:1", "no descriptors" },
	    "tcp untried 192.0.2.9:1 no descriptors",
	    "192.0.2.9:1 could not be tried (no descriptors)",
	    "192.0.2.9:1 を確かめられませんでした（no descriptors）" },
	{ "name resolves",
	    { PROBE_NAME, PROBE_FOUND, "a.canary.test", "resolved: 192.0.2.5" },
	    "name found a.canary.test resolved: 192.0.2.5",
	    "the canary name a.canary.test resolves (resolved: 192.0.2.5)",
	    "カナリアの名前 a.canary.test "
	    "が解決できました（名前が解決できました: 192.0.2.5）" },
	{ "name resolves, as the program's settings permit",
	    { PROBE_NAME, PROBE_TOLD, "a.canary.test", "192.0.2.5" }, NULL,
	    "nothing answered", "応答はありませんでした" },
	{ "default route",
	    { PROBE_ROUTE, PROBE_FOUND, "0.0.0.0/0", "via 192.0.2.254" },
	    "route found 0.0.0.0/0 via 192.0.2.254",
	    "there is the default route 0.0.0.0/0 (via 192.0.2.254)",
	    "既定経路 0.0.0.0/0 があります（via 192.0.2.254）" },
	{ "address of none",
	    { PROBE_ADDRESS, PROBE_FOUND, "198.51.100.7", "eth1" },
	    "address found 198.51.100.7 eth1",
	    "the address 198.51.100.7 is not registered (eth1)",
	    "登録されていないアドレス 198.51.100.7 があります（eth1）" },
	{ "resolver", { PROBE_RESOLVER, PROBE_FOUND, "192.0.2.53", "" },
	    "resolver found 192.0.2.53",
	    "the name server 192.0.2.53 is configured",
	    "ネームサーバー 192.0.2.53 が設定されています" },
};

START_TEST(probe_tells_the_first_finding)
{
	struct probe_report got;
	char text[PROBE_REPORT_TEXT_MAX];

	scene.items[scene.probe.items_n++] = found[_i].item;
	write_message(scene.key);
	ck_assert_str_eq(judged(&got), "");
	ck_assert(got.good == (found[_i].finding == NULL));
	ck_assert_uint_eq(got.findings, found[_i].finding != NULL);
	ck_assert_str_eq(
	    got.finding, found[_i].finding == NULL ? "" : found[_i].finding);
	ck_assert_str_eq(probe_report_text(&got, false, text), found[_i].en);
	ck_assert_str_eq(probe_report_text(&got, true, text), found[_i].ja);
}
END_TEST

START_TEST(probe_counts_all_findings)
{
	struct probe_report got;
	char text[PROBE_REPORT_TEXT_MAX];

	scene.items[0].outcome = PROBE_FOUND;
	scene.items[4].outcome = PROBE_FOUND;
	scene.items[5].outcome = PROBE_FOUND;
	write_message(scene.key);
	ck_assert_str_eq(judged(&got), "");
	ck_assert_uint_eq(got.findings, 3);
	ck_assert_str_eq(probe_report_text(&got, false, text),
	    "the canary 192.0.2.1:443 answered to TCP (no answer) and 2 more");
	ck_assert_str_eq(probe_report_text(&got, true, text),
	    "カナリアアドレス 192.0.2.1:443 が TCP に応答しました（応答なし）"
	    "、ほか 2 件");
}
END_TEST

/* The longest texts are told whole. */
START_TEST(probe_does_not_cut_a_finding)
{
	struct probe_item *i = &scene.items[scene.probe.items_n++];
	struct probe_report got;
	char text[PROBE_REPORT_TEXT_MAX];

	*i = (struct probe_item){ PROBE_ADDRESS, PROBE_FOUND, "", "" };
	memset(i->target, 't', sizeof(i->target) - 1);
	memset(i->detail, 'd', sizeof(i->detail) - 1);
	scene.items[scene.probe.items_n++] = *i;
	write_message(scene.key);
	ck_assert_str_eq(judged(&got), "");
	ck_assert(strstr(got.finding, i->detail) != NULL);
	ck_assert(
	    strstr(probe_report_text(&got, true, text), "ほか 1 件") != NULL);
	ck_assert(
	    strstr(probe_report_text(&got, false, text), "1 more") != NULL);
}
END_TEST

START_TEST(probe_refuses_every_truncation)
{
	size_t all;

	write_message(scene.key);
	all = scene.message.n;
	for (scene.message.n = 0; scene.message.n < all; scene.message.n++)
		assert_refused("probe of \"" SYSTEM "\"");
	scene.message.n = all;
	ck_assert(buf_append(&scene.message, BYTES("\n")) == 0);
	assert_refused("signature");
}
END_TEST

START_TEST(probe_refuses_every_flipped_byte)
{
	static const uint8_t flips[] = { 0x01, 0x20, 0x80, 0xff };
	struct probe_report got;

	write_message(scene.key);
	for (size_t i = 0; i < scene.message.n; i++)
		for (size_t f = 0; f < COUNT(flips); f++) {
			scene.message.p[i] ^= flips[f];
			assert_refused("probe of");
			scene.message.p[i] ^= flips[f];
		}
	for (size_t i = 0; i < scene.message.n; i++) {
		const uint8_t was = scene.message.p[i];

		scene.message.p[i] = 0;
		assert_refused("probe of");
		scene.message.p[i] = was;
	}
	ck_assert_str_eq(judged(&got), "");
}
END_TEST

START_TEST(probe_refuses_another_key)
{
	write_message(scene.other_key);
	assert_refused("signed");
}
END_TEST

START_TEST(probe_refuses_when_no_key_is_registered)
{
	write_message(scene.key);
	scene.system.probe_key = "";
	assert_refused("no probe is registered");
	scene.system.probe_key = "no key";
	assert_refused("signed");
}
END_TEST

/* RSA of 512 bits signs in as many bytes, and anyone can break it: only the
 * kind of the key tells that it is none of ours. */
START_TEST(probe_refuses_another_kind_of_key)
{
	EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)512);
	struct buf *m = &scene.message;
	uint8_t signature[PROBE_SIGNATURE_N];
	struct err e = { 0 };

	ck_assert(probe_lines(&scene.probe, m, &e) == 0);
	ck_assert(signature_make(rsa, buf_bytes(m), signature) == 0);
	ck_assert(signature_holds(
	    rsa, buf_bytes(m), (struct bytes){ signature, sizeof(signature) }));
	ck_assert(buf_append_string(m, "signature ") == 0);
	for (size_t i = 0; i < sizeof(signature); i++)
		ck_assert(buf_printf(m, "%02x", signature[i]) == 0);
	ck_assert(buf_append_string(m, "\n") == 0);
	write_pem(rsa, scene.pem, sizeof(scene.pem));
	assert_refused("signed");
	EVP_PKEY_free(rsa);
}
END_TEST

START_TEST(probe_refuses_another_nonce)
{
	uint8_t next[PROBE_NONCE_N];

	write_message(scene.key);
	for (size_t i = 0; i < sizeof(next); i++) {
		memcpy(next, nonce, sizeof(next));
		next[i] ^= 0x80;
		scene.asked.nonce = next;
		assert_refused("another nonce");
	}
}
END_TEST

START_TEST(probe_refuses_another_system)
{
	write_message(scene.key);
	scene.system.name = "kokuho-2";
	assert_refused("is of the system \"kokuho-1\"");
}
END_TEST

static const struct {
	const char *name;
	time_t off;
	const char *why; /* NULL: taken */
	time_t want;
} times[] = {
	{ "now", 0, NULL, 0 },
	{ "as old as may be", -PROBE_SKEW_MAX_S, NULL, -PROBE_SKEW_MAX_S },
	{ "a second older", -PROBE_SKEW_MAX_S - 1, "behind", 0 },
	{ "a clock ahead: counts from now", PROBE_SKEW_MAX_S, NULL, 0 },
	{ "a second more", PROBE_SKEW_MAX_S + 1, "ahead", 0 },
	{ "1970", -NOW, "behind", 0 },
	{ "the end of time", INT64_MAX - NOW, "ahead", 0 },
};

START_TEST(probe_refuses_another_time)
{
	struct probe_report got;

	scene.probe.time = NOW + times[_i].off;
	write_message(scene.key);
	if (times[_i].why != NULL) {
		assert_refused(times[_i].why);
		return;
	}
	ck_assert_str_eq(judged(&got), "");
	ck_assert_int_eq(got.time, NOW + times[_i].want);
}
END_TEST

/* Each registered canary must have been tried by TCP and by UDP. */
START_TEST(probe_refuses_a_canary_left_out)
{
	static const size_t must_be[] = { 0, 1, 3, 4 };
	struct probe_item *left = &scene.items[must_be[_i]];
	const struct probe_item was = *left;

	*left = scene.items[6];
	write_message(scene.key);
	assert_refused("did not try the registered canary");
	*left = was;
	left->outcome = PROBE_UNTRIED;
	write_message(scene.key);
	assert_refused("did not try the registered canary");
	*left = was;
	left->kind = left->kind == PROBE_TCP ? PROBE_UDP : PROBE_TCP;
	write_message(scene.key);
	assert_refused("did not try the registered canary");
}
END_TEST

START_TEST(probe_proves_nothing_without_canaries)
{
	write_message(scene.key);
	scene.isolation.canaries_n = 0;
	assert_refused("no canaries");
	scene.isolation.canaries_n = COUNT(scene.canaries);
	scene.probe.items_n = 0;
	write_message(scene.key);
	assert_refused("did not try the registered canary");
}
END_TEST

START_TEST(probe_takes_so_many_items_and_no_more)
{
	struct probe_report got;
	struct err e = { 0 };

	while (scene.probe.items_n < PROBE_ITEMS_MAX)
		scene.items[scene.probe.items_n++] = good_items[5];
	write_message(scene.key);
	ck_assert_str_eq(judged(&got), "");
	scene.items[scene.probe.items_n++] = good_items[5];
	scene.message.n = 0;
	ck_assert_int_eq(
	    probe_write(&scene.probe, scene.key, &scene.message, &e), -1);
}
END_TEST

static const struct {
	const char *name;
	struct probe_item item;
} unwritable[] = {
	{ "no kind", { PROBE_KIND_NONE, PROBE_CLOSED, "x", "" } },
	{ "a target with a blank", { PROBE_NAME, PROBE_CLOSED, "a b", "" } },
	{ "a target with a line", { PROBE_NAME, PROBE_CLOSED, "a\nb", "" } },
	{ "a target beyond ASCII", { PROBE_NAME, PROBE_CLOSED, "é", "" } },
	{ "no target", { PROBE_NAME, PROBE_CLOSED, "", "" } },
	{ "a detail with a line",
	    { PROBE_NAME, PROBE_CLOSED, "a", "x\nverdict good" } },
	{ "a detail beyond ASCII", { PROBE_NAME, PROBE_CLOSED, "a", "é" } },
	{ "an address without its port",
	    { PROBE_TCP, PROBE_CLOSED, "192.0.2.1", "" } },
	{ "port 0", { PROBE_TCP, PROBE_CLOSED, "192.0.2.1:0", "" } },
	{ "another way to write an address",
	    { PROBE_TCP, PROBE_CLOSED, "[2001:DB8::1]:443", "" } },
	{ "another way to write a port",
	    { PROBE_UDP, PROBE_CLOSED, "192.0.2.1:053", "" } },
	{ "an echo to a port",
	    { PROBE_ICMP, PROBE_CLOSED, "192.0.2.1:1", "" } },
	{ "a canary that may answer",
	    { PROBE_TCP, PROBE_TOLD, "192.0.2.1:1", "" } },
	{ "a route that is closed",
	    { PROBE_ROUTE, PROBE_CLOSED, "0.0.0.0/0", "" } },
};

START_TEST(probe_does_not_write_what_it_would_not_read)
{
	struct err e = { 0 };

	scene.items[0] = unwritable[_i].item;
	ck_assert_int_eq(probe_lines(&scene.probe, &scene.message, &e), -1);
	ck_assert_str_ne(e.text, "");
}
END_TEST

#define HEAD                                                               \
	"sekisho-probe 1\nnonce "                                          \
	"0102030000000000000000000000000000000000000000000000000000000000" \
	"\nsystem s\nhost h\ntime 9\n"
#define GOOD "tcp closed 192.0.2.1:1\nverdict good\n"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define SIGNED "signature " ZEROS ZEROS "\n"

static const struct {
	const char *name;
	struct bytes text;
	bool want;
} texts[] = {
	{ "as it should be", BYTES(HEAD GOOD SIGNED), true },
	{ "nothing", BYTES(""), false },
	{ "another version", BYTES("sekisho-probe 2\n" HEAD GOOD SIGNED),
	    false },
	{ "CRLF", BYTES("sekisho-probe 1\r\n" HEAD GOOD SIGNED), false },
	{ "a head twice", BYTES(HEAD HEAD GOOD SIGNED), false },
	{ "an empty line", BYTES(HEAD "\n" GOOD SIGNED), false },
	{ "no attempt, bad", BYTES(HEAD "verdict bad\n" SIGNED), true },
	{ "no attempt, good", BYTES(HEAD "verdict good\n" SIGNED), false },
	{ "a finding, good",
	    BYTES(HEAD "tcp found 192.0.2.1:1\nverdict good\n" SIGNED), false },
	{ "a finding, bad",
	    BYTES(HEAD "tcp found 192.0.2.1:1\nverdict bad\n" SIGNED), true },
	{ "no finding, bad",
	    BYTES(HEAD "tcp closed 192.0.2.1:1\nverdict bad\n" SIGNED), false },
	{ "no verdict", BYTES(HEAD "tcp closed 192.0.2.1:1\n" SIGNED), false },
	{ "a verdict twice", BYTES(HEAD GOOD "verdict good\n" SIGNED), false },
	{ "an item behind the verdict",
	    BYTES(HEAD GOOD "tcp closed 192.0.2.1:2\n" SIGNED), false },
	{ "two signatures", BYTES(HEAD GOOD SIGNED SIGNED), false },
	{ "an unknown kind",
	    BYTES(HEAD "sctp closed 192.0.2.1:1\n" GOOD SIGNED), false },
	{ "an unknown outcome",
	    BYTES(HEAD "tcp open 192.0.2.1:1\n" GOOD SIGNED), false },
	{ "a blank too many",
	    BYTES(HEAD "tcp  closed 192.0.2.1:1\n" GOOD SIGNED), false },
	{ "a blank at the end",
	    BYTES(HEAD "tcp closed 192.0.2.1:1 \n" GOOD SIGNED), false },
	{ "a detail that begins with a blank",
	    BYTES(HEAD "tcp closed 192.0.2.1:1  x\n" GOOD SIGNED), true },
	{ "a time with a zero",
	    BYTES("sekisho-probe 1\nnonce "
		  "01020300000000000000000000000000000000000000000000000000000"
		  "00000\nsystem s\nhost h\ntime 09\n" GOOD SIGNED),
	    false },
	{ "a nonce in upper case",
	    BYTES("sekisho-probe 1\nnonce "
		  "A1020300000000000000000000000000000000000000000000000000000"
		  "00000\nsystem s\nhost h\ntime 9\n" GOOD SIGNED),
	    false },
	{ "an empty name",
	    BYTES("sekisho-probe 1\nnonce "
		  "01020300000000000000000000000000000000000000000000000000000"
		  "00000\nsystem \nhost h\ntime 9\n" GOOD SIGNED),
	    false },
};

START_TEST(probe_has_one_way_to_be_written)
{
	struct probe p = { .items = scene.items };
	uint8_t signature[PROBE_SIGNATURE_N];
	struct bytes signed_text = { 0 };
	struct err e = { 0 };
	int got = probe_parse(&p, texts[_i].text, &signed_text, signature, &e);

	ck_assert_msg(
	    (got == 0) == texts[_i].want, "%s: %s", texts[_i].name, e.text);
	if (got < 0)
		return;
	ck_assert_int_eq(probe_lines(&p, &scene.message, &e), 0);
	ck_assert(bytes_equal(buf_bytes(&scene.message), signed_text));
}
END_TEST

START_TEST(probe_length_is_bounded)
{
	static const size_t good[] = { 1, 255, 256, 65536, PROBE_MESSAGE_MAX };
	uint8_t head[PROBE_LENGTH_N];
	size_t n;

	for (size_t i = 0; i < COUNT(good); i++) {
		probe_length_write(good[i], head);
		ck_assert_int_eq(probe_length_read(head, &n), 0);
		ck_assert_uint_eq(n, good[i]);
	}
	probe_length_write(0, head);
	ck_assert_int_eq(probe_length_read(head, &n), -1);
	probe_length_write(PROBE_MESSAGE_MAX + 1, head);
	ck_assert_int_eq(probe_length_read(head, &n), -1);
	memset(head, 0xff, sizeof(head));
	ck_assert_int_eq(probe_length_read(head, &n), -1);
}
END_TEST

Suite *probe_suite(void);

Suite *
probe_suite(void)
{
	Suite *s = suite_create("probe");
	TCase *t = tcase_create("probe");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, probe_tells_what_was_written);
	tcase_add_loop_test(t, probe_tells_the_first_finding, 0, COUNT(found));
	tcase_add_test(t, probe_counts_all_findings);
	tcase_add_test(t, probe_does_not_cut_a_finding);
	tcase_add_test(t, probe_refuses_every_truncation);
	tcase_add_test(t, probe_refuses_every_flipped_byte);
	tcase_add_test(t, probe_refuses_another_key);
	tcase_add_test(t, probe_refuses_when_no_key_is_registered);
	tcase_add_test(t, probe_refuses_another_kind_of_key);
	tcase_add_test(t, probe_refuses_another_nonce);
	tcase_add_test(t, probe_refuses_another_system);
	tcase_add_loop_test(t, probe_refuses_another_time, 0, COUNT(times));
	tcase_add_loop_test(t, probe_refuses_a_canary_left_out, 0, 4);
	tcase_add_test(t, probe_proves_nothing_without_canaries);
	tcase_add_test(t, probe_takes_so_many_items_and_no_more);
	tcase_add_loop_test(t, probe_does_not_write_what_it_would_not_read, 0,
	    COUNT(unwritable));
	tcase_add_loop_test(
	    t, probe_has_one_way_to_be_written, 0, COUNT(texts));
	tcase_add_test(t, probe_length_is_bounded);
	suite_add_tcase(s, t);
	return s;
}
