/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/repeats.h"

#include <check.h>
#include <sys/mman.h>

#include "tests/unit/steps.h"

Suite *repeats_suite(void);

static struct repeats r;
static char found[LOG_ID_MAX];

static void
note(const struct envelope *e, struct bytes content, const char *id,
    uint64_t now_ms)
{
	uint8_t digest[REPEATS_DIGEST];

	repeats_digest(e, content, digest);
	repeats_note(&r, digest, id, now_ms);
}

/* As what it is remembered; NULL: it is not. */
static const char *
find(const struct envelope *e, struct bytes content, uint64_t now_ms)
{
	uint8_t digest[REPEATS_DIGEST];

	repeats_digest(e, content, digest);
	return repeats_any(&r, now_ms) && repeats_find(&r, digest, found)
	    ? found
	    : NULL;
}

static struct envelope
envelope_of(const char *sender, struct mail_recipient *to, size_t n)
{
	return (struct envelope){
		.sender.text = bytes_of(sender),
		.recipients = to,
		.recipients_n = n,
	};
}

/* Everything that makes it another mail does. */
START_TEST(repeats_knows_the_same_mail_alone)
{
	struct mail_recipient to[] = {
		{ .address.text = BYTES("b@x.test") },
		{ .address.text = BYTES("c@x.test") },
	};
	struct envelope e = envelope_of("a@x.test", to, 2);
	struct envelope other = envelope_of("a@y.test", to, 2);
	struct envelope fewer = envelope_of("a@x.test", to, 1);
	const struct bytes text = BYTES("text"), more = BYTES("text.");

	r = (struct repeats){ 0 };
	ck_assert_ptr_null(find(&e, text, 0));
	note(&e, text, "ID", 0);
	ck_assert_str_eq(find(&e, text, 1), "ID");
	ck_assert_ptr_null(find(&other, text, 1));
	ck_assert_ptr_null(find(&fewer, text, 1));
	ck_assert_ptr_null(find(&e, more, 1));
	note(&e, text, "LATER", 1);
	ck_assert_str_eq(find(&e, text, 1), "ID");
	ck_assert_uint_eq(r.n, 1);
}
END_TEST

START_TEST(repeats_forgets_the_oldest)
{
	struct mail_recipient to = { .address.text = BYTES("b@x.test") };
	struct envelope e = envelope_of("a@x.test", &to, 1);
	char text[16], id[16];

	r = (struct repeats){ 0 };
	for (unsigned i = 0; i <= REPEATS_MAX; i++) {
		snprintf(text, sizeof(text), "%u", i);
		snprintf(id, sizeof(id), "ID%u", i);
		note(&e, bytes_of(text), id, i);
	}
	ck_assert_ptr_null(find(&e, BYTES("0"), 0));
	ck_assert_str_eq(find(&e, BYTES("1"), 0), "ID1");
	ck_assert_str_eq(find(&e, BYTES("1024"), 0), "ID1024");
	ck_assert_str_eq(find(&e, BYTES("2"), REPEATS_KEEP_MS + 1), "ID2");
	ck_assert_ptr_null(find(&e, BYTES("2"), REPEATS_KEEP_MS + 2));
	ck_assert_ptr_null(find(&e, BYTES("1024"), 2 * REPEATS_KEEP_MS));
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(repeats_forgets_what_was_heard)
{
	uint8_t a[REPEATS_DIGEST] = { 1 }, b[REPEATS_DIGEST] = { 2 };

	repeats_note(&r, a, "A", 0);
	repeats_note(&r, b, "B", 0);
	repeats_forget(&r, a);
	repeats_forget(&r, a);
	ck_assert(!repeats_find(&r, a, found));
	ck_assert(repeats_find(&r, b, found));
	repeats_note(&r, a, "C", 0);
	ck_assert(repeats_find(&r, a, found));
	ck_assert_str_eq(found, "C");
}
END_TEST

/* What was forgotten comes back where a row is half written: a mail of
 * it would be lost. */

static struct repeats *shared;

static const uint8_t forgotten[REPEATS_DIGEST] = { 1 };
static const uint8_t old[REPEATS_DIGEST] = { 2 };
static const uint8_t kept[REPEATS_DIGEST] = { 3 };
static const uint8_t fresh[REPEATS_DIGEST] = { 4 };

static void
write_fresh(void)
{
	(void)!repeats_any(shared, REPEATS_KEEP_MS);
	repeats_note(shared, fresh, "FRESH", REPEATS_KEEP_MS);
}

static void
look(void)
{
	struct repeats now = *shared;

	if (!repeats_any(&now, REPEATS_KEEP_MS))
		return;
	ck_assert(!repeats_find(&now, forgotten, found));
	ck_assert(!repeats_find(&now, old, found));
	if (repeats_find(&now, fresh, found))
		ck_assert_str_eq(found, "FRESH");
	if (repeats_find(&now, kept, found))
		ck_assert_str_eq(found, "KEPT");
}

/* One to forget, one to keep; the next row was used before. */
START_TEST(repeats_has_no_half_of_a_mail)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(shared != MAP_FAILED);
	shared->first = 2;
	repeats_note(shared, forgotten, "FORGOTTEN", 0);
	shared->first = shared->n = 0;
	repeats_note(shared, old, "OLD", 0);
	repeats_note(shared, kept, "KEPT", 5);
	steps_try(write_fresh, look);
	ck_assert(repeats_find(shared, kept, found));
	ck_assert(repeats_find(shared, fresh, found));
	munmap(shared, sizeof(*shared));
}
END_TEST

Suite *
repeats_suite(void)
{
	Suite *s = suite_create("repeats");
	TCase *t = tcase_create("repeats");

	tcase_add_test(t, repeats_knows_the_same_mail_alone);
	tcase_add_test(t, repeats_forgets_the_oldest);
	tcase_add_test(t, repeats_forgets_what_was_heard);
	tcase_add_test(t, repeats_has_no_half_of_a_mail);
	suite_add_tcase(s, t);
	return s;
}
