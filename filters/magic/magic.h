/* SPDX-License-Identifier: Apache-2.0 */
/*
 * magic: what a body is, by the bytes at its beginning, against its name and
 * the type that was declared. It tells the kinds apart that are treated apart;
 * it does not say that a file is whole or harmless.
 */
#pragma once

#include "filters/filter.h"

/* An ISO image says so behind 32 KiB; all others within the first 4 KiB. */
#define MAGIC_HEAD_MAX ((size_t)32774)
#define MAGIC_HEAD_USUAL ((size_t)4096)

enum magic_type {
	MAGIC_UNKNOWN = 0,
	MAGIC_TEXT, /* no control characters, no other kind */
	MAGIC_PDF,
	MAGIC_POSTSCRIPT,
	MAGIC_ZIP, /* none of the packages below, as far as is seen */
	MAGIC_OOXML,
	MAGIC_ODF,
	MAGIC_EPUB,
	MAGIC_JAR,
	MAGIC_APK,
	MAGIC_OLE2, /* doc, xls, ppt, msg, jtd, msi */
	MAGIC_BIFF, /* xls, a sheet alone */
	MAGIC_RTF,
	MAGIC_HTML,
	MAGIC_SVG,
	MAGIC_XML,
	MAGIC_MAIL,
	MAGIC_TNEF,
	MAGIC_JPEG,
	MAGIC_PNG,
	MAGIC_GIF,
	MAGIC_WEBP,
	MAGIC_BMP,
	MAGIC_TIFF,
	MAGIC_ICON,
	MAGIC_HEIF, /* HEIC, AVIF */
	MAGIC_JPEG2000,
	MAGIC_METAFILE, /* WMF, EMF */
	MAGIC_PSD,
	MAGIC_VIDEO,
	MAGIC_AUDIO,
	MAGIC_FONT,
	MAGIC_PE, /* programs of Windows, and of DOS */
	MAGIC_ELF,
	MAGIC_MACHO,
	MAGIC_CLASS, /* Java */
	MAGIC_DEX,
	MAGIC_WASM,
	MAGIC_SCRIPT,
	MAGIC_SHORTCUT, /* .lnk, .url */
	MAGIC_HELP,     /* .chm */
	MAGIC_FLASH,
	MAGIC_7Z,
	MAGIC_RAR,
	MAGIC_LZH,
	MAGIC_CAB,
	MAGIC_TAR,
	MAGIC_GZIP,
	MAGIC_BZIP2,
	MAGIC_XZ,
	MAGIC_ZSTD,
	MAGIC_ARJ,
	MAGIC_ISO,
	MAGIC_DISK, /* VHD, VHDX, VMDK, DMG's kin */
	MAGIC_DATABASE,
	MAGIC_ONENOTE,
	MAGIC_DWG,
	MAGIC_TYPES,
};

#define MAGIC_BIT(type) ((uint64_t)1 << (type))

/* whole: head is all there is. UNKNOWN when not whole may be something yet,
 * until MAGIC_HEAD_MAX. */
enum magic_type magic_type_of(struct bytes head, bool whole);
const char *magic_type_name(enum magic_type t);
/* Whether a machine runs it when it is opened. */
bool magic_is_program(enum magic_type t);

enum magic_agreement {
	MAGIC_DISAGREES = 0, /* *why_out, a static string */
	MAGIC_AGREES,
};

/*
 * name: as declared, with or without folders; empty: none. declared: a media
 * type, with or without parameters; empty: none. A type, an extension and a
 * media type agree when one row of the table has all three; what is in no row
 * says nothing, and what says only "bytes" does not either. But a program has
 * to say that it is one.
 */
enum magic_agreement magic_agree(enum magic_type t, struct bytes name,
    struct bytes declared, const char **why_out);

/* The types that the name's extension or the declared type stands for, a bit
 * for each; 0: they say nothing. */
uint64_t magic_types_named(struct bytes name, struct bytes declared);

struct magic_settings {
	struct bytes name;
	struct bytes declared;
	bool must_agree;
	uint64_t refused; /* a bit for each enum magic_type */
};

/* Settings: struct magic_settings. Memory: the head, until it is judged. */
extern const struct filter_type magic_filter;
/* Whether no more of the body can change what was found. */
bool magic_is_judged(struct filter *f);
/* For records. */
enum magic_type magic_found(struct filter *f);
