/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/tree.h"

#include <stdio.h>

#include "filters/plain/chars.h"

/* What a file is called by the end of its name, which is by its content. */
static const struct {
	const char *extension;
	const char *type;
} types[] = {
	{ "pdf", "application/pdf" },
	{ "docx",
	    "application/vnd.openxmlformats-officedocument.wordprocessingml"
	    ".document" },
	{ "xlsx",
	    "application/vnd.openxmlformats-officedocument.spreadsheetml"
	    ".sheet" },
	{ "pptx",
	    "application/vnd.openxmlformats-officedocument.presentationml"
	    ".presentation" },
	{ "doc", "application/msword" },
	{ "xls", "application/vnd.ms-excel" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" },
	{ "rtf", "application/rtf" },
	{ "zip", "application/zip" },
	{ "jpg", "image/jpeg" },
	{ "jpeg", "image/jpeg" },
	{ "png", "image/png" },
	{ "gif", "image/gif" },
	{ "webp", "image/webp" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "svg", "image/svg+xml" },
	{ "html", "text/html" },
	{ "htm", "text/html" },
	{ "ics", "text/calendar" },
	{ "vcf", "text/vcard" },
	{ "csv", "text/csv" },
	{ "txt", "text/plain" },
};

/* Where the name has no end that tells. */
static const struct {
	enum magic_type type;
	const char *extension;
} extensions[] = {
	{ MAGIC_PDF, "pdf" },
	{ MAGIC_JPEG, "jpg" },
	{ MAGIC_PNG, "png" },
	{ MAGIC_GIF, "gif" },
	{ MAGIC_WEBP, "webp" },
	{ MAGIC_TIFF, "tiff" },
	{ MAGIC_RTF, "rtf" },
	{ MAGIC_ZIP, "zip" },
	{ MAGIC_HTML, "html" },
	{ MAGIC_TEXT, "txt" },
	{ MAGIC_MAIL, "eml" },
};

static const char *
type_of(struct bytes extension)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (bytes_equal_nocase(extension, bytes_of(types[i].extension)))
			return types[i].type;
	return NULL;
}

/*
 * What tells all about itself is called what it is, whatever its name; a text
 * that came as one is still shown as one where its name tells nothing.
 */
static const char *
type_of_file(const struct mail_node *n, const struct mail_file *f)
{
	static const uint64_t sure = MAGIC_BIT(MAGIC_PDF) |
	    MAGIC_BIT(MAGIC_JPEG) | MAGIC_BIT(MAGIC_PNG) |
	    MAGIC_BIT(MAGIC_GIF) | MAGIC_BIT(MAGIC_WEBP) |
	    MAGIC_BIT(MAGIC_TIFF) | MAGIC_BIT(MAGIC_RTF);
	enum magic_type t = magic_type_of(buf_bytes(&n->content), true);
	const char *by_name = type_of(detox_extension(bytes_of(n->name)));

	for (size_t i = 0; i < COUNT(extensions); i++)
		if (extensions[i].type == t && (sure & MAGIC_BIT(t)) != 0)
			return type_of(bytes_of(extensions[i].extension));
	if (by_name == NULL && t == MAGIC_TEXT &&
	    bytes_start_with(f->declared, BYTES("text/")))
		return "text/plain";
	return by_name != NULL ? by_name : "application/octet-stream";
}

/* With the end that it should have now. */
static const char *
rename_file(
    struct detox *d, const struct mail_file *f, const struct detox_output *out)
{
	struct bytes name = bytes_of(f->name);
	struct bytes old = detox_extension(name);
	const char *extension = out->extension;
	enum magic_type t = magic_type_of(buf_bytes(&out->content), true);

	for (size_t i = 0;
	     extension == NULL && old.n == 0 && i < COUNT(extensions); i++)
		if (extensions[i].type == t)
			extension = extensions[i].extension;
	if (extension == NULL || bytes_equal_nocase(old, bytes_of(extension)))
		return f->name;
	if (old.n > 0 && old.n < name.n)
		name.n -= old.n + 1;
	return arena_printf(
	    &d->arena, "%.*s.%s", BYTES_PRINTF(name), extension);
}

static const char *
digest_of(struct detox *d, struct bytes content)
{
	uint8_t digest[DETOX_DIGEST_SIZE];
	char text[2 * DETOX_DIGEST_SIZE + 1];

	detox_digest(content, digest);
	for (size_t i = 0; i < DETOX_DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return arena_string(&d->arena, bytes_of(text));
}

/* Of what becomes text the file is gone, and is known by it still. */
static void
sign_file(struct detox *d, struct mail_node *n, struct bytes content)
{
	if (d->profile->to_text)
		n->digest = digest_of(d, content);
}

struct mail_node *
mail_note(struct mail *m, const char *name, struct bytes content,
    enum detox_refusal why)
{
	struct mail_node *n = mail_node_new(m->d, MAIL_TEXT, "text/plain");
	const char *const *words = why != REFUSED_NOT
	    ? detox_refusal_words[why].text
	    : detox_removal_words[REMOVED_REFUSED].text;

	sign_file(m->d, n, content);
	n->name = arena_printf(&m->d->arena, "removed-%u.txt", ++m->notes);
	n->shown = true;
	n->note = true;
	must(buf_printf(&n->content,
		 "添付ファイルを取り除きました。\r\n"
		 "名前: %s\r\n"
		 "理由: %s\r\n"
		 "大きさ: %zu バイト\r\n"
		 "\r\n"
		 "An attachment was removed.\r\n"
		 "Name: %s\r\n"
		 "Reason: %s\r\n"
		 "Size: %zu bytes\r\n"
		 "SHA-256: %s\r\n",
		 name, words[0], content.n, name, words[1], content.n,
		 digest_of(m->d, content)) == 0);
	return n;
}

struct mail_node *
mail_leave_out(struct mail *m, enum detox_removal what, enum detox_refusal why,
    const char *name, struct bytes content)
{
	detox_removed(m->d, what, name, content);
	if (m->d->profile->mail_left_out == DETOX_MAIL_REFUSE) {
		(void)detox_refuse(m->d,
		    why != REFUSED_NOT ? why : REFUSED_TYPE,
		    "a part of the mail cannot be rebuilt");
		return NULL;
	}
	return mail_note(m, name, content, why);
}

/* What detox_inside refused, which it reported. */
static struct mail_node *
refused(struct mail *m, const struct mail_file *f, enum detox_refusal why)
{
	if (detox_is_over(m->d))
		return NULL;
	if (m->d->profile->mail_left_out == DETOX_MAIL_REFUSE) {
		(void)detox_refuse(
		    m->d, why, "an attachment cannot be rebuilt");
		return NULL;
	}
	return mail_note(m, f->name, f->content, why);
}

/* Readers show texts, and have to know of what charset. */
static const char *
parameters_of(
    struct detox *d, const struct mail_node *n, const struct mail_file *f)
{
	size_t mark;
	enum charset c;

	if (!bytes_start_with(bytes_of(n->type), BYTES("text/")))
		return "";
	c = chars_charset(buf_bytes(&n->content), &mark);
	return arena_printf(
	    &d->arena, "; charset=%s%s", charset_name(c), f->parameters);
}

struct mail_node *
mail_take_file(struct mail *m, const struct mail_file *f)
{
	const struct detox_object o = { f->content,
		f->named ? bytes_of(f->name) : (struct bytes){ 0 }, f->declared,
		f->shown ? DETOX_SHOWN : DETOX_ATTACHED };
	struct detox_output out = { 0 };
	struct mail_node *n;

	if (detox_entry(m->d) == DETOX_REFUSED)
		return NULL;
	if (detox_inside(m->d, f->name, &o, &out) == DETOX_REFUSED) {
		buf_release(&out.content);
		return refused(m, f, out.left_out);
	}
	n = mail_node_new(m->d, MAIL_FILE, NULL);
	n->content = out.content;
	n->name = rename_file(m->d, f, &out);
	n->type = type_of_file(n, f);
	n->id = f->id;
	n->shown = f->shown;
	n->parameters = parameters_of(m->d, n, f);
	sign_file(m->d, n, f->content);
	return n;
}
