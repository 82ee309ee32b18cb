/* SPDX-License-Identifier: Apache-2.0 */
/* What of a body travels on, and when. */
#include "proxy/body/content.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "filters/text/charset.h"
#include "filters/text/set.h"

Suite *content_suite(void);

#define HOLD ((size_t)200)
#define NUMBER "123456789018" /* the ministry's test vector */

/* "what is what is what", as gzip writes it. */
static const uint8_t gzip[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x02, 0x03, 0x2b, 0xcf, 0x48, 0x2c, 0x51, 0xc8, 0x2c, 0x56, 0x28, 0x47,
	0xa2, 0x01, 0xec, 0xb6, 0x7a, 0x43, 0x14, 0x00, 0x00, 0x00 };

static struct inspection phrases = { .kind = INSPECTION_PHRASES,
	.block = { .name = "phrases", .verdict = VERDICT_BLOCK },
	.warn = { .name = "phrases", .verdict = VERDICT_WARN },
	.hold_max = HOLD,
	.threshold = 10 };
static struct inspection types = { .kind = INSPECTION_TYPES,
	.block = { .name = "types", .verdict = VERDICT_BLOCK },
	.hold_max = MAGIC_HEAD_MAX,
	.types = MAGIC_BIT(MAGIC_PE) };
static struct inspection dlp = { .kind = INSPECTION_DLP,
	.block = { .name = "dlp", .verdict = VERDICT_BLOCK },
	.hold_max = HOLD };
static struct buf set;
static struct budget budget;

static void
setup(void)
{
	const struct set_pattern pattern = { "bet", "place a bet", 10,
		SET_PHRASE, NULL };
	struct err e = { 0 };

	ck_assert_msg(text_prepare(&e) == 0, "%s", e.text);
	buf_init(&set, 1 << 24);
	ck_assert_int_eq(set_compile(SET_TEXT, &pattern, 1, &set, &e), 0);
	phrases.set = set_open(SET_TEXT, buf_bytes(&set), SET_CODE_JIT, &e);
	ck_assert_ptr_nonnull(phrases.set);
	dlp.dlp = dlp_rules_new(&dlp_defaults, &e);
	ck_assert_ptr_nonnull(dlp.dlp);
	phrases.found = types.found = FINDING_BLOCK;
	budget = (struct budget){ .max = 4 << 20 };
}

static void
teardown(void)
{
	set_free(phrases.set);
	buf_release(&set);
	dlp_rules_free(dlp.dlp);
	ck_assert_uint_eq(budget.all, 0);
}

struct run {
	struct content_order order;
	struct buf out;
	enum content_verdict verdict;
	const char *why;
	struct content_found found;
	bool is_found;
	bool waited; /* nothing had left before the end */
};

static void
take_all(struct run *r, struct content *c)
{
	struct bytes b;

	while (content_take(c, &b))
		ck_assert_int_eq(buf_append(&r->out, b), 0);
}

/* In two pieces, then the end. */
static void
run(struct run *r, struct bytes body, size_t cut)
{
	struct bytes pieces[] = { bytes_take(&body, cut), body, { 0 } };
	struct content *c;

	r->order.share = (struct share){ &budget, 0 };
	buf_init(&r->out, 1 << 20);
	c = content_new(&r->order);
	ck_assert_ptr_nonnull(c);
	r->verdict = CONTENT_GO;
	r->why = NULL;
	for (int i = 0; i < 3 && r->verdict == CONTENT_GO; i++) {
		r->waited = r->out.n == 0;
		r->verdict = content_push(c, pieces[i], i == 2, &r->why);
		if (r->verdict == CONTENT_GO)
			take_all(r, c);
	}
	r->is_found = content_found(c, &r->found);
	content_free(c);
	ck_assert_uint_eq(budget.all, 0);
}

static void
release(struct run *r)
{
	buf_release(&r->out);
}

static const struct inspection *const look_for_phrases[] = { &phrases };
static const struct inspection *const look_for_types[] = { &types };
static const struct inspection *const look_for_numbers[] = { &dlp };

#define ORDER(list, type)                                                    \
	{                                                                    \
		.inspections = (list), .inspections_n = 1, .ratio_max = 100, \
		.media_type = BYTES(type)                                    \
	}

START_TEST(content_without_work_is_none)
{
	const struct content_order none = { .ratio_max = 100 };
	struct content_order picture = ORDER(look_for_phrases, "image/png");

	ck_assert_ptr_null(content_new(&none));
	ck_assert_ptr_null(content_new(&picture));
}
END_TEST

/* Who sends a number may call it what he likes. */
START_TEST(content_that_calls_itself_a_picture_is_looked_into)
{
	struct run r = { .order = ORDER(look_for_numbers, "image/png") };

	run(&r, BYTES("mynumber: " NUMBER), 20);
	ck_assert_int_eq(r.verdict, CONTENT_FOUND);
	ck_assert_uint_eq(r.out.n, 0);
	release(&r);
}
END_TEST

/* Up to the limit nothing leaves before its end; one past it, it does. */
START_TEST(content_is_kept_back_to_its_limit)
{
	uint8_t text[HOLD + 2];

	memset(text, 'a', sizeof(text));
	for (size_t n = HOLD - 1; n <= HOLD + 1; n++) {
		struct run r = { .order =
				     ORDER(look_for_phrases, "text/plain") };

		run(&r, (struct bytes){ text, n }, n);
		ck_assert_int_eq(r.verdict, CONTENT_GO);
		ck_assert_uint_eq(r.out.n, n);
		ck_assert_int_eq(r.waited, n <= HOLD);
		ck_assert(!r.is_found);
		release(&r);
	}
}
END_TEST

START_TEST(content_that_is_found_does_not_leave)
{
	struct bytes text = BYTES("<p>you may pl<b>ace</b> a bet here");

	for (size_t cut = 0; cut <= text.n; cut++) {
		struct run r = { .order =
				     ORDER(look_for_phrases, "text/html") };

		run(&r, text, cut);
		ck_assert_int_eq(r.verdict, CONTENT_FOUND);
		ck_assert_ptr_eq(r.found.inspection, &phrases);
		ck_assert_int_eq(r.found.finding, FINDING_BLOCK);
		ck_assert_uint_eq(r.out.n, 0);
		release(&r);
	}
}
END_TEST

/* What browsers look at themselves is text too; what is told to be another
 * thing is not. */
START_TEST(content_of_no_type_is_looked_into)
{
	static const struct {
		const char *type;
		bool text;
	} rows[] = { { "", true }, { "*/*", true }, { "html", true },
		{ "Unknown/Unknown; a=b", true },
		{ "application/unknown", true }, { "application/x", false },
		{ "font/woff", false } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct content_order o = ORDER(look_for_phrases, "");
		struct content *c;

		o.media_type = bytes_of(rows[i].type);
		o.share = (struct share){ &budget, 0 };
		c = content_new(&o);
		ck_assert_msg((c != NULL) == rows[i].text, "%s", rows[i].type);
		content_free(c);
	}
}
END_TEST

START_TEST(content_streams_when_the_other_side_waits)
{
	struct run r = { .order = ORDER(look_for_phrases, "text/plain") };

	r.order.streams = true;
	run(&r, BYTES("one, two, place a bet"), 5);
	ck_assert_int_eq(r.verdict, CONTENT_FOUND);
	ck_assert(bytes_start_with(buf_bytes(&r.out), BYTES("one, ")));
	release(&r);
}
END_TEST

START_TEST(content_of_a_warning_is_let_pass_once_said_why)
{
	for (uint64_t excused = 0; excused < 2; excused++) {
		struct run r = { .order =
				     ORDER(look_for_phrases, "text/plain") };

		phrases.found = FINDING_WARN;
		r.order.excused = excused;
		run(&r, BYTES("place a bet"), 3);
		ck_assert_int_eq(
		    r.verdict, excused ? CONTENT_GO : CONTENT_FOUND);
		ck_assert_int_eq(
		    r.found.finding, excused ? FINDING_LOG : FINDING_WARN);
		ck_assert_uint_eq(r.out.n, excused ? 11 : 0);
		release(&r);
	}
}
END_TEST

START_TEST(content_of_a_type_is_judged_by_its_head)
{
	static uint8_t program[512] = "MZ";
	struct run r = { .order = ORDER(look_for_types, "image/png") };

	program[0x3c] = 0x80;
	memcpy(program + 0x80, "PE\0", 4);
	run(&r, (struct bytes){ program, sizeof(program) }, 1);
	ck_assert_int_eq(r.verdict, CONTENT_FOUND);
	ck_assert_uint_eq(r.out.n, 0);
	release(&r);
	r = (struct run){ .order = ORDER(look_for_types, "text/plain") };
	run(&r, BYTES("nothing of the sort"), 4);
	ck_assert_int_eq(r.verdict, CONTENT_GO);
	ck_assert_uint_eq(r.out.n, 19);
	release(&r);
}
END_TEST

START_TEST(content_of_a_declared_type_needs_no_byte)
{
	static const struct {
		const char *refused, *type;
		bool found;
	} rows[] = {
		{ "video/", "video/mp4", true },
		{ "video/", "VIDEO/mp4; x=y", true },
		{ "video/", "videos/mp4", false },
		{ "video/mp4", "video/mp4", true },
		{ "video/mp4", "video/mp42", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *refused[] = { rows[i].refused };
		struct run r = { .order = ORDER(look_for_types, "") };

		types.media_types = (struct texts){ refused, 1, NULL };
		r.order.media_type = bytes_of(rows[i].type);
		run(&r, BYTES(""), 0);
		ck_assert_int_eq(r.verdict == CONTENT_FOUND, rows[i].found);
		release(&r);
	}
	types.media_types = (struct texts){ 0 };
}
END_TEST

/* By what was told, or by what comes. */
START_TEST(content_is_as_large_as_allowed)
{
	uint8_t bytes[11] = { 'a' };

	types.larger_than = 10;
	for (size_t n = 10; n <= 11; n++)
		for (int told = 0; told < 2; told++) {
			struct run r = { .order = ORDER(look_for_types, "") };

			r.order.length = told ? n : 0;
			run(&r, (struct bytes){ bytes, n }, 5);
			ck_assert_int_eq(
			    r.verdict, n == 10 ? CONTENT_GO : CONTENT_FOUND);
			release(&r);
		}
	types.larger_than = 0;
}
END_TEST

START_TEST(content_has_numbers_under_its_coding)
{
	struct run r = { .order = ORDER(look_for_numbers,
			     "application/x-www-form-urlencoded") };
	struct bytes form = BYTES("mynumber=" NUMBER);

	for (size_t cut = 0; cut <= form.n; cut++) {
		run(&r, form, cut);
		ck_assert_int_eq(r.verdict, CONTENT_FOUND);
		ck_assert_uint_eq(r.out.n, 0);
		release(&r);
	}
}
END_TEST

/* Behind a number something that says nothing: it does not leave, and what is
 * kept back for it has its limit. */
START_TEST(content_with_a_number_does_not_leave_by_silence)
{
	static uint8_t spaces[4096];
	const char *why;
	struct content_order o = ORDER(look_for_numbers, "application/json");
	struct content *c;
	enum content_verdict v;
	size_t n = 0;
	struct bytes b;

	memset(spaces, ' ', sizeof(spaces));
	o.share = (struct share){ &budget, 0 };
	c = content_new(&o);
	v = content_push(
	    c, BYTES("{\"mynumber\":\"" NUMBER "\","), false, &why);
	while (v == CONTENT_GO) {
		ck_assert(!content_take(c, &b));
		n += sizeof(spaces);
		v = content_push(
		    c, (struct bytes){ spaces, sizeof(spaces) }, false, &why);
	}
	ck_assert_int_eq(v, CONTENT_BUSY);
	ck_assert_uint_le(n, budget.max / BUDGET_SHARE + 3 * 65536);
	ck_assert_uint_ge(n, budget.max / BUDGET_SHARE);
	content_free(c);
}
END_TEST

/* What lags behind is let go when more came, and takes no share. */
START_TEST(content_without_numbers_leaves_while_it_comes)
{
	static const char line[] = "one line of a text that is long\n";
	const char *why;
	struct content_order o = ORDER(look_for_numbers, "text/plain");
	struct content *c;
	size_t in = 0, out = 0, most = 0;
	struct bytes b;

	o.share = (struct share){ &budget, 0 };
	c = content_new(&o);
	while (in < 1000000) {
		ck_assert_int_eq(
		    content_push(c, bytes_of(line), false, &why), CONTENT_GO);
		in += strlen(line);
		while (content_take(c, &b))
			out += b.n;
		if (in - out > most)
			most = in - out;
		if (in > 100000)
			ck_assert_uint_eq(budget.all, 0);
	}
	ck_assert_uint_lt(most, 32768);
	content_free(c);
}
END_TEST

START_TEST(content_passes_as_it_came_or_as_it_was_read)
{
	static const struct {
		enum content_output output;
		bool same, plain;
	} rows[] = { { CONTENT_AS_IT_CAME, true, false },
		{ CONTENT_IDENTITY, false, true },
		{ CONTENT_GZIP, false, false } };
	struct bytes coded = { gzip, sizeof(gzip) };

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t cut = 0; cut <= coded.n; cut++) {
			struct run r = { .order = { .coding = DECODE_GZIP,
					     .ratio_max = 100,
					     .output = rows[i].output } };

			run(&r, coded, cut);
			ck_assert_int_eq(r.verdict, CONTENT_GO);
			ck_assert_int_eq(bytes_equal(buf_bytes(&r.out), coded),
			    rows[i].same);
			ck_assert_int_eq(bytes_equal(buf_bytes(&r.out),
					     BYTES("what is what is what")),
			    rows[i].plain);
			ck_assert_uint_gt(r.out.n, 0);
			release(&r);
		}
}
END_TEST

START_TEST(content_that_cannot_be_read_is_bad)
{
	struct bytes coded = { gzip, sizeof(gzip) - 1 };

	for (size_t cut = 0; cut <= coded.n; cut++) {
		struct run r = { .order = { .coding = DECODE_GZIP,
				     .ratio_max = 100 } };

		run(&r, coded, cut);
		ck_assert_int_eq(r.verdict, CONTENT_BAD);
		ck_assert_str_eq(r.why, "the coded body is cut short");
		release(&r);
	}
}
END_TEST

START_TEST(content_kept_back_has_a_limit_for_each_client)
{
	uint8_t text[HOLD];

	memset(text, 'a', sizeof(text));
	budget.max = 400;
	for (size_t past = 0; past < 2; past++) {
		struct run r = { .order =
				     ORDER(look_for_phrases, "text/plain") };

		run(&r, (struct bytes){ text, 100 + past }, 50);
		ck_assert_int_eq(r.verdict, past ? CONTENT_BUSY : CONTENT_GO);
		release(&r);
	}
}
END_TEST

/* What waits for a slow receiver is not kept back. */
START_TEST(content_that_may_leave_takes_no_share)
{
	static const uint8_t text[HOLD + 1] = { 'a' };
	const char *why;
	struct content_order o = ORDER(look_for_phrases, "text/plain");
	struct content *c;

	o.share = (struct share){ &budget, 0 };
	c = content_new(&o);
	ck_assert_int_eq(
	    content_push(c, (struct bytes){ text, HOLD }, false, &why),
	    CONTENT_GO);
	ck_assert_uint_eq(budget.all, HOLD);
	ck_assert_int_eq(content_push(c, BYTES("ab"), false, &why), CONTENT_GO);
	ck_assert(!content_waits(c));
	ck_assert_int_eq(content_push(c, BYTES("cd"), false, &why), CONTENT_GO);
	ck_assert_uint_eq(budget.all, HOLD);
	content_free(c);
	ck_assert_uint_eq(budget.all, 0);
}
END_TEST

START_TEST(content_shares_are_a_fourth_of_all)
{
	struct address one, other;
	struct share s, t;

	ck_assert_int_eq(address_parse(&one, BYTES("192.0.2.1")), 0);
	ck_assert_int_eq(address_parse(&other, BYTES("192.0.2.2")), 0);
	budget.max = 40;
	s = budget_share(&budget, &one);
	t = budget_share(&budget, &other);
	ck_assert(s.at != t.at);
	ck_assert(share_take(s, 10));
	ck_assert(!share_take(s, 1));
	ck_assert(share_take(t, 10));
	ck_assert(!share_take(t, SIZE_MAX));
	share_give(s, 10);
	ck_assert(!share_take(s, 11));
	ck_assert(share_take(s, 9));
	share_give(s, 9);
	share_give(t, 10);
}
END_TEST

Suite *
content_suite(void)
{
	Suite *s = suite_create("content");
	TCase *t = tcase_create("content");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, content_without_work_is_none);
	tcase_add_test(t, content_that_calls_itself_a_picture_is_looked_into);
	tcase_add_test(t, content_is_kept_back_to_its_limit);
	tcase_add_test(t, content_that_is_found_does_not_leave);
	tcase_add_test(t, content_of_no_type_is_looked_into);
	tcase_add_test(t, content_streams_when_the_other_side_waits);
	tcase_add_test(t, content_of_a_warning_is_let_pass_once_said_why);
	tcase_add_test(t, content_of_a_type_is_judged_by_its_head);
	tcase_add_test(t, content_of_a_declared_type_needs_no_byte);
	tcase_add_test(t, content_is_as_large_as_allowed);
	tcase_add_test(t, content_has_numbers_under_its_coding);
	tcase_add_test(t, content_with_a_number_does_not_leave_by_silence);
	tcase_add_test(t, content_without_numbers_leaves_while_it_comes);
	tcase_add_test(t, content_passes_as_it_came_or_as_it_was_read);
	tcase_add_test(t, content_that_cannot_be_read_is_bad);
	tcase_add_test(t, content_kept_back_has_a_limit_for_each_client);
	tcase_add_test(t, content_that_may_leave_takes_no_share);
	tcase_add_test(t, content_shares_are_a_fourth_of_all);
	suite_add_tcase(s, t);
	return s;
}
