/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/idn.h"

#include <idn2.h>

int
idn_to_ascii(struct bytes *name, struct arena *a)
{
	char *given = arena_string(a, *name);
	char *ascii = NULL;

	if (idn2_to_ascii_8z(given, &ascii,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return -1;
	*name = arena_copy(a, bytes_of(ascii));
	idn2_free(ascii);
	return 0;
}
