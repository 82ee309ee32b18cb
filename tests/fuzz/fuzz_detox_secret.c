/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The one stream, and behind its length the other; few rounds of hashing. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct detox_profile profile;
	static struct detox d;
	struct bytes info, package = { p, n };
	struct buf out;
	struct err e;

	if (profile.name == NULL) {
		must(detox_prepare(&e) == 0);
		detox_profile_init(&profile);
	}
	if (n < 2 || memmem(p, n, "000", 3) != NULL)
		return 0; /* hashed too often */
	bytes_take(&package, 2);
	info = bytes_take(&package, (size_t)(p[0] << 8 | p[1]));
	detox_init(&d, &profile);
	if (secret_open(&d, info, package, &out) == DETOX_REFUSED)
		must(detox_is_over(&d));
	buf_release(&out);
	detox_release(&d);
	return 0;
}
