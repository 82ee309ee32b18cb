/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/ole.h"

#include "filters/mail/msg.h"
#include "filters/ole/part.h"
#include "filters/ole/secret.h"

/* What is inside takes its place; it is a document of the newer kind. */
static enum detox_result
locked_rebuild(struct detox *d, struct cfb *c, struct detox_output *out)
{
	enum detox_result result;
	struct buf info, package, content = { 0 };

	buf_init(&package, 0);
	result = part_read(d, c, 0, "EncryptionInfo", &info);
	if (result == DETOX_REBUILT)
		result = part_read(d, c, 0, "EncryptedPackage", &package);
	if (result == DETOX_REBUILT)
		result = secret_open(
		    d, buf_bytes(&info), buf_bytes(&package), &content);
	buf_release(&info);
	buf_release(&package);
	if (result == DETOX_REBUILT)
		result = detox_opened(d,
		    &(const struct detox_object){
			.content = buf_bytes(&content) },
		    MAGIC_BIT(MAGIC_OOXML), out);
	buf_release(&content);
	return result;
}

/* By a stream of the root; the first that fits decides. */
static const struct kind {
	const char *stream;
	enum detox_refusal refusal; /* REFUSED_NOT: it is rebuilt */
	const char *why;
	enum detox_result (*rebuild)(
	    struct detox *, struct cfb *, struct detox_output *);
} kinds[] = {
	{ "EncryptedPackage", REFUSED_NOT, NULL, locked_rebuild },
	{ "EncryptionInfo", REFUSED_NOT, NULL, locked_rebuild },
	{ "__properties_version1.0", REFUSED_NOT, NULL, msg_rebuild },
	{ "WordDocument", REFUSED_NOT, NULL, doc_rebuild },
	{ "Workbook", REFUSED_NOT, NULL, xls_rebuild },
	{ "Book", REFUSED_NOT, NULL, xls_rebuild },
	{ "PowerPoint Document", REFUSED_NOT, NULL, ppt_rebuild },
	{ "DocumentText", REFUSED_NOT, NULL, jtd_rebuild },
	{ "PP40", REFUSED_TYPE, "a presentation of PowerPoint 95", NULL },
	{ "VisioDocument", REFUSED_TYPE, "a drawing of Visio", NULL },
	{ "HwpSummaryInformation", REFUSED_TYPE, "a document of Hangul", NULL },
};

/* What is in streams that do not come out; the first that fits, by the name of
 * the root's child. A name that ends with '*' is a beginning. */
static const struct {
	const char *name;
	enum detox_removal what;
	bool quiet; /* every document has it, and it says nothing */
} dropped[] = {
	{ "Macros", REMOVED_MACRO, false },
	{ "_VBA_PROJECT*", REMOVED_MACRO, false },
	{ "VBA", REMOVED_MACRO, false },
	{ "PROJECT*", REMOVED_MACRO, false },
	{ "ObjectPool", REMOVED_OBJECT, false },
	{ "MBD*", REMOVED_OBJECT, false },
	{ "LNK*", REMOVED_OBJECT, false },
	{ "\001Ole10Native", REMOVED_OBJECT, false },
	{ "\003*", REMOVED_OBJECT, false },
	{ "Package", REMOVED_FILE, false },
	{ "CONTENTS", REMOVED_OBJECT, false },
	{ "Ctls", REMOVED_ACTIVEX, false },
	{ "MsoDataStore", REMOVED_CUSTOM, false },
	{ "_signatures", REMOVED_SIGNATURE, false },
	{ "_xmlsignatures", REMOVED_SIGNATURE, false },
	{ "\005DigitalSignature*", REMOVED_SIGNATURE, false },
	{ "\005*", REMOVED_METADATA, false },
	{ "\006DataSpaces", REMOVED_CUSTOM, true },
	{ "encryption", REMOVED_METADATA, true },
	{ "EncryptedSummary", REMOVED_METADATA, true },
	{ "Revision Log", REMOVED_METADATA, false },
	{ "User Names", REMOVED_METADATA, false },
	{ "_SX_DB*", REMOVED_CONNECTION, false },
	{ "\001CompObj", REMOVED_CUSTOM, true },
	{ "\001Ole", REMOVED_CUSTOM, true },
	{ "*", REMOVED_UNKNOWN, false },
};

static bool
has_name(const struct cfb_entry *e, const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || name[n - 1] != '*')
		return cfb_is_named(e, name);
	if (e->name_n < n - 1)
		return false;
	for (size_t i = 0; i < n - 1; i++)
		if (e->name[i] != (uint8_t)name[i])
			return false;
	return true;
}

static void
report_dropped(struct detox *d, struct cfb *c, uint32_t i)
{
	const struct cfb_entry *top = &c->entries[c->entries[i].top];
	struct buf content;
	size_t k = 0;

	while (!has_name(top, dropped[k].name))
		k++;
	if (dropped[k].quiet)
		return;
	/* Of a chain that is broken the name has to do. */
	if (cfb_read(c, i, &content) < 0)
		content.n = 0;
	detox_removed(d, dropped[k].what, cfb_label(c, i), buf_bytes(&content));
	buf_release(&content);
}

static void
report_all_dropped(struct detox *d, struct cfb *c)
{
	for (uint32_t i = 1; i < c->entries_n; i++)
		if (c->entries[i].reached && !c->entries[i].taken &&
		    c->entries[i].kind == CFB_STREAM)
			report_dropped(d, c, i);
}

enum detox_result
part_read(struct detox *d, struct cfb *c, uint32_t storage, const char *name,
    struct buf *out)
{
	uint32_t i = cfb_find(c, storage, name);

	buf_init(out, 0);
	if (i == CFB_NO_ENTRY)
		return detox_refuse(d, REFUSED_BROKEN, "it has no %s", name);
	if (cfb_is_double(c, storage, name))
		return detox_refuse(d, REFUSED_DUPLICATE, "two are %s", name);
	c->entries[i].taken = true;
	if (cfb_read(c, i, out) < 0)
		return detox_refuse(
		    d, REFUSED_BROKEN, "its %s cannot be read", name);
	return DETOX_REBUILT;
}

enum detox_result
part_read_if(struct detox *d, struct cfb *c, uint32_t storage, const char *name,
    struct buf *out)
{
	buf_init(out, 0);
	if (cfb_find(c, storage, name) == CFB_NO_ENTRY)
		return DETOX_REBUILT;
	return part_read(d, c, storage, name, out);
}

/* {000C1080..1086-0000-0000-C000-000000000046}: installers, their patches and
 * transforms. */
static bool
is_installer(const struct cfb *c)
{
	static const uint8_t rest[] = { 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0,
		0x46 };
	const uint8_t *p = c->entries[0].clsid;

	return (p[0] & 0xf0) == 0x80 && p[1] == 0x10 && p[2] == 0x0c &&
	    p[3] == 0 && memcmp(p + 4, rest, sizeof(rest)) == 0;
}

static const struct kind *
kind_of(const struct cfb *c)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (cfb_find(c, 0, kinds[i].stream) != CFB_NO_ENTRY)
			return &kinds[i];
	return NULL;
}

static enum detox_result
rebuild_kind(struct detox *d, struct cfb *c, struct detox_output *out)
{
	const struct kind *k;

	if (is_installer(c))
		return detox_refuse(d, REFUSED_PROGRAM, "it is an installer");
	k = kind_of(c);
	if (k == NULL)
		return detox_refuse(
		    d, REFUSED_TYPE, "a compound file of no known kind");
	if (k->refusal != REFUSED_NOT)
		return detox_refuse(d, k->refusal, "it is %s", k->why);
	if (k->rebuild(d, c, out) == DETOX_REFUSED)
		return DETOX_REFUSED;
	report_all_dropped(d, c);
	if (d->profile->to_text && out->extension == NULL)
		return detox_refuse(
		    d, REFUSED_TYPE, "its text alone cannot be taken out");
	return DETOX_REBUILT;
}

static enum detox_result
ole_rebuild(
    struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct cfb c;
	enum detox_result result = cfb_open(&c, d, o->content);

	if (result == DETOX_REBUILT)
		result = rebuild_kind(d, &c, out);
	cfb_close(&c);
	return result;
}

const struct detox_format ole_format = {
	.name = "ole",
	.types = MAGIC_BIT(MAGIC_OLE2),
	.rebuild = ole_rebuild,
	.out_types = MAGIC_BIT(MAGIC_OLE2) | MAGIC_BIT(MAGIC_TEXT) |
	    MAGIC_BIT(MAGIC_MAIL) | MAGIC_BIT(MAGIC_OOXML),
};
