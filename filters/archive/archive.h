/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive: zip, 7z, rar, tar, lzh, cab, iso and single files that are packed
 * with gzip, bzip2, xz or zstd, read whole from memory; what each holds is
 * rebuilt, and a ZIP file of it comes out, with names that are safe on Windows.
 * A packed tar is one object, not one within another. ZIP is read by package.h,
 * all else by libarchive, of which only the reader that the type needs is
 * switched on, and none that starts a program.
 *
 * What cannot be rebuilt is left out, and so are programs, damaged entries and
 * links that stay inside; a text at the top of the ZIP file then says which
 * and why. Refused as a whole: what is encrypted, one of several volumes, or
 * cut off; entries by the same name; paths and links that lead out, devices.
 *
 * While it comes an entry counts as unpacked, and again when it is an object:
 * so at most half of the profile's tree_max can be in an archive.
 */
#pragma once

#include "filters/detox.h"

/* Not "archive_": that is the prefix of libarchive. */
extern const struct detox_format archives_format;
