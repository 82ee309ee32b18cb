/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/canary.h"

#include <ctype.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct dlp_canary all[] = {
	{ .name = "a", .number = "121212121212" },
	{ .name = "b", .number = "000112121212" },
	{ .name = "c", .number = "012121212121" },
};

/* Reads the digits back from p[end - 1]. */
static bool
ends_there(const char *number, const uint8_t *p, size_t end)
{
	const size_t zeros = strspn(number, "0");
	size_t left = strlen(number), gap = 0;

	for (; left > zeros && end > 0; end--) {
		uint8_t c = p[end - 1];

		if (c == (uint8_t)number[left - 1]) {
			left--;
			gap = 0;
		} else if (++gap > CANARY_GAP || isalnum(c)) {
			return false;
		}
	}
	return left == zeros;
}

static int
slowly(const uint8_t *p, size_t end)
{
	for (size_t i = 0; isdigit(p[end - 1]) && i < COUNT(all); i++)
		if (ends_there(all[i].number, p, end))
			return (int)i;
	return -1;
}

/* The first byte says where the rest is cut; what is found is what a slower
 * reader finds. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct canaries *c;
	struct canary_roll roll = { 0 };
	struct bytes rest = { p, n };
	size_t cut = n == 0 ? 0 : *bytes_take(&rest, 1).p;

	if (c == NULL)
		c = canaries_new(all, COUNT(all));
	while (rest.n > 0) {
		struct bytes text = bytes_take(&rest, cut > 0 ? cut : rest.n);

		while (text.n > 0) {
			const uint8_t *q = text.p;
			int found = canaries_roll(c, &roll, &text);

			while (++q < text.p)
				must(slowly(p + 1, (size_t)(q - p) - 1) < 0);
			must(slowly(p + 1, (size_t)(q - p) - 1) == found);
		}
		cut = 0;
	}
	return 0;
}
