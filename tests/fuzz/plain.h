/* SPDX-License-Identifier: Apache-2.0 */
/* plain: fuzzes texts by name; what comes out is its own rebuilding. */
#pragma once

#include "filters/plain/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static inline bool
fuzz_plain_once(
    const char *name, struct bytes content, struct detox_output *out)
{
	static struct detox_profile profile;
	static struct detox d;
	const struct detox_object o = { .content = content,
		.name = bytes_of(name) };
	enum detox_result result;
	struct err e;

	if (profile.name == NULL) {
		must(detox_prepare(&e) == 0);
		detox_profile_init(&profile);
		profile.out_max = 1 << 20;
	}
	detox_init(&d, &profile);
	d.depth = 1;
	buf_init(&out->content, profile.out_max);
	result = plain_format.rebuild(&d, &o, out);
	must(result == DETOX_REBUILT || detox_is_over(&d));
	detox_release(&d);
	return result == DETOX_REBUILT;
}

static inline void
fuzz_plain(const char *name, const uint8_t *p, size_t n)
{
	struct detox_output once = { 0 };
	struct detox_output twice = { 0 };

	if (fuzz_plain_once(name, (struct bytes){ p, n }, &once)) {
		must(fuzz_plain_once(name, buf_bytes(&once.content), &twice));
		must(bytes_equal(
		    buf_bytes(&once.content), buf_bytes(&twice.content)));
	}
	buf_release(&once.content);
	buf_release(&twice.content);
}
