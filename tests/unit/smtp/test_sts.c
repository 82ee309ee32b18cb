/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/sts.h"

#include <check.h>

#include "proxy/smtp/tlsa.h"

#define LINES(mode, rest) "version: STSv1\r\nmode: " mode "\r\n" rest

static const struct {
	const char *name;
	const char *text;
	int result;
	enum sts_mode mode;
	size_t hosts_n;
	uint32_t life_s;
} policies[] = {
	{ "as in RFC 8461",
	    LINES("enforce",
		"mx: mail.example.com\r\nmx: *.example.net\r\n"
		"max_age: 604800\r\n"),
	    0, STS_ENFORCE, 2, 604800 },
	{ "LF alone, no last one",
	    "version: STSv1\nmode: testing\nmx: A.test\nmax_age: 1", 0,
	    STS_TESTING, 1, 1 },
	{ "none needs no host", LINES("none", "max_age: 0\n"), 0, STS_NONE, 0,
	    0 },
	{ "of two modes the first",
	    LINES("none", "mode: enforce\nmx: a.test\nmax_age: 9\n"), 0,
	    STS_NONE, 1, 9 },
	{ "unknown keys", LINES("none", "x: y\nmax_age: 9\n"), 0, STS_NONE, 0,
	    9 },
	{ "a year", LINES("none", "max_age: 31557600\n"), 0, STS_NONE, 0,
	    31557600 },
	{ "a second more", LINES("none", "max_age: 31557601\n"), -1, 0, 0, 0 },
	{ "no version", "mode: none\nmax_age: 9\n", -1, 0, 0, 0 },
	{ "another version", "version: STSv2\nmode: none\nmax_age: 9\n", -1, 0,
	    0, 0 },
	{ "no mode", "version: STSv1\nmax_age: 9\n", -1, 0, 0, 0 },
	{ "another mode", LINES("Enforce", "mx: a.test\nmax_age: 9\n"), -1, 0,
	    0, 0 },
	{ "no max_age", LINES("none", ""), -1, 0, 0, 0 },
	{ "no host", LINES("enforce", "max_age: 9\n"), -1, 0, 0, 0 },
	{ "no name", LINES("enforce", "mx: a b\nmax_age: 9\n"), -1, 0, 0, 0 },
	{ "no name behind *.", LINES("enforce", "mx: *.\nmax_age: 9\n"), -1, 0,
	    0, 0 },
	{ "a star inside", LINES("enforce", "mx: a.*.test\nmax_age: 9\n"), -1,
	    0, 0, 0 },
	{ "no colon", LINES("none", "max_age 9\n"), -1, 0, 0, 0 },
	{ "nothing", "", -1, 0, 0, 0 },
};

START_TEST(sts_reads_policies)
{
	struct sts_policy p;
	const char *why;
	int result = sts_policy_parse(&p, bytes_of(policies[_i].text), &why);

	ck_assert_msg(result == policies[_i].result, "%s: %s",
	    policies[_i].name, why == NULL ? "" : why);
	ck_assert_int_eq(result == 0, why == NULL);
	if (result < 0)
		return;
	ck_assert_int_eq(p.mode, policies[_i].mode);
	ck_assert_uint_eq(p.hosts_n, policies[_i].hosts_n);
	ck_assert_uint_eq(p.life_s, policies[_i].life_s);
}
END_TEST

START_TEST(sts_covers_one_label)
{
	static const struct {
		const char *pattern, *host;
		bool covers;
	} cases[] = {
		{ "mx.a.test", "mx.a.test", true },
		{ "mx.a.test", "mx.a.tes", false },
		{ "*.a.test", "mx.a.test", true },
		{ "*.a.test", "a.test", false },
		{ "*.a.test", "x.mx.a.test", false },
		{ "*.a.test", ".a.test", false },
		{ "*.a.test", "mx.b.test", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sts_policy p = { .hosts_n = 1 };

		memcpy(
		    p.hosts[0], cases[i].pattern, strlen(cases[i].pattern) + 1);
		ck_assert_msg(
		    sts_covers(&p, bytes_of(cases[i].host)) == cases[i].covers,
		    "%s %s", cases[i].pattern, cases[i].host);
	}
}
END_TEST

/* An answer with one question, x.test, and records of that type and data. */
static size_t
answer(uint8_t out[2048], uint16_t type, const struct bytes *data, size_t n)
{
	static const uint8_t head[] = { 0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0,
		0, 1, 'x', 4, 't', 'e', 's', 't', 0, 0, 16, 0, 1 };
	size_t at = sizeof(head);

	memcpy(out, head, at);
	out[7] = (uint8_t)n;
	for (size_t i = 0; i < n; i++) {
		const uint8_t record[] = { 0xc0, 12, 0, (uint8_t)type, 0, 1, 0,
			0, 0, 60, (uint8_t)(data[i].n >> 8),
			(uint8_t)data[i].n };

		memcpy(out + at, record, sizeof(record));
		at += sizeof(record);
		memcpy(out + at, data[i].p, data[i].n);
		at += data[i].n;
	}
	return at;
}

START_TEST(sts_reads_records)
{
	static const struct {
		struct bytes data[2];
		const char *id; /* NULL: none */
	} cases[] = {
		{ { BYTES_ROW("\x0fv=STSv1; id=a1;") }, "a1" },
		{ { BYTES_ROW("\x0ev=STSv1; id=a1") }, "a1" },
		{ { BYTES_ROW("\x08v=STSv1;\x06 id=a1") }, "a1" },
		{ { BYTES_ROW("\x0fv=STSv1; id=a1;"), BYTES_ROW("\x05other") },
		    "a1" },
		{ { BYTES_ROW("\x0fv=STSv1; id=a1;"),
		      BYTES_ROW("\x0fv=STSv1; id=a2;") },
		    NULL },
		{ { BYTES_ROW("\x0fv=STSv2; id=a1;") }, NULL },
		{ { BYTES_ROW("\x08v=STSv1;") }, NULL },
		{ { BYTES_ROW("\x0cv=STSv1; id=") }, NULL },
		{ { BYTES_ROW("\x0fv=STSv1; id=a-;") }, NULL },
		{ { BYTES_ROW("\x2cv=STSv1; id="
			      "12345678901234567890123456789012") },
		    "12345678901234567890123456789012" },
		{ { BYTES_ROW("\x2dv=STSv1; id="
			      "123456789012345678901234567890123") },
		    NULL },
		{ { BYTES_ROW("\x20v=STSv1; id=a1;") }, NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t message[2048];
		char id[STS_ID_MAX + 1] = "";
		size_t n = answer(message, 16, cases[i].data,
		    cases[i].data[1].p == NULL ? 1 : 2);
		int result = sts_record_parse(id, (struct bytes){ message, n });

		ck_assert_msg((result == 0) == (cases[i].id != NULL), "%zu", i);
		if (result == 0)
			ck_assert_str_eq(id, cases[i].id);
		for (size_t cut = 0; cut < n; cut++)
			ck_assert_int_eq(sts_record_parse(id,
					     (struct bytes){ message, cut }),
			    -1);
	}
}
END_TEST

#define D8 "\1\2\3\4\5\6\7\x8"
#define D32 D8 D8 D8 D8

START_TEST(tlsa_counts_what_mail_hosts_may_use)
{
	static const struct {
		const char *name;
		struct bytes data;
		bool usable;
	} cases[] = {
		{ "DANE-EE", BYTES_ROW("\3\1\1" D32), true },
		{ "DANE-TA", BYTES_ROW("\2\0\1" D32), true },
		{ "SHA-512", BYTES_ROW("\3\0\2" D32 D32), true },
		{ "PKIX-EE", BYTES_ROW("\1\1\1" D32), false },
		{ "PKIX-TA", BYTES_ROW("\0\1\1" D32), false },
		{ "a usage of tomorrow", BYTES_ROW("\4\1\1" D32), false },
		{ "a selector of tomorrow", BYTES_ROW("\3\2\1" D32), false },
		{ "a whole certificate", BYTES_ROW("\3\0\0" D32), false },
		{ "a digest of tomorrow", BYTES_ROW("\3\1\3" D32), false },
		{ "too short", BYTES_ROW("\3\1\1" D8 D8 D8), false },
		{ "too long", BYTES_ROW("\3\1\1" D32 "\1"), false },
		{ "nothing", BYTES_ROW("\3\1\1"), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t message[2048];
		struct tlsa t;
		size_t n = answer(message, 52, &cases[i].data, 1);

		ck_assert_int_eq(
		    tlsa_parse(&t, (struct bytes){ message, n }), 0);
		ck_assert(t.found);
		ck_assert_msg(t.n == cases[i].usable, "%s", cases[i].name);
		for (size_t cut = 0; cut < n; cut++)
			ck_assert_int_eq(
			    tlsa_parse(&t, (struct bytes){ message, cut }), -1);
	}
}
END_TEST

START_TEST(tlsa_takes_no_more_than_fit)
{
	struct bytes data[TLSA_RECORDS_MAX + 1];
	uint8_t message[2048];
	struct tlsa t, other;

	for (size_t i = 0; i < COUNT(data); i++)
		data[i] = BYTES("\3\1\1" D32);
	ck_assert_int_eq(tlsa_parse(&other,
			     (struct bytes){ message,
				 answer(message, 52, data, COUNT(data) - 1) }),
	    0);
	ck_assert_uint_eq(other.n, TLSA_RECORDS_MAX);
	ck_assert_int_eq(tlsa_parse(&t,
			     (struct bytes){ message,
				 answer(message, 52, data, COUNT(data)) }),
	    0);
	ck_assert_uint_eq(t.n, TLSA_RECORDS_MAX);
	ck_assert(tlsa_equal(&t, &other));
	t.records[3].data[5] ^= 1;
	ck_assert(!tlsa_equal(&t, &other));
	ck_assert_int_eq(
	    tlsa_parse(
		&t, (struct bytes){ message, answer(message, 16, data, 1) }),
	    0);
	ck_assert(!t.found);
}
END_TEST

Suite *sts_suite(void);

Suite *
sts_suite(void)
{
	Suite *s = suite_create("sts");
	TCase *t = tcase_create("sts");

	tcase_add_loop_test(t, sts_reads_policies, 0, COUNT(policies));
	tcase_add_test(t, sts_covers_one_label);
	tcase_add_test(t, sts_reads_records);
	tcase_add_test(t, tlsa_counts_what_mail_hosts_may_use);
	tcase_add_test(t, tlsa_takes_no_more_than_fit);
	suite_add_tcase(s, t);
	return s;
}
