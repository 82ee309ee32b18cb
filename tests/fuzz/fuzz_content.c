/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/body/content.h"

#include "filters/text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct inspection types = { .kind = INSPECTION_TYPES,
	.hold_max = MAGIC_HEAD_MAX,
	.must_agree = true,
	.types = MAGIC_BIT(MAGIC_PE) };
static struct inspection numbers = { .kind = INSPECTION_DLP, .hold_max = 64 };
static const struct inspection *const all[] = { &types, &numbers };
static const char *const kinds[] = { "", "text/html", "application/json",
	"multipart/form-data; boundary=x", "application/octet-stream" };

/* A sum of what travels on of a body in two pieces, and the verdict. */
static uint64_t
run(const struct content_order *o, struct bytes b, size_t cut)
{
	struct bytes pieces[] = { bytes_take(&b, cut), b, { 0 } };
	struct content *c = content_new(o);
	enum content_verdict v = CONTENT_GO;
	uint64_t sum = 7;
	const char *why;
	struct bytes out;

	for (int i = 0; c != NULL && i < 3 && v == CONTENT_GO; i++) {
		v = content_push(c, pieces[i], i == 2, &why);
		while (v == CONTENT_GO && content_take(c, &out))
			for (size_t k = 0; k < out.n; k++)
				sum = sum * 31 + out.p[k];
	}
	content_free(c);
	must(o->share.budget->all == 0);
	return v == CONTENT_GO ? sum | 1 : 0;
}

/* What arrives whole is the same whatever the pieces were. (What is refused may
 * have begun to leave or not; gzip's pieces differ.) */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct err e;
	struct budget budget = { .max = 4 << 20 };
	struct bytes body = { p, n };
	struct content_order o = {
		.ratio_max = 1100, .inspections = all, .share = { &budget, 0 }
	};

	if (n < 3 || text_prepare(&e) < 0)
		return 0;
	if (numbers.dlp == NULL)
		numbers.dlp = dlp_rules_new(&dlp_defaults, &e);
	bytes_take(&body, 3);
	o.coding = p[0] % 5;
	o.output = p[1] % 2; /* as it came, or identity */
	o.inspections_n = p[1] / 2 % 3;
	o.media_type = bytes_of(kinds[p[2] % COUNT(kinds)]);
	o.streams = p[2] / 8 % 2;
	must(run(&o, body, 0) == run(&o, body, p[n - 1] * body.n / 256));
	return 0;
}
