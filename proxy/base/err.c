/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/err.h"

#include <stdarg.h>
#include <string.h>

int
err_set(struct err *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	return -1;
}

int
err_go_on(struct err *e)
{
	if (e->list == NULL || e->list->n == ERRS_MAX)
		return -1;
	/* It may be there already: of a part of what failed now. */
	if (e->text[0] != '\0')
		memcpy(e->list->texts[e->list->n++], e->text, ERR_TEXT_MAX);
	e->text[0] = '\0';
	return 0;
}

void
err_print(const struct err *e, FILE *out)
{
	for (size_t i = 0; e->list != NULL && i < e->list->n; i++)
		fprintf(out, "%s\n", e->list->texts[i]);
	if (e->text[0] != '\0')
		fprintf(out, "%s\n", e->text);
}
