/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlp: how many megabytes of text a second a scan looks at, by what is in the
 * text; then how much it finds and how often it errs, over many documents.
 *	dlp [NEGATIVES [POSITIVES [SEED]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/dlp/drive.h"
#include "tests/unit/dlp/rates.h"

#define TEXT ((size_t)16 << 20)
#define ROUNDS 5
#define REAL "../shared/data"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct buf
repeated(const char *unit)
{
	struct buf b;
	struct bytes u = bytes_of(unit);

	buf_init(&b, TEXT + u.n);
	while (b.n < TEXT)
		must(buf_append(&b, u) == 0);
	return b;
}

static struct buf
of_documents(bool positive)
{
	struct documents d = { 1 };
	struct buf b;

	buf_init(&b, TEXT + (1 << 20));
	for (uint32_t i = 0; b.n < TEXT; i++) {
		struct document o;

		if (positive)
			documents_positive(&d, i, &o);
		else
			documents_negative(&d, i, &o);
		must(buf_append(&b, buf_bytes(&o.text)) == 0);
		buf_release(&o.text);
	}
	return b;
}

/* Each round in pieces of 16 KiB, as a proxy gets them. */
static void
measure(const char *name, const struct dlp_rules *r, enum dlp_container c,
    struct buf *text)
{
	printf("%-34s", name);
	for (int i = 0; i < ROUNDS; i++) {
		struct dlp_report got;
		double begun = now();

		drive_dlp(r, c, buf_bytes(text), 0, 16384, &got);
		printf(" %6.0f", (double)text->n / 1e6 / (now() - begun));
	}
	printf(" MB/s\n");
	fflush(stdout);
	buf_release(text);
}

#define JAPANESE                                                                                                 \
	"本日は窓口の受付時間についてご案内いたします。申請書は各支所でも受け" \
	"取れ"                                                                                                 \
	"ます（担当：総務課）。\n"
#define ENGLISH \
	"The office is open on weekdays, and forms can be had at the desk.\n"

static void
speeds(const struct dlp_rules *r, const char *with)
{
	static const struct {
		const char *name, *unit;
		enum dlp_container container;
	} texts[] = {
		{ "English without digits", ENGLISH, DLP_PLAIN },
		{ "Japanese without digits", JAPANESE, DLP_PLAIN },
		{ "the same as JSON", "{\"a\":\"" JAPANESE "\"}", DLP_JSON },
		{ "the same as a form", "a=%E6%9C%AC%E6%97%A5+abc&", DLP_FORM },
		{ "the same as HTML", "<p>" JAPANESE "</p>", DLP_HTML },
		{ "the same as CSV", "本日,窓口,受付,\"時間\"\n", DLP_CSV },
		{ "full-width letters alone", "ａｂｃｄｅｆｇｈ", DLP_PLAIN },
		{ "digits alone", "0123456789", DLP_PLAIN },
		{ "single digits in cells", "1,2,3,4,5,6,7,", DLP_PLAIN },
		{ "12 digits, valid, and a comma", "123456789018,", DLP_PLAIN },
		{ "12 digits behind labels", "個人番号123456789018\n",
		    DLP_PLAIN },
		{ "dates and addresses", "1985/01/02,関所市中央1-2\n",
		    DLP_PLAIN },
	};
	struct buf b;

	printf("%s, %d rounds:\n", with, ROUNDS);
	for (size_t i = 0; i < COUNT(texts); i++) {
		b = repeated(texts[i].unit);
		measure(texts[i].name, r, texts[i].container, &b);
	}
	b = of_documents(false);
	measure("documents of logs and lists", r, DLP_PLAIN, &b);
	b = of_documents(true);
	measure("documents with numbers", r, DLP_PLAIN, &b);
}

static void
print_rates(const char *title, const struct rates *r)
{
	printf("%s:\n", title);
	for (size_t i = 0; i < RATES_SORTS_MAX; i++) {
		const struct rate *s = &r->sorts[i];

		if (s->documents == 0)
			continue;
		printf("  %-28s %7u of %7u documents", s->sort, s->flagged,
		    s->documents);
		if (s->numbers > 0)
			printf(", %7u of %7u numbers", s->found, s->numbers);
		printf("\n");
	}
	printf("  %-28s %7u of %7u documents", "all", r->all.flagged,
	    r->all.documents);
	if (r->all.numbers > 0)
		printf(", %7u of %7u numbers", r->all.found, r->all.numbers);
	printf(" (%.0f MB)\n", (double)r->bytes / 1e6);
	fflush(stdout);
}

static uint64_t
argument(int argc, char **argv, int i, uint64_t otherwise)
{
	return argc > i ? strtoull(argv[i], NULL, 10) : otherwise;
}

int
main(int argc, char **argv)
{
	static const char *const keywords[] = { "取扱注意", "部外秘",
		"secret" };
	uint32_t negatives = (uint32_t)argument(argc, argv, 1, 200000);
	uint32_t positives = (uint32_t)argument(argc, argv, 2, 30000);
	uint64_t seed = argument(argc, argv, 3, 20261126);
	struct dlp_rules *r = drive_rules(), *with;
	struct dlp_settings s = dlp_defaults;
	struct rates rates;
	struct rate real;
	struct err e;
	bool good;

	s.keywords = keywords;
	s.keywords_n = COUNT(keywords);
	with = dlp_rules_new(&s, &e);
	must(with != NULL);
	speeds(r, "without keywords");
	speeds(with, "with keywords");
	rates_measure(&rates, r, seed, RATES_POSITIVE, positives);
	print_rates("found", &rates);
	good = rates.all.flagged * 100.0 >= rates.all.documents * 99.0;
	rates_measure(&rates, r, seed, RATES_NEGATIVE, negatives);
	print_rates("found where nothing is", &rates);
	good = good && rates.all.flagged * 10000.0 <= rates.all.documents;
	rates_measure(&rates, r, seed, RATES_HARD, 2000);
	print_rates("known limit", &rates);
	if (rates_folder(&real, r, REAL) == 0)
		printf("no real documents at %s\n", REAL);
	else
		printf("real documents: %u of %u (%u KiB)\n", real.flagged,
		    real.documents, real.numbers);
	dlp_rules_free(r);
	dlp_rules_free(with);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
