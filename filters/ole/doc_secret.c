/* SPDX-License-Identifier: Apache-2.0 */
/* doc_secret: a document with a password ([MS-DOC] 2.2.6): all of its streams
 * are encrypted but the head's beginning, and what stands before the table and
 * says how. */
#include "filters/ole/doc.h"
#include "filters/ole/le.h"
#include "filters/ole/old_secret.h"

#define BLOCK 512
#define PLAIN 68 /* of the head */
#define FLAGS 0x0a
#define INFO_SIZE 0x0e

static void
decrypt(struct doc *w, const struct old_secret *s, size_t info_n)
{
	uint8_t head[PLAIN];

	memcpy(head, w->main.p, PLAIN);
	old_secret_stream(s, BLOCK, w->main.p, w->main.n);
	memcpy(w->main.p, head, PLAIN);
	put_le16(w->main.p + FLAGS,
	    le16(head + FLAGS) & (uint16_t) ~(DOC_ENCRYPTED | DOC_OBFUSCATED));
	put_le32(w->main.p + INFO_SIZE, 0);
	old_secret_stream(s, BLOCK, w->table_stream.p, w->table_stream.n);
	memset(w->table_stream.p, 0, info_n);
	old_secret_stream(s, BLOCK, w->data.p, w->data.n);
}

enum detox_result
doc_open(struct doc *w)
{
	unsigned flags = le16(w->main.p + FLAGS);
	size_t info_n = le32(w->main.p + INFO_SIZE);
	struct old_secret s;
	enum detox_result result;

	if ((flags & DOC_ENCRYPTED) == 0)
		return DETOX_REBUILT;
	if (w->old || (flags & DOC_OBFUSCATED) != 0)
		return detox_refuse(w->d, REFUSED_ENCRYPTED,
		    "a document with a password, obfuscated");
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
