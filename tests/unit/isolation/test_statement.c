/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/statement.h"

#include <check.h>
#include <stdlib.h>

#include "proxy/base/when.h"

#define NOW ((time_t)1795489200) /* 2026-11-24T03:00:00Z */
#define LAST_LINE "signature: "

static struct arena arena;
static EVP_PKEY *key, *other_key;
static struct body body = { .code = "990001" };
static struct system registered;

static EVP_PKEY *
make_key(void)
{
	EVP_PKEY *made = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	ck_assert_ptr_nonnull(made);
	return made;
}

static void
setup(void)
{
	key = make_key();
	other_key = make_key();
	registered = (struct system){ .name = "juki", .body = &body };
	for (size_t i = 0; i < MODEL_DIGEST_N; i++)
		registered.digest[i] = (uint8_t)(i * 9 + 1);
}

static void
teardown(void)
{
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	arena_release(&arena);
}

static struct statement
plain(void)
{
	struct statement s = {
		.system_name = "juki",
		.body = "990001",
		.verified_by = "監査室 関 花子",
		.how = "実地で配線と経路表を確かめた",
		.from = NOW - 86400,
		.until = NOW + 86400,
		.signed_at = NOW - 3600,
	};

	memcpy(s.digest, registered.digest, sizeof(s.digest));
	memset(s.serial, 0x5a, sizeof(s.serial));
	return s;
}

/* Signed; in the arena. */
static struct bytes
write(struct statement *s)
{
	struct buf out;
	struct bytes text;

	buf_init(&out, 2 * STATEMENT_SIZE_MAX);
	ck_assert_int_eq(statement_write(s, &out), 0);
	ck_assert_int_eq(signature_make(key, buf_bytes(&out), s->signature), 0);
	ck_assert_int_eq(statement_write_signature(s, &out), 0);
	text = arena_copy(&arena, buf_bytes(&out));
	buf_release(&out);
	return text;
}

static bool
is_good(struct bytes text)
{
	struct statement s;
	struct err e = { 0 };

	return statement_parse(&s, text, &arena, &e) == 0 &&
	    statement_holds(&s, text, &key, 1);
}

START_TEST(statement_comes_back_as_it_was_written)
{
	struct statement s = plain();
	struct bytes text = write(&s);
	struct statement t;
	struct err e = { 0 };
	struct buf again;

	ck_assert_msg(statement_parse(&t, text, &arena, &e) == 0, "%s", e.text);
	ck_assert(statement_holds(&t, text, &key, 1));
	ck_assert_str_eq(t.system_name, s.system_name);
	ck_assert_str_eq(t.verified_by, s.verified_by);
	ck_assert_str_eq(t.how, s.how);
	ck_assert_int_eq(t.from, s.from);
	ck_assert_int_eq(t.until, s.until);
	ck_assert_int_eq(t.signed_at, s.signed_at);
	buf_init(&again, STATEMENT_SIZE_MAX);
	ck_assert_int_eq(statement_write(&t, &again), 0);
	ck_assert_int_eq(statement_write_signature(&t, &again), 0);
	ck_assert(bytes_equal(buf_bytes(&again), text));
	buf_release(&again);
}
END_TEST

START_TEST(statement_is_refused_with_any_bit_flipped)
{
	struct statement s = plain();
	struct bytes text = write(&s);
	uint8_t *wrong = malloc(text.n);

	ck_assert(wrong != NULL);
	ck_assert(is_good(text));
	for (size_t i = 0; i < text.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(wrong, text.p, text.n);
			wrong[i] ^= (uint8_t)(1 << bit);
			ck_assert_msg(!is_good((struct bytes){ wrong, text.n }),
			    "byte %zu, bit %u", i, bit);
		}
	free(wrong);
}
END_TEST

START_TEST(statement_is_refused_when_cut_or_longer)
{
	struct statement s = plain();
	struct bytes text = write(&s);
	uint8_t *longer = malloc(text.n + 1);

	ck_assert(longer != NULL);
	for (size_t n = 0; n < text.n; n++)
		ck_assert(!is_good((struct bytes){ text.p, n }));
	memcpy(longer, text.p, text.n);
	for (unsigned c = 0; c < 256; c++) {
		longer[text.n] = (uint8_t)c;
		ck_assert(!is_good((struct bytes){ longer, text.n + 1 }));
	}
	free(longer);
}
END_TEST

START_TEST(statement_needs_an_auditors_key)
{
	struct statement s = plain();
	struct bytes text = write(&s);
	EVP_PKEY *both[2] = { other_key, key };

	ck_assert(statement_parse(&s, text, &arena, &(struct err){ 0 }) == 0);
	ck_assert(!statement_holds(&s, text, NULL, 0));
	ck_assert(!statement_holds(&s, text, &other_key, 1));
	ck_assert(statement_holds(&s, text, both, 2));
}
END_TEST

/* Each signed, so that it is the form that refuses. */
static const struct {
	const char *name, *was, *is;
} forms[] = {
	{ "another version", "statement 1\n", "statement 2\n" },
	{ "a line twice", "body: 990001\n", "body: 990001\nbody: 990001\n" },
	{ "a line missing", "body: 990001\n", "" },
	{ "a line that is not known", "how: ", "who: x\nhow: " },
	{ "lines in another order",
	    "from: 2026-11-23T12:00:00+0900\nuntil: 2026-11-25T12:00:00+0900\n",
	    "until: 2026-11-25T12:00:00+0900\nfrom: "
	    "2026-11-23T12:00:00+0900\n" },
	{ "CRLF", "990001\n", "990001\r\n" },
	{ "no name", "system: juki", "system: " },
	{ "two blanks", "system: juki", "system:  juki\x07" },
	{ "a control", "system: juki", "system: ju\x1bki" },
	{ "a bidi control", "system: juki", "system: ju\xe2\x80\xaeki" },
	{ "no UTF-8", "system: juki", "system: ju\xffki" },
	{ "digest in capitals", "digest: 01", "digest: 0A" },
	{ "digest too short", "digest: 01", "digest: " },
	{ "digest of letters", "digest: 01", "digest: 0g" },
	{ "body of seven", "body: 990001", "body: 9900011" },
	{ "another time zone", "from: 2026-11-23T12:00:00+0900",
	    "from: 2026-11-23T03:00:00+0000" },
	{ "a day that is none", "from: 2026-11-23", "from: 2026-11-31" },
	{ "a month of one digit", "from: 2026-11-23", "from: 2026-11- 3" },
	{ "until before from", "until: 2026-11-25", "until: 2026-11-22" },
	{ "until is from", "until: 2026-11-25", "until: 2026-11-23" },
	{ "too long", "until: 2026-11-25", "until: 2027-12-26" },
	{ "signed when over", "signed: 2026-11-24", "signed: 2026-11-26" },
	{ "serial too short", "serial: 5a", "serial: " },
};

/* was replaced by is in the signed lines; then signed anew. */
static struct bytes
change(struct bytes text, const char *was, const char *is)
{
	const uint8_t *last = memmem(text.p, text.n, LAST_LINE, 11);
	struct bytes lines = { text.p, (size_t)(last - text.p) };
	const uint8_t *at = memmem(lines.p, lines.n, was, strlen(was));
	struct statement s = { 0 };
	struct buf out;
	struct bytes result;

	ck_assert_msg(at != NULL, "%s", was);
	buf_init(&out, 2 * STATEMENT_SIZE_MAX);
	ck_assert(buf_append(&out,
		      (struct bytes){ lines.p, (size_t)(at - lines.p) }) == 0 &&
	    buf_append_string(&out, is) == 0);
	at += strlen(was);
	ck_assert(
	    buf_append(&out,
		(struct bytes){ at, (size_t)(lines.p + lines.n - at) }) == 0);
	ck_assert_int_eq(signature_make(key, buf_bytes(&out), s.signature), 0);
	ck_assert_int_eq(statement_write_signature(&s, &out), 0);
	result = arena_copy(&arena, buf_bytes(&out));
	buf_release(&out);
	return result;
}

START_TEST(statement_has_one_form)
{
	struct statement s = plain();
	struct bytes text = change(write(&s), forms[_i].was, forms[_i].is);
	struct err e = { 0 };

	ck_assert_msg(
	    statement_parse(&s, text, &arena, &e) < 0, "%s", forms[_i].name);
	ck_assert(e.text[0] != '\0');
}
END_TEST

START_TEST(statement_changed_in_nothing_holds)
{
	struct statement s = plain();

	ck_assert(is_good(change(write(&s), "juki", "juki")));
	ck_assert(is_good(
	    change(write(&s), "until: 2026-11-25", "until: 2026-11-24")));
}
END_TEST

START_TEST(statement_has_limits)
{
	struct statement s = plain();
	struct err e = { 0 };
	char how[STATEMENT_HOW_MAX + 2];

	memset(how, 'x', sizeof(how));
	how[STATEMENT_HOW_MAX] = '\0';
	s.how = how;
	ck_assert(is_good(write(&s)));
	how[STATEMENT_HOW_MAX] = 'x';
	how[STATEMENT_HOW_MAX + 1] = '\0';
	ck_assert(!is_good(write(&s)));
	ck_assert_int_lt(statement_check(&s, &e), 0);
	s = plain();
	s.until = s.from + (time_t)STATEMENT_DAYS_MAX * WHEN_DAY_S;
	ck_assert(is_good(write(&s)));
	s.until++;
	ck_assert(!is_good(write(&s)));
}
END_TEST

static const struct {
	const char *name;
	time_t signed_at, suspended, now;
	const char *system_name, *body;
	unsigned digest; /* added to its first byte */
	enum statement_use want;
} uses[] = {
	{ "of the system", NOW, 0, NOW, "juki", "990001", 0, STATEMENT_COUNTS },
	{ "of another digest", NOW, 0, NOW, "juki", "990001", 1,
	    STATEMENT_OTHER },
	{ "of another name", NOW, 0, NOW, "juki2", "990001", 0,
	    STATEMENT_OTHER },
	{ "of another body", NOW, 0, NOW, "juki", "990019", 0,
	    STATEMENT_OTHER },
	{ "signed in a second", NOW + 1, 0, NOW, "juki", "990001", 0,
	    STATEMENT_FUTURE },
	{ "signed before the suspension", NOW - 9, NOW - 5, NOW, "juki",
	    "990001", 0, STATEMENT_OLD },
	{ "signed in its second", NOW - 5, NOW - 5, NOW, "juki", "990001", 0,
	    STATEMENT_OLD },
	{ "signed behind it", NOW - 4, NOW - 5, NOW, "juki", "990001", 0,
	    STATEMENT_COUNTS },
};

START_TEST(statement_counts_for_one_system_behind_its_suspension)
{
	struct statement s = plain();

	s.signed_at = uses[_i].signed_at;
	s.system_name = uses[_i].system_name;
	s.body = uses[_i].body;
	s.digest[0] = (uint8_t)(s.digest[0] + uses[_i].digest);
	ck_assert_msg(statement_use_of(&s, &registered, uses[_i].suspended,
			  uses[_i].now) == uses[_i].want,
	    "%s", uses[_i].name);
}
END_TEST

START_TEST(statement_signed_last_is_newer)
{
	struct statement s = plain(), t = plain();

	t.signed_at++;
	ck_assert(statement_is_newer(&t, &s) && !statement_is_newer(&s, &t));
	t.signed_at = s.signed_at;
	ck_assert(!statement_is_newer(&t, &s) && !statement_is_newer(&s, &t));
	t.until--;
	ck_assert(statement_is_newer(&t, &s) && !statement_is_newer(&s, &t));
}
END_TEST

Suite *statement_suite(void);

Suite *
statement_suite(void)
{
	Suite *s = suite_create("statement");
	TCase *t = tcase_create("text");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, statement_comes_back_as_it_was_written);
	tcase_add_test(t, statement_is_refused_with_any_bit_flipped);
	tcase_add_test(t, statement_is_refused_when_cut_or_longer);
	tcase_add_test(t, statement_needs_an_auditors_key);
	tcase_add_loop_test(t, statement_has_one_form, 0, (int)COUNT(forms));
	tcase_add_test(t, statement_changed_in_nothing_holds);
	tcase_add_test(t, statement_has_limits);
	tcase_add_loop_test(t,
	    statement_counts_for_one_system_behind_its_suspension, 0,
	    (int)COUNT(uses));
	tcase_add_test(t, statement_signed_last_is_newer);
	suite_add_tcase(s, t);
	return s;
}
