/* SPDX-License-Identifier: Apache-2.0 */
/* dlp: what the targets of filters/dlp share. */
#pragma once

#include <stdlib.h>

#include "filters/dlp/body.h"
#include "filters/text/charset.h"

static inline struct dlp_report
fuzz_scan(const struct dlp_rules *r, enum dlp_container c, struct bytes in,
    size_t before, size_t cut, const char **why_out)
{
	static const uint8_t blanks[32768];
	struct dlp *scan = dlp_new(r);
	struct dlp_body *b = dlp_body_new(scan, c, BYTES("b"));
	struct dlp_report got;
	struct err e;

	must(text_prepare(&e) == 0);
	dlp_body_push(b, (struct bytes){ blanks, before });
	dlp_body_push(b, bytes_take(&in, cut));
	dlp_body_push(b, in);
	*why_out = dlp_body_end(b);
	dlp_end(scan, &got);
	dlp_body_free(b);
	dlp_free(scan);
	return got;
}

static inline void
fuzz_agree(const struct dlp_report *a, const struct dlp_report *b)
{
	must(a->verdict == b->verdict && a->findings_n == b->findings_n);
	for (size_t k = 0; k < DLP_KINDS; k++) {
		must(a->kinds[k].distinct == b->kinds[k].distinct);
		must(a->kinds[k].hits == b->kinds[k].hits);
		must(a->kinds[k].possible == b->kinds[k].possible);
		must(a->kinds[k].confidence == b->kinds[k].confidence);
	}
	for (size_t i = 0; i < a->findings_n; i++) {
		const char *c = a->findings[i].context;

		must(strcmp(c, b->findings[i].context) == 0);
		must(memcmp(a->findings[i].hash, b->findings[i].hash,
			 DLP_HASH_BYTES) == 0);
		must(strpbrk(c, "0123456789") == NULL);
	}
}

/* The first two bytes say where the rest is cut: that changes nothing, and no
 * digit is told. */
static inline int
fuzz_dlp(enum dlp_container c, const uint8_t *p, size_t n)
{
	static struct dlp_rules *rules;
	static const char *const keywords[] = { "取扱注意", "secret" };
	static const uint8_t nobodys[DLP_DIGEST_BYTES];
	static const struct dlp_canary canaries[] = {
		{ .name = "number", .number = "123456789010" },
		{ .name = "short", .number = "000456789018" },
		{ .name = "file", .digest = nobodys },
		{ .name = "marker", .marker = "Secret花子" },
	};
	struct dlp_settings s = dlp_defaults;
	struct dlp_report whole, cut;
	const struct bytes in = { p + 2, n < 2 ? 0 : n - 2 };
	const char *why, *why_cut;
	size_t at, before;
	struct err e;

	s.keywords = keywords;
	/* with words of its own it looks for all everywhere, else near numbers
	 */
	s.keywords_n = c == DLP_PLAIN ? 0 : COUNT(keywords);
	s.canaries = canaries;
	s.canaries_n = COUNT(canaries) - (c == DLP_PLAIN ? 1 : 0);
	if (rules == NULL)
		rules = dlp_rules_new(&s, &e);
	if (n < 2)
		return 0;
	at = (size_t)p[0] << 8 | p[1];
	/* wherever in the scan's window, and over its border */
	before = c == DLP_PLAIN ? at / 2 : 0;
	whole = fuzz_scan(rules, c, in, before, 0, &why);
	cut = fuzz_scan(rules, c, in, before, at % (in.n + 1), &why_cut);
	must(why == why_cut);
	fuzz_agree(&whole, &cut);
	return 0;
}
