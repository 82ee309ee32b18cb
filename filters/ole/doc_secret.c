/* SPDX-License-Identifier: Apache-2.0 */
/* doc_secret: a document with a password ([MS-DOC] 2.2.6): all of its streams
 * are encrypted but the head's beginning, and what stands before the table and
 * says how. */
#include "filters/ole/doc.h"
#include "filters/ole/le.h"
#include "filters/ole/old_secret.h"
#include "filters/ole/old_xor.h"

#define BLOCK 512
#define PLAIN 68 /* of the head */
#define FLAGS 0x0a
#define INFO 0x0e /* its size, or what a mask is known by */

/* What was never encrypted is again what it was, but for what says how. */
static void
put_head_back(struct doc *w, const uint8_t head[PLAIN])
{
	memcpy(w->main.p, head, PLAIN);
	put_le16(w->main.p + FLAGS,
	    le16(head + FLAGS) & (uint16_t) ~(DOC_ENCRYPTED | DOC_OBFUSCATED));
	put_le32(w->main.p + INFO, 0);
}

static void
decrypt(struct doc *w, const struct old_secret *s, size_t info_n)
{
	uint8_t head[PLAIN];

	memcpy(head, w->main.p, PLAIN);
	old_secret_stream(s, BLOCK, w->main.p, w->main.n);
	put_head_back(w, head);
	old_secret_stream(s, BLOCK, w->table_stream.p, w->table_stream.n);
	memset(w->table_stream.p, 0, info_n);
	old_secret_stream(s, BLOCK, w->data.p, w->data.n);
}

static enum detox_result
open_rc4(struct doc *w)
{
	size_t info_n = le32(w->main.p + INFO);
	struct old_secret s;
	enum detox_result result;

	if (info_n > w->table_stream.n)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "how it is encrypted is not said");
	result =
	    old_secret_open(w->d, (struct bytes){ w->table_stream.p, info_n },
		"a document", NULL, &s);
	if (result == DETOX_REBUILT)
		decrypt(w, &s, info_n);
	explicit_bzero(&s, sizeof(s));
	return result;
}

/* [MS-OFFCRYPTO] 2.3.7.6: no byte is hidden as zero, nor is zero hidden. */
static void
uncover(struct buf *b, const uint8_t mask[OLD_XOR_MASK])
{
	for (size_t i = 0; i < b->n; i++) {
		uint8_t c = b->p[i] ^ mask[i % OLD_XOR_MASK];

		if (b->p[i] != 0 && c != 0)
			b->p[i] = c;
	}
}

static enum detox_result
open_xor(struct doc *w)
{
	uint8_t mask[OLD_XOR_MASK], head[PLAIN];
	const uint8_t *info = w->main.p + INFO;
	enum detox_result result = old_xor_open(
	    w->d, le16(info + 2), le16(info), "a document", NULL, mask);

	if (result == DETOX_REBUILT) {
		memcpy(head, w->main.p, PLAIN);
		uncover(&w->main, mask);
		put_head_back(w, head);
		uncover(&w->table_stream, mask);
		uncover(&w->data, mask);
	}
	explicit_bzero(mask, sizeof(mask));
	return result;
}

enum detox_result
doc_open(struct doc *w)
{
	unsigned flags = le16(w->main.p + FLAGS);

	if ((flags & DOC_ENCRYPTED) == 0)
		return DETOX_REBUILT;
	if (w->old)
		return detox_refuse(w->d, REFUSED_ENCRYPTED,
		    "a document of Word 6 or 95 with a password");
	return (flags & DOC_OBFUSCATED) != 0 ? open_xor(w) : open_rc4(w);
}
