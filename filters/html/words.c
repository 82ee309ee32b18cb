/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/words.h"

#include <ctype.h>

bool
words_have(const char *list, struct bytes word)
{
	char text[WORDS_MAX + 3] = " ";

	if (word.n == 0 || word.n > WORDS_MAX)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] <= ' ')
			return false;
		text[i + 1] = (char)tolower(word.p[i]);
	}
	text[word.n + 1] = ' ';
	return strstr(list, text) != NULL;
}
