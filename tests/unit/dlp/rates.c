/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dlp/rates.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/dlp/drive.h"

static void
count(struct rate *r, const struct document *o, const struct dlp_report *got)
{
	r->sort = o->sort;
	r->documents++;
	if (o->distinct == 0) {
		r->flagged += got->verdict != DLP_PASS;
		return;
	}
	r->flagged += got->kinds[o->kind].verdict != DLP_PASS;
	r->numbers += o->distinct;
	r->found += got->kinds[o->kind].distinct < o->distinct
	    ? got->kinds[o->kind].distinct
	    : o->distinct;
}

void
rates_measure(struct rates *r, const struct dlp_rules *rules, uint64_t seed,
    enum rates_sort what, uint32_t documents)
{
	struct documents d = { seed };

	*r = (struct rates){ 0 };
	for (uint32_t i = 0; i < documents; i++) {
		struct document o;
		struct dlp_report got;
		uint32_t sort = 0;

		switch (what) {
		case RATES_POSITIVE:
			documents_positive(&d, i, &o);
			sort = i % documents_positive_sorts;
			break;
		case RATES_NEGATIVE:
			documents_negative(&d, i, &o);
			sort = i % documents_negative_sorts;
			break;
		case RATES_HARD:
			documents_hard(&d, &o);
		}
		drive_dlp(
		    rules, o.container, buf_bytes(&o.text), o.text.n, 0, &got);
		count(&r->sorts[sort], &o, &got);
		count(&r->all, &o, &got);
		r->bytes += o.text.n;
		buf_release(&o.text);
	}
}

/* nftw has no argument of its own for its callback. */
static struct rate *folder_rate;
static const struct dlp_rules *folder_rules;

static enum dlp_container
container_of(struct bytes path)
{
	if (bytes_end_with(path, BYTES(".csv")))
		return DLP_CSV;
	if (bytes_end_with(path, BYTES(".json")))
		return DLP_JSON;
	if (bytes_end_with(path, BYTES(".html")) ||
	    bytes_end_with(path, BYTES(".xml")) ||
	    bytes_end_with(path, BYTES(".svg")))
		return DLP_HTML;
	return DLP_PLAIN;
}

static int
look(const char *path, const struct stat *s, int type, struct FTW *f)
{
	uint8_t piece[65536];
	struct dlp *d;
	struct dlp_body *b;
	struct dlp_report got;
	FILE *file;
	size_t n;

	(void)s;
	(void)f;
	/* the check digits' own examples are no innocent text */
	if (type != FTW_F || strstr(path, "/dlp/") != NULL)
		return 0;
	file = fopen(path, "rb");
	if (file == NULL)
		return 0;
	d = dlp_new(folder_rules);
	b = dlp_body_new(d, container_of(bytes_of(path)), (struct bytes){ 0 });
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		dlp_body_push(b, (struct bytes){ piece, n });
	(void)dlp_body_end(b);
	dlp_end(d, &got);
	fclose(file);
	folder_rate->documents++;
	folder_rate->numbers += (uint32_t)(got.bytes / 1024);
	if (got.verdict != DLP_PASS) {
		folder_rate->flagged++;
		printf("dlp: %s: %s\n", path, dlp_verdict_name(got.verdict));
		for (size_t k = 0; k < DLP_KINDS; k++)
			if (got.kinds[k].verdict != DLP_PASS)
				printf("dlp:   %s: %u, the first \"%s\"\n",
				    dlp_kind_name((enum dlp_kind)k),
				    got.kinds[k].distinct,
				    got.findings_n > 0 ? got.findings[0].context
						       : "");
	}
	dlp_body_free(b);
	dlp_free(d);
	return 0;
}

uint32_t
rates_folder(struct rate *r, const struct dlp_rules *rules, const char *folder)
{
	*r = (struct rate){ .sort = folder };
	folder_rate = r;
	folder_rules = rules;
	nftw(folder, look, 16, 0);
	return r->documents;
}
