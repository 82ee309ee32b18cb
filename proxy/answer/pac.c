/* SPDX-License-Identifier: Apache-2.0 */
/* pac: the proxy auto-configuration file of a body. */
#include "proxy/answer/answer.h"
#include "proxy/base/log.h"

/* The inside of a string of JSON is one of JavaScript too, save for U+2028
 * and U+2029, which ECMAScript allows in strings since 2019; a proxy's name
 * has neither. */
static int
append_string(struct buf *out, const char *value)
{
	char text[6 * 1024];
	ssize_t n = log_escape(text, sizeof(text), bytes_of(value));

	if (n < 0)
		return -1;
	return buf_append(
	    out, (struct bytes){ (const uint8_t *)text, (size_t)n });
}

/*
 * Names without dots are the body's own. No "; DIRECT" follows the proxy: a
 * browser that does not reach it must not go around it.
 */
int
answer_pac(const struct prefecture_settings *p, const struct body *body,
    struct buf *out)
{
	if (buf_printf(out, "// %s\n", body == NULL ? p->code : body->code) <
		0 ||
	    buf_append_string(out,
		"function FindProxyForURL(url, host) {\n"
		"\tif (isPlainHostName(host))\n"
		"\t\treturn \"DIRECT\";\n"
		"\treturn \"") < 0)
		return -1;
	/* Who does not know HTTPS here takes the next. */
	if (p->proxy_tls[0] != '\0' &&
	    (buf_append_string(out, "HTTPS ") < 0 ||
		append_string(out, p->proxy_tls) < 0 ||
		buf_append_string(out, "; ") < 0))
		return -1;
	if (buf_append_string(out, "PROXY ") < 0 ||
	    append_string(out, p->proxy) < 0)
		return -1;
	return buf_append_string(out, "\";\n}\n");
}
