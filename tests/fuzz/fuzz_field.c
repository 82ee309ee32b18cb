/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/dkim.h"
#include "proxy/smtp/field.h"
#include "tests/fuzz/lab.h"

/* Fields are all of a header, in order; an address has a local part and a
 * domain; any header can be hashed. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes head = { p, n };
	uint8_t hash[DKIM_HASH_SIZE];
	struct arena a = { 0 };
	struct mail_address m;
	struct smtp_field f;
	size_t all = 0;

	while (field_take(&head, &f)) {
		struct bytes value = f.value;
		enum field_address what;

		must(f.all.p == p + all && f.all.n > 0);
		all += f.all.n;
		while ((what = field_address_take(&value, &m, &a)) !=
		    FIELD_ADDRESS_NONE)
			must(what == FIELD_ADDRESS_BAD ||
			    (m.local.n > 0 && m.domain.n > 0));
	}
	dkim_hash_head((struct bytes){ p, n }, BYTES("from:to:to:from"),
	    BYTES("DKIM-Signature: b="), hash);
	dkim_hash_body((struct bytes){ p, n }, hash);
	arena_release(&a);
	return 0;
}
