/* SPDX-License-Identifier: Apache-2.0 */
/* leaf: parts that are files of their own: pictures, documents within the
 * document, fonts. What comes out says what it is; the names do not. */
#include <ctype.h>
#include <zlib.h>

#include "filters/ooxml/inside.h"

#define OFFICE "application/vnd.openxmlformats-officedocument."

static const struct {
	enum magic_type type;
	const char *extension;
	const char *content_type;
} pictures[] = {
	{ MAGIC_PNG, "png", "image/png" },
	{ MAGIC_JPEG, "jpeg", "image/jpeg" },
	{ MAGIC_GIF, "gif", "image/gif" },
	{ MAGIC_BMP, "bmp", "image/bmp" },
	{ MAGIC_TIFF, "tiff", "image/tiff" },
	{ MAGIC_WEBP, "webp", "image/webp" },
	{ MAGIC_SVG, "svg", "image/svg+xml" },
};

static const struct {
	const char *extension;
	const char *content_type;
} documents[] = {
	{ "docx", OFFICE "wordprocessingml.document" },
	{ "dotx", OFFICE "wordprocessingml.template" },
	{ "xlsx", OFFICE "spreadsheetml.sheet" },
	{ "xltx", OFFICE "spreadsheetml.template" },
	{ "pptx", OFFICE "presentationml.presentation" },
	{ "potx", OFFICE "presentationml.template" },
	{ "ppsx", OFFICE "presentationml.slideshow" },
};

static bool
is_plain(const char *name)
{
	for (; *name != '\0'; name++)
		if (!isalnum((uint8_t)*name) && strchr("/._-", *name) == NULL)
			return false;
	return true;
}

void
name_part(struct ooxml *x, struct part *p, const char *extension)
{
	struct bytes own = detox_extension(bytes_of(p->name));
	const char *slash = strrchr(p->name, '/');
	int folder_n = slash == NULL ? 0 : (int)(slash - p->name) + 1;

	p->out_name = p->name;
	if (is_plain(p->name) &&
	    (extension == NULL ? bytes_equal(own, BYTES("xml")) ||
			bytes_equal(own, BYTES("vml"))
			       : bytes_equal(own, bytes_of(extension))))
		return;
	if (!is_plain(p->name))
		folder_n = 0;
	do
		p->out_name = arena_printf(&x->d->arena, "%.*spart%zu.%s",
		    folder_n, p->name, ++x->renamed,
		    extension == NULL ? "xml" : extension);
	while (part_find(x, p->out_name) != NULL);
}

/* Metafiles are often packed once more (.emz, .wmz). */
static enum detox_result
gunzip(struct ooxml *x, struct bytes in, struct buf *out)
{
	z_stream z = { .avail_in = (uInt)in.n };
	enum detox_result result = DETOX_REFUSED;
	int status = Z_OK;

	buf_init(out, x->d->profile->out_max);
	z.next_in = (Bytef *)(uintptr_t)in.p;
	if (in.n > UINT32_MAX || inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return DETOX_REFUSED;
	while (status == Z_OK) {
		if (buf_reserve(out, 1 << 16) < 0 ||
		    detox_unpacked(x->d, 1 << 16, 0) == DETOX_REFUSED)
			goto end;
		z.next_out = out->p + out->n;
		z.avail_out = 1 << 16;
		status = inflate(&z, Z_NO_FLUSH);
		out->n += (1 << 16) - z.avail_out;
		if (z.avail_out > 0 && z.avail_in == 0)
			break;
	}
	if (status == Z_STREAM_END)
		result = DETOX_REBUILT;
end:
	inflateEnd(&z);
	return result;
}

static void
name_metafile(struct ooxml *x, struct part *p, struct bytes content)
{
	bool emf = content.n > 44 && memcmp(content.p + 40, " EMF", 4) == 0;

	name_part(x, p, emf ? "emf" : "wmf");
	p->content_type = emf ? "image/x-emf" : "image/x-wmf";
}

/* Whether it is a picture that office programs show. */
static bool
name_picture(struct ooxml *x, struct part *p, struct bytes content)
{
	enum magic_type t = magic_type_of(content, true);

	if (t == MAGIC_METAFILE) {
		name_metafile(x, p, content);
		return true;
	}
	for (size_t i = 0; i < COUNT(pictures); i++)
		if (pictures[i].type == t) {
			p->content_type = pictures[i].content_type;
			p->stored = t != MAGIC_BMP && t != MAGIC_SVG;
			/* jpg is written as often. */
			name_part(x, p,
			    t == MAGIC_JPEG &&
				    bytes_equal(
					detox_extension(bytes_of(p->name)),
					BYTES("jpg"))
				? "jpg"
				: pictures[i].extension);
			return true;
		}
	return false;
}

static bool
name_document(struct ooxml *x, struct part *p, const char *extension)
{
	for (size_t i = 0; extension != NULL && i < COUNT(documents); i++)
		if (strcmp(documents[i].extension, extension) == 0) {
			p->content_type = documents[i].content_type;
			p->stored = true;
			name_part(x, p, extension);
			return true;
		}
	return false;
}

static enum detox_result
take_inside(struct ooxml *x, struct part *p, struct bytes content)
{
	/* Its name is for nobody to read, and says nothing: pictures are often
	 * of another kind than theirs. */
	const struct detox_object o = { .content = content };
	struct detox_output out = { 0 };
	unsigned levels = p->kind->treatment == TREAT_OBJECT ? 2 : 1;
	bool good;

	/* Too deep (a document has pictures in turn), it is left out, for the
	 * document without it is worth more than none. */
	if (x->d->depth + levels > x->d->profile->depth_max) {
		part_drop(x, p, p->kind->what);
		return detox_is_over(x->d) ? DETOX_REFUSED : DETOX_REBUILT;
	}
	/* Refused, it was told of there. */
	if (detox_inside(x->d, p->name, &o, &out) == DETOX_REFUSED) {
		buf_release(&out.content);
		p->state = PART_DROPPED;
		p->reported = true;
		return detox_is_over(x->d) ? DETOX_REFUSED : DETOX_REBUILT;
	}
	good = p->kind->treatment == TREAT_IMAGE
	    ? name_picture(x, p, buf_bytes(&out.content))
	    : name_document(x, p, out.extension);
	if (good) {
		p->content = out.content;
		return DETOX_REBUILT;
	}
	buf_release(&out.content);
	part_drop(x, p, p->kind->what);
	return detox_is_over(x->d) ? DETOX_REFUSED : DETOX_REBUILT;
}

static uint32_t
big(struct bytes b, size_t at)
{
	return (uint32_t)b.p[at] << 24 | (uint32_t)b.p[at + 1] << 16 |
	    (uint32_t)b.p[at + 2] << 8 | b.p[at + 3];
}

/*
 * A TrueType or OpenType font whose first 32 bytes are disguised (ECMA-376 part
 * 4, section 2.8.1): what follows of its list of tables tells. Its third row
 * begins at 44.
 */
static bool
is_odttf(struct bytes b)
{
	size_t rows = 0;
	uint32_t last = 0;

	for (size_t at = 44; at + 16 <= b.n; at += 16) {
		uint32_t tag = big(b, at), offset = big(b, at + 8),
			 n = big(b, at + 12);

		if (tag <= last || (tag & 0x80808080) != 0 ||
		    (tag & 0x60000000) == 0 || offset > b.n || n > b.n - offset)
			break;
		last = tag;
		rows++;
	}
	return rows >= 3;
}

/* Embedded OpenType: it says its own size (W3C EOT section 3). */
static bool
is_eot(struct bytes b)
{
	return b.n > 36 && b.p[34] == 'L' && b.p[35] == 'P' &&
	    ((size_t)b.p[0] | (size_t)b.p[1] << 8 | (size_t)b.p[2] << 16 |
		(size_t)b.p[3] << 24) == b.n;
}

static enum detox_result
take_font(struct ooxml *x, struct part *p, struct bytes content)
{
	bool odttf = is_odttf(content);

	if (x->d->profile->strict || (!odttf && !is_eot(content))) {
		part_drop(x, p, REMOVED_FONT);
		return DETOX_REBUILT;
	}
	name_part(x, p, odttf ? "odttf" : "fntdata");
	p->content_type =
	    odttf ? OFFICE "obfuscatedFont" : "application/x-fontdata";
	buf_init(&p->content, x->d->profile->out_max);
	if (buf_append(&p->content, content) < 0)
		return detox_refuse(x->d, REFUSED_SIZE, "a font is too large");
	return DETOX_REBUILT;
}

enum detox_result
leaf_take(struct ooxml *x, struct part *p)
{
	struct buf content = { 0 }, unpacked = { 0 };
	struct bytes b;
	enum detox_result result = DETOX_REFUSED;

	if (package_read(x->d, x->package, p->entry, &content) == DETOX_REFUSED)
		goto end;
	b = buf_bytes(&content);
	if (p->kind->treatment == TREAT_FONT) {
		result = take_font(x, p, b);
		goto end;
	}
	if (p->kind->treatment == TREAT_IMAGE &&
	    bytes_start_with(b, BYTES("\x1f\x8b")) &&
	    gunzip(x, b, &unpacked) == DETOX_REBUILT)
		b = buf_bytes(&unpacked);
	if (!detox_is_over(x->d))
		result = take_inside(x, p, b);
end:
	buf_release(&unpacked);
	buf_release(&content);
	return result;
}
