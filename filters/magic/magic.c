/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/magic/magic.h"

#include <ctype.h>

/*
 * What goes together: words with a blank on either side. A type may have
 * several rows' worth of names; text is what many names stand for.
 */
static const struct {
	const char *name;
	const char *extensions;
	const char *media;
} types[MAGIC_TYPES] = {
	[MAGIC_UNKNOWN] = { "unknown", " xdw xbd jww sfc p21 dxf bin dat ",
	    " application/vnd.fujixerox.docuworks"
	    " application/vnd.fujixerox.docuworks.binder " },
	[MAGIC_TEXT] = { "text",
	    " txt csv tsv log md json js mjs css ini conf yml yaml sql tex ics"
	    " vcf srt m3u8 map dxf sfc p21 pem crt cer asc sig ",
	    " text/plain text/csv text/css text/javascript text/calendar"
	    " text/vcard text/tab-separated-values text/markdown"
	    " application/json application/ld+json application/javascript"
	    " application/x-javascript application/manifest+json"
	    " application/x-www-form-urlencoded text/event-stream"
	    " application/vnd.apple.mpegurl application/x-pem-file"
	    " application/pgp-signature application/sql"
	    /* what programs call all that they say */
	    " text/html " },
	[MAGIC_PDF] = { "pdf", " pdf ai ",
	    " application/pdf application/x-pdf"
	    " application/illustrator " },
	[MAGIC_POSTSCRIPT] = { "postscript", " ps eps ai ",
	    " application/postscript application/eps image/x-eps " },
	[MAGIC_ZIP] = { "zip", " zip docx xlsx pptx ",
	    " application/zip application/x-zip-compressed"
	    " application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.document"
	    " application/vnd.openxmlformats-officedocument.spreadsheetml."
	    "sheet"
	    " application/vnd.openxmlformats-officedocument."
	    "presentationml.presentation"
	    " application/x-zip " },
	[MAGIC_OOXML] = { "ooxml",
	    " docx xlsx pptx docm xlsm pptm dotx xltx potx dotm xltm potm ppsx"
	    " ppsm xlsb xlam vsdx vsdm ",
	    " application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.document"
	    " application/vnd.openxmlformats-officedocument.spreadsheetml."
	    "sheet"
	    " application/vnd.openxmlformats-officedocument."
	    "presentationml.presentation"
	    " application/vnd.openxmlformats-officedocument."
	    "presentationml.slideshow"
	    " application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.template"
	    " application/vnd.openxmlformats-officedocument.spreadsheetml."
	    "template"
	    " application/vnd.ms-word.document.macroenabled.12"
	    " application/vnd.ms-excel.sheet.macroenabled.12"
	    " application/vnd.ms-excel.sheet.binary.macroenabled.12"
	    " application/vnd.ms-powerpoint.presentation.macroenabled.12"
	    " application/vnd.ms-excel application/msword"
	    " application/vnd.ms-powerpoint"
	    " application/vnd.ms-visio.drawing " },
	[MAGIC_ODF] = { "odf", " odt ods odp odg ott ots otp odf ",
	    " application/vnd.oasis.opendocument.text"
	    " application/vnd.oasis.opendocument.spreadsheet"
	    " application/vnd.oasis.opendocument.presentation"
	    " application/vnd.oasis.opendocument.graphics " },
	[MAGIC_EPUB] = { "epub", " epub ", " application/epub+zip " },
	[MAGIC_JAR] = { "jar", " jar war ear ",
	    " application/java-archive application/x-java-archive " },
	[MAGIC_APK] = { "apk", " apk ",
	    " application/vnd.android.package-archive " },
	[MAGIC_OLE2] = { "ole2",
	    " doc dot xls xlt xla ppt pps pot msg jtd jtt jtdc jhd jsd vsd pub"
	    " mpp msi msp thmx hwp db"
	    /* with a password */
	    " docx docm dotx dotm xlsx xlsm xltx xltm xlsb pptx pptm potx potm"
	    " ppsx ppsm ",
	    " application/msword application/vnd.ms-excel"
	    " application/vnd.ms-powerpoint application/vnd.ms-outlook"
	    " application/vnd.visio application/vnd.ms-project"
	    " application/x-msi application/x-js-taro application/vnd.ms-office"
	    " application/x-ole-storage application/haansofthwp"
	    " application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.document"
	    " application/vnd.openxmlformats-officedocument.spreadsheetml."
	    "sheet"
	    " application/vnd.openxmlformats-officedocument.presentationml."
	    "presentation"
	    " application/vnd.ms-word.document.macroenabled.12"
	    " application/vnd.ms-excel.sheet.macroenabled.12"
	    " application/vnd.ms-excel.sheet.binary.macroenabled.12"
	    " application/vnd.ms-powerpoint.presentation.macroenabled.12 " },
	[MAGIC_BIFF] = { "biff", " xls ", " application/vnd.ms-excel " },
	[MAGIC_RTF] = { "rtf", " rtf doc ",
	    " application/rtf text/rtf application/msword " },
	[MAGIC_HTML] = { "html", " html htm xhtml shtml xls ",
	    " text/html application/xhtml+xml text/plain " },
	[MAGIC_SVG] = { "svg", " svg ",
	    " image/svg+xml text/xml"
	    " application/xml " },
	[MAGIC_XML] = { "xml",
	    " xml xsl xslt rss atom kml gml rdf xsd wsdl plist ",
	    " text/xml application/xml application/rss+xml application/atom+xml"
	    " application/rdf+xml application/soap+xml text/plain"
	    " application/xhtml+xml " },
	[MAGIC_MAIL] = { "mail", " eml mht mhtml mbox txt ",
	    " message/rfc822 multipart/related text/plain"
	    " application/x-mimearchive " },
	[MAGIC_TNEF] = { "tnef", " dat tnef ",
	    " application/ms-tnef application/vnd.ms-tnef " },
	[MAGIC_JPEG] = { "jpeg", " jpg jpeg jpe jfif ",
	    " image/jpeg image/jpg image/pjpeg " },
	[MAGIC_PNG] = { "png", " png apng ",
	    " image/png image/apng"
	    " image/x-png " },
	[MAGIC_GIF] = { "gif", " gif ", " image/gif " },
	[MAGIC_WEBP] = { "webp", " webp ", " image/webp " },
	[MAGIC_BMP] = { "bmp", " bmp dib ", " image/bmp image/x-ms-bmp " },
	[MAGIC_TIFF] = { "tiff", " tif tiff ", " image/tiff " },
	[MAGIC_ICON] = { "icon", " ico cur ",
	    " image/x-icon image/vnd.microsoft.icon " },
	[MAGIC_HEIF] = { "heif", " heic heif avif ",
	    " image/heic image/heif image/avif " },
	[MAGIC_JPEG2000] = { "jpeg2000", " jp2 j2k jpf ", " image/jp2 " },
	[MAGIC_METAFILE] = { "metafile", " wmf emf ",
	    " image/wmf image/emf image/x-wmf image/x-emf " },
	[MAGIC_PSD] = { "psd", " psd ", " image/vnd.adobe.photoshop " },
	[MAGIC_VIDEO] = { "video",
	    " mp4 m4v mov m4a m4s 3gp mkv webm avi flv wmv wma asf mpg mpeg ",
	    " video/mp4 video/quicktime audio/mp4 audio/x-m4a video/3gpp"
	    " video/x-matroska video/webm audio/webm video/x-msvideo"
	    " video/x-flv video/x-ms-wmv audio/x-ms-wma video/x-ms-asf"
	    " video/mpeg " },
	[MAGIC_AUDIO] = { "audio",
	    " mp3 ogg oga ogv opus flac wav mid midi aac ",
	    " audio/mpeg audio/ogg video/ogg audio/flac audio/wav audio/x-wav"
	    " audio/midi audio/aac application/ogg " },
	[MAGIC_FONT] = { "font", " woff woff2 ttf otf ttc ",
	    " font/woff font/woff2 font/ttf font/otf font/collection"
	    " application/font-woff application/x-font-ttf"
	    " application/font-woff2 application/x-font-woff"
	    " application/vnd.ms-fontobject " },
	[MAGIC_PE] = { "windows-program",
	    " exe dll scr sys com ocx cpl efi drv mui ",
	    " application/x-msdownload application/x-dosexec"
	    " application/vnd.microsoft.portable-executable"
	    " application/x-msdos-program application/exe"
	    " application/x-executable " },
	[MAGIC_ELF] = { "elf", " so o elf axf ko ",
	    " application/x-elf application/x-executable"
	    " application/x-sharedlib " },
	[MAGIC_MACHO] = { "mach-o", " dylib bundle ",
	    " application/x-mach-binary " },
	[MAGIC_CLASS] = { "java-class", " class ",
	    " application/java-vm"
	    " application/x-java " },
	[MAGIC_DEX] = { "dex", " dex ", " application/x-dex " },
	[MAGIC_WASM] = { "wasm", " wasm ", " application/wasm " },
	[MAGIC_SCRIPT] = { "script",
	    " sh bash bat cmd ps1 vbs vbe wsf wsh js jse pl py rb php hta ",
	    " application/x-sh text/x-sh text/x-shellscript text/x-python"
	    " application/x-bat application/x-php text/x-php"
	    " text/x-script.python application/x-httpd-php " },
	[MAGIC_SHORTCUT] = { "shortcut", " lnk url ",
	    " application/x-ms-shortcut application/internet-shortcut"
	    " application/x-mswinurl " },
	[MAGIC_HELP] = { "help", " chm ", " application/vnd.ms-htmlhelp " },
	[MAGIC_FLASH] = { "flash", " swf ",
	    " application/x-shockwave-flash"
	    " application/vnd.adobe.flash.movie " },
	[MAGIC_7Z] = { "7z", " 7z ", " application/x-7z-compressed " },
	[MAGIC_RAR] = { "rar", " rar ",
	    " application/vnd.rar application/x-rar-compressed"
	    " application/x-rar " },
	[MAGIC_LZH] = { "lzh", " lzh lha ",
	    " application/x-lzh"
	    " application/x-lzh-compressed"
	    " application/x-lha " },
	[MAGIC_CAB] = { "cab", " cab msu ",
	    " application/vnd.ms-cab-compressed"
	    " application/x-cab " },
	[MAGIC_TAR] = { "tar", " tar ", " application/x-tar " },
	[MAGIC_GZIP] = { "gzip", " gz tgz svgz ",
	    " application/gzip application/x-gzip application/x-compressed-tar"
	    " application/x-tar " },
	[MAGIC_BZIP2] = { "bzip2", " bz2 tbz2 ", " application/x-bzip2 " },
	[MAGIC_XZ] = { "xz", " xz txz ", " application/x-xz " },
	[MAGIC_ZSTD] = { "zstd", " zst ", " application/zstd " },
	[MAGIC_ARJ] = { "arj", " arj ", " application/x-arj " },
	[MAGIC_ISO] = { "iso", " iso img udf ",
	    " application/x-iso9660-image application/x-cd-image " },
	[MAGIC_DISK] = { "disk-image", " vhd vhdx vmdk qcow2 ",
	    " application/x-virtualbox-vhd application/x-vhd"
	    " application/x-qemu-disk " },
	[MAGIC_DATABASE] = { "database", " mdb accdb sqlite sqlite3 db ",
	    " application/msaccess application/x-msaccess"
	    " application/vnd.sqlite3 application/x-sqlite3 " },
	[MAGIC_ONENOTE] = { "onenote", " one ",
	    " application/onenote"
	    " application/msonenote " },
	[MAGIC_DWG] = { "dwg", " dwg ",
	    " image/vnd.dwg application/acad"
	    " image/x-dwg " },
};

/* They say that there are bytes, and no more. */
static const char says_nothing[] =
    " application/octet-stream binary/octet-stream application/download"
    " application/x-download application/force-download"
    " application/x-force-download application/unknown application/binary ";

/* And these of a name that it was made by a program on a server, or that
 * somebody put something away. */
static const char names_nothing[] =
    " php asp aspx ashx axd jsp do cgi fcgi pl py rb bin dat tmp bak part"
    " download ";

#define WORD_MAX 128

const char *
magic_type_name(enum magic_type t)
{
	return types[t].name;
}

bool
magic_is_program(enum magic_type t)
{
	return t == MAGIC_PE || t == MAGIC_ELF || t == MAGIC_MACHO ||
	    t == MAGIC_CLASS || t == MAGIC_DEX || t == MAGIC_JAR ||
	    t == MAGIC_APK || t == MAGIC_SCRIPT || t == MAGIC_SHORTCUT ||
	    t == MAGIC_HELP;
}

/* Whether " word " stands in list; word is in small letters. */
static bool
has_word(const char *list, struct bytes word)
{
	char text[WORD_MAX + 3] = " ";

	memcpy(text + 1, word.p, word.n);
	text[word.n + 1] = ' ';
	return strstr(list, text) != NULL;
}

static bool
is_in_any(struct bytes word, bool media)
{
	for (size_t i = 0; i < MAGIC_TYPES; i++)
		if (has_word(
			media ? types[i].media : types[i].extensions, word))
			return true;
	return false;
}

/* U+200E, U+200F, U+202A-202E, U+2066-2069: they turn names around. */
static bool
turns(struct bytes b)
{
	return b.n >= 3 && b.p[0] == 0xe2 &&
	    ((b.p[1] == 0x80 &&
		 (b.p[2] == 0x8e || b.p[2] == 0x8f ||
		     (b.p[2] >= 0xaa && b.p[2] <= 0xae))) ||
		(b.p[1] == 0x81 && b.p[2] >= 0xa6 && b.p[2] <= 0xa9));
}

/* The letters behind the last dot, small, in out; none when there are too many
 * or none. Blanks and dots at the end are dropped as Windows drops them. */
static struct bytes
extension(struct bytes name, uint8_t out[WORD_MAX])
{
	size_t n = 0;
	bool dot = false;

	while (name.n > 0 &&
	    (name.p[name.n - 1] == '.' || name.p[name.n - 1] == ' '))
		name.n--;
	while (name.n > 0) {
		uint8_t c = name.p[0];

		if (turns(name)) {
			bytes_take(&name, 3);
			continue;
		}
		bytes_take(&name, 1);
		if (c == '.' || c == '/' || c == '\\') {
			dot = c == '.';
			n = 0;
		} else if (n < WORD_MAX) {
			out[n++] = (uint8_t)tolower(c);
		}
	}
	return (struct bytes){ out, dot && n < WORD_MAX ? n : 0 };
}

/* The type without parameters, small. */
static struct bytes
media_type(struct bytes declared, uint8_t out[WORD_MAX])
{
	struct bytes type = bytes_trim(bytes_take_until(&declared, ';'));

	if (type.n >= WORD_MAX)
		type.n = 0;
	for (size_t i = 0; i < type.n; i++)
		out[i] = (uint8_t)tolower(type.p[i]);
	return (struct bytes){ out, type.n };
}

enum magic_agreement
magic_agree(enum magic_type t, struct bytes name, struct bytes declared,
    const char **why_out)
{
	uint8_t room[2][WORD_MAX];
	struct bytes ext = extension(name, room[0]);
	struct bytes media = media_type(declared, room[1]);
	bool program = magic_is_program(t);

	if (media.n > 0 && has_word(says_nothing, media))
		media.n = 0;
	if (ext.n > 0 && !program && has_word(names_nothing, ext))
		ext.n = 0;
	*why_out = NULL;
	if (ext.n > 0 && !has_word(types[t].extensions, ext) &&
	    (program || is_in_any(ext, false)))
		*why_out = "the content is not what its name says";
	else if (media.n > 0 && !has_word(types[t].media, media) &&
	    (program || is_in_any(media, true)))
		*why_out = "the content is not of the declared type";
	return *why_out == NULL ? MAGIC_AGREES : MAGIC_DISAGREES;
}

uint64_t
magic_types_named(struct bytes name, struct bytes declared)
{
	uint8_t room[2][WORD_MAX];
	struct bytes ext = extension(name, room[0]);
	struct bytes media = media_type(declared, room[1]);
	uint64_t named = 0;

	for (size_t t = 0; t < MAGIC_TYPES; t++)
		if ((ext.n > 0 && has_word(types[t].extensions, ext)) ||
		    (media.n > 0 && has_word(types[t].media, media)))
			named |= MAGIC_BIT(t);
	return named;
}

/* The filter. */

struct magic {
	struct filter base;
	enum magic_type type;
	struct buf head; /* until it is judged */
	bool judged;
};

static void
begin(struct filter *f)
{
	struct magic *m = CONTAINER(f, struct magic, base);

	buf_init(&m->head, MAGIC_HEAD_MAX);
}

static void
end(struct filter *f)
{
	struct magic *m = CONTAINER(f, struct magic, base);

	buf_release(&m->head);
}

/* Its type, of heads of two lengths whatever the pieces; false: not yet. */
static bool
know(struct magic *m, bool last)
{
	struct bytes all = buf_bytes(&m->head);
	struct bytes usual = all;

	if (all.n < MAGIC_HEAD_USUAL && !last)
		return false;
	if (all.n > MAGIC_HEAD_USUAL)
		usual.n = MAGIC_HEAD_USUAL;
	m->type = magic_type_of(usual, all.n <= MAGIC_HEAD_USUAL && last);
	if (m->type != MAGIC_UNKNOWN)
		return true;
	if (all.n < MAGIC_HEAD_MAX && !last)
		return false;
	m->type = magic_type_of(all, true);
	return true;
}

/* NULL: it may travel on. */
static const char *
judge(const struct magic *m)
{
	const struct magic_settings *s = m->base.settings;
	const char *why = NULL;

	if ((s->refused & MAGIC_BIT(m->type)) != 0)
		return "a file of a type that is not allowed";
	/* Of nothing nothing can be said. */
	if (s->must_agree && m->head.n > 0)
		(void)magic_agree(m->type, s->name, s->declared, &why);
	return why;
}

static enum filter_verdict
push(struct filter *f, struct bytes in, bool last, struct buf *out)
{
	struct magic *m = CONTAINER(f, struct magic, base);
	size_t room = MAGIC_HEAD_MAX - m->head.n;
	const char *why;

	(void)out;
	if (m->judged)
		return FILTER_GO;
	must(buf_append(&m->head, bytes_take(&in, in.n < room ? in.n : room)) ==
	    0);
	if (!know(m, last))
		return FILTER_GO;
	m->judged = true;
	why = judge(m);
	buf_release(&m->head);
	return why == NULL ? FILTER_GO : filter_refuse(f, why);
}

const struct filter_type magic_filter = {
	.name = "magic",
	.phase = FILTER_JUDGE,
	.state_size = sizeof(struct magic),
	.begin = begin,
	.end = end,
	.push = push,
};

bool
magic_is_judged(struct filter *f)
{
	return CONTAINER(f, struct magic, base)->judged;
}

enum magic_type
magic_found(struct filter *f)
{
	return CONTAINER(f, struct magic, base)->type;
}
