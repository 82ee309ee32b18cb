/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/archive/name.h"

#include "filters/text/convert.h"
#include "filters/text/utf8.h"

#define EXTENSION_MAX 16 /* kept when a name is cut */

/* Characters that are not seen, or that turn what is seen around: they leave
 * a name. Controls and what is no character become '_' instead. */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0xad, 0xad },       /* soft hyphen */
	{ 0x34f, 0x34f },     /* grapheme joiner */
	{ 0x61c, 0x61c },     /* Arabic letter mark */
	{ 0x115f, 0x1160 },   /* Hangul fillers */
	{ 0x17b4, 0x17b5 },   /* Khmer vowels without a shape */
	{ 0x180b, 0x180f },   /* Mongolian selectors */
	{ 0x200b, 0x200f },   /* no width; direction marks */
	{ 0x2028, 0x202e },   /* separators of lines; embeddings, overrides */
	{ 0x2060, 0x206f },   /* joiners, isolates, deprecated ones */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xffa0, 0xffa0 },   /* Hangul filler of half width */
	{ 0xfff0, 0xfffb },   /* annotations */
	{ 0x1bca0, 0x1bca3 }, /* shorthand controls */
	{ 0x1d173, 0x1d17a }, /* musical controls */
	{ 0xe0000, 0xe00ff }, /* tags. Selectors of kanji stand behind. */
};

/* Names of devices in every folder of Windows, whatever their extension. */
static const char *const devices[] = { "CON", "PRN", "AUX", "NUL", "CONIN$",
	"CONOUT$", "CLOCK$" };

/* One name's work. */
struct cleaning {
	struct buf flat; /* the path, each character made safe */
	struct buf path; /* its parts, made safe */
	size_t parts;
	bool folder;
	bool changed;
	bool composed;
};

static void
put(struct buf *out, uint32_t c)
{
	uint8_t room[UTF8_MAX];

	must(buf_append(out, (struct bytes){ room, utf8_write(room, c) }) == 0);
}

/* Decoding. */

static bool
decode_as(struct bytes raw, enum charset c, struct buf *out)
{
	static const uint8_t bad[] = { 0xef, 0xbf, 0xbd };
	struct convert v;

	out->n = 0;
	convert_init(&v, c);
	v.exact = true;
	convert_push(&v, raw, true, out);
	return memmem(out->p, out->n, bad, sizeof(bad)) == NULL;
}

static void
decode(struct bytes raw, enum name_charset charset, struct buf *out)
{
	if (utf8_is_valid(raw)) {
		must(buf_append(out, raw) == 0);
		return;
	}
	if (charset == NAME_CP932 && decode_as(raw, CHARSET_SHIFT_JIS, out))
		return;
	(void)decode_as(raw, charset_guess(raw, true), out);
}

/* Characters. */

static bool
is_unseen(uint32_t c)
{
	for (size_t i = 0; i < COUNT(unseen); i++)
		if (c >= unseen[i].first && c <= unseen[i].last)
			return true;
	return false;
}

/* What Windows forbids, controls, and what is no character. */
static bool
is_forbidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == UTF8_BAD ||
	    (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) ||
	    (c < 0x80 && strchr(":*?\"<>|", (int)c) != NULL);
}

/* 0: it leaves the name. */
static uint32_t
make_safe(struct cleaning *w, uint32_t c)
{
	if (c == '\\')
		return '/';
	if (is_unseen(c)) {
		w->changed = true;
		return 0;
	}
	if (is_forbidden(c)) {
		w->changed = true;
		return '_';
	}
	return c;
}

/* Each character made safe, and composed with a mark behind it. */
static void
flatten(struct cleaning *w, struct bytes text)
{
	uint32_t held = 0;

	while (text.n > 0) {
		uint32_t c = make_safe(w, utf8_take(&text));
		uint32_t both = c >= 0x300 ? name_compose(held, c) : 0;

		if (c == 0)
			continue;
		if (both == 0 && held != 0)
			put(&w->flat, held);
		w->composed = w->composed || both != 0;
		held = both != 0 ? both : c;
	}
	if (held != 0)
		put(&w->flat, held);
}

/* Parts. */

static bool
is_device(struct bytes part)
{
	struct bytes stem = bytes_trim(bytes_take_until(&part, '.'));

	for (size_t i = 0; i < COUNT(devices); i++)
		if (bytes_equal_nocase(stem, bytes_of(devices[i])))
			return true;
	if (stem.n < 4)
		return false;
	if (!bytes_equal_nocase((struct bytes){ stem.p, 3 }, BYTES("COM")) &&
	    !bytes_equal_nocase((struct bytes){ stem.p, 3 }, BYTES("LPT")))
		return false;
	bytes_take(&stem, 3);
	return (stem.n == 1 && stem.p[0] >= '0' && stem.p[0] <= '9') ||
	    /* ¹ ² ³ */
	    bytes_equal(stem, BYTES("\xc2\xb9")) ||
	    bytes_equal(stem, BYTES("\xc2\xb2")) ||
	    bytes_equal(stem, BYTES("\xc2\xb3"));
}

/* At most so many bytes of it, and no part of a character. */
static struct bytes
cut(struct bytes b, size_t max)
{
	if (b.n <= max)
		return b;
	b.n = max;
	while (b.n > 0 && (b.p[b.n] & 0xc0) == 0x80)
		b.n--;
	return b;
}

/* A folder whose name ends with the number of a class is that class to the
 * Explorer: without the dot it is a folder. The part is of w->flat. */
static void
drop_class(struct cleaning *w, struct bytes part)
{
	struct bytes end = detox_extension(part);

	while (end.n > 0 && end.p[0] == '{') {
		w->flat.p[end.p - w->flat.p - 1] = '_';
		w->changed = true;
		end = detox_extension(part);
	}
}

/* Too long a part keeps its extension. */
static void
put_part(struct cleaning *w, struct bytes part)
{
	struct bytes extension = detox_extension(part);
	size_t tail = extension.n > 0 && extension.n <= EXTENSION_MAX
	    ? extension.n + 1
	    : 0;
	size_t room = NAME_PART_MAX;

	if (is_device(part)) {
		w->changed = true;
		room--;
		put(&w->path, '_');
	}
	if (part.n > room) {
		w->changed = true;
		must(buf_append(&w->path, cut(part, room - tail)) == 0);
		bytes_take(&part, part.n - tail);
	}
	must(buf_append(&w->path, part) == 0);
}

/* False: it leads out, or Windows would say that it does. */
static bool
add_part(struct cleaning *w, struct bytes part, bool folder)
{
	size_t dots = 0, end = 0;

	for (size_t i = 0; i < part.n; i++) {
		dots += part.p[i] == '.';
		if (part.p[i] != '.' && part.p[i] != ' ')
			end = i + 1;
	}
	if (part.n == 0 || (dots == 1 && part.n == 1))
		return true;
	if (end == 0 && dots > 1)
		return false;
	if (end < part.n)
		w->changed = true;
	part.n = end;
	if (w->path.n > 0 && w->path.p[w->path.n - 1] != '/')
		put(&w->path, '/');
	if (folder)
		drop_class(w, part);
	put_part(w, end == 0 ? BYTES("_") : part);
	w->parts++;
	w->folder = folder;
	return w->path.n <= NAME_RAW_MAX && w->parts <= NAME_PARTS_MAX;
}

static bool
is_absolute(struct bytes path)
{
	return path.n > 0 && path.p[0] == '/';
}

/* "C:", of the path as it was: ':' is no more in a clean one. */
static bool
has_drive(struct bytes path)
{
	while (path.n > 0) {
		uint32_t c = utf8_take(&path);

		if (is_unseen(c))
			continue;
		return c < 0x80 && ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
		    path.n > 0 && path.p[0] == ':';
	}
	return false;
}

static bool
add_parts(struct cleaning *w)
{
	struct bytes rest = buf_bytes(&w->flat);

	while (rest.n > 0) {
		bool folder = bytes_index(rest, '/') >= 0;

		if (!add_part(w, bytes_take_until(&rest, '/'), folder))
			return false;
	}
	return true;
}

static bool
clean(struct cleaning *w, struct bytes raw, enum name_charset charset)
{
	struct buf text;
	bool good;

	if (raw.n == 0 || raw.n > NAME_RAW_MAX)
		return false;
	buf_init(&text, CONVERT_OUT_MAX(raw.n));
	decode(raw, charset, &text);
	flatten(w, buf_bytes(&text));
	good = !has_drive(buf_bytes(&text)) &&
	    !is_absolute(buf_bytes(&w->flat)) && add_parts(w);
	buf_release(&text);
	return good;
}

enum detox_result
name_clean(struct detox *d, struct bytes raw, enum name_charset charset,
    struct name *out)
{
	struct cleaning w = { 0 };
	bool good;

	/* A byte becomes three at most, a part one more. */
	buf_init(&w.flat, (size_t)4 * CONVERT_OUT_MAX(NAME_RAW_MAX));
	buf_init(&w.path, (size_t)8 * CONVERT_OUT_MAX(NAME_RAW_MAX));
	good = clean(&w, raw, charset);
	if (good) {
		out->path = arena_string(&d->arena, buf_bytes(&w.path));
		out->folder = w.folder || w.path.n == 0;
		out->changed = w.changed;
		out->ours = w.changed || w.composed;
	}
	buf_release(&w.flat);
	buf_release(&w.path);
	return good ? DETOX_REBUILT
		    : detox_refuse(d, REFUSED_PATH,
			  "an entry's name is absolute, leads out, is empty or "
			  "too long");
}

bool
name_link_leaves(struct bytes path, struct bytes target, enum name_link kind)
{
	ssize_t depth = 0;

	if (target.n == 0 || target.p[0] == '/' || target.p[0] == '\\' ||
	    has_drive(target))
		return true;
	for (size_t i = 0; kind == NAME_LINK_SYMBOLIC && i < path.n; i++)
		depth += path.p[i] == '/';
	while (target.n > 0) {
		struct bytes part = target;
		size_t n = 0;

		while (
		    n < target.n && target.p[n] != '/' && target.p[n] != '\\')
			n++;
		part.n = n;
		bytes_take(&target, n < target.n ? n + 1 : n);
		if (bytes_equal(part, BYTES("..")))
			depth--;
		else if (part.n > 0 && !bytes_equal(part, BYTES(".")))
			depth++;
		if (depth < 0)
			return true;
	}
	return false;
}
