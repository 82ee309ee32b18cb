/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dlp/drive.h"

const char *
drive_dlp(const struct dlp_rules *r, enum dlp_container c, struct bytes text,
    size_t first, size_t step, struct dlp_report *out)
{
	struct dlp *scan = dlp_new(r);
	struct dlp_body *b = dlp_body_new(scan, c, BYTES("----sekisho"));
	const char *why;

	dlp_body_push(b, bytes_take(&text, first));
	while (text.n > 0)
		dlp_body_push(b, bytes_take(&text, step == 0 ? text.n : step));
	why = dlp_body_end(b);
	dlp_end(scan, out);
	dlp_body_free(b);
	dlp_free(scan);
	return why;
}

struct dlp_rules *
drive_rules(void)
{
	struct dlp_settings s = dlp_defaults;
	struct err e;
	struct dlp_rules *r;

	s.key = BYTES("a key of these tests");
	r = dlp_rules_new(&s, &e);
	must(r != NULL);
	return r;
}
