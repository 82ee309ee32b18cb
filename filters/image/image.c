/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/image/image.h"

#include <ctype.h>

#include "filters/image/inside.h"

#define PDF_WITHIN 1024
#define ZIP_END_SIZE 22
#define ZIP_WITHIN (ZIP_END_SIZE + 65535)

/* What others look for anywhere in a file; letters in any case. None of these
 * is so short that a clean picture would have it by chance. */
static const struct bytes words[] = {
	BYTES_ROW("<script"),
	BYTES_ROW("<?php"),
	BYTES_ROW("<html"),
	BYTES_ROW("<iframe"),
	BYTES_ROW("<hta:"),
	BYTES_ROW("Rar!\x1a\7"),
	BYTES_ROW("7z\xbc\xaf\x27\x1c"),
};

enum detox_result
image_part(struct detox *d, unsigned *parts)
{
	if (++*parts > IMAGE_PARTS_MAX)
		return detox_refuse(d, REFUSED_BROKEN,
		    "a picture of more than %u parts", IMAGE_PARTS_MAX);
	return DETOX_REBUILT;
}

/* The word whose first letter stands at p, which more than its length is
 * behind. */
static bool
is_word(const uint8_t *p, struct bytes word)
{
	for (size_t i = 0; i < word.n; i++)
		if (tolower(p[i]) != tolower(word.p[i]))
			return false;
	return true;
}

static bool
has_word(struct bytes b, struct bytes word)
{
	const uint8_t *p;

	while (b.n >= word.n &&
	    (p = memchr(b.p, word.p[0], b.n - word.n + 1)) != NULL) {
		if (is_word(p, word))
			return true;
		bytes_take(&b, (size_t)(p - b.p) + 1);
	}
	return false;
}

/* An end of a ZIP file that points at its directory (APPNOTE 4.3.16). */
static bool
ends_zip(struct bytes b, size_t at)
{
	size_t directory = image_little(b, at + 12, 4);

	return image_little(b, at, 4) == 0x06054b50 &&
	    image_little(b, at + 10, 2) > 0 && directory <= at &&
	    image_little(b, at - directory, 4) == 0x02014b50;
}

static bool
has_zip(struct bytes b)
{
	size_t from = b.n > ZIP_WITHIN ? b.n - ZIP_WITHIN : 0;

	for (size_t at = from; at + ZIP_END_SIZE <= b.n; at++)
		if (b.p[at] == 'P' && ends_zip(b, at))
			return true;
	return false;
}

enum detox_result
image_judge(struct detox *d, enum detox_result result,
    const struct detox_output *output)
{
	const struct bytes out = buf_bytes(&output->content);
	const struct bytes begin = { out.p,
		out.n < PDF_WITHIN ? out.n : PDF_WITHIN };

	if (result == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (has_zip(out) || has_word(begin, BYTES("%PDF-")))
		return detox_refuse(d, REFUSED_POLYGLOT,
		    "a picture whose data is another file too");
	for (size_t i = 0; i < COUNT(words); i++)
		if (has_word(out, words[i]))
			return detox_refuse(d, REFUSED_POLYGLOT,
			    "a picture whose data is a program too");
	return DETOX_REBUILT;
}
