/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/odf/odf.h"
#include "filters/package/package.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The manifest of a package that is encrypted; few rounds of hashing. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct detox_profile profile;
	static struct detox d;
	static const struct detox_passwords one = { { BYTES_ROW("pass1234") },
		1 };
	static const uint8_t noise[64];
	struct package_writer *w;
	struct detox_output in = { 0 }, out = { 0 };
	struct err e;

	if (profile.name == NULL) {
		must(detox_prepare(&e) == 0);
		detox_profile_init(&profile);
		profile.tree_max = profile.out_max = 16 << 20;
	}
	if (memmem(p, n, "000", 3) != NULL)
		return 0; /* hashed too often */
	detox_init(&d, &profile);
	d.passwords = &one;
	buf_init(&in.content, n + 4096);
	buf_init(&out.content, profile.out_max);
	w = package_writer_new();
	must(package_add(&d, w, "content.xml",
		 (struct bytes){ noise, sizeof(noise) },
		 PACKAGE_STORED) == DETOX_REBUILT &&
	    package_add(&d, w, "META-INF/manifest.xml", (struct bytes){ p, n },
		PACKAGE_STORED) == DETOX_REBUILT &&
	    package_finish(&d, w, &in) == DETOX_REBUILT);
	package_writer_free(w);
	must(odf_format.rebuild(&d,
		 &(const struct detox_object){
		     .content = buf_bytes(&in.content) },
		 &out) == DETOX_REFUSED);
	must(detox_is_over(&d));
	buf_release(&in.content);
	buf_release(&out.content);
	detox_release(&d);
	return 0;
}
