/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/archive/pack.h"

/* More than a person reads; all of it is in the report. */
#define NOTICE_MAX ((size_t)256 << 10)

/* Notepad of older Windows knows UTF-8 by its mark. */
static const char notice_head[] =
    "\xef\xbb\xbf"
    "次の項目は無害化できないため取り除きました。\r\n"
    "The following entries could not be made harmless and were left out.\r\n"
    "\r\n";

/* What systems put into archives for themselves. desktop.ini shows a picture
 * from wherever it says. */
static const char *const litter[] = { ".DS_Store", "Thumbs.db", "ehthumbs.db",
	"desktop.ini" };

void
pack_init(struct pack *p)
{
	*p = (struct pack){ .writer = package_writer_new() };
	buf_init(&p->notice, NOTICE_MAX);
}

void
pack_release(struct pack *p)
{
	package_writer_free(p->writer);
	p->writer = NULL;
	buf_release(&p->notice);
}

void
pack_left_out(struct pack *p, const struct name *n, const char *const why[2])
{
	const struct bytes head = { (const uint8_t *)notice_head,
		sizeof(notice_head) - 1 };

	/* What finds no room is in the report. */
	if ((p->notice.n == 0 && buf_append(&p->notice, head) < 0) ||
	    buf_printf(&p->notice, "%s: %s (%s)\r\n", n->path, why[0], why[1]) <
		0)
		return;
}

/* A name of ours, or with what we changed of it, is reported. */
static enum detox_result
add(struct detox *d, struct pack *p, const struct name *n, struct bytes content)
{
	bool fresh = false;
	const char *path = names_take(d, &p->names, n, &fresh);
	struct name other = *n;

	if (path == NULL)
		return DETOX_REFUSED;
	must(n->path != NULL);
	if (n->changed || strcmp(path, n->path) != 0)
		detox_removed(d, REMOVED_NAME, path, (struct bytes){ 0 });
	if (n->folder && !fresh)
		return DETOX_REBUILT;
	other.path = n->folder ? arena_printf(&d->arena, "%s/", path) : path;
	return package_add(d, p->writer, other.path, content, PACKAGE_SQUEEZED);
}

static bool
is_litter(const char *path)
{
	const char *last = strrchr(path, '/');
	struct bytes name = bytes_of(last == NULL ? path : last + 1);

	if (strcmp(path, "__MACOSX") == 0 ||
	    bytes_start_with(bytes_of(path), BYTES("__MACOSX/")) ||
	    bytes_start_with(name, BYTES("._")))
		return true;
	for (size_t i = 0; i < COUNT(litter); i++)
		if (bytes_equal_nocase(name, bytes_of(litter[i])))
			return true;
	return false;
}

enum detox_result
pack_folder(struct detox *d, struct pack *p, const struct name *n)
{
	struct bytes end = detox_extension(bytes_of(n->path));

	if (n->path[0] == '\0' || is_litter(n->path))
		return DETOX_REBUILT;
	/* The number of a class; some archives do not say in the name that it
	 * is a folder. */
	if (end.n > 0 && end.p[0] == '{') {
		detox_removed(d, REMOVED_NAME, n->path, (struct bytes){ 0 });
		return DETOX_REBUILT;
	}
	return add(d, p, n, (struct bytes){ 0 });
}

/* The name with the extension of what came out. "a.tar.gz" becomes "a.zip". */
static void
rename_to(struct detox *d, struct name *n, const char *extension)
{
	struct bytes path = bytes_of(n->path);
	struct bytes old = detox_extension(path);

	if (extension == NULL || bytes_equal_nocase(old, bytes_of(extension)))
		return;
	if (old.n > 0)
		path.n -= old.n + 1;
	if (strcmp(extension, "zip") == 0 && path.n > 4 &&
	    bytes_equal_nocase(
		(struct bytes){ path.p + path.n - 4, 4 }, BYTES(".tar")))
		path.n -= 4;
	n->path =
	    arena_printf(&d->arena, "%.*s.%s", BYTES_PRINTF(path), extension);
}

/* Of nothing there is nothing to rebuild. */
static enum detox_result
rebuild(struct detox *d, const struct name *n, struct bytes content,
    struct detox_output *out)
{
	const struct detox_object o = { .content = content,
		.name = bytes_of(n->path) };

	if (content.n > 0 || detox_name_runs(o.name))
		return detox_inside(d, n->path, &o, out);
	return DETOX_REBUILT;
}

enum detox_result
pack_file(
    struct detox *d, struct pack *p, const struct name *n, struct bytes content)
{
	struct detox_output out = { 0 };
	enum detox_result result = DETOX_REBUILT;
	struct name other = *n;

	if (is_litter(n->path)) {
		detox_removed(d, REMOVED_METADATA, n->path, content);
		return DETOX_REBUILT;
	}
	if (rebuild(d, n, content, &out) == DETOX_REBUILT) {
		rename_to(d, &other, out.extension);
		other.ours = n->ours || other.path != n->path;
		result = add(d, p, &other, buf_bytes(&out.content));
	} else if (detox_is_over(d)) {
		result = DETOX_REFUSED;
	} else {
		pack_left_out(p, n, detox_refusal_words[out.left_out].text);
	}
	buf_release(&out.content);
	return result;
}

/* By a name that no entry has. */
static enum detox_result
add_notice(struct detox *d, struct pack *p)
{
	const struct name n = { .path = PACK_NOTICE, .ours = true };
	bool fresh;
	const char *path = names_take(d, &p->names, &n, &fresh);

	if (path == NULL)
		return DETOX_REFUSED;
	return package_add(
	    d, p->writer, path, buf_bytes(&p->notice), PACKAGE_SQUEEZED);
}

enum detox_result
pack_finish(struct detox *d, struct pack *p, struct detox_output *out)
{
	if (p->notice.n > 0 && add_notice(d, p) == DETOX_REFUSED)
		return DETOX_REFUSED;
	out->extension = "zip";
	return package_finish(d, p->writer, out);
}
