/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/err.h"

#include <stdarg.h>
#include <stdio.h>

int
err_set(struct err *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	return -1;
}
