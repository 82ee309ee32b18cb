/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A list in one field is the same as a field for each of its members. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct prefix trusted = { { [10] = 255, 255, 192 }, 104 };
	struct field fields[64], one = { .id = FIELD_X_FORWARDED_FOR };
	const struct message list = { .fields = &one, .fields_n = 1 };
	struct message many = { .fields = fields };
	struct address client = { 0 }, same = { 0 };
	struct bytes text = { p, n };
	ssize_t more = 0;

	for (; more >= 0 && many.fields_n < 64; many.fields_n++) {
		more = bytes_index(text, ',');
		one.value = bytes_trim(bytes_take_until(&text, ','));
		fields[many.fields_n] = one;
	}
	one.value = bytes_trim((struct bytes){ p, n });
	if (more < 0)
		must(forwarded_client(&trusted, 1, &many, &client) ==
			forwarded_client(&trusted, 1, &list, &same) &&
		    address_equal(&client, &same));
	return 0;
}
