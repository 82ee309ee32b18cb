/* SPDX-License-Identifier: Apache-2.0 */
/* pictures: each is an object of its own, rebuilt by the format that it has. */
#include "filters/odf/inside.h"

static const struct {
	enum magic_type type;
	const char *media;
} kinds[] = {
	{ MAGIC_PNG, "image/png" },
	{ MAGIC_JPEG, "image/jpeg" },
	{ MAGIC_GIF, "image/gif" },
	{ MAGIC_SVG, "image/svg+xml" },
	{ MAGIC_WEBP, "image/webp" },
	{ MAGIC_TIFF, "image/tiff" },
	{ MAGIC_BMP, "image/bmp" },
	{ MAGIC_METAFILE, "image/x-emf" },
};

/* NULL: it is no picture. */
static const char *
media_of(enum magic_type t)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].type == t)
			return kinds[i].media;
	return NULL;
}

bool
odf_is_picture(enum magic_type t)
{
	return media_of(t) != NULL;
}

/* Its own name, or one that says what it became; NULL: that is taken. */
static const char *
name_for(struct odf *o, const char *name, const char *extension, bool changed)
{
	if (!changed || extension == NULL)
		return name;
	name = arena_printf(&o->d->arena, "%s.%s", name, extension);
	return package_find(o->package, name) < 0 ? name : NULL;
}

static enum detox_result
add(struct odf *o, struct odf_part *part, const char *name,
    const struct detox_output *out, enum magic_type before)
{
	struct bytes b = buf_bytes(&out->content);
	enum magic_type t = magic_type_of(b, true);

	part->media = media_of(t);
	name = name_for(o, name, out->extension, t != before);
	if (part->media == NULL || name == NULL)
		return DETOX_REBUILT;
	part->name = name;
	return package_add(o->d, o->writer, name, b,
	    t == MAGIC_SVG || t == MAGIC_BMP || t == MAGIC_METAFILE
		? PACKAGE_DEFLATED
		: PACKAGE_STORED);
}

/* Of a file in a folder of pictures that is none. */
static void
report(struct odf *o, enum magic_type t, const char *name, struct bytes b)
{
	if (b.n == 0)
		return;
	detox_removed(o->d,
	    magic_is_program(t) || detox_name_runs(bytes_of(name))
		? REMOVED_PROGRAM
		: t == MAGIC_VIDEO || t == MAGIC_AUDIO ? REMOVED_MEDIA
						       : REMOVED_UNKNOWN,
	    name, b);
}

static enum detox_result
take_svm(struct odf *o, size_t i, struct bytes content)
{
	const char *name = package_entry(o->package, i)->name;
	enum detox_result result = DETOX_REBUILT;
	struct buf out;

	buf_init(&out, content.n);
	if (odf_rebuild_svm(content, &out)) {
		o->parts[i].name = name;
		o->parts[i].media = "application/x-openoffice-gdimetafile";
		result = package_add(
		    o->d, o->writer, name, buf_bytes(&out), PACKAGE_DEFLATED);
	} else {
		detox_removed(o->d, REMOVED_DAMAGED, name, content);
	}
	buf_release(&out);
	return result;
}

/* Rebuilt by its own format, under its name. */
static enum detox_result
take_inside(struct odf *o, size_t i, struct bytes content, enum magic_type t)
{
	const char *name = package_entry(o->package, i)->name;
	const struct detox_object object = { .content = content };
	enum detox_result result = DETOX_REBUILT;
	struct detox_output out = { 0 };

	if (detox_inside(o->d, name, &object, &out) == DETOX_REBUILT)
		result = add(o, &o->parts[i], name, &out, t);
	else if (detox_is_over(o->d))
		result = DETOX_REFUSED;
	buf_release(&out.content);
	return result;
}

enum detox_result
odf_take_picture(struct odf *o, size_t i)
{
	const char *name = package_entry(o->package, i)->name;
	enum detox_result result = DETOX_REBUILT;
	struct bytes b;
	struct buf content;
	enum magic_type t;

	if (package_read(o->d, o->package, i, &content) == DETOX_REFUSED) {
		buf_release(&content);
		return detox_is_over(o->d) ? DETOX_REFUSED : DETOX_REBUILT;
	}
	b = buf_bytes(&content);
	t = magic_type_of(b, true);
	if (o->d->profile->to_text)
		report(o, t, name, b);
	else if (odf_is_svm(b))
		result = take_svm(o, i, b);
	else if (media_of(t) != NULL)
		result = take_inside(o, i, b, t);
	else
		report(o, t, name, b);
	buf_release(&content);
	return result;
}
