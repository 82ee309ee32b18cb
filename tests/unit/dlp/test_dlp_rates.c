/* SPDX-License-Identifier: Apache-2.0 */
/* The full measurement is bench/dlp; here is a sample of it. */
#include <check.h>
#include <stdio.h>

#include "tests/unit/dlp/drive.h"
#include "tests/unit/dlp/rates.h"

#define SEED 20261126
#define POSITIVES 1500
#define NEGATIVES 4000
#define REAL "../shared/data"

START_TEST(dlp_rates_finds_more_than_99_in_100)
{
	struct dlp_rules *rules = drive_rules();
	struct rates r;

	rates_measure(&r, rules, SEED, RATES_POSITIVE, POSITIVES);
	for (uint32_t i = 0; i < documents_positive_sorts; i++)
		ck_assert_msg(
		    r.sorts[i].flagged * 100 >= r.sorts[i].documents * 97,
		    "%s: %u of %u", r.sorts[i].sort, r.sorts[i].flagged,
		    r.sorts[i].documents);
	printf("dlp: found: %u of %u documents, %u of %u numbers\n",
	    r.all.flagged, r.all.documents, r.all.found, r.all.numbers);
	ck_assert_uint_ge(r.all.flagged * 100, r.all.documents * 99);
	ck_assert_uint_ge(r.all.found * 100, r.all.numbers * 99);
	dlp_rules_free(rules);
}
END_TEST

/* None in 4,000 is what fewer than 1 in 10,000 gives two times of three; one
 * would be no proof of more, but has to be looked at. */
START_TEST(dlp_rates_lets_innocent_text_go)
{
	struct dlp_rules *rules = drive_rules();
	struct rates r;

	rates_measure(&r, rules, SEED, RATES_NEGATIVE, NEGATIVES);
	for (uint32_t i = 0; i < documents_negative_sorts; i++)
		ck_assert_msg(r.sorts[i].flagged == 0, "%s: %u of %u",
		    r.sorts[i].sort, r.sorts[i].flagged, r.sorts[i].documents);
	printf(
	    "dlp: false: %u of %u documents\n", r.all.flagged, r.all.documents);
	dlp_rules_free(rules);
}
END_TEST

START_TEST(dlp_rates_lets_real_documents_go)
{
	struct dlp_rules *rules = drive_rules();
	struct rate r;

	if (rates_folder(&r, rules, REAL) == 0)
		printf(
		    "dlp: no real documents at %s; none was looked at\n", REAL);
	else
		printf("dlp: false: %u of %u real documents (%u KiB)\n",
		    r.flagged, r.documents, r.numbers);
	ck_assert_uint_eq(r.flagged, 0);
	dlp_rules_free(rules);
}
END_TEST

Suite *dlp_rates_suite(void);

Suite *
dlp_rates_suite(void)
{
	Suite *s = suite_create("dlp_rates");
	TCase *t = tcase_create("dlp_rates");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, dlp_rates_finds_more_than_99_in_100);
	tcase_add_test(t, dlp_rates_lets_innocent_text_go);
	tcase_add_test(t, dlp_rates_lets_real_documents_go);
	suite_add_tcase(s, t);
	return s;
}
