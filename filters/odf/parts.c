/* SPDX-License-Identifier: Apache-2.0 */
/* parts: what each entry of the package is. */
#include "filters/odf/inside.h"

/* Folders of which nothing stays, wherever they are. */
static const struct {
	const char *name;
	enum detox_removal what;
} folders[] = {
	{ "Basic", REMOVED_MACRO },
	{ "Configurations2", REMOVED_CUSTOM },
	{ "Dialogs", REMOVED_MACRO },
	{ "Fonts", REMOVED_FONT },
	{ "META-INF", REMOVED_SIGNATURE },
	{ "Scripts", REMOVED_SCRIPT },
	{ "Thumbnails", REMOVED_PREVIEW },
	{ "Versions", REMOVED_CUSTOM },
};

/* Parts that stay out, of any document. */
static const struct {
	const char *name;
	enum detox_removal what;
} files[] = {
	{ "VersionList.xml", REMOVED_CUSTOM },
	{ "layout-cache", REMOVED_PREVIEW },
	{ "manifest.rdf", REMOVED_METADATA },
};

/* What writers of this format and Microsoft's call folders of pictures. */
static const char *const picture_folders[] = { "Pictures/", "media/", "Media/",
	"ObjectReplacements/" };

static const char *const documents[] = { "content.xml", "styles.xml",
	"settings.xml", "meta.xml" };

/* The folder of a path, with its '/'. */
static struct bytes
folder_of(const char *name)
{
	const char *end = strrchr(name, '/');

	return (struct bytes){ (const uint8_t *)name,
		end == NULL ? 0 : (size_t)(end - name) + 1 };
}

bool
odf_has_document(const struct odf *o, struct bytes folder)
{
	char name[1024 + sizeof("content.xml")];

	/* A template of styles alone has nothing else. */
	if (folder.n == 0 && package_find(o->package, "styles.xml") >= 0)
		return true;
	if (folder.n > 1024)
		return false;
	snprintf(name, sizeof(name), "%.*scontent.xml", BYTES_PRINTF(folder));
	return package_find(o->package, name) >= 0;
}

/* True: *what_out. */
static bool
is_in_dropped_folder(const char *name, enum detox_removal *what_out)
{
	struct bytes rest = folder_of(name);

	while (rest.n > 0) {
		struct bytes part = bytes_take_until(&rest, '/');

		for (size_t i = 0; i < COUNT(folders); i++)
			if (bytes_equal_nocase(
				part, bytes_of(folders[i].name))) {
				*what_out = folders[i].what;
				return true;
			}
	}
	return false;
}

static bool
is_document(const struct odf *o, const char *name)
{
	struct bytes folder = folder_of(name);

	for (size_t i = 0; i < COUNT(documents); i++)
		if (strcmp(name + folder.n, documents[i]) == 0)
			return odf_has_document(o, folder);
	return false;
}

static bool
is_picture(const struct odf *o, const char *name)
{
	struct bytes folder = folder_of(name);

	for (size_t i = 0; i < COUNT(picture_folders); i++)
		if (bytes_end_with(folder, bytes_of(picture_folders[i]))) {
			folder.n -= strlen(picture_folders[i]);
			return odf_has_document(o, folder);
		}
	return false;
}

static enum detox_removal
unknown_kind(const char *name, struct bytes content)
{
	enum magic_type t = magic_type_of(content, true);

	for (size_t i = 0; i < COUNT(files); i++)
		if (strcmp(name + folder_of(name).n, files[i].name) == 0)
			return files[i].what;
	if (magic_is_program(t) || detox_name_runs(bytes_of(name)))
		return REMOVED_PROGRAM;
	return t == MAGIC_OLE2 || t == MAGIC_OOXML || t == MAGIC_ODF
	    ? REMOVED_OBJECT
	    : REMOVED_UNKNOWN;
}

/* Reports an entry that stays out, unless there is nothing in it. */
static enum detox_result
leave_out(struct odf *o, size_t i)
{
	const char *name = package_entry(o->package, i)->name;
	enum detox_removal what = REMOVED_UNKNOWN;
	bool known = is_in_dropped_folder(name, &what);
	struct buf content;

	if (package_read(o->d, o->package, i, &content) == DETOX_REFUSED) {
		buf_release(&content);
		return detox_is_over(o->d) ? DETOX_REFUSED : DETOX_REBUILT;
	}
	if (!known)
		what = unknown_kind(name, buf_bytes(&content));
	if (content.n > 0)
		detox_removed(o->d, what, name, buf_bytes(&content));
	buf_release(&content);
	return DETOX_REBUILT;
}

static bool
is_read_elsewhere(const char *name)
{
	return strcmp(name, "mimetype") == 0 ||
	    strcmp(name, "META-INF/manifest.xml") == 0;
}

enum detox_result
odf_take_parts(struct odf *o)
{
	size_t n = package_entries(o->package);

	o->parts = ARENA_ARRAY(&o->d->arena, struct odf_part, n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct package_entry *e = package_entry(o->package, i);
		struct odf_part *part = &o->parts[i];
		enum detox_removal what;
		enum detox_result result = DETOX_REBUILT;

		if (e->folder || is_read_elsewhere(e->name))
			continue;
		part->prefix = arena_string(&o->d->arena, folder_of(e->name));
		if (is_in_dropped_folder(e->name, &what)) {
			result = leave_out(o, i);
		} else if (is_document(o, e->name)) {
			part->is_document = true;
			part->name = e->name;
			part->media = "text/xml";
		} else if (is_picture(o, e->name)) {
			result = odf_take_picture(o, i);
		} else {
			result = leave_out(o, i);
		}
		if (result == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	return DETOX_REBUILT;
}
