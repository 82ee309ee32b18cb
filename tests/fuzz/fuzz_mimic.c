/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "proxy/base/address.h"
#include "proxy/keysmith/mimic.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whatever certificate an origin shows, its names are fit to be signed. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes names[LEAF_NAMES_MAX];
	struct address address;
	struct arena a = { 0 };
	X509 *x = d2i_X509(NULL, &p, (long)n);
	size_t count = x == NULL ? 0 : mimic_names(x, names, COUNT(names), &a);

	for (size_t i = 0; i < count; i++)
		must(mimic_name_fits(names[i]) ||
		    address_parse(&address, names[i]) == 0);
	arena_release(&a);
	X509_free(x);
	ERR_clear_error();
	return 0;
}
