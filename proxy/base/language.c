/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/language.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/macros.h"

bool
language_is_japanese(void)
{
	const char *names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	for (size_t i = 0; i < COUNT(names); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return strncmp(value, "ja", 2) == 0;
	}
	return false;
}
