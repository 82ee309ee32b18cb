/* SPDX-License-Identifier: Apache-2.0 */
/* zip: what the files of package share: the records of a ZIP file, as PKWARE's
 * APPNOTE 6.3.10 has them (sections in round brackets). */
#pragma once

#include "filters/package/package.h"

#define ZIP_LOCAL 0x04034b50u      /* (4.3.7) */
#define ZIP_CENTRAL 0x02014b50u    /* (4.3.12) */
#define ZIP_END 0x06054b50u        /* (4.3.16) */
#define ZIP_END64 0x06064b50u      /* (4.3.14) */
#define ZIP_LOCATOR64 0x07064b50u  /* (4.3.15) */
#define ZIP_DESCRIPTOR 0x08074b50u /* (4.3.9) */
#define ZIP_LOCAL_SIZE 30
#define ZIP_CENTRAL_SIZE 46
#define ZIP_END_SIZE 22
#define ZIP_END64_SIZE 56
#define ZIP_LOCATOR64_SIZE 20

#define ZIP_STORED 0
#define ZIP_DEFLATED 8
#define ZIP_AES 99

#define ZIP_EXTRA_AES 0x9901

#define ZIP_FLAG_ENCRYPTED 0x0001
#define ZIP_FLAG_DESCRIPTOR 0x0008
#define ZIP_FLAG_STRONG 0x0040
#define ZIP_FLAG_UTF8 0x0800
#define ZIP_FLAG_MASKED 0x2000

/* Of an entry; from its central header, until the local one was compared. */
struct zip_entry {
	struct package_entry entry;
	struct bytes raw_name;
	unsigned flags;
	unsigned method;      /* how its data is packed */
	unsigned said_method; /* ZIP_AES when that stands in aes */
	unsigned aes;         /* 1 to 3: keys of 16, 24, 32 bytes; 0: not so */
	bool unsummed;        /* its CRC is not said (AE-2) */
	struct bytes aes_extra;
	unsigned time; /* of its last change */
	uint32_t crc;
	uint32_t attributes;
	uint64_t local; /* where its local header begins */
	uint64_t data;  /* where its data does */
	uint64_t end;   /* behind its data and descriptor */
};

struct package {
	struct bytes zip;
	struct zip_entry *list; /* in the job's arena */
	size_t n;
	struct zip_entry **by_name; /* sorted; in the arena */
	size_t good; /* the way of password that opened the last one */
	bool opened; /* one was */
};

/* Where the directory is. */
struct zip_directory {
	struct bytes headers;
	uint64_t base;  /* what stands before the file that offsets count in */
	uint64_t count; /* entries, as said */
	uint64_t begin;
};

static inline unsigned
zip_16(const uint8_t *p)
{
	return (unsigned)(p[0] | p[1] << 8);
}

static inline uint32_t
zip_32(const uint8_t *p)
{
	return zip_16(p) | (uint32_t)zip_16(p + 2) << 16;
}

static inline uint64_t
zip_64(const uint8_t *p)
{
	return zip_32(p) | (uint64_t)zip_32(p + 4) << 32;
}

/* Finds the directory; reports what stands behind it. */
enum detox_result zip_find_directory(
    struct detox *d, struct bytes zip, struct zip_directory *out) MUST_CHECK;
/* The content of an extra field; .p NULL: it is not there. */
struct bytes zip_extra(struct bytes extra, unsigned id);
/* Sizes and offset of which a header says that they stand in ZIP64's field.
 * False: they are not there. */
bool zip_extra64(struct bytes extra, uint64_t *const fields[], size_t n);
/* Local headers agree, nothing overlaps; gaps are reported. */
enum detox_result zip_check_locals(struct detox *d, struct package *p,
    const struct zip_directory *dir) MUST_CHECK;
/* secret.c: what stands around an entry's data when it is encrypted. */
uint64_t zip_secret_size(const struct zip_entry *e);
/* How it is encrypted, from its central header; DETOX_REFUSED: not in a way
 * that is read, or the job has no password. */
enum detox_result zip_secret_check(
    struct detox *d, struct zip_entry *e, struct bytes extra) MUST_CHECK;
/* Whether the password may be the one, by what the data begins with; then the
 * data, decrypted, is in *out. out has room for it. */
bool zip_secret_open(const struct zip_entry *e, struct bytes data,
    struct bytes password, struct buf *out) MUST_CHECK;
/* A name as it is used, in the arena; NULL: it is dangerous, *d says why. */
const char *zip_name(
    struct detox *d, struct bytes raw, bool utf8, struct bytes unicode_path);
