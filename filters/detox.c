/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/detox.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "filters/html/words.h"
#include "filters/password/password.h"
#include "filters/text/charset.h"

#define REMOVAL_WORDS(id, name, ja, en) [REMOVED_##id] = { name, { ja, en } },
#define REFUSAL_WORDS(id, name, ja, en) [REFUSED_##id] = { name, { ja, en } },
const struct detox_words detox_removal_words[DETOX_REMOVAL_KINDS] = {
	DETOX_REMOVALS(REMOVAL_WORDS)
};
const struct detox_words detox_refusal_words[DETOX_REFUSAL_KINDS] = {
	DETOX_REFUSALS(REFUSAL_WORDS)
};

bool
detox_is_missed(enum detox_removal what)
{
	static const enum detox_removal missed[] = { REMOVED_MACRO,
		REMOVED_SCRIPT, REMOVED_ACTION, REMOVED_ACTIVEX, REMOVED_OBJECT,
		REMOVED_FILE, REMOVED_PROGRAM, REMOVED_EXTERNAL, REMOVED_LINK,
		REMOVED_FIELD, REMOVED_FORMULA, REMOVED_CONNECTION,
		REMOVED_FORM, REMOVED_MEDIA, REMOVED_REFUSED, REMOVED_LOCKED };

	for (size_t i = 0; i < COUNT(missed); i++)
		if (missed[i] == what)
			return true;
	return false;
}

/* What Windows, or a program that comes with it, runs or obeys. */
static const char run_by_name[] =
    " ace action ade adp apk app appcontent-ms application appref-ms appx"
    " appxbundle asp aspx asx bas bat bgi cab cdxml cer chm class cmd cnt com"
    " command cpl crt csh dll der desktop diagcab dmg exe fxp gadget grp hlp"
    " hpj hta htc htr inf ins iso isp its jar jnlp js jse ksh lnk mad maf mag"
    " mam maq mar mas mat mau mav maw mcf mda mdb mde mdt mdw mdz msc msh msh1"
    " msh1xml msh2 msh2xml mshxml msi msix msixbundle msp mst msu ops osd pcd"
    " pif php pl plg prf prg printerexport ps1 ps1xml ps2 ps2xml psc1 psc2 psd1"
    " psdm1 pst py pyc pyo pyw pyz pyzw reg scf scr sct search-ms sh shb shs"
    " sys theme tmp url vb vbe vbp vbs vbscript vhd vhdx vsmacros vsto vxd"
    " a3x ahk appinstaller au3 contact csproj deploy diagcfg iqy job"
    " accde library-ms lua manifest mof oqy osdx proj rb rgs rqy "
    "searchconnector-ms"
    " settingcontent-ms themepack vbproj vcxproj terminal webloc wll wpl xaml"
    " afploc applescript deskthemepack fileloc ftploc htt inetloc mailloc"
    " mobileconfig msrcincident newsloc scpt scptd wax wcx wmx workflow wvx "
    "xspf"
    " webpnp website wim ws wsb wsc wsf wsh xbap xla xlam xll xnk ";
/* Of these, what is a type of its own that is judged by content. */
static const char judged_by_content[] =
    " cab cer crt der iso mdb pst tmp xla xlam ace mat mag mar mas prf ";

/* Before the first use of a digest the library reads its settings. */
static const EVP_MD *sha256;

static int
compare_bytes(const void *a, const void *b)
{
	return *(const uint8_t *)a - *(const uint8_t *)b;
}

/* The C library's qsort asks the system for its memory once, when it first
 * sorts more than a kilobyte: a call that the sandbox forbids. */
static void
warm_qsort(void)
{
	uint8_t bytes[4096] = { 1 };

	qsort(bytes, sizeof(bytes), 1, compare_bytes);
}

int
detox_prepare(struct err *e)
{
	warm_qsort();
	/* Without TZ, libraries that make times would look for /etc/localtime;
	 * and what comes out would depend on it. */
	setenv("TZ", "UTC0", 1);
	tzset();
	if (text_prepare(e) < 0 || password_prepare(e) < 0)
		return -1;
	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (sha256 == NULL)
		return err_set(e, "SHA-256 is not there");
	for (size_t i = 0; detox_formats[i] != NULL; i++)
		if (detox_formats[i]->prepare != NULL &&
		    detox_formats[i]->prepare(e) < 0)
			return -1;
	return 0;
}

void
detox_profile_init(struct detox_profile *p)
{
	const struct detox_format *f;

	*p = (struct detox_profile){
		.name = "standard",
		.links = DETOX_LINKS_WEB,
		.in_max = (uint64_t)100 << 20,
		.out_max = (uint64_t)200 << 20,
		.tree_max = (uint64_t)1 << 30,
		.ratio_max = 500,
		.entries_max = 10000,
		.depth_max = 4,
		.pixels_max = 100000000,
		.frames_max = 1000,
		.mail_html = DETOX_MAIL_SANITISE,
		.mail_left_out = DETOX_MAIL_NOTE,
		.mail_notice = true,
		.mail_parts_max = 500,
		.mail_fields_max = 1000,
	};
	for (size_t i = 0; (f = detox_formats[i]) != NULL; i++)
		for (int t = 0; t < MAGIC_TYPES; t++)
			if ((f->types & MAGIC_BIT(t)) != 0)
				p->treatment[t] = DETOX_REBUILD;
}

void
detox_init(struct detox *d, const struct detox_profile *p)
{
	memset(d, 0, sizeof(*d));
	d->profile = p;
	d->inside = "";
	arena_init(&d->arena);
}

void
detox_release(struct detox *d)
{
	arena_release(&d->arena);
}

enum detox_result
detox_refuse(struct detox *d, enum detox_refusal r, const char *format, ...)
{
	va_list args;

	if (d->refusal != REFUSED_NOT)
		return DETOX_REFUSED;
	d->refusal = r;
	va_start(args, format);
	vsnprintf(d->why, sizeof(d->why), format, args);
	va_end(args);
	return DETOX_REFUSED;
}

enum detox_result
detox_locked(struct detox *d, const char *what)
{
	bool given = d->passwords != NULL && d->passwords->n > 0;

	d->locked++;
	return detox_refuse(d, REFUSED_ENCRYPTED,
	    given ? "%s: wrong password" : "%s: it needs a password", what);
}

bool
detox_is_over(const struct detox *d)
{
	return d->refusal != REFUSED_NOT;
}

/* The removal's row: an older one that says the same, or a new one; NULL: the
 * report is full. */
static struct detox_row *
row_for(
    struct detox *d, enum detox_removal what, const char *where, bool counted)
{
	struct detox_row *r;

	for (size_t i = 0; counted && i < d->rows_n; i++) {
		r = &d->rows[i];
		if (r->what == what && !r->has_digest &&
		    strcmp(r->where, where) == 0)
			return r;
	}
	if (d->rows_n == DETOX_ROWS_MAX) {
		d->rows_left_out++;
		return NULL;
	}
	r = &d->rows[d->rows_n++];
	r->what = what;
	snprintf(r->where, sizeof(r->where), "%s", where);
	return r;
}

void
detox_removed(struct detox *d, enum detox_removal what, const char *where,
    struct bytes content)
{
	char place[DETOX_WHERE_MAX];
	struct detox_row *r;

	snprintf(place, sizeof(place), "%s%s%s", d->inside,
	    d->inside[0] != '\0' && where != NULL ? ": " : "",
	    where != NULL ? where : "");
	r = row_for(d, what, place, content.n == 0);
	if (r == NULL)
		return;
	r->count++;
	if (content.n == 0)
		return;
	r->has_digest = true;
	detox_digest(content, r->digest);
}

void
detox_digest(struct bytes content, uint8_t digest[DETOX_DIGEST_SIZE])
{
	must(EVP_Digest(content.n > 0 ? content.p : (const uint8_t *)"",
		 content.n, digest, NULL, sha256, NULL) == 1);
}

enum detox_result
detox_unpacked(struct detox *d, uint64_t n, uint64_t packed)
{
	const struct detox_profile *p = d->profile;

	if (n > p->tree_max || d->unpacked > p->tree_max - n)
		return detox_refuse(d, REFUSED_BOMB,
		    "more than %llu bytes unpacked",
		    (unsigned long long)p->tree_max);
	if (packed > 0 && n > DETOX_ANY_RATIO_MAX && n / packed > p->ratio_max)
		return detox_refuse(d, REFUSED_BOMB,
		    "an entry unpacks to more than %u times its size",
		    p->ratio_max);
	d->unpacked += n;
	return DETOX_REBUILT;
}

enum detox_result
detox_entry(struct detox *d)
{
	if (d->entries >= d->profile->entries_max)
		return detox_refuse(d, REFUSED_ENTRIES, "more than %u entries",
		    d->profile->entries_max);
	d->entries++;
	return DETOX_REBUILT;
}

enum detox_result
detox_pixels(struct detox *d, uint64_t width, uint64_t height, uint64_t frames)
{
	const struct detox_profile *p = d->profile;

	if (width == 0 || height == 0)
		return detox_refuse(
		    d, REFUSED_BROKEN, "an image without pixels");
	if (frames > p->frames_max || height > p->pixels_max / width ||
	    (frames > 0 && width * height > p->pixels_max / frames))
		return detox_refuse(d, REFUSED_PIXELS,
		    "an image of more than %llu pixels or %u frames",
		    (unsigned long long)p->pixels_max, p->frames_max);
	return DETOX_REBUILT;
}

void
detox_text(struct detox *d, uint64_t in, uint64_t out)
{
	d->text_in += in;
	d->text_out += out;
}

enum detox_result
detox_put(struct detox *d, struct detox_output *out, struct bytes b)
{
	if (buf_append(&out->content, b) < 0)
		return detox_refuse(d, REFUSED_SIZE,
		    "more than %zu bytes come out", out->content.max);
	return DETOX_REBUILT;
}

struct bytes
detox_extension(struct bytes name)
{
	for (size_t i = name.n; i > 0; i--) {
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\')
			break;
		if (name.p[i - 1] == '.')
			return (struct bytes){ name.p + i, name.n - i };
	}
	return (struct bytes){ 0 };
}

bool
detox_name_runs(struct bytes name)
{
	struct bytes extension;

	/* Windows takes blanks and dots at the end away. */
	while (name.n > 0 &&
	    (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '.'))
		name.n--;
	extension = detox_extension(name);
	/* A name may end with the number of a class. */
	if (extension.n > 0 && extension.p[0] == '{')
		return true;
	return words_have(run_by_name, extension) &&
	    !words_have(judged_by_content, extension);
}

/* The byte at the beginning, which may be percent-encoded, also what stands for
 * '%'; it leaves *b. */
static uint8_t
take_decoded(struct bytes *b)
{
	uint8_t c = bytes_take(b, 1).p[0];

	while (c == '%' && b->n >= 2 && byte_hex(b->p[0]) >= 0 &&
	    byte_hex(b->p[1]) >= 0) {
		c = (uint8_t)(byte_hex(b->p[0]) << 4 | byte_hex(b->p[1]));
		bytes_take(b, 2);
	}
	return c;
}

static bool
begins_decoded(struct bytes b, const char *word)
{
	for (; *word != '\0'; word++) {
		while (b.n > 0 && b.p[0] < 0x20)
			bytes_take(&b, 1);
		if (b.n == 0 || tolower(take_decoded(&b)) != *word)
			return false;
	}
	return true;
}

/* mailto:a@b?attach=//server/file; readers decode names too (RFC 6068, 2). */
static bool
attaches(struct bytes address)
{
	/* What is left out begins nothing; many of them are passed once. */
	for (; address.n > 0; bytes_take(&address, 1))
		if (address.p[0] >= 0x20 && begins_decoded(address, "attach"))
			return true;
	return false;
}

bool
detox_link_stays(const struct detox *d, struct bytes address)
{
	static const struct {
		const char *scheme;
		bool mail; /* which may bring a file of this computer */
	} good[] = { { "http:", false }, { "https:", false },
		{ "mailto:", true } };
	char scheme[8];
	size_t n = 0;

	if (address.n == 0 || address.p[0] == '#')
		return true;
	if (d->profile->links == DETOX_LINKS_NONE)
		return false;
	/* Readers leave out what stands before and within a scheme. */
	for (size_t i = 0; i < address.n && n < sizeof(scheme) - 1; i++) {
		if (address.p[i] <= 0x20 || address.p[i] == 0x7f)
			continue;
		scheme[n++] = (char)address.p[i];
		if (address.p[i] == ':')
			break;
	}
	for (size_t i = 0; i < COUNT(good); i++)
		if (bytes_equal_nocase((struct bytes){ (uint8_t *)scheme, n },
			bytes_of(good[i].scheme)))
			return !good[i].mail || !attaches(address);
	return false;
}

static const struct detox_format *
format_of(enum magic_type t, const struct detox_object *o)
{
	const struct detox_format *f;

	for (size_t i = 0; (f = detox_formats[i]) != NULL; i++)
		if ((f->types & MAGIC_BIT(t)) != 0 &&
		    (f->takes == NULL || f->takes(o)))
			return f;
	return NULL;
}

/* What comes out has to be of the type that was judged, also to who looks at
 * it with other eyes. */
static enum detox_result
rebuild(struct detox *d, const struct detox_format *f,
    const struct detox_object *o, struct detox_output *out)
{
	enum magic_type t;

	if (f->rebuild(d, o, out) == DETOX_REFUSED)
		return detox_refuse(d, REFUSED_BROKEN, "it cannot be read");
	if (out->content.n == 0 && o->content.n == 0)
		return DETOX_REBUILT;
	t = magic_type_of(buf_bytes(&out->content), true);
	if ((f->out_types & MAGIC_BIT(t)) == 0)
		return detox_refuse(d, REFUSED_POLYGLOT,
		    "%s would come out as %s", f->name, magic_type_name(t));
	return DETOX_REBUILT;
}

static enum detox_result
treat(struct detox *d, enum magic_type t, const struct detox_object *o,
    struct detox_output *out)
{
	const struct detox_format *f;

	switch (d->profile->treatment[t]) {
	case DETOX_REFUSE:
		return detox_refuse(
		    d, REFUSED_POLICY, "%s is refused", magic_type_name(t));
	case DETOX_HOLD:
		return detox_refuse(
		    d, REFUSED_HELD, "%s is held", magic_type_name(t));
	case DETOX_PASS:
		return detox_put(d, out, o->content);
	case DETOX_REBUILD:
		break;
	}
	f = format_of(t, o);
	if (f == NULL)
		return detox_refuse(
		    d, REFUSED_TYPE, "nothing rebuilds %s", magic_type_name(t));
	if (d->depth == 1)
		d->format = f->name;
	return rebuild(d, f, o, out);
}

enum detox_result
detox_opened(struct detox *d, const struct detox_object *o, uint64_t types,
    struct detox_output *out)
{
	enum magic_type t = magic_type_of(o->content, true);
	const char *format = d->format;
	enum detox_result result;

	if ((types & MAGIC_BIT(t)) == 0)
		return detox_refuse(d, REFUSED_DISAGREES,
		    "what was encrypted is %s", magic_type_name(t));
	result = treat(d, t, o, out);
	/* Who rebuilt it is who opened it. */
	d->format = format;
	return result;
}

enum magic_type
detox_type_of(const struct detox_object *o)
{
	enum magic_type t = magic_type_of(o->content, true);
	struct bytes declared = o->declared;

	if (bytes_equal_nocase(bytes_trim(bytes_take_until(&declared, ';')),
		BYTES("message/rfc822")) ||
	    (t == MAGIC_TEXT &&
		bytes_equal_nocase(detox_extension(o->name), BYTES("eml"))))
		return MAGIC_MAIL;
	return t;
}

static enum detox_result
judge(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	enum magic_type t = detox_type_of(o);
	const char *why = NULL;

	if (d->depth == 1)
		d->type = t;
	if (o->content.n > d->profile->in_max)
		return detox_refuse(d, REFUSED_SIZE, "more than %llu bytes",
		    (unsigned long long)d->profile->in_max);
	if (magic_is_program(t) || detox_name_runs(o->name))
		return detox_refuse(d, REFUSED_PROGRAM,
		    "its %s is that of a program",
		    magic_is_program(t) ? "content" : "name");
	if (o->content.n == 0)
		return DETOX_REBUILT;
	if (magic_agree(t, o->name, o->declared, &why) == MAGIC_DISAGREES) {
		if (d->disagrees == NULL)
			d->disagrees = why;
		if (d->profile->must_agree)
			return detox_refuse(d, REFUSED_DISAGREES, "%s", why);
	}
	return treat(d, t, o, out);
}

enum detox_result
detox_run(
    struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	buf_init(&out->content, d->profile->out_max);
	out->extension = NULL;
	d->depth = 1;
	return judge(d, o, out);
}

/* What refuses all, not only what is inside. */
static bool
is_of_all(enum detox_refusal r)
{
	return r == REFUSED_BOMB || r == REFUSED_ENTRIES ||
	    r == REFUSED_DEPTH || r == REFUSED_MEMORY;
}

/* By why the object was refused; locked: how many were before it. */
static enum detox_removal
removal_of(const struct detox *d, unsigned locked)
{
	if (d->refusal == REFUSED_PROGRAM)
		return REMOVED_PROGRAM;
	return d->refusal == REFUSED_ENCRYPTED && d->locked > locked
	    ? REMOVED_LOCKED
	    : REMOVED_REFUSED;
}

enum detox_result
detox_inside(struct detox *d, const char *where, const struct detox_object *o,
    struct detox_output *out)
{
	const char *inside = d->inside;
	enum detox_result result = DETOX_REFUSED;
	unsigned locked = d->locked;

	buf_init(&out->content, d->profile->out_max);
	out->extension = NULL;
	out->left_out = REFUSED_NOT;
	if (detox_unpacked(d, o->content.n, 0) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (d->depth >= d->profile->depth_max)
		return detox_refuse(d, REFUSED_DEPTH,
		    "more than %u objects within each other",
		    d->profile->depth_max);
	d->inside = arena_printf(
	    &d->arena, "%s%s%s", inside, inside[0] != '\0' ? ": " : "", where);
	d->depth++;
	result = judge(d, o, out);
	d->depth--;
	if (result == DETOX_REFUSED && !is_of_all(d->refusal)) {
		detox_removed(d, removal_of(d, locked), NULL, o->content);
		out->left_out = d->refusal;
		d->refusal = REFUSED_NOT;
	}
	d->inside = inside;
	return result;
}
