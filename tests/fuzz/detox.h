/* SPDX-License-Identifier: Apache-2.0 */
/* detox: fuzzes one format; a target says FUZZ_DETOX(pdf_format). */
#pragma once

#include "filters/detox.h"

/* Of small limits. */
static inline const struct detox_profile *
fuzz_profile(void)
{
	static struct detox_profile profile;
	struct err e;

	if (profile.name != NULL)
		return &profile;
	must(detox_prepare(&e) == 0);
	detox_profile_init(&profile);
	profile.out_max = profile.tree_max = 16 << 20;
	profile.pixels_max = 1 << 20;
	profile.frames_max = 20;
	profile.entries_max = 200;
	return &profile;
}

/* The first object of a job. */
static inline void
fuzz_detox(const struct detox_format *f, const uint8_t *p, size_t n)
{
	static struct detox d;
	const struct detox_object o = { .content = { p, n } };
	struct detox_output out = { 0 };

	detox_init(&d, fuzz_profile());
	d.depth = 1;
	buf_init(&out.content, d.profile->out_max);
	if (f->takes == NULL || f->takes(&o))
		must(f->rebuild(&d, &o, &out) == DETOX_REBUILT ||
		    detox_is_over(&d) || out.content.n < d.profile->out_max);
	buf_release(&out.content);
	detox_release(&d);
}

#define FUZZ_DETOX(format)                                      \
	int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n); \
                                                                \
	int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)  \
	{                                                       \
		fuzz_detox(&(format), p, n);                    \
		return 0;                                       \
	}
