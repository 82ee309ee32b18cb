/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/plain/plain.h"

#include "filters/plain/calendar.h"
#include "filters/plain/clean.h"
#include "filters/plain/csv.h"

#define ROUNDS_MAX 4
#define STRAYS_ALWAYS 4 /* controls that a short text may have */

enum plain_kind {
	PLAIN_TEXT,
	PLAIN_CSV,
	PLAIN_TSV,
	PLAIN_CALENDAR,
	PLAIN_OBEYED, /* a program asks, shows or runs what it says */
};

/* A spreadsheet takes text for a table whatever its name is. */
static const struct {
	const char *extension;
	enum plain_kind kind;
} kinds_by_extension[] = {
	{ "csv", PLAIN_CSV },
	{ "xls", PLAIN_CSV },
	{ "xlt", PLAIN_CSV },
	{ "xlw", PLAIN_CSV },
	{ "xlsx", PLAIN_CSV },
	{ "xlsm", PLAIN_CSV },
	{ "xlsb", PLAIN_CSV },
	{ "ods", PLAIN_CSV },
	{ "prn", PLAIN_CSV },
	{ "tsv", PLAIN_TSV },
	{ "tab", PLAIN_TSV },
	{ "ics", PLAIN_CALENDAR },
	{ "ical", PLAIN_CALENDAR },
	{ "ifb", PLAIN_CALENDAR },
	{ "vcs", PLAIN_CALENDAR },
	{ "vcf", PLAIN_CALENDAR },
	{ "vcard", PLAIN_CALENDAR },
	{ "iqy", PLAIN_OBEYED },
	{ "dqy", PLAIN_OBEYED },
	{ "oqy", PLAIN_OBEYED },
	{ "rqy", PLAIN_OBEYED },
	{ "slk", PLAIN_OBEYED },
	{ "sylk", PLAIN_OBEYED },
	{ "odc", PLAIN_OBEYED },
	{ "udl", PLAIN_OBEYED },
	{ "rdp", PLAIN_OBEYED },
	/* Of these there are formats of their own, which stand before. */
	{ "html", PLAIN_OBEYED },
	{ "htm", PLAIN_OBEYED },
	{ "xhtml", PLAIN_OBEYED },
	{ "xht", PLAIN_OBEYED },
	{ "shtml", PLAIN_OBEYED },
	{ "svg", PLAIN_OBEYED },
	{ "xml", PLAIN_OBEYED },
	{ "xsl", PLAIN_OBEYED },
	{ "xslt", PLAIN_OBEYED },
	{ "mht", PLAIN_OBEYED },
	{ "mhtml", PLAIN_OBEYED },
	{ "eml", PLAIN_OBEYED },
	{ "msg", PLAIN_OBEYED },
	/* Office looks at the content, and finds more kinds than we do. */
	{ "doc", PLAIN_OBEYED },
	{ "docx", PLAIN_OBEYED },
	{ "docm", PLAIN_OBEYED },
	{ "dot", PLAIN_OBEYED },
	{ "dotx", PLAIN_OBEYED },
	{ "dotm", PLAIN_OBEYED },
	{ "rtf", PLAIN_OBEYED },
	{ "wri", PLAIN_OBEYED },
	{ "ppt", PLAIN_OBEYED },
	{ "pptx", PLAIN_OBEYED },
	{ "pptm", PLAIN_OBEYED },
	{ "pps", PLAIN_OBEYED },
	{ "ppsx", PLAIN_OBEYED },
	{ "pot", PLAIN_OBEYED },
	{ "potx", PLAIN_OBEYED },
	{ "odt", PLAIN_OBEYED },
	{ "ott", PLAIN_OBEYED },
	{ "odp", PLAIN_OBEYED },
	{ "otp", PLAIN_OBEYED },
	{ "odg", PLAIN_OBEYED },
	{ "fodt", PLAIN_OBEYED },
	{ "fods", PLAIN_OBEYED },
	{ "fodp", PLAIN_OBEYED },
	{ "fodg", PLAIN_OBEYED },
	{ "wbk", PLAIN_OBEYED },
	{ "wiz", PLAIN_OBEYED },
	{ "dochtml", PLAIN_OBEYED },
	{ "docmhtml", PLAIN_OBEYED },
	{ "dothtml", PLAIN_OBEYED },
	{ "ppthtml", PLAIN_OBEYED },
	{ "pothtml", PLAIN_OBEYED },
	{ "m3u", PLAIN_OBEYED },
	{ "pls", PLAIN_OBEYED },
	{ "ram", PLAIN_OBEYED },
	{ "strm", PLAIN_OBEYED },
	{ "ica", PLAIN_OBEYED },
	{ "dif", PLAIN_OBEYED },
};

static const struct {
	struct bytes media;
	enum plain_kind kind;
} kinds_by_media[] = {
	{ BYTES_ROW("text/csv"), PLAIN_CSV },
	{ BYTES_ROW("application/csv"), PLAIN_CSV },
	{ BYTES_ROW("application/vnd.ms-excel"), PLAIN_CSV },
	{ BYTES_ROW("text/tab-separated-values"), PLAIN_TSV },
	{ BYTES_ROW("text/calendar"), PLAIN_CALENDAR },
	{ BYTES_ROW("text/vcard"), PLAIN_CALENDAR },
	{ BYTES_ROW("text/x-vcard"), PLAIN_CALENDAR },
	{ BYTES_ROW("text/directory"), PLAIN_CALENDAR },
	{ BYTES_ROW("text/x-ms-iqy"), PLAIN_OBEYED },
	{ BYTES_ROW("application/x-rdp"), PLAIN_OBEYED },
	{ BYTES_ROW("image/svg+xml"), PLAIN_OBEYED },
	{ BYTES_ROW("application/xhtml+xml"), PLAIN_OBEYED },
	{ BYTES_ROW("message/rfc822"), PLAIN_OBEYED },
};

static struct bytes
without_blanks(struct bytes b)
{
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '.'))
		b.n--;
	return b;
}

static bool
begins_with(struct bytes text, struct bytes word)
{
	while (text.n > 0 && text.p[0] <= ' ')
		bytes_take(&text, 1);
	return text.n >= word.n &&
	    bytes_equal_nocase((struct bytes){ text.p, word.n }, word);
}

/* By the name, the declared type, and else by the first word. */
static enum plain_kind
kind_of(const struct detox_object *o, struct bytes text)
{
	struct bytes extension = detox_extension(without_blanks(o->name));
	struct bytes rest = o->declared;
	struct bytes media = bytes_trim(bytes_take_until(&rest, ';'));

	for (size_t i = 0; i < COUNT(kinds_by_extension); i++)
		if (bytes_equal_nocase(
			extension, bytes_of(kinds_by_extension[i].extension)))
			return kinds_by_extension[i].kind;
	for (size_t i = 0; i < COUNT(kinds_by_media); i++)
		if (bytes_equal_nocase(media, kinds_by_media[i].media))
			return kinds_by_media[i].kind;
	/* Programs on servers call all so that they say. */
	if (bytes_equal_nocase(media, BYTES("text/html")) &&
	    bytes_index(text, '<') >= 0)
		return PLAIN_OBEYED;
	return begins_with(text, BYTES("BEGIN:VCALENDAR")) ||
		begins_with(text, BYTES("BEGIN:VCARD"))
	    ? PLAIN_CALENDAR
	    : PLAIN_TEXT;
}

/* Calendars are read in bytes, of which those below 0x40 are ASCII. */
static enum detox_result
rebuild_calendar(struct detox *d, struct clean *c, struct detox_output *out)
{
	struct bytes text = buf_bytes(&c->text);
	struct convert v;
	struct buf utf8;
	enum detox_result result;

	if (c->charset != CHARSET_UTF16LE && c->charset != CHARSET_UTF16BE) {
		if (detox_put(d, out, bytes_take(&text, c->mark)) ==
		    DETOX_REFUSED)
			return DETOX_REFUSED;
		return calendar_rebuild(d, text, out);
	}
	buf_init(&utf8, CONVERT_OUT_MAX(text.n));
	convert_init(&v, c->charset);
	convert_push(&v, text, true, &utf8);
	result = calendar_rebuild(d, buf_bytes(&utf8), out);
	buf_release(&utf8);
	return result;
}

static enum detox_result
rebuild_kind(struct detox *d, enum plain_kind kind, struct clean *c,
    struct detox_output *out)
{
	switch (kind) {
	case PLAIN_TEXT:
		buf_release(&out->content);
		out->content = c->text;
		buf_init(&c->text, 0);
		return DETOX_REBUILT;
	case PLAIN_CSV:
		return csv_defuse(d, c, CSV_SNIFFED, out);
	case PLAIN_TSV:
		return csv_defuse(d, c, CSV_TAB, out);
	case PLAIN_CALENDAR:
		return rebuild_calendar(d, c, out);
	case PLAIN_OBEYED:
		break;
	}
	return detox_refuse(
	    d, REFUSED_TYPE, "its name has a program obey what it says");
}

/* What a spreadsheet takes for no table, by whatever name: a page, an archive
 * of pages, a query of the web. */
static bool
is_no_table(struct bytes text)
{
	static const struct bytes mime = BYTES_ROW("mime-version");
	struct bytes head = { text.p, text.n < 4096 ? text.n : 4096 };

	while (head.n > 0 && head.p[0] <= ' ')
		bytes_take(&head, 1);
	if (bytes_start_with(head, BYTES("<")) ||
	    bytes_start_with(head, BYTES("WEB\n")) ||
	    bytes_start_with(head, BYTES("WEB\r")))
		return true;
	for (; head.n >= mime.n; bytes_take(&head, 1))
		if (bytes_equal_nocase((struct bytes){ head.p, mime.n }, mime))
			return true;
	return false;
}

static bool
is_of_excel(const struct detox_object *o)
{
	struct bytes extension = detox_extension(o->name);

	return extension.n >= 2 &&
	    bytes_equal_nocase((struct bytes){ extension.p, 2 }, BYTES("xl"));
}

static enum detox_result
rebuild_once(struct detox *d, const struct detox_object *o,
    struct detox_output *out, struct clean *c)
{
	enum detox_result result = clean_text(d, o->content, c);
	struct bytes text = buf_bytes(&c->text);

	bytes_take(&text, c->mark < text.n ? c->mark : text.n);
	if (result == DETOX_REBUILT && is_of_excel(o) && is_no_table(text))
		result = detox_refuse(
		    d, REFUSED_TYPE, "it is no table, whatever its name says");
	if (result == DETOX_REBUILT)
		result = rebuild_kind(d, kind_of(o, text), c, out);
	buf_release(&c->text);
	return result;
}

/* What is left may be of another charset than the whole was: then it has to be
 * read as that. */
static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct detox_object again = *o;
	struct buf before = { 0 };
	enum detox_result result;
	struct clean c;
	size_t mark;

	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		result = rebuild_once(d, &again, out, &c);
		buf_release(&before);
		if (result == DETOX_REFUSED)
			return DETOX_REFUSED;
		if (i == 0)
			detox_text(d, c.visible, c.visible);
		if (chars_charset(buf_bytes(&out->content), &mark) == c.charset)
			return DETOX_REBUILT;
		before = out->content;
		again.content = buf_bytes(&before);
		buf_init(&out->content, before.max);
	}
	buf_release(&before);
	return detox_refuse(d, REFUSED_BROKEN, "its charset cannot be told");
}

/* Names under which text may have stray controls: the end of file of old
 * systems, shifts of mainframes, zeroes of broken programs. */
static const char *const text_names[] = { "txt", "text", "csv", "tsv", "tab",
	"log", "md", "json", "ini", "conf", "yml", "yaml", "ics", "ical", "ifb",
	"vcs", "vcf", "vcard" };

static bool
is_stray(uint8_t c)
{
	return c < '\t' || (c > '\r' && c < ' ' && c != 0x1b);
}

/* All that magic calls text, and by such a name what has few of them. */
static bool
takes(const struct detox_object *o)
{
	struct bytes b = o->content;
	struct bytes extension = detox_extension(without_blanks(o->name));
	size_t strays = 0;
	size_t mark;

	if (charset_mark(b, &mark) != CHARSET_UNKNOWN && mark == 2)
		return true;
	for (size_t i = 0; i < b.n; i++)
		strays += is_stray(b.p[i]);
	if (strays == 0 || strays > b.n / 8 + STRAYS_ALWAYS)
		return strays == 0;
	for (size_t i = 0; i < COUNT(text_names); i++)
		if (bytes_equal_nocase(extension, bytes_of(text_names[i])))
			return true;
	return false;
}

const struct detox_format plain_format = {
	.name = "text",
	.types = MAGIC_BIT(MAGIC_TEXT) | MAGIC_BIT(MAGIC_UNKNOWN),
	.takes = takes,
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_TEXT),
	.prepare = text_prepare,
};
