/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "filters/rtf/rebuild.h"

void
emit(struct rtf *r, struct bytes b)
{
	r->need_space = false;
	if (buf_append(r->out, b) == 0)
		return;
	r->over = true;
	(void)detox_refuse(
	    r->d, REFUSED_SIZE, "more than %zu bytes come out", r->out->max);
}

void
emit_word(struct rtf *r, const char *name, bool has_param, int32_t param)
{
	char text[LEX_NAME_MAX + 16];

	if (has_param)
		snprintf(text, sizeof(text), "\\%s%ld", name, (long)param);
	else
		snprintf(text, sizeof(text), "\\%s", name);
	emit(r, bytes_of(text));
	r->need_space = true;
}

void
emit_text(struct rtf *r, struct bytes plain)
{
	if (r->need_space)
		emit(r, BYTES(" "));
	emit(r, plain);
}

void
emit_byte(struct rtf *r, uint8_t byte)
{
	char text[8];

	snprintf(text, sizeof(text), "\\'%02x", byte);
	emit(r, bytes_of(text));
}

void
emit_unicode(struct rtf *r, uint32_t c)
{
	char text[16];
	long value = c >= 0x8000 && c < 0x10000 ? (long)c - 0x10000 : (long)c;

	snprintf(text, sizeof(text), "\\u%ld?", value);
	emit(r, bytes_of(text));
}
