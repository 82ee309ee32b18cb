/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/base64.h"

#include <openssl/evp.h>

#define LINE ((size_t)768) /* bytes at once; they come to whole characters */

static int
add_letters(struct bytes text, struct buf *out)
{
	while (text.n > 0) {
		size_t n = 0;

		while (n < text.n && text.p[n] > ' ')
			n++;
		if (buf_append(out, bytes_take(&text, n)) < 0)
			return -1;
		while (text.n > 0 && text.p[0] <= ' ')
			bytes_take(&text, 1);
	}
	return 0;
}

int
base64_decode(struct bytes text, struct buf *out)
{
	size_t begin = out->n;
	size_t fill;
	int n;

	if (text.n > INT32_MAX / 2 || add_letters(text, out) < 0)
		return -1;
	while (out->n > begin && out->p[out->n - 1] == '=')
		out->n--;
	fill = (4 - (out->n - begin) % 4) % 4;
	if (out->n == begin || fill > 2 ||
	    buf_append(out, (struct bytes){ (const uint8_t *)"==", fill }) < 0)
		return -1;
	/* It reads ahead of where it writes. */
	n = EVP_DecodeBlock(
	    out->p + begin, out->p + begin, (int)(out->n - begin));
	if (n < (int)fill)
		return -1;
	out->n = begin + (size_t)n - fill;
	return 0;
}

int
base64_encode(struct bytes b, struct buf *out)
{
	while (b.n > 0) {
		uint8_t text[LINE / 3 * 4 + 1];
		struct bytes part = bytes_take(&b, b.n < LINE ? b.n : LINE);
		int n = EVP_EncodeBlock(text, part.p, (int)part.n);

		if (buf_append(out, (struct bytes){ text, (size_t)n }) < 0)
			return -1;
	}
	return 0;
}
