/* SPDX-License-Identifier: Apache-2.0 */
/*
 * package: a ZIP file read strictly, and one written anew. The file has one
 * reading: the central directory and the local headers agree, nothing stands
 * before, between or behind (what does is reported as trailing and does not
 * come out), no two names are the same to a reader that ignores case, no name
 * leaves the folder, nothing is a link, a device, encrypted or one of several
 * volumes.
 */
#pragma once

#include "filters/detox.h"

struct package;

struct package_entry {
	const char *name; /* UTF-8, '/' between folders, no first '/'; without
			   * "." and empty parts */
	uint64_t size;    /* unpacked, as both headers say */
	uint64_t packed;
	bool folder; /* its name ends with '/' */
};

/* NULL: refused, *d says why. The entries are counted (detox_entry); the bytes
 * of zip stay the caller's and have to outlive it. */
struct package *package_open(struct detox *d, struct bytes zip);
void package_close(struct package *p);
size_t package_entries(const struct package *p);
const struct package_entry *package_entry(const struct package *p, size_t i);
/* By its exact name, or -1. */
ssize_t package_find(const struct package *p, const char *name);
/* Unpacks one entry into *out (made here; the caller releases it), in the
 * budget (detox_unpacked); its length and CRC are checked. DETOX_REFUSED: when
 * detox_is_over a limit was passed, else the entry is damaged, has to be left
 * out, and was already reported. */
enum detox_result package_read(
    struct detox *d, struct package *p, size_t i, struct buf *out) MUST_CHECK;

/* True: in begins with one deflated stream of exactly out->max bytes, which are
 * in out; it has room for them. */
bool package_inflate(struct bytes in, struct buf *out) MUST_CHECK;

/* A document's parts are deflated as Office does, for speed: large sheets are a
 * quarter larger than squeezed in a quarter of the time, small parts a
 * twentieth in two thirds. What people put into archives stays small. */
enum package_method {
	PACKAGE_STORED,
	PACKAGE_DEFLATED,
	PACKAGE_SQUEEZED,
};

struct package_writer;

struct package_writer *package_writer_new(void);
void package_writer_free(struct package_writer *w);
/* The content is copied. Every entry has the same date and no extra fields; an
 * entry stands where it was added. */
enum detox_result package_add(struct detox *d, struct package_writer *w,
    const char *name, struct bytes content, enum package_method m) MUST_CHECK;
/* The same entries give the same bytes. */
enum detox_result package_finish(struct detox *d, struct package_writer *w,
    struct detox_output *out) MUST_CHECK;
