/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/person.h"

#include <stdio.h>

#define TOLD_MAX 64

/* Names as systems have them; others are told of as they are not. */
static bool
is_name(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] <= ' ' || b.p[i] > '~' || b.p[i] == '(' ||
		    b.p[i] == ')')
			return false;
	return b.n > 0 && b.n <= TOLD_MAX;
}

int
person_take(struct bytes *in, struct person *out)
{
	struct bytes told;
	uint64_t uid;

	if (bytes_number(bytes_take_until(in, ' '), UINT32_MAX, &uid) < 0)
		return -1;
	told = bytes_take_until(in, ' ');
	if (!is_name(told))
		return -1;
	out->known = uid != 0 || !bytes_equal(told, BYTES("-"));
	if (uid != 0)
		snprintf(out->name, sizeof(out->name), "uid:%llu",
		    (unsigned long long)uid);
	else if (out->known)
		snprintf(out->name, sizeof(out->name), "%.*s(sudo)",
		    BYTES_PRINTF(told));
	else
		snprintf(out->name, sizeof(out->name), "root");
	return 0;
}
