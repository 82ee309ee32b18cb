/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/package/package.h"
#include "filters/text/utf8.h"
#include "filters/words/words.h"
#include "tests/fuzz/detox.h"

/* A package that the fuzzer cannot make: its parts, parted by NULs, each a
 * letter that says which it is, and what it holds. */
static void
fill(struct detox *d, struct detox_output *out, struct bytes in)
{
	static const char *const names[] = { "word/document.xml",
		"word/footnotes.xml", "xl/sharedStrings.xml",
		"xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml",
		"ppt/slides/slide1.xml", "content.xml" };
	struct package_writer *w = package_writer_new();
	bool has[COUNT(names)] = { false };

	while (in.n > 0) {
		size_t i = *bytes_take(&in, 1).p % COUNT(names);
		struct bytes part = bytes_take_until(&in, 0);

		if (!has[i])
			must(package_add(d, w, names[i], part,
				 PACKAGE_STORED) == DETOX_REBUILT);
		has[i] = true;
	}
	must(package_finish(d, w, out) == DETOX_REBUILT);
	package_writer_free(w);
}

/* What is taken out is text, which every reader takes for the same. */
static enum detox_result
take(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	enum detox_result result;

	fill(d, out, o->content);
	result = words_of_package(d, out);
	must(
	    result == DETOX_REFUSED || utf8_is_valid(buf_bytes(&out->content)));
	return result;
}

static const struct detox_format words = { .rebuild = take };

FUZZ_DETOX(words)
