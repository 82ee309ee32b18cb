/* SPDX-License-Identifier: Apache-2.0 */
/* manifest: META-INF/manifest.xml of what was kept (OpenDocument 1.3 part 2,
 * 3.2). */
#include "filters/odf/inside.h"

#define SPACE "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
#define MANIFEST_MAX (16 << 20)

/* For an attribute; names have no controls. */
static int
put_escaped(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		const char *reference = *text == '&' ? "&amp;"
		    : *text == '<'                   ? "&lt;"
		    : *text == '>'                   ? "&gt;"
		    : *text == '"'                   ? "&quot;"
						     : NULL;
		const struct bytes one = { (const uint8_t *)text, 1 };

		if (reference != NULL ? buf_append_string(b, reference) < 0
				      : buf_append(b, one) < 0)
			return -1;
	}
	return 0;
}

/* version NULL: it has none. */
static int
put_entry(
    struct buf *b, const char *path, const char *media, const char *version)
{
	if (buf_append_string(
		b, " <manifest:file-entry manifest:full-path=\"") < 0 ||
	    put_escaped(b, path) < 0)
		return -1;
	if (version != NULL &&
	    buf_printf(b, "\" manifest:version=\"%s", version) < 0)
		return -1;
	return buf_printf(b, "\" manifest:media-type=\"%s\"/>\n", media);
}

static int
put_parts(const struct odf *o, struct buf *b, const char *version)
{
	size_t n = package_entries(o->package);

	for (size_t i = 0; i < n; i++) {
		const struct odf_part *part = &o->parts[i];

		if (part->name == NULL)
			continue;
		if (part->of != NULL && part->prefix[0] != '\0' &&
		    put_entry(b, part->prefix, part->of, version) < 0)
			return -1;
		if (put_entry(b, part->name, part->media, NULL) < 0)
			return -1;
	}
	return 0;
}

/* Before 1.2 the manifest had no version. */
static const char *
version_of(const struct odf *o)
{
	static const char *const versions[] = { "1.2", "1.3", "1.4" };

	for (size_t i = 0; o->version != NULL && i < COUNT(versions); i++)
		if (strcmp(o->version, versions[i]) == 0)
			return versions[i];
	return NULL;
}

static int
put_manifest(const struct odf *o, struct buf *b)
{
	const char *version = version_of(o);

	if (buf_append_string(b,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<manifest:manifest xmlns:manifest=\"" SPACE "\"") < 0)
		return -1;
	if (version != NULL &&
	    buf_printf(b, " manifest:version=\"%s\"", version) < 0)
		return -1;
	if (buf_append_string(b, ">\n") < 0 ||
	    put_entry(b, "/", o->mimetype, version) < 0 ||
	    put_parts(o, b, version) < 0)
		return -1;
	return buf_append_string(b, "</manifest:manifest>\n");
}

enum detox_result
odf_write_manifest(struct odf *o)
{
	enum detox_result result = DETOX_REFUSED;
	struct buf b;

	buf_init(&b, MANIFEST_MAX);
	if (put_manifest(o, &b) < 0)
		detox_refuse(o->d, REFUSED_SIZE, "its manifest is too large");
	else
		result = package_add(o->d, o->writer, "META-INF/manifest.xml",
		    buf_bytes(&b), PACKAGE_DEFLATED);
	buf_release(&b);
	return result;
}
