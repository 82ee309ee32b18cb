/* SPDX-License-Identifier: Apache-2.0 */
/*
 * charset: the charsets that browsers read, by their names, and which of them
 * a text has. Their tables are taken from the C library's iconv once, before
 * a process is locked; afterwards no file is opened.
 */
#pragma once

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"

enum charset {
	CHARSET_UNKNOWN = 0,
	CHARSET_UTF8,
	CHARSET_UTF16LE,
	CHARSET_UTF16BE,
	CHARSET_ISO_2022_JP,
	CHARSET_SHIFT_JIS, /* as Windows has it: CP932 */
	CHARSET_EUC_JP,    /* with NEC's and IBM's additions, and JIS X 0212 */
	CHARSET_GBK,
	CHARSET_BIG5,
	CHARSET_EUC_KR,
	CHARSET_WINDOWS_1252, /* ISO 8859-1 and ASCII are read so */
	CHARSET_WINDOWS_1250,
	CHARSET_WINDOWS_1251,
	CHARSET_ISO_8859_2,
	CHARSET_ISO_8859_15,
	CHARSET_KOI8_R,
	CHARSET_ISO_8859_3,
	CHARSET_ISO_8859_4,
	CHARSET_ISO_8859_5,
	CHARSET_ISO_8859_7,
	CHARSET_ISO_8859_8,
	CHARSET_ISO_8859_10,
	CHARSET_ISO_8859_13,
	CHARSET_KOI8_U,
	CHARSET_IBM866,
	CHARSET_MACINTOSH,
	CHARSET_WINDOWS_874,
	CHARSET_WINDOWS_1253,
	CHARSET_WINDOWS_1254,
	CHARSET_WINDOWS_1255,
	CHARSET_WINDOWS_1256,
	CHARSET_WINDOWS_1257,
	CHARSET_WINDOWS_1258,
	CHARSETS,
};

/* For a switch over them: those in which a byte is a character. */
#define CHARSET_SINGLE_CASES       \
	case CHARSET_WINDOWS_1252: \
	case CHARSET_WINDOWS_1250: \
	case CHARSET_WINDOWS_1251: \
	case CHARSET_ISO_8859_2:   \
	case CHARSET_ISO_8859_15:  \
	case CHARSET_KOI8_R:       \
	case CHARSET_ISO_8859_3:   \
	case CHARSET_ISO_8859_4:   \
	case CHARSET_ISO_8859_5:   \
	case CHARSET_ISO_8859_7:   \
	case CHARSET_ISO_8859_8:   \
	case CHARSET_ISO_8859_10:  \
	case CHARSET_ISO_8859_13:  \
	case CHARSET_KOI8_U:       \
	case CHARSET_IBM866:       \
	case CHARSET_MACINTOSH:    \
	case CHARSET_WINDOWS_874:  \
	case CHARSET_WINDOWS_1253: \
	case CHARSET_WINDOWS_1254: \
	case CHARSET_WINDOWS_1255: \
	case CHARSET_WINDOWS_1256: \
	case CHARSET_WINDOWS_1257: \
	case CHARSET_WINDOWS_1258

/* Before sandbox_enter, once. 0, or -1 and *e: iconv lacks a charset. */
int text_prepare(struct err *e) MUST_CHECK;

/* A label as in Content-Type (WHATWG's names); CHARSET_UNKNOWN: none that is
 * read here. */
enum charset charset_named(struct bytes label);
const char *charset_name(enum charset c);
/* By the bytes at the beginning: a mark (*mark_out: its length), or UNKNOWN. */
enum charset charset_mark(struct bytes head, size_t *mark_out);
/* By <meta charset> or <?xml encoding?> in the first 1024 bytes. */
enum charset charset_meta(struct bytes head);
/* By what is likely, from a piece with something that is not ASCII; whole:
 * nothing follows, so that a character that is cut counts. Never UNKNOWN. */
enum charset charset_guess(struct bytes b, bool whole);

/* For convert.c: a character of two bytes, or of 0x8e/0x8f's plane; 0: none. */
uint32_t charset_double(enum charset c, uint8_t lead, uint8_t trail);
uint32_t charset_jis0212(uint8_t lead, uint8_t trail);
uint32_t charset_single(enum charset c, uint8_t byte);
